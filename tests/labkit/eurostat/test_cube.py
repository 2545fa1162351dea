"""A cube refuses what makes no sense and gives the part that is asked for."""

from __future__ import annotations

import math

import pytest

from labkit.eurostat import Cube, Dimension

GEO = Dimension("geo", ("CY", "MT", "EL"), {"MT": "Malta"})
TIME = Dimension("time", ("2021", "2023"))
CUBE = Cube((GEO, TIME), {0: 1.0, 3: 4.0, 5: 6.0}, {2: "u"}, label="A table")


def test_part_keeps_values_flags_labels_and_order() -> None:
    part = CUBE.select(geo=["EL", "MT"])
    assert part == Cube((Dimension("geo", ("MT", "EL"), {"MT": "Malta"}), TIME), {1: 4.0, 3: 6.0}, {0: "u"}, "A table")
    assert CUBE.select(time="2023", geo="MT").values == {0: 4.0}
    assert CUBE.select() == CUBE


def test_unknown_names_are_answered_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"no dimension 'year'. There are: geo, time\."):
        CUBE.select(year="2021")
    with pytest.raises(ValueError, match=r"Dimension geo has no code 'GR'. There are: CY, MT, EL\."):
        CUBE.select(geo=["GR", "MT"])


@pytest.mark.parametrize(
    ("values", "status", "says"),
    [
        ({6: 1.0}, {}, "Cell 6 is outside"),
        ({-1: 1.0}, {}, "Cell -1 is outside"),
        ({}, {6: "b"}, "Cell 6 is outside"),
        ({0: math.nan}, {}, "not a number"),
    ],
)
def test_impossible_cells_are_refused(values: dict[int, float], status: dict[int, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Cube((GEO, TIME), values, status)


def test_impossible_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="'MT' twice"):
        Dimension("geo", ("MT", "MT"))
    with pytest.raises(ValueError, match="names a code it does not have: 'FR'"):
        Dimension("geo", ("MT",), {"FR": "France"})
    with pytest.raises(ValueError, match="cannot be called 'status'"):
        Dimension("status", ("MT",))
    with pytest.raises(ValueError, match="more than 2,000,000 cells"):
        Cube((Dimension("a", tuple(map(str, range(2001)))), Dimension("b", tuple(map(str, range(1000))))), {})
