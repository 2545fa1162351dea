"""The bundled catalogue's engine, on a small catalogue of its own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rdflib import Graph, Literal, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, RDF

from labkit.portal import PortalError
from labkit.portal.embedded import EmbeddedPortal, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AIR = URIRef("http://data.europa.eu/88u/dataset/demo-air")
TREES = URIRef("http://data.europa.eu/88u/dataset/demo-trees")
ODD = URIRef("http://data.europa.eu/88u/dataset/demo-odd")
PREFIXES = "PREFIX dcat: <http://www.w3.org/ns/dcat#> PREFIX dct: <http://purl.org/dc/terms/> "


def ids(
    portal: EmbeddedPortal,
    q: str = "",
    facets: Mapping[str, Sequence[str]] | None = None,
    sort: str | None = None,
) -> list[str]:
    return [record.id.removeprefix("demo-") for record in portal.search(q, facets=facets, sort=sort).records]


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("", ["air", "odd", "trees"]),
        ("air", ["air", "trees"]),
        ("QUALITE", ["air"]),
        ("school", ["air"]),
        ("ecole", ["trees"]),
        ("air ecoles", ["trees"]),
        ("air pollution", ["air"]),
        ("pollution arbres", []),
        ("μετρησεις", ["odd"]),
        ("lair", []),
        ('"()*:?', ["air", "odd", "trees"]),
    ],
)
def test_every_word_must_occur_in_some_language(embedded: EmbeddedPortal, q: str, expected: list[str]) -> None:
    assert ids(embedded, q) == expected


def test_a_title_counts_more_than_a_description(tmp_path: Path) -> None:
    text = "@prefix d: <http://data.europa.eu/88u/dataset/> . @prefix t: <http://purl.org/dc/terms/> ."
    text += "".join(
        f'd:{name} a <http://www.w3.org/ns/dcat#Dataset> ; t:title "{title}"@en ; t:description "{description}"@en .'
        for name, title, description in [("a", "Rivers", "About lakes"), ("b", "Lakes", "All"), ("c", "Lakes", "Some")]
    )
    (tmp_path / "small.ttl").write_text(text, encoding="utf-8")

    assert ids(EmbeddedPortal(tmp_path / "small.ttl"), "lakes") == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("facets", "expected"),
    [
        ({"country": ["fr"]}, ["air", "trees"]),
        ({"country": ["gr", "fr"]}, ["air", "odd", "trees"]),
        ({"country": ["fr"], "categories": ["HEAL"]}, ["air"]),
        ({"country": ["eu"]}, []),
        ({"categories": ["NATURE"]}, []),
        ({"license": ["CC_BY_4_0"]}, ["air"]),
        ({"license": ["ask us"]}, ["trees"]),
        ({"format": ["JSON", "csv"]}, ["air", "trees"]),
        ({"is_hvd": ["false"]}, ["odd", "trees"]),
        ({"publisher": ["Ville d'Exemple"]}, ["air"]),
        ({"keywords": ["pollution"]}, ["air"]),
        ({"catalog": ["polis"]}, ["odd"]),
        ({"country": []}, ["air", "odd", "trees"]),
    ],
)
def test_facets_are_or_within_and_and_between(
    embedded: EmbeddedPortal, facets: dict[str, list[str]], expected: list[str]
) -> None:
    assert ids(embedded, facets=facets) == expected


def test_an_unknown_facet_lists_the_known_ones(embedded: EmbeddedPortal) -> None:
    with pytest.raises(PortalError, match="no facet 'land' here: use one of country, catalog"):
        embedded.search(facets={"land": ["fr"]})


def test_facets_count_what_was_found(embedded: EmbeddedPortal) -> None:
    page = embedded.search("air", limit=1)

    assert page.count == 2
    assert len(page.records) == 1
    assert page.facets["country"] == {"fr": 2}
    assert page.facets["categories"] == {"ENVI": 2, "HEAL": 1}
    assert list(page.facets["categories"]) == ["ENVI", "HEAL"]
    assert page.facets["is_hvd"] == {"false": 1, "true": 1}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("modified+desc", ["trees", "air", "odd"]),
        ("modified+asc", ["air", "trees", "odd"]),
        ("issued+asc", ["air", "odd", "trees"]),
        ("title.en+asc", ["air", "trees", "odd"]),
        ("title.fr+asc", ["trees", "air", "odd"]),
        ("title.fr+desc", ["air", "trees", "odd"]),
        ("relevance+desc", ["air", "odd", "trees"]),
        ("relevance+asc", ["trees", "odd", "air"]),
    ],
)
def test_sorting_puts_what_cannot_be_compared_last(embedded: EmbeddedPortal, sort: str, expected: list[str]) -> None:
    assert ids(embedded, sort=sort) == expected


def test_pages_follow_each_other(embedded: EmbeddedPortal) -> None:
    pages = [embedded.search(page=page, limit=2) for page in range(3)]

    assert [[record.id for record in page.records] for page in pages] == [["demo-air", "demo-odd"], ["demo-trees"], []]
    assert embedded.search(limit=0).records == ()
    assert [record.id for record in embedded.search_all()] == ["demo-air", "demo-odd", "demo-trees"]


def test_a_record_looks_as_on_the_live_portal(embedded: EmbeddedPortal) -> None:
    air, odd, trees = embedded.search().records

    assert (air.uri, air.country, air.themes) == (str(AIR), "fr", ("ENVI", "HEAL"))
    assert (air.publisher, air.is_hvd, air.quality) == ("Ville d'Exemple", True, 355)
    table = next(part for part in air.distributions if part.format == "CSV")
    assert (table.id, table.licence, table.media_type, table.byte_size) == ("air-csv", "CC_BY_4_0", "text/csv", 1200)
    assert {part.licence for part in air.distributions} == {"CC_BY_4_0", "https://ville.example.org/own-licence"}
    assert trees.distributions[0].licence == "ask us"
    assert (trees.publisher, trees.quality, trees.is_hvd) == (None, None, False)
    assert (odd.title(), odd.country, odd.themes, odd.publisher, odd.modified) == ("demo-odd", "gr", (), None, "soon")


def test_a_record_is_whole_and_holds_no_other(embedded: EmbeddedPortal) -> None:
    record = embedded.record("demo-air")

    assert set(record.subjects(RDF.type, DCAT.Dataset)) == {AIR}
    assert set(record.subjects(RDF.type, DCAT.Catalog)) == set()
    assert len(set(record.subjects(RDF.type, DCAT.Distribution))) == 2
    assert (AIR, DCTERMS.relation, TREES) in record
    assert (TREES, None, None) not in record
    assert Literal("Ville d'Exemple", lang="fr") in set(record.objects())
    assert "dcat:Dataset" in record.serialize(format="turtle")


def test_a_record_keeps_values_that_do_not_fit_without_a_traceback(
    embedded: EmbeddedPortal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        record = embedded.record("demo-odd")

    assert str(record.value(ODD, DCTERMS.modified)) == "soon"
    assert len(set(record.subjects(RDF.type, DCAT.CatalogRecord))) == 1
    assert caplog.records == []


def test_changing_a_record_changes_nothing_for_the_next_reader(embedded: EmbeddedPortal) -> None:
    first = embedded.record("demo-air")
    before = Graph() + first
    first.remove((None, None, None))

    assert isomorphic(embedded.record("demo-air"), before)


def test_an_unknown_record_is_named(embedded: EmbeddedPortal) -> None:
    with pytest.raises(PortalError, match="has no data set 'nope'"):
        embedded.record("nope")


def test_sparql_answers_as_a_table_with_none_where_unbound(embedded: EmbeddedPortal) -> None:
    frame = embedded.sparql(
        PREFIXES
        + "SELECT ?d ?t WHERE { ?d a dcat:Dataset OPTIONAL { ?d dct:title ?t FILTER(lang(?t) = 'en') } } ORDER BY ?d"
    )

    assert list(frame.columns) == ["d", "t"]
    assert frame["d"].tolist() == [str(AIR), str(ODD), str(TREES)]
    assert frame["t"].tolist() == ["Air quality", None, None]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT (COUNT(*) AS ?n) { ?d a dcat:Dataset }", 3),
        ("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?d a dcat:Dataset } }", 3),
        ("SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?g dct:title ?t } }", 6),
        ("SELECT (COUNT(DISTINCT ?c) AS ?n) { ?c dcat:dataset ?d . ?d dcat:theme ?t }", 3),
        ("SELECT (AVG(?s) AS ?n) { ?d dcat:byteSize ?s }", 1200.0),
        ("SELECT (COUNT(*) AS ?n) { ?d a dcat:Dataset FILTER NOT EXISTS { ?d dct:title ?t } }", 1),
        ("ASK { ?d dcat:theme ?t }", True),
        ("ASK { ?d dct:nothing ?t }", False),
    ],
)
def test_sparql_sees_one_graph_a_data_set_and_all_of_them(
    embedded: EmbeddedPortal, query: str, expected: object
) -> None:
    frame = embedded.sparql(PREFIXES + query)

    assert frame.shape == (1, 1)
    assert frame.iloc[0, 0] == expected


def test_a_star_gives_columns_in_the_order_of_the_query(embedded: EmbeddedPortal) -> None:
    frame = embedded.sparql(PREFIXES + "SELECT * { ?zeta dcat:theme ?alpha . ?zeta dct:title ?mid }")

    assert list(frame.columns) == ["zeta", "alpha", "mid"]


def test_no_rows_still_have_columns(embedded: EmbeddedPortal) -> None:
    frame = embedded.sparql("SELECT ?a ?b { ?a <http://example.org/none> ?b }")

    assert list(frame.columns) == ["a", "b"]
    assert len(frame) == 0


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", "SERVICE"),
        ("SELECT * { SERVICE SILENT <http://127.0.0.1:9/> { ?s ?p ?o } }", "SERVICE"),
        ("SELECT * { ?s ?p ?o FILTER EXISTS { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } } }", "SERVICE"),
        ("SELECT * { ?s ?p ?o FILTER (NOT EXISTS { ?s ?p ?o MINUS { SERVICE ?g { ?s ?p ?o } } }) }", "SERVICE"),
        ("SELECT * { { SELECT ?s { GRAPH ?g { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } } } } }", "SERVICE"),
        ("SELECT * { ?s ?p ?o } ORDER BY (EXISTS { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } })", "SERVICE"),
        ("SELECT ?s { ?s ?p ?o } GROUP BY ?s HAVING (EXISTS { SERVICE <http://a/> { ?s ?p ?o } })", "SERVICE"),
        ("SELECT * { ?s ?p ?o FILTER (true && EXISTS { SERVICE <http://a/> { ?s ?p ?o } }) }", "SERVICE"),
        (
            "SELECT * { ?s ?p ?o FILTER (IF(EXISTS { SERVICE <http://a/> { ?s ?p ?o } }, 1, 0) || ?o IN (1, 2)) }",
            "SERVICE",
        ),
        ("SELECT * { ?s ?p ?o BIND (COALESCE(1, !EXISTS { SERVICE <http://a/> { ?s ?p ?o } }) AS ?x) }", "SERVICE"),
        ("SELECT * { ?s ?p ?o OPTIONAL { { ?s ?p 1 } UNION { SERVICE <http://a/> { ?s ?p ?o } } } }", "SERVICE"),
        ("SELECT * FROM <file:///etc/passwd> { ?s ?p ?o }", "FROM"),
        ("SELECT * FROM NAMED <http://127.0.0.1:9/x> { GRAPH ?g { ?s ?p ?o } }", "FROM"),
        ("ASK FROM <http://127.0.0.1:9/x> { ?s ?p ?o }", "FROM"),
        ("CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "CONSTRUCT queries"),
        ("CONSTRUCT { ?s ?p ?o } FROM <file:///etc/passwd> WHERE { ?s ?p ?o }", "CONSTRUCT queries"),
        ("DESCRIBE <http://example.org/x>", "DESCRIBE queries"),
        ("LOAD <http://127.0.0.1:9/x>", "not a SPARQL query"),
        ("INSERT DATA { <http://a> <http://b> 1 }", "not a SPARQL query"),
        ("SELECT * {", "not a SPARQL query"),
        ("SELECT * { ?s none:such ?o }", "Unknown namespace prefix"),
        ("SELECT * { " + "{" * 3000, "not a SPARQL query"),
        ("   ", "empty"),
        ("x" * 20_001, "longer than"),
    ],
)
def test_a_query_that_reaches_outside_is_refused_in_one_line(embedded: EmbeddedPortal, query: str, named: str) -> None:
    with pytest.raises(PortalError, match=named) as caught:
        embedded.sparql(query)

    assert "\n" not in str(caught.value)


def test_naming_a_file_as_a_graph_reads_nothing(embedded: EmbeddedPortal) -> None:
    file = Path(__file__).with_name("catalogue.ttl").as_uri()

    assert len(embedded.sparql(f"SELECT * {{ GRAPH <{file}> {{ ?s ?p ?o }} }}")) == 0


def test_the_words_service_and_from_are_fine_inside_a_text(embedded: EmbeddedPortal) -> None:
    assert len(embedded.sparql('SELECT ?s { ?s ?p "SERVICE FROM <http://x>" }')) == 0


@pytest.mark.parametrize(("url", "status"), [("air", 200), ("air.csv", 404), ("trees", None), ("never-recorded", None)])
def test_links_answer_as_recorded(embedded: EmbeddedPortal, url: str, status: int | None) -> None:
    assert embedded.link_status("https://ville.example.org/" + url) == status


def test_a_missing_or_damaged_catalogue_says_so(tmp_path: Path) -> None:
    (tmp_path / "bad.ttl").write_text("<<<", encoding="utf-8")
    (tmp_path / "good.ttl").write_text("", encoding="utf-8")

    with pytest.raises(PortalError, match="cannot be read"):
        EmbeddedPortal(tmp_path / "absent.ttl")
    with pytest.raises(PortalError, match="damaged"):
        EmbeddedPortal(tmp_path / "bad.ttl")
    with pytest.raises(PortalError, match="link answers cannot be read"):
        EmbeddedPortal(tmp_path / "good.ttl").link_status("https://ville.example.org/air")


def test_words_lose_case_and_accents() -> None:
    assert words("Qualité de l'AIR, Łódź, Straße, Āgenskalns") == [
        *("qualite", "de", "l", "air", "lodz", "strasse", "agenskalns")
    ]
