"""Releasing a lab: what an author did wrong is said with the name of the cell."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.errors import AcademyError
from autograder.kit import find_lab
from autograder.release import released


def cell(notebook: NotebookNode, identifier: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == identifier)


def without_points(notebook: NotebookNode) -> None:
    del cell(notebook, "q2-check").metadata.nbgrader["points"]


def same_id_twice(notebook: NotebookNode) -> None:
    cell(notebook, "q2-check").metadata.nbgrader["grade_id"] = "q1-check"


def solution_without_end(notebook: NotebookNode) -> None:
    cell(notebook, "q2").source = "### BEGIN SOLUTION\ntotal = 10"


def hidden_tests_without_end(notebook: NotebookNode) -> None:
    cell(notebook, "q1-check").source = "### BEGIN HIDDEN TESTS\nassert double(1) == 2"


def named_like_another(notebook: NotebookNode) -> None:
    notebook.metadata["ai_skills_academy"] = {"lab": "other"}


def solution_in_a_locked_cell(notebook: NotebookNode) -> None:
    cell(notebook, "intro").source = "### BEGIN SOLUTION\n1\n### END SOLUTION"


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        (without_points, "the cell 'q2-check' is graded but has no points"),
        (same_id_twice, "two cells have the ID 'q1-check'"),
        (solution_without_end, "in the cell 'q2' 'BEGIN SOLUTION' and 'END SOLUTION' do not pair up"),
        (hidden_tests_without_end, "in the cell 'q1-check' 'BEGIN HIDDEN TESTS' and 'END HIDDEN TESTS' do not pair up"),
        (named_like_another, 'name the lab \'other\'; set them to "ai_skills_academy": {"lab": "arithmetic"}'),
        (solution_in_a_locked_cell, "cannot be released: Solution region detected in a non-solution cell"),
    ],
)
def test_slips_of_an_author_are_one_line(small_kit: Path, slip: Callable, message: str) -> None:
    path = small_kit / "labs/arithmetic/arithmetic.ipynb"
    notebook = nbformat.read(path, as_version=4)
    slip(notebook)
    nbformat.write(notebook, path)
    with pytest.raises(AcademyError) as error:
        released(find_lab("arithmetic"))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
