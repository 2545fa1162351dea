"""Run a rebuilt notebook from top to bottom in a fresh kernel, in a folder of its own."""

import os
import shutil
import tempfile
from pathlib import Path

from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from nbgrader.preprocessors import Execute
from nbgrader.preprocessors.execute import UnresponsiveKernelError
from nbgrader.utils import setenv
from traitlets.config import Config

from autograder.errors import AcademyError
from autograder.kit import Lab

DEFAULT_CELL_SECONDS = 60
"""How long one cell may run before it is interrupted and counts as failed."""


def run(notebook: NotebookNode, lab: Lab, *, cell_seconds: int = DEFAULT_CELL_SECONDS) -> str | None:
    """Execute `notebook` in place and return why it stopped early, or None where every cell had its turn.

    The working folder is a temporary copy of the lab's data files. Errors inside cells are outputs, not exceptions.

    Raises `AcademyError` where there is no Python kernel to run it in.
    """
    config = Config()
    config.Execute.timeout = cell_seconds
    config.Execute.error_on_timeout = {
        "ename": "CellTimeoutError",
        "evalue": f"the cell ran for more than {cell_seconds} seconds",
        "traceback": [],
    }
    with tempfile.TemporaryDirectory(prefix="academy-") as private:
        folder = Path(private, "work")
        folder.mkdir()
        if os.name == "posix":  # sockets that only this user can open, instead of ports that anybody here could reach
            config.KernelManager.transport, config.KernelManager.ip = "ipc", str(Path(private, "kernel"))
        for data in lab.data_files():
            (folder / data).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lab.folder / data, folder / data)
        try:
            with setenv(NBGRADER_EXECUTION="autograde"):
                Execute(config=config).preprocess(notebook, {"metadata": {"path": str(folder)}})
        except (TimeoutError, DeadKernelError, CellExecutionError, UnresponsiveKernelError, RuntimeError):
            return "the Python process died here (out of memory, or the code ended it)"
        except NoSuchKernel as error:
            raise AcademyError(
                f"there is no Jupyter kernel called '{error.name}'; run `make start` once more"
            ) from error
    return None
