"""The run of the lab's size with the real model: time, memory, and whether it is as good as recorded."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from labkit.data import judged, runs


@pytest.mark.long
@pytest.mark.parametrize("name", ["full-0", "lora-0"])
def test_a_run_of_the_labs_size_fits_the_session_and_repeats_what_is_recorded(tmp_path, name, monkeypatch):
    monkeypatch.delenv("LABKIT_CACHE")
    command = [sys.executable, "-m", "labkit.training.benchmark", "--one", name, "--record", str(tmp_path)]
    subprocess.run(command, check=True, timeout=280, capture_output=True)
    facts = json.loads((tmp_path / "facts.json").read_text())
    recorded = runs().set_index("run")
    assert facts["rows"] == recorded.loc[name, "rows"] == 936
    assert facts["learned"] == recorded.loc[name, "learned"]
    assert facts["seconds"] < 180
    assert facts["peak_megabytes"] < 1200
    assert facts["accuracy"] > recorded.loc["tfidf", "accuracy"] + 0.3
    assert facts["accuracy"] > recorded.loc["frozen", "accuracy"]
    answers = pd.read_csv(tmp_path / "judged.csv").merge(judged(name), on=["id", "language"])
    assert (answers["predicted_x"] == answers["predicted_y"]).mean() > 0.9
