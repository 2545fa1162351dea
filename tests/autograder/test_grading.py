"""Grading one notebook with a real kernel: points, messages, and what a submission may not do."""

import json
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell
from rich.console import Console

from autograder import grading
from autograder.engine.runner import Runner
from autograder.errors import AcademyError, UnusableNotebookError
from autograder.grading import GradedNotebook
from autograder.kit import HANDED_OUT, METADATA_KEY, find_lab, labs
from autograder.release import released
from autograder.report import print_grades

RIGHT = {"q1": "def double(x):\n    return 2 * x", "q2": "total = 10", "q3": "parts = [1, 1]", "q4_why": "Because."}

pytestmark = pytest.mark.usefixtures("small_kit")


@pytest.fixture
def grade(runner: Runner) -> Callable[..., GradedNotebook]:
    """Grade a notebook with the one runner of the test run."""

    def graded(path: Path, lab: str | None = None) -> GradedNotebook:
        return grading.grade(path, runner, lab)

    return graded


def points(result) -> dict[str, float]:
    return {question.id: question.score for question in result.questions}


def messages(result) -> dict[str, str]:
    return {question.id: question.message for question in result.questions}


def test_unchanged_released_notebook_earns_nothing(submission, grade) -> None:
    result = grade(submission())
    assert (result.lab, result.score, result.max_score) == ("arithmetic", 0, 10)
    assert set(messages(result).values()) == {"Not answered yet."}
    assert not any(question.needs_manual_grade for question in result.questions)


def test_reference_solution_earns_all_automatic_points(tmp_path: Path, grade) -> None:
    path = tmp_path / "reference.ipynb"
    nbformat.write(find_lab("arithmetic").notebook(), path)
    result = grade(path)
    assert points(result) == {"q1-check": 2, "q2-check": 3, "q3-check": 1, "q4-why": 0}


def test_right_answers_earn_all_automatic_points_and_the_written_one_waits(submission, grade) -> None:
    result = grade(submission(**RIGHT))
    assert (result.score, result.max_score) == (6, 10)
    assert [q.id for q in result.questions if q.needs_manual_grade] == ["q4-why"]


