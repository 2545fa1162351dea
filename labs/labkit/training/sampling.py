"""Choose which titles to train on, so that a small budget of rows still reaches every language."""

import numpy as np
import pandas as pd

from labkit.training.errors import TrainingError


def spread(titles: pd.DataFrame, languages_each: int, seed: int = 0) -> pd.DataFrame:
    """Keep every title in `languages_each` of its languages, such that all languages get about the same number.

    `titles` has the columns id and language; every id is there in the same languages. With 156 ids, 24 languages and
    `languages_each=6` the result has 936 rows, 39 a language. Raises TrainingError when `languages_each` is not from 1
    to the number of languages.
    """
    languages = sorted(titles["language"].unique())
    if not 1 <= languages_each <= len(languages):
        raise TrainingError(f"languages_each is {languages_each}; there are {len(languages)} languages to choose from.")
    ids = np.random.default_rng(seed).permutation(sorted(titles["id"].unique()))
    # Each title starts one language further on; its other languages follow at even steps around the circle.
    steps = [len(languages) * step // languages_each for step in range(languages_each)]
    kept = {(title, languages[(start + step) % len(languages)]) for start, title in enumerate(ids) for step in steps}
    chosen = [pair in kept for pair in zip(titles["id"], titles["language"], strict=True)]
    return titles[chosen]
