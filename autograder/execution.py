"""Run a rebuilt notebook from top to bottom in a fresh kernel, in a folder of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import setenv

from autograder.errors import AcademyError
from autograder.kit import METADATA_KEY, Lab

CELL_SECONDS = 60
"""How long one cell may run before it is interrupted and counts as failed."""

NOTEBOOK_SECONDS = 300
"""How long a whole notebook may run; most reference solutions need less than ten."""

_SOCKET_PATH_CHARACTERS = 80  # the system allows about 100 for the name of a socket, and Jupyter appends to it


def run(notebook: NotebookNode, lab: Lab) -> str | None:
    """Execute `notebook` in place and return why it stopped early, or None where every cell had its turn.

    A lab that needs more time than `CELL_SECONDS` and `NOTEBOOK_SECONDS` says so in its notebook's metadata:
    `"limits": {"cell_seconds": 240, "notebook_seconds": 900}` beside its name.
    The working folder is a temporary copy of the lab's data files. Errors inside cells are outputs, not exceptions. A
    cell that did not come to its end has no execution count. What the code prints past Jupyter goes nowhere.

    Raises `AcademyError` where the kernel cannot be started, which is no fault of the notebook.
    """
    with tempfile.TemporaryDirectory(prefix="academy-", ignore_cleanup_errors=True) as private:
        folder = Path(private, "work")
        folder.mkdir()
        for data in lab.data_files():
            (folder / data).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lab.folder / data, folder / data)
        client = _client(notebook, folder)
        limits = notebook.metadata.get(METADATA_KEY, {}).get("limits", {})
        deadline = time.monotonic() + limits.get("notebook_seconds", NOTEBOOK_SECONDS)
        started = False
        try:
            with (
                setenv(NBGRADER_EXECUTION="autograde"),
                client.setup_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
            ):
                started = True
                try:
                    return _run_cells(client, limits.get("cell_seconds", CELL_SECONDS), deadline)
                finally:
                    _end_descendants(client)
        except (NoSuchKernel, RuntimeError, OSError) as error:
            if started:
                raise
            reason = str(error).splitlines()[0]
            raise AcademyError(f"the Python kernel does not start ({reason}); run `make setup` again") from error


def _client(notebook: NotebookNode, folder: Path) -> NotebookClient:
    """Make the client that will run `notebook` in `folder`; the kernel is not yet started."""
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": "CellTimeoutError", "evalue": "", "traceback": []},
        on_cell_executed=_record_timeout,
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--HistoryManager.hist_file=:memory:"],
    )
    manager = client.create_kernel_manager()
    sockets = str(folder.parent / "kernel")
    if os.name == "posix" and len(sockets) < _SOCKET_PATH_CHARACTERS:
        # Sockets that only this user can open, instead of ports that anybody on this computer could reach.
        manager.transport, manager.ip = "ipc", sockets
    return client


def _run_cells(client: NotebookClient, cell_seconds: int, deadline: float) -> str | None:
    """Run the cells one after the other and return why that stopped early, if it did."""
    for index, cell in enumerate(client.nb.cells):
        left = int(deadline - time.monotonic())
        if left < 1:
            return "the notebook as a whole ran for too long"
        client.timeout = min(cell_seconds, left)
        try:
            client.execute_cell(cell, index)
        except (DeadKernelError, RuntimeError, TimeoutError):
            cell.execution_count = None
            return "the Python process died (out of memory, or the code ended it)"
    return None


def _record_timeout(cell: NotebookNode, execute_reply: dict[str, Any], **_: object) -> None:
    """Write a time-out into the outputs: nbclient only interrupts, which code can swallow."""
    if execute_reply["content"].get("ename") == "CellTimeoutError":
        cell.outputs.append(
            new_output(
                "error", ename="CellTimeoutError", evalue="The cell ran for too long and was stopped.", traceback=[]
            )
        )


def _end_descendants(client: NotebookClient) -> None:
    """Kill what the notebook's code started and left behind; the kernel itself is shut down by its manager."""
    process_id = getattr(getattr(client.km, "provisioner", None), "pid", None)
    try:
        left_behind = psutil.Process(process_id).children(recursive=True) if process_id else []
    except psutil.NoSuchProcess:
        return
    for process in left_behind:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
