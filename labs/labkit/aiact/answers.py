"""Yes, no and unknown: three-valued logic, so that a missing fact never leads to a guess.

The rules are Kleene's strong logic: a result is yes or no only if every way of filling in the unknowns gives the same
(S. C. Kleene, Introduction to Metamathematics, 1952, section 64).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Cases = tuple[tuple[str, ...], ...]
"""Cases of which one is enough; in a case all facts must hold, and "!fact" means that the fact must not hold."""


class Answer(StrEnum):
    """An answer to a question of fact or of law. Compare it (`answer == "yes"`); as a condition it is always true."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Verdict(NamedTuple):
    """What a rule gives: the answer, and the unknown facts to ask for next (empty if it is decided)."""

    answer: Answer
    missing: tuple[str, ...]


def both(*answers: Answer) -> Answer:
    """Combine with "and": no if one is no, yes if all are yes, otherwise unknown."""
    if Answer.NO in answers:
        return Answer.NO
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.YES


def either(*answers: Answer) -> Answer:
    """Combine with "or": yes if one is yes, no if all are no, otherwise unknown."""
    if Answer.YES in answers:
        return Answer.YES
    return Answer.UNKNOWN if Answer.UNKNOWN in answers else Answer.NO


def negate(answer: Answer) -> Answer:
    """Turn yes into no and no into yes; unknown stays."""
    return {Answer.YES: Answer.NO, Answer.NO: Answer.YES, Answer.UNKNOWN: Answer.UNKNOWN}[answer]


def known(truth: bool) -> Answer:
    """Answer for something that is certainly true or certainly false."""
    return Answer.YES if truth else Answer.NO


def evaluate(cases: Cases, answer_of: Callable[[str], Answer]) -> Verdict:
    """Tell whether one of the cases holds, and if that is open, which facts would help."""
    verdicts = [_case(case, answer_of) for case in cases]
    answer = either(*(verdict.answer for verdict in verdicts))
    if answer != Answer.UNKNOWN:
        return Verdict(answer, ())
    return Verdict(answer, unique(fact for verdict in verdicts for fact in verdict.missing))


def unique(items: Iterable[str]) -> tuple[str, ...]:
    """Keep the first of each, in order."""
    return tuple(dict.fromkeys(items))


def _case(case: tuple[str, ...], answer_of: Callable[[str], Answer]) -> Verdict:
    values = {term: _term(term, answer_of) for term in case}
    answer = both(*values.values())
    if answer != Answer.UNKNOWN:
        return Verdict(answer, ())
    unknown = [term for term, value in values.items() if value == Answer.UNKNOWN]
    positive = tuple(term for term in unknown if not term.startswith("!"))
    # Exceptions are worth asking about only once the rest of the case holds.
    return Verdict(answer, positive or tuple(term.removeprefix("!") for term in unknown))


def _term(term: str, answer_of: Callable[[str], Answer]) -> Answer:
    return negate(answer_of(term[1:])) if term.startswith("!") else answer_of(term)
