"""Make an ordinary fast tokenizer of `transformers` from the metadata of SmolLM2's GGUF file.

It is a byte-level BPE in which each digit is a piece of its own. `transformers` can read a tokenizer from GGUF too, but
leaves the rule for digits out, which changes the pieces where several blanks stand before a number.
"""

from collections.abc import Mapping
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from labkit.models.errors import ModelFileError

SPLITTING = "smollm"
"""How the file names its way to split text: digits one by one, then GPT-2's rule."""

_CONTROL = 3  # the type that GGUF gives to pieces such as <|im_start|>, which no text may produce by accident


def bpe_tokenizer(metadata: Mapping[str, Any]) -> PreTrainedTokenizerFast:
    """Build the tokenizer, with its chat template. Raises ModelFileError: of another kind, or damaged."""
    kind = (metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre"))
    if kind != ("gpt2", SPLITTING):
        raise ModelFileError(f"The tokenizer in the file is {kind}, not the one of SmolLM2 ('gpt2', {SPLITTING!r}).")
    try:
        pieces = [str(piece) for piece in metadata["tokenizer.ggml.tokens"]]
        merges = [_pair(str(merge)) for merge in metadata["tokenizer.ggml.merges"]]
        types = [int(number) for number in metadata["tokenizer.ggml.token_type"]]
        special = {
            f"{role}_token": pieces[int(metadata[f"tokenizer.ggml.{name}_token_id"])]
            for role, name in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"))
        }
        template = str(metadata["tokenizer.chat_template"])
        core = Tokenizer(models.BPE(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges))
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ModelFileError(f"The tokenizer in the file is damaged ({type(error).__name__}: {error}).") from error
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    core.decoder = decoders.ByteLevel()
    control = [piece for piece, number in zip(pieces, types, strict=True) if number == _CONTROL]
    core.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in control])
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        model_max_length=int(metadata.get("llama.context_length", 8192)),
        chat_template=template,
        **special,
    )


def _pair(merge: str) -> tuple[str, str]:
    left, right = merge.split(" ")
    return left, right
