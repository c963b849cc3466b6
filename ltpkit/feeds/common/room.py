"""Between what feeds are handed and hand over, and what their loops take and return."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Received, Side, Ticks

__all__ = ["arrivals", "both_sides", "with_books"]


def arrivals(received_at: Received) -> npt.NDArray[np.int64]:
    """Return when each message arrived, µs UTC; a single time where it is the same for all."""
    return np.array((received_at,)) if isinstance(received_at, int) else received_at


def with_books(ticks: Ticks, rows: npt.NDArray[np.int64], bids: Side, asks: Side) -> Depth:
    """Return the books that came with these rows of the ticks."""
    if len(rows) == len(ticks):
        return Depth.of(ticks.instrument, ticks.timestamp, ticks.received_at, bids, asks)
    return Depth.of(ticks.instrument[rows], ticks.timestamp[rows], ticks.received_at[rows], bids, asks)


def both_sides(
    ends: npt.NDArray[np.int64], levels: npt.NDArray[np.float64], orders: npt.NDArray[np.int32]
) -> list[Side]:
    """Return the bids and the asks of some books.

    Parameters
    ----------
    ends : ndarray of int64, shape (2, books)
        Where each book's bids and asks end.
    levels : ndarray of float64, shape (2, 2, room)
        Prices and quantities of the bids and of the asks, and room behind them.
    orders : ndarray of int32, shape (2, room)
        Their orders.
    """
    return [
        Side(ends[side], levels[0, side, :last], levels[1, side, :last], orders[side, :last])
        for side, last in enumerate(ends[:, -1].tolist())
    ]
