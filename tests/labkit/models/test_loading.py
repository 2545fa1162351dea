import json

import pytest
import torch
from transformers import GPT2Config, GPT2Model

from labkit.models import ModelError, course_model, embed, load, loading, locate


@pytest.mark.parametrize("kind", ["bert", "modernbert", "eurobert"])
def test_each_architecture_from_a_folder(tiny_model, kind):
    folder = tiny_model(kind)
    model, tokenizer = load(folder)
    assert model.config.model_type == kind
    assert not model.training
    assert next(model.parameters()).dtype is torch.float32
    assert tokenizer.is_fast
    vectors = embed(["air quality", "data"], model, tokenizer)
    assert vectors.shape == (2, 32)
    assert not (vectors[0] == vectors[1]).all()


def test_loading_twice_gives_the_same_model(tiny_model):
    """No part of a model is left random, such as a head for pooling that the file does not have."""
    folder = tiny_model("bert")
    torch.manual_seed(1)
    first = load(folder)[0].state_dict()
    torch.manual_seed(2)
    second = load(folder)[0].state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_variable_names_the_model_and_the_argument_goes_before_it(tiny_model, monkeypatch):
    bert, modern = tiny_model("bert"), tiny_model("modernbert")
    monkeypatch.setenv("LABKIT_MODEL", str(modern))
    assert load()[0].config.model_type == "modernbert"
    assert load(bert)[0].config.model_type == "bert"


def test_without_a_word_it_is_the_course_model(tiny_choice, tiny_weights, tmp_path, monkeypatch):
    monkeypatch.delenv("LABKIT_MODEL", raising=False)
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(course_model, "bundled_choice", lambda: tiny_choice)
    monkeypatch.setattr(course_model.sources, "packaged_file", lambda: tiny_weights)
    monkeypatch.setattr(course_model.sources.importlib.metadata, "version", lambda _: "0.3.0")
    model, tokenizer = load()
    assert model.config.vocab_size == len(tokenizer) == len(tiny_choice.ids)
    assert model.config.labkit_prefixes == {"question": "query: ", "passage": "passage: "}
    folder = locate()
    (tmp_path / "cache").joinpath(folder, "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="was changed"):
        load(folder)  # named as a folder, it is not built anew


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "two words", "a/b/c", "~nobody/x y"])
def test_neither_folder_nor_hub_id(name):
    with pytest.raises(ModelError, match="There is no folder"):
        load(name)


def test_hub_out_of_reach(monkeypatch):
    def offline(*_: object, **__: object) -> None:
        raise OSError("We couldn't connect to the hub.\nCheck your connection.")

    monkeypatch.setattr(loading.AutoConfig, "from_pretrained", offline)
    with pytest.raises(ModelError, match=r"kit-test/nothing cannot be loaded .*LABKIT_MODEL") as caught:
        load("kit-test/nothing")
    assert "\n" not in str(caught.value)


def test_folder_without_a_model(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(tmp_path)


def test_damaged_weights(tiny_model):
    folder = tiny_model("bert")
    (folder / "model.safetensors").write_bytes(b"\x00" * 50)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)


def test_a_model_that_writes_text_is_refused(tmp_path):
    GPT2Model(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=10)).save_pretrained(tmp_path / "gpt")
    with pytest.raises(ModelError, match="'gpt2'; the kit uses encoders"):
        load(tmp_path / "gpt")


def test_pooling_is_what_the_model_declares(tiny_model):
    folder = tiny_model("bert")
    assert loading.declared_pooling(str(folder)) == "mean"
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}), encoding="utf-8")
    model, _ = load(folder)
    assert model.config.labkit_pooling == "first"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("intfloat/multilingual-e5-small", True),
        ("/cache/multilingual-e5-small-eu24-0b14-98000", True),
        ("jhu-clsp/mmBERT-small", False),
        ("someone/the5th", False),
        ("e5/other", False),
    ],
)
def test_who_is_of_the_e5_family(name, answer):
    assert loading.is_e5(name) is answer
