"""Chunks of rows that only grow, how they are sealed and leave, and the snapshots of them.

What ticks and books have in common. A row is seen once its chunk counts it, and a full chunk is sealed with
one assignment, so a reader in any thread sees the old state or the new, never a mix; a sealed chunk keeps its
frame, made once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ltpkit.ring.memory import arrays
from ltpkit.schema import polars_schema

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["Chunk", "Ring", "bitmap", "floats_column", "make_frame", "plain_column"]

CACHED_SYMBOLS: Final = 16  # of so many the rows in sealed chunks are kept picked out


def bitmap(present: npt.NDArray[np.bool_]) -> pa.Buffer:
    """Return Arrow's validity bits for these rows."""
    import pyarrow as pa

    return pa.py_buffer(np.packbits(present, bitorder="little"))


def floats_column(column: npt.NDArray[np.float64]) -> pa.Array:
    """Return an Arrow column over the same memory, NaN marked null."""
    import pyarrow as pa

    present = column == column
    valid = None if present.all() else bitmap(present)
    return pa.Array.from_buffers(pa.float64(), len(column), [valid, pa.py_buffer(column)])


def plain_column(kind: pa.DataType, column: npt.NDArray[Any]) -> pa.Array:
    """Return an Arrow column over the same memory, none of it null."""
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)])


def make_frame(
    ints: npt.NDArray[np.int64],
    symbol: npt.NDArray[np.uint32],
    exchange: npt.NDArray[np.uint8],
    middle: Mapping[str, pa.Array],
    source: npt.NDArray[np.uint8] | None = None,
) -> pl.DataFrame:
    """Return a frame over these columns' own memory; integer codes become dictionary columns."""
    import polars as pl
    import pyarrow as pa

    time_ = pa.timestamp("us", tz="UTC")
    columns: dict[str, pa.Array] = {
        "seq": plain_column(pa.int64(), ints[0]),
        "symbol": plain_column(pa.uint32(), symbol),
        "exchange": plain_column(pa.uint8(), exchange),
        "timestamp": plain_column(time_, ints[1]),
        "received_at": plain_column(time_, ints[2]),
        **middle,
    }
    if source is not None:
        columns["source"] = plain_column(pa.uint8(), source)
    # In one piece and column by column replaced: half the time of any other way, and latest() is mostly this.
    frame = pl.DataFrame(pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns)))
    types = polars_schema("ticks")
    for place, name in enumerate(columns):
        if name in ("symbol", "exchange", "source"):
            frame.replace_column(place, frame[name].cat.to(types[name]))
    return frame


class Chunk:
    """Preallocated rows: the columns that ticks and books share. A block has one line per column."""

    def __init__(self, first_seq: int, room: int) -> None:
        self.first_seq, self.rows, self.room = first_seq, 0, room
        # ints: seq, timestamp, received_at
        self.ints, self.symbol, self.exchange = arrays(
            ((3, room), np.int64), (room, np.uint32), (room, np.uint8)
        )
        self.ints[0] = np.arange(first_seq, first_seq + room)

    def frame(self, start: int, stop: int) -> pl.DataFrame:
        """Return rows as a frame over the chunk's own memory."""
        raise NotImplementedError

    def find(self, symbol: int, exchange: int | None, start: int, stop: int) -> npt.NDArray[np.intp]:
        """Return which rows from `start` to `stop` have these codes."""
        rows = np.flatnonzero(self.symbol[start:stop] == symbol)
        if exchange is not None:
            rows = rows[self.exchange[start:stop][rows] == exchange]
        return rows + start if start else rows

    def nbytes(self) -> int:
        """Return the bytes allocated."""
        return self.ints.nbytes + self.symbol.nbytes + self.exchange.nbytes


C = TypeVar("C", bound=Chunk)


class _Sealed(Generic[C]):
    """A full chunk and its frame."""

    def __init__(self, chunk: C) -> None:
        self.chunk = chunk
        self._frame: pl.DataFrame | None = None

    @property
    def frame(self) -> pl.DataFrame:
        # Made by the first reader, usually the flush worker: done while sealing it held the feed for 2 ms.
        # Two readers at once make two equal frames over the same memory, and one of them stays.
        if self._frame is None:
            self._frame = self.chunk.frame(0, self.chunk.rows)
        return self._frame


