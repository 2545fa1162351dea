"""The Eurostat extracts that travel with the kit; `data/eurostat/README.md` says where they come from."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

BUNDLED = ("isoc_eb_ai", "isoc_eb_ai_noneu", "isoc_eb_ain2")
"""Names of the extracts. The second is no table of its own but the part of isoc_eb_ai outside the EU."""


def bundled(name: str) -> dict[str, Any]:
    """Return one extract as a JSON-stat 2.0 document, fresh each time. Raises ValueError for an unknown name."""
    if name not in BUNDLED:
        raise ValueError(f"The kit has no extract {name!r}. It has: {', '.join(BUNDLED)}.")
    text = files("labkit").joinpath("data", "eurostat", f"{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
