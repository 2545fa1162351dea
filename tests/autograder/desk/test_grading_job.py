"""The grading that the button asks for: it ends with the server, and leaves no process behind."""

import asyncio
import time
from pathlib import Path

import psutil

from autograder import workspace
from autograder.desk.grading_job import GradingJob

LAB = "labs/ai-adoption/ai-adoption.ipynb"


def test_what_is_stopped_leaves_no_process(tmp_path: Path, run_async) -> None:
    others = set(psutil.Process().children(recursive=True))

    workspace.prepare(tmp_path)

    async def begin_and_stop() -> list[psutil.Process]:
        job = GradingJob(tmp_path)
        job.start(LAB)
        deadline = time.monotonic() + 60
        while len(found := set(psutil.Process().children(recursive=True)) - others) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        assert job.state == "running"
        await job.stop()
        return found

    begun = run_async(begin_and_stop())
    assert len(begun) >= 2, "the grading and its warm process"
    _, alive = psutil.wait_procs(begun, timeout=20)
    assert alive == []
