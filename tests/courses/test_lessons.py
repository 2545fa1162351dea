"""What every lesson has, and what it teaches in the terms of DigComp and the AI Act; it is run in tests/browser."""

import csv
import re
from importlib.resources import files
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.kit import kit_folder, lessons

LESSONS = lessons()
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=str)
DIGCOMP = files("labkit").joinpath("data", "vocabularies", "digcomp.csv").read_text("utf-8")
COMPETENCES = {row["number"]: row["name"] for row in csv.DictReader(DIGCOMP.splitlines())}
# what AI literacy is for, after its definition in Art 3(56) of the AI Act
LITERACY_PARTS = {"rights and obligations", "informed deployment", "opportunities", "risks and possible harm"}


def read(lesson: Path) -> NotebookNode:
    return nbformat.read(kit_folder() / lesson, as_version=4)


def texts(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def test_lessons_come_in_reading_order_and_each_names_itself() -> None:
    assert LESSONS[0] == Path("courses/00-welcome/01-welcome.ipynb")
    for lesson in LESSONS:
        named = lesson.relative_to("courses").with_suffix("").as_posix()
        assert read(lesson).metadata["ai_skills_academy"]["lesson"] == named


@every_lesson
def test_the_metadata_say_what_the_lesson_teaches(lesson: Path) -> None:
    metadata = read(lesson).metadata["ai_skills_academy"]
    assert set(metadata) - {"limits"} == {"lesson", "digcomp", "ai_literacy"}
    assert set(metadata["digcomp"]) <= set(COMPETENCES)
    assert metadata["digcomp"] == sorted(set(metadata["digcomp"]))
    assert 1 <= len(metadata["digcomp"]) <= 4, "a lesson that teaches everything teaches nothing"
    part, _, what = metadata["ai_literacy"].partition(": ")
    assert part in LITERACY_PARTS
    assert 5 <= len(what.split()) <= 20
    assert not what.endswith(".")


def taught() -> dict[Path, tuple[str, str]]:
    """The table "What each lesson teaches" of the README: competences and part of AI literacy, by lesson."""
    section = (kit_folder() / "README.md").read_text("utf-8").partition("## What each lesson teaches\n")[2]
    table = section.partition("\n## ")[0]
    rows = re.findall(r"^\| \[([^]]+)\]\(([^)]+)\) \| ([^|]+) \| ([^|]+) \|$", table, flags=re.MULTILINE)
    assert all(Path(target).stem == name for name, target, _, _ in rows)
    return {Path(target): (competences, part) for _, target, competences, part in rows}


def test_the_readme_lists_the_lessons_in_reading_order() -> None:
    assert list(taught()) == LESSONS


@every_lesson
def test_the_readme_says_the_same_as_the_metadata(lesson: Path) -> None:
    metadata = read(lesson).metadata["ai_skills_academy"]
    competences = "; ".join(f"{number} {COMPETENCES[number]}" for number in metadata["digcomp"])
    assert taught()[lesson] == (competences, metadata["ai_literacy"])


@every_lesson
def test_goals_time_and_prerequisites_come_first(lesson: Path) -> None:
    head = "\n".join(texts(read(lesson))[:4])
    for wanted in ("you can", "Time", "Builds on"):
        assert wanted.lower() in head.lower(), wanted


@every_lesson
def test_at_least_two_exercises_each_with_a_check_and_a_worked_answer(lesson: Path) -> None:
    notebook = read(lesson)
    checks = [cell for cell in notebook.cells if cell.cell_type == "code" and re.search(r"\bcheck\(", cell.source)]
    worked = [text for text in texts(notebook) if "<details>" in text and "Worked answer" in text]
    assert len(checks) >= 2
    assert len(worked) >= len(checks) - 1, "an exercise in two parts may share one worked answer"
    for cell in checks:
        assert "Not answered yet" in "".join(output.get("text", "") for output in cell.outputs), cell.id


@every_lesson
def test_the_last_cell_names_dated_sources(lesson: Path) -> None:
    last = read(lesson).cells[-1]
    assert last.cell_type == "markdown"
    assert "source" in last.source.lower()
    assert len(re.findall(r"\b20\d\d\b", last.source)) >= 2


@every_lesson
def test_every_picture_has_words_and_every_output_is_clean(lesson: Path) -> None:
    for cell in read(lesson).cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", cell.id
            data = output.get("data", {})
            if "image/png" in data:
                words = re.search(r'<img[^>]* alt="([^"]{20,})"', data.get("text/html", ""))
                assert words, f"{cell.id}: labkit.plots.describe gives a picture its words"
