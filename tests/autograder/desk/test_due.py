"""What is due, from a real exchange of nbgrader."""

import getpass
from pathlib import Path

import pytest

from autograder.desk.due import due


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An exchange with two released labs, and a learner who has fetched none and handed in the second."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'course-a'\n"
        f"c.Exchange.root = {str(tmp_path / 'exchange')!r}\n"
        f"c.Exchange.cache = {str(tmp_path / 'cache')!r}\n"
    )
    for lab in ("first", "second"):
        folder = tmp_path / f"exchange/course-a/outbound/{lab}"
        folder.mkdir(parents=True)
        (folder / f"{lab}.ipynb").write_text("{}")
    (tmp_path / "exchange").chmod(0o777)
    handed_in = tmp_path / f"cache/course-a/{getpass.getuser()}+second+2026-11-20 10:00:00.000000 UTC"
    handed_in.mkdir(parents=True)
    (handed_in / "second.ipynb").write_text("{}")
    (tmp_path / "desk").mkdir()
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "config"))
    return tmp_path


def test_what_is_released_and_not_handed_in_is_due(exchange: Path, run_async) -> None:
    assert run_async(due(exchange / "desk")) == [{"course": "course-a", "lab": "first", "state": "released"}]
    (exchange / "desk/first").mkdir()
    assert run_async(due(exchange / "desk")) == [{"course": "course-a", "lab": "first", "state": "fetched"}]


def test_an_exchange_that_is_not_there_is_no_error(exchange: Path, monkeypatch: pytest.MonkeyPatch, run_async) -> None:
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(exchange / "nowhere"))
    assert run_async(due(exchange / "desk")) == []
