"""Grade a lab's reference answers with otter-grader, to compare: the same tests, in otter's form and environment."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import nbformat

from autograder.kit import Lab, kit_folder
from autograder.rebuild import is_test

OTTER = kit_folder() / "build/otter/bin/otter"
"""Where `make bench-grading` installs it, with the kit, in an environment of its own."""

_TEST = """from otter.test_files import test_case

OK_FORMAT = False
name = {name!r}
points = {points!r}


@test_case()
def test(env):
    exec({source!r}, env)
"""
"""A test cell as otter wants it: a function that gets the names of the notebook."""


def otter_seconds(lab: Lab, times: int) -> float:
    """Return the seconds that `otter run` takes for a notebook with the reference answers, the mean of several runs.

    That is otter's way of grading without containers. Raises `RuntimeError` where the reference answers do not earn
    all points: then the conversion is wrong, and the time means nothing.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        points = _convert(lab, root)
        _otter(root, "generate", "-t", "tests", "-o", "autograder.zip", *map(str, lab.data_files()))
        (root / "results").mkdir()
        started = time.monotonic()
        for _ in range(times):
            _otter(root, "run", "-a", "autograder.zip", "-o", "results", "--no-logo", f"{lab.name}.ipynb")
        seconds = (time.monotonic() - started) / times
        results = json.loads((root / "results/results.json").read_text())
    earned = sum(test.get("score", 0) for test in results["tests"])
    if earned != points:
        raise RuntimeError(f"the reference answers of {lab.name} earn {earned} of {points} points with otter")
    return seconds


def _convert(lab: Lab, root: Path) -> float:
    """Write the notebook with answers and without tests, the tests, and the data files; return the points."""
    notebook = lab.notebook()
    tests = [cell for cell in notebook.cells if is_test(cell)]
    (root / "tests").mkdir()
    for number, cell in enumerate(tests):
        name, points = f"test{number:02}", float(cell.metadata.nbgrader.points)
        (root / "tests" / f"{name}.py").write_text(_TEST.format(name=name, points=points, source=cell.source))
    notebook.cells = [cell for cell in notebook.cells if not is_test(cell)]
    nbformat.write(notebook, root / f"{lab.name}.ipynb")
    for data in lab.data_files():
        (root / data).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(lab.folder / data, root / data)
    return sum(float(cell.metadata.nbgrader.points) for cell in tests)


def _otter(folder: Path, *arguments: str) -> None:
    environment = os.environ | {
        "PATH": os.pathsep.join([str(OTTER.parent), os.environ.get("PATH", os.defpath)]),
        "OMP_NUM_THREADS": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    subprocess.run([str(OTTER), *arguments], cwd=folder, env=environment, capture_output=True, check=True)  # noqa: S603
