"""The course map with a learner's own progress, read from the workspace: what is done, begun, and next."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder import kit, progress
from autograder.delivered import fingerprint, read_record
from autograder.reading import MAX_BYTES

_TITLES = {
    "00-welcome": "Welcome",
    "01-open-data": "Open data",
    "02-multilingual-models": "Multilingual models",
    "03-ai-act": "AI Act",
}


@dataclass(frozen=True)
class Item:
    """A lesson or a lab."""

    path: str
    """of the notebook, in the workspace"""
    title: str
    time: str
    """how long it takes, in words; empty where it does not say"""
    is_lab: bool
    state: str
    """new, begun or done"""
    done: float
    """exercises or points"""
    of: float
    waits: float = 0
    """points that an instructor has to give"""
    to_fetch: bool = False
    """whether it is handed out and not in the workspace yet"""

    @property
    def percent(self) -> int:
        """How much is done; points of an instructor count as reached once there is something to mark."""
        return round(100 * (self.done + self.waits) / self.of) if self.of else 0

    @property
    def status(self) -> str:
        """What a learner has reached, in words."""
        if self.to_fetch:
            return "not fetched yet"
        if self.is_lab:
            if self.of == 0:
                return "begun, not graded yet" if self.state == "begun" else "not begun"
            later = f", {self.waits:g} more wait for your instructor" if self.waits else ""
            return f"{self.done:g} of {self.of:g} points{later}"
        if self.state == "new":
            return "not begun"
        return f"{self.done:g} of {self.of:g} exercises right"


@dataclass(frozen=True)
class Course:
    """A course: its lessons, then its labs."""

    title: str
    items: list[Item]


def read(workspace: Path) -> list[Course]:
    """Read the map of the kit with the progress that the files of `workspace` show."""
    delivered, graded = read_record(workspace), progress.read(workspace)
    names = dict.fromkeys(path.parts[1] for path in kit.lessons())
    places = {name: _place(lab) for name, lab in kit.labs().items()}
    labs = [kit.labs()[name] for name in sorted(places, key=places.__getitem__)]
    return [
        Course(
            _TITLES.get(name, name),
            [_lesson(workspace, path, delivered) for path in kit.lessons() if path.parts[1] == name]
            + [_lab(workspace, lab, delivered, graded.get(lab.name)) for lab in labs if places[lab.name][0] == name],
        )
        for name in names
    ]


def next_steps(courses: list[Course]) -> list[Item]:
    """Return what to do now: the first thing that is begun, and the first that is new; at most two."""
    items = [item for course in courses for item in course.items if not item.to_fetch]
    found = [next((item for item in items if item.state == state), None) for state in ("begun", "new")]
    return [item for item in found if item is not None]


def _lesson(workspace: Path, path: Path, delivered: dict[str, str]) -> Item:
    content = _content(workspace / path)
    cells = list(_cells(content))
    checks = [cell for cell in cells if re.fullmatch(r"ex\d+-check", str(cell.get("id")))]
    right = sum(_printed(cell).startswith("Right. ") for cell in checks)
    changed = fingerprint(content) != delivered.get(path.as_posix())
    state = "done" if checks and right == len(checks) else "begun" if content and changed else "new"
    return Item(path.as_posix(), *_heading(cells, path), False, state, right, len(checks))


def _lab(workspace: Path, lab: kit.Lab, delivered: dict[str, str], mine: progress.LabProgress | None) -> Item:
    path = Path("labs", lab.name, lab.source.name)
    content = _content(workspace / path)
    title, time = _heading(list(lab.notebook().cells), path)
    if not content and kit.hidden_tests_are_elsewhere():
        return Item(path.as_posix(), title, time, True, "new", 0, 0, to_fetch=True)
    changed = bool(content) and fingerprint(content) != delivered.get(path.as_posix())
    if mine is None:
        return Item(path.as_posix(), title, time, True, "begun" if changed else "new", 0, 0)
    waits = sum(question.max_score for question in mine.questions.values() if question.waits)
    state = "done" if mine.score + waits == mine.max_score else "begun"
    return Item(path.as_posix(), title, time, True, state, mine.score, mine.max_score, waits)


def _place(lab: kit.Lab) -> tuple[str, int, str]:
    """Where a lab stands in the map: in the last course that it builds on, what builds on several courses last."""
    lessons = sorted(place["lesson"] for place in lab.reread().values())
    if not lessons:
        return kit.lessons()[-1].parts[1], 0, ""
    return lessons[-1].partition("/")[0], len({lesson.partition("/")[0] for lesson in lessons}), lessons[-1]


def _content(path: Path) -> bytes:
    """Return the notebook's bytes; none where it is missing or too large to be one."""
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    except OSError:
        return b""


def _cells(content: bytes) -> Iterator[dict[str, Any]]:
    """Cells of a notebook that a learner may have damaged."""
    try:
        cells = json.loads(content)["cells"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    yield from (cell for cell in cells if isinstance(cell, dict)) if isinstance(cells, list) else ()


def _heading(cells: list[Any], path: Path) -> tuple[str, str]:
    """Title and time of a notebook, from its first cells."""
    text = "\n".join(_joined(cell.get("source")) for cell in cells[:4])
    title = re.search(r"^# (?:Lab: )?(.+)$", text, re.MULTILINE)
    time = re.search(r"\*\*Time:\*\* ([^.;,]+)", text)
    return title[1][:1].upper() + title[1][1:] if title else path.stem, time[1] if time else ""


def _printed(cell: dict[str, Any]) -> str:
    outputs = cell.get("outputs")
    streams = [o for o in outputs if isinstance(o, dict)] if isinstance(outputs, list) else []
    return "".join(_joined(output.get("text")) for output in streams)


def _joined(text: object) -> str:
    return "".join(part for part in text if isinstance(part, str)) if isinstance(text, list) else str(text or "")
