"""The normal form of a notebook, so that a diff shows what an author changed and nothing else.

    python -m autograder.normal_form courses labs           bring notebooks into the form
    python -m autograder.normal_form --check courses labs   only say which are not in it (exit code 1)

Stable cell ids (an nbgrader cell is called like its grade_id), only metadata that means something, kernel `python3`,
labs without outputs, lessons with outputs but without execution times.
"""

import argparse
import re
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
_KEPT_CELL_METADATA = ("nbgrader", "tags")
_KEPT_NBGRADER_METADATA = ("cell_type", "grade", "grade_id", "locked", "points", "schema_version", "solution", "task")


def stable_cell_ids(notebook: NotebookNode) -> None:
    """Give each nbgrader cell its grade_id as cell id, in place; other cells keep theirs."""
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id:
            cell["id"] = re.sub(r"[^A-Za-z0-9_-]", "-", grade_id)[:64]


def normal_form(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of `notebook` in the normal form; a lab is told by the nbgrader metadata in its cells."""
    result = deepcopy(notebook)
    is_lab = any("nbgrader" in cell.metadata for cell in result.cells)
    kept = {key: value for key, value in result.metadata.items() if key == "ai_skills_academy"}
    result.metadata = NotebookNode({"kernelspec": KERNELSPEC, "language_info": {"name": "python"}, **kept})
    result.nbformat, result.nbformat_minor = 4, 5
    stable_cell_ids(result)
    count = 0
    for cell in result.cells:
        cell.metadata = _cell_metadata(cell.metadata)
        cell.source = "\n".join(line.rstrip() for line in cell.source.rstrip().split("\n"))
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            ran = bool(cell.source) and not is_lab
            count += ran
            cell.execution_count = count if ran else None
            cell.outputs = [] if is_lab else [_output(output, count) for output in cell.outputs]
    return result


def _cell_metadata(metadata: NotebookNode) -> NotebookNode:
    kept = NotebookNode({key: metadata[key] for key in _KEPT_CELL_METADATA if metadata.get(key)})
    if metadata.get("jupyter", {}).get("source_hidden"):
        kept.jupyter = NotebookNode({"source_hidden": True})  # a cell that the author folded away
    if "nbgrader" in kept:
        kept.nbgrader = NotebookNode({k: v for k, v in metadata.nbgrader.items() if k in _KEPT_NBGRADER_METADATA})
    return kept


def _output(output: NotebookNode, count: int) -> NotebookNode:
    if output.output_type == "execute_result":
        output.execution_count = count
    return output


def as_text(notebook: NotebookNode) -> str:
    """Serialise `notebook` the way Jupyter saves it (sorted keys, one-space indent), with a final newline."""
    text: str = nbformat.writes(notebook, version=4)
    return text.rstrip("\n") + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Bring the given notebooks (or folders of them) into the normal form, or check that they are in it."""
    parser = argparse.ArgumentParser(prog="python -m autograder.normal_form", description=__doc__.split("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path, help="notebooks, or folders that are searched for them")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a notebook is not in the form")
    options = parser.parse_args(arguments)
    found = (sorted(p.rglob("*.ipynb")) if p.is_dir() else [p] for p in options.paths)
    notebooks = [p for group in found for p in group if ".ipynb_checkpoints" not in p.parts]
    different = 0
    for path in notebooks:
        before = path.read_text(encoding="utf-8")
        after = as_text(normal_form(nbformat.reads(before, as_version=4)))
        if before != after:
            different += 1
            if not options.check:
                path.write_text(after, encoding="utf-8")
            print(f"{path}: {'not in normal form; run `make format`' if options.check else 'brought into the form'}")
    print(f"{len(notebooks)} notebooks, {different} {'to mend' if options.check else 'changed'}")
    return int(options.check and different > 0)


if __name__ == "__main__":
    sys.exit(main())
