"""What an analyst asks of a million rows in memory, while rows go on arriving.

Before every call 50 rows more arrive, so no answer is one made for the call before. Beside each stands
the same question as a polars expression on a ready, contiguous frame.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator

import polars as pl

from benchmarks.measure import Result, in_turns, ratios, result, seconds
from benchmarks.rows import day, holding, pieces
from ltpkit.batch import Ticks
from ltpkit.live import Stream

CASE = "frames"

_ARRIVING = 50
_PRICED = pl.col("ltp").is_not_null()


def run(*, quick: bool) -> list[Result]:
    """Return the times of the reading methods with few and with many symbols."""
    rows, rounds = (50_000, 2) if quick else (1_000_000, 15)
    found: list[Result] = []
    for count in (50, 500):
        found += _Asked(rows, count, rounds).all()
    # Unpriced rows all over cost changes() most: few of them leave much to copy around them.
    for part, name in ((0.05, "1 of 20"), (0.75, "3 of 4")):
        found.append(_Asked(rows, 50, rounds, quotes=part).changes(f"changes(), {name} rows quotes"))
    return found


class _Asked:
    """A stream that holds the rows, more rows to arrive, and the questions."""

    def __init__(self, rows: int, symbols: int, rounds: int, *, quotes: float = 0.0) -> None:
        self.symbols, self.rows, self.rounds = symbols, rows, rounds
        ticks = day(rows + 20 * rounds * _ARRIVING, symbols, quotes=quotes)
        first, *rest = _cut(ticks, rows)
        self.live: Stream = holding(first, symbols)
        self.arriving: Iterator[Ticks] = iter(rest)
        self.ready = self.live.ticks().rechunk()
        names = self.ready["symbol"].unique(maintain_order=True).cast(pl.String).to_list()
        self.names = itertools.cycle(names)

    def all(self) -> list[Result]:
        live, ready = self.live, self.ready
        self.live.bars("1s")  # imports and first compilations are not the question
        _must_be_equal(live.bars("1s"), _bars(live.ticks()))
        same = next(self.names)
        return [
            self._times("ticks()", 10.0, live.ticks, ready.clone),
            self._times("latest()", 1.0, live.latest, lambda: _latest(ready)),
            self._times(
                'ticks("X").tail(100)',
                3.0,
                lambda: live.ticks(same).tail(100),
                lambda: ready.filter(pl.col("symbol") == same).tail(100),
            ),
            self._times(
                'ticks("X").tail(100), each time another X',
                3.0,
                lambda: live.ticks(next(self.names)).tail(100),
                lambda: ready.filter(pl.col("symbol") == next(self.names)).tail(100),
            ),
            self.changes("changes()"),
            *self._bars(),
        ]

    def changes(self, name: str) -> Result:
        return self._times(name, 10.0, self.live.changes, lambda: _changes(self.ready))

    def _bars(self) -> list[Result]:
        ours, theirs = in_turns(
            self.rounds,
            lambda: self._timed(lambda: self.live.bars("1s")),
            lambda: seconds(lambda: _bars(self.ready)) * 1000,
        )
        name = f'bars("1s"), {self.symbols} symbols'
        return [
            result(
                CASE,
                f"{name} ÷ polars",
                ratios(ours, theirs),
                goal=1.2,
                better="lower",
                note="the same bars as one polars expression on a ready frame",
            ),
            result(CASE, name, ours, unit="ms", better="lower"),
        ]

    def _times(
        self, name: str, goal: float, our: Callable[[], object], their: Callable[[], object]
    ) -> Result:
        # One after the other: after a query over everything, polars' threads look for work for a while.
        our(), their()
        ours = [self._timed(our) for _ in range(2 * self.rounds)]
        plain = statistics.median(seconds(their) * 1000 for _ in range(3))
        note = f"{self.rows:,} rows; polars on a ready frame takes {plain:.2f} ms"
        name = f"{name}, {self.symbols} symbols"
        return result(CASE, name, ours, unit="ms", goal=goal, better="lower", note=note)

    def _timed(self, job: Callable[[], object]) -> float:
        """Return the milliseconds of a call that rows have arrived before."""
        self.live._ring.append(next(self.arriving), "simulated")
        return seconds(job) * 1000


def _cut(ticks: Ticks, rows: int) -> Iterator[Ticks]:
    whole = pieces(ticks, rows)
    yield next(whole)
    yield from pieces(next(whole), _ARRIVING)


# The same questions, as an analyst would write them in polars.


def _latest(ticks: pl.DataFrame) -> pl.DataFrame:
    return ticks.group_by("symbol", "exchange").agg(pl.all().drop_nulls().last())


def _changes(ticks: pl.DataFrame) -> pl.DataFrame:
    day_change = pl.col("ltp") - pl.col("close_price")
    return (
        ticks.lazy()
        .filter(_PRICED)
        .select(
            "seq",
            "symbol",
            "exchange",
            "timestamp",
            "ltp",
            "change",
            "change_percent",
            day_change=day_change,
            day_change_percent=day_change / pl.col("close_price") * 100,
        )
        .collect()
    )


def _bars(ticks: pl.DataFrame) -> pl.DataFrame:
    ltp, top = pl.col("ltp"), pl.col("top")
    return (
        ticks.lazy()
        .filter(_PRICED)
        .group_by("symbol", "exchange", start=pl.col("timestamp").dt.truncate("1s"))
        .agg(
            open=ltp.first(),
            high=ltp.max(),
            low=ltp.min(),
            close=ltp.last(),
            top=pl.col("volume").max(),
            ticks=pl.len(),
            before=pl.col("volume").first() - pl.col("ltq").first(),
        )
        .sort("symbol", "exchange", "start")
        .with_columns(volume=top - top.shift().over("symbol", "exchange").fill_null(pl.col("before")))
        .collect()
    )


def _must_be_equal(ours: pl.DataFrame, theirs: pl.DataFrame) -> None:
    columns = ["symbol", "exchange", "start", "open", "high", "low", "close", "volume"]
    if not ours.select(columns).equals(theirs.select(columns)):
        raise AssertionError("the two ways of making bars do not agree")
