"""Dhan's deep depth, 20 or 200 levels a side: packets of whole sides in, rows of depth out.

Another format than the live feed's: the header is 12 bytes and begins with the length, prices are
float64. Layouts as in Dhan's documentation (*Full market depth*) and its ``dhanhq`` 2.3.0 package.

* A packet is one side of one book, complete. Every packet gives a row of depth: that side as just
  received, and the newest of the other side, which may be a moment older; empty until there is one.
* A message stacks packets, those of one instrument behind each other or not. They are told apart by the
  length field; where it cannot be true, the rest of the message is one reject.
* The word behind the id is a message number for 20 levels, without use, and the count of valid rows for
  200, whose packets may be padded. A count beyond what is there is cut to what is there.
* No packet has a time: rows bear the time of receipt. A level without a price is none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Depth, Event, Goodbye, Received, Reject, Side
from ltpkit.feeds import Limits
from ltpkit.feeds.common.lookup import key
from ltpkit.feeds.dhan.numbers import Numbers
from ltpkit.feeds.dhan.wire import REASONS, SEGMENT_CODES, SEGMENTS_END
from ltpkit.instrument import Instrument

__all__ = ["DEEP", "DEEP_HEADER", "DEEP_LEVEL", "DEEP_SEGMENTS", "Deep", "DeepDecoder"]

#: What every packet starts with. `length` counts the whole packet; `word` is explained above.
DEEP_HEADER: Final = np.dtype(
    [("length", "<i2"), ("code", "u1"), ("segment", "u1"), ("security_id", "<u4"), ("word", "<u4")]
)
DEEP_LEVEL: Final = np.dtype([("price", "<f8"), ("qty", "<u4"), ("orders", "<u4")])

#: The only parts of the exchange whose books go so deep.
DEEP_SEGMENTS: Final = ("NSE_EQ", "NSE_FNO")

_BID, _ASK, _DISCONNECT = 41, 51, 50
_HEADER: Final = struct.Struct("<hBBII")
_ROW: Final = DEEP_LEVEL.itemsize
_MOST_ORDERS: Final = np.uint32(2**31 - 1)


class Deep(msgspec.Struct, frozen=True):
    """One of the two deep feeds.

    Attributes
    ----------
    levels : int
        Of a side, at most.
    counted : bool
        Whether the header's last word counts the valid rows.
    home : str
        Its address. Of the 200-level feed's the documentation and the package name two; this is the
        package's, which is also reported to work.
    limits : Limits
        As published; silence is our own choice, as for the live feed.
    """

    levels: int
    counted: bool
    home: str
    limits: Limits


DEEP: Final = {
    "depth20": Deep(
        20,
        False,
        "wss://depth-api-feed.dhan.co/twentydepth",
        Limits(per_message=50, per_connection=50, connections=5, silence_s=120.0),
    ),
    "depth200": Deep(
        200,
        True,
        "wss://full-depth-api.dhan.co/",
        Limits(per_message=1, per_connection=1, connections=5, silence_s=120.0),
    ),
}


class _Packets(msgspec.Struct):
    """The sides in some messages, in order.

    Attributes
    ----------
    keys : ndarray of int64, shape (n,)
        Segment and id, as in `lookup.key`.
    is_bid : ndarray of bool, shape (n,)
    levels : ndarray of uint8, shape (n, most * 16)
        Their bytes, as `DEEP_LEVEL` has them; all zero where a side has fewer. Not records: numpy
        copies those field by field.
    received_at : ndarray of int64, shape (n,)
    """

    keys: npt.NDArray[np.int64]
    is_bid: npt.NDArray[np.bool_]
    levels: npt.NDArray[np.uint8]
    received_at: npt.NDArray[np.int64]


class DeepDecoder:
    """Reads the messages of one deep feed, and remembers the newest two sides of every book."""

    def __init__(self, numbers: Numbers, deep: Deep) -> None:
        self._numbers, self._deep = numbers, deep
        self._size = DEEP_HEADER.itemsize + deep.levels * _ROW
        self._nothing = bytes(deep.levels * _ROW)
        self._bids: dict[int, bytes] = {}  # by key
        self._asks: dict[int, bytes] = {}

    def forget(self, instruments: Iterable[Instrument]) -> None:
        """Let go of these books: what was before a subscription says nothing about what comes after."""
        for one in instruments:
            segment = SEGMENT_CODES.get(one.segment)
            if segment is not None and one.broker_id.isdecimal():
                book = key(int(one.broker_id), segment)
                self._bids.pop(book, None)
                self._asks.pop(book, None)

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say: depth, an event ``goodbye``, rejects."""
        batch = Batch(rejects=[], events=[])
        if not frames:
            return batch
        received = np.broadcast_to(np.asarray(received_at, np.int64), (len(frames),))
        found = self._whole(frames, received)
        if found is None:
            found = self._one_by_one(frames, received, batch)
        if len(found.keys):
            batch.depth = self._rows(found)
        return batch

    def _whole(self, frames: Sequence[bytes], received: npt.NDArray[np.int64]) -> _Packets | None:
        """Return the packets at one glance, None unless all are sides of full size, as they mostly are."""
        if any(not frame or len(frame) % self._size for frame in frames):
            return None
        packets = np.frombuffer(b"".join(frames), np.uint8).reshape(-1, self._size)
        heads = packets[:, : _HEADER.size].copy().view(DEEP_HEADER)[:, 0]
        codes, segments = heads["code"], heads["segment"]
        is_bid = codes == _BID
        sound = (heads["length"] == self._size) & (is_bid | (codes == _ASK)) & (segments < SEGMENTS_END)
        if self._deep.counted:
            sound &= heads["word"] >= self._deep.levels
        if np.count_nonzero(sound) < len(packets):
            return None
        if len(packets) > len(frames):
            received = received.repeat([len(frame) // self._size for frame in frames])
        keys = heads["security_id"].astype(np.int64) << 8 | segments
        return _Packets(keys, is_bid, packets[:, _HEADER.size :], received)

    def _one_by_one(self, frames: Sequence[bytes], received: npt.NDArray[np.int64], batch: Batch) -> _Packets:
        """Return the packets of messages of any kind; what is no side goes to the batch."""
        keys: list[int] = []
        bids: list[bool] = []
        sides: list[tuple[bytes, int, int]] = []
        times: list[int] = []
        for frame, at in zip(frames, received.tolist(), strict=True):
            start, end = 0, len(frame)
            if not end:
                batch.rejects.append(Reject(received_at=at, reason="empty message", frame=b""))
            while start < end:
                left = end - start
                if left < _HEADER.size:
                    reason = f"cut short: {left} bytes where a header has {_HEADER.size}"
                    batch.rejects.append(Reject(received_at=at, reason=reason, frame=frame[start:]))
                    break
                length, code, segment, security_id, word = _HEADER.unpack_from(frame, start)
                if not _HEADER.size <= length <= left:
                    reason = f"length field says {length}, {left} bytes are there"
                    batch.rejects.append(Reject(received_at=at, reason=reason, frame=frame[start:]))
                    break
                rows, rest = divmod(length - _HEADER.size, _ROW)
                wrong = ""
                if code == _DISCONNECT:
                    self._goodbye(frame[start : start + length], word, at, batch)
                elif code != _BID and code != _ASK:
                    wrong = f"unknown response code {code}"
                elif rest or rows > self._deep.levels:
                    wrong = (
                        f"length field says {length}, no side of up to {self._deep.levels} levels has that"
                    )
                elif segment >= SEGMENTS_END:
                    wrong = f"unknown exchange segment {segment}"
                else:
                    keys.append(key(security_id, segment))
                    bids.append(code == _BID)
                    counted = min(word, rows) if self._deep.counted else rows
                    sides.append((frame, start + _HEADER.size, counted))
                    times.append(at)
                if wrong:
                    piece = frame[start : start + length]
                    batch.rejects.append(Reject(received_at=at, reason=wrong, frame=piece))
                start += length
        levels = np.zeros((len(sides), len(self._nothing)), np.uint8)
        for side, (frame, first, count) in zip(levels, sides, strict=True):
            side[: count * _ROW] = np.frombuffer(frame, np.uint8, count * _ROW, first)
        return _Packets(np.array(keys, np.int64), np.array(bids, np.bool_), levels, np.array(times, np.int64))

    def _rows(self, found: _Packets) -> Depth:
        """Return a row for each packet, and remember the newest sides."""
        bids, asks, remembered = self._pair(found)
        behind = np.frombuffer(b"".join(remembered), np.uint8).reshape(-1, len(self._nothing))
        octets = np.concatenate([found.levels, behind])
        price = np.ascontiguousarray(octets.view(np.float64)[:, ::2])
        qty = octets.view(np.uint32)[:, 2::4].astype(np.float64)
        orders = np.minimum(octets.view(np.uint32)[:, 3::4], _MOST_ORDERS).astype(np.int32)
        there = np.isfinite(price)
        there &= price != 0
        whole = np.count_nonzero(there) == there.size

        def side(which: npt.NDArray[np.int64]) -> Side:
            """Return the levels of these sides."""
            if whole:
                most = self._deep.levels
                ends = np.arange(most, most * len(which) + most, most)
                return Side(ends, price[which].ravel(), qty[which].ravel(), orders[which].ravel())
            kept = there[which]
            return Side(kept.sum(axis=1).cumsum(), price[which][kept], qty[which][kept], orders[which][kept])

        numbers = self._numbers.of(found.keys)
        return Depth.of(numbers, found.received_at, found.received_at, side(bids), side(asks))

    def _pair(self, found: _Packets) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], list[bytes]]:
        """Return where each row's bid and ask are: among the packets, or behind them what is remembered."""
        behind = len(found.keys)
        remembered: list[bytes] = []
        newest_bid: dict[int, int] = {}
        newest_ask: dict[int, int] = {}
        bids: list[int] = []
        asks: list[int] = []
        for number, (book, is_bid) in enumerate(zip(found.keys.tolist(), found.is_bid.tolist(), strict=True)):
            if book not in newest_bid:
                newest_bid[book], newest_ask[book] = behind, behind + 1
                behind += 2
                remembered.append(self._bids.get(book, self._nothing))
                remembered.append(self._asks.get(book, self._nothing))
            if is_bid:
                newest_bid[book] = number
            else:
                newest_ask[book] = number
            bids.append(newest_bid[book])
            asks.append(newest_ask[book])
        for newest, kept in ((newest_bid, self._bids), (newest_ask, self._asks)):
            for book, number in newest.items():
                if number < len(found.keys):
                    kept[book] = found.levels[number].tobytes()
        return np.array(bids), np.array(asks), remembered

    @staticmethod
    def _goodbye(packet: bytes, word: int, at: int, batch: Batch) -> None:
        # The documentation has the reason behind the header, the package reads the header's last word.
        code = int.from_bytes(packet[12:14], "little") if len(packet) == 14 else word
        words, then = REASONS.get(code, ("no published meaning", "retry"))
        batch.goodbye = Goodbye(code=code, reason=words, then=then)
        detail: dict[str, object] = {"code": code, "reason": words, "then": then}
        batch.events.append(Event(at=at, kind="goodbye", detail=detail))
