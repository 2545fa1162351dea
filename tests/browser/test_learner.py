"""A new learner in a real browser: open a lesson or a lab in JupyterLab, type the answers, run, save, and grade."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from autograder.cli import app
from autograder.kit import METADATA_KEY, Lab, labs, lessons
from autograder.rebuild import grade_id

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1200)]
LABS = labs()
TRAINING = 960_000  # milliseconds; two lessons and a lab train models, the longest for up to 15 minutes


@pytest.fixture(autouse=True)
def no_kernel_stays(academy) -> Iterator[None]:
    """A closed page leaves its kernel running, and each holds hundreds of megabytes."""
    yield
    with httpx.Client(base_url=academy.address, headers={"Authorization": f"token {academy.token}"}) as server:
        for kernel in server.get("/api/kernels").raise_for_status().json():
            server.delete(f"/api/kernels/{kernel['id']}", timeout=30).raise_for_status()


def opened(browser: Browser, academy, path: str) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(academy.page(path))
    page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for(timeout=60_000)
    expect(page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3")).to_be_visible(timeout=60_000)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=60_000)
    return page


def run_everything(page: Page) -> None:
    """Run > Run All Cells, and wait until the last code cell has its number."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    prompts = page.locator(".jp-CodeCell .jp-InputArea-prompt")
    expect(prompts.last).to_have_text(re.compile(r"\[\d+\]"), timeout=TRAINING)
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=60_000)


def saved_and_closed(page: Page) -> None:
    page.keyboard.press("Control+S")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0, timeout=20_000)
    page.close()


def answers(lab: Lab) -> dict[str, str]:
    """The reference answers by grade_id, as a learner would type them: without nbgrader's marks."""
    cells = [cell for cell in lab.notebook().cells if cell.metadata.get("nbgrader", {}).get("solution")]
    found = {}
    for cell in cells:
        kept = [line for line in cell.source.split("\n") if "### BEGIN SOLUTION" not in line and "### END" not in line]
        found[str(grade_id(cell))] = "\n".join(kept) if cell.cell_type == "code" else "The score counts metadata only."
    return found


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_a_lab_solved_in_the_browser_earns_all_automatic_points(
    lab: Lab, browser: Browser, academy, lost_points
) -> None:
    path = f"labs/{lab.name}/{lab.name}.ipynb"
    page = opened(browser, academy, path)
    notebook = nbformat.read(academy.workspace / path, as_version=4)
    typed = answers(lab)
    for index, cell in enumerate(notebook.cells):
        answer = typed.get(str(grade_id(cell)))
        if answer is None:
            continue
        shown = page.locator(".jp-Notebook .jp-Cell").nth(index)
        if cell.cell_type == "markdown":
            shown.locator(".jp-MarkdownOutput").dblclick()
        shown.locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(answer)
    run_everything(page)
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0
    saved_and_closed(page)

    done = CliRunner().invoke(app, ["grade", "--json", str(academy.workspace / path)])
    assert done.exit_code == 0, done.output
    (result,) = json.loads(done.stdout)
    assert lost_points(result) == []
    assert [q["needs_manual_grade"] for q in result["questions"]].count(True) in (1, 2)


def worked_answers(lesson: NotebookNode) -> dict[str, str]:
    """The first worked answer of each exercise, by the id of the cell that it goes into."""
    return {
        cell.id.replace("-worked", "-answer"): re.findall(r"```python\n(.*?)```", cell.source, re.DOTALL)[0]
        for cell in lesson.cells
        if cell.id.endswith("-worked")
    }


@pytest.mark.parametrize("lesson", lessons(), ids=str)
def test_a_lesson_worked_through_in_the_browser_is_right_and_keeps_to_its_limits(
    lesson: Path, browser: Browser, academy
) -> None:
    """A minute and a gigabyte, where its metadata do not ask for more; 2 GB is what a session has."""
    path = academy.workspace / lesson
    notebook = nbformat.read(path, as_version=4)
    limits = {"seconds": 60, "megabytes": 1000} | notebook.metadata[METADATA_KEY].get("limits", {})
    assert limits["megabytes"] <= 1700
    notebook.cells.append(new_code_cell("import resource\nresource.getrusage(resource.RUSAGE_SELF).ru_maxrss"))
    nbformat.write(notebook, path)

    page = opened(browser, academy, lesson.as_posix())
    worked = worked_answers(notebook)
    for index, cell in enumerate(notebook.cells):
        if cell.id in worked:
            page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".cm-content").click()
            page.keyboard.press("Control+End")
            page.keyboard.insert_text(f"\n{worked[cell.id]}")
    started = time.monotonic()
    run_everything(page)
    assert time.monotonic() - started < limits["seconds"]
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0
    pictures = page.locator(".jp-OutputArea-output img")
    assert all(pictures.nth(i).get_attribute("alt") for i in range(pictures.count())), "a picture without words"
    saved_and_closed(page)

    ran = {cell.id: cell.get("outputs", []) for cell in nbformat.read(path, as_version=4).cells}
    checks = {name: outputs for name, outputs in ran.items() if re.fullmatch(r"ex\d+-check", name)}
    assert len(checks) >= 2
    for name, outputs in checks.items():
        assert "".join(output.get("text", "") for output in outputs).startswith("Right. "), name
    kilobytes = int(ran[notebook.cells[-1].id][0].data["text/plain"])
    assert kilobytes / 1000 < limits["megabytes"]


def test_a_terminal_of_jupyterlab_finds_the_command(browser: Browser, academy) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{academy.address}/terminals/1?token={academy.token}")
    terminal = page.locator(".xterm-helper-textarea")
    terminal.wait_for(state="attached", timeout=60_000)
    terminal.focus()
    page.wait_for_timeout(3000)  # the prompt is painted on a canvas, so its coming cannot be seen in the page
    page.keyboard.type("academy --help > help.txt; echo done >> help.txt\n")
    found = academy.workspace / "help.txt"
    deadline = time.monotonic() + 30
    while not (found.exists() and "done" in found.read_text()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert "Usage: academy" in found.read_text()
    page.close()
