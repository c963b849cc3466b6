"""The loops of SmartStream: which messages hold a packet, and what it says.

No byte of a packet is read before its length was compared with the message's.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from numba import int64

from ltpkit.compiled import OCTETS, compiled, reads
from ltpkit.feeds.angelone.wire import (
    LEVEL,
    PACKET,
    PACKETS,
    SEGMENTS,
    SEGMENTS_END,
    SNAP_QUOTE,
    TOKEN,
)
from ltpkit.feeds.common.columns import (
    ASK_LINE,
    ASK_QTY_LINE,
    BID_LINE,
    BID_QTY_LINE,
    CLOSE_LINE,
    HIGH_LINE,
    LINE,
    LOW_LINE,
    LTP_LINE,
    LTQ_LINE,
    OI_LINE,
    OPEN_LINE,
    VOLUME_LINE,
)
from ltpkit.feeds.common.gathered_loops import message_at

__all__ = [
    "CUT",
    "EMPTY",
    "FLAG",
    "MODE",
    "NO_TOKEN",
    "SEGMENT",
    "TEXT",
    "find_packets",
    "read_books",
    "read_ticks",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Orders = npt.NDArray[np.int32]
Records = npt.NDArray[np.void]
#: A packet, its fields by name.
Record = Any
#: A side as `batch.Side` has it.
Sent = tuple[Ints, Floats, Floats, Orders]

_PACKETS: Final = reads(numba.from_dtype(PACKET))

#: What is known of a packet: its instrument, number of the message, first byte.
_KEY, _MESSAGE, _FIRST, _KNOWN = range(4)
#: What a message is that holds no packet.
EMPTY, TEXT, MODE, CUT, SEGMENT, FLAG, NO_TOKEN = range(7)
_SOUND: Final = -1

#: Modes are small numbers, so a message that starts with a letter or a brace is text.
_TEXT_FROM: Final = 0x20
_LTP_MODE, _QUOTE_MODE, _SNAP_MODE, _DEPTH_MODE = PACKETS
_BOOK_MODES: Final = (_SNAP_MODE, _DEPTH_MODE)
_SIZES: Final = np.zeros(_TEXT_FROM, np.int64)
for _mode, _layout in PACKETS.items():
    _SIZES[_mode] = _layout.itemsize

_SEGMENT_AT, _TOKEN_AT, _TOKEN_END = 1, 2, 27
_FLAGS_AT, _LEVEL_SIZE = dict(SNAP_QUOTE.fields or {})["depth"][1], LEVEL.itemsize
_LEVELS, _LEVELS20 = 10, 20  # of both sides, and of each

_LINES: Final = len(LINE)

_DIVISORS: Final = np.full(SEGMENTS_END, 100.0)
for _code, (_, _, _divisor) in SEGMENTS.items():
    _DIVISORS[_code] = _divisor
#: Segments without derivatives, whose open interest is always 0 and says nothing.
_IS_CASH: Final = np.isin(np.arange(SEGMENTS_END), (1, 3))
#: Of each byte, whether it may be in a token.
_IN_TOKENS: Final = np.array([TOKEN.fullmatch(chr(byte)) is not None for byte in range(256)])
_UNKNOWN, _NO_KEY = -1, -2
_ZERO: Final = ord("0")
#: So many digits and an exchange type make a number of 63 bits.
_LONGEST_NUMBER: Final = 15

#: 2200: a time beyond it is none, and notebooks could not print one beyond 9999.
_LAST_MS: Final = 7_258_118_400_000

#: Orders are documented as signed; more than 32,767 of them are likelier than fewer than none.
_ALL_OF_TWO: Final = 0xFFFF

_BIDS, _ASKS = 0, 1


@compiled(inline=True)
def _price(sent: int, divisor: float) -> float:
    return sent / divisor if sent != 0 else np.nan


@compiled()
def _is_text(joined: bytes, first: int) -> bool:
    """Return whether a packet's token is one, of letters that tokens have; it ends at its first NUL."""
    at, end = first + _TOKEN_AT, first + _TOKEN_END
    while at < end and joined[at] != 0:
        if not _IN_TOKENS[joined[at]]:
            return False
        at += 1
    return at > first + _TOKEN_AT


