"""Grade a class: hand its submissions to workers, write what comes back, and do nothing twice."""

import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import nbformat

from autograder.batch.gradebook import GradebookWriter
from autograder.batch.job import JobResult, lab_as_bytes, result_from, submission_as_bytes
from autograder.batch.submitted import HandedIn, Place, changed_tests, fingerprint, key, read
from autograder.errors import UnusableNotebookError
from autograder.files import write_whole
from autograder.grading import PreparedLab
from autograder.judgement import QuestionResult
from autograder.rebuild import questions


class Workers(Protocol):
    """Where jobs are done: `LocalWorkers` or `DaskWorkers`."""

    @property
    def count(self) -> int:
        """How many jobs run at once."""

    def submit(self, lab: bytes, submission: bytes) -> Future[bytes]:
        """Have a job done; see `autograder.batch.job`."""


@dataclass(frozen=True)
class Outcome:
    """What became of one submission; the first six fields are those of `academy autograde --json`."""

    student: str
    lab: str
    score: float
    max_score: float
    status: str
    """graded, unchanged or failed"""
    reason: str
    """why it failed; empty otherwise"""
    seconds: float = 0.0
    questions: Sequence[QuestionResult] = ()
    oddities: Sequence[str] = ()
    """what an instructor should look at, in plain words"""
    cpu_seconds: float = 0.0
    """processor time of the answers and the tests"""
    megabytes: float = 0.0
    """largest resident memory of the answers' process"""


@dataclass(frozen=True)
class _Running:
    """A submission that a worker has."""

    handed_in: HandedIn
    key: str
    started: float


class GradingRun:
    """One call of `academy autograde`."""

    def __init__(
        self, labs: dict[str, PreparedLab], gradebook: GradebookWriter, autograded: Path, workers: Workers
    ) -> None:
        """Prepare a run: graded notebooks go to nbgrader's folder `autograded`, as formgrader wants to find them."""
        self._labs = labs
        self._packed = {name: lab_as_bytes(prepared) for name, prepared in labs.items()}
        self._gradebook = gradebook
        self._autograded = autograded
        self._marks = {lab: gradebook.marks(lab) for lab in labs}
        self._fingerprints = {name: fingerprint(prepared.lab) for name, prepared in labs.items()}
        self._workers = workers

    def outcomes(self, places: Sequence[Place]) -> Iterator[Outcome]:
        """Grade submissions and yield what becomes of each, in the order in which they are done.

        What has been yielded is in the gradebook. A bad submission is an outcome, not an exception; raises
        `AcademyError` where the sandbox or the gradebook does not work, after which the same call can be repeated.
        """
        running: dict[Future[bytes], _Running] = {}
        waiting = iter(places)
        while True:
            # Few are handed out at a time, so that memory does not grow with the class.
            for place in waiting:
                begun = self._begin(place)
                if isinstance(begun, Outcome):
                    yield begun
                    continue
                future, what = begun
                running[future] = what
                if len(running) >= 2 * self._workers.count:
                    break
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield self._end(running.pop(future), future)

    def _begin(self, place: Place) -> Outcome | tuple[Future[bytes], _Running]:
        """Read a submission and hand it to a worker, unless it is unusable or was graded before."""
        started = time.monotonic()
        try:
            handed_in = read(place)
        except UnusableNotebookError as error:
            return self._failed(place, error, started)
        mark = key(handed_in, self._fingerprints[place.lab])
        known = self._marks[place.lab].get(place.learner)
        if known is not None and known.key == mark and self._notebook(place).exists():
            odd = handed_in.oddities
            return Outcome(place.learner, place.lab, known.score, known.max_score, "unchanged", "", oddities=odd)
        future = self._workers.submit(self._packed[place.lab], submission_as_bytes(handed_in.submission))
        return future, _Running(handed_in, mark, started)

    def _end(self, what: _Running, future: Future[bytes]) -> Outcome:
        """Write what a worker found, and say what became of the submission."""
        place, handed_in = what.handed_in.place, what.handed_in
        try:
            result = result_from(future.result())
        except UnusableNotebookError as error:
            return self._failed(place, error, what.started)
        self._save(place, result)
        score, most = self._gradebook.write(
            place.learner, place.lab, nbformat.reads(result.notebook, as_version=4),
            timestamp=handed_in.timestamp, key=what.key,
        )  # fmt: skip
        return Outcome(
            place.learner, place.lab, score, most, "graded", "", result.seconds, result.questions,
            [*handed_in.oddities, *changed_tests(handed_in.submission, self._labs[place.lab].handed_out),
             *([result.stopped] if result.stopped else [])],
            result.cpu_seconds, result.megabytes,
        )  # fmt: skip

    def _failed(self, place: Place, error: UnusableNotebookError, started: float) -> Outcome:
        graded = questions(self._labs[place.lab].source)
        most = sum(float(cell.metadata.nbgrader["points"]) for cell, _ in graded)
        return Outcome(place.learner, place.lab, 0.0, most, "failed", str(error), time.monotonic() - started)

    def _notebook(self, place: Place) -> Path:
        return self._autograded / place.learner / place.lab / f"{place.lab}.ipynb"

    def _save(self, place: Place, result: JobResult) -> None:
        """Put the graded notebook, the lab's data files and the time where nbgrader has them, each as a whole."""
        folder = self._notebook(place).parent
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in self._labs[place.lab].data.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / name)
        stamp = place.folder / "timestamp.txt"
        if stamp.is_file() and not stamp.is_symlink():
            write_whole(folder / "timestamp.txt", stamp.read_bytes()[:200])
        write_whole(self._notebook(place), result.notebook.encode())
