"""A gradebook in PostgreSQL: a real server of its own, where one is installed."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import create_engine, text

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture
def postgresql() -> Iterator[str]:
    """URL of an empty database."""
    if not BINARIES and not shutil.which("initdb"):
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    binaries = BINARIES[-1] if BINARIES else Path(shutil.which("initdb") or "").parent
    owner = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        user = pwd.getpwnam("postgres")
        owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with TemporaryDirectory() as folder:
        if owner:
            os.chown(folder, owner["user"], owner["group"])

        def run(program: str, *arguments: str) -> None:
            command = [binaries / program, "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, timeout=60, **owner)

        run("initdb", "--auth=trust", "--username=instructor", "--encoding=UTF8")
        run("pg_ctl", "--wait", f"--log={folder}/log", f"--options=-p {port} -k {folder} -h 127.0.0.1", "start")
        try:
            yield f"postgresql+psycopg://instructor@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "--wait", "--mode=immediate", "stop")


def test_a_class_is_graded_into_postgresql_as_into_sqlite(course, course_of, postgresql: str) -> None:
    kinds = ["right", "wrong", "loud", "dying", "nothing"]
    plain = course_of("plain")
    plain.a_class(kinds)
    plain.graded()
    wanted = course.a_class(kinds)
    configuration = course.root / "nbgrader_config.py"
    configuration.write_text(configuration.read_text() + f"\nc.CourseDirectory.db_url = {postgresql!r}\n")
    course.nbgrader("generate_assignment", "arithmetic", "--force")
    first, again = course.graded("--gradebook", postgresql), course.graded()
    assert {s["student"]: s["score"] for s in first["submissions"]} == wanted
    assert (first["graded"], again["graded"], again["unchanged"]) == (5, 0, 5)
    engine = create_engine(postgresql)
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select sa.student_id, c.name, g.auto_score, g.manual_score, g.needs_manual_grade,"
                " n.late_submission_penalty from grade g join base_cell c on c.id = g.cell_id"
                " join submitted_notebook n on n.id = g.notebook_id"
                " join submitted_assignment sa on sa.id = n.assignment_id order by 1, 2"
            )
        ).all()
    engine.dispose()
    assert [tuple(row) for row in rows] == [(*row[:4], bool(row[4]), row[5]) for row in plain.grades()]


def test_a_missing_driver_is_said_in_one_line(course) -> None:
    course.a_class(["right"])
    done = course.autograde("--gradebook", "oracle://instructor@127.0.0.1/grades")
    assert done.returncode == 2
    assert "oracle: needs the package" in done.stderr
    assert "Traceback" not in done.stderr
