"""Conduct the run of a notebook: hand each cell to its process, carry questions, watch limits and clock."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nbformat.v4 import new_output

from autograder.engine.channel import TOKEN_BYTES, ChannelError, ChannelTimeoutError, unpacked
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
        kind, content, late = self._answer(process, name, arguments)
        outputs = _outputs(content, self._limits) if kind == "ran" else []
        if late:
            outputs.append({"output_type": "error", "ename": "CellTimeoutError", "evalue": TOO_LONG, "traceback": []})
        return outputs

    def _answer(self, process: Process, name: str, arguments: Sequence[Any]) -> tuple[str, bytes, bool]:
        """Give an order and return kind and content of its answer, and whether it came only after an interrupt.

        Raises `StoppedError` where none comes, where it is no answer to this order, or where a limit is exceeded.
        """
        token = secrets.token_bytes(TOKEN_BYTES)
        end = min(time.monotonic() + self._limits.cell_seconds, self._deadline)
        looked, late = time.monotonic(), False
        try:
            process.channel.send(token, name, *arguments, seconds=self._limits.cell_seconds + _GRACE_SECONDS)
            while True:
                if time.monotonic() - looked > _LOOK_SECONDS:  # also while messages keep coming
                    looked = time.monotonic()
                    self._look(process)
                    late, end = self._watch_clock(process, late, end)
                try:
                    given, kind, content = process.channel.receive_answer(_LOOK_SECONDS)
                except ChannelTimeoutError:
                    continue
                if process is self._examiner and kind == "ask":
                    asked = time.monotonic()
                    self._carry(unpacked(content))
                    end += time.monotonic() - asked  # a test's own time; what a call may take is counted for itself
                elif given == token:
                    return kind, content, late
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
            kind, content, late = self._answer(self._learner, name, arguments)
            too_long = "The call of a function of the answer ran for too long."
            reply = ("late", too_long) if late else ("answer", kind, content)
        except StoppedError as stopped:
            self._learner_stopped = str(stopped)
            reply = ("stopped", str(stopped))
        self._examiner.channel.send(*reply, seconds=_GRACE_SECONDS + self._limits.cell_seconds)


def _outputs(content: bytes, limits: Limits) -> list[Output]:
    """Take over outputs from a process: only of known form, and no more than a cell may have.

    Raises `StoppedError` for anything else, so that no error output gets lost on the way.
    """
    if len(content) > 2_000 * limits.output_kilobytes + 2_000_000:
        raise StoppedError("the answer's process sent more output than a cell may have")
    try:
        (listed,) = unpacked(content)
        return [_output(**output) for output in listed]
    except (ChannelError, TypeError, ValueError, KeyError, AttributeError, RecursionError):
        raise StoppedError("the answer's process sent outputs that are none") from None


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
