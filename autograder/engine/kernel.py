"""Be an interactive kernel: what a process does that was forked from a warm server for somebody's notebook."""

import atexit
import logging
import os
import select
import sys
import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NoReturn


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


def be_kernel(terms: KernelTerms) -> NoReturn:
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
        from ipykernel.kernelapp import IPKernelApp  # noqa: PLC0415  a server for grading does without

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
