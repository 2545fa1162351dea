"""Hand in without an exchange: a zip file with the notebook and a receipt, which the learner keeps, too."""

import hashlib
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from autograder.archives import ArchiveLimits, UnusableArchiveError, read_archive
from autograder.errors import AcademyError
from autograder.files import write_whole
from autograder.grading import lab_of
from autograder.kit import Lab
from autograder.reading import MAX_BYTES, read_bytes, submission_in
from autograder.rebuild import grade_id, rebuild
from autograder.release import released

RECEIPT = PurePosixPath("receipt.json")
LIMITS = ArchiveLimits(files=4, file_bytes=MAX_BYTES, total_bytes=2 * MAX_BYTES)
_RECEIPT_BYTES = 10_000
_LEARNER = re.compile(r"[\w@](?:[\w.@-]{0,62}[\w@-])?")
_TIME = "%Y%m%dT%H%M%SZ"

ZIP_PATTERN = (
    r".*[/\\](?:[^/\\]*_assignsubmission_file_)?(?P<student_id>(?:(?!__)[\w.@-])+)__[\w-]+__(?P<timestamp>\d{8}T\d{6}Z)"
    r"[^/\\]*[/\\](?P<file_id>[^/\\]+)$"
)
"""For nbgrader's zip collect: learner and time in the path of an unpacked notebook, also as Moodle renames the zip."""


@dataclass(frozen=True)
class Receipt:
    """What was handed in, by whom, and when, as the learner's computer said it."""

    lab: str
    learner: str
    time: str
    """ISO 8601, in UTC"""
    kit: str
    """version of the kit"""
    files: dict[str, str]
    """name -> SHA-256 of the content"""

    @property
    def moment(self) -> datetime:
        """When it was handed in."""
        return datetime.fromisoformat(self.time)

    def is_sound(self) -> bool:
        """Whether each field is what it should be; raises the errors of what it is instead."""
        texts = (self.lab, self.learner, self.time, self.kit, *self.files, *self.files.values())
        return (
            all(isinstance(text, str) for text in texts)
            and learner_id(self.learner) == self.learner
            and self.moment.utcoffset() is not None
        )

    def as_json(self) -> bytes:
        """The receipt as it stands in the zip file and beside it."""
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True)
class HandIn:
    """What a learner has in the end."""

    lab: str
    archive: Path
    receipt: Path
    unanswered: list[str]
    """questions that are still as they were handed out"""


def learner_id(name: str) -> str:
    """Return a learner's name as gradebooks and folders can take it; raises `AcademyError` where they cannot."""
    name = unicodedata.normalize("NFC", name.strip())
    if not _LEARNER.fullmatch(name) or "__" in name:
        raise AcademyError(
            f"'{name}' cannot be used as a name: take up to 64 letters, digits and . - _ @ without blanks, "
            "for example anna.nowak, and ask your instructor which name the course knows you by"
        )
    return name


def hand_in(notebook: Path, learner: str, folder: Path, now: datetime) -> HandIn:
    """Write the zip file and the receipt for one notebook into `folder`.

    Raises `UnusableNotebookError` where grading would refuse the notebook, and `AcademyError` for a name that cannot
    be used.
    """
    learner = learner_id(learner)
    content = read_bytes(notebook)
    submission = submission_in(content, notebook)
    lab = lab_of(submission, notebook)
    rebuild(lab.notebook(), submission.answers, lab.name)
    name = f"{lab.name}.ipynb"
    receipt = Receipt(
        lab=lab.name,
        learner=learner,
        time=now.astimezone(UTC).replace(microsecond=0).isoformat(),
        kit=version("ai-skills-academy"),
        files={name: hashlib.sha256(content).hexdigest()},
    )
    stem = f"{learner}__{lab.name}__{receipt.moment.strftime(_TIME)}"
    archive = folder / f"{stem}.zip"
    write_whole(archive, zipped({name: content, str(RECEIPT): receipt.as_json()}, receipt.moment))
    write_whole(archive.with_suffix(".receipt.json"), receipt.as_json())
    return HandIn(lab.name, archive, archive.with_suffix(".receipt.json"), _unanswered(lab, submission.answers))


def zipped(files: Mapping[str, bytes], moment: datetime) -> bytes:
    """Pack files into a zip archive; the same files and moment give the same bytes."""
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = ZipInfo(name, moment.timetuple()[:6])
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o100644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def read_hand_in(content: bytes) -> tuple[Receipt, dict[str, bytes]]:
    """Read a zip file that somebody handed in: its receipt, and its files, which are those that the receipt names.

    Raises `UnusableArchiveError` where it is no such file, or was changed after it was made.
    """
    files = {str(path): file for path, file in read_archive(content, LIMITS).items()}
    if str(RECEIPT) not in files:
        raise UnusableArchiveError("it holds no receipt.json; make it with `academy hand-in`")
    receipt = parse_receipt(files.pop(str(RECEIPT)))
    found = {name: hashlib.sha256(file).hexdigest() for name, file in files.items()}
    if found != receipt.files:
        raise UnusableArchiveError("its files are not those that its receipt names; it was changed afterwards")
    if set(found) != {f"{receipt.lab}.ipynb"}:
        raise UnusableArchiveError(f"it does not hold the one notebook {receipt.lab}.ipynb")
    return receipt, files


def parse_receipt(content: bytes) -> Receipt:
    """Read a receipt; raises `UnusableArchiveError` where it is none."""
    try:
        receipt = Receipt(**json.loads(content[:_RECEIPT_BYTES]))
        sound = receipt.is_sound()
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError, AcademyError):
        sound = False
    if not sound:
        raise UnusableArchiveError("its receipt is damaged; make the file again with `academy hand-in`")
    return receipt


def check_receipt(receipt: bytes, archive: bytes) -> Receipt:
    """Compare a receipt that a learner kept with a zip file; return it where they belong together.

    Raises `UnusableArchiveError` where they do not.
    """
    kept, (inside, _) = parse_receipt(receipt), read_hand_in(archive)
    if kept != inside:
        raise UnusableArchiveError(
            f"it belongs to another receipt ({inside.learner}, {inside.lab}, {inside.time}); compare the times"
        )
    return kept


def _unanswered(lab: Lab, answers: dict[str, list[str]]) -> list[str]:
    """IDs of the answer cells that are missing, empty or as they were handed out."""
    found = []
    for cell in released(lab).cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            texts = answers.get(str(grade_id(cell)), [""])
            if texts[-1].strip() in {"", cell.source.strip()}:
                found.append(str(grade_id(cell)))
    return found
