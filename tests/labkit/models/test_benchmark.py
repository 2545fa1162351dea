import numpy as np
import pandas as pd
import pytest

from labkit.models import benchmark

THEMES = ["AGRI", "ECON", "EDUC"]


@pytest.fixture
def titles():
    rows = [
        (f"{theme.lower()}-{n:02}", language, theme, "train" if n <= 12 else "test", f"{language} {theme} {n}")
        for language in ("en", "mt")
        for theme in THEMES
        for n in range(1, 21)
    ]
    return pd.DataFrame(rows, columns=["id", "language", "theme", "split", "text"])


def encode(texts, *, blind=()):
    """A perfect model: theme and number as axes; nothing but noise for the languages it is blind to."""
    vectors = np.random.default_rng(5).normal(0, 0.01, size=(len(texts), 30)).astype(np.float32)
    for row, text in enumerate(texts):
        language, theme, number = text.split()
        if language not in blind:
            vectors[row, THEMES.index(theme)] += 2
            vectors[row, 3 + int(number)] += 1
    return vectors


def test_a_perfect_model_gets_full_scores(titles):
    table = benchmark.table(benchmark.score(encode, titles))
    assert set(table["language"]) == {"en", "mt"}
    assert set(table["measure"]) == set(benchmark.MEASURES)
    assert (table[["score", "low", "high"]] == 1.0).all(axis=None)


def test_a_language_that_the_model_does_not_know_is_seen(titles):
    blind = benchmark.score(lambda texts: encode(texts, blind=("mt",)), titles)
    table = benchmark.compare(blind, benchmark.score(encode, titles)).set_index(["language", "measure"])
    assert (table.loc["en", "difference"] == 0).all()
    assert (table.loc["mt", "difference"] < -0.3).all()
    assert (table.loc["mt", "high"] < 0).all()
    assert table.loc[("mean", "theme"), "difference"] == pytest.approx(table.loc[("mt", "theme"), "difference"] / 2)


def test_split_is_that_of_the_data(titles):
    scores = benchmark.score(encode, titles)
    assert len(scores.by_language["mt"]["split"]) == 8 * len(THEMES)
    assert len(scores.by_language["mt"]["theme"]) == 20 * len(THEMES)


def test_interval_holds_the_mean_and_repeats():
    values = np.array([0.0, 1.0] * 50)
    low, high = benchmark.interval(values)
    assert low < 0.5 < high
    assert high - low == pytest.approx(4 * 0.05, abs=0.03)
    assert benchmark.interval(values) == (low, high)
    assert all(np.isnan(benchmark.interval(np.array([]))))


def test_command_prints_a_row_for_each_language(titles, tiny_model, capsys, monkeypatch):
    monkeypatch.setattr(benchmark, "load_data", lambda name: {"themes": titles}[name])
    benchmark.main(["--model", str(tiny_model("bert"))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["language", "measure", "score", "low", "high"]
    assert len(lines) == 1 + 2 * len(benchmark.MEASURES)
