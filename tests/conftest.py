"""What several test folders use."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from playwright.sync_api import Browser, sync_playwright

from autograder.engine.runner import Runner
from autograder.grading import new_runner
from autograder.kit import METADATA_KEY, Lab, kit_folder, labs

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.hookimpl(tryfirst=True)  # before -m is applied
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs of notebooks that ask for more time or memory than others are `long`: `make test-long` has them.

    `make test` compares the outputs of these lessons and grades the answers to these labs all the same; it begins with
    that, so that no worker has much left to do when the others are done.
    """
    of_long_notebooks = {item for item in items if _asks_for_more(_subject(item))}
    for item in of_long_notebooks:
        if {"browser", "whole_notebook"} & set(item.keywords):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: item not in of_long_notebooks)


def _subject(item: pytest.Item) -> Lab | Path | None:
    """The lab or the lesson that a test is about."""
    values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    subject = values.get("lab") or values.get("lesson")
    subject = labs().get(subject) if isinstance(subject, str) else subject
    return subject if isinstance(subject, Lab | Path) else None


@cache
def _asks_for_more(subject: Lab | Path | None) -> bool:
    if subject is None:
        return False
    notebook = subject.notebook() if isinstance(subject, Lab) else nbformat.read(kit_folder() / subject, as_version=4)
    return "limits" in notebook.metadata[METADATA_KEY]


@pytest.fixture(scope="session")
def runner() -> Iterator[Runner]:
    """One warm server for all notebooks that a test process grades."""
    with new_runner(threads=1) as running:
        yield running


@pytest.fixture
def run_notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[NotebookNode, Path], None]]:
    """Run a notebook in place, in a real kernel in the given folder, offline; errors in cells are raised."""
    monkeypatch.setenv("LABKIT_PORTAL", "embedded")
    with TemporaryDirectory() as sockets:  # a short path: names of sockets are limited to about 100 characters

        def run(notebook: NotebookNode, folder: Path) -> None:
            resources = {"metadata": {"path": str(folder)}}
            client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources)
            client.create_kernel_manager()
            if os.name == "posix":
                client.km.transport, client.km.ip = "ipc", str(Path(sockets, "kernel"))
            client.execute()

        yield run


@dataclass(frozen=True)
class Academy:
    """Address, token and workspace of a running JupyterLab."""

    address: str
    token: str
    workspace: Path

    def page(self, path: str) -> str:
        """Address of a notebook of the workspace, in a JupyterLab that opens nothing else."""
        return f"{self.address}/lab/workspaces/auto-test/tree/{path}?token={self.token}&reset"


@contextmanager
def academy_running(workspace: Path, log: Path, **process_options: Any) -> Iterator[Academy]:
    """`academy start` in a process of its own, from when it answers until it is no longer needed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["start", "--workspace", workspace, "--no-browser", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "autograder.cli", *arguments],
            **{"stdout": output, "stderr": subprocess.STDOUT} | process_options,
        )
    try:
        yield Academy(f"http://127.0.0.1:{port}", _token_once_listening(process, log, port), workspace)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _token_once_listening(process: subprocess.Popen[bytes], log: Path, port: int) -> str:
    """The token that JupyterLab prints; it prints that before it listens, so a connection is tried, too."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        token = re.search(r"token=([0-9a-f]+)", log.read_text())
        if token:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return token[1]
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not answer:\n{log.read_text()}")


@pytest.fixture(scope="session")
def run_academy() -> Callable[..., Any]:
    """The context manager above, for fixtures of any folder."""
    return academy_running


@pytest.fixture(scope="session")
def lost_points() -> Callable[[dict[str, Any]], list[str]]:
    """Messages of the auto-graded questions of a result of `academy grade --json` that lack full marks."""

    def lost(result: dict[str, Any]) -> list[str]:
        automatic = (question for question in result["questions"] if not question["needs_manual_grade"])
        return [question["message"] for question in automatic if question["score"] < question["max_score"]]

    return lost


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()
