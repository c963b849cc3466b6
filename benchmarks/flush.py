"""Rows into DuckDB: how many a second, and whether the feed notices.

The pause is what a portion of rows waits beyond its time: a thread appends 100 ticks every millisecond, as a
feed thread does at 100,000 a second, first with nothing else to do and then with the flush worker
writing all of them to a file.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.measure import Result, in_turns, result, seconds
from benchmarks.rows import day, holding, pieces, shares, unstarted
from ltpkit.batch import Ticks
from ltpkit.flush import FlushWorker
from ltpkit.live import Stream
from ltpkit.store import Store

CASE = "flush"

_PORTION = 100
_EVERY_S = 0.001


def run(*, quick: bool) -> list[Result]:
    """Return rows per second into a file, and how much longer the feed pauses meanwhile."""
    rows, rounds = (20_000, 1) if quick else (1_000_000, 4)
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        places = (Path(folder) / f"{number}.duckdb" for number in itertools.count())
        held = holding(day(rows, 50), 50).ticks()
        batches = (1_000, 10_000, 100_000, 1_000_000)
        jobs = [lambda batch=batch: _rate(held, min(batch, rows), next(places)) for batch in batches]
        jobs[-1]()
        for batch, rates in zip(batches, in_turns(rounds, *jobs), strict=True):
            found.append(
                result(
                    CASE,
                    f"flush in batches of {batch:,}",
                    rates,
                    unit="rows/s",
                    goal=1e6 if batch >= 100_000 else None,
                    note="20 columns, one transaction each, file on disk",
                )
            )
        plain, flushing = in_turns(rounds, lambda: _pause(rows, None), lambda: _pause(rows, next(places)))
        more = [b - a for a, b in zip(plain, flushing, strict=True)]
    note = f"p99 {np.median(plain):.2f} ms without, {np.median(flushing):.2f} ms with; 100,000 ticks/s"
    return [
        *found,
        result(
            CASE,
            "p99 pause of the feed, growth while flushing",
            more,
            unit="ms",
            goal=5.0,
            better="lower",
            note=note,
        ),
    ]


def _rate(held: pl.DataFrame, batch: int, place: Path) -> float:
    """Return rows per second of appending; small batches are measured on fewer rows."""
    rows = min(held.height, batch * 50)
    parts = [held.slice(start, batch) for start in range(0, rows, batch)]
    with Store(place) as store:
        took = seconds(lambda: [store.append(ticks=part) for part in parts])
    return rows / took


def _pause(rows: int, place: Path | None) -> float:
    """Return the 99th percentile of the pauses in ms."""
    live = unstarted(shares(50))
    portions = pieces(day(min(rows, 300_000), 50), _PORTION)
    if place is None:
        return _pauses(live, portions, lambda: None)
    with Store(place) as store:
        worker = FlushWorker(store, live._ring, live._depth_ring, live._events)
        worker.start()
        try:
            found = _pauses(live, portions, worker.nudge)
        finally:
            worker.stop(10)
        if worker.flushes < 2 or store.rows("ticks") != live._ring.last_seq:
            raise AssertionError(f"{worker.flushes} flushes stored {store.rows('ticks'):,} rows")
    return found


def _pauses(live: Stream, portions: Iterator[Ticks], appended: Callable[[], None]) -> float:
    late: list[float] = []
    due = time.perf_counter()
    for portion in portions:
        due = max(due + _EVERY_S, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
        live._ring.append(portion, "simulated")
        appended()
        late.append(time.perf_counter() - due)
    return float(np.percentile(late, 99)) * 1000
