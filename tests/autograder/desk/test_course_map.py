"""The course map and the hints: what a learner's files say about where the learner is."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from autograder import progress, workspace
from autograder.desk import course_map
from autograder.desk.hints import hints_for
from autograder.grading import GradedNotebook
from autograder.judgement import QuestionResult
from autograder.kit import HANDED_OUT, METADATA_KEY, Lab, kit_folder, labs, lessons
from autograder.rebuild import grade_id, is_test

LESSON = Path("courses/00-first/01-lesson.ipynb")


@pytest.fixture
def desk(small_kit: Path, tmp_path: Path) -> Path:
    path = small_kit / LESSON
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].source = "# A lesson\n\n**Time:** about 5 minutes. **Builds on:** nothing."
    notebook.cells += [new_code_cell("check(1)", id=f"ex{number}-check") for number in (1, 2)]
    nbformat.write(notebook, path)
    workspace.prepare(tmp_path / "desk")
    return tmp_path / "desk"


def item(desk: Path, name: str) -> course_map.Item:
    (course,) = course_map.read(desk)
    return next(item for item in course.items if name in item.path)


def run_checks(desk: Path, *printed: str) -> None:
    notebook = nbformat.read(desk / LESSON, as_version=4)
    for cell, text in zip(notebook.cells[1:], printed, strict=True):
        cell.outputs = [new_output("stream", name="stdout", text=text)]
    nbformat.write(notebook, desk / LESSON)


def test_a_fresh_workspace_is_new_and_begins_with_the_first_lesson(desk: Path) -> None:
    courses = course_map.read(desk)
    assert [i.state for course in courses for i in course.items] == ["new"] * 3
    assert [step.path for step in course_map.next_steps(courses)] == [str(LESSON)]
    lesson = item(desk, "lesson")
    assert (lesson.title, lesson.time, lesson.status) == ("A lesson", "about 5 minutes", "not begun")


def test_a_lesson_counts_the_exercises_that_are_right(desk: Path) -> None:
    run_checks(desk, "Right. Yes.\n", "Not quite.\n")
    assert (item(desk, "lesson").state, item(desk, "lesson").status) == ("begun", "1 of 2 exercises right")
    run_checks(desk, "Right. Yes.\n", "Right. Too.\n")
    assert item(desk, "lesson").state == "done"
    assert [step.path for step in course_map.next_steps(course_map.read(desk))] == ["labs/arithmetic/arithmetic.ipynb"]


def test_a_lab_shows_the_points_of_its_last_grading(desk: Path) -> None:
    path = desk / "labs/arithmetic/arithmetic.ipynb"
    results = [QuestionResult("q1-check", 1, 2, False, "wrong"), QuestionResult("q4-why", 0, 4, True, "Waits.")]
    progress.record(path, GradedNotebook("arithmetic", str(path), 1, 6, results))
    lab = item(desk, "arithmetic")
    assert (lab.state, lab.status) == ("begun", "1 of 6 points, 4 more wait for your instructor")
    assert lab.percent == 83


def test_on_a_hub_a_lab_is_in_the_map_when_it_is_handed_out_and_can_be_opened_when_it_is_fetched(
    small_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_out, desk = tmp_path / "outbound", tmp_path / "desk"
    monkeypatch.setenv(HANDED_OUT, str(handed_out))
    workspace.prepare(desk)
    assert [i.path for course in course_map.read(desk) for i in course.items] == [str(LESSON)]
    shutil.copytree(small_kit / "labs/arithmetic", handed_out / "arithmetic")
    (desk / LESSON).unlink()
    lab = item(desk, "arithmetic")
    assert (lab.to_fetch, lab.status) == (True, "not fetched yet")
    assert [step.path for step in course_map.next_steps(course_map.read(desk))] == [str(LESSON)]
    shutil.copytree(handed_out / "arithmetic", desk / "labs/arithmetic")
    assert (item(desk, "arithmetic").to_fetch, item(desk, "arithmetic").status) == (False, "begun, not graded yet")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"cells": 5}', b'{"cells": [5, {"id": "ex1-check", "outputs": 3}]}']
)
def test_a_damaged_lesson_breaks_nothing(desk: Path, content: bytes) -> None:
    (desk / LESSON).write_bytes(content)
    assert item(desk, "lesson").done == 0
    (desk / LESSON).unlink()
    assert item(desk, "lesson").state == "new"


def test_the_map_of_the_kit_has_every_lesson_and_lab_once(tmp_path: Path) -> None:
    workspace.prepare(tmp_path)
    courses = course_map.read(tmp_path)
    paths = [i.path for course in courses for i in course.items]
    assert sorted(paths) == sorted([*map(str, lessons()), *(f"labs/{name}/{name}.ipynb" for name in labs())])
    assert [course.title for course in courses] == ["Welcome", "Open data", "Multilingual models", "AI Act"]
    assert [Path(i.path).stem for i in courses[-1].items if i.is_lab][-1] == "capstone"
    assert all(i.time for course in courses for i in course.items)


def headings(lesson: str) -> set[str]:
    cells = json.loads((kit_folder() / f"courses/{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    lines = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown").split("\n")
    return {line.lstrip("#").strip() for line in lines if line.startswith("#")}


@pytest.mark.parametrize("lab", labs().values(), ids=labs())
def test_each_question_of_a_lab_has_a_section_to_read_again(lab: Lab) -> None:
    notebook = lab.notebook()
    reread = notebook.metadata[METADATA_KEY]["reread"]
    assert set(reread) == {str(grade_id(cell)).partition("-")[0] for cell in notebook.cells if is_test(cell)}
    for place in reread.values():
        assert place["section"] in headings(place["lesson"])


def test_hints_say_more_after_more_failures() -> None:
    lab = labs()["find-and-judge"]
    numbers = [len(hints_for(lab, "q3-sparql-check-marks", fails)) for fails in range(6)]
    assert numbers == [0, 0, 1, 1, 2, 2]
    (hint,) = hints_for(lab, "q3-sparql-check-marks", 2)
    assert hint.lesson == "courses/01-open-data/01-finding.ipynb"
    assert hint.section == "Ask a question: SPARQL"
