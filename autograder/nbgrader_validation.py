"""Let nbgrader's Validate button run a learner's notebook as grading would: answers here, visible tests there."""

import sys

from nbformat import NotebookNode
from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, NbGraderPreprocessor
from nbgrader.validator import Validator

from autograder.engine.limits import Limits
from autograder.engine.plan import plan
from autograder.grading import fill_in, new_runner
from autograder.judgement import judge
from autograder.nbgrader_preprocessors import Resources, write_verdicts


class IsolatedValidation(NbGraderPreprocessor):  # type: ignore[misc]
    """Run a learner's own notebook, which has no hidden tests, in the isolated engine."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Run and judge; raises `AcademyError` where the sandbox cannot be had."""
        steps = plan(nb, nb, nb)
        # Elsewhere than on Linux without a sandbox: it is the learner's own code, and has just run in the notebook.
        with new_runner(confined=sys.platform.startswith("linux")) as runner:
            run = runner.run(steps, Limits.of(nb), {})
        fill_in(nb, steps, run)
        write_verdicts(nb, judge(nb, nb, {}, run.stopped))
        return nb, resources


def validate_isolated() -> None:
    """Make nbgrader's validator use the engine; it has no setting for its steps."""
    steps = Validator.class_traits()["preprocessors"]
    steps.default_args = ([CheckCellMetadata, ClearOutput, IsolatedValidation],)
