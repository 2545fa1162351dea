"""Do the jobs of a grading run on this computer: a warm server for each worker."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from joblib import cpu_count

from autograder.batch.job import Grader
from autograder.engine.sandbox import PROTECTIONS
from autograder.grading import new_runner


class LocalWorkers:
    """Workers on this computer; use them in a `with` statement."""

    def __init__(self, count: int, *, confined: bool) -> None:
        """Prepare `count` workers, which share the processors; each starts its server with its first job."""
        self.count = count
        """how many jobs run at once"""
        self._confined = confined
        threads = max(1, cpu_count() // count)
        self._graders = [Grader(partial(new_runner, threads=threads, confined=confined)) for _ in range(count)]
        self._idle: SimpleQueue[Grader] = SimpleQueue()
        for grader in self._graders:
            self._idle.put(grader)
        self._pool = ThreadPoolExecutor(count)  # its threads only wait; processes of the servers do the work

    def __enter__(self) -> Self:  # noqa: D105
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what runs and end the servers."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for grader in self._graders:
            grader.close()
        self._pool.shutdown()

    def protections(self) -> str:
        """Try the protections out, and say which are on; raises `AcademyError` where the sandbox cannot be had."""
        if not self._confined:
            return "NO PROTECTIONS: answers may do all that you may do (--unsafe-no-sandbox)."
        self._graders[0].runner.check()
        return f"Protections: {'; '.join(PROTECTIONS)}."

    def submit(self, lab: bytes, submission: bytes) -> Future[bytes]:
        """Have a job done (see `autograder.batch.job.Grader.grade`)."""
        return self._pool.submit(self._grade, lab, submission)

    def _grade(self, lab: bytes, submission: bytes) -> bytes:
        grader = self._idle.get()
        try:
            return grader.grade(lab, submission)
        finally:
            self._idle.put(grader)
