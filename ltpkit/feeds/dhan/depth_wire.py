"""The layouts and limits of Dhan's deep depth, 20 or 200 levels a side; what they mean stands in `depth`."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from ltpkit.feeds import Limits

__all__ = ["DEEP", "DEEP_CODES", "DEEP_HEADER", "DEEP_LEVEL", "DEEP_PART", "DEEP_SEGMENTS", "Deep"]

#: What every packet starts with. `length` counts the whole packet; `word` is explained above.
DEEP_HEADER: Final = np.dtype(
    [("length", "<i2"), ("code", "u1"), ("segment", "u1"), ("security_id", "<u4"), ("word", "<u4")]
)
DEEP_LEVEL: Final = np.dtype([("price", "<f8"), ("qty", "<u4"), ("orders", "<u4")])

#: Either of them, both over the same bytes.
DEEP_PART: Final = np.dtype(
    {"names": ["header", "level"], "formats": [DEEP_HEADER, DEEP_LEVEL], "offsets": [0, 0]}
)

#: The only parts of the exchange whose books go so deep.
DEEP_SEGMENTS: Final = ("NSE_EQ", "NSE_FNO")

#: The response codes.
DEEP_CODES: Final = {"bid": 41, "ask": 51, "disconnect": 50}


class Deep(msgspec.Struct, frozen=True):
    """One of the two deep feeds.

    Attributes
    ----------
    levels : int
        Of a side, at most.
    counted : bool
        Whether the header's last word counts the valid rows.
    home : str
        Its address. Of the 200-level feed's the documentation and the package name two; this is the
        package's, which is also reported to work.
    limits : Limits
        As published; silence is our own choice, as for the live feed.
    """

    levels: int
    counted: bool
    home: str
    limits: Limits


DEEP: Final = {
    "depth20": Deep(
        20,
        False,
        "wss://depth-api-feed.dhan.co/twentydepth",
        Limits(per_message=50, per_connection=50, connections=5, silence_s=120.0),
    ),
    "depth200": Deep(
        200,
        True,
        "wss://full-depth-api.dhan.co/",
        Limits(per_message=1, per_connection=1, connections=5, silence_s=120.0),
    ),
}
