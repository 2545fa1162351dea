"""How old the tables are: which entries have to be looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.aiact.entries import AS_OF, SOURCES, TABLES

if TYPE_CHECKING:
    from datetime import date


def stale(on: date) -> list[str]:
    """List what is over 12 months old on the day `on`, one line each; empty if all is fresh enough."""
    limit = _a_year_before(on)
    lines = [f"AS_OF is {AS_OF}: compare the law with the published texts again."] if limit > AS_OF else []
    for table in TABLES:
        old = [entry for entry in table.values() if entry.checked < limit]
        lines += [f"tables/{table.name}.toml: {entry.id} was checked on {entry.checked}." for entry in old]
    old_sources = [source for source in SOURCES.values() if source.read_on < limit]
    return lines + [f"tables/sources.toml: {source.id} was read on {source.read_on}." for source in old_sources]


def _a_year_before(on: date) -> date:
    try:
        return on.replace(year=on.year - 1)
    except ValueError:  # 29 February
        return on.replace(year=on.year - 1, day=28)
