"""The two threads of the journal: one writes what arrived, one makes it safe from a power cut.

They are apart so that neither waits for the other: an fsync may take as long as the disk likes, and rows
go on reaching the journal meanwhile. An error is told, and tried again; the rows stay in memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from ltpkit.journal.files import Journal

if TYPE_CHECKING:
    from ltpkit.ring import DepthRing, EventLog, TickRing

__all__ = ["JournalWriter"]

_FRAME_ROWS: Final = 65_536
_RETRY_S: Final = 1.0


class JournalWriter:
    """Takes rows from memory into the journal, at most `interval_s` after they arrived.

    Parameters
    ----------
    journal : Journal
    rings : mapping of str to TickRing, DepthRing or EventLog
        By table; their `journaled_seq` is raised as rows are written.
    interval_s, fsync_interval_s : float
        The longest a row waits to be written, and then to be fsynced.
    failed : callable
        Told of an error once, and of None when writing works again.

    Attributes
    ----------
    last_error : OSError or None
        Why rows cannot be journaled at the moment.
    busy_s : float
        Processor time of the writing thread so far.
    """

    def __init__(
        self,
        journal: Journal,
        rings: Mapping[str, TickRing | DepthRing | EventLog],
        *,
        interval_s: float = 0.05,
        fsync_interval_s: float = 0.1,
        failed: Callable[[Exception | None], None] = lambda error: None,
    ) -> None:
        self.journal, self._rings = journal, dict(rings)
        self._interval_s, self._fsync_interval_s, self._failed = interval_s, fsync_interval_s, failed
        self._threads: list[tuple[threading.Thread, threading.Event]] = []
        self._errors: dict[str, OSError] = {}
        self._telling = threading.Lock()
        self.busy_s = 0.0

    @property
    def last_error(self) -> OSError | None:  # noqa: D102 - in the class
        return next(iter(tuple(self._errors.values())), None)

    def start(self) -> None:
        """Start both threads."""
        # Waking a little sooner leaves time to write within the interval.
        turns = {
            "journal": (self.write, 0.6 * self._interval_s),
            "fsync": (self.journal.sync, self._fsync_interval_s),
        }
        for name, (job, interval_s) in turns.items():
            ending = threading.Event()
            thread = threading.Thread(
                target=self._run, args=(name, job, interval_s, ending), name=f"ltpkit-{name}", daemon=True
            )
            thread.start()
            self._threads.append((thread, ending))

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Write what is left and end the threads; return whether everything was written and synced."""
        give_up = time.monotonic() + timeout_s
        for thread, ending in self._threads:  # in this order: what the first writes last, the second syncs
            ending.set()
            thread.join(max(0.0, give_up - time.monotonic()))
        self._threads = [one for one in self._threads if one[0].is_alive()]
        return not self._threads and not self._errors

    def _run(self, name: str, job: Callable[[], None], interval_s: float, ending: threading.Event) -> None:
        wait, worked = interval_s, True
        while True:
            stopping = ending.wait(wait)
            started, before = time.monotonic(), worked
            worked = self._turn(name, job)
            if stopping:
                return
            # What was taken away is begun again at once: until then rows in memory count as not journaled.
            again = worked or before
            wait = max(0.0, interval_s - (time.monotonic() - started)) if again else _RETRY_S

    def _turn(self, name: str, job: Callable[[], None]) -> bool:
        try:
            job()
        except OSError as error:
            with self._telling:
                first, self._errors[name] = not self._errors, error
            if first:
                self._failed(error)
            return False
        with self._telling:
            mended = self._errors.pop(name, None) is not None and not self._errors
        if mended:
            self._failed(None)
        return True

    def write(self) -> None:
        """Write what has arrived since the last time; normally the thread does."""
        started = time.thread_time()
        for table, ring in self._rings.items():
            after = self.journal.journaled[table]
            if ring.last_seq <= after:
                continue
            rows = ring.frame(after_seq=after)
            try:
                for start in range(0, rows.height, _FRAME_ROWS):
                    part = rows.slice(start, _FRAME_ROWS)
                    self.journal.append(table, part, after=after)
                    after = part["seq"][-1]
            finally:
                ring.journaled_seq = self.journal.journaled[table]
        self.busy_s += time.thread_time() - started
