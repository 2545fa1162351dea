"""Draw scores: languages as points with intervals, themes as small multiples, both together as a heat map.

Every function returns the figure. `labkit.plots.describe` gives it words and `labkit.plots.source_line` its source.
"""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from labkit.plots import COLOURS
from labkit.scores.tables import by_group, grid

_MARKERS = "osD^vP"  # shapes differ too, for those who cannot tell the colours apart
_COLOURS = [COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "black")]
_DARK = 0.55  # share above which white figures read better on the heat map's colour


def draw_languages(judged: Mapping[str, pd.DataFrame]) -> Figure:
    """Dots with 95 % intervals: one line a language, one mark a classifier; best language of the last one on top.

    `judged` maps the name of each classifier (at most six) to its table of judged titles.
    """
    scores = {name: by_group(table).set_index("language") for name, table in judged.items()}
    order = list(scores.values())[-1].sort_values("accuracy").index
    figure, axes = plt.subplots(figsize=(7.5, 0.3 * len(order) + 1.4), layout="constrained")
    for number, (name, table) in enumerate(scores.items()):
        rows = table.loc[order]
        height = np.arange(len(order)) + 0.16 * (number - (len(scores) - 1) / 2)
        reach = 100 * np.abs(rows[["low", "high"]].sub(rows["accuracy"], axis=0).to_numpy().T)
        axes.errorbar(
            *(100 * rows["accuracy"], height, None, reach),
            fmt=_MARKERS[number],
            color=_COLOURS[number],
            label=name,
            markersize=4,
            elinewidth=0.8,
        )
    axes.set(yticks=range(len(order)), yticklabels=order, xlim=(0, 100), xlabel="Titles with the right theme (%)")
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def draw_themes(judged: Mapping[str, pd.DataFrame], columns: int = 4) -> Figure:
    """Small multiples: one panel a theme, in it one bar a classifier with its 95 % interval, all on one scale."""
    scores = {name: by_group(table, "theme").set_index("theme") for name, table in judged.items()}
    themes = list(scores.values())[-1].index
    lines = -(-len(themes) // columns)
    figure, panels = plt.subplots(
        lines, columns, figsize=(2.1 * columns, 1.5 * lines + 0.7), sharex=True, sharey=True, layout="constrained"
    )
    names = list(scores)
    for theme, axes in zip(themes, panels.flat, strict=False):
        rows = pd.DataFrame({name: table.loc[theme] for name, table in scores.items()}).T.astype(float)
        reach = 100 * np.abs(rows[["low", "high"]].sub(rows["accuracy"], axis=0).to_numpy().T)
        axes.barh(names, 100 * rows["accuracy"], xerr=reach, color=_COLOURS[: len(names)], height=0.6)
        axes.set_title(theme, fontsize=9)
        axes.set_xlim(0, 100)
        axes.invert_yaxis()
    for axes in panels.flat[len(themes) :]:
        axes.set_visible(False)
    panels.flat[0].yaxis.set_inverted(True)
    figure.supxlabel("Titles with the right theme (%), all languages", fontsize=9)
    return figure


def draw_grid(judged: pd.DataFrame) -> Figure:
    """Heat map: themes down, languages across, the share of right titles written in each field."""
    table = grid(judged)
    figure, axes = plt.subplots(
        figsize=(0.38 * table.shape[1] + 1.6, 0.34 * table.shape[0] + 0.9), layout="constrained"
    )
    picture = axes.imshow(table, cmap="cividis_r", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(table.to_numpy()):
        ink = "white" if share > _DARK else "black"
        axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=7, color=ink)
    axes.set(xticks=range(table.shape[1]), xticklabels=table.columns, yticks=range(table.shape[0]))
    axes.set_yticklabels(table.index)
    axes.grid(visible=False)
    axes.tick_params(length=0)
    bar = figure.colorbar(picture, ax=axes, pad=0.01)
    bar.ax.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    return figure
