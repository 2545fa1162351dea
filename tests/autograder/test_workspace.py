"""Preparing a workspace: everything is there, nothing of the learner's is lost, faults are said in one line."""

import errno
import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_output

from autograder import workspace as module
from autograder.errors import AcademyError
from autograder.kit import find_lab
from autograder.normal_form import as_text
from autograder.release import released
from autograder.workspace import prepare

LESSON = Path("courses/00-first/01-lesson.ipynb")
LAB = Path("labs/arithmetic/arithmetic.ipynb")


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return tmp_path / "desk"


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".academy" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def new_version(kit: Path, path: Path, text: str) -> None:
    notebook = nbformat.read(kit / path, as_version=4)
    notebook.cells.append(new_markdown_cell(text))
    nbformat.write(notebook, kit / path)


def test_an_empty_folder_gets_lessons_released_labs_and_their_data(small_kit: Path, desk: Path) -> None:
    report = prepare(desk)
    assert sorted(files(desk)) == [
        LESSON.as_posix(),
        "data-cards/numbers.md",
        LAB.as_posix(),
        "labs/arithmetic/numbers.csv",
        "labs/other/other.ipynb",
    ]
    assert len(report.new) == 5
    assert (desk / LAB).read_text() == as_text(released(find_lab("arithmetic")))
    assert "2 * x" not in (desk / LAB).read_text()


def test_a_second_run_changes_nothing(small_kit: Path, desk: Path) -> None:
    prepare(desk)
    before = files(desk)
    report = prepare(desk)
    assert files(desk) == before
    assert [report.new, report.updated, report.beside, report.kept] == [[], [], [], []]


def test_an_unchanged_file_is_brought_up_to_date(small_kit: Path, desk: Path) -> None:
    prepare(desk)
    new_version(small_kit, LESSON, "second edition")
    report = prepare(desk)
    assert report.updated == [LESSON]
    assert "second edition" in (desk / LESSON).read_text()


def test_a_changed_file_is_kept_and_nothing_is_laid_beside_it_without_need(small_kit: Path, desk: Path) -> None:
    prepare(desk)
    (desk / LAB).write_text("my work")
    report = prepare(desk)
    assert report.kept == [LAB]
    assert (desk / LAB).read_text() == "my work"
    assert len(files(desk)) == 5


