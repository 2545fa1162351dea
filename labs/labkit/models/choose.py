"""Choose which pieces of a vocabulary to keep, so that no language pays more than another.

The idea: the languages take turns, and the next turn is always with the language whose running text is covered worst so
far. It takes its most frequent piece that is not yet kept. What it takes helps every language that uses the piece too.
So at the end all languages have nearly the same share of their text covered, whatever their script and number of forms.
"""

import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")
_SHORT_NUMBER = 4


def choose(
    usage: Mapping[str, NDArray[np.float64]], budget: int, always: NDArray[np.int64]
) -> tuple[NDArray[np.int64], dict[str, float]]:
    """Ids of the pieces to keep, ascending, and for each language the share of its text that they cover.

    `usage` gives for each language how often each piece is used (any unit); `always` are kept whatever their use. Fewer
    than `budget` pieces are kept when the languages use fewer. Raises ValueError when `always` alone exceeds the
    budget, or a language uses no piece at all.
    """
    if len(always) > budget:
        raise ValueError(f"{len(always)} pieces are to be kept always, the budget is {budget}")
    if any(counts.sum() <= 0 for counts in usage.values()):
        raise ValueError("a language uses no piece at all")
    shares = np.stack([counts / counts.sum() for counts in usage.values()])
    kept = np.zeros(shares.shape[1], np.bool_)
    kept[always] = True
    covered = shares[:, kept].sum(axis=1)
    queues = [iter(_by_frequency(row)) for row in shares]
    waiting = set(range(len(queues)))
    for _ in range(budget - len(always)):
        piece = None
        while piece is None and waiting:
            worst = min(waiting, key=covered.__getitem__)
            piece = next((i for i in queues[worst] if not kept[i]), None)
            if piece is None:  # this language has all its pieces
                waiting.remove(worst)
        if piece is None:
            break
        kept[piece] = True
        covered += shares[:, piece]
    return np.flatnonzero(kept).astype(np.int64), dict(zip(usage, covered.tolist(), strict=True))


def _by_frequency(shares: NDArray[np.float64]) -> list[int]:
    """Ids of the pieces that are used at all, the most frequent first."""
    order = np.argsort(-shares, kind="stable")
    used: list[int] = order[: int((shares > 0).sum())].tolist()
    return used


def indispensable(pieces: Sequence[tuple[str, float]], special: Sequence[str]) -> NDArray[np.int64]:
    """Ids of pieces to keep whatever their use.

    These are the special pieces, every single character of the Latin, Greek and Cyrillic scripts (so that any word of
    the 24 languages can be spelt), single signs that are no letters, and numbers of up to four digits.
    """
    names = set(special)
    return np.array([i for i, (piece, _) in enumerate(pieces) if piece in names or _is_basic(piece)], np.int64)


def _is_basic(piece: str) -> bool:
    body = piece.removeprefix("▁")
    if not body or (body.isascii() and body.isdigit() and len(body) <= _SHORT_NUMBER):
        return True
    return len(body) == 1 and (
        unicodedata.name(body, "").startswith(_SCRIPTS) or unicodedata.category(body)[0] in "NPSZ"
    )
