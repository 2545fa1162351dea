"""The instructor in a real browser: formgrader grades through the isolated engine, and shows answers without harm."""

from urllib.parse import quote

import httpx
import nbformat
import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Page, expect

from .conftest import press_autograde

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
HARM = "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>"
NASTY = {
    "q1": (
        "from IPython.display import HTML, Javascript, Markdown, SVG, display\n"
        f"harm = {HARM!r}\n"
        "display(HTML('<table><tr><td>a table stays</td></tr></table>' + harm), Markdown(harm))\n"
        "display(Javascript('harmed = 1'))\n"
        "display(SVG(\"<svg xmlns='http://www.w3.org/2000/svg' onload='window.harmed = 1'/>\"))\n"
        "display({'text/html': harm, 'text/latex': harm, 'text/markdown': harm}, raw=True)\n"
        "print(harm)\n\ndef double(x):\n    return 2 * x"
    ),
    "q2": f"total = 10\nraise type('Bad', (Exception,), {{}})({HARM!r})",
    "q4-why": f"So. {HARM} [x](javascript:harmed=1) <svg onload='window.harmed=1'></svg>",
}


@pytest.fixture
def formgrader(course, formgrader_of) -> str:
    """Address of formgrader for the course of the test."""
    return formgrader_of(course)


def hand_in_harm(course) -> None:
    path = course.hand_in("mallory", "right")
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.source = NASTY.get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
    nbformat.write(notebook, path)


def harmless(page: Page) -> None:
    page.wait_for_timeout(1000)
    for frame in page.frames:
        assert frame.evaluate("window.harmed") is None, f"code of an answer ran in {frame.url}"


def test_formgraders_button_grades_as_the_command_and_answers_do_no_harm(
    course, course_of, formgrader: str, browser: Browser
) -> None:
    command = course_of("command")
    for each in (course, command):
        each.a_class(["right", "wrong", "loud", "dying", "nothing"])
        hand_in_harm(each)
    command.graded("--feedback")

    page = browser.new_page()
    page.goto(f"{formgrader}/lab?token=t")
    page.goto(f"{formgrader}/formgrader/manage_submissions/arithmetic")
    for learner in command.totals():
        press_autograde(page, learner, "Success")
    assert course.grades() == command.grades()

    with httpx.Client(base_url=formgrader, params={"token": "t"}) as server:
        (submission,) = [
            row["id"] for row in server.get("/formgrader/api/submitted_notebooks/arithmetic/arithmetic").json()
            if row["student"] == "mallory"
        ]  # fmt: skip
    page.goto(f"{formgrader}/formgrader/submissions/{submission}")
    expect(page.locator("td", has_text="a table stays").first).to_be_visible(timeout=30_000)
    harmless(page)
    feedback = command.root / "classroom/feedback/mallory/arithmetic/arithmetic.html"
    page.goto(feedback.as_uri())
    expect(page.locator("td", has_text="a table stays").first).to_be_visible()
    harmless(page)
    (report,) = (command.root / "classroom/reports").glob("*.html")
    page.goto(report.as_uri())
    expect(page.get_by_role("rowheader", name="mallory").first).to_be_visible()
    harmless(page)
    page.close()


def test_names_of_learners_do_no_harm_in_formgrader(course, formgrader: str, browser: Browser) -> None:
    """In a gradebook from elsewhere, or as the name of a folder: formgrader shows them as text."""
    named_folder = "x<img src=x onerror='window.harmed=1'>"
    course.a_class(["right"])
    course.hand_in(named_folder, "right")
    course.graded()
    with Gradebook(f"sqlite:///{course.root / 'classroom/gradebook.db'}") as gradebook:
        gradebook.update_or_create_student("l000", first_name=f"First {HARM}", last_name=f"Last {HARM}", email=HARM)
    with httpx.Client(base_url=formgrader, params={"token": "t"}) as server:
        submissions = server.get("/formgrader/api/submitted_notebooks/arithmetic/arithmetic").json()
    page = browser.new_page()
    page.goto(f"{formgrader}/lab?token=t")
    quoted = quote(named_folder)
    for place in (
        "", "manage_students", "manage_students/l000", f"manage_students/{quoted}",
        f"manage_students/{quoted}/arithmetic", "manage_submissions/arithmetic", "gradebook",
        "gradebook/arithmetic", "gradebook/arithmetic/arithmetic",
        *(f"submissions/{submission['id']}" for submission in submissions),
    ):  # fmt: skip
        page.goto(f"{formgrader}/formgrader/{place}")
        page.wait_for_load_state("networkidle")
        harmless(page)
    page.goto(f"{formgrader}/formgrader/manage_students")
    expect(page.get_by_text("First <script>").first).to_be_visible()
    page.get_by_text(named_folder).first.click()
    harmless(page)
    page.close()


def test_feedback_pages_show_each_learner_their_own_work_and_no_hidden_test(course) -> None:
    course.a_class(["right", "wrong"])
    course.hand_in("nobody", "right").write_text("not a notebook")
    done = course.autograde("--feedback", "--workers", "2")
    assert done.returncode == 1, done.stderr
    pages = {path.parts[-3]: path.read_text() for path in (course.root / "classroom/feedback").glob("*/*/*.html")}
    assert set(pages) == {"l000", "l001"}
    assert "double(20) must be 40" in pages["l001"]
    assert "double(20) must be 40" not in pages["l000"].replace("'double(20) must be 40'", "")
    for page in pages.values():
        assert "secret" not in page
        assert "HIDDEN TESTS" not in page
