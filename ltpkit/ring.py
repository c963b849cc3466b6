"""Recent rows as a ring of append-only chunks in Arrow's own layout.

One thread, the feed's, appends; it writes only past the published length and then publishes with
one assignment. What is published never changes, so a snapshot is a slice that costs no copy, in
any thread, for as long as anyone keeps it. A full chunk is sealed; the oldest leaves when the
capacity is passed *and* its rows are stored. When storing cannot keep up, twice the capacity is
held and then the oldest rows do leave, counted in `lost_rows` and told to `on_loss`.

`TickRing` holds ticks, with the change from the tick before worked out on arrival and a table of
each instrument's newest values; `DepthRing` holds books; `EventLog` holds events.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from ltpkit import changes
from ltpkit.batch import Depth, Event, Ticks
from ltpkit.instruments import Instruments
from ltpkit.schema import FEED_FLOATS, TICK_FLOATS, code_of, polars_schema

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["DepthRing", "EventLog", "TickRing"]

TICK_CHUNK_ROWS: Final = 65_536
DEPTH_CHUNK_ROWS: Final = 16_384
DEPTH_LEVELS_PER_ROW: Final = 10  # room planned per row and side; a chunk seals early when it is used up
CACHED_SYMBOLS: Final = 16  # how many symbols' rows a sealed chunk keeps picked out

_CHANGE = TICK_FLOATS.index("change")
_CHANGE_PERCENT = TICK_FLOATS.index("change_percent")


def _bitmap(present: npt.NDArray[np.bool_]) -> pa.Buffer:
    import pyarrow as pa

    return pa.py_buffer(np.packbits(present, bitorder="little"))


def _floats(column: npt.NDArray[np.float64]) -> pa.Array:
    """Return an Arrow column over the same memory, NaN marked null."""
    import pyarrow as pa

    present = column == column
    bitmap = None if present.all() else _bitmap(present)
    return pa.Array.from_buffers(pa.float64(), len(column), [bitmap, pa.py_buffer(column)])


def _plain(kind: pa.DataType, column: npt.NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    return pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)])


def _frame(
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
        "seq": _plain(pa.int64(), ints[0]),
        "symbol": _plain(pa.uint32(), symbol),
        "exchange": _plain(pa.uint8(), exchange),
        "timestamp": _plain(time_, ints[1]),
        "received_at": _plain(time_, ints[2]),
        **middle,
    }
    if source is not None:
        columns["source"] = _plain(pa.uint8(), source)
    frame = pl.DataFrame({name: pl.from_arrow(column) for name, column in columns.items()})
    types = polars_schema("ticks")
    coded = [name for name in ("symbol", "exchange", "source") if name in columns]
    return frame.with_columns(frame[name].cat.to(types[name]) for name in coded)


class _Chunk(Protocol):
    """What `_Ring` asks of a chunk of rows."""

    first_seq: int
    rows: int

    @property
    def full(self) -> bool: ...

    def frame(self, start: int, stop: int) -> pl.DataFrame: ...

    def codes(self, stop: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]: ...

    def nbytes(self) -> int: ...


C = TypeVar("C", bound=_Chunk)


class _Sealed(Generic[C]):
    """A full chunk, its frame, and the rows of lately asked symbols picked out of it."""

    def __init__(self, chunk: C) -> None:
        self.chunk = chunk
        self.frame = chunk.frame(0, chunk.rows)
        self._picked: dict[tuple[int, int | None], pl.DataFrame] = {}

    def pick(self, symbol: int, exchange: int | None) -> pl.DataFrame:
        key = (symbol, exchange)
        found = self._picked.get(key)
        if found is None:
            found = _pick(self.chunk, self.frame, symbol, exchange)
            if len(self._picked) >= CACHED_SYMBOLS:
                self._picked.clear()
            self._picked[key] = found
        return found


def _pick(chunk: _Chunk, frame: pl.DataFrame, symbol: int, exchange: int | None) -> pl.DataFrame:
    import polars as pl

    symbols, exchanges = chunk.codes(frame.height)
    wanted = symbols == symbol
    if exchange is not None:
        wanted &= exchanges == exchange
    rows = np.flatnonzero(wanted)
    if len(rows) == frame.height:
        return frame
    return frame[pl.Series(rows.astype(np.uint32))]


class _Published(NamedTuple, Generic[C]):
    """All a reader needs, replaced as one: a reader sees the old or the new, never a mix."""

    sealed: tuple[_Sealed[C], ...]
    open: C
    rows: int  # rows of `open` that may be read


class _Ring(Generic[C]):
    """Chunks, their sealing and leaving, and the snapshots of them."""

    def __init__(
        self,
        table: str,
        *,
        capacity_rows: int | None,
        first_seq: int,
        on_loss: Callable[[int, int], None] | None = None,
    ) -> None:
        self._table = table
        self.capacity_rows = capacity_rows
        self.next_seq = first_seq
        self.stored_seq = first_seq - 1  # the flush worker raises it after each commit
        self.lost_rows = 0
        self.on_loss = on_loss
        self._published: _Published[C] = _Published((), self._new_chunk(first_seq), 0)

    def _new_chunk(self, first_seq: int) -> C:
        raise NotImplementedError

    # -- the feed thread ------------------------------------------------------------------

    def _publish(self, chunk: C) -> None:
        sealed = self._published.sealed
        if chunk.full:
            self._published = _Published(
                (*sealed, _Sealed(chunk)), self._new_chunk(chunk.first_seq + chunk.rows), 0
            )
            self._let_go()
        else:
            self._published = _Published(sealed, chunk, chunk.rows)

    def _let_go(self) -> None:
        """Drop sealed chunks beyond the capacity: stored ones, or any beyond twice the capacity."""
        if self.capacity_rows is None:
            return
        sealed, open_, rows = self._published
        held, gone = self.rows, 0
        for one in sealed:
            after = held - one.chunk.rows
            if after < self.capacity_rows:
                break
            first, last = one.chunk.first_seq, one.chunk.first_seq + one.chunk.rows - 1
            if last > self.stored_seq:
                if held <= 2 * self.capacity_rows:
                    break
                lost_from = max(first, self.stored_seq + 1)
                self.lost_rows += last - lost_from + 1
                if self.on_loss is not None:
                    self.on_loss(lost_from, last)
            held, gone = after, gone + 1
        if gone:
            self._published = _Published(sealed[gone:], open_, rows)

    # -- any thread -----------------------------------------------------------------------

    @property
    def rows(self) -> int:
        """Rows in memory."""
        state = self._published
        return sum(one.chunk.rows for one in state.sealed) + state.rows

    @property
    def last_seq(self) -> int:
        """`seq` of the newest published row; one less than the first when there is none."""
        state = self._published
        return state.open.first_seq + state.rows - 1

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

    def pick(self, symbol: int, exchange: int | None = None) -> pl.DataFrame:
        """Return the rows of one symbol (its codes in the dictionary columns), in arrival order."""
        import polars as pl

        state = self._published
        parts = [one.pick(symbol, exchange) for one in state.sealed]
        parts.append(_pick(state.open, state.open.frame(0, state.rows), symbol, exchange))
        filled = [part for part in parts if part.height] or parts[-1:]
        return filled[0] if len(filled) == 1 else pl.concat(filled, rechunk=False)

    def newest(self, symbol: int, exchange: int | None = None) -> pl.DataFrame:
        """Return the newest row of one symbol, shape (1, …), or no row."""
        state = self._published
        parts: list[tuple[C, int]] = [(state.open, state.rows)]
        parts += [(one.chunk, one.chunk.rows) for one in reversed(state.sealed)]
        for chunk, rows in parts:
            symbols, exchanges = chunk.codes(rows)
            wanted = symbols == symbol
            if exchange is not None:
                wanted &= exchanges == exchange
            found = np.flatnonzero(wanted)
            if len(found):
                return chunk.frame(int(found[-1]), int(found[-1]) + 1)
        return state.open.frame(0, 0)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the rows in memory to any Arrow reader; DuckDB can query a ring by name."""
        return self.frame().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.rows:,} rows, seq {self.first_seq}–{self.last_seq}>"


