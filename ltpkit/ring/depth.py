"""Books in memory, each with as many levels as its feed sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth
from ltpkit.instrument import Instruments
from ltpkit.ring.base import Chunk, Ring, bitmap, make_frame, plain_column

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["DepthRing"]

CHUNK_ROWS: Final = 16_384
LEVELS_PER_ROW: Final = 10  # room planned per row and side; a chunk seals early when it is used up


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

    def __init__(self, first_seq: int, room: int) -> None:
        super().__init__(first_seq, room)
        self.bids = _Side(room, room * LEVELS_PER_ROW)
        self.asks = _Side(room, room * LEVELS_PER_ROW)
        self._levels_full = False

    @property
    def full(self) -> bool:
        return self._levels_full or super().full

    def take(self, depth: Depth, first: int) -> int:
        """Return how many rows of `depth` from `first` on fit; the chunk is full when not all do."""
        left = len(depth) - first
        fit = min(
            left,
            self.room - self.rows,
            self.bids.fits(self.rows, depth.bid_ends, first),
            self.asks.fits(self.rows, depth.ask_ends, first),
        )
        self._levels_full = fit < left
        return fit

    def nbytes(self) -> int:
        return super().nbytes() + self.bids.nbytes() + self.asks.nbytes()

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
        self._instruments = instruments
        self._chunk_rows = chunk_rows
        super().__init__(capacity_rows=capacity_rows, first_seq=first_seq, on_loss=on_loss)

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
