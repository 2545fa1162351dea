"""Read SDMX-CSV as Eurostat's SDMX 2.1 service writes it, into the same tidy table that JSON-stat gives."""

from __future__ import annotations

import csv
import io
import math
import re
from typing import TYPE_CHECKING

from labkit.eurostat.cube import MAX_CELLS, MAX_DIMENSIONS, RESERVED, shorten, tidy_frame

if TYPE_CHECKING:
    import pandas as pd

MAX_CHARACTERS = 50_000_000
"""The longest text that is read, in characters."""

# narrower than float(), which also takes "nan", "inf" and "1_000"; 200 digits and E99 together stay finite
_NUMBER = re.compile(r"[+-]?[0-9]{1,200}(\.[0-9]*)?([eE][+-]?[0-9]{1,2})?")
_BEFORE = ("DATAFLOW", "LAST UPDATE")
_AFTER = ("TIME_PERIOD", "OBS_VALUE", "OBS_FLAG", "CONF_STATUS")


class SdmxCsvError(ValueError):
    """The text is not Eurostat's SDMX-CSV; the message says in one line what is wrong with it."""


def decode(text: str) -> pd.DataFrame:
    """Turn SDMX-CSV into the tidy table: one text column a dimension, `time`, `value`, `status`; one row a line.

    Columns expected: DATAFLOW, LAST UPDATE, the dimensions, TIME_PERIOD, OBS_VALUE, and OBS_FLAG and CONF_STATUS
    where there are any. An empty value or ":" is NaN. `status` is the flag; a confidentiality mark follows it after
    "|", as in JSON-stat. Codes stay text, so "NA" is Namibia and not a gap. Rows keep the order of the file.
    Raises SdmxCsvError.
    """
    if len(text) > MAX_CHARACTERS:
        raise SdmxCsvError(f"The text is longer than {MAX_CHARACTERS:,} characters: ask for fewer codes or years.")
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(lines, [])
        dimensions = _dimensions(header, text)
        rows = [_row(header, line, lines.line_num) for line in lines if line]
    except csv.Error as error:
        raise SdmxCsvError(f"Line {lines.line_num} is not CSV: {error}.") from error
    if len(rows) > MAX_CELLS:
        raise SdmxCsvError(f"The table has more than {MAX_CELLS:,} rows: ask for fewer codes or years.")
    _refuse_repeats([tuple(row[name] for name in (*dimensions, "TIME_PERIOD")) for row in rows])
    columns = {name: [row[name] for row in rows] for name in dimensions}
    columns["time"] = [row["TIME_PERIOD"] for row in rows]
    return tidy_frame(columns, [_value(row) for row in rows], [_status(row) for row in rows])


def _dimensions(header: list[str], text: str) -> list[str]:
    if not {*_BEFORE, "TIME_PERIOD", "OBS_VALUE"} <= set(header):
        raise SdmxCsvError(f"The text is not SDMX-CSV; it begins with {shorten(text[:40])}.")
    if len(set(header)) != len(header):
        raise SdmxCsvError(f"The header has a column twice: {shorten(header)}.")
    dimensions = [name for name in header if name not in (*_BEFORE, *_AFTER)]
    if len(dimensions) > MAX_DIMENSIONS:
        raise SdmxCsvError(f"The table has {len(dimensions)} dimensions, more than {MAX_DIMENSIONS}.")
    if clash := (RESERVED | {"time"}) & set(dimensions):
        raise SdmxCsvError(f"A dimension cannot be called {min(clash)!r}: the table has a column of that name.")
    return dimensions


def _row(header: list[str], line: list[str], number: int) -> dict[str, str]:
    if len(line) != len(header):
        raise SdmxCsvError(f"Line {number} has {len(line)} fields, but the header has {len(header)}.")
    row = dict(zip(header, line, strict=True))
    value = row["OBS_VALUE"].strip()
    if value not in ("", ":") and not _NUMBER.fullmatch(value):
        raise SdmxCsvError(f"Line {number} has the value {shorten(value)}, which is not a number.")
    return row


def _refuse_repeats(keys: list[tuple[str, ...]]) -> None:
    if len(set(keys)) != len(keys):
        seen: set[tuple[str, ...]] = set()
        for key in keys:
            if key in seen:
                raise SdmxCsvError(f"Two lines give a value for the same cell: {shorten('.'.join(key))}.")
            seen.add(key)


def _value(row: dict[str, str]) -> float:
    value = row["OBS_VALUE"].strip()
    return math.nan if value in ("", ":") else float(value)


def _status(row: dict[str, str]) -> str:
    flag, confidential = row.get("OBS_FLAG", ""), row.get("CONF_STATUS", "")
    return f"{flag}|{confidential}" if confidential else flag
