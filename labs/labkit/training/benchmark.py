"""Train classifiers of themes in several ways and report what each gains in 24 languages and what it costs.

    python -m labkit.training.benchmark [--record FOLDER]

Every run has a process of its own, so that its peak memory is its own. All are trained on titles of the train part of
`labkit.data.load("themes")` and judged on the 104 test titles in 24 languages. `--record` writes the tables that
`labkit.data.runs` reads.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import pandas as pd

from labkit.data import load
from labkit.scores import by_group
from labkit.training.cost import Cost, measured
from labkit.training.sampling import spread

ENGLISH, ALL = 1, 24


@dataclass(frozen=True)
class Run:
    """One way to train: `languages_each` is how many languages each title is read in, 1 meaning English alone."""

    name: str
    method: Literal["tfidf", "frozen", "lora", "full"]
    languages_each: int
    epochs: float = 1.0
    seed: int = 0


RUNS = (
    Run("tfidf-english", "tfidf", ENGLISH),
    Run("tfidf", "tfidf", 6),
    Run("tfidf-all", "tfidf", ALL),
    Run("frozen-english", "frozen", ENGLISH),
    Run("frozen", "frozen", 6),
    Run("frozen-all", "frozen", ALL),
    Run("lora-english", "lora", ENGLISH, epochs=6),  # as many steps as "lora" takes
    *(Run(f"lora-{seed}", "lora", 6, seed=seed) for seed in range(3)),
    *(Run(f"full-{seed}", "full", 6, seed=seed) for seed in range(3)),
    Run("lora-2-languages", "lora", 2),
    Run("lora-12-languages", "lora", 12),
)


def train_and_judge(run: Run) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Do one run: the table of judged test titles, and its row of `labkit.data.runs()`."""
    train, test = rows_for(run.languages_each), load("themes").query("split == 'test'")
    learned, cost, predicted = (_with_encoder if run.method in ("lora", "full") else _with_head)(run, train, test)
    judged = test[["id", "language", "theme"]].assign(predicted=predicted)
    facts = {
        "run": run.name,
        "method": run.method,
        "languages": train["language"].nunique(),
        "rows": len(train),
        "epochs": run.epochs,
        "seed": run.seed,
        "learned": learned,
        "seconds": round(cost.seconds, 1),
        "cpu_seconds": round(cost.cpu_seconds, 1),
        "peak_megabytes": round(cost.peak_megabytes),
        "watt_hours": round(cost.watt_hours, 3),
        "accuracy": round(float((judged["theme"] == judged["predicted"]).mean()), 4),
    }
    return judged, facts


def rows_for(languages_each: int) -> pd.DataFrame:
    """Titles that a run is trained on: each train title in so many languages, and 1 means English alone."""
    train = load("themes").query("split == 'train'")
    return train[train["language"] == "en"] if languages_each == ENGLISH else spread(train, languages_each)


def _with_head(run: Run, train: pd.DataFrame, test: pd.DataFrame) -> tuple[int, Cost, list[str]]:
    """Logistic regression, on character n-grams ("tfidf") or on the vectors of the untouched encoder ("frozen")."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    if run.method == "tfidf":
        vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        with measured() as cost:
            head = LogisticRegression(C=30.0, max_iter=1000).fit(
                vectoriser.fit_transform(train["text"]), train["theme"]
            )
        predicted = head.predict(vectoriser.transform(test["text"]))
    else:
        from labkit import models  # noqa: PLC0415

        encoder, tokenizer = models.load()
        with measured() as cost:
            vectors = models.embed(train["text"].tolist(), encoder, tokenizer)
            head = LogisticRegression(C=1.0, max_iter=5000).fit(vectors, train["theme"])
        predicted = head.predict(models.embed(test["text"].tolist(), encoder, tokenizer))
    return head.coef_.size + head.intercept_.size, cost, predicted.tolist()


def _with_encoder(run: Run, train: pd.DataFrame, test: pd.DataFrame) -> tuple[int, Cost, list[str]]:
    """Fine-tune upper layers of the encoder together with a head."""
    from labkit.training.fine_tuning import fine_tune  # noqa: PLC0415
    from labkit.training.recipe import Recipe  # noqa: PLC0415

    if run.method not in ("lora", "full"):
        raise ValueError(run.method)
    with TemporaryDirectory() as folder:  # its own, so that no checkpoint of another run makes it look quick
        tuned = fine_tune(
            train, Recipe(method=run.method, epochs=run.epochs, seed=run.seed), folder=Path(folder, "checkpoints")
        )
    return tuned.learned, tuned.cost, tuned.predict(test["text"].tolist())


def main(arguments: Sequence[str] | None = None) -> None:
    """Do all runs, print the two tables, and write them where asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--record", type=Path, help="folder to write runs.csv, predictions.csv and made.json to")
    parser.add_argument("--one", metavar="RUN", help=argparse.SUPPRESS)  # what this program asks of its own processes
    options = parser.parse_args(arguments)
    if options.one:
        run = next(run for run in RUNS if run.name == options.one)
        judged, facts = train_and_judge(run)
        judged.to_csv(options.record / "judged.csv", index=False)
        (options.record / "facts.json").write_text(json.dumps(facts))
        return
    results = [_in_a_process(run, number) for number, run in enumerate(RUNS, start=1)]
    runs = pd.DataFrame([facts for _, facts in results])
    tables = {facts["run"]: judged for judged, facts in results}
    accuracies = {name: by_group(judged).set_index("language")["accuracy"] for name, judged in tables.items()}
    print(runs.drop(columns=["epochs", "seed"]).to_string(index=False))
    print((100 * pd.DataFrame(accuracies)).round().astype(int).T.to_string())
    if options.record:
        _record(options.record, runs, tables)


def _in_a_process(run: Run, number: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    print(f"run {number} of {len(RUNS)}: {run.name}", file=sys.stderr, flush=True)
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "labkit.training.benchmark", "--one", run.name, "--record", folder]
        subprocess.run(command, check=True)  # noqa: S603 - this program with a name from its own list
        judged = pd.read_csv(Path(folder, "judged.csv"))
        facts: dict[str, Any] = json.loads(Path(folder, "facts.json").read_text())
    return judged, facts


def _record(folder: Path, runs: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> None:
    """Write the tables, and what they were made with."""
    import platform  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415
    from importlib.metadata import version  # noqa: PLC0415

    from labkit import models  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    runs.to_csv(folder / "runs.csv", index=False)
    wide = next(iter(tables.values()))[["id", "language"]].assign(
        **{name: judged["predicted"] for name, judged in tables.items()}
    )
    wide.to_csv(folder / "predictions.csv", index=False)
    manifest = json.loads(Path(models.locate(), "manifest.json").read_text(encoding="utf-8"))
    made = {
        "date": datetime.now(UTC).date().isoformat(),
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "packages": {name: version(name) for name in ("torch", "transformers", "peft", "scikit-learn")},
        "model": {"name": manifest["name"], "weights": manifest["files"]["model.safetensors"]},
    }
    (folder / "made.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
