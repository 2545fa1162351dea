"""Sort a notebook's cells: what the learner's process runs, what the examiner runs, and whose each name is.

A name that the reference solution assigns in an answer cell comes from the learner. Every other name in a test
(imports, setup cells, helpers, earlier tests) is the examiner's own. So nobody can shadow a helper or patch a library
that judges.
"""

import ast
import symtable
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from itertools import takewhile

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.rebuild import grade_id


class Kind(Enum):
    """What a code cell is for."""

    SETUP = "setup"
    ANSWER = "answer"
    TEST = "test"


@dataclass(frozen=True)
class Step:
    """A code cell and what the two processes need to know of it."""

    index: int
    """its place among all cells of the notebook"""
    number: int
    """its place among the code cells, counted from 1, as it is shown in brackets"""
    kind: Kind
    source: str
    from_learner: tuple[str, ...] = ()
    """names that the examiner fetches from the learner before it runs this cell"""
    imports: str = ""
    """import statements of the reference's answer, which the examiner runs for itself"""
    visible_definitions: str = ""
    """functions, classes and imports in the part of a test that learners see: an answer may use them"""


@dataclass(frozen=True)
class Plan:
    """The code cells of a notebook in order."""

    steps: tuple[Step, ...]

    @property
    def prefix(self) -> tuple[Step, ...]:
        """The setup cells before the first answer: the same for every learner, so they run only once."""
        return tuple(takewhile(lambda step: step.kind is Kind.SETUP, self.steps))


def plan(notebook: NotebookNode, reference: NotebookNode, released: NotebookNode) -> Plan:
    """Plan the run of a rebuilt `notebook`.

    `reference` is the instructor's notebook: it says which names an answer assigns. `released` is the learner's
    version: it says which part of a test a learner may see.
    """
    solutions = {grade_id(cell): cell.source for cell in reference.cells if is_solution(cell)}
    visible = {grade_id(cell): cell.source for cell in released.cells if is_grade(cell)}
    code = [(index, cell) for index, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    judged_by = set().union(*(_names(cell.source).used for _, cell in code if _kind(cell) is not Kind.ANSWER), set())
    steps = []
    learners: set[str] = set()
    helpers: dict[str, frozenset[str]] = {}
    for number, (index, cell) in enumerate(code, 1):
        kind, name = _kind(cell), grade_id(cell)
        if kind is Kind.ANSWER:
            own = _names(solutions.get(name, cell.source))
            learners |= own.assigned & judged_by
            steps.append(Step(index, number, kind, cell.source, imports=own.imports))
        else:
            parts = _names(visible.get(name, "")) if kind is Kind.TEST else _names("")
            own = _names(cell.source)
            helpers |= own.helpers
            steps.append(
                Step(
                    *(index, number, kind, cell.source),
                    from_learner=tuple(sorted(learners & _reached(own.used, helpers))),
                    visible_definitions=parts.definitions,
                )
            )
            learners -= own.assigned
    return Plan(tuple(steps))


def _kind(cell: NotebookNode) -> Kind:
    if is_solution(cell):
        return Kind.ANSWER
    return Kind.TEST if is_grade(cell) else Kind.SETUP


@dataclass(frozen=True)
class _Names:
    """What the text of a cell says about names."""

    assigned: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    helpers: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """function or class of the cell -> names outside of it that it uses"""
    imports: str = ""
    definitions: str = ""


@lru_cache(maxsize=4096)  # most cells are the same in all submissions
def _names(source: str) -> _Names:
    """Read names out of a cell, without running it; a cell that is no Python has none."""
    try:
        python = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        tree = ast.parse(python)
        table = symtable.symtable(python, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _Names()
    symbols = table.get_symbols()
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return _Names(
        assigned=frozenset(s.get_name() for s in symbols if s.is_assigned() and not s.is_imported()),
        used=frozenset(_global_names(table)),
        helpers=_helpers(table),
        imports="\n".join(map(ast.unparse, imports)),
        definitions="\n\n".join(ast.unparse(node) for node in tree.body if isinstance(node, kept)),
    )


def _helpers(table: symtable.SymbolTable) -> dict[str, frozenset[str]]:
    """Return for each function and class of a cell, and each name that may hold a lambda, what it uses from outside."""
    uses = {child.get_name(): frozenset(_global_names(child)) for child in table.get_children()}
    in_lambdas = uses.pop("lambda", frozenset())
    assigned = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}
    return dict.fromkeys(assigned, in_lambdas) | uses if in_lambdas else uses


def _reached(used: frozenset[str], helpers: Mapping[str, frozenset[str]]) -> set[str]:
    """Names that a cell uses by itself or through helpers of earlier cells."""
    found: set[str] = set()
    waiting = set(used)
    while waiting:
        found |= waiting
        waiting = set().union(*(helpers.get(name, frozenset()) for name in waiting)) - found
    return found


def _global_names(table: symtable.SymbolTable) -> set[str]:
    """Names of a cell and of all functions in it that mean something outside of them."""
    top = table.get_type() == "module"
    found = {symbol.get_name() for symbol in table.get_symbols() if top or symbol.is_global()}
    return found.union(*map(_global_names, table.get_children()))
