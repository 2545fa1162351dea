"""A class graded on a Dask cluster: a real scheduler and real workers, each in a process of its own."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from autograder.batch import dask_workers
from autograder.errors import AcademyError

from .conftest import ANSWERS, ENVIRONMENT

KINDS = [list(ANSWERS)[n % len(ANSWERS)] for n in range(15)]
NO_DASHBOARD = "--no-dashboard"


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a part of a cluster; at the end everything that was started is stopped."""
    with ExitStack() as stack:

        def started(part: str, *arguments: object) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{part}", *map(str, arguments), NO_DASHBOARD],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT,
            )  # fmt: skip
            stack.callback(kill_family, process)
            return process

        yield started


@pytest.fixture
def scheduler(start, tmp_path: Path) -> str:
    """Address of a scheduler without workers."""
    file = tmp_path / "scheduler.json"
    start("scheduler", "--port", 0, "--host", "127.0.0.1", "--scheduler-file", file)
    deadline = time.monotonic() + 60
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return json.loads(file.read_text())["address"]


@pytest.fixture
def worker(start, scheduler, tmp_path: Path) -> Callable[[], subprocess.Popen[bytes]]:
    """Start a worker; its folder is nobody else's."""

    def started() -> subprocess.Popen[bytes]:
        folder = tmp_path / f"worker-{time.monotonic_ns()}"
        return start("worker", scheduler, "--nthreads", 1, "--local-directory", folder)

    return started


def kill_family(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that came from it, as when a machine fails."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.kill()
    process.wait()
    for member in family:
        if member.is_running():
            member.kill()
    psutil.wait_procs(family, timeout=10)


def test_a_cluster_gives_what_this_computer_gives(course, course_of, scheduler, worker) -> None:
    here, there = course_of("here"), course
    wanted = here.a_class(KINDS)
    there.a_class(KINDS)
    worker()
    worker()
    local, remote = here.graded(), there.graded("--scheduler", scheduler)
    assert remote["graded"] == len(KINDS)
    assert there.grades() == here.grades()
    by_learner = [{s["student"]: s for s in report["submissions"]} for report in (local, remote)]
    assert by_learner[0] == by_learner[1]
    assert {learner: s["score"] for learner, s in by_learner[1].items()} == wanted
    assert there.graded("--scheduler", scheduler)["unchanged"] == len(KINDS)


def test_a_worker_that_dies_costs_nothing(course, course_of, scheduler, worker) -> None:
    quiet = course_of("quiet")
    quiet.a_class(KINDS)
    quiet.graded()
    course.a_class(KINDS)
    victim = worker()
    worker()
    process = subprocess.Popen(
        course.command("--scheduler", scheduler),
        cwd=course.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    autograded = course.root / "classroom/autograded"
    while process.poll() is None and len(list(autograded.glob("*/arithmetic/arithmetic.ipynb"))) < 2:
        time.sleep(0.02)
    assert process.poll() is None, "the run was over before the worker died"
    kill_family(victim)
    _, words = process.communicate(timeout=200)
    assert process.returncode == 0, words
    assert course.grades() == quiet.grades()


def test_no_scheduler_is_said_in_one_line(course) -> None:
    course.a_class(["right"])
    done = course.autograde("--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cluster_that_cannot_grade_is_refused(scheduler, worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "_WORKER_SECONDS", 1)
    with pytest.raises(AcademyError, match="has no workers; start some: dask worker"):
        dask_workers.DaskWorkers(scheduler, confined=True)
    monkeypatch.setattr(dask_workers, "_WORKER_SECONDS", 60)
    worker()
    versions = dask_workers._versions()
    monkeypatch.setattr(dask_workers, "_versions", lambda: versions | {"torch": "0.1"})
    with pytest.raises(AcademyError, match=r"must have the same versions as you: torch 0\.1 \(not "):
        dask_workers.DaskWorkers(scheduler, confined=True)


def test_processors_are_said_once(course) -> None:
    done = course.autograde("--scheduler", "tcp://127.0.0.1:9", "--workers", "2")
    assert done.returncode == 2
    assert "--workers is for this computer" in done.stderr
