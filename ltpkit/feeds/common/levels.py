"""Whole books that came in packets of fixed size, as `batch.Depth` has them.

Such a packet has room for the same number of levels on both sides; places without a price are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Side, Ticks
from ltpkit.feeds.common.columns import LINE

__all__ = ["Books", "depth", "write_best"]

_Number = TypeVar("_Number", bound=np.generic)


class Books(msgspec.Struct):
    """The books of some ticks.

    Attributes
    ----------
    rows : ndarray, shape (n,), or None
        Which ticks; None when it is all of them, in their order.
    price, qty : ndarray of float64, shape (2, n, levels)
        Bids from the best, and asks from the best. A price is NaN where there is no level.
    orders : ndarray of int32, shape (2, n, levels)
    whole : bool
        That no level is missing; False where that is not known.
    """

    rows: npt.NDArray[np.intp] | None
    price: npt.NDArray[np.float64]
    qty: npt.NDArray[np.float64]
    orders: npt.NDArray[np.int32]
    whole: bool = False

    def only(self, keep: npt.NDArray[np.intp]) -> Books:
        """Return the books at these places."""
        rows = keep if self.rows is None else self.rows[keep]
        return Books(rows, self.price[:, keep], self.qty[:, keep], self.orders[:, keep], self.whole)


def depth(ticks: Ticks, found: Sequence[Books]) -> Depth | None:
    """Return the books as rows in the order of their ticks, empty levels left out; None for none."""
    if not found:
        return None
    books = found[0] if len(found) == 1 else _joined(found)
    bids, asks = _side(books, 0), _side(books, 1)
    if books.rows is None:
        return Depth.of(ticks.instrument, ticks.timestamp, ticks.received_at, bids, asks)
    rows = books.rows
    return Depth.of(ticks.instrument[rows], ticks.timestamp[rows], ticks.received_at[rows], bids, asks)


def write_best(books: Books, out: npt.NDArray[np.float64]) -> None:
    """Write the first levels of the books to their lines of `Ticks.values`."""
    for side, price, qty in ((0, LINE["bid"], LINE["bid_qty"]), (1, LINE["ask"], LINE["ask_qty"])):
        out[price], out[qty] = books.price[side, :, 0], books.qty[side, :, 0]
        if not books.whole:  # a level without a price is no level
            np.putmask(out[qty], np.isnan(out[price]), np.nan)


def _side(books: Books, side: int) -> Side:
    price, qty, orders = books.price[side], books.qty[side], books.orders[side]
    if books.whole:
        count, levels = price.shape
        ends = np.arange(levels, levels * count + levels, levels)
        return Side(ends, price.ravel(), qty.ravel(), orders.ravel())
    there = ~np.isnan(price)
    return Side(there.sum(axis=1).cumsum(), price[there], qty[there], orders[there])


def _joined(found: Sequence[Books]) -> Books:
    """Return all these books, which tell their rows, in the order of their ticks."""
    levels = max(one.price.shape[2] for one in found)
    rows = np.concatenate([one.rows for one in found if one.rows is not None])
    order = rows.argsort()
    return Books(
        rows[order],
        np.concatenate([_widened(one.price, levels, np.nan) for one in found], axis=1)[:, order],
        np.concatenate([_widened(one.qty, levels, np.nan) for one in found], axis=1)[:, order],
        np.concatenate([_widened(one.orders, levels, 0) for one in found], axis=1)[:, order],
        all(one.whole and one.price.shape[2] == levels for one in found),
    )


def _widened(of: npt.NDArray[_Number], levels: int, fill: float) -> npt.NDArray[_Number]:
    """Return the same levels with room for more, empty ones behind the last of each side."""
    sides, rows, own = of.shape
    if own == levels:
        return of
    wide = np.full((sides, rows, levels), fill, of.dtype)
    wide[:, :, :own] = of
    return wide
