"""Zip files that were made to do harm, or by accident: each is refused in one line, and nothing else is raised."""

import io
import stat
import struct
import tracemalloc
import warnings
from pathlib import PurePosixPath
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.archives import ArchiveLimits, UnusableArchiveError, read_archive

LIMITS = ArchiveLimits(files=5, file_bytes=10_000, total_bytes=20_000)


def packed(*entries: tuple[str | ZipInfo, bytes], compression: int = ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), ZipFile(file, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in entries:
            archive.writestr(name, content, compression)
    return file.getvalue()


def special(name: str, kind: int) -> ZipInfo:
    entry = ZipInfo(name)
    entry.external_attr = (kind | 0o777) << 16
    return entry


def patched(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """Overwrite a field of the last record of this kind."""
    start = content.rindex(signature) + offset
    return content[:start] + value + content[start + len(value) :]


GOOD = packed(("a.ipynb", b"{}"), ("folder/b.txt", b"text"))
CASES = {
    "climbs out": (packed(("../a", b"")), "not one to be written"),
    "climbs out later": (packed(("a/../../b", b"")), "not one to be written"),
    "absolute": (packed(("/etc/passwd", b"")), "not one to be written"),
    "another drive": (packed(("C:/a", b"")), "not one to be written"),
    "backslashes": (packed(("..\\a", b"")), "not one to be written"),
    "a null in the name": (
        patched(packed(("a.txt\x01x", b"")), b"PK\x01\x02", 46 + 5, b"\x00"), "not one to be written"
    ),
    "a line break in the name": (packed(("a\nb", b"")), "not one to be written"),
    "a long name": (packed(("a" * 5000, b"")), "list of files is too long|not one to be written"),
    "a name of blanks": (packed((" ", b"")), "not one to be written"),
    "a link": (packed((special("a", stat.S_IFLNK), b"/etc/passwd")), "is a link or no file"),
    "a device": (packed((special("a", stat.S_IFCHR), b"")), "is a link or no file"),
    "a pipe": (packed((special("a", stat.S_IFIFO), b"")), "is a link or no file"),
    "a link that is called a folder": (packed((special("a/", stat.S_IFLNK), b"/")), "is a link or no file"),
    "there twice": (packed(("a", b"1"), ("a", b"2")), "is there twice"),
    "there twice for other systems": (packed(("Straße", b"1"), ("STRASSE", b"2")), "is there twice"),
    "a letter composed in two ways": (packed(("\u00e9", b"1"), ("e\u0301", b"2")), "is there twice"),
    "a file and a folder": (packed(("a", b"1"), ("a/b", b"2")), "a folder that is a file"),
    "many files": (packed(*((str(n), b"") for n in range(6))), "more than 5 files"),
    "a bomb": (packed(("a", bytes(10_001))), "larger than"),
    "a bomb of several parts": (packed(*((str(n), bytes(9_000)) for n in range(3))), "unpacked it would be more"),
    "larger than it says": (
        patched(packed(("a", bytes(9_000))), b"PK\x01\x02", 24, struct.pack("<L", 5)), "damaged|another size"
    ),
    "smaller than it says": (
        patched(packed(("a", b"abc")), b"PK\x01\x02", 24, struct.pack("<L", 5)), "damaged|another size"
    ),
    "a wrong sum": (patched(packed(("a", b"abc")), b"PK\x01\x02", 16, b"\0\0\0\0"), "damaged"),
    "encrypted": (patched(packed(("a", b"abc")), b"PK\x01\x02", 8, b"\x01\x00"), "encrypted"),
    "packed unusually": (packed(("a", b"abc"), compression=ZIP_BZIP2), "unusual way"),
    "packed with lzma": (packed(("a", b"abc"), compression=ZIP_LZMA), "unusual way"),
    "more entries than it counts": (
        patched(packed(*((str(n), b"") for n in range(6))), b"PK\x05\x06", 8, struct.pack("<2H", 1, 1)),
        "more than 5 files",
    ),
    "a record for large archives": (
        GOOD[:-22] + b"PK\x06\x07" + bytes(16) + GOOD[-22:], "more than 5 files"
    ),
    "empty": (b"", "no zip file"),
    "text": (b"Dear teacher, " * 20, "no zip file"),
    "cut off": (GOOD[:-10], "no zip file"),
    "too large": (bytes(20_001), "is more than"),
}  # fmt: skip


def test_a_harmless_archive_is_read_with_its_folders() -> None:
    content = packed(("folder/", b""), ("folder/b.txt", b"text"), ("a.ipynb", b"{}"))
    assert read_archive(content, LIMITS) == {PurePosixPath("folder/b.txt"): b"text", PurePosixPath("a.ipynb"): b"{}"}


@pytest.mark.parametrize("name", CASES)
def test_what_could_do_harm_is_refused_in_one_line(name: str) -> None:
    content, reason = CASES[name]
    with pytest.raises(UnusableArchiveError, match=reason) as error:
        read_archive(content, LIMITS)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1


def test_a_long_list_of_files_is_refused_before_it_is_read() -> None:
    """A list of 40,000 entries fits into 4 MB, and would take a hundred in memory."""
    content = packed(*((f"{n:040}", b"") for n in range(40_000)))
    tracemalloc.start()
    with pytest.raises(UnusableArchiveError):
        read_archive(content, ArchiveLimits(files=5, file_bytes=10_000, total_bytes=50_000_000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1_000_000


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_raises_anything_else_or_leads_elsewhere(data: st.DataObject) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        files = read_archive(bytes(content), LIMITS)
    except UnusableArchiveError:
        return
    assert sum(map(len, files.values())) <= LIMITS.total_bytes
    for path in files:
        assert not path.is_absolute()
        assert ".." not in path.parts


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=12), st.binary(max_size=20), max_size=6
    )
)
def test_any_names_are_read_as_they_are_or_refused(files: dict[str, bytes]) -> None:
    try:
        content = packed(*files.items())
        found = read_archive(content, LIMITS)
    except (UnusableArchiveError, UnicodeEncodeError):
        return
    assert {str(path): file for path, file in found.items()} == {
        name.removesuffix("/"): file for name, file in files.items() if not name.endswith("/")
    }
