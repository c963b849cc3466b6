"""Rows in rings with a store behind them: what a live stream and a replay have in common.

`Held` puts the engine together (rings, intake, flush worker, store), ends it, and tells how it is. What is
read from it is in `memory`; what brings the frames is left to `live` and `playback`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ltpkit import feeds
from ltpkit.batch import Event
from ltpkit.book import Books
from ltpkit.errors import SettingError, StoreError, StreamStopped
from ltpkit.flush import FlushWorker
from ltpkit.gaps import gap
from ltpkit.instrument import Instruments
from ltpkit.intake import Intake
from ltpkit.journal import Journal, JournalWriter, folder_of
from ltpkit.memory import Memory
from ltpkit.recording import Recorder
from ltpkit.ring import DepthRing, EventLog, TickRing
from ltpkit.schema import now_us
from ltpkit.settings import Settings
from ltpkit.status import IN_MEMORY, Status
from ltpkit.store import Compacted, Store
from ltpkit.store.salvage import log_of
from ltpkit.streamer import Streamer

if TYPE_CHECKING:
    import polars as pl

    from ltpkit.store.sandbox import Sandbox

__all__ = ["Held", "check_days"]


class Held(Memory):
    """Rows in rings, with or without a store behind them: what a stream and a replay share."""

    def __init__(
        self,
        feed: feeds.Feed,
        instruments: Instruments,
        *,
        store: str | Path | None,
        chosen: Settings,
        capacity_rows: int | None,
        depth_capacity_rows: int | None,
        keep_days: int | None = None,
    ) -> None:
        check_days(keep_days)
        self._keep_days = keep_days
        self._feed, self._settings = feed, chosen
        self._store_path = None if store is None else Path(store)
        #: Told "flush" or "query" and the seconds it took, on the thread that did it: each must be quick and
        #: not raise. Put another tuple in its place to change it.
        self.timers: tuple[Callable[[str, float], None], ...] = ()
        self._store: Store | None = Store(self._store_path)
        self._store.timed = partial(self._took, "query")
        self._recovered = self._store.recovered
        self._already_stored = self._store.rows("ticks")
        positions = self._store.positions()
        self._first_seq = positions["ticks"] + 1
        self._prices_before = self._last_prices() if self._already_stored else {}
        ticks = TickRing(
            instruments,
            capacity_rows=capacity_rows,
            first_seq=self._first_seq,
            on_loss=partial(self._rows_lost, "ticks"),
        )
        depth = DepthRing(
            instruments,
            capacity_rows=depth_capacity_rows,
            first_seq=positions["depth"] + 1,
            on_loss=partial(self._rows_lost, "depth"),
        )
        events = EventLog(first_seq=positions["events"] + 1, hide=self._hidden)
        super().__init__(instruments, ticks, depth, events)
        self._intake = Intake(
            feed,
            instruments,
            self._ring,
            self._depth_ring,
            self._events,
            Books(instruments=instruments, levels=chosen.depth_levels),
            appended=self._nudge,
            mask=self._masked,
        )
        self._flusher: FlushWorker | None = None
        self._journal: Journal | None = None
        if self._store_path is not None and chosen.journal:
            folder = folder_of(self._store_path)
            self._journal = Journal(folder, store=self._store.identity, positions=positions)
        self._journaler: JournalWriter | None = None
        self._journal_error: Exception | None = None
        self._recorder: Recorder | None = None
        self._streamer: Streamer
        self._store_error: Exception | None = None

    def _last_prices(self) -> dict[str, float]:
        assert self._store is not None
        found = self._store.sql(
            "SELECT exchange || ':' || symbol AS name, ltp FROM latest_ltp WHERE ltp IS NOT NULL"
        )
        return dict(found.iter_rows())

    def _start_flushing(self) -> None:
        if self._store is None:
            # Without a replay: what our own journal has beyond the store is still numbered in these rings.
            self._store = Store(self._store_path, replay=self._journal is None)
            self._store.timed = partial(self._took, "query")
        if self._journal is not None:
            self._journaler = JournalWriter(
                self._journal,
                {"ticks": self._ring, "depth": self._depth_ring, "events": self._events},
                interval_s=self._settings.journal_interval_s,
                fsync_interval_s=self._settings.fsync_interval_s,
                failed=self._journal_failed,
            )
            self._journaler.start()
        self._flusher = FlushWorker(
            self._store,
            self._ring,
            self._depth_ring,
            self._events,
            recorder=self._recorder,
            journal=self._journal,
            flush_interval_s=self._settings.flush_interval_s,
            buffer_size=self._settings.buffer_size,
            keep_days=self._keep_days,
            failed=self._store_failed,
            timed=partial(self._took, "flush"),
        )
        self._flusher.start()

    def _took(self, what: str, seconds: float) -> None:
        for told in self.timers:
            told(what, seconds)

    def _nudge(self) -> None:
        if self._flusher is not None:
            self._flusher.nudge()

    def _rows_lost(self, table: str, first: int, last: int) -> None:
        now = now_us()
        lost = gap(
            now,
            "memory full before rows were stored",
            missing=last - first + 1,
            table=table,
            first_seq=first,
            last_seq=last,
        )
        self._events.append([lost])

    def _store_failed(self, error: Exception | None) -> None:
        self._store_error = error
        self._tell_of("store", error)

    def _journal_failed(self, error: Exception | None) -> None:
        self._journal_error = error
        self._tell_of("journal", error)

    def _hidden(self, text: str) -> str:
        """Return a text without this holder's secrets."""
        return text

    def _masked(self, frames: Sequence[bytes]) -> list[bytes]:
        """Return frames without this holder's secrets."""
        return list(frames)

    def _tell_of(self, what: str, error: Exception | None) -> None:
        kind = f"{what}_works" if error is None else f"{what}_failed"
        detail: dict[str, object] = {} if error is None else {"error": str(error)}
        self._events.append([Event(at=now_us(), kind=kind, detail=detail)])

    def stop(self) -> None:
        """Stop receiving, store what waits, close the files. A second call does nothing.

        What is in memory stays readable; so does an in-memory store. A DuckDB file is let go, for
        other programs to open. Rows that it could not take wait in the journal, and are stored when it is
        next opened to be written. In a fork of the process that made the stream it does nothing.
        """
        if os.getpid() != self._pid:
            return
        self._streamer.stop()
        if self._journaler is not None:
            self._journaler.stop()
            self._journaler = None
        stored = True
        if self._flusher is not None:
            stored = self._flusher.stop()
            self._flusher = None
            if not stored and self._store_error is None:
                self._store_error = StoreError(
                    self._store_path or "the in-memory store",
                    "Rows still waited for the store when it was stopped.",
                )
            stored = stored and self._flushed()
        if self._recorder is not None:
            self._recorder.close()
        if self._store is not None and self._store_path is not None:
            self._store.close()
            self._store = None
            if self._journal is not None and stored and not log_of(self._store_path).exists():
                self._journal.remove()  # closing has made everything firm
            elif self._journal is not None:
                self._journal.close()

    def _flushed(self) -> bool:
        return all(one.stored_seq >= one.last_seq for one in (self._ring, self._depth_ring, self._events))

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Have everything received so far stored; return whether it was within the time."""
        self._check_process()
        return self._flusher is not None and self._flusher.flush(timeout_s)

    def export(
        self, directory: str | Path, *, since: date | None = None, until: date | None = None
    ) -> list[Path]:
        """Write everything received so far as Parquet, a file for each table and day.

        Parameters
        ----------
        directory : path
            Made if it is not there. A layout polars, DuckDB and others read as one table by date.
        since, until : datetime.date, optional
            The first day, and the day to stop before, in UTC by `received_at`.

        Returns
        -------
        list of pathlib.Path
            The files written.

        Raises
        ------
        StoreError
            What was received could not be stored first, or the files cannot be written.
        StreamStopped
            The stream is stopped and its store closed.
        """
        store = self._open_store()
        if self._flusher is not None and not self.flush():
            raise StoreError(
                store.path or ":memory:", "Rows still wait for the store; try again when it works."
            )
        return store.export(directory, since=since, until=until)

    def compact(self) -> Compacted:
        """Write the store's file anew, without the room that deleted rows have left, while rows go on coming.

        DuckDB fills such room with new rows, so a file that `keep_days` looks after stops growing by itself;
        it becomes smaller only so.

        Returns
        -------
        Compacted
            The size of the file with its log ``before`` and ``after``, in bytes.

        Raises
        ------
        StoreError
            There is no room to; or a query runs on and on. Nothing was changed.
        SettingError
            The stream has no file.
        StreamStopped
            The stream is stopped and its store closed.
        """
        found = self._open_store().compact()
        detail: dict[str, object] = {"before": found.before, "after": found.after}
        self._events.append([Event(at=now_us(), kind="compacted", detail=detail)])
        return found

    def sandbox(self, **limits: Any) -> Sandbox:
        """Return a sandbox for queries that others ask, over memory and store as `sql` is.

        Parameters
        ----------
        **limits
            As `ltpkit.store.sandbox.Sandbox` takes them. Close it when it is no longer needed.
        """
        from ltpkit.store.sandbox import Sandbox

        return Sandbox(self._open_store, self._memory, **limits)

    def wait(self, *, rows: int = 1, timeout_s: float = 10.0) -> bool:
        """Return True once `rows` ticks more than now were received, False after the time."""
        self._check_process()
        goal = self._ring.last_seq + rows
        return (
            self._intake.wait_until(
                lambda: self._ring.last_seq >= goal or not self._streamer.running, timeout_s
            )
            and self._ring.last_seq >= goal
        )

    def rejects(self) -> pl.DataFrame:
        """Return the newest frames that could not be decoded, shape (up to 1000, 3).

        Returns
        -------
        polars.DataFrame
            ``received_at, reason, frame`` (the raw bytes), oldest first.
        """
        self._check_process()
        return self._intake.rejects()

    @property
    def symbols(self) -> list[str]:
        """Subscribed now, as ``EXCHANGE:SYMBOL``."""
        return [one.name for one in self._streamer.subscribed]

    @property
    def load(self) -> int:
        """How far behind the feed is, from 0 (it keeps up) to 3; views draw less often from 1 on.

        `ltpkit.overload` says what is left out at each.
        """
        return self._intake.overload.level

    def status(self) -> Status:
        """Return how the stream is doing. Cheap enough to call as often as you like."""
        self._check_process()
        ring = self._ring
        newest = ring.latest()["received_at"].max() if ring.rows else None
        now = datetime.now(UTC)
        error = self._trouble()
        # In this order, so that none is above the one before it.
        stored = ring.stored_seq
        synced = stored if self._journal is None else max(stored, self._journal.synced["ticks"])
        journaled = synced if self._journal is None else max(synced, self._journal.journaled["ticks"])
        return Status(
            state=self._state(),
            feed=f"{self._feed.name}"
            if self._feed.kind in ("live", "spot")
            else f"{self._feed.name} {self._feed.kind}",
            symbols=self.symbols,
            rows_in_memory=ring.rows,
            rows_stored=self._already_stored + stored - self._first_seq + 1,
            received_seq=ring.last_seq,
            journaled_seq=journaled,
            synced_seq=synced,
            stored_seq=stored,
            depth_rows=self._depth_ring.rows,
            rate=self._intake.rate(),
            last_tick_age_s=(now - newest).total_seconds() if isinstance(newest, datetime) else None,
            rejects=self._intake.rejected,
            gaps=len(self._events.details("gap")),
            reconnects=self._streamer.reconnects,
            flagged=dict(self._intake.flags.counts),
            load=self.load,
            left_out=dict(self._intake.overload.left_out),
            lost_rows=ring.lost_rows + self._depth_ring.lost_rows + self._events.lost_rows,
            recovered=None if self._recovered is None else str(self._recovered),
            store=IN_MEMORY if self._store_path is None else str(self._store_path),
            recording=None if self._recorder is None else str(self._recorder.path),
            last_error=None if error is None else self._hidden(str(error)),
            longest_pause_s=self._streamer.longest_pause_s,
            at=now,
        )

    def _state(self) -> str:
        return self._streamer.state

    def condition(self) -> tuple[str, str | None]:  # noqa: D102 - as in the base
        error = self._trouble()
        return self._state(), None if error is None else self._hidden(f"{type(error).__name__}: {error}")

    def _trouble(self) -> Exception | None:
        return self._store_error or self._journal_error or self._intake.last_error or self._streamer.error

    def subscribed(self) -> list[str]:  # noqa: D102 - as in the base
        return self.symbols

    @property
    def _partly_stored(self) -> bool:
        """Whether the store has ticks that are not, or no longer, in memory, and may be asked."""
        return self._store is not None and bool(
            self._already_stored or self._ring.first_seq > self._first_seq
        )

    def _open_store(self) -> Store:
        self._check_process()
        if self._store is None:
            raise StreamStopped(
                f"The stream is stopped and {self._store_path} closed. "
                f"Read it with lk.open({str(self._store_path)!r})."
            )
        return self._store

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        if os.getpid() != self._pid:
            return f"<{type(self).__name__} of process {self._pid}, of which this is a fork>"
        return f"<{type(self).__name__} {self.status().line()}>"

    def _repr_html_(self) -> str:
        if os.getpid() != self._pid:
            return escape(repr(self))
        return self.status()._repr_html_()


def check_days(keep_days: int | None) -> None:
    """Raise `SettingError` where this is no number of days to keep."""
    if keep_days is not None and keep_days < 0:
        raise SettingError(f"keep_days={keep_days}: give the number of days to keep, 0 or more.")
