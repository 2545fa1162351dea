"""`make bench-classroom`: simulated learners start, open, run and hand in a lab on a demo classroom; prints a table.

They use the addresses that a browser uses, with the answers of the reference solution. As many work at once as asked
for.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
from demo import INSTRUCTOR, console, learners, password
from folders import COURSE
from rich.progress import track
from rich.table import Table
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from autograder.kit import find_lab
from autograder.rebuild import grade_id

LAB = "find-and-judge"
_NOTEBOOK = f"labs/{LAB}/{LAB}.ipynb"
_PATIENCE = 600.0
_STEPS = ("start", "fetch", "open", "run", "submit")


class LoadError(Exception):
    """One step of one simulated learner did not work."""


@dataclass
class Journey:
    """Seconds that each step took one learner, and what went wrong."""

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""

    async def step(self, name: str, doing: Awaitable[Any]) -> Any:
        """Do and time one step."""
        began = time.monotonic()
        done = await doing
        self.seconds[name] = time.monotonic() - began
        return done


@asynccontextmanager
async def _person(address: str, name: str, secret: str) -> AsyncIterator[httpx.AsyncClient]:
    """Log in as somebody does, and go on with a token of that person."""
    async with httpx.AsyncClient(base_url=address, timeout=_PATIENCE, follow_redirects=True) as client:
        await client.get("/hub/login")
        form = {"username": name, "password": password(name, secret), "_xsrf": client.cookies["_xsrf"]}
        answer = await client.post("/hub/login?next=/hub/home", data=form)
        answer.raise_for_status()
        xsrf = next(cookie.value for cookie in client.cookies.jar if cookie.name == "_xsrf" and cookie.path == "/hub/")
        answer = await client.post(f"/hub/api/users/{name}/tokens", headers={"X-XSRFToken": str(xsrf)}, json={})
        token = answer.raise_for_status().json()["token"]
    headers = {"Authorization": f"token {token}"}
    async with httpx.AsyncClient(base_url=address, timeout=_PATIENCE, headers=headers) as client:
        yield client


async def _start(client: httpx.AsyncClient, name: str) -> None:
    (await client.post(f"/hub/api/users/{name}/server")).raise_for_status()
    while True:
        server = (await client.get(f"/hub/api/users/{name}")).raise_for_status().json()["servers"].get("", {})
        if server.get("ready"):
            return
        if not server.get("pending"):
            raise LoadError("the server did not start")
        await asyncio.sleep(0.25)


async def _nbgrader(client: httpx.AsyncClient, name: str, what: str) -> None:
    answer = await client.post(f"/user/{name}/assignments/{what}", data={"course_id": COURSE, "assignment_id": LAB})
    said = answer.raise_for_status().json()
    if not said["success"]:
        raise LoadError(f"{what}: {said['value'].splitlines()[-1]}")


async def _open(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """Read the notebook and start its kernel."""
    notebook = (await client.get(f"/user/{name}/api/contents/{_NOTEBOOK}")).raise_for_status().json()["content"]
    wanted = {"path": _NOTEBOOK, "name": LAB, "type": "notebook", "kernel": {"name": "python3"}}
    session = (await client.post(f"/user/{name}/api/sessions", json=wanted)).raise_for_status().json()
    return {"notebook": notebook, "kernel": session["kernel"]["id"]}


async def _run(client: httpx.AsyncClient, name: str, opened: dict[str, Any], answers: dict[str, str]) -> None:
    """Answer all questions, save, and run all cells."""
    cells = opened["notebook"]["cells"]
    for cell in cells:
        identifier = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(identifier, cell["source"])
    model = {"type": "notebook", "format": "json", "content": opened["notebook"]}
    (await client.put(f"/user/{name}/api/contents/{_NOTEBOOK}", json=model)).raise_for_status()
    address = str(client.base_url).replace("http", "ws", 1).rstrip("/")
    channels = f"{address}/user/{name}/api/kernels/{opened['kernel']}/channels"
    socket = await websocket_connect(HTTPRequest(channels, headers={"Authorization": client.headers["Authorization"]}))
    try:
        for cell in cells:
            if cell["cell_type"] == "code":
                await asyncio.wait_for(_execute(socket, "".join(cell["source"])), _PATIENCE)
    finally:
        socket.close()


async def _execute(socket: Any, code: str) -> None:
    """Send a cell to the kernel and wait for its reply and for quiet."""
    identifier = uuid.uuid4().hex
    header = {
        "msg_id": identifier,
        "msg_type": "execute_request",
        "username": "",
        "session": identifier,
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }
    await socket.write_message(json.dumps(message))
    waiting = {"execute_reply", "idle"}
    while waiting:
        received = await socket.read_message()
        if received is None:
            raise LoadError("the kernel hung up")
        if isinstance(received, bytes):
            continue
        answer = json.loads(received)
        if answer["parent_header"].get("msg_id") != identifier:
            continue
        if answer["msg_type"] == "error":
            raise LoadError(f"a cell failed: {answer['content']['ename']}: {answer['content']['evalue'][:80]}")
        waiting -= {answer["msg_type"], answer["content"].get("execution_state")}


async def _journey(address: str, name: str, secret: str, answers: dict[str, str]) -> Journey:
    """Everything that one learner does."""
    journey = Journey(name)
    try:
        async with _person(address, name, secret) as client:
            await journey.step("start", _start(client, name))
            await journey.step("fetch", _nbgrader(client, name, "fetch"))
            opened = await journey.step("open", _open(client, name))
            await journey.step("run", _run(client, name, opened, answers))
            await journey.step("submit", _nbgrader(client, name, "submit"))
            await client.delete(f"/hub/api/users/{name}/server")
    except (LoadError, httpx.HTTPError, TimeoutError, OSError) as error:
        journey.error = f"{type(error).__name__}: {error}"
    return journey


async def _class(address: str, secret: str, number: int, at_once: int) -> tuple[list[Journey], int]:
    """Let all learners do the lab, and say how many submissions formgrader then collects."""
    answers = _answers()
    room = asyncio.Semaphore(at_once)

    async def one(name: str) -> Journey:
        async with room:
            return await _journey(address, name, secret, answers)

    async with _person(address, INSTRUCTOR, secret) as instructor:
        formgrader = f"/services/{COURSE}/formgrader/api"
        for what in ("assign", "release"):
            (await instructor.post(f"{formgrader}/assignment/{LAB}/{what}")).raise_for_status()
        running = [asyncio.create_task(one(name)) for name in learners(number)]
        journeys = [
            await task for task in track(asyncio.as_completed(running), "learners", len(running), console=console)
        ]
        (await instructor.post(f"{formgrader}/assignment/{LAB}/collect")).raise_for_status()
        collected = (await instructor.get(f"{formgrader}/submissions/{LAB}")).raise_for_status().json()
    return journeys, len({submission["student"] for submission in collected})


def _answers() -> dict[str, str]:
    """The reference solution's answers, by grade_id."""
    cells = find_lab(LAB).notebook().cells
    return {str(grade_id(cell)): cell.source for cell in cells if cell.metadata.get("nbgrader", {}).get("solution")}


