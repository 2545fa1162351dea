"""Conduct the run of a notebook: hand each cell to its process, carry questions, watch limits and clock."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nbformat.v4 import new_output

from autograder.engine.channel import ChannelError, ChannelTimeoutError
from autograder.engine.limits import Limits
from autograder.engine.plan import Kind, Step
from autograder.engine.shell import KEPT_TYPES, Output, plain_metadata
from autograder.engine.warm import Process, Usage

_LOOK_SECONDS = 0.1
"""How often limits are looked at while a process is busy."""

_GRACE_SECONDS = 3
"""How long interrupted code may take to stop."""

TOO_LONG = "The cell ran for too long and was stopped."


class StoppedError(Exception):
    """A process has ended or was ended; the text says why, to follow "Not run: "."""


@dataclass
class Run:
    """What came of a run."""

    outputs: dict[int, list[Output]] = field(default_factory=dict)
    """index of a cell -> its outputs; a cell that did not come to its end is missing"""
    stopped: str | None = None
    """why the run ended early, if it did"""
    seconds: float = 0.0
    learner: Usage | None = None
    examiner: Usage | None = None


class Conductor:
    """One run: two processes, a clock, limits."""

    def __init__(self, learner: Process, examiner: Process, limits: Limits) -> None:
        self._learner = learner
        self._examiner = examiner
        self._limits = limits
        self._deadline = time.monotonic() + limits.notebook_seconds
        self._learner_stopped: str | None = None

    def conduct(self, steps: Sequence[Step], run: Run) -> None:
        """Run the steps and write into `run` what comes of them, also where it ends early."""
        try:
            for step in steps:
                self._check_deadline()
                run.outputs[step.index] = self._step(step)
        except StoppedError as stopped:
            run.stopped = str(stopped)

    def _check_deadline(self) -> None:
        if time.monotonic() > self._deadline:
            raise StoppedError("the notebook as a whole ran for too long")

    def _step(self, step: Step) -> list[Output]:
        if step.kind is Kind.TEST:
            outputs = self._test(step)
            if step.visible_definitions:
                self._order(self._learner, "define", step.visible_definitions)
            return outputs
        outputs = self._order(self._learner, "run", step.number, step.source)
        if step.kind is Kind.SETUP:
            self._test(step)
        elif step.imports:
            self._order(self._examiner, "import", step.imports)
        return outputs

    def _test(self, step: Step) -> list[Output]:
        """Have the examiner run a cell; where the learner's process ended meanwhile, it did not come to its end."""
        outputs = self._order(self._examiner, "test", step.number, step.source, list(step.from_learner))
        if self._learner_stopped:
            raise StoppedError(self._learner_stopped)
        return outputs

    def _order(self, process: Process, name: str, *arguments: Any) -> list[Output]:
        """Give an order and return the outputs of its answer, with an error where it took too long."""
        answer, late = self._answer(process, name, arguments)
        outputs = _outputs(answer[1:], self._limits) if answer[0] == "ran" else []
        if late:
            outputs.append({"output_type": "error", "ename": "CellTimeoutError", "evalue": TOO_LONG, "traceback": []})
        return outputs

    def _answer(self, process: Process, name: str, arguments: Sequence[Any]) -> tuple[list[Any], bool]:
        """Give an order and return its answer, and whether it came only after an interrupt.

        Raises `StoppedError` where none comes, where it is no answer to this order, or where a limit is exceeded.
        """
        token = secrets.token_bytes(16)
        end = min(time.monotonic() + self._limits.cell_seconds, self._deadline)
        late = False
        try:
            process.channel.send(token, name, *arguments)
            while True:
                try:
                    message = process.channel.receive(_LOOK_SECONDS)
                except ChannelTimeoutError:
                    self._look(process)
                    late, end = self._watch_clock(process, late, end)
                    continue
                if process is self._examiner and message[0] == "ask":
                    self._carry(message[1:])
                elif message[0] == token and len(message) >= 2:
                    return message[1:], late
                else:
                    raise StoppedError("the answer's process sent messages that nobody had asked for")
        except ChannelError:
            raise StoppedError("the Python process died (out of memory, or the code ended it)") from None

    def _look(self, process: Process) -> None:
        for watched in {process, self._learner}:
            breach = watched.breach(self._limits)
            if breach:
                watched.end()
                raise StoppedError(breach)

    def _watch_clock(self, process: Process, late: bool, end: float) -> tuple[bool, float]:
        """Interrupt a process when its time is over, and give up on it when it goes on all the same."""
        if time.monotonic() < end:
            return late, end
        if late:
            process.end()
            whole = time.monotonic() > self._deadline + _GRACE_SECONDS
            raise StoppedError("the notebook as a whole ran for too long" if whole else "the code could not be stopped")
        process.interrupt()
        return True, time.monotonic() + _GRACE_SECONDS

    def _carry(self, question: Sequence[Any]) -> None:
        """Carry a question of the examiner to the learner, and the answer back, unread."""
        try:
            name, *arguments = question
            answer, late = self._answer(self._learner, name, arguments)
            reply = ("late", "The call of a function of the answer ran for too long.") if late else ("answer", *answer)
        except StoppedError as stopped:
            self._learner_stopped = str(stopped)
            reply = ("stopped", str(stopped))
        self._examiner.channel.send(*reply)


def _outputs(given: Any, limits: Limits) -> list[Output]:
    """Take over outputs from a process: only of known form, and no more than a cell may have.

    Raises `StoppedError` for anything else, so that no error output gets lost on the way.
    """
    try:
        (listed,) = given
        outputs = [_output(**output) for output in listed]
        size = sum(len(str(output)) for output in outputs)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        raise StoppedError("the answer's process sent outputs that are none") from None
    if size > 2_000 * limits.output_kilobytes + 2_000_000:
        raise StoppedError("the answer's process sent more output than a cell may have")
    return outputs


def _output(output_type: str, **parts: Any) -> Output:
    """Make an output from parts that are what they should be; raises TypeError or ValueError where they are not."""
    texts: dict[str, Any] = {key: parts.pop(key) for key in ("name", "text", "ename", "evalue") if key in parts}
    texts |= {f"data {media}": text for media, text in parts.get("data", {}).items() if media in KEPT_TYPES}
    traceback = parts.get("traceback", [])
    if not isinstance(traceback, list) or not all(isinstance(text, str) for text in [*texts.values(), *traceback]):
        raise TypeError("not a text")
    if output_type == "stream":
        return dict(new_output("stream", name={"stderr": "stderr"}.get(texts["name"], "stdout"), text=texts["text"]))
    if output_type == "error":
        return dict(new_output("error", ename=texts["ename"], evalue=texts["evalue"], traceback=parts["traceback"]))
    if output_type in {"display_data", "execute_result"}:
        data = {media: parts["data"][media] for media in KEPT_TYPES if media in parts["data"]}
        number = {"execution_count": None} if output_type == "execute_result" else {}
        return dict(new_output(output_type, data=data, metadata=plain_metadata(parts["metadata"]), **number))
    raise ValueError("not an output")
