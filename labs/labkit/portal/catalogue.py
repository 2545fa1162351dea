"""Reads a DCAT-AP catalogue in Turtle once, and shows each data set as the search API would.

Order is fixed throughout: rdflib's graphs have none, and an answer must be the same each time.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from rdflib import RDF, RDFS, SKOS, BNode, Dataset, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF

from labkit.portal.countries import COUNTRIES, COUNTRY_PREFIX
from labkit.portal.model import DATASET_PREFIX, PortalError
from labkit.portal.rdf import quiet_about_odd_values
from labkit.portal.store import OrderedMemory
from labkit.vocabularies import THEMES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rdflib.term import Node

    _Triple = tuple[Node, Node, Node]

DCATAP = Namespace("http://data.europa.eu/r5r/")
DQV = Namespace("http://www.w3.org/ns/dqv#")
HVD_REGULATION = URIRef("http://data.europa.eu/eli/reg_impl/2023/138/oj")
"""Implementing Regulation (EU) 2023/138: a data set under it is a high-value one."""

SCORING = URIRef("https://piveau.eu/ns/voc#scoring")
"""The metric under which the portal stores a data set's score."""

# rdflib's DCAT is that of version 2, which has no series.
_SERIES = URIRef(str(DCAT) + "DatasetSeries")
_OTHER_RECORDS = frozenset({DCAT.Dataset, _SERIES, DCAT.Catalog, DCAT.CatalogRecord})


class Catalogue:
    """A parsed catalogue. `documents` holds each data set in the search API's shape, ordered by id."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._homes = _homes(graph)
        self._uris = {_last_part(uri): uri for uri in sorted(_of_type(graph, DCAT.Dataset))}
        self.documents: tuple[dict[str, object], ...] = tuple(
            self._document(identifier, self._uris[identifier]) for identifier in sorted(self._uris)
        )
        self.dataset = self._named_graphs()

    def turtle(self, identifier: str) -> bytes:
        """Return one data set's record in Turtle. Raises PortalError if there is none."""
        if identifier not in self._uris:
            raise PortalError(f"The bundled catalogue has no data set {identifier!r}: take the id of a search result")
        record = Graph(namespace_manager=self._graph.namespace_manager)
        _add(_record(self._graph, self._uris[identifier]), record)
        return record.serialize(format="turtle").encode()

    def _named_graphs(self) -> Dataset:
        """Return the catalogue as the portal's SPARQL endpoint holds it: a named graph for each data set."""
        dataset = Dataset(store=OrderedMemory(), default_union=True)
        for uri in self._uris.values():
            _add(_record(self._graph, uri), dataset.graph(uri))
        for uri in _of_type(self._graph, DCAT.Catalog):
            _add(_reachable(self._graph, uri), dataset.graph(uri))
        return dataset

    def _document(self, identifier: str, uri: URIRef) -> dict[str, object]:
        graph = self._graph
        home = self._homes.get(uri)
        places = _objects(graph, home, DCTERMS.spatial) if home is not None else _objects(graph, uri, DCTERMS.spatial)
        return {
            "id": identifier,
            "resource": str(uri),
            "title": _by_language(graph, uri, DCTERMS.title),
            "description": _by_language(graph, uri, DCTERMS.description),
            "country": _country(places),
            "keywords": _keywords(graph, uri),
            "categories": _categories(graph, uri),
            "is_hvd": (uri, DCATAP.applicableLegislation, HVD_REGULATION) in graph,
            "quality_meas": _quality(graph, uri),
            "publisher": _publisher(graph, uri),
            "catalog": None if home is None else {"id": _last_part(home), "resource": str(home)},
            "distributions": _distributions(graph, uri),
            "issued": _first(graph, uri, DCTERMS.issued),
            "modified": _first(graph, uri, DCTERMS.modified),
        }


@lru_cache(maxsize=4)
def load(path: Path) -> Catalogue:
    """Return the catalogue in a Turtle file; a file is read once. Raises PortalError if it cannot be."""
    graph = Graph()
    try:
        with quiet_about_odd_values():
            graph.parse(source=str(path), format="turtle")
    except OSError as error:
        raise PortalError(f"The bundled catalogue cannot be read ({path.name}): install the kit again") from error
    except Exception as error:  # rdflib's parser raises many kinds, none of them documented
        raise PortalError(f"The bundled catalogue is damaged ({path.name}): install the kit again") from error
    return Catalogue(graph)


def _of_type(graph: Graph, kind: URIRef) -> list[URIRef]:
    return sorted(subject for subject in set(graph.subjects(RDF.type, kind)) if isinstance(subject, URIRef))


def _homes(graph: Graph) -> dict[Node, URIRef]:
    """Return the catalogue of origin of each data set: one that lists it and holds no further catalogues."""
    catalogues = _of_type(graph, DCAT.Catalog)
    tops = {uri for uri in catalogues if (uri, DCAT.catalog, None) in graph or (uri, DCTERMS.hasPart, None) in graph}
    homes: dict[Node, URIRef] = {}
    for uri in catalogues:
        if uri not in tops:
            for dataset in graph.objects(uri, DCAT.dataset):
                homes.setdefault(dataset, uri)
    return homes


def _record(graph: Graph, uri: URIRef) -> list[_Triple]:
    """Return what the catalogue says about a data set, with its entry in the catalogue if it has one."""
    entries = sorted(graph.subjects(FOAF.primaryTopic, uri), key=str)
    return [triple for start in (uri, *entries) for triple in _reachable(graph, start)]


