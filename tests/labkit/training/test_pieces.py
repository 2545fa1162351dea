"""The small pieces around a run: rows for a budget, cost, seeds."""

import random
import re
import threading
import time

import numpy as np
import pytest
import torch

from labkit.data import load
from labkit.training import TrainingError, fix_seeds, measured, spread
from labkit.training.cost import WATTS_A_CORE, WATTS_A_GIGABYTE, Cost


@pytest.mark.parametrize("each", [1, 5, 6, 24])
def test_spread_serves_all_languages_alike(each):
    train = load("themes").query("split == 'train'")
    chosen = spread(train, each)
    assert len(chosen) == 156 * each
    assert set(chosen.groupby("id").size()) == {each}
    counts = chosen.groupby("language").size()
    assert len(counts) == 24
    assert counts.max() - counts.min() <= each
    assert set(chosen["split"]) == {"train"}


def test_spread_repeats_and_depends_on_the_seed():
    train = load("themes").query("split == 'train'")
    assert spread(train, 3).equals(spread(train.sample(frac=1, random_state=1), 3).sort_index())
    assert not spread(train, 3, seed=1).equals(spread(train, 3, seed=2))


@pytest.mark.parametrize("each", [0, 25, -1])
def test_spread_refuses_what_cannot_be(each):
    with pytest.raises(TrainingError, match="there are 24 languages"):
        spread(load("themes"), each)


def test_cost_counts_clock_processor_and_memory():
    with measured() as cost:
        block = np.ones(30_000_000)  # 240 MB
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        time.sleep(0.2)
        del block
    assert cost.seconds >= 0.5
    assert 0.3 <= cost.cpu_seconds <= cost.seconds + 0.5
    assert cost.peak_megabytes > 240
    assert not [thread for thread in threading.enumerate() if thread.name == "memory-watch"]


def test_cost_is_also_there_after_an_error():
    with pytest.raises(ZeroDivisionError), measured() as cost:
        _ = 1 / 0
    assert cost.seconds > 0


def test_energy_follows_the_formula():
    cost = Cost(seconds=1800, cpu_seconds=3600, peak_megabytes=2000)
    assert cost.watt_hours == pytest.approx(WATTS_A_CORE * 1.0 + WATTS_A_GIGABYTE * 2 * 0.5)
    low, high = cost.watt_hours_range
    assert low < cost.watt_hours < high
    assert re.fullmatch(r"1800 s, 3600 s of .* at most 2000 MB, about 12\.37 Wh \(4\.57 to 24\.17, .*\)", str(cost))


def test_seeds_reach_every_source_of_chance():
    draws = []
    try:
        for _ in range(2):
            fix_seeds(3)
            draws.append((random.random(), np.random.rand(), torch.rand(1).item()))  # noqa: S311
    finally:
        torch.use_deterministic_algorithms(False)
    assert draws[0] == draws[1]
