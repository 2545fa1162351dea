"""Accuracy by language or theme with bootstrap intervals, and the difference of two classifiers on the same titles."""

from typing import Literal

import numpy as np
import pandas as pd

SAMPLES = 2000
"""Resamples of a bootstrap interval (B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13)."""

_COLUMNS = ("id", "language", "theme", "predicted")
_SEED = 24

Group = Literal["language", "theme"]


class ScoreError(Exception):
    """A table of judged titles cannot be scored; the message says what it lacks."""


def by_group(judged: pd.DataFrame, group: Group = "language") -> pd.DataFrame:
    """Accuracy of each language or theme: columns `group`, titles, accuracy, low, high; sorted by `group`.

    Accuracies are shares from 0 to 1; low and high are the ends of the 95 % bootstrap interval over titles. Raises
    ScoreError for a table without the columns id, language, theme and predicted, or without rows.
    """
    right = _right(judged)
    rows = [(name, *_mean_with_interval(right.loc[part.index], part["id"])) for name, part in judged.groupby(group)]
    return pd.DataFrame(rows, columns=[group, "titles", "accuracy", "low", "high"])


def overall(judged: pd.DataFrame) -> pd.Series:
    """Accuracy over all rows (each language has the same weight where it has the same titles), with its interval.

    Index: titles, accuracy, low, high. Raises ScoreError as `by_group`.
    """
    return pd.Series(
        _mean_with_interval(_right(judged), judged["id"]), index=["titles", "accuracy", "low", "high"], dtype=object
    )


def grid(judged: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of each theme (rows) in each language (columns), as shares. Raises ScoreError as `by_group`."""
    return judged.assign(right=_right(judged)).pivot_table(index="theme", columns="language", values="right")


def difference(judged: pd.DataFrame, reference: pd.DataFrame, group: Group = "language") -> pd.DataFrame:
    """Accuracy of `judged` minus that of `reference` for each group: columns `group`, titles, difference, low, high.

    Both tables must hold the same titles in the same languages; the interval compares title by title (paired), so it
    is narrower than the two single ones suggest. Raises ScoreError when they do not match.
    """
    keys = ["id", "language", "theme"]
    pairs = judged.assign(right=_right(judged)).merge(
        reference.assign(right=_right(reference)), on=keys, suffixes=("", "_reference"), validate="one_to_one"
    )
    if not len(pairs) == len(judged) == len(reference):
        raise ScoreError("The two tables do not hold the same titles in the same languages; compare like with like.")
    gain = pairs["right"] - pairs["right_reference"]
    rows = [(name, *_mean_with_interval(gain.loc[part.index], part["id"])) for name, part in pairs.groupby(group)]
    return pd.DataFrame(rows, columns=[group, "titles", "difference", "low", "high"])


def _right(judged: pd.DataFrame) -> pd.Series:
    missing = [name for name in _COLUMNS if name not in judged]
    if missing:
        raise ScoreError(f"The table has no column {', '.join(missing)}; it needs {', '.join(_COLUMNS)}.")
    if judged.empty:
        raise ScoreError("The table has no rows, so there is nothing to score.")
    return (judged["theme"] == judged["predicted"]).astype(float)


def _mean_with_interval(values: pd.Series, ids: pd.Series) -> tuple[int, float, float, float]:
    """Number of titles, mean, and the 95 % interval of the mean when titles are drawn anew."""
    by_title = pd.DataFrame({"id": ids, "value": values}).groupby("id")["value"].agg(["sum", "count"]).to_numpy()
    drawn = np.random.default_rng(_SEED).integers(0, len(by_title), size=(SAMPLES, len(by_title)))
    sums = by_title[drawn].sum(axis=1)
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [0.025, 0.975])
    return len(by_title), float(values.mean()), float(low), float(high)
