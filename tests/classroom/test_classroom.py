"""A class on a real hub: from the handing out of a lab to the feedback, and what may go wrong on the way.

The tests build on each other, in this order, as a course does.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import nbformat
import psutil
import pytest
from classroom_people import Instructor, Learner, logged_in, reference_answers
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, expect

from autograder.kit import kit_folder, labs

pytestmark = [
    pytest.mark.long, pytest.mark.browser, pytest.mark.timeout(1500), pytest.mark.xdist_group("classroom"),
]  # fmt: skip
LAB = "find-and-judge"
NOTEBOOK = f"labs/{LAB}/{LAB}.ipynb"
LATER = "2999-01-01 00:00:00.000000 UTC"
"""A time of handing in that is later than that of every other submission."""


@pytest.fixture(scope="module")
def instructor(classroom, browser: Browser) -> Instructor:
    return Instructor(browser, classroom.address, "instructor-1", classroom.passwords["instructor-1"])


@pytest.fixture(scope="module")
def learners(classroom, browser: Browser) -> Iterator[dict[str, Learner]]:
    """Learners as they come: each logs in when first asked for."""

    class Coming(dict[str, Learner]):
        def __missing__(self, name: str) -> Learner:
            self[name] = Learner(browser, classroom.address, name, classroom.passwords[name])
            return self[name]

    return Coming()


def desk(classroom, name: str) -> Path:
    return classroom.folder / "homes" / name / "academy"


def inbound(classroom) -> Path:
    return classroom.folder / "exchange/ai-skills-academy/inbound"


def handed_in(classroom, name: str) -> list[Path]:
    return sorted(inbound(classroom).glob(f"{name}+{LAB}+*"))


def gradebook(classroom) -> Gradebook:
    return closing(Gradebook(f"sqlite:///{classroom.folder}/course/classroom/gradebook.db", "ai-skills-academy"))


def work_on_the_lab(learner: Learner, classroom, written: str) -> None:
    learner.open(NOTEBOOK)
    notebook = nbformat.read(desk(classroom, learner.name) / NOTEBOOK, as_version=4)
    learner.answer(notebook, reference_answers(labs()[LAB], written))
    learner.run_all()
    learner.save()


def test_the_instructor_hands_a_lab_out(instructor: Instructor) -> None:
    assert "/services/ai-skills-academy/lab" in instructor.page.url, "an instructor starts in formgrader"
    rows = instructor.page.frame_locator("iframe").locator("tbody tr td.name")
    expect(rows).to_have_count(len(labs()), timeout=60_000)
    assert "Successfully created" in instructor.on_assignment(LAB, "assign")
    assert "Successfully released" in instructor.on_assignment(LAB, "release")


def test_a_learner_starts_at_the_welcome_page_and_finds_only_what_is_handed_out(learners, classroom, picture) -> None:
    learner = learners["learner-1"]
    expect(learner.page.locator("#due-list li")).to_have_text([f"{LAB} (course ai-skills-academy): not fetched yet"])
    expect(learner.page.locator(".items .kind", has_text="Lab")).to_have_count(1)
    expect(learner.page.locator(".items .status", has_text="not fetched yet")).to_have_count(1)
    picture(learner.page, "welcome")
    assert list((desk(classroom, "learner-1") / "labs").iterdir()) == []
    learner.assignments()
    expect(learner.page.locator("#released_assignments_list .list_item")).to_have_count(1)


def test_a_learner_fetches_answers_validates_and_hands_in(learners, classroom, picture) -> None:
    learner = learners["learner-1"]
    learner.fetch(LAB)
    assert "BEGIN SOLUTION" not in (desk(classroom, "learner-1") / NOTEBOOK).read_text()
    work_on_the_lab(learner, classroom, "The score counts metadata only.")
    assert "passes all the tests" in learner.validate()
    expect(learner.grade()).to_contain_text(re.compile(r"^26 of 30 points: .* your instructor's grading has more\.$"))
    learner.page.locator(".academy-note").first.scroll_into_view_if_needed()
    picture(learner.page, "lab")
    learner.assignments()
    learner.submit(LAB)
    learner.submissions(LAB).first.wait_for()
    assert len(handed_in(classroom, "learner-1")) == 1


def test_two_learners_hand_in_at_the_same_moment(learners, classroom) -> None:
    both = [learners["learner-2"], learners["learner-3"]]
    for learner in both:
        learner.fetch(LAB)
        work_on_the_lab(learner, classroom, f"Words of {learner.name}.")
        learner.assignments()
        learner.listed("fetched", LAB).get_by_role("button", name="Submit").wait_for()
    for learner in both:  # a click that does not wait for what follows
        learner.page.evaluate("document.querySelector('#fetched_assignments_list .item_status button').click()")
    for learner in both:
        learner.submissions(LAB).first.wait_for()
        (folder,) = handed_in(classroom, learner.name)
        assert f"Words of {learner.name}." in (folder / f"{LAB}.ipynb").read_text()


def test_the_class_is_collected_graded_and_marked_in_formgrader(instructor: Instructor, classroom, picture) -> None:
    assert "Successfully collected" in instructor.on_assignment(LAB, "collect")
    for name in ("learner-1", "learner-2", "learner-3"):
        assert "Successfully autograded" in instructor.autograde(LAB, name)
        expect(instructor.submission(name).locator("td.score")).to_have_text(re.compile(r"^\s*26 / 30"))
        expect(instructor.submission(name).locator("td.status")).to_contain_text("needs manual grading")
    graded = classroom.folder / f"course/classroom/autograded/learner-1/{LAB}/{LAB}.ipynb"
    assert '"message"' in graded.read_text(), "the isolated engine leaves its verdict in the notebook"
    for number in (1, 2, 3):
        instructor.mark(LAB, number, "3", "Clear, and one reason more would be better.")
    picture(instructor.page, "marking")
    instructor.formgrader(f"manage_submissions/{LAB}")
    expect(instructor.submission("learner-1").locator("td.score")).to_have_text(re.compile(r"^\s*29 / 30"))


def test_a_learner_reads_the_feedback_and_no_other_persons(
    instructor: Instructor, learners, classroom, picture
) -> None:
    assert "Successfully generated" in instructor.on_assignment(LAB, "generate-feedback")
    assert "Successfully released" in instructor.on_assignment(LAB, "release-feedback")
    learner = learners["learner-1"]
    learner.submissions(LAB).get_by_text("Fetch Feedback").first.click()
    learner.submissions(LAB).get_by_text("(view feedback)").first.wait_for()
    pages = list((desk(classroom, "learner-1") / "labs" / LAB / "feedback").glob("*/*.html"))
    assert len(pages) == 1
    read = learner.page.context.new_page()
    read.goto(f"{classroom.address}/user/learner-1/files/{pages[0].relative_to(desk(classroom, 'learner-1'))}")
    expect(read.get_by_text("one reason more would be better")).to_be_visible()
    picture(read, "feedback")
    read.close()
    text = pages[0].read_text()
    assert "one reason more would be better" in text
    assert "29.0 / 30" in text or "Score: 29" in text
    assert "MARK SCHEME" not in text
    assert "HIDDEN TESTS" not in text


def test_a_resubmission_counts_and_a_late_one_is_known_as_late(instructor: Instructor, learners, classroom) -> None:
    instructor.set_due(LAB, "2026-01-31T12:00")
    learner = learners["learner-2"]
    learner.open(NOTEBOOK)
    notebook = nbformat.read(desk(classroom, "learner-2") / NOTEBOOK, as_version=4)
    learner.answer(notebook, {"q1-search": "def find_all(): pass"} | {"q9-judgement": "Second thoughts."})
    learner.save()
    learner.assignments()
    learner.submit(LAB)
    expect(learner.submissions(LAB).locator(".nested_list_item")).to_have_count(2)
    assert "Updating submission: learner-2" in instructor.on_assignment(LAB, "collect")
    assert "Successfully autograded" in instructor.autograde(LAB, "learner-2")
    with gradebook(classroom) as book:
        submission = book.find_submission(LAB, "learner-2")
        assert submission.score < 29, "the marks that the first one got are 29"
        assert submission.total_seconds_late > 0


def test_a_killed_server_comes_back_with_the_work(learners, classroom) -> None:
    learner = learners["learner-4"]
    learner.open("courses/00-welcome/01-welcome.ipynb")
    cell = learner.page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".cm-content").click()
    learner.page.keyboard.press("Control+End")
    learner.page.keyboard.insert_text("\n# saved before the crash")
    learner.save()
    learner.page.keyboard.insert_text("\n# typed and not saved")
    (server,) = servers_of(classroom, "learner-4")
    server.kill()
    psutil.wait_procs([server], timeout=10)
    again = learner.page.context.new_page()
    deadline = time.monotonic() + 120  # the hub looks after its servers every 30 seconds
    while not servers_of(classroom, "learner-4") and time.monotonic() < deadline:
        again.goto(f"{classroom.address}/hub/spawn")
        again.wait_for_timeout(3000)
    again.wait_for_url(re.compile("/user/learner-4/"), timeout=120_000)
    again.close()
    saved = desk(classroom, "learner-4") / "courses/00-welcome/01-welcome.ipynb"
    assert "# saved before the crash" in saved.read_text()
    deadline = time.monotonic() + 120  # the page that was left open goes on with the new server
    while "# typed and not saved" not in saved.read_text() and time.monotonic() < deadline:
        said = learner.page.locator(".jp-Dialog-footer button")
        if said.count():  # that the server was away, or the kernel
            said.last.click()
        learner.page.keyboard.press("Control+S")
        learner.page.wait_for_timeout(2000)
    assert "# typed and not saved" in saved.read_text()


def servers_of(classroom, name: str) -> list[psutil.Process]:
    """Single-user servers that run with a person's account."""
    owner = (classroom.folder / "homes" / name).stat().st_uid
    return [
        process
        for process in psutil.process_iter(["uids", "cmdline"])
        if process.info["uids"].real == owner and "jupyterhub-singleuser" in " ".join(process.info["cmdline"] or [])
    ]


