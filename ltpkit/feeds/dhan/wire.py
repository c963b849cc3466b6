"""Dhan's packets, live feed version 2: their layouts, and the words for their codes.

All little-endian and packed; layouts as in Dhan's documentation (*Live market feed*, *Annexure*) and
its ``dhanhq`` 2.3.0 package. A message may hold several packets, each behind an 8-byte header that
tells its length. What the numbers mean is left to `loops`; the simulated exchange writes with the same
layouts.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

__all__ = [
    "CODES",
    "DEPTH5",
    "DISCONNECT",
    "FULL",
    "HEADER",
    "IST_OFFSET_S",
    "LEVEL",
    "LEVELS",
    "OI",
    "PACKET",
    "PACKETS",
    "PREV_CLOSE",
    "QUOTE",
    "REASONS",
    "SEGMENTS",
    "SEGMENTS_END",
    "SEGMENT_CODES",
    "STATUS",
    "TICKER",
]

_HEADER: Final = [("code", "u1"), ("length", "<u2"), ("segment", "u1"), ("security_id", "<u4")]
_TRADE: Final = [
    ("ltp", "<f4"),
    ("ltq", "<u2"),
    ("ltt", "<u4"),
    ("average_price", "<f4"),
    ("volume", "<u4"),
    ("total_sell_qty", "<u4"),  # sell comes before buy
    ("total_buy_qty", "<u4"),
]
_DAY: Final = [("open", "<f4"), ("close", "<f4"), ("high", "<f4"), ("low", "<f4")]  # close is second

#: What every packet starts with. `length` counts the whole packet.
HEADER: Final = np.dtype(_HEADER)
TICKER: Final = np.dtype([*_HEADER, ("ltp", "<f4"), ("ltt", "<u4")])
#: One level of the book, both sides.
LEVEL: Final = np.dtype(
    [
        ("bid_qty", "<u4"),
        ("ask_qty", "<u4"),
        ("bid_orders", "<u2"),
        ("ask_orders", "<u2"),
        ("bid_price", "<f4"),
        ("ask_price", "<f4"),
    ]
)
#: So many are in a packet.
LEVELS: Final = 5
#: Version 1's five levels; no longer listed for version 2 and still read by Dhan's own package.
DEPTH5: Final = np.dtype([*_HEADER, ("ltp", "<f4"), ("depth", LEVEL, (LEVELS,))])
QUOTE: Final = np.dtype([*_HEADER, *_TRADE, *_DAY])
OI: Final = np.dtype([*_HEADER, ("oi", "<u4")])
PREV_CLOSE: Final = np.dtype([*_HEADER, ("prev_close", "<f4"), ("prev_oi", "<u4")])
STATUS: Final = HEADER
FULL: Final = np.dtype(
    [
        *_HEADER,
        *_TRADE,
        ("oi", "<u4"),
        ("oi_day_high", "<u4"),
        ("oi_day_low", "<u4"),
        *_DAY,
        ("depth", LEVEL, (LEVELS,)),
    ]
)
DISCONNECT: Final = np.dtype([*_HEADER, ("reason", "<u2")])

#: The response codes.
CODES: Final = {
    "ticker": 2,
    "depth5": 3,
    "quote": 4,
    "oi": 5,
    "prev_close": 6,
    "status": 7,
    "full": 8,
    "disconnect": 50,
}
_LAYOUTS: Final = (TICKER, DEPTH5, QUOTE, OI, PREV_CLOSE, STATUS, FULL, DISCONNECT)

#: The layout behind each response code.
PACKETS: Final[dict[int, np.dtype[np.void]]] = dict(zip(CODES.values(), _LAYOUTS, strict=True))

#: A packet of any kind: its header, and each layout by the name of its code, all over the same bytes.
PACKET: Final = np.dtype(
    {
        "names": ["header", *CODES],
        "formats": [HEADER, *_LAYOUTS],
        "offsets": [0 for _ in ("header", *CODES)],
    }
)

#: Segment codes, the names that requests use, and the exchange as analysts write it. 6 is unassigned.
SEGMENTS: Final[dict[int, tuple[str, str]]] = {
    0: ("IDX_I", "INDEX"),
    1: ("NSE_EQ", "NSE"),
    2: ("NSE_FNO", "NFO"),
    3: ("NSE_CURRENCY", "CDS"),
    4: ("BSE_EQ", "BSE"),
    5: ("MCX_COMM", "MCX"),
    7: ("BSE_CURRENCY", "BCD"),
    8: ("BSE_FNO", "BFO"),
}
SEGMENT_CODES: Final = {name: code for code, (name, _) in SEGMENTS.items()}

#: Indian wall clock is this far ahead of UTC.
IST_OFFSET_S: Final = 19_800

#: Disconnect codes: Dhan's published words, and whether coming back makes sense. 805 is sent to the
#: oldest of six connections and to a client in a hurry alike; the second passes, so it is retried
#: with the usual growing pause. Dhan asks not to reconnect in a loop on 806 to 810.
REASONS: Final[dict[int, tuple[str, Literal["retry", "login", "stop"]]]] = {
    800: ("internal server error", "retry"),
    804: ("more instruments than allowed", "stop"),
    805: ("too many requests or connections, the oldest connection was dropped", "retry"),
    806: ("Data API not subscribed", "stop"),
    807: ("access token expired", "login"),
    808: ("authentication failed, client id or token invalid", "stop"),
    809: ("access token invalid", "stop"),
    810: ("client id invalid", "stop"),
}

#: From here on a segment code is damage, not one that Dhan has added since: each becomes a category
#: of the exchange column for as long as the process lives.
SEGMENTS_END: Final = 16
