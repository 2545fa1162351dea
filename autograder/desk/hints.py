"""Say more to a learner whose question has failed several times: which part of which lesson to read again."""

from dataclasses import dataclass

from autograder.kit import Lab

REREAD_AFTER = 2
AFRESH_AFTER = 4


@dataclass(frozen=True)
class Hint:
    """What stands below the message of a failed test."""

    text: str
    lesson: str = ""
    """path of a lesson in the workspace; empty where none is named"""
    section: str = ""


def hints_for(lab: Lab, question: str, fails: int) -> list[Hint]:
    """Return hints for a graded cell such as `q3-sparql-check-marks` that failed `fails` times."""
    found = []
    place = lab.reread().get(question.partition("-")[0])
    if fails >= REREAD_AFTER and place:
        found.append(Hint("Read again:", f"courses/{place['lesson']}.ipynb", place["section"]))
    if fails >= AFRESH_AFTER:
        found.append(
            Hint(
                "Still stuck? Put your answer aside and read the task sentence by sentence. Try each sentence in a cell"
                " of your own with one small example before you write the answer again."
            )
        )
    return found
