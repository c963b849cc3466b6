"""What a case reports, and the few ways of timing that the cases share."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
import psutil

T = TypeVar("T")

#: The packages whose speed is part of the numbers.
_PACKAGES = ("websockets", "msgspec", "numpy", "pyarrow", "polars", "duckdb", "dhanhq")


class Result(msgspec.Struct, kw_only=True):
    """One measured number beside its goal.

    Attributes
    ----------
    case, name : str
        Which module measured it; what it is, in a few words.
    value, low, high : float
        The median of the runs, and the extremes of them.
    unit : str
        Of all three; empty for a ratio.
    goal : float or None
        None for a number that is there to explain another.
    better : {"higher", "lower"}
        On which side of the goal is good.
    note : str
        How it was measured, where the name leaves a question.
    """

    case: str
    name: str
    value: float
    low: float
    high: float
    unit: str = ""
    goal: float | None = None
    better: Literal["higher", "lower"] = "higher"
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal

    @property
    def margin(self) -> float | None:
        """How many times better than the goal: 1 is the goal itself, 0.5 half of what was asked."""
        if self.goal is None:
            return None
        # What is too small to be measured is shown as a thousandth of its goal.
        least = abs(self.goal) / 1000
        return self.value / self.goal if self.better == "higher" else self.goal / max(self.value, least)


class Report(msgspec.Struct, kw_only=True):
    """All results of a run, and what they were measured on."""

    measured_at: str
    quick: bool
    machine: dict[str, Any]
    results: list[Result]


def result(case: str, name: str, values: float | Sequence[float], **more: Any) -> Result:
    """Return a `Result` of repeated measurements: their median and extremes."""
    all_ = [float(values)] if isinstance(values, int | float) else [float(value) for value in values]
    return Result(case=case, name=name, value=statistics.median(all_), low=min(all_), high=max(all_), **more)


def machine() -> dict[str, Any]:
    """Return what the numbers depend on. Nothing in it tells whose machine it is."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "switch_interval_s": sys.getswitchinterval(),
        "load_at_start": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def wait_until_idle(limit_s: float) -> None:
    """Return when the processor was nearly idle for three seconds, or after the limit."""
    until, quiet = time.monotonic() + limit_s, 0
    while quiet < 3 and time.monotonic() < until:
        quiet = quiet + 1 if psutil.cpu_percent(interval=1.0) < 15 else 0


def now() -> str:
    """Return the time in UTC, to the minute."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}"


def in_turns(rounds: int, *jobs: Callable[[], float]) -> list[list[float]]:
    """Return what each job measured, run in turns: a busy minute of the machine then hits all alike."""
    found: list[list[float]] = [[] for _ in jobs]
    for number in range(rounds):
        # Every other round backwards, so that no job always has the one before it to thank.
        order = range(len(jobs)) if number % 2 == 0 else reversed(range(len(jobs)))
        for place in order:
            found[place].append(jobs[place]())
    return found


def seconds(job: Callable[[], object], *, times: int = 1) -> float:
    """Return how long one call takes, over `times` calls."""
    return _timed(job, times, time.perf_counter)


def core_seconds(job: Callable[[], object], *, times: int = 1) -> float:
    """Return the time on one core that a call takes in this thread: what others take does not count."""
    return _timed(job, times, time.thread_time)


def _timed(job: Callable[[], object], times: int, clock: Callable[[], float]) -> float:
    """Time calls with the garbage collector off, as `timeit` does: its turn may fall to anybody."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        started = clock()
        for _ in range(times):
            job()
        return (clock() - started) / times
    finally:
        if collecting:
            gc.enable()


def to_each(job: Callable[[T], object], items: Iterable[T]) -> None:
    """Call for each, and keep nothing: what is kept has to be written to memory that nobody used before."""
    for item in items:
        job(item)


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each round."""
    return [a / b for a, b in zip(above, below, strict=True)]
