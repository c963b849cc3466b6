"""The loops of Kite: where packets are in some messages, and what they say.

No length that a message tells is believed before it was compared with the message's own.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import int64

from ltpkit.compiled import OCTETS, compiled, reads
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
from ltpkit.feeds.kite.wire import (
    FULL,
    INDEX,
    INDEX_FULL,
    INDEX_QUOTE,
    LEVEL,
    LTP,
    QUOTE,
    SEGMENTS,
    SEGMENTS_END,
)

__all__ = [
    "BEHIND",
    "CUT",
    "EMPTY",
    "LENGTH",
    "MISSING",
    "NO_INDEX",
    "SEGMENT",
    "TEXT",
    "find_packets",
    "read_books",
    "read_ticks",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Orders = npt.NDArray[np.int32]
#: A side as `batch.Side` has it.
Sent = tuple[Ints, Floats, Floats, Orders]

#: What is known of a packet: what it is about, number of the message, first byte, size.
_TOKEN, _MESSAGE, _FIRST, _SIZE, _KNOWN = range(5)
#: And of a piece that holds none: number of the message, kind, first byte, end, the length or count that was
#: said, and how many pieces came before it.
_TOLD: Final = 6
#: What a piece of a message is that holds no packet.
EMPTY, TEXT, MISSING, CUT, LENGTH, SEGMENT, NO_INDEX, BEHIND = range(8)
_SOUND: Final = -1

#: A connection carries 3,000 instruments, so a count of 8,192 or more is the first letters of a text.
_TEXT_FROM: Final = 0x20


def _at(name: str, layout: np.dtype[np.void] = FULL) -> int:
    return int(dict(layout.fields or {})[name][1])


# Sizes of packets, and where in them their fields are.
_LTP_SIZE, _QUOTE_SIZE, _FULL_SIZE = LTP.itemsize, QUOTE.itemsize, FULL.itemsize
_INDEX_FULL_SIZE: Final = INDEX_FULL.itemsize
_INDEX_SIZES: Final = (INDEX_QUOTE.itemsize, _INDEX_FULL_SIZE)
_SEGMENT_AT: Final = 3  # the last byte of the token
_LTP_AT, _LTQ_AT, _VOLUME_AT, _OI_AT, _LTT_AT = _at("ltp"), _at("ltq"), _at("volume"), _at("oi"), _at("ltt")
_TIME_AT, _INDEX_TIME_AT = _at("exchange_time"), _at("exchange_time", INDEX_FULL)
_DAY: Final = ("open", "high", "low", "close")
_DAY_AT, _INDEX_DAY_AT = (tuple(_at(name, layout) for name in _DAY) for layout in (FULL, INDEX_FULL))
_QTY_AT, _PRICE_AT, _ORDERS_AT = _at("qty", LEVEL), _at("price", LEVEL), _at("orders", LEVEL)
_LEVEL_SIZE, _LEVELS = LEVEL.itemsize, 5
_BIDS_AT, _ASKS_AT = _at("depth"), _at("depth") + _LEVELS * _LEVEL_SIZE

_LINES: Final = len(LINE)

_DIVISORS: Final = np.full(SEGMENTS_END, 100.0)
for _code, (_, _divisor) in SEGMENTS.items():
    _DIVISORS[_code] = _divisor
#: Segments without derivatives, whose open interest is always 0 and says nothing.
_IS_CASH: Final = np.isin(np.arange(SEGMENTS_END), (1, 4, INDEX))


# Products, not shifts: numba makes unsigned numbers of those.


@compiled(inline=True)
def _u2(joined: bytes, at: int) -> int:
    return 2**8 * joined[at] + joined[at + 1]


@compiled(inline=True)
def _u4(joined: bytes, at: int) -> int:
    return 2**16 * _u2(joined, at) + _u2(joined, at + 2)


@compiled(inline=True)
def _price(joined: bytes, at: int, divisor: float) -> float:
    """Return a price; prices are signed, and 0 is none."""
    sent = _u4(joined, at)
    if sent == 0:
        return np.nan
    if sent >= 2**31:
        sent -= 2**32
    return sent / divisor


@compiled(inline=True)
def _level(joined: bytes, at: int, divisor: float) -> tuple[float, float]:
    """Return price and quantity of a level, neither where it has no price."""
    price = _price(joined, at + _PRICE_AT, divisor)
    return price, float(_u4(joined, at + _QTY_AT)) if price == price else np.nan


@compiled(inline=True)
def _kind(joined: bytes, first: int, size: int) -> int:
    """Return what a piece is that has the length it says."""
    is_index = size in _INDEX_SIZES
    if not is_index and size not in (_LTP_SIZE, _QUOTE_SIZE, _FULL_SIZE):
        return LENGTH
    segment = joined[first + _SEGMENT_AT]
    if segment >= SEGMENTS_END:
        return SEGMENT
    return NO_INDEX if is_index and segment != INDEX else _SOUND


@compiled()
def _note(
    odd: Ints, place: int, message: int, kind: int, first: int, end: int, said: int, before: int
) -> int:
    """Write down a piece that holds no packet, if there is room; return the next one's place."""
    if place < odd.shape[1]:
        odd[0, place], odd[1, place], odd[2, place] = message, kind, first
        odd[3, place], odd[4, place], odd[5, place] = end, said, before
    return place + 1


