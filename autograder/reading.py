"""Read a notebook that somebody handed in: size first, then structure, and of its content only the answers."""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import UnusableNotebookError
from autograder.kit import METADATA_KEY

MAX_BYTES = 20_000_000
"""Largest notebook that is parsed, in bytes. A lab with plots shown stays far below 2 MB."""


@dataclass(frozen=True)
class Submission:
    """What grading takes from a notebook that was handed in; everything else in it has no effect."""

    lab: str | None
    """the lab that its metadata name, known to the kit or not"""
    is_lesson: bool
    answers: dict[str, list[str]]
    """grade_id -> the texts of all cells that carry it, from top to bottom"""


def read_submission(path: Path) -> Submission:
    """Read the notebook at `path`.

    Raises `UnusableNotebookError` (one line: what is wrong, what to do) for a missing, unreadable, too large or empty
    file, for anything that is not JSON or not a notebook, and for notebooks older than nbformat 4.
    """
    return submission_in(read_bytes(path), path)


def submission_in(content: bytes, path: Path) -> Submission:
    """Read a notebook from its bytes; raises `UnusableNotebookError` that names `path` as `read_submission` does."""
    document = _parse(content, path)
    if not isinstance(document, dict) or "nbformat" not in document:
        raise UnusableNotebookError(f"{path}: this JSON file is not a notebook; give the path of a notebook (.ipynb)")
    if document["nbformat"] != 4:
        raise UnusableNotebookError(
            f"{path}: the notebook is in format {repr(document['nbformat'])[:20]}, not 4; "
            "open it in JupyterLab and save it again"
        )
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise UnusableNotebookError(f"{path}: the notebook is damaged (no list of cells); take your last saved copy")
    named = _at(document, "metadata", METADATA_KEY)
    lab = _at(named, "lab")
    return Submission(
        lab=lab if isinstance(lab, str) else None,
        is_lesson=_at(named, "lesson") is not None,
        answers=answers_in(cells, path),
    )


def read_bytes(path: Path) -> bytes:
    """Read a notebook as it is; raises `UnusableNotebookError` for what is missing, unreadable or too large."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise UnusableNotebookError(f"{path}: this is not a file; give the path of a notebook (.ipynb)")
        if size > MAX_BYTES:
            raise UnusableNotebookError(
                f"{path}: {size / 1e6:.0f} MB is too large (the limit is {MAX_BYTES / 1e6:.0f} MB); "
                "in JupyterLab choose Edit > Clear Outputs of All Cells, save, and try again"
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise UnusableNotebookError(
            f"{path}: there is no such file; check the path, or run `academy prepare`"
        ) from None
    except OSError as error:
        raise UnusableNotebookError(
            f"{path}: cannot be read ({error.strerror}); check the file's permissions"
        ) from None


def _parse(content: bytes, path: Path) -> Any:
    if not content.strip():
        raise UnusableNotebookError(f"{path}: the file is empty; take your last saved copy or start from a fresh one")
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise UnusableNotebookError(
            f"{path}: this is not a notebook (its content is not valid JSON); open it in JupyterLab and save it again"
        ) from None


def answers_in(cells: list[Any], path: Path) -> dict[str, list[str]]:
    """Collect the texts of cells with a grade_id; harmless oddities of other cells cost nobody the grade.

    Raises `UnusableNotebookError`, which names `path`, where such a text is damaged.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for number, cell in enumerate(cells, 1):
        identifier = _at(cell, "metadata", "nbgrader", "grade_id")
        if isinstance(identifier, str):
            found[identifier].append(_text(cell.get("source", ""), number, path))
    return dict(found)


def _text(source: object, number: int, path: Path) -> str:
    """Text of a cell, which nbformat allows as one text or as a list of lines."""
    try:
        text = source if isinstance(source, str) else "".join(source)  # type: ignore[arg-type]
        text.encode()
    except (TypeError, UnicodeEncodeError):
        raise UnusableNotebookError(
            f"{path}: the text of cell {number} is damaged; take your last saved copy"
        ) from None
    return text


def _at(value: object, *keys: str) -> object:
    """What stands under the keys, or None where one is missing or something on the way is no dictionary."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
