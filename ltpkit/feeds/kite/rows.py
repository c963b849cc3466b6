"""What Kite's packets say, as lines of `Ticks.values` and as books."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.levels import Books
from ltpkit.feeds.kite.wire import INDEX, PACKETS, SEGMENTS
from ltpkit.schema import FEED_FLOATS

__all__ = ["READINGS", "Reading", "read"]

Floats = npt.NDArray[np.float64]

_LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}
_LEVELS: Final = 5


class Reading:
    """Where the fields of one kind of packet are among its 4-byte words."""

    def __init__(self, layout: np.dtype[np.void]) -> None:
        fields = dict(layout.fields or {})

        def word(name: str) -> int:
            return int(fields[name][1]) // 4

        def lines(names: dict[str, str]) -> tuple[npt.NDArray[np.intp], list[int]]:
            own = [name for name in names if name in fields]
            return np.array([_LINE[names[name]] for name in own], np.intp), [word(name) for name in own]

        prices = {"ltp": "ltp"} | {name: f"{name}_price" for name in ("open", "high", "low", "close")}
        self.price_lines, price_words = lines(prices)
        self.count_lines, count_words = lines({name: name for name in ("ltq", "volume", "oi")})
        self.has_oi = "oi" in fields
        #: Words of the times, the one that counts first.
        self.time_words = [word(name) for name in ("exchange_time", "ltt") if name in fields]
        self.has_depth = "depth" in fields
        levels = range(word("depth"), word("depth") + 3 * 2 * _LEVELS, 3) if self.has_depth else range(0)
        self.price_words = np.array([*price_words, *(first + 1 for first in levels)], np.intp)
        self.count_words = np.array([*count_words, *levels], np.intp)
        self.order_words = np.array([first + 2 for first in levels], np.intp)


READINGS: Final = {size: Reading(layout) for size, layout in PACKETS.items()}
_DIVISORS: Final = np.full(256, 100.0)
for _code, (_, _divisor) in SEGMENTS.items():
    _DIVISORS[_code] = _divisor
#: Segments without derivatives, whose open interest is always 0 and says nothing.
_IS_CASH: Final = np.isin(np.arange(256), (1, 4, INDEX))
_LTQ, _OI = _LINE["ltq"], _LINE["oi"]
_BID, _BID_QTY, _ASK, _ASK_QTY = (_LINE[name] for name in ("bid", "bid_qty", "ask", "ask_qty"))


def read(
    reading: Reading,
    words: npt.NDArray[np.uint32],
    segments: npt.NDArray[np.intp],
    out: Floats,
) -> tuple[npt.NDArray[np.int64] | None, Books | None]:
    """Write what the packets say to the lines of `out`; return their times, 0 for none, and books."""
    prices: Floats = words.take(reading.price_words, axis=1).view(np.int32) / _DIVISORS[segments][:, None]
    whole = int(np.count_nonzero(prices)) == prices.size
    if not whole:
        prices[prices == 0] = np.nan
    day = len(reading.price_lines)
    out[reading.price_lines] = prices[:, :day].T
    books = None
    if len(reading.count_words):
        counts = words.take(reading.count_words, axis=1).astype(np.float64)
        own = len(reading.count_lines)
        out[reading.count_lines] = counts[:, :own].T
        np.putmask(out[_LTQ], out[_LTQ] == 0, np.nan)
        if reading.has_oi:
            np.putmask(out[_OI], _IS_CASH[segments] & (out[_OI] == 0), np.nan)
        if reading.has_depth:
            price, qty = prices[:, day:], counts[:, own:]
            if not whole:
                np.putmask(qty, np.isnan(price), np.nan)  # a level without a price is no level
            out[_BID], out[_ASK] = price[:, 0], price[:, _LEVELS]
            out[_BID_QTY], out[_ASK_QTY] = qty[:, 0], qty[:, _LEVELS]
            orders = (words.take(reading.order_words, axis=1) >> np.uint32(16)).view(np.int32)
            books = Books(None, price, qty, orders, whole)
    times = None
    for word in reading.time_words:
        sent = words[:, word].astype(np.int64)
        if times is None:
            times = sent
        elif np.count_nonzero(times) < len(times):
            times = np.where(times == 0, sent, times)
    if times is not None:
        times *= 1_000_000
    return times, books
