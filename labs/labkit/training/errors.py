"""The error of training: one line for the learner."""


class TrainingError(Exception):
    """Titles, recipe or folder do not allow a training run; the message says what to change."""
