"""The bundled catalogue, which answers as the portal does and needs no network."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import labkit
from labkit.portal import sparql
from labkit.portal.base import Portal
from labkit.portal.catalogue import load
from labkit.portal.model import PortalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from labkit.portal.request import SearchRequest

CATALOGUE = Path(labkit.__file__).parent / "data" / "catalogue" / "catalogue.ttl"
"""The catalogue that travels with the kit. The recorded answers of its links lie beside it, in links.csv."""

# Letters that Unicode does not take apart into a plain letter and an accent.
_PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe"})
_WEIGHTS = {"title": 3, "keyword": 2, "description": 1}


class EmbeddedPortal(Portal):
    """The catalogue in a Turtle file. `path` is for other catalogues than the kit's own."""

    def __init__(self, path: Path = CATALOGUE) -> None:
        self._path = path.resolve()
        self._catalogue = load(self._path)

    def __len__(self) -> int:
        """Return how many data sets the catalogue holds."""
        return len(self._catalogue.documents)

    def link_status(self, url: str) -> int | None:
        """Return the answer recorded for a link, or None: it timed out, or no answer is recorded."""
        return _recorded_answers(self._path.with_name("links.csv")).get(url)

    def _search_body(self, request: SearchRequest) -> bytes:
        matches = _matches(self._catalogue.documents, words(request.q))
        for name, wanted in request.facets:
            values = _facet(name)
            # An empty list asks for nothing in particular, as it does on the live portal.
            matches = [match for match in matches if not wanted or not set(wanted).isdisjoint(values(match))]
        if request.sort is not None:
            matches = _sorted(matches, request.sort)
        start = request.page * request.limit
        results = matches[start : start + request.limit]
        answer = {"result": {"count": len(matches), "results": results, "facets": _facet_counts(matches)}}
        return json.dumps(answer).encode()

    def _record_body(self, identifier: str) -> bytes:
        return self._catalogue.turtle(identifier)

    def _sparql_body(self, query: str) -> bytes:
        return sparql.run(self._catalogue.dataset, query)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case and without accents: "Qualité de l'air" → qualite, de, l, air."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return re.findall(r"\w+", "".join(letter for letter in apart if not unicodedata.combining(letter)))


def _matches(documents: Iterable[dict[str, Any]], wanted: list[str]) -> list[dict[str, Any]]:
    """Return the documents with every wanted word, best first; equal ones keep their order.

    A word is found at the beginning of a word ("school" in "schools"), in any language. A title counts more than a
    keyword, and a keyword more than the description.
    """
    scored = [(document, _relevance(document, wanted)) for document in documents]
    found = [(document, score) for document, score in scored if score is not None]
    return [document for document, _ in sorted(found, key=lambda pair: -pair[1])]


def _relevance(document: dict[str, Any], wanted: list[str]) -> int | None:
    """Return how well a document fits the words, or None if one of them is missing."""
    texts = {
        "title": words(" ".join(document["title"].values())),
        "keyword": words(" ".join(keyword["label"] for keyword in document["keywords"])),
        "description": words(" ".join(document["description"].values())),
    }
    total = 0
    for word in wanted:
        places = [place for place, there in texts.items() if any(other.startswith(word) for other in there)]
        if not places:
            return None
        total += max(_WEIGHTS[place] for place in places)
    return total


def _sorted(matches: list[dict[str, Any]], sort: str) -> list[dict[str, Any]]:
    field, direction = sort.split("+")
    backwards = direction == "desc"
    if field == "relevance":
        return matches if backwards else matches[::-1]
    keys = [(_sort_key(match, field), match) for match in matches]
    known = [(key, match) for key, match in keys if key is not None]
    unknown = [match for key, match in keys if key is None]
    return [match for _, match in sorted(known, key=lambda pair: pair[0], reverse=backwards)] + unknown


def _sort_key(document: dict[str, Any], field: str) -> str | None:
    """Return what to sort by, or None (sorted last): no title, or a date that is none."""
    if field.startswith("title."):
        titles = document["title"]
        title = titles.get(field.removeprefix("title.")) or next(iter(titles.values()), None)
        return None if title is None else " ".join(words(title))
    date = document[field]
    return date if date is not None and re.match(r"\d{4}(-|$)", date) else None


_FACETS: dict[str, Callable[[dict[str, Any]], Sequence[str]]] = {
    "country": lambda document: _ids([document["country"]]),
    "catalog": lambda document: _ids([document["catalog"]]),
    "categories": lambda document: _ids(document["categories"]),
    "publisher": lambda document: [document["publisher"]["name"]] if document["publisher"] else [],
    "keywords": lambda document: _ids(document["keywords"]),
    "format": lambda document: _ids(part["format"] for part in document["distributions"]),
    "license": lambda document: _ids(part["license"] for part in document["distributions"]),
    "is_hvd": lambda document: ["true" if document["is_hvd"] else "false"],
}


def _ids(entries: Iterable[dict[str, str] | None]) -> list[str]:
    """Return the ids of those entries that are there, each once."""
    return sorted({entry["id"] for entry in entries if entry is not None})


def _facet(name: str) -> Callable[[dict[str, Any]], Sequence[str]]:
    if name not in _FACETS:
        raise PortalError(f"There is no facet {name!r} here: use one of {', '.join(_FACETS)}")
    return _FACETS[name]


def _facet_counts(matches: list[dict[str, Any]]) -> list[dict[str, object]]:
    counts = {name: Counter(value for match in matches for value in values(match)) for name, values in _FACETS.items()}
    return [
        {"id": name, "items": [{"id": value, "count": count, "title": value} for value, count in _ranked(counter)]}
        for name, counter in counts.items()
    ]


def _ranked(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


@lru_cache(maxsize=4)
def _recorded_answers(path: Path) -> dict[str, int | None]:
    """Return the status of each link in a file with the columns url and status; an empty status is a time-out."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {row["url"]: int(row["status"]) if row["status"] else None for row in rows}
    except (OSError, KeyError, ValueError) as error:
        raise PortalError(f"The recorded link answers cannot be read ({path.name}): install the kit again") from error