@compiled(inline=True)
def _key(joined: bytes, first: int) -> int:
    """Return what tells a packet's instrument, `_UNKNOWN` where its token is no number, else `_NO_KEY`."""
    key, at, end = 0, first + _TOKEN_AT, first + _TOKEN_END
    while at < end:
        digit = joined[at] - _ZERO
        if digit < 0 or digit > 9:
            break
        key = 10 * key + digit
        at += 1
    # "007" is another token than "7".
    is_number = 0 < at - first - _TOKEN_AT <= _LONGEST_NUMBER and joined[first + _TOKEN_AT] != _ZERO
    if is_number and joined[at] == 0:
        return 2**8 * key + joined[first + _SEGMENT_AT]
    return _UNKNOWN if _is_text(joined, first) else _NO_KEY


@compiled(inline=True)
def _kind(joined: bytes, first: int, end: int) -> int:
    """Return what a message is, but for its token."""
    if first == end:
        return EMPTY
    mode = joined[first]
    if mode >= _TEXT_FROM:
        return TEXT
    size = _SIZES[mode]
    if size == 0:
        return MODE
    if end - first < size:
        return CUT
    if joined[first + _SEGMENT_AT] >= SEGMENTS_END:
        return SEGMENT
    if mode == _SNAP_MODE:
        for place in range(_LEVELS):
            at = first + _FLAGS_AT + place * _LEVEL_SIZE
            if joined[at] > 1 or joined[at + 1] != 0:
                return FLAG
    return _SOUND


@compiled()
def _find(joined: bytes, end: int, messages: int, found: Ints, odd: Ints) -> tuple[int, int, int]:
    """Write where packets are, and what is none; return how many packets, books and odd messages there are.

    What is behind a packet is ignored: the broker's package does so, and it is how a field would be added.
    """
    count = books = strange = 0
    for message in range(messages):
        first, end = message_at(joined, end)
        key, kind = _UNKNOWN, _kind(joined, first, end)
        if kind == _SOUND:
            key = _key(joined, first)
            if key < _UNKNOWN:
                kind = NO_TOKEN
        if kind == _SOUND:
            found[_KEY, count], found[_MESSAGE, count], found[_FIRST, count] = key, message, first
            count += 1
            books += joined[first] in _BOOK_MODES
        else:
            odd[0, strange], odd[1, strange] = message, kind
            strange += 1
    return count, books, strange


@compiled()
def _room(messages: int) -> tuple[Ints, Ints]:
    """Return room for what is found in so many messages: packets, and messages without one."""
    return np.empty((_KNOWN, messages), np.int64), np.empty((2, messages), np.int64)


@compiled(OCTETS, int64, int64)
def find_packets(joined: bytes, start: int, messages: int) -> tuple[Ints, Ints]:
    """Return which messages hold a packet, and which hold none.

    Parameters
    ----------
    joined : bytes
        The messages as `common.gathered` has them.
    start, messages : int
        Where the first one is with its length, and how many there are.

    Returns
    -------
    message_of : ndarray of int64, shape (packets,)
        Number of the message of each packet.
    odd : ndarray of int64, shape (2, messages)
        Number and kind of the others.
    """
    found, odd = _room(messages)
    count, _, strange = _find(joined, start, messages, found, odd)
    return found[_MESSAGE, :count], odd[:, :strange]


@compiled(inline=True)
def _levels(mode: int) -> int:
    """Return how many levels of a packet may be on one side."""
    return _LEVELS20 if mode == _DEPTH_MODE else _LEVELS


@compiled(inline=True)
def _level(packet: Record, mode: int, side: int, place: int) -> tuple[int, int, int]:
    """Return price, quantity and orders of a packet's level; price 0 where it is none of this side."""
    if mode == _DEPTH_MODE:
        one = packet["depth20"]["depth"][side * _LEVELS20 + place]
        return one["price"], one["qty"], int(one["orders"]) & _ALL_OF_TWO
    level = packet["day"]["depth"][place]
    if level["buy"] == side:  # 1 is a bid
        return 0, 0, 0
    return level["price"], level["qty"], int(level["orders"]) & _ALL_OF_TWO


@compiled(inline=True)
def _best(packet: Record, mode: int, side: int, divisor: float) -> tuple[float, float]:
    """Return price and quantity of the first level of a side that has a price."""
    for place in range(_levels(mode)):
        price, qty, _ = _level(packet, mode, side, place)
        if price != 0:
            return price / divisor, float(qty)
    return np.nan, np.nan


