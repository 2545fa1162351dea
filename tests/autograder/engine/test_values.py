"""What crosses between learner and examiner: round trips of every kind of value, and bytes that are none."""

import collections
import datetime as dt
import enum
import itertools
import string
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import msgpack
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from hypothesis.extra import pandas as tables

from autograder.engine.values import MAX_DEPTH, CannotCrossError, NotAValueError, decode, encode


def no_handle(thing: object) -> tuple[int, bool, str]:
    raise CannotCrossError(type(thing).__name__)


def crossed(value: object) -> object:
    return decode(encode(value, no_handle), lambda *found: found)


def same(a: object, b: object) -> bool:
    """Equal in type and content, with NaN equal to itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float | complex):
        return repr(a) == repr(b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return bool(a == b)


texts = st.text(st.characters(exclude_categories=["Cs"]))
hashable = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.binary() | st.dates() | st.fractions(),
    lambda inner: st.tuples(inner) | st.tuples(inner, inner) | st.frozensets(inner),
    max_leaves=6,
)
plain = st.recursive(
    hashable | st.floats() | st.complex_numbers() | st.datetimes(timezones=st.just(dt.UTC)) | st.times()
    | st.timedeltas() | st.decimals(allow_nan=False) | st.builds(range, st.integers(-9, 9), st.integers(-9, 9)),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(hashable, inner) | st.sets(hashable),
    max_leaves=20,
)  # fmt: skip


@given(plain)
@settings(max_examples=300, deadline=None)
def test_plain_values_come_back_as_they_were(value: object) -> None:
    assert same(crossed(value), value)


number_types = st.one_of(
    arrays.boolean_dtypes(), arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(), arrays.floating_dtypes(),
    arrays.complex_number_dtypes(), arrays.unicode_string_dtypes(max_len=5), arrays.byte_string_dtypes(max_len=5),
    arrays.datetime64_dtypes(), arrays.timedelta64_dtypes(),
)  # fmt: skip


@given(arrays.arrays(number_types, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))
@settings(max_examples=200, deadline=None)
def test_arrays_come_back_as_they_were(array: np.ndarray) -> None:
    back = crossed(array)
    assert isinstance(back, np.ndarray)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable


columns = [
    tables.column("a", dtype=int), tables.column("b", dtype=float), tables.column("c", dtype=bool),
    tables.column("d", elements=st.text(string.printable, max_size=4), dtype=object),
    tables.column("e", dtype="datetime64[ns]"),
]  # fmt: skip


@given(tables.data_frames(columns))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_tables_come_back_as_they_were(table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(crossed(table), table)
    pd.testing.assert_series_equal(crossed(table["d"]), table["d"])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["a", "b", None], name="x"), pd.Series([1, None], dtype="Int64"), pd.Series([None], dtype="boolean"),
        pd.Series(pd.Categorical(["low", "high"], categories=["low", "high"], ordered=True)),
        pd.Series(pd.date_range("2026-03-28", periods=3, tz="Europe/Riga")), pd.Series([[1], {"a": 2}]),
        pd.Series([1.5], index=pd.MultiIndex.from_tuples([("IE", 2024)], names=["geo", "time"])),
        pd.Series(dtype=float), pd.Series(["ä"], dtype="string"), pd.Series([1, 2], index=pd.RangeIndex(3, 7, 2)),
    ],
    ids=lambda column: str(column.dtype),
)  # fmt: skip
def test_columns_of_every_type_come_back_as_they_were(column: pd.Series) -> None:
    pd.testing.assert_series_equal(crossed(column), column)
    table = column.to_frame("only")
    pd.testing.assert_frame_equal(crossed(table), table)


class Word(str):
    """A text with its own ideas about equality."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__

    def __str__(self) -> str:
        return "something else"


class Numbers(list):
    def __iter__(self):
        return iter([42])

    def __len__(self) -> int:
        return 42


class Point(NamedTuple):
    x: int
    y: int


