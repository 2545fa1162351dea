"""The tables of the Act: frozen entries, each with its provision, its source, the day it was checked and its trust.

They are read once from the TOML files in `tables/`. `trust` is "confirmed" (read in copies of the source itself, or in
two independent ones that agree), "reported" (read in one other source: repeat it with "as reported") or "open"
(disputed or not verified). CHANGES.md says how to update them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import pandas as pd

from labkit.aiact.wording import day

if TYPE_CHECKING:
    from labkit.aiact.answers import Cases

AS_OF = date(2026, 10, 2)
"""The state of the law in these tables: the last day on which their source was compared with the published texts."""

NOTICE = (
    "Teaching material, not legal advice. Law: Regulation (EU) 2024/1689 as amended by Regulation (EU) 2026/1744, "
    f"compared with the published texts up to {day(AS_OF)}; later changes are not excluded."
)
"""One line that every output carries."""

Trust = Literal["confirmed", "reported", "open"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What all entries share. `provision` may name several, separated by "; "; `source` is an id in SOURCES."""

    id: str
    provision: str
    source: str
    checked: date
    trust: Trust


@dataclass(frozen=True, kw_only=True)
class Source:
    """A text that entries rest on: what it is, and in which form it was really read."""

    id: str
    title: str
    reference: str
    dated: date
    read_in: str
    read_on: date
    trust: Trust


@dataclass(frozen=True, kw_only=True)
class Article(Entry):
    """A provision in one line of our own words."""

    title: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Question(Entry):
    """A fact that a described system is asked for; `kind` is "yes or no" or "date"."""

    ask: str
    kind: Literal["yes or no", "date"]


@dataclass(frozen=True, kw_only=True)
class Rule(Entry):
    """Something that holds when one of the cases `when` does, unless `open_question` keeps it from being certain."""

    when: Cases
    why: str
    open_question: str = ""


@dataclass(frozen=True, kw_only=True)
class ScopeRule(Rule):
    """A rule on whether the Act applies at all."""

    kind: Literal["definition", "territory", "exclusion", "open-source"]


@dataclass(frozen=True, kw_only=True)
class Practice(Rule):
    """A prohibited practice; `date` is the first day of the prohibition."""

    title: str
    date: date


@dataclass(frozen=True, kw_only=True)
class HighRiskUse(Rule):
    """A way into high-risk: a group of products (Annex I) or a point of Annex III."""

    route: Literal["annex1-a", "annex1-b", "annex3"]
    area: str


@dataclass(frozen=True, kw_only=True)
class TransparencyRule(Rule):
    """A duty of Article 50; `role` says who owes it."""

    role: str


@dataclass(frozen=True, kw_only=True)
class Milestone(Entry):
    """A day from which something applies; `text` says in which text of Articles 111 and 113 the day stands."""

    date: date
    what: str
    text: Literal["2024", "2026", "both"]
    topic: str


@dataclass(frozen=True, kw_only=True)
class Amendment(Entry):
    """What the amendment of 2026 changed."""

    topic: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Duty(Entry):
    """Something a role has to do; `trigger`, `route` and `when` say for which systems."""

    title: str
    what: str
    roles: tuple[str, ...]
    trigger: str
    route: str
    when: Cases


@dataclass(frozen=True, kw_only=True)
class ModelDuty(Entry):
    """Something the provider of a general-purpose AI model has to do."""

    title: str
    what: str
    owed_by_open_source: bool
    systemic_only: bool
    third_country_only: bool


@dataclass(frozen=True, kw_only=True)
class Threshold(Entry):
    """A number for general-purpose AI models, with its unit."""

    value: float
    unit: str
    what: str


@dataclass(frozen=True, kw_only=True)
class Fine(Entry):
    """An upper limit of fines: euro, and percent of the worldwide yearly turnover (0.0: no such share)."""

    what: str
    max_eur: int
    max_percent: float
    which: str


@dataclass(frozen=True, kw_only=True)
class OpenQuestion(Entry):
    """Something disputed or not verified; `topic` says when it is brought up."""

    topic: str
    question: str
    why: str


E = TypeVar("E", bound=Entry | Source)


