"""Load SmolLM2 from its file as an ordinary model of `transformers`, in float32, so that it can be trained."""

import hashlib
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from labkit.models.errors import ModelFileError
from labkit.smollm2 import gguf_file, package
from labkit.smollm2.gguf_file import GgufFile
from labkit.smollm2.tokenizer import bpe_tokenizer


def load(file: Path | None = None) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """The model (float32, evaluation mode, about 540 MB) and its tokenizer with chat template; takes some seconds.

    `file` is a GGUF file of a SmolLM2 model that you trust; default: the one in the package, whose checksum must be
    right. Raises ModelError: not installed; ModelFileError: the file is not what it should be.
    """
    path = package.locate() if file is None else file
    gguf_file.check_head(path)
    if file is None and _digest(path) != package.SHA256:
        raise ModelFileError(f"{path.name} is not the file of {package.PACKAGE}. {gguf_file.REPAIR}")
    found = gguf_file.read(path)
    return _model(found), bpe_tokenizer(found.metadata)


def _digest(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _model(found: GgufFile) -> LlamaForCausalLM:
    try:
        config = _config(found)
        with torch.device("meta"):  # takes no memory: the tensors of the file move in below
            model = LlamaForCausalLM(config)
        model.load_state_dict(found.state | _head(found), strict=True, assign=True)
    except (KeyError, ValueError, TypeError, ZeroDivisionError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelFileError(f"The weights do not fit the architecture: {reason}. {gguf_file.REPAIR}") from error
    model.model.rotary_emb = LlamaRotaryEmbedding(config)  # computed, not stored, so it is not in the file
    model.tie_weights()
    model.train(mode=False)
    return model


def _head(found: GgufFile) -> dict[str, torch.Tensor]:
    """The output layer, where the file leaves it out because it is the embedding matrix once more."""
    name = "lm_head.weight"
    return {} if name in found.state else {name: found.state["model.embed_tokens.weight"]}


def _config(found: GgufFile) -> LlamaConfig:
    facts = found.metadata
    return LlamaConfig(
        vocab_size=int(facts["llama.vocab_size"]),
        hidden_size=int(facts["llama.embedding_length"]),
        intermediate_size=int(facts["llama.feed_forward_length"]),
        num_hidden_layers=int(facts["llama.block_count"]),
        num_attention_heads=int(facts["llama.attention.head_count"]),
        num_key_value_heads=int(facts["llama.attention.head_count_kv"]),
        max_position_embeddings=int(facts["llama.context_length"]),
        rms_norm_eps=float(facts["llama.attention.layer_norm_rms_epsilon"]),
        rope_parameters={"rope_type": "default", "rope_theta": float(facts["llama.rope.freq_base"])},
        tie_word_embeddings="lm_head.weight" not in found.state,
        bos_token_id=int(facts["tokenizer.ggml.bos_token_id"]),
        eos_token_id=int(facts["tokenizer.ggml.eos_token_id"]),
        pad_token_id=int(facts["tokenizer.ggml.padding_token_id"]),
        dtype="float32",
    )
