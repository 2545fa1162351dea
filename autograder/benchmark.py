"""Measure grading: against nbgrader and otter-grader, with one and two workers, with larger classes, and on Dask.

    python -m autograder.benchmark          (about 15 minutes; prints the tables of autograder/BENCHMARKS.md)

Everything is paired: the same submissions, on the same machine, in one run.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
import psutil
from distributed import Client
from nbformat.v4 import new_code_cell, new_notebook

from autograder.benchmark_otter import otter_seconds
from autograder.kit import METADATA_KEY, find_lab, kit_folder
from autograder.rebuild import grade_id

_BIN = Path(sys.executable).parent
_STOCK = """
c = get_config()
c.CourseDirectory.course_id = "bench"
c.CourseDirectory.source_directory = "labs"
c.CourseDirectory.root = "."
c.ClearMarkScheme.enforce_metadata = False
c.Execute.timeout = 300
"""
"""Configuration of a course that nbgrader grades by itself."""

_PURE = """
import json, sys, time
cells = json.load(open(sys.argv[1])); repeats = int(sys.argv[2])
times = []
for _ in range(repeats + 1):
    started = time.perf_counter(); names = {"__name__": "__main__"}
    for cell in cells: exec(compile(cell, "<cell>", "exec"), names)
    times.append(time.perf_counter() - started)
print()
print(sum(times[1:]) / repeats)
"""
"""Runs a notebook's cells several times in one plain Python process; the first time, with imports, is not counted."""


@dataclass(frozen=True)
class Timed:
    """A command that was run."""

    seconds: float
    megabytes: float
    """largest resident memory of the command and all its processes together"""


def main() -> None:
    """Run all measurements and print them as Markdown."""
    print(f"Measured on {time.strftime('%Y-%m-%d', time.gmtime())}: {_machine()}.\n")
    with tempfile.TemporaryDirectory(prefix="academy-bench-") as folder:
        root = Path(folder)
        _against_others(root, {"ai-adoption": (10, 100), "tokens-and-parity": (5, 60)})
        _at_scale(root)
        _on_dask(root, "ai-adoption", 60)


