"""Look at values that nobody vouches for: exact types only, so that no code of the value itself is ever run."""

from datetime import date, datetime

import numpy as np

_SHOWN = 60
_DIGITS = 15

_NUMPY = frozenset(
    [
        *(np.bool_, np.str_, np.float16, np.float32, np.float64),
        *(np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64),
    ]
)

_KINDS: dict[type, str] = {
    type(None): "None (nothing)",
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    dict: "a dictionary",
    list: "a list",
    tuple: "a list",
    set: "a set",
    date: "a date object",
    datetime: "a date object",
}


def plain(value: object) -> object:
    """Turn a NumPy number or text into Python's own; leave everything else as it is."""
    return value.item() if type(value) in _NUMPY and isinstance(value, np.generic) else value


def shown(value: object) -> str:
    """Repeat a value in a message: short texts and numbers as they are, anything else by its kind."""
    if type(value) is str:
        return repr(value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…")
    if type(value) is bool:
        return str(value)
    if type(value) is int and -(10**_DIGITS) < value < 10**_DIGITS:
        return str(value)
    if type(value) is float:
        return f"{value:.4g}"
    return kind(value)


def kind(value: object) -> str:
    """Name the kind of a value in words that a beginner knows."""
    return _KINDS.get(type(value), "an object of another kind")
