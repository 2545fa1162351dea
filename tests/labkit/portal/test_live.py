"""The live client against a real server on loopback, faults included."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

import labkit
from labkit.download import ATTEMPTS, LONGEST_WAIT
from labkit.portal import PortalError
from labkit.portal.links import is_public
from labkit.portal.live import LivePortal

if TYPE_CHECKING:
    from conftest import Answer, FakePortal

TURTLE = "<http://data.europa.eu/88u/dataset/demo-air> a <http://www.w3.org/ns/dcat#Dataset> ."
ROWS = {
    "head": {"vars": ["d", "n", "x"]},
    "results": {
        "bindings": [
            {
                "d": {"type": "uri", "value": "http://example.org/1"},
                "n": {"type": "literal", "value": "3", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
            },
            {
                "d": {"type": "bnode", "value": "b0"},
                "n": {"type": "typed-literal", "value": "4", "datatype": "http://www.w3.org/2001/XMLSchema#integer"},
                "x": {"type": "literal", "xml:lang": "fr", "value": "air"},
            },
        ]
    },
}


def test_search_sends_what_the_api_documents(
    server: FakePortal, live: LivePortal, answer: type[Answer], found: dict[str, Any]
) -> None:
    server.will_answer(answer(found))

    page = live.search("air & eau", facets={"country": ["fr", "gr"]}, page=2, limit=5, sort="modified+desc")

    call = server.seen[0]
    assert page.count == 34092
    assert (call.method, call.path) == ("GET", "/api/hub/search/search")
    assert json.loads(call.params["facets"][0]) == {"country": ["fr", "gr"]}
    assert call.params["q"] == ["air & eau"]
    assert [call.params[key] for key in ("page", "limit", "sort", "filters")] == [
        ["2"],
        ["5"],
        ["modified+desc"],
        ["dataset"],
    ]
    assert call.headers["User-Agent"] == f"ai-skills-academy/{labkit.__version__}"


def test_a_record_is_asked_for_by_a_quoted_id(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer(TURTLE))

    graph = live.record("60ed57a9~~1:é")

    assert len(graph) == 1
    assert server.seen[0].path == "/api/hub/repo/datasets/60ed57a9~~1%3A%C3%A9.ttl"
    assert server.seen[0].params == {"useNormalizedId": ["true"], "locale": ["en"]}


@pytest.mark.parametrize("bad", ["", "../admin", "a/b", "a?b", "a b", "a\n", "..", "%2e", "x" * 301, 7])
def test_an_id_that_could_lead_elsewhere_is_never_sent(server: FakePortal, live: LivePortal, bad: Any) -> None:
    with pytest.raises(PortalError, match="is not the id of a data set"):
        live.record(bad)

    assert server.seen == []


def test_an_address_instead_of_an_id_says_what_to_write(live: LivePortal) -> None:
    with pytest.raises(PortalError, match=r"write record\('demo-air'\)"):
        live.record("http://data.europa.eu/88u/dataset/demo-air")


def test_sparql_results_become_a_table(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer(ROWS))

    frame = live.sparql("SELECT ?d ?n ?x WHERE { ?d ?n ?x }")

    assert list(frame.columns) == ["d", "n", "x"]
    assert frame["n"].tolist() == [3, 4]
    assert frame["d"].tolist() == ["http://example.org/1", "_:b0"]
    assert frame["x"].tolist() == [None, "air"]
    assert server.seen[0].headers["Accept"] == "application/sparql-results+json"
    assert server.seen[0].method == "GET"


def test_a_long_query_is_posted(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer({"boolean": True}))
    query = "ASK { ?s ?p ?o } #" + "x" * 3000

    assert live.sparql(query).to_dict("list") == {"boolean": [True]}
    assert server.seen[0].method == "POST"
    assert b"query=ASK" in server.seen[0].body


@pytest.mark.parametrize(
    "body",
    [
        "<html></html>",
        {"head": {}, "results": {"bindings": []}},
        {"head": {"vars": ["a"]}, "results": {"bindings": [3]}},
        {"head": {"vars": ["a"]}, "results": {"bindings": [{"a": {"type": "uri"}}]}},
        {"head": {"vars": ["a"]}},
        "[]",
    ],
)
def test_what_is_no_sparql_result_is_refused(
    server: FakePortal, live: LivePortal, answer: type[Answer], body: Any
) -> None:
    server.will_answer(answer(body))

    with pytest.raises(PortalError, match="The answer to the query is not"):
        live.sparql("SELECT ?a { ?a ?b ?c }")


def test_a_busy_server_is_given_the_time_it_asks_for(
    server: FakePortal, live: LivePortal, answer: type[Answer], found: dict[str, Any], waits: list[float]
) -> None:
    server.will_answer(answer(status=429, headers={"Retry-After": "7"}), answer(found))

    assert live.search("air").count == 34092
    assert waits == [7.0]


def test_retry_after_may_be_a_date_and_is_capped(
    server: FakePortal, live: LivePortal, answer: type[Answer], found: dict[str, Any], waits: list[float]
) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    server.will_answer(
        answer(status=503, headers={"Retry-After": soon}),
        answer(status=429, headers={"Retry-After": "86400"}),
        answer(status=503, headers={"Retry-After": past}),
        answer(found),
    )

    live.search("air")

    assert waits[0] == pytest.approx(9, abs=1.5)
    assert waits[1:] == [LONGEST_WAIT, 0.0]


def test_a_server_that_stays_broken_is_given_up_after_growing_pauses(
    server: FakePortal, live: LivePortal, answer: type[Answer], waits: list[float]
) -> None:
    server.will_answer(answer("java.lang.Oops", status=500, headers={"Retry-After": "in a while"}))

    with pytest.raises(PortalError, match=r"answers 500 \(4 tries\).*connect\(\"embedded\"\)"):
        live.search("air")

    assert len(server.seen) == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1
    assert waits == sorted(waits)
    assert 0.5 <= waits[0] <= 1.0


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_a_refused_call_is_not_repeated(
    server: FakePortal, live: LivePortal, answer: type[Answer], status: int, waits: list[float]
) -> None:
    server.will_answer(
        answer("Bad Request\nlimit: not a number", status=status, headers={"Content-Type": "text/plain"})
    )

    with pytest.raises(PortalError, match=rf"status {status}; it begins with 'Bad Request limit"):
        live.search("air")

    assert len(server.seen) == 1
    assert waits == []


def test_an_unknown_record_is_named(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer("dataset nope not found", status=404))

    with pytest.raises(PortalError, match="no data set 'nope' on the live portal"):
        live.record("nope")


@pytest.mark.parametrize("body", ["<html>maintenance</html>", "<http://a> <http://b>", "<http://a> <http://b> 1 ."])
def test_a_record_must_be_turtle_about_a_data_set(
    server: FakePortal, live: LivePortal, answer: type[Answer], body: str
) -> None:
    server.will_answer(answer(body))

    with pytest.raises(PortalError, match="The record "):
        live.record("demo-air")


def test_html_with_status_200_is_refused(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer("<html>maintenance</html>", headers={"Content-Type": "text/html"}))

    with pytest.raises(PortalError, match="search answer is not JSON"):
        live.search("air")


def test_a_body_that_breaks_off_is_tried_again(
    server: FakePortal, live: LivePortal, answer: type[Answer], found: dict[str, Any], waits: list[float]
) -> None:
    server.will_answer(answer(b'{"result"', headers={"Content-Length": "9000", "Connection": "close"}), answer(found))

    assert live.search("air").count == 34092
    assert len(waits) == 1


def test_a_silent_server_is_not_asked_again(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer(b"{}", pause=5))
    started = time.monotonic()

    with pytest.raises(PortalError, match="took too long"):
        live.search("air")

    assert len(server.seen) == 1
    assert time.monotonic() - started < 2


def test_a_huge_body_is_not_read_to_its_end(
    server: FakePortal, live: LivePortal, answer: type[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labkit.portal.live.MOST_SEARCH_BYTES", 2**20)
    server.will_answer(answer(b" " * 2**22))

    with pytest.raises(PortalError, match="sends more than 1,048,576 bytes"):
        live.search("air")


def test_a_refused_connection_names_the_way_out(waits: list[float], server: FakePortal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nobody = LivePortal(f"http://127.0.0.1:{port}", timeout=0.3, sleep=waits.append)

    with pytest.raises(PortalError, match=r"cannot be reached.*works without a network"):
        nobody.search("air")

    assert len(waits) == ATTEMPTS - 1
    assert not nobody.is_reachable(0.3)


def test_endless_redirects_end_in_one_line(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer(status=302, headers={"Location": "/api/hub/search/search"}))

    with pytest.raises(PortalError, match="no usable answer"):
        live.search("air")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"limit": 1001}, "from 0 to 1000"),
        ({"limit": -1}, "from 0 to 1000"),
        ({"limit": "10"}, "from 0 to 1000"),
        ({"page": -1}, "0 or more"),
        ({"page": True}, "0 or more"),
        ({"facets": {"country": "pt"}}, r"write \{'country': \['pt'\]\}"),
        ({"facets": {"country": [1]}}, "list of texts"),
        ({"facets": ["country"]}, "dictionary of lists"),
        ({"sort": "newest"}, "modified"),
        ({"q": "x" * 1001}, "fewer words"),
    ],
)
def test_a_wrong_argument_is_refused_before_the_call(
    server: FakePortal, live: LivePortal, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(PortalError, match=named):
        live.search(**arguments)

    assert server.seen == []


def test_search_all_pages_until_the_end_and_shows_each_record_once(
    server: FakePortal, live: LivePortal, answer: type[Answer]
) -> None:
    def page(*ids: str) -> Answer:
        return answer({"result": {"count": 250, "results": [{"id": each} for each in ids]}})

    server.will_answer(page("a", "b"), page("b", "c"), page("d"))

    assert [record.id for record in live.search_all("air")] == ["a", "b", "c", "d"]
    assert [call.params["page"] for call in server.seen] == [["0"], ["1"], ["2"]]


def test_search_all_stops_at_the_most_that_is_wanted(
    server: FakePortal, live: LivePortal, answer: type[Answer]
) -> None:
    server.will_answer(answer({"result": {"count": 250, "results": [{"id": each} for each in "abc"]}}))

    assert [record.id for record in live.search_all(most=2)] == ["a", "b"]
    assert list(live.search_all(most=0)) == []
    with pytest.raises(PortalError, match="most="):
        live.search_all(most=-1)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_link_answers_with_its_status(
    server: FakePortal, live: LivePortal, answer: type[Answer], status: int
) -> None:
    server.will_answer(answer(status=status))

    assert live.link_status(server.url + "/file.csv") == status
    assert server.seen[0].method == "HEAD"


def test_a_link_that_knows_no_head_is_asked_with_get(
    server: FakePortal, live: LivePortal, answer: type[Answer]
) -> None:
    server.will_answer(answer(status=405), answer(status=302, headers={"Location": "/new"}), answer(status=200))

    assert live.link_status(server.url + "/file.csv") == 200
    assert [(call.method, call.path) for call in server.seen] == [
        ("HEAD", "/file.csv"),
        ("GET", "/file.csv"),
        ("HEAD", "/new"),
    ]


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/latest", "file:///etc/passwd", "http://localhost/", "http://[::1]/"]
)
def test_a_link_cannot_lead_to_a_host_that_may_not_be_visited(
    server: FakePortal, live: LivePortal, answer: type[Answer], location: str
) -> None:
    server.will_answer(answer(status=302, headers={"Location": location}))

    assert live.link_status(server.url + "/file.csv") is None
    assert live.link_status(location) is None
    assert len(server.seen) == 1


def test_a_link_that_leads_in_circles_has_no_answer(server: FakePortal, live: LivePortal, answer: type[Answer]) -> None:
    server.will_answer(answer(status=302, headers={"Location": "/file.csv"}))

    assert live.link_status(server.url + "/file.csv") is None
    assert len(server.seen) == 6


@pytest.mark.parametrize("url", ["", "no address", "http://", "http://[", "ftp://127.0.0.1/", "http://127.0.0.1:1/x"])
def test_what_cannot_be_asked_has_no_answer(live: LivePortal, url: str) -> None:
    assert live.link_status(url) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "localhost"])
def test_private_hosts_are_not_public(host: str) -> None:
    assert not is_public(host)


def test_a_public_address_is_public() -> None:
    assert is_public("193.0.6.139")


def test_a_host_with_one_private_address_is_not_public(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("193.0.6.139", "10.0.0.8")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    assert not is_public("two-faced.example.org")


def test_a_host_that_is_not_found_is_not_public(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)

    assert not is_public("nowhere.example.org")
