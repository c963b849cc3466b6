"""Rows like a market's, and a stream that holds them without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit import feeds, settings
from ltpkit.batch import Ticks
from ltpkit.instrument import Instrument, Instruments
from ltpkit.live import Stream

_OPEN_US: Final = 1_767_584_700_000_000  # 09:15 IST on 5 January 2026
_TICK_SIZE: Final = 0.05
_NOBODY: Final = "ws://127.0.0.1:9"  # never connected to


def shares(count: int) -> list[Instrument]:
    """Return so many made-up shares."""
    return [
        Instrument(
            exchange="NSE",
            symbol=f"SHARE{number:03d}",
            segment="NSE_EQ",
            broker_id=str(number + 1),
            tick_size=_TICK_SIZE,
        )
        for number in range(count)
    ]


def day(rows: int, count: int, *, rate: float = 1000.0, quotes: float = 0.0) -> Ticks:
    """Return ticks of `count` shares as a broker's full packets would give them.

    Some shares trade far more than others; prices walk in steps of the tick size; totals, highs and lows
    run; exchange time is in whole seconds. `oi` is null as it is for shares, one row in fifty has an empty
    side, and each share begins with a previous close alone, as Dhan sends it. With `quotes`, that part
    of the rows are best quotes and the others trades, as Binance sends them.
    """
    draw = np.random.default_rng(7)
    popularity = 1 / np.arange(1, count + 1) ** 0.7
    who = draw.choice(count, rows, p=popularity / popularity.sum()).astype(np.int32)
    received = _OPEN_US + np.cumsum(draw.exponential(1e6 / rate, rows)).astype(np.int64)
    ticks = Ticks.blank(rows)
    ticks.instrument, ticks.received_at = who, received
    ticks.timestamp = received // 1_000_000 * 1_000_000

    order = np.argsort(who, kind="stable")
    first = np.flatnonzero(np.diff(who[order], prepend=-1))
    base = draw.integers(2_000, 80_000, count)

    def running(steps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the sums of each share's steps so far."""
        total = np.cumsum(steps[order])
        before = np.repeat(total[first] - steps[order][first], np.diff(first, append=rows))
        sums = np.empty(rows, np.int64)
        sums[order] = total - before
        return sums

    price = (base[who] + running(draw.integers(-1, 2, rows))) * _TICK_SIZE
    qty = draw.integers(1, 500, rows)
    spread = draw.integers(1, 4, rows) * _TICK_SIZE
    columns = {
        "ltp": price,
        "ltq": qty.astype(np.float64),
        "open_price": base[who] * _TICK_SIZE,
        "high_price": base[who] * _TICK_SIZE * 1.02,
        "low_price": base[who] * _TICK_SIZE * 0.98,
        "close_price": base[who] * _TICK_SIZE * 0.995,
        "volume": running(qty).astype(np.float64),
        "bid": price - spread,
        "bid_qty": draw.integers(1, 5_000, rows).astype(np.float64),
        "ask": price + spread,
        "ask_qty": draw.integers(1, 5_000, rows).astype(np.float64),
    }
    for name, values in columns.items():
        ticks.column(name)[:] = values
    empty = draw.random(rows) < 0.02
    unpriced = draw.random(rows) < quotes
    if not quotes:
        unpriced[order[first]] = True
    for name in ("ltp", "ltq", "volume"):
        ticks.column(name)[unpriced] = np.nan
    for name in ("ask", "ask_qty"):
        ticks.column(name)[empty] = np.nan
    if quotes:
        for name in ("bid", "bid_qty", "ask", "ask_qty"):
            ticks.column(name)[~unpriced] = np.nan
        for name in ("open_price", "high_price", "low_price", "close_price", "volume"):
            ticks.column(name)[:] = np.nan
    return ticks


def pieces(ticks: Ticks, rows: int) -> Iterator[Ticks]:
    """Yield the ticks so many at a time, as they would arrive."""
    for start in range(0, len(ticks), rows):
        some = slice(start, start + rows)
        yield Ticks(
            instrument=ticks.instrument[some],
            timestamp=ticks.timestamp[some],
            received_at=ticks.received_at[some],
            values=ticks.values[:, some],
        )


def unstarted(known: Iterable[Instrument]) -> Stream:
    """Return a stream of the simulated feed that was never started: rings and store, no thread, no socket."""
    table = Instruments(known)
    feed = feeds.make("simulated", table, url=_NOBODY)
    return Stream(feed, table, store=None, chosen=settings.load(env_file=None))


def holding(ticks: Ticks, count: int, *, batch: int = 1000) -> Stream:
    """Return such a stream that has received these ticks."""
    live = unstarted(shares(count))
    for piece in pieces(ticks, batch):
        live._ring.append(piece, "simulated")
    return live