def test_where_only_handed_out_labs_are_the_tests_that_learners_see_are_run(
    submission, grade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a hub: the exchange has what nbgrader released, and hidden tests are on the instructor's side alone."""
    recognised = RIGHT | {"q1": "def double(x):\n    return 40"}
    with_hidden = grade(submission(**recognised))
    handed_out = tmp_path / "outbound/arithmetic"
    handed_out.mkdir(parents=True)
    nbformat.write(released(find_lab("arithmetic")), handed_out / "arithmetic.ipynb")
    monkeypatch.setenv(HANDED_OUT, str(handed_out.parent))
    assert list(labs()) == ["arithmetic"]
    without = grade(submission(**recognised))
    assert (with_hidden.score, without.score, without.max_score) == (4, 6, 10)
    print_grades([without], Console(file=(said := StringIO())))
    assert "These are the tests that you can see" in said.getvalue()
    assert set(messages(grade(submission())).values()) == {"Not answered yet."}


def test_nothing_is_a_lab_before_the_first_one_is_handed_out(
    submission, grade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = submission()
    monkeypatch.setenv(HANDED_OUT, str(tmp_path / "not there yet"))
    with pytest.raises(AcademyError, match="the labs are: none yet"):
        grade(path, "arithmetic")


@pytest.mark.parametrize(
    ("answers", "question", "score", "message"),
    [
        ({"q1": "def double(x):\n    return x"}, "q1-check", 0, "double(20) must be 40"),
        ({"q1": "def double(x):\n    return 40"}, "q1-check", 0, "a hidden one does not"),
        ({"q1": "def double(x):\n    return 1 / 0"}, "q1-check", 0, "ZeroDivisionError: division by zero"),
        ({"q2": "total = totla"}, "q2-check", 0, "Your answer stopped with NameError: name 'totla' is not defined"),
        ({"q2": "total = 9"}, "q2-check", 0, "the sum of 0 to 4 is 10, not 9"),
        ({"q2": "pass"}, "q2-check", 0, "NameError: name 'total' is not defined"),
        ({"q2": ""}, "q2-check", 0, "Not answered yet."),
        ({"q2": "total = 9\nraise NotImplementedError"}, "q2-check", 0, "delete the line `raise NotImplementedError`"),
        (
            {"q2": "raise NotImplementedError('negative numbers')"},
            "q2-check",
            0,
            "NotImplementedError: negative numbers",
        ),
        ({"q2": "get_ipython().run_line_magic('xmode', 'Minimal')"}, "q2-check", 0, "name 'total' is not defined"),
        ({"q2": "total = = 1"}, "q2-check", 0, "SyntaxError"),
        ({"q3": "parts = [1]"}, "q3-check", 0.5, "Right in part."),
        ({"q3": "parts = [100]"}, "q3-check", 0, "50.0 of 1.0 points"),
        ({"q2": "print('\\x1b[31m'); total = '\\x1b[31m\\u202e'"}, "q2-check", 0, "not"),
    ],
)
def test_wrong_answers_say_what_to_look_at(grade, submission, *, answers, question, score, message) -> None:
    result = grade(submission(**RIGHT | answers))
    assert points(result) == {"q1-check": 2, "q2-check": 3, "q3-check": 1, "q4-why": 0} | {question: score}
    assert message in messages(result)[question]


def test_hidden_tests_and_control_characters_never_reach_the_learner(submission, grade) -> None:
    result = grade(submission(**RIGHT | {"q1": "def double(x):\n    return 40", "q2": "total = '\\x1b[31m\\u202e'"}))
    text = json.dumps([q.message for q in result.questions], ensure_ascii=False)
    assert "secret" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_warnings_and_prints_cost_no_points(submission, grade) -> None:
    noisy = "import sys\nwarnings.warn('careful')\nprint('note', file=sys.stderr)\ntotal = 10"
    assert grade(submission(**RIGHT | {"q2": noisy})).score == 6


@pytest.fixture
def limits(small_kit: Path) -> Callable[..., None]:
    def set_limits(**limits: int) -> None:
        lab = find_lab("arithmetic")
        notebook = lab.notebook()
        notebook.metadata[METADATA_KEY]["limits"] = limits
        nbformat.write(notebook, lab.source)

    return set_limits


def test_endless_loop_is_stopped_and_the_rest_still_counts(submission, limits, grade) -> None:
    limits(cell_seconds=1)
    result = grade(submission(**RIGHT | {"q2": "while True:\n    pass"}))
    assert points(result) == {"q1-check": 2, "q2-check": 0, "q3-check": 1, "q4-why": 0}
    assert "ran for too long and was stopped" in messages(result)["q2-check"]


def test_code_that_ignores_interrupts_ends_with_the_notebook(submission, limits, grade) -> None:
    limits(cell_seconds=1)
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass"
    result = grade(submission(**RIGHT | {"q2": stubborn}))
    assert points(result) == {"q1-check": 2, "q2-check": 0, "q3-check": 0, "q4-why": 0}


@pytest.mark.parametrize("death", ["import os\nos._exit(0)", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"])
def test_a_dying_kernel_fails_what_comes_after(submission, death, grade) -> None:
    result = grade(submission(**RIGHT | {"q2": death}))
    assert points(result) == {"q1-check": 2, "q2-check": 0, "q3-check": 0, "q4-why": 0}
    assert "died" in messages(result)["q2-check"]


@pytest.mark.parametrize("death", ["import os; os._exit(0)", "import ctypes; ctypes.string_at(0)"])
def test_a_kernel_that_dies_inside_a_test_gives_nothing_for_it(submission, death, grade) -> None:
    result = grade(submission(**RIGHT | {"q1": f"def double(x):\n    import time; time.sleep(0.5); {death}"}))
    assert points(result) == {"q1-check": 0, "q2-check": 0, "q3-check": 0, "q4-why": 0}
    assert "died" in messages(result)["q1-check"]


def test_no_process_can_be_left_behind(submission, grade) -> None:
    leaves = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'while True: pass'])\ntotal = 10"
    result = grade(submission(**RIGHT | {"q2": leaves}))
    assert points(result)["q2-check"] == 0
    assert "PermissionError" in messages(result)["q2-check"]


@pytest.mark.parametrize("twice", [False, True])
def test_processes_that_a_lab_allows_end_with_the_notebook(submission, grade, limits, twice) -> None:
    limits(processes=3)
    mark = f"academy-test-{os.getpid()}"
    leave = f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)', {mark!r}], start_new_session=True)"
    if twice:
        leave = f"subprocess.run([sys.executable, '-c', {'import subprocess, sys; ' + leave!r}], check=True)"
    leaves = f"import subprocess, sys\n{leave}\ntotal = 10"
    result = grade(submission(**RIGHT | {"q2": leaves}))
    assert result.score == 6, messages(result)
    assert not [process for process in psutil.process_iter(["cmdline"]) if mark in (process.info["cmdline"] or ())]


def test_a_server_that_cannot_start_is_no_fault_of_the_learner(submission) -> None:
    starting = pytest.raises(AcademyError, match=r"the warm server does not start: .*no_such_package")
    with Runner(packages=["no_such_package"]) as broken, starting as error:
        grading.grade(submission(**RIGHT), broken)
    assert error.value.exit_code == 2


def test_a_server_that_has_died_is_replaced(submission, runner, grade) -> None:
    assert grade(submission(**RIGHT)).score == 6
    for process in psutil.Process().children():
        if "autograder.engine.template" in process.cmdline():
            process.kill()
            process.wait()
    assert grade(submission(**RIGHT)).score == 6


@pytest.mark.parametrize("leave", ["exit()", "import sys\nsys.exit()", "quit"])
def test_leaving_the_interpreter_earns_nothing_for_that_question(submission, leave, grade) -> None:
    assert points(grade(submission(**RIGHT | {"q2": leave})))["q2-check"] == 0


def test_tests_come_from_the_instructor_whatever_the_learner_did_to_them(submission, grade) -> None:
    path = submission(**RIGHT | {"q1": "def double(x):\n    return 0"})
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if nbgrader.get("grade_id") == "q1-check":
            cell.source = "pass"
            nbgrader["points"] = 100
        if nbgrader.get("grade_id") == "q2-check":
            cell.metadata.pop("nbgrader")
    notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "q3-check"]
    notebook.cells.reverse()
    nbformat.write(notebook, path)
    assert points(grade(path)) == {"q1-check": 0, "q2-check": 3, "q3-check": 1, "q4-why": 0}


