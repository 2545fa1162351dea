"""What a piece of work costs: seconds, processor time, memory, and an estimate of the electricity.

The estimate needs no network and no meter. It follows the method of Green Algorithms (L. Lannelongue, J. Grealey,
M. Inouye, "Green Algorithms: Quantifying the Carbon Footprint of Computation", Advanced Science 2021, 2100707):
energy = hours of busy cores x watts a core + hours x gigabytes x watts a gigabyte. The constants are those of its
data tables (github.com/GreenAlgorithms/green-algorithms-tool, TDP_cpu.csv v3.0 and referenceValues.csv v2.2, read on
2026-11-22). Cooling, the power supply and the making of the machine are left out.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

WATTS_A_CORE = 12.0
"""Power of a busy core where the processor is not known ("Any" in TDP_cpu.csv)."""

WATTS_A_CORE_RANGE = (4.2, 23.8)
"""Lowest and highest power a core among the server and desktop processors of that table."""

WATTS_A_GIGABYTE = 0.3725
"""Power of a gigabyte of memory in use (referenceValues.csv v2.2)."""

_SAMPLE_SECONDS = 0.05


@dataclass
class Cost:
    """What was used between the start and the end of a `with measured()` block; zero until it has ended."""

    seconds: float = 0.0
    """time on the clock"""
    cpu_seconds: float = 0.0
    """time of all threads on a processor: two busy cores give two a second"""
    peak_megabytes: float = 0.0
    """most memory that the process held (resident), libraries and models included"""

    @property
    def watt_hours(self) -> float:
        """Estimated electricity, in watt hours."""
        return self._watt_hours(WATTS_A_CORE)

    @property
    def watt_hours_range(self) -> tuple[float, float]:
        """The same for a very thrifty and for a very hungry processor: how unsure the estimate is."""
        low, high = WATTS_A_CORE_RANGE
        return self._watt_hours(low), self._watt_hours(high)

    def _watt_hours(self, watts_a_core: float) -> float:
        memory = self.seconds * self.peak_megabytes / 1000 * WATTS_A_GIGABYTE
        return (self.cpu_seconds * watts_a_core + memory) / 3600

    def __str__(self) -> str:
        """One line for people."""
        low, high = self.watt_hours_range
        return (
            f"{self.seconds:.0f} s, {self.cpu_seconds:.0f} s of processor time, at most {self.peak_megabytes:.0f} MB, "
            f"about {self.watt_hours:.2f} Wh ({low:.2f} to {high:.2f}, depending on the processor)"
        )


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the block: the `Cost` that it gives is filled when the block ends, also when it ends with an error."""
    cost, process, done = Cost(), psutil.Process(), threading.Event()
    started, cpu_started = time.perf_counter(), time.process_time()

    def watch() -> None:
        while True:
            cost.peak_megabytes = max(cost.peak_megabytes, process.memory_info().rss / 1e6)
            if done.wait(_SAMPLE_SECONDS):
                return

    watcher = threading.Thread(target=watch, name="memory-watch", daemon=True)
    watcher.start()
    try:
        yield cost
    finally:
        done.set()
        watcher.join()
        cost.seconds = time.perf_counter() - started
        cost.cpu_seconds = time.process_time() - cpu_started
