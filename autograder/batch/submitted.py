"""Find submissions in nbgrader's folder `submitted/<learner>/<lab>/`, and read them without trusting what is there."""

import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from autograder.errors import UnusableNotebookError
from autograder.kit import Lab
from autograder.reading import MAX_BYTES, Submission, submission_in
from autograder.rebuild import grade_id, is_test


@dataclass(frozen=True)
class Place:
    """Where somebody's submission of a lab lies."""

    learner: str
    lab: str
    folder: Path

    @property
    def notebook(self) -> Path:
        """Path of the submitted notebook."""
        return self.folder / f"{self.lab}.ipynb"


@dataclass(frozen=True)
class HandedIn:
    """A submission as read."""

    place: Place
    submission: Submission
    timestamp: datetime | None
    """when it was handed in, in UTC without zone, as nbgrader keeps it; None where nobody noted that"""
    oddities: list[str] = field(default_factory=list)
    """what an instructor should know, in plain words"""


def places(folder: Path, labs: Collection[str]) -> Iterator[Place]:
    """Find the submissions of these labs, sorted by lab and learner. Hidden folders are none."""
    for lab in labs:
        for learner in sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")):
            if (folder / learner / lab).exists() or (folder / learner / lab).is_symlink():
                yield Place(learner, lab, folder / learner / lab)


def read(place: Place) -> HandedIn:
    """Read a submission.

    Raises `UnusableNotebookError` for what is missing, unreadable or no notebook, and for links, which could make the
    instructor's own files part of a submission.
    """
    for part in (place.folder.parent, place.folder):
        if part.is_symlink():
            raise UnusableNotebookError(f"{part}: this is a link, not a folder; ask for the submission again")
    content = read_once(place.notebook, MAX_BYTES)
    oddities = [f"{path.name} is a link; it was not followed" for path in _links(place.folder)]
    moment, problem = _timestamp(place.folder / "timestamp.txt")
    return HandedIn(place, submission_in(content, place.notebook), moment, oddities + ([problem] if problem else []))


def key(handed_in: HandedIn, lab_fingerprint: str) -> str:
    """Return what a grade depends on, as a hash: answers, time, and the `fingerprint` of the lab."""
    moment = handed_in.timestamp.isoformat() if handed_in.timestamp else None
    return _hash([handed_in.submission.answers, moment, lab_fingerprint])


def fingerprint(lab: Lab) -> str:
    """Return a hash of a lab, its data files and all installed packages."""
    files = {str(name): hashlib.sha256((lab.folder / name).read_bytes()).hexdigest() for name in lab.data_files()}
    return _hash([hashlib.sha256(lab.source.read_bytes()).hexdigest(), files, _packages()])


@cache
def _packages() -> list[str]:
    """Names and versions of all installed packages; the same for every lab."""
    return sorted(f"{package.name}=={package.version}" for package in distributions())


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def changed_tests(submission: Submission, handed_out: NotebookNode) -> list[str]:
    """Say which test cells of a submission are not as they were handed out; that has no effect on its score."""
    found = []
    for cell in handed_out.cells:
        if is_test(cell):
            name = str(grade_id(cell))
            texts = submission.answers.get(name, [])
            if texts != [cell.source]:
                state = "missing" if not texts else "there several times" if len(texts) > 1 else "changed"
                found.append(f"the test cell '{name}' is {state}; the instructor's own was run")
    return found


def read_once(path: Path, max_bytes: int) -> bytes:
    """Read a file once, from a descriptor that cannot be exchanged.

    Raises `UnusableNotebookError` for links, anything that is no file, more than `max_bytes`, and a file that changes
    meanwhile.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise UnusableNotebookError(f"{path}: nothing was handed in under this name") from None
    except OSError as error:
        reason = "this is a link, not a file" if path.is_symlink() else f"cannot be read ({error.strerror})"
        raise UnusableNotebookError(f"{path}: {reason}; ask for the submission again") from None
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode) or before.st_nlink > 1:
        os.close(descriptor)
        raise UnusableNotebookError(f"{path}: this is a link or no file; ask for the submission again")
    with os.fdopen(descriptor, "rb") as file:
        if before.st_size > max_bytes:
            raise UnusableNotebookError(
                f"{path}: {before.st_size / 1e6:.0f} MB is too large (the limit is {max_bytes / 1e6:.0f} MB)"
            )
        content = file.read(max_bytes + 1)
        after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(content) != after.st_size:
        raise UnusableNotebookError(f"{path}: the file changed while it was read; grade it again")
    return content


def _links(folder: Path) -> list[Path]:
    """Links anywhere in a submission, which are never followed."""
    found = []
    for place, folders, files in os.walk(folder):
        found += [Path(place, name) for name in (*folders, *files) if Path(place, name).is_symlink()]
    return found


def _timestamp(path: Path) -> tuple[datetime | None, str]:
    """Return when it was handed in, and what is odd about that.

    A time to come counts as any other, so that nobody gains by one, and a clock here that is behind changes nothing.
    """
    try:
        if path.is_symlink() or not path.is_file():
            return None, ""
        text = path.read_bytes()[:200].decode().strip()
        moment: datetime = parse_utc(text)
    except (OSError, ValueError, OverflowError, AttributeError):
        return None, "timestamp.txt holds no time, so no lateness was counted"
    if moment > datetime.now(UTC).replace(tzinfo=None):
        return moment, f"timestamp.txt says {text}, which is still to come; it counts as that late"
    return moment, ""
