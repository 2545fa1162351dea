"""What is due: assignments that nbgrader's exchange offers, where one is set up for the learner."""

import asyncio
import json
import sys
from pathlib import Path

_OUTPUT_BYTES = 1_000_000
_SECONDS = 30


async def due(workspace: Path) -> list[dict[str, str]]:
    """Return released assignments that were not handed in: course, lab, and whether it was fetched.

    Nbgrader tells learners no dates. Without an exchange, or where it does not answer, nothing is due.
    """
    released = await _listed(workspace)
    if not released:
        return []
    submitted = {(entry["course_id"], entry["assignment_id"]) for entry in await _listed(workspace, "--cached")}
    return [
        {"course": entry["course_id"], "lab": entry["assignment_id"], "state": entry["status"]}
        for entry in released
        if (entry["course_id"], entry["assignment_id"]) not in submitted
    ]


async def _listed(workspace: Path, *options: str) -> list[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "nbgrader", "list", "--json", *options,
        cwd=workspace, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
        entries = json.loads(output[:_OUTPUT_BYTES])
    except TimeoutError:
        process.kill()
        return []
    except (ValueError, RecursionError):
        return []
    keys = ("course_id", "assignment_id", "status")
    found = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return [{key: str(entry.get(key)) for key in keys} for entry in found]
