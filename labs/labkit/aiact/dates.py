"""What applies from which day: the calendar of the Act, before and after the amendment of 2026."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from labkit.aiact.answers import Answer, both, either, known
from labkit.aiact.entries import AS_OF, CALENDAR, Milestone

if TYPE_CHECKING:
    from datetime import date

    from labkit.aiact.system import System

Text = Literal["2024", "2026"]

AMENDED = next(entry.date for entry in CALENDAR.values() if entry.topic == "amendment")
"""27 July 2026, the day on which Regulation (EU) 2026/1744 entered into force."""


@dataclass(frozen=True)
class Calendar:
    """The calendar as one text of the Act gives it, seen from one day. Milestones are in order of their dates."""

    on: date
    text: Text
    milestones: tuple[Milestone, ...]

    @property
    def applies(self) -> tuple[Milestone, ...]:
        """What applies on the day (a rule applies from the very day named)."""
        return tuple(entry for entry in self.milestones if entry.date <= self.on)

    @property
    def later(self) -> tuple[Milestone, ...]:
        """What does not apply yet on the day."""
        return tuple(entry for entry in self.milestones if entry.date > self.on)

    def to_frame(self) -> pd.DataFrame:
        """One row a milestone: date, what, applies (bool), provision, source, checked, trust."""
        rows = [
            (entry.date, entry.what, entry.date <= self.on, entry.provision, entry.source, entry.checked, entry.trust)
            for entry in self.milestones
        ]
        return pd.DataFrame(rows, columns=["date", "what", "applies", "provision", "source", "checked", "trust"])


def calendar(on: date = AS_OF, *, text: Text | None = None) -> Calendar:
    """Return the calendar seen from the day `on`.

    `text` is "2024" (as first published) or "2026" (as amended); None takes the text in force on that day: the
    amendment entered into force on 27 July 2026. Raises ValueError for another text.
    """
    chosen = text or ("2026" if on >= AMENDED else "2024")
    if chosen not in ("2024", "2026"):
        raise ValueError(f"text={text!r} is not a text of the Act: use '2024', '2026' or None.")
    entries = [entry for entry in CALENDAR.values() if entry.text in (chosen, "both")]
    return Calendar(on, chosen, tuple(sorted(entries, key=lambda entry: entry.date)))


def starts(topic: str) -> date:
    """First day of the calendar entry with this topic, in the amended text. KeyError if there is none."""
    days = {entry.topic: entry.date for entry in CALENDAR.values() if entry.text != "2024"}
    return days[topic]


@dataclass(frozen=True)
class Start:
    """From which day something applies to one system, whether it does on the day asked, and facts that would help."""

    applies_from: date | None
    applies: Answer
    missing: tuple[str, ...] = ()


def high_risk_start(system: System, topic: str, on: date) -> Start:
    """Find out when the rules for high-risk systems begin to apply to a system; `topic` is "annex3" or "annex1".

    A system that was there before that day is covered once its design changes significantly, or, if it is intended for
    public authorities, from 2 August 2030 (Article 111(2)).
    """
    first, late = starts(topic), starts("legacy-public")
    if on < first:
        return Start(first, Answer.NO)
    new = Answer.UNKNOWN if system.placed_on is None else known(system.placed_on >= first)
    changed, public = system.answer("design_changed"), system.answer("for_public_authorities")
    applies = either(new, changed, both(public, known(on >= late)))
    if applies == Answer.UNKNOWN:
        facts = {"placed_on": new, "design_changed": changed, "for_public_authorities": public}
        return Start(first, applies, tuple(fact for fact, answer in facts.items() if answer == Answer.UNKNOWN))
    covered = Answer.YES in (new, changed)
    if covered:
        return Start(first, applies)
    return Start(late if public == Answer.YES else None, applies)


def transparency_start(system: System, rule: str, on: date) -> Start:
    """Find out when a duty of Article 50 begins to apply to a system; `rule` is an id in TRANSPARENCY.

    Marking has extra time for systems placed on the market before 2 August 2026 (Article 111(4)).
    """
    general, extra = starts("general"), starts("marking")
    if not rule.startswith("marking") or on < general or on >= extra:
        first = extra if rule.startswith("marking") and system.placed_on and system.placed_on < general else general
        return Start(first, known(on >= first))
    if system.placed_on is None:
        return Start(general, Answer.UNKNOWN, ("placed_on",))
    first = general if system.placed_on >= general else extra
    return Start(first, known(on >= first))
