"""Score tables: right by hand-made examples, intervals over titles, clear errors, and pictures that can be drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.scores import ScoreError, by_group, difference, draw_grid, draw_languages, draw_themes, grid, overall


def table(right: dict[str, list[bool]]) -> pd.DataFrame:
    """Judged titles from language -> was title 0, 1, 2, … right; the themes alternate between A and B."""
    rows = [
        (f"t{number}", language, "AB"[number % 2], "AB"[number % 2] if hit else "C")
        for language, hits in right.items()
        for number, hit in enumerate(hits)
    ]
    return pd.DataFrame(rows, columns=["id", "language", "theme", "predicted"])


SMALL = table({"en": [True, True, True, False], "ga": [False, True, False, False]})


def test_accuracy_by_language_theme_and_both():
    assert by_group(SMALL).set_index("language")["accuracy"].to_dict() == {"en": 0.75, "ga": 0.25}
    assert by_group(SMALL, "theme").set_index("theme")["accuracy"].to_dict() == {"A": 0.5, "B": 0.5}
    assert grid(SMALL).loc["A", "en"] == 1
    assert grid(SMALL).loc["A", "ga"] == 0
    assert overall(SMALL)["accuracy"] == 0.5
    assert overall(SMALL)["titles"] == 4


@settings(deadline=None, max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(1, 5))
def test_intervals_hold_the_mean_and_do_not_shrink_by_repeating_a_title_in_more_languages(hits, languages):
    one = by_group(table({"en": hits})).iloc[0]
    assert 0 <= one["low"] <= one["accuracy"] + 1e-9
    assert one["accuracy"] - 1e-9 <= one["high"] <= 1
    many = overall(table({f"l{number}": hits for number in range(languages)}))
    assert many["low"] == pytest.approx(one["low"])
    assert many["high"] == pytest.approx(one["high"])


def test_more_titles_give_a_narrower_interval():
    wide = by_group(table({"en": [True, False] * 10})).iloc[0]
    narrow = by_group(table({"en": [True, False] * 200})).iloc[0]
    assert narrow["high"] - narrow["low"] < (wide["high"] - wide["low"]) / 3
    assert narrow["high"] - narrow["low"] == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(400), rel=0.15)


def test_difference_pairs_the_titles():
    better = table({"en": [True, True, True, True], "ga": [False, True, False, True]})
    found = difference(better, SMALL).set_index("language")
    assert found["difference"].to_dict() == {"en": 0.25, "ga": 0.25}
    same = difference(SMALL, SMALL)
    assert (same[["difference", "low", "high"]] == 0).all().all()


def test_difference_refuses_other_titles():
    with pytest.raises(ScoreError, match="same titles"):
        difference(SMALL, SMALL[SMALL["language"] == "en"])


def test_errors_name_what_is_missing():
    with pytest.raises(ScoreError, match="no column predicted"):
        by_group(SMALL.drop(columns="predicted"))
    with pytest.raises(ScoreError, match="no rows"):
        overall(SMALL.head(0))


def test_pictures_show_what_the_tables_say():
    try:
        figure = draw_languages({"all": SMALL, "again": SMALL})
        assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["ga", "en"]
        assert [text.get_text() for text in figure.legends[0].get_texts()] == ["all", "again"]
        heat = draw_grid(SMALL)
        assert sorted(text.get_text() for text in heat.axes[0].texts) == ["0", "100", "50", "50"]
        panels = draw_themes({"all": SMALL}, columns=2)
        assert [axes.get_title() for axes in panels.axes] == ["A", "B"]
        assert panels.axes[0].patches[0].get_width() == 50
    finally:
        plt.close("all")
