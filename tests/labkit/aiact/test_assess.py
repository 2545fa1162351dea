"""The walk through the Act: described systems at its borders, and properties that hold for every system."""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit import aiact
from labkit.aiact import Answer, Outcome, System

if TYPE_CHECKING:
    from labkit.aiact.entries import HighRiskUse

TODAY = date(2026, 11, 21)
TABLE = tomllib.loads((Path(__file__).parent / "systems.toml").read_text(encoding="utf-8"))
FACTS = [fact for fact, question in aiact.QUESTIONS.items() if question.kind == "yes or no"]
DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))


def system_of(row: dict[str, Any]) -> System:
    no, unknown = row.get("no", []), row.get("unknown", [])
    yes = [fact for fact in [*TABLE["always"], *row["yes"]] if fact not in {*no, *unknown}]
    no = [fact for fact in no if fact not in unknown]
    return System(row["name"], row["description"], yes, no, unknown, rest="no", placed_on=row.get("placed_on"))


def assessed(row: dict[str, Any]) -> aiact.Assessment:
    return aiact.assess(system_of(row), on=row.get("on", TODAY))


def classes(names: list[str]) -> set[Outcome]:
    return {Outcome[name.upper()] for name in names}


def test_there_are_enough_systems() -> None:
    names = [row["name"] for row in TABLE["system"]]
    assert len(names) == len(set(names)) >= 60
    assert all(row["reason"] and row["provision"] and row["description"] for row in TABLE["system"])


@pytest.mark.parametrize("row", TABLE["system"], ids=lambda row: row["name"])
def test_described_system(row: dict[str, Any]) -> None:
    result = assessed(row)
    assert set(result.outcomes) == classes(row["outcomes"]), row["reason"]
    assert {outcome for outcome, answer in result.classes.items() if answer == Answer.UNKNOWN} == classes(
        row.get("perhaps", [])
    )
    if "applying" in row:
        assert set(result.applying) == classes(row["applying"]), row["reason"]
    assert row["provision"] in {part for step in result.steps for part in (step.provision, *step.provision.split("; "))}
    assert set(row.get("asks", [])) == {fact.id for fact in result.missing} & set(row.get("asks", []))
    assert set(row.get("raises", [])) <= {question.id for question in result.unsettled}
    assert (result.derogated == Answer.YES) == row.get("derogated", False)


@pytest.mark.parametrize("row", TABLE["system"], ids=lambda row: row["name"])
def test_result_never_comes_without_reasons(row: dict[str, Any]) -> None:
    result = assessed(row)
    assert result.steps
    assert all(step.why and step.provision for step in result.steps)
    text = " ".join(str(result).split())
    assert "not legal advice" in text
    assert result.steps[0].why in text
    assert len(result.to_frame()) == len(result.steps)
    if row.get("perhaps"):
        assert "not enough information" in result.summary
        assert result.missing or len(result.unsettled) > 1  # one is raised for every system


def test_table_reaches_every_rule() -> None:
    """A rule that no described system meets is a rule that nobody has thought about with a case."""
    found = {(result.outcome, result.rule) for row in TABLE["system"] for result in assessed(row).results}
    rules = {(Outcome.PROHIBITED, rule) for rule in aiact.PROHIBITED}
    rules |= {(Outcome.TRANSPARENCY, rule) for rule in aiact.TRANSPARENCY}
    assert rules <= found
    areas = {aiact.HIGH_RISK[rule].area for outcome, rule in found if outcome == Outcome.HIGH_RISK}
    assert areas == {use.area for use in aiact.HIGH_RISK.values()}


@pytest.mark.parametrize("use", aiact.HIGH_RISK.values(), ids=lambda use: use.id)
def test_each_use_is_high_risk_by_itself_and_its_exceptions_take_it_out(use: HighRiskUse) -> None:
    for case in use.when:
        positive = [fact for fact in case if not fact.startswith("!")]
        system = System("one use", yes=["infers", "union_market", *positive], rest="no")
        found = [item.rule for item in aiact.assess(system, on=TODAY).results if item.outcome == Outcome.HIGH_RISK]
        assert use.id in found
        for fact in set(case) - set(positive):
            excepted = aiact.assess(system.but(yes=[fact[1:]]), on=TODAY)
            assert use.id not in [item.rule for item in excepted.results]


def test_empty_description_gives_questions_instead_of_a_class() -> None:
    result = aiact.assess(System("nothing is known"))
    assert (result.at_least, result.at_most) == (Outcome.OUT_OF_SCOPE, Outcome.PROHIBITED)
    assert not result.outcomes
    assert result.missing[0].id == "infers"
    assert "…" in str(result)  # the printed page stays short
    assert any("Not enough information" in text for text in result.open_questions)


