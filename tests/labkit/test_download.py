"""Downloading: what no server of the portal's or Eurostat's tests does."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from labkit.download import Call, DownloadError, Downloads, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Drops(BaseHTTPRequestHandler):
    """Sends a byte every 50 ms, for as long as somebody listens."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(200):
            self.wfile.write(b".")
            time.sleep(0.05)

    def log_message(self, *_: Any) -> None:
        """Keep the test output quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is part of these tests."""


@pytest.fixture
def url() -> Iterator[str]:
    with _Server(("127.0.0.1", 0), _Drops) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_server_that_is_never_silent_and_never_done_is_given_up(url: str) -> None:
    started = time.monotonic()
    with pytest.raises(DownloadError, match="took too long to answer"):
        Downloads(timeout=0.2).fetch(Call(url, most_bytes=1000))
    assert 0.6 <= time.monotonic() - started < 2


def test_what_is_too_large_is_not_read_to_its_end(url: str) -> None:
    started = time.monotonic()
    with pytest.raises(TooLargeError, match="sends more than 3 bytes"):
        Downloads(timeout=5).fetch(Call(url, most_bytes=3))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("address", ["", "no address", "ftp://127.0.0.1/", "http://[", "http://127.0.0.1:99999/"])
def test_what_is_no_address_gets_one_line(address: str) -> None:
    with pytest.raises(DownloadError) as caught:
        Downloads(sleep=lambda _: None).fetch(Call(address, most_bytes=1))
    assert "\n" not in str(caught.value)
