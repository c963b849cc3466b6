"""What Kite's packets say, as lines of `Ticks.values` and as books."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.columns import LINE, Fields, Records, levels, room_for, silent, zero_is_none
from ltpkit.feeds.common.kinds import Part
from ltpkit.feeds.common.levels import Books, write_best
from ltpkit.feeds.common.lookup import Segments
from ltpkit.feeds.kite.wire import AHEAD, INDEX, LEVEL, PACKETS, SEGMENTS
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
_LTP, _OI = LINE["ltp"], LINE["oi"]
_DAY: Final = slice(LINE["open_price"], LINE["close_price"] + 1)
#: Where 0 says "none": the prices and the last quantity.
_ZERO_IS_NONE: Final = slice(LINE["ltp"], LINE["close_price"] + 1)
_LEVELS: Final = 5
_DIVISORS: Final = np.full(256, 100.0)
for _code, (_, _divisor) in SEGMENTS.items():
    _DIVISORS[_code] = _divisor
#: Segments without derivatives, whose open interest is always 0 and says nothing.
_IS_CASH: Final = np.isin(np.arange(256), (1, 4, INDEX))


class Reading:
    """How packets of one kind are read."""

    def __init__(self, layout: np.dtype[np.void]) -> None:
        fields = dict(layout.fields or {})
        lines = {name: LINE[column] for name, column in _COLUMNS.items() if name in fields}
        self._fields = Fields(layout, lines, ahead=AHEAD)
        self._has_day = "open" in fields
        self._has_oi = "oi" in fields
        self._levels_at = AHEAD + int(fields["depth"][1]) if "depth" in fields else None
        #: Where the times are, the one that counts first.
        self._times_at = [AHEAD + int(fields[name][1]) for name in ("exchange_time", "ltt") if name in fields]
        self._silent = silent(lines.values())

    def read(self, records: Records, segments: Segments) -> Part:
        """Return what the packets say."""
        block = np.empty((len(FEED_FLOATS), room_for(len(records))))
        out = block[:, : len(records)]
        for some in self._silent:
            out[some] = np.nan
        self._fields.copy_to(block, records)
        divisors = _DIVISORS[segments]
        out[_LTP] /= divisors
        if self._has_day:
            out[_DAY] /= divisors
        zero_is_none(out[_ZERO_IS_NONE] if self._has_day else out[_LTP])
        if self._has_oi:
            np.putmask(out[_OI], _IS_CASH[segments] & (out[_OI] == 0), np.nan)
        books = None
        if self._levels_at is not None:
            books = self._books(records, divisors)
            write_best(books, out)
        return Part(out, self._times(records), books)

    def _books(self, records: Records, divisors: Floats | np.float64) -> Books:
        def level(name: str) -> npt.NDArray[np.generic]:
            assert self._levels_at is not None
            kind, at = dict(LEVEL.fields or {})[name][:2]
            steps = _LEVELS * LEVEL.itemsize, LEVEL.itemsize
            return levels(records, self._levels_at + int(at), (2, _LEVELS), steps, kind.str)

        price = level("price").astype(np.float64, order="C")
        price /= divisors[:, None] if isinstance(divisors, np.ndarray) else divisors
        qty, orders = level("qty").astype(np.float64, order="C"), level("orders").astype(np.int32, order="C")
        whole = np.count_nonzero(price) == price.size
        if not whole:
            price[price == 0] = np.nan
        return Books(None, price, qty, orders, whole)

    def _times(self, records: Records) -> npt.NDArray[np.int64] | None:
        """Return the packets' times, µs UTC, `NO_TIME` for none."""
        times: npt.NDArray[np.int64] | None = None
        for at in self._times_at:
            sent: npt.NDArray[np.uint32] = np.ndarray(
                (len(records),), ">u4", records, at, (records.itemsize,)
            )
            if times is None:
                times = sent.astype(np.int64)
            elif np.count_nonzero(times) < len(times):
                times = np.where(times == 0, sent, times)
        if times is None:
            return None
        none = times == 0 if np.count_nonzero(times) < len(times) else None
        times *= 1_000_000
        if none is not None:
            times[none] = NO_TIME
        return times


READINGS: Final = {size: Reading(layout) for size, layout in PACKETS.items()}
