"""The errors of `labkit.models`: one line that says what is wrong and what to do next."""


class ModelError(Exception):
    """A model cannot be had, read or used; the message is one line for the learner."""


class ModelFileError(ModelError):
    """A model file is not what it should be: wrong kind, version, size or content."""
