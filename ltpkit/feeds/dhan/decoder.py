"""From Dhan's messages, of whatever kinds, to one batch in arrival order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Event, Goodbye, Received, Ticks
from ltpkit.feeds.common.levels import Books, depth
from ltpkit.feeds.common.pieces import receipt, rejects
from ltpkit.feeds.dhan.numbers import Numbers
from ltpkit.feeds.dhan.prices import Floats
from ltpkit.feeds.dhan.rows import INDEX, IS_ROW, READINGS, segments_of
from ltpkit.feeds.dhan.wire import REASONS, ROW_CODES, SEGMENTS, Split, split
from ltpkit.schema import FEED_FLOATS, NO_TIME

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

    def _ticks(self, keys: npt.NDArray[np.uint64], received: Received) -> Ticks:
        n = len(keys)
        received = np.full(n, received, np.int64) if isinstance(received, int) else received
        return Ticks(
            instrument=self._numbers.of(keys),
            timestamp=received,
            received_at=received,
            values=np.full((len(FEED_FLOATS), n), np.nan),
        )

    def _one_kind(self, found: Split, code: int, received_at: Received, batch: Batch) -> None:
        ticks = self._ticks(found.keys, received_at)
        times, books = self._fill(code, found.packed(code), found.keys, ticks.instrument, ticks.values)
        if times is not None:
            when, every = times
            ticks.timestamp = when if every else np.where(when == NO_TIME, ticks.received_at, when)
        batch.ticks = ticks
        batch.depth = depth(ticks, books)

    def _many_kinds(self, found: Split, received_at: Received, batch: Batch) -> None:
        codes = np.full(found.count, found.code) if found.codes is None else found.codes
        is_row = IS_ROW[codes]
        if not is_row.all():
            self._events(found, codes, np.flatnonzero(~is_row).tolist(), received_at, batch)
        packets = np.flatnonzero(is_row)
        if not len(packets):
            return
        if not isinstance(received_at, int):
            received_at = (received_at if found.frame_of is None else received_at[found.frame_of])[packets]
        keys, codes = found.keys[packets], codes[packets]
        ticks = self._ticks(keys, received_at)
        ticks.timestamp = ticks.received_at.copy()
        books: list[Books] = []
        for code in np.flatnonzero(np.bincount(codes)).tolist():
            rows = np.flatnonzero(codes == code)
            out = np.full((len(FEED_FLOATS), len(rows)), np.nan)
            packed = found.packed(code, packets[rows])
            times, found_books = self._fill(code, packed, keys[rows], ticks.instrument[rows], out)
            ticks.values[:, rows] = out
            if times is not None:
                known = np.flatnonzero(times[0] != NO_TIME)
                ticks.timestamp[rows[known]] = times[0][known]
            for one in found_books:
                one.rows = rows if one.rows is None else rows[one.rows]
            books += found_books
        batch.ticks = ticks
        batch.depth = depth(ticks, books)

    def _fill(
        self,
        code: int,
        packed: npt.NDArray[np.uint8],
        keys: npt.NDArray[np.uint64],
        numbers: npt.NDArray[np.int32],
        out: Floats,
    ) -> tuple[tuple[npt.NDArray[np.int64], bool] | None, list[Books]]:
        """Fill `out` from packets of one code; return their times and their books, if any."""
        reading = READINGS[code]
        words = reading.of(packed)
        segments = segments_of(keys) if reading.has_counts else INDEX
        books = reading.fill(packed, words, self._numbers.steps(numbers), segments, out)
        times = reading.times(words)
        if books is None or (isinstance(segments, int) and segments == INDEX):
            return times, []
        if isinstance(segments, int) or not (segments == INDEX).any():
            return times, [books]
        keep = np.flatnonzero(segments != INDEX)
        return times, [books.only(keep)]

    def _events(
        self,
        found: Split,
        codes: npt.NDArray[np.intp],
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
