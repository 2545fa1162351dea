"""Who has to do what: the duties of a role for one system on one day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from labkit.aiact.answers import Answer, Verdict, both, either, evaluate, known, negate, unique
from labkit.aiact.assessment import Assessment, Outcome, Result, in_words
from labkit.aiact.dates import Start, high_risk_start, starts
from labkit.aiact.entries import (
    AS_OF,
    DUTIES,
    HIGH_RISK,
    NOTICE,
    OPEN_QUESTIONS,
    QUESTIONS,
    REQUIREMENTS,
    Duty,
    OpenQuestion,
    Question,
)
from labkit.aiact.walk import assess
from labkit.aiact.wording import day, page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from labkit.aiact.system import System

ROLES = ("provider", "deployer", "importer", "distributor", "authorised representative")
"""The roles of Article 3(3) to (7)."""

_FLIPS = {"own_name": "Art 25(1)(a)", "substantial_change": "Art 25(1)(b)", "new_purpose": "Art 25(1)(c)"}


@dataclass(frozen=True)
class Owed:
    """A duty that is owed (`answer` yes) or may be (unknown); `applies` says whether it binds on the day asked.

    `applies_from` is None where the day is open; OPEN_QUESTIONS then says why. `via` names Article 25 if the duty falls
    on this role because it becomes the provider.
    """

    duty: Duty
    answer: Answer
    applies_from: date | None
    applies: Answer
    via: str = ""


@dataclass(frozen=True)
class Obligations:
    """The duties of one role for one system on one day, with what is missing and what is open. Print it to read it."""

    role: str
    assessment: Assessment
    owed: tuple[Owed, ...]
    missing: tuple[Question, ...]
    unsettled: tuple[OpenQuestion, ...]

    @property
    def binding(self) -> tuple[Owed, ...]:
        """The duties that are certainly owed and certainly apply on the day asked."""
        return tuple(item for item in self.owed if item.answer == Answer.YES and item.applies == Answer.YES)

    def to_frame(self) -> pd.DataFrame:
        """One row a duty: title, what, provision, owed, applies_from, applies, via, source, checked, trust."""
        rows = [
            (
                *(item.duty.title, item.duty.what, item.duty.provision, str(item.answer), item.applies_from),
                *(str(item.applies), item.via, item.duty.source, item.duty.checked, item.duty.trust),
            )
            for item in self.owed
        ]
        names = ["title", "what", "provision", "owed", "applies_from", "applies", "via", "source", "checked", "trust"]
        return pd.DataFrame(rows, columns=names)

    def __str__(self) -> str:
        """Duties and open questions in plain lines."""
        lines = [f"{self.assessment.system.name}, duties of the {self.role} on {day(self.assessment.on)}:"]
        lines += [f"  {_when(item)}: {item.duty.what} ({item.duty.provision})" for item in self.owed]
        lines += [] if self.owed else ["  none in these tables."]
        lines += [f"  ? {item}" for item in in_words(self.missing, self.unsettled, most=6)]
        return page([*lines, f"  {NOTICE}"])


def obligations(role: str, system: System, *, on: date = AS_OF) -> Obligations:
    """List the duties of `role` (one of ROLES) for `system` on the day `on`, under the amended text.

    Whoever else puts a name on a high-risk system, substantially modifies it or gives a system a high-risk purpose also
    gets the provider's duties (Article 25(1)). Raises ValueError for a role that does not exist.
    """
    if role not in ROLES:
        raise ValueError(f"{role!r} is not a role of the Act: use one of {', '.join(ROLES)}.")
    assessment = assess(system, on=on)
    found = list(_owed(role, assessment, Answer.YES, ""))
    if role != "provider":
        flip, via = _becomes_provider(system)
        known_already = {item.duty.id for item in found}
        extra = (item for item in _owed("provider", assessment, flip, via) if item.duty.trigger == "high-risk")
        found += [item for item in extra if item.duty.id not in known_already]
    missing = unique((*(fact.id for fact in assessment.missing), *_missing(system, found)))
    return Obligations(
        role=role,
        assessment=assessment,
        owed=tuple(found),
        missing=tuple(QUESTIONS[fact] for fact in missing),
        unsettled=tuple(_unsettled(assessment, found)),
    )


def _becomes_provider(system: System) -> tuple[Answer, str]:
    answers = {provision: system.answer(fact) for fact, provision in _FLIPS.items()}
    via = "; ".join(provision for provision, answer in answers.items() if answer != Answer.NO)
    return either(*answers.values()), via


def _owed(role: str, assessment: Assessment, gate: Answer, via: str) -> Iterator[Owed]:
    private = assessment.system.answer("personal_use") if role == "deployer" else Answer.NO
    for duty in (*DUTIES.values(), *REQUIREMENTS.values()):
        if role not in duty.roles:
            continue
        trigger, start = _trigger(duty, assessment)
        condition = _condition(duty, assessment.system).answer
        answer = both(gate, trigger, condition, negate(private))
        if answer != Answer.NO:
            yield Owed(duty, answer, start.applies_from, start.applies, via)


def _condition(duty: Duty, system: System) -> Verdict:
    return evaluate(duty.when, system.answer) if duty.when else Verdict(Answer.YES, ())


def _trigger(duty: Duty, assessment: Assessment) -> tuple[Answer, Start]:
    """Say whether what a duty depends on holds, and from which day the duty binds."""
    on, in_scope = assessment.on, negate(assessment.classes[Outcome.OUT_OF_SCOPE])
    if duty.trigger == "in-scope":
        # Chapters I and II, so Article 4 too, apply from the same day; older systems: OPEN_QUESTIONS["older-systems"]
        first = starts("prohibitions")
        return in_scope, Start(first, known(on >= first))
    if duty.trigger == "derogated":
        if duty.id == "p-derogation-register":
            return assessment.derogated, Start(None, Answer.UNKNOWN)  # disputed: OPEN_QUESTIONS["registration-date"]
        return assessment.derogated, high_risk_start(assessment.system, "annex3", on)
    chosen = _matching(duty, assessment.results)
    answer = either(*(result.answer for result in chosen))
    return answer, _earliest(chosen)


def _matching(duty: Duty, results: Iterable[Result]) -> list[Result]:
    """Pick the results that trigger a duty."""
    if duty.trigger == "prohibited":
        return [result for result in results if result.outcome == Outcome.PROHIBITED]
    if duty.trigger != "high-risk":
        return [result for result in results if result.outcome == Outcome.TRANSPARENCY and result.rule == duty.trigger]
    high = [result for result in results if result.outcome == Outcome.HIGH_RISK]
    # Art 2(2): for products under Section B the duties of Chapter III come through the product law
    routes = {duty.route} if duty.route else {"annex1-a", "annex3"}
    return [result for result in high if HIGH_RISK[result.rule].route in routes]


def _earliest(results: list[Result]) -> Start:
    """Take the first day on which one of the results binds; certain results count before possible ones."""
    certain = [result for result in results if result.answer == Answer.YES] or results
    days = [result.applies_from for result in certain if result.applies_from]
    return Start(min(days, default=None), either(*(result.applies for result in certain)))


def _missing(system: System, found: list[Owed]) -> Iterator[str]:
    for item in found:
        yield from _condition(item.duty, system).missing
        if item.via and item.answer == Answer.UNKNOWN:
            yield from (fact for fact in _FLIPS if system.answer(fact) == Answer.UNKNOWN)


def _unsettled(assessment: Assessment, found: list[Owed]) -> Iterator[OpenQuestion]:
    already = {question.id for question in assessment.unsettled}
    ids = {item.duty.id for item in found}
    topics = {"literacy": "literacy" in ids, "fundamental-rights": "d-fria" in ids}
    for question in OPEN_QUESTIONS.values():
        if question.id in already or topics.get(question.topic, False):
            yield question


def _when(item: Owed) -> str:
    words = "owed" if item.answer == Answer.YES else "perhaps owed"
    words += ", as reported," if item.duty.trust == "reported" else ""
    if item.applies_from is None:
        return f"{words}, the day is open"
    later = " or later" if item.applies == Answer.UNKNOWN else ""
    return f"{words} from {day(item.applies_from)}{later}"
