"""Measure what a learner waits for a first cell and what a kernel costs, warm and ordinary: `make bench-kernels`."""

import os
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

CELLS = {
    "an empty cell": "pass",
    "first cell of an open data lesson": "import matplotlib.pyplot as plt, numpy as np, pandas as pd",
    "first cell of a PyTorch lesson": "import matplotlib.pyplot as plt, numpy as np, pandas as pd, torch, transformers",
}
ROUNDS = 5
_DATA = str(Path(__file__).with_name("jupyter_data"))


@contextmanager
def kernel(*, warm: bool) -> Iterator[tuple[BlockingKernelClient, psutil.Process]]:
    """A running kernel and its process."""
    os.environ["JUPYTER_PATH"] = _DATA if warm else ""
    manager = KernelManager()
    manager.start_kernel(stderr=subprocess.DEVNULL)
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=120)
        yield client, psutil.Process(manager.provisioner.pid)  # type: ignore[union-attr]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def seconds(code: str, *, warm: bool) -> float:
    """Seconds from asking for a kernel to the end of its first cell."""
    started = time.perf_counter()
    with kernel(warm=warm) as (client, _):
        client.execute_interactive(code, timeout=120)
        return time.perf_counter() - started


def megabytes(code: str, *, warm: bool) -> float:
    """Memory that nobody else has, of a kernel that has run a cell, in MB."""
    with kernel(warm=warm) as (client, process):
        client.execute_interactive(code, timeout=120)
        return float(process.memory_full_info().uss) / 1e6


def main() -> None:
    """Print the tables; ordinary and warm in turn, so that both see the same machine."""
    first = seconds("pass", warm=True)
    print(f"The warm server itself: {first:.1f} s, once for each Jupyter (in the background, when JupyterLab starts)\n")
    print("| From a click to the end of | ordinary | warm | ratio |\n|---|---|---|---|")
    for name, code in CELLS.items():
        pairs = [(seconds(code, warm=False), seconds(code, warm=True)) for _ in range(ROUNDS)]
        ordinary, warm = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"| {name} | {ordinary:.2f} s | {warm:.2f} s | {ordinary / warm:.1f} |", flush=True)
    print("\n| Memory of a further kernel after | ordinary | warm |\n|---|---|---|")
    for name, code in CELLS.items():
        print(f"| {name} | {megabytes(code, warm=False):.0f} MB | {megabytes(code, warm=True):.0f} MB |", flush=True)
    (server,) = (
        child for child in psutil.Process().children() if "autograder.engine.kernel" in " ".join(child.cmdline())
    )
    print(f"\nThe warm server: {server.memory_full_info().uss / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
