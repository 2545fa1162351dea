"""The DCAT-AP shapes find what is wrong, only that, and bad input gets a clear answer."""

import contextlib
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from rdflib import RDF, SH, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection
from rdflib.namespace import DCAT, DCTERMS
from rdflib.term import Node

from labkit import shacl
from labkit.vocabularies import ACCESS_RIGHTS, THEMES

CASES = sorted((Path(__file__).parent / "shacl_cases").glob("*.ttl"))
NOT_ABOUT_WHAT_IS_MISSING = r"from the EU|whole number"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case: Path) -> None:
    """A case names each violation it must get, and the warnings that are not about a missing property."""
    text = case.read_text(encoding="utf-8")
    expected = sorted(re.findall(r"^# expect: (.+)$", text, flags=re.MULTILINE))
    report = shacl.validate(text, severity="Warning")
    found = report.violations
    found = found[(found["severity"] == "Violation") | found["message"].str.contains(NOT_ABOUT_WHAT_IS_MISSING)]
    assert sorted(found["severity"] + " " + found["path"]) == expected
    assert report.conforms == (not any(line.startswith("Violation") for line in expected))


def test_warnings_are_listed_only_on_request_and_do_not_count() -> None:
    bare = next(case for case in CASES if case.stem == "smallest_that_conforms").read_text(encoding="utf-8")
    assert shacl.validate(bare).violations.empty
    report = shacl.validate(bare, severity="Warning")
    assert report.conforms
    assert set(report.violations["path"]) == {
        "dcat:contactPoint",
        "dcat:distribution",
        "dcat:keyword",
        "dct:publisher",
        "dct:spatial",
        "dct:temporal",
        "dcat:theme",
    }


def test_a_finding_names_the_thing_and_the_same_finding_comes_once() -> None:
    graph = Graph()
    dataset = URIRef("https://example.org/d")
    graph.add((dataset, RDF.type, DCAT.Dataset))
    graph.add((dataset, DCTERMS.title, Literal("Trees")))
    graph.add((dataset, DCTERMS.description, URIRef("https://example.org/1")))
    graph.add((dataset, DCTERMS.description, URIRef("https://example.org/2")))
    report = shacl.validate(graph)
    assert list(report.violations.columns) == ["focus", "path", "message", "severity"]
    assert report.violations["focus"].tolist() == ["https://example.org/d"]


def test_a_blank_node_is_named_the_same_in_every_run() -> None:
    case = next(case for case in CASES if case.stem == "distribution_without_address").read_text(encoding="utf-8")
    names = {shacl.validate(case).violations["focus"].item() for _ in range(3)}
    assert names == {"(dcat:Distribution without an address)"}


def test_the_check_leaves_the_record_as_it_was() -> None:
    graph = shacl.parse_turtle(CASES[0].read_text(encoding="utf-8"))
    before = set(graph)
    shacl.validate(graph)
    assert set(graph) == before


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("the check opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    case = next(case for case in CASES if case.stem == "record_brings_its_own_rules").read_text(encoding="utf-8")
    assert shacl.validate(case).conforms


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<https://example.org/d> a dcat:Dataset .", 'Prefix "dcat:" not bound'),
        ("<https://example.org/d> <https://example.org/p> 'x'", "stops in the middle"),
        ("<html><body>404</body></html>", "line 1"),
        ("[" * 50_000, "too deeply"),
        ("a" * (shacl.MAX_TURTLE_BYTES + 1), "limit"),
    ],
    ids=["unknown prefix", "no full stop", "a web page", "deep nesting", "too long"],
)
def test_bad_text_gets_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(shacl.ShaclError) as caught:
        shacl.validate(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_graph_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shacl, "MAX_TRIPLES", 2)
    with pytest.raises(shacl.ShaclError, match="one record at a time"):
        shacl.validate(CASES[0].read_text(encoding="utf-8"))


def test_the_bundled_catalogue_is_small_enough_to_be_checked_as_a_whole() -> None:
    path = Path(shacl.__file__).parent / "data" / "catalogue" / "catalogue.ttl"
    assert not shacl.validate(path.read_text(encoding="utf-8")).conforms


