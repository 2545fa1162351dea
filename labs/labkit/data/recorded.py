"""Recorded training runs on the titles of "themes": what each took, and what it answered for every test title.

They were made once by `make bench-training`; `data/theme-runs/README.md` is their data card. With them a lesson can
compare many runs, seeds and budgets without training for an hour.
"""

import csv
from importlib.resources import files
from typing import Any

import pandas as pd

from labkit.data import titles
from labkit.data.errors import DataSetError
from labkit.vocabularies import EU_LANGUAGES


def _read(name: str) -> list[dict[str, str]]:
    text = files("labkit").joinpath("data", "theme-runs", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def runs() -> pd.DataFrame:
    """One row a recorded run.

    Columns: run (its name), method ("tfidf", "frozen", "lora" or "full"), languages (how many it was trained in), rows
    (titles it was trained on), epochs, seed, learned (weights that could change), seconds, cpu_seconds,
    peak_megabytes, watt_hours (an estimate, see `labkit.training.cost`), accuracy (share of the 2,496 test rows).
    """
    table = pd.DataFrame(_read("runs.csv"))
    whole = ["languages", "rows", "seed", "learned"]
    real = ["epochs", "seconds", "cpu_seconds", "peak_megabytes", "watt_hours", "accuracy"]
    return table.astype({**dict.fromkeys(whole, int), **dict.fromkeys(real, float)})


def judged(run: str) -> pd.DataFrame:
    """What a recorded run answered: columns id, language, theme (the right one) and predicted; 104 ids x 24 languages.

    Raises DataSetError for an unknown run.
    """
    answers: Any = pd.DataFrame(_read("predictions.csv"))
    known = list(answers.columns[2:])
    if run not in known:
        raise DataSetError(f"There is no recorded run {run!r}. There is: {', '.join(known)}.")
    test = titles.read(EU_LANGUAGES).query("split == 'test'")[["id", "language", "theme"]]
    predicted = answers[["id", "language", run]].rename(columns={run: "predicted"})
    return test.merge(predicted, on=["id", "language"], validate="one_to_one")