class _TickChunk:
    """Preallocated columns of ticks: one block per width, one line per column."""

    def __init__(self, first_seq: int, rows: int) -> None:
        self.first_seq, self.rows, self._room = first_seq, 0, rows
        self.ints = np.empty((3, rows), np.int64)  # seq, timestamp, received_at
        self.ints[0] = np.arange(first_seq, first_seq + rows)
        self.floats = np.empty((len(TICK_FLOATS), rows))
        self.symbol = np.empty(rows, np.uint32)
        self.exchange = np.empty(rows, np.uint8)
        self.source = np.empty(rows, np.uint8)

    @property
    def full(self) -> bool:
        return self.rows == self._room

    @property
    def free(self) -> int:
        return self._room - self.rows

    def codes(self, stop: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
        return self.symbol[:stop], self.exchange[:stop]

    def nbytes(self) -> int:
        blocks = (self.ints, self.floats, self.symbol, self.exchange, self.source)
        return sum(block.nbytes for block in blocks)

    def frame(self, start: int, stop: int) -> pl.DataFrame:
        some = slice(start, stop)
        floats = {name: _floats(self.floats[line, some]) for line, name in enumerate(TICK_FLOATS)}
        return _frame(self.ints[:, some], self.symbol[some], self.exchange[some], floats, self.source[some])


class TickRing(_Ring[_TickChunk]):
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
        chunk_rows: int = TICK_CHUNK_ROWS,
        first_seq: int = 1,
        on_loss: Callable[[int, int], None] | None = None,
    ) -> None:
        self._instruments = instruments
        self._chunk_rows = chunk_rows
        self._last = np.full(64, np.nan)
        self._table_floats = np.full((len(TICK_FLOATS), 64), np.nan)
        self._table_ints = np.zeros((3, 64), np.int64)
        self._table_source = np.zeros(64, np.uint8)
        self._version = 0  # odd while the table of newest values is being written
        super().__init__("ticks", capacity_rows=capacity_rows, first_seq=first_seq, on_loss=on_loss)

    def _new_chunk(self, first_seq: int) -> _TickChunk:
        return _TickChunk(first_seq, self._chunk_rows)

    def seed(self, name: str, ltp: float) -> None:
        """Set the price that an instrument's first tick is compared with, from before this start."""
        number = self._instruments.number(name)
        if number is not None:
            self._make_room()
            self._last[number] = ltp

    def append(self, ticks: Ticks, source: str) -> None:
        """Add rows, in order, and publish them. The feed thread only.

        Notes
        -----
        `change` is the price less the price of the tick before of the same instrument; rows
        without a price have none.
        """
        n = len(ticks)
        if not n:
            return
        if len(self._last) < len(self._instruments):
            self._make_room()
        who, values = ticks.instrument, ticks.values
        ltp = values[0]
        earlier = changes.before(self._last, who, ltp)
        change = ltp - earlier
        code = code_of("source", source)
        done = 0
        while done < n:
            chunk = self._published.open
            take = min(n - done, chunk.free)
            i, j, a, b = chunk.rows, chunk.rows + take, done, done + take
            chunk.ints[1, i:j] = ticks.timestamp[a:b]
            chunk.ints[2, i:j] = ticks.received_at[a:b]
            chunk.floats[: len(FEED_FLOATS), i:j] = values[:, a:b]
            chunk.floats[_CHANGE, i:j] = change[a:b]
            chunk.floats[_CHANGE_PERCENT, i:j] = changes.percent(change[a:b], earlier[a:b])
            numbers = who[a:b]
            chunk.symbol[i:j] = self._instruments.symbol_codes[numbers]
            chunk.exchange[i:j] = self._instruments.exchange_codes[numbers]
            chunk.source[i:j] = code
            self._note(numbers, chunk, i, j, code)
            chunk.rows = j
            self._publish(chunk)
            done = b
        self.next_seq += n

    def _note(self, numbers: npt.NDArray[np.int32], chunk: _TickChunk, i: int, j: int, code: int) -> None:
        """Bring the newest values up to date; of several rows of one instrument the last counts."""
        block = chunk.floats[:, i:j]
        self._version += 1
        if j - i == 1:
            who = int(numbers[0])
            row = block[:, 0]
            np.copyto(self._table_floats[:, who], row, where=row == row)
            self._table_ints[:, who] = chunk.ints[:, i]
            self._table_source[who] = code
        else:
            lines, places = np.nonzero(block == block)  # in order, so later rows overwrite earlier
            self._table_floats[lines, numbers[places]] = block[lines, places]
            self._table_ints[:, numbers] = chunk.ints[:, i:j]
            self._table_source[numbers] = code
        self._version += 1

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
        self._table_ints = np.concatenate([self._table_ints, np.zeros((3, more), np.int64)], axis=1)
        self._table_source = np.concatenate([self._table_source, np.zeros(more, np.uint8)])
        self._version += 1

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
                source = self._table_source.copy()
                if version == self._version:
                    break
            time.sleep(0)  # let the feed thread finish its few microseconds
        seen = np.flatnonzero(ints[0])
        ints = np.ascontiguousarray(ints[:, seen])
        columns = {
            name: _floats(np.ascontiguousarray(floats[line, seen])) for line, name in enumerate(TICK_FLOATS)
        }
        codes = self._instruments.symbol_codes[seen], self._instruments.exchange_codes[seen]
        return _frame(ints, *codes, columns, source[seen])


