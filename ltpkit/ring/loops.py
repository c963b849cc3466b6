"""Rows on their way into a chunk, as compiled loops."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import boolean, float64, int32, int64, uint8, uint32

from ltpkit.compiled import both, compiled, reads
from ltpkit.loops import unsigned
from ltpkit.schema import FEED_FLOATS, TICK_FLOATS

__all__ = ["append_books", "append_ticks"]

_SENT: Final = len(FEED_FLOATS)
_LTP: Final = TICK_FLOATS.index("ltp")
_CHANGE: Final = TICK_FLOATS.index("change")
_CHANGE_PERCENT: Final = TICK_FLOATS.index("change_percent")

#: The lines of a chunk's whole numbers, and of the newest ones.
_SEQ, _TIMESTAMP, _RECEIVED_AT, _SOURCE = range(4)

_Codes = npt.NDArray[np.uint8]
_Symbols = npt.NDArray[np.uint32]
_Integers = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Orders = npt.NDArray[np.int32]


@compiled(
    reads(int32), reads(int64), reads(int64), reads(float64, 2), reads(boolean), int64,
    reads(uint32), reads(uint8), float64[::1], int64[:, ::1], float64[:, ::1], uint8,
    int64[:, ::1], float64[:, ::1], uint32[::1], uint8[::1], uint8[::1], int64, int64, checked=False,
)  # fmt: skip
def append_ticks(
    who: npt.NDArray[np.int32],
    timestamp: _Integers,
    received_at: _Integers,
    values: _Floats,
    left_out: npt.NDArray[np.bool_],
    first: int,
    symbol_codes: _Symbols,
    exchange_codes: _Codes,
    last: _Floats,
    newest_ints: _Integers,
    newest_floats: _Floats,
    source: int,
    ints: _Integers,
    floats: _Floats,
    symbol: _Symbols,
    exchange: _Codes,
    sources: _Codes,
    start: int,
    rows: int,
) -> None:
    """Write ticks to a chunk, each with its change from the tick before, and note the newest values.

    Parameters
    ----------
    who, timestamp, received_at, values : ndarray
        As in `batch.Ticks`.
    left_out : ndarray of bool, shape (n,) or (0,)
        Rows that have no change and give no newest values, and are none's tick before; shape (0,) for none.
    first : int
        The first row to write.
    symbol_codes, exchange_codes : ndarray, shape (instruments,)
    last : ndarray of float64, shape (instruments,)
        Last price of each instrument, NaN where there was none. Brought up to date.
    newest_ints : ndarray of int64, shape (4, instruments)
        `seq`, the times and the code of the feed of each instrument's newest row. Brought up to date.
    newest_floats : ndarray of float64, shape (14, instruments)
        As well; a column keeps its last number where a row has none.
    source : int
        The code of the feed.
    ints, floats, symbol, exchange, sources : ndarray
        The chunk's columns.
    start, rows : int
        Where in the chunk to write, and how many.

    Raises
    ------
    IndexError
        The arrays are shorter than that, or a row is of an instrument that there is not.
    """
    all_in = len(left_out) == 0
    given = min(len(who), len(timestamp), len(received_at), values.shape[1])
    room = min(ints.shape[1], floats.shape[1], len(symbol), len(exchange), len(sources))
    known = np.uint64(
        min(len(symbol_codes), len(exchange_codes), len(last), newest_ints.shape[1], newest_floats.shape[1])
    )
    lines = min(values.shape[0], floats.shape[0] - 2, newest_floats.shape[0] - 2)
    if (
        min(first, start, rows) < 0
        or first + rows > (given if all_in else min(given, len(left_out)))
        or start + rows > room
        or lines < _SENT
        or min(ints.shape[0], newest_ints.shape[0] - 1) < _SOURCE
    ):
        raise IndexError("more rows than there are places for")
    for row in unsigned(first, first + rows):
        if np.uint64(who[row]) >= known:
            raise IndexError("a row of an instrument without a number")
    place: Any = np.uint64(start)
    for row in unsigned(first, first + rows):
        number = np.uint64(who[row])
        ints[_TIMESTAMP, place], ints[_RECEIVED_AT, place] = timestamp[row], received_at[row]
        symbol[place], exchange[place] = symbol_codes[number], exchange_codes[number]
        sources[place] = source
        change = percent = np.nan
        if all_in or not left_out[row]:
            newest_ints[_SEQ, number] = ints[_SEQ, place]
            newest_ints[_TIMESTAMP, number] = timestamp[row]
            newest_ints[_RECEIVED_AT, number] = received_at[row]
            newest_ints[_SOURCE, number] = source
            price = values[_LTP, row]
            if price == price:
                before = last[number]
                last[number] = price
                change = price - before
                if before != 0:
                    percent = change * 100.0 / before
                if change == change:
                    newest_floats[_CHANGE, number] = change
                if percent == percent:
                    newest_floats[_CHANGE_PERCENT, number] = percent
        floats[_CHANGE, place], floats[_CHANGE_PERCENT, place] = change, percent
        place += np.uint64(1)
    # Line by line: a row at a time would write to as many distant places at once.
    for line in unsigned(0, _SENT):
        place = np.uint64(start)
        for row in unsigned(first, first + rows):
            value = values[line, row]
            floats[line, place] = value
            if value == value and (all_in or not left_out[row]):
                newest_floats[line, np.uint64(who[row])] = value
            place += np.uint64(1)


@compiled(
    reads(int32), reads(int64), reads(int64),
    both(reads(int64)), both(reads(float64)), both(reads(float64)), both(reads(int32)), both(boolean), int64,
    reads(uint32), reads(uint8), int64[:, ::1], uint32[::1], uint8[::1],
    int64[:, ::1], float64[:, ::1], float64[:, ::1], int32[:, ::1], boolean[:, ::1], int64, int64,
)  # fmt: skip
def append_books(
    who: npt.NDArray[np.int32],
    timestamp: _Integers,
    received_at: _Integers,
    sent_ends: tuple[_Integers, _Integers],
    sent_price: tuple[_Floats, _Floats],
    sent_qty: tuple[_Floats, _Floats],
    sent_orders: tuple[_Orders, _Orders],
    is_counted: tuple[bool, bool],
    first: int,
    symbol_codes: _Symbols,
    exchange_codes: _Codes,
    ints: _Integers,
    symbol: _Symbols,
    exchange: _Codes,
    ends: _Integers,
    price: _Floats,
    qty: _Floats,
    orders: _Orders,
    counted: npt.NDArray[np.bool_],
    start: int,
    rows: int,
) -> int:
    """Write books to a chunk as long as there is room for their levels; return how many were written.

    Parameters
    ----------
    who, timestamp, received_at : ndarray
        As in `batch.Depth`.
    sent_ends, sent_price, sent_qty, sent_orders : tuple of ndarray
        The bids and the asks as in `batch.Side`.
    is_counted : tuple of bool
        Whether bids and asks have orders; else those are not looked at.
    first : int
        The first row to write.
    symbol_codes, exchange_codes : ndarray, shape (instruments,)
    ints, symbol, exchange : ndarray
        The chunk's columns.
    ends : ndarray of int64, shape (2, room + 1)
        Where the levels of each row's bids and asks begin; they end where those of the next row begin.
    price, qty, orders : ndarray, shape (2, levels)
        The levels.
    counted : ndarray of bool, shape (2, room)
        Whether there are orders.
    start, rows : int
        Where in the chunk to write, and how many at the most.
    """
    fit = rows
    for side in range(2):
        before = sent_ends[side][first - 1] if first else 0
        room = before + price.shape[1] - ends[side, start]
        while fit and sent_ends[side][first + fit - 1] > room:
            fit -= 1
    place: Any = np.uint64(start)
    for row in unsigned(first, first + fit):
        ints[_TIMESTAMP, place], ints[_RECEIVED_AT, place] = timestamp[row], received_at[row]
        number = np.uint64(who[row])
        symbol[place], exchange[place] = symbol_codes[number], exchange_codes[number]
        place += np.uint64(1)
    for side in range(2 if fit else 0):
        stops, prices, qtys = sent_ends[side], sent_price[side], sent_qty[side]
        before, at = stops[first - 1] if first else 0, ends[side, start]
        place = np.uint64(start)
        for row in unsigned(first, first + fit):
            counted[side, place] = is_counted[side]
            place += np.uint64(1)
            ends[side, place] = at + stops[row] - before
        to: Any = np.uint64(at)
        for level in unsigned(before, stops[first + fit - 1]):
            price[side, to], qty[side, to] = prices[level], qtys[level]
            orders[side, to] = sent_orders[side][level] if is_counted[side] else 0
            to += np.uint64(1)
    return fit
