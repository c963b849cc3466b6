"""The loops of Dhan's deep depth: where sides are in some messages, and the books they make.

No length that a message tells is believed before it was compared with the message's own.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from numba import float64, int32, int64

from ltpkit.compiled import OCTETS, compiled, reads
from ltpkit.feeds.common.gathered_loops import message_at
from ltpkit.feeds.dhan.depth_wire import DEEP_CODES, DEEP_HEADER, DEEP_LEVEL
from ltpkit.feeds.dhan.wire import SEGMENTS_END

__all__ = [
    "DISCONNECT",
    "EMPTY",
    "NO_HEADER",
    "UNKNOWN_CODE",
    "UNKNOWN_SEGMENT",
    "WRONG_LENGTH",
    "WRONG_SIZE",
    "count_levels",
    "find_sides",
    "write_books",
]

#: What is known of a side: first byte of its levels, `lookup.key` of the book, number of the message, whether
#: it is the asks', and how many levels it has.
_FIRST, _KEY, _MESSAGE, _IS_ASK, _LEVELS, _KNOWN = range(6)
#: And of another piece: first byte, the byte behind the last, number of the message, and what it is.
_TOLD: Final = 4
DISCONNECT, EMPTY, NO_HEADER, WRONG_LENGTH, UNKNOWN_CODE, WRONG_SIZE, UNKNOWN_SEGMENT = range(7)
_SIDE: Final = -1

_BID_CODE, _ASK_CODE, _DISCONNECT_CODE = DEEP_CODES["bid"], DEEP_CODES["ask"], DEEP_CODES["disconnect"]
_HEADER_SIZE, _LEVEL_SIZE = DEEP_HEADER.itemsize, DEEP_LEVEL.itemsize
_MOST_ORDERS: Final = 2**31 - 1

_headers: Final = reads(numba.from_dtype(DEEP_HEADER))
_level: Final = numba.from_dtype(DEEP_LEVEL)
_levels: Final = reads(_level)

_Integers = npt.NDArray[np.int64]
#: Records; those of the messages may start at any byte.
_Records = npt.NDArray[np.void]


@compiled()
def _piece(headers: _Records, start: int, end: int, most: int) -> tuple[int, int]:
    """Return what is next in a message, and where it ends."""
    left = end - start
    if left == 0:
        return EMPTY, end
    if left < _HEADER_SIZE:
        return NO_HEADER, end
    header: Any = headers[start]
    length: Any = np.int64(header["length"])
    if length < _HEADER_SIZE or length > left:
        return WRONG_LENGTH, end  # where the next one starts is unknown
    stop = start + length
    if header["code"] == _DISCONNECT_CODE:
        return DISCONNECT, stop
    if header["code"] != _BID_CODE and header["code"] != _ASK_CODE:
        return UNKNOWN_CODE, stop
    octets = length - _HEADER_SIZE
    if octets % _LEVEL_SIZE != 0 or octets > most * _LEVEL_SIZE:
        return WRONG_SIZE, stop
    return UNKNOWN_SEGMENT if header["segment"] >= SEGMENTS_END else _SIDE, stop


@compiled()
def _find(
    joined: bytes,
    headers: _Records,
    at: int,
    messages: int,
    most: int,
    counted: int,
    sides: _Integers,
    others: _Integers,
) -> tuple[int, int]:
    """Write where the sides are, and other pieces, as far as there is room; return how many there are."""
    side = other = 0
    stop = at
    for message in range(messages):
        start, end = message_at(joined, stop)
        whole = False
        while not whole:
            kind, stop = _piece(headers, start, end, most)
            if kind == _SIDE:
                if side < sides.shape[1]:
                    header: Any = headers[start]
                    levels: Any = (stop - start - _HEADER_SIZE) // _LEVEL_SIZE
                    if counted and header["word"] < levels:
                        levels = np.int64(header["word"])
                    sides[_FIRST, side], sides[_MESSAGE, side] = start + _HEADER_SIZE, message
                    sides[_KEY, side] = np.int64(header["security_id"]) << 8 | header["segment"]
                    sides[_IS_ASK, side] = header["code"] == _ASK_CODE
                    sides[_LEVELS, side] = levels
                side += 1
            else:
                if other < others.shape[1]:
                    others[0, other], others[1, other] = start, stop
                    others[2, other], others[3, other] = message, kind
                other += 1
            start, whole = stop, stop == end
    return side, other


@compiled(OCTETS, _headers, int64, int64, int64, int64)
def find_sides(
    joined: bytes, headers: _Records, at: int, messages: int, most: int, counted: int
) -> tuple[_Integers, _Integers]:
    """Return where the sides are, and the other pieces.

    Parameters
    ----------
    joined : bytes
        The messages as in `gathered`.
    headers : ndarray of `DEEP_HEADER`
        The same bytes: one at any of them.
    at, messages : int
        Where the first message is with its length, and how many there are.
    most : int
        Levels of a side at the most.
    counted : int
        Whether the header's last word counts them.

    Returns
    -------
    ndarray of int64, shape (5, n)
        First byte of each side's levels, `lookup.key` of the book, number of the message, whether it is the
        asks', and how many levels it has.
    ndarray of int64, shape (4, m)
        First byte of each other piece, the byte behind the last, number of the message, and what it is.
    """
    sides, others = np.empty((_KNOWN, messages), np.int64), np.empty((_TOLD, 0), np.int64)
    found, rest = _find(joined, headers, at, messages, most, counted, sides, others)
    if found > messages or rest > 0:  # more than one in a message, or something else
        sides, others = np.empty((_KNOWN, found), np.int64), np.empty((_TOLD, rest), np.int64)
        _find(joined, headers, at, messages, most, counted, sides, others)
    return sides[:, :found], others


@compiled(inline=True)
def _is_there(price: float) -> bool:
    """Return whether a level is one: 0 and what is no number are no price."""
    return price != 0 and abs(price) < np.inf


@compiled(_levels, reads(int64, 2), reads(int32), int64[:, ::1], int64[:, ::1])
def count_levels(
    levels: _Records, sides: _Integers, places: npt.NDArray[np.int32], counts: _Integers, ends: _Integers
) -> None:
    """Write where the levels of each row end: the side that came, and the newest of the other side.

    Parameters
    ----------
    levels : ndarray of `DEEP_LEVEL`
        The messages' bytes: one at any of them.
    sides : ndarray of int64
        As `find_sides` returns them.
    places : ndarray of int32, shape (n,)
        Where each side's book is kept. In place 0 nothing is.
    counts : ndarray of int64, shape (places, 2)
        Levels of the newest bids and asks in each place. Brought up to date.
    ends : ndarray of int64, shape (2, n)
        To write to where each row's bids and asks end.
    """
    bids = asks = 0
    for row in range(len(places)):
        place, count = places[row], 0
        first, end = sides[_FIRST, row], sides[_FIRST, row] + sides[_LEVELS, row] * _LEVEL_SIZE
        for at in range(first, end, _LEVEL_SIZE):
            count += _is_there(levels[at]["price"])
        if place == 0:
            counts[0, 0] = counts[0, 1] = 0
        counts[place, sides[_IS_ASK, row]] = count
        bids, asks = bids + counts[place, 0], asks + counts[place, 1]
        ends[0, row], ends[1, row] = bids, asks


@compiled(
    _levels, reads(int64, 2), reads(int32), reads(int64, 2), int64,
    _level[::1], float64[::1], float64[::1], int32[::1],
)  # fmt: skip
def write_books(
    levels: _Records,
    sides: _Integers,
    places: npt.NDArray[np.int32],
    ends: _Integers,
    most: int,
    kept: _Records,
    price: npt.NDArray[np.float64],
    qty: npt.NDArray[np.float64],
    orders: npt.NDArray[np.int32],
) -> None:
    """Keep the sides that came, and write for each the book that there is then.

    Parameters
    ----------
    levels, sides, places, ends, most
        As in `find_sides` and `count_levels`.
    kept : ndarray of `DEEP_LEVEL`, shape (places * 2 * most,)
        The newest bids, then the newest asks of each place.
    price, qty, orders : ndarray, shape (n,)
        To write all bids to, and behind them all asks.
    """
    behind = ends[0, len(places) - 1] if len(places) else 0
    for row in range(len(places)):
        keep = (2 * places[row] + sides[_IS_ASK, row]) * most
        first, end = sides[_FIRST, row], sides[_FIRST, row] + sides[_LEVELS, row] * _LEVEL_SIZE
        for at in range(first, end, _LEVEL_SIZE):
            if _is_there(levels[at]["price"]):
                kept[keep] = levels[at]
                keep += 1
        for side in range(2):
            keep = (2 * places[row] + side) * most
            first = ends[side, row - 1] if row else 0
            for place in range(first + side * behind, ends[side, row] + side * behind):
                level = kept[keep]
                price[place], qty[place] = level["price"], level["qty"]
                orders[place] = min(level["orders"], _MOST_ORDERS)
                keep += 1