class _Side:
    """One side of the books of a chunk: flat levels and where each row's levels end."""

    def __init__(self, rows: int, levels: int) -> None:
        self.ends = np.zeros(rows + 1, np.int64)  # ends[row] .. ends[row + 1]: Arrow's list offsets
        self.price = np.empty(levels)
        self.qty = np.empty(levels)
        self.orders = np.zeros(levels, np.int32)
        self.counted = np.zeros(rows, np.bool_)  # rows whose feed counts orders

    def fits(self, row: int, ends: npt.NDArray[np.int64], first: int) -> int:
        """Return how many of the batch's rows from `first` on have room for their levels."""
        before_ = int(ends[first - 1]) if first else 0
        room = len(self.price) - int(self.ends[row])
        return int(np.searchsorted(ends[first:], before_ + room, side="right"))

    def write(
        self,
        i: int,
        j: int,
        a: int,
        b: int,
        ends: npt.NDArray[np.int64],
        price: npt.NDArray[np.float64],
        qty: npt.NDArray[np.float64],
        orders: npt.NDArray[np.int32] | None,
    ) -> None:
        start, stop = int(ends[a - 1]) if a else 0, int(ends[b - 1])
        at = int(self.ends[i])
        self.ends[i + 1 : j + 1] = ends[a:b] - start + at
        self.price[at : at + stop - start] = price[start:stop]
        self.qty[at : at + stop - start] = qty[start:stop]
        self.counted[i:j] = orders is not None
        if orders is not None:
            self.orders[at : at + stop - start] = orders[start:stop]

    def nbytes(self) -> int:
        return sum(a.nbytes for a in (self.ends, self.price, self.qty, self.orders, self.counted))

    def columns(self, start: int, stop: int) -> dict[str, pa.Array]:
        import pyarrow as pa

        offsets, counted = pa.py_buffer(self.ends[start : stop + 1]), self.counted[start:stop]
        rows, levels = stop - start, int(self.ends[stop])
        all_counted = None if counted.all() else _bitmap(counted)

        def lists(kind: pa.DataType, flat: npt.NDArray[Any], present: pa.Buffer | None) -> pa.Array:
            children = [_plain(kind, flat[:levels])]
            return pa.Array.from_buffers(pa.large_list(kind), rows, [present, offsets], children=children)

        return {
            "price": lists(pa.float64(), self.price, None),
            "qty": lists(pa.float64(), self.qty, None),
            "orders": lists(pa.int32(), self.orders, all_counted),
        }


