"""What may cross between learner and examiner: plain values as bytes, and handles for everything else. Never pickle.

The format is MessagePack, with extension types for what it lacks. A subclass of a plain type crosses as that plain
type, so an object's own `__eq__`, `__bool__` or `__float__` never reaches the examiner.
"""

import datetime as dt
import itertools
import re
import sys
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Sequence, ValuesView
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import singledispatch
from typing import Any

import msgpack
import numpy as np
import pandas as pd

MAX_BYTES = 16_000_000
"""Largest value that crosses, in bytes: sixteen times the largest one that a lab of the kit hands over."""

MAX_DEPTH = 60
"""How deep tuples, sets, tables and other extension types may lie in each other."""

MAX_ITERATED = 100_000
"""How many items of a generator or another iterator are taken."""

_MAX_WHOLE_NUMBER_BYTES = 4096


class CannotCrossError(TypeError):
    """A value that is neither plain data nor something that can be left behind as a handle; says what to do instead."""


class NotAValueError(ValueError):
    """Bytes that are no value: forged, damaged, or too large."""


class _Kind(IntEnum):
    """Extension types of the format."""

    TUPLE = 1
    SET = 2
    FROZENSET = 3
    WHOLE_NUMBER = 4
    COMPLEX = 5
    DATE = 6
    DATETIME = 7
    TIME = 8
    TIMEDELTA = 9
    ARRAY = 10
    NUMPY_SCALAR = 11
    SERIES = 12
    FRAME = 13
    INDEX = 14
    RANGE = 15
    TIMESTAMP = 16
    PANDAS_TIMEDELTA = 17
    MISSING = 18
    DECIMAL = 19
    FRACTION = 20
    ITERATOR = 21
    HANDLE = 22


Refer = Callable[[object], tuple[int, bool, str]]
"""Takes what is no plain value and returns a number for it, whether it can be called, and the name of its type."""

Pack = Callable[[object], bytes]
"""Encodes what lies inside a value."""

Resolve = Callable[[int, bool, str], object]
"""The reverse: turns number, callability and type name into what stands for the object on this side."""


def encode(value: object, refer: Refer) -> bytes:
    """Return `value` as bytes; what is not plain data becomes a handle through `refer`.

    Raises `CannotCrossError` for a value that is too large, nested too deeply, contains itself, or holds text that is
    no valid Unicode; and whatever `refer` raises.
    """
    try:
        data = _pack(value, refer)
    except CannotCrossError:
        raise
    except (RecursionError, UnicodeEncodeError, ValueError, OverflowError, MemoryError) as error:
        what = "text that is not valid Unicode" if isinstance(error, UnicodeEncodeError) else "too deep, or has no end"
        raise CannotCrossError(f"a {type(value).__name__} cannot be handed over: it holds {what}") from error
    if len(data) > MAX_BYTES:
        raise CannotCrossError(
            f"a {type(value).__name__} of {len(data) / 1e6:.0f} MB is too large (the limit is {MAX_BYTES / 1e6:.0f} MB)"
        )
    return data


def decode(data: bytes, resolve: Resolve) -> Any:
    """Return the value that the bytes stand for, built from nothing but plain types.

    Raises `NotAValueError` for anything else; no code of the sender runs.
    """
    if len(data) > MAX_BYTES:
        raise NotAValueError(f"{len(data)} bytes are more than a value may have")
    try:
        return _Decoder(resolve).unpack(data)
    except Exception as error:  # whatever a forged value makes NumPy or pandas raise, it is not a value
        raise NotAValueError(f"these bytes are no value ({type(error).__name__})") from error


def _pack(value: object, refer: Refer) -> bytes:
    def extended(item: object) -> object:
        return _extended(item, lambda part: _pack(part, refer), refer)

    packed: bytes = msgpack.packb(value, default=extended, strict_types=True, use_bin_type=True)
    return packed


def _extended(item: Any, pack: Pack, refer: Refer) -> object:
    """Turn what MessagePack lacks into an extension type, and a subclass of what it has into its base type."""
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(type(item), torch.Tensor):
        item = _array_of(item)
    found = _plain.dispatch(type(item))(item, pack)  # by its type, whatever its `__class__` says
    if found is None:
        number, can_be_called, name = refer(item)
        return msgpack.ExtType(_Kind.HANDLE, msgpack.packb([number, can_be_called, name[:100]]))
    return found


def _array_of(tensor: Any) -> "np.ndarray[Any, Any]":
    """Content of a tensor as an array; NumPy has no bfloat16."""
    values = tensor.detach().cpu().resolve_conj().resolve_neg()
    array: np.ndarray[Any, Any] = (values.float() if str(values.dtype) == "torch.bfloat16" else values).numpy()
    return array


