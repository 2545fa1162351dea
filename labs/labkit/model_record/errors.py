"""The one error of this package."""


class RecordError(Exception):
    """A record cannot be used, or nothing is known to compare it with; the message says what to do."""
