import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labkit.models.choose import choose, indispensable

NONE = np.array([], np.int64)


def test_the_worst_covered_language_takes_its_turn():
    usage = {"big": np.array([50.0, 30.0, 20.0, 0, 0, 0]), "small": np.array([0, 0, 0, 0.5, 0.3, 0.2])}
    kept, covered = choose(usage, 2, NONE)
    assert kept.tolist() == [0, 3]  # one each, though "big" uses all its pieces more often
    assert covered == {"big": 0.5, "small": 0.5}


def test_a_shared_piece_serves_both():
    usage = {"a": np.array([6.0, 4, 0]), "b": np.array([6.0, 0, 4])}
    assert choose(usage, 1, NONE)[0].tolist() == [0]


def test_what_is_kept_always_is_kept_and_counts():
    kept, covered = choose({"a": np.array([1.0, 9.0])}, 2, np.array([0]))
    assert kept.tolist() == [0, 1]
    assert covered["a"] == pytest.approx(1.0)


def test_unused_pieces_do_not_fill_the_budget():
    assert choose({"a": np.array([1.0, 0, 0])}, 3, NONE)[0].tolist() == [0]


def test_impossible_wishes():
    with pytest.raises(ValueError, match="budget is 1"):
        choose({"a": np.ones(3)}, 1, np.array([0, 1]))
    with pytest.raises(ValueError, match="no piece"):
        choose({"a": np.zeros(3)}, 1, NONE)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(5, 40))
def test_no_language_is_left_behind(seed, budget):
    """Languages that share no piece end at most one piece apart, however unequal their sizes."""
    usage = {}
    for k in range(4):
        usage[str(k)] = np.zeros(60)
        usage[str(k)][15 * k : 15 * (k + 1)] = 10.0**k * (0.1 + np.random.default_rng(seed + k).pareto(1.0, 15))
    kept, covered = choose(usage, budget, NONE)
    assert len(kept) == budget
    largest = max((counts / counts.sum()).max() for counts in usage.values())
    assert max(covered.values()) - min(covered.values()) <= largest + 1e-9
    for language, counts in usage.items():
        assert covered[language] == pytest.approx(counts[kept].sum() / counts.sum())


def test_indispensable_pieces_spell_every_word():
    letters = [(c, -1.0) for c in "ażßþάж空"]
    pieces = [
        ("<s>", 0.0),
        ("▁", -1.0),
        ("▁a", -1.0),
        ("2026", -1.0),
        ("20261", -1.0),
        ("ab", -1.0),
        ("€", -1.0),
        *letters,
    ]
    kept = {pieces[i][0] for i in indispensable(pieces, ["<s>"])}
    assert kept == {"<s>", "▁", "▁a", "2026", "€", *"ażßþάж"}
    assert unicodedata.name("空").startswith("CJK")