@singledispatch
def _plain(item: Any, _: Pack) -> object:
    """Return an item as something that MessagePack has, or None where it is no plain value. One function a type."""
    return None


@_plain.register(str)
def _(item: str, _: Pack) -> object:
    return str.__str__(item)


@_plain.register(bytes)
def _(item: bytes, _: Pack) -> object:
    return bytes.__getitem__(item, slice(None))


@_plain.register(memoryview)
def _(item: memoryview, _: Pack) -> object:
    return bytes(item)


@_plain.register(int)
def _(item: int, _: Pack) -> object:
    number = int.__index__(item)  # of a subclass, or of more than 64 bits
    if -(2**63) <= number < 2**64:
        return number
    size = number.bit_length() // 8 + 1
    if size > _MAX_WHOLE_NUMBER_BYTES:
        raise CannotCrossError(f"a whole number with more than {_MAX_WHOLE_NUMBER_BYTES * 8:,} bits is too large")
    return msgpack.ExtType(_Kind.WHOLE_NUMBER, number.to_bytes(size, "big", signed=True))


@_plain.register(float)
def _(item: float, _: Pack) -> object:
    return float.__float__(item)


@_plain.register(complex)
def _(item: complex, pack: Pack) -> object:
    return msgpack.ExtType(_Kind.COMPLEX, pack([item.real, item.imag]))


@_plain.register(Decimal)
def _(item: Decimal, _: Pack) -> object:
    return msgpack.ExtType(_Kind.DECIMAL, Decimal.__str__(item).encode())


@_plain.register(Fraction)
def _(item: Fraction, pack: Pack) -> object:
    return msgpack.ExtType(_Kind.FRACTION, pack(list(Fraction.as_integer_ratio(item))))


@_plain.register(list)
def _(item: list[Any], _: Pack) -> object:
    return list(list.__iter__(item))


@_plain.register(dict)
def _(item: dict[Any, Any], _: Pack) -> object:
    return dict(dict.items(item))


def _register_collection(kind: _Kind, base: Any) -> None:
    """Have a collection cross as a list of its items, of which its own class knows best."""

    @_plain.register(base)
    def _(item: Any, pack: Pack) -> object:
        return msgpack.ExtType(kind, pack(list(base.__iter__(item))))


_register_collection(_Kind.TUPLE, tuple)
_register_collection(_Kind.SET, set)
_register_collection(_Kind.FROZENSET, frozenset)


@_plain.register(range)
def _(item: range, pack: Pack) -> object:
    return msgpack.ExtType(_Kind.RANGE, pack([item.start, item.stop, item.step]))


@_plain.register(Sequence)  # such as Matplotlib's list of an axes' texts
@_plain.register(KeysView)
@_plain.register(ValuesView)
@_plain.register(ItemsView)
def _(item: Iterable[Any], _: Pack) -> object:
    return _items(item)


@_plain.register(Iterator)
def _(item: Iterator[Any], pack: Pack) -> object:
    return msgpack.ExtType(_Kind.ITERATOR, pack(_items(item)))


def _items(item: Iterable[Any]) -> list[Any]:
    """All items of something that is no list and may have no end."""
    items = list(itertools.islice(item, MAX_ITERATED + 1))
    if len(items) > MAX_ITERATED:
        raise CannotCrossError(f"a {type(item).__name__} with more than {MAX_ITERATED:,} items; return a list instead")
    return items


@_plain.register(type(pd.NaT))
@_plain.register(type(pd.NA))
def _(item: object, _: Pack) -> object:
    return msgpack.ExtType(_Kind.MISSING, b"NaT" if item is pd.NaT else b"NA")


@_plain.register(pd.Timestamp)
def _(item: pd.Timestamp, pack: Pack) -> object:
    zone = None if item.tz is None else str(item.tz)
    return msgpack.ExtType(_Kind.TIMESTAMP, pack([pd.Timestamp.isoformat(item), zone]))


def _register_moment(kind: _Kind, base: Any) -> None:
    """Have a date, a time or a duration cross as its ISO 8601 text."""

    @_plain.register(base)
    def _(item: Any, _: Pack) -> object:
        return msgpack.ExtType(kind, base.isoformat(item).encode())


_register_moment(_Kind.DATETIME, dt.datetime)
_register_moment(_Kind.DATE, dt.date)
_register_moment(_Kind.TIME, dt.time)
_register_moment(_Kind.PANDAS_TIMEDELTA, pd.Timedelta)


