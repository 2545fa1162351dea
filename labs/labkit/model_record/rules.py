"""Rules for a single value: each says in words which form it wants, and what is wrong with a value that has another."""

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from labkit.model_record.values import kind, shown
from labkit.vocabularies import EU_LANGUAGES, LICENCES

NONE = "none"
"""What stands in a record for something that there is not, such as the base model of a model built on none."""

_PLACEHOLDERS = {"todo", "tbd", "n/a", "xxx", "to do", "to be done", "...", "fill in"}
_MARK = 20  # characters, more than any placeholder has
_BEYOND = 1e5  # upper limits from here on only keep nonsense out; nobody needs to read them
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Rule(Protocol):
    """What all rules share."""

    @property
    def form(self) -> str:
        """The form that is wanted, in words that follow "write"."""

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a plain value, or None. Never raises, whatever the value is."""


@dataclass(frozen=True)
class Text:
    """Text with a length in characters, blanks at the ends not counted; no placeholder, no control characters."""

    shortest: int = 3
    longest: int = 300

    @property
    def form(self) -> str:
        """Words for the length."""
        return f"text of {self.shortest} to {self.longest} characters"

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        if type(value) is not str:
            return f"{shown(value)} is not text: write {self.form}"
        text = value.strip()
        if not text or text[:_MARK].casefold() in _PLACEHOLDERS:
            return f"{shown(text)} says nothing: fill it in"
        if not self.shortest <= len(text) <= self.longest:
            return f"has {len(text)} characters: write {self.form}"
        if any(not (letter.isprintable() or letter in "\n\t") for letter in text):
            return "has characters that cannot be shown: take them out"
        return None


@dataclass(frozen=True)
class Pattern:
    """Text of a fixed shape: a regular expression, and an example that fits."""

    shape: str
    example: str
    longest: int = 200

    @property
    def form(self) -> str:
        """An example."""
        return f"text such as {self.example}"

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        if type(value) is not str:
            return f"{shown(value)} is not text: write {self.form}"
        if len(value) > self.longest or not re.fullmatch(self.shape, value, re.ASCII):
            return f"{shown(value)} has another form: write {self.form}"
        return None


@dataclass(frozen=True)
class Day:
    """A day of the calendar as text."""

    form: str = "a day such as 2026-11-22"

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        if type(value) is not str or not _DAY.fullmatch(value):
            return f"{shown(value)} has another form: write {self.form}"
        try:
            date.fromisoformat(value)
        except ValueError:
            return f"{shown(value)} is not in the calendar"
        return None


@dataclass(frozen=True)
class Number:
    """A finite number from `low` to `high`; `whole` numbers may also come as 936.0. True and False are no numbers."""

    low: float
    high: float
    whole: bool = False
    unit: str = ""

    @property
    def form(self) -> str:
        """Kind, unit and range."""
        words = "a whole number" if self.whole else "a number"
        ends = f"from {self.low:g} to {self.high:g}" if self.high < _BEYOND else f"at least {self.low:g}"
        return f"{words}{f' of {self.unit}' if self.unit else ''}, {ends}"

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        if type(value) is not int and type(value) is not float:
            return f"{shown(value)} is not a number: write {self.form}"
        if type(value) is float and not math.isfinite(value):
            return f"{value} is not a finite number: write {self.form}"
        if not self.low <= value <= self.high:
            return f"{shown(value)} is out of range: write {self.form}"
        if self.whole and value != int(value):
            return f"{shown(value)} is not a whole number"
        return None


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    options: tuple[str, ...]

    @property
    def form(self) -> str:
        """The words."""
        return "one of " + ", ".join(self.options)

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        if type(value) is not str or value not in self.options:
            return f"{shown(value)} is not known here: write {self.form}"
        return None


@dataclass(frozen=True)
class YesNo:
    """True or False."""

    form: str = "True or False"

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        return None if type(value) is bool else f"{shown(value)} is not {self.form}"


@dataclass(frozen=True)
class Licence:
    """A code of the EU licence table; `or_none` where there may be nothing to license."""

    or_none: bool = False

    @property
    def form(self) -> str:
        """Examples of codes."""
        more = f", or {NONE!r}" if self.or_none else ""
        return f"a code of labkit.vocabularies.LICENCES, such as MIT or CC_BY_4_0{more}"

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        if type(value) is str and (value in LICENCES or (self.or_none and value == NONE)):
            return None
        return f"{shown(value)} is not in the licence table: write {self.form}"


@dataclass(frozen=True)
class Languages:
    """A list of codes of the 24 official EU languages, each once."""

    form: str = "a list of language codes, such as ['bg', 'cs']"

    def problem(self, value: object) -> str | None:
        """See `Rule`."""
        if type(value) is not list and type(value) is not tuple:
            return f"{kind(value)} is not a list: write {self.form}"
        if not 1 <= len(value) <= len(EU_LANGUAGES):
            return f"has {len(value)} entries: write {self.form}"
        for code in value:
            if type(code) is not str or code not in EU_LANGUAGES:
                return f"{shown(code)} is not a code of an official EU language"
        return None if len(set(value)) == len(value) else "has the same language twice"
