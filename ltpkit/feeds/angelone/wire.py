"""SmartStream's packets: their layouts, one in each message.

All little-endian and packed, as in Angel One's documentation (SmartAPI, *WebSocket streaming 2.0*) and its
``smartapi-python`` 1.5.5 package. What the numbers mean is left to `ltpkit.feeds.angelone.loops`.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np

__all__ = [
    "DEPTH20",
    "LEVEL",
    "LEVEL20",
    "LTP",
    "PACKET",
    "PACKETS",
    "QUOTE",
    "SEGMENTS",
    "SEGMENTS_END",
    "SEGMENT_CODES",
    "SNAP_QUOTE",
    "TOKEN",
]

_HEAD: Final = [("mode", "u1"), ("segment", "u1"), ("token", "S25")]
LTP: Final = np.dtype([*_HEAD, ("sequence", "<i8"), ("exchange_time", "<i8"), ("ltp", "<i8")])
QUOTE: Final = np.dtype(
    [
        *LTP.descr,
        ("ltq", "<i8"),
        ("average_price", "<i8"),
        ("volume", "<i8"),
        ("total_buy_qty", "<f8"),
        ("total_sell_qty", "<f8"),
        ("open", "<i8"),
        ("high", "<i8"),
        ("low", "<i8"),
        ("close", "<i8"),
    ]
)
#: One level; `buy` is 1 or 0.
LEVEL: Final = np.dtype([("buy", "<i2"), ("qty", "<i8"), ("price", "<i8"), ("orders", "<i2")])
SNAP_QUOTE: Final = np.dtype(
    [
        *QUOTE.descr,
        ("ltt", "<i8"),
        ("oi", "<i8"),
        ("oi_change_percent", "<f8"),  # documented as garbage
        ("depth", LEVEL, (10,)),
        ("upper_circuit", "<i8"),
        ("lower_circuit", "<i8"),
        ("year_high", "<i8"),
        ("year_low", "<i8"),
    ]
)
#: One level of the twenty.
LEVEL20: Final = np.dtype([("qty", "<i4"), ("price", "<i4"), ("orders", "<i2")])
#: Twenty buys, then twenty sells. Its head has another time where the others have a sequence number.
DEPTH20: Final = np.dtype(
    [*_HEAD, ("exchange_time", "<i8"), ("received_time", "<i8"), ("depth", LEVEL20, (40,))]
)

#: The layout behind each mode.
PACKETS: Final[dict[int, np.dtype[np.void]]] = {1: LTP, 2: QUOTE, 3: SNAP_QUOTE, 4: DEPTH20}

#: The room of the longest packet, to be read as any of them; all begin with mode, segment and token.
PACKET: Final = np.dtype(
    {
        "names": ["day", "depth20"],
        "formats": [SNAP_QUOTE, DEPTH20],
        "offsets": [0, 0],
        "itemsize": DEPTH20.itemsize,
    }
)

#: Exchange types: the broker's name, the exchange as analysts write it, and by what prices are multiplied.
SEGMENTS: Final[dict[int, tuple[str, str, int]]] = {
    1: ("nse_cm", "NSE", 100),
    2: ("nse_fo", "NFO", 100),
    3: ("bse_cm", "BSE", 100),
    4: ("bse_fo", "BFO", 100),
    5: ("mcx_fo", "MCX", 100),
    7: ("ncx_fo", "NCDEX", 100),
    13: ("cde_fo", "CDS", 10_000_000),
}
#: The same by name: the stream's own and that of the broker's list of instruments.
SEGMENT_CODES: Final = {
    name: code for code, (own, exchange, _) in SEGMENTS.items() for name in (own, own.upper(), exchange)
}

#: From here on an exchange type is damage, not one that was added since: each becomes a category of the
#: exchange column for as long as the process lives.
SEGMENTS_END: Final = 16

#: What a token looks like, up to its end or a NUL. Exchange type and token tell the instrument.
TOKEN: Final = re.compile(r"[0-9A-Za-z&_.-]{1,25}")
