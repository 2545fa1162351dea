"""nbgrader's configuration for learners: the Validate button runs as grading will."""
# mypy: ignore-errors

from autograder.nbgrader_validation import validate_isolated

validate_isolated()
