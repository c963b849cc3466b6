"""What happens to each tick on its way into memory, as compiled loops."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import boolean, float64, int32, int64, uint8

from ltpkit.compiled import compiled, reads
from ltpkit.schema import FEED_FLOATS, TICK_FLOATS

__all__ = ["note_newest", "write_rows"]

_SENT: Final = len(FEED_FLOATS)
_ALL: Final = len(TICK_FLOATS)
_LTP: Final = TICK_FLOATS.index("ltp")
_CHANGE: Final = TICK_FLOATS.index("change")
_CHANGE_PERCENT: Final = TICK_FLOATS.index("change_percent")


@compiled(
    reads(int32), reads(int64), reads(int64), reads(float64, 2), reads(boolean), float64[::1],
    int64[:, ::1], float64[:, ::1], int64,
)  # fmt: skip
def write_rows(
    who: npt.NDArray[np.int32],
    timestamp: npt.NDArray[np.int64],
    received_at: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    left_out: npt.NDArray[np.bool_],
    last: npt.NDArray[np.float64],
    ints: npt.NDArray[np.int64],
    floats: npt.NDArray[np.float64],
    start: int,
) -> None:
    """Write ticks to the rows of a chunk from `start` on, each with its change from the tick before.

    Parameters
    ----------
    who, timestamp, received_at, values : ndarray
        As in `batch.Ticks`.
    left_out : ndarray of bool, shape (n,) or (0,)
        Rows that have no change, and are none's tick before; shape (0,) for none.
    last : ndarray of float64, shape (instruments,)
        Last price of each instrument, NaN where there was none. Brought up to date.
    ints, floats : ndarray, shape (…, room)
        The chunk's columns.
    start : int
    """
    rows = len(who)
    for row in range(rows):
        ints[1, start + row] = timestamp[row]
        ints[2, start + row] = received_at[row]
    # Line by line: a row at a time would write to as many distant places at once.
    for line in range(_SENT):
        for row in range(rows):
            floats[line, start + row] = values[line, row]
    for row in range(rows):
        change = percent = np.nan
        price = values[_LTP, row]
        if price == price and not (len(left_out) and left_out[row]):
            before = last[who[row]]
            last[who[row]] = price
            change = price - before
            if before != 0:
                percent = change * 100.0 / before
        floats[_CHANGE, start + row] = change
        floats[_CHANGE_PERCENT, start + row] = percent


@compiled(
    reads(int32), reads(boolean), int64[:, ::1], float64[:, ::1], int64,
    int64[:, ::1], float64[:, ::1], uint8[::1], uint8,
)  # fmt: skip
def note_newest(
    who: npt.NDArray[np.int32],
    left_out: npt.NDArray[np.bool_],
    ints: npt.NDArray[np.int64],
    floats: npt.NDArray[np.float64],
    start: int,
    newest_ints: npt.NDArray[np.int64],
    newest_floats: npt.NDArray[np.float64],
    newest_source: npt.NDArray[np.uint8],
    source: int,
) -> None:
    """Bring the newest values of each instrument up to date with rows that were written.

    Parameters
    ----------
    who, left_out, ints, floats, start
        As in `write_rows`; rows that are left out give no newest values.
    newest_ints, newest_floats, newest_source : ndarray, shape (…, instruments)
        A column of floats keeps its last number where a row has none.
    source : int
        The code of the rows' feed.
    """
    for row in range(len(who)):
        if not (len(left_out) and left_out[row]):
            for line in range(len(newest_ints)):
                newest_ints[line, who[row]] = ints[line, start + row]
            newest_source[who[row]] = source
    for line in range(_ALL):
        for row in range(len(who)):
            value = floats[line, start + row]
            if value == value and not (len(left_out) and left_out[row]):
                newest_floats[line, who[row]] = value