def _print(journeys: list[Journey], collected: int, seconds: float, at_once: int) -> None:
    failed = [journey for journey in journeys if journey.error]
    table = Table("step", "median s", "p95 s", "slowest s", title=f"{len(journeys)} learners, {at_once} at once")
    for step in _STEPS:
        times = [journey.seconds[step] for journey in journeys if step in journey.seconds]
        if len(times) > 1:
            p95 = quantiles(times, n=20, method="inclusive")[-1]
            table.add_row(step, f"{median(times):.1f}", f"{p95:.1f}", f"{max(times):.1f}")
    console.print(table)
    lost = len(journeys) - len(failed) - collected
    console.print(f"errors {len(failed)}, lost submissions {lost}, {seconds:.0f} s in all, processors {os.cpu_count()}")
    for journey in failed:
        console.print(f"  {journey.name}: {journey.error}")
    if failed or lost:
        sys.exit(1)


def main() -> None:
    """Start a classroom of its own, let the learners work, print what it took, and end it."""
    parser = argparse.ArgumentParser(description="Load run of a demo classroom.")
    parser.add_argument("--learners", type=int, default=30)
    parser.add_argument("--at-once", type=int, default=4, help="servers at the same time")
    parser.add_argument("--port", type=int, default=8100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = [sys.executable, str(Path(__file__).with_name("demo.py")), "--folder", folder]
        program += ["--port", str(arguments.port), "--learners", str(arguments.learners)]
        classroom = subprocess.Popen(program, stdout=subprocess.PIPE, text=True, start_new_session=True)
        try:
            assert classroom.stdout is not None  # noqa: S101 - asked for above
            if not any("Stop with Ctrl-C" in line for line in classroom.stdout):
                sys.exit("the classroom did not start")
            secret = Path(folder, "hub/demo_secret").read_text()
            began = time.monotonic()
            work = _class(f"http://127.0.0.1:{arguments.port}", secret, arguments.learners, arguments.at_once)
            journeys, collected = asyncio.run(work)
            _print(journeys, collected, time.monotonic() - began, arguments.at_once)
        finally:
            classroom.terminate()
            classroom.wait()


if __name__ == "__main__":
    main()