TRIES = """
import json, os
from pathlib import Path
def outcome(try_it):
    try:
        return "DONE: " + repr(try_it())[:80]
    except PermissionError:
        return "refused"
    except FileNotFoundError:
        return "not there"
room, checkout, hub = Path({room!r}), Path({checkout!r}), {hub}
inbound = room / "exchange/ai-skills-academy/inbound"
tries = dict(
    own_home=lambda: os.listdir(room / "homes/learner-2"),
    own_labkit=lambda: (room / "kit/labs/labkit/__init__.py").read_text(),
    another_home=lambda: os.listdir(room / "homes/learner-1"),
    another_notebook=lambda: (room / "homes/learner-1/academy/labs/find-and-judge/find-and-judge.ipynb").read_text(),
    source_of_course=lambda: (room / "course/labs/find-and-judge/find-and-judge.ipynb").read_text(),
    source_of_checkout=lambda: (checkout / "labs/find-and-judge/find-and-judge.ipynb").read_text(),
    tests_of_checkout=lambda: os.listdir(checkout / "tests"),
    history_of_checkout=lambda: os.listdir(checkout / ".git"),
    gradebook=lambda: (room / "course/classroom/gradebook.db").read_bytes(),
    inbound_list=lambda: os.listdir(inbound),
    inbound_take_away=lambda: os.rename(inbound, room / "exchange/inbound"),
    exchange_take_away=lambda: os.rename(room / "exchange/ai-skills-academy", room / "exchange/mine"),
    outbound_write=lambda: (inbound.parent / "outbound/find-and-judge/find-and-judge.ipynb").write_text(""),
    feedback_list=lambda: os.listdir(room / "exchange/ai-skills-academy/feedback"),
    hub_database=lambda: (room / "hub/jupyterhub.sqlite").read_bytes(),
    hub_secret=lambda: (room / "hub/cookie_secret").read_bytes(),
    demo_secret=lambda: (room / "hub/demo_secret").read_bytes(),
    hub_environment=lambda: Path("/proc/" + str(hub) + "/environ").read_bytes(),
    kit_write=lambda: (room / "kit/autograder/__init__.py").write_text(""),
    model_write=lambda: (room / "cache/mine").write_text(""),
)
print(json.dumps({{name: outcome(try_it) for name, try_it in tries.items()}}))
"""


