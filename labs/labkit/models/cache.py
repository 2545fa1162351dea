"""Where built models lie: the folder in `LABKIT_CACHE`, or the platform's own place for caches."""

import os
from pathlib import Path

import platformdirs

VARIABLE = "LABKIT_CACHE"
"""Environment variable that names another folder."""


def cache_dir() -> Path:
    """Folder for built models; it need not exist yet."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return Path(named).expanduser().absolute()
    return platformdirs.user_cache_path("ai-skills-academy")
