"""Fix every source of chance, so that a run on the same machine gives the same numbers again."""

import torch
from transformers import set_seed


def fix_seeds(seed: int) -> None:
    """Seed Python, NumPy and torch, and let torch use only operations that repeat exactly.

    The same machine, package versions and number of threads then give the same result. Another processor may round
    differently in the last digits, and over many steps that can change a score a little.
    """
    set_seed(seed)
    torch.use_deterministic_algorithms(True)