def test_a_learner_cannot_read_what_is_not_theirs(classroom) -> None:
    code = TRIES.format(room=str(classroom.folder), checkout=str(kit_folder()), hub=1)
    done = classroom.as_account("learner-2", code)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes.pop("own_home").startswith("DONE")
    assert outcomes.pop("own_labkit").startswith("DONE")
    assert outcomes == dict.fromkeys(outcomes, "refused")


def test_other_processes_cannot_be_seen_into(classroom) -> None:
    """The hub's token, and another learner's, are in the environment of processes."""
    code = (
        "import os, json\n"
        "from pathlib import Path\n"
        "readable = []\n"
        "for entry in Path('/proc').glob('[0-9]*'):\n"
        "    try:\n"
        "        if entry.stat().st_uid != os.getuid():\n"
        "            readable.append((entry / 'environ').read_bytes()[:20].decode())\n"
        "    except (PermissionError, FileNotFoundError):\n"
        "        pass\n"
        "print(json.dumps([len(list(Path('/proc').glob('[0-9]*'))), readable]))\n"
    )
    seen, readable = json.loads(classroom.as_account("learner-2", code).stdout)
    assert seen > 3
    assert readable == []


REACH = """
import json, os
from pathlib import Path
def outcome(try_it):
    try:
        try_it()
        return "DONE"
    except PermissionError:
        return "refused"
found = []
for entry in Path("/proc").glob("[0-9]*"):
    if entry.stat().st_uid == {owner} and b"autograder.engine.kernel" in (entry / "cmdline").read_bytes():
        tries = dict(
            signal=lambda: os.kill(int(entry.name), 9),
            files=lambda: os.listdir(entry / "fd"),
            memory=lambda: (entry / "mem").read_bytes(),
            folder=lambda: os.stat(entry / "cwd/."),
        )
        found.append({{name: outcome(try_it) for name, try_it in tries.items()}})
print(json.dumps(found))
"""


