"""Write graded submissions into nbgrader's gradebook: one transaction each, in which a mark says what was graded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)  # fmt: skip
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum, determine_grade, is_grade, is_solution
from sqlalchemy import Column, Float, MetaData, Select, String, Table, event, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from traitlets.config import Config

from autograder.errors import AcademyError

_LOCK_SECONDS = 30
"""How long to wait for another program that writes into the same gradebook."""


@dataclass(frozen=True)
class Mark:
    """What is known of an earlier run."""

    key: str
    """see `autograder.batch.submitted.key`"""
    score: float
    max_score: float


class GradebookWriter:
    """The gradebook of a course, open for writing; use it in a `with` statement."""

    def __init__(self, config: Config, db_url: str, course_id: str) -> None:
        """Open the gradebook at `db_url` (SQLite, PostgreSQL: any URL of SQLAlchemy).

        Raises `AcademyError` where it cannot be opened or written.
        """
        self._penalties = AssignLatePenalties(config=config)
        self._penalties.init_plugin()
        self._url = db_url
        try:
            self._gradebook = Gradebook(db_url, course_id)
            event.listen(self._gradebook.engine, "connect", _wait_for_locks)
            self._gradebook.engine.dispose()  # connections from here on wait
            names = ("learner", "lab", "key")
            columns = [Column(name, String(128), primary_key=name != "key", nullable=False) for name in names]
            scores = [Column(name, Float, nullable=False) for name in ("score", "max_score")]
            self._marks = Table("academy_autograded", MetaData(), *columns, *scores)
            self._marks.metadata.create_all(self._gradebook.engine)
        except SQLAlchemyError as error:
            raise self._problem(error) from error
        except ModuleNotFoundError as error:  # the driver that the URL asks for
            raise AcademyError(
                f"a gradebook at {db_url.partition(':')[0]}: needs the package '{error.name}'; for PostgreSQL write "
                'postgresql+psycopg://… and install: pip install "ai-skills-academy[postgresql]"'
            ) from None

    def __enter__(self) -> Self:  # noqa: D105
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self._gradebook.close()

    def has_assignment(self, lab: str) -> bool:
        """Whether `nbgrader generate_assignment` has put the lab into the gradebook."""
        return bool(self._rows(select(Assignment.id).where(Assignment.name == lab)))

    def marks(self, lab: str) -> dict[str, Mark]:
        """Learner -> what was graded of the lab earlier."""
        rows = self._rows(select(self._marks).where(self._marks.c.lab == lab))
        return {row.learner: Mark(row.key, row.score, row.max_score) for row in rows}

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        """Read, and keep no lock."""
        try:
            return list(self._gradebook.db.execute(query).all())
        except SQLAlchemyError as error:
            raise self._problem(error) from error
        finally:
            self._gradebook.db.rollback()

    def write(
        self, learner: str, lab: str, notebook: NotebookNode, *, timestamp: datetime | None, key: str
    ) -> tuple[float, float]:
        """Write the scores in a graded notebook, all or nothing; return the score of its automatic part and the most.

        Scores by hand stay, and ask for another look, as in nbgrader; penalties for lateness are nbgrader's plug-in's.
        Raises `AcademyError` where the gradebook cannot be written.
        """
        session = self._gradebook.db
        try:
            submission = self._submission(learner, lab)
            if timestamp is not None:
                submission.timestamp = timestamp
            record = next(found for found in submission.notebooks if found.name == lab)
            self._save_grades(record, notebook.cells)
            session.flush()
            session.refresh(record)
            self._assign_penalty(submission, record, learner)
            automatic = [grade for grade in record.grades if grade.auto_score is not None]
            score, most = sum(g.auto_score for g in automatic), float(record.max_score)
            session.execute(self._marks.delete().where(self._marks.c.learner == learner, self._marks.c.lab == lab))
            values = {"learner": learner, "lab": lab, "key": key, "score": score, "max_score": most}
            session.execute(self._marks.insert().values(**values))
            session.commit()
        except SQLAlchemyError as error:
            session.rollback()
            raise self._problem(error) from error
        except BaseException:
            session.rollback()
            raise
        return score, most

    def _submission(self, learner: str, lab: str) -> SubmittedAssignment:
        """Return the record of a submission, made with those of its cells where there is none yet."""
        session = self._gradebook.db
        assignment = session.execute(select(Assignment).where(Assignment.name == lab)).scalar_one()
        student = session.get(Student, learner)
        if student is None:
            student = Student(id=learner)
            session.add(student)
        known = select(SubmittedAssignment).where(
            SubmittedAssignment.assignment_id == assignment.id, SubmittedAssignment.student_id == learner
        )
        submission = session.execute(known).scalar_one_or_none()
        if submission is None:
            with session.no_autoflush:  # first the whole of it, then into the session with all its parts
                submission = SubmittedAssignment(assignment=assignment, student=student)
                for notebook in assignment.notebooks:
                    _add_cells(SubmittedNotebook(notebook=notebook, assignment=submission), notebook)
                session.add(submission)
            session.flush()
        return submission

    @staticmethod
    def _save_grades(record: SubmittedNotebook, cells: Sequence[NotebookNode]) -> None:
        """Put scores and comments into the records of a notebook's cells (as nbgrader's SaveAutoGrades does)."""
        grades = {grade.name: grade for grade in record.grades}
        comments = {comment.name: comment for comment in record.comments}
        for cell in cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if is_grade(cell) and name in grades:
                grade = grades[name]
                grade.auto_score, _ = determine_grade(cell)
                grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
            if is_solution(cell) and name in comments:
                unanswered = cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)
                comments[name].auto_comment = "No response." if unanswered else None

    def _assign_penalty(self, submission: SubmittedAssignment, record: SubmittedNotebook, learner: str) -> None:
        """Have nbgrader's plug-in say the penalty for lateness, between nothing and the whole score."""
        record.late_submission_penalty = None
        late = submission.total_seconds_late
        if late > 0:
            penalty = self._penalties.plugin_inst.late_submission_penalty(learner, record.score, late)
            if penalty is not None:
                record.late_submission_penalty = min(max(penalty, 0), record.score)

    def _problem(self, error: SQLAlchemyError) -> AcademyError:
        """Say in one line why the gradebook cannot be used."""
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        hint = "see to that, then run the same command again: what is graded stays graded"
        if isinstance(error, OperationalError) and "locked" in reason:
            hint = f"another program has been writing for {_LOCK_SECONDS} seconds; close it, then run the command again"
        return AcademyError(f"the gradebook {self._url} cannot be written ({reason}); {hint}")


def _add_cells(submitted: SubmittedNotebook, notebook: Notebook) -> None:
    """Make empty grades and comments for all cells of a notebook that may have them."""
    for cell in (*notebook.grade_cells, *notebook.task_cells):
        Grade(cell_id=cell.id, notebook=submitted)
    for cell in (*notebook.solution_cells, *notebook.task_cells):
        Comment(cell_id=cell.id, notebook=submitted)


def _wait_for_locks(connection: object, _: object) -> None:
    """Have SQLite wait for another writer; other databases wait by themselves."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute(f"PRAGMA busy_timeout = {_LOCK_SECONDS * 1000}")  # type: ignore[attr-defined]
