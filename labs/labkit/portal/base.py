"""The portal's four calls, written once: both sources, live and embedded, go through the same checks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from rdflib import RDF
from rdflib.namespace import DCAT

from labkit.portal.model import PortalError
from labkit.portal.rdf import parse_record
from labkit.portal.request import checked_dataset_id, checked_query, checked_search, whole_number
from labkit.portal.response import search_page
from labkit.portal.sparql_results import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from rdflib import Graph

    from labkit.portal.model import DatasetSummary, SearchPage
    from labkit.portal.request import SearchRequest

_PAGE = 100


class Portal(ABC):
    """A source of data-set records that answers as data.europa.eu does. Get one from `portal.connect`."""

    def search(
        self,
        q: str = "",
        *,
        facets: Mapping[str, Sequence[str]] | None = None,
        page: int = 0,
        limit: int = 10,
        sort: str | None = None,
    ) -> SearchPage:
        """Return one page of the data sets that match.

        `q` holds words; `facets` narrows down, for example {"country": ["pt", "es"], "categories": ["ENVI"]}: any
        value within a facet, and every facet. `page` counts from 0, `limit` is at most 1000, and 0 just counts.
        `sort` is for example "modified+desc" or "title.en+asc"; without it the best match comes first.
        Raises PortalError.
        """
        request = checked_search(q, facets, page, limit, sort)
        return search_page(self._search_body(request), page=page, limit=limit)

    def search_all(
        self, q: str = "", *, facets: Mapping[str, Sequence[str]] | None = None, most: int = 1000
    ) -> Iterator[DatasetSummary]:
        """Yield the data sets that match, page after page, each once, at most `most` of them. Raises PortalError."""
        return self._pages(q, facets, whole_number("most", most))

    def record(self, dataset_id: str) -> Graph:
        """Return one data set's whole DCAT-AP record as a graph of its own. Raises PortalError if there is none."""
        graph = parse_record(self._record_body(checked_dataset_id(dataset_id)))
        if (None, RDF.type, DCAT.Dataset) not in graph:
            raise PortalError(f"The record of {dataset_id!r} describes no data set: take the id of a search result")
        return graph

    def sparql(self, query: str) -> pd.DataFrame:
        """Return what a SPARQL SELECT query finds: a row a solution, a column a variable, None where unbound.

        An ASK query gives one cell. Raises PortalError.
        """
        return table(self._sparql_body(checked_query(query)))

    @abstractmethod
    def link_status(self, url: str) -> int | None:
        """Return the HTTP status with which a link answers, or None if that is not known."""

    @abstractmethod
    def _search_body(self, request: SearchRequest) -> bytes:
        """Return a search answer: JSON in the shape of the portal's search API."""

    @abstractmethod
    def _record_body(self, identifier: str) -> bytes:
        """Return the Turtle of one record."""

    @abstractmethod
    def _sparql_body(self, query: str) -> bytes:
        """Return the answer to a query: SPARQL 1.1 Query Results JSON."""

    def _pages(self, q: str, facets: Mapping[str, Sequence[str]] | None, most: int) -> Iterator[DatasetSummary]:
        # Records may move between pages while the live portal changes, so each id is let through once.
        seen: set[str] = set()
        page = 0
        while len(seen) < most:
            found = self.search(q, facets=facets, page=page, limit=_PAGE)
            fresh = {record.id: record for record in found.records if record.id not in seen}
            for record in list(fresh.values())[: most - len(seen)]:
                seen.add(record.id)
                yield record
            page += 1
            if len(found.records) == 0 or page * _PAGE >= found.count:
                return
