"""A statistical cube in memory: dimensions in order, and the cells that hold a number or a flag."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MAX_CELLS = 2_000_000
"""The most cells a cube may span; a laptop with 2 GB still makes a table of them. All of isoc_eb_ai has fewer."""

MAX_DIMENSIONS = 32
"""The most dimensions a cube may have; Eurostat's tables have five to ten."""

RESERVED = frozenset({"value", "status"})
"""Names a dimension may not have, because the tidy table has columns of that name."""


def shorten(thing: object, most: int = 60) -> str:
    """Show `thing` on one line with at most `most` characters, for error messages about untrusted input."""
    text = " ".join(repr(thing).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def tidy_frame(columns: Mapping[str, Sequence[str]], values: Iterable[float], status: Sequence[str]) -> pd.DataFrame:
    """Put dimension columns, `value` (float, NaN where there is no number) and `status` (text) into one table."""
    data: dict[str, pd.Series[Any]] = {name: pd.Series(list(codes), dtype="str") for name, codes in columns.items()}
    data["value"] = pd.Series(list(values), dtype="float64")
    data["status"] = pd.Series(list(status), dtype="str")
    return pd.DataFrame(data)


@dataclass(frozen=True)
class Dimension:
    """One axis of a cube: its codes in order, and names for people.

    `labels` maps codes to names and may leave codes out. Raises ValueError for repeated codes or a reserved name.
    """

    name: str
    codes: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    label: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be a dimension."""
        if self.name in RESERVED:
            raise ValueError(f"A dimension cannot be called {self.name!r}: the table has a column of that name.")
        if len(set(self.codes)) != len(self.codes):
            twice = next(code for i, code in enumerate(self.codes) if code in self.codes[:i])
            raise ValueError(f"Dimension {shorten(self.name)} has the code {shorten(twice)} twice.")
        if unknown := set(self.labels) - set(self.codes):
            raise ValueError(f"Dimension {shorten(self.name)} names a code it does not have: {shorten(min(unknown))}.")


@dataclass(frozen=True)
class Cube:
    """A data set with one number or flag in some of its cells.

    `values` and `status` are keyed by the flat index of the cell: row-major, so the last dimension moves fastest.
    A cell in neither is missing. `role` and `extension` are kept as they came. Raises ValueError when an index lies
    outside the cube, a value is not a finite number, or the cube is larger than `MAX_CELLS`.
    """

    dimensions: tuple[Dimension, ...]
    values: Mapping[int, float]
    status: Mapping[int, str] = field(default_factory=dict)
    label: str = ""
    source: str = ""
    updated: str = ""
    role: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extension: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what cannot be a cube."""
        if not 1 <= len(self.dimensions) <= MAX_DIMENSIONS:
            raise ValueError(f"A cube has 1 to {MAX_DIMENSIONS} dimensions, this one has {len(self.dimensions)}.")
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"Two dimensions have the same name: {shorten(self.names)}.")
        if self.cells > MAX_CELLS:
            raise ValueError(f"The cube has more than {MAX_CELLS:,} cells: ask for fewer codes or years.")
        for index in (*self.values, *self.status):
            if not 0 <= index < self.cells:
                raise ValueError(f"Cell {index} is outside the cube, which has {self.cells} cells (0 is the first).")
        for index, value in self.values.items():
            if not math.isfinite(value):
                raise ValueError(f"Cell {index} holds {value}, which is not a number: leave the cell out instead.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the dimensions, in order."""
        return tuple(dimension.name for dimension in self.dimensions)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many codes each dimension has, in order."""
        return tuple(len(dimension.codes) for dimension in self.dimensions)

    @property
    def cells(self) -> int:
        """How many cells the cube spans, filled or not."""
        return math.prod(self.shape)

    def dimension(self, name: str) -> Dimension:
        """Return one dimension; ValueError with the names there are if it is unknown."""
        for dimension in self.dimensions:
            if dimension.name == name:
                return dimension
        raise ValueError(f"There is no dimension {shorten(name)}. There are: {', '.join(self.names)}.")

    def to_frame(self, *, labels: bool = False, include_missing: bool = False) -> pd.DataFrame:
        """Return the tidy table: one column a dimension, then `value` and `status`; one row a cell, row-major.

        Only cells with a value or a status become rows; with `include_missing` every cell does, and `value` is NaN
        where there is no number. Codes, times among them, are text; `labels` puts names in their place where there
        are names. `status` is "" where there is no flag.
        """
        present = range(self.cells) if include_missing else sorted({*self.values, *self.status})
        left = np.fromiter(present, dtype=np.int64, count=len(present))
        columns: dict[str, list[str]] = {}
        for dimension in reversed(self.dimensions):
            names = [dimension.labels.get(code, code) if labels else code for code in dimension.codes]
            size = max(len(names), 1)  # a dimension without codes has no cells: `left` is empty then
            columns[dimension.name] = [names[position] for position in (left % size).tolist()]
            left = left // size
        return tidy_frame(
            {name: columns[name] for name in self.names},
            (self.values.get(index, math.nan) for index in present),
            [self.status.get(index, "") for index in present],
        )

    def select(self, **wanted: str | Sequence[str]) -> Cube:
        """Return the part of the cube with only these codes, in the cube's own order.

        `cube.select(geo=["MT", "CY"], time="2025")`. Raises ValueError, with a list of what there is, for a
        dimension or a code that the cube does not have.
        """
        kept = {name: self._positions(name, codes) for name, codes in wanted.items()}
        axes = [kept.get(dimension.name, range(len(dimension.codes))) for dimension in self.dimensions]
        new_dimensions = tuple(
            _restrict(dimension, axis) for dimension, axis in zip(self.dimensions, axes, strict=True)
        )
        # old flat index of every cell that stays, in the new order
        old = np.arange(self.cells, dtype=np.int64).reshape(self.shape)[np.ix_(*axes)].ravel().tolist()
        return Cube(
            new_dimensions,
            {new: self.values[index] for new, index in enumerate(old) if index in self.values},
            {new: self.status[index] for new, index in enumerate(old) if index in self.status},
            self.label,
            self.source,
            self.updated,
            self.role,
            self.extension,
        )

    def _positions(self, name: str, codes: str | Sequence[str]) -> list[int]:
        """Where the wanted codes stand in the dimension, in the cube's own order."""
        dimension = self.dimension(name)
        asked = {codes} if isinstance(codes, str) else set(codes)
        if unknown := sorted(asked - set(dimension.codes)):
            raise ValueError(
                f"Dimension {name} has no code {', '.join(map(shorten, unknown))}. "
                f"There are: {', '.join(dimension.codes)}."
            )
        return [position for position, code in enumerate(dimension.codes) if code in asked]


def _restrict(dimension: Dimension, positions: Iterable[int]) -> Dimension:
    """Keep only the codes at these positions."""
    codes = tuple(dimension.codes[position] for position in positions)
    labels = {code: dimension.labels[code] for code in codes if code in dimension.labels}
    return Dimension(dimension.name, codes, labels, dimension.label)
