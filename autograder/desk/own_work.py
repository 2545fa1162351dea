"""Save a learner's own work as one file, and bring it back: what differs from what was delivered, and the progress."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path, PurePosixPath

from autograder.archives import ArchiveLimits, UnusableArchiveError, read_archive
from autograder.delivered import fingerprint, read_record
from autograder.files import write_whole
from autograder.handing_in import zipped
from autograder.progress import PROGRESS, merged

LIMITS = ArchiveLimits(files=500, file_bytes=20_000_000, total_bytes=60_000_000)
_UNSAVED_SUFFIXES = {".zip", ".pyc"}


@dataclass
class Restored:
    """What a restored file did; paths are relative to the workspace."""

    restored: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    """the names that files got because the learner had changed what was there"""


def changed(workspace: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield the learner's own files with their paths in the workspace, and the progress."""
    delivered = read_record(workspace)
    for place, folders, names in os.walk(workspace):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        for name in sorted(names):
            full = Path(place, name)
            if name.startswith(".") or full.suffix in _UNSAVED_SUFFIXES or not _is_small_file(full):
                continue
            path, content = full.relative_to(workspace), full.read_bytes()
            if fingerprint(content) != delivered.get(path.as_posix()):
                yield path, content
    if (workspace / PROGRESS).is_file():
        yield PROGRESS, (workspace / PROGRESS).read_bytes()


def pack(workspace: Path) -> bytes:
    """Return the learner's own work as a zip archive; empty bytes where there is none.

    Raises `UnusableArchiveError` where it is more than could be restored.
    """
    files = {path.as_posix(): content for path, content in changed(workspace)}
    if not files:
        return b""
    packed = zipped(files, datetime.now(UTC))
    read_archive(packed, LIMITS)
    return packed


def restore(workspace: Path, archive: bytes) -> Restored:
    """Lay the files of an archive from `pack` into the workspace.

    What the learner has changed there in the meantime stays: the file of the archive then arrives beside it, as
    `<name>-restored.<suffix>`. The progress of each lab is that of its later grading. Raises
    `UnusableArchiveError`, and then writes nothing, where it is no such archive.
    """
    files = read_archive(archive, LIMITS)
    for path in files:
        if path != PurePosixPath(PROGRESS) and any(part.startswith((".", "__")) for part in path.parts):
            raise UnusableArchiveError(f"{path} is a hidden file, which is no work of a learner")
        if _cannot_be_written(workspace, path):
            raise UnusableArchiveError(f"{path} leads out of the workspace, or stands where something else is")
    delivered, report = read_record(workspace), Restored()
    saved = files.pop(PurePosixPath(PROGRESS), None)
    if saved is not None:
        write_whole(workspace / PROGRESS, merged(workspace, saved))
    for path, content in files.items():
        target = _free(workspace, Path(path), content, delivered)
        write_whole(workspace / target, content)
        (report.restored if target == Path(path) else report.beside).append(target.as_posix())
    return report


def _is_small_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size <= LIMITS.file_bytes


def _cannot_be_written(workspace: Path, path: PurePosixPath) -> bool:
    """Whether a folder on the way is a file or leads out, or the name itself is that of a folder or a link."""
    target = workspace / path
    outside = not target.parent.resolve().is_relative_to(workspace.resolve())
    blocked = any((workspace / folder).is_file() for folder in path.parents)
    return outside or blocked or target.is_symlink() or target.is_dir()


def _free(workspace: Path, path: Path, content: bytes, delivered: dict[str, str]) -> Path:
    """Return the first name for a file under which nothing of the learner's is lost."""
    wanted = fingerprint(content)
    for number in count():
        ending = "" if number == 0 else f"-restored{'' if number == 1 else f'-{number}'}"
        name = path.with_name(f"{path.stem}{ending}{path.suffix}")
        target = workspace / name
        if not target.exists() or fingerprint(target.read_bytes()) in {wanted, delivered.get(name.as_posix())}:
            return name
    raise AssertionError("unreachable")
