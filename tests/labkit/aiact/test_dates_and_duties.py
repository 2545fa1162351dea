"""The calendar at its edges, and who has to do what."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import aiact
from labkit.aiact import Answer, System

CV = System(
    "CV ranking",
    yes=["infers", "union_market", "recruitment", "profiling", "at_workplace", "decides_on_people"],
    rest="no",
    placed_on=date(2027, 12, 2),
)


def provisions(role: str, system: System, on: date) -> set[str]:
    found = aiact.obligations(role, system, on=on)
    return {part for item in found.binding for part in item.duty.provision.split("; ")}


# One row a day on which something begins: a word of what begins, as first published and as amended.
EDGES = [
    ("2026", date(2024, 8, 1), "enters into force"),
    ("2026", date(2025, 2, 2), "AI literacy"),
    ("2026", date(2025, 8, 2), "General-purpose"),
    ("2026", date(2026, 7, 27), "Articles 102 to 110"),
    ("2026", date(2026, 8, 2), "Art 50"),
    ("2026", date(2026, 12, 2), "New prohibitions"),
    ("2026", date(2026, 12, 2), "Marking"),
    ("2026", date(2027, 8, 2), "Sandboxes"),
    ("2026", date(2027, 8, 2), "Models placed"),
    ("2026", date(2027, 12, 2), "Annex III"),
    ("2026", date(2027, 12, 2), "significant change of design"),
    ("2026", date(2028, 8, 2), "Annex I"),
    ("2026", date(2030, 8, 2), "public authorities"),
    ("2026", date(2030, 12, 31), "Annex X"),
    ("2024", date(2026, 8, 2), "Annex III"),
    ("2024", date(2027, 8, 2), "Annex I"),
    ("2024", date(2026, 8, 2), "Sandboxes"),
    ("2024", date(2026, 8, 2), "significant change of design"),
]


@pytest.mark.parametrize(("text", "on", "words"), EDGES)
def test_something_begins_on_its_day_and_not_before(text: aiact.Text, on: date, words: str) -> None:
    begins = [entry for entry in aiact.calendar(on, text=text).applies if entry.date == on and words in entry.what]
    assert begins
    before = aiact.calendar(on - timedelta(days=1), text=text)
    assert set(begins) <= set(before.later)


def test_calendar_takes_the_text_in_force_on_the_day() -> None:
    assert aiact.calendar(date(2026, 7, 26)).text == "2024"
    assert aiact.calendar(date(2026, 7, 27)).text == "2026"
    assert aiact.calendar().on == aiact.AS_OF
    with pytest.raises(ValueError, match="is not a text of the Act"):
        aiact.calendar(text="2025")  # type: ignore[arg-type]


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_calendar_splits_at_the_day(on: date) -> None:
    found = aiact.calendar(on)
    assert found.applies + found.later == found.milestones
    assert found.to_frame()["applies"].sum() == len(found.applies)


def test_no_duty_for_high_risk_before_its_day() -> None:
    assert provisions("provider", CV, date(2027, 12, 1)) == {"Art 4"}
    first_day = provisions("provider", CV, date(2027, 12, 2))
    assert {"Art 4", "Art 9", "Art 15", "Art 17", "Art 43", "Art 47", "Art 49(1)", "Art 72", "Art 73"} <= first_day
    assert "Art 22(1)" not in first_day
    assert "Art 22(1)" in provisions("provider", CV.but(yes=["third_country_provider"]), date(2027, 12, 2))


def test_deployer_duties_follow_the_facts() -> None:
    on = date(2028, 1, 1)
    found = provisions("deployer", CV, on)
    assert {"Art 26(1)", "Art 26(7)", "Art 26(11)", "Art 86"} <= found
    assert not {"Art 26(8)", "Art 27", "Art 26(10)"} & found
    assert {"Art 26(8)", "Art 27"} <= provisions("deployer", CV.but(yes=["public_body"]), on)


def test_impact_assessment_for_credit_but_not_for_infrastructure() -> None:
    on = date(2028, 1, 1)
    base = System("x", yes=["infers", "union_market"], rest="no", placed_on=on)
    assert "Art 27" in provisions("deployer", base.but(yes=["credit_score"]), on)
    water = base.but(yes=["infrastructure_safety", "public_body"])
    assert "Art 27" not in provisions("deployer", water, on)
    assert "Art 49(5)" in provisions("provider", water, on)
    assert "Art 49(1)" not in provisions("provider", water, on)


@pytest.mark.parametrize(
    ("role", "some"),
    [
        ("importer", {"Art 23(1)", "Art 23(5)"}),
        ("distributor", {"Art 24(1)", "Art 24(4)"}),
        ("authorised representative", {"Art 22(3)(a)", "Art 22(4)"}),
    ],
)
def test_other_roles(role: str, some: set[str]) -> None:
    assert some <= provisions(role, CV, date(2027, 12, 2))
    assert provisions(role, CV, date(2027, 12, 1)) == set()


@pytest.mark.parametrize("fact", ["own_name", "substantial_change", "new_purpose"])
def test_whoever_takes_over_gets_the_providers_duties(fact: str) -> None:
    found = aiact.obligations("distributor", CV.but(yes=[fact]), on=date(2027, 12, 2))
    extra = [item for item in found.binding if item.via]
    assert {"Art 9", "Art 43"} <= {item.duty.provision for item in extra}
    assert all(item.via.startswith("Art 25(1)") for item in extra)
    assert not [item for item in aiact.obligations("distributor", CV).owed if item.via]


def test_taking_over_stays_open_when_it_is_not_known() -> None:
    found = aiact.obligations("deployer", CV.but(unknown=["new_purpose"]), on=date(2027, 12, 2))
    assert {item.answer for item in found.owed if item.via} == {Answer.UNKNOWN}
    assert "new_purpose" in {fact.id for fact in found.missing}


def test_private_use_owes_nothing_as_deployer() -> None:
    private = System("fun", yes=["infers", "union_market", "personal_use", "deep_fake"], rest="no")
    assert aiact.obligations("deployer", private, on=date(2026, 9, 1)).owed == ()
    assert "none in these tables" in str(aiact.obligations("deployer", private))
    assert "Art 50(4)" in provisions("deployer", private.but(no=["personal_use"]), date(2026, 9, 1))


def test_prohibited_system_has_to_stop_for_everybody() -> None:
    score = System(
        "score", yes=["infers", "union_market", "social_scoring", "unfair_treatment", "credit_score"], rest="no"
    )
    for role in aiact.ROLES:
        assert "Art 5(1)" in provisions(role, score, date(2026, 11, 21))
    assert provisions("provider", score, date(2028, 1, 1)) == {"Art 5(1)", "Art 4"}


def test_exception_leaves_duties_and_an_open_day() -> None:
    taken_out = CV.but(no=["profiling"], yes=["narrow_task"])
    found = aiact.obligations("provider", taken_out, on=date(2028, 1, 1))
    days = {item.duty.provision: (item.applies_from, item.applies) for item in found.owed}
    assert days["Art 6(4)"] == (date(2027, 12, 2), Answer.YES)
    assert days["Art 49(2)"] == (None, Answer.UNKNOWN)
    assert "Art 9" not in days
    assert "registration-date" in {question.id for question in found.unsettled}


def test_section_b_brings_no_duty_of_chapter_three() -> None:
    machine = System(
        "guard", yes=["infers", "union_market", "annex1_b", "safety_function", "third_party_check"], rest="no"
    )
    found = aiact.obligations("provider", machine, on=date(2029, 1, 1))
    assert [item.duty.id for item in found.owed] == ["literacy"]
    assert "section-b-rest" in {question.id for question in found.unsettled}


def test_literacy_carries_its_open_questions_and_its_day() -> None:
    found = aiact.obligations("deployer", System("filter", yes=["infers", "union_deployer"], rest="no"))
    assert [item.duty.provision for item in found.owed] == ["Art 4"]
    assert {"literacy-help", "literacy-fine"} <= {question.id for question in found.unsettled}
    early = aiact.obligations("deployer", CV, on=date(2025, 2, 1))
    assert early.binding == ()


@pytest.mark.parametrize(
    ("facts", "placed_on", "raised"),
    [
        (["recruitment"], date(2027, 12, 1), True),
        (["recruitment"], date(2027, 12, 2), False),
        (["recruitment"], None, False),
        (["recruitment", "design_changed"], date(2027, 12, 1), False),
        (["annex1_a", "is_the_product", "third_party_check"], date(2028, 8, 1), True),
        (["annex1_a", "is_the_product", "third_party_check"], date(2028, 8, 2), False),
        ([], date(2025, 5, 1), False),
    ],
)
def test_older_high_risk_systems_carry_their_open_question(
    facts: list[str], placed_on: date | None, *, raised: bool
) -> None:
    system = System("x", yes=["infers", "union_market", *facts], rest="no", placed_on=placed_on)
    for role in ("provider", "deployer"):
        found = aiact.obligations(role, system, on=date(2029, 1, 1))
        assert ("older-systems" in {question.id for question in found.unsettled}) == raised
        assert "literacy" in {item.duty.id for item in found.owed}


def test_unknown_role_gets_a_clear_answer() -> None:
    with pytest.raises(ValueError, match="use one of provider, deployer"):
        aiact.obligations("user", CV)


def test_table_of_duties_has_a_source_in_every_row() -> None:
    frame = aiact.obligations("provider", CV).to_frame()
    assert len(frame) > 15
    assert frame[["source", "checked", "trust", "provision"]].notna().all(axis=None)
    assert "not legal advice" in str(aiact.obligations("provider", CV))
