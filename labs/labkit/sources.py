"""Which source answers a question: the data in this kit, the network, or the network if it can be reached."""

from __future__ import annotations

import os
from typing import Literal, get_args

Source = Literal["embedded", "live", "auto"]
"""Where an answer comes from: the kit's own data, the network, or the network if it can be reached."""

SETTING = "LABKIT_PORTAL"
"""Environment variable: the source where none is given; its value "embedded" forbids "auto" the network."""

SOURCES: tuple[Source, ...] = get_args(Source)
"""All sources."""


def chosen(source: str | None) -> Source:
    """Return the source to ask: the one given, else what LABKIT_PORTAL says, else "embedded".

    Capitals and spaces around the setting do not matter, and an empty one counts as none. Raises ValueError, in one
    line with the sources there are, if the source is not known.
    """
    setting = os.environ.get(SETTING, "").strip().lower()
    wanted = source if source is not None else setting or "embedded"
    if wanted == "auto" and setting == "embedded":
        return "embedded"
    for known in SOURCES:
        if wanted == known:
            return known
    raise ValueError(
        f"There is no source {wanted!r}: use {', '.join(map(repr, SOURCES))} (as the argument, or in {SETTING})"
    )
