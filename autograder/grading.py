"""Grade one notebook from bytes to points: read, rebuild, run, judge."""

from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode, from_dict

from autograder.engine.conductor import Run
from autograder.engine.limits import Limits
from autograder.engine.plan import Plan, plan
from autograder.engine.runner import Runner
from autograder.errors import UnusableNotebookError
from autograder.judgement import QuestionResult, judge
from autograder.kit import Lab, find_lab, hidden_tests_are_elsewhere, labs
from autograder.reading import Submission, read_submission
from autograder.rebuild import rebuild
from autograder.release import released
from labkit import cache


@dataclass(frozen=True)
class GradedNotebook:
    """The result of one notebook; the fields are those of `academy grade --json`."""

    lab: str
    notebook: str
    score: float
    max_score: float
    questions: list[QuestionResult]


@dataclass(frozen=True)
class PreparedLab:
    """A lab with all that grading needs of it, read once for a whole class."""

    lab: Lab
    source: NotebookNode
    """the instructor's notebook"""
    handed_out: NotebookNode
    """the learner's version"""
    limits: Limits
    data: dict[str, Path]
    """name in the working folder -> data file of the lab"""


@dataclass(frozen=True)
class Graded:
    """A submission after its run."""

    notebook: NotebookNode
    """the rebuilt notebook with its outputs"""
    questions: list[QuestionResult]
    run: Run


def new_runner(*, threads: int | None = None, confined: bool = True) -> Runner:
    """Make a runner for the kit's labs: their notebooks may read the models that `academy prepare` has built."""
    folder = cache.cache_dir()
    return Runner(threads=threads, confined=confined, readable=[folder], environment={cache.VARIABLE: str(folder)})


def prepare_lab(lab: Lab) -> PreparedLab:
    """Read a lab; raises `AcademyError` where it cannot be released or asks for limits that do not exist."""
    source = lab.notebook()
    data = {str(name): lab.folder / name for name in lab.data_files()}
    return PreparedLab(lab, source, released(lab), Limits.of(source), data)


def grade(path: Path, runner: Runner, lab_name: str | None = None) -> GradedNotebook:
    """Grade the notebook at `path` against the kit's lab `lab_name` (by default the lab that the notebook names).

    Raises `AcademyError` where there is no such lab, and `UnusableNotebookError` where the file cannot be graded.
    """
    submission = read_submission(path)
    lab = find_lab(lab_name) if lab_name else lab_of(submission, path)
    try:
        graded = grade_submission(submission, prepare_lab(lab), runner)
    except UnusableNotebookError as error:
        raise UnusableNotebookError(f"{path}: {error}") from None
    return GradedNotebook(
        lab=lab.name,
        notebook=str(path),
        score=sum(result.score for result in graded.questions),
        max_score=sum(result.max_score for result in graded.questions),
        questions=graded.questions,
    )


def grade_submission(submission: Submission, prepared: PreparedLab, runner: Runner) -> Graded:
    """Rebuild, run and judge what was handed in for a lab.

    Raises `UnusableNotebookError` where it belongs to another lab or has no answer cell, and `AcademyError` where the
    sandbox cannot be had.
    """
    name = prepared.lab.name
    if submission.lab in labs() and submission.lab != name:
        raise UnusableNotebookError(
            f"this is a notebook of the lab '{submission.lab}', not of '{name}'; leave --lab away or correct it"
        )
    rebuilt = rebuild(prepared.source, submission.answers, name)
    run = execute(rebuilt.notebook, prepared, runner)
    questions = judge(rebuilt.notebook, prepared.handed_out, rebuilt.notes, run.stopped)
    return Graded(rebuilt.notebook, questions, run)


def execute(notebook: NotebookNode, prepared: PreparedLab, runner: Runner) -> Run:
    """Run a rebuilt `notebook` of a lab and write the outputs into it."""
    # Which names an answer assigns the reference solution says; where there is none, the answers themselves.
    reference = notebook if hidden_tests_are_elsewhere() else prepared.source
    steps = plan(notebook, reference, prepared.handed_out)
    run = runner.run(steps, prepared.limits, prepared.data)
    fill_in(notebook, steps, run)
    return run


def fill_in(notebook: NotebookNode, steps: Plan, run: Run) -> None:
    """Write the outputs of a run into its notebook; a cell that did not come to its end has no execution count."""
    for step in steps.steps:
        cell = notebook.cells[step.index]
        cell.outputs = [from_dict(output) for output in run.outputs.get(step.index, [])]
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = step.number
        cell.execution_count = step.number if step.index in run.outputs else None


def lab_of(submission: Submission, path: Path) -> Lab:
    """Return the lab that a submission belongs to: the one that it names, else the one that its file is called like.

    Raises `UnusableNotebookError` where there is no such lab.
    """
    if submission.is_lesson:
        raise UnusableNotebookError(f"{path}: this is a lesson, and lessons are not graded; the labs are in labs/")
    for name in (submission.lab, path.stem):
        if name in labs():
            return find_lab(name)
    raise UnusableNotebookError(
        f"{path}: this notebook does not say which lab it is; name it with --lab ({', '.join(labs())})"
    )
