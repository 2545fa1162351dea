"""The warm server for notebooks: forks interactive kernels, which go on without it.

Its `main` is run by Python with the arguments FD PACKAGE...
"""

import atexit
import builtins
import importlib
import logging
import os
import select
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, NoReturn

from autograder.engine.channel import Channel
from autograder.engine.server import Warm, only_files, serve, use_threads


@dataclass(frozen=True)
class KernelTerms:
    """What an ordinary kernel would find when it starts."""

    arguments: Sequence[str]
    """of ipykernel: the connection file above all"""
    environment: dict[str, str]
    folder: str
    """working directory"""
    owner: int
    """number of the Jupyter process without which the kernel is of no use"""


class WarmKernels(Warm):
    """Forks interactive kernels, each with two files for what it writes past IPython."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self.orders = {"kernel": self._kernel, "ended": self._ended}

    def _kernel(self, terms: dict[str, Any]) -> None:
        def live(files: list[int]) -> NoReturn:
            only_files(*files)
            use_threads(terms.pop("threads"))
            _be_kernel(KernelTerms(**terms))

        self._forked(live)

    def _ended(self, kernel: int) -> None:
        """Answer with the exit code of a kernel that has ended."""
        _, status = os.waitpid(kernel, 0)
        self._channel.send("code", os.waitstatus_to_exitcode(status))


def _be_kernel(terms: KernelTerms) -> NoReturn:
    """Run ipykernel to its end, and leave as a Python program of its own would."""
    os.environ.clear()
    os.environ.update(terms.environment)
    os.chdir(terms.folder)
    launcher = find_spec("ipykernel_launcher")
    sys.argv = [str(launcher.origin if launcher else ""), *terms.arguments]
    _new_random_numbers()
    threading.Thread(target=_end_with, args=(terms.owner,), daemon=True, name="end-with-jupyter").start()
    code = 0
    try:
        from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415  tqdm takes a process that has it for a notebook

        app = IPKernelApp.instance(parent_handle=1)  # not this: it looks at the parent, which is the server
        app.initialize(list(terms.arguments))  # type: ignore[no-untyped-call]
        app.start()  # type: ignore[no-untyped-call]
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  as the interpreter does at its end
    atexit._run_exitfuncs()  # noqa: SLF001
    logging.shutdown()
    os._exit(code)


def _new_random_numbers() -> None:
    """Draw a seed where a library keeps the state that the server had; Python's own module does so itself."""
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed()


def _end_with(owner: int) -> None:
    """Wait for the end of the Jupyter process, and end then, as an ordinary kernel does."""
    try:
        watched = os.pidfd_open(owner)
    except OSError:
        os._exit(1)
    select.select([watched], [], [])
    os._exit(1)


def import_as_kernels_do(packages: Sequence[str]) -> None:
    """Import packages some of which look where they are.

    In notebooks pandas prints more columns, and tqdm, which looks for ipykernel, makes widgets.
    """
    importlib.import_module("ipykernel.kernelapp")
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    try:
        for package in packages:
            importlib.import_module(package)
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]


def main() -> NoReturn:
    """Import the packages, and serve."""
    number, *packages = sys.argv[1:]
    import_as_kernels_do(packages)
    serve(WarmKernels, int(number))