@compiled(OCTETS, int64, int64, _PACKETS, reads(int64))
def read_ticks(
    joined: bytes, start: int, messages: int, packets: Records, arrivals: Ints
) -> tuple[Ints, Ints, Ints, Floats, int, int, int]:
    """Return what the packets say as ticks.

    Parameters
    ----------
    joined, start, messages
        As `find_packets` takes them.
    packets : ndarray of `wire.PACKET`
        The same bytes: a packet may start at any of them.
    arrivals : ndarray of int64, shape (messages,) or (1,)
        When each message arrived, or all of them.

    Returns
    -------
    keys : ndarray of int64, shape (n,)
        What each tick is about: exchange type and token in one number, -1 where the token is none.
    received_at, timestamp : ndarray of int64, shape (n,)
        Its times.
    values : ndarray of float64, shape (12, n)
        As in `batch.Ticks`, but a volume of 0 says nothing where the instrument is an index.
    books, idle, odd : int
        How many packets hold books and how many a volume of 0, and how many messages hold no packet.
    """
    found, no_packets = _room(messages)
    count, books, odd = _find(joined, start, messages, found, no_packets)
    received_at, timestamp = np.empty(count, np.int64), np.empty(count, np.int64)
    values = np.full((_LINES, count), np.nan)
    idle = 0
    for row in range(count):
        packet, mode = packets[found[_FIRST, row]], joined[found[_FIRST, row]]
        day, divisor = packet["day"], _DIVISORS[packet["day"]["segment"]]
        ms = packet["depth20"]["exchange_time"] if mode == _DEPTH_MODE else day["exchange_time"]
        if mode != _DEPTH_MODE:
            values[LTP_LINE, row] = _price(day["ltp"], divisor)
        if mode in (_QUOTE_MODE, _SNAP_MODE):
            # Counts below 0 are what other feeds send for "none".
            if day["ltq"] > 0:
                values[LTQ_LINE, row] = day["ltq"]
            if day["volume"] >= 0:
                values[VOLUME_LINE, row] = day["volume"]
            idle += day["volume"] == 0
            values[OPEN_LINE, row], values[HIGH_LINE, row] = (
                _price(day["open"], divisor),
                _price(day["high"], divisor),
            )
            values[LOW_LINE, row], values[CLOSE_LINE, row] = (
                _price(day["low"], divisor),
                _price(day["close"], divisor),
            )
        if mode == _SNAP_MODE and (day["oi"] > 0 or (day["oi"] == 0 and not _IS_CASH[day["segment"]])):
            values[OI_LINE, row] = day["oi"]
        if mode in _BOOK_MODES:
            values[BID_LINE, row], values[BID_QTY_LINE, row] = _best(packet, mode, _BIDS, divisor)
            values[ASK_LINE, row], values[ASK_QTY_LINE, row] = _best(packet, mode, _ASKS, divisor)
        received_at[row] = arrivals[found[_MESSAGE, row] if len(arrivals) > 1 else 0]
        timestamp[row] = ms * 1000 if 0 < ms <= _LAST_MS else received_at[row]
    return found[_KEY, :count].copy(), received_at, timestamp, values, books, idle, odd


@compiled()
def _side(packets: Records, firsts: Ints, room: int, side: int) -> Sent:
    """Return one side of the books in the packets that begin there: so many levels at the most."""
    ends = np.empty(len(firsts), np.int64)
    price, qty, orders = np.empty(room), np.empty(room), np.empty(room, np.int32)
    level = 0
    for book in range(len(firsts)):
        packet = packets[firsts[book]]
        mode, divisor = packet["day"]["mode"], _DIVISORS[packet["day"]["segment"]]
        for place in range(_levels(mode)):
            asked, there, by = _level(packet, mode, side, place)
            if asked != 0:
                price[level], qty[level], orders[level] = asked / divisor, there, by
                level += 1
        ends[book] = level
    return ends, price[:level], qty[:level], orders[:level]


@compiled(OCTETS, int64, int64, _PACKETS)
def read_books(joined: bytes, start: int, messages: int, packets: Records) -> tuple[Ints, Sent, Sent]:
    """Return the books in packets: which of the ticks each came with, and their sides.

    Parameters
    ----------
    joined, packets, start, messages
        As `read_ticks` takes them.

    Returns
    -------
    rows : ndarray of int64, shape (books,)
    bids, asks : tuple of ndarray
        As `batch.Side` has them.
    """
    found, odd = _room(messages)
    count, books, _ = _find(joined, start, messages, found, odd)
    rows, firsts = np.empty(books, np.int64), np.empty(books, np.int64)
    book = room = 0
    for row in range(count):
        first = found[_FIRST, row]
        if joined[first] in _BOOK_MODES:
            rows[book], firsts[book] = row, first
            room += _levels(joined[first])
            book += 1
    return rows, _side(packets, firsts, room, _BIDS), _side(packets, firsts, room, _ASKS)
