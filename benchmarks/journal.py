"""The journal: what it costs, how old a row gets before it is there, and how fast it comes back.

A thread appends ticks at an even rate, as a feed thread does, with the journal's two threads beside it.
Cost is the processor time of the thread that writes; age is that of the oldest row of each write when it is
done, a late wake-up on a busy machine included.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.measure import Result, in_turns, result, seconds
from benchmarks.rows import day, holding, pieces, shares, unstarted
from ltpkit.journal import Journal, JournalWriter, folder_of
from ltpkit.store import Store

CASE = "journal"

_EVERY_S = 0.001
_NOTHING = {"ticks": 0, "depth": 0, "events": 0}


class _Timed(Journal):
    """A journal that notes when rows were in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, store=1, positions=_NOTHING)
        self.done: list[tuple[int, float]] = []

    def append(self, table: str, rows: pl.DataFrame, *, after: int) -> None:
        super().append(table, rows, after=after)
        self.done.append((after + 1, time.perf_counter()))


def run(*, quick: bool) -> list[Result]:
    """Return cost and age at two rates, and the time to bring rows back after a crash."""
    spell_s, rounds, rows = (0.5, 1, 20_000) if quick else (8.0, 3, 1_000_000)
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for rate in (20_000, 100_000):
            (spells,) = in_turns(rounds, lambda rate=rate: _spell(place, rate, spell_s))
            cost, late, worst, size = zip(*spells, strict=True)
            name = f"at {rate:,} ticks/s"
            found += [
                result(CASE, f"part of a core {name}", cost, goal=0.1, better="lower"),
                result(
                    CASE,
                    f"age when journaled, p99, {name}",
                    late,
                    unit="ms",
                    goal=50,
                    better="lower",
                    note=f"at most {max(worst):.0f} ms; {np.median(size):.0f} bytes/row",
                ),
            ]
        (took,) = in_turns(rounds, lambda: _recovery(place, rows))
    found.append(
        result(CASE, f"recovery of {rows:,} rows", took, unit="s", note="opening the store, all of it")
    )
    return found


def _spell(place: Path, rate: int, spell_s: float) -> tuple[float, float, float, float]:
    """Return the part of a core, the 99th percentile and the highest of the ages (ms), and bytes per row."""
    live = unstarted(shares(50))
    portion = round(rate * _EVERY_S)
    journal = _Timed(place / f"{time.perf_counter_ns()}")
    writer = JournalWriter(journal, {"ticks": live._ring, "depth": live._depth_ring, "events": live._events})
    arrived: list[float] = []
    batches = list(pieces(day(round(rate * spell_s), 50), portion))
    writer.start()
    started = due = time.perf_counter()
    for batch in batches:
        due = max(due + _EVERY_S, time.perf_counter())
        time.sleep(max(0.0, due - time.perf_counter()))
        live._ring.append(batch, "simulated")
        arrived.append(time.perf_counter())
    took = time.perf_counter() - started
    if not writer.stop(10) or journal.synced["ticks"] != live._ring.last_seq:
        raise AssertionError(f"{journal.synced['ticks']:,} of {live._ring.last_seq:,} rows were synced")
    size = sum(one.stat().st_size for one in journal.folder.iterdir()) / live._ring.last_seq
    ages = [1000 * (at - arrived[(first - 1) // portion]) for first, at in journal.done]
    journal.remove()
    return writer.busy_s / took, float(np.percentile(ages, 99)), max(ages), size


def _recovery(place: Path, rows: int) -> float:
    path = place / f"{time.perf_counter_ns()}.duckdb"
    held = holding(day(rows, 50), 50).ticks()
    with Store(path) as store:
        journal = Journal(folder_of(path), store=store.identity, positions=store.positions())
    for start in range(0, rows, 1000):
        journal.append("ticks", held.slice(start, 1000), after=start)
    journal.close()

    def recover() -> None:
        with Store(path) as store:
            if store.rows("ticks") != rows:
                raise AssertionError(f"{store.rows('ticks'):,} of {rows:,} rows came back")

    return seconds(recover)
