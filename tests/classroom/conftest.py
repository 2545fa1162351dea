"""A real hub with real accounts, as `make classroom` starts it, and the people who use it in a browser."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from autograder.kit import kit_folder

DEMO = kit_folder() / "binder/jupyterhub/demo.py"
PROXY = Path(sys.prefix, "proxy/node_modules/.bin/configurable-http-proxy")


@dataclass(frozen=True)
class Classroom:
    """Address and folder of a running demo classroom, and the passwords that it printed."""

    address: str
    folder: Path
    passwords: dict[str, str]
    process: "subprocess.Popen[bytes]"

    def log(self) -> str:
        return (self.folder / "hub/hub.log").read_text(errors="replace")

    def as_account(self, name: str, code: str) -> subprocess.CompletedProcess[str]:
        """Run Python code inside the classroom, as a person's server would: in its namespaces, with its account."""
        inside = ["nsenter", "--target", str(self.hub_process()), "--mount", "--pid"]
        account = ["setpriv", f"--reuid={name}", f"--regid={name}", "--clear-groups", "--no-new-privs"]
        return subprocess.run(
            [*inside, *account, sys.executable, "-I", "-c", code],
            capture_output=True, text=True, timeout=60, check=False, cwd="/", env={"PATH": os.defpath},
        )  # fmt: skip

    def hub_process(self) -> int:
        """Number of the hub's process, as seen from outside: the child of `unshare`."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        inner = Path(f"/proc/{children[0]}/task/{children[0]}/children").read_text().split()
        return int(inner[0])


def free_port() -> int:
    """The first of four ports that nobody uses."""
    for port in range(20_000 + os.getpid() % 10_000, 60_000, 4):
        with socket.socket() as probe:
            if all(probe.connect_ex(("127.0.0.1", port + i)) for i in range(4)):
                return port
    raise AssertionError("no free ports")


def started(folder: Path, output: Path) -> Classroom:
    """`make classroom`'s program, from when it has printed the passwords."""
    port = free_port()
    arguments = [sys.executable, DEMO, "--folder", folder, "--port", str(port)]
    with output.open("w") as file:
        process = subprocess.Popen(
            arguments, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    deadline = time.monotonic() + 300
    while "Stop with Ctrl-C" not in output.read_text():
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.5)
    passwords = dict(re.findall(r"(\w+-\d)\s+│ ([0-9a-f]{12}) ", output.read_text()))
    return Classroom(f"http://127.0.0.1:{port}", folder, passwords, process)


def stopped(room: Classroom) -> None:
    """End it as Ctrl-C does."""
    room.process.send_signal(signal.SIGINT)
    try:
        room.process.wait(timeout=90)
    finally:
        room.process.kill()


@pytest.fixture(scope="session")
def run_classroom() -> Callable[[Path, Path], Classroom]:
    if os.geteuid() != 0:
        pytest.skip("people are kept apart by accounts, and only root can make them")
    if not PROXY.exists():
        pytest.skip("the proxy is not installed (`make test-long` does it; it needs npm)")
    allowed = subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"], check=False, capture_output=True)
    if allowed.returncode:
        pytest.skip(f"no namespaces here: {allowed.stderr.decode().strip()}")
    return started


@pytest.fixture(scope="session")
def stop_classroom() -> Callable[[Classroom], None]:
    return stopped


@pytest.fixture(scope="session")
def picture() -> Callable[[Page, str], None]:
    """Take the pictures of the README, where the variable ACADEMY_PICTURES names a folder for them."""
    folder = os.environ.get("ACADEMY_PICTURES")

    def take(page: Page, name: str) -> None:
        if folder:
            page.screenshot(path=Path(folder, f"{name}.png"))

    return take


@pytest.fixture(scope="session")
def classroom(run_classroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    folder = tmp_path_factory.mktemp("classroom")
    room = run_classroom(folder / "room", folder / "output")
    yield room
    stopped(room)