def _against_others(root: Path, sizes: dict[str, tuple[int, int]]) -> None:
    """Compare commands as an instructor types them, start-up included, and the pure time of the cells."""
    print("Seconds a notebook; in brackets how many were graded.\n")
    print(
        "| lab | nbgrader | otter | this kit, 2 workers | against nbgrader | against otter | 1 worker | 2 against 1 "
        "| cells alone |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, (few, many) in sizes.items():
        stock = _course(root / f"{name}-nbgrader", name, stock=True)
        ours, single = (_course(root / f"{name}-{kind}", name) for kind in ("two", "one"))
        _hand_in(stock, name, few)
        _hand_in(ours / "classroom", name, many)
        _hand_in(single / "classroom", name, many)
        otter = otter_seconds(find_lab(name), few)
        theirs = _timed(["nbgrader", "autograde", name], stock).seconds / few
        two = _timed(["academy", "autograde", name, "--workers", "2"], ours).seconds / many
        one = _timed(["academy", "autograde", name, "--workers", "1"], single).seconds / many
        print(
            f"| {name} | {theirs:.2f} ({few}) | {otter:.2f} ({few}) | {two:.3f} ({many}) | {theirs / two:.1f} x "
            f"| {otter / two:.1f} x | {one:.3f} ({many}) | {one / two:.2f} x | {_pure_seconds(root, name):.3f} |",
            flush=True,
        )


def _at_scale(root: Path) -> None:
    """Grade 100 and 1,000 submissions of a synthetic lab, and the 1,000 again."""
    print("\n| class, synthetic lab | seconds | a notebook | largest memory of all processes |\n|---|---|---|---|")
    for size in (100, 1000):
        course = _course(root / f"synthetic-{size}", None)
        _hand_in(course / "classroom", "synthetic", size)
        for what in (f"{size:,}", f"{size:,}, again, unchanged"):
            timed = _timed(["academy", "autograde", "--workers", "2"], course)
            print(
                f"| {what} | {timed.seconds:.1f} | {1000 * timed.seconds / size:.0f} ms | {timed.megabytes:.0f} MB |",
                flush=True,
            )


def _on_dask(root: Path, name: str, size: int) -> None:
    """Grade the same class with one Dask worker and with two, each with one thread."""
    print(f"\n| Dask workers, {name}, {size} submissions | seconds | against one |\n|---|---|---|")
    seconds: list[float] = []
    for count in (1, 2):
        course = _course(root / f"dask-{count}", name)
        _hand_in(course / "classroom", name, size)
        with _cluster(root / f"cluster-{count}", count) as address:
            seconds.append(_timed(["academy", "autograde", name, "--scheduler", address], course).seconds)
        print(f"| {count} | {seconds[-1]:.1f} | {seconds[0] / seconds[-1]:.2f} x |", flush=True)


@contextmanager
def _cluster(folder: Path, workers: int) -> Iterator[str]:
    """Address of a Dask scheduler with so many workers, all in processes of their own."""
    folder.mkdir()
    file = folder / "scheduler.json"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def start(part: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{part}", "--scheduler-file", str(file), *arguments]
        return subprocess.Popen(  # noqa: S603  our own interpreter
            [*command, "--no-dashboard"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    running = [start("scheduler", "--port", "0", "--host", "127.0.0.1")]
    try:
        while not file.exists():
            time.sleep(0.1)
        local = [("--nthreads", "1", "--local-directory", str(folder / str(number))) for number in range(workers)]
        running += [start("worker", *arguments) for arguments in local]
        address = json.loads(file.read_text())["address"]
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(workers)
        yield str(address)
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()


def _course(root: Path, lab: str | None, *, stock: bool = False) -> Path:
    """Make a course directory with one lab, known to its gradebook; without a name the synthetic one."""
    name = lab or "synthetic"
    (root / "labs" / name).mkdir(parents=True)
    if lab is None:
        nbformat.write(_synthetic(), root / "labs" / name / f"{name}.ipynb")
    else:
        shutil.copytree(find_lab(lab).folder, root / "labs" / name, dirs_exist_ok=True)
    if stock:
        (root / "nbgrader_config.py").write_text(_STOCK)
    else:
        (root / "autograder").mkdir()
        for path in ("nbgrader_config.py", "autograder/nbgrader_config.py"):
            shutil.copy(kit_folder() / path, root / path)
    _timed(["nbgrader", "generate_assignment", name], root)
    return root


def _synthetic() -> nbformat.NotebookNode:
    """Make a lab of two questions that need no time of their own."""
    cells = [new_code_cell("import numpy as np\n\nstart = 20")]
    for number in (1, 2):
        marks = {"schema_version": 3, "task": False}
        answer = {"grade_id": f"q{number}", "solution": True, "grade": False, "locked": False} | marks
        test = {"grade_id": f"q{number}-check", "solution": False, "grade": True, "locked": True, "points": 2} | marks
        body = f"def double{number}(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
        cells.append(new_code_cell(body, metadata={"nbgrader": answer}))
        cells.append(new_code_cell(f"assert double{number}(start) == 40", metadata={"nbgrader": test}))
    notebook: nbformat.NotebookNode = new_notebook(cells=cells, metadata={METADATA_KEY: {"lab": "synthetic"}})
    return notebook


def _hand_in(classroom: Path, name: str, learners: int) -> None:
    """Have everybody hand in the reference answers, each with a comment of their own."""
    (source,) = (path for path in (classroom / "labs", classroom.parent / "labs") if path.is_dir())
    reference = nbformat.read(source / name / f"{name}.ipynb", as_version=4)
    answers = {grade_id(cell): cell.source for cell in reference.cells}
    for number in range(learners):
        notebook = nbformat.read(classroom / "release" / name / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code":
                cell.source = f"# {number}\n{answers[grade_id(cell)]}"
        folder = classroom / "submitted" / f"learner-{number:04}" / name
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / f"{name}.ipynb")


def _timed(command: Sequence[str], folder: Path) -> Timed:
    """Run a command of this environment and watch the memory of its family."""
    paths = os.pathsep.join([str(_BIN), os.environ.get("PATH", os.defpath)])  # nbgrader calls alembic by its name
    environment = os.environ | {"PATH": paths, "JUPYTER_PREFER_ENV_PATH": "1", "OMP_NUM_THREADS": "1"}
    started, most = time.monotonic(), 0.0
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(  # noqa: S603  our own commands
            [str(_BIN / command[0]), *command[1:]], cwd=folder, env=environment, stdout=words, stderr=words
        )
        while process.poll() is None:
            most = max(most, _family_megabytes(process.pid))
            time.sleep(0.2)
        if process.returncode:
            words.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{words.read()[-2000:].decode(errors='replace')}")
    return Timed(time.monotonic() - started, most)


def _family_megabytes(pid: int) -> float:
    """Memory of a process and its descendants, what they share counted once."""
    total = 0.0
    try:
        for member in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            total += member.memory_full_info().pss / 1e6
    except psutil.Error:
        return total
    return total


def _pure_seconds(root: Path, name: str) -> float:
    """Seconds for all cells of the reference notebook in one plain Python process."""
    notebook = find_lab(name).notebook()
    cells = root / f"{name}-cells.json"
    cells.write_text(json.dumps([cell.source for cell in notebook.cells if cell.cell_type == "code"]))
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", _PURE, str(cells), "5"],
        env=os.environ | {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


def _machine() -> str:
    memory = psutil.virtual_memory().total / 1e9
    name = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return (
        f"{os.cpu_count()} processors ({name}), {memory:.0f} GB, Linux {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, nbgrader {version('nbgrader')}"
    )


if __name__ == "__main__":
    main()
