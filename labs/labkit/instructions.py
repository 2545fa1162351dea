"""Questions about open data with short answers, to tune a small language model on: `load()`.

About a third was written one by one and lies in `data/instructions`. The rest is made from the kit's own tables each
time, so it cannot differ from them: themes of the training titles, licences, formats, metrics and country codes.
`data/instructions/README.md` is the data card.
"""

import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files

import pandas as pd

from labkit import data, eurostat
from labkit.quality.metrics import METRICS
from labkit.vocabularies import FILE_TYPES, LICENCES, THEMES, Licence


@dataclass(frozen=True)
class Instruction:
    """A question with its answer.

    `kind` is what it is about; `source` is a key that the data card explains; `split` is "train", or "test" for the few
    that a model must not see in training.
    """

    id: str
    kind: str
    question: str
    answer: str
    source: str
    split: str = "train"


# fmt: off
_FORMATS = (
    "CSV", "JSON", "XML", "ODS", "GEOJSON", "RDF_TURTLE", "XLS", "XLSX", "SHP",
    "PDF", "DOCX", "JPEG", "PNG", "HTML", "TXT", "ZIP", "TSV", "GPKG",
)
# fmt: on

_LICENCES = {  # code in the EU table -> the name that people say
    "CC0": "CC0",
    "CC_BY_4_0": "CC BY 4.0",
    "CC_BYSA_4_0": "CC BY-SA 4.0",
    "CC_BYNC_4_0": "CC BY-NC 4.0",
    "CC_BYND_4_0": "CC BY-ND 4.0",
    "CC_BYNCSA_4_0": "CC BY-NC-SA 4.0",
    "CC_BYNCND_4_0": "CC BY-NC-ND 4.0",
    "ODC_BL": "ODbL",
    "ODC_BY": "ODC-By",
    "IODL_2_0": "IODL 2.0",
}
_UNSEEN_LICENCE = "CC_BYNCSA_4_0"  # its two parts, NC and SA, are both seen alone
_EVERY_THIRD = 3


def load() -> pd.DataFrame:
    """All instructions: columns id, kind, question, answer, source, split; always in the same order.

    Kinds from the tables: theme, licence, format, points, country. Kinds written by hand: property, concept, practice,
    portal, metric, eurostat. The test part holds every third metric of "points" and one licence. Titles are training
    titles of the themes data only.
    """
    rows = [*_themes(), *_licences(), *_formats(), *_points(), *_countries(), *_written()]
    return pd.DataFrame([asdict(row) for row in rows])


def theme_question(title: str) -> str:
    """Ask for the theme of a title, in the words of the instructions."""
    return f"Which theme fits this data set? {title}"


def _themes() -> Iterator[Instruction]:
    titles = data.load("themes", ["en"])
    for row in titles[titles["split"] == "train"].itertuples():
        label = THEMES[str(row.theme)].label
        yield Instruction(f"theme-{row.id}", "theme", theme_question(str(row.text)), label, "themes")


def _licences() -> Iterator[Instruction]:
    for code, name in _LICENCES.items():
        for number, (question, answer) in enumerate(_about(LICENCES[code], name), start=1):
            split = "test" if code == _UNSEEN_LICENCE else "train"
            yield Instruction(f"licence-{code.lower()}-{number}", "licence", question, answer, "licences", split)


def _about(licence: Licence, name: str) -> Iterator[tuple[str, str]]:
    """Questions and answers about one licence whose conditions are known for certain."""
    yield (
        f"May I sell a product that uses data under {name}?",
        f"Yes. {name} allows commercial use."
        if licence.allows_commercial_use
        else f"No. {name} forbids commercial use.",
    )
    yield (
        f"May I publish a changed version of data under {name}?",
        f"Yes. {name} allows changes." if licence.allows_adaptation else f"No. {name} forbids changed versions.",
    )
    yield (
        f"Must I name the source of data under {name}?",
        f"Yes. {name} asks for it." if licence.requires_attribution else f"No. {name} does not ask for it.",
    )


def _formats() -> Iterator[Instruction]:
    for code in _FORMATS:
        kind = FILE_TYPES[code]
        answer = f"Open: {_word(kind.non_proprietary)}. Machine-readable: {_word(kind.machine_readable)}."
        question = f"Is {code} an open and machine-readable format by the portal's lists?"
        yield Instruction(f"format-{code.lower()}", "format", question, answer, "formats")


def _word(flag: bool) -> str:
    return "yes" if flag else "no"


def _points() -> Iterator[Instruction]:
    for number, metric in enumerate(METRICS, start=1):
        question = f"How many points does the quality assessment give for {metric.name}?"
        split = "train" if number % _EVERY_THIRD else "test"
        yield Instruction(f"points-{number:02d}", "points", question, f"{metric.max_points} points.", "mqa", split)


def _countries() -> Iterator[Instruction]:
    countries = eurostat.bundled("isoc_eb_ai")["dimension"]["geo"]["category"]["label"]
    for code, name in countries.items():
        if len(code) == len("EL"):  # the longer ones are groups of countries
            question = f"Which country has the code {code} at Eurostat?"
            yield Instruction(f"country-{code.lower()}", "country", question, f"{name}.", "eurostat")


def _written() -> Iterator[Instruction]:
    text = files("labkit").joinpath("data", "instructions", "instructions.csv").read_text(encoding="utf-8")
    return (Instruction(**row) for row in csv.DictReader(text.splitlines()))
