"""What is measured of processes and of samples, and how it is shown."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_CORES = sorted(os.sched_getaffinity(0))


@dataclass(frozen=True, slots=True)
class ProcessUse:
    """What a process has used so far.

    Args:
        cpu: user and system time, seconds.
        memory: resident now, bytes.
        peak: the most that was resident, bytes.
    """

    cpu: float
    memory: int
    peak: int


def process_use(pid: int) -> ProcessUse:
    """From Linux' /proc (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("Vm")
    )
    sizes = {name: int(value.split()[0]) * 1024 for name, value in status.items()}
    return ProcessUse((int(fields[11]) + int(fields[12])) / _TICKS, sizes["VmRSS"], sizes["VmHWM"])


def core_use(number: int) -> tuple[int, int]:
    """Ticks that a core was busy, with anything at all, and ticks that have passed, since it was started."""
    name = f"cpu{_CORES[number % len(_CORES)]}"
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    ticks = next([int(value) for value in line[1:9]] for line in lines if line[0] == name)
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def share_between(before: tuple[int, int], after: tuple[int, int]) -> float:
    """The share of time that a core was busy, from 0 to 1."""
    return (after[0] - before[0]) / max(1, after[1] - before[1])


@contextlib.contextmanager
def on_core(number: int) -> Iterator[None]:
    """Processes and threads started in this block run on one core, where the machine has more than one."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {_CORES[number % len(_CORES)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def percentile(samples: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; NaN without samples.

    Args:
        share: 0.95 for p95.
    """
    if not samples:
        return float("nan")
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1))]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side, the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )

    return "\n".join([line(head), "  ".join("-" * width for width in widths), *map(line, rows)])


def ratio(ours: float, theirs: float) -> str:
    """`2.3x`."""
    return f"{ours / theirs:.2f}x" if theirs else "-"
