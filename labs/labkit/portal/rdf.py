"""Reads Turtle that nobody vouches for into an rdflib graph."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from rdflib import Graph

from labkit.portal.model import OFFLINE, PortalError
from labkit.portal.response import check_size, glimpse

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_RECORD_BYTES = 5 * 2**20
"""The largest record that is read."""


def parse_record(body: bytes) -> Graph:
    """Return the graph that a record's Turtle holds. Raises PortalError if it is too large or not Turtle."""
    check_size(body, what="The record", most_bytes=MOST_RECORD_BYTES)
    graph = Graph()
    try:
        with quiet_about_odd_values():
            graph.parse(data=body, format="turtle")
    except Exception as error:  # rdflib's parser raises many kinds, none of them documented
        raise PortalError(f"The record is not Turtle ({glimpse(body)}): try again later; {OFFLINE}") from error
    return graph


@contextlib.contextmanager
def quiet_about_odd_values() -> Iterator[None]:
    """Keep rdflib from logging a traceback for each literal that does not fit its type, such as "soon"^^xsd:date.

    Real records hold such values, and finding them is part of a lesson. The literal itself is kept as it is.
    """
    logger = logging.getLogger("rdflib.term")
    logger.addFilter(_not_about_literals)
    try:
        yield
    finally:
        logger.removeFilter(_not_about_literals)


def _not_about_literals(entry: logging.LogRecord) -> bool:
    return not entry.getMessage().startswith("Failed to convert Literal")
