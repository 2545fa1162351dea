"""Attacks by what lies in a submitted folder: links, pipes, sizes, times. Each case says what is laid there."""

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from autograder.batch.submitted import Place, read
from autograder.engine.runner import Runner
from autograder.errors import UnusableNotebookError
from autograder.grading import grade_submission, prepare_lab
from autograder.kit import find_lab

from .conftest import POINTS, Surroundings, submission

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/folder.toml"))


def lay(path: Path, kind: str, content: Any) -> None:
    """Lay a file, or what passes for one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "notebook":
        submission({}, path.parent)
    elif kind == "link":
        path.symlink_to(content)
    elif kind == "hard_link":
        os.link(content, path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "text":
        path.write_text(content)
    elif kind == "bytes":  # zeros that need no room
        with path.open("wb") as file:
            file.truncate(content)
    else:
        raise ValueError(kind)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", CASES)
def test_what_lies_in_a_folder_makes_nothing_part_of_a_submission(
    name: str, surroundings: Surroundings, runner: Runner, tmp_path: Path
) -> None:
    case = tomllib.loads((HERE / name / "folder.toml").read_text(encoding="utf-8"))
    before = surroundings.fingerprint()
    for path, ((kind, content),) in ((path, entry.items()) for path, entry in case["files"].items()):
        place = content.replace("@KIT@", str(surroundings.folder)) if isinstance(content, str) else content
        lay(tmp_path / "submitted" / path, kind, place)
    place = Place("mallory", "arena", tmp_path / "submitted/mallory/arena")
    if "refused" in case:
        with pytest.raises(UnusableNotebookError, match=case["refused"]):
            read(place)
    else:
        handed_in = read(place)
        for words in case["told"]:
            assert any(words in oddity for oddity in handed_in.oddities), handed_in.oddities
        assert (handed_in.timestamp is not None) == case.get("timestamp", False)
        graded = grade_submission(handed_in.submission, prepare_lab(find_lab("arena")), runner)
        assert {q.id: q.score for q in graded.questions if q.id in POINTS} == POINTS
    assert surroundings.fingerprint() == before
