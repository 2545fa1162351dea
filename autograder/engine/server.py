"""The warm server: a process that has imported the packages once and forks learners and examiners in milliseconds.

    python -P -m autograder.engine.server FD grading PACKAGE...

It takes orders over the socket FD, ends when that closes, and starts no thread: a fork copies only the thread that
forks. For grading, a copy of it that has also run a lab's setup cells is a template, and takes the same orders. For
kernels it forks interactive kernels, which go on without it.
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
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from threadpoolctl import threadpool_limits

from autograder.engine.channel import Channel, ChannelError
from autograder.engine.child import obey
from autograder.engine.examiner import Examiner
from autograder.engine.kernel import KernelTerms, be_kernel
from autograder.engine.learner import Learner
from autograder.engine.limits import Limits
from autograder.engine.sandbox import CannotConfineError, Places, confine, die_with_parent, private_folder
from autograder.engine.shell import NotebookShell, new_shell

SETUP_OUTPUT_BYTES = 1_000_000


class Warm:
    """A warm process: takes orders and forks."""

    orders: dict[str, Callable[..., None]]
    """name -> what carries it out"""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def serve(self) -> NoReturn:
        """Take orders until the channel closes."""
        gc.collect()
        gc.freeze()  # what is here stays; a fork then copies fewer pages
        while True:
            try:
                name, *arguments = self._channel.receive()
                self.orders[name](*arguments)
            except ChannelError:
                os._exit(0)

    def _forked(self, live: Callable[[list[int]], NoReturn]) -> int:
        """Take open files, fork, let the child live with them, and return its number."""
        self._channel.send("send")
        _, files, _, _ = socket.recv_fds(self._channel.end, 1, 2)
        child = os.fork()
        if child:
            for file in files:
                os.close(file)
            self._channel.send("forked", child)
            return child
        try:
            self._channel.end.detach()
            os.setsid()
            live(files)
        finally:
            os._exit(1)


class KernelServer(Warm):
    """Forks interactive kernels, each with two files for what it writes past IPython."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.orders = {"kernel": self._kernel, "ended": self._ended}

    def _kernel(self, terms: dict[str, Any]) -> None:
        def live(files: list[int]) -> NoReturn:
            _only(*files)
            _use_threads(terms.pop("threads"))
            be_kernel(KernelTerms(**terms))

        self._forked(live)

    def _ended(self, kernel: int) -> None:
        """Answer with the exit code of a kernel that has ended."""
        _, status = os.waitpid(kernel, 0)
        self._channel.send("code", os.waitstatus_to_exitcode(status))


class Template(Warm):
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
            channel.send("grown", outputs, _threads())
            Template(channel, self._shell).serve()

        self._begin(live)

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

        self._begin(live)

    def _begin(self, live: Callable[[socket.socket], NoReturn]) -> None:
        """Fork a child that lives with the end of a channel and with no other open file."""

        def begin(files: list[int]) -> NoReturn:
            die_with_parent()
            nowhere = os.open(os.devnull, os.O_RDWR)  # what it prints past IPython goes nowhere
            end = os.dup(files[0])
            _only(nowhere, nowhere, end)
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


def _only(output: int, errors: int, *others: int) -> None:
    """Close every file but these; the first two become the standard ones, and nothing can be read."""
    kept = sorted(others)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for below, above in pairwise([2, *kept, os.sysconf("SC_OPEN_MAX")]):
        os.closerange(below + 1, above)


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
    purpose, *packages = sys.argv[2:]
    for package in packages:
        importlib.import_module(package)
    served = KernelServer(channel) if purpose == "kernels" else Template(channel, new_shell())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this
    channel.send("warm", _threads())
    served.serve()


if __name__ == "__main__":
    main()
