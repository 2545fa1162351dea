"""A lab to attack, and things nearby that no submission may touch, read or disturb."""

import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import kit
from autograder.rebuild import grade_id
from autograder.release import released

SECRET = "dac5-never-shown"  # noqa: S105  it opens nothing
"""Stands in everything that a learner must not see: hidden tests, reference answers, the gradebook, other work."""

REFERENCE = {
    "q1": "def double(x):\n    return 2 * x",
    "q2": "total = sum(range(5))",
    "q3": "parts = [1, 1]",
    "q4": "table = pd.DataFrame({'city': ['Riga', 'Cork'], 'people': [605, 224]})",
    "q5": "vector = np.arange(4) / 2",
    "q6": "word = 'open data'",
    "q7": "def biggest(numbers):\n    return max(numbers)",
}
"""Right answers of the lab."""

POINTS = {
    "q1-check": 2.0, "q2-check": 1.0, "q3-check": 1.0, "q4-check": 2.0, "q5-check": 2.0, "q6-check": 1.0,
    "q7-check": 3.0,
}  # fmt: skip
"""Points of its auto-graded cells."""

_TESTS = {
    "q1-check": "assert double(start) == 40, 'double(20) must be 40'",
    "q2-check": "assert close(total, 10), f'the sum of 0 to 4 is 10, not {total}'",
    "q3-check": "0.5 * sum(parts)",
    "q4-check": (
        "assert isinstance(table, pd.DataFrame), 'table must be a DataFrame'\n"
        "pd.testing.assert_frame_equal(table, pd.DataFrame({'city': ['Riga', 'Cork'], 'people': [605, 224]}))"
    ),
    "q5-check": "np.testing.assert_allclose(vector, [0, 0.5, 1, 1.5])",
    "q6-check": "assert isinstance(word, str) and word == 'open data', f'not {word!r}'",
    "q7-check": "assert biggest([3, 1, 2]) == 3, 'the biggest of 3, 1, 2 is 3'",
}
_HIDDEN = {
    "q1-check": f"assert double(-3) == -6, {SECRET!r}\nassert double(0.5) == 1, {SECRET!r}",
    "q7-check": (
        "for hidden_numbers in ([-5, -2, -9], [7], list(range(100))):\n"
        f"    assert biggest(list(hidden_numbers)) == max(hidden_numbers), {SECRET!r}"
    ),
}


def arena() -> NotebookNode:
    """Make the lab: seven questions, 12 points, all auto-graded, and one in writing (4 points)."""
    setup = (
        "import numpy as np\nimport pandas as pd\n\nstart = 20\nLIMIT = 0.01\n\n\n"
        "def close(a, b):\n    return abs(a - b) < LIMIT"
    )
    cells = [new_markdown_cell("# Arena"), new_code_cell(setup)]
    for question, answer in REFERENCE.items():
        solution = f"### BEGIN SOLUTION\n# {SECRET}\n{answer}\n### END SOLUTION"
        cells.append(_cell(question, solution, solution=True, grade=False))
        check = f"{question}-check"
        hidden = f"\n### BEGIN HIDDEN TESTS\n{_HIDDEN[check]}\n### END HIDDEN TESTS" if check in _HIDDEN else ""
        cells.append(_cell(check, _TESTS[check] + hidden, solution=False, grade=True, points=POINTS[check]))
    why = new_markdown_cell("Explain.", metadata=_cell("q8-why", "", solution=True, grade=True, points=4).metadata)
    return new_notebook(cells=[*cells, why], metadata={kit.METADATA_KEY: {"lab": "arena", "limits": LIMITS}})


LIMITS = {
    "cell_seconds": 4,
    "notebook_seconds": 40,
    "memory_megabytes": 600,
    "disk_megabytes": 30,
    "file_megabytes": 20,
}
"""Tight, so that an attack that must run into a limit does so soon."""


def _cell(name: str, source: str, *, solution: bool, grade: bool, points: float | None = None) -> NotebookNode:
    nbgrader = {"grade_id": name, "solution": solution, "grade": grade, "locked": not solution, "task": False}
    nbgrader |= {"schema_version": 3} | ({} if points is None else {"points": points})
    return new_code_cell(source, metadata={"nbgrader": nbgrader})


def submission(answers: dict[str, str], folder: Path, name: str = "arena") -> Path:
    """Put a notebook with these answers, and the right ones else, into a folder."""
    notebook = released(kit.find_lab("arena"))
    for cell in notebook.cells:
        identifier = grade_id(cell)
        if identifier in REFERENCE:
            cell.source = answers.get(identifier, REFERENCE[identifier])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


@dataclass
class Surroundings:
    """What lies and listens beside the grading: files, and sockets that count what arrives."""

    folder: Path
    tcp: int
    udp: int
    unix: Path
    abstract: str
    arrived: list[str] = field(default_factory=list)

    def fingerprint(self) -> dict[str, str]:
        """Path of each file -> hash of its content and its rights."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() + oct(p.stat().st_mode) for p in files}


@pytest.fixture
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
    """A kit with the lab, a gradebook, another learner's work, and listening sockets."""
    root = tmp_path / "kit"
    (root / "courses").mkdir(parents=True)
    (root / "labs/arena").mkdir(parents=True)
    nbformat.write(arena(), root / "labs/arena/arena.ipynb")
    (root / "labs/arena/numbers.csv").write_text("1,2\n")
    (root / "gradebook.db").write_text(f"{SECRET} alice 12\n")
    (root / "submitted/alice/arena").mkdir(parents=True)
    (root / "submitted/alice/arena/arena.ipynb").write_text(SECRET)
    monkeypatch.setattr(kit, "kit_folder", lambda: root)
    monkeypatch.setenv("ACADEMY_SECRET", SECRET)
    with _listening(tmp_path) as around:
        yield around


class _listening:  # noqa: N801  used as a function
    """Sockets of each kind, and threads that note what arrives."""

    def __init__(self, folder: Path) -> None:
        self._open = [
            socket.socket(socket.AF_INET, socket.SOCK_STREAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        ]  # fmt: skip
        tcp, udp, unix, abstract = self._open
        path, name = folder / "s", f"academy-{os.getpid()}-{id(self)}"
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        unix.bind(os.path.relpath(path))
        abstract.bind(f"\0{name}")
        self.around = Surroundings(folder / "kit", tcp.getsockname()[1], udp.getsockname()[1], path, name)
        self._threads = [
            threading.Thread(target=self._note, args=(end, kind))
            for end, kind in zip(self._open, ("tcp", "udp", "unix", "abstract"), strict=True)
        ]
        for end in (tcp, unix, abstract):
            end.listen()

    def _note(self, end: socket.socket, kind: str) -> None:
        try:
            if kind == "udp":
                end.recv(1)
            else:
                end.accept()[0].close()
        except OSError:
            return
        self.around.arrived.append(kind)

    def __enter__(self) -> Surroundings:
        for thread in self._threads:
            thread.start()
        return self.around

    def __exit__(self, *_: object) -> None:
        for end in self._open:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                end.close()
        for thread in self._threads:
            thread.join(2)
