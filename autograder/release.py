"""Make a learner's version of a lab: nbgrader itself strips solutions, hidden tests and marking schemes."""

from nbformat import NotebookNode
from nbgrader import preprocessors as steps
from nbgrader.nbgraderformat import ValidationError
from nbgrader.utils import is_grade
from traitlets.config import Config

from autograder.errors import AcademyError
from autograder.kit import METADATA_KEY, Lab
from autograder.normal_form import stable_cell_ids

CODE_STUB = "# Write your answer here, then delete the next line.\nraise NotImplementedError"
"""What stands in a code cell where the reference solution was."""

TEXT_STUB = "Write your answer here."
"""What stands in a written answer where the reference solution was."""

_MARKS = tuple((f"BEGIN {part}", f"END {part}") for part in ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME"))

_STEPS = (
    steps.LockCells,
    steps.ClearSolutions,
    steps.ClearOutput,
    steps.CheckCellMetadata,
    steps.ClearHiddenTests,
    steps.ClearMarkScheme,
    steps.ComputeChecksums,
    steps.CheckCellMetadata,
)
"""The steps of `nbgrader generate_assignment` that work on the notebook; the rest of them write to its database."""


def release_config(config: Config) -> None:
    """Write stubs and the place of marking schemes into a configuration, for nbgrader and `released` alike."""
    config.ClearSolutions.code_stub = {"python": CODE_STUB}
    config.ClearSolutions.text_stub = TEXT_STUB
    # A marking scheme is a locked cell below the answer: autograding brings it back, so formgrader shows it.
    config.ClearMarkScheme.enforce_metadata = False


def released(lab: Lab) -> NotebookNode:
    """Return the learner's version of `lab` as a notebook.

    Raises `AcademyError` where the source is not a valid nbgrader notebook (for example a solution without an end).
    """
    config = Config()
    release_config(config)
    notebook = lab.notebook()
    _check_source(notebook, lab)
    resources: dict[str, object] = {}
    try:
        for step in _STEPS:
            notebook, resources = step(config=config).preprocess(notebook, resources)
    except (RuntimeError, ValueError, KeyError, ValidationError) as error:
        raise AcademyError(f"{lab.source}: cannot be released: {str(error).splitlines()[0]}") from error
    stable_cell_ids(notebook)
    return notebook


def _check_source(notebook: NotebookNode, lab: Lab) -> None:
    """Say an author's commonest slips with the cell's name; nbgrader's own words for them name no cell."""
    named = notebook.metadata.get(METADATA_KEY, {}).get("lab")
    if named != lab.name:
        raise AcademyError(
            f"{lab.source}: the notebook's metadata name the lab {named!r}; "
            f'set them to "{METADATA_KEY}": {{"lab": "{lab.name}"}}'
        )
    seen: set[str] = set()
    for cell in notebook.cells:
        identifier = cell.metadata.get("nbgrader", {}).get("grade_id")
        if identifier in seen:
            raise AcademyError(f"{lab.source}: two cells have the ID '{identifier}'; give each its own")
        if is_grade(cell) and not isinstance(cell.metadata.nbgrader.get("points"), int | float):
            raise AcademyError(f"{lab.source}: the cell '{identifier}' is graded but has no points")
        for begin, end in _MARKS:
            if cell.source.count(begin) != cell.source.count(end):
                raise AcademyError(f"{lab.source}: in the cell '{identifier}' '{begin}' and '{end}' do not pair up")
        seen |= {identifier} - {None}
