"""Save own work and restore it: what is in the file, what is never overwritten, and archives that mean harm."""

import io
import json
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import progress, workspace
from autograder.archives import UnusableArchiveError
from autograder.desk import own_work
from autograder.handing_in import zipped
from autograder.progress import PROGRESS

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LESSON, LAB = Path("courses/00-first/01-lesson.ipynb"), Path("labs/arithmetic/arithmetic.ipynb")


def prepared(folder: Path) -> Path:
    workspace.prepare(folder)
    return folder


@pytest.fixture
def desk(small_kit: Path, tmp_path: Path) -> Path:
    return prepared(tmp_path / "desk")


def answer(path: Path, text: str) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source = text
    nbformat.write(notebook, path)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_untouched_workspace_has_nothing_to_save(desk: Path) -> None:
    assert own_work.pack(desk) == b""


def test_what_was_changed_or_made_is_saved_and_comes_back_in_a_fresh_workspace(desk: Path, tmp_path: Path) -> None:
    answer(desk / LAB, "mine")
    (desk / "notes").mkdir()
    (desk / "notes/plan ü.md").write_text("my plan")
    (desk / ".academy/progress.json").write_text("{}")
    (desk / "labs/arithmetic/.ipynb_checkpoints").mkdir()
    (desk / "labs/arithmetic/.ipynb_checkpoints/arithmetic-checkpoint.ipynb").write_text("{}")
    (desk / "elsewhere.txt").symlink_to("/etc/hostname")
    packed = own_work.pack(desk)
    with ZipFile(io.BytesIO(packed)) as archive:
        assert sorted(archive.namelist()) == [".academy/progress.json", str(LAB), "notes/plan ü.md"]

    fresh = prepared(tmp_path / "fresh")
    report = own_work.restore(fresh, packed)
    assert sorted(report.restored) == [str(LAB), "notes/plan ü.md"]
    assert report.beside == []
    assert nbformat.read(fresh / LAB, as_version=4).cells[-1].source == "mine"
    assert own_work.restore(fresh, packed).beside == [], "twice the same does nothing more"


def test_newer_work_in_the_workspace_is_kept_and_the_saved_file_lies_beside(desk: Path, tmp_path: Path) -> None:
    answer(desk / LAB, "saved")
    packed = own_work.pack(desk)
    answer(desk / LAB, "newer")
    report = own_work.restore(desk, packed)
    assert report.restored == []
    assert report.beside == ["labs/arithmetic/arithmetic-restored.ipynb"]
    assert nbformat.read(desk / LAB, as_version=4).cells[-1].source == "newer"
    assert nbformat.read(desk / report.beside[0], as_version=4).cells[-1].source == "saved"
    assert own_work.restore(desk, packed).beside == report.beside


def test_of_two_gradings_of_a_lab_the_later_one_is_kept(desk: Path, tmp_path: Path) -> None:
    def graded(folder: Path, **days: int) -> None:
        questions = {"q1-check": {"score": 1, "max_score": 2, "waits": False, "fails": 3}}
        content = {
            lab: {"time": f"2026-11-{day:02}T10:00:00+00:00", "fingerprint": "x", "questions": questions}
            for lab, day in days.items()
        }
        (folder / PROGRESS).write_text(json.dumps(content))

    graded(desk, arithmetic=20, other=20)
    packed = own_work.pack(desk)
    fresh = prepared(tmp_path / "fresh")
    own_work.restore(fresh, packed)
    assert progress.read(fresh) == progress.read(desk)
    graded(fresh, arithmetic=21, other=19)
    own_work.restore(fresh, packed)
    assert {lab: entry.moment.day for lab, entry in progress.read(fresh).items()} == {"arithmetic": 21, "other": 20}


@pytest.mark.parametrize(
    "name",
    [".bashrc", ".ipython/profile_default/startup/a.py", "labs/.hidden", "__pycache__/a.py", ".academy/delivered.json"],
)
def test_hidden_files_are_refused_and_nothing_is_written(desk: Path, name: str) -> None:
    before = contents(desk)
    with pytest.raises(UnusableArchiveError, match="hidden file"):
        own_work.restore(desk, zipped({"good.txt": b"1", name: b"2"}, NOON))
    assert contents(desk) == before


def test_links_of_the_workspace_are_not_followed(desk: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (desk / "out").symlink_to(tmp_path / "outside")
    (desk / "file").symlink_to(tmp_path / "outside/file")
    for name in ("out/a.txt", "file", "labs"):
        with pytest.raises(UnusableArchiveError, match="leads out of the workspace"):
            own_work.restore(desk, zipped({name: b"1"}, NOON))
    assert not list((tmp_path / "outside").iterdir())


def test_a_link_in_the_archive_and_a_bomb_are_refused(desk: Path) -> None:
    file = io.BytesIO()
    link = ZipInfo("a")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnusableArchiveError, match="link"):
        own_work.restore(desk, file.getvalue())
    with pytest.raises(UnusableArchiveError, match="larger than 20 MB"):
        own_work.restore(desk, zipped({"a": bytes(20_000_001)}, NOON))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.lists(st.sampled_from(["a", "..", ".", "", ".x", "labs", "~", "a.ipynb", "/", "\\"]), min_size=1, max_size=4)
        .map("/".join).filter(lambda name: not name.startswith("\0")),
        st.sampled_from([b"", b"{}", json.dumps({"cells": 5}).encode()]),
        max_size=3,
    )
)  # fmt: skip
def test_no_archive_writes_outside_of_the_workspace(desk: Path, files: dict[str, bytes]) -> None:
    outside = {path for path in desk.parent.iterdir() if path != desk}
    delivered = (desk / ".academy/delivered.json").read_bytes()
    with suppress(UnusableArchiveError):
        own_work.restore(desk, zipped(files, NOON))
    assert {path for path in desk.parent.iterdir() if path != desk} == outside
    assert (desk / ".academy/delivered.json").read_bytes() == delivered
