"""The catalogue that travels with the kit, through the same calls as a lesson makes."""

from __future__ import annotations

import pytest
from rdflib import URIRef
from rdflib.namespace import DCAT, RDF

from labkit.portal.embedded import EmbeddedPortal


@pytest.fixture(scope="module")
def kit() -> EmbeddedPortal:
    return EmbeddedPortal()


def test_every_record_can_be_found_and_read(kit: EmbeddedPortal) -> None:
    records = list(kit.search_all())

    assert len(records) == len(kit) >= 63
    for record in records:
        assert set(kit.record(record.id).subjects(RDF.type, DCAT.Dataset)) == {URIRef(record.uri)}
        assert record.country is not None


def test_the_eurostat_tables_are_there(kit: EmbeddedPortal) -> None:
    found = {record.id for record in kit.search("artificial intelligence", facets={"country": ["eu"]}).records}

    assert found == {"isoc_eb_ai", "isoc_eb_ai_noneu", "isoc_eb_ain2"}


def test_search_and_sparql_agree(kit: EmbeddedPortal) -> None:
    query = """
        PREFIX dcat: <http://www.w3.org/ns/dcat#>
        SELECT ?code (COUNT(DISTINCT ?d) AS ?n) WHERE {
            ?d a dcat:Dataset ; dcat:theme ?theme .
            FILTER(STRSTARTS(STR(?theme), "http://publications.europa.eu/resource/authority/data-theme/"))
            BIND(STRAFTER(STR(?theme), "data-theme/") AS ?code)
        } GROUP BY ?code
    """
    frame = kit.sparql(query)
    counted = dict(zip(frame["code"], frame["n"], strict=True))
    facets = kit.search(limit=0).facets["categories"]

    assert len(facets) == 13
    assert {code: counted[code] for code in facets} == dict(facets)
