"""Where the compiled loops find what messages say, and where they put it.

A table of the fields, made from the schema that ``protobuf`` holds, tells them how each is sent and where it
goes. What they make is a `ROW` for each entry of a message.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ltpkit.schema import FEED_FLOATS

__all__ = [
    "EIGHT", "FIELD", "FOUR", "KEY", "KINDS", "LONGEST_KEY", "ROW", "SIZED", "SLOTS", "TEXT", "UNKNOWN_FIELD",
    "UNMET", "UNREAD", "VARINT", "fields",
]  # fmt: skip

#: The messages that are read, in the order of their fields' table.
KINDS: Final = (
    *("FeedResponse", "FeedsEntry", "Feed", "FullFeed", "MarketFullFeed", "IndexFullFeed"),
    *("FirstLevelWithGreeks", "LTPC", "MarketLevel", "Quote", "MarketOHLC", "OHLC", "OptionGreeks"),
    "DoubleValue",
)

#: How a field is sent. Where it goes: a slot, or the kind that it is a message of. And a bit that no other
#: field of the message has, save one that cannot be sent beside it; 0 for a list.
FIELD: Final = np.dtype([("wire", np.int8), ("goes", np.int8), ("once", np.int32)])
#: How numbers of both lengths, and text and messages are sent; and what no field is.
VARINT, EIGHT, SIZED, FOUR = 0, 1, 2, 5
#: Where text goes, and what is not read.
TEXT, UNREAD = 64, -1
#: Fields have smaller numbers than this, which stands for all that are unknown.
UNKNOWN_FIELD: Final = 31

#: Where numbers go: those of a row, then those of one level and of one bar, then what is not kept.
SLOTS: Final = ("ltt", *FEED_FLOATS, "bidP", "bidQ", "askP", "askQ", "open", "high", "low", "")

#: What one entry of a message says.
ROW: Final = np.dtype(
    [
        ("slots", np.float64, len(SLOTS)),
        ("instrument", np.int32),
        ("frame", np.int32),
        ("key", np.int64),  # its first byte
        ("key_end", np.int64),
        ("quotes", np.int64),  # the first level of its book; -1 for no book
        ("quotes_end", np.int64),
        ("speaks", np.bool_),  # of an instrument
        ("is_cash", np.bool_),
        ("is_day", np.bool_),  # the last bar is the day's
        ("has_day", np.bool_),  # one before was
    ],
    align=True,
)
#: In place of an instrument whose key was not met before.
UNMET: Final = -1

LONGEST_KEY: Final = 72
#: A key that was met, eight bytes a number and zeros behind.
KEY: Final = np.dtype(
    [
        ("words", np.int64, LONGEST_KEY // 8),
        ("length", np.int64),
        ("instrument", np.int32),
        ("is_cash", np.bool_),
    ],
    align=True,
)
#: The slot of a field that is not named after it.
_SLOT_OF: Final = {"cp": "close_price", "vtt": "volume"}


def fields(response: Any) -> npt.NDArray[np.void]:
    """Return the fields of the messages that the loops read, by kind and number."""
    messages = response.DESCRIPTOR.file.message_types_by_name
    table = np.zeros((len(KINDS), UNKNOWN_FIELD + 1), FIELD)
    table["wire"] = -1
    for kind, name in enumerate(KINDS):
        for field in messages[name].fields:
            rivals = field.containing_oneof.fields if field.containing_oneof else [field]
            once = 0 if field.is_repeated else 1 << min(rival.number for rival in rivals)
            table[kind, field.number] = (*_sent(field), once)
    return table


def _sent(field: Any) -> tuple[int, int]:
    """Return how a field is sent, and where it goes."""
    if field.type == field.TYPE_MESSAGE:
        inner = field.message_type.name
        return SIZED, KINDS.index(inner) if inner in KINDS else UNREAD
    if field.type == field.TYPE_STRING:
        return SIZED, TEXT
    slot = _SLOT_OF.get(field.name, field.name)
    goes = SLOTS.index(slot if slot in SLOTS else "")
    return (EIGHT if field.type == field.TYPE_DOUBLE else VARINT), goes
