"""Connection events and gaps in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ltpkit.batch import Event
from ltpkit.schema import polars_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EventLog"]


class EventLog:
    """Connection events and gaps in memory: few, so plain rows.

    Appended from any thread of the streamer; readers take a snapshot. Stored events beyond
    `capacity_rows` leave.
    """

    def __init__(self, *, capacity_rows: int = 100_000, first_seq: int = 1) -> None:
        self.capacity_rows = capacity_rows
        self.stored_seq = self.journaled_seq = first_seq - 1
        self._first_seq = first_seq
        self._rows: list[tuple[int, str, str | None, str]] = []
        self._lock = threading.Lock()

    @property
    def last_seq(self) -> int:
        """`seq` of the newest event."""
        with self._lock:
            return self._first_seq + len(self._rows) - 1

    @property
    def first_seq(self) -> int:
        """`seq` of the oldest event in memory."""
        return self._first_seq

    @property
    def rows(self) -> int:
        """Events in memory."""
        return len(self._rows)

    def append(self, events: Iterable[Event]) -> None:
        """Add events in order."""
        new = [(e.at, e.kind, e.symbol, json.dumps(e.detail, default=str)) for e in events]
        with self._lock:
            self._rows += new
            spare = len(self._rows) - self.capacity_rows
            leave = min(spare, self.stored_seq - self._first_seq + 1)
            if leave > self.capacity_rows // 10:  # now and then, not one at a time
                del self._rows[:leave]
                self._first_seq += leave

    def frame(self, *, after_seq: int = 0) -> pl.DataFrame:
        """Return the events in memory after `after_seq`, columns of `schema.EVENTS`."""
        import polars as pl

        with self._lock:
            skip = max(0, after_seq + 1 - self._first_seq)
            first, rows = self._first_seq + skip, self._rows[skip:]
        at, kind, symbol, detail = zip(*rows, strict=True) if rows else ((), (), (), ())
        columns = {"seq": range(first, first + len(rows)), "at": at, "kind": kind}
        columns |= {"symbol": symbol, "detail": detail}
        return pl.DataFrame(
            {name: list(values) for name, values in columns.items()}, schema=polars_schema("events")
        )

    def __repr__(self) -> str:
        return f"<EventLog: {self.rows:,} events>"
