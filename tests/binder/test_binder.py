"""The Binder folder: recognised by repo2docker, at the versions of constraints.txt, and its scripts run to the end."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from repo2docker.buildpacks import CondaBuildPack

from autograder.kit import kit_folder, labs, lessons

ROOT = kit_folder()
FILES = "pyproject.toml constraints.txt README.md LICENSE autograder binder courses labs".split()  # noqa: SIM905


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what Binder gets from the repository."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in FILES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = (line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {name.lower().replace("_", "-"): version for name, version in pins}


def test_conda_takes_the_versions_of_the_constraints() -> None:
    environment = yaml.safe_load((ROOT / "binder/environment.yml").read_text())
    pins = dict(entry.split("=")[:2] for entry in environment["dependencies"] if "=" in entry)
    assert pins.pop("python") == "3.11"
    assert (
        pins.pop("pytorch")
        == constraints()["torch"]
        == re.search(r"^TORCH := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)
    )
    assert pins == {}
    assert environment["channels"][0] == "conda-forge"


def test_every_direct_dependency_has_an_exact_version() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for requirement in project["dependencies"] + extras["dev"] + extras["classroom"]:
        name = re.match(r"[A-Za-z0-9-]+", requirement).group(0).lower()
        assert name in constraints(), name


def test_installed_versions_are_those_of_the_constraints() -> None:
    from importlib.metadata import version

    for name in ("jupyterlab", "nbgrader", "torch", "transformers", "scikit-learn", "matplotlib", "nbval", "rdflib"):
        assert version(name).split("+")[0] == constraints()[name], name


def test_repo2docker_recognises_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    pack = CondaBuildPack(base_image="docker.io/library/buildpack-deps:jammy")
    pack.platform = "linux/amd64"
    assert pack.detect()
    dockerfile = pack.render({})
    assert "binder/environment.yml" in dockerfile
    assert "postBuild" in dockerfile
    assert "binder/start" in dockerfile
    assert pack.python_version == "3.11"


@pytest.mark.timeout(900)
@pytest.mark.xdist_group("postbuild")
def test_post_build_runs_to_the_end_in_a_clean_environment(checkout: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    environment = kept | {"PATH": f"{tmp_path / 'venv/bin'}{os.pathsep}{os.environ['PATH']}", "PIP_NO_CACHE_DIR": "0"}
    done = subprocess.run(
        [checkout / "binder/postBuild"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for path in (*lessons(), *(Path(f"labs/{name}/{name}.ipynb") for name in labs())):
        assert (checkout / "workspace" / path).is_file(), path

    shown = subprocess.run(
        [checkout / "binder/start", "jupyter", "lab", "path"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "Application directory" in shown.stdout
    settings = subprocess.run(
        [checkout / "binder/start", "jupyter", "notebook", "--show-config-json"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert '"default_url": "/academy"' in settings.stdout
    where = subprocess.run(
        [checkout / "binder/start", "pwd"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert where.stdout.splitlines()[-1] == str(checkout / "workspace")
