"""What is known of a recorded training run, read from the run's own files and from the course model's manifest.

No weights are loaded: the manifest says how many there are, and the tokenizer counts what was read.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import AutoTokenizer

from labkit import data, models
from labkit.model_record.checking import Fact
from labkit.model_record.errors import RecordError
from labkit.models import manifest
from labkit.scores import by_group
from labkit.training import Cost
from labkit.training.benchmark import rows_for
from labkit.training.fine_tuning import LONGEST
from labkit.vocabularies import LICENCES

_RUN = "the figures of the recorded run"
_ANSWERS = "the recorded answers"
_MANIFEST = "the files of the base model"
_TITLES = "the titles that it read"
_CARD = "the files of the data"


def recorded(run: str) -> dict[str, Fact]:
    """Facts about a run of `labkit.data.runs()` that was made from the course model, by the name of the field.

    Raises DataSetError for an unknown run, RecordError for a run without the course model ("tfidf").
    """
    judged = data.judged(run)
    runs = data.runs()
    row = {str(name): value for name, value in runs[runs["run"] == run].to_dict("records")[0].items()}
    if row["method"] == "tfidf":
        raise RecordError(f"The run {run!r} was not made from the course model. Take one of lora, full or frozen.")
    folder = models.build()
    base = manifest.read(folder)
    titles = rows_of(row)
    cost = Cost(row["seconds"], row["cpu_seconds"], row["peak_megabytes"])
    low, high = cost.watt_hours_range
    made = json.loads(files("labkit").joinpath("data", "theme-runs", "made.json").read_text(encoding="utf-8"))
    return {
        "model.base_model": Fact(base["base_model"], _MANIFEST),
        "model.method": Fact(row["method"], _RUN),
        **_parameters(row, base),
        "licences.base_model": Fact(base["licence"], _MANIFEST),
        **_data(),
        "training.date": Fact(made["date"], _RUN),
        "training.titles": Fact(titles["id"].nunique(), _TITLES),
        "training.rows": Fact(row["rows"], _RUN),
        "training.epochs": Fact(row["epochs"], _RUN),
        "training.seed": Fact(row["seed"], _RUN),
        "compute.tokens": Fact(round(_pieces(titles["text"].tolist(), folder) * row["epochs"]), _TITLES),
        "compute.seconds": Fact(row["seconds"], _RUN),
        "energy.watt_hours": Fact(row["watt_hours"], _RUN),
        "energy.low": Fact(low, _RUN),
        "energy.high": Fact(high, _RUN),
        "energy.basis": Fact("estimated", _RUN),
        "energy.all_runs": Fact(float(runs["watt_hours"].sum()), "all recorded runs"),
        "languages": Fact(sorted(judged["language"].unique()), _ANSWERS),
        **scored(judged, _ANSWERS),
    }


def rows_of(run: dict[str, Any]) -> pd.DataFrame:
    """Titles that a recorded run was trained on; `run` is a row of `labkit.data.runs()` as a dictionary."""
    labels = data.labels()
    return rows_for(run["rows"] // int((labels["split"] == "train").sum()))


def scored(judged: pd.DataFrame, source: str) -> dict[str, Fact]:
    """Facts about the scores of a table of judged titles (see `labkit.scores`); `source` ends "but … give 0.56"."""
    return {
        f"scores.{row['language']}.{name}": Fact(row[name], source)
        for row in by_group(judged).to_dict("records")
        for name in ("titles", "accuracy", "low", "high")
    }


def _parameters(row: dict[str, Any], base: dict[str, Any]) -> dict[str, Fact]:
    """With "full", the layers that learned are part of the base model and only the head is new."""
    before = base["parameters"]["kept"]
    themes = data.labels()["theme"].nunique()
    new = themes * (base["hidden_size"] + 1) if row["method"] == "full" else row["learned"]
    return {
        "parameters.base": Fact(before, _MANIFEST),
        "parameters.learned": Fact(row["learned"], _RUN),
        "parameters.total": Fact(before + new, f"{_MANIFEST} and {_RUN}"),
    }


def _data() -> dict[str, Fact]:
    described = json.loads(files("labkit").joinpath("data", "themes", "croissant.json").read_text(encoding="utf-8"))
    address = described["license"].removeprefix("https:")
    licence = next(entry.code for entry in LICENCES.values() if entry.document.removeprefix("http:") == address)
    return {
        "licences.data": Fact(licence, _CARD),
        "data.name": Fact(described["name"], _CARD),
        "data.version": Fact(described["version"], _CARD),
        "data.synthetic": Fact(True, _CARD),
    }


def _pieces(texts: list[str], folder: Path) -> int:
    """Pieces that the classifier reads in these texts, the marks of beginning and end included."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return sum(map(len, tokenizer(texts, truncation=True, max_length=LONGEST)["input_ids"]))
