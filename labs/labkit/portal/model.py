"""What a search gives back: frozen records, and the one error of this package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

OFFLINE = 'portal.connect("embedded") works without a network'
"""The way out that every message about a failed live call ends with."""

DATASET_PREFIX = "http://data.europa.eu/88u/dataset/"
"""What stands before the id in the URI of every data set on data.europa.eu."""


class PortalError(Exception):
    """The portal could not answer. The message is one line: what is wrong, then what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


@dataclass(frozen=True)
class DistributionSummary:
    """One file or service of a data set, as a search shows it.

    `licence` is the code in the EU licence table ("CC_BY_4_0") where the record names an entry of that table, else
    whatever the record says, else None. `byte_size` is in bytes. `media_type` is without the IANA address: "text/csv".
    """

    id: str
    title: str | None
    format: str | None
    licence: str | None
    access_urls: tuple[str, ...]
    download_urls: tuple[str, ...]
    media_type: str | None
    byte_size: int | None


@dataclass(frozen=True)
class DatasetSummary:
    """One data set, as a search shows it.

    `titles` and `descriptions` go from a language code to a text ("und" where the record names no language).
    `country` is the portal's two-letter id ("pt"; "eu" for the EU institutions), `themes` are codes ("ENVI"),
    `quality` is the portal's metadata score (0 to 405) or None. Dates are the text of the record: they may be odd.
    """

    id: str
    uri: str
    titles: Mapping[str, str]
    descriptions: Mapping[str, str]
    country: str | None
    themes: tuple[str, ...]
    keywords: tuple[str, ...]
    publisher: str | None
    is_hvd: bool
    quality: int | None
    distributions: tuple[DistributionSummary, ...]
    issued: str | None
    modified: str | None

    def title(self, language: str = "en") -> str:
        """Return the title in `language`; else in English; else in the first language there is; else the id."""
        return _in_language(self.titles, language) or self.id

    def description(self, language: str = "en") -> str:
        """Return the description, chosen as the title is; an empty text if there is none."""
        return _in_language(self.descriptions, language) or ""


@dataclass(frozen=True)
class SearchPage:
    """One page of a search: `count` hits in all, of which `records` are shown.

    `facets` goes from a facet ("country") to its values and how many of the hits have each: {"pt": 12}.
    """

    count: int
    page: int
    limit: int
    records: tuple[DatasetSummary, ...]
    facets: Mapping[str, Mapping[str, int]]

    def to_frame(self, language: str = "en") -> pd.DataFrame:
        """Return one row a data set (n rows, 11 columns), titles in `language` where there is one."""
        import pandas as pd  # noqa: PLC0415 (importing labkit.portal stays quick)

        columns = [
            "id",
            "title",
            "country",
            "themes",
            "publisher",
            "formats",
            "licences",
            "is_hvd",
            "quality",
            "issued",
            "modified",
        ]
        return pd.DataFrame([_row(record, language) for record in self.records], columns=columns)


def _row(record: DatasetSummary, language: str) -> tuple[object, ...]:
    formats = sorted({part.format for part in record.distributions if part.format})
    licences = sorted({part.licence for part in record.distributions if part.licence})
    return (
        record.id,
        record.title(language),
        record.country,
        ", ".join(record.themes),
        record.publisher,
        ", ".join(formats),
        ", ".join(licences),
        record.is_hvd,
        record.quality,
        record.issued,
        record.modified,
    )


def _in_language(texts: Mapping[str, str], language: str) -> str | None:
    for wanted in (language, "en", *texts):
        if wanted in texts:
            return texts[wanted]
    return None
