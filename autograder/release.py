"""Make a learner's version of a lab: nbgrader itself strips solutions, hidden tests and marking schemes."""

from copy import deepcopy

from nbformat import NotebookNode
from nbgrader import preprocessors as steps
from traitlets.config import Config

from autograder.errors import AcademyError
from autograder.kit import Lab
from autograder.normal_form import stable_cell_ids

CODE_STUB = "# Write your answer here, then delete the next line.\nraise NotImplementedError"
"""What stands in a code cell where the reference solution was."""

TEXT_STUB = "Write your answer here."
"""What stands in a written answer where the reference solution was."""

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
    """Write the stubs above into a traitlets configuration, for nbgrader's commands and for `released` alike."""
    config.ClearSolutions.code_stub = {"python": CODE_STUB}
    config.ClearSolutions.text_stub = TEXT_STUB


def released(lab: Lab) -> NotebookNode:
    """Return the learner's version of `lab` as a notebook.

    Raises `AcademyError` where the source is not a valid nbgrader notebook (for example a solution without an end).
    """
    config = Config()
    release_config(config)
    notebook = deepcopy(lab.notebook())
    resources: dict[str, object] = {}
    try:
        for step in _STEPS:
            notebook, resources = step(config=config).preprocess(notebook, resources)
    except (RuntimeError, ValueError, KeyError) as error:
        raise AcademyError(f"{lab.source}: cannot be released: {error}") from error
    stable_cell_ids(notebook)
    return notebook
