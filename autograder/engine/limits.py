"""How much time, memory and room a notebook may take; a lab asks for more in its notebook's metadata."""

from dataclasses import dataclass, fields

from nbformat import NotebookNode

from autograder.errors import AcademyError
from autograder.kit import METADATA_KEY


@dataclass(frozen=True)
class Limits:
    """Limits of one notebook; the defaults fit a lab in a session of 2 GB.

    In the notebook's metadata: `"ai_skills_academy": {"limits": {"cell_seconds": 240, "processes": 4}}`.
    """

    cell_seconds: float = 60
    """how long a cell, or one call of a learner's function by a test, may run before it is interrupted"""
    notebook_seconds: float = 300
    """how long all cells and tests together may run; most reference solutions need less than ten"""
    memory_megabytes: float = 2000
    """resident memory of the learner's process, with the packages that it shares with others"""
    processes: int = 0
    """how many processes the learner's code may start"""
    threads: int = 64
    """how many threads it may have"""
    open_files: int = 256
    file_megabytes: float = 100
    """size of the largest file that it may write"""
    disk_megabytes: float = 200
    """size of all its files together"""
    output_kilobytes: float = 1000
    """how much of what a cell prints or shows is kept"""

    @classmethod
    def of(cls, notebook: NotebookNode) -> "Limits":
        """Read the limits in the metadata of an instructor's notebook; what is not said there has its default.

        Raises `AcademyError` for a limit that does not exist or is no positive number.
        """
        given = notebook.metadata.get(METADATA_KEY, {}).get("limits", {})
        names = [field.name for field in fields(cls)]
        for name, value in given.items():
            if name not in names:
                raise AcademyError(f"the lab's metadata have a limit '{name}'; the limits are: {', '.join(names)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise AcademyError(f"the limit '{name}' in the lab's metadata must be a number, not {value!r}")
        return cls(**given)
