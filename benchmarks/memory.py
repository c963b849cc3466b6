"""Memory of a million ticks against the bytes of their columns, and over a soak.

The soak is the whole path at 20,000 ticks a second into a DuckDB file, with a ring small enough to wrap many
times. DuckDB keeps what is in its log in memory until it writes a checkpoint, every 80 seconds here: a saw of
some 250 MB. So what is resident is taken as a constant, a part for each byte of the log, and growth with
time. That growth has to be flat, with DuckDB's buffers, which it limits, and beside them. Less than five
minutes are too short to tell: no goal then.
"""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import psutil

import ltpkit as lk
from benchmarks.measure import Result, result
from benchmarks.rows import day, pieces, shares, unstarted
from benchmarks.server import symbols, trades
from ltpkit import schema
from ltpkit.store.salvage import log_of

CASE = "memory"

_RATE = 20_000
_NAMES = 8
_CAPACITY = 200_000
#: A leak of one byte a tick, at this rate, is 1.2 MB a minute.
_FLAT_MB_A_MINUTE = 1.2

_Floats = npt.NDArray[np.float64]


def run(*, quick: bool, minutes: float = 1.0) -> list[Result]:
    """Return bytes per tick against those of the columns, and the slope of a soak."""
    return [*_per_tick(200_000 if quick else 1_000_000), *_soak(3.0 if quick else minutes * 60)]


def _per_tick(rows: int) -> list[Result]:
    unstarted(shares(50))._ring.append(next(pieces(day(1000, 50), 1000)), "simulated")
    ticks = day(rows, 50)
    live = unstarted(shares(50))
    gc.collect()
    before = _resident()
    for piece in pieces(ticks, 100):
        live._ring.append(piece, "simulated")
    gc.collect()
    grown = _resident() - before
    if live.ticks().height != rows:
        raise AssertionError("rows are missing")
    columns = rows * _row_bytes()
    note = f"a row of columns is {_row_bytes()} bytes, {columns / 1e6:.0f} MB for {rows:,}"
    return [
        result(
            CASE,
            "resident memory of 1 M ticks ÷ their columns",
            grown / columns,
            goal=1.2,
            better="lower",
            note=note,
        ),
    ]


def _row_bytes() -> int:
    total = 0
    for name, kind in schema.polars_schema("ticks").items():
        coded = name in ("symbol", "exchange", "source")
        total += (4 if name == "symbol" else 1) if coded else 8
        assert coded or kind in (pl.Int64, pl.Float64) or isinstance(kind, pl.Datetime), name
    return total


def _soak(seconds: float) -> list[Result]:
    found: list[tuple[float, float, float, float]] = []  # time, and MB: resident, DuckDB's buffers, its log
    with trades(10**9, rate=_RATE, names=_NAMES) as url, tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "soak.duckdb"
        log = log_of(place)
        live = lk.stream(
            symbols(_NAMES), feed="binance", url=url, depth=False, store=place, capacity_rows=_CAPACITY
        )
        started, before = time.perf_counter(), live.status().received_seq
        pause = min(1.0, seconds / 30)
        while (now := time.perf_counter() - started) < seconds:
            live.latest(), live.ticks("BTCUSDT"), live.status()  # as somebody does who looks now and then
            buffers = live.sql("SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory()").item()
            logged = log.stat().st_size if log.exists() else 0
            found.append((now, _resident() / 1e6, buffers / 1e6, logged / 1e6))
            time.sleep(pause)
        rate = (live.status().received_seq - before) / (time.perf_counter() - started)
        live.stop()
        status = live.status()
        if status.stored_seq != status.received_seq or status.gaps or status.lost_rows:
            raise AssertionError(f"rows are missing: {status}")
    at, all_, buffers_, logged_ = np.array(found).T[:, np.array(found)[:, 0] > seconds / 5]  # settled
    note = f"{seconds / 60:.3g} min, {status.received_seq:,} ticks at {rate:,.0f}/s"
    return [
        result(
            CASE,
            f"growth over a soak, {name}",
            _growth(sizes, at / 60, logged_),
            unit="MB/min",
            goal=_FLAT_MB_A_MINUTE if seconds >= 300 else None,
            better="lower",
            note=f"{note}; {sizes.min():.0f} to {sizes.max():.0f} MB",
        )
        for name, sizes in (("with DuckDB's buffers", all_), ("beside DuckDB's buffers", all_ - buffers_))
    ]


def _growth(sizes: _Floats, minutes: _Floats, logged: _Floats) -> float:
    """Return by how much sizes grow a minute where the log is the same."""
    causes = np.stack([np.ones_like(minutes), minutes, logged], axis=1)
    return float(np.linalg.lstsq(causes, sizes)[0][1])


def _resident() -> int:
    found: int = psutil.Process().memory_info().rss
    return found
