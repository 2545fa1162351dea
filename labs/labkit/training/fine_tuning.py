"""Run a fine-tuning: rows in, a tuned classifier out; an interrupted run goes on from its checkpoint."""

import hashlib
import json
import logging
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import (
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from labkit import models
from labkit.cache import checkpoint_dir
from labkit.models.embedding import batches, longest_text
from labkit.training.classifier import TitleClassifier, make_trainable, optimizer
from labkit.training.cost import Cost, measured
from labkit.training.errors import TrainingError
from labkit.training.recipe import Recipe
from labkit.training.seeds import fix_seeds

# Trainer warns where the clock of the disk is coarse, and then goes by the numbers of the checkpoints, which is right.
logging.getLogger("transformers.trainer_utils").addFilter(lambda record: "mtime" not in record.getMessage())

LONGEST = 64
"""Pieces after which a title is cut; the longest of the kit's own has fewer."""

_CHECKPOINTS = 4  # a run
_LOSSES = 20  # a run


@dataclass(frozen=True, eq=False)
class Tuned:
    """What a run leaves: a classifier that names themes, and what it took."""

    network: nn.Module
    tokenizer: PreTrainedTokenizerBase
    themes: tuple[str, ...]
    recipe: Recipe
    rows: int
    """titles it was trained on"""
    losses: pd.DataFrame
    """columns step and loss (cross entropy, in nats), from the first steps to the last"""
    cost: Cost
    """of the training alone; of the last part where a run was interrupted"""

    @property
    def learned(self) -> int:
        """How many of the weights were allowed to change."""
        return sum(weight.numel() for weight in self.network.parameters() if weight.requires_grad)

    def probabilities(self, texts: Sequence[str], batch_size: int = 32) -> NDArray[np.float32]:
        """Shape (texts, themes): how sure the classifier is of each theme; every row adds up to 1."""
        encoded = _ids(texts, self.network, self.tokenizer)
        result = np.empty((len(encoded), len(self.themes)), np.float32)
        self.network.eval()
        for rows, inputs in batches(encoded, self.tokenizer, batch_size):
            with torch.inference_mode():
                logits = self.network(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])["logits"]
            result[rows] = logits.softmax(-1).numpy()
        return result

    def predict(self, texts: Sequence[str]) -> list[str]:
        """Name the most likely theme of each text."""
        return [self.themes[best] for best in self.probabilities(texts).argmax(axis=1)]


def fine_tune(
    titles: pd.DataFrame,
    recipe: Recipe | None = None,
    *,
    model: str | Path | None = None,
    folder: Path | None = None,
) -> Tuned:
    """Fine-tune an encoder on titles and their themes: columns text and theme, at least two different themes.

    `recipe` says how (default: `Recipe()`), `model` which encoder (see `labkit.models.load`). A progress bar runs.
    After an interrupt (Ctrl-C, or the stop button) the step under way is finished and saved, and KeyboardInterrupt is
    raised; the same call then goes on from there. Checkpoints lie in `folder` (default: in the cache of the models) and
    are removed at the end. Raises TrainingError for titles or settings that cannot be used, ModelError for the model.
    """
    recipe = recipe or Recipe()
    themes = _themes(titles)
    encoder, tokenizer = models.load(model)
    fix_seeds(recipe.seed)
    network = make_trainable(TitleClassifier(encoder, themes), recipe)
    rows = [
        {"input_ids": ids, "labels": themes.index(theme)}
        for ids, theme in zip(_ids(titles["text"], network, tokenizer), titles["theme"], strict=True)
    ]
    folder = folder or checkpoint_dir() / _fingerprint(rows, recipe, models.locate(model))
    trainer = Trainer(
        network,
        _arguments(recipe, len(rows), folder),
        train_dataset=rows,
        data_collator=DataCollatorWithPadding(tokenizer),
        optimizers=(optimizer(network, recipe), None),
    )
    if trainer.pop_callback(ProgressCallback):  # outside notebooks: keep the bar, without a line a loss below it
        trainer.add_callback(_Bar())
    with _stop_between_steps(trainer) as stopped, measured() as cost:
        trainer.train(resume_from_checkpoint=_checkpoint(folder))
    if stopped.is_set():
        raise KeyboardInterrupt(
            f"Stopped after step {trainer.state.global_step} of {trainer.state.max_steps}; run it again to go on."
        )
    shutil.rmtree(folder, ignore_errors=True)
    losses = pd.DataFrame([entry for entry in trainer.state.log_history if "loss" in entry])
    return Tuned(network, tokenizer, themes, recipe, len(rows), losses[["step", "loss"]].astype(float), cost)


def _themes(titles: pd.DataFrame) -> tuple[str, ...]:
    missing = {"text", "theme"} - set(titles.columns)
    if missing:
        raise TrainingError(f"The table of titles has no column {' and '.join(sorted(missing))}.")
    if titles[["text", "theme"]].isna().to_numpy().any():
        raise TrainingError("Some titles have no text or no theme. Leave those rows out.")
    themes = tuple(sorted(titles["theme"].unique()))
    if len(themes) < 2:
        raise TrainingError(f"There are {len(titles)} titles with {len(themes)} theme; at least two themes are needed.")
    return themes


def _ids(texts: Iterable[str], network: nn.Module, tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    longest = min(LONGEST, longest_text(network.config))
    return [
        tokenizer(text, truncation=True, max_length=longest, return_token_type_ids=False)["input_ids"] for text in texts
    ]


def _arguments(recipe: Recipe, rows: int, folder: Path) -> TrainingArguments:
    steps = max(1, round(recipe.epochs * rows / recipe.batch_size))
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.rate,
        warmup_steps=0.1,  # a share of all steps
        seed=recipe.seed,
        logging_steps=max(1, steps // _LOSSES),
        save_steps=max(1, steps // _CHECKPOINTS),
        save_total_limit=1,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to=[],
    )


def _fingerprint(rows: list[dict[str, Any]], recipe: Recipe, model: str) -> str:
    """Differ for every run that is not the same, so that none goes on from another's checkpoint."""
    told = json.dumps([rows, asdict(recipe), model], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _checkpoint(folder: Path) -> str | None:
    """Newest checkpoint of an earlier, interrupted run; `trainer_state.json` is the file that is written last."""
    newest = get_last_checkpoint(str(folder)) if folder.is_dir() else None  # type: ignore[no-untyped-call]
    if newest is None or not Path(newest, "trainer_state.json").is_file():
        return None
    return str(newest)


class _Bar(ProgressCallback):
    """The progress bar alone."""

    def on_log(self, *_: Any, **__: Any) -> None:
        """Leave the losses to `Tuned.losses`."""


@contextmanager
def _stop_between_steps(trainer: Any) -> Iterator[threading.Event]:
    """Turn an interrupt into a checkpoint and an orderly end; the event says whether it happened.

    Signals reach the main thread only; in another thread training is as interruptible as that thread is.
    """
    asked = threading.Event()

    class Stop(TrainerCallback):
        """Stops after the step during which the interrupt came."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if asked.is_set():
                control.should_save = control.should_training_stop = True

    def note(_signal: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt  # asked twice: now, without a checkpoint
        asked.set()

    trainer.add_callback(Stop())
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
