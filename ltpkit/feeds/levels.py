"""Whole books that came in packets of fixed size, as `batch.Depth` has them.

Such a packet has room for the same number of levels on both sides; places without a price are empty.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Ticks

__all__ = ["Books", "depth"]


class Books(msgspec.Struct):
    """The books of some ticks.

    Attributes
    ----------
    rows : ndarray, shape (n,)
        Which ticks.
    price, qty : ndarray of float64, shape (n, 2 * levels)
        Bids from the best, then asks from the best. A price is NaN where there is no level.
    orders : ndarray of int32, shape (n, 2 * levels)
    """

    rows: npt.NDArray[np.intp]
    price: npt.NDArray[np.float64]
    qty: npt.NDArray[np.float64]
    orders: npt.NDArray[np.int32]

    def only(self, keep: npt.NDArray[np.intp]) -> Books:
        """Return the books at these places."""
        return Books(self.rows[keep], self.price[keep], self.qty[keep], self.orders[keep])

    def _widened(self, levels: int) -> Books:
        """Return the same books with room for more levels, empty ones behind the last."""
        own = self.price.shape[1] // 2
        if own == levels:
            return self

        def wide(of: npt.NDArray[np.float64] | npt.NDArray[np.int32], fill: float) -> npt.NDArray[np.float64]:
            to = np.full((len(of), 2 * levels), fill, of.dtype)
            to[:, :own], to[:, levels : levels + own] = of[:, :own], of[:, own:]
            return to

        orders: npt.NDArray[np.int32] = wide(self.orders, 0)  # type: ignore[assignment]  # as above
        return Books(self.rows, wide(self.price, np.nan), wide(self.qty, np.nan), orders)


def depth(ticks: Ticks, found: Sequence[Books]) -> Depth | None:
    """Return the books as rows in the order of their ticks, empty levels left out; None for none."""
    if not found:
        return None
    books = found[0]
    if len(found) > 1:
        most = max(one.price.shape[1] for one in found) // 2
        found = [one._widened(most) for one in found]
        rows = np.concatenate([b.rows for b in found])
        books = Books(
            rows,
            np.concatenate([b.price for b in found]),
            np.concatenate([b.qty for b in found]),
            np.concatenate([b.orders for b in found]),
        ).only(rows.argsort())
    levels = books.price.shape[1] // 2
    there = books.price == books.price  # not NaN
    if int(np.count_nonzero(there)) == there.size:
        bid_ends = ask_ends = np.arange(levels, levels * len(there) + levels, levels)
        bids, asks = np.s_[:, :levels], np.s_[:, levels:]
        bid_price, bid_qty, bid_orders = books.price[bids], books.qty[bids], books.orders[bids]
        ask_price, ask_qty, ask_orders = books.price[asks], books.qty[asks], books.orders[asks]
    else:
        on_bid, on_ask = there.copy(), there.copy()
        on_bid[:, levels:] = on_ask[:, :levels] = False
        bid_ends, ask_ends = on_bid.sum(axis=1).cumsum(), on_ask.sum(axis=1).cumsum()
        bid_price, bid_qty, bid_orders = books.price[on_bid], books.qty[on_bid], books.orders[on_bid]
        ask_price, ask_qty, ask_orders = books.price[on_ask], books.qty[on_ask], books.orders[on_ask]
    every = len(books.rows) == len(ticks)
    return Depth(
        instrument=ticks.instrument if every else ticks.instrument[books.rows],
        timestamp=ticks.timestamp if every else ticks.timestamp[books.rows],
        received_at=ticks.received_at if every else ticks.received_at[books.rows],
        bid_ends=bid_ends,
        bid_price=bid_price.ravel(),
        bid_qty=bid_qty.ravel(),
        bid_orders=bid_orders.ravel(),
        ask_ends=ask_ends,
        ask_price=ask_price.ravel(),
        ask_qty=ask_qty.ravel(),
        ask_orders=ask_orders.ravel(),
    )
