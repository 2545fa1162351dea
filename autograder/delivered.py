"""What was delivered into a workspace, and whether a learner has changed it since."""

import hashlib
import json
from pathlib import Path

RECORD = Path(".academy", "delivered.json")
"""Inside a workspace: what was delivered, as relative path -> fingerprint of the file at delivery."""


def enclosing(path: Path) -> Path | None:
    """Return the workspace that `path` lies in, or is; None where it is in none."""
    path = path.resolve()
    return next((folder for folder in (path, *path.parents) if (folder / RECORD).is_file()), None)


def fingerprint(content: bytes) -> str:
    """Return the SHA-256 of what a person can change in a file.

    Of a notebook that is the cells' text, outputs, attachments and nbgrader metadata: JupyterLab rewrites ids, counts
    and other metadata whenever it saves, also where nobody changed anything.
    """
    try:
        cells = json.loads(content)["cells"]
        seen = [
            (
                cell["cell_type"],
                _in_one_spelling(cell["source"]),
                _in_one_spelling(cell.get("outputs")),
                cell.get("attachments"),
                cell["metadata"].get("nbgrader"),
                cell["metadata"].get("tags"),
            )
            for cell in cells
        ]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def _in_one_spelling(value: object) -> object:
    """A source or outputs with text joined that may be stored as lines, and without execution counts."""
    if isinstance(value, dict):
        return {key: _in_one_spelling(inner) for key, inner in value.items() if key != "execution_count"}
    if isinstance(value, list):
        return "".join(value) if all(isinstance(line, str) for line in value) else [_in_one_spelling(v) for v in value]
    return value


def read_record(workspace: Path) -> dict[str, str]:
    """Read what was delivered before; a damaged record counts as none, which only makes `prepare` more careful."""
    try:
        record = json.loads((workspace / RECORD).read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    return {k: v for k, v in record.items() if isinstance(v, str)} if isinstance(record, dict) else {}