class Kind(enum.StrEnum):
    OPEN = "open"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Word("closed"), "closed"), (Numbers([1, 2]), [1, 2]), (Kind.OPEN, "open"), (enum.IntEnum("N", "a b").b, 2),
        (collections.Counter("aab"), {"a": 2, "b": 1}), (collections.OrderedDict(a=1), {"a": 1}),
        (Point(1, 2), (1, 2)), (collections.deque([1]), [1]), ({1: 2}.values(), [2]),
        (np.float64(0.5), np.float64(0.5)), (np.True_, np.True_), (np.str_("a"), np.str_("a")),
        (pd.Timestamp("2026-11-22", tz="Europe/Rome"), pd.Timestamp("2026-11-22", tz="Europe/Rome")),
        (pd.Timedelta("1D"), pd.Timedelta("1D")), (Decimal("1.10"), Decimal("1.10")), (Fraction(1, 3), Fraction(1, 3)),
        (2**70, 2**70), (-(2**200), -(2**200)), (bytearray(b"a"), b"a"), (memoryview(b"a"), b"a"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_subclasses_cross_as_what_they_hold(value: object, plain: object) -> None:
    back = crossed(value)
    assert type(back) is type(plain)
    assert back == plain


def test_missing_values_tensors_and_generators_cross() -> None:
    assert crossed(pd.NaT) is pd.NaT
    assert crossed(pd.NA) is pd.NA
    assert crossed(torch.ones(2, 2, requires_grad=True)).tolist() == [[1, 1], [1, 1]]
    assert crossed(torch.ones(2, dtype=torch.bfloat16)).tolist() == [1, 1]
    assert list(crossed(n for n in (1, 2))) == [1, 2]
    assert list(crossed(map(str, [1]))) == ["1"]
    assert crossed(np.array([1, "x", None], dtype=object)).tolist() == [1, "x", None]


def cycle() -> list[object]:
    items: list[object] = []
    items.append(items)
    return items


def deep(wrap) -> object:
    value: object = 0
    for _ in range(100_000):
        value = wrap(value)
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (cycle(), "has no end"), (deep(lambda v: [v]), "too deep"), (deep(lambda v: (v,)), "too deep"),
        ("\ud800", "not valid Unicode"), (10**100_000, "too large"), (itertools.count(), "more than 100,000 items"),
        (b"x" * 16_000_001, "is too large"), (object(), "object"), ([lambda: 1], "function"),
    ],
    ids=["cycle", "deep list", "deep tuple", "half character", "huge number", "no end", "large", "object", "function"],
)  # fmt: skip
def test_what_cannot_cross_says_so(value: object, reason: str) -> None:
    with pytest.raises(CannotCrossError, match=reason):
        encode(value, no_handle)


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_bytes_are_a_value_or_refused(data: bytes) -> None:
    try:
        decode(data, lambda *found: found)
    except NotAValueError:
        return


def _packed(value: object) -> bytes:
    try:
        return msgpack.packb(value)
    except (ValueError, OverflowError):
        return b"\xc1"


nonsense = st.recursive(
    st.none() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=8) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.builds(msgpack.ExtType, st.integers(0, 40), inner.map(_packed)),
    max_leaves=8,
)


@given(st.integers(1, 22), nonsense)
@settings(max_examples=1000, deadline=None)
def test_forged_extension_types_are_a_value_or_refused(code: int, inside: object) -> None:
    """Whatever a forger packs into an extension type, the examiner gets plain data or an error of one kind."""
    try:
        value = decode(msgpack.packb(msgpack.ExtType(code, _packed(inside))), lambda *found: found)
    except NotAValueError:
        return
    assert type(value).__module__.split(".")[0] in {"builtins", "datetime", "decimal", "fractions", "numpy", "pandas"}


@pytest.mark.parametrize(
    "forged",
    [
        ["<f8", [2, 10**18], b"12345678"], ["<f8", [-1], b""], ["O", [1], []], ["V8", [1], b"12345678"],
        ["<f8", [3], b"1"], ["|O8", [1], b"12345678"], ["<U0", [10**12], b""], ["<f8", "shape", b""],
    ],
)  # fmt: skip
def test_forged_arrays_are_refused(forged: list[object]) -> None:
    with pytest.raises(NotAValueError):
        decode(msgpack.packb(msgpack.ExtType(10, msgpack.packb(forged))), lambda *found: found)


def test_extension_types_nested_too_deeply_are_refused() -> None:
    data = msgpack.packb(0)
    for _ in range(MAX_DEPTH + 1):
        data = msgpack.packb(msgpack.ExtType(1, msgpack.packb([msgpack.ExtType(1, data)])))
    with pytest.raises(NotAValueError):
        decode(data, lambda *found: found)
