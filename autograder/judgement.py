"""Judge an executed notebook: points and a sentence for each question, and only an explicit pass is a pass."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode
from nbgrader.utils import compute_checksum, is_solution

from autograder.rebuild import grade_id, questions

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MESSAGE_CHARACTERS = 600


@dataclass(frozen=True)
class QuestionResult:
    """What one graded cell earned; the fields are those of `academy grade --json`."""

    id: str
    score: float
    max_score: float
    needs_manual_grade: bool
    message: str


def judge(
    notebook: NotebookNode, released: NotebookNode, notes: dict[str, str], stopped: str | None
) -> list[QuestionResult]:
    """Judge every graded cell of an executed `notebook`.

    `released` is the learner's version of the same lab (it tells what was left unanswered, and which test lines a
    learner may see), `notes` come from the rebuild, `stopped` says why execution ended early, if it did.
    """
    handed_out = {grade_id(cell): cell for cell in released.cells if grade_id(cell)}
    results = []
    for graded, answer in questions(notebook):
        identifier = str(grade_id(graded))
        note = notes.get(str(grade_id(answer)), "") if answer is not None else ""
        points = float(graded.metadata.nbgrader["points"])
        if is_solution(graded):
            changed = compute_checksum(graded) != compute_checksum(handed_out[identifier]) and bool(
                graded.source.strip()
            )
            message = "Waits for the instructor's marks." if changed else "Not answered yet."
            result = QuestionResult(identifier, 0.0, points, changed, _joined(note, message))
        else:
            score, message = _judge_test(graded, answer, handed_out, points, stopped)
            result = QuestionResult(identifier, score, points, False, _joined(note, message))
        results.append(result)
    return results


def _judge_test(
    test: NotebookNode,
    answer: NotebookNode | None,
    handed_out: dict[str | None, NotebookNode],
    points: float,
    stopped: str | None,
) -> tuple[float, str]:
    """Return the points of one test cell and why, in plain words."""
    if test.execution_count is None:
        return 0.0, f"Not run: {stopped}." if stopped else "Not run."
    error = _first_error(test)
    if error is None:
        return _partial_points(test, points)
    return 0.0, _why_failed(test, answer, handed_out, error)


def _why_failed(
    test: NotebookNode, answer: NotebookNode | None, handed_out: dict[str | None, NotebookNode], error: NotebookNode
) -> str:
    """Say what to look at: first the answer itself, then what the learner may see of the test."""
    if answer is not None:
        unanswered = {"", handed_out[grade_id(answer)].source.strip()}
        answer_error = _first_error(answer)
        if answer.source.strip() in unanswered:
            return "Not answered yet."
        if answer_error is not None:
            return f"Your answer stopped with {_describe(answer_error)}"
    if error.ename == "CellTimeoutError":
        return f"{_describe(error)} Your answer may be too slow, or wait for something that never comes."
    line = failing_line(test, error)
    if line is None:
        return "A test does not pass; which one cannot be told, because your answer changed how errors are shown."
    if _is_hidden(test, line):
        return (
            "The visible tests pass, a hidden one does not. Something that the task asks for is missing, or something "
            "is there that should not be: read the task again, sentence by sentence."
        )
    return _describe(error)


def _first_error(cell: NotebookNode) -> NotebookNode | None:
    """The cell's first error; a time-out is told from the interrupt that it causes."""
    errors = [output for output in cell.get("outputs", []) if output.output_type == "error"]
    return next((error for error in errors if error.ename == "CellTimeoutError"), next(iter(errors), None))


def _partial_points(test: NotebookNode, points: float) -> tuple[float, str]:
    """A test cell that ends in a number gives that many points (nbgrader's partial credit), any other all of them."""
    for output in test.outputs:
        if output.output_type == "execute_result":
            text = output.data.get("text/plain", "")
            try:
                partial = float(text)
            except ValueError:
                return 0.0, f"The test cell ended in {_clean(text)}, which is not a number of points; tell the author."
            if not 0 <= partial <= points:
                return 0.0, f"The test cell gave {partial} of {points} points; tell the author."
            return partial, "" if partial == points else "Right in part."
    return points, ""


def failing_line(test: NotebookNode, error: NotebookNode) -> int | None:
    """Return the number of the test cell's line at which the error came up; None where the traceback does not say."""
    trace = _ANSI.sub("", "\n".join(error.traceback))
    found = re.search(rf"Cell In\[{test.execution_count}\], line (\d+)", trace)
    return int(found[1]) if found else None


def _is_hidden(test: NotebookNode, line: int) -> bool:
    """Whether learners do not get to see this line of the test cell."""
    before = "\n".join(test.source.split("\n")[:line])
    return before.count("BEGIN HIDDEN TESTS") > before.count("END HIDDEN TESTS")


def _describe(error: NotebookNode) -> str:
    """Name an error as a learner would read it; a bare assertion message is already a sentence."""
    text = _clean(error.evalue)
    if error.ename == "NotImplementedError" and not text:
        return "NotImplementedError: delete the line `raise NotImplementedError` below your answer."
    if error.ename in {"AssertionError", "CellTimeoutError"}:
        return text or "A check failed that says no more than that."
    return f"{_clean(error.ename)}: {text}" if text else _clean(error.ename)


def _clean(text: str) -> str:
    """Take out what could play tricks on a terminal or a page, and what is too long to read."""
    text = _CONTROL.sub("", _ANSI.sub("", str(text))).strip()
    return text if len(text) <= _MESSAGE_CHARACTERS else text[:_MESSAGE_CHARACTERS] + " … (cut)"


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
