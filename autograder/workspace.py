"""Fill a learner's workspace with lessons and released labs, and never overwrite what a learner changed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from autograder import kit
from autograder.delivered import RECORD, fingerprint, read_record
from autograder.errors import AcademyError
from autograder.files import write_whole
from autograder.normal_form import as_text
from autograder.release import released
from labkit.vocabularies import EU_LANGUAGES


@dataclass
class Report:
    """What `prepare` did: paths relative to the workspace, sorted into what a learner wants to know."""

    workspace: Path
    new: list[Path] = field(default_factory=list)
    updated: list[Path] = field(default_factory=list)
    beside: list[tuple[Path, Path]] = field(default_factory=list)
    """(the learner's changed file, the newer version laid beside it)"""
    kept: list[Path] = field(default_factory=list)
    """changed by the learner, and no newer version to lay beside"""
    translated: int = 0
    """how many lessons came in the language asked for"""


def prepare(workspace: Path, language: str = "en") -> Report:
    """Bring lessons and released labs into `workspace`, which is made where it does not exist.

    A file that the learner has changed stays as it is; where the kit has a newer version of it, that is laid beside
    as `<name>-new.ipynb`. Files are written one by one and whole, so an interrupted run is simply run again.

    Raises `AcademyError` for an unknown language, a workspace that cannot be written, and a full disk.
    """
    if language not in EU_LANGUAGES:
        raise AcademyError(f"'{language}' is not one of the 24 official EU languages: {' '.join(EU_LANGUAGES)}")
    _refuse_the_kit_itself(workspace)
    report = Report(workspace)
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        delivered = read_record(workspace)
        for path, content, translated in _kit_files(language):
            before = dict(delivered)
            _deliver(path, content, delivered, report)
            report.translated += translated
            if delivered != before:
                write_whole(workspace / RECORD, json.dumps(delivered, indent=1, sort_keys=True).encode())
    except OSError as error:
        place = error.filename or workspace
        raise AcademyError(
            f"cannot write {place}: {error.strerror}; choose another folder with --workspace, or make room there"
        ) from error
    return report


def notebook_called(name: str, workspace: Path) -> Path:
    """Return the path of a notebook that a person named: a path, or a lab of the workspace.

    Raises `AcademyError` where there is no such lab.
    """
    if name.endswith(".ipynb"):
        return Path(name)
    return workspace / "labs" / kit.find_lab(name).name / f"{name}.ipynb"


def _refuse_the_kit_itself(workspace: Path) -> None:
    """Keep released labs from being laid among their own sources."""
    root, wanted = kit.kit_folder().resolve(), workspace.resolve()
    if wanted == root or any(wanted.is_relative_to(root / part) for part in ("courses", "labs")):
        raise AcademyError(f"{workspace} is the kit itself; choose another folder with --workspace")


def _kit_files(language: str) -> Iterator[tuple[Path, bytes, bool]]:
    """Yield (path in the workspace, content, whether it is a translation) of every file a learner gets."""
    root = kit.kit_folder()
    for path in kit.lessons():
        translation = root / path.with_suffix(f".{language}.ipynb")
        yield path, (translation if translation.is_file() else root / path).read_bytes(), translation.is_file()
    for name, card in kit.data_cards().items():
        yield Path("data-cards", f"{name}.md"), card.read_bytes(), False
    for lab in kit.labs().values():
        yield Path("labs", lab.name, lab.source.name), as_text(released(lab)).encode(), False
        for data in lab.data_files():
            yield Path("labs", lab.name) / data, (lab.folder / data).read_bytes(), False


def _deliver(path: Path, content: bytes, delivered: dict[str, str], report: Report) -> None:
    """Write one file, or leave the learner's and lay the newer one beside it."""
    target, key, wanted = report.workspace / path, path.as_posix(), fingerprint(content)
    present = fingerprint(target.read_bytes()) if target.exists() else None
    if present == wanted:
        delivered[key] = wanted
    elif present is None or present == delivered.get(key):
        write_whole(target, content)
        (report.new if present is None else report.updated).append(path)
        delivered[key] = wanted
    elif delivered.get(key) == wanted:
        report.kept.append(path)
    else:
        report.beside.append((path, _lay_beside(path, content, delivered, report.workspace)))


def _lay_beside(path: Path, content: bytes, delivered: dict[str, str], workspace: Path) -> Path:
    """Write a newer version under the first name beside `path` that costs the learner nothing, and return the name."""
    wanted = fingerprint(content)
    for number in count(1):
        newer = path.with_name(f"{path.stem}-new{'' if number == 1 else f'-{number}'}{path.suffix}")
        target = workspace / newer
        present = fingerprint(target.read_bytes()) if target.exists() else None
        if present in {None, wanted, delivered.get(newer.as_posix())}:
            break
    if present != wanted:
        write_whole(target, content)
    delivered[newer.as_posix()] = wanted
    return newer
