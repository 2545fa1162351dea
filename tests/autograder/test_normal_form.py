"""The normal form of notebooks, and that every notebook of the kit is in it."""

from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.kit import kit_folder
from autograder.normal_form import as_text, main, normal_form

ROOT = kit_folder()


def lesson():
    outputs = [new_output("stream", text="1\n"), new_output("execute_result", {"text/plain": "1"}, execution_count=9)]
    noise = {"execution": {"iopub.status.busy": "2026"}, "collapsed": True, "tags": ["keep"]}
    cells = [
        new_code_cell("print(1)  \n1\n\n", metadata=noise, execution_count=9, outputs=outputs, id="show"),
        new_code_cell("2", execution_count=3, id="two"),
    ]
    return new_notebook(cells=cells, metadata={"language_info": {"name": "python", "version": "3.11.7"}, "toc": 1})


def test_a_lesson_keeps_outputs_and_loses_noise() -> None:
    result = normal_form(lesson())
    first, second = result.cells
    assert (first.source, first.metadata, first.id) == ("print(1)\n1", {"tags": ["keep"]}, "show")
    assert [o.output_type for o in first.outputs] == ["stream", "execute_result"]
    assert (first.execution_count, first.outputs[1].execution_count, second.execution_count) == (1, 1, 2)
    assert result.metadata.language_info == {"name": "python"}
    assert "toc" not in result.metadata


def test_a_lab_loses_outputs_and_takes_cell_ids_from_grade_ids() -> None:
    notebook = lesson()
    notebook.cells[0].metadata["nbgrader"] = {"grade_id": "q1-count", "solution": True, "checksum": "abc"}
    first = normal_form(notebook).cells[0]
    assert (first.id, first.outputs, first.execution_count) == ("q1-count", [], None)
    assert first.metadata.nbgrader == {"grade_id": "q1-count", "solution": True}


def test_what_a_lesson_teaches_is_kept_in_the_order_of_its_author() -> None:
    notebook = lesson()
    says = {"lesson": "01-open-data/01-finding", "digcomp": ["1.1", "3.4"], "ai_literacy": "opportunities: …"}
    notebook.metadata["ai_skills_academy"] = dict(says)
    assert normal_form(notebook).metadata["ai_skills_academy"] == says


def test_the_form_is_reached_in_one_step() -> None:
    once = normal_form(lesson())
    assert as_text(normal_form(once)) == as_text(once)


def test_command_mends_and_checks(tmp_path: Path, capsys) -> None:
    path = tmp_path / "lesson.ipynb"
    nbformat.write(lesson(), path)
    assert main(["--check", str(tmp_path)]) == 1
    assert "run `make format`" in capsys.readouterr().out
    assert main([str(tmp_path)]) == 0
    assert main(["--check", str(tmp_path)]) == 0


def test_every_notebook_of_the_kit_is_in_normal_form(capsys) -> None:
    assert main(["--check", str(ROOT / "courses"), str(ROOT / "labs")]) == 0, capsys.readouterr().out
