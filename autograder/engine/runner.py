"""Run notebooks on a warm server: keep a template for each lab, and start again when the server dies or grows."""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from joblib import cpu_count

from autograder.engine.conductor import Conductor, Run
from autograder.engine.limits import Limits
from autograder.engine.plan import Plan
from autograder.engine.sandbox import readable_places
from autograder.engine.warm import ONE_THREAD, PACKAGES, Process, ServerError, Template, UnconfinedError, WarmServer
from autograder.errors import AcademyError

_KEPT_TEMPLATES = 4
_RUNS_PER_SERVER = 500
"""After so many notebooks a new server takes over, whatever a library may have leaked until then."""


class Runner:
    """One warm server, which runs one notebook at a time; use it in a `with` statement or close it."""

    def __init__(
        self, *, packages: Sequence[str] = PACKAGES, threads: int | None = None, confined: bool = True,
        readable: Sequence[Path] = (), environment: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Prepare to run notebooks; the server starts with the first one.

        `packages` are imported once; `threads` is what a process may use at the same time (default: OMP_NUM_THREADS,
        or the processors of this container or machine); `readable` are files and folders that notebooks may read
        beside the packages, `environment` are variables that they see beside a few harmless ones. `confined=False`
        gives the learner's code all that this user may do: for trusted code only.
        """
        self._packages = tuple(packages)
        self._threads = threads or _threads_by_default()
        self._confined = confined
        self._readable = readable_places(*readable)
        self._environment = _environment() | dict(environment or {})
        self._server: WarmServer | None = None
        self._templates: OrderedDict[str, Template] = OrderedDict()
        self._runs = 0
        self._folders = count()
        self._closed = False

    def __enter__(self) -> Self:  # noqa: D105
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def run(self, plan: Plan, limits: Limits, data: dict[str, Path]) -> Run:
        """Run a planned notebook in folders of its own, with `data`: name in the folder -> file to copy there.

        Raises `AcademyError` where the sandbox cannot be had, or where the warm server does not work: twice, since a
        server that has died is replaced once.
        """
        if not hasattr(os, "fork"):
            raise AcademyError("grading needs Linux or macOS; on Windows run the kit in WSL 2")
        try:
            return self._run(plan, limits, data)
        except ServerError:
            self._end_server()
        except UnconfinedError as error:
            raise AcademyError(
                f"the answers cannot be shut in on this computer: {error}; for work that you trust there is "
                "--unsafe-no-sandbox"
            ) from error
        try:
            return self._run(plan, limits, data)
        except ServerError as error:
            self._end_server()
            raise AcademyError(f"grading does not work: {error}") from error

    def check(self) -> None:
        """Make sure that notebooks can run, with the protections that were asked for.

        Raises `AcademyError` as `run` does.
        """
        self.run(Plan(()), Limits(), {})

    def close(self) -> None:
        """End the server with all its processes, for good: what runs in another thread ends with an `AcademyError`."""
        self._closed = True
        self._end_server()

    def _end_server(self) -> None:
        for template in self._templates.values():
            template.close()
        self._templates.clear()
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _run(self, plan: Plan, limits: Limits, data: dict[str, Path]) -> Run:
        started = time.monotonic()
        if self._runs >= _RUNS_PER_SERVER:
            self._end_server()
            self._runs = 0
        self._runs += 1
        template = self._template(plan, limits, data)
        run = Run(outputs={step.index: list(o) for step, o in zip(plan.prefix, template.outputs, strict=False)})
        with (
            self._forked(template, "learner", limits) as learner,
            self._forked(template, "examiner", limits) as examiner,
        ):
            Conductor(learner, examiner, limits).conduct(plan.steps[len(template.outputs) :], run)
            run.learner, run.examiner = learner.end(), examiner.end()
        run.seconds = time.monotonic() - started
        return run

    def _template(self, plan: Plan, limits: Limits, data: dict[str, Path]) -> Template:
        """Return the template for a lab, and grow it where there is none yet."""
        if self._server is None and not self._closed:
            self._server = WarmServer(self._packages, self._environment)
        if self._server is None or self._closed:
            self._end_server()
            raise AcademyError("grading was stopped; run it again")
        cells = [(step.number, step.source) for step in plan.prefix]
        key = _key(cells, data)
        if key not in self._templates:
            folder = self._server.folder / f"template-{next(self._folders)}"
            _copy(data, folder)
            template = self._server.root.grow(folder, cells, limits.notebook_seconds)
            if template.threads > 1:
                # Something in the setup cells has started threads, which a fork would not copy: run them each time.
                template.close()
                template = self._server.root.grow(folder, [], limits.notebook_seconds)
            self._templates[key] = template
            if len(self._templates) > _KEPT_TEMPLATES:
                self._templates.popitem(last=False)[1].close()
        self._templates.move_to_end(key)
        return self._templates[key]

    @contextlib.contextmanager
    def _forked(self, template: Template, role: str, limits: Limits) -> Iterator[Process]:
        """A process forked from a template, ended in any case."""
        assert self._server is not None  # noqa: S101  a template has one
        work = self._server.folder / f"{role}-{next(self._folders)}"
        process = template.fork(
            role, work, readable=self._readable, limits=limits, confined=self._confined,
            threads=self._threads,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.end()


def _threads_by_default() -> int:
    """As many threads as the user allows to every program; more than processors would wait for one another for ever."""
    allowed = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(allowed)) if allowed.isdecimal() else cpu_count()


def _key(cells: Sequence[tuple[int, str]], data: dict[str, Path]) -> str:
    """What a template depends on: the setup cells and the content of the data files."""
    digest = hashlib.sha256(json.dumps(cells).encode())
    for name, path in sorted(data.items()):
        digest.update(json.dumps([name, hashlib.sha256(path.read_bytes()).hexdigest()]).encode())
    return digest.hexdigest()


def _copy(data: dict[str, Path], folder: Path) -> None:
    folder.mkdir()
    for name, path in data.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _environment() -> dict[str, str]:
    """Environment of the server: what programs need to start, and the kit's own settings; one thread everywhere."""
    kept = ("PATH", "PYTHONPATH", "HOME", "LANG", "LANGUAGE", "TZ", "MPLCONFIGDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH")
    environment = {
        name: value for name, value in os.environ.items() if name in kept or name.startswith(("LC_", "LABKIT_"))
    }
    return environment | ONE_THREAD | {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
