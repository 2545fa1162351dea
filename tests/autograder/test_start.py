"""`make start` from a clone of the repository in a fresh folder: JupyterLab answers and shows the workspace."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from autograder.kit import kit_folder, labs, lessons

ROOT = kit_folder()


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files alone, somewhere else; the set-up of dependencies is borrowed, which takes minutes."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a git checkout of the kit")
    folder = tmp_path_factory.mktemp("elsewhere") / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True, timeout=60)
    return folder


def outside(clone: Path) -> dict[str, str]:
    """An environment in which Python finds the clone's packages and nothing of this checkout."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "JUPYTER", "LABKIT"))}
    return kept | {"PYTHONPATH": os.pathsep.join([str(clone), str(clone / "labs")]), "HOME": str(clone.parent)}


@pytest.fixture(scope="module")
def academy(clone: Path, run_academy) -> Iterator:
    with run_academy(clone / "workspace", clone.parent / "log", cwd=clone, env=outside(clone)) as running:
        yield running


def ask(academy, path: str) -> bytes:
    url = f"{academy.address}{path}?token={academy.token}"
    with urlopen(url, timeout=20) as answer:  # noqa: S310 - our own server on loopback
        return answer.read()


def test_jupyterlab_answers_and_opens_at_the_welcome_page(academy) -> None:
    assert "Begin the lesson: Welcome" in ask(academy, "/").decode()
    page = ask(academy, "/lab").decode()
    assert "<title>JupyterLab</title>" in page
    assert "@ai-skills-academy/desk" in page
    assert "@jupyter/nbgrader:formgrader" in page.split('"disabledExtensions"')[1].split("]")[0]


def test_workspace_holds_all_lessons_and_labs(academy) -> None:
    for lesson in lessons():
        assert json.loads(ask(academy, f"/api/contents/{lesson.as_posix()}"))["type"] == "notebook"
    for lab in labs():
        content = json.loads(ask(academy, f"/api/contents/labs/{lab}/{lab}.ipynb"))["content"]
        assert "BEGIN SOLUTION" not in json.dumps(content)


def test_nothing_outside_the_clone_is_needed_to_grade(clone: Path, academy, lost_points) -> None:
    lab = next(iter(labs()))
    done = subprocess.run(
        [sys.executable, "-m", "autograder.cli", "grade", "--json", f"labs/{lab}/{lab}.ipynb"],
        cwd=clone, env=outside(clone), capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    (result,) = json.loads(done.stdout)
    assert lost_points(result) == []
    where = subprocess.run(
        [sys.executable, "-c", "import autograder, labkit; print(autograder.__file__, labkit.__file__)"],
        cwd=clone.parent, env=outside(clone), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert all(Path(path).is_relative_to(clone) for path in where.stdout.split())


def test_no_tracked_file_leads_out_of_the_repository(clone: Path) -> None:
    for path in clone.rglob("*"):
        assert not path.is_symlink() or path.resolve().is_relative_to(clone.resolve()), path
