"""Steps for nbgrader that let its own commands and buttons grade through the isolated engine.

`nbgrader_config.py` puts them into `nbgrader autograde` (formgrader's button is the same command) and into feedback.
"""

import atexit
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.grading import PreparedLab, execute, new_runner, prepare_lab
from autograder.judgement import QuestionResult, judge
from autograder.kit import METADATA_KEY, Lab
from autograder.reading import answers_in
from autograder.rebuild import grade_id, is_test, rebuild
from autograder.release import released

if TYPE_CHECKING:
    from autograder.engine.runner import Runner

Resources = dict[str, dict[str, str]]
"""What nbgrader hands from step to step; `resources["nbgrader"]` names student, assignment and notebook."""


class SharedRunner:
    """One runner for all notebooks of this process; after five idle minutes it gives its memory back."""

    _IDLE_SECONDS = 300

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runner: Runner | None = None
        self._timer: threading.Timer | None = None
        atexit.register(self.close)

    def execute(self, notebook: NotebookNode, prepared: PreparedLab) -> str | None:
        """Run a rebuilt notebook, write its outputs into it, and return why that ended early, if it did."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._runner = self._runner or new_runner()
            try:
                return execute(notebook, prepared, self._runner).stopped
            finally:
                self._timer = threading.Timer(self._IDLE_SECONDS, self.close)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """End the processes; the next notebook starts new ones."""
        with self._lock:
            if self._runner is not None:
                self._runner.close()
                self._runner = None


_shared = SharedRunner()


class RebuildFromSource(NbGraderPreprocessor):  # type: ignore[misc]
    """Replace a submission by the instructor's notebook with the learner's answers in it."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Rebuild; raises `UnusableNotebookError` where the notebook has no answer cell of the assignment."""
        lab = _lab(self, resources)
        rebuilt = rebuild(lab.notebook(), answers_in(nb.cells, lab.source), lab.name)
        add_checksums(rebuilt.notebook, released(lab))
        rebuilt.notebook.metadata[METADATA_KEY]["notes"] = json.dumps(rebuilt.notes)
        return rebuilt.notebook, resources


class IsolatedExecute(NbGraderPreprocessor):  # type: ignore[misc]
    """Run a rebuilt notebook in the isolated engine, and leave in its graded cells what nbgrader reads scores from."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Run and judge; raises `AcademyError` where the sandbox cannot be had."""
        prepared = prepare_lab(_lab(self, resources))
        notes = json.loads(nb.metadata.get(METADATA_KEY, {}).pop("notes", "{}"))
        stopped = _shared.execute(nb, prepared)
        write_verdicts(nb, judge(nb, prepared.handed_out, notes, stopped))
        return nb, resources


class OnlyForLearners(NbGraderPreprocessor):  # type: ignore[misc]
    """Take out of feedback what learners must not see: details of a failed test beyond its message."""

    def preprocess_cell(
        self,
        cell: NotebookNode,
        resources: Resources,
        cell_index: int,
    ) -> tuple[NotebookNode, Resources]:
        """Put the message in the place of the errors and outputs of a test cell."""
        message = cell.metadata.get(METADATA_KEY, {}).get("message")
        if is_test(cell) and message is not None:
            cell.outputs = [new_output("stream", name="stdout", text=f"{message}\n")] if message else []
        return cell, resources


def add_checksums(notebook: NotebookNode, handed_out: NotebookNode) -> None:
    """Write the checksums of the learner's version into a notebook: by them nbgrader knows what was left unanswered."""
    checksums = {grade_id(cell): cell.metadata.nbgrader.checksum for cell in handed_out.cells if grade_id(cell)}
    for cell in notebook.cells:
        if grade_id(cell) in checksums:
            cell.metadata.nbgrader.checksum = checksums[grade_id(cell)]


def write_verdicts(notebook: NotebookNode, results: list[QuestionResult]) -> None:
    """Write scores into outputs as nbgrader reads them: an error for 0 points, a number for some, nothing for all.

    Nothing else is left there that would change a score: no text on stderr, no value at the end.
    """
    by_id = {result.id: result for result in results}
    for cell in notebook.cells:
        result = by_id.get(str(grade_id(cell)))
        if result is None or cell.cell_type != "code":
            continue
        cell.metadata[METADATA_KEY] = {"message": result.message}
        shown = [output for output in cell.outputs if output.output_type in {"stream", "display_data"}]
        for output in shown:
            if output.output_type == "stream":
                output.name = "stdout"
        if result.score == result.max_score:
            verdict = []
        elif result.score > 0:
            verdict = [new_output("execute_result", data={"text/plain": repr(result.score)}, execution_count=None)]
        else:
            errors = [line for o in cell.outputs if o.output_type == "error" for line in o.traceback]
            verdict = [new_output("error", ename="Failed", evalue=result.message, traceback=[result.message, *errors])]
        cell.outputs = [*shown, *verdict]


def _lab(step: NbGraderPreprocessor, resources: Resources) -> Lab:
    """Return the assignment's source as a lab, wherever the course directory is."""
    names = resources["nbgrader"]
    course = CourseDirectory(parent=step)
    folder = Path(course.format_path(course.source_directory, ".", names["assignment"]))
    return Lab(names["notebook"], folder)
