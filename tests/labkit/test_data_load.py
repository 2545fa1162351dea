"""`labkit.data.load`: the kit's titles offline, sets of the hub through a stand-in for `datasets`, clear errors."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pandas as pd
import pytest

from labkit import data
from labkit.vocabularies import EU_LANGUAGES, THEMES


def test_themes_is_one_tidy_table() -> None:
    table = data.load("themes")
    assert list(table.columns) == ["id", "language", "theme", "split", "text"]
    assert table.shape == (6240, 5)
    assert not table.isna().any(axis=None)
    assert list(table["language"].unique()) == list(EU_LANGUAGES)
    assert set(table["theme"]) == set(THEMES)
    assert table.groupby("language")["split"].value_counts().unstack().eq([104, 156]).all(axis=None)
    assert not table.duplicated(["id", "language"]).any()


def test_languages_come_in_the_order_asked_for_each_once() -> None:
    table = data.load("themes", ["mt", "bg", "mt"])
    assert list(table["language"].unique()) == ["mt", "bg"]
    assert len(table) == 520


def test_one_language_may_be_a_plain_text() -> None:
    assert data.load("themes", "fi").equals(data.load("themes", ["fi"]))


def test_texts_are_those_of_the_language() -> None:
    table = data.load("themes", ["en", "de"]).set_index(["id", "language"])["text"]
    assert table["regi-14", "en"] == "Three-dimensional city model of Riga with roof shapes"
    assert table["regi-14", "de"] == "Dreidimensionales Stadtmodell von Riga mit Dachformen"


def test_labels_has_one_row_a_title() -> None:
    labels = data.labels()
    assert list(labels.columns) == ["id", "theme", "split", "hard", "rival", "reason"]
    assert len(labels) == 260
    assert labels["hard"].dtype == bool
    assert labels["rival"].notna().equals(labels["hard"])
    assert labels["reason"].notna().equals(labels["hard"])


@pytest.mark.parametrize(
    ("name", "languages", "message"),
    [
        ("theme", None, "There is no data set 'theme'. There is: themes, sib200, belebele, massive, xnli."),
        ("themes", ["en", "eng"], "The data set 'themes' is not in 'eng'. It is in: bg cs "),
        ("themes", [], "The list of languages is empty. Name at least one of: bg cs "),
        ("xnli", ["mt"], "The data set 'xnli' is not in 'mt'. It is in: bg de el en es fr."),
    ],
)
def test_wrong_call_says_what_there_is(name: str, languages: list[str] | None, message: str) -> None:
    with pytest.raises(data.DataSetError) as caught:
        data.load(name, languages)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_configurations_are_of_official_languages() -> None:
    assert set(data.hub.SETS["sib200"].configurations) == set(EU_LANGUAGES)
    for found in data.hub.SETS.values():
        assert set(found.configurations) <= set(EU_LANGUAGES)
        assert len(set(found.configurations.values())) == len(found.configurations)
        assert found.licence


class Part:
    """One part of a set, as `datasets` gives it: a table, and features of which one is a class."""

    def __init__(self, rows: dict[str, list[Any]]) -> None:
        self.rows = rows
        names = ["alarm", "weather"]
        classes = {"intent": SimpleNamespace(int2str=lambda number: names[number])}
        self.features = {column: classes.get(column, SimpleNamespace()) for column in rows}

    def to_pandas(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Put a stand-in for the package `datasets` in place, with this `load_dataset`."""

    def install(load_dataset: Callable[..., Any]) -> None:
        module = ModuleType("datasets")
        module.load_dataset = load_dataset  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "datasets", module)

    return install


def test_hub_set_is_joined_over_languages_and_parts(
    hub: Callable[[Callable[..., Any]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def load_dataset(repository: str, configuration: str, *, revision: str) -> dict[str, Part]:
        asked.append((repository, configuration, revision))
        rows = {"category": ["sports", "travel"], "text": [f"{configuration} one", f"{configuration} two"]}
        return {"train": Part(rows), "test": Part(rows)}

    hub(load_dataset)
    table = data.load("sib200", ["de", "ga"])
    assert asked == [("Davlan/sib200", "deu_Latn", "main"), ("Davlan/sib200", "gle_Latn", "main")]
    assert list(table.columns) == ["language", "split", "category", "text"]
    assert list(table.groupby(["language", "split"], sort=False).size().index) == [
        ("de", "train"),
        ("de", "test"),
        ("ga", "train"),
        ("ga", "test"),
    ]
    assert table.iloc[-1].to_list() == ["ga", "test", "travel", "gle_Latn two"]
    assert "Licence: CC BY-SA 4.0" in capsys.readouterr().out


def test_class_numbers_become_names(hub: Callable[[Callable[..., Any]], None]) -> None:
    hub(lambda *_, **__: {"test": Part({"intent": [1, -1, 0], "utt": ["a", "b", "c"]})})
    table = data.load("massive", ["sl"])
    assert table["intent"].fillna("no label").to_list() == ["weather", "no label", "alarm"]


@pytest.mark.parametrize(
    "error", [ConnectionError("no\nroute"), ValueError("no\nroute"), httpx.ConnectError("no\nroute")], ids=type
)
def test_hub_out_of_reach(hub: Callable[[Callable[..., Any]], None], error: Exception) -> None:
    def load_dataset(*_: str, **__: str) -> None:
        raise error

    hub(load_dataset)
    with pytest.raises(
        data.DataSetError, match=r"^Davlan/sib200 \(de\) could not be loaded: no route\. Check"
    ) as caught:
        data.load("sib200", ["de"])
    assert caught.value.__cause__ is error


def test_hub_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)  # as if it were not installed
    with pytest.raises(data.DataSetError, match=r"pip install datasets\."):
        data.load("sib200", ["de"])
