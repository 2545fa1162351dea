"""What a learner's labs earned when they were last graded, and how often each question failed."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.delivered import enclosing, fingerprint
from autograder.files import write_whole
from autograder.grading import GradedNotebook

PROGRESS = Path(".academy", "progress.json")
"""Inside a workspace: lab -> `LabProgress` as JSON."""

_BYTES = 1_000_000


@dataclass(frozen=True)
class QuestionProgress:
    """One graded cell."""

    score: float
    max_score: float
    waits: bool
    """for an instructor's marks"""
    fails: int
    """different answers that did not earn full points, since the last time that one did"""


@dataclass(frozen=True)
class LabProgress:
    """The last grading of a lab."""

    time: str
    """ISO 8601, in UTC"""
    fingerprint: str
    """of the notebook that was graded"""
    questions: dict[str, QuestionProgress]

    @property
    def moment(self) -> datetime:
        """When it was graded."""
        return datetime.fromisoformat(self.time)

    @property
    def score(self) -> float:
        """Automatic points."""
        return sum(question.score for question in self.questions.values())

    @property
    def max_score(self) -> float:
        """Points that can be had, those of an instructor included."""
        return sum(question.max_score for question in self.questions.values())


def read(workspace: Path) -> dict[str, LabProgress]:
    """Return the progress by lab. A damaged file, which may come from elsewhere, counts as none."""
    try:
        with (workspace / PROGRESS).open("rb") as file:
            return _parsed(file.read(_BYTES))
    except OSError:
        return {}


def merged(workspace: Path, content: bytes) -> bytes:
    """Return the progress of `workspace` with what a saved one, `content`, knows of other labs or later gradings."""
    known = read(workspace)
    for lab, saved in _parsed(content[:_BYTES]).items():
        if lab not in known or known[lab].moment < saved.moment:
            known[lab] = saved
    return _as_json(known)


def record(notebook: Path, result: GradedNotebook) -> None:
    """Note a result in the workspace that the graded notebook lies in, if it lies in one.

    Raises `OSError` where that cannot be written.
    """
    workspace = enclosing(notebook)
    if workspace is None:
        return
    known = read(workspace)
    before = known.get(result.lab)
    seen = fingerprint(notebook.read_bytes())
    another = before is None or before.fingerprint != seen
    questions = {}
    for question in result.questions:
        full = question.score == question.max_score
        old = before.questions.get(question.id) if before else None
        failed = not (full or question.needs_manual_grade or question.message == "Not answered yet.")
        fails = 0 if full else (old.fails if old else 0) + (failed and another)
        questions[question.id] = QuestionProgress(
            question.score, question.max_score, question.needs_manual_grade, int(fails)
        )
    known[result.lab] = LabProgress(datetime.now(UTC).replace(microsecond=0).isoformat(), seen, questions)
    write_whole(workspace / PROGRESS, _as_json(known))


def _as_json(known: dict[str, LabProgress]) -> bytes:
    return json.dumps({lab: asdict(entry) for lab, entry in known.items()}, indent=1, sort_keys=True).encode()


def _parsed(content: bytes) -> dict[str, LabProgress]:
    try:
        return {str(lab): _lab(entry) for lab, entry in json.loads(content).items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return {}


def _lab(entry: dict[str, object]) -> LabProgress:
    questions = entry["questions"]
    if not isinstance(questions, dict):
        raise TypeError("no questions")
    if datetime.fromisoformat(str(entry["time"])).utcoffset() is None:
        raise ValueError("a time without a zone")
    return LabProgress(
        str(entry["time"]),
        str(entry["fingerprint"]),
        {
            str(name): QuestionProgress(
                float(q["score"]), float(q["max_score"]), bool(q["waits"]), max(0, int(q["fails"]))
            )
            for name, q in questions.items()
        },
    )
