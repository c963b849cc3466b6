"""Where the columns of ticks are in `batch.Ticks.values`."""

from __future__ import annotations

from typing import Final

from ltpkit.schema import FEED_FLOATS

__all__ = [
    "ASK_LINE",
    "ASK_QTY_LINE",
    "BID_LINE",
    "BID_QTY_LINE",
    "CLOSE_LINE",
    "HIGH_LINE",
    "LINE",
    "LOW_LINE",
    "LTP_LINE",
    "LTQ_LINE",
    "OI_LINE",
    "OPEN_LINE",
    "VOLUME_LINE",
]

#: The line of `batch.Ticks.values` for each column.
LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}

# The same as numbers, for loops.
LTP_LINE, LTQ_LINE, VOLUME_LINE, OI_LINE = LINE["ltp"], LINE["ltq"], LINE["volume"], LINE["oi"]
OPEN_LINE, HIGH_LINE = LINE["open_price"], LINE["high_price"]
LOW_LINE, CLOSE_LINE = LINE["low_price"], LINE["close_price"]
BID_LINE, BID_QTY_LINE, ASK_LINE, ASK_QTY_LINE = LINE["bid"], LINE["bid_qty"], LINE["ask"], LINE["ask_qty"]