@_plain.register(dt.timedelta)
def _(item: dt.timedelta, _: Pack) -> object:
    return msgpack.ExtType(_Kind.TIMEDELTA, msgpack.packb([item.days, item.seconds, item.microseconds]))


@_plain.register(np.ndarray)
def _(item: "np.ndarray[Any, Any]", pack: Pack) -> object:
    return msgpack.ExtType(_Kind.ARRAY, pack(_array_parts(np.asarray(item))))


@_plain.register(np.generic)
@_plain.register(np.str_)  # these two are a str and a bytes first
@_plain.register(np.bytes_)
def _(item: np.generic, pack: Pack) -> object:
    parts = _array_parts(np.asarray(item))
    return msgpack.ExtType(_Kind.NUMPY_SCALAR, pack(parts)) if parts[0] != "O" else None


@_plain.register(pd.Series)
def _(item: "pd.Series[Any]", pack: Pack) -> object:
    return msgpack.ExtType(_Kind.SERIES, pack([_column_parts(item.array), _index_parts(item.index), item.name]))


@_plain.register(pd.api.extensions.ExtensionArray)
def _(item: Any, pack: Pack) -> object:
    return msgpack.ExtType(_Kind.SERIES, pack([_column_parts(item), _index_parts(pd.RangeIndex(len(item))), None]))


@_plain.register(pd.DataFrame)
def _(item: pd.DataFrame, pack: Pack) -> object:
    columns = [_column_parts(column.array) for _, column in item.items()]
    return msgpack.ExtType(_Kind.FRAME, pack([columns, _index_parts(item.columns), _index_parts(item.index)]))


@_plain.register(pd.Index)
def _(item: "pd.Index[Any]", pack: Pack) -> object:
    return msgpack.ExtType(_Kind.INDEX, pack(_index_parts(item)))


def _array_parts(array: "np.ndarray[Any, Any]") -> list[object]:
    """Type, shape and content; an array of objects as a list of values."""
    if array.dtype.kind == "O" or not _RAW_TYPE.fullmatch(array.dtype.str):
        return ["O", list(array.shape), array.ravel().tolist()]
    return [array.dtype.str, list(array.shape), np.ascontiguousarray(array).tobytes()]


_RAW_TYPE = re.compile(r"[<>|=]?[biufcmMUS]\d{1,9}(\[\d{0,4}[A-Za-z]{1,2}\])?")
"""NumPy's types whose content is nothing but numbers or letters."""


def _column_parts(array: Any) -> list[object]:
    """Content of a column with what makes its type: ["numpy", array], ["zone", array, name] and so on."""
    if isinstance(array, pd.arrays.NumpyExtensionArray):
        array = array.to_numpy()
    kind = array.dtype
    if isinstance(kind, pd.CategoricalDtype):
        categories = _index_parts(kind.categories)
        return ["category", categories, np.asarray(array.codes), bool(kind.ordered)]
    if isinstance(kind, pd.DatetimeTZDtype):
        return ["zone", np.asarray(array.astype("int64")), kind.unit, str(kind.tz)]
    if str(kind) in _NAMED_TYPES:
        return ["named", str(kind), list(array)]
    if isinstance(kind, np.dtype):
        return ["numpy", np.asarray(array)]
    return ["numpy", np.asarray(array, dtype=object)]


_NAMED_TYPES = {
    *("str", "string", "boolean", "Float32", "Float64"),
    *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
}


def _index_parts(index: "pd.Index[Any]") -> list[object]:
    if isinstance(index, pd.MultiIndex):
        return ["levels", index.tolist(), list(index.names)]
    if isinstance(index, pd.RangeIndex):
        return ["range", range(index.start, index.stop, index.step), index.name]
    return ["column", _column_parts(index.array), index.name]


