"""Load a model by one setting: the course model when nothing is said, else any encoder from the hub or a folder.

Only safetensors are read and no code from the hub is run, so a model from elsewhere is data and nothing more.
"""

import inspect
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import torch
import transformers
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging
from transformers.utils.hub import cached_file

from labkit.models import manifest
from labkit.models.course_model import build
from labkit.models.errors import ModelError

VARIABLE = "LABKIT_MODEL"
"""Environment variable that names another model: a folder, or an id on the hub such as "jhu-clsp/mmBERT-small"."""

ENCODERS = ("bert", "distilbert", "eurobert", "modernbert", "roberta", "xlm-roberta")
"""Architectures that are accepted, by their `model_type`. EuroBERT and ModernBERT (mmBERT) are among them."""

_E5_PREFIXES = {"question": "query: ", "passage": "passage: "}
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_MAX_POOLING_BYTES = 100_000
_TROUBLE = (OSError, ValueError, RuntimeError, KeyError, SafetensorError, HfHubHTTPError, httpx.HTTPError)


def locate(model: str | Path | None = None) -> str:
    """Folder or hub id that `from_pretrained` takes; the course model is built if need be.

    `model` goes before the variable LABKIT_MODEL; without both it is the course model. Raises ModelError when a folder
    is missing or the text is no hub id.
    """
    named = str(model or os.environ.get(VARIABLE, "")).strip()
    if not named:
        return str(build())
    folder = Path(named).expanduser()
    if folder.is_dir():
        if (folder / manifest.NAME).exists():
            manifest.read(folder)  # a model that the kit built is checked before it is used
        return str(folder)
    if isinstance(model, Path) or not _HUB_ID.fullmatch(named):
        raise ModelError(f"There is no folder {named}. Name a folder with a model, or a hub id such as owner/model.")
    return named


def load(model: str | Path | None = None) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """An ordinary `transformers` encoder (float32, evaluation mode) and its fast tokenizer.

    `model` is a folder or a hub id; default: LABKIT_MODEL, else the course model. How its vectors are made (`embed`) is
    noted in its config. Raises ModelError with one line when it cannot be had or is no encoder.
    """
    name = locate(model)
    try:
        config = AutoConfig.from_pretrained(name, trust_remote_code=False)
        if config.model_type not in ENCODERS:
            raise ModelError(
                f"{name} is of the kind {config.model_type!r}; the kit uses encoders: {', '.join(ENCODERS)}."
            )
        config.labkit_pooling = declared_pooling(name)
        config.labkit_prefixes = _E5_PREFIXES if is_e5(name) else {}
        encoder = _encoder(name, config)
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except HFValidationError as error:
        raise ModelError(f"{name!r} is no hub id. Write it like owner/model, or name a folder.") from error
    except _TROUBLE as error:
        raise ModelError(
            f"The model {name} cannot be loaded ({_reason(error)}). Check its name and the network, or leave "
            f"{VARIABLE} empty to use the course model."
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.sep_token
    return encoder, tokenizer


def is_e5(name: str) -> bool:
    """Say whether a model is of the E5 family, which was trained with "query: " and "passage: " before its texts."""
    return re.search(r"(?<![a-z0-9])e5(?![a-z0-9])", Path(name).name.lower()) is not None


def declared_pooling(name: str) -> str:
    """How a model wants its vectors made: "first" (vector of the first piece) if it says so, else "mean".

    Models for sentence-transformers say it in `1_Pooling/config.json`; plain encoders such as mmBERT and EuroBERT say
    nothing, and the mean over the pieces is the usual way.
    """
    path = cached_file(
        name,
        "1_Pooling/config.json",
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    if path is None or Path(path).stat().st_size > _MAX_POOLING_BYTES:
        return "mean"
    declared: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    return "first" if isinstance(declared, dict) and declared.get("pooling_mode_cls_token") is True else "mean"


def _encoder(name: str, config: Any) -> PreTrainedModel:
    kind: Any = transformers.MODEL_MAPPING[type(config)]
    options: dict[str, Any] = {}
    if "add_pooling_layer" in inspect.signature(kind.__init__).parameters:
        options["add_pooling_layer"] = False  # it would be random: no checkpoint for embeddings has one that is used
    with _no_progress_bar():
        encoder = kind.from_pretrained(name, config=config, dtype=torch.float32, use_safetensors=True, **options)
    return cast("PreTrainedModel", encoder.eval())


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep the second that loading takes out of a notebook's outputs."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _reason(error: Exception) -> str:
    """First line of what a library says, shortened."""
    lines = str(error).strip().splitlines()
    return lines[0][:160].rstrip(".") if lines else type(error).__name__
