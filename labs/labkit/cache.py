"""Where built models and unfinished training lie: the folder in `LABKIT_CACHE`, or the platform's place for caches."""

import os
from pathlib import Path

import platformdirs

VARIABLE = "LABKIT_CACHE"
"""Environment variable that names another folder."""

CHECKPOINTS_VARIABLE = "LABKIT_CHECKPOINTS"
"""Environment variable that names another folder for checkpoints alone, where the cache may only be read."""


def cache_dir() -> Path:
    """Folder for built models; it need not exist yet."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    return platformdirs.user_cache_path("ai-skills-academy")


def checkpoint_dir() -> Path:
    """Folder for the checkpoints of unfinished training, in the cache unless `LABKIT_CHECKPOINTS` names another."""
    named = os.environ.get(CHECKPOINTS_VARIABLE, "").strip()
    return Path(named).expanduser().absolute() if named else cache_dir() / "training"
