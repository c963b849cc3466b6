"""What a view keeps of recent rows: prices thinned out, ticks a second.

Each is brought up to date from the rows that are new since the last time, so that a picture costs what
came in between and not what is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.views.newest import keys_in, keys_of

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["POINTS", "SECONDS", "Arrivals", "Curves", "Paces"]

POINTS: Final = 60  # of a curve

#: A point of a curve stands for so much at first, and for twice as much whenever it has become too short.
_NARROWEST_US: Final = 15_000_000 // 64
_WIDEST_US: Final = 15_000_000  # then it spans a quarter of an hour

SECONDS: Final = 60  # that `Paces` counts

_MOST_ROWS: Final = 300_000  # that are read when a view begins


class Arrivals:
    """The ticks of a source that are new since they were last asked for."""

    def __init__(self, source: Frames, *columns: str) -> None:
        self._source, self._columns = source, ("seq", "received_at", *columns)
        self._seq, self._rewound = 0, source.rewound()

    def take(self) -> tuple[dict[str, npt.NDArray[Any]], bool]:
        """Return columns of the new rows, and whether what came before them counts no more."""
        rewound = self._source.rewound()
        again = rewound != self._rewound
        if again:
            self._seq, self._rewound = 0, rewound
        begin = self._seq or max(self._source.latest_numbers(("seq",))["seq"].max(initial=0) - _MOST_ROWS, 0)
        rows = self._source.newer_numbers(self._columns, int(begin))
        if len(rows["seq"]):
            self._seq = int(rows["seq"][-1])
        return rows, again


class Curves:
    """The recent prices of some instruments, at most a quarter of an hour in `POINTS` points.

    Parameters
    ----------
    source : Frames
    names : sequence of str
        ``EXCHANGE:SYMBOL``.
    """

    def __init__(self, source: Frames, names: Sequence[str]) -> None:
        self._arrivals = Arrivals(source, "symbol", "exchange", "ltp", "change")
        keys = keys_of(names)
        self._order = np.argsort(keys)
        self._keys = keys[self._order]
        self._begin()

    def _begin(self) -> None:
        self._grid = np.full((len(self._keys), POINTS), np.nan)
        self._carried = np.full((len(self._keys), 1), np.nan)  # the newest price before those of the grid
        self._width = _NARROWEST_US
        self._first: int | None = None  # number of the point that the oldest price belongs to
        self._last = 0  # number of the newest

    @property
    def length(self) -> int:
        """How many points there are so far."""
        return 0 if self._first is None else min(self._last - self._first + 1, POINTS)

    def refresh(self) -> None:
        """Take in what is new."""
        rows, again = self._arrivals.take()
        if again:
            self._begin()
        if not len(rows["seq"]) or not len(self._keys):
            return
        keys = keys_in(rows)
        place = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        who = self._order[place]
        price = rows["ltp"]
        shown = (self._keys[place] == keys) & ~np.isnan(price)
        # A price that cannot be right has no change. Neither has an instrument's first, which counts.
        odd = np.flatnonzero(shown & np.isnan(rows["change"]))
        if len(odd):
            shown[odd] = False
            known = ~np.isnan(np.column_stack([self._carried, self._grid])).all(axis=1)
            instruments, first = np.unique(who[odd], return_index=True)
            shown[odd[first[~known[instruments]]]] = True
        wanted = np.flatnonzero(shown)
        if not len(wanted):
            return
        self._add(who[wanted], rows["received_at"][wanted], price[wanted])

    def _add(
        self, who: npt.NDArray[np.intp], at_us: npt.NDArray[np.int64], price: npt.NDArray[np.float64]
    ) -> None:
        if self._first is None:
            self._first = self._last = int(at_us[0]) // self._width
        newest = int(at_us.max())
        while self._width < _WIDEST_US and newest // self._width - self._first >= POINTS:
            self._fold()
        self._move_to(newest // self._width)
        point = at_us // self._width - self._last + POINTS - 1
        early = point < 0  # of those before the curve only the newest matters, where nothing follows
        self._carried[who[early], 0] = price[early]
        self._grid[who[~early], point[~early]] = price[~early]  # of several in one point the last stays

    def _fold(self) -> None:
        """Make one point of each two."""
        numbers = np.arange(self._last - POINTS + 1, self._last + 1)
        self._last //= 2
        self._width *= 2
        assert self._first is not None
        self._first //= 2
        folded = np.full_like(self._grid, np.nan)
        for odd in (0, 1):  # the later one last, as it stays
            here = np.flatnonzero(numbers % 2 == odd)
            there = numbers[here] // 2 - self._last + POINTS - 1
            values = self._grid[:, here]
            folded[:, there] = np.where(np.isnan(values), folded[:, there], values)
        self._grid = folded

    def _move_to(self, last: int) -> None:
        """Have the newest point be this one."""
        by = last - self._last
        if by <= 0:
            return
        gone = _filled(np.column_stack([self._carried, self._grid[:, : min(by, POINTS)]]))
        self._carried = gone[:, -1:]
        self._grid = np.column_stack(
            [self._grid[:, by:], np.full((len(self._keys), min(by, POINTS)), np.nan)]
        )
        self._last = last

    def prices(self) -> npt.NDArray[np.float64]:
        """Return the curves, shape (names, `POINTS`), the newest point last; NaN before the first price."""
        return _filled(np.column_stack([self._carried, self._grid]))[:, 1:]

    def heights(self) -> npt.NDArray[np.uint8]:
        """Return the curves for a page: each from 1, its lowest price, to 255; 0 where there is none."""
        prices = self.prices()
        low = np.fmin.reduce(prices, axis=1, keepdims=True, initial=np.inf)
        high = np.fmax.reduce(prices, axis=1, keepdims=True, initial=-np.inf)
        span = high - low
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = np.where(span > 0, 1 + np.rint(254 * (prices - low) / span), 128)
        return np.where(np.isnan(prices), 0, scaled).astype(np.uint8)


def _filled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return rows in which each gap has the value before it."""
    places = np.where(np.isnan(values), 0, np.arange(values.shape[1]))
    return np.take_along_axis(values, np.maximum.accumulate(places, axis=1), axis=1)


class Paces:
    """How many ticks arrived in each of the last `SECONDS` seconds."""

    def __init__(self, source: Frames) -> None:
        self._arrivals = Arrivals(source)
        self._counts = np.zeros(SECONDS)
        self._first = self._last = 0  # the oldest and the newest second; 0 before there is one

    def refresh(self, now_s: int | None = None) -> None:
        """Take in what is new; seconds go on to `now_s`, where time does without ticks."""
        rows, again = self._arrivals.take()
        if again:
            self._first = self._last = 0
        seconds = rows["received_at"] // 1_000_000
        if not self._first:
            self._counts[:] = 0
            self._first = self._last = int(seconds[0]) if len(seconds) else 0
        if not self._first:
            return
        newest = max(int(seconds.max()) if len(seconds) else 0, now_s or 0, self._last)
        by = min(newest - self._last, SECONDS)
        if by:
            self._counts = np.concatenate([self._counts[by:], np.zeros(by)])
        self._last = newest
        ages = newest - seconds
        self._counts += np.bincount(SECONDS - 1 - ages[ages < SECONDS], minlength=SECONDS)

    def counts(self) -> npt.NDArray[np.float64]:
        """Return the counts since the first tick, at most `SECONDS`; the last second is not over yet."""
        return self._counts[-min(self._last - self._first + 1, SECONDS) :].copy()
