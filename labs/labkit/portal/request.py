"""What may be asked: every argument is checked here, before anything is sent or looked up."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labkit.portal.model import DATASET_PREFIX, PortalError

MOST_RECORDS = 1000
"""The search API's own limit for one page (its OpenAPI contract, version 5.3.11)."""

MOST_QUERY_CHARACTERS = 20_000
"""Longer SPARQL queries are refused: no query of a lesson comes near it."""

_MOST_WORDS_CHARACTERS = 1000
_SORT = re.compile(r"(relevance|issued|modified|title\.[a-z]{2})\+(asc|desc)")
_DATASET_ID = re.compile(r"[^\s/\\?#%\x00-\x1f\x7f]{1,300}")


@dataclass(frozen=True)
class SearchRequest:
    """A checked search: `facets` holds (name, values) pairs, OR within one, AND between them."""

    q: str
    facets: tuple[tuple[str, tuple[str, ...]], ...]
    page: int
    limit: int
    sort: str | None


def checked_search(q: object, facets: object, page: object, limit: object, sort: object) -> SearchRequest:
    """Return the arguments of a search as one checked object. Raises PortalError."""
    if not isinstance(q, str) or len(q) > _MOST_WORDS_CHARACTERS:
        raise PortalError(f"q must be a text of at most {_MOST_WORDS_CHARACTERS} characters: search for fewer words")
    if sort is not None and not (isinstance(sort, str) and _SORT.fullmatch(sort)):
        raise PortalError(f'sort={sort!r} is not known: write for example "modified+desc" or "title.en+asc"')
    first = whole_number("page", page)
    return SearchRequest(q, _facets(facets or {}), first, whole_number("limit", limit, most=MOST_RECORDS), sort)


def checked_dataset_id(value: object) -> str:
    """Return the id of a data set if it can be one. Raises PortalError."""
    if isinstance(value, str) and value.startswith(DATASET_PREFIX):
        short = value.removeprefix(DATASET_PREFIX)
        raise PortalError(f"record() wants the id, not the address: write record({short!r})")
    if not isinstance(value, str) or not _DATASET_ID.fullmatch(value) or value in {".", ".."}:
        raise PortalError(f"{str(value)[:60]!r} is not the id of a data set: take the id of a search result")
    return value


def checked_query(value: object) -> str:
    """Return a SPARQL query if it is a text of a sensible length. Raises PortalError."""
    if not isinstance(value, str) or not value.strip():
        raise PortalError('The query is empty: write for example "SELECT ?s WHERE { ?s a dcat:Dataset } LIMIT 5"')
    if len(value) > MOST_QUERY_CHARACTERS:
        raise PortalError(f"The query is longer than {MOST_QUERY_CHARACTERS} characters: ask for less at once")
    return value


def whole_number(name: str, value: object, most: int | None = None) -> int:
    """Return `value` if it is a whole number from 0 to `most`. Raises PortalError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (most is not None and value > most):
        allowed = "0 or more" if most is None else f"from 0 to {most}"
        raise PortalError(f"{name}={value!r} is not allowed: it must be a whole number, {allowed}")
    return value


def _facets(facets: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(facets, Mapping):
        raise PortalError('facets must be a dictionary of lists, for example {"country": ["pt"]}')
    pairs = []
    for name, values in facets.items():
        # A lone text is a sequence too, of letters: the commonest slip, so it gets its own words.
        if isinstance(values, str):
            raise PortalError(f"The values of facet {name!r} must be a list: write {{{name!r}: [{values!r}]}}")
        if not isinstance(values, Sequence) or not all(isinstance(value, str) for value in values):
            raise PortalError(f'The values of facet {name!r} must be a list of texts, for example ["pt"]')
        pairs.append((str(name), tuple(values)))
    return tuple(pairs)
