"""Files that are no usable notebook: one clear line for each, and never anything but our own error."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import reading
from autograder.errors import UnusableNotebookError
from autograder.reading import read_submission

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
    "cell no dict": (b'{"nbformat": 4, "metadata": {}, "cells": [1]}', "cell 1 is damaged"),
    "source a number": (b'{"nbformat": 4, "metadata": {}, "cells": [{"source": 5}]}', "text of cell 1 is damaged"),
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
    cell = {"cell_type": "code", "metadata": {}, "source": ["a = 1\n", "b = 2"]}
    path.write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}))
    assert read_submission(path).cells[0].source == "a = 1\nb = 2"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cells", "metadata", "source", "nbformat", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.binary(max_size=60).map(bytes)
    | json_values.map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda value: json.dumps({"nbformat": 4, "metadata": {}, "cells": [value]}).encode())
)
def test_arbitrary_content_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.ipynb"
    path.write_bytes(content)
    try:
        notebook = read_submission(path)
    except UnusableNotebookError:
        return
    assert all(isinstance(cell.source, str) for cell in notebook.cells if "source" in cell)
