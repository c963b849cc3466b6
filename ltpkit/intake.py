"""Frames in, rows in the rings: the one path that a broker's line and a recording share.

Runs on the feed thread. It decodes, applies books, appends, keeps rejects and counts; it knows no
socket and no file. A decoder that fails, which is our own bug, costs its frames (kept as rejects)
and never the thread.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ltpkit.batch import Batch, BookUpdate, Event, Received, Reject
from ltpkit.book import Books
from ltpkit.feeds import Feed
from ltpkit.instrument import Instruments
from ltpkit.ring import DepthRing, EventLog, TickRing

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Intake"]

_KEPT_REJECTS: Final = 1000
_RATE_WINDOW_S: Final = 5.0


class Intake:
    """What turns frames into rows.

    Parameters
    ----------
    feed : Feed
    instruments : Instruments
    ticks, depth, events : TickRing, DepthRing, EventLog
    books : Books
    appended : callable
        Called after rows were appended: the flush worker's `nudge`.

    Attributes
    ----------
    frames, rejected : int
        Frames seen, and those (or pieces of those) that could not be decoded.
    wanted_books : set of int
        Instruments whose book needs a snapshot before it can follow the updates.
    """

    def __init__(
        self,
        feed: Feed,
        instruments: Instruments,
        ticks: TickRing,
        depth: DepthRing,
        events: EventLog,
        books: Books,
        *,
        appended: Callable[[], None] = lambda: None,
    ) -> None:
        self.feed, self.instruments = feed, instruments
        self.ticks, self.depth, self.events, self.books = ticks, depth, events, books
        self.frames = self.rejected = 0
        self.wanted_books: set[int] = set()
        self.last_error: Exception | None = None
        self._appended = appended
        self._rejects: deque[Reject] = deque(maxlen=_KEPT_REJECTS)
        self._waiters = threading.Condition()
        self._waiting = 0
        self._pace: deque[tuple[float, int]] = deque()

    # -- the feed thread ------------------------------------------------------------------

    def take(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Decode frames that arrived together and append what they say; return the batch."""
        self.frames += len(frames)
        try:
            batch = self.feed.decode(frames, received_at)
        except Exception as error:  # noqa: BLE001 - a decoder's bug must not end the feed
            self.last_error = error
            at = np.broadcast_to(np.asarray(received_at), (len(frames),))
            reason = f"the decoder failed: {type(error).__name__}: {error}"
            rejects = [
                Reject(received_at=int(t), reason=reason, frame=f) for t, f in zip(at, frames, strict=True)
            ]
            batch = Batch(rejects=rejects)
        if batch.ticks is not None:
            self.ticks.append(batch.ticks, self.feed.name)
        if batch.depth is not None:
            self.depth.append(batch.depth)
        if batch.book_updates:
            self.apply(batch.book_updates)
        if batch.events:
            self.events.append(batch.events)
        if batch.rejects:
            self._reject(batch.rejects)
        self._appended()
        self._mark()
        if self._waiting:
            with self._waiters:
                self._waiters.notify_all()
        return batch

    def apply(self, updates: Sequence[BookUpdate]) -> None:
        """Bring books up to date, from the stream or from a fetched snapshot."""
        applied = self.books.apply(updates)
        if applied.depth is not None:
            self.depth.append(applied.depth)
        if applied.events:
            self.events.append(applied.events)
        self.wanted_books = set(applied.wanted)

    def _reject(self, rejects: Sequence[Reject]) -> None:
        self.rejected += len(rejects)
        self._rejects.extend(rejects)
        for reason, count in Counter(reject.reason for reject in rejects).items():
            last = max(reject.received_at for reject in rejects if reject.reason == reason)
            detail: dict[str, object] = {"reason": reason, "frames": count}
            self.events.append([Event(at=last, kind="reject", detail=detail)])

    def _mark(self) -> None:
        now, pace = time.monotonic(), self._pace
        if not pace or now - pace[-1][0] >= 0.1:
            pace.append((now, self.ticks.last_seq))
            while now - pace[0][0] > _RATE_WINDOW_S:
                pace.popleft()

    # -- any thread -----------------------------------------------------------------------

    def rate(self) -> float:
        """Return ticks per second over the last five seconds."""
        now, last = time.monotonic(), self.ticks.last_seq
        inside = [(at, seq) for at, seq in tuple(self._pace) if now - at <= _RATE_WINDOW_S]
        if not inside:
            return 0.0
        at, seq = inside[0]
        return (last - seq) / max(now - at, 0.1)

    def rejects(self) -> pl.DataFrame:
        """Return the newest rejects, shape (up to 1000, 3): ``received_at, reason, frame``."""
        import polars as pl

        kept = list(self._rejects)
        return pl.DataFrame(
            {
                "received_at": [one.received_at for one in kept],
                "reason": [one.reason for one in kept],
                "frame": [one.frame for one in kept],
            },
            schema={"received_at": pl.Datetime("us", "UTC"), "reason": pl.String, "frame": pl.Binary},
        )

    def wait_until(self, reached: Callable[[], bool], timeout_s: float | None) -> bool:
        """Return True as soon as `reached()` is true after some frames, False after the time."""
        with self._waiters:
            self._waiting += 1
            try:
                return self._waiters.wait_for(reached, timeout_s)
            finally:
                self._waiting -= 1

    def tell(self) -> None:
        """Have waiters look again: something other than frames has changed."""
        with self._waiters:
            self._waiters.notify_all()
