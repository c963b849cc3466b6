"""From Dhan's messages, of whatever kinds, to one batch in arrival order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Event, Goodbye, Received
from ltpkit.feeds.common.kinds import receipts, together
from ltpkit.feeds.common.pieces import receipt, rejects
from ltpkit.feeds.dhan.numbers import Numbers
from ltpkit.feeds.dhan.rows import IS_ROW, READINGS
from ltpkit.feeds.dhan.wire import REASONS, ROW_CODES, SEGMENTS, Split, split

__all__ = ["Decoder"]


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
        if not frames:
            return Batch()
        batch = Batch()
        # Random bits make floats that numpy would warn about; they end as NaN.
        with np.errstate(all="ignore"):
            found = split(frames)
            if found.code is not None and found.code in ROW_CODES:
                self._one_kind(found, found.code, received_at, batch)
            else:
                self._many_kinds(found, received_at, batch)
        if found.rejects:
            batch.rejects = rejects(found.rejects, received_at)
        return batch

    def _one_kind(self, found: Split, code: int, received_at: Received, batch: Batch) -> None:
        numbers = self._numbers.of(found.ids << 8 | found.segments)
        part = READINGS[code].read(found.records(code), self._numbers.steps(numbers), found.segments)
        batch.ticks, batch.depth = together(
            numbers, receipts(received_at, len(numbers), None), [(None, part)]
        )

    def _many_kinds(self, found: Split, received_at: Received, batch: Batch) -> None:
        codes = np.full(len(found.ids), found.code) if found.codes is None else found.codes
        is_row = IS_ROW[codes]
        if not is_row.all():
            self._events(found, codes, np.flatnonzero(~is_row).tolist(), received_at, batch)
        packets = np.flatnonzero(is_row)
        if not len(packets):
            return
        received = receipts(received_at, len(codes), found.frame_of)[packets]
        codes, segments = codes[packets], found.segments
        if not isinstance(segments, int):
            segments = segments[packets]
        numbers = self._numbers.of(found.ids[packets] << 8 | segments)
        parts = []
        for code in np.flatnonzero(np.bincount(codes)).tolist():
            rows = np.flatnonzero(codes == code)
            steps = self._numbers.steps(numbers[rows])
            own = segments if isinstance(segments, int) else segments[rows]
            parts.append((rows, READINGS[code].read(found.records(code, packets[rows]), steps, own)))
        batch.ticks, batch.depth = together(numbers, received, parts)

    def _events(
        self,
        found: Split,
        codes: npt.NDArray[np.int64],
        numbers: list[int],
        received_at: Received,
        batch: Batch,
    ) -> None:
        events: list[Event] = []
        for number in numbers:
            code = int(codes[number])
            packet = found.record(code, number)
            at = receipt(received_at, number if found.frame_of is None else int(found.frame_of[number]))
            if code == 7:
                segment = int(packet["segment"])
                name = SEGMENTS.get(segment, (f"SEGMENT_{segment}", ""))[0]
                detail: dict[str, object] = {"segment": name, "security_id": int(packet["security_id"])}
                events.append(Event(at=at, kind="market_status", detail=detail))
                continue
            reason = int(packet["reason"])
            words, then = REASONS.get(reason, ("no published meaning", "retry"))
            batch.goodbye = Goodbye(code=reason, reason=words, then=then)
            detail = {"code": reason, "reason": words, "then": then}
            events.append(Event(at=at, kind="goodbye", detail=detail))
        batch.events = events
