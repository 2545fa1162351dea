"""Lab notebooks from top to bottom: the source runs clean, the released one stops at its first unanswered cell."""

import ast
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell
from nbgrader.utils import is_grade, is_solution

from autograder.kit import Lab, labs
from autograder.release import released

LABS = labs()


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Path:
    """A folder with the files that lie beside the lab's notebook."""
    return Path(shutil.copytree(lab.folder, tmp_path / "desk"))


@pytest.mark.whole_notebook
@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_source_runs_clean(lab: Lab, run_notebook, desk: Path) -> None:
    notebook = lab.notebook()
    run_notebook(notebook, desk)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", cell.id
            assert output.get("name") != "stderr", f"{cell.id}: {output.text}"


@pytest.mark.whole_notebook
@pytest.mark.parametrize("lab", [LABS["capstone"]], ids=["capstone"])
def test_sample_statement_has_the_figures_of_the_reference_model(lab: Lab, run_notebook, desk: Path) -> None:
    """Markers compare statements with it, so it has to say what the reference answer to question 3 measures."""
    notebook = lab.notebook()
    ids = [cell.id for cell in notebook.cells]
    (sample,) = [cell.source for cell in notebook.cells if cell.id == "q8-statement-marks"]
    notebook.cells = [cell for cell in notebook.cells[: ids.index("q3-model") + 1] if not is_grade(cell)]
    notebook.cells.append(new_code_cell("import json\nprint(json.dumps(record['scores']))"))
    run_notebook(notebook, desk)
    measured = json.loads(notebook.cells[-1].outputs[0].text)
    for language, name in {"en": "English", "pl": "Polish", "mt": "Maltese", "ga": "Irish"}.items():
        rounded = [round(100 * measured[language][figure]) for figure in ("accuracy", "low", "high")]
        assert "| {} | {} | {} to {} |".format(name, *rounded) in sample
        low, high = re.search(rf"\b{language} (\d+) to (\d+)", sample).groups()
        assert int(low) <= rounded[0] <= int(high), "what the marker is told to expect"


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_released_lab_stops_at_its_first_unanswered_cell(lab: Lab, run_notebook, desk: Path) -> None:
    notebook = released(lab)
    with pytest.raises(CellExecutionError, match="NotImplementedError"):
        run_notebook(notebook, desk)
    stopped = next(cell for cell in notebook.cells if any(o.output_type == "error" for o in cell.get("outputs", [])))
    first = next(
        index for index, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("solution")
    )
    assert notebook.cells.index(stopped) in {first, first + 1}, "the answer itself, or the test that calls it"


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_released_lab_is_a_valid_notebook_whose_tests_are_locked(lab: Lab) -> None:
    notebook = released(lab)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        nbgrader = cell.metadata.get("nbgrader", {})
        if nbgrader.get("locked") and not nbgrader.get("solution"):
            assert cell.metadata.get("editable") is False, cell.id
            assert cell.metadata.get("deletable") is False, cell.id


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_no_test_cell_prints_a_value(lab: Lab) -> None:
    """A value at the end would be shown to learners, and nbgrader would take a number for partial credit."""
    for notebook in (lab.notebook(), released(lab)):
        for cell in notebook.cells:
            nbgrader = cell.metadata.get("nbgrader", {})
            if nbgrader.get("grade") and not nbgrader.get("solution"):
                last = ast.parse(cell.source).body[-1]
                assert not isinstance(last, ast.Expr) or _calls_helper_without_value(last), cell.id


def _calls_helper_without_value(statement: ast.Expr) -> bool:
    """Whether the statement calls a helper of the same lab that checks something and returns nothing."""
    call = statement.value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.startswith("expect_")


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_questions_do_not_depend_on_each_other(lab: Lab) -> None:
    """No answer and no test uses a name that only the answer to another question assigns."""
    notebook = lab.notebook()
    answers = {cell.id: cell for cell in notebook.cells if is_solution(cell) and cell.cell_type == "code"}
    assigned = {question: _assigned(cell.source) for question, cell in answers.items()}
    setup: set[str] = set()
    current = ""
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        if is_solution(cell):
            current = cell.id
        elif not is_grade(cell):
            setup |= _assigned(cell.source)
        if is_solution(cell) or is_grade(cell):
            foreign = {name: q for q, names in assigned.items() if q != current for name in names}
            own = setup | assigned[current] | _assigned(cell.source)
            borrowed = {name: foreign[name] for name in _used(cell.source) - own if name in foreign}
            assert borrowed == {}, f"{cell.id} uses names of other answers"


def _assigned(source: str) -> set[str]:
    """Names that code binds at any depth: assignments, imports, functions and their arguments."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.FunctionDef(name=name):
                names.add(name)
            case ast.alias(name=name, asname=alias):
                names.add((alias or name).split(".")[0])
            case _:
                pass
    return names


def _used(source: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
