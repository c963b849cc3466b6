"""Dhan's packets, live feed version 2: their layouts, and where they are in some messages.

All little-endian and packed; layouts as in Dhan's documentation (*Live market feed*, *Annexure*) and
its ``dhanhq`` 2.3.0 package. A message may hold several packets, each behind an 8-byte header that
tells its length. What the numbers mean is left to `rows`; the simulated exchange writes with
the same layouts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Reject
from ltpkit.feeds.common.columns import Records, records_at
from ltpkit.feeds.common.lookup import Segments, one_or_all
from ltpkit.feeds.common.pieces import Odd, Piece, in_order, records, told_apart

__all__ = [
    "DEPTH5",
    "DISCONNECT",
    "FULL",
    "HEADER",
    "IST_OFFSET_S",
    "LEVEL",
    "OI",
    "PACKETS",
    "PREV_CLOSE",
    "QUOTE",
    "REASONS",
    "ROW_CODES",
    "SEGMENTS",
    "SEGMENT_CODES",
    "STATUS",
    "TICKER",
    "Split",
    "packets",
    "split",
]

_HEADER: Final = [("code", "u1"), ("length", "<u2"), ("segment", "u1"), ("security_id", "<u4")]
_TRADE: Final = [
    ("ltp", "<f4"),
    ("ltq", "<u2"),
    ("ltt", "<u4"),
    ("average_price", "<f4"),
    ("volume", "<u4"),
    ("total_sell_qty", "<u4"),  # sell comes before buy
    ("total_buy_qty", "<u4"),
]
_DAY: Final = [("open", "<f4"), ("close", "<f4"), ("high", "<f4"), ("low", "<f4")]  # close is second

#: What every packet starts with. `length` counts the whole packet.
HEADER: Final = np.dtype(_HEADER)
TICKER: Final = np.dtype([*_HEADER, ("ltp", "<f4"), ("ltt", "<u4")])
#: One level of the book, both sides.
LEVEL: Final = np.dtype(
    [
        ("bid_qty", "<u4"),
        ("ask_qty", "<u4"),
        ("bid_orders", "<u2"),
        ("ask_orders", "<u2"),
        ("bid_price", "<f4"),
        ("ask_price", "<f4"),
    ]
)
#: Version 1's five levels; no longer listed for version 2 and still read by Dhan's own package.
DEPTH5: Final = np.dtype([*_HEADER, ("ltp", "<f4"), ("depth", LEVEL, (5,))])
QUOTE: Final = np.dtype([*_HEADER, *_TRADE, *_DAY])
OI: Final = np.dtype([*_HEADER, ("oi", "<u4")])
PREV_CLOSE: Final = np.dtype([*_HEADER, ("prev_close", "<f4"), ("prev_oi", "<u4")])
STATUS: Final = HEADER
FULL: Final = np.dtype(
    [
        *_HEADER,
        *_TRADE,
        ("oi", "<u4"),
        ("oi_day_high", "<u4"),
        ("oi_day_low", "<u4"),
        *_DAY,
        ("depth", LEVEL, (5,)),
    ]
)
DISCONNECT: Final = np.dtype([*_HEADER, ("reason", "<u2")])

#: The layout behind each response code.
PACKETS: Final[dict[int, np.dtype[np.void]]] = {
    2: TICKER,
    3: DEPTH5,
    4: QUOTE,
    5: OI,
    6: PREV_CLOSE,
    7: STATUS,
    8: FULL,
    50: DISCONNECT,
}

#: Segment codes, the names that requests use, and the exchange as analysts write it. 6 is unassigned.
SEGMENTS: Final[dict[int, tuple[str, str]]] = {
    0: ("IDX_I", "INDEX"),
    1: ("NSE_EQ", "NSE"),
    2: ("NSE_FNO", "NFO"),
    3: ("NSE_CURRENCY", "CDS"),
    4: ("BSE_EQ", "BSE"),
    5: ("MCX_COMM", "MCX"),
    7: ("BSE_CURRENCY", "BCD"),
    8: ("BSE_FNO", "BFO"),
}
SEGMENT_CODES: Final = {name: code for code, (name, _) in SEGMENTS.items()}

#: Indian wall clock is this far ahead of UTC.
IST_OFFSET_S: Final = 19_800

#: Disconnect codes: Dhan's published words, and whether coming back makes sense. 805 is sent to the
#: oldest of six connections and to a client in a hurry alike; the second passes, so it is retried
#: with the usual growing pause. Dhan asks not to reconnect in a loop on 806 to 810.
REASONS: Final[dict[int, tuple[str, Literal["retry", "login", "stop"]]]] = {
    800: ("internal server error", "retry"),
    804: ("more instruments than allowed", "stop"),
    805: ("too many requests or connections, the oldest connection was dropped", "retry"),
    806: ("Data API not subscribed", "stop"),
    807: ("access token expired", "login"),
    808: ("authentication failed, client id or token invalid", "stop"),
    809: ("access token invalid", "stop"),
    810: ("client id invalid", "stop"),
}

#: Codes of packets that say something about one instrument; the others are about the connection.
ROW_CODES: Final = frozenset({2, 3, 4, 5, 6, 8})

#: From here on a segment code is damage, not one that Dhan has added since: each becomes a category
#: of the exchange column for as long as the process lives.
SEGMENTS_END: Final = 16

_SIZE: Final = {code: layout.itemsize for code, layout in PACKETS.items()}
_PREFIX: Final = struct.Struct("<BHB")
_PAD: Final = bytes(HEADER.itemsize)

# A sound packet's first four bytes as a number, the segment's low half left out: one comparison
# checks code, length and segment of all packets.
_START_MASK: Final = np.uint32(0xF0FF_FFFF)
_STARTS: Final = np.full(256, 2**32 - 1, np.uint32)
_SIZES: Final = np.full(256, -1, np.int64)
for _code, _size in _SIZE.items():
    _STARTS[_code] = _code | _size << 8
    _SIZES[_code] = _size
_CODE_MASK: Final = np.uint32(0xFF)
_SEGMENT_SHIFT: Final = np.uint32(24)


def _pieces(frame: bytes) -> Iterator[Piece]:
    """Yield each packet as (offset, code), or (reason, bytes) where there is none to read."""
    at, end = 0, len(frame)
    if not end:
        yield "empty message", b""
    while at < end:
        left = end - at
        if left < HEADER.itemsize:
            yield f"cut short: {left} bytes where a header has {HEADER.itemsize}", frame[at:]
            return
        code, length, segment = _PREFIX.unpack_from(frame, at)
        size = _SIZE.get(code)
        if size is None:
            # Skipped by its own length where that can be true; the packets behind it still count.
            sane = HEADER.itemsize <= length <= left
            yield f"unknown response code {code}", frame[at : at + length] if sane else frame[at:]
            if not sane:
                return
            at += length
            continue
        if length != size:
            # The end of this packet is unknown, so is the start of the next one.
            yield f"length field says {length}, a packet of code {code} has {size}", frame[at:]
            return
        if size > left:
            yield f"cut short: {left} of the {size} bytes of code {code}", frame[at:]
            return
        if segment >= SEGMENTS_END and code in ROW_CODES:
            yield f"unknown exchange segment {segment}", frame[at : at + size]
        else:
            yield at, code
        at += size


def packets(frame: bytes) -> tuple[list[np.void], list[Reject]]:
    """Return the packets in one message, field by field as they were sent.

    For looking at bytes: nothing is rounded, converted or left out. `Dhan.decode` makes rows.

    Returns
    -------
    list of numpy.void, list of Reject
        Records of the layouts in `PACKETS`; what could not be read, received at 0.

    Examples
    --------
    >>> sent = np.array((2, 16, 1, 2885, 1411.5, 1753455192), TICKER).tobytes()
    >>> [packet], rejects = packets(sent)
    >>> int(packet["security_id"]), float(packet["ltp"]), rejects
    (2885, 1411.5, [])
    """
    return records(frame, _pieces(frame), PACKETS)


class Split(msgspec.Struct):
    """Where the packets of some messages are, in arrival order.

    Attributes
    ----------
    joined : bytes
        The messages, one after the other.
    ids : ndarray of int64, shape (n,)
        The packets' security ids, unique within a segment only.
    segments : Segments
    code : int or None
        The packets' code when all share it and nothing else is in `joined`; then `starts`, `codes`
        and `frame_of` are not needed and None.
    starts, codes, frame_of : ndarray of int64, shape (n,)
        First byte in `joined`, code, and number of the message of each packet.
    rejects : list of Odd
        What could not be read.
    """

    joined: bytes
    ids: npt.NDArray[np.int64]
    segments: Segments
    code: int | None = None
    starts: npt.NDArray[np.int64] | None = None
    codes: npt.NDArray[np.int64] | None = None
    frame_of: npt.NDArray[np.int64] | None = None
    rejects: list[Odd] = []

    def records(self, code: int, which: npt.NDArray[np.intp] | None = None) -> Records:
        """Return the packets numbered `which`, all of that code."""
        size = _SIZE[code]
        if self.starts is None:
            alike: Records = np.frombuffer(self.joined, f"V{size}", len(self.ids))
            return alike if which is None else alike[which]
        return records_at(self.joined, self.starts if which is None else self.starts[which], size)

    def record(self, code: int, number: int) -> np.void:
        """Return one packet, field by field."""
        start = number * _SIZE[code] if self.starts is None else int(self.starts[number])
        packet: np.void = np.frombuffer(self.joined, PACKETS[code], 1, start)[0]
        return packet


def split(frames: Sequence[bytes]) -> Split:
    """Return where the packets in these messages are."""
    first, count = frames[0], len(frames)
    size = len(first)
    code = first[0] if size else 0
    if _SIZE.get(code) == size and len(set(map(len, frames))) == 1:
        joined = b"".join(frames)
        heads: npt.NDArray[np.uint32] = np.ndarray((count, 2), "<u4", joined, strides=(size, 4))
        starts, ids = heads[:, 0], heads[:, 1].astype(np.int64)
        start = code | size << 8
        if first[3] < SEGMENTS_END and np.count_nonzero(starts == start | first[3] << 24) == count:
            return Split(joined, ids, first[3], code)
        if np.count_nonzero(starts & _START_MASK == start) == count:
            return Split(joined, ids, one_or_all((starts >> _SEGMENT_SHIFT).astype(np.int64)), code)
    return _split_mixed(frames)


def _split_mixed(frames: Sequence[bytes]) -> Split:
    joined = b"".join((*frames, _PAD))  # padded, so that a header can be read at the last start
    sizes = np.fromiter(map(len, frames), np.int64, len(frames))
    starts = sizes.cumsum() - sizes
    any_start: npt.NDArray[np.uint64] = np.ndarray((len(joined) - 7,), "<u8", joined, strides=(1,))
    heads = any_start[starts].view(np.uint32).reshape(-1, 2)
    codes = (heads[:, 0] & _CODE_MASK).astype(np.int64)
    sound = heads[:, 0] & _START_MASK == _STARTS[codes]
    sound &= sizes == _SIZES[codes]
    frame_of, rejects = np.arange(len(frames)), list[Odd]()
    if not sound.all():
        found: list[tuple[int, int, int]] = []
        for number in np.flatnonzero(~sound).tolist():
            base = int(starts[number])
            some, odd = told_apart(_pieces(frames[number]))
            found += [(base + at, code, number) for at, code in some]
            rejects += [(number, reason, piece) for reason, piece in odd]
        starts, codes, frame_of = in_order(starts[sound], codes[sound], np.flatnonzero(sound), found)
        heads = any_start[starts].view(np.uint32).reshape(-1, 2)
    ids, segments = heads.astype(np.int64).T[1], (heads[:, 0] >> _SEGMENT_SHIFT).astype(np.int64)
    return Split(joined, ids, one_or_all(segments), None, starts, codes, frame_of, rejects)
