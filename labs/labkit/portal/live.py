"""The live portal, data.europa.eu, over HTTP: time-outs, patient retries, and a limit to what is read.

Interfaces: the OpenAPI contracts of hub-search 5.3.11 and hub-repo 4.3.3, and the portal's SPARQL endpoint, read in
September 2026. All calls are anonymous.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

import labkit
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

ATTEMPTS = 4
"""How often a call is tried before it is given up."""

LONGEST_WAIT = 20.0
"""The longest pause between two tries, in seconds, whatever the server's Retry-After says."""

# Only what the records show: a search answer with every field and 24 languages is ten times as large.
_FIELDS = (
    "id,resource,title,description,country,categories,keywords,publisher,is_hvd,quality_meas,distributions,"
    "issued,modified"
)
_LONGEST_GET_QUERY = 2000
_back_off = wait_exponential(multiplier=0.5, max=8) + wait_random(0, 0.5)


@dataclass(frozen=True)
class _Call:
    """One HTTP call: `missing` is what a 404 means, `most_bytes` how much of the answer is read."""

    method: str
    path: str
    accept: str
    most_bytes: int
    missing: str
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


class _TryAgainError(Exception):
    """A fault that may pass; `wait` is what the server asks for, in seconds, or None."""

    def __init__(self, what: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.wait = wait


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
        self._longest = 3 * timeout
        self._sleep = sleep
        self._may_visit = may_visit
        self._client = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            headers={"User-Agent": f"ai-skills-academy/{labkit.__version__}"},
            follow_redirects=True,
            max_redirects=5,
        )

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
        return answer_of(url, self._client, self._may_visit)

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
        return self._fetch(
            _Call("GET", "/api/hub/search/search", "application/json", MOST_SEARCH_BYTES, missing, params)
        )

    def _record_body(self, identifier: str) -> bytes:
        path = f"/api/hub/repo/datasets/{quote(identifier, safe='')}.ttl"
        missing = f"There is no data set {identifier!r} on the live portal: take the id of a search result"
        params = {"useNormalizedId": "true", "locale": "en"}
        return self._fetch(_Call("GET", path, "text/turtle", MOST_RECORD_BYTES, missing, params))

    def _sparql_body(self, query: str) -> bytes:
        accept = "application/sparql-results+json"
        missing = "There is no SPARQL endpoint at this address"
        if len(query) <= _LONGEST_GET_QUERY:
            call = _Call("GET", "/sparql", accept, MOST_SPARQL_BYTES, missing, params={"query": query})
        else:
            call = _Call("POST", "/sparql", accept, MOST_SPARQL_BYTES, missing, form={"query": query})
        return self._fetch(call)

    def _answers(self, within: float) -> bool:
        url = self._base_url + "/api/hub/search/search"
        try:
            return self._client.get(url, params={"q": "", "limit": "0"}, timeout=within).status_code == 200
        except httpx.HTTPError:
            return False

    def _fetch(self, call: _Call) -> bytes:
        retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=_pause,
            retry=retry_if_exception_type(_TryAgainError),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._once, call)
        except _TryAgainError as error:
            where = self._base_url
            raise PortalError(f"{where} {error} ({ATTEMPTS} tries): try again later; {OFFLINE}") from error

    def _once(self, call: _Call) -> bytes:
        url = self._base_url + call.path
        headers = {"Accept": call.accept}
        try:
            with self._client.stream(
                call.method, url, params=call.params or None, data=call.form, headers=headers
            ) as response:
                self._check_status(response, call)
                return self._read(response, call.most_bytes)
        except httpx.ReadTimeout as error:
            # Not tried again: a question that is too much for the server once is too much four times.
            raise self._too_slow() from error
        except httpx.TransportError as error:
            raise _TryAgainError(f"cannot be reached ({type(error).__name__})") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PortalError(f"{url} gave no usable answer ({type(error).__name__}): {OFFLINE}") from error

    def _check_status(self, response: httpx.Response, call: _Call) -> None:
        status = response.status_code
        if status == 429 or status >= 500:
            raise _TryAgainError(f"answers {status}", _retry_after(response.headers.get("Retry-After", "")))
        if status == 404:
            raise PortalError(call.missing)
        if status != 200:
            said = glimpse(next(response.iter_bytes(200), b""))
            raise PortalError(f"{self._base_url} refused the call (status {status}; {said}): change what you ask for")

    def _read(self, response: httpx.Response, most_bytes: int) -> bytes:
        body = bytearray()
        give_up_at = time.monotonic() + self._longest
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > most_bytes:
                limit = f"{most_bytes // 2**20} MB"
                raise PortalError(f"{self._base_url} sends more than {limit}: ask for fewer records at once")
            if time.monotonic() > give_up_at:
                raise self._too_slow()
        return bytes(body)

    def _too_slow(self) -> PortalError:
        return PortalError(f"{self._base_url} took too long to answer: ask for less at once; {OFFLINE}")


def _pause(state: RetryCallState) -> float:
    """Return the seconds until the next try: what the server asks for, within reason, else a growing random pause."""
    fault = state.outcome.exception() if state.outcome is not None else None
    if isinstance(fault, _TryAgainError) and fault.wait is not None:
        return min(fault.wait, LONGEST_WAIT)
    return float(_back_off(state))


def _retry_after(value: str) -> float | None:
    """Return the seconds a Retry-After header asks for: it holds seconds or a date (RFC 9110, section 10.2.3)."""
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    # A date without a zone is taken as UTC, as HTTP dates are.
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
