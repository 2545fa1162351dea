"""The examiner's process: runs the tests on values that come from the learner, with names of its own."""

import numbers
from typing import Any

import msgpack
import numpy as np

from autograder.engine import values
from autograder.engine.channel import TOKEN_BYTES, Channel, ChannelError, unpacked
from autograder.engine.child import Answer, quietly, running
from autograder.engine.handles import exception, handle, number_of
from autograder.engine.shell import NotebookShell, Output


class AnswerStoppedError(BaseException):
    """The learner's process ended, or sent what is no value; no `except Exception` of a test takes it for an answer."""


class CellTimeoutError(BaseException):
    """A call of the learner's function took too long; as above."""


class Examiner:
    """The orders of an examiner's process; while it runs a test it asks the learner through the same channel."""

    def __init__(self, shell: NotebookShell, max_output_bytes: int, channel: Channel) -> None:
        self._shell = shell
        self._channel = channel
        self._run = running(shell, max_output_bytes)
        self._refused: dict[str, str] = {}
        self.orders: dict[str, Answer] = {"import": self._import, "test": self._test}

    def _import(self, source: str) -> tuple[Any, ...]:
        """Run import statements of the reference's answer."""
        quietly(self._shell, source)
        return ("imported",)

    def _test(self, number: int, source: str, names: list[str]) -> tuple[Any, ...]:
        """Fetch the names from the learner, then run the cell."""
        try:
            self._fetch(names)
        except (AnswerStoppedError, CellTimeoutError, KeyboardInterrupt) as error:
            failed = {"output_type": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": []}
            return ("ran", [failed])
        _, outputs = self._run(number, source)
        return ("ran", [self._pointed(self._explained(output)) for output in outputs])

    def _fetch(self, names: list[str]) -> None:
        """Put the learner's values among this process's names; one that the learner has not is missing here, too."""
        self._refused.clear()
        for name in names:
            self._shell.user_ns.pop(name, None)
        _, found, *_ = self._ask("values", names) if names else ("values", {})
        for name in names:  # and no others, whatever was sent
            value = found.get(name) if isinstance(found, dict) else None
            if isinstance(value, bytes):
                try:
                    self._shell.user_ns[name] = values.decode(value, self._resolve)
                except values.NotAValueError as error:
                    self._refused[name] = str(error)
            elif value is not None:
                self._refused[name] = str(value)

    def _explained(self, output: Output) -> Output:
        """Say why a name is missing here that the learner does have."""
        error = self._shell.last_error
        if output["output_type"] == "error" and isinstance(error, NameError) and error.name in self._refused:
            return output | {"ename": "TypeError", "evalue": f"`{error.name}`: {self._refused[error.name]}"}
        return output

    def _pointed(self, output: Output) -> Output:
        """Write points as a plain number, whatever kind of number the test has added them up to."""
        points = self._shell.last_result
        if output["output_type"] == "execute_result" and isinstance(points, numbers.Real | np.number):
            return output | {"data": {"text/plain": repr(float(points))}}
        return output

    def call(self, number: int, arguments: tuple[Any, ...], named: dict[str, Any], *, keep: bool) -> Any:
        """Call a function of the learner with arguments; return its value or raise its exception.

        Raises `values.CannotCrossError` where an argument is neither a value nor a handle, `CellTimeoutError` and
        `AnswerStoppedError` where no answer comes.
        """
        request = values.encode((arguments, named), self._refer)
        return self._answer(*self._ask("call", number, request, keep))

    def attribute(self, number: int, name: str) -> Any:
        """Read an attribute of a thing of the learner, as `call` does."""
        return self._answer(*self._ask("attribute", number, name))

    def _ask(self, *request: object) -> list[Any]:
        """Ask the learner, through the conductor, which watches the time."""
        self._channel.send_answer(bytes(TOKEN_BYTES), "ask", msgpack.packb(request))
        state, *answer = self._channel.receive()
        if state == "late":
            raise CellTimeoutError(*answer)
        if state == "stopped":
            raise AnswerStoppedError(*answer)
        kind, content = answer
        try:
            return [kind, *unpacked(content)]
        except ChannelError as forged:
            raise AnswerStoppedError(f"what the answer sent is no value: {forged}") from None

    def _answer(self, kind: str, *parts: Any) -> Any:
        try:
            if kind == "value":
                (data,) = parts
                return values.decode(data, self._resolve)
            name, bases, message = parts
            error = exception(str(name), [str(base) for base in bases], str(message))
        except (values.NotAValueError, ValueError, TypeError) as forged:
            raise AnswerStoppedError(f"what the answer sent is no value: {forged}") from None
        raise error

    def _resolve(self, number: int, can_be_called: bool, type_name: str) -> object:
        return handle(self, number, can_be_called, type_name)

    def _refer(self, thing: object) -> tuple[int, bool, str]:
        known = number_of(thing)
        if known is None:
            raise values.CannotCrossError(
                f"a {type(thing).__name__} cannot be handed to a function of the learner; hand over plain values "
                "(numbers, texts, lists, dictionaries, arrays, tables) or what came from the learner itself"
            )
        return known
