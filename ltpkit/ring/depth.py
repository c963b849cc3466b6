"""Books in memory, each with as many levels as its feed sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth
from ltpkit.instrument import Instruments
from ltpkit.ring.base import Chunk, Ring, bitmap, make_frame, plain_column
from ltpkit.ring.memory import arrays

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["DepthRing"]

CHUNK_ROWS: Final = 32_768
_SIDES: Final = ("bid", "ask")
_NAMES: Final = ("price", "qty", "orders")
_NO_ORDERS: Final = np.zeros(0, np.int32)
#: Room planned per row and side: for the first chunk; and at most for others, which have what the one before
#: them needed. A chunk whose room is used up is sealed early.
FIRST_LEVELS, MOST_LEVELS = 5, 10


class _Side:
    """One side of the books of a chunk: flat levels and where each row's levels end."""

    def __init__(
        self,
        ends: npt.NDArray[np.int64],
        price: npt.NDArray[np.float64],
        qty: npt.NDArray[np.float64],
        orders: npt.NDArray[np.int32],
        counted: npt.NDArray[np.bool_],
    ) -> None:
        self.ends = ends  # ends[row] .. ends[row + 1]: Arrow's list offsets
        self.price, self.qty, self.orders = price, qty, orders
        self.counted = counted  # whether the row's feed counts orders

    def table(self, values: npt.NDArray[np.float64], rows: npt.NDArray[np.uint32], levels: int) -> Any:
        """Return `price` or `qty` of some rows, shape (rows, levels), NaN where there are fewer levels."""
        place = self.ends[rows, None] + np.arange(levels)
        return np.where(place < self.ends[rows + 1, None], values.take(place, mode="clip"), np.nan)

    def columns(self, start: int, stop: int) -> dict[str, pa.Array]:
        import pyarrow as pa

        offsets, counted = pa.py_buffer(self.ends[start : stop + 1]), self.counted[start:stop]
        rows, levels = stop - start, int(self.ends[stop])
        all_counted = None if counted.all() else bitmap(counted)

        def lists(kind: pa.DataType, flat: npt.NDArray[Any], present: pa.Buffer | None) -> pa.Array:
            children = [plain_column(kind, flat[:levels])]
            return pa.Array.from_buffers(pa.large_list(kind), rows, [present, offsets], children=children)

        return {
            "price": lists(pa.float64(), self.price, None),
            "qty": lists(pa.float64(), self.qty, None),
            "orders": lists(pa.int32(), self.orders, all_counted),
        }


