"""From Dhan's packets of one kind to columns of ticks and levels of depth."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.columns import (
    LINE,
    Fields,
    Records,
    levels,
    room_for,
    runs,
    silent,
    zero_is_none,
)
from ltpkit.feeds.common.kinds import Part
from ltpkit.feeds.common.levels import Books, write_best
from ltpkit.feeds.common.lookup import Segments
from ltpkit.feeds.dhan.prices import Floats, as_quoted
from ltpkit.feeds.dhan.wire import IST_OFFSET_S, LEVEL, PACKETS, ROW_CODES
from ltpkit.schema import FEED_FLOATS, NO_TIME

__all__ = ["INDEX", "IS_ROW", "READINGS", "Reading"]

#: The segment of indices, which have no book and no volume; and those without open interest.
INDEX: Final = 0
_CASH: Final = (0, 1, 4)

_BEST: Final = [LINE[name] for name in ("bid", "bid_qty", "ask", "ask_qty")]
_QTY: Final = [LINE[name] for name in ("ltq", "bid_qty", "ask_qty")]
_PRICES: Final = {
    "ltp": "ltp",
    "open": "open_price",
    "high": "high_price",
    "low": "low_price",
    "close": "close_price",
    "prev_close": "close_price",
}
_LEVELS: Final = 5
_LEVEL_AT: Final = {name: int(field[1]) for name, field in dict(LEVEL.fields or {}).items()}


class Reading:
    """How packets of one code are read."""

    def __init__(self, code: int) -> None:
        layout = PACKETS[code]
        fields = dict(layout.fields or {})
        prices = [name for name in _PRICES if name in fields]
        counts = [name for name in ("ltq", "volume", "oi") if name in fields]
        self._prices = Fields(layout, {name: line for line, name in enumerate(prices)})
        self._counts = Fields(layout, {name: LINE[name] for name in counts})
        self._levels_at = int(fields["depth"][1]) if "depth" in fields else None
        self._time_at = int(fields["ltt"][1]) if "ltt" in fields else None
        self._has_volume, self._has_oi = "volume" in fields, "oi" in fields and "ltq" in fields
        lines = [LINE[_PRICES[name]] for name in prices]
        #: Lines of `Ticks.values`, and which of the prices go there.
        self._price_lines = runs(lines)
        lines += [LINE[name] for name in counts]
        if self._levels_at is not None:
            lines += _BEST
        self._silent = silent(lines)
        #: Where 0 says "none", whatever the segment.
        self._zero_is_none = [line for line in _QTY if line in lines]

    def read(self, records: Records, steps: Floats, segments: Segments) -> Part:
        """Return what the packets say.

        Parameters
        ----------
        records : Records, shape (n,)
        steps : ndarray of float64, shape (…, n)
            As in `as_quoted`.
        segments : Segments
        """
        count = len(records)
        block = np.empty((len(FEED_FLOATS), room_for(count)))
        values = block[:, :count]
        for lines in self._silent:
            values[lines] = np.nan
        if len(self._counts):
            self._counts.copy_to(block, records)
        books = None
        if len(self._prices):
            prices, whole = as_quoted(self._sent_prices(records), steps)
            for lines, columns in self._price_lines:
                values[lines] = prices[columns]
            if self._levels_at is not None:
                books = self._books(records, prices[len(self._prices) :], values, whole=whole)
        for line in self._zero_is_none:
            zero_is_none(values[line])
        if self._has_volume:
            _none_in(values[LINE["volume"]], _IS_INDEX[segments])
        if self._has_oi:
            _none_in(values[LINE["oi"]], _IS_CASH[segments])
        return Part(values, self._times(records), _without_indices(books, segments))

    def _sent_prices(self, records: Records) -> npt.NDArray[np.float32]:
        """Return the prices of the tick, then those of the bids, then those of the asks."""
        day, count = len(self._prices), len(records)
        sent = np.empty((day + (2 * _LEVELS if self._levels_at is not None else 0), count), np.float32)
        self._prices.copy_to(sent, records)
        if self._levels_at is not None:
            by_side = sent[day:].reshape(2, _LEVELS, count)
            by_side[...] = self._level(records, "price").swapaxes(1, 2)
        return sent

    def _level(self, records: Records, name: str) -> npt.NDArray[Any]:
        bid, ask = _LEVEL_AT[f"bid_{name}"], _LEVEL_AT[f"ask_{name}"]
        sent = LEVEL[f"bid_{name}"].str
        assert self._levels_at is not None
        return levels(records, self._levels_at + bid, (2, _LEVELS), (ask - bid, LEVEL.itemsize), sent)

    def _books(self, records: Records, prices: Floats, values: Floats, *, whole: bool) -> Books:
        """Return the levels, and write the best ones; `prices` are those of the bids, then of the asks."""
        qty = self._level(records, "qty").astype(np.float64, order="C")
        orders = self._level(records, "orders").astype(np.int32, order="C")
        by_side = prices.reshape(2, _LEVELS, len(records)).swapaxes(1, 2)
        books = Books(None, np.ascontiguousarray(by_side), qty, orders, whole)
        write_best(books, values)
        return books

    def _times(self, records: Records) -> npt.NDArray[np.int64] | None:
        """Return the trade times in UTC, `NO_TIME` where there is none."""
        if self._time_at is None:
            return None
        sent: npt.NDArray[np.uint32] = np.ndarray(
            (len(records),), "<u4", records, self._time_at, (records.itemsize,)
        )
        times = sent.astype(np.int64)
        times *= 1_000_000
        times -= IST_OFFSET_S * 1_000_000
        if np.count_nonzero(sent) < len(sent):
            times[sent == 0] = NO_TIME
        return times


def _without_indices(books: Books | None, segments: Segments) -> Books | None:
    if isinstance(segments, int):
        return books if segments != INDEX else None
    if books is None:
        return None
    return books.only(np.flatnonzero(segments != INDEX)) if (segments == INDEX).any() else books


def _none_in(counts: Floats, segments: npt.NDArray[np.bool_] | np.bool_) -> None:
    """Put NaN in the place of 0 for packets of these segments."""
    if segments.any():
        counts[segments & (counts == 0)] = np.nan


READINGS: Final = {code: Reading(code) for code in ROW_CODES}
IS_ROW: Final = np.isin(np.arange(256), list(ROW_CODES))
_IS_INDEX: Final = np.arange(256) == INDEX
_IS_CASH: Final = np.isin(np.arange(256), _CASH)
