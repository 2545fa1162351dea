"""A described AI system: the facts known about it, and those that are not."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labkit.aiact.answers import Answer
from labkit.aiact.entries import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


@dataclass(frozen=True)
class System:
    """A system as somebody describes it.

    `yes`, `no` and `unknown` hold names of facts (the ids of QUESTIONS). `rest` is the answer to all other questions:
    "unknown" unless whoever describes the system has thought about them and says "no". `placed_on` is the day on which
    it was, or will be, first placed on the market or put into service; None: not known.
    Raises ValueError if a fact does not exist or has two answers, TypeError for one word in place of a list.
    """

    name: str
    description: str = ""
    yes: Iterable[str] = ()
    no: Iterable[str] = ()
    unknown: Iterable[str] = ()
    rest: str = Answer.UNKNOWN
    placed_on: date | None = None

    def __post_init__(self) -> None:
        """Check the facts and store them as frozen sets."""
        for kind in ("yes", "no", "unknown"):
            object.__setattr__(self, kind, _checked(kind, getattr(self, kind)))
        twice = sorted(_set(self.yes) & _set(self.no) | _set(self.unknown) & (_set(self.yes) | _set(self.no)))
        if twice:
            raise ValueError(f"{', '.join(twice)} has two answers: keep one of yes, no and unknown.")
        if self.rest not in tuple(Answer):
            raise ValueError(f"rest={self.rest!r} is not an answer: use 'yes', 'no' or 'unknown'.")

    def answer(self, fact: str) -> Answer:
        """Answer to the question with this id."""
        for kind in Answer:
            if fact in getattr(self, kind):
                return kind
        return Answer(self.rest)

    def but(self, *, yes: Iterable[str] = (), no: Iterable[str] = (), unknown: Iterable[str] = ()) -> System:
        """Return the same system with other answers to these questions. Raises ValueError as the class does."""
        new = {"yes": _checked("yes", yes), "no": _checked("no", no), "unknown": _checked("unknown", unknown)}
        changed = frozenset().union(*new.values())
        kept = {kind: (_set(getattr(self, kind)) - changed) | facts for kind, facts in new.items()}
        return replace(self, yes=kept["yes"], no=kept["no"], unknown=kept["unknown"])


def _set(facts: Iterable[str]) -> frozenset[str]:
    return frozenset(facts)


def _checked(kind: str, facts: Iterable[str]) -> frozenset[str]:
    if isinstance(facts, str):
        raise TypeError(f"{kind}={facts!r} is one word: give a list, {kind}=[{facts!r}].")
    found = frozenset(facts)
    for fact in sorted(found):
        if fact not in QUESTIONS or QUESTIONS[fact].kind != "yes or no":
            near = difflib.get_close_matches(fact, QUESTIONS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "the ids in aiact.QUESTIONS are the facts there are."
            raise ValueError(f"{fact!r} is not a fact: {hint}")
    return found
