"""The learner's process: runs the answers, and does what the examiner asks of the functions and values in them."""

from collections.abc import Callable
from typing import Any

from autograder.engine import values
from autograder.engine.child import Answer, quietly, running
from autograder.engine.shell import NotebookShell, Recorder, name_of, text_of


class Learner:
    """The orders of a learner's process. What is no plain value stays here and goes out as a number."""

    def __init__(self, shell: NotebookShell, max_output_bytes: int) -> None:
        self._shell = shell
        self._things: list[object] = []
        self.orders: dict[str, Answer] = {
            "run": running(shell, max_output_bytes),
            "define": self._define,
            "values": self._values,
            "call": self._call,
            "attribute": self._attribute,
        }

    def _define(self, source: str) -> tuple[Any, ...]:
        """Run definitions that the learner's cells may use."""
        quietly(self._shell, source)
        return ("defined",)

    def _values(self, names: list[str]) -> tuple[Any, ...]:
        """Answer with name -> encoded value, or the reason why it cannot be handed over; missing names are left out."""
        found: dict[str, object] = {}
        for name in names:
            if name in self._shell.user_ns:
                try:
                    found[name] = values.encode(self._shell.user_ns[name], self._refer)
                except BaseException as error:  # noqa: BLE001  a value with its own ideas about being read
                    found[name] = text_of(error)
        return ("values", found)

    def _call(self, number: int, request: bytes, keep: bool) -> tuple[Any, ...]:
        """Call a thing with arguments and answer with the result, and with the arguments afterwards if `keep`."""

        def called() -> object:
            arguments, named = values.decode(request, self._resolve)
            result = self._things[number](*arguments, **named)  # type: ignore[operator]
            return (result, arguments, named) if keep else result

        return self._answered(called)

    def _attribute(self, number: int, name: str) -> tuple[Any, ...]:
        """Answer with an attribute of a thing."""
        return self._answered(lambda: getattr(self._things[number], name))

    def _answered(self, work: Callable[[], object]) -> tuple[Any, ...]:
        """Do the work and answer with its value or its exception."""
        self._shell.recorder = Recorder(0)  # what is printed here could tell of hidden tests
        try:
            return ("value", values.encode(work(), self._refer))
        except BaseException as error:  # noqa: BLE001  whatever an answer raises, an interrupt above all
            bases = [name_of(base) for base in type.__dict__["__mro__"].__get__(type(error))[1:]]
            return ("raised", name_of(type(error)), bases[:20], text_of(error)[:10_000])

    def _refer(self, thing: object) -> tuple[int, bool, str]:
        self._things.append(thing)
        return len(self._things) - 1, callable(thing), name_of(type(thing))

    def _resolve(self, number: int, _: bool, __: str) -> object:
        return self._things[number]
