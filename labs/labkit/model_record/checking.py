"""Check a record field by field: form, agreement of the fields with each other, agreement with what is known.

Nothing in a record is trusted: it may come from anybody. Only exact built-in types are looked into, sizes are limited,
and no input makes `check` raise.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from labkit.aiact import training_flop
from labkit.model_record.fields import NOT_KNOWN, SECTIONS, Field, of_section
from labkit.model_record.rules import NONE
from labkit.model_record.values import kind, plain, shown
from labkit.vocabularies import EU_LANGUAGES

MOST_FINDINGS = 300
"""More are not listed: a record with so many has to be written anew."""

_MOST_KEYS = 100
_MOST_UNKNOWN = 10
_FLOP_ROUNDING = 0.02


@dataclass(frozen=True)
class Finding:
    """Something to mend, as one line: `field` is where, `problem` is what."""

    field: str
    problem: str

    def __str__(self) -> str:
        """The line."""
        return f"{self.field}: {self.problem}"


@dataclass(frozen=True)
class Fact:
    """What is known about the model itself: the right value of a field, and what tells it ("the recorded answers")."""

    value: object
    source: str


def check(
    record: object, facts: Mapping[str, Fact] | None = None, *, sections: Sequence[str] = SECTIONS
) -> tuple[Finding, ...]:
    """Find what is missing or wrong in a record; nothing found is an empty tuple.

    `record` should be a dictionary: section -> dictionary of fields (see `guide()`). `facts` are compared with it where
    there are some: field -> Fact, for example from `recorded("lora-0")`. With `sections`, only these are looked at.
    Never raises because of the record.
    """
    return tuple(islice(_findings(record, facts or {}, [name for name in SECTIONS if name in sections]), MOST_FINDINGS))


Values = dict[str, object]
"""Plain values that have the right form, by the full name of their field."""


def _findings(record: object, facts: Mapping[str, Fact], sections: Sequence[str]) -> Iterator[Finding]:
    if type(record) is not dict:
        yield Finding("record", f"{kind(record)} is not a dictionary")
        return
    parts = _by_name(record)
    whole = len(sections) == len(SECTIONS)
    if whole:
        yield from _unexpected("", record, SECTIONS)
    good: Values = {}
    for section in sections:
        if section not in parts:
            yield Finding(section, "missing")
        elif section == "scores":
            yield from _scores(parts[section], good)
        elif section == "languages":
            yield from _field(of_section(section)[""], section, parts[section], good)
        else:
            yield from _section(section, parts[section], of_section(section), good)
    yield from _contradictions(good)
    yield from _disagreements(good, {name: fact for name, fact in facts.items() if name.partition(".")[0] in sections})


def _by_name(part: dict[object, object]) -> dict[str, object]:
    """Copy the entries whose key is text: a look-up among other keys could run code of theirs."""
    return {key: value for key, value in islice(part.items(), _MOST_KEYS) if type(key) is str}


def _unexpected(section: str, part: dict[object, object], known: Sequence[str]) -> Iterator[Finding]:
    """Entries that no field describes: often a slip of the pen."""
    keys = [key for key in islice(part, _MOST_KEYS) if type(key) is not str or key not in known]
    for key in keys[:_MOST_UNKNOWN]:
        name = key if type(key) is str and key.isidentifier() and len(key) < _MOST_KEYS else shown(key)
        yield Finding(f"{section}.{name}" if section else str(name), "the record has no field of this name")
    if len(part) > _MOST_KEYS:
        yield Finding(section or "record", f"{len(part)} entries are too many: only {_MOST_KEYS} are looked at")


def _section(name: str, part: object, fields: Mapping[str, Field], good: Values) -> Iterator[Finding]:
    if type(part) is not dict:
        yield Finding(name, f"{kind(part)} is not a dictionary")
        return
    yield from _unexpected(name, part, list(fields))
    given = _by_name(part)
    for short, field in fields.items():
        if short in given:
            yield from _field(field, f"{name}.{short}", given[short], good)
        else:
            yield Finding(f"{name}.{short}", f"missing ({field.purpose})")


def _scores(part: object, good: Values) -> Iterator[Finding]:
    if type(part) is not dict:
        yield Finding("scores", f"{kind(part)} is not a dictionary")
        return
    yield from _unexpected("scores", part, EU_LANGUAGES)
    scored = {code: scores for code, scores in _by_name(part).items() if code in EU_LANGUAGES}
    if not scored:
        yield Finding("scores", "no language has a score")
    for code, scores in scored.items():
        yield from _section(f"scores.{code}", scores, of_section("scores"), good)


def _field(field: Field, name: str, value: object, good: Values) -> Iterator[Finding]:
    """Check the form of one value, and keep it when it is right."""
    value = plain(value)
    if value is None:
        yield Finding(name, f"missing ({field.purpose})")
        return
    if field.unknown and type(value) is str and value == NOT_KNOWN:
        good[name] = value
        return
    problem = field.rule.problem(value)
    if problem is None:
        good[name] = value
    else:
        yield Finding(name, problem)


def _contradictions(good: Values) -> Iterator[Finding]:
    """Fields of one record that cannot be right together."""
    yield from _parameters(good)
    yield from _origin(good)
    yield from _compute(good)
    yield from _ordered("energy", ("low", "watt_hours", "high"), good)
    for code in _scored(good):
        yield from _ordered(f"scores.{code}", ("low", "accuracy", "high"), good)
    released, trained = good.get("identity.date"), good.get("training.date")
    if isinstance(released, str) and isinstance(trained, str) and released < trained:
        yield Finding("identity.date", f"{released} is before the training on {trained}")
    rows, titles = _number(good, "training.rows"), _number(good, "training.titles")
    if rows is not None and titles is not None and rows < titles:
        yield Finding("training.rows", f"{rows:,.0f} are fewer than the {titles:,.0f} different titles")
    languages, scored = good.get("languages"), _scored(good)
    if isinstance(languages, (list, tuple)) and scored:
        for code in EU_LANGUAGES:
            if (code in languages) != (code in scored):
                yield Finding(
                    "languages", f"{code} {'has no score' if code in languages else 'has a score, but is not named'}"
                )


def _parameters(good: Values) -> Iterator[Finding]:
    base, learned, total = (_number(good, f"parameters.{name}") for name in ("base", "learned", "total"))
    if base is None or learned is None or total is None:
        return
    method = good.get("model.method")
    if method in ("lora", "frozen", "tfidf") and total != base + learned:
        yield Finding(
            "parameters.total",
            f"{total:,.0f}, but with {method} all that learned is new: base + learned is {base + learned:,.0f}",
        )
    elif method == "full" and not base < total < base + learned:
        yield Finding(
            "parameters.total",
            f"{total:,.0f}, but with full most of what learned is part of the base model, only the head is new",
        )
    elif not max(base, learned) <= total <= base + learned:
        yield Finding("parameters.total", f"{total:,.0f} does not fit base {base:,.0f} and learned {learned:,.0f}")


def _origin(good: Values) -> Iterator[Finding]:
    """A model made from another one, or from none: three fields say it."""
    said = {
        "model.base_model": good.get("model.base_model"),
        "licences.base_model": good.get("licences.base_model"),
        "parameters.base": good.get("parameters.base"),
    }
    without = {name: value in (NONE, 0) for name, value in said.items() if value is not None}
    if len(set(without.values())) > 1:
        fields = ", ".join(f"{name} is {shown(said[name])}" for name in without)
        yield Finding("model.base_model", f"is there one or not? {fields}")


def _compute(good: Values) -> Iterator[Finding]:
    total, tokens, flop = (_number(good, name) for name in ("parameters.total", "compute.tokens", "compute.flop"))
    if None in (total, tokens, flop) or good.get("compute.method") != "6*N*D":
        return
    by_rule = training_flop(total or 0, tokens or 0)
    if not math.isclose(flop or 0, by_rule, rel_tol=_FLOP_ROUNDING):
        yield Finding("compute.flop", f"{flop:.3g}, but 6 x parameters.total x compute.tokens is {by_rule:.3g}")


def _ordered(section: str, names: Sequence[str], good: Values) -> Iterator[Finding]:
    """The middle one of three must lie between the two others."""
    low, middle, high = (_number(good, f"{section}.{name}") for name in names)
    if low is not None and middle is not None and high is not None and not low <= middle <= high:
        yield Finding(f"{section}.{names[1]}", f"{middle:.4g} is not between low ({low:.4g}) and high ({high:.4g})")


def _disagreements(good: Values, facts: Mapping[str, Fact]) -> Iterator[Finding]:
    """Fields that say something else than what is known of the model."""
    scored = _scored(good)
    absent: dict[str, Fact] = {}
    for name, fact in facts.items():
        section, _, rest = name.partition(".")
        if name in good:
            yield from _disagreement(name, good[name], fact)
        elif section == "scores" and (code := rest.partition(".")[0]) not in scored:
            absent.setdefault(code, fact)
    for code, fact in absent.items():
        yield Finding(f"scores.{code}", f"missing, but {fact.source} hold this language")


def _disagreement(name: str, given: object, fact: Fact) -> Iterator[Finding]:
    if isinstance(given, (list, tuple)) and isinstance(fact.value, (list, tuple)):
        for code in sorted(set(given) ^ set(fact.value)):
            words = "missing, but {} hold it" if code in fact.value else "named, but {} do not hold it"
            yield Finding(name, f"{code} is {words.format(fact.source)}")
    elif not _same(name, given, fact.value):
        yield Finding(name, f"{_written(given)}, but {fact.source} give {_written(fact.value)}")


def _same(name: str, given: object, right: object) -> bool:
    if type(given) is bool or type(right) is bool:
        return given is right
    if not isinstance(given, (int, float)):
        return given == right
    if not isinstance(right, (int, float)):
        return False
    field = field_of(name)
    return abs(given - right) <= field.within + field.within_share * abs(right) + 1e-9


def field_of(name: str) -> Field:
    """The field with this full name, the scores of a language included. KeyError for an unknown one."""
    section, _, rest = name.partition(".")
    return of_section(section)[rest.rpartition(".")[2]]


def _written(value: object) -> str:
    """Numbers with the digits that matter."""
    if isinstance(value, (int, float)) and type(value) is not bool:
        return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"
    return shown(value)


def _number(good: Values, name: str) -> float | None:
    value = good.get(name)
    return value if isinstance(value, (int, float)) and type(value) is not bool else None


def _scored(good: Values) -> list[str]:
    """Languages of which at least one field has the right form."""
    return list(dict.fromkeys(name.split(".")[1] for name in good if name.startswith("scores.")))
