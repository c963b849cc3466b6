"""What Dhan's live packets say, as compiled loops.

Packets of all kinds are walked through and read in one pass, in arrival order.
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
from ltpkit.feeds.dhan.wire import (
    CODES,
    HEADER,
    IST_OFFSET_S,
    LEVELS,
    PACKET,
    PACKETS,
    SEGMENT_CODES,
    SEGMENTS_END,
)
from ltpkit.schema import FEED_FLOATS

__all__ = [
    "CUT",
    "EMPTY",
    "NEW",
    "NO_HEADER",
    "NO_ROW",
    "ROW",
    "UNKNOWN_CODE",
    "UNKNOWN_SEGMENT",
    "WRONG_LENGTH",
    "next_piece",
    "read",
]

#: What a piece of a message is: a packet that makes a row, the same of an instrument without a number, a
#: packet about something else, or damage.
ROW, NEW, NO_ROW, EMPTY, NO_HEADER, UNKNOWN_CODE, WRONG_LENGTH, CUT, UNKNOWN_SEGMENT = range(9)

_TICKER, _DEPTH5, _QUOTE = CODES["ticker"], CODES["depth5"], CODES["quote"]
_OI, _PREV_CLOSE, _FULL = CODES["oi"], CODES["prev_close"], CODES["full"]
_STATUS, _DISCONNECT = CODES["status"], CODES["disconnect"]
_WITH_BOOK: Final = (_FULL, _DEPTH5)
_HEADER_SIZE: Final = HEADER.itemsize
#: Of packets by response code, 0 where there is none.
_SIZES: Final = np.array([PACKETS[code].itemsize if code in PACKETS else 0 for code in range(256)])
_LEVELS: Final = LEVELS
_IST_OFFSET_US: Final = IST_OFFSET_S * 1_000_000

#: An index has no book and no volume; the cash segments have no open interest.
_INDEX: Final = SEGMENT_CODES["IDX_I"]
_CASH: Final = (_INDEX, SEGMENT_CODES["NSE_EQ"], SEGMENT_CODES["BSE_EQ"])

_COLUMNS: Final = len(FEED_FLOATS)

_packets: Final = reads(numba.from_dtype(PACKET))

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]
#: Records that may start at any byte of the messages.
_Packets = npt.NDArray[np.void]
#: A packet, or the part of it that is passed on: its fields by name.
_Record = Any
#: An instrument's tick size as `numbers.steps_of` has it.
_Step = tuple[float, float, float]
#: The columns of a row, in the order of `schema.FEED_FLOATS`.
_Row = tuple[float, float, float, float, float, float, float, float, float, float, float, float]


@compiled(_packets, int64, int64)
def next_piece(packets: _Packets, start: int, end: int) -> tuple[int, int]:
    """Return what is next in a message, and where it ends.

    Parameters
    ----------
    packets : ndarray of `PACKET`
        The messages: a packet may start at any of their bytes.
    start, end : int
        What is left of the message.
    """
    left = end - start
    if left == 0:
        return EMPTY, end
    if left < _HEADER_SIZE:
        return NO_HEADER, end
    header: _Record = packets[start]["header"]
    length: Any = np.int64(header["length"])
    size: int = _SIZES[header["code"]]
    if size == 0:
        # Skipped by its own length where that can be true; what is behind it still counts.
        return UNKNOWN_CODE, start + length if _HEADER_SIZE <= length <= left else end
    if length != size:
        return WRONG_LENGTH, end  # where the next one starts is unknown
    if size > left:
        return CUT, end
    if header["code"] == _STATUS or header["code"] == _DISCONNECT:
        return NO_ROW, start + size
    return UNKNOWN_SEGMENT if header["segment"] >= SEGMENTS_END else ROW, start + size


@compiled()
def _quoted(sent: np.float32, step: _Step) -> float:
    """Return the price the exchange meant, NaN where there is none.

    The multiple of the tick size nearest to what was sent is the price, if float32 would write that multiple
    so. Otherwise the tick size is not believed: exchanges change them and instrument lists lag behind.
    """
    # Whole numbers until the division, so its result is the double nearest to the decimal.
    price: float = np.rint(np.float64(sent) * step[0]) * step[1] / step[2]
    if np.float32(price) == sent and 0 < abs(price) < np.inf:
        return price
    size = abs(np.float64(sent))
    # Steps of float32 reach 0.0001 at 1024 and 0.001 at 16384: further decimals are its own.
    places = 1e4 if size < 1024 else 1e3 if size < 16_384 else 1e2
    price = np.rint(np.float64(sent) * places) / places
    return price if 0 < abs(price) < np.inf else np.nan


@compiled()
def _counted(count: int) -> float:
    """Return a count, NaN for 0 where that says "none"."""
    return np.float64(count) if count else np.nan


@compiled(inline=True)
def _trade(packet: _Record, step: _Step) -> tuple[float, float, float, float, float, float, float]:
    """Return what quote and full packets alike say of the last trade and of the day."""
    return (
        _quoted(packet["ltp"], step),
        _counted(packet["ltq"]),
        _quoted(packet["open"], step),
        _quoted(packet["high"], step),
        _quoted(packet["low"], step),
        _quoted(packet["close"], step),
        np.float64(packet["volume"]) if packet["segment"] != _INDEX else _counted(packet["volume"]),
    )


@compiled(inline=True)
def _best(level: _Record, step: _Step) -> tuple[float, float, float, float]:
    """Return the best bid and ask, each with its quantity; a level without a price is none."""
    bid, ask = _quoted(level["bid_price"], step), _quoted(level["ask_price"], step)
    bid_qty = _counted(level["bid_qty"]) if bid == bid else np.nan
    ask_qty = _counted(level["ask_qty"]) if ask == ask else np.nan
    return bid, bid_qty, ask, ask_qty


@compiled(inline=True)
def _tick(packet: _Record, step: _Step) -> tuple[np.int64, _Row]:
    """Return a packet's time, in its own seconds, and its columns."""
    code, segment, ltt = packet["header"]["code"], packet["header"]["segment"], np.uint32(0)
    ltp = ltq = opened = high = low = close = volume = bid = bid_qty = ask = ask_qty = oi = np.nan
    if code == _QUOTE:
        ltt = packet["quote"]["ltt"]
        ltp, ltq, opened, high, low, close, volume = _trade(packet["quote"], step)
    elif code == _FULL:
        ltt = packet["full"]["ltt"]
        ltp, ltq, opened, high, low, close, volume = _trade(packet["full"], step)
        bid, bid_qty, ask, ask_qty = _best(packet["full"]["depth"][0], step)
        oi = _counted(packet["full"]["oi"]) if segment in _CASH else np.float64(packet["full"]["oi"])
    elif code == _TICKER:
        ltt = packet["ticker"]["ltt"]
        ltp = _quoted(packet["ticker"]["ltp"], step)
    elif code == _DEPTH5:
        ltp = _quoted(packet["depth5"]["ltp"], step)
        bid, bid_qty, ask, ask_qty = _best(packet["depth5"]["depth"][0], step)
    elif code == _OI:
        oi = np.float64(packet["oi"]["oi"])
    elif code == _PREV_CLOSE:
        close = _quoted(packet["prev_close"]["prev_close"], step)
    return np.int64(ltt), (ltp, ltq, opened, high, low, close, volume, bid, bid_qty, ask, ask_qty, oi)


