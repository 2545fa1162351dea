"""`connect`: which source answers, and the one line that says so."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from labkit import portal
from labkit.portal.embedded import EmbeddedPortal
from labkit.portal.live import LivePortal

if TYPE_CHECKING:
    from conftest import Answer, FakePortal


@pytest.fixture(autouse=True)
def _no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(portal.SETTING, raising=False)


@pytest.fixture
def nobody(server: FakePortal, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a port where nothing listens, in place of the portal's."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr("labkit.portal.live.BASE_URL", url)
    return url


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    return printed


def test_without_a_word_the_kit_answers_itself(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    europe = portal.connect()

    assert isinstance(europe, EmbeddedPortal)
    assert f"the catalogue in this kit ({len(europe)} data sets" in one_line(capsys)
    assert europe.search("artificial intelligence").count >= 3


def test_auto_without_a_network_falls_back_and_says_so(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    europe = portal.connect("auto")

    assert isinstance(europe, EmbeddedPortal)
    assert one_line(capsys).startswith(f"{nobody} did not answer within 3 seconds. Answers come from the catalogue")


def test_auto_gives_up_on_a_silent_server(
    server: FakePortal, answer: type[Answer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("labkit.portal.live.BASE_URL", server.url)
    monkeypatch.setattr("labkit.portal._PATIENCE", 0.2)
    server.will_answer(answer(b"{}", pause=5))

    assert isinstance(portal.connect("auto"), EmbeddedPortal)
    assert "did not answer" in one_line(capsys)


def test_auto_is_live_where_the_portal_answers(
    server: FakePortal,
    answer: type[Answer],
    found: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("labkit.portal.live.BASE_URL", server.url)
    server.will_answer(answer(found))

    europe = portal.connect("auto")

    assert isinstance(europe, LivePortal)
    assert f"live from {server.url}" in one_line(capsys)
    assert europe.search("air").count == 34092


def test_the_setting_forbids_auto_the_network(server: FakePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labkit.portal.live.BASE_URL", server.url)
    monkeypatch.setenv(portal.SETTING, "embedded")

    assert isinstance(portal.connect("auto"), EmbeddedPortal)
    assert server.seen == []


def test_the_setting_decides_where_nothing_is_said(nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(portal.SETTING, "live")

    assert isinstance(portal.connect(), LivePortal)
    assert isinstance(portal.connect("embedded"), EmbeddedPortal)


def test_live_is_not_asked_before_it_is_needed(nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(portal.connect("live"), LivePortal)
    assert "Answers come live" in one_line(capsys)


@pytest.mark.parametrize(("argument", "setting"), [("offline", ""), (None, "offline"), (None, " Offline ")])
def test_an_unknown_source_lists_the_known_ones(argument: Any, setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(portal.SETTING, setting)

    with pytest.raises(portal.PortalError, match="no source 'offline': use 'embedded', 'live', 'auto'"):
        portal.connect(argument)


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, labkit.portal\n"
        "print([name for name in ('pandas', 'rdflib', 'httpx', 'tenacity') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)

    assert result.stdout.strip() == "[]"
