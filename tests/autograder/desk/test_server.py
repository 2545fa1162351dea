"""The desk in a server as Binder starts it, below a base address: who may ask, and what is refused."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbformat
import pytest

from autograder import progress, workspace
from autograder.kit import kit_folder
from autograder.rebuild import grade_id

SETTINGS = kit_folder() / "autograder/jupyter_settings"
LAB = "labs/ai-adoption/ai-adoption.ipynb"
TOKEN = "a-token-of-the-test"  # noqa: S105


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    workspace.prepare(folder)
    return folder


@pytest.fixture(scope="module")
def address(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("log") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter", "notebook", "--no-browser", "--allow-root", f"--ServerApp.port={port}",
                "--ServerApp.base_url=/user/anna/", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}",
            ],
            cwd=desk, stdout=output, stderr=subprocess.STDOUT,
            env=os.environ | {"JUPYTER_CONFIG_PATH": str(SETTINGS), "BINDER_LAUNCH_HOST": "https://binder.example/"},
        )  # fmt: skip
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def learner(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=address, headers={"Authorization": f"token {TOKEN}"}, timeout=60, follow_redirects=True
    ) as client:
        yield client


@pytest.fixture
def stranger(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


def test_the_server_opens_on_the_welcome_page(learner: httpx.Client) -> None:
    page = learner.get("/user/anna/")
    assert page.url.path == "/user/anna/academy"
    assert 'href="/user/anna/lab/tree/courses/00-welcome/01-welcome.ipynb"' in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "10 minutes" in page.text
    for path in ("welcome.css", "welcome.js", "keep.js"):
        assert f"/user/anna/static/academy/{path}" in page.text or path == "keep.js"
        assert learner.get(f"/user/anna/static/academy/{path}").status_code == 200


@pytest.mark.parametrize("path", ["academy", "academy/api/due", "academy/api/grades", "academy/api/work"])
def test_a_stranger_sees_nothing(stranger: httpx.Client, path: str) -> None:
    answer = stranger.get(f"/user/anna/{path}")
    assert answer.status_code in {302, 403}
    assert "ai-adoption" not in answer.text


@pytest.mark.parametrize("path", ["academy/api/grades", "academy/api/work"])
def test_another_site_cannot_use_the_cookie_of_a_learner(address: str, path: str) -> None:
    with httpx.Client(base_url=address, timeout=60) as browser:
        assert browser.get(f"/user/anna/academy?token={TOKEN}").status_code == 200
        assert browser.get(f"/user/anna/{path}").status_code in {200, 204}
        answer = browser.post(f"/user/anna/{path}", content=b"{}")
        assert answer.status_code == 403
        assert "_xsrf" in answer.text


def graded(learner: httpx.Client) -> dict:
    asked = learner.post("/user/anna/academy/api/grades", json={"path": LAB})
    assert asked.status_code == 202
    assert learner.post("/user/anna/academy/api/grades", json={"path": LAB}).status_code == 409
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        state = learner.get("/user/anna/academy/api/grades").json()
        if state["state"] != "running":
            return state
        time.sleep(0.3)
    raise AssertionError("grading does not end")


def test_grading_says_more_after_the_second_wrong_answer(learner: httpx.Client, desk: Path) -> None:
    for number, attempt in enumerate(["flat_index = len", "flat_index = str"], 1):
        notebook = nbformat.read(desk / LAB, as_version=4)
        next(cell for cell in notebook.cells if grade_id(cell) == "q1-index").source = attempt
        nbformat.write(notebook, desk / LAB)
        state = graded(learner)
        assert state["state"] == "done", state
        question = next(q for q in state["result"]["questions"] if q["id"] == "q1-index-check-small")
        assert (question["score"], question["fails"], len(question["hints"])) == (0, number, number - 1)
    assert question["hints"][0]["lesson"] == "courses/01-open-data/04-using.ipynb"
    assert "points" in learner.get("/user/anna/academy").text
    assert progress.read(desk)["ai-adoption"].score == 0


def test_a_notebook_that_cannot_be_graded_is_one_line(learner: httpx.Client, desk: Path) -> None:
    (desk / "broken.ipynb").write_text("{")
    assert learner.post("/user/anna/academy/api/grades", json={"path": "broken.ipynb"}).status_code == 202
    deadline = time.monotonic() + 60
    while (state := learner.get("/user/anna/academy/api/grades").json())["state"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert state["state"] == "failed"
    assert "not valid JSON" in state["error"]
    assert "\n" not in state["error"]
    (desk / "broken.ipynb").unlink()


@pytest.mark.parametrize(
    "path", ["../x.ipynb", "/etc/passwd", "labs", "", "nothing.ipynb", "--help", "labs/../../x.ipynb"]
)
def test_what_is_no_notebook_of_the_workspace_is_not_graded(learner: httpx.Client, desk: Path, path: str) -> None:
    (desk.parent / "x.ipynb").write_text("{}")
    assert learner.post("/user/anna/academy/api/grades", json={"path": path}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"5"])
def test_a_damaged_question_is_refused(learner: httpx.Client, body: bytes) -> None:
    assert learner.post("/user/anna/academy/api/grades", content=body).status_code == 400


def test_work_is_sent_as_one_file_and_taken_back(learner: httpx.Client, desk: Path) -> None:
    (desk / "mine.md").write_text("my notes")
    sent = learner.get("/user/anna/academy/api/work")
    assert sent.headers["Content-Type"] == "application/zip"
    assert "academy-work-" in sent.headers["Content-Disposition"]
    (desk / "mine.md").unlink()
    answer = learner.post("/user/anna/academy/api/work", content=sent.content)
    assert "mine.md" in answer.json()["restored"]
    assert (desk / "mine.md").read_text() == "my notes"
    refused = learner.post("/user/anna/academy/api/work", content=b"no zip")
    assert refused.status_code == 400
    assert "no zip file" in refused.text


def test_without_an_exchange_nothing_is_due(learner: httpx.Client) -> None:
    assert learner.get("/user/anna/academy/api/due").json() == {"due": []}
