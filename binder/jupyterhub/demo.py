"""`make classroom`: a hub with five learners, an instructor and an operator on this computer, until Ctrl-C.

Started by root, each person has an account that exists only inside this classroom: the hub runs in a mount namespace of
its own, in which /etc is a layer over the computer's own, and in a process namespace, so nothing is left when it ends.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from hashauthenticator import generate_password_digest
from hub_process import hub_command, stop, wait_until_open
from rich.console import Console
from rich.table import Table

from autograder.errors import AcademyError

INSTRUCTOR, OPERATOR = "instructor-1", "operator-1"
_PASSWORD_LENGTH = 12  # as in jupyterhub_config.py
console = Console(highlight=False, soft_wrap=True)


def learners(number: int) -> list[str]:
    """Names of the learners of a demo classroom."""
    return [f"learner-{i + 1}" for i in range(number)]


def password(name: str, secret: str) -> str:
    """A person's password; the hub makes the same from the classroom's secret."""
    return str(generate_password_digest(name, secret, _PASSWORD_LENGTH))


def main() -> None:
    """Run the classroom until Ctrl-C; every foreseeable fault ends in one line."""
    parser = argparse.ArgumentParser(description="A classroom for trying out, on this computer.")
    parser.add_argument("--folder", type=Path, default=Path("classroom-demo"), help="what is kept between two runs")
    parser.add_argument("--port", type=int, default=8000, help="the first of four ports that are used")
    parser.add_argument("--learners", type=int, default=5, help="how many learners there are")
    arguments = parser.parse_args()
    try:
        _run(arguments.folder.resolve(), arguments.port, learners(arguments.learners))
    except AcademyError as error:
        sys.exit(f"classroom: {error}")


def _run(folder: Path, port: int, names: list[str]) -> None:
    _check_ports(port)
    as_root = os.geteuid() == 0
    environment = _environment(folder, port, names)
    log = folder / "hub" / "hub.log"
    command = hub_command(folder, as_root=as_root)
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, signal.default_int_handler)
    with log.open("a") as output:
        # Of a session of its own: Ctrl-C reaches this process alone, which then stops the hub in order.
        hub = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            with console.status("the classroom is being set up ..."):
                wait_until_open(hub, port, log)
            _print_logins(environment, port, folder, as_root=as_root)
            hub.wait()
        except KeyboardInterrupt:
            console.print("closing the classroom ...")
        finally:
            stop(hub)
    if hub.returncode not in {0, -signal.SIGINT, -signal.SIGKILL, 128 + signal.SIGINT}:
        raise AcademyError(f"the hub has stopped; {log} says why")


def _check_ports(first: int) -> None:
    """Raise `AcademyError` where one of the four ports is taken, by another classroom above all."""
    for port in range(first, first + 4):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                raise AcademyError(f'port {port} is taken; choose four others: make classroom ARGS="--port 9000"')


def _environment(folder: Path, port: int, names: list[str]) -> dict[str, str]:
    """Settings of the hub, as an operator would write them into a service file."""
    (folder / "hub").mkdir(parents=True, exist_ok=True)
    (folder / "hub").chmod(0o700)
    secret = folder / "hub" / "demo_secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(32))
    proxy = shutil.which(
        "configurable-http-proxy", path=f"{sys.prefix}/proxy/node_modules/.bin{os.pathsep}{os.defpath}"
    )
    if proxy is None:
        raise AcademyError("configurable-http-proxy is not installed; `make classroom` installs it (it needs npm)")
    return os.environ | {
        "ACADEMY_AUTHENTICATOR": "demo",
        "ACADEMY_CLASSROOM": str(folder),
        "ACADEMY_DEMO_SECRET": secret.read_text(),
        "ACADEMY_INSTRUCTORS": INSTRUCTOR,
        "ACADEMY_LEARNERS": " ".join(names),
        "ACADEMY_OPERATORS": OPERATOR,
        "ACADEMY_PORT": str(port),
        "ACADEMY_PROXY": proxy,
        "ACADEMY_SPAWNER": "local",
    }


def _print_logins(environment: dict[str, str], port: int, folder: Path, *, as_root: bool) -> None:
    table = Table("who", "password", "sees", title=f"http://127.0.0.1:{port}", title_justify="left")
    people = [
        (name, "JupyterLab, with the lessons and what the instructor hands out")
        for name in environment["ACADEMY_LEARNERS"].split()
    ]
    people += [
        (INSTRUCTOR, "formgrader"),
        (OPERATOR, "the list of people; adds learners (passwords: /hub/login_list)"),
    ]
    for name, sees in people:
        table.add_row(name, password(name, environment["ACADEMY_DEMO_SECRET"]), sees)
    console.print(table)
    if not as_root:
        console.print(
            "[bold]All of them share your own account: whoever logs in can read everybody's work, the solutions and "
            "the gradebook.[/] For a classroom that keeps people apart: sudo make classroom"
        )
    console.print("Nothing limits memory here; systemd or Docker does, on a real hub (binder/jupyterhub/README.md).")
    console.print(f"All is kept in {folder}. Stop with Ctrl-C.")


if __name__ == "__main__":
    main()
