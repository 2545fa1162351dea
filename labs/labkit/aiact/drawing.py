"""Pictures: the path of one assessment, and the calendar with the days that the amendment moved.

Colour only repeats what words and marks already say. Show a figure with `plots.describe(figure, alt_text)`.
"""

from __future__ import annotations

import textwrap
from datetime import date
from typing import TYPE_CHECKING

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

from labkit.aiact.answers import Answer
from labkit.aiact.dates import calendar
from labkit.aiact.entries import AS_OF, CALENDAR, NOTICE, Milestone
from labkit.aiact.wording import day
from labkit.plots import COLOURS, source_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from labkit.aiact.assessment import Assessment

_FILL = {Answer.YES: "#CFE5F3", Answer.NO: "#F2F2F2", Answer.UNKNOWN: "#FBE8C0"}
_EDGE = {Answer.YES: COLOURS["blue"], Answer.NO: COLOURS["grey"], Answer.UNKNOWN: COLOURS["vermilion"]}
_WORDS = {Answer.YES: "YES", Answer.NO: "NO", Answer.UNKNOWN: "OPEN"}
_LINE = 0.19  # inches, height of a line of text
_GAP = 0.24  # inches, between boxes
_YEARS = range(2025, 2033)
_ON_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}


def draw_path(assessment: Assessment) -> Figure:
    """Draw the steps of an assessment from top to bottom, each with its answer, reason and provision.

    The last box is the result. `str(assessment)` says the same in words and serves as the alt text.
    """
    boxes = [
        (step.question, step.answer, [*textwrap.wrap(step.why, 84), *textwrap.wrap(step.provision, 84)])
        for step in assessment.steps
    ]
    result = textwrap.wrap(f"Result: {assessment.summary}.", 84)
    heights = [_LINE * (len(lines) + 1) + 0.16 for _, _, lines in boxes] + [_LINE * len(result) + 0.4]
    total = sum(heights) + _GAP * len(boxes)
    fig, ax = plt.subplots(figsize=(8.0, total + 0.6))
    ax.set(xlim=(0, 8), ylim=(-total - 0.05, 0.05))
    ax.axis("off")
    ax.set_title(f"{assessment.system.name}, on {day(assessment.on)}")
    top = 0.0
    for (question, answer, lines), height in zip(boxes, heights[:-1], strict=True):
        _box(ax, top, height, answer)
        ax.text(0.2, top - height / 2, _WORDS[answer], va="center", fontsize=11, weight="bold", color=_EDGE[answer])
        _reason(ax, top, question, lines)
        _arrow(ax, top - height)
        top -= height + _GAP
    _result_box(ax, top, heights[-1], result)
    source_line(fig, NOTICE)
    return fig


def _box(ax: Axes, top: float, height: float, answer: Answer) -> None:
    corner = (0.05, top - height)
    ax.add_patch(Rectangle(corner, 7.9, height, facecolor=_FILL[answer], edgecolor=_EDGE[answer], linewidth=1.2))


def _reason(ax: Axes, top: float, question: str, lines: list[str]) -> None:
    ax.text(1.0, top - 0.09, question, va="top", fontsize=10, weight="bold")
    ax.text(1.0, top - 0.09 - _LINE, "\n".join(lines), va="top", fontsize=9, linespacing=1.35)


def _arrow(ax: Axes, bottom: float) -> None:
    ax.annotate("", (0.45, bottom - _GAP), (0.45, bottom), arrowprops={"arrowstyle": "-|>", "color": COLOURS["grey"]})


def _result_box(ax: Axes, top: float, height: float, lines: list[str]) -> None:
    ax.add_patch(Rectangle((0.05, top - height), 7.9, height, facecolor="white", edgecolor="black", linewidth=2))
    ax.text(0.2, top - height / 2, "\n".join(lines), va="center", fontsize=11, weight="bold", linespacing=1.3)


def draw_calendar(on: date = AS_OF) -> Figure:
    """Draw what applies from which day in the amended text, where each day was in the text of 2024, and the day `on`.

    Filled marks apply on the day `on`, hollow ones do not yet; an arrow leads from the day of 2024 to the moved one.
    """
    entries = calendar(on, text="2026").milestones
    earlier = {entry.topic: entry for entry in CALENDAR.values() if entry.text == "2024"}
    fig, ax = plt.subplots(figsize=(8.0, 0.52 * len(entries) + 1.6))
    for row, entry in enumerate(entries):
        _moved_from(ax, row, entry, earlier.get(entry.topic))
        face = COLOURS["blue"] if entry.date <= on else "white"
        ax.plot([_x(entry.date)], [row], "o", markersize=9, mec=COLOURS["blue"], mfc=face, zorder=3)
        # on white, so that the line of the day does not run through the letters
        ax.text(_x(entry.date) + 75, row, day(entry.date), va="center", fontsize=9, zorder=2.5, bbox=_ON_WHITE)
    ax.axvline(_x(on), color=COLOURS["vermilion"], linewidth=1.5)
    ax.text(_x(on), -1.05, f" {day(on)}", color=COLOURS["vermilion"], fontsize=9, ha="left", va="center")
    ax.set_yticks(range(len(entries)), [textwrap.fill(entry.what, 46) for entry in entries], fontsize=8.5)
    ax.set(ylim=(len(entries) - 0.4, -1.4), xlim=(_x(date(2024, 5, 1)), _x(date(2033, 3, 1))))
    ax.set_xticks([_x(date(year, 1, 1)) for year in _YEARS], [str(year) for year in _YEARS])
    ax.grid(visible=False, axis="y")
    fig.suptitle("From when the AI Act applies", x=0.0, ha="left", fontsize=13, weight="bold")
    source_line(fig, _legend())
    return fig


def _x(when: date) -> float:
    return float(mdates.date2num(when))  # type: ignore[no-untyped-call]


def _legend() -> str:
    sources = "Source: Articles 57, 111 and 113 of Regulation (EU) 2024/1689"
    marks = "Filled: applies on the day of the line; hollow: applies later; grey cross: the day in the text of 2024."
    return f"{marks} {sources}. {NOTICE}"


def _moved_from(ax: Axes, row: int, entry: Milestone, earlier: Milestone | None) -> None:
    """Mark the day in the text of 2024, if there was another one, and lead from it to the day of now."""
    if earlier is None:
        return
    ax.annotate(
        "",
        (_x(entry.date) - 30, row),
        (_x(earlier.date), row),
        arrowprops={"arrowstyle": "->", "color": COLOURS["grey"], "linewidth": 1.2},
    )
    ax.plot([_x(earlier.date)], [row], "x", color=COLOURS["grey"], markersize=8, zorder=3)
