"""Start the warm server, grow templates from it, fork from those, and end what was forked."""

import math
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from autograder.engine.channel import Channel, ChannelError, ChannelTimeoutError
from autograder.engine.limits import Limits
from autograder.engine.shell import Output

PACKAGES = ("numpy", "pandas", "matplotlib.pyplot")
"""What the server imports before anything else; each lab's own imports are in its template."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1") | {
    "JE_ARROW_MALLOC_CONF": "background_thread:false"  # pyarrow, which pandas imports
}
"""Variables of a server: it starts no threads, which a fork would not have; what is forked may use more."""

# As `python -m`, but without the working folder in the path; a kernel searches its own later, which -P would forbid.
_START_FOR_KERNELS = """
import sys
if sys.path[0] == "":
    del sys.path[0]
from autograder.engine.kernel import main
main()
"""
_STARTS = {"grading": ["-P", "-m", "autograder.engine.template"], "kernels": ["-c", _START_FOR_KERNELS]}
_START_SECONDS = 120
_FORK_SECONDS = 60
_LONGEST_PATH = 3000  # the system allows 4,096 characters


class ServerError(Exception):
    """The warm server does not start or has died; a new one may do."""


class UnconfinedError(Exception):
    """A process could not be confined, and so did not run."""


@dataclass(frozen=True)
class Usage:
    """What a process has used in its life."""

    cpu_seconds: float
    megabytes: float
    """largest resident memory, with what it shares with others"""


class Process:
    """A learner's or an examiner's process as seen from outside."""

    def __init__(self, template: "Template", number: int, channel: Channel, work: Path) -> None:
        self.channel = channel
        self.work = work
        self._template = template
        self._number = number
        self._watched = psutil.Process(number)
        self._usage: Usage | None = None

    def interrupt(self) -> None:
        """Interrupt what it does, as Ctrl-C would; it may swallow that."""
        with suppress(ProcessLookupError):
            os.kill(self._number, signal.SIGINT)

    def breach(self, limits: Limits) -> str | None:
        """Say which limit it exceeds that the system itself does not enforce, or None."""
        try:
            family = [self._watched, *self._watched.children(recursive=True)] if limits.processes else [self._watched]
            megabytes = sum(member.memory_info().rss for member in family) / 1e6
            threads = sum(member.num_threads() for member in family)
        except psutil.Error:
            return None
        if megabytes > limits.memory_megabytes:
            return f"the code used more than {limits.memory_megabytes:,.0f} MB of memory"
        if threads > limits.threads + len(family) or len(family) > limits.processes + 1:
            return "the code started too many threads or processes"
        if _megabytes_in(self.work) + sum(map(_hidden_megabytes, family)) > limits.disk_megabytes:
            return f"the code wrote more than {limits.disk_megabytes:,.0f} MB"
        return None

    def end(self) -> Usage:
        """Kill it with all that it started; a second time does nothing."""
        if self._usage is None:
            self.channel.end.close()
            try:
                self._usage = self._template.end(self._number)
            finally:
                remove_tree(self.work)
        return self._usage


class Template:
    """A warm process that can be forked."""

    def __init__(self, channel: Channel, threads: int, outputs: list[list[Output]], folder: Path) -> None:
        self.threads = threads
        self.outputs = outputs
        self.folder = folder
        self._channel = channel

    def grow(self, folder: Path, cells: Sequence[tuple[int, str]], seconds: float) -> "Template":
        """Fork a template that runs these setup cells in `folder`, which it keeps.

        Raises `ServerError` where that fails or takes longer than `seconds`.
        """
        try:
            channel, _ = self._forked("grow", str(folder), list(cells))
            _, outputs, threads = channel.receive(seconds)
        except (ChannelError, ChannelTimeoutError, ValueError) as error:
            raise ServerError(f"the setup cells of the lab did not come to an end ({error})") from error
        return Template(channel, threads, outputs, folder)

    def fork(
        self, role: str, work: Path, *, readable: Sequence[str], limits: Limits, confined: bool, threads: int
    ) -> Process:
        """Fork a process with the `role` of learner or examiner, in a copy of the template's folder at `work`.

        Raises `UnconfinedError` where it cannot be confined, `ServerError` where the template has died.
        """
        shutil.copytree(self.folder, work, symlinks=True)
        try:
            terms = {"readable": list(readable), "limits": asdict(limits), "confined": confined, "threads": threads}
            channel, number = self._forked("fork", role, str(work), terms)
            kind, *reason = channel.receive(_FORK_SECONDS)
        except (ChannelError, ChannelTimeoutError) as error:
            raise ServerError(f"a {role}'s process does not start ({error})") from error
        if kind == "unconfined":
            self.end(number)
            raise UnconfinedError(*reason)
        return Process(self, number, channel, work)

    def end(self, number: int) -> Usage:
        """Kill a forked process with all that it started."""
        try:
            self._channel.send("end", number)
            _, *usage = self._channel.receive(_FORK_SECONDS)
        except (ChannelError, ChannelTimeoutError) as error:
            raise ServerError(f"the warm server has died ({error})") from error
        return Usage(*usage)

    def close(self) -> None:
        """End the template and all that was forked from it."""
        self._channel.end.close()

    def _forked(self, *order: Any) -> tuple[Channel, int]:
        """Give an order that forks; return the channel to the child, and its number."""
        ours, theirs = socket.socketpair()
        with theirs, ExitStack() as undo:
            undo.callback(ours.close)
            number = _forked(self._channel, order, [theirs.fileno()])
            undo.pop_all()
        return Channel(ours), number


def _forked(channel: Channel, order: Sequence[Any], files: Sequence[int]) -> int:
    """Give an order that forks, hand the files over that the child shall have, and return its number."""
    channel.send(*order)
    channel.receive(_FORK_SECONDS)
    socket.send_fds(channel.end, [b"!"], list(files))
    _, number = channel.receive(_FORK_SECONDS)
    return int(number)


class _Server:
    """The process of a warm server, and the channel to it."""

    def __init__(self, purpose: str, packages: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it for `grading` or `kernels`; raises `ServerError` with its last words where it does not come up."""
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  open as long as the server
        ours, theirs = socket.socketpair()
        command = [sys.executable, *_STARTS[purpose], str(theirs.fileno()), *packages]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                command,
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                start_new_session=True,
            )
        self._channel = Channel(ours)
        try:
            _, self.threads = self._channel.receive(_START_SECONDS)
        except (ChannelError, ChannelTimeoutError, ValueError) as error:
            words = self._last_words()
            self.close()
            raise ServerError(f"the warm server does not start: {words}") from error

    def close(self) -> None:
        """End the server."""
        self._channel.end.close()
        self._process.kill()
        self._process.wait()
        self._words.close()

    def _last_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._words.seek(0)
        lines = self._words.read()[-2000:].decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it says nothing"


