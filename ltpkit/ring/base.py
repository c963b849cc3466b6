"""Chunks of rows that only grow, how they are sealed and leave, and the snapshots of them.

What ticks and books have in common. A row is seen once its chunk counts it, and a full chunk is sealed with
one assignment, so a reader in any thread sees the old state or the new, never a mix; a sealed chunk keeps its
frame, made once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from ltpkit.ring.index import SymbolIndex
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
    symbol: npt.NDArray[np.uint32] | int,
    exchange: npt.NDArray[np.uint8] | int,
    middle: Mapping[str, pa.Array],
    source: npt.NDArray[np.uint8] | int | None = None,
) -> pl.DataFrame:
    """Return a frame over these columns' own memory.

    Codes become dictionary columns; a single one is that of all rows.
    """
    import polars as pl
    import pyarrow as pa

    time_ = pa.timestamp("us", tz="UTC")
    codes = {"symbol": symbol, "exchange": exchange, "source": source}
    columns: dict[str, pa.Array] = {
        "seq": plain_column(pa.int64(), ints[0]),
        "symbol": _codes_column(pa.uint32(), symbol),
        "exchange": _codes_column(pa.uint8(), exchange),
        "timestamp": plain_column(time_, ints[1]),
        "received_at": plain_column(time_, ints[2]),
        **middle,
        "source": _codes_column(pa.uint8(), source),
    }
    there = {name: column for name, column in columns.items() if column is not None}
    # In one piece and column by column replaced: half the time of any other way, and latest() is mostly this.
    frame = pl.DataFrame(pa.RecordBatch.from_arrays(list(there.values()), names=list(there)))
    for place, name in enumerate(columns):
        code = codes.get(name)
        if isinstance(code, int):
            frame.insert_column(place, _one(name, code).new_from_index(0, frame.height))
        elif code is not None:
            frame.replace_column(place, frame[name].cat.to(polars_schema("ticks")[name]))
    return frame


def _codes_column(kind: pa.DataType, codes: npt.NDArray[Any] | int | None) -> pa.Array | None:
    return None if codes is None or isinstance(codes, int) else plain_column(kind, codes)


@cache
def _one(name: str, code: int) -> pl.Series:
    """Return the value that has this code, as a dictionary column of one row."""
    import polars as pl

    kind = polars_schema("ticks")[name]
    assert isinstance(kind, pl.Categorical)
    return pl.Series(name, [kind.categories[code]], kind)


class Chunk:
    """Preallocated rows: the columns that ticks and books share. A block has one line per column."""

    def __init__(self, first_seq: int, room: int) -> None:
        self.first_seq, self.rows, self.room = first_seq, 0, room
        self.sealed = False  # set once no more rows come
        self._index: SymbolIndex | None = None
        # ints: seq, timestamp, received_at
        self.ints, self.symbol, self.exchange = arrays(
            ((3, room), np.int64), (room, np.uint32), (room, np.uint8)
        )
        self.ints[0] = np.arange(first_seq, first_seq + room)

    def frame(self, start: int, stop: int) -> pl.DataFrame:
        """Return rows as a frame over the chunk's own memory."""
        raise NotImplementedError

    def index(self) -> SymbolIndex:
        """Return whose the rows of a sealed chunk are: worked out once, as its frame is made."""
        if self._index is None:
            self._index = SymbolIndex(self.symbol[: self.rows], *self._blocks())
        return self._index

    def _blocks(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Return the columns that a copy of a symbol's rows is not to read where they do not change."""
        return ()

    def find(self, symbol: int, exchange: int | None, start: int, stop: int) -> npt.NDArray[np.uint32]:
        """Return which rows from `start` to `stop` have these codes."""
        if self.sealed:
            rows = self.index().rows(symbol)
            if start > 0 or stop < self.rows:
                rows = rows[slice(*np.searchsorted(rows, (start, stop)))]
        else:
            rows = np.flatnonzero(self.symbol[start:stop] == symbol).astype(np.uint32) + np.uint32(start)
        return rows if exchange is None else rows[self.exchange[rows] == exchange]

    def nbytes(self) -> int:
        """Return the bytes allocated."""
        index = 0 if self._index is None else self._index.nbytes
        return self.ints.nbytes + self.symbol.nbytes + self.exchange.nbytes + index


C = TypeVar("C", bound=Chunk)


class _Sealed(Generic[C]):
    """A full chunk and its frame."""

    def __init__(self, chunk: C) -> None:
        chunk.sealed = True
        self.chunk, self.rows = chunk, chunk.rows
        self._frame: pl.DataFrame | None = None

    @property
    def frame(self) -> pl.DataFrame:
        # Made by the first reader, usually the flush worker: done while sealing it held the feed for 2 ms.
        # Two readers at once make two equal frames over the same memory, and one of them stays.
        if self._frame is None:
            self._frame = self.chunk.frame(0, self.rows)
            self.chunk.index()  # as somebody may ask for a symbol next
        return self._frame

    def after(self, start: int) -> pl.DataFrame:
        """Return the rows from `start` on."""
        return self.frame.slice(start) if start else self.frame


class _Open(NamedTuple, Generic[C]):
    """The chunk that is written to, and how many of its rows may be read."""

    chunk: C
    rows: int

    def after(self, start: int) -> pl.DataFrame:
        """Return the rows from `start` on."""
        return self.chunk.frame(start, self.rows)


class _Picked(NamedTuple):
    """The rows of one symbol among those from one `seq` to another."""

    first: int
    last: int
    frame: pl.DataFrame


class _Published(NamedTuple, Generic[C]):
    """All a reader needs."""

    sealed: tuple[_Sealed[C], ...]
    open: C
    rows: int  # of `open` that may be read

    def after(self, seq: int) -> Iterator[tuple[_Sealed[C] | _Open[C], int]]:
        """Yield the chunks that have rows after `seq`, and the first of these rows."""
        chunks: tuple[_Sealed[C] | _Open[C], ...] = (*self.sealed, _Open(self.open, self.rows))
        for one in chunks:
            start = max(0, seq + 1 - one.chunk.first_seq)
            if start < one.rows:
                yield one, start

    @property
    def first_seq(self) -> int:
        return (self.sealed[0].chunk if self.sealed else self.open).first_seq

    @property
    def last_seq(self) -> int:
        return self.open.first_seq + self.rows - 1


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
        return self._published.first_seq

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
        parts = [one.after(start) for one, start in state.after(after_seq)]
        if not parts:
            return state.open.frame(state.rows, state.rows)
        return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=False)

    def pick(self, symbol: int, exchange: int | None = None, *, after_seq: int = 0) -> pl.DataFrame:
        """Return the rows of one symbol (its codes in the dictionary columns), in arrival order.

        With `after_seq` only those after it: chunks before it are not looked at.
        """
        state = self._published
        if after_seq:
            return self._in_chunks(state, symbol, exchange, after_seq)
        key = (symbol, exchange)
        known = self._picked.get(key)
        if known is None:
            while len(self._picked) >= CACHED_SYMBOLS:
                self._picked.pop(next(iter(self._picked.copy())), None)
            frame = self._in_chunks(state, symbol, exchange, 0)
        else:
            frame = known.frame
            if known.last < state.last_seq:
                newer = self._in_chunks(state, symbol, exchange, known.last)
                frame = frame.vstack(newer) if newer.height else frame
            if known.first < state.first_seq:
                frame = frame.slice(int(frame["seq"].search_sorted(state.first_seq)))
        # Once for each chunk: else the frame would be of ever more pieces.
        if known is None or known.first < state.first_seq or known.last < state.open.first_seq - 1:
            self._picked[key] = _Picked(state.first_seq, state.last_seq, frame)
        return frame

    def _in_chunks(
        self, state: _Published[C], symbol: int, exchange: int | None, after_seq: int
    ) -> pl.DataFrame:
        """Return a symbol's rows after `after_seq`; many in a row are not copied."""
        import polars as pl

        parts: list[pl.DataFrame] = []
        some: list[tuple[C, npt.NDArray[np.uint32]]] = []
        for one, start in state.after(after_seq):
            rows = one.chunk.find(symbol, exchange, start, one.rows)
            # A few rows are copied, as the frame would keep the memory of the whole chunk.
            if len(rows) == one.rows - start >= one.chunk.room / 8:
                if some:
                    parts.append(self._gathered(some, symbol))
                    some = []
                parts.append(one.after(start))
            elif len(rows):
                some.append((one.chunk, rows))
        if some or not parts:
            parts.append(self._gathered(some, symbol))
        return parts[0] if len(parts) == 1 else pl.concat(parts, rechunk=False)

    def _gathered(self, found: Sequence[tuple[C, npt.NDArray[np.uint32]]], symbol: int) -> pl.DataFrame:
        """Return these rows of these chunks, all of one symbol, copied; an empty frame of none."""
        import polars as pl

        parts = [chunk.frame(0, int(rows[-1]) + 1)[pl.Series(rows)] for chunk, rows in found]
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
