"""Where the kit's lessons and labs are, in a checkout or in an installed package."""

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.errors import AcademyError

METADATA_KEY = "ai_skills_academy"
"""Notebook metadata of the kit: `{"lab": name}` in labs, `{"lesson": …}` in lessons, and `"limits"` in long ones."""

HANDED_OUT = "ACADEMY_HANDED_OUT"
"""Variable that names a folder of labs as learners have them, in the place of the kit's own: on a hub, what the
instructor has released. Their hidden tests are the instructor's alone."""


@dataclass(frozen=True)
class Lab:
    """A graded lab: the instructor's notebook with its solutions and tests, and the data files beside it."""

    name: str
    folder: Path

    @property
    def source(self) -> Path:
        """Path of the instructor's notebook, nbgrader's source version."""
        return self.folder / f"{self.name}.ipynb"

    def notebook(self) -> NotebookNode:
        """Read the instructor's notebook (nbformat 4)."""
        notebook: NotebookNode = nbformat.read(self.source, as_version=4)
        return notebook

    def reread(self) -> dict[str, dict[str, str]]:
        """Question (`q3`) -> the `lesson` and its `section` to read again, as the notebook's metadata say."""
        found: dict[str, dict[str, str]] = self.notebook().metadata.get(METADATA_KEY, {}).get("reread", {})
        return found

    def data_files(self) -> list[Path]:
        """Files beside the notebook that a learner needs too, relative to the lab's folder, sorted."""
        found = [path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()]
        return sorted(
            p for p in found if p.suffix != ".ipynb" and not any(part.startswith((".", "__")) for part in p.parts)
        )


def kit_folder() -> Path:
    """Folder that holds `courses` and `labs`: the checkout this package runs from, else the copy inside the package."""
    package = Path(__file__).resolve().parent
    for folder in (package.parent, package / "kit"):
        if (folder / "courses").is_dir() and (folder / "labs").is_dir():
            return folder
    raise AcademyError(
        "the kit's courses and labs are missing: install it again with `pip install --force-reinstall .`"
    )


def hidden_tests_are_elsewhere() -> bool:
    """Whether the labs here are only learners' versions (see `HANDED_OUT`)."""
    return HANDED_OUT in os.environ


def labs() -> dict[str, Lab]:
    """All labs by name: the folders of `labs/` that hold a notebook of their own name (so `labkit` is none)."""
    place = Path(os.environ[HANDED_OUT]) if hidden_tests_are_elsewhere() else kit_folder() / "labs"
    folders = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
    found = (Lab(folder.name, folder) for folder in folders)
    return {lab.name: lab for lab in found if lab.source.is_file()}


def find_lab(name: str) -> Lab:
    """Return the lab called `name`.

    Raises `AcademyError` that lists the labs there are.
    """
    known = labs()
    if name not in known:
        raise AcademyError(f"there is no lab '{name}'; the labs are: {', '.join(known) or 'none yet'}")
    return known[name]


def lessons() -> list[Path]:
    """Lesson notebooks relative to the kit's folder (`courses/01-open-data/01-finding.ipynb`), in reading order."""
    root = kit_folder()
    found = (root / "courses").glob("[0-9][0-9]-*/[0-9][0-9]-*.ipynb")
    return sorted(path.relative_to(root) for path in found)


def data_cards() -> dict[str, Path]:
    """Data cards of the kit by the name of the data (`eurostat`), as paths of Markdown files."""
    data = Path(str(files("labkit"))) / "data"
    return {card.parent.name: card for card in sorted(data.glob("*/README.md"))}
