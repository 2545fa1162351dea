"""The data that travels with the kit is what was copied from Eurostat, and a new year does not break it."""

from __future__ import annotations

import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest

from labkit import eurostat

DATA = Path(__file__).parent / "data"
YEARS = ("2021", "2023", "2024", "2025")
# Eurostat's table has the divisions D35 and L68, each the only one of its section
NACE_CODES = {"D": "D35", "L": "L68"}

TABLES = {
    "isoc_eb_ai": ("eurostat_isoc_eb_ai_ge10.csv", "geo", "geo", YEARS),
    "isoc_eb_ai_noneu": ("eurostat_isoc_eb_ai_noneu_ge10.csv", "geo", "geo", YEARS),
    "isoc_eb_ain2": ("eurostat_isoc_eb_ain2_eu27_nace.csv", "nace_section", "nace_r2", YEARS[1:]),
}


@pytest.mark.parametrize("name", eurostat.BUNDLED)
def test_every_figure_equals_the_source_table(name: str) -> None:
    file, column, dimension, years = TABLES[name]
    with (DATA / file).open(encoding="utf-8", newline="") as lines:
        source = {
            (NACE_CODES.get(row[column], row[column]), year): float(row[year])
            for row in csv.DictReader(lines)
            for year in years
            if row[year]
        }
    frame = eurostat.jsonstat.decode(eurostat.bundled(name)).to_frame()
    assert {(row[dimension], row["time"]): row["value"] for _, row in frame.iterrows()} == source
    assert len(frame) == len(source)


@pytest.mark.parametrize("name", eurostat.BUNDLED)
def test_documents_are_written_as_the_api_writes_them(name: str) -> None:
    document = eurostat.bundled(name)
    assert document["id"] == ["freq", "size_emp", "nace_r2", "indic_is", "unit", "geo", "time"]
    assert eurostat.jsonstat.encode(eurostat.jsonstat.decode(document)) == document
    assert all(dimension["label"] for dimension in document["dimension"].values())
    # nothing that the sources do not support
    assert "status" not in document
    assert "updated" not in document


def test_there_is_no_2022_and_albania_has_no_2023() -> None:
    cube = eurostat.fetch("isoc_eb_ai_noneu", geo="AL")
    assert cube.to_frame()["time"].tolist() == ["2021", "2024", "2025"]
    assert cube.to_frame(include_missing=True)["time"].tolist() == list(YEARS)
    assert "2022" not in eurostat.fetch("isoc_eb_ai").dimension("time").codes


def test_greece_is_el_and_countries_are_27() -> None:
    geo = eurostat.fetch("isoc_eb_ai").dimension("geo").codes
    assert "EL" in geo
    assert "GR" not in geo
    assert len(geo) == 28


def test_unknown_extract() -> None:
    with pytest.raises(ValueError, match="It has: isoc_eb_ai, isoc_eb_ai_noneu, isoc_eb_ain2"):
        eurostat.bundled("../secret")


def test_each_call_gives_a_fresh_document() -> None:
    eurostat.bundled("isoc_eb_ai")["value"].clear()
    assert eurostat.bundled("isoc_eb_ai")["value"]


@pytest.mark.parametrize("name", eurostat.BUNDLED)
def test_a_column_for_2026_breaks_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = eurostat.bundled(name)
    before = eurostat.jsonstat.decode(document).to_frame()
    old, new = document["size"][-1], document["size"][-1] + 1
    document["size"][-1] = new
    document["dimension"]["time"]["category"]["index"]["2026"] = old
    document["dimension"]["time"]["category"]["label"]["2026"] = "2026"
    rows = len(document["value"]) // old + 1
    moved = {int(index) // old * new + int(index) % old: value for index, value in document["value"].items()}
    moved |= {row * new + old: 50.0 + row for row in range(rows - 1)}
    document["value"] = {str(index): value for index, value in sorted(moved.items())}
    folder = tmp_path / "data" / "eurostat"
    folder.mkdir(parents=True)
    (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    monkeypatch.setattr("labkit.eurostat.bundle.files", lambda _: tmp_path)

    after = eurostat.fetch(name).to_frame()
    assert (after["time"] == "2026").sum() == rows - 1
    kept = after[after["time"] != "2026"].reset_index(drop=True)
    assert kept.equals(before)
    assert eurostat.fetch(name, time=2026).to_frame()["value"].tolist() == [50.0 + row for row in range(rows - 1)]
    assert eurostat.fetch(name, time=2025).to_frame().equals(before[before["time"] == "2025"].reset_index(drop=True))
    assert capsys.readouterr().out.count("\n") == 3


def test_card_names_every_extract_and_caveat() -> None:
    card = files("labkit").joinpath("data", "eurostat", "README.md").read_text(encoding="utf-8")
    for needed in (
        *eurostat.BUNDLED,
        "CC BY 4.0",
        "2011/833/EU",
        "2022",
        "21.51",
        "7.65",
        "8.04",
        "D35",
        "L68",
        "`EL`",
    ):
        assert needed in card
