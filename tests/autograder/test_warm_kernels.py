"""Kernels that are forked from a warm server: like ordinary ones in everything but the time they take to start."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from autograder import warm_kernels
from autograder.warm_kernels import ForkedKernel

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="kernels are forked on Linux only"),
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("warm-kernels"),
]
DATA = Path(warm_kernels.__file__).with_name("jupyter_data")
LIGHT = ["numpy", "matplotlib.pyplot"]


@pytest.fixture(autouse=True)
def choose_warm_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(DATA))


def manager(packages: list[str] = LIGHT, **options: Any) -> KernelManager:
    """A manager of a kernel that is not started yet; its sockets are files, so that no port can be taken twice."""
    return KernelManager(config=Config(WarmProvisioner={"packages": packages}), **options)


@contextmanager
def running(made: KernelManager, **start: Any) -> Iterator[BlockingKernelClient]:
    made.start_kernel(**start)
    client = made.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()
        made.shutdown_kernel(now=True)


def said(client: BlockingKernelClient, code: str, **options: Any) -> str:
    """What code writes in a kernel, both streams; for an error its name."""
    texts: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        texts.append(message["content"].get("text") or message["content"].get("ename") or "")

    client.execute_interactive(code, output_hook=hear, timeout=60, **options)
    return "".join(texts)


def is_forked(made: KernelManager) -> bool:
    return isinstance(made.provisioner.process, ForkedKernel)


PROBE = """
import __main__, json, os, resource, signal, sys, threading
import matplotlib, random, numpy
print(json.dumps(dict(
    program=sys.argv[0], options=[a for a in sys.argv[1:] if "json" not in a], path=sys.path, python=sys.executable,
    folder=os.getcwd(), umask=os.umask(0o077), main=__main__.__name__, mine=__main__ is sys.modules["__main__"],
    environment={n: v for n, v in os.environ.items() if not n.startswith("JPY_")},
    interrupts=str(signal.getsignal(signal.SIGINT)), ends=str(signal.getsignal(signal.SIGTERM)),
    files=len(os.listdir("/proc/self/fd")) < 80, limits=resource.getrlimit(resource.RLIMIT_NOFILE),
    leader=os.getpgid(0) == os.getpid(), backend=matplotlib.get_backend(), streams=type(sys.stdout).__name__,
    warnings=sys.warnoptions, utf8=sys.flags.utf8_mode, reads=os.read(0, 1).decode(),
)))
"""


def test_a_kernel_finds_what_an_ordinary_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SETTING", "of the learner")
    found = {}
    for kind in ("ordinary", "forked"):
        if kind == "ordinary":
            monkeypatch.delenv("JUPYTER_PATH")
        else:
            monkeypatch.setenv("JUPYTER_PATH", str(DATA))
        made = manager()
        with running(made, cwd=str(tmp_path), env=os.environ | {"OF_THIS_KERNEL": "yes"}) as client:
            assert is_forked(made) == (kind == "forked")
            found[kind] = json.loads(said(client, PROBE))
    found["forked"]["environment"].pop("JUPYTER_PATH")
    assert found["forked"]["environment"]["SOME_SETTING"] == "of the learner"
    assert found["forked"]["environment"]["OF_THIS_KERNEL"] == "yes"
    assert found["forked"] == found["ordinary"]


def test_packages_do_in_it_what_they_do_in_notebooks() -> None:
    """What they look at when they are imported: pandas chooses how many columns to print, tqdm makes widgets."""
    code = """
        import pandas, transformers
        from tqdm.auto import tqdm
        from transformers.trainer import DEFAULT_PROGRESS_CALLBACK
        print(pandas.options.display.max_columns, tqdm.__mro__[1].__module__, DEFAULT_PROGRESS_CALLBACK.__name__)
    """
    made = manager(list(warm_kernels.PACKAGES))
    with running(made) as client:
        assert is_forked(made)
        assert said(client, textwrap.dedent(code)).splitlines()[-1] == "20 tqdm.notebook NotebookProgressCallback"


def test_two_kernels_share_nothing_but_the_start() -> None:
    code = "import os, random, numpy, uuid; print(os.getpid(), random.random(), numpy.random.rand(), uuid.uuid4())"
    with running(manager()) as one, running(manager()) as other:
        first, second = said(one, code).split(), said(other, code).split()
        assert not set(first) & set(second)
        said(one, "numpy.pi = 3")
        assert said(other, "print(numpy.pi)").startswith("3.14")


def test_an_interrupt_stops_a_cell_and_not_the_kernel() -> None:
    made = manager()
    with running(made) as client:
        said(client, "kept = 1")
        asked = client.execute("import time\nwhile True:\n    time.sleep(0.01)")
        time.sleep(1)
        made.interrupt_kernel()
        reply = client.get_shell_msg(timeout=30)
        assert reply["parent_header"]["msg_id"] == asked
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert said(client, "print(kept)") == "1\n"


def test_a_restart_forgets_and_a_kernel_that_is_shut_down_is_gone() -> None:
    made = manager()
    with running(made) as client:
        said(client, "kept = 1")
        before = made.provisioner.process.pid
        made.restart_kernel(now=True)
        client.wait_for_ready(timeout=60)
        assert is_forked(made)
        assert made.provisioner.process.pid != before
        assert not psutil.pid_exists(before)
        assert said(client, "print(kept)") == "NameError"
        now = made.provisioner.process.pid
    assert not psutil.pid_exists(now)


def test_a_kernel_asked_to_end_runs_what_was_registered_for_the_end(tmp_path: Path) -> None:
    made = manager()
    made.start_kernel(cwd=str(tmp_path))
    client = made.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    said(client, "import atexit, pathlib; atexit.register(pathlib.Path('ended').touch)")
    made.shutdown_kernel(now=False)
    client.stop_channels()
    assert (tmp_path / "ended").exists()


@pytest.mark.parametrize(
    ("code", "status"), [("import os; os._exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_a_crash_is_noticed_with_its_exit_code(code: str, status: int) -> None:
    made = manager()
    with running(made) as client:
        client.execute(f"import os; {code}")
        deadline = time.monotonic() + 20
        while made.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not made.is_alive()
        assert made.provisioner.process.returncode == status
        made.restart_kernel(now=True)
        client.wait_for_ready(timeout=60)
        assert said(client, "print(2)") == "2\n"


def test_nbclient_says_that_a_kernel_has_died_and_runs_the_next(tmp_path: Path) -> None:
    options: dict[str, Any] = {"kernel_name": "python3", "resources": {"metadata": {"path": str(tmp_path)}}}
    options["config"] = Config(WarmProvisioner={"packages": LIGHT})
    with pytest.raises(DeadKernelError):
        NotebookClient(new_notebook(cells=[new_code_cell("import os; os._exit(1)")]), **options).execute()
    notebook = new_notebook(
        cells=[new_code_cell("%matplotlib inline\nimport matplotlib.pyplot as plt; plt.plot([1, 2]);")]
    )
    NotebookClient(notebook, **options).execute()
    assert "image/png" in notebook.cells[0].outputs[0].data


def test_input_is_asked_of_the_person() -> None:
    with running(manager()) as client:
        heard = said(
            client, "print(input('name? '))", allow_stdin=True, stdin_hook=lambda _question: client.input("Ada")
        )
    assert heard == "Ada\n"


def test_what_a_program_writes_arrives() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with running(manager(), env=environment) as client:  # in tests ipykernel does not look at what programs write
        assert said(client, "import os, time; os.system('echo from a program'); time.sleep(0.5)") == "from a program\n"


def test_many_start_at_once() -> None:
    async def all_of_them() -> list[str]:
        made = [AsyncKernelManager(config=Config(WarmProvisioner={"packages": LIGHT})) for _ in range(4)]
        await asyncio.gather(*(one.start_kernel() for one in made))
        clients = [one.client() for one in made]
        try:
            for client in clients:
                client.start_channels()
            await asyncio.gather(*(client.wait_for_ready(timeout=60) for client in clients))
            return [str(one.provisioner.process.pid) for one in made]
        finally:
            for client in clients:
                client.stop_channels()
            await asyncio.gather(*(one.shutdown_kernel(now=True) for one in made))

    assert len(set(asyncio.run(all_of_them()))) == 4


def test_kernels_outlive_their_server_and_the_next_one_has_a_new_server(caplog: pytest.LogCaptureFixture) -> None:
    packages = ["numpy", "json"]  # a server of its own
    made = manager(packages)
    with running(made) as client:
        kernel = psutil.Process(made.provisioner.process.pid)
        kernel.parent().kill()
        assert said(client, "print(3)") == "3\n"
        other = manager(packages)
        with running(other) as second:
            assert is_forked(other)
            assert said(second, "print(4)") == "4\n"
        assert said(client, "print(5)") == "5\n"
    assert not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE  # who takes it on is not ours to say
    assert "ordinary" not in caplog.text


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Warnings of the kernel's manager since the last call."""
    logging.getLogger("traitlets").propagate = True
    caplog.set_level(logging.WARNING)

    def since() -> list[str]:
        found = [record.getMessage() for record in caplog.records if "kernel" in record.getMessage()]
        caplog.clear()
        return found

    return since


