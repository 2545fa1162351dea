"""The recorded runs agree with themselves and with the titles."""

import pytest

from labkit.data import DataSetError, judged, load, runs
from labkit.training.benchmark import RUNS


def test_every_run_is_recorded_with_its_answers():
    table = runs().set_index("run")
    assert list(table.index) == [run.name for run in RUNS]
    test = load("themes").query("split == 'test'")
    for run in RUNS:
        answers = judged(run.name)
        assert len(answers) == len(test) == 2496
        assert set(answers["predicted"]) <= set(test["theme"])
        assert (answers["theme"] == answers["predicted"]).mean() == pytest.approx(
            table.loc[run.name, "accuracy"], abs=1e-4
        )


def test_costs_and_counts_are_plausible():
    table = runs().set_index("run")
    assert (table[["rows", "learned", "seconds", "cpu_seconds", "watt_hours"]] > 0).all().all()
    assert table.loc["tfidf-english", "rows"] == 156
    assert table.loc["frozen-all", "rows"] == 156 * 24
    assert table.loc["lora-0", "learned"] < table.loc["full-0", "learned"] < 59_891_712
    assert (table["peak_megabytes"] < 2000).all()


def test_an_unknown_run_is_named_with_what_there_is():
    with pytest.raises(DataSetError, match=r"'lora-9'.*tfidf-english"):
        judged("lora-9")
