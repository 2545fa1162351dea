"""Grade one notebook from file to points: read, rebuild, run, judge."""

from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder import execution
from autograder.errors import UnusableNotebookError
from autograder.judgement import QuestionResult, judge
from autograder.kit import METADATA_KEY, Lab, find_lab, labs
from autograder.reading import read_submission
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
    named = _named_lab(submission)
    if named and named != lab.name:
        raise UnusableNotebookError(
            f"{path}: this is a notebook of the lab '{named}', not of '{lab.name}'; leave --lab away or correct it"
        )
    try:
        rebuilt = rebuild(lab.notebook(), submission, lab.name)
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


def _named_lab(submission: NotebookNode) -> str | None:
    """The lab that a notebook's own metadata names, if it is one of the kit."""
    metadata = submission.metadata.get(METADATA_KEY)
    named = metadata.get("lab") if isinstance(metadata, dict) else None
    return named if isinstance(named, str) and named in labs() else None


def _lab_of(submission: NotebookNode, path: Path) -> Lab:
    if "lesson" in (submission.metadata.get(METADATA_KEY) or {}):
        raise UnusableNotebookError(f"{path}: this is a lesson, and lessons are not graded; the labs are in labs/")
    named = _named_lab(submission) or (path.stem if path.stem in labs() else None)
    if named is None:
        raise UnusableNotebookError(
            f"{path}: this notebook does not say which lab it is; name it with --lab ({', '.join(labs())})"
        )
    return labs()[named]
