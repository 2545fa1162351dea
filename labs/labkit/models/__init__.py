"""A small multilingual encoder for the 24 official EU languages, ready offline, and any other one by one setting.

`load()` gives an ordinary `transformers` model and tokenizer, `embed()` turns texts into vectors, `locate()` gives the
folder or hub id for `from_pretrained`, `build()` prepares the course model once. Every error is a `ModelError`.
"""

from labkit.models.course_model import build
from labkit.models.embedding import embed
from labkit.models.errors import ModelError, ModelFileError
from labkit.models.loading import load, locate

__all__ = ["ModelError", "ModelFileError", "build", "embed", "load", "locate"]
