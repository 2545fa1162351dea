"""Call a learner's function in a test, and see what it did to its arguments."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple


class Called(NamedTuple):
    """What came of a call."""

    result: Any
    """what the function returned"""
    arguments: tuple[Any, ...]
    """its positional arguments as they are after the call"""
    named: dict[str, Any]
    """its named arguments as they are after the call"""


def call_and_keep(function: Callable[..., Any], *arguments: Any, **named: Any) -> Called:
    """Call `function` with copies of the arguments; return its result, and the copies as it left them.

    For tests about mutation. In grading the learner's function runs in a process of its own and works on copies anyway;
    this fetches them back. In a notebook the same test works as it stands. Raises what the function raises.

    >>> call_and_keep(list.append, [1], 2).arguments
    ([1, 2], 2)
    """
    elsewhere = getattr(type(function), "labkit_call_and_keep", None)
    if elsewhere is not None:
        return Called(*elsewhere(function, arguments, named))
    own, own_named = deepcopy((arguments, named))
    return Called(function(*own, **own_named), own, own_named)
