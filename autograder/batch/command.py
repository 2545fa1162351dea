"""What `academy autograde` does: nbgrader's configuration, the labs, the run with its progress bar, the report."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nbgrader.apps import NbGrader
from nbgrader.coursedir import CourseDirectory
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from traitlets.config import Config

from autograder.batch.gradebook import GradebookWriter
from autograder.batch.grading_run import GradingRun, Outcome
from autograder.batch.run_report import RunReport, now
from autograder.batch.submitted import places
from autograder.batch.unpacking import unpack
from autograder.engine.sandbox import PROTECTIONS
from autograder.errors import AcademyError
from autograder.grading import PreparedLab, new_runner, prepare_lab
from autograder.kit import Lab


def autograde(
    names: Sequence[str], *, zips: Path | None, submitted: Path | None, db_url: str | None, workers: int | None,
    confined: bool, console: Console,
) -> tuple[RunReport, Path]:  # fmt: skip
    """Grade the submissions of the labs called `names` (all of the course without any) and save a report.

    Before that the zip files in the folder `zips`, if there is one, are unpacked among the submissions. Returns the
    report and the path of its page. Raises `AcademyError` where nothing can be graded, or the sandbox or the gradebook
    does not work. After Ctrl-C the report of what is done is saved, too, and KeyboardInterrupt goes on.
    """
    config = _nbgrader_config()
    course = CourseDirectory(config=config)
    workers = workers or os.cpu_count() or 1
    threads = max(1, (os.cpu_count() or 1) // workers)
    protections = _protections(confined)
    console.print(protections, style=None if confined else "bold red")
    started, began, outcomes = now(), time.monotonic(), list[Outcome]()
    with GradebookWriter(config, db_url or course.db_url, course.course_id) as gradebook:
        labs = _labs(names, course, gradebook)
        folder = submitted or Path(_folder(course, course.submitted_directory))
        if zips is not None:
            outcomes += _unpacked(zips, folder, labs, console)
        if not folder.is_dir():
            raise AcademyError(f"{folder}: there is no such folder; collect submissions first, or name it: --submitted")
        found = list(places(folder, labs))
        run = GradingRun(
            labs, gradebook, Path(_folder(course, course.autograded_directory)),
            lambda: new_runner(threads=threads, confined=confined), min(workers, max(len(found), 1)),
        )  # fmt: skip
        try:
            with _progress(console, len(found)) as progress:
                for outcome in run.outcomes(found):
                    outcomes.append(outcome)
                    progress()
        finally:
            report = RunReport(started, time.monotonic() - began, outcomes, protections)
            page = report.save(Path(_folder(course, course.autograded_directory)).parent / "reports")
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


def _protections(confined: bool) -> str:
    """Try the protections out, and say which are on.

    Raises `AcademyError` where the sandbox cannot be had.
    """
    if not confined:
        return "NO PROTECTIONS: answers may do all that you may do (--unsafe-no-sandbox)."
    with new_runner() as runner:
        runner.check()
    return f"Protections: {'; '.join(PROTECTIONS)}."


@contextmanager
def _progress(console: Console, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar with the time that is left and the speed."""
    bar = Progress(
        TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn(show_speed=True),
        TimeRemainingColumn(), console=console, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)