def _reachable(graph: Graph, start: Node) -> list[_Triple]:
    """Return the statements about a node and about what it points to, without crossing into another record."""
    found: list[_Triple] = []
    waiting, seen = [start], {start}
    while waiting:
        for triple in graph.triples((waiting.pop(), None, None)):
            found.append(triple)
            target = triple[2]
            if target not in seen and isinstance(target, URIRef | BNode) and not _is_other_record(graph, target):
                seen.add(target)
                waiting.append(target)
    return found


def _is_other_record(graph: Graph, node: Node) -> bool:
    return not _OTHER_RECORDS.isdisjoint(graph.objects(node, RDF.type))


def _add(triples: Iterable[_Triple], target: Graph) -> None:
    for triple in triples:
        target.add(triple)


def _objects(graph: Graph, subject: Node, predicate: URIRef) -> list[Node]:
    return sorted(graph.objects(subject, predicate), key=str)


def _first(graph: Graph, subject: Node, predicate: URIRef) -> str | None:
    return next((str(value) for value in _objects(graph, subject, predicate)), None)


def _by_language(graph: Graph, subject: Node, predicate: URIRef) -> dict[str, str]:
    texts: dict[str, str] = {}
    for value in _objects(graph, subject, predicate):
        if isinstance(value, Literal):
            texts.setdefault((value.language or "und").lower(), str(value))
    return dict(sorted(texts.items()))


def _keywords(graph: Graph, uri: URIRef) -> list[dict[str, str | None]]:
    words = [word for word in _objects(graph, uri, DCAT.keyword) if isinstance(word, Literal)]
    return [
        {"id": re.sub(r"\W+", "-", str(word).casefold()), "label": str(word), "language": word.language}
        for word in words
    ]


def _categories(graph: Graph, uri: URIRef) -> list[dict[str, str]]:
    values = [value for value in _objects(graph, uri, DCAT.theme) if isinstance(value, URIRef)]
    # A theme that the table does not have is no category: the record is there, but the facet does not find it.
    themes = [theme for value in values if (theme := THEMES.by_uri(str(value))) is not None]
    return [{"id": theme.code, "resource": theme.uri} for theme in themes]


def _country(places: list[Node]) -> dict[str, str] | None:
    for place in places:
        code = str(place).removeprefix(COUNTRY_PREFIX)
        if isinstance(place, URIRef) and code in COUNTRIES:
            identifier, label = COUNTRIES[code]
            return {"id": identifier, "label": label, "resource": str(place)}
    return None


def _quality(graph: Graph, uri: URIRef) -> dict[str, object] | None:
    for measurement in _objects(graph, uri, DQV.hasQualityMeasurement):
        if (measurement, DQV.isMeasurementOf, SCORING) in graph:
            value = graph.value(measurement, DQV.value)
            return {
                "scoring": value.toPython() if isinstance(value, Literal) and isinstance(value.value, int) else None
            }
    return None


def _publisher(graph: Graph, uri: URIRef) -> dict[str, str] | None:
    publisher = next(iter(_objects(graph, uri, DCTERMS.publisher)), None)
    if publisher is None:
        return None
    names = {
        **_by_language(graph, publisher, RDFS.label),
        **_by_language(graph, publisher, SKOS.prefLabel),
        **_by_language(graph, publisher, FOAF.name),
    }
    name = names.get("en") or next(iter(names.values()), None)
    return {"name": name or str(publisher)} if name or not isinstance(publisher, BNode) else None


def _distributions(graph: Graph, uri: URIRef) -> list[dict[str, object]]:
    parts = [_distribution(graph, part) for part in graph.objects(uri, DCAT.distribution)]
    # By content and not by node: the names of blank nodes change with each reading.
    return sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))


def _distribution(graph: Graph, part: Node) -> dict[str, object]:
    return {
        "id": None if isinstance(part, BNode) else _last_part(part),
        "title": _by_language(graph, part, DCTERMS.title),
        "description": _by_language(graph, part, DCTERMS.description),
        "format": _named(graph, part, DCTERMS.format),
        "license": _named(graph, part, DCTERMS.license),
        "access_url": [str(url) for url in _objects(graph, part, DCAT.accessURL)],
        "download_url": [str(url) for url in _objects(graph, part, DCAT.downloadURL)],
        "media_type": _first(graph, part, DCAT.mediaType),
        "byte_size": _first(graph, part, DCAT.byteSize),
    }


def _named(graph: Graph, subject: Node, predicate: URIRef) -> dict[str, str] | None:
    """Return an entry of a vocabulary as the API shows it: its code, and its address if the record gives one."""
    value = next(iter(_objects(graph, subject, predicate)), None)
    if isinstance(value, Literal):
        return {"id": str(value), "label": str(value)}
    if isinstance(value, URIRef):
        known = str(value).startswith("http://publications.europa.eu/resource/authority/")
        return {"id": _last_part(value) if known else str(value), "resource": str(value)}
    label = None if value is None else (_first(graph, value, RDFS.label) or _first(graph, value, SKOS.prefLabel))
    return None if label is None else {"id": label, "label": label}


def _last_part(node: Node) -> str:
    text = str(node)
    return text.removeprefix(DATASET_PREFIX) if text.startswith(DATASET_PREFIX) else re.split(r"[/#]", text)[-1] or text
