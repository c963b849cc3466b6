"""From Dhan's messages, of whatever kinds, to one batch in arrival order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Depth, Event, Goodbye, Received, Reject, Ticks
from ltpkit.feeds.common.gathered import at_any_byte, gathered
from ltpkit.feeds.common.loops import FREE
from ltpkit.feeds.common.pieces import receipt
from ltpkit.feeds.common.room import both_sides, with_books
from ltpkit.feeds.dhan import loops
from ltpkit.feeds.dhan.numbers import Numbers, keys_of
from ltpkit.feeds.dhan.pieces import packet_at, why
from ltpkit.feeds.dhan.wire import CODES, LEVELS, PACKET, REASONS, SEGMENTS
from ltpkit.schema import FEED_FLOATS

__all__ = ["Decoder", "say_goodbye"]

_FLOATS: Final = len(FEED_FLOATS)

_Integers = npt.NDArray[np.int64]
#: The arrays that `loops.read` writes to.
_Written = tuple[
    npt.NDArray[np.int32],
    _Integers,
    npt.NDArray[np.float64],
    _Integers,
    npt.NDArray[np.float64],
    npt.NDArray[np.int32],
    _Integers,
]

_NO_BOOKS: Final = np.empty((3, 0), np.int64), np.empty((2, 2, 0)), np.empty((2, 0), np.int32)
_NO_TIMES: Final = np.empty(0, np.int64)
_NO_OTHERS: Final = np.empty((4, 0), np.int64)


class Decoder:
    """Reads messages; knows nothing of sockets and settings."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._has_books = False  # whether there was one so far

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, rows in arrival order.

        Ticks from ticker, quote, full, open interest, previous close and version 1 depth packets;
        depth from the last and from full packets (an index has no book); an event
        ``market_status`` or ``goodbye`` for the others.
        """
        batch = Batch()
        if not frames:
            return batch
        joined, first = gathered(frames, PACKET.itemsize)
        packets, known = at_any_byte(joined, PACKET), self._numbers
        once, each = (received_at, _NO_TIMES) if isinstance(received_at, int) else (0, received_at)
        # Room for what there usually is. Where there is more, or something new, all is read once more.
        rows = messages = len(frames)
        books, others, rest = rows if self._has_books else 0, 0, FREE
        while True:
            room = rows, books, others
            numbers, times, values, of, levels, orders, pieces = written = _written(*room)
            rows, books, others = loops.read(
                joined, packets, first, messages, once, each, known.places.table, rest, known.steps, *written
            )
            if rows > room[0] or books > room[1] or others > room[2]:
                continue
            new = pieces[0, :others][pieces[3, :others] == loops.NEW] if others else ()
            if not len(new):
                break
            rest = known.meet(keys_of(packets[new]["header"]))
        if rows:
            ticks = Ticks(instrument=numbers, timestamp=times[0], received_at=times[1], values=values)
            batch.ticks = ticks = ticks if rows == room[0] else ticks.only(slice(rows))
            if books:
                self._has_books = True
                batch.depth = _depth(ticks, of[:, :books], levels, orders)
        for start, stop, message, kind in pieces[:, :others].T.tolist() if others else ():
            received, octets = receipt(received_at, message), joined[start:stop]
            if kind == loops.NO_ROW:
                _event(packet_at(packets, start), received, batch)
            else:
                batch.rejects.append(Reject(received_at=received, reason=why(kind, octets), frame=octets))
        return batch


def _written(rows: int, books: int, others: int) -> _Written:
    """Return what `loops.read` writes to, with room for so many."""
    of_ticks = np.empty(rows, np.int32), np.empty((2, rows), np.int64), np.empty((_FLOATS, rows))
    of_books = _NO_BOOKS
    if books:
        levels = books * LEVELS
        of_books = np.empty((3, books), np.int64), np.empty((2, 2, levels)), np.empty((2, levels), np.int32)
    return *of_ticks, *of_books, np.empty((4, others), np.int64) if others else _NO_OTHERS


def _depth(
    ticks: Ticks, books: npt.NDArray[np.int64], levels: npt.NDArray[np.float64], orders: npt.NDArray[np.int32]
) -> Depth:
    """Return the books that came with some of the ticks, as `loops.read` wrote them."""
    bids, asks = both_sides(books[1:], levels, orders)
    return with_books(ticks, books[0], bids, asks)


def _event(said: np.void, at: int, batch: Batch) -> None:
    """Add what a packet says that makes no row."""
    if said["code"] != CODES["status"]:
        say_goodbye(int(said["reason"]), at, batch)
        return
    segment = int(said["segment"])
    name = SEGMENTS.get(segment, (f"SEGMENT_{segment}", ""))[0]
    detail: dict[str, object] = {"segment": name, "security_id": int(said["security_id"])}
    batch.events.append(Event(at=at, kind="market_status", detail=detail))


def say_goodbye(reason: int, at: int, batch: Batch) -> None:
    """Add that Dhan closes the connection."""
    words, then = REASONS.get(reason, ("no published meaning", "retry"))
    batch.goodbye = Goodbye(code=reason, reason=words, then=then)
    detail: dict[str, object] = {"code": reason, "reason": words, "then": then}
    batch.events.append(Event(at=at, kind="goodbye", detail=detail))
