"""The built package is complete: unpacked anywhere, without a checkout, it prepares a workspace and grades."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.kit import kit_folder, labs, lessons

ROOT = kit_folder()


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_wheel_holds_packages_data_types_and_the_kit(unpacked: Path) -> None:
    expected = [
        "autograder/py.typed",
        "autograder/jupyter_settings/labconfig/page_config.json",
        "autograder/jupyter_settings/labextensions/@ai-skills-academy/desk/desk.js",
        "autograder/desk/templates/welcome.html.j2",
        "autograder/desk/static/welcome.css",
        "labkit/py.typed",
        "labkit/data/catalogue/catalogue.ttl",
        *(f"autograder/kit/{lesson.as_posix()}" for lesson in lessons()),
        *(f"autograder/kit/labs/{name}/{name}.ipynb" for name in labs()),
    ]
    assert [path for path in expected if not (unpacked / path).is_file()] == []


def test_a_package_without_a_checkout_prepares_and_grades(unpacked: Path, tmp_path: Path, lost_points) -> None:
    environment = os.environ | {"PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"}

    def academy(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "autograder.cli", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120,
        ).stdout  # fmt: skip

    academy("prepare", "--workspace", "desk")
    name = next(iter(labs()))
    shutil.copy(unpacked / f"autograder/kit/labs/{name}/{name}.ipynb", tmp_path / f"desk/labs/{name}")
    (result,) = json.loads(academy("grade", "--json", f"desk/labs/{name}/{name}.ipynb"))
    assert lost_points(result) == []
    assert result["score"] > 0
