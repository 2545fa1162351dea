"""The result of walking through the Act with one system: classes, reasons step by step, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import pandas as pd

from labkit.aiact.answers import Answer
from labkit.aiact.entries import NOTICE, OpenQuestion, Question
from labkit.aiact.wording import day, page, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from labkit.aiact.system import System


class Outcome(IntEnum):
    """The classes, from the lightest to the heaviest. High-risk and transparency can hold together."""

    OUT_OF_SCOPE = 0
    MINIMAL = 1
    TRANSPARENCY = 2
    HIGH_RISK = 3
    PROHIBITED = 4

    @property
    def label(self) -> str:
        """The class in words, such as "high-risk"."""
        return _LABELS[self]


_LABELS = {
    Outcome.OUT_OF_SCOPE: "outside the Act",
    Outcome.MINIMAL: "no special duties",
    Outcome.TRANSPARENCY: "transparency duties",
    Outcome.HIGH_RISK: "high-risk",
    Outcome.PROHIBITED: "prohibited",
}


@dataclass(frozen=True)
class Step:
    """One question on the way: its answer, why, and the provision that asks it."""

    question: str
    answer: Answer
    why: str
    provision: str


@dataclass(frozen=True)
class Result:
    """One rule that holds (`answer` yes) or may hold (unknown); `applies` says whether it does so on the day asked.

    `rule` is the id of the entry; `applies_from` is None where no rule gives a date.
    """

    outcome: Outcome
    rule: str
    answer: Answer
    why: str
    provision: str
    applies_from: date | None
    applies: Answer


@dataclass(frozen=True)
class Assessment:
    """What the walk through the Act gives for one system on one day. Print it to read it.

    `classes` answers for each class whether the system is in it. `missing` are facts that would help, `unsettled` are
    questions that no fact about the system can answer. `derogated`: it is taken out of high-risk by Article 6(3).
    """

    system: System
    on: date
    classes: Mapping[Outcome, Answer]
    steps: tuple[Step, ...]
    results: tuple[Result, ...]
    derogated: Answer
    missing: tuple[Question, ...]
    unsettled: tuple[OpenQuestion, ...]

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The classes that certainly hold, heaviest first; they may start to apply only later (see `applying`)."""
        return tuple(outcome for outcome in reversed(Outcome) if self.classes[outcome] == Answer.YES)

    @property
    def applying(self) -> tuple[Outcome, ...]:
        """The classes that certainly hold and whose rules apply on the day asked, heaviest first."""
        now = {result.outcome for result in self.results if both_yes(result)}
        bare = {Outcome.OUT_OF_SCOPE, Outcome.MINIMAL}  # no rule of their own, so no date either
        return tuple(outcome for outcome in self.outcomes if outcome in now | bare)

    @property
    def at_least(self) -> Outcome:
        """The lightest class that the heaviest one can turn out to be, whatever the unknown facts are."""
        certain = self.outcomes
        return certain[0] if certain else min(self._possible)

    @property
    def at_most(self) -> Outcome:
        """The heaviest class that is possible, whatever the unknown facts are."""
        return max(self._possible)

    @property
    def decided(self) -> bool:
        """Whether every class is certain: nothing is missing and no open question could change a class."""
        return Answer.UNKNOWN not in self.classes.values()

    @property
    def summary(self) -> str:
        """The result in one sentence, with dates; never without "not enough information" while something is open."""
        parts = [self._dated(outcome) for outcome in self.outcomes]
        if not self.decided:
            maybe = [outcome.label for outcome in reversed(Outcome) if self.classes[outcome] == Answer.UNKNOWN]
            parts.append(f"not enough information on: {', '.join(maybe)}")
        if self.derogated == Answer.YES:
            parts.append("taken out of high-risk by Article 6(3), if the provider's written assessment holds")
        return "; ".join(parts)

    @property
    def open_questions(self) -> tuple[str, ...]:
        """Everything still open, in words: first the missing facts, then what the law or its reading leaves open."""
        return in_words(self.missing, self.unsettled)

    def to_frame(self) -> pd.DataFrame:
        """Return the path as a table: question, answer, why, provision."""
        return pd.DataFrame(
            [(step.question, str(step.answer), step.why, step.provision) for step in self.steps],
            columns=["question", "answer", "why", "provision"],
        )

    def __str__(self) -> str:
        """Result, path and open questions in plain lines."""
        lines = [f"{self.system.name}, on {day(self.on)}: {self.summary}."]
        lines += [f"  {step.question} {step.answer.upper()}. {step.why} ({step.provision})" for step in self.steps]
        lines += [f"  ? {item}" for item in in_words(self.missing, self.unsettled, most=6)]
        return page([*lines, f"  {NOTICE}"])

    @property
    def _possible(self) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in Outcome if self.classes[outcome] != Answer.NO)

    def _dated(self, outcome: Outcome) -> str:
        starts = [item for item in self.results if item.outcome == outcome and item.answer == Answer.YES]
        if not starts or any(both_yes(item) for item in starts):
            return outcome.label
        later = [item.applies_from for item in starts if item.applies_from and item.applies_from > self.on]
        return f"{outcome.label}, {f'from {day(min(later))}' if later else 'from a day that is not certain'}"


def in_words(
    missing: tuple[Question, ...], unsettled: tuple[OpenQuestion, ...], most: int | None = None
) -> tuple[str, ...]:
    """Put missing facts (at most `most` of them; None: all) and open questions into sentences with provisions."""
    facts = tuple(f"Not enough information: {fact.ask} ({fact.provision})" for fact in missing)
    points = tuple(f"Open: {item.question} {item.why} ({item.provision})" for item in unsettled)
    return (facts if most is None else shortened(facts, most)) + points


def both_yes(result: Result) -> bool:
    """Whether a result certainly holds and certainly applies on the day asked."""
    return result.answer == Answer.YES and result.applies == Answer.YES
