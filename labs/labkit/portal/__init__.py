"""Finds data sets: searches data.europa.eu or, without a network, the catalogue that travels with this kit.

    from labkit import portal

    europe = portal.connect()
    page = europe.search("air quality", facets={"country": ["pt"]})
    page.to_frame()

Only `connect` loads what a source needs, so importing this package is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.portal.model import DatasetSummary, DistributionSummary, PortalError, SearchPage
from labkit.sources import SETTING, chosen

if TYPE_CHECKING:
    from labkit.portal.base import Portal
    from labkit.portal.embedded import EmbeddedPortal
    from labkit.sources import Source

__all__ = ["SETTING", "DatasetSummary", "DistributionSummary", "PortalError", "SearchPage", "connect"]

_PATIENCE = 3.0


def connect(source: Source | None = None) -> Portal:
    """Return the portal to ask, and print one line that says what will answer.

    "embedded" is the bundled catalogue, "live" is data.europa.eu, "auto" is the live portal if it answers within
    3 seconds and the bundled catalogue otherwise. Without `source` the environment variable LABKIT_PORTAL decides,
    else "embedded". Raises PortalError if the source is not known.
    """
    try:
        place = chosen(source)
    except ValueError as error:
        raise PortalError(str(error)) from error
    if place == "embedded":
        return _embedded("")
    return _live(fall_back=place == "auto")


def _live(*, fall_back: bool) -> Portal:
    from labkit.portal import live  # noqa: PLC0415 (see above: importing is quick)

    portal = live.LivePortal(live.BASE_URL)
    if fall_back and not portal.is_reachable(_PATIENCE):
        return _embedded(f"{live.BASE_URL} did not answer within {_PATIENCE:.0f} seconds. ")
    print(f"Answers come live from {live.BASE_URL}: they change from day to day.")
    return portal


def _embedded(reason: str) -> EmbeddedPortal:
    from labkit.portal.embedded import EmbeddedPortal  # noqa: PLC0415 (see above: importing is quick)

    portal = EmbeddedPortal()
    print(
        f"{reason}Answers come from the catalogue in this kit ({len(portal)} data sets, no network; "
        'those whose id begins with "demo-" are made up for teaching).'
    )
    return portal
