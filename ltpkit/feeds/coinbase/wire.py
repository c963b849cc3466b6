"""Coinbase's messages as typed structures. What they mean is left to `exchange` and `advanced`.

A field without a default has to be there: a message that lacks it is a reject. Fields that have no
column are left out here and skipped unread. Sides of trades are among them: a *match* names the
maker's, a *ticker* the taker's, and what Advanced Trade names is not documented.

Sources: the market data pages of docs.cdp.coinbase.com (2026-07).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from ltpkit.feeds.common.joined import UNREADABLE, Count, Number, Price, Time

__all__ = [
    "AdvancedMessage",
    "ExchangeMessage",
    "changed_book",
    "number_of_unknown",
    "read_advanced",
    "read_exchange",
    "read_many_advanced",
    "read_many_exchange",
]

_MISSING: Final = math.nan

Kind = Literal["snapshot", "update"]


class Exchange(msgspec.Struct, tag_field="type", gc=False):
    """Base of what the Exchange feed sends."""


class Trade(Exchange, gc=False):
    """One execution."""

    product_id: str
    trade_id: Count
    price: Price
    size: Number
    time: Time


class Match(Trade, tag="match", gc=False):
    """A trade as it happens."""


class LastMatch(Trade, tag="last_match", gc=False):
    """The latest trade before the subscription."""


class Ticker(Exchange, tag="ticker", gc=False):
    """The product after a trade. In 2021 it had no sizes of the best bid and ask."""

    product_id: str
    price: Number = _MISSING
    open_24h: Number = _MISSING
    high_24h: Number = _MISSING
    low_24h: Number = _MISSING
    best_bid: Number = _MISSING
    best_bid_size: Number = _MISSING
    best_ask: Number = _MISSING
    best_ask_size: Number = _MISSING
    time: Time | None = None


class Snapshot(Exchange, tag="snapshot", gc=False):
    """A whole book."""

    product_id: str
    bids: list[tuple[Number, Number]]
    asks: list[tuple[Number, Number]]
    time: Time | None = None


class L2Update(Exchange, tag="l2update", gc=False):
    """Changed levels: side, price, new quantity."""

    product_id: str
    changes: list[tuple[Literal["buy", "sell"], Number, Number]]
    time: Time | None = None


class Heartbeat(Exchange, tag="heartbeat", gc=False):
    """Once a second, where subscribed."""


class Subscriptions(Exchange, tag="subscriptions", gc=False):
    """The answer to a request: what is subscribed now."""


class Error(Exchange, tag="error", gc=False):
    """A refusal; on the Advanced Trade feed as well."""

    message: str = ""
    reason: str = ""


ExchangeMessage = Match | LastMatch | Ticker | Snapshot | L2Update | Heartbeat | Subscriptions | Error


class Advanced(msgspec.Struct, tag_field="channel", gc=False):
    """Base of what the Advanced Trade feed sends. `sequence_num` counts over all channels."""

    timestamp: str
    sequence_num: Count


class Level(msgspec.Struct, gc=False):
    """A changed level."""

    side: Literal["bid", "offer"]
    price_level: Number
    new_quantity: Number
    event_time: Time


class BookEvent(msgspec.Struct, gc=False):
    """A whole book, or changes of one."""

    type: Kind
    product_id: str
    updates: list[Level]


class L2Data(Advanced, tag="l2_data", gc=False):
    """Answers the subscription of ``level2``."""

    events: list[BookEvent]


class AdvancedTrade(msgspec.Struct, gc=False):
    """One execution."""

    product_id: str
    trade_id: Count
    price: Price
    size: Number
    time: Time


class TradesEvent(msgspec.Struct, gc=False):
    """Trades, often the newest first."""

    type: Kind
    trades: list[AdvancedTrade]


class MarketTrades(Advanced, tag="market_trades", gc=False):
    """The trades of a quarter of a second; as a snapshot, those before the subscription."""

    events: list[TradesEvent]


class AdvancedTicker(msgspec.Struct, gc=False):
    """The product now."""

    product_id: str
    price: Number = _MISSING
    high_24_h: Number = _MISSING
    low_24_h: Number = _MISSING
    best_bid: Number = _MISSING
    best_bid_quantity: Number = _MISSING
    best_ask: Number = _MISSING
    best_ask_quantity: Number = _MISSING


class TickersEvent(msgspec.Struct, gc=False):
    """Tickers."""

    tickers: list[AdvancedTicker]


class Tickers(Advanced, tag="ticker", gc=False):
    """Tickers as prices change."""

    events: list[TickersEvent]


class TickerBatch(Tickers, tag="ticker_batch", gc=False):
    """Tickers every five seconds."""


class Heartbeats(Advanced, tag="heartbeats", gc=False):
    """Once a second. It keeps quiet channels from being closed."""


class AdvancedSubscriptions(Advanced, tag="subscriptions", gc=False):
    """The answer to a request: what is subscribed now."""


AdvancedMessage = L2Data | MarketTrades | Tickers | TickerBatch | Heartbeats | AdvancedSubscriptions | Error


class _Refusal(msgspec.Struct):
    """An `Error` on the Advanced Trade feed, where nothing else is told apart by its type."""

    type: Literal["error"]
    message: str = ""
    reason: str = ""


class _About(msgspec.Struct):
    """What can be told of a message that could not be read."""

    type: str = ""
    product_id: str = ""
    channel: str = ""
    sequence_num: Count | None = None


# `strict=False` reads decimal text as float in the same pass; the result is what float(text) gives.
read_many_exchange: Callable[[bytes], Sequence[ExchangeMessage]]
read_many_exchange = msgspec.json.Decoder(list[ExchangeMessage], strict=False).decode
read_exchange: Callable[[bytes], ExchangeMessage]
read_exchange = msgspec.json.Decoder(ExchangeMessage, strict=False).decode

_Advanced = L2Data | MarketTrades | Tickers | TickerBatch | Heartbeats | AdvancedSubscriptions
read_many_advanced: Callable[[bytes], Sequence[AdvancedMessage]]
read_many_advanced = msgspec.json.Decoder(list[_Advanced], strict=False).decode
_read_advanced: Callable[[bytes], AdvancedMessage]
_read_advanced = msgspec.json.Decoder(_Advanced, strict=False).decode
_CHANNELS: Final = ("l2_data", "market_trades", "ticker", "ticker_batch", "heartbeats", "subscriptions")
_read_refusal = msgspec.json.Decoder(_Refusal).decode
_read_about = msgspec.json.Decoder(_About).decode


def read_advanced(frame: bytes) -> AdvancedMessage:
    """Return one message, or a refusal, which names no channel; raise as msgspec does."""
    try:
        return _read_advanced(frame)
    except msgspec.ValidationError:
        try:
            refusal = _read_refusal(frame)
        except msgspec.ValidationError:
            refusal = None
        if refusal is None:
            raise
        return Error(message=refusal.message, reason=refusal.reason)


def changed_book(frame: bytes) -> str | None:
    """Return which product's book an unreadable Exchange message may have changed.

    Empty where it cannot be told, None where it changed none: it was of another type.
    """
    try:
        about = _read_about(frame)
    except UNREADABLE:
        return ""
    return about.product_id if about.type in ("l2update", "snapshot") else None


def number_of_unknown(frame: bytes) -> int | None:
    """Return the number of an Advanced message of a channel this feed does not read.

    None for one of a known channel: what cannot be read of that is as good as lost.
    """
    try:
        about = _read_about(frame)
    except UNREADABLE:
        return None
    return None if about.channel in _CHANNELS else about.sequence_num
