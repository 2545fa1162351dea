"""What check() says to a learner: the verdict, the reason, and the help after a wrong answer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.exercises import check


def said(capsys: pytest.CaptureFixture[str], answer: object, expected: Any, **options: Any) -> str:
    check(answer, expected, hint="HINT", because="BECAUSE", **options)
    return capsys.readouterr().out


TABLE = pd.DataFrame({"country": ["FI", "EL"], "factories": [1, 1]})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (3, 3),
        (3.0, 3),
        (np.int64(3), 3),
        (3, np.int64(3)),
        (0.1 + 0.2, 0.3),
        (10**309, 10**309),
        (math.nan, math.nan),
        (True, True),
        (np.bool_(True), True),
        (None, None),
        (" LUMI ", "LUMI"),
        ("Kreisfl\u00e4che", "Kreisfla\u0308che"),
        ((1, 2), [1, 2]),
        (np.array([1, 2]), [1, 2]),
        (pd.Series([1, 2], index=[8, 9]), [1, 2]),
        (pd.Index(["a", "b"]), ["a", "b"]),
        (["b", "a", "a"], {"a", "b"}),
        (pd.Series(["a", "b"]), {"a", "b"}),
        ({"a": 1.0}, {"a": 1}),
        (pd.Series({"a": 1, "b": 2}), {"b": 2, "a": 1}),
        (TABLE[["factories", "country"]].set_index(pd.Index([5, 6])), TABLE),
        (pd.DataFrame({"x": [1.0, math.nan]}), pd.DataFrame({"x": [1, None]})),
        ([[1, 2], {"k": [3]}], [[1, 2], {"k": [3]}]),
    ],
)
def test_right_answers(capsys: pytest.CaptureFixture[str], answer: object, expected: Any) -> None:
    assert said(capsys, answer, expected) == "Right. BECAUSE\n"


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (4, 3, "4 is not the right number."),
        ("3", 3, "take the quotes away"),
        ("three", 3, "Your answer is text; a number was expected."),
        (True, 1, "Your answer is True or False; a number was expected."),
        (1, True, "Your answer is a number; True or False was expected."),
        (0, None, "Your answer is a number; None (nothing) was expected."),
        (False, True, "False is not right."),
        (None, 3, "None (nothing)"),
        (20.0, 0.2, "share (0 to 1) or a percentage"),
        (0.2, 20, "share (0 to 1) or a percentage"),
        (math.nan, 3, "nan is not the right number."),
        (10**100, 3, "This whole number is not the right number."),
        ("lumi", "LUMI", "differs only in capital and small letters"),
        ("x" * 500, "LUMI", "…"),
        (16, "LUMI", "Your answer is a number; text was expected."),
        ([2, 1], [1, 2], "The items are right, but their order is not."),
        ([1], [1, 2], "Your list has 1 item; 2 were expected."),
        ([1, 3], [1, 2], "1 item of 2 differ. Item 2: 3 is not the right number."),
        ("ab", ["a", "b"], "Your answer is text; a list was expected."),
        ({1, 2}, [1, 2], "Your answer is a set; a list was expected."),
        (["a", "x", "y"], {"a", "b"}, "1 value missing, 2 values too many."),
        ([["a"]], {"a"}, "1 value missing, 1 value too many."),
        ({"b": 1}, {"a": 1}, "1 key missing, 1 key too many."),
        ({"a": 2}, {"a": 1}, "Key 'a': 2 is not the right number."),
        ([("a", 1)], {"a": 1}, "Your answer is a list; a dictionary was expected."),
        (pd.Series([1, 2], index=["a", "a"]), {"a": 1}, "same entry more than once"),
        (TABLE.head(1), TABLE, "Your table has 1 row; 2 were expected."),
        (TABLE.rename(columns={"country": "Country"}), TABLE, "Missing: country. Too many: Country."),
        (TABLE.assign(factories=[1, 2]), TABLE, "Column 'factories': 1 item of 2 differ."),
        (TABLE["country"], TABLE, "Your answer is a column (Series); a table (DataFrame) was expected."),
        (len, 3, "a function (are the brackets missing?)"),
        (object(), 3, "an object of type object"),
        ([1, ...], [1, 2], "still the three dots"),
        ({"a": ...}, {"a": 1}, "still the three dots"),
        ({"a", ...}, {"a", "b"}, "still the three dots"),
    ],
)
def test_wrong_answers_get_words_and_the_hint(
    capsys: pytest.CaptureFixture[str], answer: object, expected: Any, words: str
) -> None:
    text = said(capsys, answer, expected)
    assert text.startswith("Not yet. ")
    assert words in text
    assert text.endswith("\nHint: HINT\n")
    assert "BECAUSE" not in text


def test_three_dots_mean_not_answered(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, ..., 3)
    assert text.startswith("Not answered yet.")
    assert "HINT" not in text
    assert "BECAUSE" not in text


def test_a_wrong_set_or_number_does_not_give_the_answer_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert "secret" not in said(capsys, ["open"], {"secret"})
    assert "4711" not in said(capsys, 1, 4711)
    assert "4711" not in said(capsys, [1], [4711])


def test_tolerance_is_a_distance_and_reaches_into_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, 19.9, 20, tolerance=0.1).startswith("Right")
    assert said(capsys, 19.8, 20, tolerance=0.1).startswith("Not yet")
    assert said(capsys, [19.9, 5], [20, 5], tolerance=0.1).startswith("Right")


def test_case_is_ignored_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "lumi aif", "LUMI AIF", ignore_case=True).startswith("Right")
    assert said(capsys, ["fi"], {"FI"}, ignore_case=True).startswith("Right")
    assert said(capsys, ["fi"], {"FI"}).startswith("Not yet")


def test_an_answer_whose_own_text_fails_is_still_answered(capsys: pytest.CaptureFixture[str]) -> None:
    class Broken:
        __hash__ = None  # type: ignore[assignment]

        def __repr__(self) -> str:
            raise ValueError

        def __eq__(self, other: object) -> bool:
            return True

    for expected in (3, "text", [1], {"a"}, {"a": 1}, TABLE, None, True):
        assert said(capsys, Broken(), expected).startswith("Not yet.")
    assert said(capsys, [Broken()], {"a"}).startswith("Not yet.")


def test_a_lesson_that_expects_something_strange_fails_loudly() -> None:
    with pytest.raises(TypeError, match=r"cannot compare with an object of type object"):
        check(1, object(), hint="", because="")  # type: ignore[arg-type]


def test_a_function_can_judge_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    def even(answer: object) -> str | None:
        return None if isinstance(answer, int) and answer % 2 == 0 else f"{answer} is not an even number."

    for answer in (..., 3, 4):
        check(answer, even, hint="Add one.", because="Two fits.")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Not answered yet")
    assert lines[1:] == ["Not yet. 3 is not an even number.", "Hint: Add one.", "Right. Two fits."]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(value=PLAIN)
def test_every_value_equals_itself(value: Any) -> None:
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", seen.append)
        check(value, value, hint="", because="B")
    assert seen == ["Right. B"]


@given(answer=PLAIN, expected=PLAIN)
def test_any_plain_answer_gets_one_verdict(answer: Any, expected: Any) -> None:
    seen: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("builtins.print", seen.append)
        check(answer, expected, hint="H", because="B")
    assert len(seen) == 1
    assert seen[0].startswith(("Right. ", "Not yet. "))