class _Picked(NamedTuple):
    """The rows of one symbol in the sealed chunks, up to the row with this `seq`."""

    until: int
    frame: pl.DataFrame


class _Published(NamedTuple, Generic[C]):
    """All a reader needs."""

    sealed: tuple[_Sealed[C], ...]
    open: C
    rows: int  # of `open` that may be read


class Ring(Generic[C]):
    """Chunks, their sealing and leaving, and the snapshots of them."""

    def __init__(
        self,
        *,
        capacity_rows: int | None,
        first_seq: int,
        on_loss: Callable[[int, int], None] | None = None,
    ) -> None:
        self.capacity_rows = capacity_rows
        self.stored_seq = first_seq - 1  # the flush worker raises it after each commit
        self.journaled_seq = first_seq - 1  # the journal's writer raises it after each write
        self.lost_rows = 0
        self.on_loss = on_loss
        # The sealed ones and the open one: replaced as one.
        self._chunks: tuple[tuple[_Sealed[C], ...], C] = (), self._new_chunk(first_seq)
        self._picked: dict[tuple[int, int | None], _Picked] = {}

    def _new_chunk(self, first_seq: int) -> C:
        raise NotImplementedError

    # -- the feed thread ------------------------------------------------------------------

    def _seal(self, chunk: C) -> None:
        """Put another chunk in the place of the open one, which is full."""
        sealed, _ = self._chunks
        self._chunks = (*sealed, _Sealed(chunk)), self._new_chunk(chunk.first_seq + chunk.rows)
        self._let_go()

    def _let_go(self) -> None:
        """Drop sealed chunks beyond the capacity: stored ones, or any beyond twice the capacity.

        Lost are those that are neither stored nor journaled then.
        """
        if self.capacity_rows is None:
            return
        sealed, open_ = self._chunks
        held, gone = self.rows, 0
        for one in sealed:
            after = held - one.chunk.rows
            if after < self.capacity_rows:
                break
            first, last = one.chunk.first_seq, one.chunk.first_seq + one.chunk.rows - 1
            if last > self.stored_seq:
                if held <= 2 * self.capacity_rows:
                    break
                # What is in the journal is stored from there once the store works again.
                lost_from = max(first, self.stored_seq + 1, self.journaled_seq + 1)
                if lost_from <= last:
                    self.lost_rows += last - lost_from + 1
                    if self.on_loss is not None:
                        self.on_loss(lost_from, last)
            held, gone = after, gone + 1
        if gone:
            self._chunks = sealed[gone:], open_

    # -- any thread -----------------------------------------------------------------------

    @property
    def _published(self) -> _Published[C]:
        sealed, open_ = self._chunks
        return _Published(sealed, open_, open_.rows)

    @property
    def rows(self) -> int:
        """Rows in memory."""
        state = self._published
        return sum(one.chunk.rows for one in state.sealed) + state.rows

    @property
    def last_seq(self) -> int:
        """`seq` of the newest published row; one less than the first when there is none."""
        _, open_ = self._chunks
        return open_.first_seq + open_.rows - 1

    @property
    def first_seq(self) -> int:
        """`seq` of the oldest row in memory."""
        state = self._published
        return state.sealed[0].chunk.first_seq if state.sealed else state.open.first_seq

    def nbytes(self) -> int:
        """Return the bytes allocated for rows in memory, the open chunk's free room included."""
        state = self._published
        return sum(one.chunk.nbytes() for one in state.sealed) + state.open.nbytes()

    def frame(self, *, after_seq: int = 0) -> pl.DataFrame:
        """Return the rows in memory, or those after `after_seq`: a snapshot, not a copy.

        Returns
        -------
        polars.DataFrame
            Columns as in `schema`, in arrival order. It never changes, whatever arrives later.
        """
        import polars as pl

        state = self._published
        parts = []
        for one in state.sealed:
            skip = after_seq + 1 - one.chunk.first_seq
            if skip < one.chunk.rows:
                parts.append(one.frame if skip <= 0 else one.frame.slice(skip))
        start = max(0, after_seq + 1 - state.open.first_seq)
        if start < state.rows or not parts:
            parts.append(state.open.frame(min(start, state.rows), state.rows))
        return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=False)

    def pick(self, symbol: int, exchange: int | None = None, *, after_seq: int = 0) -> pl.DataFrame:
        """Return the rows of one symbol (its codes in the dictionary columns), in arrival order.

        With `after_seq` only those after it: chunks before it are not looked at.
        """
        import polars as pl

        state = self._published
        parts = []
        if after_seq < state.open.first_seq - 1:
            parts.append(self._in_sealed(state.sealed, symbol, exchange, after_seq))
        start = min(max(0, after_seq + 1 - state.open.first_seq), state.rows)
        rows = state.open.find(symbol, exchange, start, state.rows)
        if len(rows) == state.rows - start:
            parts.append(state.open.frame(start, state.rows))
        else:
            parts.append(self._gathered([(state.open, rows)]))
        filled = [part for part in parts if part.height] or parts[-1:]
        return filled[0] if len(filled) == 1 else pl.concat(filled, rechunk=False)

    def _in_sealed(
        self, sealed: tuple[_Sealed[C], ...], symbol: int, exchange: int | None, after_seq: int
    ) -> pl.DataFrame:
        """Return the rows of a symbol in sealed chunks. All of them are remembered, for the next time."""
        import polars as pl

        if after_seq:
            later = [one for one in sealed if one.chunk.first_seq + one.chunk.rows > after_seq + 1]
            found = self._in_chunks(later, symbol, exchange)
            return found.slice(int(found["seq"].search_sorted(after_seq, side="right")))
        key = (symbol, exchange)
        known = self._picked.get(key)
        new = [one for one in sealed if known is None or one.chunk.first_seq > known.until]
        if known is not None:
            gone = int(known.frame["seq"].search_sorted(sealed[0].chunk.first_seq)) if sealed else 0
            frame = known.frame.slice(gone)
            if new:
                frame = pl.concat([frame, self._in_chunks(new, symbol, exchange)], rechunk=True)
        else:
            frame = self._in_chunks(new, symbol, exchange)
        if new:
            if len(self._picked) >= CACHED_SYMBOLS:
                self._picked.clear()
            self._picked[key] = _Picked(new[-1].chunk.first_seq + new[-1].chunk.rows - 1, frame)
        return frame

    def _in_chunks(self, sealed: Sequence[_Sealed[C]], symbol: int, exchange: int | None) -> pl.DataFrame:
        """Return the rows of a symbol in these chunks; those of a chunk that has no others are not copied."""
        import polars as pl

        parts: list[pl.DataFrame] = []
        some: list[tuple[C, npt.NDArray[np.intp]]] = []
        for one in sealed:
            rows = one.chunk.find(symbol, exchange, 0, one.chunk.rows)
            if len(rows) < one.chunk.rows:
                some.append((one.chunk, rows))
                continue
            if some:
                parts.append(self._gathered(some))
                some = []
            parts.append(one.frame)
        if some or not parts:
            parts.append(self._gathered(some))
        return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=False)

    def _gathered(self, found: Sequence[tuple[C, npt.NDArray[np.intp]]]) -> pl.DataFrame:
        """Return these rows of these chunks, copied; an empty frame of none."""
        import polars as pl

        parts = [
            chunk.frame(0, int(rows[-1]) + 1)[pl.Series(rows.astype(np.uint32))]
            for chunk, rows in found
            if len(rows)
        ]
        return pl.concat(parts) if parts else self._published.open.frame(0, 0)

    def newest(self, symbol: int, exchange: int | None = None) -> pl.DataFrame:
        """Return the newest row of one symbol, shape (1, …), or no row."""
        state = self._published
        parts: list[tuple[C, int]] = [(state.open, state.rows)]
        parts += [(one.chunk, one.chunk.rows) for one in reversed(state.sealed)]
        for chunk, rows in parts:
            found = chunk.find(symbol, exchange, 0, rows)
            if len(found):
                return chunk.frame(int(found[-1]), int(found[-1]) + 1)
        return state.open.frame(0, 0)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the rows in memory to any Arrow reader; DuckDB can query a ring by name."""
        return self.frame().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.rows:,} rows, seq {self.first_seq}–{self.last_seq}>"
