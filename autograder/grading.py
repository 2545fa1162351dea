"""Grade one notebook from file to points: read, rebuild, run, judge."""

from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode, from_dict

from autograder.engine.conductor import Run
from autograder.engine.limits import Limits
from autograder.engine.plan import Plan, plan
from autograder.engine.runner import Runner
from autograder.errors import UnusableNotebookError
from autograder.judgement import QuestionResult, judge
from autograder.kit import Lab, find_lab, labs
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


def new_runner(*, threads: int | None = None, confined: bool = True) -> Runner:
    """Make a runner for the kit's labs: their notebooks may read the models that `academy prepare` has built."""
    folder = cache.cache_dir()
    return Runner(threads=threads, confined=confined, readable=[folder], environment={cache.VARIABLE: str(folder)})


def grade(path: Path, runner: Runner, lab_name: str | None = None) -> GradedNotebook:
    """Grade the notebook at `path` against the kit's lab `lab_name` (by default the lab that the notebook names).

    Raises `AcademyError` where there is no such lab, and `UnusableNotebookError` where the file cannot be graded.
    """
    submission = read_submission(path)
    lab = find_lab(lab_name) if lab_name else _lab_of(submission, path)
    if submission.lab in labs() and submission.lab != lab.name:
        raise UnusableNotebookError(
            f"{path}: this is a notebook of the lab '{submission.lab}', not of '{lab.name}'; "
            "leave --lab away or correct it"
        )
    try:
        rebuilt = rebuild(lab.notebook(), submission.answers, lab.name)
    except UnusableNotebookError as error:
        raise UnusableNotebookError(f"{path}: {error}") from None
    handed_out = released(lab)
    run = execute(rebuilt.notebook, lab, handed_out, runner)
    results = judge(rebuilt.notebook, handed_out, rebuilt.notes, run.stopped)
    return GradedNotebook(
        lab=lab.name,
        notebook=str(path),
        score=sum(result.score for result in results),
        max_score=sum(result.max_score for result in results),
        questions=results,
    )


def execute(notebook: NotebookNode, lab: Lab, handed_out: NotebookNode, runner: Runner) -> Run:
    """Run a rebuilt `notebook` of `lab` and write the outputs into it; `handed_out` is the learner's version of it."""
    source = lab.notebook()
    steps = plan(notebook, source, handed_out)
    data = {str(name): lab.folder / name for name in lab.data_files()}
    run = runner.run(steps, Limits.of(source), data)
    fill_in(notebook, steps, run)
    return run


def fill_in(notebook: NotebookNode, steps: Plan, run: Run) -> None:
    """Write the outputs of a run into its notebook; a cell that did not come to its end has no execution count."""
    for step in steps.steps:
        cell = notebook.cells[step.index]
        cell.outputs = [from_dict(output) for output in run.outputs.get(step.index, [])]
        cell.execution_count = step.number if step.index in run.outputs else None


def _lab_of(submission: Submission, path: Path) -> Lab:
    """The lab that a submission belongs to: the one that it names, else the one that its file is called like."""
    if submission.is_lesson:
        raise UnusableNotebookError(f"{path}: this is a lesson, and lessons are not graded; the labs are in labs/")
    for name in (submission.lab, path.stem):
        if name in labs():
            return find_lab(name)
    raise UnusableNotebookError(
        f"{path}: this notebook does not say which lab it is; name it with --lab ({', '.join(labs())})"
    )
