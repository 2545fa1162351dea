"""rdflib's store in memory, made to answer in the same order each time.

The lists of all triples and of all graphs are sets there, so their order changes from one Python process to the next.
A lesson's stored output must not: `SELECT * { ?s ?p ?o } LIMIT 5` has to find the same five.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rdflib.plugins.stores.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Generator

_EVERYTHING = (None, None, None)


class OrderedMemory(Memory):
    """Triples in the order in which they were added, or by their text where all of them are asked for."""

    def triples(self, triple_pattern: Any, context: Any = None) -> Generator[Any, None, None]:
        """Yield the triples that fit a pattern, as rdflib's store does, in an order of their own."""
        found = super().triples(triple_pattern, context)
        yield from sorted(found, key=_text_of_triple) if triple_pattern == _EVERYTHING else found

    def contexts(self, triple: Any = None) -> Generator[Any, None, None]:
        """Yield the graphs (those with a triple, if one is given), ordered by name."""
        yield from sorted(super().contexts(triple), key=lambda graph: str(graph.identifier))


def _text_of_triple(entry: tuple[Any, Any]) -> tuple[str, ...]:
    return tuple(str(term) for term in entry[0])
