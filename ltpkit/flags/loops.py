"""The rules of the package's docstring as one compiled loop over the rows of a batch, as they came."""

from __future__ import annotations

from typing import Final

import numba
import numpy as np
import numpy.typing as npt
from numba import float64, int32, int64, uint8

from ltpkit.compiled import compiled, reads
from ltpkit.flags.suspects import LEFT_OUT, REASONS
from ltpkit.schema import FEED_FLOATS

__all__ = ["FEED", "INSTRUMENT", "NEVER", "judge"]

#: `newest` of an instrument that had no price yet.
NEVER: Final = -(2**62)

#: What is remembered of an instrument.
INSTRUMENT: Final = np.dtype(
    [
        ("newest", np.int64),  # time of its newest price that was believed
        ("row", np.int64),  # its last row that was believed: how many came before, in all batches
        ("doubted_price", np.float64),  # of the last jump
        ("doubted_time", np.int64),
        ("doubted_rows", np.int64),  # with other times, in a row; 0 where nothing is in doubt
        ("picture", np.bool_),  # subscribed, and no row with a price came since
        ("negative", np.bool_),  # may cost less than nothing
        ("option", np.bool_),
    ],
    align=True,
)

#: What is remembered of the feed: rows so far, how far its time is ahead of the clock here, and how many rows
#: one behind the other were beyond that.
FEED = _ROWS, _LEAD, _AHEAD_ROWS = range(3)

_TENFOLD: Final = 10.0
_NEAR: Final = 2.0  # a quote, or another row, within this factor of a price speaks for it
_BELIEVED: Final = 3  # rows in a row at the new level
_AHEAD_US: Final = 60_000_000
_FEED_ROWS: Final = 20  # in a row ahead of the clock here: then it is the clock
_LONGEST_LEAD: Final = 2**63 - 1 - _AHEAD_US  # so that the two can be added
_DAY_US: Final = 8 * 3_600_000_000  # no market is shut for less between two of its days
_EARLIEST: Final = 946_684_800_000_000  # 1 January 2000: zeros and other epochs come out before it

_COLUMNS: Final = len(FEED_FLOATS)
_LTP, _VOLUME, _CLOSE = (FEED_FLOATS.index(name) for name in ("ltp", "volume", "close_price"))
_LOW, _HIGH, _BID, _ASK = (FEED_FLOATS.index(name) for name in ("low_price", "high_price", "bid", "ask"))

_NOTHING, _FUTURE, _PRICE, _ANOTHER_DAY, _JUMP, _LATE, _REPEATED = (
    REASONS.index(why) for why in ("", "future", "price", "another day", "jump", "late", "repeated")
)
_LEFT_OUT: Final = tuple(REASONS.index(why) for why in LEFT_OUT)


@compiled()
def _most_ahead(
    timestamp: npt.NDArray[np.int64],
    received_at: npt.NDArray[np.int64],
    feed: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint8],
) -> int:
    """Return how far a time may be ahead of its receipt, having set the lead where it is the clock here."""
    most_ahead: int = _AHEAD_US + feed[_LEAD]
    rows, ahead, least = 0, 0, _LONGEST_LEAD
    for row in range(len(timestamp)):
        if codes[row] == _NOTHING:
            lead = timestamp[row] - received_at[row]
            rows += 1
            ahead += lead > most_ahead
            least = min(least, lead)
    if ahead < rows:
        feed[_AHEAD_ROWS] = 0
        return most_ahead
    feed[_AHEAD_ROWS] += ahead
    if feed[_AHEAD_ROWS] < _FEED_ROWS:
        return most_ahead
    feed[_AHEAD_ROWS] = 0
    feed[_LEAD] = least
    return _AHEAD_US + least


@compiled(inline=True)
def _why(time: int, values: npt.NDArray[np.float64], row: int, before: float, instrument: np.void) -> int:
    """Return why a row is odd, save that it is repeated, and remember its time where it is not.

    `before` is the last price that was believed.
    """
    ltp, newest = values[_LTP, row], instrument["newest"]
    if ltp == 0 or (ltp < 0 and not instrument["negative"]):
        return _PRICE
    if time < _EARLIEST or (newest != NEVER and time < newest - _DAY_US):
        return _ANOTHER_DAY
    if newest == NEVER or time - _DAY_US > newest:  # the first of a day
        before = values[_CLOSE, row]
    if before > 0 and ltp > 0 and (ltp >= _TENFOLD * before or _TENFOLD * ltp <= before):
        if _doubtful(time, values, row, instrument):
            return _JUMP
    else:
        instrument["doubted_rows"] = 0
    if time < newest:
        return _LATE
    instrument["newest"] = time
    return _NOTHING


