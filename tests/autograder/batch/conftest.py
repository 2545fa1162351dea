"""A course with one small lab, its gradebook, and classes that hand in."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from nbformat import NotebookNode
from playwright.sync_api import Page, expect

from autograder.kit import METADATA_KEY, Lab
from autograder.rebuild import grade_id
from autograder.release import released

BIN = Path(sys.executable).parent
ENVIRONMENT = os.environ | {"JUPYTER_PREFER_ENV_PATH": "1", "COLUMNS": "200"}
ANSWERS = {
    "right": {"q1": "def double(x):\n    return 2 * x", "q2": "total = 10", "q3": "parts = [1, 1]", "q4_why": "So."},
    "wrong": {"q1": "def double(x):\n    return x", "q2": "total = 10", "q3": "parts = [1]"},
    "loud": {"q1": "def double(x):\n    warnings.warn('careful')\n    return 2 * x", "q2": "print(1)\ntotal = 10"},
    "dying": {"q2": "import os\nos._exit(3)"},
    "nothing": {},
}
"""Kind of submission -> its answers."""
SCORES = {"right": 6.0, "wrong": 3.5, "loud": 5.0, "dying": 0.0, "nothing": 0.0}
"""Kind of submission -> its automatic points."""


@dataclass(frozen=True)
class Course:
    """A course directory."""

    root: Path

    def configure(self) -> None:
        """Put the kit's nbgrader configuration where nbgrader looks for it."""
        kit = Path(__file__).resolve().parents[3]
        (self.root / "autograder").mkdir(parents=True)
        shutil.copy(kit / "nbgrader_config.py", self.root)
        shutil.copy(kit / "autograder/nbgrader_config.py", self.root / "autograder")

    @property
    def submitted(self) -> Path:
        return self.root / "classroom/submitted"

    def hand_in(self, learner: str, kind: str, timestamp: str = "2026-11-20 10:00:00 UTC") -> Path:
        lab = Lab("arithmetic", self.root / "labs/arithmetic")
        notebook = released(lab)
        for cell in notebook.cells:
            cell.source = ANSWERS[kind].get(str(grade_id(cell)).replace("-", "_"), cell.source)
        folder = self.submitted / learner / "arithmetic"
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / "arithmetic.ipynb")
        (folder / "timestamp.txt").write_text(timestamp)
        return folder / "arithmetic.ipynb"

    def a_class(self, kinds: Iterable[str]) -> dict[str, float]:
        """Hand in for learners l000, l001 and so on; return what each must get."""
        learners = {f"l{number:03}": kind for number, kind in enumerate(kinds)}
        for learner, kind in learners.items():
            self.hand_in(learner, kind)
        return {learner: SCORES[kind] for learner, kind in learners.items()}

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "autograder.cli", "autograde", *map(str, arguments)]

    def autograde(self, *arguments: object, timeout: float = 200) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root, capture_output=True, text=True, timeout=timeout, check=False, env=ENVIRONMENT,
        )  # fmt: skip

    def graded(self, *arguments: object, timeout: float = 200) -> dict[str, Any]:
        done = self.autograde("--json", *arguments, timeout=timeout)
        assert done.returncode in {0, 1}, done.stderr
        return json.loads(done.stdout)

    def nbgrader(self, *arguments: str, timeout: float = 200, fails: bool = False) -> None:
        done = subprocess.run(
            [BIN / "nbgrader", *arguments],
            cwd=self.root, capture_output=True, text=True, timeout=timeout, check=False, env=ENVIRONMENT,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stderr[-3000:]

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.root / "classroom/gradebook.db") as gradebook:
            rows = gradebook.execute(statement).fetchall()
        gradebook.close()
        return rows

    def grades(self) -> list[tuple[Any, ...]]:
        """Learner, cell, automatic score, score by hand, whether it waits for a hand, and the notebook's penalty."""
        return self.sql(
            "select sa.student_id, c.name, g.auto_score, g.manual_score, g.needs_manual_grade,"
            " n.late_submission_penalty from grade g join base_cell c on c.id = g.cell_id"
            " join submitted_notebook n on n.id = g.notebook_id join submitted_assignment sa on sa.id = n.assignment_id"
            " order by 1, 2"
        )

    def totals(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for learner, _, score, *_ in self.grades():
            found[learner] = found.get(learner, 0.0) + (score or 0.0)
        return found


@pytest.fixture(scope="session")
def prepared_course(tmp_path_factory: pytest.TempPathFactory, small_lab: NotebookNode) -> Path:
    """A course after `nbgrader generate_assignment`; tests take copies."""
    root = tmp_path_factory.mktemp("course")
    (root / "labs/arithmetic").mkdir(parents=True)
    lab = deepcopy(small_lab)
    lab.metadata[METADATA_KEY]["limits"] = {"cell_seconds": 10}
    nbformat.write(lab, root / "labs/arithmetic/arithmetic.ipynb")
    (root / "labs/arithmetic/numbers.csv").write_text("1,2\n")
    Course(root).configure()
    Course(root).nbgrader("generate_assignment", "arithmetic")
    return root


@pytest.fixture
def course(prepared_course: Path, tmp_path: Path) -> Course:
    root = tmp_path / "course"
    shutil.copytree(prepared_course, root)
    return Course(root)


@pytest.fixture
def course_of(prepared_course: Path, tmp_path: Path) -> Callable[[str], Course]:
    """A further copy of the course under a name."""

    def copied(name: str) -> Course:
        shutil.copytree(prepared_course, tmp_path / name)
        return Course(tmp_path / name)

    return copied


def press_autograde(page: Page, learner: str, title: str | re.Pattern[str]) -> None:
    """Press a learner's button on formgrader's page of submissions, and close the window with this title that comes."""
    row = page.locator("tr", has=page.locator("td.student-id", has_text=re.compile(f"^{learner}$")))
    row.locator("td.autograde a").click()
    expect(page.locator(".modal-title", has_text=title)).to_be_visible(timeout=120_000)
    page.locator(".modal-footer button").click()
    expect(page.locator(".modal-backdrop")).to_have_count(0)


@pytest.fixture
def formgrader_of() -> Iterator[Callable[[Course], str]]:
    """Start a JupyterLab at a course's root, as an instructor does; the address is its, and the token is t."""
    running = []

    def started(course: Course) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = {"port": port, "token": "t", "open_browser": False, "allow_root": True}
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *(f"--ServerApp.{name}={value}" for name, value in settings.items())],
            cwd=course.root, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        running.append(process)
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                httpx.get(f"{address}/api")
                break
            time.sleep(0.2)
        return address

    yield started
    for process in running:
        process.terminate()
        process.wait(timeout=30)
