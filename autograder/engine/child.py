"""What the learner's and the examiner's process have in common: they take orders over a channel and answer."""

import os
from collections.abc import Callable
from typing import Any, NoReturn

import msgpack

from autograder.engine.channel import Channel, ChannelError
from autograder.engine.shell import NotebookShell

Answer = Callable[..., tuple[Any, ...]]
"""Carries out an order; returns the kind of its answer, and plain values."""


def obey(channel: Channel, orders: dict[str, Answer]) -> NoReturn:
    """Carry out orders until the channel closes. An order is a token, a name and arguments; its answer has the token.

    The token is new for each order, so nothing that was sent before an order came can pass for its answer.
    """
    while True:
        try:
            token, name, *arguments = channel.receive()
            kind, *content = orders[name](*arguments)
            channel.send_answer(token, kind, msgpack.packb(content))
        except KeyboardInterrupt:
            continue  # it was meant for what has just ended
        except ChannelError:
            os._exit(0)


def running(shell: NotebookShell, max_output_bytes: int) -> Answer:
    """Make the order that runs a cell and answers with its outputs."""

    def run(number: int, source: str) -> tuple[Any, ...]:
        return ("ran", shell.run(number, source, max_output_bytes))

    return run


def quietly(shell: NotebookShell, source: str) -> None:
    """Run definitions or imports in the shell's names; what fails there is told where it is missed."""
    namespace: dict[str, Any] = shell.user_ns
    try:
        exec(compile(source, "<definitions>", "exec"), namespace)  # noqa: S102  the instructor's own text
    except Exception:  # noqa: BLE001  a name that is then missing says so itself
        return
