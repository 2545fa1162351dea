"""Keep folders that are no labs, such as `labs/labkit`, out of nbgrader's list of assignments."""

from pathlib import Path

from nbgrader.apps.api import NbGraderAPI


def list_only_labs() -> None:
    """Make nbgrader (formgrader above all) list a folder of `labs/` only where it holds a notebook of its name.

    nbgrader takes every folder of its source directory for an assignment and has no setting for exceptions, so the
    one method that lists them is wrapped. Calling this twice has no further effect.
    """
    original = NbGraderAPI.get_source_assignments
    if getattr(original, "lists_only_labs", False):
        return

    def get_source_assignments(self: NbGraderAPI) -> set[str]:
        """Get the names of all assignments in the source directory."""
        source = self.coursedir.format_path
        return {
            name
            for name in original(self)
            if Path(source(self.coursedir.source_directory, ".", name), f"{name}.ipynb").is_file()
        }

    get_source_assignments.lists_only_labs = True  # type: ignore[attr-defined]
    NbGraderAPI.get_source_assignments = get_source_assignments
