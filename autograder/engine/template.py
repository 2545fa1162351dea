"""The warm server for grading: forks learners and examiners.

    python -P -m autograder.engine.template FD PACKAGE...

A copy of it that has also run a lab's setup cells is a template, and takes the same orders.
"""

import ctypes
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from autograder.engine.channel import Channel
from autograder.engine.child import obey
from autograder.engine.examiner import Examiner
from autograder.engine.learner import Learner
from autograder.engine.limits import Limits
from autograder.engine.sandbox import CannotConfineError, Places, confine, die_with_parent, private_folder
from autograder.engine.server import Warm, only_files, serve, threads_here, use_threads
from autograder.engine.shell import NotebookShell, new_shell

SETUP_OUTPUT_BYTES = 1_000_000


class WarmTemplate(Warm):
    """Forks what one notebook's grading needs; also grows copies of itself that have run a lab's setup cells."""

    def __init__(self, channel: Channel, shell: NotebookShell) -> None:
        super().__init__(channel)
        self.orders = {"grow": self._grow, "fork": self._fork, "end": self._end}
        _become_reaper()
        self._shell = shell
        self._children: set[int] = set()

    def _grow(self, folder: str, cells: list[tuple[int, str]]) -> None:
        """Fork a template: a copy that runs a lab's setup cells, says how that went, and serves in its turn."""

        def live(end: socket.socket) -> NoReturn:
            os.chdir(folder)
            outputs = [self._shell.run(number, source, SETUP_OUTPUT_BYTES) for number, source in cells]
            channel = Channel(end)
            channel.send("grown", outputs, threads_here())
            WarmTemplate(channel, self._shell).serve()

        self._begin(live)

    def _fork(self, role: str, work: str, terms: dict[str, Any]) -> None:
        """Fork a learner or an examiner, confined before it reads its first order."""

        def live(end: socket.socket) -> NoReturn:
            channel, allowed = Channel(end), Limits(**terms["limits"])
            signal.signal(signal.SIGINT, signal.default_int_handler)
            private_folder(Path(work))
            use_threads(terms["threads"])
            try:
                if terms["confined"]:
                    confine(Places(Path(work), tuple(terms["readable"])), allowed)
            except CannotConfineError as error:
                channel.send("unconfined", str(error))
                os._exit(1)
            channel.send("ready")
            output_bytes = int(allowed.output_kilobytes * 1000)
            if role == "learner":
                obey(channel, Learner(self._shell, output_bytes).orders)
            obey(channel, Examiner(self._shell, output_bytes, channel).orders)

        self._begin(live)

    def _begin(self, live: Callable[[socket.socket], NoReturn]) -> None:
        """Fork a child that lives with the end of a channel and with no other open file."""

        def begin(files: list[int]) -> NoReturn:
            die_with_parent()
            nowhere = os.open(os.devnull, os.O_RDWR)  # what it prints past IPython goes nowhere
            end = os.dup(files[0])
            only_files(nowhere, nowhere, end)
            live(socket.socket(fileno=end))

        self._children.add(self._forked(begin))

    def _end(self, child: int) -> None:
        """Kill a child with all that it started, and answer with its processor seconds and its largest memory in MB."""
        self._children.discard(child)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        _, _, usage = os.wait4(child, 0)
        self._kill_orphans()
        self._channel.send("ended", usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000)

    def _kill_orphans(self) -> None:
        """Kill what a child's children left behind: as their reaper this process is their parent now."""
        for entry in Path("/proc/self/task").glob("*/children"):
            for orphan in map(int, entry.read_text().split()):
                if orphan not in self._children:
                    with suppress(ProcessLookupError):
                        os.kill(orphan, signal.SIGKILL)
                    with suppress(ChildProcessError):
                        os.waitpid(orphan, 0)


def _become_reaper() -> None:
    """Have orphans of this process's descendants come to it (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def main() -> NoReturn:
    """Import the packages, and serve."""
    number, *packages = sys.argv[1:]
    for package in packages:
        importlib.import_module(package)
    serve(lambda channel: WarmTemplate(channel, new_shell()), int(number))


if __name__ == "__main__":
    main()
