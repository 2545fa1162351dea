"""Check a record against DCAT-AP 3 with SHACL, and say in plain words what is missing and how to mend it.

The shapes are in `data/shapes/dcat-ap-3.ttl`; the card beside them names their source. A record comes from anywhere, so
it is only ever read as data: nothing in it is fetched, imported or run, and its size is limited.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal as Choice

import pandas as pd
import pyshacl
from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, SKOS
from rdflib.term import Node

MAX_TURTLE_BYTES = 2_000_000
"""Largest Turtle text that is parsed, in bytes of UTF-8."""

MAX_TRIPLES = 5_000
"""Largest graph that is checked, in triples. So many data sets with nothing but their type take about 12 seconds."""

_PREFIXES = {
    str(DCAT): "dcat:",
    str(DCTERMS): "dct:",
    str(FOAF): "foaf:",
    str(SKOS): "skos:",
    "http://data.europa.eu/r5r/": "dcatap:",
    "http://spdx.org/rdf/terms#": "spdx:",
}
_COLUMNS = ["focus", "path", "message", "severity"]


class ShaclError(ValueError):
    """A record cannot be checked at all; the message is one line that says why and what to do."""


@dataclass(frozen=True, eq=False)
class Report:
    """What a check found.

    `conforms` is True when there is no violation; warnings do not count. `violations` has one row a finding:
    `focus` (address of the thing, or "(dcat:Distribution without an address)"), `path` (the property, such as
    "dct:title"), `message` (what is wrong and how to mend it) and `severity` ("Violation" or "Warning").
    """

    conforms: bool
    violations: pd.DataFrame


def validate(record: Graph | str, *, severity: Choice["Violation", "Warning"] = "Violation") -> Report:
    """Check a record, given as a graph or as Turtle text, against the DCAT-AP 3 shapes.

    `severity` is the mildest finding to list: "Violation" lists what the profile demands, "Warning" adds what it
    recommends. It does not change `conforms`. Raises ShaclError when the record is neither a graph nor Turtle text,
    holds no dcat:Dataset (what is not there breaks no rule, so it would conform), is too large, or cannot be checked.
    """
    if severity not in ("Violation", "Warning"):
        raise ValueError(f"severity is {severity!r}; write 'Violation' or 'Warning'")
    graph = record if isinstance(record, Graph) else parse_turtle(record)
    if len(graph) > MAX_TRIPLES:
        raise ShaclError(f"The graph has {len(graph)} triples, the limit is {MAX_TRIPLES}: check one record at a time.")
    if (None, RDF.type, DCAT.Dataset) not in graph:
        where = "graph" if graph is record else "text"
        raise ShaclError(
            f"There is no data set in this {where}: a record says '<address> a dcat:Dataset' and then what it knows."
        )
    findings = _findings(_results(graph), graph)
    conforms = not (findings["severity"] == "Violation").any()
    listed = findings if severity == "Warning" else findings[findings["severity"] == "Violation"]
    return Report(conforms=conforms, violations=listed.reset_index(drop=True))


def parse_turtle(text: str) -> Graph:
    """Turtle text as a graph.

    Raises ShaclError when it is no text, no Turtle (with the place of the mistake) or too long.
    """
    if not isinstance(text, str):
        raise ShaclError(f"A record is an rdflib graph or a text in Turtle, not {type(text).__name__}: read it first.")
    size = len(text.encode("utf-8", errors="replace"))
    if size > MAX_TURTLE_BYTES:
        raise ShaclError(
            f"The Turtle text has {size} bytes, the limit is {MAX_TURTLE_BYTES}: check one record at a time."
        )
    graph = Graph()
    try:
        with _quiet():
            graph.parse(data=text, format="turtle")
    except RecursionError:
        raise ShaclError("The Turtle text nests [ ] or ( ) too deeply: give the inner things addresses.") from None
    except Exception as error:  # the parser raises a dozen kinds, from SyntaxError to AttributeError, for bad text
        raise ShaclError(
            f"This is not Turtle: {_reason(error)}. Look for a missing full stop, quote or prefix."
        ) from error
    return graph


def _reason(error: Exception) -> str:
    """What the parser says, in one short line, without the excerpt in Python notation that follows."""
    if isinstance(error, IndexError):  # it read beyond the last character
        return "it stops in the middle of a statement"
    text = " ".join(str(error).split()).split(" at ^ in")[0].replace(" of <>", "")
    return text[:160] or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep rdflib from logging a traceback for each ill-typed literal: the shapes report it in plain words."""
    logger = logging.getLogger("rdflib.term")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


@cache
def _shapes() -> Graph:
    text = (resources.files("labkit") / "data" / "shapes" / "dcat-ap-3.ttl").read_text(encoding="utf-8")
    return Graph().parse(data=text, format="turtle")


def _results(graph: Graph) -> Graph:
    """What the validator reports, as a graph of sh:ValidationResult."""
    shapes = _shapes()
    try:
        with _quiet():
            _, results, _ = pyshacl.validate(
                graph,
                shacl_graph=shapes,
                advanced=False,  # no SHACL rules or functions
                js=False,
                inference=None,
                do_owl_imports=False,  # nothing is fetched
                meta_shacl=False,
            )
    except Exception as error:  # many kinds, most of them not its own: a list that contains itself is a ValueError
        raise _cannot_check(error) from error
    if not isinstance(results, Graph):
        raise _cannot_check(results)
    return results


def _cannot_check(reason: object) -> ShaclError:
    said = " ".join(str(reason).split())[:120] or type(reason).__name__
    return ShaclError(f"The record cannot be checked ({said}): simplify it.")


def _findings(results: Graph, graph: Graph) -> pd.DataFrame:
    """What was reported, as a table, each thing once; `graph` is the record."""
    rows = [
        _row(graph, results, result)
        for result in results.subjects(RDF.type, SH.ValidationResult)
        # text where a distribution belongs is reported once, at the data set, and not again as a poor distribution
        if not isinstance(results.value(result, SH.focusNode), Literal)
    ]
    # two values of one property can break the same rule: the learner needs to read it once
    return pd.DataFrame(rows, columns=_COLUMNS).drop_duplicates().sort_values(_COLUMNS, ignore_index=True)


def _row(graph: Graph, results: Graph, result: Node) -> dict[str, str]:
    severity = results.value(result, SH.resultSeverity)
    return {
        "focus": _focus(graph, results.value(result, SH.focusNode)),
        "path": _path(results, result),
        "message": str(results.value(result, SH.resultMessage)),
        "severity": str(severity).removeprefix(str(SH)),
    }


def _focus(graph: Graph, node: Node | None) -> str:
    """Address of the node; a blank node has none, and its internal name changes with every run."""
    if not isinstance(node, BNode):
        return str(node)
    names = sorted(map(_short, graph.objects(node, RDF.type))) or sorted(map(_short, graph.predicates(None, node)))
    return f"({names[0] if names else 'a thing'} without an address)"


def _path(results: Graph, result: Node) -> str:
    path = results.value(result, SH.resultPath)
    if isinstance(path, URIRef):
        return _short(path)
    alternatives = results.value(path, SH.alternativePath)
    members = results.items(alternatives) if alternatives is not None else ()
    return " or ".join(_short(member) for member in members)


def _short(node: Node) -> str:
    text = str(node)
    for namespace, prefix in _PREFIXES.items():
        if text.startswith(namespace):
            return prefix + text.removeprefix(namespace)
    return text
