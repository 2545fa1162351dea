"""An encoder with a head: it reads a title and gives one score a theme."""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from labkit.models.embedding import pool
from labkit.training.errors import TrainingError
from labkit.training.recipe import Recipe

_DROPOUT = 0.1
_ATTENTION = {"query", "value", "q_proj", "v_proj", "Wqkv", "q_lin", "v_lin"}
"""Names of the matrices that LoRA goes beside, in the architectures that `labkit.models` accepts."""


class TitleClassifier(nn.Module):
    """Encoder, the mean over its pieces, and one linear layer: the layout that `transformers.Trainer` expects.

    `forward` takes ids and mask of shape (titles, pieces) and gives `logits` of shape (titles, themes), and the
    `loss` (cross entropy) where labels of shape (titles,) are given too.
    """

    def __init__(self, encoder: PreTrainedModel, themes: Sequence[str]) -> None:
        super().__init__()
        self.config: Any = encoder.config
        self.themes = tuple(themes)
        self.encoder = encoder
        self.dropout = nn.Dropout(_DROPOUT)
        self.head = nn.Linear(self.config.hidden_size, len(self.themes))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None) -> dict[str, Tensor]:
        """Score each theme for each title."""
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits = self.head(self.dropout(pool(states, attention_mask, self.config)))
        if labels is None:
            return {"logits": logits}
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def make_trainable(classifier: TitleClassifier, recipe: Recipe) -> nn.Module:
    """Freeze what shall not learn; for LoRA, return the classifier wrapped by `peft` with the small matrices added.

    Raises TrainingError when `recipe.from_layer` leaves no layer to train.
    """
    name, layers = _layers(classifier)
    if recipe.from_layer >= len(layers):
        raise TrainingError(f"from_layer is {recipe.from_layer}; this model has layers 0 to {len(layers) - 1}.")
    if recipe.method == "lora":
        return _with_lora(classifier, name, recipe)
    classifier.encoder.requires_grad_(False)
    for layer in layers[recipe.from_layer :]:
        layer.requires_grad_(True)
    return classifier


def _layers(classifier: TitleClassifier) -> tuple[str, nn.ModuleList]:
    """Name and list of the encoder's layers, wherever the architecture keeps them."""
    for name, module in classifier.named_modules():
        if isinstance(module, nn.ModuleList) and len(module) == classifier.config.num_hidden_layers:
            return name, module
    raise TrainingError(f"{type(classifier.encoder).__name__} keeps its layers in a way that the kit does not know.")


def _with_lora(classifier: TitleClassifier, layers: str, recipe: Recipe) -> nn.Module:
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415 - takes a second, and full fine-tuning needs it not

    targets = [
        name
        for name, module in classifier.named_modules()
        if isinstance(module, nn.Linear)
        and name.startswith(f"{layers}.")
        and int(name.removeprefix(f"{layers}.").split(".")[0]) >= recipe.from_layer
        and name.rsplit(".", 1)[-1] in _ATTENTION
    ]
    config = LoraConfig(
        r=recipe.rank, lora_alpha=2 * recipe.rank, lora_dropout=0.05, target_modules=targets, modules_to_save=["head"]
    )
    return cast("nn.Module", get_peft_model(cast("PreTrainedModel", classifier), config))


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters that learn, in two groups: the head with its own learning rate, and the rest."""
    learning = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    head = [weight for name, weight in learning.items() if "head." in name]
    rest = [weight for name, weight in learning.items() if "head." not in name]
    return [{"params": rest, "lr": recipe.rate}, {"params": head, "lr": recipe.head_learning_rate}]


def optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW for the few weights of LoRA; Adafactor for "full", since it keeps almost nothing a weight in memory."""
    groups = parameter_groups(model, recipe)
    if recipe.method == "lora":
        return torch.optim.AdamW(groups, weight_decay=0.01)
    from transformers.optimization import Adafactor  # noqa: PLC0415 - only for this method

    return Adafactor(groups, scale_parameter=False, relative_step=False)  # type: ignore[no-untyped-call]
