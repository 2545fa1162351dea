"""Fine-tune an encoder to name the theme of a title: the recipe, the run, what it cost.

`fine_tune` does with `transformers.Trainer` and `peft` what lesson 02-multilingual-models/04-fine-tuning does by hand;
`measured` tells the seconds, the memory and the energy of any piece of work; `spread` picks titles so that one budget
of rows serves all languages.
"""

from labkit.training.classifier import TitleClassifier
from labkit.training.cost import Cost, measured
from labkit.training.errors import TrainingError
from labkit.training.fine_tuning import Tuned, fine_tune
from labkit.training.recipe import Recipe
from labkit.training.sampling import spread
from labkit.training.seeds import fix_seeds

__all__ = [
    "Cost",
    "Recipe",
    "TitleClassifier",
    "TrainingError",
    "Tuned",
    "fine_tune",
    "fix_seeds",
    "measured",
    "spread",
]
