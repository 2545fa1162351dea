"""Hand in without an exchange: the zip file, the receipt, and what is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import handing_in
from autograder.archives import UnusableArchiveError
from autograder.errors import AcademyError, UnusableNotebookError
from autograder.handing_in import check_receipt, hand_in, learner_id, parse_receipt, read_hand_in, zipped
from autograder.kit import labs

NOON = datetime(2026, 11, 22, 12, 0, 5, 999, tzinfo=UTC)


@pytest.fixture
def done(small_kit: Path, submission: Callable[..., Path], tmp_path: Path) -> handing_in.HandIn:
    return hand_in(submission("my work", q1="def double(x):\n    return 2 * x"), "anna.nowak", tmp_path / "out", NOON)


def test_the_zip_holds_the_notebook_as_it_is_and_a_receipt_for_it(done, tmp_path: Path) -> None:
    receipt, files = read_hand_in(done.archive.read_bytes())
    assert files == {"arithmetic.ipynb": (tmp_path / "my work.ipynb").read_bytes()}
    assert (receipt.lab, receipt.learner, receipt.moment) == ("arithmetic", "anna.nowak", NOON.replace(microsecond=0))
    assert done.archive.name == "anna.nowak__arithmetic__20261122T120005Z.zip"
    assert done.unanswered == ["q2", "q3", "q4-why"]


def test_the_receipt_that_is_kept_belongs_to_the_zip_and_to_no_other(
    done, submission: Callable[..., Path], tmp_path: Path
) -> None:
    kept = done.receipt.read_bytes()
    assert check_receipt(kept, done.archive.read_bytes()).learner == "anna.nowak"
    other = hand_in(submission("later"), "anna.nowak", tmp_path / "out", NOON + timedelta(hours=1))
    with pytest.raises(UnusableArchiveError, match="belongs to another receipt"):
        check_receipt(kept, other.archive.read_bytes())


def test_time_is_noted_in_utc(small_kit: Path, submission: Callable[..., Path], tmp_path: Path) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=2)))
    done = hand_in(submission(), "anna", tmp_path, there)
    assert "T120005Z" in done.archive.name


def test_a_zip_that_was_changed_afterwards_is_refused(done) -> None:
    receipt, files = read_hand_in(done.archive.read_bytes())
    (name,) = files
    changed = zipped({name: b'{"nbformat": 4, "cells": []}', "receipt.json": receipt.as_json()}, NOON)
    with pytest.raises(UnusableArchiveError, match="not those that its receipt names"):
        read_hand_in(changed)
    more = zipped({**files, "extra.py": b"", "receipt.json": receipt.as_json()}, NOON)
    with pytest.raises(UnusableArchiveError, match="not those that its receipt names"):
        read_hand_in(more)
    with pytest.raises(UnusableArchiveError, match="holds no receipt"):
        read_hand_in(zipped(files, NOON))


@pytest.mark.parametrize("lab", ["../../../etc", "other"])
def test_a_receipt_that_names_another_lab_than_its_notebook_is_refused(done, lab: str) -> None:
    receipt, files = read_hand_in(done.archive.read_bytes())
    forged = json.loads(receipt.as_json()) | {"lab": lab}
    with pytest.raises(UnusableArchiveError, match="does not hold the one notebook"):
        read_hand_in(zipped({**files, "receipt.json": json.dumps(forged).encode()}, NOON))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "-rf", ".hidden", "a b", "a__b", "a\nb", "a" * 65, "a;b", "a+b", "a."]
)
def test_names_that_could_be_something_else_are_refused(name: str) -> None:
    with pytest.raises(AcademyError, match="ask your instructor"):
        learner_id(name)


@pytest.mark.parametrize("name", ["anna.nowak", "Łukasz", "Ελένη", "user-17@example.org", "7"])
def test_names_of_people_are_taken(name: str) -> None:
    assert learner_id(f" {name} ") == name


def test_what_could_not_be_graded_is_not_handed_in(small_kit: Path, tmp_path: Path) -> None:
    broken = tmp_path / "arithmetic.ipynb"
    broken.write_text("{")
    with pytest.raises(UnusableNotebookError, match="not valid JSON"):
        hand_in(broken, "anna", tmp_path, NOON)
    broken.write_text('{"nbformat": 4, "cells": []}')
    with pytest.raises(UnusableNotebookError, match="none of its answer cells"):
        hand_in(broken, "anna", tmp_path, NOON)
    assert not list(tmp_path.glob("*.zip"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
receipts = st.fixed_dictionaries(
    {},
    optional={
        "lab": st.just("arithmetic") | json_values,
        "learner": st.sampled_from(["anna", "../anna"]) | json_values,
        "time": st.sampled_from(["2026-11-22T12:00:05+00:00", "2026-11-22", "9999-12-31T23:59:59-12:00"]) | json_values,
        "kit": st.just("0.1.0") | json_values,
        "files": st.just({"arithmetic.ipynb": "0"}) | json_values,
        "more": json_values,
    },
)


@given(
    st.binary(max_size=60)
    | json_values.map(lambda v: json.dumps(v).encode())
    | receipts.map(lambda v: json.dumps(v).encode())
)
def test_any_receipt_is_sound_or_refused(content: bytes) -> None:
    try:
        receipt = parse_receipt(content)
    except UnusableArchiveError:
        return
    assert receipt.learner == "anna"
    assert receipt.moment.utcoffset() is not None


def academy(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograder.cli", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"COLUMNS": "200"} | environment,
    )  # fmt: skip


def test_a_learner_types_it_in_the_workspace_or_names_the_file(tmp_path: Path) -> None:
    lab = next(iter(labs()))
    desk = tmp_path / "desk"
    assert academy("prepare", "--workspace", desk, cwd=tmp_path).returncode == 0
    done = academy("hand-in", lab, "--name", "anna", cwd=desk)
    assert done.returncode == 0, done.stderr
    assert "not answered yet: q1-" in done.stdout
    (archive,) = desk.glob("anna__*.zip")
    (receipt,) = desk.glob("anna__*.receipt.json")
    done = academy("check-receipt", receipt, archive, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"They belong together: {lab}, anna" in done.stdout

    path = desk / f"labs/{lab}/{lab}.ipynb"
    assert academy("hand-in", path, "--name", "bo", "--to", tmp_path / "out", cwd=tmp_path).returncode == 0
    (other,) = (tmp_path / "out").glob("bo__*.zip")
    done = academy("check-receipt", receipt, other, cwd=tmp_path)
    assert done.returncode == 1
    assert "belongs to another receipt (bo, " in done.stderr
    done = academy("hand-in", "nonsense", "--name", "anna", cwd=desk)
    assert done.returncode == 2
    assert "there is no lab 'nonsense'" in done.stderr
