"""Kite's ticker packets, version 3: their layouts, and where they are in some messages.

All big-endian and packed, as in Zerodha's documentation (Kite Connect 3, *WebSocket streaming*) and its
``kiteconnect`` 5.2.2 package. A message is a count and then that many packets, each behind its length;
the length is also what tells a packet's kind. What the numbers mean is left to `ltpkit.feeds.kite.rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Reject
from ltpkit.feeds.common.columns import Records, records_at
from ltpkit.feeds.common.pieces import Odd, Piece, in_order, records, told_apart

__all__ = [
    "AHEAD",
    "FULL",
    "INDEX",
    "INDEX_FULL",
    "INDEX_QUOTE",
    "LEVEL",
    "LTP",
    "PACKETS",
    "QUOTE",
    "SEGMENTS",
    "Split",
    "packets",
    "split",
]

#: `token` is the exchange's own number, and below it a byte for the segment.
LTP: Final = np.dtype([("token", ">u4"), ("ltp", ">i4")])
_INDEX_DAY: Final = [("high", ">i4"), ("low", ">i4"), ("open", ">i4"), ("close", ">i4")]  # open is third
#: `change` is in percent times 100 in the one recorded packet.
INDEX_QUOTE: Final = np.dtype([*LTP.descr, *_INDEX_DAY, ("change", ">i4")])
INDEX_FULL: Final = np.dtype([*INDEX_QUOTE.descr, ("exchange_time", ">u4")])
QUOTE: Final = np.dtype(
    [
        *LTP.descr,
        ("ltq", ">u4"),
        ("average_price", ">i4"),
        ("volume", ">u4"),
        ("total_buy_qty", ">u4"),  # buy comes before sell
        ("total_sell_qty", ">u4"),
        ("open", ">i4"),
        ("high", ">i4"),
        ("low", ">i4"),
        ("close", ">i4"),
    ]
)
#: One level of one side. The last two bytes are padding, not always zero.
LEVEL: Final = np.dtype([("qty", ">u4"), ("price", ">i4"), ("orders", ">u2"), ("padding", ">u2")])
#: Five bids, then five asks.
FULL: Final = np.dtype(
    [
        *QUOTE.descr,
        ("ltt", ">u4"),
        ("oi", ">u4"),
        ("oi_day_high", ">u4"),
        ("oi_day_low", ">u4"),
        ("exchange_time", ">u4"),
        ("depth", LEVEL, (10,)),
    ]
)

#: The layout behind each packet length.
PACKETS: Final[dict[int, np.dtype[np.void]]] = {
    one.itemsize: one for one in (LTP, INDEX_QUOTE, INDEX_FULL, QUOTE, FULL)
}

#: Segment bytes: the exchange as analysts write it, and by what prices are multiplied on the wire.
#: The last one is 10,000 since ``kiteconnect`` 5.2.2, and was 100 in earlier releases.
SEGMENTS: Final[dict[int, tuple[str, int]]] = {
    1: ("NSE", 100),
    2: ("NFO", 100),
    3: ("CDS", 10_000_000),
    4: ("BSE", 100),
    5: ("BFO", 100),
    6: ("BCD", 10_000),
    7: ("MCX", 100),
    8: ("MCXSX", 100),
    9: ("INDEX", 100),
    12: ("NCO", 10_000),
}
INDEX: Final = 9

#: From here on a segment byte is damage, not a segment that Kite has added since: each becomes a category
#: of the exchange column for as long as the process lives.
SEGMENTS_END: Final = 16

#: In front of a packet is its length; in front of the first, the message's count.
AHEAD: Final = 4

#: A connection carries 3,000 instruments, so a count of 8,192 or more is the first letters of a text.
_TEXT_FROM: Final = 0x20

_INDEX_SIZES: Final = (INDEX_QUOTE.itemsize, INDEX_FULL.itemsize)
_PAD: Final = bytes(8)
_IS_SIZE: Final = np.isin(np.arange(2**16), list(PACKETS))


def _pieces(message: bytes) -> Iterator[Piece]:
    """Yield each packet as (offset, size), or (reason, bytes) where there is none to read."""
    end = len(message)
    if end < 2:
        yield "empty message", message
        return
    count, at = int.from_bytes(message[:2], "big"), 2
    for number in range(count):
        if end - at < 2:
            what = "" if at == end else f" and {end - at} more byte"
            yield f"cut short: {number} of {count} packets{what}", message[at:]
            return
        size, first = int.from_bytes(message[at : at + 2], "big"), at + 2
        at = first + size
        if at > end:
            yield f"cut short: {end - first} of the {size} bytes of a packet", message[first:]
            return
        if size not in PACKETS:
            yield f"unknown packet length {size}", message[first:at]
            continue
        segment = message[first + 3]
        if segment >= SEGMENTS_END:
            yield f"unknown segment {segment}", message[first:at]
        elif size in _INDEX_SIZES and segment != INDEX:
            yield f"an index packet for segment {segment}", message[first:at]
        else:
            yield first, size
    if at < end:
        yield f"{end - at} bytes behind the last of {count} packets", message[at:]


def packets(message: bytes) -> tuple[list[np.void], list[Reject]]:
    """Return the packets in one binary message, field by field as they were sent.

    For looking at bytes: nothing is divided or left out. `kite.Kite.decode` makes rows.

    Returns
    -------
    list of numpy.void, list of Reject
        Records of the layouts in `PACKETS`; what could not be read, received at 0.

    Examples
    --------
    >>> sent = bytes([0, 1, 0, 8]) + np.array((408065, 157370), LTP).tobytes()
    >>> [packet], rejects = packets(sent)
    >>> int(packet["token"]), int(packet["ltp"]), rejects
    (408065, 157370, [])
    """
    return records(message, _pieces(message), PACKETS)


class Split(msgspec.Struct):
    """Where the packets of some messages are, in arrival order.

    Attributes
    ----------
    joined : bytes
        The messages, one after the other.
    tokens : ndarray of int64, shape (packets,)
        What each packet is about.
    size : int or None
        The packets' size when all share it, each is alone in its message and nothing else is in `joined`;
        then `starts`, `sizes` and `frame_of` are not needed and None.
    starts, sizes, frame_of : ndarray of int64, shape (packets,)
        First byte in `joined`, size, and number of the message of each packet.
    texts : list of int
        Numbers of the messages that are text.
    rejects : list of Odd
        What could not be read.
    """

    joined: bytes
    tokens: npt.NDArray[np.int64]
    size: int | None = None
    starts: npt.NDArray[np.int64] | None = None
    sizes: npt.NDArray[np.int64] | None = None
    frame_of: npt.NDArray[np.int64] | None = None
    texts: list[int] = []
    rejects: list[Odd] = []

    def records(self, size: int, which: npt.NDArray[np.intp] | None = None) -> Records:
        """Return the packets numbered `which`, all of this size; each behind `AHEAD` bytes."""
        if self.starts is None:
            return np.frombuffer(self.joined, f"V{AHEAD + size}")
        starts = self.starts if which is None else self.starts[which]
        return records_at(self.joined, starts - AHEAD, AHEAD + size)


def split(frames: Sequence[bytes]) -> Split:
    """Return where the packets in these messages are. A message of one byte says "still here"."""
    length = len(frames[0])
    size = length - AHEAD
    if size in PACKETS and len(set(map(len, frames))) == 1:
        joined = b"".join(frames)
        lines = np.frombuffer(joined, ">u4").reshape(-1, length // 4)
        tokens = lines[:, 1].astype(np.int64)
        if np.count_nonzero(lines[:, 0] == 1 << 16 | size) == len(lines) and (
            np.count_nonzero(_is_sound(tokens & 0xFF, size)) == len(lines)
        ):
            return Split(joined, tokens, size)
    return _split_mixed(frames)


def _is_sound(segments: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.bool_]:
    return segments == INDEX if size in _INDEX_SIZES else segments < SEGMENTS_END


def _split_mixed(frames: Sequence[bytes]) -> Split:
    lengths = np.fromiter(map(len, frames), np.int64, len(frames))
    joined = b"".join((*frames, _PAD))  # padded, so that words can be read at the last start
    begins = lengths.cumsum() - lengths
    any_word: npt.NDArray[np.uint32] = np.ndarray((len(joined) - 3,), ">u4", joined, strides=(1,))
    heads = any_word[begins].astype(np.int64)
    counts, sizes = heads >> 16, heads & 0xFFFF
    # Nearly all messages hold packets of one size. Whether one does is told by its own length, and by
    # the length before each packet; the other messages are walked through.
    even = _IS_SIZE[sizes] & (lengths == counts * (sizes + 2) + 2) & (counts < _TEXT_FROM << 8)
    frame_of, starts, sizes = _laid_out(np.flatnonzero(even), begins, counts, sizes)
    heads = any_word[starts - 2].astype(np.int64)
    tokens = any_word[starts].astype(np.int64)
    segments = tokens & 0xFF
    sound = (heads >> 16 == sizes) & (segments < SEGMENTS_END)
    sound &= (segments == INDEX) | ((sizes != _INDEX_SIZES[0]) & (sizes != _INDEX_SIZES[1]))
    if np.count_nonzero(sound) == len(sound) and np.count_nonzero(even) == len(even):
        return Split(joined, tokens, None, starts, sizes, frame_of)

    even[frame_of[~sound]] = False
    keep = even[frame_of]
    found: list[tuple[int, int, int]] = []
    texts: list[int] = []
    rejects: list[Odd] = []
    for number in np.flatnonzero(~even).tolist():
        message, base = frames[number], int(begins[number])
        if len(message) == 1:
            continue
        if message and message[0] >= _TEXT_FROM:
            texts.append(number)
            continue
        some, reasons = told_apart(_pieces(message))
        found += [(base + at, size, number) for at, size in some]
        rejects += [(number, reason, piece) for reason, piece in reasons]
    starts, sizes, frame_of = in_order(starts[keep], sizes[keep], frame_of[keep], found)
    return Split(joined, any_word[starts].astype(np.int64), None, starts, sizes, frame_of, texts, rejects)


def _laid_out(
    even: npt.NDArray[np.intp],
    begins: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return message number, first byte and size of each packet of messages with packets of one size."""
    counts, begins, sizes = counts[even], begins[even], sizes[even]
    frame_of = even.repeat(counts)
    sizes = sizes.repeat(counts)
    within = np.arange(len(frame_of)) - (counts.cumsum() - counts).repeat(counts)
    return frame_of, begins.repeat(counts) + 4 + within * (sizes + 2), sizes
