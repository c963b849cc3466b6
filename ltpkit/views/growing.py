"""Bars that follow a source: read once, then brought up to date with the ticks that came since.

They are those of `ltpkit.bars`, and equal to what `Frames.bars` returns: what a late tick changes is
changed here too. A step costs what the new ticks cost, however many came before.
"""

from __future__ import annotations

from calendar import monthrange
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ltpkit.bars import UNITS, opening, parts_of, width_us
from ltpkit.errors import SettingError
from ltpkit.instrument import split_symbol
from ltpkit.schema import BACKFILL, code_of, moment_of, us_of
from ltpkit.views import bar_loops
from ltpkit.views.source import zone_of

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["NUMBERS", "Columns", "GrowingBars", "check_history"]

#: Columns of bars for a page, `start` in milliseconds since 1970.
Columns = dict[str, npt.NDArray[np.float64]]

#: What a bar is said with.
NUMBERS: Final = ("start", "open", "high", "low", "close", "volume", "ticks")

#: What is read of ticks.
_READ: Final = ("seq", "timestamp", "received_at", "ltp", "ltq", "volume", "source")

#: Bars there are at least, where the source has them, however short the history: three say little.
_FEWEST: Final = 200

#: Bars that are shown at most: more than the widest screen has pixels for, many times over.
_MOST: Final = 100_000

_DAY: Final = 86_400_000_000
_UNITS: Final = {**UNITS, "w": 7 * _DAY}
_MONTHS: Final = {"mo": 1, "q": 3, "y": 12}
_LONGEST: Final = 36_500 * _DAY

_ROOM: Final = 512  # bars that there is room for at first


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
        width = width_us(every)
        self._clock = width, *opening(split_symbol(name)[0])
        self._filled = code_of("source", BACKFILL)
        self._events = self._rewound = 0
        self._doubtful: npt.NDArray[np.int64]  # rows after `seq` that are not to be believed
        self._newest: int | None  # time of a tick
        self.seq: int | None
        self.stamp: float | None
        self._read()

    def follow(self) -> None:
        """Take in what the source has got since."""
        if self.source.rewound() != self._rewound:
            self._read()
            return
        since = self.seq or 0
        # The ticks first: the flag of a row is there before the row.
        ticks = self.source.newer_numbers(_READ, since, self.name)
        events = self.source.newest_event()
        if events != self._events:
            doubtful = self.source.left_out(self._events)
            self._events = events
            if (doubtful <= since).any():
                self._read()  # what was counted already is another now
                return
            self._doubtful = np.concatenate([self._doubtful, doubtful])
        self._doubtful = self._doubtful[self._doubtful > since]
        self._add(ticks)

    def settle(self) -> None:
        """Have `tail` begin anew: with what changes from here on, and the newest bar."""
        self._state[1] = max(self._count - 1, 0)

    @property
    def changed(self) -> int:
        """How many bars `tail` has."""
        return self._count - self._begin

    def all(self) -> Columns:
        """Return all bars."""
        return self._shown(max(self._place_of(self._since), self._count - _MOST))

    def tail(self) -> tuple[Columns, npt.NDArray[np.bool_]]:
        """Return the bars from the first that has changed since `settle`, and which of them `grow`."""
        return self._shown(self._begin), self.grow()

    def grow(self) -> npt.NDArray[np.bool_]:
        """Return which bars of `tail` may still change."""
        until = self._until()
        ends = bar_loops.ends_of(self._starts[self._begin : self._count], *self._clock)
        return ends > until if until is not None else np.zeros(len(ends), np.bool_)

    # -- what they are made of ------------------------------------------------------------

    def _read(self) -> None:
        self._rewound = self.source.rewound()
        newest = self.source.newest_numbers(self.name).get("timestamp")
        self._since, read_from = None, None
        if newest is not None:
            begin = _back(int(newest), self.history, self._clock[0], zone_of(self.name))
            # Of a bar before the first its total, which the first one's volume is counted from.
            self._since, read_from = begin, moment_of(begin - self._clock[0])
        self._events = self.source.newest_event()
        self.seq = self.stamp = self._newest = None
        self._starts = np.empty(_ROOM, np.int64)
        self._bars = np.empty((bar_loops.FIELDS, _ROOM))
        self._first = np.full(2, np.nan)  # running total
        self._state = np.zeros(2, np.int64)
        ticks = self.source.believed_numbers(_READ, self.name, read_from)
        self._doubtful = self.source.left_out(0)  # of rows after these, some may have been told of already
        self._add(ticks)
        self.settle()

    def _add(self, ticks: dict[str, npt.NDArray[Any]]) -> None:
        if not len(ticks["seq"]):
            return
        self.seq, self.stamp = int(ticks["seq"][-1]), float(ticks["received_at"][-1]) / 1000
        if len(self._doubtful):
            good = ~np.isin(ticks["seq"], self._doubtful)
            ticks = {name: values[good] for name, values in ticks.items()}
        self._newest = max(int(ticks["timestamp"].max(initial=0)), self._newest or 0)
        time, ltp, ltq, volume = (ticks[name] for name in ("timestamp", "ltp", "ltq", "volume"))
        filled = ticks["source"] == self._filled
        kept = self._first, self._state
        row = 0
        while True:
            bars = self._starts, self._bars
            row = bar_loops.take(time, ltp, ltq, volume, filled, row, *self._clock, *bars, *kept)
            if row == len(time):
                return
            more = len(self._starts)
            self._starts = np.concatenate([self._starts, np.empty(more, np.int64)])
            self._bars = np.concatenate([self._bars, np.empty((bar_loops.FIELDS, more))], axis=1)

    @property
    def _count(self) -> int:
        return int(self._state[0])

    @property
    def _begin(self) -> int:
        return max(int(self._state[1]), self._place_of(self._since))

    def _place_of(self, time: int | None) -> int:
        """Return how many bars begin before a time."""
        return 0 if time is None else int(np.searchsorted(self._starts[: self._count], time))

    def _shown(self, begin: int) -> Columns:
        shown = bar_loops.shown_of(begin, self._count, self._starts, self._bars, self._first)
        return dict(zip(NUMBERS, shown, strict=True))

    def _until(self) -> int | None:
        now = self.source._now()
        return self._newest if now is None else us_of(now)


def check_history(history: str) -> str:
    """Return a duration as it is.

    Raises
    ------
    SettingError
        It is none.
    """
    _parts(history)
    return history


def _parts(history: str) -> tuple[int, int]:
    """Return a duration as months and microseconds."""
    found = parts_of(history, (*_UNITS, *_MONTHS))
    months = sum(count * _MONTHS[unit] for count, unit in found if unit in _MONTHS)
    rest = sum(count * _UNITS[unit] for count, unit in found if unit in _UNITS)
    if not 0 < 31 * _DAY * months + rest < _LONGEST:
        raise SettingError(f"history={history!r} is no duration. Give one such as '30m', '1d' or '2w'.")
    return months, rest


def _back(newest: int, history: str, width: int, zone: str) -> int:
    """Return the time that is `history` before the newest tick by the exchange's clock, and bars enough."""
    months, rest = _parts(history)
    there = moment_of(newest).astimezone(ZoneInfo(zone))
    years, month = divmod(there.month - 1 - months, 12)
    year, month = there.year + years, month + 1
    begin = there.replace(year=year, month=month, day=min(there.day, monthrange(year, month)[1]))
    return min(us_of(begin) - rest, newest - _FEWEST * width)
