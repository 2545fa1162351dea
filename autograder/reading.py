"""Read a notebook that somebody handed in: size first, then structure, and every fault in one line."""

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.errors import UnusableNotebookError

MAX_BYTES = 20_000_000
"""Largest notebook that is parsed, in bytes. A lab with plots shown stays far below 2 MB."""


def read_submission(path: Path) -> NotebookNode:
    """Read the notebook at `path` as nbformat 4.

    Raises `UnusableNotebookError` (one line: what is wrong, what to do) for a missing, unreadable, too large or empty
    file, for anything that is not JSON or not a notebook, and for notebooks older than nbformat 4.
    """
    document = _parse(_read_bytes(path), path)
    _check_shape(document, path)
    notebook: NotebookNode = nbformat.from_dict(document)
    for index, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{index}")
    return notebook


def _read_bytes(path: Path) -> bytes:
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


def _check_shape(document: Any, path: Path) -> None:
    """Check only what grading relies on, so that harmless oddities of other editors do not cost a learner the grade."""
    if not isinstance(document, dict) or "nbformat" not in document:
        raise UnusableNotebookError(f"{path}: this JSON file is not a notebook; give the path of a notebook (.ipynb)")
    if document["nbformat"] != 4:
        raise UnusableNotebookError(
            f"{path}: the notebook is in format {document['nbformat']!r}, not 4; "
            "open it in JupyterLab and save it again"
        )
    cells = document.get("cells")
    if not isinstance(cells, list) or not isinstance(document.get("metadata", {}), dict):
        raise UnusableNotebookError(f"{path}: the notebook is damaged (no list of cells); take your last saved copy")
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or not isinstance(cell.get("metadata", {}), dict):
            raise UnusableNotebookError(f"{path}: cell {number} is damaged; take your last saved copy")
        source = cell.get("source", "")
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            cell["source"] = "".join(source)
        elif not isinstance(source, str):
            raise UnusableNotebookError(f"{path}: the text of cell {number} is damaged; take your last saved copy")
