"""Bars that follow a source: read once, then brought up to date with the ticks that came since.

They are those of `ltpkit.bars`, and equal to what `Frames.bars` returns: what a late tick changes is
changed here too. A step costs what the new ticks cost, however many came before, and next to nothing
where all of them belong to the bar that grows.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ltpkit.bars import edges, ends, finished, joined, measured, width_us
from ltpkit.errors import SettingError
from ltpkit.flags import left_out
from ltpkit.instrument import split_symbol
from ltpkit.schema import BACKFILL, code_of
from ltpkit.views.open_bar import COLUMNS, Numbers, OpenBar
from ltpkit.views.source import stamp, zone_of

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["NUMBERS", "Columns", "GrowingBars", "check_history"]

#: Columns of bars for a page, `start` in milliseconds since 1970.
Columns = dict[str, npt.NDArray[np.float64]]

#: What a bar is said with.
NUMBERS: Final = ("start", "open", "high", "low", "close", "volume", "ticks")

#: Bars there are at least, where the source has them, however short the history: three say little.
_FEWEST: Final = 200

#: Bars that are shown at most: more than the widest screen has pixels for, many times over.
_MOST: Final = 100_000


class GrowingBars:
    """Bars of one instrument.

    Parameters
    ----------
    source : Frames
    name : str
        ``EXCHANGE:SYMBOL``.
    every : str
        Bar length, as for `Frames.bars`.
    history : str
        How far back from the newest tick they begin, as a polars duration; further where that would be
        fewer than 200 bars.

    Attributes
    ----------
    seq : int or None
        Of the newest tick they hold.
    stamp : float or None
        When it was received, in milliseconds since 1970.
    """

    def __init__(self, source: Frames, name: str, every: str, history: str) -> None:
        self.source, self.name, self.every, self.history = source, name, every, history
        self._width = width_us(every)
        self.seq: int | None
        self.stamp: float | None
        self._head: pl.DataFrame  # bars that were settled, by their measures
        self._tail: pl.DataFrame  # those after them
        self._young: list[OpenBar]  # the last bar of the tail, and those after it
        self._shown: Columns  # of the tail and those after it
        self._ends: npt.NDArray[np.int64]  # of the same
        self._newest: int | None  # time of a tick
        self._read()

    def follow(self) -> None:
        """Take in what the source has got since."""
        if self.source.rewound() != self._rewound:
            self._read()
            return
        since = self.seq or 0
        # The ticks first: the flag of a row is there before the row.
        ticks = self.source.newer_numbers(COLUMNS, since, self.name)
        flags = self._flags() if self.source.newest_event() != self._events else None
        filled = bool((ticks["source"] == code_of("source", BACKFILL)).any())
        if filled or (flags is not None and bool((flags <= since).any())):
            self._read()  # what was counted already is another now
        elif len(ticks["seq"]):
            if flags is not None or not self._grow(ticks):
                self._add(self.source.newer("ticks", since, self.name), int(ticks["seq"][-1]), flags)
            self.seq = int(ticks["seq"][-1])
            self.stamp = float(ticks["received_at"][-1]) / 1000

    def settle(self) -> None:
        """Have `tail` begin anew: with what changes from here on, and the newest bar."""
        self._take_back()
        self._head = pl.concat([self._head, self._tail.head(-1)], how="diagonal_relaxed")
        self._tail = self._tail.tail(1)
        self._finish()

    @property
    def changed(self) -> int:
        """How many bars `tail` has."""
        return len(self._shown["start"])

    def all(self) -> pl.DataFrame:
        """Return the bars, columns of `Frames.bars`."""
        self._take_back()
        whole = self._finished(pl.concat([self._head, self._tail], how="diagonal_relaxed"))
        if self._since is not None:
            whole = whole.filter(pl.col("start") >= self._since)
        return whole.tail(_MOST)

    def tail(self) -> tuple[Columns, npt.NDArray[np.bool_]]:
        """Return the bars from the first that has changed since `settle`, and which of them grow."""
        until = self._until()
        if until is None:
            return self._shown, np.zeros(0, np.bool_)
        return self._shown, self._ends > until

    # -- what they are made of ------------------------------------------------------------

    def _read(self) -> None:
        self._rewound = self.source.rewound()
        newest = self.source.latest(self.name)["timestamp"]
        self._since = _back(newest[0], self.history, self._width, zone_of(self.name)) if len(newest) else None
        read_from = None if self._since is None else self._since - timedelta(microseconds=self._width)
        self._events = self.source.newest_event()
        ticks = self.source.believed(self.name, read_from)
        self.seq = self.stamp = self._newest = None
        if ticks.height:
            self.seq, self.stamp = int(ticks["seq"][-1]), stamp(ticks["received_at"][-1])
            self._newest = _last_time(ticks)
        self._young = []
        self._tail = measured(ticks, self._width)
        self._head = self._tail.clear()
        self.settle()

    def _flags(self) -> pl.Series | None:
        """Return which rows new events say are not to be believed."""
        events = self.source.newer("events", self._events)
        self._events = int(events["seq"][-1]) if events.height else self._events
        found = left_out(events.filter(pl.col("symbol").is_null() | (pl.col("symbol") == self.name)))
        return found if len(found) else None

    def _grow(self, ticks: Numbers) -> bool:
        """Add ticks to the bar that grows, and the one after it; return False where that is not all."""
        if not self._young:
            return False
        newest = int(ticks["timestamp"].max())
        priced = ~np.isnan(ticks["ltp"])
        if not priced.all():
            ticks = {name: values[priced] for name, values in ticks.items()}
        times, last = ticks["timestamp"], self._young[-1]
        if len(times):
            if times.min() < last.start or not last.fits(ticks):
                return False
            now = times < last.end
            grown = last.added({name: values[now] for name, values in ticks.items()}) if now.any() else last
            later = []
            if not now.all():
                exchange = split_symbol(self.name)[0]
                start, end = edges(int(times[~now].min()), self._width, exchange)
                one = grown.next(start, end, {name: values[~now] for name, values in ticks.items()})
                if one is None or times.max() >= end:
                    return False
                later = [one]
            self._young[-1:] = [grown, *later]
            self._show([grown, *later])
        self._newest = max(newest, self._newest or newest)
        return True

    def _show(self, newest: list[OpenBar]) -> None:
        """Have `tail` return these as its last bars, the first in the place of its last."""
        more = np.full(len(newest) - 1, np.nan)
        if len(more):
            self._shown = {name: np.concatenate([values, more]) for name, values in self._shown.items()}
            self._ends = np.concatenate([self._ends, [newest[-1].end]])
        for place, bar in enumerate(newest, -len(newest)):
            for name, value in bar.numbers():
                self._shown[name][place] = value

    def _add(self, ticks: pl.DataFrame, until: int, flags: pl.Series | None) -> None:
        """Add ticks up to a `seq`, whatever bars they belong to."""
        wanted = pl.col("seq") <= until
        if flags is not None:
            wanted &= ~pl.col("seq").is_in(flags.implode())
        ticks = ticks.filter(wanted)
        newest = _last_time(ticks)
        if newest is None:
            return
        self._newest = max(newest, self._newest or newest)
        self._take_back()
        new = measured(ticks, self._width)
        if not new.height:
            return
        keep = int(self._head["start"].search_sorted(new["start"][0]))
        if keep < self._head.height:  # a late tick
            self._tail = pl.concat([self._head.slice(keep), self._tail], how="diagonal_relaxed")
            self._head = self._head.head(keep)
        self._tail = joined(self._tail, self._with_first(new))
        self._finish()

    def _with_first(self, new: pl.DataFrame) -> pl.DataFrame:
        """Have new bars know the instrument's first total, which came before their ticks."""
        for part in (self._head, self._tail):
            if "first_total" in part.columns and "first_total" in new.columns:
                known = part.lazy().filter(pl.col("first_total").is_not_null()).head(1).collect()
                if known.height:
                    firsts = [pl.lit(known[name][0]).alias(name) for name in ("first_total", "first_qty")]
                    return new.with_columns(firsts)
        return new

    def _take_back(self) -> None:
        """Put the bars that grew by themselves among the others."""
        if self._young:
            parts = [self._tail.head(-1), *(one.measures() for one in self._young)]
            self._tail = pl.concat(parts, how="diagonal_relaxed")
            self._young = []

    def _finish(self) -> None:
        """Make what `tail` returns, and see whether its last bar can grow by itself."""
        before = self._head.tail(1)
        if "top" in self._head.columns and before["top"].null_count():
            top = self._head["top"].drop_nulls().tail(1)
            before = before.with_columns((top if len(top) else pl.lit(None)).alias("top"))
        context = pl.concat([before, self._tail], how="diagonal_relaxed")
        found = self._finished(context).tail(self._tail.height)
        self._shown = columns_of(found)
        self._ends = ends(self._tail, self._width).to_numpy()
        if found.height:
            one = OpenBar.of(context, int(self._ends[-1]), found["volume"][-1])
            self._young = [] if one is None else [one]

    def _finished(self, found: pl.DataFrame) -> pl.DataFrame:
        if "trades" in found.columns:  # some parts had none
            found = found.with_columns(pl.col("trades").fill_null(0), pl.col("traded").fill_null(0.0))
        return finished(found, self._width, self._until())

    def _until(self) -> int | None:
        now = self.source._now()
        return self._newest if now is None else round(now.timestamp() * 1_000_000)


