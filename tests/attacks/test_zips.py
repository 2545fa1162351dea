"""Attacks by a zip file that is handed in: paths, links, sizes, receipts. Each case says what is packed."""

import hashlib
import io
import json
import stat
import tomllib
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from traitlets.config import Config

from autograder.batch.unpacking import unpack
from autograder.handing_in import Receipt
from autograder.nbgrader_zips import LimitedExtractor

from .conftest import Surroundings, submission

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/zip.toml"))


def packed(case: dict[str, Any], notebook: bytes, around: Surroundings) -> bytes:
    """The zip file of a case: @NOTEBOOK@ stands for right work, @RECEIPT@ for the receipt that the case asks for."""
    receipt = {
        "lab": "arena", "learner": "mallory", "time": "2026-11-20T10:00:00+00:00", "kit": "1",
        "files": {"arena.ipynb": hashlib.sha256(notebook).hexdigest()},
    } | case.get("receipt", {})  # fmt: skip
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, ((kind, content),) in ((name, entry.items()) for name, entry in case["entries"].items()):
            entry = ZipInfo(name.replace("@KIT@", str(around.folder)))
            entry.compress_type = ZIP_DEFLATED
            entry.external_attr = ((stat.S_IFLNK if kind == "link" else stat.S_IFREG) | 0o644) << 16
            if kind == "bytes":
                archive.writestr(entry, bytes(content))
            else:
                text = content.replace("@KIT@", str(around.folder)).replace("@RECEIPT@", json.dumps(receipt))
                archive.writestr(entry, notebook if text == "@NOTEBOOK@" else text.encode())
    return file.getvalue()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", CASES)
def test_a_zip_that_is_handed_in_writes_only_where_it_may(
    name: str, surroundings: Surroundings, tmp_path: Path
) -> None:
    case = tomllib.loads((HERE / name / "zip.toml").read_text(encoding="utf-8"))
    notebook = submission({}, tmp_path / "work").read_bytes()
    zips = tmp_path / "zips"
    zips.mkdir()
    (zips / "mallory.zip").write_bytes(packed(case, notebook, surroundings))
    (zips / "sound.zip").write_bytes(packed(SOUND, notebook, surroundings))
    before = surroundings.fingerprint()

    submitted = surroundings.folder / "submitted"
    refused, sound = unpack(zips, submitted, {"arena"})
    assert (refused.status, sound.status) == ("refused", "new"), "the others go on"
    assert case["refused"] in refused.reason
    laid = submitted / "bob/arena"
    assert (laid / "arena.ipynb").read_bytes() == notebook
    for path in sorted(laid.iterdir()):
        path.unlink()
    assert surroundings.fingerprint() == before

    LimitedExtractor(config=Config()).extract(str(zips), str(tmp_path / "extracted"))
    written = {path.relative_to(tmp_path / "extracted") for path in (tmp_path / "extracted").rglob("*")}
    assert {path.parts[0] for path in written} <= {"mallory", "sound"}
    assert not any((tmp_path / "extracted" / path).is_symlink() for path in written)
    assert (Path("mallory") in written) == case.get("nbgrader_unpacks", False)
    assert surroundings.fingerprint() == before


SOUND: dict[str, Any] = {
    "receipt": {"learner": "bob"},
    "entries": {"arena.ipynb": {"text": "@NOTEBOOK@"}, "receipt.json": {"text": "@RECEIPT@"}},
}


def test_receipt_of_the_cases_is_sound(surroundings: Surroundings, tmp_path: Path) -> None:
    """So that a case is refused for what it is about."""
    notebook = submission({}, tmp_path / "work").read_bytes()
    with ZipFile(io.BytesIO(packed(SOUND, notebook, surroundings))) as archive:
        assert Receipt(**json.loads(archive.read("receipt.json"))).is_sound()
