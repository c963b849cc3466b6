"""Upstox's messages: their schema, and how bytes become one of them.

Numbers and types as in the descriptor of ``upstox-python-sdk`` 2.30.0. The schema is a table here and not a
compiled module: compiled ones are tied to a version of the runtime, and one with the broker's own names
could not be loaded beside the broker's package, because a process has one pool of those. This one has a
pool to itself.

Maps are read as what they are on the wire, a list of entries, because that keeps the order they came in.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from ltpkit.batch import Reject

__all__ = ["CASH", "SEGMENTS", "STATUSES", "packets", "response_type", "unreadable"]

#: Of each message the fields, with number and type; "[]" marks a list, "|" a choice of which one is sent.
_MESSAGES: Final[dict[str, str]] = {
    "DoubleValue": "1 value double",
    "LTPC": "1 ltp double, 2 ltt int64, 3 ltq int64, 4 cp double, 5 iep DoubleValue",
    "Quote": "1 bidQ int64, 2 bidP double, 3 askQ int64, 4 askP double",
    "MarketLevel": "1 bidAskQuote Quote[]",
    "OHLC": (
        "1 interval string, 2 open double, 3 high double, 4 low double, 5 close double, "
        "6 vol int64, 7 ts int64"
    ),
    "MarketOHLC": "1 ohlc OHLC[]",
    "OptionGreeks": "1 delta double, 2 theta double, 3 gamma double, 4 vega double, 5 rho double",
    "MarketFullFeed": (
        "1 ltpc LTPC, 2 marketLevel MarketLevel, 3 optionGreeks OptionGreeks, 4 marketOHLC MarketOHLC, "
        "5 atp double, 6 vtt int64, 7 oi double, 8 iv double, 9 tbq double, 10 tsq double, 11 iep double, "
        "12 rp double, 13 ieq int64, 14 iiqTotal int64, 15 iiqM int64, 16 casEligible bool"
    ),
    "IndexFullFeed": "1 ltpc LTPC, 2 marketOHLC MarketOHLC",
    "FullFeed": "1 marketFF MarketFullFeed|, 2 indexFF IndexFullFeed|",
    "FirstLevelWithGreeks": (
        "1 ltpc LTPC, 2 firstDepth Quote, 3 optionGreeks OptionGreeks, 4 vtt int64, 5 oi double, 6 iv double"
    ),
    "Feed": (
        "1 ltpc LTPC|, 2 fullFeed FullFeed|, 3 firstLevelWithGreeks FirstLevelWithGreeks|, "
        "4 requestMode int32"
    ),
    "FeedsEntry": "1 key string, 2 value Feed",
    "SegmentStatusEntry": "1 key string, 2 value int32",
    "MarketInfo": "1 segmentStatus SegmentStatusEntry[]",
    "FeedResponse": "1 type int32, 2 feeds FeedsEntry[], 3 currentTs int64, 4 marketInfo MarketInfo",
}

#: What a segment's status may be, by number.
STATUSES: Final = (
    "PRE_OPEN_START",
    "PRE_OPEN_END",
    "NORMAL_OPEN",
    "NORMAL_CLOSE",
    "CLOSING_START",
    "CLOSING_END",
)

#: Segments, the part of an instrument key before the bar, and the exchange as analysts write it.
SEGMENTS: Final[dict[str, str]] = {
    "NSE_EQ": "NSE",
    "NSE_FO": "NFO",
    "NCD_FO": "CDS",
    "NSE_COM": "NCO",
    "NSE_INDEX": "INDEX",
    "BSE_EQ": "BSE",
    "BSE_FO": "BFO",
    "BCD_FO": "BCD",
    "BSE_INDEX": "INDEX",
    "MCX_FO": "MCX",
    "MCX_INDEX": "INDEX",
}
#: Segments without derivatives, whose open interest is always 0 and says nothing.
CASH: Final = ("NSE_EQ", "BSE_EQ", "NSE_INDEX", "BSE_INDEX", "MCX_INDEX")
_PACKAGE: Final = "ltpkit.upstox"


@cache
def response_type() -> Any:
    """Return the class of the message that every binary frame is, made by ``protobuf``."""
    # Imported when a feed is made, so that importing this module stays cheap.
    from google.protobuf import (  # type: ignore[import-untyped]  # protobuf ships without types
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    field_type = descriptor_pb2.FieldDescriptorProto
    scalars = {
        "double": field_type.TYPE_DOUBLE,
        "int64": field_type.TYPE_INT64,
        "int32": field_type.TYPE_INT32,
        "string": field_type.TYPE_STRING,
        "bool": field_type.TYPE_BOOL,
    }
    file = descriptor_pb2.FileDescriptorProto(name="upstox.proto", package=_PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, field, kind in (text.split() for text in fields.split(", ")):
            label = field_type.LABEL_REPEATED if kind.endswith("[]") else field_type.LABEL_OPTIONAL
            made = message.field.add(name=field, number=int(number), label=label)
            if kind.endswith("|"):
                if not message.oneof_decl:
                    message.oneof_decl.add(name="union")
                made.oneof_index = 0
            bare = kind.rstrip("[]|")
            made.type = scalars.get(bare, field_type.TYPE_MESSAGE)
            if bare not in scalars:
                made.type_name = f".{_PACKAGE}.{bare}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.FeedResponse"))


@cache
def unreadable() -> type[Exception]:
    """Return what parsing raises for bytes that are no such message."""
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # as above

    found: type[Exception] = DecodeError
    return found


def packets(message: bytes) -> tuple[list[Any], list[Reject]]:
    """Return the message in one binary frame, field by field as it was sent.

    For looking at bytes: nothing is converted or left out. `upstox.Upstox.decode` makes rows.

    Returns
    -------
    list of google.protobuf.message.Message, list of Reject
        One message of the broker's schema, or why there is none, received at 0.

    Examples
    --------
    >>> sent = bytes.fromhex("12150a0d4e53455f45517c494e4530303112040a020000")
    >>> packets(sent)[1][0].reason
    'no FeedResponse: its bytes cannot be parsed'
    """
    try:
        return [response_type().FromString(message)], []
    except unreadable():
        reason = "no FeedResponse: its bytes cannot be parsed"
        return [], [Reject(received_at=0, reason=reason, frame=message)]
