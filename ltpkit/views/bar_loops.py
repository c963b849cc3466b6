"""What a tick adds to the bars of its instrument, as a compiled loop.

The rules are those of `ltpkit.bars`, one tick at a time. Those of one instrument alone come here, in the
order they arrived, and each costs the same however many came before. No polars: a chart goes on, and turns
to another symbol, while a query of the user's has all of polars' threads.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import boolean, float64, int64

from ltpkit.compiled import compiled, reads

__all__ = ["FIELDS", "SHOWN", "ends_of", "shown_of", "take"]

_DAY: Final = 86_400_000_000

#: What is kept of a bar, a line of floats for each.
FIELDS: Final = 17
_OPEN, _HIGH, _LOW, _CLOSE, _TICKS = range(5)
_TOP: Final = 5  # the highest running total
_TRADED, _REST, _TRADES = 6, 7, 8  # sum of the quantities, what rounding has lost of it, and of how many
# For bars with rows that a history gave: those open and close by the exchange's clock.
_FILLED: Final = 9
_FIRST_AT, _FIRST, _LAST_AT, _LAST = 10, 11, 12, 13
_TOTAL_AT, _TOTAL, _TOTAL_QTY = 14, 15, 16

#: What a bar is shown with: start (ms), open, high, low, close, volume, ticks.
SHOWN: Final = 7


@compiled()
def _start_of(time: int, width: int, opens: int, offset: int) -> int:
    midnight = (time + offset) // _DAY * _DAY - offset
    number = (time - midnight - opens) // width
    return midnight + max(opens + number * width, 0)


@compiled()
def _end_of(start: int, width: int, opens: int, offset: int) -> int:
    midnight = (start + offset) // _DAY * _DAY - offset
    number = (start - midnight - opens) // width
    return midnight + min(opens + (number + 1) * width, _DAY)


@compiled()
def _place_of(start: int, starts: npt.NDArray[np.int64], count: int) -> int:
    """Return the place of the bar, or where it belongs; nearly always the last one or behind it."""
    place = count
    while place > 0 and starts[place - 1] >= start:
        place -= 1
    return place


@compiled()
def _open(
    place: int, start: int, count: int, starts: npt.NDArray[np.int64], bars: npt.NDArray[np.float64]
) -> None:
    """Make room for a bar before those that begin later."""
    for later in range(count, place, -1):
        starts[later] = starts[later - 1]
        for field in range(FIELDS):
            bars[field, later] = bars[field, later - 1]
    starts[place] = start
    for field in range(FIELDS):
        bars[field, place] = np.nan
    for field in (_TICKS, _TRADED, _REST, _TRADES, _FILLED):
        bars[field, place] = 0.0


@compiled(
    reads(int64), reads(float64), reads(float64), reads(float64), reads(boolean), int64,
    int64, int64, int64, int64[::1], float64[:, ::1], float64[::1], int64[::1],
)  # fmt: skip
def take(
    timestamp: npt.NDArray[np.int64],
    ltp: npt.NDArray[np.float64],
    ltq: npt.NDArray[np.float64],
    volume: npt.NDArray[np.float64],
    filled: npt.NDArray[np.bool_],
    row: int,
    width: int,
    opens: int,
    offset: int,
    starts: npt.NDArray[np.int64],
    bars: npt.NDArray[np.float64],
    first: npt.NDArray[np.float64],
    state: npt.NDArray[np.int64],
) -> int:
    """Add ticks to bars, from a row on; return the row that found no room, or how many rows there are.

    Parameters
    ----------
    timestamp, ltp, ltq, volume, filled : ndarray, shape (ticks,)
        Times in microseconds; NaN for what is not known; whether a history gave the row.
    row : int
    width, opens, offset : int
        Length of a bar, when the market opens after local midnight and how far that is from UTC's; all in
        microseconds.
    starts, bars : ndarray, shape (room,) and (FIELDS, room)
        The bars, sorted by start.
    first : ndarray, shape (2,)
        The first running total that arrived, and the quantity of that trade.
    state : ndarray, shape (2,)
        How many bars there are, and the first of them that has changed.
    """
    while row < len(timestamp):
        price, time, total, quantity = ltp[row], timestamp[row], volume[row], ltq[row]
        if price != price:
            row += 1
            continue
        count = state[0]
        start = _start_of(time, width, opens, offset)
        at = _place_of(start, starts, count)
        if at == count or starts[at] != start:
            if count == len(starts):
                return row
            _open(at, start, count, starts, bars)
            state[0] += 1
        state[1] = min(state[1], at)
        row += 1

        if not bars[_TICKS, at]:
            bars[_OPEN, at] = bars[_HIGH, at] = bars[_LOW, at] = price
        bars[_HIGH, at] = max(bars[_HIGH, at], price)
        bars[_LOW, at] = min(bars[_LOW, at], price)
        bars[_CLOSE, at] = price
        bars[_TICKS, at] += 1
        if quantity == quantity:
            # Neumaier's sum: what a rounding has lost is added in the end.
            before = bars[_TRADED, at]
            after = before + quantity
            if abs(before) >= abs(quantity):
                bars[_REST, at] += (before - after) + quantity
            else:
                bars[_REST, at] += (quantity - after) + before
            bars[_TRADED, at] = after
            bars[_TRADES, at] += 1
        if not time >= bars[_FIRST_AT, at]:
            bars[_FIRST_AT, at], bars[_FIRST, at] = time, price
        if not time < bars[_LAST_AT, at]:
            bars[_LAST_AT, at], bars[_LAST, at] = time, price
        if filled[row - 1]:
            bars[_FILLED, at] = 1
        if total == total:
            if first[0] != first[0]:
                first[0], first[1] = total, quantity
                state[1] = 0  # until now quantities were added up
            if not bars[_TOP, at] >= total:
                bars[_TOP, at] = total
            if not time >= bars[_TOTAL_AT, at]:
                bars[_TOTAL_AT, at], bars[_TOTAL, at], bars[_TOTAL_QTY, at] = time, total, quantity
    return row


@compiled(reads(int64), int64, int64, int64)
def ends_of(starts: npt.NDArray[np.int64], width: int, opens: int, offset: int) -> npt.NDArray[np.int64]:
    """Return when bars end, in microseconds."""
    ends = np.empty(len(starts), np.int64)
    for at in range(len(starts)):
        ends[at] = _end_of(starts[at], width, opens, offset)
    return ends


@compiled(int64, int64, reads(int64), reads(float64, 2), reads(float64))
def shown_of(
    begin: int,
    count: int,
    starts: npt.NDArray[np.int64],
    bars: npt.NDArray[np.float64],
    first: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the bars from one on as they are shown, shape (SHOWN, bars); NaN for what is not known."""
    shown = np.empty((SHOWN, count - begin))
    before = np.nan  # the highest total of the bars before
    for at in range(begin - 1, -1, -1):
        if bars[_TOP, at] == bars[_TOP, at]:
            before = bars[_TOP, at]
            break
    for at in range(begin, count):
        top, by_time, place = bars[_TOP, at], bars[_FILLED, at] == 1, at - begin
        total, quantity = first[0], first[1]
        if by_time and bars[_TOTAL, at] == bars[_TOTAL, at]:
            total, quantity = bars[_TOTAL, at], bars[_TOTAL_QTY, at]
        if first[0] != first[0]:  # no running totals: every trade is sent
            volume = bars[_TRADED, at] + bars[_REST, at] if bars[_TRADES, at] else np.nan
        elif top != top:
            volume = 0.0
        elif before != before:
            volume = max(top - total, 0.0) + min(total, quantity if quantity == quantity else 0.0)
        elif top < before:
            volume = top  # a new day
        else:
            volume = top - before
        if top == top:
            before = top
        shown[0, place] = starts[at] / 1000
        shown[1, place] = bars[_FIRST if by_time else _OPEN, at]
        shown[2, place] = bars[_HIGH, at]
        shown[3, place] = bars[_LOW, at]
        shown[4, place] = bars[_LAST if by_time else _CLOSE, at]
        shown[5, place] = volume
        shown[6, place] = bars[_TICKS, at]
    return shown
