"""Connection events and gaps in memory."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from ltpkit.batch import Event
from ltpkit.schema import polars_schema

if TYPE_CHECKING:
    import polars as pl

__all__ = ["EventLog"]

_MOST: Final = 3  # times the capacity, beyond it, that may wait for the store


class EventLog:
    """Connection events and gaps in memory: few, so plain rows.

    Appended from any thread of the streamer; readers take a snapshot. Stored events beyond
    `capacity_rows` leave.

    Parameters
    ----------
    capacity_rows : int
    first_seq : int
        `seq` of the first event.
    hide : callable
        Returns a text without what may not be shown: servers repeat what they were told.

    Attributes
    ----------
    lost_rows : int
        Events that had to leave before they were stored or journaled: there were four times as many as the
        capacity.
    """

    def __init__(
        self, *, capacity_rows: int = 100_000, first_seq: int = 1, hide: Callable[[str], str] = str
    ) -> None:
        self.capacity_rows, self.hide = capacity_rows, hide
        self.stored_seq = self.journaled_seq = first_seq - 1
        self._first_seq = first_seq
        self._rows: list[tuple[int, str, str | None, str]] = []
        self._lock = threading.Lock()
        self.lost_rows = 0

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
        new = [(e.at, e.kind, e.symbol, json.dumps(self._shown(e.detail))) for e in events]
        with self._lock:
            self._rows += new
            spare = len(self._rows) - self.capacity_rows
            leave = min(spare, self.stored_seq - self._first_seq + 1)
            if spare >= _MOST * self.capacity_rows:  # the store takes none
                leave = spare
                safe = max(self.stored_seq, self.journaled_seq, self._first_seq - 1)
                self.lost_rows += max(0, self._first_seq + leave - 1 - safe)
            if leave > self.capacity_rows // 10:  # now and then, not one at a time
                del self._rows[:leave]
                self._first_seq += leave

    def _shown(self, value: object) -> object:
        if isinstance(value, dict):
            return {self.hide(str(name)): self._shown(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._shown(one) for one in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.hide(str(value))

    def details(self, kind: str, *, after_seq: int = 0) -> list[str]:
        """Return the details of the events of a kind in memory after `after_seq`, as JSON."""
        with self._lock:
            rows = self._rows[max(0, after_seq + 1 - self._first_seq) :]
        return [detail for _, one, _, detail in rows if one == kind]

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
