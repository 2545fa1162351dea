"""In the examiner: what stands for a thing of the learner that is no plain value; it can be called and asked."""

import builtins
from typing import Any, NoReturn, Protocol

_NOT_AS_THEY_ARE = (BaseExceptionGroup, StopIteration, StopAsyncIteration)
"""Exceptions that cannot be made from a text, or would end an iteration of a test without a word."""


class LearnerError(Exception):
    """An exception of a type that only the learner's code has; it is raised as a subclass of this with that name."""


class Caller(Protocol):
    """How a handle reaches the learner's process."""

    def call(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any], *, keep: bool) -> Any:
        """Call the thing with this number."""

    def attribute(self, number: int, name: str) -> Any:
        """Read an attribute of the thing with this number."""


class Handle:
    """Something in the learner's process: an object of a class, a module, a function.

    Its attributes are read over there and come back as values or handles. It cannot be compared, which would ask the
    learner's own code for the verdict.
    """

    __slots__ = ("_caller", "_number")

    def __init__(self, caller: Caller, number: int) -> None:
        self._caller = caller
        self._number = number

    def __getattr__(self, name: str) -> Any:  # noqa: D105
        if name.startswith("__") and name not in {"__name__", "__doc__"}:
            raise AttributeError(name)
        return self._caller.attribute(self._number, name)

    def __repr__(self) -> str:  # noqa: D105
        return f"<{type(self).__name__} of the answer>"

    def _no_verdict(self, *_: object) -> NoReturn:
        raise TypeError(
            f"the answer holds a {type(self).__name__}, which cannot be compared; a plain value is needed here, such "
            "as a number, a text, a list or a table"
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_verdict
    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:  # noqa: D105, PLE0304
        self._no_verdict()


class CallableHandle(Handle):
    """A handle that can be called, with real arguments; what it returns comes back as a value or a handle."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Call the learner's function and return its value, or raise its exception."""
        return self._caller.call(self._number, arguments, named, keep=False)

    def __bool__(self) -> bool:
        """A function is true, as everywhere."""
        return True

    def labkit_call_and_keep(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Call it and return the result and the arguments as they are afterwards, for `labkit.calling`."""
        return self._caller.call(self._number, arguments, named, keep=True)


def handle(caller: Caller, number: int, can_be_called: bool, type_name: str) -> Handle:
    """Make the handle of a thing; messages that say its type's name say that of the learner's object."""
    base = CallableHandle if can_be_called else Handle
    name = type_name if type_name.isidentifier() else "object"
    kind = type(name, (base,), {"__slots__": ()})
    made: Handle = kind(caller, number)
    return made


def number_of(thing: object) -> tuple[int, bool, str] | None:
    """Number of a handle, for handing it back to the learner; None for anything else."""
    if not isinstance(thing, Handle):
        return None
    return object.__getattribute__(thing, "_number"), isinstance(thing, CallableHandle), "handle"


def exception(name: str, bases: list[str], message: str) -> Exception:
    """Make the exception that stands for one of the learner: Python's own where it is one, else a new type.

    `bases` are the names of Python's own exceptions that the learner's class comes from, nearest first.
    """
    for candidate in (name, *bases):
        known = getattr(builtins, candidate, None)
        if isinstance(known, type) and issubclass(known, Exception) and not issubclass(known, _NOT_AS_THEY_ARE):
            kind = known if candidate == name else type(_identifier(name), (LearnerError, known), {})
            return _made(kind, message)
    return _made(type(_identifier(name), (LearnerError,), {}), message)


def _identifier(name: str) -> str:
    return name if name.isidentifier() else "LearnerError"


def _made(kind: type[Exception], message: str) -> Exception:
    """Make an exception without its class's own constructor, which may want other arguments."""
    if issubclass(kind, KeyError):
        kind = type(kind.__name__, (kind,), {"__str__": lambda error: str(error.args[0]) if error.args else ""})
    made: Exception = kind.__new__(kind)
    made.args = (message,) if message else ()
    return made
