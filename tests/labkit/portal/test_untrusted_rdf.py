"""Turtle and SPARQL results that nobody vouches for, and the store's fixed order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Dataset, Graph, URIRef

from labkit.portal import PortalError
from labkit.portal.rdf import MOST_RECORD_BYTES, parse_record
from labkit.portal.sparql_results import table
from labkit.portal.store import OrderedMemory

TURTLE_PIECES = ["<http://a.example.org/>", "a", '"x"', "@fr", "^^", "[", "]", "(", ")", ";", ".", ",", "@prefix p: "]
XSD = "http://www.w3.org/2001/XMLSchema#"
TERM = st.none() | st.fixed_dictionaries(
    {"value": st.text(max_size=6) | st.integers()},
    optional={
        "type": st.sampled_from(["uri", "bnode", "literal"]),
        "datatype": st.sampled_from([XSD + "integer", XSD]),
    },
)


@given(st.lists(st.sampled_from(TURTLE_PIECES) | st.text(max_size=3), max_size=12).map(" ".join))
def test_any_text_gives_a_graph_or_a_portal_error(text: str) -> None:
    try:
        graph = parse_record(text.encode("utf-8", "replace"))
    except PortalError:
        return
    assert isinstance(graph, Graph)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 5000, b"<a> <b> " + b"(" * 5000, b"\x00", b"@base <x"])
def test_what_is_no_turtle_is_refused_in_one_line(body: bytes) -> None:
    with pytest.raises(PortalError, match="The record is not Turtle") as caught:
        parse_record(body)

    assert str(caught.value).isprintable()


def test_a_record_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(PortalError, match="larger than 5 MB"):
        parse_record(b" " * (MOST_RECORD_BYTES + 1))


@given(
    st.lists(st.sampled_from("abc"), max_size=3),
    st.lists(st.dictionaries(st.sampled_from("abcd"), TERM, max_size=3), max_size=3),
)
def test_any_bindings_give_a_table_or_a_portal_error(variables: list[str], bindings: list[Any]) -> None:
    body = json.dumps({"head": {"vars": variables}, "results": {"bindings": bindings}}).encode()
    try:
        frame = table(body)
    except PortalError:
        return
    assert frame.shape == (len(bindings), len(set(variables)))
    assert list(frame.columns) == list(dict.fromkeys(variables))


@pytest.mark.parametrize(
    ("text", "datatype", "expected"),
    [
        ("12", "integer", 12),
        ("many", "integer", "many"),
        ("0.5", "decimal", 0.5),
        ("1e3", "double", 1000.0),
        ("true", "boolean", True),
        ("perhaps", "boolean", "perhaps"),
        ("2026-01-01", "date", "2026-01-01"),
        ("12", "string", "12"),
    ],
)
def test_values_get_the_type_they_name_if_they_fit_it(text: str, datatype: str, expected: object) -> None:
    term = {"type": "literal", "value": text, "datatype": XSD + datatype}
    frame = table(json.dumps({"head": {"vars": ["v"]}, "results": {"bindings": [{"v": term}]}}).encode())

    assert frame["v"].tolist() == [expected]


def test_the_store_lists_everything_in_a_fixed_order() -> None:
    store = OrderedMemory()
    dataset = Dataset(store=store)
    names = [URIRef(f"http://example.org/{number:03}") for number in range(50)]
    for name in reversed(names):
        dataset.graph(name).add((name, name, name))

    everything = [triple for triple, _ in store.triples((None, None, None))]

    assert everything == [(name, name, name) for name in names]
    assert [graph.identifier for graph in store.contexts() if graph.identifier in names] == names
