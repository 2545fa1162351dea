"""The learner's desk in a real browser: welcome page, "Grade my work", saving and restoring, also without a mouse."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from autograder.rebuild import grade_id

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
LAB = "labs/ai-adoption/ai-adoption.ipynb"
WRONG = "flat_index = len"


@pytest.fixture(scope="module")
def session(run_academy: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An academy that takes itself for a session on Binder."""
    folder = tmp_path_factory.mktemp("session")
    environment = os.environ | {"BINDER_LAUNCH_HOST": "https://binder.example/"}
    with run_academy(folder / "desk", folder / "log", env=environment) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield context
    context.close()


def welcome(context: BrowserContext, session: Any) -> Page:
    page = context.new_page()
    page.goto(f"{session.address}/?token={session.token}")
    expect(page).to_have_url(f"{session.address}/academy?token={session.token}")
    page.wait_for_load_state("networkidle")
    return page


def serious(page: Page, *, within: str | None = None) -> list[str]:
    """What axe-core finds that keeps people from using a page."""
    found = Axe().run(page, context=within).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:120]}"
        for violation in found
        if violation["impact"] in {"serious", "critical", "moderate"}
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_on_the_welcome_page(browser: Browser, session: Any, scheme: Any, width: int) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = welcome(context, session)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_keyboard_reaches_everything_and_the_way_is_short(context: BrowserContext, session: Any) -> None:
    page = welcome(context, session)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To what comes next")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".step").first).to_be_focused()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    assert {"download", "file", "Capstone: from a data set to a decision"} <= reached
    page.locator(".step").first.focus()
    page.keyboard.press("Enter")
    page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for(timeout=60_000)
    page.get_by_role("link", name="Academy: courses").click()
    expect(page.get_by_role("heading", name="AI Skills Academy", level=1)).to_be_visible()


def write_answer(workspace: Path, text: str) -> None:
    notebook = nbformat.read(workspace / LAB, as_version=4)
    next(cell for cell in notebook.cells if grade_id(cell) == "q1-index").source = text
    nbformat.write(notebook, workspace / LAB)


def type_answer(page: Page, workspace: Path, text: str) -> None:
    cells = nbformat.read(workspace / LAB, as_version=4).cells
    index = next(number for number, cell in enumerate(cells) if grade_id(cell) == "q1-index")
    page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_grade_my_work_shows_each_question_in_the_notebook(browser: Browser, academy: Any, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(academy.page(LAB))
    page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for(timeout=60_000)
    button = page.get_by_role("button", name="Grade my work")
    for attempt in ("a", "b"):
        type_answer(page, academy.workspace, f"{WRONG}  # {scheme} {attempt}")
        button.click()
        expect(page.get_by_role("status").filter(has_text="Grading")).to_be_visible()
        expect(page.get_by_role("status").filter(has_text="of 30 points")).to_be_visible(timeout=120_000)
    note = page.get_by_role("note", name="Result of q1-index: small")
    expect(note).to_contain_text("0 of 1 points, not right yet")
    expect(note).to_contain_text("Read again: 04-using, “JSON-stat from the inside”")
    expect(page.get_by_role("note", name="Result of q2-decode: rows")).to_contain_text("not answered yet")
    page.get_by_role("button", name="Go to q1-index: small").click()
    expect(note).to_be_in_viewport()
    assert serious(page, within=".academy-summary") == []
    assert serious(page, within=".academy-note") == []
    dark = page.evaluate("document.body.dataset.jpThemeLight") == "false"
    assert dark == (scheme == "dark")
    page.get_by_role("button", name="Hide").click()
    expect(note).to_have_count(0)

    type_answer(page, academy.workspace, "import os\nos._exit(1)")
    button.click()
    expect(page.get_by_role("status").filter(has_text="of 30 points")).to_be_visible(timeout=120_000)
    context.close()


def test_a_lesson_has_no_such_button(context: BrowserContext, academy: Any) -> None:
    page = context.new_page()
    page.goto(academy.page("courses/00-welcome/01-welcome.ipynb"))
    page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for(timeout=60_000)
    expect(page.get_by_role("button", name="Validate")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Grade my work")).to_have_count(0)


def test_work_is_saved_as_a_file_and_restored_in_one_click_each(
    context: BrowserContext, session: Any, tmp_path: Path
) -> None:
    write_answer(session.workspace, "flat_index = 'saved'")
    page = welcome(context, session)
    with page.expect_download() as download:
        page.get_by_role("link", name="Save my work as a file").click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    expect(page.get_by_role("status")).to_contain_text("Saved as academy-work-")

    write_answer(session.workspace, "flat_index = 'newer'")
    page.get_by_label("Restore from such a file").set_input_files(saved)
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("yours stay and these lie beside", timeout=20_000)
    beside = (session.workspace / LAB).with_name("ai-adoption-restored.ipynb")
    assert "saved" in beside.read_text()
    assert "newer" in (session.workspace / LAB).read_text()

    (tmp_path / "bad.zip").write_bytes(b"no zip")
    page.get_by_label("Restore from such a file").set_input_files(tmp_path / "bad.zip")
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Nothing was restored: this zip file is refused")


def test_the_browser_keeps_a_copy_for_the_next_session(
    context: BrowserContext, session: Any, run_academy: Callable[..., Any], tmp_path: Path
) -> None:
    """On Binder: a notebook is saved, the session ends, another begins below another address of the same host."""
    page = context.new_page()
    page.goto(session.page(LAB))
    page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for(timeout=60_000)
    type_answer(page, session.workspace, "flat_index = 'from the first session'")
    with page.expect_response(lambda answer: "/academy/api/work" in answer.url, timeout=30_000):
        page.keyboard.press("Control+S")
    page.wait_for_timeout(1000)  # until it is in the browser's store

    # The same origin, as on Binder; the copy is told to be of another session by its address.
    page = welcome(context, session)
    expect(page.locator("#kept")).to_be_hidden()
    page.evaluate(
        """async () => {
            const { copies, keep } = await import('./static/academy/keep.js');
            const [copy] = await copies();
            const database = await new Promise((done) => {
                const request = indexedDB.open('ai-skills-academy');
                request.onsuccess = () => done(request.result);
            });
            const store = database.transaction('work', 'readwrite').objectStore('work');
            store.put({ ...copy, session: '/user/before/academy' });
            database.close();
        }"""
    )
    write_answer(session.workspace, "raise NotImplementedError")
    page.reload()
    expect(page.get_by_text("This browser has a copy of your work of")).to_be_visible()
    page.get_by_role("button", name="Restore this copy").click()
    expect(page.get_by_role("status")).to_contain_text("Restored", timeout=20_000)
    notebooks = (session.workspace / LAB).parent.glob("*.ipynb")
    assert any("from the first session" in path.read_text() for path in notebooks)
    page.get_by_role("button", name="Forget all copies").click()
    expect(page.get_by_role("status")).to_contain_text("no copies any more")
    expect(page.locator("#kept")).to_be_hidden()


def test_what_is_due_is_shown_where_an_exchange_says_so(context: BrowserContext, session: Any) -> None:
    due = [{"course": "data<b>", "lab": "find-and-judge", "state": "released"}]
    context.route("**/academy/api/due", lambda route: route.fulfill(json={"due": due}))
    page = welcome(context, session)
    expect(page.get_by_role("heading", name="To hand in")).to_be_visible()
    expect(page.get_by_text("find-and-judge (course data<b>): not fetched yet")).to_be_visible()
    assert serious(page) == []