def test_deleted_and_duplicated_answer_cells_are_named(submission, grade) -> None:
    path = submission(**RIGHT)
    notebook = nbformat.read(path, as_version=4)
    first = next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == "q1")
    again = new_code_cell("def double(x):\n    return x", metadata=first.metadata)
    notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "q2"] + [again]
    nbformat.write(notebook, path)
    result = grade(path)
    assert points(result) == {"q1-check": 0, "q2-check": 0, "q3-check": 1, "q4-why": 0}
    assert "there 2 times; the last one counts" in messages(result)["q1-check"]
    assert "missing" in messages(result)["q2-check"]


def test_extra_cells_of_the_learner_do_no_harm(submission, grade) -> None:
    path = submission(**RIGHT)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(1, new_code_cell("raise SystemExit('my own try')"))
    nbformat.write(notebook, path)
    assert grade(path).score == 6


def test_answers_run_in_a_folder_of_their_own_beside_the_data(submission, grade) -> None:
    reads = (
        "from pathlib import Path\n"
        "total = 10 if Path('numbers.csv').read_text() == '1,2\\n' else 0\n"
        "Path('junk').write_text('x')"
    )
    path = submission(**RIGHT | {"q2": reads})
    assert points(grade(path))["q2-check"] == 3
    assert not list(path.parent.rglob("junk"))


@pytest.mark.parametrize(
    ("change", "lab", "message"),
    [
        (lambda nb: None, "other", "is a notebook of the lab 'arithmetic', not of 'other'"),
        (lambda nb: nb.metadata.clear(), "other", "this is not a notebook of the lab 'other'"),
        (
            lambda nb: nb.metadata.update({"ai_skills_academy": {"lesson": "01-open-data/01-finding"}}),
            None,
            "this is a lesson, and lessons are not graded",
        ),
        (lambda nb: nb.metadata.clear(), None, "does not say which lab it is; name it with --lab (arithmetic, other)"),
    ],
)
def test_a_notebook_of_another_lab_is_refused(submission, change: Callable, lab, message, grade) -> None:
    path = submission()
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)
    with pytest.raises(UnusableNotebookError) as error:
        grade(path, lab)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_name_of_the_file_tells_the_lab_where_the_notebook_does_not(submission, grade) -> None:
    path = submission("arithmetic", **RIGHT)
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.clear()
    nbformat.write(notebook, path)
    assert grade(path).score == 6


def test_released_lab_hides_solutions_hidden_tests_and_marking_scheme() -> None:
    text = json.dumps(released(find_lab("arithmetic")))
    for secret in ("2 * x", "secret", "HIDDEN", "MARK SCHEME", "says why", "sum(range(5))"):
        assert secret not in text
    assert "double(20) must be 40" in text
