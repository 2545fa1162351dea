"""Every attack earns what its honest part earns, harms nothing near it, leaks nothing, and is over at its end."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.engine.runner import Runner
from autograder.errors import UnusableNotebookError
from autograder.grading import GradedNotebook, grade

from .conftest import POINTS, SECRET, Surroundings, submission

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/attack.toml"))
HONEST = sorted(path.parent.name for path in HERE.glob("*/honest.toml"))


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def filled_in(code: str, around: Surroundings) -> str:
    """The code of an attack, with the places that an attacker would have to guess."""
    places = {
        "KIT": around.folder,
        "TCP": around.tcp,
        "UDP": around.udp,
        "UNIX": around.unix,
        "ABSTRACT": around.abstract,
        "LONG": "#" * 1_000_000,
    }
    for word, place in places.items():
        code = code.replace(f"@{word}@", str(place))
    return code


def scores(result: GradedNotebook) -> dict[str, float]:
    return {question.id: question.score for question in result.questions if question.id in POINTS}


@pytest.mark.parametrize("name", CASES)
def test_attack_earns_what_its_honest_part_earns(
    name: str, surroundings: Surroundings, runner: Runner, tmp_path: Path
) -> None:
    attack = read(HERE / name / "attack.toml")
    assert scores(grade(submission({}, tmp_path / "submitted/bob/arena"), runner)) == POINTS  # the server is warm
    path = HERE / name / "arena.ipynb"
    if not path.exists():
        answers = {question: filled_in(code, surroundings) for question, code in attack["answers"].items()}
        path = submission(answers, tmp_path / "submitted/mallory/arena")
    before = surroundings.fingerprint()
    running = {process.pid for process in psutil.Process().children(recursive=True)}
    if "refused" in attack:
        with pytest.raises(UnusableNotebookError, match=attack["refused"]):
            grade(path, runner, "arena")
        return
    result = grade(path, runner, "arena")
    assert scores(result) == POINTS | attack.get("points", {})
    messages = {question.id: question.message for question in result.questions}
    for question, pattern in attack.get("messages", {}).items():
        assert pattern in messages[question], messages[question]

    assert surroundings.fingerprint() == before
    assert surroundings.arrived == []
    assert SECRET not in json.dumps(asdict(result)), "something that learners must not see is in what they get"
    left = {process.pid for process in psutil.Process().children(recursive=True)} - running
    assert not left, "a process outlives the grading"
    honest = grade(submission({}, tmp_path / "submitted/bob/arena"), runner)
    assert scores(honest) == POINTS, "the next submission suffers"


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_that_fragile_graders_punish_earns_everything(
    name: str, surroundings: Surroundings, runner: Runner, tmp_path: Path
) -> None:
    work = read(HERE / name / "honest.toml")
    path = HERE / name / "arena.ipynb"
    if not path.exists():
        path = submission(work["answers"], tmp_path / "submitted/bob/arena")
    result = grade(path, runner, "arena")
    assert scores(result) == POINTS, {question.id: question.message for question in result.questions}
