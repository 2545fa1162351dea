"""Make an ordinary fast tokenizer of `transformers` from the pieces of a weight file.

It is the tokenizer of XLM-RoBERTa, which multilingual-e5-small uses: a unigram model over pieces in which "▁" marks the
beginning of a word, after SentencePiece's normalisation `nmt_nfkc`.
"""

from collections.abc import Sequence

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from labkit.models.errors import ModelFileError

SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>")
"""The special pieces, at ids 0 to 3 in the original vocabulary; "<mask>" is its last piece."""

MASK = "<mask>"
"""The piece that stands for a hidden word."""


def unigram_tokenizer(pieces: Sequence[tuple[str, float]], *, longest: int = 512) -> PreTrainedTokenizerFast:
    """Build the tokenizer from pieces with their log-probabilities, in the order of their ids.

    `longest` is the number of pieces after which a text is cut when truncation is asked for. Raises ModelFileError when
    a special piece is missing: without it, ids would point at the wrong embeddings.
    """
    ids = {piece: number for number, (piece, _) in enumerate(pieces)}
    missing = [piece for piece in (*SPECIAL_PIECES, MASK) if piece not in ids]
    if missing:
        raise ModelFileError(f"The vocabulary lacks {missing[0]}: it is not the one of multilingual-e5-small.")
    core = Tokenizer(models.Unigram(list(pieces), unk_id=ids["<unk>"], byte_fallback=False))
    core.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    core.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    core.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    core.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", ids["<s>"]), ("</s>", ids["</s>"])],
    )
    begin, padding, end, unknown = SPECIAL_PIECES
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=core,
        model_max_length=longest,
        bos_token=begin,
        eos_token=end,
        cls_token=begin,
        sep_token=end,
        unk_token=unknown,
        pad_token=padding,
        mask_token=MASK,
    )
