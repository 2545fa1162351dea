"""The warm server: a process that has imported the packages once and forks learners and examiners in milliseconds.

    python -P -m autograder.engine.server FD PACKAGE...

It takes orders over the socket FD, ends when that closes, and starts no thread: a fork copies only the thread that
forks. A copy of it that has also run a lab's setup cells is a template, and takes the same orders.
"""

import ctypes
import gc
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from threadpoolctl import threadpool_limits

from autograder.engine.channel import Channel, ChannelError
from autograder.engine.child import obey
from autograder.engine.examiner import Examiner
from autograder.engine.learner import Learner
from autograder.engine.limits import Limits
from autograder.engine.sandbox import CannotConfineError, Places, confine, die_with_parent, private_folder
from autograder.engine.shell import NotebookShell, new_shell

SETUP_OUTPUT_BYTES = 1_000_000


class Warm:
    """A warm process and its orders."""

    def __init__(self, channel: Channel, shell: NotebookShell) -> None:
        _become_reaper()
        self._channel = channel
        self._shell = shell
        self._children: set[int] = set()

    def serve(self) -> NoReturn:
        """Take orders until the channel closes."""
        orders: dict[str, Callable[..., None]] = {"grow": self._grow, "fork": self._fork, "end": self._end}
        gc.collect()
        gc.freeze()  # what is here stays; a fork then copies fewer pages
        while True:
            try:
                name, *arguments = self._channel.receive()
                orders[name](*arguments)
            except ChannelError:
                os._exit(0)

    def _grow(self, folder: str, cells: list[tuple[int, str]]) -> None:
        """Fork a template: a copy that runs a lab's setup cells, says how that went, and serves in its turn."""

        def live(end: socket.socket) -> NoReturn:
            os.chdir(folder)
            outputs = [self._shell.run(number, source, SETUP_OUTPUT_BYTES) for number, source in cells]
            channel = Channel(end)
            channel.send("grown", outputs, _threads())
            Warm(channel, self._shell).serve()

        self._forked(live)

    def _fork(self, role: str, work: str, terms: dict[str, Any]) -> None:
        """Fork a learner or an examiner, confined before it reads its first order."""

        def live(end: socket.socket) -> NoReturn:
            channel, allowed = Channel(end), Limits(**terms["limits"])
            signal.signal(signal.SIGINT, signal.default_int_handler)
            private_folder(Path(work))
            _use_threads(terms["threads"])
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

        self._forked(live)

    def _forked(self, live: Callable[[socket.socket], NoReturn]) -> None:
        """Take the end of a channel, fork, and let the child live with it and with no other open file."""
        self._channel.send("send")
        _, ends, _, _ = socket.recv_fds(self._channel.end, 1, 1)
        child = os.fork()
        if child:
            os.close(ends[0])
            self._children.add(child)
            self._channel.send("forked", child)
            return
        try:
            self._channel.end.detach()
            die_with_parent()
            os.setsid()
            _close_others(ends[0])
            live(socket.socket(fileno=ends[0]))
        finally:
            os._exit(1)

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


def _close_others(end: int) -> None:
    """Close every file but the channel; what the process prints past IPython goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    os.closerange(3, end)
    os.closerange(end + 1, os.sysconf("SC_OPEN_MAX"))


def _threads() -> int:
    """Number of threads of this process; a template with more than one cannot be forked safely."""
    return len(list(Path("/proc/self/task").iterdir()))


def _use_threads(threads: int) -> None:
    """Let the numerical libraries use so many threads; the server itself gets along with one."""
    if threads > 1:
        threadpool_limits(threads)
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(threads)


def _become_reaper() -> None:
    """Have orphans of this process's descendants come to it (prctl(2), PR_SET_CHILD_SUBREAPER)."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def main() -> NoReturn:
    """Import the packages, say so, and serve."""
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    for package in sys.argv[2:]:
        importlib.import_module(package)
    shell = new_shell()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this
    channel.send("warm", _threads())
    Warm(channel, shell).serve()


if __name__ == "__main__":
    main()
