"""Public labelled data in the languages of the EU, from the Hugging Face hub, each with its licence.

Nothing here is needed by a lesson's output, a lab or a test. The package `datasets` is imported only when a set is
asked for. Languages and licences come from public copies of the sets' own pages and repositories, read in November
2026; the hub itself was not asked. Read a set's page there before you publish work that rests on it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import httpx
import pandas as pd

from labkit.data.errors import DataSetError

# fmt: off
_FLORES = {
    "bg": "bul_Cyrl", "cs": "ces_Latn", "da": "dan_Latn", "de": "deu_Latn", "el": "ell_Grek", "en": "eng_Latn",
    "es": "spa_Latn", "et": "est_Latn", "fi": "fin_Latn", "fr": "fra_Latn", "ga": "gle_Latn", "hr": "hrv_Latn",
    "hu": "hun_Latn", "it": "ita_Latn", "lt": "lit_Latn", "lv": "lvs_Latn", "mt": "mlt_Latn", "nl": "nld_Latn",
    "pl": "pol_Latn", "pt": "por_Latn", "ro": "ron_Latn", "sk": "slk_Latn", "sl": "slv_Latn", "sv": "swe_Latn",
}
_MASSIVE = {
    "da": "da-DK", "de": "de-DE", "el": "el-GR", "en": "en-US", "es": "es-ES", "fi": "fi-FI", "fr": "fr-FR",
    "hu": "hu-HU", "it": "it-IT", "lv": "lv-LV", "nl": "nl-NL", "pl": "pl-PL", "pt": "pt-PT", "ro": "ro-RO",
    "sl": "sl-SL", "sv": "sv-SE",
}
# fmt: on


@dataclass(frozen=True)
class HubSet:
    """A data set on the hub.

    `repository` and `revision` say where it is, `configurations` maps a language (ISO 639-1) to the name that the set
    gives it, `about` and `licence` are one line each.
    """

    name: str
    repository: str
    configurations: Mapping[str, str]
    about: str
    licence: str
    revision: str = "main"


SETS: Mapping[str, HubSet] = {
    found.name: found
    for found in (
        HubSet(
            "sib200",
            "Davlan/sib200",
            _FLORES,
            "sentences with one of 7 topics, parallel; columns index_id, category, text",
            "CC BY-SA 4.0 (sentences from FLORES-200); the repository of the labels is under Apache-2.0",
        ),
        HubSet(
            "belebele",
            "facebook/belebele",
            {language: code for language, code in _FLORES.items() if language != "ga"},
            "reading comprehension: a passage, a question, four answers",
            "CC BY-SA 4.0",
        ),
        HubSet(
            "massive",
            "AmazonScience/massive",
            _MASSIVE,
            "requests to a voice assistant with one of 60 intents",
            "CC BY 4.0",
            revision="refs/convert/parquet",  # the main branch holds a loading script, which `datasets` no longer runs
        ),
        HubSet(
            "xnli",
            "facebook/xnli",
            {language: language for language in ("bg", "de", "el", "en", "es", "fr")},
            "pairs of sentences: does the second follow from the first?",
            "CC BY-NC 4.0: not for commercial use",
        ),
    )
}
"""The sets by name."""


def read(found: HubSet, languages: Sequence[str]) -> pd.DataFrame:
    """Load a set in these languages and print its licence: columns language, split, then the set's own.

    Class numbers are turned into their names. Raises DataSetError when `datasets` is missing, the hub does not answer,
    or the set has changed.
    """
    datasets = _datasets()
    parts = []
    for language in languages:
        for split, part in _load(datasets, found, language).items():
            table = _with_names(part)
            table.insert(0, "language", language)
            table.insert(1, "split", split)
            parts.append(table)
    print(f"{found.repository}: {found.about}. Licence: {found.licence}.")
    return pd.concat(parts, ignore_index=True)


def _datasets() -> ModuleType:
    try:
        return import_module("datasets")
    except ImportError:
        raise DataSetError(
            "Sets of the hub need the package datasets. Install it: pip install datasets. "
            'Or use load("themes"), which needs no network.'
        ) from None


def _load(datasets: ModuleType, found: HubSet, language: str) -> Mapping[str, Any]:
    """All parts (train, test …) of the set in one language."""
    try:
        parts: Mapping[str, Any] = datasets.load_dataset(
            found.repository, found.configurations[language], revision=found.revision
        )
    except (OSError, ValueError, httpx.HTTPError) as error:  # no network; no such set or language; the hub's own errors
        reason = " ".join(str(error).split())[:160]
        raise DataSetError(
            f"{found.repository} ({language}) could not be loaded: {reason}. "
            'Check the network, or use load("themes"), which needs none.'
        ) from error
    return parts


def _with_names(part: Any) -> pd.DataFrame:
    """Table of one part, with the name of a class in place of its number (-1 means: no label)."""
    table: pd.DataFrame = part.to_pandas()
    for column, feature in part.features.items():
        if hasattr(feature, "int2str"):
            table[column] = [None if number < 0 else feature.int2str(number) for number in table[column].tolist()]
    return table
