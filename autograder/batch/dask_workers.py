"""Do the jobs of a grading run on a Dask cluster, whose workers may come, go and die meanwhile."""

from concurrent.futures import CancelledError, Future
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from distributed import Client, KilledWorker, Worker, WorkerPlugin, get_worker
from distributed import Future as DaskFuture
from joblib import cpu_count

from autograder.batch.job import Grader
from autograder.engine.sandbox import PROTECTIONS
from autograder.errors import AcademyError, UnusableNotebookError
from autograder.grading import new_runner

_CONNECT_SECONDS = 10
_WORKER_SECONDS = 60
_SAME_EVERYWHERE = ("ai-skills-academy", "ipython", "numpy", "pandas", "scikit-learn", "torch", "transformers")
"""Packages on whose versions scores may depend."""


class DaskWorkers:
    """The workers of a cluster; use them in a `with` statement."""

    def __init__(self, address: str, *, confined: bool) -> None:
        """Connect to the scheduler at `address`, and have its workers prepared, also those that come later.

        Raises `AcademyError` where there is no scheduler or no worker, where a worker has other versions of the kit or
        its packages, and where a worker cannot confine answers.
        """
        self._address = address
        self._confined = confined
        self._running: set[DaskFuture[bytes]] = set()
        try:
            self._client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise AcademyError(f"no Dask scheduler answers at {address} ({error}); start one: dask scheduler") from None
        try:
            self._client.wait_for_workers(1, timeout=_WORKER_SECONDS)
            self._client.register_plugin(Graders(_versions(), confined=confined))
        except TimeoutError:
            self.close()
            raise AcademyError(
                f"the scheduler at {address} has no workers; start some: dask worker {address} --nthreads 1"
            ) from None
        except AcademyError:
            self.close()
            raise

    def __enter__(self) -> Self:  # noqa: D105
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give up what runs, end the servers on the workers, and let the cluster be."""
        self.close()

    def close(self) -> None:
        """Do what leaving the `with` statement does."""
        try:
            self._client.cancel(list(self._running))
            self._client.unregister_worker_plugin(Graders.name)
        except (OSError, ValueError, CancelledError):
            pass  # the scheduler is gone, and with it all that could be ended
        self._client.close()

    @property
    def count(self) -> int:
        """How many jobs run at once now."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def protections(self) -> str:
        """Say which protections are on; each worker has tried them out."""
        workers = f"on {len(self._client.nthreads())} workers"
        if not self._confined:
            return f"NO PROTECTIONS {workers}: answers may do all that these may do (--unsafe-no-sandbox)."
        return f"Protections {workers}: {'; '.join(PROTECTIONS)}."

    def submit(self, lab: bytes, submission: bytes) -> Future[bytes]:
        """Have a job done (see `autograder.batch.job.Grader.grade`); where its worker dies, another one does it."""
        waiting: Future[bytes] = Future()
        job = self._client.submit(_grade, lab, submission, pure=False)
        self._running.add(job)
        job.add_done_callback(partial(self._hand_over, waiting))
        return waiting

    def _hand_over(self, waiting: Future[bytes], job: DaskFuture[bytes]) -> None:
        self._running.discard(job)
        try:
            waiting.set_result(job.result())
        except KilledWorker as error:
            message = f"workers died {error.allowed_failures + 1} times while they graded it; look at it yourself"
            waiting.set_exception(UnusableNotebookError(message))
        except (CancelledError, OSError):
            message = f"the connection to the scheduler at {self._address} was lost; run the same command again"
            waiting.set_exception(AcademyError(message))
        except Exception as error:  # noqa: BLE001  whatever a worker raised belongs to the one who waits for it
            waiting.set_exception(error)


class Graders(WorkerPlugin):
    """On each worker: warm servers, as many as jobs run there at once."""

    name = "academy-graders"

    def __init__(self, versions: dict[str, str], *, confined: bool) -> None:
        self._versions = versions
        self._confined = confined

    def setup(self, worker: Worker) -> None:
        """Prepare a worker.

        Raises `AcademyError` where versions differ from those of the instructor, or the sandbox cannot be had.
        """
        self._graders: list[Grader] = []
        self._idle: SimpleQueue[Grader] = SimpleQueue()
        others = {name: found for name, found in _versions().items() if found != self._versions[name]}
        if others:
            wanted = ", ".join(f"{name} {self._versions[name]} (not {found})" for name, found in others.items())
            raise AcademyError(f"the Dask worker {worker.address} must have the same versions as you: {wanted}")
        threads = max(1, cpu_count() // worker.state.nthreads)
        self._new_runner = partial(new_runner, threads=threads, confined=self._confined)
        first = self._new_grader()
        if self._confined:
            first.runner.check()
        self._idle.put(first)

    def teardown(self, worker: Worker) -> None:
        """End the servers."""
        for grader in self._graders:
            grader.close()

    def grade(self, lab: bytes, submission: bytes) -> bytes:
        """Do a job on a server that has nothing else to do."""
        try:
            grader = self._idle.get_nowait()
        except Empty:
            grader = self._new_grader()
        try:
            return grader.grade(lab, submission)
        finally:
            self._idle.put(grader)

    def _new_grader(self) -> Grader:
        grader = Grader(self._new_runner)
        self._graders.append(grader)
        return grader


def _grade(lab: bytes, submission: bytes) -> bytes:
    """Do a job on the worker that this runs on."""
    graders: Graders = get_worker().plugins[Graders.name]  # type: ignore[assignment]
    return graders.grade(lab, submission)


def _versions() -> dict[str, str]:
    """Return the versions of what scores depend on, as installed here."""
    found = {}
    for name in _SAME_EVERYWHERE:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "nothing"
    return found
