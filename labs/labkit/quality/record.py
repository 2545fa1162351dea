"""One data set, cut out of a graph of records, and how its values are read and shown."""

from collections.abc import Callable
from dataclasses import dataclass

from rdflib import RDF, BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT
from rdflib.term import Node

LinkStatus = Callable[[str], int | None]
"""Gives the HTTP status of a web address, or None when it is not known or nothing answered in time."""


class RecordError(ValueError):
    """A graph holds no record that can be assessed; the message is one line that says why and what to do."""


@dataclass(frozen=True, eq=False)
class Record:
    """One data set, what its graph says about it, and the way to ask whether a link answers."""

    graph: Graph
    dataset: Node
    link_status: LinkStatus

    def status_of(self, url: str) -> int | None:
        """HTTP status of a web address, or None. Raises RecordError when `link_status` gives something else."""
        status: object = self.link_status(url)
        if status is None:
            return None
        if isinstance(status, int) and not isinstance(status, bool):
            return status
        raise RecordError(
            f"link_status gave {type(status).__name__} for {show(URIRef(url))}: it must give a number, as 200, or None."
        )

    def values(self, subject: Node, predicate: URIRef) -> list[Node]:
        """Values that say something (empty text does not), in a fixed order."""
        found = {value for value in self.graph.objects(subject, predicate) if str(value).strip()}
        return sorted(found, key=lambda value: (isinstance(value, BNode), str(value)))

    def distributions(self) -> list[Node]:
        """Distributions that are things with properties; text in their place is none."""
        return [node for node in self.values(self.dataset, DCAT.distribution) if not isinstance(node, Literal)]


def cut_out(graph: Graph, dataset: URIRef | None, link_status: LinkStatus) -> Record:
    """Cut the record of a data set out of a graph; without a name, the graph must have exactly one.

    Kept is what the graph says about the data set and about the things it points to, but not about other data sets
    and catalogues. Raises RecordError when the record is no graph or `link_status` no function, and when the data set
    is not there or not named where it must be.
    """
    if not isinstance(graph, Graph):
        raise RecordError(f"A record is an rdflib graph, not {type(graph).__name__}: use shacl.parse_turtle(text).")
    if not callable(link_status):
        raise RecordError(f"link_status is {link_status!r}: give a function, such as link_status of a portal.")
    node = _find(graph, dataset)
    others = set(graph.subjects(RDF.type, DCAT.Dataset)) | set(graph.subjects(RDF.type, DCAT.Catalog))
    seen, waiting, cut = {node}, [node], Graph()
    while waiting:
        subject = waiting.pop()
        for triple in graph.triples((subject, None, None)):
            cut.add(triple)
            value = triple[2]
            if value not in seen and value not in others and not isinstance(value, Literal):
                seen.add(value)
                waiting.append(value)
    return Record(cut, node, link_status)


def _find(graph: Graph, wanted: URIRef | None) -> Node:
    found = sorted(set(graph.subjects(RDF.type, DCAT.Dataset)), key=str)
    if wanted is not None:
        if wanted in found:
            return wanted
        raise RecordError(f"The graph has no dcat:Dataset <{wanted}>: check the address, or leave it out.")
    if not found:
        raise RecordError("The graph has no dcat:Dataset: give a record that says '<address> a dcat:Dataset'.")
    if len(found) > 1:
        some = ", ".join(f"<{node}>" for node in found[:3])
        raise RecordError(f"The graph has {len(found)} data sets ({some} ...): name one with dataset=URIRef(...).")
    return found[0]


def show(value: Node) -> str:
    """Value as it would stand in Turtle, but short."""
    if isinstance(value, BNode):
        return "a thing without an address"
    text = " ".join(str(value).split())
    text = text if len(text) <= 80 else text[:77] + "..."
    return f"'{text}'" if isinstance(value, Literal) else f"<{text}>"