def columns_of(bars: pl.DataFrame) -> Columns:
    """Return bars for a page; what is not known is NaN."""
    found = bars.select(
        pl.col("start").dt.timestamp("us") / 1000, *(pl.col(name).cast(pl.Float64) for name in NUMBERS[1:])
    )
    return {name: found[name].fill_null(np.nan).to_numpy(writable=True) for name in NUMBERS}


def _last_time(ticks: pl.DataFrame) -> int | None:
    newest = ticks["timestamp"].to_physical().max()
    return newest if isinstance(newest, int) else None


def check_history(history: str) -> str:
    """Return a duration as it is.

    Raises
    ------
    SettingError
        It is none.
    """
    day = datetime(2026, 1, 1)  # noqa: DTZ001 - any will do
    try:
        good = bool((pl.Series([day]).dt.offset_by(f"-{history}") < day).all())
    except pl.exceptions.PolarsError:
        good = False
    if not good:
        raise SettingError(f"history={history!r} is no duration. Give one such as '30m', '1d' or '2w'.")
    return history


def _back(newest: datetime, history: str, width: int, zone: str) -> datetime:
    """Return the time that is `history` before the newest tick by the exchange's clock, and bars enough."""
    there = pl.Series([newest]).dt.convert_time_zone(zone).dt.offset_by(f"-{history}")
    begin: datetime = there.dt.convert_time_zone("UTC")[0]
    return min(begin, newest - timedelta(microseconds=_FEWEST * width))
