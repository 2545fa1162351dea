"""The command `academy`: prepare a workspace, open it in JupyterLab, grade a notebook."""

import errno
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from autograder.errors import AcademyError

if TYPE_CHECKING:
    from autograder.grading import GradedNotebook

app = typer.Typer(
    name="academy",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Courses and graded labs on open data, multilingual models and the AI Act.",
    epilog="Exit codes: 0 done (a low score is no error), 1 a notebook could not be graded, 2 wrong usage or set-up.",
)
_INTERRUPTED = 130  # the exit code that Typer gives after Ctrl-C
_errors = Console(stderr=True, soft_wrap=True, highlight=False)

Workspace = Annotated[
    Path,
    typer.Option(
        "--workspace", metavar="DIR", envvar="ACADEMY_WORKSPACE", help="Where your copies of lessons and labs are kept."
    ),
]
Language = Annotated[
    str,
    typer.Option(
        "--lang",
        metavar="LL",
        help="Language of the lessons, as a two-letter code; English where there is no translation.",
    ),
]
UnsafeNoSandbox = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox",
        help="Run answers with all that you may do yourself. Only for work that you trust, where there is no sandbox.",
    ),
]


@app.command()
def prepare(workspace: Workspace = Path("workspace"), lang: Language = "en") -> None:
    """Fill your workspace with lessons and labs.

    Run it again at any time: what you changed is never overwritten. A newer version of a file that you changed
    arrives beside it as NAME-new.ipynb.
    """
    _prepare(workspace, lang)


@app.command()
def start(
    workspace: Workspace = Path("workspace"),
    lang: Language = "en",
    port: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=65535, help="Port of JupyterLab. [default: the first free one from 8888]"),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address instead of opening a browser.")
    ] = False,
) -> None:
    """Fill your workspace, then open it in JupyterLab.

    Stop JupyterLab with Ctrl-C in this terminal. Your work stays in the workspace.
    """
    from autograder.jupyter import start_lab

    _prepare(workspace, lang)
    start_lab(workspace, port=port, browser=not no_browser)


@app.command()
def grade(
    notebooks: Annotated[
        list[Path], typer.Argument(metavar="NOTEBOOK...", help="Notebooks of labs, as you saved them.")
    ],
    lab: Annotated[
        str | None, typer.Option(metavar="LAB", help="The lab they belong to, where a notebook does not say so itself.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    unsafe_no_sandbox: UnsafeNoSandbox = False,
) -> None:
    """Grade notebooks here and now, question by question.

    Your file is only read. The tests run on a fresh copy of the lab that holds your answers, so a changed or deleted
    test changes nothing. Example:

        academy grade workspace/labs/find-and-judge/find-and-judge.ipynb
    """
    from autograder import grading, kit, report

    if lab is not None:
        kit.find_lab(lab)
    results, exit_code = [], 0
    with _bar("grading") as progress, grading.new_runner(confined=not unsafe_no_sandbox) as runner:
        task = progress.add_task("", total=len(notebooks))
        for path in notebooks:
            progress.update(task, description=escape(path.name))
            try:
                results.append(grading.grade(path, runner, lab))
                _note(path, results[-1])
            except AcademyError as error:
                exit_code = max(exit_code, error.exit_code)
                _complain(error)
            except OSError as error:
                exit_code = max(exit_code, 2)
                _complain(_foreseeable(error))
            progress.advance(task)
    if as_json:
        typer.echo(report.as_json(results))
    else:
        report.print_grades(results, Console(highlight=False))
    if exit_code:
        raise typer.Exit(exit_code)


@app.command()
def autograde(
    labs: Annotated[
        list[str] | None, typer.Argument(metavar="[LAB...]", help="Labs to grade. [default: all in the gradebook]")
    ] = None,
    *,
    zips: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with zip files from `academy hand-in`, to unpack first.")
    ] = None,
    submitted: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder with LEARNER/LAB/LAB.ipynb. [default: nbgrader's]")
    ] = None,
    gradebook: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Database: sqlite:///… or postgresql+psycopg://… [default: nbgrader's]"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Notebooks graded at once. [default: one a processor]")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Grade on a Dask cluster: its scheduler, as tcp://host:8786."),
    ] = None,
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Write learners' feedback pages, too, as `nbgrader generate_feedback`.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    unsafe_no_sandbox: UnsafeNoSandbox = False,
) -> None:
    """Grade a class: everything handed in, in parallel, into nbgrader's gradebook.

    Run it at the course's root, where nbgrader_config.py lies, after `nbgrader generate_assignment` and `collect`. What
    has not changed since the last run is not run again, so after an interruption the same command goes on. A report
    is written beside the graded notebooks. Example:

        academy autograde find-and-judge --workers 4
    """
    from autograder.batch import command

    if workers is not None and scheduler is not None:
        raise AcademyError("--workers is for this computer; with --scheduler the cluster says how many there are")
    report, page = command.autograde(
        labs or [], zips=zips, submitted=submitted, db_url=gradebook, workers=workers, scheduler=scheduler,
        with_feedback=feedback, confined=not unsafe_no_sandbox, console=_errors,
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(report.summary(), indent=2, ensure_ascii=False))
    else:
        command.print_report(report, page, Console(highlight=False))
    if report.counts()["failed"]:
        raise typer.Exit(1)


