"""`academy autograde` as an instructor uses it: a class, a second run, lateness, marks by hand, odd submissions."""

import json
import os
from pathlib import Path

import nbformat
import pytest

KINDS = ["right", "wrong", "loud", "dying", "nothing", "right"]


def test_a_class_is_graded_into_the_gradebook_and_reported(course) -> None:
    expected = course.a_class(KINDS)
    (course.submitted / "l900/arithmetic").mkdir(parents=True)
    (course.submitted / "l900/arithmetic/arithmetic.ipynb").write_text("{broken")
    done = course.autograde("--json", "--workers", "2")
    assert done.returncode == 1, done.stderr
    assert "Protections: files:" in done.stderr
    result = json.loads(done.stdout)
    assert (result["graded"], result["failed"], result["unchanged"]) == (6, 1, 0)
    by_learner = {entry["student"]: entry for entry in result["submissions"]}
    assert set(by_learner["l000"]) == {"student", "lab", "score", "max_score", "status", "reason"}
    assert {learner: by_learner[learner]["score"] for learner in expected} == expected
    assert by_learner["l900"]["status"] == "failed"
    assert "not valid JSON" in by_learner["l900"]["reason"]
    assert course.totals() == expected

    assert {row[1]: row[2:5] for row in course.grades() if row[0] == "l000"} == {
        "q1-check": (2, None, 0), "q2-check": (3, None, 0), "q3-check": (1, None, 0), "q4-why": (None, None, 1),
    }  # fmt: skip
    (page,) = (course.root / "classroom/reports").glob("*.html")
    text = page.read_text()
    assert "5 graded" not in text
    assert "6 graded, 0 unchanged, 1 failed" in text
    assert "the Python process died" in text
    assert "secret" not in text
    details = json.loads(page.with_suffix(".json").read_text())
    assert {q["id"] for q in details["submissions"][0]["questions"]} == {"q1-check", "q2-check", "q3-check", "q4-why"}


def test_nothing_is_done_twice_and_what_changes_is_done_again(course) -> None:
    expected = course.a_class(["right", "wrong", "nothing"])
    assert course.graded()["graded"] == 3
    before = course.grades()
    again = course.graded()
    assert (again["graded"], again["unchanged"]) == (0, 3)
    assert {entry["student"]: entry["score"] for entry in again["submissions"]} == expected
    assert course.grades() == before

    course.hand_in("l001", "right")
    third = course.graded()
    assert (third["graded"], third["unchanged"]) == (1, 2)
    assert course.totals() == expected | {"l001": 6.0}
    source = course.root / "labs/arithmetic/arithmetic.ipynb"
    source.write_text(source.read_text().replace("the sum of 0 to 4", "the sum from 0 to 4"))
    assert course.graded()["graded"] == 3


def test_marks_by_hand_stay_and_ask_for_another_look(course) -> None:
    course.a_class(["right"])
    course.graded()
    course.sql("update grade set manual_score = 4, needs_manual_grade = 0 where auto_score is null")
    course.hand_in("l000", "wrong")
    course.graded()
    assert {row[1]: row[2:5] for row in course.grades()}["q4-why"] == (0, 4, 1)


def test_lateness_is_counted_by_nbgraders_plugin(course) -> None:
    with (course.root / "nbgrader_config.py").open("a") as configuration:
        configuration.write("\nc.LateSubmissionPlugin.penalty_method = 'zero'\n")
    course.sql("update assignment set duedate = '2026-11-19 12:00:00'")
    for learner, moment in {
        "early": "2026-11-19 11:59:59 UTC", "late": "2026-11-19 12:00:01 UTC",
        "future": "2999-01-01 00:00:00 UTC", "words": "yesterday evening",
    }.items():  # fmt: skip
        course.hand_in(learner, "right", moment)
    course.graded()
    penalties = {row[0]: row[5] for row in course.grades()}
    assert penalties == {"early": None, "late": 6, "future": 6, "words": None}
    (details,) = (course.root / "classroom/reports").glob("*.json")
    oddities = {entry["student"]: entry["oddities"] for entry in json.loads(details.read_text())["submissions"]}
    assert "still to come" in oddities["future"][0]
    assert "holds no time" in oddities["words"][0]


def test_links_and_odd_names_make_nothing_part_of_a_submission(course, tmp_path: Path) -> None:
    expected = course.a_class(["right"])
    private = course.hand_in("owner", "right")
    for learner in ("file-link", "hard-link", "folder-link", "loop", "extra-link"):
        (course.submitted / learner / "arithmetic").mkdir(parents=True)
    notebook = "arithmetic/arithmetic.ipynb"
    (course.submitted / "file-link" / notebook).symlink_to(private)
    os.link(private, course.submitted / "hard-link" / notebook)
    (course.submitted / "folder-link/arithmetic").rmdir()
    (course.submitted / "folder-link/arithmetic").symlink_to(private.parent)
    (course.submitted / "loop" / notebook).symlink_to(course.submitted / "loop" / notebook)
    course.hand_in("extra-link", "right")
    (course.submitted / "extra-link/arithmetic/data.txt").symlink_to("/etc/passwd")
    course.hand_in("<img src=x onerror=alert(1)>", "right")
    course.hand_in("nothing-there", "wrong").unlink()
    result = course.graded()
    states = {entry["student"]: entry["status"] for entry in result["submissions"]}
    failed = {name for name, state in states.items() if state == "failed"}
    # Of a file with two names nobody can tell whose it is.
    assert failed == {"file-link", "hard-link", "owner", "folder-link", "loop", "nothing-there"}
    assert course.totals()["l000"] == expected["l000"]
    assert not (course.root / "classroom/autograded/extra-link/arithmetic/data.txt").exists()
    (page,) = (course.root / "classroom/reports").glob("*.html")
    assert "<img src=x" not in page.read_text()
    assert "data.txt is a link; it was not followed" in page.read_text()


def test_nbgrader_gives_the_same_scores_and_shows_the_same_work(course, course_of) -> None:
    expected = course.a_class(KINDS)
    course.graded()
    other = course_of("other")
    other.a_class(KINDS)
    other.nbgrader("autograde", "arithmetic")
    assert other.totals() == course.totals() == expected
    assert other.grades() == course.grades()
    for learner in expected:
        ours, theirs = (
            nbformat.read(root / "classroom/autograded" / learner / "arithmetic/arithmetic.ipynb", as_version=4)
            for root in (course.root, other.root)
        )
        assert [cell.get("outputs") for cell in ours.cells] == [cell.get("outputs") for cell in theirs.cells]
    course.nbgrader("generate_feedback", "arithmetic")
    page = (course.root / "classroom/feedback/l001/arithmetic/arithmetic.html").read_text()
    assert "double(20) must be 40" in page
    assert "secret" not in page
    assert "HIDDEN TESTS" not in page


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda course: (course.root / "nbgrader_config.py").unlink(), "run this at the root of your course"),
        (lambda course: None, "collect submissions first, or name it: --submitted"),
        (lambda course: course.a_class(["right"]) and course.sql("delete from assignment"), "generate_assignment LAB"),
        (lambda course: (course.root / "classroom/gradebook.db").write_text("junk" * 999), "not a database"),
    ],
    ids=["no configuration", "nothing submitted", "no assignment", "broken gradebook"],
)
def test_what_an_instructor_can_put_right_is_one_line(course, prepare, message) -> None:
    prepare(course)
    done = course.autograde()
    assert done.returncode == 2
    last = done.stderr.strip().splitlines()[-1]
    assert message in last
    assert "Traceback" not in done.stderr