@pytest.mark.parametrize("severity", ["Violation", "Warning"])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing but a remark",
        "<https://example.org/d> a <https://example.org/Dataset> .",
        "<https://example.org/s> a <http://www.w3.org/ns/dcat#DataService> .",
        "<http://www.w3.org/ns/dcat#Dataset> a <http://www.w3.org/2000/01/rdf-schema#Class> .",
    ],
    ids=["empty", "a remark", "another Dataset", "only a service", "only the class"],
)
def test_what_holds_no_data_set_does_not_conform_but_is_refused(text: str, severity: Any) -> None:
    with pytest.raises(shacl.ShaclError, match="no data set in this text: a record says '<address> a dcat:Dataset'"):
        shacl.validate(text, severity=severity)
    with pytest.raises(shacl.ShaclError, match="no data set in this graph"):
        shacl.validate(shacl.parse_turtle(text), severity=severity)


@pytest.mark.parametrize("record", [b"x", None, 7, CASES[0], ["<a> a <b> ."]], ids=lambda record: type(record).__name__)
def test_what_is_neither_a_graph_nor_a_text_is_refused(record: Any) -> None:
    for check in (shacl.validate, shacl.parse_turtle):
        with pytest.raises(shacl.ShaclError, match=f"a text in Turtle, not {type(record).__name__}"):
            check(record)


def test_a_list_that_contains_itself_is_refused() -> None:
    graph = Graph()
    dataset, head = URIRef("https://example.org/d"), BNode()
    graph.add((dataset, RDF.type, DCAT.Dataset))
    graph.add((dataset, DCTERMS.title, head))
    graph.add((head, RDF.first, Literal("Trees")))
    graph.add((head, RDF.rest, head))
    with pytest.raises(shacl.ShaclError, match=r"cannot be checked \(.*\): simplify it\.") as caught:
        shacl.validate(graph)
    assert "\n" not in str(caught.value)


def test_an_unknown_severity_is_refused() -> None:
    with pytest.raises(ValueError, match="'Violation' or 'Warning'"):
        shacl.validate(Graph(), severity="violation")  # type: ignore[arg-type]


@given(st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from('<>[]()".;,^@:# \n'), max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with contextlib.suppress(shacl.ShaclError):
        shacl.parse_turtle(text)


NODES = st.sampled_from(
    [
        URIRef("https://example.org/a"),
        URIRef("https://example.org/b"),
        URIRef("no scheme"),
        BNode("c"),
        DCAT.Dataset,
        DCAT.Distribution,
    ]
)
PREDICATES = st.sampled_from(
    [RDF.type, DCTERMS.title, DCTERMS.issued, DCAT.distribution, DCAT.theme, SH.property, RDF.first, RDF.rest]
)
VALUES = NODES | st.text(alphabet="ab \n", max_size=3).map(Literal) | st.integers().map(Literal)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NODES, PREDICATES, VALUES), max_size=15))
def test_any_data_set_gets_a_report_or_is_refused(triples: list[tuple[Node, URIRef, Node]]) -> None:
    graph = Graph()
    for triple in [(URIRef("https://example.org/a"), RDF.type, DCAT.Dataset), *triples]:
        graph.add(triple)
    try:
        report = shacl.validate(graph, severity="Warning")
    except shacl.ShaclError:
        event("refused")
        return
    assert set(report.violations["severity"]) <= {"Violation", "Warning"}
    assert report.conforms == (not (report.violations["severity"] == "Violation").any())


def shapes() -> Graph:
    path = Path(shacl.__file__).parent / "data" / "shapes" / "dcat-ap-3.ttl"
    return Graph().parse(path, format="turtle")


def test_lists_in_the_shapes_are_the_vocabularies() -> None:
    graph = shapes()
    lists = [{str(item) for item in Collection(graph, head)} for head in graph.objects(None, SH["in"])]
    assert {theme.uri for theme in THEMES.values()} in lists
    assert {right.uri for right in ACCESS_RIGHTS.values()} in lists


def test_every_rule_has_its_own_words() -> None:
    graph = shapes()
    rules = set(graph.subjects(SH.path, None))
    assert len(rules) > 50
    for rule in rules:
        messages = list(graph.objects(rule, SH.message))
        assert len(messages) == 1, rule
        assert str(messages[0]).endswith("."), messages[0]
