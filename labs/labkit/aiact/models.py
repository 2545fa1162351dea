"""General-purpose AI models: compute in FLOP, thresholds, and who owes what under Chapter V.

FLOP is a number of operations, not a speed. The thresholds of 10^23 and of one third come from Commission guidelines
that do not bind; 10^25 stands in Article 51(2). All of them are strict: "greater than".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labkit.aiact.answers import Answer, both, either, known, negate
from labkit.aiact.assessment import Step
from labkit.aiact.dates import starts
from labkit.aiact.entries import AS_OF, MODEL_DUTIES, NOTICE, OPEN_QUESTIONS, THRESHOLDS, ModelDuty, OpenQuestion
from labkit.aiact.wording import day, page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_GENERAL = THRESHOLDS["general-purpose"].value
_SYSTEMIC = THRESHOLDS["systemic"].value
_THIRD = THRESHOLDS["modification"].value
_MARGIN = THRESHOLDS["margin"].value


@dataclass(frozen=True)
class OwedByModel:
    """A duty of a model provider: owed (yes) or perhaps owed (unknown), and from which day."""

    duty: ModelDuty
    answer: Answer
    applies_from: date
    applies: Answer


@dataclass(frozen=True)
class ModelAssessment:
    """What the numbers say about a model and whoever trained or modified it. Print it to read it.

    `compute` and `threshold` are in FLOP; `threshold` is the one that a modification has to exceed (None without one,
    or when it depends on what is unknown). `provider` answers whether you are the provider of a general-purpose model.
    """

    compute: float | None
    threshold: float | None
    general_purpose: Answer
    systemic_risk: Answer
    provider: Answer
    steps: tuple[Step, ...]
    owed: tuple[OwedByModel, ...]
    missing: tuple[str, ...]
    unsettled: tuple[OpenQuestion, ...]

    def __str__(self) -> str:
        """Path, duties and open questions in plain lines."""
        lines = [f"{step.question} {step.answer.upper()}. {step.why} ({step.provision})" for step in self.steps]
        lines += [f"  {_when(item)}: {item.duty.what} ({item.duty.provision})" for item in self.owed]
        lines += [f"  ? Not enough information: {text}" for text in self.missing]
        lines += [f"  ? Open: {item.question} {item.why} ({item.provision})" for item in self.unsettled]
        return page([*lines, f"  {NOTICE}"])


def training_flop(parameters: float, tokens: float) -> float:
    """Estimate the compute of training a dense transformer, in FLOP: 6 times parameters times training tokens.

    `tokens` counts every token seen, so epochs count again. Guidelines C(2025) 7719, Annex A.2.2, give this formula for
    large models. Raises ValueError for a negative number or one that is not finite.
    """
    return THRESHOLDS["flop-rule"].value * _number("parameters", parameters) * _number("tokens", tokens)


def gpai(
    compute: float | None,
    *,
    generates: str = Answer.UNKNOWN,
    modifies: str = Answer.NO,
    original_compute: float | None = None,
    original_systemic: str = Answer.UNKNOWN,
    open_source: str = Answer.UNKNOWN,
    third_country: str = Answer.UNKNOWN,
    placed_on: date | None = None,
    on: date = AS_OF,
) -> ModelAssessment:
    """Compare training compute with the thresholds of Chapter V and list the duties that follow.

    `compute` is what you spent, in FLOP (None: not known): on the whole training, or, if `modifies` is "yes", on the
    modification of somebody else's general-purpose model. `original_compute` is that model's, in FLOP. `generates`:
    it can generate language, images from text or video from text. `open_source`: free licence for access, use, change
    and distribution, with weights, architecture and usage public. Answers are "yes", "no" or "unknown".
    Raises ValueError for a number that is negative or not finite, or for another answer.
    """
    model = _Model(
        compute=None if compute is None else _number("compute", compute),
        original=None if original_compute is None else _number("original_compute", original_compute),
        generates=_answer("generates", generates),
        modifies=_answer("modifies", modifies),
        original_systemic=_answer("original_systemic", original_systemic),
        open_source=_answer("open_source", open_source),
        third_country=_answer("third_country", third_country),
    )
    raised = {
        "always": Answer.YES,
        "gpai": Answer.YES,
        "gpai-modification": model.modifies,
        "open-source": known(model.open_source == Answer.YES and model.provider != Answer.NO),
    }
    return ModelAssessment(
        compute=model.compute,
        threshold=model.threshold if model.modifies == Answer.YES else None,
        general_purpose=model.general_purpose,
        systemic_risk=model.systemic,
        provider=model.provider,
        steps=tuple(_steps(model)),
        owed=tuple(_owed(model, placed_on, on)),
        missing=tuple(_missing(model, placed_on)),
        unsettled=tuple(q for q in OPEN_QUESTIONS.values() if raised.get(q.topic, Answer.NO) != Answer.NO),
    )


def _number(name: str, value: float) -> float:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{name}={value!r} is not a count: give a finite number that is not negative.")
    return number


def _answer(name: str, value: str) -> Answer:
    if value not in tuple(Answer):
        raise ValueError(f"{name}={value!r} is not an answer: use 'yes', 'no' or 'unknown'.")
    return Answer(value)


def _above(value: float | None, threshold: float | None) -> Answer:
    return Answer.UNKNOWN if value is None or threshold is None else known(value > threshold)


@dataclass(frozen=True)
class _Model:
    """The given numbers and answers, and what follows from them."""

    compute: float | None
    original: float | None
    generates: Answer
    modifies: Answer
    original_systemic: Answer
    open_source: Answer
    third_country: Answer

    @property
    def original_has_systemic_risk(self) -> Answer:
        """As stated; if nothing is stated, presumed from the original's compute."""
        if self.original_systemic == Answer.UNKNOWN:
            return _above(self.original, _SYSTEMIC)
        return self.original_systemic

    @property
    def threshold(self) -> float | None:
        """FLOP that a modification has to exceed: a third of the original's compute, or of what stands in for it."""
        if self.original is not None:
            return self.original * _THIRD
        stands_in = {Answer.YES: _SYSTEMIC * _THIRD, Answer.NO: _GENERAL * _THIRD, Answer.UNKNOWN: None}
        return stands_in[self.original_systemic]

    @property
    def large_modification(self) -> Answer:
        """Whether the modification exceeds the threshold; certain without one if both possible ones agree."""
        if self.threshold is not None:
            return _above(self.compute, self.threshold)
        low, high = _above(self.compute, _GENERAL * _THIRD), _above(self.compute, _SYSTEMIC * _THIRD)
        return low if low == high else Answer.UNKNOWN

    @property
    def general_purpose(self) -> Answer:
        """Generates the right kind of content, and all training together exceeds 10^23.

        A modified model carries the compute of its original. If that is not given, the original is taken to be what it
        is said to be: a general-purpose model.
        """
        inherited = Answer.YES if self.original is None else _above(self._total, _GENERAL)
        return both(self.generates, either(_above(self.compute, _GENERAL), both(self.modifies, inherited)))

    @property
    def systemic(self) -> Answer:
        inherited = both(self.modifies, either(self.original_has_systemic_risk, _above(self._total, _SYSTEMIC)))
        return both(self.general_purpose, either(_above(self.compute, _SYSTEMIC), inherited))

    @property
    def near_a_threshold(self) -> bool:
        """Whether an error within the margin that guidelines allow could change a comparison."""
        limits = [_GENERAL, _SYSTEMIC]
        if self.modifies != Answer.NO and self.threshold is not None:
            limits.append(self.threshold)
        return self.compute is not None and any(abs(self.compute - limit) <= _MARGIN * self.compute for limit in limits)

    @property
    def _total(self) -> float | None:
        return None if self.compute is None else self.compute + (self.original or 0.0)

    @property
    def provider(self) -> Answer:
        return both(self.general_purpose, either(negate(self.modifies), self.large_modification))


