"""Which source answers: one rule for the portal and for Eurostat."""

from __future__ import annotations

import pytest

from labkit import eurostat, portal, sources


@pytest.mark.parametrize(
    ("given", "setting", "chosen"),
    [
        (None, None, "embedded"),
        (None, "", "embedded"),
        (None, "live", "live"),
        (None, " Auto\n", "auto"),
        (None, "Embedded ", "embedded"),
        ("live", "embedded", "live"),
        ("embedded", "live", "embedded"),
        ("auto", None, "auto"),
        ("auto", " ", "auto"),
        ("auto", "live", "auto"),
        ("auto", "Embedded ", "embedded"),
    ],
)
def test_the_argument_then_the_setting_then_the_kit(
    monkeypatch: pytest.MonkeyPatch, given: str | None, setting: str | None, chosen: str
) -> None:
    if setting is None:
        monkeypatch.delenv(sources.SETTING, raising=False)
    else:
        monkeypatch.setenv(sources.SETTING, setting)
    assert sources.chosen(given) == chosen


@pytest.mark.parametrize("given", ["", "Live", "offline", "embedded "])
def test_an_unknown_source_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r"use 'embedded', 'live', 'auto' \(as the argument, or in LABKIT_PORTAL\)"):
        sources.chosen(given)


def test_the_portal_and_eurostat_read_the_setting_alike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(sources.SETTING, "Embedded ")
    portal.connect("auto")
    eurostat.fetch("isoc_eb_ai", source="auto", base_url="http://127.0.0.1:1")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Answers come from the catalogue in this kit (")
    assert second == "Eurostat: answered from the kit's own extract of isoc_eb_ai (no network used)."