class _DepthChunk(Chunk):
    """Columns of books: levels of any number in flat arrays."""

    def __init__(self, first_seq: int, room: int, levels: int) -> None:
        super().__init__(first_seq, room)
        # Lines for the bids and the asks.
        self.ends, self.price, self.qty, self.orders, self.counted = arrays(
            ((2, room + 1), np.int64),
            ((2, levels), np.float64),
            ((2, levels), np.float64),
            ((2, levels), np.int32),
            ((2, room), np.bool_),
        )
        self.ends[:, 0] = 0
        self.bids, self.asks = (_Side(*(column[side] for column in self._columns())) for side in (0, 1))

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return self.ends, self.price, self.qty, self.orders, self.counted

    def levels_per_row(self) -> int:
        """Return how many levels a row of the longer side has, on average."""
        levels = max(int(side.ends[self.rows]) for side in (self.bids, self.asks))
        return -(-levels // max(self.rows, 1))

    def nbytes(self) -> int:
        return super().nbytes() + sum(column.nbytes for column in self._columns())

    def levels(self, row: int) -> dict[str, npt.NDArray[np.float64]]:
        """Return one row's book, NaN where a side is shorter."""
        found: dict[str, npt.NDArray[np.float64]] = {}
        sides = dict(zip(_SIDES, (self.bids, self.asks), strict=True))
        most = max(int(side.ends[row + 1] - side.ends[row]) for side in sides.values())
        for name, side in sides.items():
            first, last = int(side.ends[row]), int(side.ends[row + 1])
            block = np.full((len(_NAMES), most), np.nan)
            block[0, : last - first] = side.price[first:last]
            block[1, : last - first] = side.qty[first:last]
            if side.counted[row]:
                block[2, : last - first] = side.orders[first:last]
            found |= {f"{name}_{one}": block[i] for i, one in enumerate(_NAMES)}
        return found

    def frame(self, start: int, stop: int) -> pl.DataFrame:
        some = slice(start, stop)
        bids, asks = self.bids.columns(start, stop), self.asks.columns(start, stop)
        levels = {f"bid_{name}": column for name, column in bids.items()}
        levels |= {f"ask_{name}": column for name, column in asks.items()}
        return make_frame(self.ints[:, some], self.symbol[some], self.exchange[some], levels)


class DepthRing(Ring[_DepthChunk]):
    """Recent books, each with as many levels as its feed sent. Parameters as in `TickRing`."""

    def __init__(
        self,
        instruments: Instruments,
        *,
        capacity_rows: int | None = 500_000,
        chunk_rows: int = CHUNK_ROWS,
        first_seq: int = 1,
        on_loss: Callable[[int, int], None] | None = None,
    ) -> None:
        from ltpkit.ring import loops

        self._append = loops.append_books
        self._instruments = instruments
        self._chunk_rows = chunk_rows
        self._levels = FIRST_LEVELS * chunk_rows  # that the next chunk has room for, on each side
        super().__init__(capacity_rows=capacity_rows, first_seq=first_seq, on_loss=on_loss)

    def _new_chunk(self, first_seq: int) -> _DepthChunk:
        return _DepthChunk(first_seq, self._chunk_rows, self._levels)

    def levels(self, symbol: int, exchange: int | None = None) -> dict[str, npt.NDArray[np.float64]]:
        """Return the newest book of one symbol as plain arrays, as long as the longer side.

        Columns ``bid_price, bid_qty, bid_orders`` and the same of ``ask``; NaN beyond the shorter side, and
        where orders are not counted. No frame is made: that would wait for what polars does elsewhere.
        """
        state = self._published
        parts: list[tuple[_DepthChunk, int]] = [(state.open, state.rows)]
        parts += [(one.chunk, one.chunk.rows) for one in reversed(state.sealed)]
        for chunk, rows in parts:
            found = chunk.find(symbol, exchange, 0, rows)
            if len(found):
                return chunk.levels(int(found[-1]))
        return {f"{side}_{name}": np.zeros(0) for side in _SIDES for name in _NAMES}

    def books(
        self, symbol: int, exchange: int | None = None, *, levels: int, after_seq: int, since: int = 0
    ) -> dict[str, npt.NDArray[Any]]:
        """Return the books of one symbol after `after_seq` that were received at `since` or later.

        Columns ``seq`` and ``received_at``; ``bid_price, bid_qty, ask_price, ask_qty``, shape (books,
        levels), NaN where a side is shorter. No frame is made.
        """
        state = self._published
        parts: list[list[npt.NDArray[Any]]] = []
        chunks = [(one.chunk, one.chunk.rows) for one in state.sealed] + [(state.open, state.rows)]
        for chunk, rows in chunks:
            start = max(0, after_seq + 1 - chunk.first_seq)
            found = chunk.find(symbol, exchange, min(start, rows), rows)
            found = found[chunk.ints[2, found] >= since] if since else found
            sides = [
                side.table(values, found, levels)
                for side in (chunk.bids, chunk.asks)
                for values in (side.price, side.qty)
            ]
            parts.append([chunk.ints[0, found], chunk.ints[2, found], *sides])
        names = ("seq", "received_at", "bid_price", "bid_qty", "ask_price", "ask_qty")
        return {name: np.concatenate([part[i] for part in parts]) for i, name in enumerate(names)}

    def append(self, depth: Depth) -> None:
        """Add books, in order, and publish them. The feed thread only."""
        known = self._instruments
        bid_orders, ask_orders = depth.bid_orders, depth.ask_orders
        is_counted = bid_orders is not None, ask_orders is not None
        done, n = 0, len(depth)
        while done < n:
            chunk = self._chunks[1]
            wanted = min(n - done, chunk.room - chunk.rows)
            fit = self._append(
                depth.instrument,
                depth.timestamp,
                depth.received_at,
                (depth.bid_ends, depth.ask_ends),
                (depth.bid_price, depth.ask_price),
                (depth.bid_qty, depth.ask_qty),
                (_counts(bid_orders), _counts(ask_orders)),
                is_counted,
                done,
                known.symbol_codes,
                known.exchange_codes,
                chunk.ints,
                chunk.symbol,
                chunk.exchange,
                chunk.ends,
                chunk.price,
                chunk.qty,
                chunk.orders,
                chunk.counted,
                chunk.rows,
                wanted,
            )
            chunk.rows += fit  # from here on they are seen
            done += fit
            if fit < wanted or chunk.rows == chunk.room:
                self._plan(chunk, depth, done)
                self._seal(chunk)

    def _plan(self, last: _DepthChunk, depth: Depth, row: int) -> None:
        """Say how many levels the next chunk has room for, which starts with this row, if there is one."""
        per_row = min(max(last.levels_per_row(), 1), MOST_LEVELS)
        sides = (np.diff(ends[: row + 1], prepend=0)[row:] for ends in (depth.bid_ends, depth.ask_ends))
        self._levels = max(per_row * self._chunk_rows, *(int(side.sum()) for side in sides))


def _counts(orders: npt.NDArray[np.int32] | None) -> npt.NDArray[np.int32]:
    return _NO_ORDERS if orders is None else orders
