"""Where Dhan's live packets are in some messages, and what they say: the compiled loops.

Packets of all kinds are walked through and read in one pass, in arrival order.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt
from numba import float64, int32, int64

from ltpkit.compiled import OCTETS, compiled, reads
from ltpkit.feeds.common.columns import (
    ASK_LINE,
    ASK_QTY_LINE,
    BID_LINE,
    BID_QTY_LINE,
    CLOSE_LINE,
    HIGH_LINE,
    LOW_LINE,
    LTP_LINE,
    LTQ_LINE,
    OI_LINE,
    OPEN_LINE,
    VOLUME_LINE,
)
from ltpkit.feeds.common.gathered_loops import message_at
from ltpkit.feeds.dhan.wire import CODES, HEADER, IST_OFFSET_S, LEVELS, PACKET, SEGMENT_CODES, SEGMENTS_END

__all__ = [
    "CUT",
    "EMPTY",
    "NO_HEADER",
    "NO_ROW",
    "UNKNOWN_CODE",
    "UNKNOWN_SEGMENT",
    "WRONG_LENGTH",
    "find_packets",
    "read_books",
    "read_ticks",
]

_ROW: Final = -1
#: What a piece of a message is that makes no row: a packet about something else, or damage.
NO_ROW, EMPTY, NO_HEADER, UNKNOWN_CODE, WRONG_LENGTH, CUT, UNKNOWN_SEGMENT = range(7)

_TICKER, _DEPTH5, _QUOTE = CODES["ticker"], CODES["depth5"], CODES["quote"]
_OI, _PREV_CLOSE, _FULL = CODES["oi"], CODES["prev_close"], CODES["full"]
_STATUS, _DISCONNECT = CODES["status"], CODES["disconnect"]
_HEADER_SIZE: Final = HEADER.itemsize
_LEVELS: Final = LEVELS
_IST_OFFSET_US: Final = IST_OFFSET_S * 1_000_000

#: An index has no book and no volume; the cash segments have no open interest.
_INDEX: Final = SEGMENT_CODES["IDX_I"]
_CASH: Final = (_INDEX, SEGMENT_CODES["NSE_EQ"], SEGMENT_CODES["BSE_EQ"])

_packets: Final = reads(numba.from_dtype(PACKET))

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]
#: Records that may start at any byte of the messages.
_Packets = npt.NDArray[np.void]
#: A packet, or the part of it that is passed on: its fields by name.
_Record = Any
#: An instrument's tick size as `numbers.steps_of` has it.
_Step = tuple[float, float, float]


@compiled()
def _piece(packets: _Packets, start: int, end: int, sizes: _Integers) -> tuple[int, int]:
    """Return what is next in a message, and where it ends."""
    left = end - start
    if left == 0:
        return EMPTY, end
    if left < _HEADER_SIZE:
        return NO_HEADER, end
    header: _Record = packets[start]["header"]
    length: Any = np.int64(header["length"])
    size: int = sizes[header["code"]]
    if size == 0:
        # Skipped by its own length where that can be true; what is behind it still counts.
        return UNKNOWN_CODE, start + length if _HEADER_SIZE <= length <= left else end
    if length != size:
        return WRONG_LENGTH, end  # where the next one starts is unknown
    if size > left:
        return CUT, end
    if header["code"] == _STATUS or header["code"] == _DISCONNECT:
        return NO_ROW, start + size
    return UNKNOWN_SEGMENT if header["segment"] >= SEGMENTS_END else _ROW, start + size


@compiled()
def _find(
    joined: bytes,
    packets: _Packets,
    at: int,
    messages: int,
    sizes: _Integers,
    rows: _Integers,
    others: _Integers,
) -> tuple[int, int, int]:
    """Write where packets and other pieces are, as far as there is room; return how many there are.

    How many packets make a row, how many of them have a book, and how many other pieces there are.
    """
    row = book = other = 0
    stop = at
    for message in range(messages):
        start, end = message_at(joined, stop)
        whole = False
        while not whole:
            kind, stop = _piece(packets, start, end, sizes)
            if kind == _ROW:
                header = packets[start]["header"]
                if row < rows.shape[1]:
                    rows[0, row], rows[2, row] = start, message
                    rows[1, row] = np.int64(header["security_id"]) << 8 | header["segment"]
                row += 1
                book += header["segment"] != _INDEX and (header["code"] == _FULL or header["code"] == _DEPTH5)
            else:
                if other < others.shape[1]:
                    others[0, other], others[1, other] = start, stop
                    others[2, other], others[3, other] = message, kind
                other += 1
            start, whole = stop, stop == end
    return row, book, other


@compiled(OCTETS, _packets, int64, int64, reads(int64))
def find_packets(
    joined: bytes, packets: _Packets, at: int, messages: int, sizes: _Integers
) -> tuple[_Integers, int, _Integers]:
    """Return where the packets are that make a row, how many of them have a book, and the other pieces.

    Parameters
    ----------
    joined : bytes
        The messages as in `gathered`.
    packets : ndarray of `PACKET`
        The same bytes: a packet may start at any of them.
    at, messages : int
        Where the first message is with its length, and how many there are.
    sizes : ndarray of int64, shape (256,)
        Of packets by response code, 0 where there is none.

    Returns
    -------
    ndarray of int64, shape (3, n)
        First byte, `lookup.key` of the instrument, and number of the message.
    int
    ndarray of int64, shape (4, m)
        First byte, the byte behind the last, number of the message, and what it is.
    """
    rows, others = np.empty((3, messages), np.int64), np.empty((4, 0), np.int64)
    found, books, rest = _find(joined, packets, at, messages, sizes, rows, others)
    if found > messages or rest > 0:  # more than one in a message, or something else
        rows, others = np.empty((3, found), np.int64), np.empty((4, rest), np.int64)
        _find(joined, packets, at, messages, sizes, rows, others)
    return rows[:, :found], books, others


@compiled()
def _quoted(sent: np.float32, step: _Step) -> float:
    """Return the price the exchange meant, NaN where there is none.

    The multiple of the tick size nearest to what was sent is the price, if float32 would write that multiple
    so. Otherwise the tick size is not believed: exchanges change them and instrument lists lag behind.
    """
    # Whole numbers until the division, so its result is the double nearest to the decimal.
    price = np.rint(np.float64(sent) * step[0]) * step[1] / step[2]
    if not (np.float32(price) == sent and abs(price) < np.inf):
        size = abs(np.float64(sent))
        # Steps of float32 reach 0.0001 at 1024 and 0.001 at 16384: further decimals are its own.
        places = 1e4 if size < 1024 else 1e3 if size < 16_384 else 1e2
        price = np.rint(np.float64(sent) * places) / places
    return price if price != 0 and abs(price) < np.inf else np.nan


@compiled()
def _counted(count: int) -> float:
    """Return a count, NaN for 0 where that says "none"."""
    return np.float64(count) if count else np.nan


@compiled()
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


@compiled()
def _best(level: _Record, step: _Step) -> tuple[float, float, float, float]:
    """Return the best bid and ask, each with its quantity; a level without a price is none."""
    bid, ask = _quoted(level["bid_price"], step), _quoted(level["ask_price"], step)
    bid_qty = _counted(level["bid_qty"]) if bid == bid else np.nan
    ask_qty = _counted(level["ask_qty"]) if ask == ask else np.nan
    return bid, bid_qty, ask, ask_qty


@compiled(
    _packets, reads(int64), reads(int64), reads(int64), reads(int32), reads(float64, 2),
    int64[:, ::1], float64[:, ::1],
)  # fmt: skip
def read_ticks(
    packets: _Packets,
    starts: _Integers,
    message_of: _Integers,
    received_at: _Integers,
    numbers: npt.NDArray[np.int32],
    steps: _Floats,
    times: _Integers,
    values: _Floats,
) -> None:
    """Write what the packets say as ticks.

    Parameters
    ----------
    packets, starts, message_of
        As `find_packets` has and writes them.
    received_at : ndarray of int64
        When each message was received.
    numbers : ndarray of int32, shape (n,)
        The packets' instruments.
    steps : ndarray of float64, shape (instruments, 3)
        As `numbers.steps_of` has them.
    times : ndarray of int64, shape (2, n)
        To write the exchange's time and the time of receipt to.
    values : ndarray of float64, shape (12, n)
        To write the lines of `batch.Ticks.values` to.
    """
    none = np.nan
    for row in range(len(starts)):
        packet, number = packets[starts[row]], numbers[row]
        step = steps[number, 0], steps[number, 1], steps[number, 2]
        code, segment, ltt = packet["header"]["code"], packet["header"]["segment"], np.uint32(0)
        ltp, ltq, opened, high, low, close, volume = none, none, none, none, none, none, none
        bid, bid_qty, ask, ask_qty, oi = none, none, none, none, none
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
        values[LTP_LINE, row], values[LTQ_LINE, row], values[VOLUME_LINE, row] = ltp, ltq, volume
        values[OPEN_LINE, row], values[HIGH_LINE, row] = opened, high
        values[LOW_LINE, row], values[CLOSE_LINE, row] = low, close
        values[BID_LINE, row], values[BID_QTY_LINE, row] = bid, bid_qty
        values[ASK_LINE, row], values[ASK_QTY_LINE, row] = ask, ask_qty
        values[OI_LINE, row] = oi
        received = received_at[message_of[row]]
        times[0, row] = np.int64(ltt) * 1_000_000 - _IST_OFFSET_US if ltt else received
        times[1, row] = received


@compiled(
    _packets, reads(int64), reads(int32), reads(float64, 2),
    int64[::1], int64[:, ::1], float64[:, ::1], float64[:, ::1], int32[:, ::1],
)  # fmt: skip
def read_books(
    packets: _Packets,
    starts: _Integers,
    numbers: npt.NDArray[np.int32],
    steps: _Floats,
    rows: _Integers,
    ends: _Integers,
    price: _Floats,
    qty: _Floats,
    orders: npt.NDArray[np.int32],
) -> None:
    """Write the books of those packets that have one: their levels that have a price.

    Parameters
    ----------
    packets, starts, numbers, steps
        As in `read_ticks`.
    rows : ndarray of int64, shape (books,)
        To write to which packet each book is of.
    ends : ndarray of int64, shape (2, books)
        To write to where the levels of each book's bids and asks end.
    price, qty, orders : ndarray, shape (2, room)
        To write the levels of the bids and of the asks to.
    """
    book = bids = asks = 0
    for row in range(len(starts)):
        packet, number = packets[starts[row]], numbers[row]
        code, segment = packet["header"]["code"], packet["header"]["segment"]
        if segment == _INDEX or (code != _FULL and code != _DEPTH5):
            continue
        step = steps[number, 0], steps[number, 1], steps[number, 2]
        levels = packet["full"]["depth"] if code == _FULL else packet["depth5"]["depth"]
        for place in range(_LEVELS):
            level = levels[place]
            bid, ask = _quoted(level["bid_price"], step), _quoted(level["ask_price"], step)
            if bid == bid:
                price[0, bids], qty[0, bids], orders[0, bids] = bid, level["bid_qty"], level["bid_orders"]
                bids += 1
            if ask == ask:
                price[1, asks], qty[1, asks], orders[1, asks] = ask, level["ask_qty"], level["ask_orders"]
                asks += 1
        rows[book], ends[0, book], ends[1, book] = row, bids, asks
        book += 1