@compiled(
    OCTETS, _packets, int64, int64, int64, reads(int64), int64[:, ::1], int64, reads(float64, 2),
    int32[::1], int64[:, ::1], float64[:, ::1],
    int64[:, ::1], float64[:, :, ::1], int32[:, ::1], int64[:, ::1],
)  # fmt: skip
def read(
    joined: bytes,
    packets: _Packets,
    at: int,
    messages: int,
    received: int,
    received_at: _Integers,
    known: _Integers,
    rest: int,
    steps: _Floats,
    numbers: npt.NDArray[np.int32],
    times: _Integers,
    values: _Floats,
    books: _Integers,
    levels: _Floats,
    orders: npt.NDArray[np.int32],
    others: _Integers,
) -> tuple[int, int, int]:
    """Write what the messages say, as far as there is room; return how many rows, books and others there are.

    Parameters
    ----------
    joined : bytes
        The messages as in `gathered`.
    packets : ndarray of `PACKET`
        The same bytes: a packet may start at any of them.
    at, messages : int
        Where the first message is with its length, and how many there are.
    received, received_at : int and ndarray of int64, shape (messages,) or (0,)
        When all messages were received, or each of them was.
    known : ndarray of int64
        Numbers of the instruments by `lookup.key`, as in `places`.
    rest : int
        The number of all instruments that have none, or `FREE` where they are to be given one.
    steps : ndarray of float64, shape (instruments, 3)
        As `numbers.steps_of` has them.
    numbers : ndarray of int32, shape (room,)
        To write the rows' instruments to.
    times : ndarray of int64, shape (2, room)
        To write the exchange's time and the time of receipt to.
    values : ndarray of float64, shape (12, room)
        To write the lines of `batch.Ticks.values` to.
    books : ndarray of int64, shape (3, room)
        To write to which row each book is of, and where the levels of its bids and asks end.
    levels : ndarray of float64, shape (2, 2, room)
        To write prices and quantities of the bids and of the asks to: levels that have a price.
    orders : ndarray of int32, shape (2, room)
        To write their orders to.
    others : ndarray of int64, shape (4, room)
        To write where pieces are that make no row yet: first byte, the byte behind the last, number of the
        message, and what they are.
    """
    row = book = other = bids = asks = 0
    stop = at
    for message in range(messages):
        start, end = message_at(joined, stop)
        if len(received_at):
            received = received_at[message]
        whole = False
        while not whole:
            kind, stop = next_piece(packets, start, end)
            if kind == ROW:
                packet = packets[start]
                code, segment = packet["header"]["code"], packet["header"]["segment"]
                number = find_number(np.int64(packet["header"]["security_id"]) << 8 | segment, known)
                number = rest if number == FREE else number
                has_book = code in _WITH_BOOK and segment != _INDEX
                if number == FREE:
                    kind = NEW
                elif row < len(numbers):
                    step = steps[number, 0], steps[number, 1], steps[number, 2]
                    numbers[row] = number
                    ltt, said = _tick(packet, step)
                    times[0, row] = ltt * 1_000_000 - _IST_OFFSET_US if ltt else received
                    times[1, row] = received
                    for line in range(_COLUMNS):
                        values[line, row] = said[line]
                    if has_book and book < books.shape[1]:
                        sides = packet["full"]["depth"] if code == _FULL else packet["depth5"]["depth"]
                        for place in range(_LEVELS):
                            level = sides[place]
                            bid, ask = _quoted(level["bid_price"], step), _quoted(level["ask_price"], step)
                            if bid == bid:
                                levels[0, 0, bids], levels[1, 0, bids] = bid, level["bid_qty"]
                                orders[0, bids] = level["bid_orders"]
                                bids += 1
                            if ask == ask:
                                levels[0, 1, asks], levels[1, 1, asks] = ask, level["ask_qty"]
                                orders[1, asks] = level["ask_orders"]
                                asks += 1
                        books[0, book], books[1, book], books[2, book] = row, bids, asks
                row += 1
                book += has_book
            if kind != ROW:
                if other < others.shape[1]:
                    others[0, other], others[1, other] = start, stop
                    others[2, other], others[3, other] = message, kind
                other += 1
            start, whole = stop, stop == end
    return row, book, other
