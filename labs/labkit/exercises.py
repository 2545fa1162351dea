"""Check a learner's answer to a lesson exercise, and say the result in plain words."""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

__all__ = ["Expected", "Judge", "check"]

Expected: TypeAlias = (
    "bool | int | float | str | Sequence[Expected] | AbstractSet[object] | Mapping[str, Expected] | pd.DataFrame | None"
)
"""What an exercise can ask for. Inside a sequence or a mapping the same kinds may stand again."""

Judge: TypeAlias = Callable[[object], str | None]
"""Gets the answer and says in one sentence what is wrong with it, or None when it is right."""

_NOT_ANSWERED = "Not answered yet. Put your answer in the place of the three dots (...) and run the cells again."
_PART_MISSING = "One part is still the three dots (...)."
_SHOWN = 60  # characters of an answer that are repeated to the learner


def check(
    answer: object,
    expected: Expected | Judge,
    *,
    hint: str,
    because: str,
    tolerance: float = 0.0,
    ignore_case: bool = False,
) -> None:
    """Print whether `answer` is right: "Not answered yet", "Right" with the reason, or "Not yet" with a hint.

    The first words carry the result, so it can be heard as well as seen; there is no colour. A wrong type is an
    answer like any other: the text says which type was expected.

    `answer` is compared by value. NumPy numbers and arrays, and pandas Series and Index, count as plain numbers
    and lists; a Series also counts as a dictionary. White space around text does not matter. In a set, order and
    repetition do not matter. In a table, the index does not matter and the order of columns does not matter.

    Where many answers are right, `expected` is a function that judges the answer itself: see `Judge`.

    `tolerance` is the largest distance from the expected number that still counts as right, in the unit of that
    number. `ignore_case` makes capital and small letters the same. `because` explains a right answer; `hint` helps
    after a wrong one.

    Raises TypeError when `expected` is of a kind that cannot be compared, which is a mistake of the lesson.
    """
    if answer is ...:
        print(_NOT_ANSWERED)
        return
    if callable(expected):
        problem = expected(answer)
    else:
        problem = _Comparison(tolerance, ignore_case).difference(answer, expected)
    if problem is None:
        print(f"Right. {because}")
    else:
        print(f"Not yet. {problem}\nHint: {hint}")


class _Comparison:
    """Compares an answer with what was expected, following the structure of what was expected."""

    def __init__(self, tolerance: float, ignore_case: bool) -> None:
        self.tolerance = tolerance
        self.ignore_case = ignore_case
        # The first kind that fits decides: True is an int and a text is a sequence, so these stand early.
        self._by_kind: list[tuple[type | tuple[type, ...], Callable[[object, Any], str | None]]] = [
            ((bool, type(None)), self._same),
            (Real, self._number),
            (str, self._text),
            (pd.DataFrame, self._table),
            (Mapping, self._mapping),
            (AbstractSet, self._set),
            (Sequence, self._sequence),
        ]

    def difference(self, answer: object, expected: Expected) -> str | None:
        """Say in one sentence how `answer` differs, or return None when it does not."""
        if answer is ...:
            return _PART_MISSING
        answer = _plain(answer)
        expected = _plain(expected)
        for kind, compare in self._by_kind:
            if isinstance(expected, kind):
                return compare(answer, expected)
        raise TypeError(
            f"check() cannot compare with {_kind(expected)}: give a number, text, list, set, dict or table."
        )

    def _same(self, answer: object, expected: bool | None) -> str | None:
        return None if answer is expected else _wrong_type_or_value(answer, expected)

    def _number(self, answer: Any, expected: Any) -> str | None:
        if isinstance(answer, bool) or not isinstance(answer, Real):
            if isinstance(answer, str) and _is_number(answer):
                return f"{_shown(answer)} is text. A number was expected: take the quotes away."
            return _wrong_type_or_value(answer, expected)
        if _close(answer, expected, self.tolerance):
            return None
        if expected and (_close(answer, expected * 100) or _close(answer * 100, expected)):
            return f"{_shown(answer)} is 100 times too large or too small. Is it a share (0 to 1) or a percentage?"
        return f"{_shown(answer)} is not the right number."

    def _text(self, answer: object, expected: str) -> str | None:
        if not isinstance(answer, str):
            return _wrong_type_or_value(answer, expected)
        if self._folded(answer) == self._folded(expected):
            return None
        if _tidy(answer).casefold() == _tidy(expected).casefold():
            return f"{_shown(answer)} differs only in capital and small letters. Here they matter."
        return f"{_shown(answer)} is not the right text."

    def _folded(self, text: str) -> str:
        return _tidy(text).casefold() if self.ignore_case else _tidy(text)

    def _sequence(self, answer: object, expected: Sequence[Expected]) -> str | None:
        if isinstance(answer, pd.Series):
            answer = answer.tolist()
        if not isinstance(answer, (list, tuple)):
            return _wrong_type_or_value(answer, expected)
        if len(answer) != len(expected):
            return f"Your list has {_count(len(answer), 'item')}; {len(expected)} were expected."
        problems = [self.difference(given, wanted) for given, wanted in zip(answer, expected, strict=True)]
        wrong = [place for place, problem in enumerate(problems, start=1) if problem]
        if not wrong:
            return None
        if self._same_items(answer, expected):
            return "The items are right, but their order is not."
        return f"{_count(len(wrong), 'item')} of {len(expected)} differ. Item {wrong[0]}: {problems[wrong[0] - 1]}"

    def _same_items(self, answer: Sequence[object], expected: Sequence[Expected]) -> bool:
        left = list(expected)
        for given in answer:
            found = next((i for i, wanted in enumerate(left) if self.difference(given, wanted) is None), None)
            if found is None:
                return False
            del left[found]
        return True

    def _set(self, answer: object, expected: AbstractSet[object]) -> str | None:
        if isinstance(answer, pd.Series):
            answer = answer.tolist()
        if not isinstance(answer, (list, tuple, AbstractSet)):
            return _wrong_type_or_value(answer, expected)
        if any(item is ... for item in answer):
            return _PART_MISSING
        given, wanted = self._members(answer), self._members(expected)
        missing, extra = len(wanted - given), len(given - wanted)
        if not missing and not extra:
            return None
        return f"{_count(missing, 'value')} missing, {_count(extra, 'value')} too many."

    def _members(self, items: AbstractSet[object] | Sequence[object]) -> set[object]:
        plain = (_plain(item) for item in items)
        # A list inside a set cannot be hashed: its text stands for it, and matches nothing that is expected.
        return {self._folded(item) if isinstance(item, str) else _hashable(item) for item in plain}

    def _mapping(self, answer: object, expected: Mapping[str, Expected]) -> str | None:
        if isinstance(answer, pd.Series):
            if not answer.index.is_unique:
                return "The index of your Series has the same entry more than once."
            answer = answer.to_dict()
        if not isinstance(answer, Mapping):
            return _wrong_type_or_value(answer, expected)
        missing, extra = expected.keys() - answer.keys(), answer.keys() - expected.keys()
        if missing or extra:
            return f"{_count(len(missing), 'key')} missing, {_count(len(extra), 'key')} too many."
        for key, wanted in expected.items():
            if problem := self.difference(answer[key], wanted):
                return f"Key {_shown(key)}: {problem}"
        return None

    def _table(self, answer: object, expected: pd.DataFrame) -> str | None:
        if not isinstance(answer, pd.DataFrame):
            return _wrong_type_or_value(answer, expected)
        given, wanted = Counter(map(str, answer.columns)), Counter(map(str, expected.columns))
        if given != wanted:
            missing = ", ".join(sorted(wanted - given)) or "none"
            extra = ", ".join(sorted(given - wanted)) or "none"
            return f"The columns differ. Missing: {missing}. Too many: {extra}."
        if len(answer) != len(expected):
            return f"Your table has {_count(len(answer), 'row')}; {len(expected)} were expected."
        for name in expected.columns:
            if problem := self._sequence(_cells(answer, name), _cells(expected, name)):
                return f"Column {_shown(str(name))}: {problem}"
        return None


