"""The one error that a person sees: a line that says what is wrong and what to do next."""


class AcademyError(Exception):
    """Something a person can put right; its text is one line for the terminal.

    The command line prints the text without a traceback and ends with `exit_code`: 2 for wrong usage or set-up
    (the default), 1 where one notebook could not be graded but others may have been.
    """

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UnusableNotebookError(AcademyError):
    """A submitted notebook that cannot be graded at all; the others in the same call still are."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=1)