def test_another_persons_warm_server_cannot_be_reached(learners, classroom) -> None:
    """Kernels are forked from it, so whoever could give it orders would be that person."""
    learners["learner-1"].open("courses/00-welcome/01-welcome.ipynb")
    owner = (classroom.folder / "homes/learner-1").stat().st_uid
    done = classroom.as_account("learner-2", REACH.format(owner=owner))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found, "the server of a learner who has a notebook open"
    for outcomes in found:
        assert outcomes == dict.fromkeys(outcomes, "refused")


def test_a_learner_is_kept_out_by_the_hub_too(learners, classroom) -> None:
    request = learners["learner-2"].page.context.request
    for path, allowed in (
        ("/user/learner-1/api/contents", {403, 404}),
        ("/user/learner-1/lab", {403, 404}),
        ("/services/ai-skills-academy/formgrader/", {403}),
        ("/services/ai-skills-academy/api/contents", {403}),
        ("/hub/api/users", {403}),
        ("/hub/api/users/learner-1", {403, 404}),
        ("/hub/admin", {403}),
        ("/hub/login_list", {403}),
    ):
        assert request.get(f"{classroom.address}{path}").status in allowed, path


def test_what_is_handed_in_in_anothers_name_or_through_a_link_is_not_collected(
    instructor: Instructor, classroom
) -> None:
    solutions = classroom.folder / f"course/labs/{LAB}/{LAB}.ipynb"
    code = (
        "import os\nfrom pathlib import Path\n"
        f"inbound = Path({str(inbound(classroom))!r})\n"
        f"for name in ('learner-1', 'learner-5'):\n"
        f"    folder = inbound / (name + '+{LAB}+{LATER}+forged')\n"
        "    folder.mkdir()\n"
        f"    (folder / 'timestamp.txt').write_text({LATER!r})\n"
        "    (folder / 'submission_secret.txt').write_text('known')\n"
        f"    if name == 'learner-5':\n        os.symlink({str(solutions)!r}, folder / '{LAB}.ipynb')\n"
        f"    else:\n        (folder / '{LAB}.ipynb').write_text('forged')\n"
    )
    before = (classroom.folder / f"course/classroom/submitted/learner-1/{LAB}/{LAB}.ipynb").read_bytes()
    assert classroom.as_account("learner-5", code).returncode == 0
    said = instructor.on_assignment(LAB, "collect")
    assert "is no folder of the account 'learner-1'" in said
    assert "not collected" in said
    assert (classroom.folder / f"course/classroom/submitted/learner-1/{LAB}/{LAB}.ipynb").read_bytes() == before
    assert not (classroom.folder / f"course/classroom/submitted/learner-5/{LAB}/{LAB}.ipynb").exists()


def test_a_learner_comes_in_mid_course(browser: Browser, classroom, learners) -> None:
    """The operator adds a name on the hub's page, and reads the password of the demo there."""
    page = logged_in(browser, classroom.address, "operator-1", classroom.passwords["operator-1"])
    page.wait_for_url(re.compile("/hub/admin"))
    page.get_by_role("link", name="Add Users").or_(page.get_by_role("button", name="Add Users")).first.click()
    page.locator("textarea").fill("learner-6")
    page.get_by_role("button", name=re.compile("Add Users")).last.click()
    page.get_by_text("learner-6").first.wait_for()
    logins = page.context.request.get(f"{classroom.address}/hub/login_list").text()
    classroom.passwords.update(dict(re.findall(r"(learner-6),([0-9a-f]{12})", logins)))
    late = learners["learner-6"]
    late.fetch(LAB)
    assert (desk(classroom, "learner-6") / NOTEBOOK).exists()
    assert (classroom.folder / "homes/learner-6").stat().st_mode & 0o777 == 0o700


def test_the_classroom_ends_cleanly_and_keeps_what_was_done(
    classroom, run_classroom, stop_classroom, browser: Browser, tmp_path: Path
) -> None:
    stop_classroom(classroom)
    assert classroom.process.returncode == 0
    left = [
        p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if str(classroom.folder) in str(p.info["cmdline"])
    ]
    assert left == []
    again = run_classroom(classroom.folder, tmp_path / "output")
    try:
        assert again.passwords == {k: v for k, v in classroom.passwords.items() if k != "learner-6"}
        learner = Learner(browser, again.address, "learner-6", classroom.passwords["learner-6"])
        learner.open(NOTEBOOK)
        assert len(handed_in(again, "learner-2")) == 2
    finally:
        stop_classroom(again)
