"""What several test folders use."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode


@pytest.fixture
def run_notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[NotebookNode, Path], None]]:
    """Run a notebook in place, in a real kernel in the given folder, offline; errors in cells are raised."""
    monkeypatch.setenv("LABKIT_PORTAL", "embedded")
    with TemporaryDirectory() as sockets:  # a short path: names of sockets are limited to about 100 characters

        def run(notebook: NotebookNode, folder: Path) -> None:
            resources = {"metadata": {"path": str(folder)}}
            client = NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources)
            client.create_kernel_manager()
            if os.name == "posix":
                client.km.transport, client.km.ip = "ipc", str(Path(sockets, "kernel"))
            client.execute()

        yield run
