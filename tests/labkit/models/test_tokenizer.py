import pytest

from labkit.models.errors import ModelFileError
from labkit.models.tokenizer import unigram_tokenizer


@pytest.fixture
def tokenizer(tiny_file):
    return unigram_tokenizer(tiny_file().pieces, longest=48)


def test_words_become_their_likeliest_pieces_between_two_marks(tokenizer):
    ids = tokenizer("air quality")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["<s>", "▁air", "▁quality", "</s>"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == "air quality"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("air   quality", ["▁air", "▁quality"]),  # runs of blanks are one
        ("ﬁ", ["▁", "f", "i"]),  # a ligature is its letters
        ("air\u200bdata", ["▁air", "▁data"]),  # a blank without width is a blank
        ("air\x07", ["▁air"]),  # a control character is nothing
        ("空", ["▁", "<unk>"]),  # a script outside the vocabulary
        ("", []),
    ],
)
def test_normalisation(tokenizer, text, pieces):
    assert tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])[1:-1] == pieces


def test_special_ids_are_those_of_the_pieces(tokenizer, tiny_file):
    assert (tokenizer.bos_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (
        0,
        1,
        2,
        3,
    )
    assert tokenizer.mask_token_id == len(tokenizer) - 1 == len(tiny_file().pieces) - 1


def test_long_text_is_cut_on_demand(tokenizer):
    assert len(tokenizer("air " * 25_000, truncation=True)["input_ids"]) == 48


def test_a_vocabulary_without_a_special_piece_is_refused(tiny_file):
    with pytest.raises(ModelFileError, match="lacks <mask>"):
        unigram_tokenizer(tiny_file().pieces[:-1])
