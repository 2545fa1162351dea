"""nbgrader's own commands, as an instructor types them at the repository's root, from source to feedback and CSV."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.kit import kit_folder, labs
from autograder.release import released

ROOT = kit_folder()
LAB = "find-and-judge"


def nbgrader(folder: Path, *arguments: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
        env=os.environ | {"JUPYTER_PREFER_ENV_PATH": "1"} | environment,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What of the repository nbgrader uses, in a folder of its own."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(ROOT / "labs", root / "labs", ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    (root / "autograder").mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", root)
    shutil.copy(ROOT / "autograder/nbgrader_config.py", root / "autograder")
    return root


@pytest.fixture(scope="module")
def released_by_nbgrader(course: Path) -> Path:
    nbgrader(course, "generate_assignment", LAB)
    nbgrader(course, "release_assignment", LAB)
    return course / "classroom/release" / LAB / f"{LAB}.ipynb"


@pytest.fixture(scope="module")
def graded(course: Path, released_by_nbgrader: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two learners fetch and hand in through the exchange (one a full answer, one nothing); the class is autograded."""
    for learner, answered in (("learner-a", True), ("learner-b", False)):
        desk = tmp_path_factory.mktemp(learner)
        exchange = [f"--Exchange.root={course / 'classroom/exchange'}", "--course=ai-skills-academy"]
        nbgrader(desk, "fetch_assignment", LAB, *exchange)
        if answered:
            shutil.copy(course / "labs" / LAB / f"{LAB}.ipynb", desk / LAB / f"{LAB}.ipynb")
        nbgrader(desk, "submit", LAB, *exchange, f"--student={learner}")
    nbgrader(course, "collect", LAB)
    nbgrader(course, "autograde", LAB)
    nbgrader(course, "generate_feedback", LAB)
    nbgrader(course, "export")
    return course


def test_nbgrader_releases_the_same_notebook_as_academy(released_by_nbgrader: Path) -> None:
    theirs = nbformat.read(released_by_nbgrader, as_version=4)
    ours = released(labs()[LAB])
    assert [cell.source for cell in theirs.cells] == [cell.source for cell in ours.cells]
    assert [cell.metadata for cell in theirs.cells] == [cell.metadata for cell in ours.cells]


def test_labkit_is_never_released(course: Path) -> None:
    done = nbgrader(course, "generate_assignment", "labkit", check=False)
    assert done.returncode != 0
    assert "No notebooks were matched" in done.stderr
    assert not (course / "classroom/release/labkit").exists()


def test_everything_nbgrader_makes_lies_in_the_classroom(graded: Path) -> None:
    assert {path.name for path in graded.iterdir()} == {"labs", "autograder", "nbgrader_config.py", "classroom"}
    made = {path.name for path in (graded / "classroom").iterdir()}
    assert made >= {"release", "exchange", "submitted", "autograded", "feedback", "gradebook.db", "grades.csv"}


def test_gradebook_export_holds_the_scores(graded: Path) -> None:
    with (graded / "classroom/grades.csv").open(newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file) if row["assignment"] == LAB}
    automatic = sum(
        cell.metadata.nbgrader.points
        for cell in labs()[LAB].notebook().cells
        if cell.metadata.get("nbgrader", {}).get("grade") and not cell.metadata.nbgrader.solution
    )
    assert scores == {"learner-a": automatic, "learner-b": 0}


def test_feedback_is_written_for_every_learner(graded: Path) -> None:
    for learner in ("learner-a", "learner-b"):
        page = graded / "classroom/feedback" / learner / LAB / f"{LAB}.html"
        assert "Score" in page.read_text(encoding="utf-8")


def test_the_marking_scheme_is_there_for_the_marker_and_never_for_the_learner(graded: Path) -> None:
    for learner in ("learner-a", "learner-b"):
        marked = nbformat.read(graded / "classroom/autograded" / learner / LAB / f"{LAB}.ipynb", as_version=4)
        assert any("BEGIN MARK SCHEME" in cell.source for cell in marked.cells)
        assert "MARK SCHEME" not in (graded / "classroom/feedback" / learner / LAB / f"{LAB}.html").read_text("utf-8")


def test_formgrader_lists_the_labs_and_only_them(course: Path) -> None:
    script = (
        "import json\n"
        "from nbgrader.apps import NbGraderAPI\n"
        "from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension\n"
        "config = FormgradeExtension().load_config()\n"
        "from nbgrader.coursedir import CourseDirectory\n"
        "api = NbGraderAPI(CourseDirectory(config=config), config=config)\n"
        "print(json.dumps(sorted(api.get_source_assignments())))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=course, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == sorted(labs())


def test_validate_runs_a_learners_notebook_as_grading_does(tmp_path: Path) -> None:
    """With the settings of a learner's desk; a patched helper of a test fools nobody there either."""
    lab = labs()["ai-adoption"]
    notebook = released(lab)
    reference = {
        cell.metadata.nbgrader.grade_id: cell.source for cell in lab.notebook().cells if "nbgrader" in cell.metadata
    }
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = reference[cell.metadata.nbgrader.grade_id] if cell.cell_type == "code" else "Because."
    desk = {"JUPYTER_CONFIG_PATH": str(ROOT / "autograder/jupyter_settings")}
    nbformat.write(notebook, tmp_path / "right.ipynb")
    right = nbgrader(tmp_path, "validate", "right.ipynb", **desk)
    assert "Success! Your notebook passes all the tests." in right.stdout

    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "q1-index":
            cell.source = "import numpy as np\nnp.ravel_multi_index = len\nwhole = lambda number: 0\nflat_index = str"
    nbformat.write(notebook, tmp_path / "wrong.ipynb")
    wrong = nbgrader(tmp_path, "validate", "wrong.ipynb", check=False, **desk)
    assert "VALIDATION FAILED" in wrong.stdout
