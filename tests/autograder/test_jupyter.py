"""How JupyterLab is started: which folder, port and settings, and what its terminals find."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from autograder import jupyter
from autograder.errors import AcademyError


class Started(Exception):  # noqa: N818 - stands for the process that would go on
    """The command line and environment of the JupyterLab that would have been started."""


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def execve(program: str, arguments: list[str], environment: dict[str, str]) -> None:
        raise Started(program, arguments, environment)

    monkeypatch.setattr(jupyter.os, "execve", execve)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def run(**options) -> tuple[list[str], dict[str, str]]:
        with pytest.raises(Started) as started:
            jupyter.start_lab(tmp_path, **{"port": None, "browser": False} | options)
        _, arguments, environment = started.value.args
        return arguments, environment

    return run


def test_without_a_port_the_next_free_one_is_taken(start, tmp_path: Path) -> None:
    arguments, _ = start()
    assert "--ServerApp.port=8888" in arguments
    assert "--ServerApp.port_retries=50" in arguments
    assert f"--ServerApp.root_dir={tmp_path}" in arguments


def test_a_port_that_was_asked_for_is_taken_or_nothing(start) -> None:
    arguments, _ = start(port=18888)
    assert "--ServerApp.port=18888" in arguments
    assert "--ServerApp.port_retries=0" in arguments


@pytest.mark.parametrize("browser", [True, False])
def test_browser_is_opened_on_wish(start, browser: bool) -> None:
    assert f"--LabApp.open_browser={browser}" in start(browser=browser)[0]


def test_terminals_find_the_command_and_jupyterlab_its_settings(start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/etc/mine")
    _, environment = start()
    assert shutil.which("academy", path=environment["PATH"]) == str(Path(sys.executable).parent / "academy")
    assert environment["PATH"].endswith("/usr/bin:/bin")
    settings, mine = environment["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert (Path(settings) / "labconfig/page_config.json").is_file()
    assert mine == "/etc/mine"


def test_jupyter_keeps_its_files_in_the_workspace_where_the_home_folder_cannot_be_written(
    start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    variables = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    for variable in variables:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(jupyter, "jupyter_runtime_dir", lambda: str(tmp_path / "runtime"))
    _, environment = start()
    assert not set(variables) & set(environment)
    monkeypatch.setattr(jupyter, "jupyter_runtime_dir", lambda: "/proc/nowhere")
    _, environment = start()
    for variable in variables:
        assert Path(environment[variable]).is_relative_to(tmp_path), variable


def test_a_port_of_the_system_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(jupyter.socket.socket, "bind", forbidden)
    with pytest.raises(AcademyError, match="port 80 is for the system"):
        jupyter.start_lab(tmp_path, port=80, browser=False)