class KernelServer(_Server):
    """Forks interactive kernels, which go on when it ends."""

    def __init__(self, packages: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start it; raises `ServerError` where it does not come up, or where forking it would not be safe."""
        super().__init__("kernels", packages, environment)
        self._talking = threading.Lock()
        if self.threads > 1:
            self.close()
            raise ServerError("a package starts threads when it is imported, and a fork would not have them")

    def fork(self, terms: Mapping[str, Any], output: int, errors: int) -> int:
        """Fork a kernel on terms of `autograder.engine.kernel`, and return the number of its process.

        Raises `ServerError` where the server has died.
        """
        with self._conversation():
            return _forked(self._channel, ("kernel", dict(terms)), [output, errors])

    def exit_code(self, kernel: int) -> int:
        """Return the exit code of a kernel that has ended; raises `ServerError` where the server has died."""
        with self._conversation():
            self._channel.send("ended", kernel)
            _, code = self._channel.receive(_FORK_SECONDS)
            return int(code)

    @contextmanager
    def _conversation(self) -> Iterator[None]:
        """Let one order be answered before the next: kernels start in one thread and are looked after in another."""
        with self._talking:
            try:
                yield
            except (ChannelError, ChannelTimeoutError) as error:
                raise ServerError(f"the warm server has died ({error})") from error


class WarmServer(_Server):
    """The server for grading, and its root: a template without setup cells."""

    def __init__(self, packages: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the server; raises `ServerError` where it does not come up."""
        self.folder = Path(tempfile.mkdtemp(prefix="academy-"))
        super().__init__("grading", packages, environment)
        empty = self.folder / "empty"
        empty.mkdir()
        self.root = Template(self._channel, self.threads, [], empty)

    def close(self) -> None:
        """End the server and everything that came from it, and remove its files."""
        family = _family(self._process.pid)
        self._channel.end.close()
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        super().close()
        remove_tree(self.folder)


def _family(number: int) -> list[psutil.Process]:
    """A process and all its descendants."""
    try:
        parent = psutil.Process(number)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _hidden_megabytes(process: psutil.Process) -> float:
    """Size of the files that a process keeps open after it has deleted them, in MB."""
    total = 0
    with suppress(OSError):
        for entry in os.scandir(f"/proc/{process.pid}/fd"):
            with suppress(OSError):
                found = Path(entry.path).stat()
                total += found.st_blocks * 512 if stat.S_ISREG(found.st_mode) and found.st_nlink == 0 else 0
    return total / 1e6


def remove_tree(folder: Path) -> None:
    """Remove a folder that untrusted code has filled: however deep, without following links, and without fail."""
    subprocess.run(["/bin/rm", "-rf", "--", str(folder)], check=False, stderr=subprocess.DEVNULL)  # noqa: S603


def _megabytes_in(folder: Path) -> float:
    """Size of all files and folders below a folder, in MB, none of them as nothing; links are not followed.

    Endless where paths are too long to look further, since anything could be there.
    """
    total, waiting = 0, [str(folder)]
    while waiting:
        place = waiting.pop()
        if len(place) > _LONGEST_PATH:
            return math.inf
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                with suppress(OSError):
                    total += max(entry.stat(follow_symlinks=False).st_blocks * 512, 4096)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total / 1e6
