"""Frames in, rows in the rings: the one path that a broker's line and a recording share.

Runs on the feed thread. It decodes, applies books, appends, keeps rejects and counts; it knows no
socket and no file. A decoder that fails, which is our own bug, costs its frames (kept as rejects)
and never the thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from ltpkit.batch import Batch, BookUpdate, Depth, Event, Received, Reject, Ticks
from ltpkit.book import Books
from ltpkit.errors import LtpkitError
from ltpkit.feeds import Feed
from ltpkit.flags import Flags, Reports
from ltpkit.instrument import Instruments
from ltpkit.overload import DEPTH, QUOTES, Overload, newest_books, newest_quotes
from ltpkit.ring import DepthRing, EventLog, RejectLog, TickRing
from ltpkit.schema import now_us

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Intake"]

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
    mask : callable
        Returns frames without what may not be shown.

    Attributes
    ----------
    frames : int
        Frames seen.
    flags : Flags
        What judges the ticks, and counts those it found odd.
    overload : Overload
        What says whether depth and quotes are left out, and counts those that were.
    wanted_books : set of int
        Instruments whose book needs a snapshot before it can follow the updates.
    listeners : tuple of callable
        Called after each turn and change, on the thread that made it: must be quick and not raise. Put
        another tuple in its place to change it.
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
        mask: Callable[[Sequence[bytes]], list[bytes]] = list,
    ) -> None:
        self.feed, self.instruments = feed, instruments
        self.ticks, self.depth, self.events, self.books = ticks, depth, events, books
        self.frames = 0
        self.flags, self._reports = Flags(instruments), Reports(instruments)
        self.overload = Overload(self._note)
        self.wanted_books: set[int] = set()
        self.listeners: tuple[Callable[[], None], ...] = ()
        self.last_error: Exception | None = None
        self._told_full = False
        self._appended = appended
        self._rejects = RejectLog(hide=events.hide, mask=mask)
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
        if batch.ticks is not None and len(batch.ticks):
            self._append(batch.ticks)
        if batch.depth is not None:
            self._append_depth(batch.depth)
        if batch.book_updates:
            self.apply(batch.book_updates)
        if batch.events:
            self.events.append(batch.events)
        if batch.rejects:
            self.events.append(self._rejects.add(batch.rejects))
        elif self._rejects.waiting:
            self.events.append(self._rejects.due(int(np.max(received_at))))
        if self.instruments.full and not self._told_full:
            self._tell_full()
        self._appended()
        self._mark()
        if self._waiting or self.listeners:
            self.tell()
        return batch

    def _append(self, ticks: Ticks) -> None:
        if self.overload.level >= QUOTES:
            came, ticks = len(ticks), newest_quotes(ticks)
            self.overload.left_out["quotes"] += came - len(ticks)
        ring = self.ticks
        odd = self.flags.judge(ticks, ring.prices, ring.known)
        # Told before the rows can be seen, so that nobody sees one without its flag.
        if odd is not None:
            self.events.append(self._reports.add(odd, ticks, ring.last_seq + 1))
        elif self._reports.waiting:
            self.events.append(self._reports.due(int(ticks.received_at[-1])))
        ring.append(ticks, self.feed.name, left_out=None if odd is None else odd.left_out)

    def _note(self, event: Event) -> None:
        self.events.append([event])
        self.tell()

    def _append_depth(self, depth: Depth) -> None:
        if self.overload.level >= DEPTH:
            came, depth = len(depth), newest_books(depth)
            self.overload.left_out["depth"] += came - len(depth)
        self.depth.append(depth)

    def settle(self) -> None:
        """Write the events that wait for company: of floods of flagged rows and rejects, of an overload."""
        now = now_us()
        self.events.append([*self._reports.rest(now), *self._rejects.rest(now)])
        self.overload.tell(now)

    def append_past(self, ticks: Ticks, source: str) -> None:
        """Append ticks of earlier: no newest values come of them, and no change from or to them."""
        self.ticks.append(ticks, source, left_out=np.ones(len(ticks), np.bool_))
        self._appended()
        self.tell()

    def apply(self, updates: Sequence[BookUpdate]) -> None:
        """Bring books up to date, from the stream or from a fetched snapshot."""
        if self.instruments.full:  # many instruments' changes under one name make no book
            rest = self.instruments.rest()
            updates = [update for update in updates if update.instrument != rest]
        applied = self.books.apply(updates)
        if applied.depth is not None:
            self._append_depth(applied.depth)
        if applied.events:
            self.events.append(applied.events)
        self.wanted_books = set(applied.wanted)

    def _tell_full(self) -> None:
        self._told_full = True
        rest = self.instruments[self.instruments.rest()].name
        why = (
            f"The feed sent rows of {self.instruments.most_met:,} instruments that nobody asked for. "
            f"Further ones are kept under {rest}, and their books are not."
        )
        self.last_error = LtpkitError(why)
        self.events.append([Event(at=now_us(), kind="unlisted", detail={"why": why})])

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

    @property
    def rejected(self) -> int:
        """Frames, or pieces of them, that could not be decoded."""
        return self._rejects.count

    def rejects(self) -> pl.DataFrame:
        """Return the newest rejects, as `RejectLog.frame` does."""
        return self._rejects.frame()

    def wait_until(self, reached: Callable[[], bool], timeout_s: float | None) -> bool:
        """Return True as soon as `reached()` is true after some frames, False after the time."""
        with self._waiters:
            self._waiting += 1
            try:
                return self._waiters.wait_for(reached, timeout_s)
            finally:
                self._waiting -= 1

    def tell(self) -> None:
        """Have waiters and listeners look again."""
        with self._waiters:
            self._waiters.notify_all()
        for told in self.listeners:
            told()