def test_day_before_the_amendment_is_named() -> None:
    system = System("chatbot", yes=["infers", "union_market", "talks_to_people"], rest="no")
    assert "amended text" in str(aiact.assess(system, on=date(2026, 7, 26)))
    assert "amended text" not in str(aiact.assess(system, on=date(2026, 7, 27)))


def test_default_day_is_the_state_of_the_tables() -> None:
    assert aiact.assess(System("anything")).on == aiact.AS_OF


@pytest.mark.parametrize(
    ("facts", "error", "words"),
    [
        ({"yes": ["profilling"]}, ValueError, "did you mean 'profiling'"),
        ({"yes": ["placed_on"]}, ValueError, "is not a fact"),
        ({"yes": ["profiling"], "no": ["profiling"]}, ValueError, "two answers"),
        ({"rest": "maybe"}, ValueError, "use 'yes', 'no' or 'unknown'"),
        ({"yes": "profiling"}, TypeError, "give a list"),
    ],
)
def test_wrong_description_gets_a_clear_answer(facts: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        System("wrong", **facts)


# Few facts at a time: a system with a hundred random answers is almost always prohibited, which tests little.
@st.composite
def systems(draw: st.DrawFn, *, unknowns: bool = True) -> System:
    rest = draw(st.sampled_from(["no", "no", "unknown", "yes"] if unknowns else ["no", "no", "no", "yes"]))
    chosen = draw(st.lists(st.sampled_from(FACTS), max_size=12, unique=True))
    answers = [draw(st.sampled_from(["yes", "no", "unknown"] if unknowns else ["yes", "no"])) for _ in chosen]
    given_facts = {
        kind: [fact for fact, answer in zip(chosen, answers, strict=True) if answer == kind]
        for kind in ("yes", "no", "unknown")
    }
    placed_on = draw(st.none() | DAYS)
    system = System("random", rest=rest, placed_on=placed_on, **given_facts)
    if draw(st.booleans()):
        system = system.but(yes=["infers", "union_market"], no=["research_only", "military_only", "before_market"])
    return system


def heaviest(assessment: aiact.Assessment) -> Outcome:
    assert assessment.at_least == assessment.at_most
    return assessment.at_least


@settings(max_examples=150, deadline=None)
@given(systems(), DAYS)
def test_no_description_makes_it_raise(system: System, on: date) -> None:
    result = aiact.assess(system, on=on)
    assert result.at_least <= result.at_most
    assert str(result)
    assert result.decided or result.open_questions
    for role in aiact.ROLES:
        assert str(aiact.obligations(role, system, on=on))


@settings(max_examples=150, deadline=None)
@given(systems(), DAYS)
def test_profiling_never_makes_it_lighter(system: System, on: date) -> None:
    without = aiact.assess(system.but(no=["profiling"]), on=on)
    unknown = aiact.assess(system.but(unknown=["profiling"]), on=on)
    with_it = aiact.assess(system.but(yes=["profiling"]), on=on)
    assert without.at_least <= unknown.at_least <= with_it.at_least
    assert without.at_most <= unknown.at_most <= with_it.at_most


@settings(max_examples=150, deadline=None)
@given(systems(), st.data(), DAYS)
def test_a_certain_answer_stays_whatever_the_unknown_facts_are(system: System, data: st.DataObject, on: date) -> None:
    before = aiact.assess(system, on=on)
    open_facts = [fact for fact in FACTS if system.answer(fact) == Answer.UNKNOWN]
    true = data.draw(st.lists(st.sampled_from(open_facts), unique=True) if open_facts else st.just([]))
    after = aiact.assess(system.but(yes=true, no=[fact for fact in open_facts if fact not in true]), on=on)
    for outcome, answer in before.classes.items():
        if answer != Answer.UNKNOWN:
            assert after.classes[outcome] == answer
    assert before.at_least <= after.at_least
    assert after.at_most <= before.at_most


@settings(max_examples=100, deadline=None)
@given(systems(unknowns=False), DAYS)
def test_without_unknown_facts_only_open_law_stays_open(system: System, on: date) -> None:
    result = aiact.assess(system, on=on)
    open_law = {"definition-border", "emotions-without-biometrics", "marking-code"}
    if not result.decided:
        assert open_law & {question.id for question in result.unsettled}
    else:
        assert heaviest(result) == max(result.outcomes)


@settings(max_examples=100, deadline=None)
@given(systems(), DAYS)
def test_what_applies_once_keeps_applying(system: System, on: date) -> None:
    """Later days add rules; only a prohibition that begins takes the other classes over."""
    today, tomorrow = aiact.assess(system, on=on), aiact.assess(system, on=on + timedelta(days=1))
    if Outcome.PROHIBITED not in tomorrow.applying:
        assert set(today.applying) <= set(tomorrow.applying)
