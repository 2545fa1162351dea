"""Grade one notebook of the workspace in a process of its own, `academy grade`, while the server goes on."""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autograder import kit, progress
from autograder.desk.hints import hints_for

_OUTPUT_BYTES = 5_000_000


@dataclass
class GradingJob:
    """The one grading that a learner has asked for; another can begin when it is over."""

    workspace: Path
    path: str = ""
    """of the notebook, in the workspace"""
    state: str = "none"
    """none, running, done or failed"""
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    """as in `academy grade --json`, with `visible_tests_only`, and with `hints` and `fails` for each question"""
    _task: asyncio.Task[None] | None = None

    def start(self, path: str) -> None:
        """Begin to grade the notebook at `path`; nothing else may be running."""
        self.path, self.state, self.error, self.result = path, "running", "", {}
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End a running grading, with its processes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def described(self) -> dict[str, Any]:
        """Return the state as JSON for the page."""
        return {"path": self.path, "state": self.state, "error": self.error, "result": self.result}

    async def _run(self) -> None:
        command = [sys.executable, "-m", "autograder.cli", "grade", "--json"]
        if not sys.platform.startswith("linux"):
            command.append("--unsafe-no-sandbox")  # the learner's own work, which runs in the notebook as freely
        process = await asyncio.create_subprocess_exec(
            *command, "--", self.path, cwd=self.workspace,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            output, errors = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        try:
            (self.result,) = json.loads(output[:_OUTPUT_BYTES])
            self._add_hints()
        except (ValueError, TypeError, KeyError):
            self.state = "failed"
            self.error = errors.decode(errors="replace").strip().removeprefix("academy:").strip()
            self.error = self.error or "the grading stopped without a word; try it in a terminal: academy grade"
        else:
            self.state = "done"

    def _add_hints(self) -> None:
        self.result["visible_tests_only"] = kit.hidden_tests_are_elsewhere()
        lab = kit.find_lab(self.result["lab"])
        known = progress.read(self.workspace).get(lab.name)
        for question in self.result["questions"]:
            mine = known.questions.get(question["id"]) if known else None
            question["fails"] = mine.fails if mine else 0
            question["hints"] = [asdict(hint) for hint in hints_for(lab, question["id"], question["fails"])]
