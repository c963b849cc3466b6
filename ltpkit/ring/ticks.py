"""Ticks in memory, with the change from the tick before and each instrument's newest values."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Ticks
from ltpkit.instrument import Instruments
from ltpkit.ring.base import Chunk, Ring, floats_column, make_frame
from ltpkit.ring.memory import arrays
from ltpkit.schema import TICK_FLOATS, code_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TickRing"]

CHUNK_ROWS: Final = 65_536

_INTS: Final = ("seq", "timestamp", "received_at")
_ALL: Final = np.ones(len(TICK_FLOATS) + 2, np.bool_)
_NONE: Final = np.zeros(0, np.bool_)


class _TickChunk(Chunk):
    """Columns of ticks."""

    def __init__(self, first_seq: int, room: int) -> None:
        super().__init__(first_seq, room)
        self.floats, self.source = arrays(((len(TICK_FLOATS), room), np.float64), (room, np.uint8))

    def nbytes(self) -> int:
        return super().nbytes() + self.floats.nbytes + self.source.nbytes

    def _blocks(self) -> tuple[npt.NDArray[np.int64], ...]:
        codes = np.stack([self.exchange[: self.rows], self.source[: self.rows]])
        return self.floats[:, : self.rows].view(np.int64), codes.astype(np.int64)

    def changing(self, symbol: int) -> npt.NDArray[np.bool_]:
        """Return which of `TICK_FLOATS`, `exchange` and `source` may change among the rows of a symbol."""
        return self.index().changing(symbol) if self.sealed else _ALL

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column with all its room."""
        codes: dict[str, npt.NDArray[Any]]
        codes = {"symbol": self.symbol, "exchange": self.exchange, "source": self.source}
        if name in codes:
            return codes[name]
        block: npt.NDArray[Any] = self.ints if name in _INTS else self.floats
        column: npt.NDArray[Any] = block[(_INTS if name in _INTS else TICK_FLOATS).index(name)]
        return column

    def frame(self, start: int, stop: int) -> pl.DataFrame:
        some = slice(start, stop)
        floats = {name: floats_column(self.floats[line, some]) for line, name in enumerate(TICK_FLOATS)}
        return make_frame(
            self.ints[:, some], self.symbol[some], self.exchange[some], floats, self.source[some]
        )


def _joined(parts: Sequence[npt.NDArray[np.uint8]], rows: Sequence[int]) -> npt.NDArray[np.uint8] | int:
    """Return the codes of so many rows each, given one by one or once for all; one code if all are equal."""
    codes = np.concatenate(parts)
    if (codes == codes[0]).all():
        return int(codes[0])
    return np.concatenate([np.broadcast_to(part, count) for part, count in zip(parts, rows, strict=True)])