@compiled()
def _doubtful(time: int, values: npt.NDArray[np.float64], row: int, instrument: np.void) -> bool:
    """Return whether neither the row itself nor the rows before it speak for a price that jumped."""
    ltp = values[_LTP, row]
    if (
        values[_LOW, row] <= ltp <= values[_HIGH, row]
        or values[_BID, row] / _NEAR <= ltp <= values[_ASK, row] * _NEAR
        or instrument["option"]
    ):
        return False
    at, rows = instrument["doubted_price"], instrument["doubted_rows"]
    if rows == 0 or not at / _NEAR <= ltp <= at * _NEAR:
        rows = 1
    elif time > instrument["doubted_time"]:  # one trade that is told again and again is one
        rows += 1
    if rows == _BELIEVED:
        instrument["doubted_rows"] = 0
        return False
    instrument["doubted_price"] = ltp
    instrument["doubted_time"] = time
    instrument["doubted_rows"] = rows
    return True


@compiled()
def _says_nothing_new(
    values: npt.NDArray[np.float64], row: int, before: npt.NDArray[np.float64], place: int
) -> bool:
    """Return whether a row has nothing that is otherwise in a column of `before`."""
    for line in range(_COLUMNS):
        said = values[line, row]
        if said == said and said != before[line, place]:
            return False
    return True


@compiled(
    reads(int32), reads(int64), reads(int64), reads(float64, 2), reads(float64), reads(float64, 2),
    numba.from_dtype(INSTRUMENT)[::1], int64[::1], uint8[::1],
)  # fmt: skip
def judge(
    who: npt.NDArray[np.int32],
    timestamp: npt.NDArray[np.int64],
    received_at: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    prices: npt.NDArray[np.float64],
    known: npt.NDArray[np.float64],
    instruments: npt.NDArray[np.void],
    feed: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint8],
) -> int:
    """Write the code of each row, remember those that are believed, and return how many are odd.

    Parameters
    ----------
    who, timestamp, received_at, values : ndarray
        As in `batch.Ticks`.
    prices, known : ndarray
        As in `Flags.judge`.
    instruments : ndarray of INSTRUMENT, shape (instruments,)
        Brought up to date.
    feed : ndarray of int64, shape (3,)
        Brought up to date.
    codes : ndarray of uint8, shape (n,)
        Places in `suspects.REASONS`, brought up to date. A row that has one already is not looked at.
    """
    rows_before: int = feed[_ROWS]
    feed[_ROWS] += len(who)
    most_ahead = _most_ahead(timestamp, received_at, feed, codes)
    odd = 0
    for row in range(len(who)):
        if codes[row] != _NOTHING:
            odd += 1
            continue
        code, time, ltp, number = _NOTHING, timestamp[row], values[_LTP, row], who[row]
        instrument = instruments[number]
        picture = ltp == ltp and instrument["picture"]
        if picture:
            instrument["picture"] = False
        if time - received_at[row] > most_ahead:
            code = _FUTURE
        elif ltp == ltp:
            newest = instrument["newest"]
            earlier = instrument["row"] - rows_before  # of this batch, unless negative
            if earlier >= 0:
                before, traded = values[_LTP, earlier], values[_VOLUME, earlier]
            else:
                before, traded = prices[number], known[_VOLUME, number]
            code = _why(time, values, row, before, instrument)
            # Rows without a running volume are not equal to anything.
            again = time == newest and ltp == before and values[_VOLUME, row] == traded
            if again and code == _NOTHING and not picture:
                known_in, place = (values, earlier) if earlier >= 0 else (known, number)
                if _says_nothing_new(values, row, known_in, place):
                    code = _REPEATED
            if code not in _LEFT_OUT:
                instrument["row"] = rows_before + row
        codes[row] = code
        odd += code != _NOTHING
    return odd
