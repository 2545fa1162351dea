"""Files that are no usable notebook: one clear line for each, and never anything but our own error."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from autograder import reading
from autograder.errors import UnusableNotebookError
from autograder.reading import read_submission
from autograder.rebuild import rebuild

arithmetic = new_notebook(cells=[new_code_cell(metadata={"nbgrader": {"grade_id": "q1", "solution": True}})])


def answer(source: str) -> bytes:
    """A notebook of one answer cell, with the given JSON as its source."""
    metadata = '{"nbgrader": {"grade_id": "q1"}}'
    return f'{{"nbformat": 4, "cells": [{{"metadata": {metadata}, "source": {source}}}]}}'.encode()


CASES = {
    "empty": (b"", "the file is empty"),
    "blanks": (b" \n\t", "the file is empty"),
    "text": (b"Dear teacher, here is my work.", "not valid JSON"),
    "truncated": (b'{"nbformat": 4, "cells": [', "not valid JSON"),
    "latin1": ('{"nbformat": 4, "cells": ["é"]}'.encode("latin-1"), "not valid JSON"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "not valid JSON"),
    "list": (b"[1, 2]", "is not a notebook"),
    "other json": (b'{"a": 1}', "is not a notebook"),
    "format 3": (b'{"nbformat": 3, "worksheets": []}', "in format 3, not 4"),
    "no cells": (b'{"nbformat": 4, "metadata": {}}', "no list of cells"),
    "cells no list": (b'{"nbformat": 4, "metadata": {}, "cells": {}}', "no list of cells"),
    "source a number": (answer("5"), "text of cell 1 is damaged"),
    "source a list of numbers": (answer("[5]"), "text of cell 1 is damaged"),
    "lone surrogate": (answer('"\\ud800"'), "text of cell 1 is damaged"),
    "markup in the format": (b'{"nbformat": "[/b]", "cells": []}', "in format '[/b]', not 4"),
}


@pytest.mark.parametrize("name", CASES)
def test_unusable_files_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    content, expected = CASES[name]
    path = tmp_path / "submission.ipynb"
    path.write_bytes(content)
    with pytest.raises(UnusableNotebookError) as error:
        read_submission(path)
    assert expected in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableNotebookError, match="no such file"):
        read_submission(tmp_path / "absent.ipynb")
    with pytest.raises(UnusableNotebookError, match="not a file"):
        read_submission(tmp_path)


def test_a_notebook_of_50_mb_is_refused_before_it_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.ipynb"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    monkeypatch.setattr(reading.json, "loads", lambda _: pytest.fail("parsed a file over the limit"))
    with pytest.raises(UnusableNotebookError, match=r"50 MB is too large .* Clear Outputs"):
        read_submission(path)


def test_source_given_as_lines_is_joined(tmp_path: Path) -> None:
    path = tmp_path / "lines.ipynb"
    path.write_bytes(answer('["a = 1\\n", "b = 2"]'))
    assert read_submission(path).answers == {"q1": ["a = 1\nb = 2"]}


@pytest.mark.parametrize(
    "document",
    [
        {"nbformat": 4, "cells": []},
        {"nbformat": 4, "metadata": 5, "cells": [1, None, {}, {"metadata": 5}, {"metadata": {"nbgrader": [1]}}]},
        {"nbformat": 4, "metadata": {"ai_skills_academy": 5}, "cells": [{"metadata": {"nbgrader": {"grade_id": 7}}}]},
        {"nbformat": 4, "metadata": {"ai_skills_academy": {"lab": [1]}}, "cells": [{"source": "\ud800"}]},
    ],
)
def test_oddities_beside_the_answers_do_no_harm(tmp_path: Path, document: dict) -> None:
    path = tmp_path / "odd.ipynb"
    path.write_text(json.dumps(document))
    submission = read_submission(path)
    assert (submission.lab, submission.is_lesson, submission.answers) == (None, False, {})


def test_an_answer_without_source_is_an_empty_answer(tmp_path: Path) -> None:
    path = tmp_path / "bare.ipynb"
    path.write_text('{"nbformat": 4, "cells": [{"metadata": {"nbgrader": {"grade_id": "q1"}}}]}')
    assert read_submission(path).answers == {"q1": [""]}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "metadata", "source", "nbformat", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
cells = st.fixed_dictionaries(
    {}, optional={"metadata": st.just({"nbgrader": {"grade_id": "q1"}}) | json_values, "source": json_values}
)


@given(
    st.binary(max_size=60)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.lists(cells | json_values, max_size=3).map(lambda value: json.dumps({"nbformat": 4, "cells": value}).encode())
)
def test_arbitrary_content_is_read_and_rebuilt_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "any.ipynb"
    path.write_bytes(content)
    try:
        submission = read_submission(path)
        rebuild(arithmetic, submission.answers, "arithmetic")
    except UnusableNotebookError:
        return
    assert all(isinstance(text, str) for texts in submission.answers.values() for text in texts)
