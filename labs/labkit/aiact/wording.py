"""Put dates and pages of lines into plain words, the same on every machine."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

# fmt: off
_MONTHS = (  # not from the system's language settings: outputs are compared word by word
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on


def day(when: date) -> str:
    """Write a date in words: 2 December 2027."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def page(lines: Iterable[str]) -> str:
    """Join lines, each broken after at most 110 characters and indented where it goes on."""
    return "\n".join(textwrap.fill(line, 110, subsequent_indent="      ") for line in lines)


def shortened(lines: tuple[str, ...], most: int = 6) -> tuple[str, ...]:
    """Keep the first lines and say how many more there are."""
    rest = len(lines) - most
    return lines if rest <= 0 else (*lines[:most], f"… and {rest} more")
