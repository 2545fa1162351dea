"""SDMX-CSV gives the same table as JSON-stat, and bad text is refused in one line."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.eurostat import BUNDLED, Cube, SdmxCsvError, bundled, jsonstat, sdmx_csv

HEADER = "DATAFLOW,LAST UPDATE,freq,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS"
LINE = "ESTAT:X(1.0),15/06/26 23:00:00,A,"


def written(cube: Cube) -> str:
    """The cube as Eurostat's SDMX service would write it."""
    frame = cube.to_frame()
    lines = [f"DATAFLOW,LAST UPDATE,{','.join(cube.names[:-1])},TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS"]
    for *codes, value, status in frame.itertuples(index=False):
        number = "" if math.isnan(value) else repr(value)
        lines.append(",".join(["ESTAT:X(1.0)", "15/06/26 23:00:00", *codes, number, status, ""]))
    return "\r\n".join(lines) + "\r\n"


@pytest.mark.parametrize("name", BUNDLED)
def test_same_cube_gives_the_same_frame_in_both_formats(name: str) -> None:
    document = bundled(name)
    document["status"] = {"0": "b", "5": "u"}
    del document["value"]["5"]  # a flag without a number
    cube = jsonstat.decode(document)
    pd.testing.assert_frame_equal(sdmx_csv.decode(written(cube)), cube.to_frame(), check_exact=True)


def test_flags_gaps_and_namibia() -> None:
    frame = sdmx_csv.decode(
        f"\ufeff{HEADER}\n{LINE}NA,2023,1.50,b,\n{LINE}NA,2024,:,,C\n\n{LINE}EL,2024,,u,C\n{LINE}EL,2025,-2e1,,\n"
    )
    assert list(frame.columns) == ["freq", "geo", "time", "value", "status"]
    assert frame["geo"].tolist() == ["NA", "NA", "EL", "EL"]
    assert frame["value"].fillna(0).tolist() == [1.5, 0, 0, -20]
    assert frame["status"].tolist() == ["b", "|C", "u|C", ""]


def test_flag_columns_may_be_absent() -> None:
    frame = sdmx_csv.decode("DATAFLOW,LAST UPDATE,geo,TIME_PERIOD,OBS_VALUE\nX,Y,MT,2025,21.56\n")
    assert frame.to_dict("records") == [{"geo": "MT", "time": "2025", "value": 21.56, "status": ""}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not SDMX-CSV"),
        ("<html>", "begins with '<html>'"),
        ("geo;time;value\nMT;2025;1", "not SDMX-CSV"),
        (HEADER.replace("freq", "geo"), "column twice"),
        (HEADER.replace("freq", "value"), "cannot be called 'value'"),
        (HEADER.replace("freq", "time"), "cannot be called 'time'"),
        (HEADER.replace("freq", ",".join(f"d{n}" for n in range(40))), "41 dimensions"),
        (f"{HEADER}\n{LINE}MT,2025,1", "Line 2 has 6 fields, but the header has 8"),
        (f"{HEADER}\n{LINE}MT,2025,n/a,,", "'n/a', which is not a number"),
        (f"{HEADER}\n{LINE}MT,2025,nan,,", "'nan', which is not a number"),
        (f"{HEADER}\n{LINE}MT,2025,1_000,,", "'1_000', which is not a number"),
        (f"{HEADER}\n{LINE}MT,2025,1,,\n{LINE}MT,2025,2,,", "same cell: 'A.MT.2025'"),
        (f'{HEADER}\n"{LINE}MT', "is not CSV"),
    ],
)
def test_bad_text_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(SdmxCsvError) as caught:
        sdmx_csv.decode(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_size_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{HEADER}\n{LINE}MT,2024,1,,\n{LINE}MT,2025,1,,"
    monkeypatch.setattr(sdmx_csv, "MAX_CELLS", 1)
    with pytest.raises(SdmxCsvError, match="more than 1 rows"):
        sdmx_csv.decode(text)
    monkeypatch.setattr(sdmx_csv, "MAX_CHARACTERS", 20)
    with pytest.raises(SdmxCsvError, match="longer than 20 characters"):
        sdmx_csv.decode(text)


@given(st.text(max_size=80), st.sampled_from(["", HEADER + "\n", f"{HEADER}\n{LINE}"]))
@settings(max_examples=200, deadline=None)
def test_arbitrary_text_raises_nothing_but_our_error(text: str, start: str) -> None:
    try:
        columns = list(sdmx_csv.decode(start + text).columns)
    except SdmxCsvError as error:
        columns, said = [], str(error)
    else:
        said = "-"
    assert len(said.splitlines()) == 1
    assert columns == [] or columns[-3:] == ["time", "value", "status"]