@compiled()
def _find(joined: bytes, end: int, messages: int, packets: Ints, odd: Ints) -> tuple[int, int, int]:
    """Write where packets are, and what is none; return how many packets, books and odd pieces there are.

    Of the odd pieces those that there is no room for are counted only.
    """
    found = books = strange = 0
    for message in range(messages):
        at, end = message_at(joined, end)
        if at == end:
            strange = _note(odd, strange, message, EMPTY, at, end, 0, 0)
            continue
        if end - at == 1:
            continue
        if joined[at] >= _TEXT_FROM:
            strange = _note(odd, strange, message, TEXT, at, end, 0, 0)
            continue
        count, at = _u2(joined, at), at + 2
        for number in range(count):
            if end - at < 2:
                strange = _note(odd, strange, message, MISSING, at, end, count, number)
                at = end
                break
            size, first = _u2(joined, at), at + 2
            at = first + size
            if at > end:
                strange = _note(odd, strange, message, CUT, first, end, size, number)
                break
            kind = _kind(joined, first, size)
            if kind != _SOUND:
                strange = _note(odd, strange, message, kind, first, at, size, number)
                continue
            packets[_TOKEN, found], packets[_MESSAGE, found] = _u4(joined, first), message
            packets[_FIRST, found], packets[_SIZE, found] = first, size
            found += 1
            books += size == _FULL_SIZE
        if at < end:
            strange = _note(odd, strange, message, BEHIND, at, end, count, count)
    return found, books, strange


