"""Start Jupyter's kernels from a warm server: the packages of the course are imported once, and each kernel is a fork.

A kernel provisioner (an entry point of jupyter_client), chosen by the kernelspec in `autograder/jupyter_data`. Each
Jupyter process has a server of its own, so nobody else's can be reached. Where the server cannot be had, or a kernel is
asked for that a fork cannot be, an ordinary kernel starts, with a line in the log.
"""

import asyncio
import atexit
import os
import select
import signal
import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from joblib import cpu_count
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import List, Unicode
from traitlets.config import LoggingConfigurable

from autograder.engine.kernel import KernelTerms
from autograder.engine.warm import ONE_THREAD, KernelServer, ServerError

PROVISIONER = "academy-warm"
"""Name of the entry point, which a kernelspec chooses."""

PLATFORM = sys.platform

PACKAGES = ("numpy", "pandas", "matplotlib.pyplot", "sklearn.linear_model", "torch", "transformers")
_LAUNCHER = ["-m", "ipykernel_launcher"]
_OF_ONE_KERNEL = ("ACADEMY_", "JPY_", "LABKIT_", "OLDPWD", "PWD", "PYTEST_", "SHLVL", "_")
"""Variables, by how they begin, that no package looks at when it is imported."""
_KEPT_SERVERS = 2
_Key = tuple[tuple[str, ...], frozenset[tuple[str, str]]]
"""packages and variables of a server"""


class ForkedKernel:
    """A kernel's process in the form that jupyter_client expects of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, server: KernelServer, number: int) -> None:
        self.pid = number
        self.returncode: int | None = None
        self._server = server
        self._watched = os.pidfd_open(number)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        if self.returncode is None and select.select([self._watched], [], [], 0)[0]:
            self._finish()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end, at most `timeout` seconds, and return the exit code."""
        if self.returncode is None and select.select([self._watched], [], [], timeout)[0]:
            self._finish()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing happens where it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._watched, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _finish(self) -> None:
        try:
            self.returncode = self._server.exit_code(self.pid)
        except ServerError:
            self.returncode = -1  # nobody knows any more
        os.close(self._watched)


class _Servers:
    """The warm servers of this process: one for each environment that packages could look at.

    They end with this process, also where that is killed: when the channel to them closes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[_Key, KernelServer | ServerError] = OrderedDict()
        atexit.register(self.close)

    def warm_up(self, packages: Sequence[str], environment: Mapping[str, str]) -> None:
        """Have a server ready; raises `ServerError` where there can be none."""
        with self._lock:
            self._server(_key(packages, environment))

    def fork(self, packages: Sequence[str], terms: dict[str, Any], output: int, errors: int) -> ForkedKernel:
        """Fork a kernel; raises `ServerError` where that does not work with a new server either."""
        key = _key(packages, terms["environment"])
        with self._lock:
            server = self._server(key)
            try:
                return ForkedKernel(server, server.fork(terms, output, errors))
            except ServerError:  # it has died
                del self._known[key]
                server.close()
            server = self._server(key)
            return ForkedKernel(server, server.fork(terms, output, errors))

    def _server(self, key: _Key) -> KernelServer:
        """Return the server for `key`; one that could not start once is not tried again, since that takes seconds."""
        if key not in self._known:
            packages, variables = key
            try:
                self._known[key] = KernelServer(packages, {"MPLBACKEND": _INLINE, **dict(variables), **ONE_THREAD})
            except ServerError as error:
                self._known[key] = error
            if len(self._known) > _KEPT_SERVERS:
                _close(self._known.popitem(last=False)[1])
        self._known.move_to_end(key)
        server = self._known[key]
        if isinstance(server, ServerError):
            raise server
        return server

    def close(self) -> None:
        """End all servers, but for one that is just starting: nobody waits for that at the end."""
        for server in self._known.values():
            _close(server)


def _close(server: KernelServer | ServerError) -> None:
    if isinstance(server, KernelServer):
        server.close()


_INLINE = "module://matplotlib_inline.backend_inline"
_servers = _Servers()


def _key(packages: Sequence[str], environment: Mapping[str, str]) -> _Key:
    seen = ((name, value) for name, value in environment.items() if not name.startswith(_OF_ONE_KERNEL))
    return tuple(packages), frozenset(seen)


class WarmProvisioner(LocalProvisioner):
    """Starts kernels as forks where it can, and as ordinary processes elsewhere."""

    packages = List(Unicode(), list(PACKAGES), help="Packages that the warm server imports.").tag(config=True)

    @classmethod
    def warm_up(cls, kernelspec: KernelSpec, parent: LoggingConfigurable) -> None:
        """Have the server ready before somebody asks for a first kernel, in a thread of its own.

        Does nothing where `kernelspec` names another provisioner.
        """
        named = kernelspec.metadata.get("kernel_provisioner", {}).get("provisioner_name")
        if named != PROVISIONER or not PLATFORM.startswith("linux"):
            return

        def warm() -> None:
            try:
                _servers.warm_up(cls(parent=parent).packages, os.environ)
            except (ServerError, OSError) as error:
                parent.log.warning("Kernels will start in the ordinary way: %s", error)

        threading.Thread(target=warm, daemon=True, name="warm-up").start()

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start a kernel."""
        reason = _why_not(cmd, kwargs)
        if not reason:
            try:
                process = await asyncio.to_thread(self._forked, cmd, kwargs)
            except (ServerError, OSError) as error:
                reason = str(error)
            else:
                self.process, self.pid, self.pgid = process, process.pid, process.pid  # type: ignore[assignment]
                self.cwd = kwargs.get("cwd") or Path.cwd()
                return self.connection_info
        self.log.warning("An ordinary kernel starts, not a warm one: %s", reason)
        return await super().launch_kernel(cmd, **kwargs)

    def _forked(self, cmd: list[str], kwargs: Mapping[str, Any]) -> ForkedKernel:
        environment = dict(kwargs.get("env") or os.environ)
        terms = KernelTerms(cmd[3:], environment, str(kwargs.get("cwd") or Path.cwd()), os.getpid())
        allowed = environment.get("OMP_NUM_THREADS", "")
        threads = int(allowed) if allowed.isdecimal() else cpu_count()
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            files = [
                _descriptor(kwargs.get(name), usual, nowhere.fileno()) for name, usual in (("stdout", 1), ("stderr", 2))
            ]
            return _servers.fork(list(self.packages), {**asdict(terms), "threads": threads}, *files)


def _why_not(cmd: list[str], kwargs: Mapping[str, Any]) -> str:
    """Say why a kernel cannot be a fork, in words for the log; empty where it can."""
    if not PLATFORM.startswith("linux"):
        return "this needs Linux"
    if Path(cmd[0]).resolve() != Path(sys.executable).resolve() or cmd[1:3] != _LAUNCHER:
        return f"it is not this Python's ipykernel ({' '.join(cmd[:3])})"
    if any(kwargs.get(name) is not None and not _is_file(kwargs[name]) for name in ("stdout", "stderr")):
        return "its output goes through a pipe of its own"
    return ""


def _is_file(target: Any) -> bool:
    return target == -3 or (isinstance(target, int) and target >= 0) or hasattr(target, "fileno")


def _descriptor(target: Any, usual: int, nowhere: int) -> int:
    """Return the open file that `subprocess` would give to a program for its standard output."""
    if target is None:
        return usual
    if target == -3:
        return nowhere
    return target if isinstance(target, int) else int(target.fileno())
