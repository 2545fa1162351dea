"""A few titles that a tiny model can learn."""

import pandas as pd
import pytest


@pytest.fixture
def titles() -> pd.DataFrame:
    """Twelve titles of two themes; the pieces of the tiny tokenizer tell them apart."""
    air = [f"air quality in the {letter}" for letter in "abcdef"]
    data = [f"data {number} data" for number in range(6)]
    rows = {"text": air + data, "theme": ["ENVI"] * 6 + ["TECH"] * 6}
    return pd.DataFrame({"id": [f"t{n}" for n in range(12)], "language": "en", **rows})


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Checkpoints lie in the cache; each test has its own."""
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "cache"))
