"""What Dhan's deep depth says, as compiled loops.

Packets are walked through and read in one pass, in arrival order. No length that a message tells is believed
before it was compared with the message's own.

Levels are copied by loops written out where they are needed: handing arrays to a function takes as long as
copying twenty levels.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from numba import float64, int32, int64

from ltpkit.compiled import OCTETS, compiled, reads
from ltpkit.feeds.common.gathered_loops import message_at
from ltpkit.feeds.common.loops import FREE, find_number
from ltpkit.feeds.dhan.depth_wire import DEEP_CODES, DEEP_HEADER, DEEP_LEVEL, DEEP_PART
from ltpkit.feeds.dhan.wire import SEGMENTS_END
from ltpkit.loops import unsigned

__all__ = [
    "DISCONNECT",
    "EMPTY",
    "NEW",
    "NO_HEADER",
    "UNKNOWN_CODE",
    "UNKNOWN_SEGMENT",
    "WRONG_LENGTH",
    "WRONG_SIZE",
    "read",
]

#: What a piece of a message is: a side of a book, the same of a book or an instrument without a number, that
#: Dhan closes the connection, or damage.
SIDE, NEW, DISCONNECT, EMPTY, NO_HEADER, WRONG_LENGTH, UNKNOWN_CODE, WRONG_SIZE, UNKNOWN_SEGMENT = range(9)

_BID_CODE, _ASK_CODE, _DISCONNECT_CODE = DEEP_CODES["bid"], DEEP_CODES["ask"], DEEP_CODES["disconnect"]
_HEADER_SIZE, _LEVEL_SIZE = DEEP_HEADER.itemsize, DEEP_LEVEL.itemsize
_MOST_ORDERS: Final = 2**31 - 1

#: What is written of a row beside its instrument: when it was received, which place its book is kept in, and
#: where its bids end, then its asks.
_RECEIVED, _PLACE, _ENDS = range(3)
#: What is known of a book behind how many bids and asks of it are kept: which of the rows that are being
#: written is its newest, counted from 1; 0 for none.
_NEWEST: Final = 2

_parts: Final = reads(numba.from_dtype(DEEP_PART))

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]
_Orders = npt.NDArray[np.int32]
#: Records that may start at any byte of the messages.
_Parts = npt.NDArray[np.void]


@compiled()
def _next_piece(parts: _Parts, start: int, end: int, most: int) -> tuple[int, int]:
    """Return what is next in a message, and where it ends."""
    left = end - start
    if left == 0:
        return EMPTY, end
    if left < _HEADER_SIZE:
        return NO_HEADER, end
    header: Any = parts[start]["header"]
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
    return UNKNOWN_SEGMENT if header["segment"] >= SEGMENTS_END else SIDE, stop


@compiled()
def _keep(
    rows: _Integers,
    written: int,
    levels: _Floats,
    orders: _Orders,
    most: int,
    books: _Integers,
    kept: _Floats,
    kept_orders: _Orders,
) -> None:
    """Keep the sides of each book's newest row."""
    for row in range(written):
        place = rows[_PLACE, row]
        if books[place, _NEWEST] == row + 1:
            for side in range(2):
                first = rows[_ENDS + side, row - 1] if row else 0
                end = rows[_ENDS + side, row]
                books[place, side] = end - first
                to: Any = np.uint64(place * most)
                for of in unsigned(first, end):
                    kept[0, side, to] = levels[0, side, of]
                    kept[1, side, to] = levels[1, side, of]
                    kept_orders[side, to] = orders[side, of]
                    to += np.uint64(1)


