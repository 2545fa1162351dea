"""What is noted of a grading: points, and how many different answers failed."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import progress, workspace
from autograder.grading import GradedNotebook
from autograder.judgement import QuestionResult
from autograder.rebuild import grade_id


@pytest.fixture
def desk(small_kit: Path, tmp_path: Path) -> Path:
    workspace.prepare(tmp_path / "desk")
    return tmp_path / "desk"


@pytest.fixture
def graded(desk: Path) -> Callable[..., int]:
    """Write an answer, note what it earned, and return how often the question has failed."""

    def attempt(answer: str, score: float, message: str = "wrong", *, waits: bool = False) -> int:
        path = desk / "labs/arithmetic/arithmetic.ipynb"
        notebook = nbformat.read(path, as_version=4)
        next(cell for cell in notebook.cells if grade_id(cell) == "q1").source = answer
        nbformat.write(notebook, path)
        result = QuestionResult("q1-check", score, 2, waits, message)
        progress.record(path, GradedNotebook("arithmetic", str(path), score, 2, [result]))
        return progress.read(desk)["arithmetic"].questions["q1-check"].fails

    return attempt


def test_different_wrong_answers_are_counted_until_one_is_right(graded) -> None:
    assert graded("a", 0) == 1
    assert graded("a", 0) == 1, "the same notebook again is no new attempt"
    assert graded("b", 1) == 2
    assert graded("c", 2, "") == 0
    assert graded("d", 0) == 1


def test_what_is_not_answered_or_waits_is_no_failure(graded) -> None:
    assert graded("a", 0, "Not answered yet.") == 0
    assert graded("b", 0, "Waits for the instructor's marks.", waits=True) == 0


def test_sums_are_those_of_the_questions(graded, desk: Path) -> None:
    graded("a", 1)
    found = progress.read(desk)["arithmetic"]
    assert (found.score, found.max_score) == (1, 2)


def test_a_notebook_outside_of_a_workspace_leaves_no_trace(small_kit: Path, submission, tmp_path: Path) -> None:
    path = submission()
    progress.record(path, GradedNotebook("arithmetic", str(path), 0, 0, []))
    assert not (tmp_path / ".academy").exists()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["lab", "time", "questions", "fingerprint", "score", "fails", "waits", "max_score"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_damage_counts_as_no_progress(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("desk")
    (folder / ".academy").mkdir()
    (folder / progress.PROGRESS).write_bytes(content)
    for entry in progress.read(folder).values():
        assert isinstance(entry.score, float | int)
