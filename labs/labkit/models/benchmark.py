"""Measure what a model knows of each language: themes learnt from English titles alone, and finding a title's twin.

    python -m labkit.models.benchmark [--against uncut]

The titles are the kit's own (`labkit.data.load("themes")`: 260 in 24 languages). Three measures, each from 0 to 1:

- `split`: a linear head on frozen vectors, trained on the English titles of the data set's train part, tested on its
  test part in each language (104 titles, so one title is one point);
- `theme`: the same, but every title is tested: five folds, four times, and a title's score is its mean over the four;
- `twin`: a title looks for its English twin among all English titles by cosine; mean of 1 / rank.

Intervals are 95 % bootstrap intervals over titles; those of a difference compare the same titles (paired).
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold

from labkit.data import load as load_data
from labkit.models.course_model import build
from labkit.models.embedding import embed
from labkit.models.loading import load
from labkit.models.vocabulary import bundled_choice, uncut

ENGLISH = "en"
UNCUT = "uncut"
"""Name of the course model with its whole vocabulary, which is built for the comparison (235 MB in the cache)."""

MEASURES = ("split", "theme", "twin")
_FOLDS, _REPEATS, _SAMPLES, _SEED = 5, 4, 2000, 24

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts in, one vector each out."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Score of every title, by language and measure. `split` has only the test titles, the others all titles."""

    by_language: Mapping[str, Mapping[str, NDArray[np.float64]]]


def score(encode: Encode, titles: pd.DataFrame) -> Scores:
    """Measure one model on parallel titles: columns id, language, theme, split ("train" or "test") and text.

    Every language must have the same ids in the same order.
    """
    vectors = {
        str(language): _unit(encode(group["text"].tolist()))
        for language, group in titles.groupby("language", sort=True)
    }
    english = titles[titles["language"] == ENGLISH]
    themes = english["theme"].to_numpy(dtype=str)
    train, test = (np.flatnonzero(english["split"] == part) for part in ("train", "test"))
    folds = RepeatedStratifiedKFold(n_splits=_FOLDS, n_repeats=_REPEATS, random_state=_SEED)
    split = _transfer(vectors, themes, [(train, test)])
    crossed = _transfer(vectors, themes, list(folds.split(themes, themes)))
    return Scores(
        {
            language: {
                "split": split[language][test],
                "theme": crossed[language],
                "twin": _reciprocal_ranks(own, vectors[ENGLISH]),
            }
            for language, own in vectors.items()
        }
    )


def table(scores: Scores) -> pd.DataFrame:
    """One row a language and measure: score with its interval (low, high)."""
    rows = [
        (language, measure, float(values.mean()), *interval(values))
        for language, measures in scores.by_language.items()
        for measure, values in measures.items()
    ]
    return pd.DataFrame(rows, columns=["language", "measure", "score", "low", "high"])


def compare(scores: Scores, reference: Scores) -> pd.DataFrame:
    """One row a language and measure: score, reference, and their difference with its paired interval.

    The row "mean" is the mean over the languages; its interval is over titles too, not over languages.
    """
    rows = []
    for measure in MEASURES:
        own = {language: values[measure] for language, values in scores.by_language.items()}
        other = {language: reference.by_language[language][measure] for language in own}
        own["mean"] = np.mean(list(own.values()), axis=0)
        other["mean"] = np.mean(list(other.values()), axis=0)
        for language, values in own.items():
            difference = values - other[language]
            mean = float(values.mean()), float(other[language].mean()), float(difference.mean())
            rows.append((language, measure, *mean, *interval(difference)))
    return pd.DataFrame(rows, columns=["language", "measure", "score", "reference", "difference", "low", "high"])


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean; the same resamples each time, so results repeat."""
    if len(values) == 0:
        return math.nan, math.nan
    rows = np.random.default_rng(_SEED).integers(0, len(values), size=(_SAMPLES, len(values)))
    low, high = np.quantile(values[rows].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _transfer(
    vectors: Mapping[str, NDArray[np.float32]],
    themes: NDArray[np.str_],
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
) -> dict[str, NDArray[np.float64]]:
    """For each language and title the share of folds that test it in which its theme was found."""
    right = {language: np.zeros(len(themes)) for language in vectors}
    tested = np.zeros(len(themes))
    for train, test in folds:
        head = LogisticRegression(C=100.0, max_iter=2000).fit(vectors[ENGLISH][train], themes[train])
        tested[test] += 1
        for language, own in vectors.items():
            right[language][test] += head.predict(own[test]) == themes[test]
    return {language: hits / np.maximum(tested, 1) for language, hits in right.items()}


def _reciprocal_ranks(own: NDArray[np.float32], english: NDArray[np.float32]) -> NDArray[np.float64]:
    likeness = own @ english.T
    better = (likeness > np.diag(likeness)[:, None]).sum(axis=1)
    ranks: NDArray[np.float64] = 1.0 / (1.0 + better)
    return ranks


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit


def _encoder(name: str | None) -> Encode:
    model, tokenizer = load(build(choice=uncut(bundled_choice())) if name == UNCUT else name)
    return lambda texts: embed(texts, model, tokenizer)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of all languages."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", help="folder or hub id; default: the course model")
    parser.add_argument("--against", help="folder or hub id to compare with, or: uncut")
    options = parser.parse_args(arguments)
    titles = load_data("themes")
    scores = score(_encoder(options.model), titles)
    if options.against is None:
        print(table(scores).round(3).to_string(index=False))
        return
    reference = score(_encoder(options.against), titles)
    print(compare(scores, reference).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
