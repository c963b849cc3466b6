"""What Upstox's messages say, gathered into columns.

``protobuf`` gives objects, and taking their fields is most of the work. Fields of one object are taken by
one call, lists are taken whole (``[:]``, their iterator is slow), rows are tuples of one width, and numpy
turns all of them into columns at once.
"""

from __future__ import annotations

from itertools import chain
from math import nan
from operator import attrgetter
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.batch import Depth, Side, Ticks
from ltpkit.schema import FEED_FLOATS

__all__ = ["Gathered"]

_LTPC: Final = attrgetter("ltt", "ltp", "ltq", "cp")
_QUOTE: Final = attrgetter("bidP", "bidQ", "askP", "askQ")
_DAY: Final = attrgetter("open", "high", "low")
_UNKNOWN_DAY: Final = (nan, nan, nan)
_UNKNOWN_QUOTE: Final = (nan, nan, nan, nan)

#: The order of a gathered row.
_ROW: Final = (
    *("instrument", "frame", "is_cash", "time"),
    *("ltp", "ltq", "close_price"),
    *("open_price", "high_price", "low_price"),
    *("bid", "bid_qty", "ask", "ask_qty"),
    *("volume", "oi"),
)
_AT: Final = {name: at for at, name in enumerate(_ROW)}
_VALUES: Final = np.array([_AT[name] for name in FEED_FLOATS])
_LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}
#: Where a 0 says "none"; volume may be 0, and open interest outside of the cash segments.
_ZERO_IS_NONE: Final = np.array([name not in ("volume", "oi") for name in FEED_FLOATS])

#: 2200: a time beyond it is none, and notebooks could not print one beyond 9999.
_LAST_MS: Final = 7_258_118_400_000


class Gathered:
    """Rows and books of some messages, in arrival order.

    Attributes
    ----------
    rows : int
        How many rows there are so far.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[float, ...]] = []
        self._quotes: list[tuple[float, ...]] = []
        self._books: list[tuple[int, int]] = []  # row, and where its quotes end

    @property
    def rows(self) -> int:
        """How many rows there are so far."""
        return len(self._rows)

    def add(self, instrument: int, frame: int, feed: Any, *, is_cash: bool) -> bool:
        """Add what a ``Feed`` says about an instrument; return whether it says anything."""
        day, quote, volume, oi = _UNKNOWN_DAY, _UNKNOWN_QUOTE, nan, nan
        if feed.HasField("fullFeed"):
            full = feed.fullFeed
            if full.HasField("marketFF"):
                full = full.marketFF
                volume, oi = full.vtt, full.oi
                if full.HasField("marketLevel"):
                    quotes = [_QUOTE(level) for level in full.marketLevel.bidAskQuote[:]]
                    if quotes:
                        quote = quotes[0]
                        self._quotes += quotes
                    self._books.append((len(self._rows), len(self._quotes)))
            elif full.HasField("indexFF"):
                full = full.indexFF
            else:
                return False
            ltpc = full.ltpc
            for bar in full.marketOHLC.ohlc[:]:
                if bar.interval == "1d":
                    day = _DAY(bar)
                    break
        elif feed.HasField("ltpc"):
            ltpc = feed.ltpc
        elif feed.HasField("firstLevelWithGreeks"):
            feed = feed.firstLevelWithGreeks
            ltpc, volume, oi = feed.ltpc, feed.vtt, feed.oi
            quote = _QUOTE(feed.firstDepth)
        else:
            return False
        self._rows.append((instrument, frame, is_cash, *_LTPC(ltpc), *day, *quote, volume, oi))
        return True

    def ticks(self, received_at: int | npt.NDArray[np.int64]) -> Ticks:
        """Return the rows as ticks."""
        table = np.array(self._rows, np.float64)
        values = np.ascontiguousarray(table[:, _VALUES].T)
        values[~np.isfinite(values)] = np.nan
        none = values == 0
        none &= _ZERO_IS_NONE[:, None]
        oi = values[_LINE["oi"]]
        none[_LINE["oi"]] = (oi == 0) & (table[:, _AT["is_cash"]] != 0)
        values[none] = np.nan
        for price, qty in (("bid", "bid_qty"), ("ask", "ask_qty")):  # a level without a price is no level
            np.putmask(values[_LINE[qty]], np.isnan(values[_LINE[price]]), np.nan)
        received = np.empty(len(table), np.int64)
        if isinstance(received_at, int):
            received[:] = received_at
        else:
            received[:] = received_at[table[:, _AT["frame"]].astype(np.intp)]
        sent = table[:, _AT["time"]]
        there = (sent > 0) & (sent <= _LAST_MS)
        return Ticks(
            instrument=table[:, _AT["instrument"]].astype(np.int32),
            timestamp=np.where(there, np.where(there, sent, 0).astype(np.int64) * 1000, received),
            received_at=received,
            values=values,
        )

    def depth(self, ticks: Ticks) -> Depth | None:
        """Return the books as rows, empty levels left out; None for none."""
        if not self._books:
            return None
        rows, ends = np.array(self._books, np.intp).T
        each = chain.from_iterable(self._quotes)
        levels = np.fromiter(each, np.float64, 4 * len(self._quotes)).reshape(-1, 4)

        def side(price: npt.NDArray[np.float64], qty: npt.NDArray[np.float64]) -> Side:
            there = np.isfinite(price) & (price != 0)
            kept = np.concatenate([[0], there.cumsum()])
            return Side(kept[ends], price[there], qty[there])

        bids, asks = side(levels[:, 0], levels[:, 1]), side(levels[:, 2], levels[:, 3])
        return Depth.of(ticks.instrument[rows], ticks.timestamp[rows], ticks.received_at[rows], bids, asks)
