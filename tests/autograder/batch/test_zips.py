"""Zip files from `academy hand-in`, as an instructor gets them: with `academy autograde --zips`, and nbgrader's way."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder import kit
from autograder.handing_in import hand_in, zipped

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def handed_in(course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Write the zip file of a learner into a folder; the course's lab stands in for the kit's."""
    monkeypatch.setattr(kit, "kit_folder", lambda: course.root)

    def write(folder: Path, learner: str, kind: str, hours: int = 0) -> Path:
        made = course.hand_in("someone", kind)
        done = hand_in(made, learner, folder, NOON + timedelta(hours=hours))
        shutil.rmtree(course.submitted)
        return done.archive

    return write


def test_a_folder_of_zips_is_graded_by_one_command(course, handed_in, tmp_path: Path) -> None:
    zips = tmp_path / "zips"
    handed_in(zips / "Anna Nowak_1_file_", "anna", "right")
    handed_in(zips / "again", "anna", "wrong", hours=-1)
    handed_in(zips, "bo", "wrong")
    (zips / "broken.zip").write_bytes(b"no zip")
    (zips / "climbing.zip").write_bytes(zipped({"../../gradebook.db": b"mine"}, NOON))
    (zips / "link.zip").symlink_to(course.root / "nbgrader_config.py")
    result = course.graded("--zips", zips)
    assert course.totals() == {"anna": 6.0, "bo": 3.5}
    refused = {Path(s["student"]).name: s["reason"] for s in result["submissions"] if s["status"] == "failed"}
    assert refused.keys() == {"broken.zip", "climbing.zip", "link.zip"}
    assert "not one to be written" in refused["climbing.zip"]
    assert (course.submitted / "anna/arithmetic/timestamp.txt").read_text() == "2026-11-20 12:00:00 UTC\n"

    again = course.graded("--zips", zips)
    assert (again["graded"], again["unchanged"]) == (0, 2)
    handed_in(zips, "bo", "right", hours=2)
    course.graded("--zips", zips)
    assert course.totals() == {"anna": 6.0, "bo": 6.0}


def test_nbgraders_zip_collect_takes_them_and_skips_a_bad_one(course, handed_in) -> None:
    archive = course.root / "classroom/downloaded/arithmetic/archive"
    handed_in(archive / "Anna Nowak_1_assignsubmission_file_", "anna", "right")
    bo = handed_in(archive, "bo.b-c@example.org", "wrong")
    bo.rename(bo.with_name(f"Bo B_17_assignsubmission_file_{bo.stem} (1).zip"))
    handed_in(archive, "Łukasz", "wrong", hours=-1)
    handed_in(archive, "Łukasz", "right")
    (archive / "bad.zip").write_bytes(zipped({"../bad.ipynb": b"{}"}, NOON))
    course.nbgrader("zip_collect", "arithmetic")
    assert sorted(path.name for path in course.submitted.iterdir()) == ["anna", "bo.b-c@example.org", "Łukasz"]
    assert "2026-11-20 12:00:00" in (course.submitted / "anna/arithmetic/timestamp.txt").read_text()
    assert not list(course.root.rglob("bad.ipynb"))
    course.graded()
    assert course.totals() == {"anna": 6.0, "bo.b-c@example.org": 3.5, "Łukasz": 6.0}


def test_a_folder_that_is_not_there_is_one_line(course) -> None:
    done = course.autograde("--zips", "nowhere")
    assert done.returncode == 2
    assert "nowhere: there is no such folder" in done.stderr
