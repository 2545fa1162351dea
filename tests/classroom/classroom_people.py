"""What learners, an instructor and an operator do in the browser, in the words of those who do it."""

import re
import time

from nbformat import NotebookNode
from playwright.sync_api import Browser, Locator, Page, expect

from autograder.kit import Lab
from autograder.rebuild import grade_id

A_WHILE = 120_000
"""Milliseconds for what waits for a server, a kernel or the grading on a busy computer."""
expect.set_options(timeout=A_WHILE)


def logged_in(browser: Browser, address: str, name: str, password: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(A_WHILE)
    page.goto(address)
    page.fill("#username_input", name)
    page.fill("#password_input", password)
    page.click("#login_submit")
    return page


def reference_answers(lab: Lab, written: str) -> dict[str, str]:
    """The reference answers by grade_id, as a learner would type them: without nbgrader's marks."""
    found = {}
    for cell in lab.notebook().cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            kept = [line for line in cell.source.split("\n") if not line.strip().startswith("### ")]
            found[str(grade_id(cell))] = "\n".join(kept) if cell.cell_type == "code" else written
    return found


class Learner:
    """A person in their own JupyterLab."""

    def __init__(self, browser: Browser, address: str, name: str, password: str) -> None:
        self.name, self.address = name, address
        self.page = logged_in(browser, address, name, password)
        self.page.get_by_role("heading", name="AI Skills Academy", level=1).wait_for()

    def assignments(self) -> None:
        """Nbgrader's list, in JupyterLab."""
        if "/lab" not in self.page.url:
            self.page.get_by_role("link", name="Open JupyterLab", exact=True).click()
        self.page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
        self.page.get_by_role("menuitem", name="Assignment List").click()
        self.page.locator("#released_assignments_list").wait_for()

    def listed(self, kind: str, lab: str) -> Locator:
        """The row of a lab among the `released`, `fetched` or `submitted` ones."""
        self.page.locator("#refresh_assignments_list").click()
        return self.page.locator(f"#{kind}_assignments_list .list_item", has_text=lab).first

    def fetch(self, lab: str) -> None:
        self.assignments()
        self.listed("released", lab).get_by_role("button", name="Fetch", exact=True).click()
        self.page.locator("#fetched_assignments_list .list_item", has_text=lab).first.wait_for()

    def submit(self, lab: str) -> None:
        self.listed("fetched", lab).get_by_role("button", name="Submit").click()

    def submissions(self, lab: str) -> Locator:
        return self.page.locator("#submitted_assignments_list .list_item", has_text=lab)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.address}/user/{self.name}/lab/workspaces/auto-{self.name}/tree/{path}?reset")
        self.page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for()
        expect(self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible(timeout=A_WHILE)

    def answer(self, notebook: NotebookNode, answers: dict[str, str]) -> None:
        for index, cell in enumerate(notebook.cells):
            answer = answers.get(str(grade_id(cell)))
            if answer is None:
                continue
            shown = self.page.locator(".jp-Notebook .jp-Cell").nth(index)
            if cell.cell_type == "markdown":
                shown.locator(".jp-MarkdownOutput").dblclick()
            shown.locator(".cm-content").click()
            self.page.keyboard.press("Control+A")
            self.page.keyboard.insert_text(answer)

    def run_all(self) -> None:
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        last = self.page.locator(".jp-CodeCell .jp-InputArea-prompt").last
        expect(last).to_have_text(re.compile(r"\[\d+\]"), timeout=A_WHILE)

    def save(self) -> None:
        """Save, and save again where the last keystroke came to the page after the first time."""
        dirty = self.page.locator(".lm-TabBar-tab.jp-mod-dirty")  # cells that were not run since are "dirty", too
        deadline = time.monotonic() + A_WHILE / 1000
        while time.monotonic() < deadline:
            self.page.keyboard.press("Control+S")
            self.page.wait_for_timeout(2000)
            if dirty.count() == 0:
                return
        raise AssertionError("the notebook cannot be saved")

    def grade(self) -> Locator:
        """Press "Grade my work", and return what stands above the notebook at the end."""
        self.page.get_by_role("button", name="Grade my work").click()
        said = self.page.get_by_role("status").filter(has_text=re.compile("points|Not graded"))
        said.wait_for()
        return said

    def validate(self) -> str:
        self.page.locator(".jp-NotebookPanel-toolbar").get_by_text("Validate", exact=True).click()
        result = self.page.locator(".jp-Dialog .nbgrader-validation-result, .jp-Dialog-body, .jp-Dialog-content").last
        result.wait_for()
        expect(result).not_to_be_empty(timeout=A_WHILE)
        said = result.inner_text()
        self.page.locator(".jp-Dialog-footer button").first.click()
        return said


class Instructor:
    """A person in formgrader."""

    def __init__(self, browser: Browser, address: str, name: str, password: str) -> None:
        self.address = f"{address}/services/ai-skills-academy"
        self.page = logged_in(browser, address, name, password)
        self.page.locator("iframe").wait_for()

    def formgrader(self, path: str) -> None:
        """Formgrader as a page of its own, which is what the frame in JupyterLab shows."""
        self.page.goto(f"{self.address}/formgrader/{path}")

    def press(self, button: Locator) -> str:
        """Click a button of formgrader that ends in a message, and return that."""
        button.click()
        message = self.page.locator(".modal.in")
        message.wait_for()
        said = message.inner_text()
        message.locator(".modal-footer button").click()
        expect(message).to_have_count(0)
        return said

    def on_assignment(self, lab: str, what: str) -> str:
        """Press one of `assign`, `release`, `collect`, `generate-feedback`, `release-feedback` for a lab."""
        self.formgrader("manage_assignments")
        row = self.page.locator("tbody tr", has=self.page.locator("td.name", has_text=lab)).first
        return self.press(row.locator(f"td.{what} a").first)

    def autograde(self, lab: str, learner: str) -> str:
        self.formgrader(f"manage_submissions/{lab}")
        return self.press(self.submission(learner).locator("td.autograde a"))

    def submission(self, learner: str) -> Locator:
        return self.page.locator("tbody tr", has=self.page.locator("td.student-id", has_text=learner)).first

    def mark(self, lab: str, learner_number: int, points: str, comment: str) -> None:
        """Mark the first written answer of a submission that waits for it."""
        self.formgrader(f"gradebook/{lab}/{lab}")
        self.page.locator("tbody a", has_text=f"Submission #{learner_number}").click()
        waiting = self.page.locator("input.score.needs_manual_grade").first
        waiting.wait_for()
        name = waiting.get_attribute("id")
        with self.page.expect_response(lambda response: "/api/grade" in response.url and response.ok):
            waiting.fill(points)
            waiting.press("Tab")
        with self.page.expect_response(lambda response: "/api/comment" in response.url and response.ok):
            self.page.locator(f"[id='{name}-comment']").fill(comment)
            self.page.keyboard.press("Tab")

    def set_due(self, lab: str, when: str) -> None:
        """Set a lab's due date (UTC), as `2026-01-31T12:00`."""
        self.formgrader("manage_assignments")
        row = self.page.locator("tbody tr", has=self.page.locator("td.name", has_text=lab)).first
        row.locator("td.edit a").click()
        self.page.locator(".modal-duedate").fill(when)
        self.page.locator(".modal-timezone").fill("+0000")
        with self.page.expect_response(lambda response: "/api/assignment/" in response.url and response.ok):
            self.page.locator(".modal.in .save").click()
