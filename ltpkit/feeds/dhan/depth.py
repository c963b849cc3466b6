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

from ltpkit.batch import Batch, Depth, Event, Goodbye, Received, Reject
from ltpkit.feeds import Limits
from ltpkit.feeds.dhan.numbers import Numbers, key_of
from ltpkit.feeds.dhan.wire import REASONS, SEGMENT_CODES, SEGMENTS_END
from ltpkit.instruments import Instrument

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


class _Levels(msgspec.Struct):
    """The levels of some sides, one behind the other."""

    price: npt.NDArray[np.float64]
    qty: npt.NDArray[np.float64]
    orders: npt.NDArray[np.int32]

    def cut(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> _Levels:
        return _Levels(self.price[which], self.qty[which], self.orders[which])


_NO_LEVELS: Final = _Levels(np.empty(0), np.empty(0), np.empty(0, np.int32))


class DeepDecoder:
    """Reads the messages of one deep feed, and remembers the newest two sides of every book."""

    def __init__(self, numbers: Numbers, deep: Deep) -> None:
        self._numbers, self._deep = numbers, deep
        self._held: dict[tuple[int, int], _Levels] = {}  # by key and side

    def forget(self, instruments: Iterable[Instrument]) -> None:
        """Let go of these books: what was before a subscription says nothing about what comes after."""
        for one in instruments:
            segment = SEGMENT_CODES.get(one.segment)
            if segment is not None and one.broker_id.isdecimal():
                for side in (_BID, _ASK):
                    self._held.pop((key_of(segment, int(one.broker_id)), side), None)

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say: depth, an event ``goodbye``, rejects."""
        batch = Batch(rejects=[], events=[])
        joined = b"".join(frames)
        received = np.broadcast_to(np.asarray(received_at, np.int64), (len(frames),))
        keys: list[int] = []
        sides: list[int] = []
        firsts: list[int] = []
        counts: list[int] = []
        of_frame: list[int] = []
        base = 0
        for number, frame in enumerate(frames):
            at, end = 0, len(frame)
            if not end:
                batch.rejects.append(_reject(received, number, "empty message", b""))
            while at < end:
                left = end - at
                if left < _HEADER.size:
                    reason = f"cut short: {left} bytes where a header has {_HEADER.size}"
                    batch.rejects.append(_reject(received, number, reason, frame[at:]))
                    break
                length, code, segment, security_id, word = _HEADER.unpack_from(frame, at)
                if not _HEADER.size <= length <= left:
                    reason = f"length field says {length}, {left} bytes are there"
                    batch.rejects.append(_reject(received, number, reason, frame[at:]))
                    break
                rows, rest = divmod(length - _HEADER.size, _ROW)
                if code == _DISCONNECT:
                    self._goodbye(frame[at : at + length], word, int(received[number]), batch)
                elif code != _BID and code != _ASK:
                    reason = f"unknown response code {code}"
                    batch.rejects.append(_reject(received, number, reason, frame[at : at + length]))
                elif rest or rows > self._deep.levels:
                    reason = (
                        f"length field says {length}, no side of up to {self._deep.levels} levels has that"
                    )
                    batch.rejects.append(_reject(received, number, reason, frame[at : at + length]))
                elif segment >= SEGMENTS_END:
                    reason = f"unknown exchange segment {segment}"
                    batch.rejects.append(_reject(received, number, reason, frame[at : at + length]))
                else:
                    keys.append(key_of(segment, security_id))
                    sides.append(code)
                    firsts.append(base + at + _HEADER.size)
                    counts.append(min(word, rows) if self._deep.counted else rows)
                    of_frame.append(number)
                at += length
            base += end
        if keys:
            levels, ends = _read(joined, firsts, counts)
            batch.depth = self._rows(keys, sides, levels, ends, received[of_frame])
        return batch

    def _rows(
        self,
        keys: list[int],
        sides: list[int],
        levels: _Levels,
        ends: npt.NDArray[np.int64],
        received: npt.NDArray[np.int64],
    ) -> Depth:
        """Return a row for each packet; `ends` tells where its levels end in `levels`."""
        # Sides by place: the packets of this call, then those remembered that a row needs, then none.
        places: dict[tuple[int, int], int] = {}
        remembered: list[_Levels] = []
        packets = len(keys)

        def place(key: int, side: int) -> int:
            found = places.get((key, side))
            if found is None:
                found = places[key, side] = packets + len(remembered)
                remembered.append(self._held.get((key, side), _NO_LEVELS))
            return found

        bids, asks = np.empty(packets, np.int64), np.empty(packets, np.int64)
        for number, (key, side) in enumerate(zip(keys, sides, strict=True)):
            places[key, side] = number
            if side == _BID:
                bids[number], asks[number] = number, place(key, _ASK)
            else:
                bids[number], asks[number] = place(key, _BID), number
        starts = np.concatenate([[0], ends[:-1]])
        for (key, side), number in places.items():
            if number < packets:
                # A copy: a slice would keep the whole call's levels alive.
                span = np.arange(starts[number], ends[number])
                self._held[key, side] = levels.cut(span)
        if remembered:
            ends = np.concatenate([ends, ends[-1] + np.cumsum([len(one.price) for one in remembered])])
            levels = _Levels(
                np.concatenate([levels.price, *(one.price for one in remembered)]),
                np.concatenate([levels.qty, *(one.qty for one in remembered)]),
                np.concatenate([levels.orders, *(one.orders for one in remembered)]),
            )
            starts = np.concatenate([[0], ends[:-1]])
        bid_ends, bid = _gather(starts, ends, bids)
        ask_ends, ask = _gather(starts, ends, asks)
        bid_levels, ask_levels = levels.cut(bid), levels.cut(ask)
        return Depth(
            instrument=self._numbers.of(np.array(keys, np.uint64)),
            timestamp=received,
            received_at=received,
            bid_ends=bid_ends,
            bid_price=bid_levels.price,
            bid_qty=bid_levels.qty,
            bid_orders=bid_levels.orders,
            ask_ends=ask_ends,
            ask_price=ask_levels.price,
            ask_qty=ask_levels.qty,
            ask_orders=ask_levels.orders,
        )

    @staticmethod
    def _goodbye(packet: bytes, word: int, at: int, batch: Batch) -> None:
        # The documentation has the reason behind the header, the package reads the header's last word.
        code = int.from_bytes(packet[12:14], "little") if len(packet) == 14 else word
        words, then = REASONS.get(code, ("no published meaning", "retry"))
        batch.goodbye = Goodbye(code=code, reason=words, then=then)
        detail: dict[str, object] = {"code": code, "reason": words, "then": then}
        batch.events.append(Event(at=at, kind="goodbye", detail=detail))


def _reject(received: npt.NDArray[np.int64], number: int, reason: str, piece: bytes) -> Reject:
    return Reject(received_at=int(received[number]), reason=reason, frame=piece)


def _spans(starts: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return start, start + 1, … of each span, one span behind the other."""
    before = counts.cumsum() - counts
    spans: npt.NDArray[np.int64] = np.repeat(starts - before, counts) + np.arange(counts.sum())
    return spans


def _gather(
    starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], which: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where the levels of these sides end once gathered, and where they are now."""
    counts = (ends - starts)[which]
    return counts.cumsum(), _spans(starts[which], counts)


def _read(joined: bytes, firsts: list[int], counts: list[int]) -> tuple[_Levels, npt.NDArray[np.int64]]:
    """Return the levels of these packets, and where each packet's end; empty ones are left out."""
    first, count = np.array(firsts, np.int64), np.array(counts, np.int64)
    number = _spans(np.zeros(len(count), np.int64), count)
    at = np.repeat(first, count) + number * _ROW
    if not len(at):
        return _NO_LEVELS, count.cumsum()
    # A row may start at any byte, so every byte is offered as the start of one.
    windows: npt.NDArray[np.void] = np.ndarray((len(joined) - _ROW + 1,), f"V{_ROW}", joined, strides=(1,))
    rows = windows[at].view(DEEP_LEVEL)
    levels = _Levels(
        np.ascontiguousarray(rows["price"], np.float64),
        rows["qty"].astype(np.float64),
        np.minimum(rows["orders"], _MOST_ORDERS).astype(np.int32),
    )
    there = np.isfinite(levels.price) & (levels.price != 0)
    if there.all():
        return levels, count.cumsum()
    kept = np.concatenate([[0], there.cumsum()])
    return levels.cut(there), kept[count.cumsum()]
