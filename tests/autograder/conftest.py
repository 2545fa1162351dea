"""A small kit of one lesson and two labs, so that grading is tested apart from the content of the real labs."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import kit


def graded_cell(kind: str, grade_id: str, source: str, points: float | None = None) -> NotebookNode:
    """An nbgrader cell; `kind` is answer, test, written or text."""
    nbgrader = {
        "grade_id": grade_id,
        "grade": kind in {"test", "written"},
        "solution": kind in {"answer", "written"},
        "locked": kind in {"test", "text"},
        "task": False,
        "schema_version": 3,
    }
    if points is not None:
        nbgrader["points"] = points
    new_cell = new_markdown_cell if kind in {"written", "text"} else new_code_cell
    return new_cell(source, metadata={"nbgrader": nbgrader})


def arithmetic_lab() -> NotebookNode:
    """Three auto-graded questions and a written one: 2 + 3 + 1 auto points, 4 manual."""
    cells = [
        graded_cell("text", "intro", "# Arithmetic"),
        new_code_cell("import warnings\nstart = 20"),
        graded_cell("answer", "q1", "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"),
        graded_cell(
            "test",
            "q1-check",
            "assert double(start) == 40, 'double(20) must be 40'\n"
            "### BEGIN HIDDEN TESTS\nassert double(-3) == -6, 'secret: negative numbers'\n### END HIDDEN TESTS",
            2,
        ),
        graded_cell("answer", "q2", "### BEGIN SOLUTION\ntotal = sum(range(5))\n### END SOLUTION"),
        graded_cell("test", "q2-check", "assert total == 10, f'the sum of 0 to 4 is 10, not {total}'", 3),
        graded_cell("answer", "q3", "### BEGIN SOLUTION\nparts = [1, 1]\n### END SOLUTION"),
        graded_cell("test", "q3-check", "0.5 * sum(parts)", 1),
        graded_cell("written", "q4-why", "Explain.\n\n### BEGIN MARK SCHEME\n4: says why\n### END MARK SCHEME", 4),
    ]
    return new_notebook(cells=cells, metadata={"ai_skills_academy": {"lab": "arithmetic"}})


def other_lab() -> NotebookNode:
    cells = [
        graded_cell("answer", "x1", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"),
        graded_cell("test", "x1-check", "assert x == 1", 1),
    ]
    return new_notebook(cells=cells, metadata={"ai_skills_academy": {"lab": "other"}})


@pytest.fixture(scope="session")
def small_lab() -> NotebookNode:
    """The lab `arithmetic`, for courses that are made of it."""
    return arithmetic_lab()


@pytest.fixture
def small_kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a kit with the lesson 00-first/01-lesson and the labs `arithmetic` (with a data file) and `other`."""
    root = tmp_path / "kit"
    lesson = new_notebook(cells=[new_markdown_cell("# Lesson")])
    for path, notebook in {
        "courses/00-first/01-lesson.ipynb": lesson,
        "labs/arithmetic/arithmetic.ipynb": arithmetic_lab(),
        "labs/other/other.ipynb": other_lab(),
    }.items():
        (root / path).parent.mkdir(parents=True)
        nbformat.write(notebook, root / path)
    (root / "labs/arithmetic/numbers.csv").write_text("1,2\n")
    (root / "labs/labkit").mkdir()
    (root / "card.md").write_text("# Data card")
    monkeypatch.setattr(kit, "kit_folder", lambda: root)
    monkeypatch.setattr(kit, "data_cards", lambda: {"numbers": root / "card.md"})
    return root


@pytest.fixture
def submission(tmp_path: Path) -> Callable[..., Path]:
    """Write a submission of the lab `arithmetic`: the released notebook with the given answers filled in."""

    def write(name: str = "submission", **answers: str) -> Path:
        from autograder.kit import find_lab
        from autograder.release import released

        notebook = released(find_lab("arithmetic"))
        for cell in notebook.cells:
            key = cell.metadata.get("nbgrader", {}).get("grade_id", "").replace("-", "_")
            if key in answers:
                cell.source = answers[key]
        path = tmp_path / f"{name}.ipynb"
        nbformat.write(notebook, path)
        return path

    return write
