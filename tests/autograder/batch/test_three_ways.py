"""A class of mixed work on the kit's labs, graded by the command, by nbgrader and in formgrader: the scores are equal.

The class is small here. The long version: `ACADEMY_CLASS=200 pytest -m long tests/autograder/batch/test_three_ways.py`
"""

import os
import re
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from playwright.sync_api import Browser
from rich.console import Console

from autograder.kit import Lab, labs
from autograder.rebuild import grade_id
from autograder.release import released

from .conftest import Course, press_autograde

CLASS = int(os.environ.get("ACADEMY_CLASS", "12"))
NAMES = ("ai-adoption", "find-and-judge", "risk-and-roles", "tokens-and-parity")
DAMAGED = ("", "not a notebook", '{"cells": 7, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}')
TESTS = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.long, pytest.mark.browser, pytest.mark.timeout(3600)]


def right(lab: Lab) -> dict[str, str]:
    """Reference answers by their cells."""
    return {str(grade_id(cell)): cell.source for cell in lab.notebook().cells if grade_id(cell)}


def works(lab: Lab) -> Iterator[str]:
    """Make files of submissions, without end: right, one answer off, damaged, ended early or untouched, more off."""
    cases = tomllib.loads((TESTS / "labs" / lab.name / "cases.toml").read_text("utf-8"))["case"]
    first = next(str(grade_id(cell)) for cell in lab.notebook().cells if _is_answer(cell))
    off = cycle({case["question"]: case["code"]} for case in cases)
    for number, damaged in enumerate(cycle(DAMAGED)):
        yield _filled(lab, right(lab))
        yield _filled(lab, right(lab) | next(off))
        yield damaged
        yield _filled(lab, right(lab) | {first: "import os\nos._exit(3)"} if number % 2 else {})
        for _ in range(8):
            yield _filled(lab, right(lab) | next(off))


def _is_answer(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get("solution"))


def _filled(lab: Lab, answers: dict[str, str]) -> str:
    notebook = released(lab)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = answers.get(str(grade_id(cell)), cell.source)
    return nbformat.writes(notebook)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of which every learner has handed in one lab; each way of grading takes a copy."""
    root = tmp_path_factory.mktemp("three-ways") / "course"
    course = Course(root)
    course.configure()
    for name in NAMES:
        shutil.copytree(TESTS.parent / "labs" / name, root / "labs" / name)
        course.nbgrader("generate_assignment", name)
    streams = {name: works(labs()[name]) for name in NAMES}
    for number, name in enumerate(islice(cycle(NAMES), CLASS)):
        folder = course.submitted / f"l{number:03}" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.ipynb").write_text(next(streams[name]), "utf-8")
        (folder / "timestamp.txt").write_text("2026-11-20 10:00:00 UTC")
    return root


@contextmanager
def timed(way: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    Console().print(f"{way}: {CLASS} submissions in {time.monotonic() - began:.0f} s")


def test_a_class_gets_the_same_scores_in_three_ways(
    handed_in: Path, tmp_path: Path, formgrader_of: Callable[[Course], str], browser: Browser
) -> None:
    ways = {}
    for way in ("command", "nbgrader", "formgrader"):
        ways[way] = Course(tmp_path / way)
        shutil.copytree(handed_in, ways[way].root)
    with timed("academy autograde"):
        report = ways["command"].graded(timeout=1800)
    with timed("nbgrader autograde"):
        for name in NAMES:
            ways["nbgrader"].nbgrader("autograde", name, timeout=1800, fails=True)  # one is damaged, the others go on
    with timed("formgrader"):
        in_formgrader(ways["formgrader"], formgrader_of, browser)

    grades = ways["command"].grades()
    graded = {learner for learner, *_ in grades}
    assert (len(graded), CLASS - len(graded)) == (report["graded"], report["failed"])
    for way in ("nbgrader", "formgrader"):
        found = ways[way].grades()
        assert [row for row in found if row[0] in graded] == grades, way
        # nbgrader notes for a damaged notebook that there is something to be graded
        assert {score for learner, _, score, *_ in found if learner not in graded} <= {None}, way
    scores = {submission["score"] for submission in report["submissions"]}
    assert len(scores) > 4, "a class of which nearly all have the same score compares little"


def in_formgrader(course: Course, formgrader_of: Callable[[Course], str], browser: Browser) -> None:
    """Press the button of every submission."""
    address = formgrader_of(course)
    page = browser.new_page()
    page.goto(f"{address}/lab?token=t")
    for name in NAMES:
        page.goto(f"{address}/formgrader/manage_submissions/{name}")
        learners = sorted(path.parent.name for path in course.submitted.glob(f"*/{name}"))
        for learner in learners:
            press_autograde(page, learner, re.compile("Success|Error"))
    page.close()
