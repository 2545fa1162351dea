import numpy as np
import pandas as pd
import pytest

from labkit.models import ModelError, benchmark

THEMES = ["AGRI", "ECON", "EDUC"]


def titles_of(language):
    rows = [(f"{theme.lower()}-{n:02}", theme, f"{language} {theme} {n}") for theme in THEMES for n in range(1, 21)]
    return pd.DataFrame(rows, columns=["id", "theme", "text"])


@pytest.fixture
def folder(tmp_path):
    for language in ("en", "mt"):
        titles_of(language).to_csv(tmp_path / f"{language}.csv", index=False)
    return tmp_path


def encode(texts, *, blind=()):
    """A perfect model: theme and number as axes; nothing but noise for the languages it is blind to."""
    vectors = np.random.default_rng(5).normal(0, 0.01, size=(len(texts), 30)).astype(np.float32)
    for row, text in enumerate(texts):
        language, theme, number = text.split()
        if language not in blind:
            vectors[row, THEMES.index(theme)] += 2
            vectors[row, 3 + int(number)] += 1
    return vectors


def test_a_perfect_model_gets_full_scores(folder):
    table = benchmark.table(benchmark.score(encode, benchmark.read_titles(folder)))
    assert set(table["language"]) == {"en", "mt"}
    assert set(table["measure"]) == set(benchmark.MEASURES)
    assert (table[["score", "low", "high"]] == 1.0).all(axis=None)


def test_a_language_that_the_model_does_not_know_is_seen(folder):
    titles = benchmark.read_titles(folder)
    blind = benchmark.score(lambda texts: encode(texts, blind=("mt",)), titles)
    table = benchmark.compare(blind, benchmark.score(encode, titles)).set_index(["language", "measure"])
    assert (table.loc["en", "difference"] == 0).all()
    assert (table.loc["mt", "difference"] < -0.3).all()
    assert (table.loc["mt", "high"] < 0).all()
    assert table.loc[("mean", "theme"), "difference"] == pytest.approx(table.loc[("mt", "theme"), "difference"] / 2)


def test_split_trains_on_the_first_twelve_of_a_theme(folder):
    scores = benchmark.score(encode, benchmark.read_titles(folder))
    assert len(scores.by_language["mt"]["split"]) == 8 * len(THEMES)
    assert len(scores.by_language["mt"]["theme"]) == 20 * len(THEMES)


def test_interval_holds_the_mean_and_repeats():
    values = np.array([0.0, 1.0] * 50)
    low, high = benchmark.interval(values)
    assert low < 0.5 < high
    assert high - low == pytest.approx(4 * 0.05, abs=0.03)
    assert benchmark.interval(values) == (low, high)
    assert all(np.isnan(benchmark.interval(np.array([]))))


def test_bad_folders(folder, tmp_path):
    with pytest.raises(ModelError, match=r"no file en\.csv"):
        benchmark.read_titles(tmp_path / "empty")
    titles_of("mt").iloc[1:].to_csv(folder / "mt.csv", index=False)
    with pytest.raises(ModelError, match="parallel"):
        benchmark.read_titles(folder)
    titles_of("mt").drop(columns="theme").to_csv(folder / "mt.csv", index=False)
    with pytest.raises(ModelError, match="columns"):
        benchmark.read_titles(folder)


def test_command_prints_a_row_for_each_language(folder, tiny_model, capsys):
    benchmark.main([str(folder), "--model", str(tiny_model("bert"))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["language", "measure", "score", "low", "high"]
    assert len(lines) == 1 + 2 * len(benchmark.MEASURES)
