"""What an author is told about a lab whose tests cannot work in two processes; and tests about mutation, which can."""

from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.authoring import check
from autograder.cli import app
from autograder.engine.runner import Runner
from autograder.kit import find_lab

pytestmark = pytest.mark.usefixtures("small_kit")


def change(grade_id: str, source: str) -> None:
    lab = find_lab("arithmetic")
    notebook = lab.notebook()
    cell = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    cell.source = source
    nbformat.write(notebook, lab.source)


def faults(runner: Runner) -> list[str]:
    return [str(fault) for fault in check(find_lab("arithmetic"), runner)]


def test_a_good_lab_has_no_faults(runner: Runner) -> None:
    assert faults(runner) == []


FAULTS = {
    "compares a function": (
        "x = 1\nassert double == double",
        (
            "q1-check, line 2: the reference solution fails here: TypeError: the answer holds a function, which cannot "
            "be compared; a plain value is needed here, such as a number, a text, a list or a table"
        ),
    ),
    "hands over a function": (
        "assert double(1) == 2\nassert double(x=lambda: 1)",
        (
            "q1-check, line 2: the reference solution fails here: CannotCrossError: a function cannot be handed to a "
            "function of the learner; hand over plain values (numbers, texts, lists, dictionaries, arrays, tables) or "
            "what came from the learner itself"
        ),
    ),
    "looks into globals": (
        "assert globals()['double'](1) == 2",
        (
            "q1-check, line 1: `globals` cannot be used in a test: take the learner's values by their names; other "
            "names are the examiner's own"
        ),
    ),
    "tests nothing": ("", "q1-check: the released version, without answers, earns 2 points here"),
    "is wrong": ("assert double(1) == 3", "q1-check, line 1: the reference solution fails here: AssertionError"),
    "no Python": ("assert double(1) = 3", "q1-check, line 1: this is no Python: "),
}


@pytest.mark.parametrize(("test", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_line_and_what_to_write_instead(runner: Runner, test: str, fault: str) -> None:
    change("q1-check", test)
    assert any(found.startswith(f"arithmetic: {fault}") for found in faults(runner)), faults(runner)


def test_a_test_about_mutation_fetches_the_changed_argument_back(runner: Runner) -> None:
    change("q1", "### BEGIN SOLUTION\ndef double(x):\n    x.append(2)\n    return 2 * start\n### END SOLUTION")
    change(
        "q1-check",
        "from labkit.calling import call_and_keep\n\n"
        "mine = [1]\nresult, (changed,), _ = call_and_keep(double, mine)\n"
        "assert (result, changed, mine) == (40, [1, 2], [1])\n"
        "double(mine)\nassert mine == [1], 'a call changes its own copy only'",
    )
    assert faults(runner) == []


def test_the_command_says_it_in_lines_and_by_its_exit_code(small_kit: Path) -> None:
    good = CliRunner().invoke(app, ["check-labs"])
    assert (good.exit_code, good.stdout) == (0, "2 labs can be handed out: arithmetic, other\n")
    change("q1-check", "assert False")
    bad = CliRunner().invoke(app, ["check-labs", "arithmetic"])
    assert bad.exit_code == 1
    assert bad.stdout.startswith("arithmetic: q1-check, line 1: the reference solution fails here: AssertionError")