@compiled(
    OCTETS, _parts, int64, int64, int64, int64,
    int64, reads(int64), reads(int64, 2), int64, reads(int64, 2), int64,
    int64[:, ::1], float64[:, :, ::1], int32[:, ::1],
    int64, int32[::1], int64[:, ::1], float64[:, :, ::1], int32[:, ::1], int64[:, ::1],
)  # fmt: skip
def read(
    joined: bytes,
    parts: _Parts,
    at: int,
    messages: int,
    most: int,
    counted: int,
    received: int,
    received_at: _Integers,
    known: _Integers,
    rest: int,
    places: _Integers,
    no_place: int,
    books: _Integers,
    kept: _Floats,
    kept_orders: _Orders,
    width: int,
    numbers: npt.NDArray[np.int32],
    rows: _Integers,
    levels: _Floats,
    orders: _Orders,
    others: _Integers,
) -> tuple[int, int, int]:
    """Write the book that there is after each side, and keep the newest sides; return the room that it takes.

    Where there is less, or something has no number yet, what is written is of no use and nothing is kept: all
    is to be read once more.

    Parameters
    ----------
    joined : bytes
        The messages as in `gathered`.
    parts : ndarray of `DEEP_PART`
        The same bytes: a header or a level may start at any of them.
    at, messages : int
        Where the first message is with its length, and how many there are.
    most, counted : int
        Levels of a side at the most, and whether the header's last word counts them.
    received, received_at : int and ndarray of int64, shape (messages,) or (0,)
        When all messages were received, or each of them was.
    known : ndarray of int64
        Numbers of the instruments by `lookup.key`, as in `places.Places`.
    rest : int
        The number of all instruments that have none, or `FREE` where they are to be given one.
    places : ndarray of int64
        Where books are kept, by `lookup.key` as well. In place 0 nothing is.
    no_place : int
        The place of all books that have none, or `FREE` where they are to be given one.
    books : ndarray of int64, shape (places, 3)
        How many bids and asks are kept in each place, and 0.
    kept : ndarray of float64, shape (2, 2, places * most)
        Their prices and quantities, of the bids and of the asks.
    kept_orders : ndarray of int32, shape (2, places * most)
        Their orders.
    width : int
        How many levels of a side there is room for in each row, at least as many as are kept of any.
    numbers : ndarray of int32, shape (room,)
        To write the rows' instruments to.
    rows : ndarray of int64, shape (4, room)
        To write to when each row was received, the place of its book, and where its bids and asks end.
    levels : ndarray of float64, shape (2, 2, room * width)
        To write prices and quantities of the bids and of the asks to.
    orders : ndarray of int32, shape (2, room * width)
        To write their orders to.
    others : ndarray of int64, shape (4, room)
        To write where pieces are that make no row yet: first byte, the byte behind the last, number of the
        message, and what they are.

    Returns
    -------
    int
        How many rows there are.
    int
        How many levels the longest side has, `width` if none is longer.
    int
        How many others there are.
    """
    found = row = other = 0
    longest, fits = width, True
    ends = np.zeros(2, np.int64)
    stop = at
    for message in range(messages):
        start, end = message_at(joined, stop)
        if len(received_at):
            received = received_at[message]
        whole = False
        while not whole:
            kind, stop = _next_piece(parts, start, end, most)
            if kind == SIDE:
                header: Any = parts[start]["header"]
                key = np.int64(header["security_id"]) << 8 | header["segment"]
                number, place = find_number(key, known), find_number(key, places)
                number = rest if number == FREE else number
                place = no_place if place == FREE else place
                count: Any = (stop - start - _HEADER_SIZE) // _LEVEL_SIZE
                if counted and header["word"] < count:
                    count = np.int64(header["word"])
                found, longest = found + 1, max(longest, count)
                fits = fits and found <= len(numbers) and count <= width
                if number == FREE or place == FREE:
                    kind = NEW
                elif fits:
                    side = np.int64(header["code"] == _ASK_CODE)
                    to: Any = np.uint64(ends[side])
                    first = start + _HEADER_SIZE
                    for byte in unsigned(first, first + count * _LEVEL_SIZE, _LEVEL_SIZE):
                        level: Any = parts[byte]["level"]
                        if 0 < abs(level["price"]) < np.inf:  # 0 and what is no number are no price
                            levels[0, side, to], levels[1, side, to] = level["price"], level["qty"]
                            orders[side, to] = min(level["orders"], _MOST_ORDERS)
                            to += np.uint64(1)
                    ends[side] = to
                    if place:
                        side = 1 - side
                        to = np.uint64(ends[side])
                        newest = books[place, _NEWEST]
                        if newest:
                            first = rows[_ENDS + side, newest - 2] if newest > 1 else 0
                            for of in unsigned(first, rows[_ENDS + side, newest - 1]):
                                levels[0, side, to] = levels[0, side, of]
                                levels[1, side, to] = levels[1, side, of]
                                orders[side, to] = orders[side, of]
                                to += np.uint64(1)
                        else:
                            first = place * most
                            for of in unsigned(first, first + books[place, side]):
                                levels[0, side, to] = kept[0, side, of]
                                levels[1, side, to] = kept[1, side, of]
                                orders[side, to] = kept_orders[side, of]
                                to += np.uint64(1)
                        ends[side] = to
                        books[place, _NEWEST] = row + 1
                    numbers[row], rows[_RECEIVED, row], rows[_PLACE, row] = number, received, place
                    rows[_ENDS, row], rows[_ENDS + 1, row] = ends[0], ends[1]
                    row += 1
            if kind != SIDE:
                if other < others.shape[1]:
                    others[0, other], others[1, other] = start, stop
                    others[2, other], others[3, other] = message, kind
                other += 1
            start, whole = stop, stop == end
    if row == found and other <= others.shape[1]:
        _keep(rows, row, levels, orders, most, books, kept, kept_orders)
    for written in range(row):
        books[rows[_PLACE, written], _NEWEST] = 0
    return found, longest, other
