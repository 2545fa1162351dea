import numpy as np
import pytest
import torch

from labkit.models import ModelError, embed, load


@pytest.fixture
def pair(tiny_model):
    return load(tiny_model("bert"))


def states(pair, text):
    model, tokenizer = pair
    with torch.inference_mode():
        return model(**tokenizer(text, return_tensors="pt", return_token_type_ids=False)).last_hidden_state[0].numpy()


def test_a_vector_is_the_mean_over_the_pieces(pair):
    assert embed(["air quality"], *pair)[0] == pytest.approx(states(pair, "air quality").mean(axis=0), abs=1e-6)


def test_or_the_first_piece_where_the_model_says_so(pair):
    pair[0].config.labkit_pooling = "first"
    assert embed(["air quality", "data"], *pair)[0] == pytest.approx(states(pair, "air quality")[0], abs=1e-6)


def test_neighbours_in_a_batch_do_not_matter(pair):
    texts = ["air", "the data in the air quality data", "", "quality"]
    together = embed(texts, *pair, batch_size=3)
    alone = np.concatenate([embed([text], *pair) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_purpose_puts_the_words_that_e5_wants(pair):
    pair[0].config.labkit_prefixes = {"question": "query: ", "passage": "passage: "}
    np.testing.assert_array_equal(embed(["air"], *pair, purpose="question"), embed(["query: air"], *pair))
    np.testing.assert_array_equal(embed(["air"], *pair), embed(["air"], *pair, purpose="classify"))
    assert not np.array_equal(embed(["air"], *pair, purpose="passage"), embed(["air"], *pair))


@pytest.mark.parametrize("text", ["", " ", "air " * 25_000, "a" * 100_000, "空气质量数据", "\x00\u200b", "🙂" * 50])
@pytest.mark.parametrize("kind", ["bert", "modernbert", "eurobert"])
def test_odd_texts_get_a_vector_too(tiny_model, kind, text):
    vectors = embed([text, "air"], *load(tiny_model(kind)))
    assert vectors.shape == (2, 32)
    assert np.isfinite(vectors).all()


def test_no_text_no_vector(pair):
    assert embed([], *pair).shape == (0, 32)


@pytest.mark.parametrize("texts", ["air", ["air", None], [1.5]])
def test_what_is_no_list_of_texts_is_refused(pair, texts):
    with pytest.raises(ModelError, match="list of texts"):
        embed(texts, *pair)


def test_a_model_in_training_stays_in_training(pair):
    model, tokenizer = pair
    model.train()
    first = embed(["air"], model, tokenizer)
    assert model.training
    np.testing.assert_array_equal(first, embed(["air"], model, tokenizer))  # no dropout
