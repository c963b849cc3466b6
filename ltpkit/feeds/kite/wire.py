"""Kite's ticker packets, version 3: their layouts.

All big-endian and packed, as in Zerodha's documentation (Kite Connect 3, *WebSocket streaming*) and its
``kiteconnect`` 5.2.2 package. A message is a count and then that many packets, each behind its length;
the length is also what tells a packet's kind. What the numbers mean is left to `ltpkit.feeds.kite.loops`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

__all__ = [
    "FULL",
    "INDEX",
    "INDEX_FULL",
    "INDEX_QUOTE",
    "LEVEL",
    "LTP",
    "PACKETS",
    "QUOTE",
    "SEGMENTS",
    "SEGMENTS_END",
]

#: `token` is the exchange's own number, and below it a byte for the segment.
LTP: Final = np.dtype([("token", ">u4"), ("ltp", ">i4")])
_INDEX_DAY: Final = [("high", ">i4"), ("low", ">i4"), ("open", ">i4"), ("close", ">i4")]  # open is third
#: `change` is in percent times 100 in the one recorded packet.
INDEX_QUOTE: Final = np.dtype([*LTP.descr, *_INDEX_DAY, ("change", ">i4")])
INDEX_FULL: Final = np.dtype([*INDEX_QUOTE.descr, ("exchange_time", ">u4")])
QUOTE: Final = np.dtype(
    [
        *LTP.descr,
        ("ltq", ">u4"),
        ("average_price", ">i4"),
        ("volume", ">u4"),
        ("total_buy_qty", ">u4"),  # buy comes before sell
        ("total_sell_qty", ">u4"),
        ("open", ">i4"),
        ("high", ">i4"),
        ("low", ">i4"),
        ("close", ">i4"),
    ]
)
#: One level of one side. The last two bytes are padding, not always zero.
LEVEL: Final = np.dtype([("qty", ">u4"), ("price", ">i4"), ("orders", ">u2"), ("padding", ">u2")])
#: Five bids, then five asks.
FULL: Final = np.dtype(
    [
        *QUOTE.descr,
        ("ltt", ">u4"),
        ("oi", ">u4"),
        ("oi_day_high", ">u4"),
        ("oi_day_low", ">u4"),
        ("exchange_time", ">u4"),
        ("depth", LEVEL, (10,)),
    ]
)

#: The layout behind each packet length.
PACKETS: Final[dict[int, np.dtype[np.void]]] = {
    one.itemsize: one for one in (LTP, INDEX_QUOTE, INDEX_FULL, QUOTE, FULL)
}

#: Segment bytes: the exchange as analysts write it, and by what prices are multiplied on the wire.
#: The last one is 10,000 since ``kiteconnect`` 5.2.2, and was 100 in earlier releases.
SEGMENTS: Final[dict[int, tuple[str, int]]] = {
    1: ("NSE", 100),
    2: ("NFO", 100),
    3: ("CDS", 10_000_000),
    4: ("BSE", 100),
    5: ("BFO", 100),
    6: ("BCD", 10_000),
    7: ("MCX", 100),
    8: ("MCXSX", 100),
    9: ("INDEX", 100),
    12: ("NCO", 10_000),
}
INDEX: Final = 9

#: From here on a segment byte is damage, not a segment that Kite has added since: each becomes a category
#: of the exchange column for as long as the process lives.
SEGMENTS_END: Final = 16
