"""What is due: assignments that nbgrader's exchange offers, where one is set up for the learner."""

import asyncio
import json
import sys
from pathlib import Path

from nbgrader.apps import NbGrader
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory

_SECONDS = 30


async def due(workspace: Path) -> list[dict[str, str]]:
    """Return released assignments that were not handed in: course, lab, and whether it was fetched.

    Nbgrader tells learners no dates. Without an exchange, or where it does not answer, nothing is due. The exchange is
    asked in a process of its own, because nbgrader looks at the working folder and may wait for a disk or a network.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "autograder.desk.due", cwd=workspace,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _SECONDS)
    except TimeoutError:
        process.kill()
        return []
    found: list[dict[str, str]] = json.loads(output) if process.returncode == 0 else []
    return found


def ask_exchange() -> list[dict[str, str]]:
    """Ask the exchange that nbgrader's configuration names; assignments are fetched into the working folder."""
    app = NbGrader()
    app.load_config_file()
    course = CourseDirectory(config=app.config)
    makers = ExchangeFactory(config=app.config)

    def listed(**kind: bool) -> list[dict[str, str]]:
        exchange = makers.List(coursedir=course, authenticator=Authenticator(config=app.config), config=app.config)
        for name, value in kind.items():
            setattr(exchange, name, value)
        found: list[dict[str, str]] = exchange.start()
        return found

    try:
        submitted = {(entry["course_id"], entry["assignment_id"]) for entry in listed(cached=True)}
        return [
            {"course": entry["course_id"], "lab": entry["assignment_id"], "state": entry["status"]}
            for entry in listed()
            if (entry["course_id"], entry["assignment_id"]) not in submitted
        ]
    except ExchangeError:
        return []


if __name__ == "__main__":
    sys.stdout.write(json.dumps(ask_exchange()))
