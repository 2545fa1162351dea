"""A real server on loopback that answers as the portal does, and a small catalogue."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from labkit.portal.embedded import EmbeddedPortal
from labkit.portal.live import LivePortal

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Answer:
    """What the server says next; `pause` is waited before anything is sent."""

    body: bytes | str | dict[str, Any] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0

    def payload(self) -> bytes:
        body = json.dumps(self.body) if isinstance(self.body, dict) else self.body
        return body.encode() if isinstance(body, str) else body


@dataclass
class Seen:
    """One call that reached the server."""

    method: str
    path: str
    params: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


class FakePortal(ThreadingHTTPServer):
    """Gives the answers it was told to, in order, and repeats the last one."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: deque[Answer] = deque()
        self.seen: list[Seen] = []
        self.stop_waiting = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def will_answer(self, *answers: Answer) -> None:
        self.answers = deque(answers)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is part of these tests."""


class _Handler(BaseHTTPRequestHandler):
    server: FakePortal

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Seen(self.command, target.path, parse_qs(target.query), dict(self.headers), body))
        answers = self.server.answers
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        self.server.stop_waiting.wait(answer.pause)
        payload = answer.payload()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)

    do_POST = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePortal]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with FakePortal() as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield fake
        fake.stop_waiting.set()
        fake.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    """The pauses that the client made between its tries; none is really waited."""
    return []


@pytest.fixture
def live(server: FakePortal, waits: list[float]) -> LivePortal:
    return LivePortal(server.url, timeout=0.3, sleep=waits.append, may_visit=lambda host: host == "127.0.0.1")


@pytest.fixture(scope="session")
def embedded() -> EmbeddedPortal:
    return EmbeddedPortal(Path(__file__).with_name("catalogue.ttl"))


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def found() -> dict[str, Any]:
    """A search answer in the API's shape, written for these tests."""
    return {
        "success": True,
        "result": {
            "count": 34092,
            "results": [
                {
                    "id": "demo-air",
                    "index": "dataset",
                    "resource": "http://data.europa.eu/88u/dataset/demo-air",
                    "title": {"fr": "Qualité de l'air", "de": "Luftqualität"},
                    "description": {},
                    "country": {"id": "fr", "label": "France", "resource": "http://example.org/FRA"},
                    "keywords": [{"id": "air", "label": "Air", "language": "fr"}],
                    "categories": [{"id": "ENVI", "label": {"en": "Environment"}, "resource": "http://example.org/E"}],
                    "is_hvd": True,
                    "quality_meas": {"scoring": 301},
                    "publisher": {"name": "Ville d'Exemple", "type": "Agent"},
                    "translation_meta": {"status": "completed"},
                    "issued": "2021-01-01T00:00:00Z",
                    "modified": "2025-05-01T00:00:00Z",
                    "distributions": [
                        {
                            "id": "a1",
                            "title": {"fr": "Tableau"},
                            "format": {"id": "CSV", "label": "CSV"},
                            "license": {
                                "id": "CC BY 4.0",
                                "label": "Creative Commons",
                                "resource": "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
                            },
                            "access_url": ["https://ville.example.org/air"],
                            "download_url": "https://ville.example.org/air.csv",
                            "media_type": "http://www.iana.org/assignments/media-types/text/csv",
                            "byte_size": "1200",
                        }
                    ],
                }
            ],
            "facets": [{"id": "country", "items": [{"id": "fr", "count": 34092, "title": "France"}]}],
        },
    }
