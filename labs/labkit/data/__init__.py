"""Labelled text by name: the kit's own data set, always there, and public ones from the Hugging Face hub.

`load("themes")` reads the titles that travel with the kit. Any other name needs a network, and the package `datasets`.
`runs()` and `judged(run)` give recorded training runs on these titles.
"""

from collections.abc import Sequence

import pandas as pd

from labkit.data import hub, titles
from labkit.data.errors import DataSetError
from labkit.data.recorded import judged, runs
from labkit.data.titles import labels
from labkit.vocabularies import EU_LANGUAGES

__all__ = ["NAMES", "DataSetError", "judged", "labels", "load", "runs"]

NAMES = ("themes", *hub.SETS)
"""Names that `load` knows: "themes" first, then the public sets of the hub."""


def load(name: str, languages: Sequence[str] | None = None) -> pd.DataFrame:
    """Load a data set as one table, one row a text, in the given languages (ISO 639-1 codes) or in all it has.

    "themes" (offline): columns id, language, theme, split ("train" or "test"), text; 260 rows a language, in the order
    of the languages asked for, then of the ids; all 24 languages give 6,240 rows. Source: `data/themes/README.md`.

    Sets of the hub: columns language and split, then the set's own; the licence is printed. Each entry of `hub.SETS`
    says what the set is and where it comes from. Raises DataSetError for an unknown name or language, and when a set of
    the hub cannot be had.
    """
    if name not in NAMES:
        raise DataSetError(f"There is no data set {name!r}. There is: {', '.join(NAMES)}.")
    here = EU_LANGUAGES if name == "themes" else tuple(hub.SETS[name].configurations)
    wanted = _wanted(name, languages, here)
    return titles.read(wanted) if name == "themes" else hub.read(hub.SETS[name], wanted)


def _wanted(name: str, languages: Sequence[str] | None, here: tuple[str, ...]) -> list[str]:
    """Languages to load: each once, and each one that the set has."""
    if languages is None:
        return list(here)
    asked = [languages] if isinstance(languages, str) else list(dict.fromkeys(languages))
    unknown = [language for language in asked if language not in here]
    if unknown:
        raise DataSetError(
            f"The data set {name!r} is not in {', '.join(map(repr, unknown))}. It is in: {' '.join(here)}."
        )
    if not asked:
        raise DataSetError(f"The list of languages is empty. Name at least one of: {' '.join(here)}.")
    return asked