class TickRing(Ring[_TickChunk]):
    """Recent ticks and the newest values of each instrument.

    Parameters
    ----------
    instruments : Instruments
        What the numbers in a batch stand for.
    capacity_rows : int or None
        Rows to keep in memory once stored; None keeps all.
    first_seq : int
        `seq` of the first row: one more than the newest row of the store.
    on_loss : callable, optional
        Called on the feed thread with the first and last `seq` of rows that had to leave unstored.
    """

    def __init__(
        self,
        instruments: Instruments,
        *,
        capacity_rows: int | None = 2_000_000,
        chunk_rows: int = CHUNK_ROWS,
        first_seq: int = 1,
        on_loss: Callable[[int, int], None] | None = None,
    ) -> None:
        from ltpkit.ring import loops, pick_loops

        self._append, self._gather = loops.append_ticks, pick_loops.gather
        self._instruments = instruments
        self._chunk_rows = chunk_rows
        self._last = np.full(64, np.nan)
        self._table_floats = np.full((len(TICK_FLOATS), 64), np.nan)
        self._table_ints = np.zeros((4, 64), np.int64)  # _INTS, and the code of the feed
        self._version = 0  # odd while the table of newest values is being written
        super().__init__(capacity_rows=capacity_rows, first_seq=first_seq, on_loss=on_loss)

    def _new_chunk(self, first_seq: int) -> _TickChunk:
        return _TickChunk(first_seq, self._chunk_rows)

    def seed(self, name: str, ltp: float) -> None:
        """Set the price that an instrument's first tick is compared with, from before this start."""
        number = self._instruments.number(name)
        if number is not None:
            self._make_room()
            self._last[number] = ltp

    @property
    def prices(self) -> npt.NDArray[np.float64]:
        """Last price of each instrument, NaN where there is none. For the feed thread; not to change."""
        if len(self._last) < len(self._instruments):
            self._make_room()
        return self._last

    @property
    def known(self) -> npt.NDArray[np.float64]:
        """Newest values, shape (`schema.TICK_FLOATS`, instruments). For the feed thread; not to change."""
        return self._table_floats

    def append(self, ticks: Ticks, source: str, *, left_out: npt.NDArray[np.bool_] | None = None) -> None:
        """Add rows, in order, and publish them. The feed thread only.

        Parameters
        ----------
        ticks : Ticks
        source : str
            The feed's name.
        left_out : ndarray of bool, shape (n,), optional
            Rows that are not to be believed: no newest values, and no change from or to them.

        Notes
        -----
        `change` is the price less the price of the tick before of the same instrument; rows
        without a price have none.
        """
        known, last, code = self._instruments, self.prices, code_of("source", source)
        done, n = 0, len(ticks)
        while done < n:
            chunk = self._chunks[1]
            rows = min(n - done, chunk.room - chunk.rows)
            self._version += 1
            try:
                self._append(
                    ticks.instrument,
                    ticks.timestamp,
                    ticks.received_at,
                    ticks.values,
                    _NONE if left_out is None else left_out,
                    done,
                    known.symbol_codes,
                    known.exchange_codes,
                    last,
                    self._table_ints,
                    self._table_floats,
                    code,
                    chunk.ints,
                    chunk.floats,
                    chunk.symbol,
                    chunk.exchange,
                    chunk.source,
                    chunk.rows,
                    rows,
                )
            finally:
                self._version += 1
            chunk.rows += rows  # from here on they are seen
            if chunk.rows == chunk.room:
                self._seal(chunk)
            done += rows

    def _make_room(self) -> None:
        room = len(self._last)
        while room < len(self._instruments):
            room *= 2
        more = room - len(self._last)
        if not more:
            return
        self._version += 1
        self._last = np.concatenate([self._last, np.full(more, np.nan)])
        blank = np.full((len(TICK_FLOATS), more), np.nan)
        self._table_floats = np.concatenate([self._table_floats, blank], axis=1)
        self._table_ints = np.concatenate([self._table_ints, np.zeros((4, more), np.int64)], axis=1)
        self._version += 1

    def _gathered(
        self, found: Sequence[tuple[_TickChunk, npt.NDArray[np.uint32]]], symbol: int
    ) -> pl.DataFrame:
        if not found:
            return super()._gathered(found, symbol)
        lengths = [len(rows) for _, rows in found]
        # Not of `arrays`: no other frame has this size, and kept for one it would push out what chunks left.
        ints = np.empty((len(_INTS), sum(lengths)), np.int64)
        floats = np.empty((len(TICK_FLOATS), sum(lengths)))
        times, numbers = ints[1:], floats.view(np.int64)
        exchanges: list[npt.NDArray[np.uint8]] = []
        sources: list[npt.NDArray[np.uint8]] = []
        start = 0
        for chunk, rows in found:
            changing = chunk.changing(symbol)
            np.add(rows, chunk.first_seq, out=ints[0, start : start + len(rows)], dtype=np.int64)
            self._gather(rows, _ALL[:2], chunk.ints[1:], times, start)
            self._gather(rows, changing[:-2], chunk.floats.view(np.int64), numbers, start)
            exchanges.append(chunk.exchange[rows if changing[-2] else rows[:1]])
            sources.append(chunk.source[rows if changing[-1] else rows[:1]])
            start += len(rows)
        columns = {name: floats_column(floats[line]) for line, name in enumerate(TICK_FLOATS)}
        return make_frame(ints, symbol, _joined(exchanges, lengths), columns, _joined(sources, lengths))

    def numbers(
        self,
        columns: Sequence[str],
        symbol: int | None = None,
        exchange: int | None = None,
        *,
        after_seq: int,
        since: int = 0,
    ) -> dict[str, npt.NDArray[Any]]:
        """Return columns of one symbol's rows, or of all, after `after_seq`, as they are in memory.

        Only of rows received at `since` or later. Codes as codes, times in microseconds, NaN where there is
        no number. For a few rows this costs a tenth of what a frame does, and keeps hold of the interpreter
        instead of asking for it twenty times.
        """
        state = self._published
        parts: list[list[npt.NDArray[Any]]] = []
        for chunk, rows in [
            (state.open, state.rows),
            *((one.chunk, one.chunk.rows) for one in state.sealed[::-1]),
        ]:
            start = max(0, after_seq + 1 - chunk.first_seq)
            if start >= rows and parts:
                break
            found: Any = slice(start, rows) if symbol is None else chunk.find(symbol, exchange, start, rows)
            part = [chunk.column(name)[found] for name in columns]
            if since:
                late = chunk.column("received_at")[found] >= since
                part = [values[late] for values in part]
            parts.append(part)
            if chunk.first_seq <= after_seq:
                break
        parts.reverse()
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(columns)}

    def latest_numbers(self, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Return columns of what `latest` says, as plain arrays: codes, times in µs, NaN for null."""
        while True:
            version = self._version
            if version % 2 == 0:
                seen = np.flatnonzero(self._table_ints[0])
                found: dict[str, npt.NDArray[Any]] = {
                    name: self._table_ints[_INTS.index(name)][seen]
                    if name in _INTS
                    else self._table_floats[TICK_FLOATS.index(name)][seen]
                    for name in columns
                    if name not in ("symbol", "exchange")
                }
                if version == self._version:
                    break
            time.sleep(0)  # let the feed thread finish its few microseconds
        codes: dict[str, npt.NDArray[Any]]
        codes = {"symbol": self._instruments.symbol_codes, "exchange": self._instruments.exchange_codes}
        return {name: codes[name][seen] if name in codes else found[name] for name in columns}

    def newest_numbers(self, number: int) -> dict[str, float]:
        """Return the newest values of one instrument: what `latest` says, as plain numbers.

        ``seq`` and the times in microseconds, then `schema.TICK_FLOATS`; NaN where there is none, and
        nothing before the first row.
        """
        while True:
            version = self._version
            if version % 2 == 0:
                if number >= self._table_ints.shape[1]:
                    return {}
                ints, floats = self._table_ints[:, number].tolist(), self._table_floats[:, number].tolist()
                if version == self._version:
                    break
            time.sleep(0)
        return dict(zip((*_INTS, *TICK_FLOATS), (*ints[:3], *floats), strict=True)) if ints[0] else {}

    def latest(self) -> pl.DataFrame:
        """Return one row per instrument seen: the newest `seq` and times, and each column's last value.

        Returns
        -------
        polars.DataFrame, shape (instruments seen, 20)
            Columns of `schema.TICKS`, in the order the instruments were first met. A quote that
            carries no price leaves `ltp` as the last trade left it.
        """
        while True:  # a reader retries, so that the feed never waits for one
            version = self._version
            if version % 2 == 0:
                floats, ints = self._table_floats.copy(), self._table_ints.copy()
                if version == self._version:
                    break
            time.sleep(0)  # let the feed thread finish its few microseconds
        seen = np.flatnonzero(ints[0])
        ints = np.ascontiguousarray(ints[:, seen])
        columns = {
            name: floats_column(np.ascontiguousarray(floats[line, seen]))
            for line, name in enumerate(TICK_FLOATS)
        }
        codes = self._instruments.symbol_codes[seen], self._instruments.exchange_codes[seen]
        return make_frame(ints, *codes, columns, ints[3].astype(np.uint8))
