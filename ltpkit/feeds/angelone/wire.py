"""SmartStream's packets: their layouts, and which of some messages hold one.

All little-endian and packed, as in Angel One's documentation (SmartAPI, *WebSocket streaming 2.0*) and its
``smartapi-python`` 1.5.5 package. What the numbers mean is left to `ltpkit.feeds.angelone.rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from ltpkit.batch import Reject
from ltpkit.feeds.common.columns import Records

__all__ = [
    "DEPTH20",
    "LEVEL",
    "LEVEL20",
    "LTP",
    "PACKETS",
    "QUOTE",
    "SEGMENTS",
    "SEGMENT_CODES",
    "SNAP_QUOTE",
    "TOKEN_AT",
    "all_alike",
    "packets",
    "refusal",
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

#: Where exchange type and token are. Together they tell the instrument.
TOKEN_AT: Final = slice(1, 27)

_SIZE: Final = {mode: layout.itemsize for mode, layout in PACKETS.items()}
_FLAG_AT: Final = slice(147, 347, LEVEL.itemsize)
_HIGH_AT: Final = slice(148, 347, LEVEL.itemsize)
_USUAL_FLAGS: Final = bytes([1] * 5 + [0] * 5)
_NO_FLAGS: Final = bytes(10)


def refusal(message: bytes) -> str | None:
    """Return why there is no packet to read in a binary message, None where there is one.

    Bytes behind a packet are ignored: the broker's package does so, and it is how a field would be added.
    """
    if not message:
        return "empty message"
    size = _SIZE.get(message[0])
    if size is None:
        return f"unknown mode {message[0]}"
    if len(message) < size:
        return f"cut short: {len(message)} of the {size} bytes of mode {message[0]}"
    if message[1] >= SEGMENTS_END:
        return f"unknown exchange type {message[1]}"
    if message[0] == 3:
        low, high = message[_FLAG_AT], message[_HIGH_AT]
        if high != _NO_FLAGS or (low != _USUAL_FLAGS and max(low) > 1):
            return "a level that is neither buy nor sell"
    return None


def all_alike(messages: Sequence[bytes]) -> Records | None:
    """Return the packets in the messages, if each holds one of the same mode and nothing else.

    It finds what `refusal` finds, for all messages at once; None sends the caller to look at each.
    """
    mode, size = (messages[0][0] if messages[0] else 0), len(messages[0])
    if _SIZE.get(mode) != size or len(set(map(len, messages))) != 1:
        return None
    joined = b"".join(messages)
    packed = np.frombuffer(joined, np.uint8).reshape(-1, size)
    if np.count_nonzero(packed[:, 0] == mode) != len(packed) or packed[:, 1].max() >= SEGMENTS_END:
        return None
    if mode == 3 and (packed[:, _FLAG_AT].max() > 1 or packed[:, _HIGH_AT].any()):
        return None
    return np.frombuffer(joined, f"V{size}")


def packets(message: bytes) -> tuple[list[np.void], list[Reject]]:
    """Return the packet in one binary message, field by field as it was sent.

    For looking at bytes: nothing is divided or left out. `angelone.AngelOne.decode` makes rows.

    Returns
    -------
    list of numpy.void, list of Reject
        One record of the layouts in `PACKETS`, or why there is none, received at 0.

    Examples
    --------
    >>> sent = np.array((1, 1, b"2885", 7, 1722343024096, 453578), LTP).tobytes()
    >>> [packet], rejects = packets(sent)
    >>> packet["token"].item(), int(packet["ltp"]), rejects
    (b'2885', 453578, [])
    """
    reason = refusal(message)
    if reason is not None:
        return [], [Reject(received_at=0, reason=reason, frame=message)]
    return [np.frombuffer(message, PACKETS[message[0]], 1)[0]], []
