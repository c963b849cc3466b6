"""The loops over rows read from messages: put in order, their ids followed, written as ticks."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import boolean, float64, int32, int64

from ltpkit.compiled import compiled, reads
from ltpkit.feeds.common.plain import Series
from ltpkit.feeds.common.plain.loops import ID, INSTRUMENT, PLACE, SERIES, SHOWN, TIME
from ltpkit.schema import FEED_FLOATS, NO_TIME

__all__ = ["follow_ids", "put_in_order", "write_ticks"]

_Integers = npt.NDArray[np.int64]
_Numbers = npt.NDArray[np.float64]

_NONE: Final = int(Series.NONE)
_AGGREGATES: Final = int(Series.AGGREGATES)
_LTP: Final = FEED_FLOATS.index("ltp")
_LTQ: Final = FEED_FLOATS.index("ltq")


@compiled(inline=True)
def _is_before(rows: _Integers, values: _Numbers, one: int, other: int) -> bool:
    """Return whether a row of a message was traded before another one of it."""
    if rows[one, INSTRUMENT] != rows[other, INSTRUMENT]:
        before = rows[one, INSTRUMENT] < rows[other, INSTRUMENT]
    elif rows[one, TIME] != rows[other, TIME]:
        before = rows[one, TIME] < rows[other, TIME]
    elif rows[one, ID] != rows[other, ID]:
        before = rows[one, ID] < rows[other, ID]
    elif values[one, _LTP] != values[other, _LTP]:
        before = values[one, _LTP] < values[other, _LTP]
    else:
        before = values[one, _LTQ] < values[other, _LTQ]
    return bool(before)


@compiled(int64[:, ::1], float64[:, ::1], int64[::1])
def put_in_order(rows: _Integers, values: _Numbers, order: _Integers) -> None:
    """Sort the trades of each message by instrument, time and id.

    Parameters
    ----------
    rows, values : ndarray
        As in `plain.Plain`.
    order : ndarray of int64, shape (rows,)
        The rows in the order of their messages. Changed in place.
    """
    start = 0
    while start < len(order):
        place, end = rows[order[start], PLACE], start + 1
        while end < len(order) and rows[order[end], PLACE] == place:
            end += 1
        # Shell's sort: a message is short or long, and mostly in order or the other way round.
        step = 1
        while 3 * step < end - start:
            step = 3 * step + 1
        while step > 0 and rows[order[start], SERIES] != _NONE:
            for at in range(start + step, end):
                moved, to = order[at], at
                while to >= start + step and _is_before(rows, values, moved, order[to - step]):
                    order[to] = order[to - step]
                    to -= step
                order[to] = moved
            step //= 3
        start = end


@compiled(int64[:, ::1], int64[::1], int64, int64[:, ::1])
def follow_ids(rows: _Integers, order: _Integers, start: int, newest: _Integers) -> int:
    """Note the ids of trades that each follow the one before; return where one does not, or the end.

    Parameters
    ----------
    rows, order : ndarray
        As in `put_in_order`.
    start : int
        Where to begin in the order.
    newest : ndarray of int64, shape (instruments × 2, 2)
        Id and time of the newest trade of each instrument and of the newest aggregate. Brought up to date.
    """
    for at in range(start, len(order)):
        row = order[at]
        series = rows[row, SERIES]
        if series == _NONE:
            continue
        spot = 2 * rows[row, INSTRUMENT] + series
        if series > _AGGREGATES or not rows[row, SHOWN] or spot >= len(newest):
            return at
        if newest[spot, 0] < 0 or rows[row, ID] != newest[spot, 0] + 1:
            return at
        newest[spot, 0] = rows[row, ID]
        newest[spot, 1] = max(rows[row, TIME], newest[spot, 1])
    return len(order)


@compiled(
    int64[:, ::1], float64[:, ::1], int64[::1], reads(int64), boolean[::1],
    int32[::1], int64[::1], int64[::1], float64[:, ::1], boolean[::1],
)  # fmt: skip
def write_ticks(
    rows: _Integers,
    values: _Numbers,
    order: _Integers,
    arrivals: _Integers,
    repeated: npt.NDArray[np.bool_],
    instrument: npt.NDArray[np.int32],
    timestamp: _Integers,
    received_at: _Integers,
    lines: _Numbers,
    duplicate: npt.NDArray[np.bool_],
) -> int:
    """Write the rows that are ticks; return how many.

    Parameters
    ----------
    rows, values, order : ndarray
        As in `put_in_order`.
    arrivals : ndarray of int64
        When each frame arrived, a single time where it is the same for all.
    repeated : ndarray of bool, shape (rows,) or (0,)
        Which rows are duplicates, in their order; shape (0,) for none.
    instrument, timestamp, received_at, lines, duplicate : ndarray
        As in `batch.Ticks`; `duplicate` is not written where nothing is repeated.
    """
    to = 0
    for at in range(len(order)):
        row = order[at]
        if not rows[row, SHOWN]:
            continue
        arrived = arrivals[rows[row, PLACE] if len(arrivals) > 1 else 0]
        instrument[to] = rows[row, INSTRUMENT]
        timestamp[to] = rows[row, TIME] if rows[row, TIME] != NO_TIME else arrived
        received_at[to] = arrived
        for line in range(len(lines)):
            lines[line, to] = values[row, line]
        if len(repeated):
            duplicate[to] = repeated[at]
        to += 1
    return to