def test_where_a_package_starts_a_thread_an_ordinary_kernel_starts_and_the_server_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    busy = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    (tmp_path / "busy_package.py").write_text(busy)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    seconds = []
    for _ in range(2):
        made = manager(["busy_package"])
        started = time.monotonic()
        with running(made) as client:
            seconds.append(time.monotonic() - started)
            assert not is_forked(made)
            assert said(client, "print(6)") == "6\n"
        (line,) = warnings()
        assert line.startswith("An ordinary kernel starts, not a warm one: a package starts threads")
    assert seconds[1] < seconds[0]


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_an_ordinary_kernel_starts(
    platform: str, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    made = manager()
    monkeypatch.setattr(warm_kernels, "PLATFORM", platform)
    with running(made) as client:
        assert not is_forked(made)
        assert said(client, "print(7)") == "7\n"
    assert warnings() == ["An ordinary kernel starts, not a warm one: this needs Linux"]


def test_a_package_that_is_missing_is_named(warnings: Callable[[], list[str]]) -> None:
    made = manager(["a_package_that_is_not_there"])
    with running(made) as client:
        assert said(client, "print(8)") == "8\n"
    (line,) = warnings()
    assert "No module named 'a_package_that_is_not_there'" in line


def test_nothing_is_left_when_jupyter_is_killed(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import json, sys, time
        from jupyter_client.manager import KernelManager
        from traitlets.config import Config
        import psutil
        made = KernelManager(config=Config(WarmProvisioner={"packages": ["numpy"]}))
        made.start_kernel()
        client = made.client(); client.start_channels(); client.wait_for_ready(60)
        kernel = psutil.Process(made.provisioner.process.pid)
        print(json.dumps([kernel.pid, kernel.ppid()]), flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        family = [psutil.Process(number) for number in json.loads(process.stdout.readline())]
        process.kill()
    _, left = psutil.wait_procs(family, timeout=20)
    assert left == []


def test_a_kernel_costs_little_memory_beside_its_server() -> None:
    with running(manager(["numpy", "pandas", "matplotlib.pyplot"])) as client:
        own = json.loads(
            said(client, "import json, psutil; print(json.dumps(psutil.Process().memory_full_info().uss))")
        )
    assert own < 60e6


def test_a_notebook_server_warms_up_before_the_first_kernel(run_academy: Callable[..., Any], tmp_path: Path) -> None:
    """Asked over JupyterLab's own addresses, as a browser does."""
    import httpx

    with run_academy(tmp_path / "desk", tmp_path / "log") as academy:
        server = next(p for p in psutil.process_iter(["cmdline"]) if str(tmp_path / "desk") in str(p.info["cmdline"]))
        deadline = time.monotonic() + 60
        while not (warm := [p for p in server.children() if "autograder.engine.kernel" in " ".join(p.cmdline())]):
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.2)
        headers = {"Authorization": f"token {academy.token}"}
        made = httpx.post(
            f"{academy.address}/api/kernels", headers=headers, json={"name": "python3"}, timeout=60
        ).json()
        kernels = warm[0].children()
        assert len(kernels) == 1, (tmp_path / "log").read_text()
        httpx.delete(f"{academy.address}/api/kernels/{made['id']}", headers=headers, timeout=60).raise_for_status()
        assert psutil.wait_procs(kernels, timeout=20)[1] == []
    assert psutil.wait_procs(warm, timeout=20)[1] == []
    assert "ordinary" not in (tmp_path / "log").read_text()
