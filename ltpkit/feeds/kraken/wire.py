"""Kraken's messages as typed structures. What they mean is left to `decoder`.

A field without a default has to be there: a message that lacks it is a reject. Fields that have no
column (a trade's taker side, vwap) are left out here and skipped unread.

Source: the WebSocket v2 pages of docs.kraken.com (2026-07).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec

from ltpkit.feeds.common.joined import Count, Number, Price, Time

__all__ = [
    "Answer",
    "Book",
    "BookMessage",
    "Level",
    "Message",
    "StatusMessage",
    "TickerMessage",
    "TradeMessage",
    "read",
    "read_many",
]

Kind = Literal["snapshot", "update"]
Checksum = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class Channel(msgspec.Struct, tag_field="channel", gc=False):
    """Base of what channels send."""


class Level(msgspec.Struct, gc=False):
    """A changed level. Its digits as sent are what the checksum is of, so they are kept as they are."""

    price: msgspec.Raw
    qty: msgspec.Raw


class Book(msgspec.Struct, gc=False):
    """A whole book, or changes of one."""

    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: Checksum
    timestamp: Time | None = None  # whole books of older servers have none


class BookMessage(Channel, tag="book", gc=False):
    """Books; one, as far as seen."""

    type: Kind
    data: list[Book]


class Trade(msgspec.Struct, gc=False):
    """One execution."""

    symbol: str
    price: Price
    qty: Number
    trade_id: Count
    timestamp: Time


class TradeMessage(Channel, tag="trade", gc=False):
    """Trades; as a snapshot, the newest fifty from before the subscription."""

    type: Kind
    data: list[Trade]


class Ticker(msgspec.Struct, gc=False):
    """The market after a trade; high and low of the last 24 hours."""

    symbol: str
    bid: Number
    bid_qty: Number
    ask: Number
    ask_qty: Number
    last: Number
    high: Number
    low: Number
    timestamp: Time | None = None  # older servers send none


class TickerMessage(Channel, tag="ticker", gc=False):
    """Tickers."""

    data: list[Ticker]


class Heartbeat(Channel, tag="heartbeat", gc=False):
    """Once a second when nothing else is sent."""


class Status(msgspec.Struct, gc=False):
    """The exchange's state. The connection's id is not read: it may exceed 63 bits."""

    system: str
    version: str = ""


class StatusMessage(Channel, tag="status", gc=False):
    """Sent first on a connection, and when the state changes."""

    data: list[Status]


class Subscribed(msgspec.Struct):
    """What an answer says of a subscription."""

    channel: str = ""
    symbol: str = ""
    depth: Count | None = None


class Answer(msgspec.Struct):
    """The answer to a request, which names no channel. It names its method, unless it is a refusal."""

    method: str = ""
    success: bool | None = None
    error: str | None = None
    symbol: str | None = None
    result: Subscribed | None = None


_Channels = BookMessage | TradeMessage | TickerMessage | Heartbeat | StatusMessage
Message = _Channels | Answer

read_many: Callable[[bytes], Sequence[Message]]
read_many = msgspec.json.Decoder(list[_Channels]).decode
_read_channel: Callable[[bytes], Message]
_read_channel = msgspec.json.Decoder(_Channels).decode
_read_answer = msgspec.json.Decoder(Answer).decode


def read(frame: bytes) -> Message:
    """Return a channel's message, or an answer; raise as msgspec does."""
    try:
        return _read_channel(frame)
    except msgspec.ValidationError:
        try:
            answer = _read_answer(frame)
        except msgspec.ValidationError:
            answer = Answer()
        if not answer.method and answer.error is None:
            raise
        return answer
