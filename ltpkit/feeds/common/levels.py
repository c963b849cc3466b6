"""Whole books that came in packets of fixed size, as `batch.Depth` has them.

Such a packet has room for the same number of levels on both sides; places without a price are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Ticks

__all__ = ["Books", "depth"]

_Number = TypeVar("_Number", bound=np.generic)


class Books(msgspec.Struct):
    """The books of some ticks.

    Attributes
    ----------
    rows : ndarray, shape (n,)
        Which ticks.
    price, qty : ndarray of float64, shape (n, 2 * levels)
        Bids from the best, then asks from the best. A price is NaN where there is no level.
    orders : ndarray of int32, shape (n, 2 * levels)
    whole : bool
        That no level is missing; False where that is not known.
    """

    rows: npt.NDArray[np.intp]
    price: npt.NDArray[np.float64]
    qty: npt.NDArray[np.float64]
    orders: npt.NDArray[np.int32]
    whole: bool = False

    def only(self, keep: npt.NDArray[np.intp]) -> Books:
        """Return the books at these places."""
        return Books(self.rows[keep], self.price[keep], self.qty[keep], self.orders[keep], self.whole)


def depth(ticks: Ticks, found: Sequence[Books]) -> Depth | None:
    """Return the books as rows in the order of their ticks, empty levels left out; None for none."""
    if not found:
        return None
    books = found[0] if len(found) == 1 else _joined(found)
    levels = books.price.shape[1] // 2
    if books.whole:
        bid_ends = ask_ends = np.arange(levels, levels * len(books.rows) + levels, levels)
        bid_price, ask_price = _by_side(books.price, levels)
        bid_qty, ask_qty = _by_side(books.qty, levels)
        bid_orders, ask_orders = _by_side(books.orders, levels)
    else:
        bids = ~np.isnan(books.price)
        asks = bids.copy()
        bids[:, levels:] = asks[:, :levels] = False
        bid_ends, ask_ends = bids.sum(axis=1).cumsum(), asks.sum(axis=1).cumsum()
        bid_price, bid_qty, bid_orders = books.price[bids], books.qty[bids], books.orders[bids]
        ask_price, ask_qty, ask_orders = books.price[asks], books.qty[asks], books.orders[asks]
    every = len(books.rows) == len(ticks)
    return Depth(
        instrument=ticks.instrument if every else ticks.instrument[books.rows],
        timestamp=ticks.timestamp if every else ticks.timestamp[books.rows],
        received_at=ticks.received_at if every else ticks.received_at[books.rows],
        bid_ends=bid_ends,
        bid_price=bid_price,
        bid_qty=bid_qty,
        bid_orders=bid_orders,
        ask_ends=ask_ends,
        ask_price=ask_price,
        ask_qty=ask_qty,
        ask_orders=ask_orders,
    )


def _by_side(of: npt.NDArray[_Number], levels: int) -> tuple[npt.NDArray[_Number], npt.NDArray[_Number]]:
    """Return the bids of all rows, one row after the other, and the asks."""
    sides = np.ascontiguousarray(of.reshape(-1, 2, levels).swapaxes(0, 1))
    return sides[0].ravel(), sides[1].ravel()


def _joined(found: Sequence[Books]) -> Books:
    """Return all these books in the order of their ticks."""
    levels = max(one.price.shape[1] for one in found) // 2
    rows = np.concatenate([one.rows for one in found])
    return Books(
        rows,
        np.concatenate([_widened(one.price, levels, np.nan) for one in found]),
        np.concatenate([_widened(one.qty, levels, np.nan) for one in found]),
        np.concatenate([_widened(one.orders, levels, 0) for one in found]),
        all(one.whole and one.price.shape[1] == 2 * levels for one in found),
    ).only(rows.argsort())


def _widened(of: npt.NDArray[_Number], levels: int, fill: float) -> npt.NDArray[_Number]:
    """Return the same levels with room for more, empty ones behind the last of each side."""
    own = of.shape[1] // 2
    if own == levels:
        return of
    wide = np.full((len(of), 2 * levels), fill, of.dtype)
    wide[:, :own], wide[:, levels : levels + own] = of[:, :own], of[:, own:]
    return wide
