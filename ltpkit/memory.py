"""Rows in rings, and those of a store behind them, answered as one.

`Memory` answers the reading methods and what views ask for. Whose rows they are, and when the store is open,
is left to `held`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ltpkit.errors import WrongProcess
from ltpkit.flags import KIND as FLAGGED
from ltpkit.flags import LEFT_OUT, left_out
from ltpkit.frames import Frames, Name, Table
from ltpkit.instrument import Instruments, split_symbol
from ltpkit.ring import DepthRing, EventLog, TickRing
from ltpkit.schema import code_of, us_of
from ltpkit.store import Store

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import polars as pl

__all__ = ["Memory"]


class Memory(Frames):
    """The reading methods over rings and a store."""

    def __init__(self, instruments: Instruments, ticks: TickRing, depth: DepthRing, events: EventLog) -> None:
        self._pid = os.getpid()
        self._instruments = instruments
        self._ring, self._depth_ring, self._events = ticks, depth, events

    def _open_store(self) -> Store:
        """Return the store; raise where it is closed."""
        raise NotImplementedError

    @property
    def _partly_stored(self) -> bool:
        """Whether the store has ticks that are not, or no longer, in memory, and may be asked."""
        raise NotImplementedError

    # -- what a view asks for -------------------------------------------------------------

    def version(self) -> Hashable:  # noqa: D102 - as in the base
        return self._ring.last_seq, self._depth_ring.last_seq, self._events.last_seq

    def tick_size(self, name: str) -> float:  # noqa: D102 - as in the base
        number = self._instruments.number(name)
        return 0.0 if number is None else self._instruments[number].tick_size

    def sector(self, name: str) -> str:  # noqa: D102 - as in the base
        number = self._instruments.number(name)
        return "" if number is None else self._instruments[number].sector

    def known(self) -> list[str]:  # noqa: D102 - as in the base
        return self._instruments.names()

    def newest_event(self) -> int:  # noqa: D102 - as in the base
        return self._events.last_seq

    def newer(self, table: Table, seq: int, name: str | None = None) -> pl.DataFrame:  # noqa: D102 - as in the base
        ring = self._ring_of(table)
        if name is None or isinstance(ring, EventLog):
            return ring.frame(after_seq=seq)
        return ring.pick(*_codes(split_symbol(name)), after_seq=seq)

    def newer_numbers(  # noqa: D102 - as in the base
        self, columns: Sequence[str], seq: int, name: str | None = None, *, since: datetime | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        codes = (None, None) if name is None else _codes(split_symbol(name))
        return self._ring.numbers(columns, *codes, after_seq=seq, since=_us(since))

    def newest_numbers(self, name: str) -> dict[str, float]:  # noqa: D102 - as in the base
        number = self._instruments.number(name)
        return {} if number is None else self._ring.newest_numbers(number)

    def latest_numbers(self, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:  # noqa: D102 - as in the base
        return self._ring.latest_numbers(columns)

    def newer_books(  # noqa: D102 - as in the base
        self, name: str, seq: int, *, levels: int, since: datetime | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        codes = _codes(split_symbol(name))
        return self._depth_ring.books(*codes, levels=levels, after_seq=seq, since=_us(since))

    def book_numbers(self, name: str) -> dict[str, npt.NDArray[np.float64]]:  # noqa: D102 - as in the base
        return self._depth_ring.levels(*_codes(split_symbol(name)))

    def believed(self, name: str, since: datetime | None = None) -> pl.DataFrame:  # noqa: D102 - as in the base
        import polars as pl

        if self._partly_stored:
            return super().believed(name, since)
        ticks = self.newer("ticks", 0, name)  # all there is, or all there is without the store
        if since is not None:
            ticks = ticks.filter(pl.col("timestamp") >= since)
        return ticks.filter(~pl.col("seq").is_in(left_out(self.events()).implode()))

    def believed_numbers(  # noqa: D102 - as in the base
        self, columns: Sequence[str], name: str, since: datetime | None = None
    ) -> dict[str, npt.NDArray[Any]]:
        if self._partly_stored:
            return super().believed_numbers(columns, name, since)
        import numpy as np

        # Without polars: a view that turns to another symbol would wait for what it does elsewhere.
        found = self.newer_numbers(tuple({*columns, "seq", "timestamp"}), 0, name)
        good = ~np.isin(found["seq"], self.left_out(0))
        if since is not None:
            good &= found["timestamp"] >= _us(since)
        return {one: found[one][good] for one in columns}

    def left_out(self, after: int) -> npt.NDArray[np.int64]:  # noqa: D102 - as in the base
        import numpy as np

        details = map(json.loads, self._events.details(FLAGGED, after_seq=after))
        runs = [run for one in details if one["why"] in LEFT_OUT for run in one["seqs"]]
        return np.concatenate([np.zeros(0, np.int64), *(np.arange(first, last + 1) for first, last in runs)])

    # -- what Frames asks for -------------------------------------------------------------

    def _ring_of(self, table: Table) -> TickRing | DepthRing | EventLog:
        rings: dict[Table, TickRing | DepthRing | EventLog]
        rings = {"ticks": self._ring, "depth": self._depth_ring, "events": self._events}
        return rings[table]

    def _rows(self, table: Table, names: Sequence[Name] | None, last: int | None) -> pl.DataFrame:
        import polars as pl

        self._check_process()
        ring = self._ring_of(table)
        if names is None or isinstance(ring, EventLog):
            frame = ring.frame()
        elif len(names) == 1:
            frame = ring.pick(*_codes(names[0]))
        else:
            parts = [ring.pick(*_codes(name)) for name in names]
            frame = pl.concat(parts, rechunk=False).unique("seq").sort("seq")
        return frame if last is None else frame.tail(last)

    def _latest(self) -> pl.DataFrame:
        self._check_process()
        return self._ring.latest()

    def _newest_book(self, name: Name) -> pl.DataFrame:
        self._check_process()
        return self._depth_ring.newest(*_codes(name))

    def _memory(self) -> dict[str, pl.DataFrame]:
        return {
            "ticks": self._ring.frame(),
            "depth": self._depth_ring.frame(),
            "events": self._events.frame(),
        }

    def _query(self, query: str, params: Any, frames: Mapping[str, Any]) -> pl.DataFrame:
        return self._open_store().sql(query, params, memory=self._memory(), frames=frames)

    def _scan(self) -> pl.LazyFrame:
        return self._open_store().scan(self._memory)

    def _check_process(self) -> None:
        """Raise in a fork: without our threads, and those of polars and DuckDB, a call would hang."""
        if os.getpid() != self._pid:
            raise WrongProcess(self._pid)


def _us(since: datetime | None) -> int:
    return 0 if since is None else us_of(since)


def _codes(name: Name) -> tuple[int, int | None]:
    exchange, symbol = name
    return code_of("symbol", symbol), code_of("exchange", exchange) if exchange else None
