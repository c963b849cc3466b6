"""From Dhan's packets of one kind to columns of ticks and levels of depth."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ltpkit.feeds.common.levels import Books
from ltpkit.feeds.dhan.prices import Floats, as_quoted
from ltpkit.feeds.dhan.wire import IST_OFFSET_S, PACKETS, ROW_CODES
from ltpkit.schema import FEED_FLOATS, NO_TIME

__all__ = ["INDEX", "IS_ROW", "READINGS", "Reading", "segments_of"]

#: The segment of indices, which have no book and no volume; and those without open interest.
INDEX: Final = 0
_CASH: Final = (0, 1, 4)

Segments = int | npt.NDArray[np.intp]

_LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}
_LTQ, _VOLUME, _OI = _LINE["ltq"], _LINE["volume"], _LINE["oi"]
_BID, _BID_QTY, _ASK, _ASK_QTY = (_LINE[name] for name in ("bid", "bid_qty", "ask", "ask_qty"))
_LEVELS: Final = 5


class Reading:
    """How packets of one code are read: where their fields are among 4-byte words.

    numpy reads aligned words several times faster than the fields of a packed record, and the
    2-byte last quantity unaligns all that follows it. So packets are copied to words without it.
    """

    _prices: Final = {
        "ltp": "ltp",
        "open": "open_price",
        "high": "high_price",
        "low": "low_price",
        "close": "close_price",
        "prev_close": "close_price",
    }

    def __init__(self, code: int) -> None:
        fields = dict(PACKETS[code].fields or {})
        self.words = (PACKETS[code].itemsize - 8) // 4
        self.has_ltq = "ltq" in fields
        self.has_depth = "depth" in fields
        #: Has quantities whose zeros mean "none", depending on the segment.
        self.has_counts = self.has_ltq or self.has_depth

        def word(name: str) -> int:
            offset = int(fields[name][1])
            return (offset - (10 if self.has_ltq and offset > 12 else 8)) // 4

        prices = [name for name in self._prices if name in fields]
        #: Lines of `Ticks.values`, and which of the prices go there: runs of them, so plain slices.
        self.price_lines: list[tuple[slice, slice]] = []
        for column, name in enumerate(prices):
            line = _LINE[self._prices[name]]
            if self.price_lines and self.price_lines[-1][0].stop == line:
                lines, columns = self.price_lines.pop()
                self.price_lines.append((slice(lines.start, line + 1), slice(columns.start, column + 1)))
            else:
                self.price_lines.append((slice(line, line + 1), slice(column, column + 1)))
        self.first_level = len(prices)
        self.count_words = {_LINE[name]: word(name) for name in ("volume", "oi") if name in fields}
        self.time_word = word("ltt") if "ltt" in fields else None
        levels = range(word("depth"), word("depth") + 5 * _LEVELS, 5) if self.has_depth else ()
        self.price_words = np.array(
            [*map(word, prices), *(first + 3 for first in levels), *(first + 4 for first in levels)], np.intp
        )
        self.qty_words = np.array([*levels, *(first + 1 for first in levels)], np.intp)
        self.order_halves = np.array([2 * first + side for side in (4, 5) for first in levels], np.intp)

    def of(self, packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
        """Return the packets' words behind the header, without the last quantity."""
        words = np.empty((len(packed), self.words), np.uint32)
        octets = words.view(np.uint8)
        if self.has_ltq:
            octets[:, :4] = packed[:, 8:12]
            octets[:, 4:] = packed[:, 14:]
        else:
            octets[:] = packed[:, 8:]
        return words

    def fill(
        self,
        packed: npt.NDArray[np.uint8],
        words: npt.NDArray[np.uint32],
        steps: Floats,
        segments: Segments,
        out: Floats,
    ) -> Books | None:
        """Write what the packets say to the lines of `out`; return the levels where they have any."""
        whole = True
        if len(self.price_words):
            prices, whole = as_quoted(words.view(np.float32).take(self.price_words, axis=1), steps)
            for lines, columns in self.price_lines:
                out[lines] = prices[:, columns].T
        for line, word in self.count_words.items():
            out[line] = words[:, word]
        if self.has_ltq:
            out[_LTQ] = np.ascontiguousarray(packed[:, 12:14]).view(np.uint16)[:, 0]
        books = None
        if self.has_depth:
            levels = prices[:, self.first_level :]
            qty = words.take(self.qty_words, axis=1).astype(np.float64)
            orders = words.view(np.uint16).take(self.order_halves, axis=1).astype(np.int32)
            out[_BID], out[_ASK] = levels[:, 0], levels[:, _LEVELS]
            out[_BID_QTY], out[_ASK_QTY] = qty[:, 0], qty[:, _LEVELS]
            if not whole:  # a level without a price is no level
                np.putmask(out[_BID_QTY], np.isnan(out[_BID]), np.nan)
                np.putmask(out[_ASK_QTY], np.isnan(out[_ASK]), np.nan)
            books = Books(None, levels, qty, orders, whole)
        if self.has_counts:
            zero = out == 0
            zero[_VOLUME] &= _IS_INDEX[segments]
            zero[_OI] &= _IS_CASH[segments]
            np.putmask(out, zero, np.nan)
        return books

    def times(self, words: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.int64], bool] | None:
        """Return the trade times in UTC, `NO_TIME` where there is none, and if all are there."""
        if self.time_word is None:
            return None
        sent = words[:, self.time_word]
        times = sent.astype(np.int64)
        times -= IST_OFFSET_S
        times *= 1_000_000
        every = int(np.count_nonzero(sent)) == len(sent)
        if not every:
            times[sent == 0] = NO_TIME
        return times, every


READINGS: Final = {code: Reading(code) for code in ROW_CODES}
IS_ROW: Final = np.isin(np.arange(256), list(ROW_CODES))
_IS_INDEX: Final = np.arange(256) == INDEX
_IS_CASH: Final = np.isin(np.arange(256), _CASH)
_SEGMENT_MASK: Final = np.uint64(0xFF)


def segments_of(keys: npt.NDArray[np.uint64]) -> Segments:
    """Return the packets' segments; one number where all share it, which is the usual case."""
    segments = (keys & _SEGMENT_MASK).astype(np.intp)
    first = int(segments[0])
    return segments if np.count_nonzero(segments != first) else first
