"""Show results to a person (a table, plain words) or to a program (JSON)."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.grading import GradedNotebook
from autograder.handing_in import HandIn
from autograder.kit import hidden_tests_are_elsewhere
from autograder.workspace import Report


def as_json(results: Sequence[GradedNotebook]) -> str:
    """Return the results as the JSON list that `academy grade --json` prints."""
    return json.dumps([asdict(result) for result in results], indent=2, ensure_ascii=False)


def print_grades(results: Sequence[GradedNotebook], console: Console) -> None:
    """Print one table a notebook: question, points, and what to look at."""
    for result in results:
        table = Table(title=f"{escape(result.notebook)} - lab {result.lab}", title_justify="left", show_lines=False)
        table.add_column("question", no_wrap=True)
        table.add_column("points", justify="right", no_wrap=True)
        table.add_column("what to look at", overflow="fold")
        for question in result.questions:
            points = "?" if question.needs_manual_grade else f"{question.score:g}"
            full = question.score == question.max_score
            style = "green" if full else "yellow" if question.needs_manual_grade or question.score else "red"
            table.add_row(
                escape(_spoken(question.id)),
                f"[{style}]{points} / {question.max_score:g}[/]",
                escape(question.message) or ("right" if full else ""),
            )
        console.print(table)
        waiting = sum(question.max_score for question in result.questions if question.needs_manual_grade)
        later = f"; {waiting:g} more wait for an instructor" if waiting else ""
        console.print(f"[bold]{result.score:g} of {result.max_score:g} points[/]{later}")
        if hidden_tests_are_elsewhere():
            console.print("These are the tests that you can see; your instructor's grading has more.")
        console.print()


def _spoken(identifier: str) -> str:
    """The ID of a graded cell as one would say it: `q4-faults-check-air-file` becomes "q4-faults: air file"."""
    question, _, part = identifier.partition("-check")
    return f"{question}: {part[1:].replace('-', ' ')}" if part else question


def print_preparation(report: Report, console: Console) -> None:
    """Say what `prepare` did, in a few lines."""
    console.print(f"Workspace: {escape(str(report.workspace))}")
    for word, paths in (("new", report.new), ("updated", report.updated), ("changed by you, left alone", report.kept)):
        if paths:
            console.print(f"  {len(paths):>3} files {word}")
    for mine, newer in report.beside:
        console.print(
            f"  [yellow]{escape(str(mine))} has a newer version; yours is untouched, it lies beside: {newer.name}[/]"
        )
    if not (report.new or report.updated or report.beside):
        console.print("  nothing new")


def print_hand_in(done: HandIn, console: Console) -> None:
    """Say what to send, what to keep, and what is not answered yet."""
    console.print(f"[bold]{done.lab}[/]: send [bold]{escape(str(done.archive))}[/] to your instructor")
    console.print(f"  keep {escape(str(done.receipt))}: it says what you handed in, and when")
    if done.unanswered:
        console.print(f"  [yellow]not answered yet: {', '.join(done.unanswered)}[/]")
