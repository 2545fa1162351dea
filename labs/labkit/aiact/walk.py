"""Walk through the Act with a described system: scope, prohibited, high-risk, transparency, the rest.

The walk decides by rules in the tables and keeps every reason. Where a fact is unknown, or the law's reading is open,
the answer stays unknown and the question is passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.aiact.answers import Answer, Verdict, both, either, evaluate, known, negate, unique
from labkit.aiact.assessment import Assessment, Outcome, Result, Step
from labkit.aiact.dates import AMENDED, high_risk_start, starts, transparency_start
from labkit.aiact.entries import (
    AS_OF,
    DEROGATION,
    HIGH_RISK,
    OPEN_QUESTIONS,
    PROHIBITED,
    QUESTIONS,
    SCOPE,
    TRANSPARENCY,
    HighRiskUse,
    OpenQuestion,
    Practice,
    Rule,
)
from labkit.aiact.wording import day

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from labkit.aiact.system import System


def assess(system: System, *, on: date = AS_OF) -> Assessment:
    """Assess a system under the amended text of the Act, as things stand on the day `on`.

    The result holds the classes (several may hold at once), the path of reasons, the days from which rules apply, the
    facts that are missing and the questions that are open. A practice that is prohibited on that day ends the walk: no
    other duty makes it lawful. Never raises for a System. Teaching material, not legal advice.
    """
    walk = _Walk.of(system, on)
    results = tuple(_results(walk))
    return Assessment(
        system=system,
        on=on,
        classes=walk.classes,
        steps=tuple(_steps(walk)),
        results=results,
        derogated=walk.derogated,
        missing=tuple(QUESTIONS[fact] for fact in _missing(walk, results)),
        unsettled=tuple(_unsettled(walk)),
    )


@dataclass(frozen=True)
class _Ruling:
    """A rule and what it gives for the system."""

    rule: Rule
    answer: Answer
    missing: tuple[str, ...]

    @property
    def disputed(self) -> bool:
        """The facts are there, and only an open question keeps the rule from holding."""
        return bool(self.rule.open_question) and self.answer == Answer.UNKNOWN and not self.missing


def _rulings(rules: Iterable[Rule], system: System) -> tuple[_Ruling, ...]:
    found = [(rule, evaluate(rule.when, system.answer)) for rule in rules]
    return tuple(_Ruling(rule, _capped(rule, verdict), verdict.missing) for rule, verdict in found)


def _capped(rule: Rule, verdict: Verdict) -> Answer:
    """Never answer yes with a rule whose reading is open."""
    return both(verdict.answer, Answer.UNKNOWN) if rule.open_question else verdict.answer


def _any(rulings: Iterable[_Ruling]) -> Answer:
    return either(*(ruling.answer for ruling in rulings))


@dataclass(frozen=True)
class _Walk:
    """All rules applied to one system on one day, before they are put into words."""

    system: System
    on: date
    definition: tuple[_Ruling, ...]
    territory: tuple[_Ruling, ...]
    exclusions: tuple[_Ruling, ...]
    practices: tuple[_Ruling, ...]
    products: tuple[_Ruling, ...]
    uses: tuple[_Ruling, ...]
    conditions: tuple[_Ruling, ...]
    transparency: tuple[_Ruling, ...]

    @classmethod
    def of(cls, system: System, on: date) -> _Walk:
        """Apply every rule once."""
        return cls(
            system=system,
            on=on,
            definition=_rulings((rule for rule in SCOPE.values() if rule.kind == "definition"), system),
            territory=_rulings((rule for rule in SCOPE.values() if rule.kind == "territory"), system),
            exclusions=_rulings((rule for rule in SCOPE.values() if rule.kind == "exclusion"), system),
            practices=_rulings(PROHIBITED.values(), system),
            products=_rulings((use for use in HIGH_RISK.values() if use.route != "annex3"), system),
            uses=_rulings((use for use in HIGH_RISK.values() if use.route == "annex3"), system),
            conditions=_rulings(DEROGATION.values(), system),
            transparency=_rulings(TRANSPARENCY.values(), system),
        )

    @property
    def base(self) -> Answer:
        """In scope, leaving open-source aside."""
        return both(_any(self.definition), _any(self.territory), negate(_any(self.exclusions)))

    @property
    def prohibited_today(self) -> Answer:
        return _any(item for item in self.practices if isinstance(item.rule, Practice) and item.rule.date <= self.on)

    @property
    def exception(self) -> Answer:
        """Whether the exception of Art 6(3) would hold: a condition, no significant risk, no profiling."""
        risk, profiling = self.system.answer("significant_risk"), self.system.answer("profiling")
        return both(negate(profiling), negate(risk), _any(self.conditions))

    @property
    def high_risk(self) -> Answer:
        return either(_any(self.products), both(_any(self.uses), negate(self.exception)))

    @property
    def older(self) -> bool:
        """Whether it was there before the day of a high-risk route that it takes, and is not known to have changed."""
        routes = (("annex1", self.products), ("annex3", self.uses))
        first_days = [starts(topic) for topic, rules in routes if _any(rules) == Answer.YES]
        placed_on, changed = self.system.placed_on, self.system.answer("design_changed")
        return placed_on is not None and changed != Answer.YES and any(placed_on < first for first in first_days)

    @property
    def in_scope(self) -> Answer:
        heavier = either(_any(self.practices), self.high_risk, _any(self.transparency))
        return both(self.base, either(negate(self.system.answer("open_source")), heavier))

    @property
    def open_to_more(self) -> Answer:
        """In scope, and not already prohibited on the day."""
        return both(self.in_scope, negate(self.prohibited_today))

    @property
    def derogated(self) -> Answer:
        return both(self.open_to_more, _any(self.uses), self.exception)

    @property
    def classes(self) -> dict[Outcome, Answer]:
        prohibited, transparency = _any(self.practices), _any(self.transparency)
        nothing = both(negate(prohibited), negate(self.high_risk), negate(transparency))
        return {
            Outcome.OUT_OF_SCOPE: negate(self.in_scope),
            Outcome.MINIMAL: both(self.in_scope, nothing),
            Outcome.TRANSPARENCY: both(self.open_to_more, transparency),
            Outcome.HIGH_RISK: both(self.open_to_more, self.high_risk),
            Outcome.PROHIBITED: both(self.in_scope, prohibited),
        }


def _results(walk: _Walk) -> Iterator[Result]:
    """Every rule that holds or may hold, with its day."""
    for item in walk.practices:
        if isinstance(item.rule, Practice):
            applies = known(item.rule.date <= walk.on)
            yield from _result(Outcome.PROHIBITED, item, both(walk.in_scope, item.answer), item.rule.date, applies)
    for item in walk.products + walk.uses:
        if isinstance(item.rule, HighRiskUse):
            annex3 = item.rule.route == "annex3"
            start = high_risk_start(walk.system, "annex3" if annex3 else "annex1", walk.on)
            stays = negate(walk.exception) if annex3 else Answer.YES
            answer = both(walk.open_to_more, item.answer, stays)
            yield from _result(Outcome.HIGH_RISK, item, answer, start.applies_from, start.applies)
    for item in walk.transparency:
        start = transparency_start(walk.system, item.rule.id, walk.on)
        answer = both(walk.open_to_more, item.answer)
        yield from _result(Outcome.TRANSPARENCY, item, answer, start.applies_from, start.applies)


def _result(outcome: Outcome, item: _Ruling, answer: Answer, first: date | None, applies: Answer) -> Iterator[Result]:
    if answer != Answer.NO:
        yield Result(outcome, item.rule.id, answer, item.rule.why, item.rule.provision, first, applies)


def _missing(walk: _Walk, results: tuple[Result, ...]) -> tuple[str, ...]:
    """Name the facts that would help, in the order of the walk; nothing after a stage that already decides."""
    if walk.base == Answer.NO:
        return ()
    facts = [fact for group in (walk.definition, walk.territory, walk.exclusions) for fact in _open_facts(group)]
    facts += _open_facts(walk.practices)
    if walk.prohibited_today == Answer.YES:
        return unique(facts)
    if walk.high_risk == Answer.UNKNOWN:
        facts += _open_facts(walk.products) + _open_facts(walk.uses)
    if walk.high_risk == Answer.UNKNOWN and _any(walk.uses) != Answer.NO and walk.exception == Answer.UNKNOWN:
        facts += [fact for fact in ("profiling", "significant_risk") if walk.system.answer(fact) == Answer.UNKNOWN]
        facts += _open_facts(walk.conditions)
    facts += [fact for item in walk.transparency for fact in item.missing]
    facts += [fact for result in results for fact in _start_facts(walk, result)]
    if walk.in_scope == Answer.UNKNOWN and walk.system.answer("open_source") == Answer.UNKNOWN:
        facts.append("open_source")
    return unique(facts)


def _open_facts(rulings: tuple[_Ruling, ...]) -> list[str]:
    """Facts that could decide a group of rules of which one is enough."""
    return [] if _any(rulings) == Answer.YES else [fact for item in rulings for fact in item.missing]


def _start_facts(walk: _Walk, result: Result) -> tuple[str, ...]:
    if result.outcome == Outcome.HIGH_RISK:
        topic = "annex1" if result.rule.startswith("I-") else "annex3"
        return high_risk_start(walk.system, topic, walk.on).missing
    if result.outcome == Outcome.TRANSPARENCY:
        return transparency_start(walk.system, result.rule, walk.on).missing
    return ()


def _unsettled(walk: _Walk) -> Iterator[OpenQuestion]:
    """Open questions that touch this system."""
    section_b = _any(item for item in walk.products if item.rule.id == "I-B")
    raised = {
        "always": True,
        "open-source": walk.base != Answer.NO and walk.system.answer("open_source") == Answer.YES,
        "section-b": walk.open_to_more != Answer.NO and section_b == Answer.YES,
        "prohibited": walk.classes[Outcome.PROHIBITED] == Answer.YES,
        "derogation": _any(walk.uses) == Answer.YES and walk.derogated != Answer.NO,
        "high-risk": walk.classes[Outcome.HIGH_RISK] == Answer.YES,
        "older": walk.classes[Outcome.HIGH_RISK] == Answer.YES and walk.older,
    }
    named = {item.rule.open_question for item in walk.definition + walk.practices + walk.transparency if item.disputed}
    for question in OPEN_QUESTIONS.values():
        if raised.get(question.topic, False) or (question.id in named and walk.base != Answer.NO):
            yield question


def _steps(walk: _Walk) -> Iterator[Step]:
    """Put the walk into words, up to the stage that ends it."""
    yield _step("Is it an AI system?", walk.definition, "Art 3(1)", "It only follows rules that people wrote.")
    yield _step(
        "Is the Union concerned?", walk.territory, "Art 2(1)", "Neither market, user nor output is in the Union."
    )
    yield _step("Does an exclusion hold?", walk.exclusions, "Art 2", "None of the exclusions of Article 2 holds.")
    if walk.base == Answer.NO:
        return
    yield _step(
        "Is it a prohibited practice?", walk.practices, "Art 5(1)", "None of the practices of Article 5 is here."
    )
    if walk.on < AMENDED:
        why = f"The text in force before {day(AMENDED)} was another one; this walk uses the amended text."
        yield Step("Was the amendment in force?", Answer.NO, why, "Reg 2026/1744 Art 4")
    if walk.prohibited_today == Answer.YES:
        yield Step("Can other duties make it lawful?", Answer.NO, "A prohibited practice has to stop.", "Art 5(1)")
        return
    yield _step("Is it high-risk as a product?", walk.products, "Art 6(1)", "No product law of Annex I makes it so.")
    yield _step("Is it a use of Annex III?", walk.uses, "Art 6(2)", "It is in none of the eight areas.")
    yield from _exception_steps(walk)
    yield _step("Are there duties to tell people?", walk.transparency, "Art 50", "No duty of Article 50 holds.")
    if walk.system.answer("open_source") != Answer.NO:
        yield _open_source_step(walk)


def _exception_steps(walk: _Walk) -> Iterator[Step]:
    if _any(walk.uses) == Answer.NO:
        return
    profiling = walk.system.answer("profiling")
    why = {
        Answer.YES: "It profiles people, so an Annex III system is always high-risk.",
        Answer.NO: "It does not profile people, so the exception is possible.",
        Answer.UNKNOWN: "Not enough information: profiling would rule out the exception.",
    }
    yield Step("Does it profile people?", profiling, why[profiling], "Art 6(3)")
    if profiling == Answer.YES:
        return
    met = [item.rule for item in walk.conditions if item.answer == Answer.YES]
    words = {
        Answer.YES: " ".join(rule.why for rule in met) + " It poses no significant risk.",
        Answer.NO: "It poses a significant risk." if met else "It meets none of the four conditions.",
        Answer.UNKNOWN: "Not enough information on the four conditions or on the risk.",
    }
    provisions = "; ".join(rule.provision for rule in met) or "Art 6(3)"
    yield Step("Does the exception of Article 6(3) hold?", walk.exception, words[walk.exception], provisions)


def _open_source_step(walk: _Walk) -> Step:
    excluded = both(walk.system.answer("open_source"), negate(walk.in_scope))
    why = {
        Answer.YES: SCOPE["open-source"].why,
        Answer.NO: "A free licence does not help a system that is prohibited, high-risk or under Article 50.",
        Answer.UNKNOWN: "Not enough information: a free licence helps only outside Articles 5, 6 and 50.",
    }
    return Step("Does a free licence take it out?", excluded, why[excluded], "Art 2(12)")


def _step(question: str, rulings: tuple[_Ruling, ...], provision: str, otherwise: str) -> Step:
    """One step for a group of rules of which one is enough."""
    holding = [item.rule for item in rulings if item.answer == Answer.YES]
    reasons = [rule.why + _from(rule) for rule in holding]
    reasons += [f"Open: {OPEN_QUESTIONS[item.rule.open_question].question}" for item in rulings if item.disputed]
    maybe = [item.rule.provision for item in rulings if item.answer == Answer.UNKNOWN and item.missing]
    reasons += [f"Not enough information on {_few(maybe)}."] if maybe else []
    provisions = "; ".join(unique(rule.provision for rule in holding)) or provision
    return Step(question, _any(rulings), " ".join(reasons) or otherwise, provisions)


def _from(rule: Rule) -> str:
    """Say from which day a practice is prohibited, and a high-risk use brings duties."""
    if isinstance(rule, Practice):
        return f" (From {day(rule.date)}.)"
    if isinstance(rule, HighRiskUse):
        return f" (Duties from {day(starts('annex3' if rule.route == 'annex3' else 'annex1'))}.)"
    return ""


def _few(provisions: list[str], most: int = 3) -> str:
    different = unique(provisions)
    more = f" and {len(different) - most} more" if len(different) > most else ""
    return "; ".join(different[:most]) + more