def _cells(table: pd.DataFrame, name: str) -> list[Any]:
    """Return one column as plain values, with None for whatever pandas counts as missing."""
    column = table[name]
    return column.astype(object).mask(column.isna(), None).tolist()


def _plain(value: object) -> Any:
    """Turn NumPy and pandas values into plain Python ones; leave everything else alone."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, pd.Index):
        return value.tolist()
    return value


def _hashable(item: object) -> object:
    try:
        hash(item)
    except TypeError:
        return type(item)
    return item


def _tidy(text: str) -> str:
    """Strip white space and make composed letters (é) and decomposed ones (e + accent) the same."""
    return unicodedata.normalize("NFC", text.strip())


def _close(answer: Any, expected: Any, tolerance: float = 0.0) -> bool:
    """Compare two numbers, leaving room for the rounding of binary fractions; NaN equals NaN."""
    if answer == expected:
        return True
    try:
        given, wanted = float(answer), float(expected)
    except OverflowError:  # whole numbers too large for a float are equal or they are not
        return False
    if math.isnan(given) or math.isnan(wanted):
        return math.isnan(given) and math.isnan(wanted)
    return math.isclose(given, wanted, rel_tol=1e-9, abs_tol=tolerance * (1 + 1e-9))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _wrong_type_or_value(answer: object, expected: Expected) -> str:
    given, wanted = _kind(answer), _kind(expected)
    if given == wanted:
        return f"{_shown(answer)} is not right."
    return f"Your answer is {given}; {wanted} was expected."


def _kind(value: object) -> str:
    """Name the kind of a value in words a beginner knows."""
    kinds: list[tuple[type | tuple[type, ...], str]] = [
        (type(None), "None (nothing)"),
        (bool, "True or False"),
        (Real, "a number"),
        (str, "text"),
        (pd.DataFrame, "a table (DataFrame)"),
        (pd.Series, "a column (Series)"),
        (Mapping, "a dictionary"),
        (AbstractSet, "a set"),
        ((list, tuple), "a list"),
    ]
    for python_type, words in kinds:
        if isinstance(value, python_type):
            return words
    if callable(value):
        return "a function (are the brackets missing?)"
    return f"an object of type {type(value).__name__}"


def _shown(value: object) -> str:
    """Repeat a plain value, shortened; other objects by their kind, since their own text could be anything."""
    if isinstance(value, str | int | float) or value is None:
        text = repr(value) if not isinstance(value, int) or abs(value) < 10**_SHOWN else "This whole number"
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return _kind(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