class _Decoder:
    """One decoding: counts how deep it is, and knows what stands for a handle."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._depth = 0

    def unpack(self, data: bytes) -> Any:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NotAValueError("nested too deeply")
        value = msgpack.unpackb(data, ext_hook=self._extension, strict_map_key=False, raw=False)
        self._depth -= 1
        return value

    def _extension(self, code: int, data: bytes) -> object:
        build = getattr(self, f"_{_Kind(code).name.lower()}")
        return build(data)

    def _tuple(self, data: bytes) -> object:
        return tuple(self.unpack(data))

    def _set(self, data: bytes) -> object:
        return set(self.unpack(data))

    def _frozenset(self, data: bytes) -> object:
        return frozenset(self.unpack(data))

    def _whole_number(self, data: bytes) -> object:
        if len(data) > _MAX_WHOLE_NUMBER_BYTES:
            raise NotAValueError("too large a number")
        return int.from_bytes(data, "big", signed=True)

    def _complex(self, data: bytes) -> object:
        real, imaginary = self.unpack(data)
        return complex(float(real), float(imaginary))

    def _date(self, data: bytes) -> object:
        return dt.date.fromisoformat(data.decode())

    def _datetime(self, data: bytes) -> object:
        return dt.datetime.fromisoformat(data.decode())

    def _time(self, data: bytes) -> object:
        return dt.time.fromisoformat(data.decode())

    def _timedelta(self, data: bytes) -> object:
        days, seconds, microseconds = self.unpack(data)
        return dt.timedelta(days, seconds, microseconds)

    def _timestamp(self, data: bytes) -> object:
        moment, zone = self.unpack(data)
        stamp = pd.Timestamp(str(moment)[:100])
        return stamp if zone is None else stamp.tz_convert(str(zone))

    def _pandas_timedelta(self, data: bytes) -> object:
        return pd.Timedelta(_short(data))

    def _missing(self, data: bytes) -> object:
        return {b"NaT": pd.NaT, b"NA": pd.NA}[data]

    def _decimal(self, data: bytes) -> object:
        return Decimal(_short(data))

    def _fraction(self, data: bytes) -> object:
        numerator, denominator = self.unpack(data)
        if type(numerator) is not int or type(denominator) is not int:
            raise NotAValueError("not a fraction")
        return Fraction(numerator, denominator)

    def _range(self, data: bytes) -> object:
        return range(*self.unpack(data))

    def _iterator(self, data: bytes) -> Iterator[object]:
        return iter(self.unpack(data))

    def _array(self, data: bytes) -> "np.ndarray[Any, Any]":
        kind, shape, content = self.unpack(data)
        size = 1
        for length in shape:
            if type(length) is not int or length < 0:
                raise NotAValueError("not a shape")
            size *= length
        if kind == "O":
            array = np.empty(len(content), dtype=object)
            for place, item in enumerate(content):
                array[place] = item
            return array.reshape(shape)
        if not _RAW_TYPE.fullmatch(kind):
            raise NotAValueError("not a type of array")
        dtype = np.dtype(kind)
        if size * dtype.itemsize != len(content):
            raise NotAValueError("shape and content do not agree")
        return np.frombuffer(content, dtype=dtype, count=size).reshape(shape).copy()

    def _numpy_scalar(self, data: bytes) -> object:
        array = self._array(data)
        if array.shape != () or array.dtype.kind == "O":
            raise NotAValueError("not a single number")
        return array[()]

    def _column(self, parts: Any) -> Any:
        form, *rest = parts
        if form == "numpy":
            (array,) = rest
            if type(array) is not np.ndarray or array.ndim != 1:
                raise NotAValueError("not a column")
            return array
        if form == "zone":
            moments, unit, zone = rest
            return pd.DatetimeIndex(moments.astype(f"M8[{unit}]")).tz_localize("UTC").tz_convert(zone).array
        if form == "named" and rest[0] in _NAMED_TYPES:
            return pd.array(rest[1], dtype=rest[0])
        if form == "category":
            categories, codes, ordered = rest
            return pd.Categorical.from_codes(codes, categories=self._labels(categories), ordered=ordered is True)
        raise NotAValueError("not a column")

    def _labels(self, parts: Any) -> "pd.Index[Any]":
        form, content, name = parts
        if form == "levels":
            return pd.MultiIndex.from_tuples(content, names=name)
        if form == "range" and type(content) is range:
            return pd.RangeIndex(content, name=name)
        labels: pd.Index[Any] = pd.Index(self._column(content), name=name)
        return labels

    def _series(self, data: bytes) -> object:
        column, index, name = self.unpack(data)
        content = self._column(column)
        # With its type said, or pandas would guess another one from objects or texts; likewise below.
        return pd.Series(content, index=self._labels(index), name=name, dtype=content.dtype)

    def _frame(self, data: bytes) -> object:
        columns, labels, index = self.unpack(data)
        rows = self._labels(index)
        contents = [self._column(column) for column in columns]
        table = pd.DataFrame(
            {place: pd.Series(content, index=rows, dtype=content.dtype) for place, content in enumerate(contents)},
            index=rows,
        )
        table.columns = self._labels(labels)
        return table

    def _index(self, data: bytes) -> object:
        return self._labels(self.unpack(data))

    def _handle(self, data: bytes) -> object:
        number, can_be_called, name = self.unpack(data)
        return self._resolve(int(number), can_be_called is True, str(name)[:100])


def _short(data: bytes) -> str:
    if len(data) > _MAX_WHOLE_NUMBER_BYTES:
        raise NotAValueError("too long")
    return data.decode()
