"""What `academy autograde` does: nbgrader's configuration, the labs, the run with its progress bar, the report."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from joblib import cpu_count
from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from traitlets.config import Config

from autograder.batch.feedback import feedback
from autograder.batch.gradebook import GradebookWriter
from autograder.batch.grading_run import GradingRun, Outcome
from autograder.batch.local_workers import LocalWorkers
from autograder.batch.run_report import RunReport, now
from autograder.batch.submitted import Place, places
from autograder.batch.unpacking import unpack
from autograder.errors import AcademyError
from autograder.grading import PreparedLab, prepare_lab
from autograder.kit import Lab

if TYPE_CHECKING:
    from autograder.batch.dask_workers import DaskWorkers


def autograde(
    names: Sequence[str], *, zips: Path | None, submitted: Path | None, db_url: str | None, workers: int | None,
    scheduler: str | None, with_feedback: bool, confined: bool, console: Console,
) -> tuple[RunReport, Path]:  # fmt: skip
    """Grade the submissions of the labs called `names` (all of the course without any) and save a report.

    Before that the zip files in the folder `zips`, if there is one, are unpacked among the submissions. Returns the
    report and the path of its page. Raises `AcademyError` where nothing can be graded, or the sandbox or the gradebook
    does not work. After Ctrl-C the report of what is done is saved, too, and KeyboardInterrupt goes on.
    """
    config = _nbgrader_config()
    course = CourseDirectory(config=config)
    started, began, outcomes = now(), time.monotonic(), list[Outcome]()
    db_url = db_url or course.db_url
    with GradebookWriter(config, db_url, course.course_id) as gradebook:
        labs = _labs(names, course, gradebook)
        folder = submitted or Path(_folder(course, course.submitted_directory))
        if zips is not None:
            outcomes += _unpacked(zips, folder, labs, console)
        if not folder.is_dir():
            raise AcademyError(f"{folder}: there is no such folder; collect submissions first, or name it: --submitted")
        found = list(places(folder, labs))
        autograded = Path(_folder(course, course.autograded_directory))
        with _workers(workers, scheduler, len(found), confined=confined) as working:
            protections = working.protections()
            console.print(protections, style=None if confined else "bold red")
            run = GradingRun(labs, gradebook, autograded, working)
            try:
                with _progress(console, "grading", len(found)) as progress:
                    for outcome in run.outcomes(found):
                        outcomes.append(outcome)
                        progress()
            finally:
                report = RunReport(started, time.monotonic() - began, outcomes, protections)
                page = report.save(autograded.parent / "reports")
    if with_feedback:
        done = {(outcome.student, outcome.lab) for outcome in outcomes if outcome.status != "failed"}
        graded = [place for place in found if (place.learner, place.lab) in done]
        _write_feedback(config, db_url, graded, workers, console)
    return report, page


def _unpacked(zips: Path, folder: Path, labs: Collection[str], console: Console) -> list[Outcome]:
    """Unpack zip files among the submissions in `folder`; say what was done, and return those that were refused."""
    folder.mkdir(parents=True, exist_ok=True)
    found = list(unpack(zips, folder, labs))
    for file in found:
        if file.status in {"older", "other lab"}:
            console.print(f"{escape(str(file.archive))}: left out ({file.status}: {file.learner}, {file.lab})")
    console.print(f"{len(found)} zip files, {sum(file.status == 'new' for file in found)} of them new")
    return [Outcome(str(f.archive), "", 0.0, 0.0, "failed", f.reason) for f in found if f.status == "refused"]


def print_report(report: RunReport, page: Path, console: Console) -> None:
    """Print a table of what needs a look, and a line of sums."""
    table = Table(title="To look at", title_justify="left")
    for heading in ("learner", "lab", "what"):
        table.add_column(heading, overflow="fold")
    for outcome in report.outcomes:
        for line in filter(None, (outcome.reason, *outcome.oddities)):
            table.add_row(*map(escape, (outcome.student, outcome.lab, line)))
    if table.row_count:
        console.print(table)
    counts = report.counts()
    speed = counts["graded"] / report.seconds if report.seconds else 0
    console.print(
        f"[bold]{counts['graded']} graded, {counts['unchanged']} unchanged, {counts['failed']} failed[/] "
        f"in {report.seconds:.1f} s ({speed:.1f} a second)\nreport: {escape(str(page))}"
    )


def _nbgrader_config() -> Config:
    """Read nbgrader's configuration in this folder."""
    if not Path("nbgrader_config.py").is_file():
        raise AcademyError(f"{Path.cwd()}: there is no nbgrader_config.py here; run this at the root of your course")
    app = NbGrader()
    app.load_config_file()
    config: Config = app.config
    return config


def _folder(course: CourseDirectory, name: str) -> str:
    return os.path.join(course.root, name)  # noqa: PTH118  as nbgrader puts them together


def _labs(names: Sequence[str], course: CourseDirectory, gradebook: GradebookWriter) -> dict[str, PreparedLab]:
    """Read the labs to grade from the course's source folder; those that the gradebook knows."""
    source = Path(_folder(course, course.source_directory))
    known = sorted(path.parent.name for path in source.glob("*/*.ipynb") if path.stem == path.parent.name)
    for name in names:
        if name not in known:
            raise AcademyError(f"there is no lab '{name}'; the labs are: {', '.join(known)}")
        if not gradebook.has_assignment(name):
            raise AcademyError(f"the gradebook has no lab '{name}'; run `nbgrader generate_assignment {name}` first")
    chosen = names or [name for name in known if gradebook.has_assignment(name)]
    if not chosen:
        raise AcademyError("the gradebook has no labs yet; run `nbgrader generate_assignment LAB` first")
    return {name: prepare_lab(Lab(name, source / name)) for name in chosen}


def _workers(count: int | None, scheduler: str | None, jobs: int, *, confined: bool) -> "LocalWorkers | DaskWorkers":
    """Return the workers of this computer, by default one a processor, or those of the Dask cluster at `scheduler`."""
    if scheduler is None:
        return LocalWorkers(min(count or cpu_count(), max(jobs, 1)), confined=confined)
    try:
        from autograder.batch.dask_workers import DaskWorkers  # noqa: PLC0415  needs an extra
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        raise AcademyError('--scheduler needs Dask; install it: pip install "ai-skills-academy[dask]"') from None
    return DaskWorkers(scheduler, confined=confined)


def _write_feedback(
    config: Config, db_url: str, graded: Sequence[Place], workers: int | None, console: Console
) -> None:
    """Write all feedback pages; raises `AcademyError` that names those that could not be written."""
    failed = []
    with _progress(console, "feedback", len(graded)) as progress:
        for place, worked in feedback(config, db_url, graded, workers or cpu_count()):
            failed += [] if worked else [f"{place.learner}/{place.lab}"]
            progress()
    if failed:
        raise AcademyError(f"no feedback for {', '.join(failed)}; `nbgrader generate_feedback` says why")


@contextmanager
def _progress(console: Console, doing: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar with the time that is left and the speed."""
    bar = Progress(
        TextColumn(doing), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(), console=console, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
