"""The versions that are pinned can be had on the oldest Python that the kit says it runs on."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.specifiers import SpecifierSet

KIT = Path(__file__).resolve().parents[2]


def test_no_pinned_package_needs_a_later_python() -> None:
    """Only the packages that are installed can be asked; `make setup` installs nearly all that are pinned."""
    said = tomllib.loads((KIT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    oldest = re.fullmatch(r">=(\d+\.\d+)", said)[1] + ".0"
    pinned = re.findall(r"^([\w.-]+)==", (KIT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
    asked, too_new = 0, []
    for name in pinned:
        try:
            wanted = metadata(name).get("Requires-Python")
        except PackageNotFoundError:
            continue
        asked += 1
        if wanted and oldest not in SpecifierSet(wanted):
            too_new.append(f"{name} {wanted}")
    assert too_new == []
    assert asked > len(pinned) * 0.9
