"""Between what feeds are handed and hand over, and what their loops take and return."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Received, Side, Ticks

__all__ = ["arrivals", "with_books"]


def arrivals(received_at: Received) -> npt.NDArray[np.int64]:
    """Return when each message arrived, µs UTC; a single time where it is the same for all."""
    return np.array((received_at,)) if isinstance(received_at, int) else received_at


def with_books(ticks: Ticks, rows: npt.NDArray[np.int64], bids: Side, asks: Side) -> Depth:
    """Return the books that came with these rows of the ticks."""
    if len(rows) == len(ticks):
        return Depth.of(ticks.instrument, ticks.timestamp, ticks.received_at, bids, asks)
    return Depth.of(ticks.instrument[rows], ticks.timestamp[rows], ticks.received_at[rows], bids, asks)
