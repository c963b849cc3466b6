"""What SmartStream's packets say, as lines of `Ticks.values` and as books."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.angelone.wire import DEPTH20, LEVEL, LEVEL20, PACKETS, SEGMENTS, SNAP_QUOTE
from ltpkit.feeds.common.levels import Books
from ltpkit.schema import FEED_FLOATS

__all__ = ["read", "times"]

Floats = npt.NDArray[np.float64]

_LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}
_LTP, _LTQ, _VOLUME, _OI = (_LINE[name] for name in ("ltp", "ltq", "volume", "oi"))
_BID, _BID_QTY, _ASK, _ASK_QTY = (_LINE[name] for name in ("bid", "bid_qty", "ask", "ask_qty"))

#: Behind the head all fields are 8 bytes long, up to the levels: numpy reads a copy of them, aligned,
#: several times faster than the fields of a packed record.
_WORDS_AT: Final = 27
_OFFSETS: Final = {name: int(at[1]) for name, at in dict(SNAP_QUOTE.fields or {}).items()}
_DEPTH_AT: Final = _OFFSETS["depth"]
_NUMBERS: Final = {
    name: (at - _WORDS_AT) // 8 for name, at in _OFFSETS.items() if _WORDS_AT <= at < _DEPTH_AT
}
_DAY_LINES: Final = np.array([_LINE[f"{name}_price"] for name in ("open", "high", "low", "close")])
_DAY_WORDS: Final = slice(_NUMBERS["open"], _NUMBERS["close"] + 1)
_DEPTH20_AT: Final = DEPTH20.itemsize - 40 * LEVEL20.itemsize
_BUYS_FIRST: Final = np.array([1] * 5 + [0] * 5, np.int16)

_DIVISORS: Final = np.full(256, 100.0)
for _code, (_, _, _divisor) in SEGMENTS.items():
    _DIVISORS[_code] = _divisor
#: Segments without derivatives, whose open interest is always 0 and says nothing.
_IS_CASH: Final = np.isin(np.arange(256), (1, 3))

#: 2200: a time beyond it is none, and notebooks could not print one beyond 9999.
_LAST_MS: Final = 7_258_118_400_000


def _words(packed: npt.NDArray[np.uint8], until: int) -> npt.NDArray[np.int64]:
    whole: npt.NDArray[np.int64] = np.ascontiguousarray(packed[:, _WORDS_AT:until]).view("<i8")
    return whole


def _priced(sent: npt.NDArray[np.integer], divisors: Floats) -> Floats:
    prices: Floats = sent / divisors
    if np.count_nonzero(prices) < prices.size:
        prices[prices == 0] = np.nan
    return prices


def _counted(orders: npt.NDArray[np.int16]) -> npt.NDArray[np.int32]:
    # Documented as signed; more than 32,767 orders are likelier than fewer than none.
    return orders.astype(np.uint16).astype(np.int32)


def times(mode: int, packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return the exchange's times of these packets, µs UTC; 0 for none."""
    at = 0 if mode == 4 else 1
    sent = _words(packed, _WORDS_AT + 16)[:, at].copy()
    sent[(sent < 0) | (sent > _LAST_MS)] = 0
    sent *= 1000
    return sent


def read(
    mode: int, packed: npt.NDArray[np.uint8], is_index: npt.NDArray[np.bool_], out: Floats
) -> Books | None:
    """Write what packets of one mode, one per line, say to the lines of `out`; return their books."""
    segments = packed[:, 1]
    divisors = _DIVISORS[segments]
    if mode == 4:
        levels = np.ascontiguousarray(packed[:, _DEPTH20_AT : DEPTH20.itemsize]).view(LEVEL20)
        books = Books(
            None,
            _priced(levels["price"], divisors[:, None]),
            levels["qty"].astype(np.float64),
            _counted(levels["orders"]),
        )
        _best(books, out)
        return books
    words = _words(packed, min(PACKETS[mode].itemsize, _DEPTH_AT))
    out[_LTP] = _priced(words[:, _NUMBERS["ltp"]], divisors)
    if mode == 1:
        return None
    out[_DAY_LINES] = _priced(words[:, _DAY_WORDS], divisors[:, None]).T
    # Missing is never 0 or less; a count below 0 is what other feeds send for "none".
    out[_LTQ] = words[:, _NUMBERS["ltq"]]
    np.putmask(out[_LTQ], out[_LTQ] <= 0, np.nan)
    out[_VOLUME] = words[:, _NUMBERS["volume"]]
    np.putmask(out[_VOLUME], (out[_VOLUME] < 0) | (is_index & (out[_VOLUME] == 0)), np.nan)
    if mode == 2:
        return None
    out[_OI] = words[:, _NUMBERS["oi"]]
    np.putmask(out[_OI], (out[_OI] < 0) | (_IS_CASH[segments] & (out[_OI] == 0)), np.nan)
    ladder = np.ascontiguousarray(packed[:, _DEPTH_AT : _DEPTH_AT + 10 * LEVEL.itemsize]).view(LEVEL)
    books = _by_flag(ladder, divisors)
    _best(books, out)
    return books


def _by_flag(ladder: npt.NDArray[np.void], divisors: Floats) -> Books:
    """Return the books of levels, shape (n, 10), each of which says on which side it is."""
    buy = ladder["buy"]
    price = _priced(ladder["price"], divisors[:, None])
    qty, orders = ladder["qty"].astype(np.float64), _counted(ladder["orders"])
    if (buy == _BUYS_FIRST).all():
        return Books(None, price, qty, orders)
    # Room for all ten on each side; the empty places go when the books become rows.
    bids, asks = np.where(buy == 1, price, np.nan), np.where(buy == 0, price, np.nan)
    return Books(None, np.hstack([bids, asks]), np.hstack([qty, qty]), np.hstack([orders, orders]))


def _best(books: Books, out: Floats) -> None:
    """Write the best levels; take quantities from places without a price."""
    books.whole = not np.isnan(np.add.reduce(books.price, axis=None))
    levels = books.price.shape[1] // 2
    if books.whole:
        first_bid, first_ask = books.price[:, 0], books.price[:, levels]
        out[_BID], out[_BID_QTY] = first_bid, books.qty[:, 0]
        out[_ASK], out[_ASK_QTY] = first_ask, books.qty[:, levels]
        return
    missing = np.isnan(books.price)
    books.qty[missing] = np.nan
    rows = np.arange(len(missing))
    bid, ask = missing[:, :levels].argmin(axis=1), levels + missing[:, levels:].argmin(axis=1)
    out[_BID], out[_BID_QTY] = books.price[rows, bid], books.qty[rows, bid]
    out[_ASK], out[_ASK_QTY] = books.price[rows, ask], books.qty[rows, ask]
