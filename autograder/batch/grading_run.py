"""Grade a class in parallel: as many warm servers as workers, one writer, and nothing done twice."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import nbformat

from autograder.batch.gradebook import GradebookWriter, Mark
from autograder.batch.submitted import HandedIn, Place, changed_tests, fingerprint, key, read
from autograder.engine.runner import Runner
from autograder.errors import AcademyError, UnusableNotebookError
from autograder.files import write_whole
from autograder.grading import Graded, PreparedLab, grade_submission
from autograder.judgement import QuestionResult
from autograder.nbgrader_preprocessors import add_checksums, write_verdicts
from autograder.rebuild import questions


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


@dataclass(frozen=True)
class _Done:
    """A graded submission before it is in the gradebook."""

    handed_in: HandedIn
    key: str
    graded: Graded | None
    """None where nothing has changed since the last run"""


class GradingRun:
    """One call of `academy autograde`."""

    def __init__(
        self, labs: dict[str, PreparedLab], gradebook: GradebookWriter, autograded: Path,
        new_runner: Callable[[], Runner], workers: int,
    ) -> None:  # fmt: skip
        """Prepare a run: graded notebooks go to nbgrader's folder `autograded`, as formgrader wants to find them."""
        self._labs = labs
        self._gradebook = gradebook
        self._autograded = autograded
        self._marks = {lab: gradebook.marks(lab) for lab in labs}
        self._fingerprints = {name: fingerprint(prepared.lab) for name, prepared in labs.items()}
        self._workers = workers
        self._new_runner = new_runner
        self._runners: SimpleQueue[Runner] = SimpleQueue()
        self._stopping = threading.Event()

    def outcomes(self, places: Sequence[Place]) -> Iterator[Outcome]:
        """Grade submissions and yield what becomes of each, in the order in which they are done.

        What has been yielded is in the gradebook. A bad submission is an outcome, not an exception; raises
        `AcademyError` where the sandbox or the gradebook does not work, after which the same call can be repeated.
        """
        runners = [self._new_runner() for _ in range(self._workers)]
        for runner in runners:
            self._runners.put(runner)
        pool = ThreadPoolExecutor(self._workers)
        waiting = iter(places)
        try:
            running: dict[Future[_Done], tuple[Place, float]] = {}
            while True:
                # Few are handed out at a time, so that memory does not grow with the class.
                for place in waiting:
                    running[pool.submit(self._grade, place)] = (place, time.monotonic())
                    if len(running) >= 2 * self._workers:
                        break
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    place, started = running.pop(future)
                    yield self._outcome(place, future, started)
        finally:
            self._stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            for runner in runners:
                runner.close()
            pool.shutdown()

    def _grade(self, place: Place) -> _Done:
        """Read and grade in a worker's thread; the processes of a runner do the work."""
        prepared = self._labs[place.lab]
        handed_in = read(place)
        mark = key(handed_in, self._fingerprints[place.lab])
        known = self._marks[place.lab].get(place.learner)
        if known is not None and known.key == mark and self._notebook(place).exists():
            return _Done(handed_in, mark, None)
        runner = self._runners.get()
        try:
            if self._stopping.is_set():
                raise AcademyError("stopped")
            return _Done(handed_in, mark, grade_submission(handed_in.submission, prepared, runner))
        finally:
            self._runners.put(runner)

    def _outcome(self, place: Place, future: Future[_Done], started: float) -> Outcome:
        """Write what a worker found, and say what became of the submission."""
        try:
            done = future.result()
        except UnusableNotebookError as error:
            graded = questions(self._labs[place.lab].source)
            most = sum(float(cell.metadata.nbgrader["points"]) for cell, _ in graded)
            return Outcome(place.learner, place.lab, 0.0, most, "failed", str(error), time.monotonic() - started)
        if done.graded is None:
            known: Mark = self._marks[place.lab][place.learner]
            odd = done.handed_in.oddities
            return Outcome(place.learner, place.lab, known.score, known.max_score, "unchanged", "", oddities=odd)
        add_checksums(done.graded.notebook, self._labs[place.lab].handed_out)
        write_verdicts(done.graded.notebook, done.graded.questions)
        self._save(place, done.graded)
        score, most = self._gradebook.write(
            place.learner, place.lab, done.graded.notebook, timestamp=done.handed_in.timestamp, key=done.key
        )
        return Outcome(
            place.learner, place.lab, score, most, "graded", "", done.graded.run.seconds, done.graded.questions,
            [*done.handed_in.oddities, *changed_tests(done.handed_in.submission, self._labs[place.lab].handed_out),
             *([done.graded.run.stopped] if done.graded.run.stopped else [])],
        )  # fmt: skip

    def _notebook(self, place: Place) -> Path:
        return self._autograded / place.learner / place.lab / f"{place.lab}.ipynb"

    def _save(self, place: Place, graded: Graded) -> None:
        """Put the graded notebook, the lab's data files and the time where nbgrader has them, each as a whole."""
        folder = self._notebook(place).parent
        folder.mkdir(parents=True, exist_ok=True)
        for name, source in self._labs[place.lab].data.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / name)
        stamp = place.folder / "timestamp.txt"
        if stamp.is_file() and not stamp.is_symlink():
            write_whole(folder / "timestamp.txt", stamp.read_bytes()[:200])
        write_whole(self._notebook(place), nbformat.writes(graded.notebook).encode())
