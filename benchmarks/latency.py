"""From sent to visible at 10,000 ticks a second, with an idle main thread and with a busy one.

The server, a process of its own on the same clock, writes the time of sending into each message. A reader
thread waits for rows as a view does, and notes when it can see each. Busy means that the main thread
runs a pure-Python loop meanwhile, as a slow cell does.
"""

from __future__ import annotations

import threading
import time

import numpy as np
import polars as pl

import ltpkit as lk
from benchmarks.measure import Result, in_turns, result
from benchmarks.server import symbols, trades

CASE = "latency"

_RATE = 10_000
_NAMES = 8


def run(*, quick: bool) -> list[Result]:
    """Return median and 99th percentile of the time from sent to seen."""
    seconds, rounds = (0.5, 1) if quick else (4.0, 3)
    found: dict[str, list[float]] = {}
    with trades(10**9, rate=_RATE, names=_NAMES) as url:

        def measured(kind: str) -> float:
            for name, value in _watch(url, seconds, busy=kind == "busy").items():
                found.setdefault(f"{name} {kind}", []).append(value)
            return 0.0

        _watch(url, 0.2, busy=False)
        in_turns(rounds, lambda: measured("idle"), lambda: measured("busy"))
    note = f"{_RATE:,} ticks/s, seen by another thread"
    rows: list[tuple[str, str, float | None]] = [
        ("p99 sent to visible, idle", "p99 idle", 5.0),
        ("p50 sent to visible, idle", "p50 idle", None),
        ("p99 sent to visible, pure-Python loop running", "p99 busy", 25.0),
        ("p50 sent to visible, pure-Python loop running", "p50 busy", None),
    ]
    return [
        result(CASE, name, found[key], unit="ms", goal=goal, better="lower", note=note)
        for name, key, goal in rows
    ]


def _watch(url: str, seconds: float, *, busy: bool) -> dict[str, float]:
    """Stream for this long and return the percentiles in ms, without the first half second."""
    live = lk.stream(symbols(_NAMES), feed="binance", url=url, depth=False)
    seen: list[tuple[int, int]] = []  # the newest row, and when it was seen
    stopping = threading.Event()

    def look() -> None:
        ring = live._ring
        while not stopping.is_set():
            if live.wait(rows=1, timeout_s=0.2):
                seen.append((ring.last_seq, time.time_ns() // 1000))

    reader = threading.Thread(target=look, name="reader")
    reader.start()
    until = time.perf_counter() + seconds + 0.5
    if busy:
        number = 0
        while time.perf_counter() < until:
            number += 1
    else:
        time.sleep(until - time.perf_counter())
    stopping.set()
    reader.join()
    live.stop()
    if live.gaps().height or live.status().rejects:
        raise AssertionError(f"rows are missing: {live}")
    return _percentiles(live.ticks(), seen)


def _percentiles(ticks: pl.DataFrame, seen: list[tuple[int, int]]) -> dict[str, float]:
    last, at = (np.array(column, np.int64) for column in zip(*seen, strict=True))
    seq, sent = ticks["seq"].to_numpy(), ticks["timestamp"].to_physical().to_numpy()
    # A row is visible when the reader first saw it or a later one.
    look = np.searchsorted(last, seq)
    counted = (look < len(at)) & (sent > sent[0] + 500_000)
    waited = (at[look[counted]] - sent[counted]) / 1000
    p50, p99 = np.percentile(waited, (50, 99))
    return {"p50": float(p50), "p99": float(p99)}