@compiled()
def _room(joined: bytes) -> Ints:
    """Return room for as many packets as so many bytes can hold: the shortest behind their lengths."""
    return np.empty((_KNOWN, len(joined) // (2 + _LTP_SIZE)), np.int64)


@compiled(OCTETS, int64, int64)
def find_packets(joined: bytes, start: int, messages: int) -> tuple[Ints, Ints]:
    """Return where packets are, and what is none, in arrival order.

    Parameters
    ----------
    joined : bytes
        The messages as `common.gathered` has them.
    start, messages : int
        Where the first one is with its length, and how many there are. One of a single byte says "still
        here" and is left out.

    Returns
    -------
    packets : ndarray of int64, shape (4, packets)
        Token, number of the message, first byte and size of each.
    odd : ndarray of int64, shape (6, pieces)
        Of each piece that holds no packet: number of the message, kind, first byte, end, the length or count
        that was said, and how many pieces came before it.
    """
    packets, odd = _room(joined), np.empty((_TOLD, 0), np.int64)
    count, _, strange = _find(joined, start, messages, packets, odd)
    if strange:
        odd = np.empty((_TOLD, strange), np.int64)
        _find(joined, start, messages, packets, odd)
    return packets[:, :count], odd


@compiled(OCTETS, int64, int64, reads(int64))
def read_ticks(
    joined: bytes, start: int, messages: int, arrivals: Ints
) -> tuple[Ints, Ints, Ints, Floats, int, int]:
    """Return what the packets say as ticks.

    Parameters
    ----------
    joined, start, messages
        As `find_packets` takes them.
    arrivals : ndarray of int64, shape (messages,) or (1,)
        When each message arrived, or all of them.

    Returns
    -------
    tokens, received_at, timestamp : ndarray of int64, shape (n,)
        What each tick is about, and its times.
    values : ndarray of float64, shape (12, n)
        As in `batch.Ticks`.
    books, odd : int
        How many packets hold books, and how many pieces hold no packet.
    """
    packets = _room(joined)
    count, books, odd = _find(joined, start, messages, packets, np.empty((_TOLD, 0), np.int64))
    received_at, timestamp = np.empty(count, np.int64), np.empty(count, np.int64)
    values = np.full((_LINES, count), np.nan)
    for row in range(count):
        message, first, size = packets[_MESSAGE, row], packets[_FIRST, row], packets[_SIZE, row]
        segment = joined[first + _SEGMENT_AT]
        divisor = _DIVISORS[segment]
        seconds = 0
        values[LTP_LINE, row] = _price(joined, first + _LTP_AT, divisor)
        if size != _LTP_SIZE:
            open_at, high_at, low_at, close_at = _INDEX_DAY_AT if size in _INDEX_SIZES else _DAY_AT
            values[OPEN_LINE, row] = _price(joined, first + open_at, divisor)
            values[HIGH_LINE, row] = _price(joined, first + high_at, divisor)
            values[LOW_LINE, row] = _price(joined, first + low_at, divisor)
            values[CLOSE_LINE, row] = _price(joined, first + close_at, divisor)
        if size == _INDEX_FULL_SIZE:
            seconds = _u4(joined, first + _INDEX_TIME_AT)
        elif size in (_QUOTE_SIZE, _FULL_SIZE):
            ltq = _u4(joined, first + _LTQ_AT)
            if ltq != 0:
                values[LTQ_LINE, row] = ltq
            values[VOLUME_LINE, row] = _u4(joined, first + _VOLUME_AT)
            if size == _FULL_SIZE:
                oi = _u4(joined, first + _OI_AT)
                if oi != 0 or not _IS_CASH[segment]:
                    values[OI_LINE, row] = oi
                bid, bid_qty = _level(joined, first + _BIDS_AT, divisor)
                ask, ask_qty = _level(joined, first + _ASKS_AT, divisor)
                values[BID_LINE, row], values[BID_QTY_LINE, row] = bid, bid_qty
                values[ASK_LINE, row], values[ASK_QTY_LINE, row] = ask, ask_qty
                seconds = _u4(joined, first + _TIME_AT)
                if seconds == 0:
                    seconds = _u4(joined, first + _LTT_AT)
        received_at[row] = arrivals[message if len(arrivals) > 1 else 0]
        timestamp[row] = seconds * 1_000_000 if seconds != 0 else received_at[row]
    return packets[_TOKEN, :count].copy(), received_at, timestamp, values, books, odd


@compiled()
def _side(joined: bytes, packets: Ints, books: int, side_at: int) -> Sent:
    """Return one side of all books, the one whose levels are there in a packet."""
    ends, room = np.empty(books, np.int64), books * _LEVELS
    price, qty, orders = np.empty(room), np.empty(room), np.empty(room, np.int32)
    row = level = 0
    for book in range(books):
        while packets[_SIZE, row] != _FULL_SIZE:
            row += 1
        first = packets[_FIRST, row]
        divisor = _DIVISORS[joined[first + _SEGMENT_AT]]
        for place in range(_LEVELS):
            at = first + side_at + place * _LEVEL_SIZE
            paid, there = _level(joined, at, divisor)
            if paid == paid:
                price[level], qty[level], orders[level] = paid, there, _u2(joined, at + _ORDERS_AT)
                level += 1
        ends[book] = level
        row += 1
    return ends, price[:level], qty[:level], orders[:level]


@compiled(OCTETS, int64, int64)
def read_books(joined: bytes, start: int, messages: int) -> tuple[Ints, Sent, Sent]:
    """Return the books in packets: which of the ticks each came with, and their sides.

    Parameters
    ----------
    joined, start, messages
        As `find_packets` takes them.

    Returns
    -------
    rows : ndarray of int64, shape (books,)
    bids, asks : tuple of ndarray
        As `batch.Side` has them.
    """
    packets = _room(joined)
    count, books, _ = _find(joined, start, messages, packets, np.empty((_TOLD, 0), np.int64))
    rows = np.flatnonzero(packets[_SIZE, :count] == _FULL_SIZE)
    return rows, _side(joined, packets, books, _BIDS_AT), _side(joined, packets, books, _ASKS_AT)
