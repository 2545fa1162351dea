"""What warm servers have in common: they import packages once, take orders over a socket, and fork in milliseconds.

`template` has the one for grading, `kernel` the one for interactive kernels. A server ends when its socket closes, and
starts no thread: a fork copies only the thread that forks.
"""

import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from threadpoolctl import threadpool_limits

from autograder.engine.channel import Channel, ChannelError


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


def only_files(output: int, errors: int, *others: int) -> None:
    """Close every file but these; the first two become the standard ones, and nothing can be read."""
    kept = sorted(others)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    for below, above in pairwise([2, *kept, os.sysconf("SC_OPEN_MAX")]):
        os.closerange(below + 1, above)


def threads_here() -> int:
    """Number of threads of this process; a template with more than one cannot be forked safely."""
    return len(list(Path("/proc/self/task").iterdir()))


def use_threads(threads: int) -> None:
    """Let the numerical libraries use so many threads; the server itself gets along with one."""
    if threads > 1:
        threadpool_limits(threads)
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_num_threads(threads)


def serve(new: Callable[[Channel], Warm], socket_number: int) -> NoReturn:
    """Say over the socket that the packages are imported, and serve as what `new` makes."""
    channel = Channel(socket.socket(fileno=socket_number))
    served = new(channel)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who started this
    channel.send("warm", threads_here())
    served.serve()
