"""From the rows of Upstox's messages to ticks and books: compiled loops."""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt
from numba import float64, int32, int64

from ltpkit.compiled import compiled, reads
from ltpkit.feeds.upstox.layout import ROW, SLOTS

__all__ = ["books", "ticks"]

_LTT, _VALUES, _VOLUME, _OI, _BID, _BID_QTY, _ASK, _ASK_QTY = (
    SLOTS.index(name) for name in ("ltt", "ltp", "volume", "oi", "bid", "bid_qty", "ask", "ask_qty")
)
#: 2200: a time beyond it is none, and notebooks could not print one beyond 9999.
_LAST_MS: Final = 7_258_118_400_000

_ROWS = numba.from_dtype(ROW)[::1]

_Integers = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Records = npt.NDArray[np.void]


@compiled()
def _is_none(slot: int, value: float, is_cash: bool) -> bool:  # noqa: FBT001
    """Return whether a number says nothing: 0 may be a volume, and open interest where there is any."""
    return not np.isfinite(value) or (value == 0 and slot != _VOLUME and (slot != _OI or is_cash))


@compiled(_ROWS, int32[::1], int64[::1], reads(int64), float64[:, ::1])
def ticks(
    rows: _Records,
    instrument: npt.NDArray[np.int32],
    timestamp: _Integers,
    received_at: _Integers,
    values: _Floats,
) -> int:
    """Write the rows as ticks; return how many have a book."""
    books = 0
    for row in range(len(rows)):
        slots, is_cash = rows[row]["slots"], rows[row]["is_cash"]
        instrument[row] = rows[row]["instrument"]
        is_sent = 0 < slots[_LTT] <= _LAST_MS
        timestamp[row] = np.int64(slots[_LTT]) * 1000 if is_sent else received_at[row]
        for line in range(len(values)):
            value = slots[_VALUES + line]
            values[line, row] = np.nan if _is_none(_VALUES + line, value, is_cash) else value
        if _is_none(_BID, slots[_BID], is_cash):  # a level without a price is no level
            values[_BID_QTY - _VALUES, row] = np.nan
        if _is_none(_ASK, slots[_ASK], is_cash):
            values[_ASK_QTY - _VALUES, row] = np.nan
        books += rows[row]["quotes"] >= 0
    return books


@compiled(_ROWS, reads(float64, 2), int64[::1], int64[:, ::1], float64[:, :, ::1])
def books(rows: _Records, quotes: _Floats, which: _Integers, ends: _Integers, levels: _Floats) -> None:
    """Write which rows have a book, and of bids and asks where each book's levels end, prices, quantities."""
    for side in range(2):
        book = level = 0
        for row in range(len(rows)):
            if rows[row]["quotes"] < 0:
                continue
            for quote in range(rows[row]["quotes"], rows[row]["quotes_end"]):
                price = quotes[quote, 2 * side]
                if np.isfinite(price) and price != 0:
                    levels[side, 0, level], levels[side, 1, level] = price, quotes[quote, 2 * side + 1]
                    level += 1
            which[book], ends[side, book] = row, level
            book += 1
