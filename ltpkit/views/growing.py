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

from ltpkit.bars import ends, finished, has_filled, joined, measured, width_us
from ltpkit.errors import SettingError
from ltpkit.flags import left_out
from ltpkit.views.open_bar import OpenBar
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
        self._head: pl.DataFrame  # bars that were settled, by their measures
        self._tail: pl.DataFrame  # those after them
        self._read()

    def follow(self) -> None:
        """Take in what the source has got since."""
        if self.source.rewound() != self._rewound:
            self._read()
            return
        # The ticks first: the flag of a row is there before the row.
        ticks = self.source.newer("ticks", self.seq or 0, self.name)
        events = self.source.newer("events", self._events)
        flags = self._flags(events) if events.height else None
        if not ticks.height and flags is None:
            return
        if has_filled(ticks) or (flags is not None and bool((flags <= (self.seq or 0)).any())):
            self._read()  # what was counted already is another now
        elif ticks.height:
            self._note(ticks)
            self._add(ticks if flags is None else ticks.filter(~pl.col("seq").is_in(flags.implode())))

    def settle(self) -> None:
        """Have `tail` begin anew: with what changes from here on, and the newest bar."""
        self._take_back()
        self._head = pl.concat([self._head, self._tail.head(-1)], how="diagonal_relaxed")
        self._tail = self._tail.tail(1)
        self._finish()

    @property
    def changed(self) -> int:
        """How many bars `tail` has."""
        return self._tail.height

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
        events = self.source.events()
        self._events = int(events["seq"][-1]) if events.height else 0
        ticks = self.source.believed(self.name, read_from)
        self.seq: int | None = None
        self.stamp: float | None = None
        self._newest: int | None = None
        if ticks.height:
            self._note(ticks)
            self._newest = _last_time(ticks)
        self._open: OpenBar | None = None
        self._tail = measured(ticks, self._width)
        self._head = self._tail.clear()
        self.settle()

    def _flags(self, events: pl.DataFrame) -> pl.Series | None:
        """Return which rows new events say are not to be believed."""
        self._events = int(events["seq"][-1])
        found = left_out(events.filter(pl.col("symbol").is_null() | (pl.col("symbol") == self.name)))
        return found if len(found) else None

    def _note(self, ticks: pl.DataFrame) -> None:
        self.seq = int(ticks["seq"][-1])
        self.stamp = stamp(ticks["received_at"][-1])

    def _add(self, ticks: pl.DataFrame) -> None:
        newest = _last_time(ticks)
        if newest is None:
            return
        self._newest = max(newest, self._newest or newest)
        if self._open is not None and self._open.take(ticks):
            for name, value in self._open.numbers():
                self._shown[name][-1] = value
            return
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
        """Put the bar that grows back among the others."""
        if self._open is not None:
            self._tail = pl.concat([self._tail.head(-1), self._open.measures()], how="diagonal_relaxed")
            self._open = None

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
            self._open = OpenBar.of(context, int(self._ends[-1]), found["volume"][-1])

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
