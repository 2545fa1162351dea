"""What a built model says about itself: `manifest.json`, written last, read first, and checked against the files."""

import hashlib
import json
from pathlib import Path
from typing import Any

from labkit.models.errors import ModelFileError

NAME = "manifest.json"
"""File name of the manifest inside a model folder."""

FORMAT = 1
"""Version of the manifest's form."""

_MAX_BYTES = 1_000_000


def describe_files(folder: Path) -> dict[str, dict[str, Any]]:
    """Size in bytes and SHA-256 of every file in `folder`, by name."""
    return {
        path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for path in sorted(folder.iterdir())
        if path.name != NAME
    }


def write(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `manifest` into `folder`."""
    (folder / NAME).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of a model folder and check all its files against it.

    Raises ModelFileError when the manifest is missing or unreadable, or a file is missing or was changed.
    """
    path = folder / NAME
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ModelFileError(f"{path} is too large to be a manifest: delete the folder and build the model again.")
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        files = {str(name): (facts["bytes"], facts["sha256"]) for name, facts in manifest["files"].items()}
        known = manifest["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(f"{path} is missing or damaged: delete the folder and build the model again.") from error
    if not known:
        raise ModelFileError(f"{path} is of another version: delete the folder and build the model again.")
    for name, (size, digest) in files.items():
        file = folder / name
        if Path(name).name != name or not file.is_file() or file.stat().st_size != size or sha256(file) != digest:
            raise ModelFileError(f"{file} is missing or was changed: delete the folder and build the model again.")
    return manifest


def sha256(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
