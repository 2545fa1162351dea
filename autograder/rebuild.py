"""Rebuild a submission: the instructor's notebook with only the learner's answers taken over, by grade_id."""

from copy import deepcopy
from dataclasses import dataclass

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.errors import UnusableNotebookError


@dataclass(frozen=True)
class Rebuilt:
    """A notebook that is safe to judge by: every cell but the answers is the instructor's own."""

    notebook: NotebookNode
    """nbformat 4, without outputs"""
    notes: dict[str, str]
    """grade_id of an answer cell -> what was odd about it in the submission, in plain words"""


def grade_id(cell: NotebookNode) -> str | None:
    """Return the nbgrader id of a cell of the kit, or None for an ordinary cell."""
    found: str | None = cell.metadata.get("nbgrader", {}).get("grade_id")
    return found


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell holds tests: graded code that is not itself the answer."""
    return bool(cell.cell_type == "code" and is_grade(cell) and not is_solution(cell))


def rebuild(source: NotebookNode, answers: dict[str, list[str]], lab_name: str) -> Rebuilt:
    """Put the learner's answers (grade_id -> texts, see `Submission`) into a copy of the instructor's notebook.

    Of an answer cell that stands there several times the last one counts, as in nbgrader. A missing one counts as
    unanswered. Cells that the learner added, moved, edited or retyped beside the answers have no effect.

    Raises `UnusableNotebookError` where there is not one answer cell of this lab.
    """
    notebook = deepcopy(source)
    known = {grade_id(cell) for cell in notebook.cells if is_solution(cell)}
    if not known & set(answers):
        raise UnusableNotebookError(
            f"this is not a notebook of the lab '{lab_name}': none of its answer cells is there; "
            "name the right lab with --lab, or start from a fresh copy (`academy prepare`)"
        )
    notes: dict[str, str] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        identifier = grade_id(cell)
        if identifier is None or not is_solution(cell):
            continue
        found = answers.get(identifier, [])
        cell.source = found[-1] if found else ""
        if not found:
            notes[identifier] = f"The answer cell '{identifier}' is missing from the notebook."
        elif len(found) > 1:
            notes[identifier] = f"The answer cell '{identifier}' is there {len(found)} times; the last one counts."
    return Rebuilt(notebook, notes)


def questions(notebook: NotebookNode) -> list[tuple[NotebookNode, NotebookNode | None]]:
    """Pair each graded cell with the answer it judges: the nearest answer cell above it, or itself if written."""
    pairs: list[tuple[NotebookNode, NotebookNode | None]] = []
    answer: NotebookNode | None = None
    for cell in notebook.cells:
        if is_solution(cell):
            answer = cell
        if is_grade(cell):
            pairs.append((cell, answer))
    return pairs
