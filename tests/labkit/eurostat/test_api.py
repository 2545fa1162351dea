"""Fetching: from the kit, and from a local server that answers like Eurostat, faults and all."""

from __future__ import annotations

import functools
import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from labkit import eurostat
from labkit.download import ATTEMPTS, Downloads
from labkit.eurostat import EurostatError, api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Answer = tuple[int, bytes]
SILENCE = 0.3  # seconds


class QuietServer(ThreadingHTTPServer):
    """A client that hangs up early is part of these tests."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None: ...


class Server:
    """A local stand-in for the statistics API that gives the prepared answers in turn, the last one for ever."""

    def __init__(self, answers: list[Answer], *, pause: float = 0.0, retry_after: str = "") -> None:
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                outer.asked.append((parts.path, parse_qs(parts.query), self.headers["User-Agent"]))
                status, body = answers[min(len(outer.asked), len(answers)) - 1]
                outer.stop_waiting.wait(pause)
                self.send_response(status)
                if retry_after:
                    self.send_header("Retry-After", retry_after)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep the test output clean."""

        self.stop_waiting = threading.Event()
        self.http = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/data"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*answers: Answer, **faults: Any) -> Server:
        servers.append(Server(list(answers), **faults))
        return servers[-1]

    yield start
    for server in servers:
        server.stop_waiting.set()
        server.http.shutdown()
        server.http.server_close()


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between the tries, none of which is really waited; and no setting."""
    pauses: list[float] = []
    monkeypatch.delenv("LABKIT_PORTAL", raising=False)
    monkeypatch.setattr(api, "Downloads", functools.partial(Downloads, timeout=SILENCE, sleep=pauses.append))
    return pauses


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/data"


def good(name: str = "isoc_eb_ai", **parts: Any) -> Answer:
    return 200, json.dumps(eurostat.bundled(name) | parts).encode()


def test_embedded_is_the_default_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    cube = eurostat.fetch("isoc_eb_ai", geo=["MT", "EU27_2020"], time=2025)
    assert cube.to_frame()["value"].tolist() == [19.95, 21.56]
    assert capsys.readouterr().out == "Eurostat: answered from the kit's own extract of isoc_eb_ai (no network used).\n"


@pytest.mark.parametrize(
    ("code", "wanted", "says"),
    [
        ("nama_10_gdp", {}, "carries no table 'nama_10_gdp'. It carries isoc_eb_ai, isoc_eb_ai_noneu, isoc_eb_ain2"),
        ("isoc_eb_ai", {"geo": "GR"}, "geo has no code 'GR'. There are: EU27_2020, BE, BG"),
        ("isoc_eb_ai", {"time": 2022}, "time has no code '2022'. There are: 2021, 2023, 2024, 2025"),
        ("isoc_eb_ai", {"country": "MT"}, "no dimension 'country'. There are: freq, size_emp"),
    ],
)
def test_embedded_answers_unknown_names_with_what_there_is(code: str, wanted: dict[str, Any], says: str) -> None:
    with pytest.raises(EurostatError, match=re.escape(says)):
        eurostat.fetch(code, **wanted)


def test_live_asks_as_documented_and_says_who_answered(
    serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(good(updated="2026-06-15T23:00:00+0200"))
    cube = eurostat.fetch("isoc_eb_ai", source="live", base_url=server.url, geo=["MT", "CY"], time=2025)
    assert cube.dimension("geo").codes[0] == "EU27_2020"
    ((path, query, agent),) = server.asked
    assert path == "/data/isoc_eb_ai"
    assert query["format"] == ["JSON"]
    assert query["geo"] == ["MT", "CY"]
    assert query["time"] == ["2025"]
    assert query["indic_is"] == ["E_AI_TANY"]  # the name of an extract means the same thing live
    assert agent is not None
    assert re.fullmatch(r"ai-skills-academy/\d+\.\d+\S*", agent)
    said = capsys.readouterr().out
    assert said == "Eurostat: answered live by the statistics API (isoc_eb_ai, updated 2026-06-15T23:00:00+0200).\n"


def test_live_part_outside_the_eu_asks_the_real_table_and_all_years(serve: Callable[..., Server]) -> None:
    server = serve(good("isoc_eb_ai_noneu"))
    eurostat.fetch("isoc_eb_ai_noneu", source="live", base_url=server.url)
    ((path, query, _),) = server.asked
    assert path == "/data/isoc_eb_ai"
    assert query["geo"] == ["NO", "BA", "RS", "ME", "AL", "TR"]
    assert "time" not in query


def test_live_other_tables_are_asked_with_nothing_added(serve: Callable[..., Server]) -> None:
    server = serve(good())
    eurostat.fetch("isoc_eb_das", source="live", base_url=server.url, lastTimePeriod=1)
    ((path, query, _),) = server.asked
    assert path == "/data/isoc_eb_das"
    assert query == {"format": ["JSON"], "lang": ["EN"], "lastTimePeriod": ["1"]}


@pytest.mark.parametrize("source", ["embedded", "live"])
@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"geo": None}, "geo cannot be None: give a code or a list of codes, or leave geo out to get all"),
        ({"geo": ["MT", None]}, "geo cannot be None"),
        ({"geo": b"MT"}, "geo cannot be b'MT'"),
        ({"time": 2025.0}, "time cannot be 2025.0"),
        ({"time": True}, "time cannot be True"),
    ],
)
def test_what_is_no_code_is_refused_before_the_call(
    serve: Callable[..., Server], source: Any, wanted: dict[str, Any], says: str
) -> None:
    server = serve(good())
    with pytest.raises(EurostatError, match=re.escape(says)):
        eurostat.fetch("isoc_eb_ai", source=source, base_url=server.url, **wanted)
    assert server.asked == []


def test_codes_may_come_from_a_table() -> None:
    frame = eurostat.fetch("isoc_eb_ai").to_frame()
    part = eurostat.fetch("isoc_eb_ai", geo=frame["geo"].tail(1), time=frame["time"].astype(int).max())
    assert part.to_frame()[["geo", "time"]].to_numpy().tolist() == [["SE", "2025"]]


def test_live_waits_as_long_as_the_server_asks(serve: Callable[..., Server], waits: list[float]) -> None:
    server = serve((429, b""), good(), retry_after="7")
    assert eurostat.fetch("isoc_eb_ai", source="live", base_url=server.url).values
    assert waits == [7]


@pytest.mark.parametrize("source", ["live", "auto"])
def test_a_silent_server_is_asked_once(
    serve: Callable[..., Server], source: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    server = serve(good(), pause=5)
    started = time.monotonic()
    if source == "live":
        with pytest.raises(EurostatError, match="took too long to answer: ask for less at once, or use source="):
            eurostat.fetch("isoc_eb_ai", source=source, base_url=server.url)
    else:
        eurostat.fetch("isoc_eb_ai", source=source, base_url=server.url)
        assert "the kit's own extract" in capsys.readouterr().out
    assert len(server.asked) == 1
    assert time.monotonic() - started < 2


def test_live_tries_again_when_the_server_is_overloaded(serve: Callable[..., Server]) -> None:
    server = serve((429, b""), (503, b"busy"), good())
    assert eurostat.fetch("isoc_eb_ai", source="live", base_url=server.url).values
    assert len(server.asked) == 3


NOT_FOUND = b'{"error": [{"status": 404, "id": 100, "label": "ERR_NOT_FOUND_4: isoc_eb_xx"}]}'
TOO_LARGE = b'{"warning": {"status": 413, "label": "ASYNCHRONOUS_RESPONSE. Please try again later."}}'


@pytest.mark.parametrize(
    ("answer", "times", "says"),
    [
        ((503, b"busy"), ATTEMPTS, "Eurostat answers 503 (4 tries): try again later, or use source='embedded'"),
        ((404, NOT_FOUND), 1, "ERR_NOT_FOUND_4: isoc_eb_xx'): check the table code"),
        ((400, b"<html>Bad request</html>"), 1, "HTTP 400 for isoc_eb_ai: check the table code"),
        ((200, TOO_LARGE), 1, "too large to come at once"),
        ((413, TOO_LARGE), 1, "too large to come at once"),
        ((200, b"<html>Maintenance</html>"), 1, "not JSON; it begins with '<html>"),
        ((200, b""), 1, "not JSON"),
        (good(size=[1, 1, 1, 1, 1, 3, 4]), 1, "'geo' has 3 categories, but its index has 28"),
        (good(value={}), 1, "holds no number for everything"),
    ],
)
def test_live_faults_are_one_line(serve: Callable[..., Server], answer: Answer, times: int, says: str) -> None:
    server = serve(answer)
    with pytest.raises(EurostatError) as caught:
        eurostat.fetch("isoc_eb_ai", source="live", base_url=server.url)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(server.asked) == times


def test_live_code_that_eurostat_leaves_out_is_an_error(serve: Callable[..., Server]) -> None:
    server = serve(good())
    with pytest.raises(EurostatError, match=r"has nothing for geo=GR: check the code"):
        eurostat.fetch("isoc_eb_ai", source="live", base_url=server.url, geo=["MT", "GR"])


def test_live_answers_over_the_size_limit_are_cut_off(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labkit.eurostat.jsonstat.MAX_BYTES", 1000)
    with pytest.raises(EurostatError, match="sends more than 1,000 bytes: ask for less"):
        eurostat.fetch("isoc_eb_das", source="live", base_url=serve(good()).url)


def test_live_without_a_network(nobody: str) -> None:
    with pytest.raises(
        EurostatError, match=r"cannot be reached \(ConnectError\) \(4 tries\): try again later, or use source="
    ):
        eurostat.fetch("isoc_eb_ai", source="live", base_url=nobody)


@pytest.mark.parametrize("code", ["../../etc", "a/b", "", "isoc eb", "isoc?x=1", None, 7])
def test_live_refuses_what_is_no_table_code(code: Any) -> None:
    with pytest.raises(EurostatError, match="is not a table code"):
        eurostat.fetch(code, source="live")


def test_auto_takes_the_live_answer(serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]) -> None:
    eurostat.fetch("isoc_eb_ai", source="auto", base_url=serve(good()).url)
    assert "answered live" in capsys.readouterr().out


def test_auto_falls_back_once_and_says_so(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert eurostat.fetch("isoc_eb_ai", source="auto", base_url=nobody).values
    assert capsys.readouterr().out.startswith("Eurostat: answered from the kit's own extract")


def test_auto_does_not_hide_a_wrong_question(serve: Callable[..., Server]) -> None:
    with pytest.raises(EurostatError, match="ERR_NOT_FOUND"):
        eurostat.fetch("isoc_eb_ai", source="auto", base_url=serve((404, NOT_FOUND)).url)


def test_auto_stays_off_the_network_when_told_to(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_PORTAL", "embedded")
    server = serve(good())
    eurostat.fetch("isoc_eb_ai", source="auto", base_url=server.url)
    assert server.asked == []


def test_environment_decides_when_nothing_is_said(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKIT_PORTAL", "live")
    server = serve(good())
    eurostat.fetch("isoc_eb_ai", base_url=server.url)
    assert len(server.asked) == 1


def test_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKIT_PORTAL", "offline")
    with pytest.raises(EurostatError, match="no source 'offline': use 'embedded', 'live', 'auto'"):
        eurostat.fetch("isoc_eb_ai")