class _DepthChunk:
    """Preallocated books: fixed columns, and levels of any number in flat arrays."""

    def __init__(self, first_seq: int, rows: int) -> None:
        self.first_seq, self.rows, self._room = first_seq, 0, rows
        self.full = False
        self.ints = np.empty((3, rows), np.int64)
        self.ints[0] = np.arange(first_seq, first_seq + rows)
        self.symbol = np.empty(rows, np.uint32)
        self.exchange = np.empty(rows, np.uint8)
        self.bids = _Side(rows, rows * DEPTH_LEVELS_PER_ROW)
        self.asks = _Side(rows, rows * DEPTH_LEVELS_PER_ROW)

    def take(self, depth: Depth, first: int) -> int:
        """Return how many rows of `depth` from `first` on fit; marks the chunk full when not all do."""
        left = len(depth) - first
        fit = min(
            left,
            self._room - self.rows,
            self.bids.fits(self.rows, depth.bid_ends, first),
            self.asks.fits(self.rows, depth.ask_ends, first),
        )
        self.full = fit < left or self.rows + fit == self._room
        return fit

    def codes(self, stop: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
        return self.symbol[:stop], self.exchange[:stop]

    def nbytes(self) -> int:
        fixed = self.ints.nbytes + self.symbol.nbytes + self.exchange.nbytes
        return fixed + self.bids.nbytes() + self.asks.nbytes()

    def frame(self, start: int, stop: int) -> pl.DataFrame:
        some = slice(start, stop)
        bids, asks = self.bids.columns(start, stop), self.asks.columns(start, stop)
        levels = {f"bid_{name}": column for name, column in bids.items()}
        levels |= {f"ask_{name}": column for name, column in asks.items()}
        return _frame(self.ints[:, some], self.symbol[some], self.exchange[some], levels)


class DepthRing(_Ring[_DepthChunk]):
    """Recent books, each with as many levels as its feed sent. Parameters as in `TickRing`."""

    def __init__(
        self,
        instruments: Instruments,
        *,
        capacity_rows: int | None = 500_000,
        chunk_rows: int = DEPTH_CHUNK_ROWS,
        first_seq: int = 1,
        on_loss: Callable[[int, int], None] | None = None,
    ) -> None:
        self._instruments = instruments
        self._chunk_rows = chunk_rows
        super().__init__("depth", capacity_rows=capacity_rows, first_seq=first_seq, on_loss=on_loss)

    def _new_chunk(self, first_seq: int) -> _DepthChunk:
        return _DepthChunk(first_seq, self._chunk_rows)

    def append(self, depth: Depth) -> None:
        """Add books, in order, and publish them. The feed thread only."""
        done, n = 0, len(depth)
        while done < n:
            chunk = self._published.open
            fit = chunk.take(depth, done)
            i, j, a, b = chunk.rows, chunk.rows + fit, done, done + fit
            if fit:
                numbers = depth.instrument[a:b]
                chunk.ints[1, i:j] = depth.timestamp[a:b]
                chunk.ints[2, i:j] = depth.received_at[a:b]
                chunk.symbol[i:j] = self._instruments.symbol_codes[numbers]
                chunk.exchange[i:j] = self._instruments.exchange_codes[numbers]
                chunk.bids.write(i, j, a, b, depth.bid_ends, depth.bid_price, depth.bid_qty, depth.bid_orders)
                chunk.asks.write(i, j, a, b, depth.ask_ends, depth.ask_price, depth.ask_qty, depth.ask_orders)
                chunk.rows = j
            self._publish(chunk)
            done = b
        self.next_seq += n


class EventLog:
    """Connection events and gaps in memory: few, so plain rows.

    Appended from any thread of the streamer; readers take a snapshot. Stored events beyond
    `capacity_rows` leave.
    """

    def __init__(self, *, capacity_rows: int = 100_000, first_seq: int = 1) -> None:
        self.capacity_rows = capacity_rows
        self.stored_seq = first_seq - 1
        self._first_seq = first_seq
        self._rows: list[tuple[int, str, str | None, str]] = []
        self._lock = threading.Lock()

    @property
    def last_seq(self) -> int:
        """`seq` of the newest event."""
        with self._lock:
            return self._first_seq + len(self._rows) - 1

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