class Table(Mapping[str, E], Generic[E]):
    """Entries by id, in the order of the file."""

    def __init__(self, name: str, entries: tuple[E, ...]) -> None:
        self.name = name
        self._entries = {entry.id: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise ValueError(f"tables/{name}.toml has an id twice: give each entry an id of its own.")

    def __getitem__(self, id: str) -> E:  # noqa: A002  the entries call it id
        """Entry with this id; KeyError shows what an id looks like."""
        try:
            return self._entries[id]
        except KeyError:
            example = next(iter(self._entries))
            raise KeyError(f"the table {self.name} has no {id!r}; an id looks like {example!r}") from None

    def __iter__(self) -> Iterator[str]:
        """Ids, in the order of the file."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Count the entries."""
        return len(self._entries)

    def __repr__(self) -> str:
        """Name and size, since the whole table is too long to print."""
        return f"Table({self.name!r}, {len(self)} entries)"

    def to_frame(self) -> pd.DataFrame:
        """One row an entry, one column a field, index = id."""
        rows = [{field.name: getattr(entry, field.name) for field in fields(entry)} for entry in self.values()]
        return pd.DataFrame(rows).set_index("id")


def articles_of(provision: str) -> tuple[str, ...]:
    """Name the entries of ARTICLES that a provision points to: "Art 26(7); Annex III, point 4" → Art 26, Annex III.

    Raises ValueError if a part of it does not begin like a provision.
    """
    found = [_HEAD.match(part.strip()) for part in provision.split(";")]
    if not all(found):
        raise ValueError(f"{provision!r} is not a provision: write for example 'Art 26(7)' or 'Annex III, point 4(a)'.")
    return tuple(match[0] for match in found if match)


_HEAD = re.compile(r"(?:Reg \d+/\d+ )?Art \d+[a-z]?|Annex [IVX]+|C\(\d+\) \d+")


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def _read(name: str, kind: type[E]) -> Table[E]:
    """Read one table; each file holds one list of entries, whose `seen` is where and when they were read."""
    text = (resources.files("labkit.aiact") / "tables" / f"{name}.toml").read_text(encoding="utf-8")
    (rows,) = tomllib.loads(text).values()
    return Table(name, tuple(kind(**_tuples_of(row), **row.get("seen", {})) for row in rows))


def _tuples_of(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _tuples(value) for key, value in row.items() if key != "seen"}


SOURCES: Table[Source] = _read("sources", Source)
"""What the entries rest on."""
ARTICLES: Table[Article] = _read("articles", Article)
"""The provisions that this kit uses."""
QUESTIONS: Table[Question] = _read("questions", Question)
"""The facts that a system is asked for."""
SCOPE: Table[ScopeRule] = _read("scope", ScopeRule)
"""Definition, territory and exclusions: Articles 2 and 3."""
PROHIBITED: Table[Practice] = _read("prohibited", Practice)
"""Article 5(1). "f-text" is not a point of its own but a reading of point (f) that is open."""
HIGH_RISK: Table[HighRiskUse] = _read("high_risk", HighRiskUse)
"""Article 6(1) with Annex I, and Article 6(2) with the eight areas of Annex III."""
DEROGATION: Table[Rule] = _read("derogation", Rule)
"""The four conditions of Article 6(3)."""
TRANSPARENCY: Table[TransparencyRule] = _read("transparency", TransparencyRule)
"""Article 50(1) to (4)."""
REQUIREMENTS: Table[Duty] = _read("requirements", Duty)
"""Articles 9 to 15."""
DUTIES: Table[Duty] = _read("duties", Duty)
"""Duties of the five roles."""
MODEL_DUTIES: Table[ModelDuty] = _read("model_duties", ModelDuty)
"""Articles 52 to 55."""
THRESHOLDS: Table[Threshold] = _read("thresholds", Threshold)
"""Numbers for general-purpose AI models."""
FINES: Table[Fine] = _read("fines", Fine)
"""Articles 99 to 101."""
CALENDAR: Table[Milestone] = _read("calendar", Milestone)
"""Articles 111 and 113, in the text of 2024 and in the amended one."""
AMENDMENTS: Table[Amendment] = _read("amendments", Amendment)
"""What Regulation (EU) 2026/1744 changed."""
OPEN_QUESTIONS: Table[OpenQuestion] = _read("open_questions", OpenQuestion)
"""What is disputed or could not be verified."""

TABLES: tuple[Table[Any], ...] = (
    ARTICLES, QUESTIONS, SCOPE, PROHIBITED, HIGH_RISK, DEROGATION, TRANSPARENCY, REQUIREMENTS, DUTIES, MODEL_DUTIES,
    THRESHOLDS, FINES, CALENDAR, AMENDMENTS, OPEN_QUESTIONS,
)  # fmt: skip
"""All tables of entries (SOURCES is not one: its rows are what entries point to)."""
