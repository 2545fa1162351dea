"""Check a lab as its author: the reference solution must earn everything, the released version nothing.

Both run through the isolated engine, so a test that uses what cannot cross between learner and examiner shows here.
"""

import ast
import re
from copy import deepcopy
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from autograder.engine.runner import Runner
from autograder.grading import PreparedLab, execute, prepare_lab
from autograder.judgement import failing_line, judge
from autograder.kit import Lab
from autograder.rebuild import grade_id, is_test, rebuild

_ADVICE = {
    "globals": "take the learner's values by their names; other names are the examiner's own",
    "get_ipython": "a test has no part in the learner's session; judge values",
    "inspect": "a learner's function can be called, but its code cannot be read; test what it does",
    "In": "a test has no part in the learner's session; judge values",
    "Out": "a test has no part in the learner's session; judge values",
}
"""Names that mean something else, or nothing, where the learner's code runs in another process."""


@dataclass(frozen=True)
class Fault:
    """Something that an author has to change."""

    lab: str
    cell: str
    line: int | None
    """line of the cell, counted from 1, where it is known"""
    message: str

    def __str__(self) -> str:
        """Say it in one line."""
        place = f"{self.cell}, line {self.line}" if self.line else self.cell
        return f"{self.lab}: {place}: {self.message}"


def check(lab: Lab, runner: Runner) -> list[Fault]:
    """Return what is wrong with `lab`, in the order of its cells; an empty list means that it can be handed out.

    Raises `AcademyError` where the lab cannot be released at all, or the sandbox cannot be had.
    """
    prepared = prepare_lab(lab)
    faults = [fault for cell in prepared.source.cells if is_test(cell) for fault in _suspects(lab, cell)]
    faults += _reference_faults(prepared, runner)
    faults += _released_faults(prepared, runner)
    return faults


def _suspects(lab: Lab, cell: NotebookNode) -> list[Fault]:
    """Look for names in a test that have no meaning across processes."""
    try:
        tree = ast.parse(TransformerManager().transform_cell(cell.source))  # type: ignore[no-untyped-call]
    except SyntaxError as error:
        return [Fault(lab.name, str(grade_id(cell)), error.lineno, f"this is no Python: {error.msg}")]
    return [
        Fault(lab.name, str(grade_id(cell)), node.lineno, f"`{node.id}` cannot be used in a test: {_ADVICE[node.id]}")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in _ADVICE
    ]


def _reference_faults(prepared: PreparedLab, runner: Runner) -> list[Fault]:
    """Run the reference solution: each test must pass."""
    lab, notebook = prepared.lab, deepcopy(prepared.source)
    run = execute(notebook, prepared, runner)
    faults = []
    for result in judge(notebook, prepared.handed_out, {}, run.stopped):
        cell = next(cell for cell in notebook.cells if grade_id(cell) == result.id)
        if not is_test(cell) or result.score == result.max_score:
            continue
        error = next((output for output in cell.outputs if output.output_type == "error"), None)
        if error is None:
            faults.append(Fault(lab.name, result.id, None, f"the reference solution fails here: {result.message}"))
        else:
            said = re.sub(r"\s+", " ", f"{error.ename}: {error.evalue}".removesuffix(": "))
            line = failing_line(cell, error)
            faults.append(Fault(lab.name, result.id, line, f"the reference solution fails here: {said}"))
    return faults


def _released_faults(prepared: PreparedLab, runner: Runner) -> list[Fault]:
    """Run the released version: no test may pass."""
    lab = prepared.lab
    answers = {str(grade_id(cell)): [cell.source] for cell in prepared.handed_out.cells if is_solution(cell)}
    notebook = rebuild(prepared.source, answers, lab.name).notebook
    run = execute(notebook, prepared, runner)
    return [
        Fault(lab.name, result.id, None, f"the released version, without answers, earns {result.score:g} points here")
        for result in judge(notebook, prepared.handed_out, {}, run.stopped)
        if result.score > 0
    ]
