"""A running academy for the browser to look at."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def academy(run_academy, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    folder = tmp_path_factory.mktemp("browser")
    with run_academy(folder / "desk", folder / "log") as running:
        yield running