@app.command()
def hand_in(
    labs: Annotated[
        list[str],
        typer.Argument(metavar="LAB_OR_NOTEBOOK...", help="Labs of your workspace by name, or paths of notebooks."),
    ],
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="NAME",
            prompt="Your name in the course, as your instructor knows it",
            help="Your name in the course, as your instructor knows it.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder for the zip files and receipts.")] = Path(),
    workspace: Workspace = Path("workspace"),
) -> None:
    """Make zip files to send to your instructor, each with a receipt that you keep.

    Nothing is sent: upload the zip file where your course wants it, or mail it. The receipt says which notebook it
    holds, and when you made it. Example:

        academy hand-in find-and-judge --name anna.nowak
    """
    from datetime import UTC, datetime

    from autograder import handing_in, report
    from autograder import workspace as workspaces
    from autograder.delivered import enclosing

    desk = enclosing(Path.cwd()) or workspace
    for wanted in labs:
        done = handing_in.hand_in(workspaces.notebook_called(wanted, desk), name, to, datetime.now(UTC))
        report.print_hand_in(done, Console(highlight=False, soft_wrap=True))


@app.command()
def check_receipt(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="The receipt that a learner kept.")],
    archive: Annotated[Path, typer.Argument(metavar="ZIP", help="The zip file that you have.")],
) -> None:
    """Say whether a receipt belongs to a zip file, and the zip file holds what the receipt says.

    A receipt shows that two files belong together. It does not prove when they were made.
    """
    from autograder import handing_in
    from autograder.batch.submitted import read_once

    limit = handing_in.LIMITS.total_bytes
    kept = handing_in.check_receipt(read_once(receipt, limit), read_once(archive, limit))
    typer.echo(f"They belong together: {kept.lab}, {kept.learner}, {kept.time}, kit {kept.kit}")
    for file, digest in kept.files.items():
        typer.echo(f"  {file}  SHA-256 {digest}")


@app.command()
def check_labs(
    labs: Annotated[
        list[str] | None, typer.Argument(metavar="[LAB...]", help="Labs to check. [default: all of them]")
    ] = None,
) -> None:
    """Check labs as their author.

    Each lab runs as grading will run it: the reference solution must earn all automatic points, the released version
    none. What is wrong is said with its cell and line. Example:

        academy check-labs find-and-judge
    """
    from autograder import authoring, grading, kit

    chosen = [kit.find_lab(name) for name in labs] if labs else list(kit.labs().values())
    faults = []
    with _bar("checking") as progress, grading.new_runner() as runner:
        task = progress.add_task("", total=len(chosen))
        for lab in chosen:
            progress.update(task, description=lab.name)
            faults += authoring.check(lab, runner)
            progress.advance(task)
    for fault in faults:
        typer.echo(str(fault))
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{len(chosen)} labs can be handed out: {', '.join(lab.name for lab in chosen)}")


def _bar(doing: str) -> Progress:
    """Make a progress bar on standard error that goes away at the end."""
    return Progress(
        SpinnerColumn(), TextColumn(f"{doing} {{task.description}}"), MofNCompleteColumn(), TimeRemainingColumn(),
        console=_errors, transient=True,
    )  # fmt: skip


def _note(notebook: Path, result: "GradedNotebook") -> None:
    """Keep a result for the welcome page; where that cannot be written, grading goes on all the same."""
    from autograder import progress

    try:
        progress.record(notebook, result)
    except OSError as error:
        _complain(AcademyError(f"the welcome page will not show this result: {_foreseeable(error)}"))


def _prepare(workspace: Path, language: str) -> None:
    from autograder import report
    from autograder import workspace as workspaces

    done = workspaces.prepare(workspace, language)
    report.print_preparation(done, Console(highlight=False, soft_wrap=True))
    if language != "en":
        typer.echo(f"  {done.translated} lessons in '{language}', the others in English")
    _build_model()


def _build_model() -> None:
    """Have the multilingual model ready; without it the other courses work, so its absence is told and no failure."""
    with _errors.status("getting the multilingual model ready ..."):
        from labkit import models

        try:
            folder = models.build()
        except models.ModelError as error:
            _complain(AcademyError(f"the model for course 2 is not ready: {error}"))
            return
    typer.echo(f"  model: {folder}")


def _complain(error: AcademyError) -> None:
    _errors.print(f"[red]academy:[/] {escape(' '.join(str(error).split()))}")


def _foreseeable(error: OSError) -> AcademyError:
    """Say a fault of the system (a full disk, a missing right) in one line."""
    place = f"{error.filename}: " if error.filename else ""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    hint = "make room or choose another folder, then try again" if full else "see to that, then try again"
    return AcademyError(f"{place}{error.strerror or error}; {hint}")


def main() -> None:
    """Run the command; every foreseeable fault ends in one line on standard error and the right exit code."""
    try:
        app()
    except AcademyError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except OSError as error:
        _complain(_foreseeable(error))
        sys.exit(2)
    except SystemExit as leaving:
        if leaving.code == _INTERRUPTED:
            _complain(AcademyError("stopped; nothing is lost, run the same command again"))
        raise


if __name__ == "__main__":
    main()
