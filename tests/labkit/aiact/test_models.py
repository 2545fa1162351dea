"""Compute of general-purpose AI models: the arithmetic, the thresholds at their edges, and the duties."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit import aiact
from labkit.aiact import Answer

THIRD = 1 / 3
ANSWERS = st.sampled_from(["yes", "no", "unknown"])
FLOPS = st.none() | st.floats(0, 1e27)
ON = date(2026, 11, 21)


# Worked examples of the guidelines C(2025) 7719, Annex A.3: parameters, training tokens, FLOP as printed there.
@pytest.mark.parametrize(
    ("parameters", "tokens", "flop"),
    [
        (3.8e9, 3.3e12, 7.5e22),
        (0.6e9, 36e12, 1.3e23),
        (1.54e9, 18e12, 1.663e23),
        (1.7e9, 36e12, 3.7e23),
        (2.5e9, 12e12, 1.8e23),
    ],
)
def test_formula_gives_the_examples_of_the_guidelines(parameters: float, tokens: float, flop: float) -> None:
    assert aiact.training_flop(parameters, tokens) == pytest.approx(flop, rel=0.02)


def test_small_fine_tune() -> None:
    spent = aiact.training_flop(135e6, 1e6)
    assert spent == pytest.approx(8.1e14)
    result = aiact.gpai(spent, generates="yes", modifies="yes", original_compute=1.6e21)
    assert result.provider == Answer.NO
    assert result.owed == ()
    assert result.threshold == pytest.approx(1.6e21 / 3)


@pytest.mark.parametrize(("compute", "answer"), [(1e23, Answer.NO), (math.nextafter(1e23, 1e24), Answer.YES)])
def test_general_purpose_needs_more_than_the_threshold(compute: float, answer: Answer) -> None:
    assert aiact.gpai(compute, generates="yes").general_purpose == answer
    assert aiact.gpai(compute, generates="no").general_purpose == Answer.NO


@pytest.mark.parametrize(("compute", "answer"), [(1e25, Answer.NO), (math.nextafter(1e25, 1e26), Answer.YES)])
def test_systemic_risk_is_presumed_above_its_threshold(compute: float, answer: Answer) -> None:
    assert aiact.gpai(compute, generates="yes").systemic_risk == answer


@pytest.mark.parametrize(
    ("compute", "original", "systemic", "large"),
    [
        (0.99e24, 3e24, "no", Answer.NO),
        (1.01e24, 3e24, "no", Answer.YES),
        (3.3e22, None, "no", Answer.NO),
        (3.4e22, None, "no", Answer.YES),
        (3.3e24, None, "yes", Answer.NO),
        (3.4e24, None, "yes", Answer.YES),
        (3.3e22, None, "unknown", Answer.NO),
        (3.4e22, None, "unknown", Answer.UNKNOWN),
        (3.4e24, None, "unknown", Answer.YES),
    ],
)
def test_third_of_the_original_or_of_what_stands_in(
    compute: float, original: float | None, systemic: str, large: Answer
) -> None:
    result = aiact.gpai(compute, generates="yes", modifies="yes", original_compute=original, original_systemic=systemic)
    assert result.steps[0].answer == large
    assert result.provider == large


def test_open_source_leaves_two_duties_and_systemic_risk_brings_all_back() -> None:
    small = aiact.gpai(2e23, generates="yes", open_source="yes", third_country="yes")
    assert {item.duty.provision for item in small.owed} == {"Art 53(1)(c)", "Art 53(1)(d)"}
    large = aiact.gpai(2e25, generates="yes", open_source="yes", third_country="yes")
    assert len(large.owed) == len(aiact.MODEL_DUTIES)


def test_duties_of_an_older_model_begin_later() -> None:
    old = aiact.gpai(2e23, generates="yes", open_source="no", third_country="no", placed_on=date(2025, 8, 1), on=ON)
    new = aiact.gpai(2e23, generates="yes", open_source="no", third_country="no", placed_on=date(2025, 8, 2), on=ON)
    assert {(item.applies_from, item.applies) for item in old.owed} == {(date(2027, 8, 2), Answer.NO)}
    assert {(item.applies_from, item.applies) for item in new.owed} == {(date(2025, 8, 2), Answer.YES)}
    unknown = aiact.gpai(2e23, generates="yes", open_source="no", third_country="no", on=ON)
    assert {item.applies for item in unknown.owed} == {Answer.UNKNOWN}
    assert "When was it placed on the market?" in unknown.missing


def test_estimate_near_a_threshold_is_flagged() -> None:
    near = "Can you tell the compute more closely?"
    assert any(text.startswith(near) for text in aiact.gpai(1.2e23, generates="yes").missing)
    assert not any(text.startswith(near) for text in aiact.gpai(2e23, generates="yes").missing)


def test_indications_are_called_indications() -> None:
    ids = {question.id for question in aiact.gpai(1e24, generates="yes", modifies="yes").unsettled}
    assert {"general-purpose-indication", "modification-indication", "systemic-threshold"} <= ids
    assert "not legal advice" in str(aiact.gpai(1e24))


@pytest.mark.parametrize(
    ("flop", "licence", "raised"), [(1e24, "yes", True), (1e24, "no", False), (1e20, "yes", False)]
)
def test_a_free_licence_brings_up_the_question_of_money(flop: float, licence: str, *, raised: bool) -> None:
    found = aiact.gpai(flop, generates="yes", open_source=licence)
    assert ("open-source-services" in {question.id for question in found.unsettled}) == raised


@pytest.mark.parametrize("number", [-1.0, math.inf, math.nan])
def test_impossible_numbers_get_a_clear_answer(number: float) -> None:
    with pytest.raises(ValueError, match="finite number that is not negative"):
        aiact.gpai(number)
    with pytest.raises(ValueError, match="parameters="):
        aiact.training_flop(number, 1.0)


def test_wrong_answer_word() -> None:
    with pytest.raises(ValueError, match="use 'yes', 'no' or 'unknown'"):
        aiact.gpai(1e23, generates="maybe")


WORDS = st.fixed_dictionaries(
    dict.fromkeys(["generates", "modifies", "original_systemic", "open_source", "third_country"], ANSWERS)
)


@given(FLOPS, FLOPS, WORDS)
def test_unknowns_leave_room_for_both_answers(
    compute: float | None, original: float | None, given_answers: dict[str, str]
) -> None:
    result = aiact.gpai(compute, original_compute=original, **given_answers)
    assert str(result)
    for name in ("generates", "open_source", "third_country", "modifies"):
        if given_answers[name] != "unknown":
            continue
        for answer in ("yes", "no"):
            filled = aiact.gpai(compute, original_compute=original, **{**given_answers, name: answer})
            for part in ("general_purpose", "systemic_risk", "provider"):
                if getattr(result, part) != Answer.UNKNOWN:
                    assert getattr(filled, part) == getattr(result, part)


@given(st.floats(0, 1e27), st.floats(0, 1e27))
def test_more_compute_never_lightens(low: float, high: float) -> None:
    low, high = sorted((low, high))
    less, more = (aiact.gpai(value, generates="yes", open_source="no", third_country="no") for value in (low, high))
    assert {item.duty.id for item in less.owed} <= {item.duty.id for item in more.owed}
