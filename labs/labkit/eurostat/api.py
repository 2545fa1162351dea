"""Fetch a Eurostat table: live from the statistics API, or the part of it that travels with the kit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, get_args

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from labkit import __version__
from labkit.eurostat import jsonstat
from labkit.eurostat.bundle import BUNDLED, bundled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from labkit.eurostat.cube import Cube

STATISTICS_API = "https://ec.europa.eu/eurostat/api/dissemination/statistics/1.0/data"
"""Address of Eurostat's statistics API; a table's code follows it."""

USER_AGENT = f"ai-skills-academy/{__version__}"
"""How the kit names itself to the server."""

Source = Literal["embedded", "live", "auto"]
"""Where an answer comes from: the kit's own data, the network, or the network if it can be reached."""

_SOURCES: tuple[Source, ...] = get_args(Source)
_ATTEMPTS = 3
_WAIT = wait_random_exponential(multiplier=0.5, max=8)  # seconds
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_AUTO_TIMEOUT = httpx.Timeout(30.0, connect=3.0)  # with no network a lesson must not stand still


class EurostatError(RuntimeError):
    """The table could not be had; the message says in one line what is wrong and what to do."""


class _UnreachableError(EurostatError):
    """Nobody answers, or only to say that they are overloaded: worth another try, or the embedded data."""


def fetch(
    code: str,
    *,
    source: Source | None = None,
    base_url: str = STATISTICS_API,
    **dimensions: str | int | Sequence[str | int],
) -> Cube:
    """Fetch a table or a part of it, and print in one line who answered.

    `fetch("isoc_eb_ai", geo=["EU27_2020", "MT"], time=2025)`: each keyword is a dimension with one code or several.
    `source` is "embedded" (the kit's own extracts, no network), "live", or "auto" (live if Eurostat can be reached,
    else embedded); None means what the environment variable LABKIT_PORTAL says, else "embedded".

    The names in `BUNDLED` mean the same thing live and embedded: live they ask for the codes that the extract holds,
    in all years that Eurostat has, unless a keyword says otherwise.
    Raises EurostatError for an unknown table, dimension or code, a network fault, and an answer that is not data.
    """
    wanted = {name: _as_codes(codes) for name, codes in dimensions.items()}
    place = _place(source)
    if place == "embedded":
        return _embedded(code, wanted)
    if place == "live":
        return _live(code, wanted, base_url, _ATTEMPTS, _TIMEOUT)
    try:
        return _live(code, wanted, base_url, 1, _AUTO_TIMEOUT)
    except _UnreachableError:
        return _embedded(code, wanted)


def _as_codes(codes: str | int | Sequence[str | int]) -> list[str]:
    return [str(codes)] if isinstance(codes, str | int) else [str(code) for code in codes]


def _place(source: Source | None) -> Source:
    """Decide where to ask; LABKIT_PORTAL=embedded keeps "auto" off the network."""
    setting = os.environ.get("LABKIT_PORTAL")
    chosen = "embedded" if source == "auto" and setting == "embedded" else source or setting or "embedded"
    for known in _SOURCES:
        if chosen == known:
            return known
    raise EurostatError(f"There is no source {chosen!r}: use embedded, live or auto (argument or LABKIT_PORTAL).")


def _embedded(code: str, wanted: Mapping[str, list[str]]) -> Cube:
    if code not in BUNDLED:
        raise EurostatError(
            f"The kit carries no table {code!r}. It carries {', '.join(BUNDLED)}; for others use source='live'."
        )
    cube = jsonstat.decode(bundled(code))
    try:
        part = cube.select(**wanted)
    except ValueError as error:
        raise EurostatError(
            f"{error} (This is the kit's extract of {code}; source='live' asks for all of it.)"
        ) from error
    print(f"Eurostat: answered from the kit's own extract of {code} (no network used).")
    return part


def _live(code: str, wanted: Mapping[str, list[str]], base_url: str, attempts: int, timeout: httpx.Timeout) -> Cube:
    table, query = _query(code, wanted)
    retrying = Retrying(
        retry=retry_if_exception_type(_UnreachableError), stop=stop_after_attempt(attempts), wait=_WAIT, reraise=True
    )
    status, body = retrying(_download, f"{base_url.rstrip('/')}/{table}", query, timeout)
    cube = _read(status, body, table)
    _refuse_gaps(cube, wanted, table)
    print(f"Eurostat: answered live by the statistics API ({table}, updated {cube.updated or 'at an unknown date'}).")
    return cube


def _refuse_gaps(cube: Cube, wanted: Mapping[str, list[str]], table: str) -> None:
    """Eurostat leaves out a code it does not know and still answers 200: say so instead of returning less."""
    for name in cube.names:
        if unknown := sorted(set(wanted.get(name, ())) - set(cube.dimension(name).codes)):
            raise EurostatError(f"Eurostat's {table} has nothing for {name}={'+'.join(unknown)}: check the code.")
    if not cube.values:
        asked = ", ".join(f"{name}={'+'.join(codes)}" for name, codes in wanted.items()) or "everything"
        raise EurostatError(f"Eurostat's {table} holds no number for {asked}: check how the codes go together.")


def _query(code: str, wanted: Mapping[str, list[str]]) -> tuple[str, dict[str, list[str]]]:
    """Table code and query of a live request; the kit's own extracts stand for the codes they hold."""
    if not (code.isascii() and code.replace("_", "").replace("-", "").replace("$", "").isalnum()):
        raise EurostatError(f"{code!r} is not a table code: codes look like isoc_eb_ai.")
    query: dict[str, list[str]] = {}
    table = code
    if code in BUNDLED:
        extract = jsonstat.decode(bundled(code))
        table = str(extract.extension["id"]).lower()
        query = {dim.name: list(dim.codes) for dim in extract.dimensions if dim.name != "time"}
    return table, {"format": ["JSON"], "lang": ["EN"], **query, **wanted}


def _download(url: str, query: Mapping[str, list[str]], timeout: httpx.Timeout) -> tuple[int, bytes]:
    """One request; the body is read up to the size that the reader takes."""
    pairs: list[tuple[str, str | int | float | bool | None]] = [
        (name, code) for name, codes in query.items() for code in codes
    ]
    body = bytearray()
    try:
        with (
            httpx.Client(timeout=timeout, headers={"User-Agent": USER_AGENT}) as client,
            client.stream("GET", url, params=pairs) as answer,
        ):
            if answer.status_code == 429 or answer.status_code >= 500:
                raise _UnreachableError(
                    f"Eurostat is overloaded or down (HTTP {answer.status_code}): "
                    "try again in some minutes, or use source='embedded'."
                )
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > jsonstat.MAX_BYTES:
                    raise EurostatError(f"The answer is larger than {jsonstat.MAX_BYTES:,} bytes: ask for fewer codes.")
            return answer.status_code, bytes(body)
    except httpx.HTTPError as error:
        raise _UnreachableError(
            f"Eurostat cannot be reached ({type(error).__name__}): check the network, or use source='embedded'."
        ) from error


def _read(status: int, body: bytes, table: str) -> Cube:
    try:
        cube = jsonstat.decode(body)
    except jsonstat.JsonStatError as error:
        known = body.lstrip().startswith(b"{")
        if status != 200 and not known:
            raise EurostatError(f"Eurostat answered HTTP {status} for {table}: check the table code.") from error
        raise EurostatError(f"{table}: {error}") from error
    if status != 200:
        raise EurostatError(f"Eurostat answered HTTP {status} for {table}: try again later, or use source='embedded'.")
    return cube
