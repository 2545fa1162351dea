"""A running academy and a real browser that looks at it."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@dataclass(frozen=True)
class Academy:
    """Address, token and workspace of a running JupyterLab."""

    address: str
    token: str
    workspace: Path

    def page(self, path: str) -> str:
        """Address of a notebook of the workspace, in a JupyterLab that opens nothing else."""
        return f"{self.address}/lab/workspaces/auto-test/tree/{path}?token={self.token}&reset"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def academy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Academy]:
    workspace = tmp_path_factory.mktemp("browser") / "desk"
    port = free_port()
    arguments = ["start", "--workspace", workspace, "--no-browser", "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder.cli", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    printed, deadline = "", time.monotonic() + 60
    while "token=" not in printed:
        line = process.stdout.readline()
        printed += line
        assert line, printed
        assert time.monotonic() < deadline, printed
    token = re.search(r"token=([0-9a-f]+)", printed)
    assert token is not None
    yield Academy(f"http://127.0.0.1:{port}", token[1], workspace)
    process.terminate()
    process.communicate(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()
