"""The labelled titles that travel with the kit; `data/themes/README.md` is their data card."""

import csv
from collections.abc import Sequence
from importlib.resources import files

import pandas as pd


def _rows(*path: str) -> list[dict[str, str]]:
    text = files("labkit").joinpath("data", "themes", *path).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def labels() -> pd.DataFrame:
    """What holds for a title of "themes" in every language: 260 rows, one a title.

    Columns: id, theme (code of the best theme), split ("train" or "test"), hard (True when another theme is near),
    rival (code of that theme) and reason (why the theme wins over its rival), both missing where a title is not hard.
    """
    table = pd.DataFrame(_rows("labels.csv"))
    table["hard"] = table["hard"] == "yes"
    for column in ("rival", "reason"):
        table[column] = [value or None for value in table[column]]
    return table


def read(languages: Sequence[str]) -> pd.DataFrame:
    """Titles in these languages: columns id, language, theme, split, text; 260 rows a language."""
    texts = [row | {"language": language} for language in languages for row in _rows("titles", f"{language}.csv")]
    table = pd.DataFrame(texts).merge(labels(), on="id", how="left", validate="many_to_one")
    return table[["id", "language", "theme", "split", "text"]]
