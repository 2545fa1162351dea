"""Every lab against answers that learners really give: wrong, partly right, and unusual but right."""

import re
import tomllib
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder import grading
from autograder.authoring import check
from autograder.engine.runner import Runner
from autograder.judgement import QuestionResult
from autograder.kit import Lab, labs
from autograder.rebuild import grade_id, questions
from autograder.release import released

LABS = labs()


def table(lab: str) -> list[dict[str, Any]]:
    """The cases of a lab; a lab without a table has none, and a test below asks for it."""
    path = Path(__file__).parent / lab / "cases.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))["case"] if path.is_file() else []


TABLES = {name: table(name) for name in LABS}


def sheets(lab: str) -> list[list[dict[str, Any]]]:
    """The cases of a lab, dealt out so that no sheet has two answers to one question: one grading run serves many.

    Questions of a lab do not depend on each other: those that no case of a sheet answers stay unanswered.
    """
    dealt: list[list[dict[str, Any]]] = []
    for case in TABLES[lab]:
        free = (sheet for sheet in dealt if all(other["question"] != case["question"] for other in sheet))
        sheet = next(free, None)
        if sheet is None:
            dealt.append(sheet := [])
        sheet.append(case)
    return dealt


SHEETS = {lab: sheets(lab) for lab in LABS}
CASES = [
    pytest.param(
        *(lab, number, case),
        id=f"{lab}: {case['question']}: {case['name']}",
        marks=pytest.mark.xdist_group(lab),  # the setup cells of a lab run once a worker
    )
    for lab, dealt in SHEETS.items()
    for number, sheet in enumerate(dealt)
    for case in sheet
]


@pytest.fixture(scope="session")
def graded_sheet(runner: Runner) -> Callable[[str, int], dict[str, QuestionResult]]:
    """Results of the submission that holds all answers of a sheet; each is graded once."""

    @cache
    def results(lab: str, number: int) -> dict[str, QuestionResult]:
        with TemporaryDirectory() as folder:
            answers = {case["question"]: case["code"] for case in SHEETS[lab][number]}
            return graded(submission(LABS[lab], answers), Path(folder), runner)

    return results


@pytest.mark.xdist_group("groups")
def test_workers_of_the_tests_keep_to_groups(request: pytest.FixtureRequest) -> None:
    """pytest-xdist puts the group behind a test's name; where pytest forgets that, each worker grades every sheet."""
    assert not hasattr(request.config, "workerinput") or request.node.nodeid.endswith("@groups")


def submission(lab: Lab, answers: dict[str, str]) -> NotebookNode:
    """The released lab with these answers filled in."""
    notebook = released(lab)
    for cell in notebook.cells:
        cell.source = answers.get(str(grade_id(cell)), cell.source)
    return notebook


def graded(notebook: NotebookNode, folder: Path, runner: Runner) -> dict[str, QuestionResult]:
    """Grade the notebook as `academy grade` does."""
    path = folder / "submission.ipynb"
    nbformat.write(notebook, path)
    return {question.id: question for question in grading.grade(path, runner).questions}


def automatic(lab: Lab) -> dict[str, float]:
    """Points of every auto-graded cell of a lab."""
    cells = [test for test, _ in questions(lab.notebook()) if not test.metadata.nbgrader.solution]
    return {str(grade_id(cell)): cell.metadata.nbgrader.points for cell in cells}


def judged_by(lab: Lab) -> dict[str, str]:
    """Graded cell -> the answer cell that it judges."""
    return {str(grade_id(test)): str(grade_id(answer)) for test, answer in questions(lab.notebook())}


@pytest.mark.parametrize(("lab", "number", "case"), CASES)
def test_answer_earns_what_it_should(
    lab: str, number: int, case: dict[str, Any], graded_sheet: Callable[[str, int], dict[str, QuestionResult]]
) -> None:
    results = graded_sheet(lab, number)
    own = {
        cell: points for cell, points in automatic(LABS[lab]).items() if judged_by(LABS[lab])[cell] == case["question"]
    }
    assert {cell: results[cell].score for cell in own} == own | case.get("points", {})
    if "message" in case:
        first = next(iter(case["points"]))
        assert re.search(case["message"], results[first].message), results[first].message


@pytest.mark.parametrize(
    "lab", [pytest.param(lab, id=name, marks=pytest.mark.xdist_group(name)) for name, lab in LABS.items()]
)
def test_reference_answers_earn_everything_and_the_released_lab_nothing(
    lab: Lab, tmp_path: Path, runner: Runner
) -> None:
    assert list(map(str, check(lab, runner))) == []
    untouched = graded(released(lab), tmp_path, runner)
    assert {result.score for result in untouched.values()} == {0}
    assert {result.message for result in untouched.values()} == {"Not answered yet."}


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_table_covers_every_question(lab: Lab) -> None:
    """At least three wrong or partly right answers and an unusual right one for each auto-graded question."""
    assert TABLES[lab.name], f"write tests/labs/{lab.name}/cases.toml; labs/README.md says how"
    judged = {grade_id(answer) for test, answer in questions(lab.notebook()) if not test.metadata.nbgrader.solution}
    for question in judged:
        kinds = [case["kind"] for case in TABLES[lab.name] if case["question"] == question]
        assert sum(kind in {"wrong", "partly"} for kind in kinds) >= 3, question
        assert "unusual" in kinds, question
    for case in TABLES[lab.name]:
        assert case["question"] in judged, case["name"]
        assert case["kind"] in {"wrong", "partly", "unusual"}, case["name"]
        assert bool(case.get("points")) == (case["kind"] != "unusual"), case["name"]
        assert all(score < automatic(lab)[cell] for cell, score in case.get("points", {}).items()), case["name"]


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_size_of_a_lab(lab: Lab) -> None:
    """20 to 30 points in 6 to 9 questions, mostly auto-graded, with one or two written answers."""
    pairs = questions(lab.notebook())
    written = [test for test, _ in pairs if test.metadata.nbgrader.solution]
    total = sum(test.metadata.nbgrader.points for test, _ in pairs)
    assert 20 <= total <= 30
    assert 6 <= len({grade_id(answer) for _, answer in pairs}) <= 9
    assert 1 <= len(written) <= 2
    assert sum(automatic(lab).values()) > total / 2


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_released_lab_gives_nothing_away(lab: Lab) -> None:
    text = "\n".join(cell.source for cell in released(lab).cells)
    for mark in ("BEGIN SOLUTION", "HIDDEN TESTS", "MARK SCHEME"):
        assert mark not in text
    source = lab.notebook()
    assert any("BEGIN HIDDEN TESTS" in cell.source for cell in source.cells)


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_a_marking_scheme_stands_below_each_written_answer_where_autograding_brings_it_back(lab: Lab) -> None:
    cells = lab.notebook().cells
    for answer, below in pairwise(cells):
        if answer.cell_type == "markdown" and answer.metadata.nbgrader.grade:
            assert grade_id(below) == f"{grade_id(answer)}-marks"
            assert below.metadata.nbgrader.locked
            assert "### BEGIN MARK SCHEME" in below.source
            assert "example of a full answer" in below.source.lower()
