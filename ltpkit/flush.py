"""The flush worker: the thread that owns DuckDB writes and recording files.

It wakes every `flush_interval_s`, or when `buffer_size` rows wait, and writes everything that
waits in one transaction, so the batch grows under load and the feed never waits. An error keeps
the rows where they are, is shown in `last_error`, and is tried again with a growing delay. Rows that
had to leave memory meanwhile come from the journal, in their order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import duckdb

from ltpkit.errors import StoreError
from ltpkit.journal import Journal
from ltpkit.recording import Recorder
from ltpkit.ring import DepthRing, EventLog, TickRing
from ltpkit.schema import now_us
from ltpkit.store import Store

__all__ = ["FlushWorker"]

_LEAST_PAUSE_S: Final = 0.2  # a commit costs an fsync: no more than five a second, however fast rows come
_LONGEST_PAUSE_S: Final = 30.0
_CLEAN_EVERY_S: Final = 3600.0
#: DuckDB checkpoints by itself, for ticks after some 0.5 GB of journal; we only where it does not.
_FIRM_BYTES: Final = 1 << 30


class FlushWorker:
    """Writes what the rings hold and the store does not.

    Parameters
    ----------
    store : Store
    ticks, depth, events : TickRing, DepthRing, EventLog
        Where the rows wait; their `stored_seq` is raised after each commit.
    recorder : Recorder, optional
        Whose waiting frames are written in the same round.
    journal : Journal, optional
        What has the rows until then, and lets them go once they are firmly stored.
    flush_interval_s : float
    buffer_size : int
        Rows waiting that start a flush before the interval is over.
    keep_days : int, optional
        Full days to keep besides today's; older rows are deleted from the store now and then.
    failed : callable
        Told of an error once, of another one that follows it, and of None when writing works again.
    timed : callable
        Told how many seconds it took, after each flush that stored rows.
    """

    def __init__(
        self,
        store: Store,
        ticks: TickRing,
        depth: DepthRing,
        events: EventLog,
        *,
        recorder: Recorder | None = None,
        journal: Journal | None = None,
        flush_interval_s: float = 5.0,
        buffer_size: int = 1000,
        keep_days: int | None = None,
        failed: Callable[[Exception | None], None] = lambda error: None,
        timed: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._store, self._ticks, self._depth, self._events = store, ticks, depth, events
        self._recorder, self._journal, self._failed, self._timed = recorder, journal, failed, timed
        self._interval_s, self._buffer_size = flush_interval_s, buffer_size
        self._keep_days, self._cleaned = keep_days, float("-inf")
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._flushed = threading.Condition()
        self._thread: threading.Thread | None = None
        self.last_error: Exception | None = None
        self.flushes = 0

    @property
    def waiting_rows(self) -> int:
        """Rows in memory that are not stored."""
        ticks, depth, events = self._ticks, self._depth, self._events
        return sum(one.last_seq - one.stored_seq for one in (ticks, depth, events))

    def start(self) -> None:
        """Start the thread."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="ltpkit-flush", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Wake the worker when enough rows wait. Cheap; called after each append."""
        if not self._wake.is_set() and (
            self._ticks.last_seq - self._ticks.stored_seq >= self._buffer_size
            or self._depth.last_seq - self._depth.stored_seq >= self._buffer_size
        ):
            self._wake.set()

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Have everything that is in memory now stored; return whether it was within the time."""
        deadline = time.monotonic() + timeout_s
        targets = [(ring, ring.last_seq) for ring in (self._ticks, self._depth, self._events)]
        with self._flushed:
            while any(ring.stored_seq < seq for ring, seq in targets):
                left = deadline - time.monotonic()
                if left <= 0 or self._thread is None or not self._thread.is_alive():
                    return False
                self._wake.set()
                self._flushed.wait(min(left, 0.5))
        return True

    def stop(self, timeout_s: float = 1.5) -> bool:
        """Flush what waits and end the thread; return whether everything was stored in time."""
        thread = self._thread
        if thread is None:
            return self.waiting_rows == 0
        self._stopping.set()
        self._wake.set()
        thread.join(timeout_s)
        done = not thread.is_alive()
        if done:
            self._thread = None
        return done and self.last_error is None

    def _run(self) -> None:
        pause = _LEAST_PAUSE_S
        while True:
            self._wake.wait(self._interval_s)
            self._wake.clear()
            stopping = self._stopping.is_set()
            worked = self._round()
            if stopping:
                return
            pause = _LEAST_PAUSE_S if worked else min(2 * pause, _LONGEST_PAUSE_S)
            self._stopping.wait(pause)

    def _round(self) -> bool:
        """Write once; return whether it worked."""
        try:
            if self._recorder is not None:
                self._recorder.write()
            self._write()
            self._clean()
        except (duckdb.Error, StoreError, OSError) as error:
            if self.last_error is None or str(error) != str(self.last_error):
                self._failed(error)
            self.last_error = error
            return False
        if self.last_error is not None:
            self.last_error = None
            self._failed(None)
        with self._flushed:
            self._flushed.notify_all()
        return True

    def _clean(self) -> None:
        if self._keep_days is None or time.monotonic() - self._cleaned < _CLEAN_EVERY_S:
            return
        self._store.keep_days(self._keep_days, now_us())
        self._cleaned = time.monotonic()

    def _write(self) -> None:
        rings: dict[str, TickRing | DepthRing | EventLog]
        rings = {"ticks": self._ticks, "depth": self._depth, "events": self._events}
        stored = self._store.positions()
        for name, ring in rings.items():  # fewer than before where a damaged log of DuckDB's had to be cut
            ring.stored_seq = min(ring.stored_seq, stored[name])
        frames = {
            name: ring.frame(after_seq=ring.stored_seq)
            for name, ring in rings.items()
            if ring.last_seq > ring.stored_seq
        }
        if self._journal is not None:
            gone = [name for name, frame in frames.items() if frame["seq"][0] > rings[name].stored_seq + 1]
            gone += [name for name, ring in rings.items() if ring.first_seq > ring.stored_seq + 1]
            if gone:
                self._write_from(self._journal, rings)
        if not frames:
            return
        started = time.perf_counter()
        self._store.append(**frames)
        self.flushes += 1
        self._timed(time.perf_counter() - started)
        for name, frame in frames.items():
            rings[name].stored_seq = max(rings[name].stored_seq, frame["seq"][-1])
        self._let_go()

    def _write_from(self, journal: Journal, rings: Mapping[str, TickRing | DepthRing | EventLog]) -> None:
        """Store what has left memory unstored, and what the journal has besides."""
        for chunk in journal.rows({name: ring.stored_seq for name, ring in rings.items()}):
            self._store.append(**chunk)
            for name, rows in chunk.items():
                rings[name].stored_seq = rows["seq"][-1]

    def _let_go(self) -> None:
        """Have the journal delete what is firmly in the store."""
        journal, store = self._journal, self._store
        if journal is None:
            return
        journal.stored(store.positions())
        journal.let_go(store.firm_positions())
        if journal.firm_bytes > _FIRM_BYTES and store.room_to_checkpoint():
            store.checkpoint()
            journal.let_go(store.firm_positions())