def test_saving_without_a_change_is_no_change(small_kit: Path, desk: Path) -> None:
    prepare(desk)
    saved = json.loads((desk / LESSON).read_text())
    saved["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}
    for cell in saved["cells"]:
        cell["id"], cell["source"] = "another", "".join(cell["source"]).splitlines(keepends=True)
    (desk / LESSON).write_text(json.dumps(saved))
    new_version(small_kit, LESSON, "second edition")
    assert prepare(desk).updated == [LESSON]


@pytest.mark.parametrize("change", ["source", "outputs"])
def test_text_and_outputs_are_work_that_is_kept(small_kit: Path, desk: Path, change: str) -> None:
    prepare(desk)
    notebook = nbformat.read(desk / LAB, as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    cell[change] = "mine" if change == "source" else [new_output("stream", text="mine")]
    nbformat.write(notebook, desk / LAB)
    new_version(small_kit, LAB, "second edition")
    prepare(desk)
    assert "mine" in (desk / LAB).read_text()


def test_a_newer_version_arrives_beside_a_changed_file(small_kit: Path, desk: Path) -> None:
    prepare(desk)
    (desk / LAB).write_text("my work")
    new_version(small_kit, LAB, "second edition")
    newer = LAB.with_name("arithmetic-new.ipynb")
    for _ in range(2):
        report = prepare(desk)
        assert report.beside == [(LAB, newer)]
        assert (desk / LAB).read_text() == "my work"
        assert "second edition" in (desk / newer).read_text()
        assert len(files(desk)) == 6
    new_version(small_kit, LAB, "third edition")
    assert prepare(desk).beside == [(LAB, newer)]
    assert "third edition" in (desk / newer).read_text()


def test_work_in_the_newer_copy_is_kept_too(small_kit: Path, desk: Path) -> None:
    prepare(desk)
    (desk / LAB).write_text("my work")
    new_version(small_kit, LAB, "second edition")
    prepare(desk)
    (desk / LAB.with_name("arithmetic-new.ipynb")).write_text("more work")
    new_version(small_kit, LAB, "third edition")
    assert prepare(desk).beside == [(LAB, LAB.with_name("arithmetic-new-2.ipynb"))]
    assert (desk / LAB.with_name("arithmetic-new.ipynb")).read_text() == "more work"


@pytest.mark.parametrize("record", ["", "not json", "[]", '{"labs/arithmetic/arithmetic.ipynb": 5}', None])
def test_a_lost_or_damaged_record_never_costs_work(small_kit: Path, desk: Path, record: str | None) -> None:
    prepare(desk)
    (desk / LAB).write_text("my work")
    path = desk / ".academy/delivered.json"
    path.unlink() if record is None else path.write_text(record)
    prepare(desk)
    assert (desk / LAB).read_text() == "my work"


def test_a_run_killed_in_the_middle_is_simply_run_again(small_kit: Path, desk: Path, monkeypatch) -> None:
    real, calls = module.write_whole, []

    def dies_at_the_third_write(path: Path, content: bytes) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(module, "write_whole", dies_at_the_third_write)
    with pytest.raises(KeyboardInterrupt):
        prepare(desk)
    monkeypatch.setattr(module, "write_whole", real)
    report = prepare(desk)
    assert [report.beside, report.kept] == [[], []]
    assert len(files(desk)) == 5
    assert json.loads((desk / ".academy/delivered.json").read_text()).keys() == files(desk).keys()


def test_a_full_disk_is_said_in_one_line_and_leaves_no_half_file(small_kit: Path, desk: Path, monkeypatch) -> None:
    prepare(desk)
    before = files(desk)
    new_version(small_kit, LESSON, "second edition")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(desk / LESSON))

    monkeypatch.setattr(module.Path, "replace", full)
    with pytest.raises(AcademyError, match=r"cannot write .*No space left on device; .*--workspace") as error:
        prepare(desk)
    assert "\n" not in str(error.value)
    assert files(desk) == before


def test_a_file_where_the_workspace_should_be_is_said_in_one_line(small_kit: Path, desk: Path) -> None:
    desk.write_text("a file")
    with pytest.raises(AcademyError, match="cannot write"):
        prepare(desk)


def test_a_translation_is_taken_where_there_is_one(small_kit: Path, desk: Path) -> None:
    german = small_kit / LESSON.with_suffix(".de.ipynb")
    german.write_bytes((small_kit / LESSON).read_bytes().replace(b"# Lesson", b"# Lektion"))
    assert prepare(desk, "de").translated == 1
    assert "# Lektion" in (desk / LESSON).read_text()
    assert prepare(desk, "fr").translated == 0
    assert "# Lesson" in (desk / LESSON).read_text()


def test_a_change_of_metadata_that_grading_needs_arrives(small_kit: Path, desk: Path) -> None:
    prepare(desk)
    notebook = nbformat.read(small_kit / LAB, as_version=4)
    answer = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "q2")
    answer.metadata.nbgrader["grade_id"] = "q2-total"
    nbformat.write(notebook, small_kit / LAB)
    assert prepare(desk).updated == [LAB]
    assert "q2-total" in (desk / LAB).read_text()


@pytest.mark.parametrize("place", [".", "labs", "labs/arithmetic", "courses/mine"])
def test_the_kit_itself_is_no_workspace(small_kit: Path, place: str) -> None:
    before = files(small_kit)
    with pytest.raises(AcademyError, match="is the kit itself"):
        prepare(small_kit / place)
    assert files(small_kit) == before


def test_a_workspace_inside_the_checkout_is_fine(small_kit: Path) -> None:
    assert prepare(small_kit / "workspace").new


def test_an_unknown_language_is_refused(small_kit: Path, desk: Path) -> None:
    with pytest.raises(AcademyError, match="'xx' is not one of the 24 official EU languages"):
        prepare(desk, "xx")
    assert not desk.exists()
