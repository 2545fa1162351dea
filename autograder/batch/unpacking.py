"""Lay zip files that learners handed in where nbgrader has its submissions: `submitted/<learner>/<lab>/`."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nbgrader.utils import parse_utc

from autograder.archives import UnusableArchiveError
from autograder.batch.submitted import read_once
from autograder.errors import AcademyError, UnusableNotebookError
from autograder.files import write_whole
from autograder.handing_in import LIMITS, Receipt, read_hand_in


@dataclass(frozen=True)
class Unpacked:
    """What became of one zip file."""

    archive: Path
    learner: str
    """empty where the file does not say so"""
    lab: str
    status: str
    """new, older (a later one of the same learner is there), other lab, or refused"""
    reason: str = ""


def unpack(folder: Path, submitted: Path, labs: Collection[str]) -> Iterator[Unpacked]:
    """Unpack the zip files anywhere below `folder`; of several by a learner for a lab the latest one counts.

    A bad file is refused with a reason, and the others go on. Raises `AcademyError` where there is no such folder.
    """
    if not folder.is_dir():
        raise AcademyError(f"{folder}: there is no such folder; name the folder that holds the zip files")
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    for path in sorted(path for path in found if path.suffix.lower() == ".zip"):
        try:
            receipt, files = read_hand_in(read_once(path, LIMITS.total_bytes))
            status = _lay(receipt, files, submitted) if receipt.lab in labs else "other lab"
        except (UnusableArchiveError, UnusableNotebookError) as error:
            yield Unpacked(path, "", "", "refused", str(error))
        else:
            yield Unpacked(path, receipt.learner, receipt.lab, status)


def _lay(receipt: Receipt, files: dict[str, bytes], submitted: Path) -> str:
    """Write a submission, unless one is there that was handed in at the same time or later."""
    folder = submitted / receipt.learner / receipt.lab
    if folder.is_symlink() or folder.parent.is_symlink():
        raise UnusableNotebookError(f"{folder}: this is a link, not a folder; put it away, then try again")
    stamp = folder / "timestamp.txt"
    moment = receipt.moment.replace(tzinfo=None)
    if stamp.is_file() and _moment(stamp) >= moment:
        return "older"
    for name, content in files.items():
        write_whole(folder / name, content)
    write_whole(folder / "receipt.json", receipt.as_json())
    write_whole(stamp, f"{moment:%Y-%m-%d %H:%M:%S} UTC\n".encode())
    return "new"


def _moment(stamp: Path) -> datetime:
    """When the submission that is there was handed in; the beginning of time where its file says none."""
    try:
        moment: datetime = parse_utc(read_once(stamp, 200).decode().strip())
    except (ValueError, OverflowError, AttributeError):
        return datetime.min  # noqa: DTZ901  nbgrader's times are in UTC, and carry no zone
    return moment
