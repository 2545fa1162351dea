"""One job of a grading run: a lab and answers as bytes in, the graded notebook as bytes out; no shared files needed."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import msgpack
import nbformat
from nbformat import NotebookNode

from autograder.engine.limits import Limits
from autograder.engine.runner import Runner
from autograder.grading import Graded, PreparedLab, grade_submission
from autograder.judgement import QuestionResult
from autograder.kit import Lab
from autograder.nbgrader_preprocessors import add_checksums, write_verdicts
from autograder.reading import Submission


@dataclass(frozen=True)
class JobResult:
    """What comes back from a job."""

    notebook: str
    """the graded notebook as JSON, with outputs and, as nbgrader reads them, verdicts"""
    questions: list[QuestionResult]
    stopped: str | None
    """why the run ended early, if it did"""
    seconds: float
    cpu_seconds: float
    """processor time of learner and examiner together"""
    megabytes: float
    """largest resident memory of the learner's process"""


def lab_as_bytes(prepared: PreparedLab) -> bytes:
    """Pack all that grading needs of a lab (its notebooks, limits and data files)."""
    content: bytes = msgpack.packb(
        {
            "name": prepared.lab.name,
            "source": nbformat.writes(prepared.source),
            "handed_out": nbformat.writes(prepared.handed_out),
            "data": {name: path.read_bytes() for name, path in prepared.data.items()},
        }
    )
    return content


def submission_as_bytes(submission: Submission) -> bytes:
    """Pack what grading takes from a submission."""
    return json.dumps(asdict(submission)).encode()


def result_from(content: bytes) -> JobResult:
    """Unpack the result of a job."""
    parts = json.loads(content)
    return JobResult(**parts | {"questions": [QuestionResult(**question) for question in parts["questions"]]})


class Grader:
    """Does jobs, one at a time, on a warm server of its own."""

    def __init__(self, new_runner: Callable[[], Runner]) -> None:
        self.runner = new_runner()
        self._folder = Path(tempfile.mkdtemp(prefix="academy-labs-"))
        self._labs: dict[str, PreparedLab] = {}

    def grade(self, lab: bytes, submission: bytes) -> bytes:
        """Grade a submission; takes and returns what the functions of this module pack.

        Raises `UnusableNotebookError` where the submission belongs to another lab or answers nothing, and
        `AcademyError` where the sandbox cannot be had.
        """
        prepared = self._prepared(lab)
        graded = grade_submission(Submission(**json.loads(submission)), prepared, self.runner)
        add_checksums(graded.notebook, prepared.handed_out)
        write_verdicts(graded.notebook, graded.questions)
        return json.dumps(asdict(_result(graded))).encode()

    def close(self) -> None:
        """End the server and remove the files of the labs."""
        self.runner.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _prepared(self, lab: bytes) -> PreparedLab:
        """Unpack a lab, once."""
        key = hashlib.sha256(lab).hexdigest()
        if key not in self._labs:
            parts = msgpack.unpackb(lab)
            folder = self._folder / key
            for name, content in parts["data"].items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            source: NotebookNode = nbformat.reads(parts["source"], as_version=4)
            self._labs[key] = PreparedLab(
                lab=Lab(parts["name"], folder),
                source=source,
                handed_out=nbformat.reads(parts["handed_out"], as_version=4),
                limits=Limits.of(source),
                data={name: folder / name for name in parts["data"]},
            )
        return self._labs[key]


def _result(graded: Graded) -> JobResult:
    run = graded.run
    processes = [usage for usage in (run.learner, run.examiner) if usage is not None]
    return JobResult(
        notebook=nbformat.writes(graded.notebook),
        questions=graded.questions,
        stopped=run.stopped,
        seconds=run.seconds,
        cpu_seconds=sum(usage.cpu_seconds for usage in processes),
        megabytes=run.learner.megabytes if run.learner else 0.0,
    )
