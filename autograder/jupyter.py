"""Start JupyterLab in a learner's workspace."""

import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

from jupyter_core.paths import jupyter_runtime_dir

from autograder.errors import AcademyError

_SETTINGS = Path(__file__).resolve().parent / "jupyter_settings"
"""Learners get the welcome page, "Grade my work" and nbgrader's Validate; the instructor's panels stay for
`jupyter lab` at the repository's root."""

_KERNELS = _SETTINGS.with_name("jupyter_data")
"""The kernelspec whose kernels start warm."""

DEFAULT_PORT = 8888


def start_lab(workspace: Path, *, port: int | None, browser: bool) -> NoReturn:
    """Replace this process by JupyterLab, opened at the welcome page of `workspace`.

    Without `port` the next free one from 8888 on is taken. Raises `AcademyError` where `port` is taken.
    """
    if port is not None:
        _check_port(port)
    arguments = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={workspace.resolve()}",
        f"--ServerApp.port={DEFAULT_PORT if port is None else port}",
        f"--ServerApp.port_retries={50 if port is None else 0}",
        f"--LabApp.open_browser={browser}",
    ]
    if os.name == "posix":
        # Not a login shell, which Jupyter takes without a terminal of its own and which would forget the PATH below.
        arguments.append(f"--ServerApp.terminado_settings={ {'shell_command': [os.environ.get('SHELL', '/bin/sh')]} }")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # containers run as root; Jupyter refuses that unless told
    environment = dict(os.environ)
    _put_first(environment, "JUPYTER_CONFIG_PATH", str(_SETTINGS))
    _put_first(environment, "JUPYTER_PATH", str(_KERNELS))
    # JupyterLab's terminals find the command `academy`, also where nobody activated the virtual environment.
    _put_first(environment, "PATH", str(Path(sys.executable).parent))
    _use_workspace_for_jupyter_files(environment, workspace)
    os.chdir(workspace)
    os.execve(sys.executable, arguments, environment)  # noqa: S606 - no shell: our own interpreter, a fixed argument list


def _put_first(environment: dict[str, str], variable: str, folder: str) -> None:
    """Put a folder at the head of a search path in `environment`."""
    environment[variable] = os.pathsep.join(filter(None, [folder, environment.get(variable)]))


def _check_port(port: int) -> None:
    """Raise `AcademyError` where JupyterLab could not listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise AcademyError(f"port {port} is for the system; choose one from 1024 on with --port") from None
        except OSError:
            raise AcademyError(
                f"port {port} is taken; choose another with --port, or leave it away to get a free one"
            ) from None


def _use_workspace_for_jupyter_files(environment: dict[str, str], workspace: Path) -> None:
    """Where the home folder cannot be written (some containers), let Jupyter keep its own files in the workspace."""
    try:
        Path(jupyter_runtime_dir()).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=jupyter_runtime_dir()):
            return
    except OSError:
        folder = workspace.resolve() / ".academy" / "jupyter"
        for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            environment[variable] = str(folder / variable.lower())
