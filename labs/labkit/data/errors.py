"""The error that everything in `labkit.data` raises."""


class DataSetError(ValueError):
    """A data set cannot be had; the message is one line that says why and what to do."""
