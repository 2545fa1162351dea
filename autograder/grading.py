"""Grade one notebook from file to points: read, rebuild, run, judge."""

from dataclasses import dataclass
from pathlib import Path

from autograder import execution
from autograder.errors import UnusableNotebookError
from autograder.judgement import QuestionResult, judge
from autograder.kit import Lab, find_lab, labs
from autograder.reading import Submission, read_submission
from autograder.rebuild import rebuild
from autograder.release import released


@dataclass(frozen=True)
class GradedNotebook:
    """The result of one notebook; the fields are those of `academy grade --json`."""

    lab: str
    notebook: str
    score: float
    max_score: float
    questions: list[QuestionResult]


def grade(path: Path, lab_name: str | None = None) -> GradedNotebook:
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
    stopped = execution.run(rebuilt.notebook, lab)
    results = judge(rebuilt.notebook, released(lab), rebuilt.notes, stopped)
    return GradedNotebook(
        lab=lab.name,
        notebook=str(path),
        score=sum(result.score for result in results),
        max_score=sum(result.max_score for result in results),
        questions=results,
    )


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
