"""The hub of a classroom as a process: how it is started, when it answers, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from autograder.errors import AcademyError

_HERE = Path(__file__).resolve().parent
_START_SECONDS, _STOP_SECONDS = 300.0, 60.0
# In namespaces of its own; what is in them ends with this process, however that ends.
_CONFINED = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def hub_command(folder: Path, *, as_root: bool) -> list[str]:
    """Program and arguments of the hub of a classroom; root's has its accounts in namespaces of its own."""
    command = [sys.executable, "-m", "jupyterhub", "-f", str(_HERE / "jupyterhub_config.py")]
    return [*_CONFINED, sys.executable, str(_HERE / "layer.py"), str(folder), *command] if as_root else command


def wait_until_open(hub: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Wait until the hub answers.

    Raises `AcademyError` where it does not.
    """
    deadline = time.monotonic() + _START_SECONDS
    while hub.poll() is None and time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/hub/health", timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    last = [line for line in log.read_text().splitlines() if line.strip()][-1:]
    raise AcademyError(f"the hub did not start; {log} says why{': ' if last else ''}{''.join(last)}")


def stop(hub: "subprocess.Popen[bytes]") -> None:
    """Ask the hub to stop its servers, the proxy and itself, and end by force what is left after a while."""
    if hub.poll() is None:
        os.killpg(hub.pid, signal.SIGINT)
        try:
            hub.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(hub.pid, signal.SIGKILL)
            hub.wait()
