"""The tables are complete, point to one another, and say what they do not know."""

from __future__ import annotations

from datetime import date
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import aiact
from labkit.aiact.answers import Answer, both, either, evaluate, negate
from labkit.aiact.entries import Entry, Rule

ENTRIES = [(table.name, entry) for table in aiact.TABLES for entry in table.values()]


@pytest.mark.parametrize(("table", "entry"), ENTRIES, ids=lambda value: getattr(value, "id", value))
def test_entry_says_where_it_comes_from(table: str, entry: Entry) -> None:
    assert entry.source in aiact.SOURCES
    assert entry.trust in ("confirmed", "reported", "open")
    assert (entry.trust == "open") == (table == "open_questions")
    assert entry.checked >= date(2026, 10, 2)
    assert all(article in aiact.ARTICLES for article in aiact.articles_of(entry.provision))


def test_a_reported_source_makes_no_confirmed_entry() -> None:
    for _, entry in ENTRIES:
        if entry.trust == "confirmed":
            assert aiact.SOURCES[entry.source].trust == "confirmed", entry.id


def test_rules_use_facts_that_exist_and_every_fact_is_used() -> None:
    rules = [entry for _, entry in ENTRIES if isinstance(entry, Rule)]
    cases = [case for rule in rules for case in rule.when]
    cases += [case for duty in (*aiact.DUTIES.values(), *aiact.REQUIREMENTS.values()) for case in duty.when]
    used = {term.removeprefix("!") for case in cases for term in case}
    assert used <= set(aiact.QUESTIONS)
    # read by name: exception of Art 6(3), transition of Art 111, private use and change of role
    named = {"profiling", "significant_risk", "placed_on", "design_changed", "for_public_authorities"}
    named |= {"personal_use", "own_name", "substantial_change", "new_purpose"}
    assert set(aiact.QUESTIONS) - used == named
    assert {rule.open_question for rule in rules} - {""} <= set(aiact.OPEN_QUESTIONS)


def test_tables_have_what_the_act_has() -> None:
    points = [practice.provision for practice in aiact.PROHIBITED.values()]
    assert set(points) == {f"Art 5(1)({point})" for point in ["a", "b", "ba", "bb", "c", "d", "e", "f", "g", "h"]}
    annex3 = [use for use in aiact.HIGH_RISK.values() if use.route == "annex3"]
    assert len({use.area for use in annex3}) == 8
    assert len(annex3) == 25
    assert [duty.provision.split(";")[0] for duty in aiact.REQUIREMENTS.values()] == [f"Art {n}" for n in range(9, 16)]
    assert {role for duty in aiact.DUTIES.values() for role in duty.roles} == set(aiact.ROLES)
    assert {duty.provision for duty in aiact.DUTIES.values()} >= {f"Art 26({n})" for n in (1, 2, *range(4, 13))}


def test_deferred_prohibitions_are_the_two_new_ones() -> None:
    later = {practice.id for practice in aiact.PROHIBITED.values() if practice.date == date(2026, 12, 2)}
    assert later == {"ba", "bb"}
    assert {practice.date for practice in aiact.PROHIBITED.values()} == {date(2025, 2, 2), date(2026, 12, 2)}


def test_every_open_question_stands_on_the_page() -> None:
    page = (resources.files("labkit.aiact") / "UNVERIFIED.md").read_text(encoding="utf-8")
    for question in aiact.OPEN_QUESTIONS.values():
        assert f"`{question.id}`" in page


def test_page_on_changes_names_every_table() -> None:
    page = (resources.files("labkit.aiact") / "CHANGES.md").read_text(encoding="utf-8")
    for table in [*(table.name for table in aiact.TABLES), "sources"]:
        assert f"`{table}.toml`" in page


def test_table_answers_for_a_missing_entry() -> None:
    with pytest.raises(KeyError, match="an id looks like"):
        aiact.FINES["none"]
    assert list(aiact.FINES.to_frame()["max_eur"])[:3] == [35_000_000, 15_000_000, 7_500_000]


@pytest.mark.parametrize("text", ["", "Article 5", "Art", "point 4", "Art 5; somewhere"])
def test_not_a_provision(text: str) -> None:
    with pytest.raises(ValueError, match="is not a provision"):
        aiact.articles_of(text)


def test_fresh_tables_are_not_stale_and_old_ones_are() -> None:
    assert aiact.stale(aiact.AS_OF) == []
    assert aiact.stale(date(2027, 10, 2)) == []
    assert aiact.stale(date(2027, 10, 3)) == ["AS_OF is 2026-10-02: compare the law with the published texts again."]
    old = aiact.stale(date(2028, 2, 29))
    assert len(old) == 1 + len(ENTRIES) + len(aiact.SOURCES)


@given(st.lists(st.sampled_from(Answer), max_size=4), st.lists(st.sampled_from(Answer), max_size=4))
def test_three_valued_logic(left: list[Answer], right: list[Answer]) -> None:
    assert both(*left, *right) == both(both(*left), both(*right))
    assert negate(both(*left)) == either(*(negate(answer) for answer in left))  # De Morgan
    assert negate(negate(either(*left))) == either(*left)


def test_exceptions_are_asked_for_only_when_the_rest_holds() -> None:
    def nothing(_: str) -> Answer:
        return Answer.UNKNOWN

    assert evaluate((("a", "!b"),), nothing) == (Answer.UNKNOWN, ("a",))
    known = {"a": Answer.YES, "b": Answer.UNKNOWN}
    assert evaluate((("a", "!b"),), known.__getitem__) == (Answer.UNKNOWN, ("b",))
    assert evaluate((("a", "!b"), ("a",)), known.__getitem__) == (Answer.YES, ())
