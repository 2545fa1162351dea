"""Killed, interrupted, locked out, out of room: nothing is lost, nothing counts twice, and the next run goes on.

Rounds and class are small here. The long version:
`ACADEMY_FAULT_ROUNDS=20 ACADEMY_FAULT_CLASS=200 pytest tests/autograder/batch -k fault`
"""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from traitlets.config import Config

from autograder.batch import gradebook as gradebook_module
from autograder.batch.gradebook import GradebookWriter
from autograder.batch.submitted import Place, read
from autograder.errors import AcademyError, UnusableNotebookError

from .conftest import ANSWERS, ENVIRONMENT, SCORES, Course

ROUNDS = int(os.environ.get("ACADEMY_FAULT_ROUNDS", "2"))
CLASS = int(os.environ.get("ACADEMY_FAULT_CLASS", "24"))
KINDS = [list(ANSWERS)[n % len(ANSWERS)] for n in range(CLASS)]

pytestmark = pytest.mark.timeout(600)


def servers(parent: int) -> list[psutil.Process]:
    """Warm servers that a process has started, with everything forked from them."""
    try:
        return [child for child in psutil.Process(parent).children(recursive=True) if "python" in child.name()]
    except psutil.NoSuchProcess:
        return []


@dataclass(frozen=True)
class Undisturbed:
    """What comes of the class when nothing happens."""

    grades: list[tuple]
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(prepared_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    quiet = Course(tmp_path_factory.mktemp("quiet") / "course")
    shutil.copytree(prepared_course, quiet.root)
    quiet.a_class(KINDS)
    began = time.monotonic()
    quiet.graded("--workers", "2")
    return Undisturbed(quiet.grades(), time.monotonic() - began)


@pytest.fixture(params=range(ROUNDS))
def chance(request: pytest.FixtureRequest) -> random.Random:
    """One round: chance says when what is killed."""
    return random.Random(request.param)  # noqa: S311  no secret


def started(course, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        course.command("--workers", "2"), cwd=course.root,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT | variables,
    )  # fmt: skip


def wait_for_first_grades(course, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if len(list((course.root / "classroom").glob("autograded/*/arithmetic/arithmetic.ipynb"))) >= 3:
            return
        time.sleep(0.02)


def test_fault_the_main_process_is_killed(course, undisturbed, chance) -> None:
    course.a_class(KINDS)
    process = started(course)
    time.sleep(chance.uniform(0, undisturbed.seconds))
    family = servers(process.pid)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, "warm servers outlive the one who started them"
    course.graded()
    assert course.grades() == undisturbed.grades
    assert course.graded()["graded"] == 0


def test_fault_servers_are_killed(course, undisturbed, chance) -> None:
    course.a_class(KINDS)
    process = started(course)
    wait_for_first_grades(course, process)
    for _ in range(3):
        time.sleep(chance.uniform(0, undisturbed.seconds / 4))
        with suppress(psutil.NoSuchProcess):
            running = psutil.Process(process.pid).children()
            for victim in chance.sample(running, min(1, len(running))):
                victim.kill()
    _, words = process.communicate(timeout=300)
    assert process.returncode in {0, 2}, words  # two deaths in one notebook are told, and the next run goes on
    course.graded()
    assert course.grades() == undisturbed.grades


def test_fault_ctrl_c_keeps_what_is_done(course, undisturbed) -> None:
    course.a_class(KINDS)
    process = started(course)
    wait_for_first_grades(course, process)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    assert "stopped; nothing is lost, run the same command again" in words
    assert "Traceback" not in words
    assert list((course.root / "classroom/reports").glob("*.html"))
    rest = course.graded()
    assert rest["unchanged"] >= 1
    assert course.grades() == undisturbed.grades


@pytest.fixture
def other_clock(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A file that says how far a program's clock is off, and the variables that make a program look there."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("libfaketime, which gives a program a clock of its own, is not installed")
    shift = tmp_path / "shift"
    return shift, {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(shift),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # no clock that is set backwards moves this one
    }


def test_fault_the_clock_jumps_backwards(course, undisturbed, other_clock) -> None:
    shift, variables = other_clock
    course.a_class(KINDS)
    shift.write_text("+0d")
    process = started(course, **variables)
    wait_for_first_grades(course, process)
    shift.write_text("-400d")
    _, words = process.communicate(timeout=300)
    assert process.returncode == 0, words
    assert course.grades() == undisturbed.grades
    moments = {str(moment) for (moment,) in course.sql("select timestamp from submitted_assignment")}
    assert moments == {"2026-11-20 10:00:00.000000"}, "when something was handed in stands in its folder"

    course.hand_in("l001", "right", timestamp="2026-11-21 10:00:00 UTC")
    again = started(course, **variables)  # long before the first run, as it seems
    _, words = again.communicate(timeout=300)
    assert again.returncode == 0, words
    assert course.totals()["l001"] == SCORES["right"]
    assert course.graded()["graded"] == 0
    pages = sorted(page.name for page in (course.root / "classroom/reports").glob("*.html"))
    assert len(pages) == 3, "each run has its own report"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of a few megabytes; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", place], check=False, capture_output=True)
    if made.returncode != 0:
        pytest.skip("a small file system cannot be mounted here: " + made.stderr.decode().strip())
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_fault_the_disk_is_full(course, small_disk: Path) -> None:
    expected = course.a_class(KINDS[:10])
    classroom = course.root / "classroom"
    for name in ("gradebook.db", "submitted"):
        shutil.move(classroom / name, small_disk / name)
    for name in ("exchange", "release"):
        subprocess.run(["rm", "-rf", classroom / name], check=True)
    classroom.rmdir()
    classroom.symlink_to(small_disk)
    (small_disk / "ballast").write_bytes(bytes(_room(small_disk) - 60_000))
    done = course.autograde()
    assert done.returncode == 2
    assert "No space left on device" in done.stderr or "full" in done.stderr
    assert "Traceback" not in done.stderr
    (small_disk / "ballast").unlink()
    course.graded()
    assert course.totals() == expected


def _room(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def test_fault_another_program_holds_the_gradebook(course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradebook_module, "_LOCK_SECONDS", 0.2)
    path = course.root / "classroom/gradebook.db"
    with GradebookWriter(Config(), f"sqlite:///{path}", "ai-skills-academy") as writer:
        holder = sqlite3.connect(path)
        holder.execute("begin exclusive")
        with pytest.raises(AcademyError, match="another program has been writing"):
            writer.marks("arithmetic")
        holder.rollback()
        holder.close()
        assert writer.marks("arithmetic") == {}


def test_fault_the_gradebook_can_only_be_read(course) -> None:
    course.a_class(["right"])
    url = f"sqlite:///file:{course.root / 'classroom/gradebook.db'}?mode=ro&uri=true"
    done = course.autograde("--gradebook", url)
    assert done.returncode == 2
    assert "readonly database" in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_fault_a_submission_changes_while_it_is_read(course) -> None:
    path = course.hand_in("l000", "right")
    content = path.read_bytes()
    whole = (ANSWERS["right"]["q2"],)
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            path.write_bytes(content[: len(content) // 2])
            path.write_bytes(content)

    changing = threading.Thread(target=change)
    changing.start()
    refused = 0
    try:
        for _ in range(300):
            try:
                found = read(Place("l000", "arithmetic", path.parent)).submission.answers["q2"]
            except UnusableNotebookError:
                refused += 1
            else:
                assert tuple(found) == whole, "half of a file was taken for all of it"
    finally:
        stop.set()
        changing.join()
    assert refused
    assert tuple(read(Place("l000", "arithmetic", path.parent)).submission.answers["q2"]) == whole
