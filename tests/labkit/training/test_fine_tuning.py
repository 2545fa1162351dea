"""Fine-tuning with tiny models of each architecture: it learns, repeats, stops and goes on, and says what is wrong."""

import signal
import threading

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import TrainerCallback

from labkit.cache import cache_dir
from labkit.training import Recipe, TrainingError, fine_tune, fine_tuning

QUICK = {"epochs": 12, "from_layer": 0, "batch_size": 4, "learning_rate": 5e-3}


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("kind", ["bert", "modernbert", "eurobert"])
def test_each_architecture_learns_either_way(tiny_model, titles, kind, method):
    tuned = fine_tune(titles, Recipe(method, **QUICK), model=tiny_model(kind))
    assert tuned.predict(titles["text"]) == list(titles["theme"])
    assert tuned.losses["loss"].iloc[-1] < tuned.losses["loss"].iloc[0]
    assert tuned.rows == 12
    assert tuned.cost.seconds > 0


@pytest.mark.parametrize("method", ["lora", "full"])
def test_lower_layers_and_the_table_of_embeddings_stay_as_they_were(tiny_model, titles, method):
    folder = tiny_model("bert")
    tuned = fine_tune(titles, Recipe(method, **QUICK | {"from_layer": 1}), model=folder)
    before = dict(fine_tuning.models.load(folder)[0].named_parameters())
    weights = dict(tuned.network.named_parameters())
    moved = {
        name
        for name, weight in before.items()
        for own in [next(w for n, w in weights.items() if _base(n).endswith(f"encoder.{name}"))]
        if not torch.equal(own, weight)
    }
    assert all(".layer.1." in name for name in moved)
    assert bool(moved) == (method == "full"), "LoRA changes no weight of the encoder itself"
    assert tuned.learned == sum(weight.numel() for weight in weights.values() if weight.requires_grad)


def _base(name: str) -> str:
    """A weight's name without what peft puts around it."""
    return name.replace(".base_layer.", ".")


def test_the_same_seed_gives_the_same_classifier_and_another_seed_another(tiny_model, titles):
    folder = tiny_model("bert")
    first, again, other = (
        fine_tune(titles, Recipe(**QUICK | {"epochs": 2}, seed=seed), model=folder).probabilities(titles["text"])
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_interrupted_run_goes_on_where_it_stopped_and_ends_the_same(tiny_model, titles, monkeypatch):
    folder, recipe = tiny_model("bert"), Recipe(**QUICK | {"epochs": 4})
    undisturbed = fine_tune(titles, recipe, model=folder).probabilities(titles["text"])
    steps = []

    class Press(TrainerCallback):
        def on_step_begin(self, args, state, control, **_):
            steps.append(state.global_step)
            if len(steps) == 5:
                signal.raise_signal(signal.SIGINT)

    trainer = fine_tuning.Trainer
    monkeypatch.setattr(fine_tuning, "Trainer", lambda *a, **k: _with(trainer(*a, **k), Press()))
    with pytest.raises(KeyboardInterrupt, match="after step 5 of 12"):
        fine_tune(titles, recipe, model=folder)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert list((cache_dir() / "training").glob("*/checkpoint-5"))
    resumed = fine_tune(titles, recipe, model=folder)
    assert steps == list(range(12)), "no step is done twice"
    assert np.allclose(resumed.probabilities(titles["text"]), undisturbed, atol=1e-6)
    assert not list((cache_dir() / "training").glob("*"))


def _with(trainer, callback):
    trainer.add_callback(callback)
    return trainer


def test_other_titles_do_not_go_on_from_a_foreign_checkpoint(tiny_model, titles):
    folder = tiny_model("bert")
    kept = {
        fine_tuning._fingerprint([{"input_ids": [number]}], recipe, str(folder))
        for number in (1, 2)
        for recipe in (Recipe(), Recipe(seed=1), Recipe("full"))
    }
    assert len(kept) == 6


def test_a_checkpoint_that_was_not_finished_is_not_used(tmp_path):
    (tmp_path / "checkpoint-7").mkdir()
    assert fine_tuning._checkpoint(tmp_path) is None
    (tmp_path / "checkpoint-7" / "trainer_state.json").write_text("{}")
    assert fine_tuning._checkpoint(tmp_path) == str(tmp_path / "checkpoint-7")


def test_it_also_runs_outside_the_main_thread(tiny_model, titles):
    folder, done = tiny_model("bert"), []
    thread = threading.Thread(target=lambda: done.append(fine_tune(titles, Recipe(**QUICK), model=folder)))
    thread.start()
    thread.join()
    assert done[0].rows == 12


@pytest.mark.parametrize(
    "text",
    ["", " ", "a" * 100_000, "東京の大気質データ", "данные", "🌍", "\x00\ufffe"],
    ids=lambda text: repr(text[:8]),
)
def test_any_text_gets_a_sensible_answer(tiny_model, titles, text):
    tuned = fine_tune(titles, Recipe(**QUICK | {"epochs": 1}), model=tiny_model("bert"))
    shares = tuned.probabilities([text, "air quality"])
    assert shares.shape == (2, 2)
    assert np.allclose(shares.sum(axis=1), 1)
    assert tuned.predict([text])[0] in ("ENVI", "TECH")
    assert tuned.predict([]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="theme"), "no column theme"),
        (lambda t: t.drop(columns=["theme", "text"]), "no column text and theme"),
        (lambda t: t[t["theme"] == "ENVI"], "at least two themes"),
        (lambda t: t.head(0), "0 titles with 0 theme"),
        (lambda t: t.assign(text=None), "no text or no theme"),
    ],
)
def test_titles_that_cannot_be_used(titles, change, message):
    with pytest.raises(TrainingError, match=message):
        fine_tune(change(titles))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "magic"}, "no method 'magic'"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"rank": 0}, "rank is 0"),
        ({"from_layer": -1}, "counted from 0"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(TrainingError, match=message):
        Recipe(**settings)


def test_no_layer_left_to_train(tiny_model, titles):
    with pytest.raises(TrainingError, match="layers 0 to 1"):
        fine_tune(titles, Recipe(from_layer=2), model=tiny_model("bert"))


def test_no_room_for_checkpoints_is_said(tiny_model, titles, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="cache"):
        fine_tune(pd.concat([titles] * 4), Recipe(**QUICK), model=tiny_model("bert"))
