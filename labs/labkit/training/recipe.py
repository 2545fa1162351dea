"""How to fine-tune: the settings of a run, with defaults that fit two cores and 2 GB."""

from dataclasses import dataclass
from typing import Literal

from labkit.training.errors import TrainingError

Method = Literal["lora", "full"]
"""What learns: "lora" small matrices beside the attention, "full" every weight of the upper layers."""

_LEARNING_RATE: dict[str, float] = {"lora": 2e-3, "full": 2e-4}


@dataclass(frozen=True)
class Recipe:
    """Settings of a fine-tuning run. The table of embeddings never learns, whatever the method: see `from_layer`.

    Raises TrainingError when a setting makes no sense.
    """

    method: Method = "lora"
    epochs: float = 1.0
    """how often each row is seen"""
    seed: int = 0
    """decides the first weights of the head, the order of the rows, and dropout"""
    from_layer: int = 4
    """First layer that learns. Lower layers and the table of embeddings stay as they are: they hold what is common to
    the languages, need no gradient, and so cost neither time nor memory."""
    batch_size: int = 8
    learning_rate: float | None = None
    """default: 0.002 for "lora", 0.0002 for "full" """
    head_learning_rate: float = 5e-3
    """the head starts from nothing, so it may learn faster"""
    rank: int = 8
    """width of the LoRA matrices"""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.method not in _LEARNING_RATE:
            raise TrainingError(f"There is no method {self.method!r}. There is: {', '.join(_LEARNING_RATE)}.")
        for name in ("epochs", "batch_size", "rank", "head_learning_rate"):
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be above 0.")
        if self.from_layer < 0:
            raise TrainingError(f"from_layer is {self.from_layer}; layers are counted from 0.")

    @property
    def rate(self) -> float:
        """Learning rate of everything but the head."""
        return _LEARNING_RATE[self.method] if self.learning_rate is None else self.learning_rate
