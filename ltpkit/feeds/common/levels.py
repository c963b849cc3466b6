"""Whole books that came in packets of fixed size, as `batch.Depth` has them.

Such a packet has room for the same number of levels on both sides; places without a price are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Side, Ticks

__all__ = ["Books", "depth"]

_Number = TypeVar("_Number", bound=np.generic)


class Books(msgspec.Struct):
    """The books of some ticks.

    Attributes
    ----------
    rows : ndarray, shape (n,), or None
        Which ticks; None when it is all of them, in their order.
    price, qty : ndarray of float64, shape (n, 2 * levels)
        Bids from the best, then asks from the best. A price is NaN where there is no level.
    orders : ndarray of int32, shape (n, 2 * levels)
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
        return Books(rows, self.price[keep], self.qty[keep], self.orders[keep], self.whole)


def depth(ticks: Ticks, found: Sequence[Books]) -> Depth | None:
    """Return the books as rows in the order of their ticks, empty levels left out; None for none."""
    if not found:
        return None
    books = found[0] if len(found) == 1 else _joined(found)
    bids, asks = _sides(books)
    rows = slice(None) if books.rows is None else books.rows
    return Depth.of(ticks.instrument[rows], ticks.timestamp[rows], ticks.received_at[rows], bids, asks)


def _sides(books: Books) -> tuple[Side, Side]:
    levels = books.price.shape[1] // 2
    if books.whole:
        ends = np.arange(levels, levels * len(books.price) + levels, levels)
        columns = [_by_side(of, levels) for of in (books.price, books.qty, books.orders)]
        return Side(ends, *(column[0] for column in columns)), Side(ends, *(column[1] for column in columns))
    bids = ~np.isnan(books.price)
    asks = bids.copy()
    bids[:, levels:] = asks[:, :levels] = False
    return _kept(books, bids), _kept(books, asks)


def _kept(books: Books, there: npt.NDArray[np.bool_]) -> Side:
    ends = there.sum(axis=1).cumsum()
    return Side(ends, books.price[there], books.qty[there], books.orders[there])


def _by_side(of: npt.NDArray[Any], levels: int) -> npt.NDArray[Any]:
    """Return a line with the bids of all rows, one row after the other, and one with the asks."""
    return np.ascontiguousarray(of.reshape(-1, 2, levels).swapaxes(0, 1)).reshape(2, -1)


def _joined(found: Sequence[Books]) -> Books:
    """Return all these books, which tell their rows, in the order of their ticks."""
    levels = max(one.price.shape[1] for one in found) // 2
    rows = np.concatenate([one.rows for one in found if one.rows is not None])
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
