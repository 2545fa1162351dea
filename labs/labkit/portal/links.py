"""Asks a link whether it answers, without being led into a private network by somebody else's record."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_HOPS = 5
# Some servers know no HEAD: these answers say so, and only then is GET used.
_NO_HEAD = frozenset({405, 501})


def is_public(host: str) -> bool:
    """Return whether every address of a host is a public one. A host that is not found is not public."""
    try:
        found = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(entry[4][0]).split("%")[0]).is_global for entry in found)


def answer_of(url: str, client: httpx.Client, may_visit: Callable[[str], bool]) -> int | None:
    """Return the HTTP status of `url` after at most 5 redirects, or None if there is no answer or no leave to ask.

    The body is never read. Every hop is checked with `may_visit`, since a redirect may lead anywhere.
    """
    try:
        target = httpx.URL(url)
        for _ in range(_MOST_HOPS + 1):
            if target.scheme not in {"http", "https"} or not target.host or not may_visit(target.host):
                return None
            status, onward = _ask(target, client)
            if onward is None:
                return status
            target = target.join(onward)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError):
        return None
    return None


def _ask(target: httpx.URL, client: httpx.Client) -> tuple[int, str | None]:
    """Return the status of one address and where it sends us on, if it does."""
    for method in ("HEAD", "GET"):
        with client.stream(method, target, follow_redirects=False) as response:
            if method == "HEAD" and response.status_code in _NO_HEAD:
                continue
            return response.status_code, response.headers.get("Location") if response.is_redirect else None
    raise AssertionError("GET is never skipped")
