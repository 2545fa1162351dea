"""Draw the AI Factories and antennas of `labkit.europe` on a map of Europe.

Country shapes: Natural Earth 1:50m, public domain, in `labkit/data/europe/country_shapes.geojson`. Only countries that
the map speaks about have borders; all other land is one plain shape.
"""

from __future__ import annotations

import csv
import json
import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw", "project"]

_CENTRE = (10.0, 52.0)  # degrees east and north: the centre that EPSG:3035, the EU's own map projection, uses
_EARTH_RADIUS = 6371.0  # km
_WINDOW = (-1800.0, 2280.0, -1840.0, 2110.0)  # km west, east, south, north of the centre: leaves the Canaries out

# Fill of a country, by what it has. The markers say the same, so colour is never the only sign.
_WITH_FACTORY, _WITH_ANTENNA, _WITH_NEITHER, _OTHER_LAND = "#CFE0EC", "#F1E4C6", "#E4E4E4", "#F3F3F3"
_BORDER, _INK = "#FFFFFF", "#222222"
_ROUNDS: dict[int, tuple[str, str]] = {1: ("o", "#0072B2"), 2: ("s", "#D55E00"), 3: ("^", "#009E73")}


def project(longitude: float, latitude: float) -> tuple[float, float]:
    """Turn degrees into kilometres east and north of 10° E, 52° N, keeping areas in proportion.

    Lambert azimuthal equal-area projection on a sphere (J. P. Snyder, Map Projections: A Working Manual, USGS
    Professional Paper 1395, 1987, equations 24-2 to 24-4).
    """
    phi, phi0 = math.radians(latitude), math.radians(_CENTRE[1])
    away = math.radians(longitude - _CENTRE[0])
    scale = math.sqrt(2 / (1 + math.sin(phi0) * math.sin(phi) + math.cos(phi0) * math.cos(phi) * math.cos(away)))
    east = _EARTH_RADIUS * scale * math.cos(phi) * math.sin(away)
    north = _EARTH_RADIUS * scale * (math.cos(phi0) * math.sin(phi) - math.sin(phi0) * math.cos(phi) * math.cos(away))
    return east, north


def draw(factories: pd.DataFrame, antennas: pd.DataFrame) -> Figure:
    """Draw one marker a factory, by round, and one open diamond a country with an antenna.

    `factories` needs the columns `factory`, `city`, `round`, `longitude`, `latitude` and `country_code`; `antennas`
    needs `country_code`. Both as `labkit.europe` returns them, whole or filtered.
    """
    fig, ax = plt.subplots(figsize=(9.0, 8.9), layout="constrained")
    ax.set(xlim=_WINDOW[:2], ylim=_WINDOW[2:], aspect="equal", xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    _draw_countries(ax, set(factories["country_code"]), set(antennas["country_code"]))
    _draw_antennas(ax, antennas)
    _draw_factories(ax, factories)
    _draw_legend(ax, factories)
    return fig


def _draw_countries(ax: Axes, with_factory: set[str], with_antenna: set[str]) -> None:
    for feature in _shapes()["features"]:
        code = feature["properties"]["code"]
        fill = _WITH_NEITHER
        if code == "OTHER":
            fill = _OTHER_LAND
        elif code in with_factory:
            fill = _WITH_FACTORY
        elif code in with_antenna:
            fill = _WITH_ANTENNA
        width = 0.0 if code == "OTHER" else 0.8
        ax.add_patch(PathPatch(_path(feature), facecolor=fill, edgecolor=_BORDER, linewidth=width))


def _draw_antennas(ax: Axes, antennas: pd.DataFrame) -> None:
    places = _label_places("antenna")
    for code in antennas["country_code"]:
        place = places[code]
        spot = project(float(place["longitude"]), float(place["latitude"]))
        ax.plot(*spot, marker="D", markersize=6, color="white", markeredgecolor=_INK, linestyle="none")
        _write(ax, spot, code, place)


def _draw_factories(ax: Axes, factories: pd.DataFrame) -> None:
    places = _label_places("factory")
    for row in factories.to_dict("records"):
        marker, colour = _ROUNDS[row["round"]]
        spot = project(row["longitude"], row["latitude"])
        ax.plot(*spot, marker=marker, markersize=9, color=colour, markeredgecolor="white", linestyle="none", zorder=4)
        place = places[row["factory"]]
        _write(ax, spot, row["factory"], place, up=5.5, weight="bold")
        _write(ax, spot, row["city"], place, up=-5.5)


def _write(
    ax: Axes, spot: tuple[float, float], text: str, place: dict[str, str], *, up: float = 0.0, weight: str = "normal"
) -> None:
    """Write one line of a label at its hand-set distance from `spot`, `up` points higher."""
    away = (float(place["right"]), float(place["up"]) + up)
    label = ax.annotate(
        text, spot, away, textcoords="offset points", ha=place["align"], va="center", fontsize=8.5, fontweight=weight
    )
    label.set(color=_INK, zorder=5)


def _draw_legend(ax: Axes, factories: pd.DataFrame) -> None:
    handles: list[Artist] = []
    for number, (marker, colour) in _ROUNDS.items():
        chosen = factories.loc[factories["round"] == number, "selected"]
        if len(chosen):
            label = f"Factory, round {number} of {chosen.iloc[0].date()} ({len(chosen)})"
            handles.append(Line2D([], [], marker=marker, color=colour, markersize=9, linestyle="none", label=label))
    handles += [
        Line2D([], [], marker="D", color="white", markeredgecolor=_INK, linestyle="none", label="Antenna, by country"),
        Patch(color=_WITH_FACTORY, label="Country with a factory"),
        Patch(color=_WITH_ANTENNA, label="Country with an antenna"),
        Patch(color=_WITH_NEITHER, label="EU Member State with neither"),
    ]
    ax.legend(handles=handles, loc="upper right", borderaxespad=0.2, fontsize=9)


def _path(feature: dict[str, Any]) -> Path:
    """Join the rings of a country into one path, so that lakes and enclaves stay open."""
    rings = [ring for polygon in feature["geometry"]["coordinates"] for ring in polygon]
    return Path.make_compound_path(*(Path([project(*point) for point in ring], closed=True) for ring in rings))


def _shapes() -> dict[str, Any]:
    text = (files("labkit") / "data" / "europe" / "country_shapes.geojson").read_text(encoding="utf-8")
    shapes: dict[str, Any] = json.loads(text)
    return shapes


def _label_places(kind: str) -> dict[str, dict[str, str]]:
    """Read where each label stands: set by hand once, because no rule keeps 32 labels apart as well as an eye."""
    with (files("labkit") / "data" / "europe" / "map_labels.csv").open(encoding="utf-8") as lines:
        return {row["name"]: row for row in csv.DictReader(lines) if row["kind"] == kind}
