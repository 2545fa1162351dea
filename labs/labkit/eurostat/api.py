"""Fetch a Eurostat table: live from the statistics API, or the part of it that travels with the kit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TYPE_CHECKING

from labkit.download import Call, DownloadError, Downloads, TooLargeError
from labkit.eurostat import jsonstat
from labkit.eurostat.bundle import BUNDLED, bundled
from labkit.eurostat.cube import shorten
from labkit.sources import chosen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from labkit.eurostat.cube import Cube
    from labkit.sources import Source

STATISTICS_API = "https://ec.europa.eu/eurostat/api/dissemination/statistics/1.0/data"
"""Address of Eurostat's statistics API; a table's code follows it."""

_PATIENCE = 3.0  # seconds to be reached with "auto": with no network a lesson must not stand still


class EurostatError(RuntimeError):
    """The table could not be had; the message says in one line what is wrong and what to do."""


class _UnreachableError(EurostatError):
    """There is no answer: with "auto" the kit's own data take its place."""


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
    Raises EurostatError for an unknown source, table, dimension or code, a value that is no code, a network fault,
    and an answer that is not data.
    """
    wanted = {name: _as_codes(name, codes) for name, codes in dimensions.items()}
    try:
        place = chosen(source)
    except ValueError as error:
        raise EurostatError(f"{error}.") from error
    if place == "embedded":
        return _embedded(code, wanted)
    if place == "live":
        return _live(code, wanted, base_url, Downloads())
    try:
        return _live(code, wanted, base_url, Downloads(connect=_PATIENCE, attempts=1))
    except _UnreachableError:
        return _embedded(code, wanted)


def _as_codes(name: str, codes: object) -> list[str]:
    """Return the codes asked for in one dimension, as texts."""
    several = [codes] if isinstance(codes, str | bytes) or not isinstance(codes, Iterable) else list(codes)
    if wrong := [code for code in several if isinstance(code, bool) or not isinstance(code, str | Integral)]:
        raise EurostatError(
            f"{name} cannot be {shorten(wrong[0])}: give a code or a list of codes, or leave {name} out to get all."
        )
    return [str(code) for code in several]


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


def _live(code: str, wanted: Mapping[str, list[str]], base_url: str, downloads: Downloads) -> Cube:
    table, query = _query(code, wanted)
    status, body = _download(f"{base_url.rstrip('/')}/{table}", query, downloads)
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
    if not _is_table_code(code):
        raise EurostatError(f"{code!r} is not a table code: codes look like isoc_eb_ai.")
    query: dict[str, list[str]] = {}
    table = code
    if code in BUNDLED:
        extract = jsonstat.decode(bundled(code))
        table = str(extract.extension["id"]).lower()
        query = {dim.name: list(dim.codes) for dim in extract.dimensions if dim.name != "time"}
    return table, {"format": ["JSON"], "lang": ["EN"], **query, **wanted}


def _is_table_code(code: object) -> bool:
    # Nothing else may become a part of the address.
    return isinstance(code, str) and code.isascii() and re.sub(r"[_$-]", "", code).isalnum()


def _download(url: str, query: Mapping[str, list[str]], downloads: Downloads) -> tuple[int, bytes]:
    """Status and body of the answer; the body is read up to the size that the reader takes."""
    try:
        with downloads.client:
            return downloads.fetch(Call(url, jsonstat.MAX_BYTES, params=query))
    except TooLargeError as error:
        raise EurostatError(f"Eurostat {error}: {error.advice}.") from error
    except DownloadError as error:
        raise _UnreachableError(f"Eurostat {error}: {error.advice}, or use source='embedded'.") from error


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
