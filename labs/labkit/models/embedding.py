"""Turn texts into vectors with an encoder, in small batches of similar length."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BatchEncoding, PreTrainedModel, PreTrainedTokenizerBase

from labkit.models.errors import ModelError

LONGEST = 512
"""Pieces after which a text is cut, whatever the model could read: longer ones do not fit a small machine."""

Purpose = Literal["classify", "question", "passage"]
"""What the vectors are for: some models want words before a question or a passage, none before a text to classify."""


def embed(
    texts: Sequence[str],
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    purpose: Purpose = "classify",
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """One vector a text, float32, shape (number of texts, hidden size), not normalised.

    Model and tokenizer come from `labkit.models.load`, which notes in `model.config` whether a vector is the mean over
    the pieces or the vector of the first one, and the words that `purpose` puts before each text. An empty text gets a
    vector too: that of its beginning and end marks. Raises ModelError when `texts` is one text or holds something else.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise ModelError("embed takes a list of texts. Write embed([text], ...) for a single one.")
    config: Any = model.config
    prefix = getattr(config, "labkit_prefixes", {}).get(purpose, "")
    longest = longest_text(config)
    encoded = [
        tokenizer(prefix + text, truncation=True, max_length=longest, return_token_type_ids=False)["input_ids"]
        for text in texts
    ]
    vectors = np.empty((len(texts), config.hidden_size), np.float32)
    training = model.training
    model.train(False)
    try:
        for rows, inputs in batches(encoded, tokenizer, batch_size):
            vectors[rows] = _vectors(inputs, model)
    finally:
        model.train(training)
    return vectors


def longest_text(config: Any) -> int:
    """Pieces after which a text is cut for this model: what it can read, and no more than `LONGEST`."""
    readable: int = getattr(config, "max_position_embeddings", LONGEST)
    if getattr(config, "model_type", "") in ("roberta", "xlm-roberta"):
        readable -= config.pad_token_id + 1  # their positions begin after the padding id
    return min(LONGEST, readable)


def batches(
    encoded: Sequence[list[int]], tokenizer: PreTrainedTokenizerBase, size: int
) -> Iterator[tuple[list[int], BatchEncoding]]:
    """Deal out texts of similar length: their row numbers, and their pieces and mask, padded to the longest of them."""
    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row]))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        ids = [encoded[row] for row in rows]
        yield rows, tokenizer.pad({"input_ids": ids}, padding_side="right", return_tensors="pt")


def _vectors(inputs: BatchEncoding, model: PreTrainedModel) -> NDArray[np.float32]:
    inputs = inputs.to(model.device)
    with torch.inference_mode():
        states = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]).last_hidden_state
        pooled = pool(states, inputs["attention_mask"], model.config)
    result: NDArray[np.float32] = pooled.float().cpu().numpy()
    return result


def pool(states: torch.Tensor, mask: torch.Tensor, config: Any) -> torch.Tensor:
    """Make one vector a text: shape (texts, pieces, hidden size) and mask (texts, pieces) -> (texts, hidden size).

    `config` is the model's: `labkit.models.load` notes there whether the first piece counts or the mean over all.
    """
    if getattr(config, "labkit_pooling", "mean") == "first":
        return states[:, 0]
    shares = mask.unsqueeze(-1).to(states.dtype)
    return (states * shares).sum(1) / shares.sum(1)
