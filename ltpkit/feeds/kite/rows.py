"""What Kite's packets say, as lines of `Ticks.values` and as books."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.kite.wire import INDEX, PACKETS, SEGMENTS
from ltpkit.feeds.levels import Books
from ltpkit.schema import FEED_FLOATS

__all__ = ["READINGS", "Reading", "read"]

Floats = npt.NDArray[np.float64]

_LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}
_LEVELS: Final = 5


class Reading:
    """Where the fields of one kind of packet are among its 4-byte words."""

    def __init__(self, layout: np.dtype[np.void]) -> None:
        fields = dict(layout.fields or {})
        self.size = layout.itemsize

        def lines(names: dict[str, str]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
            own = [name for name in names if name in fields]
            to = np.array([_LINE[names[name]] for name in own], np.intp)
            return to, np.array([int(fields[name][1]) // 4 for name in own], np.intp)

        prices = {name: f"{name}_price" for name in ("open", "high", "low", "close")} | {"ltp": "ltp"}
        self.price_lines, self.price_words = lines(prices)
        self.count_lines, self.count_words = lines({name: name for name in ("ltq", "volume", "oi")})
        #: Words of the times, the one that counts first.
        self.time_words = [int(fields[n][1]) // 4 for n in ("exchange_time", "ltt") if n in fields]
        first = int(fields["depth"][1]) // 4 if "depth" in fields else None
        self.depth_words = None if first is None else np.arange(first, first + 6 * _LEVELS).reshape(-1, 3)


READINGS: Final = {size: Reading(layout) for size, layout in PACKETS.items()}
_DIVISORS: Final = np.full(256, 100.0)
for _code, (_, _divisor) in SEGMENTS.items():
    _DIVISORS[_code] = _divisor
#: Segments without derivatives, whose open interest is always 0 and says nothing.
_IS_CASH: Final = np.isin(np.arange(256), (1, 4, INDEX))
_LTQ, _OI = _LINE["ltq"], _LINE["oi"]
_BID, _BID_QTY, _ASK, _ASK_QTY = (_LINE[name] for name in ("bid", "bid_qty", "ask", "ask_qty"))


def _priced(words: npt.NDArray[np.uint32], divisors: Floats) -> Floats:
    """Return words that are prices, shape (n, m), as prices; NaN for 0."""
    prices: Floats = words.view(np.int32) / divisors[:, None]
    if np.count_nonzero(prices) < prices.size:
        prices[prices == 0] = np.nan
    return prices


def read(
    reading: Reading,
    words: npt.NDArray[np.uint32],
    segments: npt.NDArray[np.intp],
    out: Floats,
) -> tuple[npt.NDArray[np.int64] | None, Books | None]:
    """Write what the packets say to the lines of `out`; return their times, 0 for none, and books."""
    divisors = _DIVISORS[segments]
    out[reading.price_lines] = _priced(words.take(reading.price_words, axis=1), divisors).T
    if len(reading.count_words):
        out[reading.count_lines] = words.take(reading.count_words, axis=1).T
        out[_LTQ, out[_LTQ] == 0] = np.nan
        out[_OI, (out[_OI] == 0) & _IS_CASH[segments]] = np.nan
    times = None
    for word in reading.time_words:
        sent = words[:, word].astype(np.int64)
        times = sent if times is None else np.where(times == 0, sent, times)
    if times is not None:
        times *= 1_000_000
    if reading.depth_words is None:
        return times, None
    qty = words.take(reading.depth_words[:, 0], axis=1).astype(np.float64)
    price = _priced(words.take(reading.depth_words[:, 1], axis=1), divisors)
    orders = (words.take(reading.depth_words[:, 2], axis=1) >> 16).astype(np.int32)
    qty[np.isnan(price)] = np.nan
    out[_BID], out[_ASK] = price[:, 0], price[:, _LEVELS]
    out[_BID_QTY], out[_ASK_QTY] = qty[:, 0], qty[:, _LEVELS]
    return times, Books(np.arange(len(words)), price, qty, orders)
