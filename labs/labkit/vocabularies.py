"""The controlled vocabularies an open-data record points to: themes, licences, access rights, file types and more.

A vocabulary maps a short code to one entry: `THEMES["ENVI"].label` is "Environment". `by_uri` goes the other way, from
the address found in a record to the entry, or to None when the table does not have it. The tables are small CSV files
in `data/vocabularies`; the card beside them says where each comes from and how complete it is.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Generic, Protocol, TypeVar

import pandas as pd

AUTHORITY = "http://publications.europa.eu/resource/authority/"
"""Start of every address in the authority tables of the EU Publications Office."""

# fmt: off
EU_LANGUAGES = (
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr",
    "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
)
# fmt: on
"""The 24 official languages of the EU, as ISO 639-1 codes, in alphabetical order of the code."""


class Entry(Protocol):
    """What all entries share: a code, its full address, and a label in English."""

    @property
    def code(self) -> str: ...  # noqa: D102  the class docstring says it
    @property
    def uri(self) -> str: ...  # noqa: D102
    @property
    def label(self) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class Theme:
    """One of the 13 data themes of data.europa.eu; `labels` holds its name in the 24 languages."""

    code: str
    uri: str
    label: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class Licence:
    """A licence of the EU licence table.

    `document` is the address of the licence text itself, "" where not recorded. The four yes/no fields are None where
    the kit does not know for certain: read the licence then.
    """

    code: str
    uri: str
    label: str
    document: str
    allows_commercial_use: bool | None
    requires_attribution: bool | None
    share_alike: bool | None
    allows_adaptation: bool | None


@dataclass(frozen=True)
class AccessRight:
    """Who may have the data: public, restricted, non-public and so on."""

    code: str
    uri: str
    label: str


@dataclass(frozen=True)
class Frequency:
    """How often a data set is updated."""

    code: str
    uri: str
    label: str


@dataclass(frozen=True)
class FileType:
    """A file format; the two judgements are those of the portal's own lists (see the card)."""

    code: str
    uri: str
    label: str
    media_type: str
    non_proprietary: bool
    machine_readable: bool


@dataclass(frozen=True)
class MediaType:
    """A media type registered with IANA, such as text/csv."""

    code: str
    uri: str
    label: str


E = TypeVar("E", bound=Entry)


class Vocabulary(Mapping[str, E], Generic[E]):
    """A table of entries by code, in the order of the file, with a look-up by address."""

    def __init__(self, name: str, entries: Mapping[str, E]) -> None:
        self.name = name
        self._entries = dict(entries)
        self._by_uri = {entry.uri: entry for entry in self._entries.values()}

    def __getitem__(self, code: str) -> E:
        """Entry with this code; KeyError names the table and shows what a code looks like."""
        try:
            return self._entries[code]
        except KeyError:
            example = next(iter(self._entries))
            raise KeyError(f"the {self.name} table has no code {code!r}; a code looks like {example!r}") from None

    def __iter__(self) -> Iterator[str]:
        """Codes, in the order of the file."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._entries)

    def __contains__(self, code: object) -> bool:
        """Tell whether the table has this code."""
        return code in self._entries

    def __repr__(self) -> str:
        """Name and size, since the whole table is too long to print."""
        return f"Vocabulary({self.name!r}, {len(self)} entries)"

    def by_uri(self, uri: str) -> E | None:
        """Entry with exactly this address, or None: authority addresses start with http://, not https://."""
        return self._by_uri.get(uri)

    def to_frame(self) -> pd.DataFrame:
        """One row an entry, one column a field, index = code; for looking at, filtering and sorting."""
        return pd.DataFrame([vars(entry) for entry in self._entries.values()]).set_index("code")


def _rows(file_name: str) -> list[dict[str, str]]:
    text = (resources.files("labkit") / "data" / "vocabularies" / file_name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _flag(cell: str) -> bool | None:
    return {"yes": True, "no": False, "": None}[cell]


def _read(name: str, file_name: str, make: Callable[[dict[str, str]], E]) -> Vocabulary[E]:
    return Vocabulary(name, {row["code"]: make(row) for row in _rows(file_name)})


def _theme(row: dict[str, str]) -> Theme:
    labels = {language: row[language] for language in EU_LANGUAGES}
    return Theme(row["code"], f"{AUTHORITY}data-theme/{row['code']}", row["label"], labels)


def _licence(row: dict[str, str]) -> Licence:
    return Licence(
        code=row["code"],
        uri=f"{AUTHORITY}licence/{row['code']}",
        label=row["label"],
        document=row["document"],
        allows_commercial_use=_flag(row["allows_commercial_use"]),
        requires_attribution=_flag(row["requires_attribution"]),
        share_alike=_flag(row["share_alike"]),
        allows_adaptation=_flag(row["allows_adaptation"]),
    )


def _file_type(row: dict[str, str]) -> FileType:
    return FileType(
        code=row["code"],
        uri=f"{AUTHORITY}file-type/{row['code']}",
        label=row["label"],
        media_type=row["media_type"],
        non_proprietary=row["non_proprietary"] == "yes",
        machine_readable=row["machine_readable"] == "yes",
    )


def _access_right(row: dict[str, str]) -> AccessRight:
    return AccessRight(row["code"], f"{AUTHORITY}access-right/{row['code']}", row["label"])


def _frequency(row: dict[str, str]) -> Frequency:
    return Frequency(row["code"], f"{AUTHORITY}frequency/{row['code']}", row["label"])


def _media_type(row: dict[str, str]) -> MediaType:
    return MediaType(row["code"], f"http://www.iana.org/assignments/media-types/{row['code']}", row["code"])


THEMES: Vocabulary[Theme] = _read("data theme", "data-themes.csv", _theme)
"""The 13 themes: AGRI, ECON, EDUC, ENER, ENVI, GOVE, HEAL, INTR, JUST, REGI, SOCI, TECH, TRAN."""

LICENCES: Vocabulary[Licence] = _read("licence", "licences.csv", _licence)
"""The 160 licences of the EU table."""

ACCESS_RIGHTS: Vocabulary[AccessRight] = _read("access right", "access-rights.csv", _access_right)
"""PUBLIC, RESTRICTED, NON_PUBLIC and four more."""

FILE_TYPES: Vocabulary[FileType] = _read("file type", "file-types.csv", _file_type)
"""The 203 file types of the EU table, with the portal's judgements of openness and machine-readability."""

FREQUENCIES: Vocabulary[Frequency] = _read("frequency", "frequencies.csv", _frequency)
"""How often data are updated: ANNUAL, MONTHLY, IRREG and so on."""

MEDIA_TYPES: Vocabulary[MediaType] = _read("media type", "media-types.csv", _media_type)
"""IANA media types that open data use; a small part of the register. Their code is the type itself: "text/csv"."""


def media_type_of(uri: str) -> MediaType | None:
    """Media type with this IANA address, with http:// or https:// (both are in use), or None."""
    return MEDIA_TYPES.by_uri(uri) or MEDIA_TYPES.by_uri(uri.replace("https://", "http://", 1))
