"""The pictures say in words what they show, and nothing falls off their edge."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from labkit import aiact
from labkit.plots import SOURCE_GID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

mpl.use("Agg")

SYSTEMS = [
    aiact.System("Nothing known"),
    aiact.System("Filter", yes=["infers", "union_market"], rest="no"),
    aiact.System("Score", yes=["infers", "union_market", "social_scoring", "unfair_treatment"], rest="no"),
    aiact.System("Everything", rest="yes"),
    aiact.System("Calculator", no=["infers"], rest="no"),
]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def words(figure: Figure) -> str:
    axes_texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    return " ".join(" ".join(axes_texts).split())


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_path_shows_every_step_with_its_answer(system: aiact.System) -> None:
    assessment = aiact.assess(system, on=date(2026, 11, 21))
    figure = aiact.draw_path(assessment)
    shown = words(figure)
    for step in assessment.steps:
        assert step.question in shown
        assert " ".join(step.why.split()[:5]) in shown
    marks = [text.get_text() for text in figure.axes[0].texts]
    assert sum(mark in ("YES", "NO", "OPEN") for mark in marks) == len(assessment.steps)
    assert assessment.summary.split(",", maxsplit=1)[0] in shown
    assert figure.axes[0].get_title(loc="left") or figure.axes[0].get_title()


def test_text_stays_inside_its_box() -> None:
    figure = aiact.draw_path(aiact.assess(SYSTEMS[3], on=date(2026, 11, 1)))
    figure.canvas.draw()
    right = figure.axes[0].get_window_extent().x1
    assert all(text.get_window_extent().x1 <= right for text in figure.axes[0].texts)


def test_calendar_has_a_row_for_each_milestone_and_a_source() -> None:
    figure = aiact.draw_calendar(date(2026, 11, 21))
    rows = [" ".join(label.get_text().split()) for label in figure.axes[0].get_yticklabels()]
    assert rows == [entry.what for entry in aiact.calendar(date(2026, 11, 21), text="2026").milestones]
    assert "21 November 2026" in words(figure)
    source = next(text for text in figure.texts if text.get_gid() == SOURCE_GID)
    assert "2024/1689" in source.get_text()
    filled = [
        line for line in figure.axes[0].lines if line.get_marker() == "o" and line.get_markerfacecolor() != "white"
    ]
    assert len(filled) == len(aiact.calendar(date(2026, 11, 21)).applies)
