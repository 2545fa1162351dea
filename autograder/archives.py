"""Read a zip archive that somebody else made: nothing is unpacked before its names, kinds and sizes are known."""

import io
import stat
import struct
import unicodedata
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from autograder.errors import AcademyError

_END = struct.Struct("<4s4H2LH")
"""The last record: signature, disks, numbers of entries, size and place of their list, comment."""
_LARGE_END_BYTES, _LARGE_END_SIGNATURE = 20, b"PK\x06\x07"
_ENTRY_BYTES = 46
_NAME_CHARACTERS = 200


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold."""

    files: int
    file_bytes: int
    """each, unpacked"""
    total_bytes: int
    """all together, unpacked; the archive itself may not be larger either"""


class UnusableArchiveError(AcademyError):
    """An archive that is refused as a whole; nothing of it was unpacked."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"this zip file is refused: {reason}", exit_code=1)


def read_archive(content: bytes, limits: ArchiveLimits) -> dict[PurePosixPath, bytes]:
    """Return the files of a zip archive by their names, which are relative and lead nowhere else.

    Raises `UnusableArchiveError` (one line) for what is no zip file, is damaged, too large or too many, encrypted, a
    link or device, there twice, or named so that it could be written outside of a folder or over another entry.
    """
    _check_size(content, limits)
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            entries = _checked_entries(archive.infolist(), limits)
            return {path: _unpacked(archive, entry) for path, entry in entries.items()}
    except (BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise UnusableArchiveError(f"it is damaged ({error}); ask for it again") from None


def _check_size(content: bytes, limits: ArchiveLimits) -> None:
    """Look at the size and at the record at the end, before anything reads a list of entries that may be endless."""
    if len(content) > limits.total_bytes:
        raise UnusableArchiveError(f"{len(content) / 1e6:.0f} MB is more than {limits.total_bytes / 1e6:.0f} MB")
    end = content[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise UnusableArchiveError("it is no zip file, or not all of it arrived")
    *_, here, entries, directory_bytes, _, _ = _END.unpack(end)
    beyond = content[-_END.size - _LARGE_END_BYTES : -_END.size].startswith(_LARGE_END_SIGNATURE)
    if beyond or max(here, entries) > limits.files:
        raise UnusableArchiveError(f"it holds more than {limits.files} files")
    if directory_bytes > limits.files * (_ENTRY_BYTES + 4 * _NAME_CHARACTERS):
        raise UnusableArchiveError("its list of files is too long")


def _checked_entries(found: list[ZipInfo], limits: ArchiveLimits) -> dict[PurePosixPath, ZipInfo]:
    """Return the entries that are files, by their names, after all of them were looked at."""
    if len(found) > limits.files:
        raise UnusableArchiveError(f"it holds more than {limits.files} files")
    if sum(entry.file_size for entry in found) > limits.total_bytes:
        raise UnusableArchiveError(f"unpacked it would be more than {limits.total_bytes / 1e6:.0f} MB")
    entries: dict[PurePosixPath, ZipInfo] = {}
    seen: set[str] = set()
    for entry in found:
        path = _safe_name(entry)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if entry.is_dir() and kind in {0, stat.S_IFDIR}:
            continue
        if kind not in {0, stat.S_IFREG}:
            raise UnusableArchiveError(f"{path} is a link or no file")
        if entry.flag_bits & 1 or entry.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
            raise UnusableArchiveError(f"{path} is encrypted or packed in an unusual way")
        if entry.file_size > limits.file_bytes:
            raise UnusableArchiveError(f"{path} is larger than {limits.file_bytes / 1e6:.0f} MB")
        folded = _folded(path)
        if folded in seen:
            raise UnusableArchiveError(f"{path} is there twice")
        seen.add(folded)
        entries[path] = entry
    for path in entries:
        if any(_folded(parent) in seen for parent in path.parents):
            raise UnusableArchiveError(f"{path} lies in a folder that is a file, too")
    return entries


def _safe_name(entry: ZipInfo) -> PurePosixPath:
    """Return an entry's name; no name that any system could take for another place."""
    name = entry.orig_filename
    parts = name.removesuffix("/").split("/")
    odd = any(unicodedata.category(character) in {"Cc", "Cs"} or character in '\\:<>"|?*' for character in name)
    nowhere = any(part in {"", ".", ".."} or part != part.strip() for part in parts)
    if odd or nowhere or len(name) > _NAME_CHARACTERS:
        raise UnusableArchiveError(f"the name {name[:60]!a} is not one to be written")
    return PurePosixPath(*parts)


def _folded(path: PurePosixPath) -> str:
    """A name as file systems see it that know neither upper case nor ways to compose a letter."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", str(path)).casefold())


def _unpacked(archive: ZipFile, entry: ZipInfo) -> bytes:
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise UnusableArchiveError(f"{entry.filename!a} has another size than it says")
    return content
