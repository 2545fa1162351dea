"""The live portal, data.europa.eu: what to ask at which address.

Interfaces: the OpenAPI contracts of hub-search 5.3.11 and hub-repo 4.3.3, and the portal's SPARQL endpoint, read in
September 2026. All calls are anonymous.
"""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from labkit.download import Call, DownloadError, Downloads
from labkit.portal.base import Portal
from labkit.portal.links import answer_of, is_public
from labkit.portal.model import OFFLINE, PortalError
from labkit.portal.rdf import MOST_RECORD_BYTES
from labkit.portal.response import MOST_SEARCH_BYTES, glimpse
from labkit.portal.sparql_results import MOST_SPARQL_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from labkit.portal.request import SearchRequest

BASE_URL = "https://data.europa.eu"
"""Where the portal is."""

# Only what the records show: a search answer with every field and 24 languages is ten times as large.
_FIELDS = (
    "id,resource,title,description,country,categories,keywords,publisher,is_hvd,quality_meas,distributions,"
    "issued,modified"
)
_LONGEST_GET_QUERY = 2000


class LivePortal(Portal):
    """data.europa.eu itself.

    `base_url` is where it is; `timeout` the seconds it may stay silent (a whole answer may take three times as long);
    `sleep` waits between tries; `may_visit` says whether the link check may call a host: public ones only.
    """

    def __init__(
        self,
        base_url: str = BASE_URL,
        *,
        timeout: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
        may_visit: Callable[[str], bool] = is_public,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._may_visit = may_visit
        self._downloads = Downloads(timeout=timeout, sleep=sleep)

    def is_reachable(self, within: float) -> bool:
        """Return whether the portal answers a small search within so many seconds; it is asked once."""
        answers: list[bool] = []
        # In a thread, because looking up a host name takes its own time, which no HTTP time-out covers.
        asking = threading.Thread(target=lambda: answers.append(self._answers(within)), daemon=True)
        asking.start()
        asking.join(within)
        return answers == [True]

    def link_status(self, url: str) -> int | None:
        """Return the HTTP status with which `url` answers now, or None: no answer, or a host of a private network."""
        return answer_of(url, self._downloads.client, self._may_visit)

    def _search_body(self, request: SearchRequest) -> bytes:
        params = {
            "q": request.q,
            "filters": "dataset",
            "page": str(request.page),
            "limit": str(request.limit),
            "includes": _FIELDS,
        }
        if request.facets:
            params["facets"] = json.dumps({name: list(values) for name, values in request.facets}, ensure_ascii=False)
        if request.sort is not None:
            params["sort"] = request.sort
        missing = "There is no search at this address"
        return self._fetch("/api/hub/search/search", "application/json", MOST_SEARCH_BYTES, missing, params=params)

    def _record_body(self, identifier: str) -> bytes:
        path = f"/api/hub/repo/datasets/{quote(identifier, safe='')}.ttl"
        missing = f"There is no data set {identifier!r} on the live portal: take the id of a search result"
        params = {"useNormalizedId": "true", "locale": "en"}
        return self._fetch(path, "text/turtle", MOST_RECORD_BYTES, missing, params=params)

    def _sparql_body(self, query: str) -> bytes:
        accept = "application/sparql-results+json"
        missing = "There is no SPARQL endpoint at this address"
        asked = {"query": query}
        if len(query) <= _LONGEST_GET_QUERY:
            return self._fetch("/sparql", accept, MOST_SPARQL_BYTES, missing, params=asked)
        return self._fetch("/sparql", accept, MOST_SPARQL_BYTES, missing, form=asked)

    def _answers(self, within: float) -> bool:
        url = self._base_url + "/api/hub/search/search"
        try:
            return self._downloads.client.get(url, params={"q": "", "limit": "0"}, timeout=within).status_code == 200
        except httpx.HTTPError:
            return False

    def _fetch(
        self,
        path: str,
        accept: str,
        most_bytes: int,
        missing: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the body of an answer; `missing` says what a 404 means. Raises PortalError."""
        try:
            status, body = self._downloads.fetch(Call(self._base_url + path, most_bytes, accept, params or {}, form))
        except DownloadError as error:
            raise PortalError(f"{self._base_url} {error}: {error.advice}; {OFFLINE}") from error
        if status == 404:
            raise PortalError(missing)
        if status != 200:
            said = glimpse(body)
            raise PortalError(f"{self._base_url} refused the call (status {status}; {said}): change what you ask for")
        return body
