"""Wall and CPU time of whole processes, medians, and the machine they ran on."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds of wall clock, seconds of CPU, peak memory in MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(slots=True)
class Row:
    """A measured thing: what, how many units of it a run does, all runs."""

    name: str
    units: int
    unit: str
    samples: list[Sample] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Median seconds of a run."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def cpu(self) -> float:
        """Median CPU seconds of a run."""
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def memory(self) -> float:
        """Median peak of resident memory in MiB."""
        return statistics.median(sample.memory for sample in self.samples)

    @property
    def rate(self) -> float:
        """Units a second, at the median."""
        return self.units / self.wall

    def as_json(self) -> dict[str, object]:
        """Return the row for bench-results.json."""
        return {
            "name": self.name,
            "units": self.units,
            "unit": self.unit,
            "rate": round(self.rate, 2),
            "wall": round(self.wall, 4),
            "cpu": round(self.cpu, 4),
            "samples": [asdict(s) for s in self.samples],
        }


def timed(
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    core: int | None,
    output: IO[str] | None = None,
) -> Sample:
    """Run a process to its end, on one core where asked, and account for it."""
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    started = time.monotonic()
    process = subprocess.Popen(
        [*pinned, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=output or subprocess.DEVNULL,
    )
    _pid, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} ended with {process.returncode}")
    return Sample(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": sys.version.split()[0],
        "pgo": "--enable-optimizations" in arguments,
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
