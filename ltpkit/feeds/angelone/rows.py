"""What SmartStream's packets say, as lines of `Ticks.values` and as books."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.angelone.wire import LEVEL, LEVEL20, PACKETS, SEGMENTS
from ltpkit.feeds.common.columns import LINE, Fields, Records, levels, room_for, silent, zero_is_none
from ltpkit.feeds.common.kinds import Part
from ltpkit.feeds.common.levels import Books, write_best
from ltpkit.feeds.common.lookup import Segments
from ltpkit.schema import FEED_FLOATS, NO_TIME

__all__ = ["READINGS", "Reading"]

Floats = npt.NDArray[np.float64]

_COLUMNS: Final = {
    "ltp": "ltp",
    "ltq": "ltq",
    "open": "open_price",
    "high": "high_price",
    "low": "low_price",
    "close": "close_price",
    "volume": "volume",
    "oi": "oi",
}
_LTP, _LTQ, _VOLUME, _OI = (LINE[name] for name in ("ltp", "ltq", "volume", "oi"))
_DAY: Final = slice(LINE["open_price"], LINE["close_price"] + 1)
#: Where 0 says "none": the prices and the last quantity.
_ZERO_IS_NONE: Final = slice(LINE["ltp"], LINE["close_price"] + 1)
_FLAGGED: Final = 10  # levels of a packet that tell their side
_TWENTY: Final = 20

_DIVISORS: Final = np.full(256, 100.0)
for _code, (_, _, _divisor) in SEGMENTS.items():
    _DIVISORS[_code] = _divisor
#: Segments without derivatives, whose open interest is always 0 and says nothing.
_IS_CASH: Final = np.isin(np.arange(256), (1, 3))

#: 2200: a time beyond it is none, and notebooks could not print one beyond 9999.
_LAST_MS: Final = 7_258_118_400_000


class Reading:
    """How packets of one mode are read."""

    def __init__(self, mode: int) -> None:
        layout = PACKETS[mode]
        fields = dict(layout.fields or {})
        lines = {name: LINE[column] for name, column in _COLUMNS.items() if name in fields}
        self._fields = Fields(layout, lines)
        self._has_price, self._has_day, self._has_oi = "ltp" in fields, "open" in fields, "oi" in fields
        self._time_at = int(fields["exchange_time"][1])
        self._levels_at = int(fields["depth"][1]) if "depth" in fields else None
        self._level = LEVEL if "oi" in fields else LEVEL20
        self._silent = silent(lines.values())

    def read(self, records: Records, segments: Segments, is_index: npt.NDArray[np.bool_]) -> Part:
        """Return what the packets say."""
        block = np.empty((len(FEED_FLOATS), room_for(len(records))))
        out = block[:, : len(records)]
        for some in self._silent:
            out[some] = np.nan
        divisors = _DIVISORS[segments]
        if self._has_price:
            self._fields.copy_to(block, records)
            out[_LTP] /= divisors
            if self._has_day:
                self._counts(out, segments, is_index)
                out[_DAY] /= divisors
            zero_is_none(out[_ZERO_IS_NONE] if self._has_day else out[_LTP])
        books = None
        if self._levels_at is not None:
            books = self._flagged(records, divisors) if self._has_oi else self._twenty(records, divisors)
            _write_best(books, out)
        return Part(out, self._times(records), books)

    def _counts(self, out: Floats, segments: Segments, is_index: npt.NDArray[np.bool_]) -> None:
        """Take out counts that are none. A count below 0 is what other feeds send for "none"."""
        ltq, volume = out[_LTQ], out[_VOLUME]
        if ltq.min() < 0:
            ltq[ltq < 0] = np.nan
        if volume.min() <= 0:
            volume[(volume < 0) | (is_index & (volume == 0))] = np.nan
        if self._has_oi:
            oi = out[_OI]
            oi[(oi < 0) | (_IS_CASH[segments] & (oi == 0))] = np.nan

    def _at_levels(self, records: Records, name: str, shape: tuple[int, int]) -> npt.NDArray[Any]:
        assert self._levels_at is not None
        kind, at = dict(self._level.fields or {})[name][:2]
        steps = shape[1] * self._level.itemsize, self._level.itemsize
        return levels(records, self._levels_at + int(at), shape, steps, kind.str)

    def _prices(self, records: Records, divisors: Floats | np.float64, shape: tuple[int, int]) -> Floats:
        prices = self._at_levels(records, "price", shape).astype(np.float64, order="C")
        prices /= divisors[:, None] if isinstance(divisors, np.ndarray) else divisors
        zero_is_none(prices)
        return prices

    def _orders(self, records: Records, shape: tuple[int, int]) -> npt.NDArray[np.int32]:
        # Documented as signed; more than 32,767 orders are likelier than fewer than none.
        return self._at_levels(records, "orders", shape).astype(np.uint16).astype(np.int32, order="C")

    def _twenty(self, records: Records, divisors: Floats | np.float64) -> Books:
        shape = 2, _TWENTY
        price, orders = self._prices(records, divisors, shape), self._orders(records, shape)
        qty = self._at_levels(records, "qty", shape).astype(np.float64, order="C")
        return Books(None, price, qty, orders, not np.isnan(price).any())

    def _flagged(self, records: Records, divisors: Floats | np.float64) -> Books:
        """Return the books of packets each of whose levels says on which side it is."""
        shape = 2, _FLAGGED // 2
        buy = self._at_levels(records, "buy", shape)
        price, orders = self._prices(records, divisors, shape), self._orders(records, shape)
        qty = self._at_levels(records, "qty", shape).astype(np.float64, order="C")
        if (buy[0] == 1).all() and (buy[1] == 0).all():
            return Books(None, price, qty, orders, not np.isnan(price).any())
        # Room for all ten on each side; the empty places go when the books become rows.
        price, is_buy = np.hstack([price[0], price[1]]), np.hstack([buy[0], buy[1]]) == 1
        price = np.stack([np.where(is_buy, price, np.nan), np.where(is_buy, np.nan, price)])
        qty, orders = np.hstack([qty[0], qty[1]]), np.hstack([orders[0], orders[1]])
        return Books(None, price, np.stack([qty, qty]), np.stack([orders, orders]))

    def _times(self, records: Records) -> npt.NDArray[np.int64]:
        """Return the exchange's times of these packets, µs UTC; `NO_TIME` for none."""
        at = self._time_at
        sent: npt.NDArray[np.int64] = np.ndarray((len(records),), "<i8", records, at, (records.itemsize,))
        times = sent.copy()
        none = (times <= 0) | (times > _LAST_MS) if times.min() <= 0 or times.max() > _LAST_MS else None
        times *= 1000
        if none is not None:
            times[none] = NO_TIME
        return times


def _write_best(books: Books, out: Floats) -> None:
    """Write the best levels; the first of a side may have no price, or be of the other one."""
    if books.whole:
        write_best(books, out)
        return
    missing = np.isnan(books.price)
    books.qty[missing] = np.nan
    rows = np.arange(missing.shape[1])
    for side, price, qty in ((0, LINE["bid"], LINE["bid_qty"]), (1, LINE["ask"], LINE["ask_qty"])):
        best = missing[side].argmin(axis=1)
        out[price], out[qty] = books.price[side, rows, best], books.qty[side, rows, best]


READINGS: Final = {mode: Reading(mode) for mode in PACKETS}
