"""What a runner gives to the notebooks that it runs."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.engine.limits import Limits
from autograder.engine.plan import plan
from autograder.engine.runner import Runner


@pytest.mark.parametrize("allowed", [1, 2])
def test_notebooks_use_as_many_threads_as_the_user_allows(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(allowed))
    count = (
        "import numpy\nfrom threadpoolctl import threadpool_info\n{pool['num_threads'] for pool in threadpool_info()}"
    )
    answer = {"grade_id": "q", "solution": True, "grade": False, "locked": False, "task": False, "schema_version": 3}
    notebook = new_notebook(cells=[new_code_cell(count, metadata={"nbgrader": answer})])
    with Runner() as runner:
        run = runner.run(plan(notebook, notebook, notebook), Limits(), {})
    assert run.outputs[0][-1]["data"]["text/plain"] == str({allowed})
