"""From Dhan's messages, of whatever kinds, to one batch in arrival order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Event, Goodbye, Received, Reject, Side, Ticks
from ltpkit.feeds.common.pieces import receipt
from ltpkit.feeds.common.room import with_books
from ltpkit.feeds.dhan import loops
from ltpkit.feeds.dhan.numbers import Numbers
from ltpkit.feeds.dhan.split import Split, split
from ltpkit.feeds.dhan.wire import CODES, LEVELS, REASONS, SEGMENTS
from ltpkit.schema import FEED_FLOATS

__all__ = ["Decoder", "say_goodbye"]

_FLOATS: Final = len(FEED_FLOATS)


class Decoder:
    """Reads messages; knows nothing of sockets and settings."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, rows in arrival order.

        Ticks from ticker, quote, full, open interest, previous close and version 1 depth packets;
        depth from the last and from full packets (an index has no book); an event
        ``market_status`` or ``goodbye`` for the others.
        """
        batch = Batch()
        if not frames:
            return batch
        found = split(frames)
        if len(found.starts):
            self._rows(found, np.full(len(frames), received_at, np.int64), batch)
        for one in found.others:
            at = receipt(received_at, one.message)
            if one.why:
                batch.rejects.append(Reject(received_at=at, reason=one.why, frame=one.octets))
            else:
                _event(found.packet(one.start), at, batch)
        return batch

    def _rows(self, found: Split, received_at: npt.NDArray[np.int64], batch: Batch) -> None:
        """Add ticks and books."""
        numbers = self._numbers.of(found.keys)
        count, steps = len(numbers), self._numbers.steps
        times, values = np.empty((2, count), np.int64), np.empty((_FLOATS, count))
        loops.read_ticks(
            found.packets, found.starts, found.message_of, received_at, numbers, steps, times, values
        )
        ticks = Ticks(instrument=numbers, timestamp=times[0], received_at=times[1], values=values)
        batch.ticks = ticks
        if not found.books:
            return
        of, ends = np.empty(found.books, np.int64), np.empty((2, found.books), np.int64)
        price, qty = np.empty((2, 2, found.books * LEVELS))
        orders = np.empty((2, found.books * LEVELS), np.int32)
        loops.read_books(found.packets, found.starts, numbers, steps, of, ends, price, qty, orders)
        bids, asks = (
            Side(ends[side], price[side, :last], qty[side, :last], orders[side, :last])
            for side, last in enumerate(ends[:, -1].tolist())
        )
        batch.depth = with_books(ticks, of, bids, asks)


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