def _steps(model: _Model) -> Iterator[Step]:
    spent = "unknown compute" if model.compute is None else f"{model.compute:.2g} FLOP"
    if model.modifies != Answer.NO:
        limit = "a threshold that depends on the original" if model.threshold is None else f"{model.threshold:.2g} FLOP"
        why = f"{spent} against {limit}: a third of the original's compute, or of the threshold that stands in for it."
        yield Step("Is the modification large?", model.large_modification, why, "C(2025) 7719, section 3.2")
    why = f"Compared with {_GENERAL:.0e} FLOP, and with what it can generate: {model.generates}."
    yield Step(
        "Is it a general-purpose AI model, as indicated?", model.general_purpose, why, "C(2025) 7719, section 2.1"
    )
    why = f"Compared with {_SYSTEMIC:.0e} FLOP. The Commission can also designate a model."
    yield Step("Is systemic risk presumed?", model.systemic, why, "Art 51(2)")
    why = {
        Answer.YES: "You trained it, or changed it enough.",
        Answer.NO: "Who uses a model, or changes it a little, or has a smaller one, is not.",
        Answer.UNKNOWN: "That depends on what is not known.",
    }[model.provider]
    yield Step("Are you the provider of a general-purpose model?", model.provider, why, "Art 53")


def _owed(model: _Model, placed_on: date | None, on: date) -> Iterator[OwedByModel]:
    first, late = starts("gpai"), starts("gpai-legacy")
    for duty in MODEL_DUTIES.values():
        exempt = both(known(not duty.owed_by_open_source), model.open_source, negate(model.systemic))
        systemic = model.systemic if duty.systemic_only else Answer.YES
        third = model.third_country if duty.third_country_only else Answer.YES
        answer = both(model.provider, negate(exempt), systemic, third)
        if answer == Answer.NO:
            continue
        if placed_on is None and first <= on < late:
            yield OwedByModel(duty, answer, first, Answer.UNKNOWN)
        else:
            start = late if placed_on is not None and placed_on < first else first
            yield OwedByModel(duty, answer, start, known(on >= start))


def _missing(model: _Model, placed_on: date | None) -> Iterator[str]:
    if model.provider == Answer.NO:
        return
    texts = {
        "How much compute went into it, in FLOP?": model.compute is None,
        "Can it generate language, images from text or video from text?": model.generates == Answer.UNKNOWN,
        "Is it a modification of somebody else's general-purpose model?": model.modifies == Answer.UNKNOWN,
        "How much compute went into the original, in FLOP, and has it systemic risk?": (
            model.modifies != Answer.NO and model.original is None and model.original_systemic == Answer.UNKNOWN
        ),
        "Is it free and open-source, with weights, architecture and usage public?": (
            model.open_source == Answer.UNKNOWN and model.systemic != Answer.YES
        ),
        "Is its provider outside the Union?": model.third_country == Answer.UNKNOWN,
        "When was it placed on the market?": placed_on is None,
        f"Can you tell the compute more closely? It is within {_MARGIN:.0%} of a threshold, the usual margin.": (
            model.near_a_threshold
        ),
    }
    yield from (text for text, missing in texts.items() if missing)


def _when(item: OwedByModel) -> str:
    words = "owed" if item.answer == Answer.YES else "perhaps owed"
    later = " or later" if item.applies == Answer.UNKNOWN else ""
    return f"{words} from {day(item.applies_from)}{later}"
