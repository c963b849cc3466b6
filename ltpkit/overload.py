"""When more comes than can be taken: how far behind the feed is, as a level, and what is left out then.

Pure. The order of sacrifice is pictures, then depth, then quotes; a trade is never left out:

===== ============= =========================================================================
level behind for    what is left out
===== ============= =========================================================================
0     –             nothing
1     a second      pictures: views draw less often
2     ten seconds   books that another of the same instrument follows in the same turn. Every
                    change is still applied, so that books stay right
3     20 seconds    quotes likewise: rows without a price become one per instrument and turn,
                    with the newest value of each column
===== ============= =========================================================================

A turn is what arrived while the turn before it was worked on, so the further behind, the more is left out.
A level is left, one at a time, after two seconds without being behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Event, Ticks
from ltpkit.gaps import gap

__all__ = ["DEPTH", "QUOTES", "Overload", "newest_books", "newest_quotes"]

#: Levels from which depth and quotes are left out.
DEPTH: Final = 2
QUOTES: Final = 3

_BEHIND_S: Final = 0.05  # worth of traffic that waits; a cell that computes causes a tenth of that
#: Behind without a break, for levels 1, 2, 3. What a held-up interpreter left is worked off sooner than 2.
_UP_AFTER_S: Final = (1.0, 10.0, 20.0)
_DOWN_AFTER_S: Final = 2.0
_TOLD_EVERY_S: Final = 5.0
_WORDS: Final = ("nothing is left out", "views draw less often", "books are thinned out", "quotes are merged")


class Overload:
    """How far behind the feed is.

    Parameters
    ----------
    note : callable
        Takes an `Event`: ``overload`` with ``level``, ``lag_s`` and ``why`` when the level changes, and
        ``gap`` with what was left out, every five seconds and when that has ended.

    Attributes
    ----------
    level : int
        0 to 3.
    lag_s : float
        How many seconds' worth of traffic waited when last looked at.
    left_out : Counter of str
        ``depth`` and ``quotes`` rows left out so far.
    """

    def __init__(self, note: Callable[[Event], None]) -> None:
        self.level, self.lag_s = 0, 0.0
        self.left_out: Counter[str] = Counter()
        self._note = note
        self._turned_s: float | None = None  # when being behind, or not being so, began
        self._behind = False
        self._told: Counter[str] = Counter()
        self._told_s = 0.0
        self._told_at = 0

    def beat(self, lag_s: float, now_s: float, at: int) -> None:
        """Take note of how far behind the feed is.

        Parameters
        ----------
        lag_s : float
            Seconds' worth of traffic that waits.
        now_s : float
            A clock that never goes back.
        at : int
            The time, µs UTC.
        """
        self.lag_s = lag_s
        behind = lag_s > _BEHIND_S
        if self._turned_s is None or behind != self._behind:
            self._turned_s, self._behind = now_s, behind
        lasted_s = now_s - self._turned_s
        if behind:
            reached = sum(lasted_s >= after_s for after_s in _UP_AFTER_S)
            if reached > self.level:
                self._change(reached, at)
        elif self.level and lasted_s >= _DOWN_AFTER_S:
            self._turned_s = now_s
            self._change(self.level - 1, at)
        if self.left_out != self._told and (now_s - self._told_s >= _TOLD_EVERY_S or self.level < DEPTH):
            self.tell(at)
            self._told_s = now_s

    def tell(self, at: int) -> None:
        """Have what was left out and not told yet recorded."""
        for table, total in self.left_out.items():
            if missing := total - self._told[table]:
                why = f"overload: {table} left out"
                self._note(gap(at, why, start=self._told_at, end=at, missing=missing, table=table))
        self._told, self._told_at = Counter(self.left_out), at

    def _change(self, level: int, at: int) -> None:
        if level >= DEPTH > self.level:
            self._told_at = at
        self.level = level
        why = f"{self.lag_s:.2f} s of traffic waits: {_WORDS[level]}"
        detail: dict[str, object] = {"level": level, "lag_s": round(self.lag_s, 3), "why": why}
        self._note(Event(at=at, kind="overload", detail=detail))


def newest_books(depth: Depth) -> Depth:
    """Return only the newest book of each instrument, in the order they came."""
    kept = _last_places(depth.instrument)
    if len(kept) == len(depth):
        return depth
    levels: dict[str, Any] = {}
    for side in ("bid", "ask"):
        ends = getattr(depth, f"{side}_ends")
        starts = np.concatenate([np.zeros(1, ends.dtype), ends[:-1]])
        counts = (ends - starts)[kept]
        new_ends = np.cumsum(counts)
        # The flat places of the kept rows' levels: each row's start, and on from there.
        flat = np.repeat(starts[kept] - (new_ends - counts), counts) + np.arange(counts.sum())
        levels[f"{side}_ends"] = new_ends.astype(ends.dtype)
        for name in ("price", "qty", "orders"):
            column = getattr(depth, f"{side}_{name}")
            levels[f"{side}_{name}"] = None if column is None else column[flat]
    return Depth(
        instrument=depth.instrument[kept],
        timestamp=depth.timestamp[kept],
        received_at=depth.received_at[kept],
        **levels,
    )


def newest_quotes(ticks: Ticks) -> Ticks:
    """Return all rows with a price, and of those without the last of each instrument, with all they said."""
    ltp = ticks.column("ltp")
    quotes = np.flatnonzero(np.isnan(ltp))
    last = quotes[_last_places(ticks.instrument[quotes])]
    if len(last) == len(quotes):
        return ticks
    values = ticks.values
    row_of = np.zeros(int(ticks.instrument.max()) + 1, np.intp)
    row_of[ticks.instrument[last]] = last
    said = values[:, quotes]
    lines, places = np.nonzero(~np.isnan(said))  # in order, so that later rows overwrite earlier ones
    values[lines, row_of[ticks.instrument[quotes[places]]]] = said[lines, places]
    kept = np.ones(len(ticks), np.bool_)
    kept[quotes] = False
    kept[last] = True
    return ticks.only(kept)


def _last_places(who: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
    """Return where each instrument comes last, rising."""
    _, from_behind = np.unique(who[::-1], return_index=True)
    return np.sort(len(who) - 1 - from_behind)
