"""Every day, provision and figure that course 3 and its labs print can be traced: to a table, a source, a computation.

What is left is made up on purpose, for stories and tests, and stands in `made_up.toml` with the reason.
"""

import re
import tomllib
from calendar import month_name
from collections.abc import Iterator
from dataclasses import astuple
from datetime import date
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.kit import kit_folder
from labkit import aiact, data, scores

PAGES = [
    *sorted(page.relative_to(kit_folder()) for page in (kit_folder() / "courses/03-ai-act").glob("*.ipynb")),
    *(Path(f"labs/{lab}/{lab}.ipynb") for lab in ("risk-and-roles", "document-your-model", "capstone")),
]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
MADE_UP = tomllib.loads((Path(__file__).parent / "made_up.toml").read_text("utf-8"))

MONTHS = list(month_name)
WRITTEN_DAY = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(MONTHS[1:])}) (\d{{4}})\b")
OTHER_DAY = re.compile(r"\b(\d{4})-(\d\d)-(\d\d)\b|\bdate\((\d{4}), (\d\d?), (\d\d?)\)")
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)")
ARTICLE = r"\d+(?! point)[a-z]?(?:\([^)\s]+\))*"
ARTICLES = re.compile(rf"\bArt(?:icle)?s? ({ARTICLE}(?:(?:, | and | to | or ){ARTICLE})*)")
ANNEXES = re.compile(r"\bAnnex(?:es)? ([IVX]+)(?: and ([IVX]+))?\b")
NOT_FIGURES = (
    re.compile(r"```.*?```", re.DOTALL),
    re.compile(r"\(https?://[^)]*\)"),
    re.compile(r"\b\d+ (?:(?:to|or over) \d+ )?words\b"),  # the form of an answer
    re.compile(r"\babout \d+ minutes\b"),
    re.compile(r"\b(?:Articles?|Art|Annex|points?|sections?|lessons?|course|chapter) [\dIVX(][^ ,;:]*"),
)


@cache
def read(page: Path) -> NotebookNode:
    return nbformat.read(kit_folder() / page, as_version=4)


def prose(page: Path) -> str:
    """What is written; the list of sources at the end is where the tracing ends."""
    return "\n\n".join(
        cell.source for cell in read(page).cells if cell.cell_type == "markdown" and cell.id != "sources"
    )


def sources(page: Path) -> str:
    """The list of sources at the end."""
    return next(cell.source for cell in read(page).cells if cell.id == "sources")


def computed(page: Path, *, tests: bool = True) -> str:
    """Code, and what it printed; with or without the tests of a lab."""
    found = []
    for cell in read(page).cells:
        if cell.cell_type == "code" and (tests or is_solution(cell) or not is_grade(cell)):
            found.append(cell.source)
            for output in cell.get("outputs", []):
                shown = {kind: text for kind, text in output.get("data", {}).items() if kind.startswith("text")}
                found += [output.get("text", ""), *(re.sub("<[^>]*>", " ", text) for text in shown.values())]
    return "\n".join(found)


def days(text: str) -> Iterator[date]:
    for day, month, year in WRITTEN_DAY.findall(text):
        yield date(int(year), MONTHS.index(month), int(day))
    for parts in OTHER_DAY.findall(text):
        year, month, day = (int(part) for part in parts if part)
        yield date(year, month, day)


def numbers(text: str) -> list[float]:
    return [float(found.replace(",", "")) for found in NUMBER.findall(text)]


@cache
def tables() -> tuple[object, ...]:
    """Every value of every field of every entry."""
    entries = [entry for table in (*aiact.TABLES, aiact.SOURCES) for entry in table.values()]
    return tuple(value for entry in entries for value in astuple(entry))


@cache
def measured() -> frozenset[float]:
    """What lessons and labs say of the titles and of the recorded runs, computed from the data."""
    themes = data.load("themes")
    titles = themes.groupby("split")["id"].nunique()
    found = [*titles, titles.sum(), 2 * titles["train"], 4 * titles.sum()]
    for run in ("lora-0", "frozen"):
        by_language = scores.by_group(data.judged(run))
        found += by_language[["accuracy", "low", "high"]].to_numpy().ravel().tolist()
    return frozenset(float(value) for value in found)


def is_rounded(number: float, value: float) -> bool:
    """Whether the number is the value, or the value as percent, without regard to its sign, as one would round it."""
    places = len(str(number).partition(".")[2].rstrip("0"))
    return any(round(abs(value) * scale, places) == number for scale in (1, 100))


def excused(page: Path, kind: str) -> dict[str, str]:
    return MADE_UP.get(page.stem, {}).get(kind, {})


def test_tracing_sees_days_provisions_and_figures() -> None:
    text = "2 August 2026, date(2027, 12, 2), 2026-07-27: Articles 9 to 15(3) and 26, Art 99, 1 point; 1,040 or 2.5 %"
    assert list(days(text)) == [date(2026, 8, 2), date(2027, 12, 2), date(2026, 7, 27)]
    assert ARTICLES.findall(text) == ["9 to 15(3) and 26", "99"]
    assert {1040.0, 2.5} <= set(numbers(text))
    assert is_rounded(71, 0.7081)
    assert is_rounded(0.71, 0.7081)
    assert is_rounded(3.1, -3.14)
    assert not is_rounded(70, 0.7081)


@every_page
def test_each_day_is_in_a_table_a_source_or_a_story(page: Path) -> None:
    known = {value for value in tables() if isinstance(value, date)}
    known |= {day for value in tables() if isinstance(value, str) for day in days(value)}
    known |= set(days(sources(page)))
    printed = set(days(prose(page) + computed(page, tests=False)))
    assert printed - known == {date.fromisoformat(day) for day in excused(page, "days")}


@every_page
def test_each_provision_has_its_line(page: Path) -> None:
    named = {f"Annex {number}" for found in ANNEXES.findall(prose(page)) for number in found if number}
    for articles in ARTICLES.findall(prose(page)):
        named |= {f"Art {number}" for number in re.findall(r"(?<![\w(])\d+[a-z]?", articles)}
    assert named
    assert {name for name in named if name not in aiact.ARTICLES} == set(excused(page, "provisions"))


@every_page
def test_each_figure_was_computed_or_stands_in_a_table(page: Path) -> None:
    """From ten on, and with a decimal point: smaller ones count questions, rows and reasons."""
    grounds = {*numbers(computed(page)), *numbers(sources(page)), *measured()}
    for value in tables():
        grounds |= {float(value)} if isinstance(value, int | float) else set(numbers(str(value)))
    text = prose(page)
    for pattern in NOT_FIGURES:
        text = pattern.sub(" ", text)
    figures = {number for number in numbers(text) if number >= 10 or number % 1}
    loose = {f"{number:g}" for number in figures if not any(is_rounded(number, value) for value in grounds)}
    assert loose == set(excused(page, "figures")), "compute it, or say in made_up.toml why it is there"
