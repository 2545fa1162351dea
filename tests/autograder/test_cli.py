"""The command `academy` as a person types it: exit codes, one-line errors, JSON in the agreed shape."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from autograder import cli
from autograder.kit import labs

FOUND = ["ai-adoption", "find-and-judge"]  # graded in seconds


def academy(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograder.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    done = academy("prepare", "--workspace", folder)
    assert done.returncode == 0, done.stderr
    return folder


def error_line(done: subprocess.CompletedProcess[str]) -> str:
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.parametrize("command", [(), ("prepare",), ("start",), ("grade",), ("hand-in",), ("check-receipt",)])
def test_help_teaches(command: tuple[str, ...]) -> None:
    done = academy(*command, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_grade_prints_the_agreed_json(desk: Path) -> None:
    paths = [desk / "labs" / name / f"{name}.ipynb" for name in FOUND]
    done = academy("grade", "--json", *paths)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [result["lab"] for result in results] == FOUND
    for result, path in zip(results, paths, strict=True):
        assert result.keys() == {"lab", "notebook", "score", "max_score", "questions"}
        assert result["notebook"] == str(path)
        assert result["score"] == 0
        assert result["max_score"] == sum(question["max_score"] for question in result["questions"])
        for question in result["questions"]:
            assert question.keys() == {"id", "score", "max_score", "needs_manual_grade", "message"}


def test_grade_shows_a_table_with_the_total(desk: Path) -> None:
    done = academy("grade", desk / "labs" / FOUND[0] / f"{FOUND[0]}.ipynb")
    assert done.returncode == 0
    assert "what to look at" in done.stdout
    assert "0 of " in done.stdout


def test_one_unusable_notebook_does_not_stop_the_others(desk: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    done = academy("grade", "--json", broken, desk / "labs" / FOUND[0] / f"{FOUND[0]}.ipynb")
    assert done.returncode == 1
    assert "broken.ipynb: this is not a notebook" in error_line(done)
    assert [result["lab"] for result in json.loads(done.stdout)] == [FOUND[0]]


def reference(folder: Path, lab: str, extra: str = "") -> Path:
    """The reference solution of a lab as a submission, with a line added to its first answer."""
    notebook = labs()[lab].notebook()
    first = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution"))
    first.source += extra
    path = folder / f"{lab}.ipynb"
    nbformat.write(notebook, path)
    return path


def test_what_answers_print_past_jupyter_stays_out_of_the_json(tmp_path: Path, lost_points) -> None:
    noise = "\nimport os, sys\nos.system('echo noise')\nsys.__stdout__.write('noise'); sys.__stderr__.write('noise')"
    done = academy("grade", "--json", reference(tmp_path, FOUND[0], noise))
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert lost_points(result) == []
    assert "noise" not in done.stderr


@pytest.mark.parametrize("name", ["a[draft]b.ipynb", "[/b].ipynb"])
def test_brackets_in_names_and_content_are_only_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"nbformat": "[/b]", "cells": []}')
    done = academy("grade", path)
    assert done.returncode == 1
    assert name in error_line(done)
    assert "[/x]" in academy("grade", path, "--lab", "[/x]").stderr


def test_a_notebook_of_50_mb_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "large.ipynb"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    done = academy("grade", path)
    assert done.returncode == 1
    assert "50 MB is too large" in error_line(done)


def test_wrong_lab_name_lists_the_labs(desk: Path) -> None:
    done = academy("grade", desk / "labs" / FOUND[0] / f"{FOUND[0]}.ipynb", "--lab", "nonsense")
    assert done.returncode == 2
    assert "there is no lab 'nonsense'; the labs are: " in error_line(done)
    assert FOUND[0] in done.stderr


def test_missing_arguments_are_wrong_usage() -> None:
    assert academy("grade").returncode == 2
    assert academy("start", "--port", "nonsense").returncode == 2


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small disk of its own, with the given options; needs root on Linux."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mounted(options: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"cannot mount a small disk here: {done.stderr.strip()}")
        return folder

    yield mounted
    subprocess.run(["umount", folder], capture_output=True, check=False)


def test_a_full_disk_is_one_line_and_loses_nothing(disk, tmp_path: Path) -> None:
    workspace = disk("size=1m") / "desk"
    done = academy("prepare", "--workspace", workspace)
    assert done.returncode == 2
    assert "No space left on device; choose another folder with --workspace" in error_line(done)
    kept = [path for path in workspace.rglob("*.ipynb") if json.loads(path.read_text())["nbformat"] == 4]
    assert len(kept) == len(list(workspace.rglob("*.ipynb"))), "every file that is there is whole"


def test_a_read_only_workspace_can_be_graded_but_not_prepared(disk, desk: Path) -> None:
    workspace = disk("size=20m")
    shutil.copytree(desk, workspace / "desk")
    (workspace / "desk/labs" / FOUND[0] / f"{FOUND[0]}.ipynb").unlink()
    subprocess.run(["mount", "-o", "remount,ro", workspace], check=True)
    done = academy("prepare", "--workspace", workspace / "desk")
    assert done.returncode == 2
    assert "Read-only file system; choose another folder with --workspace" in error_line(done)
    done = academy("grade", "--json", workspace / "desk/labs" / FOUND[1] / f"{FOUND[1]}.ipynb")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["score"] == 0


def test_a_folder_that_cannot_be_made_is_one_line() -> None:
    done = academy("prepare", "--workspace", "/proc/academy")
    assert done.returncode == 2
    assert "cannot write /proc/academy" in error_line(done)
    assert "--workspace" in done.stderr


def test_a_full_disk_while_grading_is_one_line(desk: Path, monkeypatch, capsys) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device", "/tmp")  # noqa: S108 - only the name of a place

    monkeypatch.setattr("autograder.engine.warm.tempfile.mkdtemp", full)
    monkeypatch.setattr(sys, "argv", ["academy", "grade", str(desk / "labs" / FOUND[0] / f"{FOUND[0]}.ipynb")])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 2
    assert "No space left on device; make room" in capsys.readouterr().err


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = academy("start", "--workspace", tmp_path / "desk", "--port", port, "--no-browser")
    assert done.returncode == 2
    assert f"port {port} is taken; choose another with --port" in error_line(done)


def test_interrupt_says_that_nothing_is_lost(monkeypatch, capsys, tmp_path: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("autograder.workspace.prepare", interrupted)
    monkeypatch.setattr(sys, "argv", ["academy", "prepare", "--workspace", str(tmp_path)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 130
    assert "nothing is lost" in capsys.readouterr().err


def test_prepare_has_the_model_ready_and_does_not_fail_without(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    done = academy("prepare", "--workspace", tmp_path / "desk", LABKIT_CACHE=str(cache))
    assert done.returncode == 0, done.stderr
    (model,) = cache.glob("*/model.safetensors")
    assert str(model.parent) in done.stdout
    cache.joinpath(model.parent.name, "manifest.json").unlink()
    assert academy("prepare", "--workspace", tmp_path / "desk", LABKIT_CACHE=str(cache)).returncode == 0
    assert model.parent.joinpath("manifest.json").is_file(), "a damaged model is built anew"

    (tmp_path / "file").write_text("")
    without = academy("prepare", "--workspace", tmp_path / "desk", LABKIT_CACHE=str(tmp_path / "file"))
    assert without.returncode == 0
    assert "the model for course 2 is not ready" in error_line(without)
    assert "LABKIT_CACHE" in without.stderr
