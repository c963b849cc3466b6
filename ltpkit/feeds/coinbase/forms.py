"""What Coinbase's messages with ticks look like in their usual form.

The same fields as in `wire`, which judges what is not of this form. Keys stand in the order they are sent;
those without a meaning have no column.

Sources: the market data pages of docs.cdp.coinbase.com (2026-07).
"""

from __future__ import annotations

from typing import Final

from ltpkit.feeds.common.plain import Form, Kind, Series

__all__ = ["advanced", "exchange"]

_EXCHANGE: Final = {
    "type": "kind",
    "product_id": "symbol",
    "trade_id": "id",
    "price": "ltp",
    "size": "ltq",
    "time": "time",
    "open_24h": "open_price",
    "high_24h": "high_price",
    "low_24h": "low_price",
    "best_bid": "bid",
    "best_bid_size": "bid_qty",
    "best_ask": "ask",
    "best_ask_size": "ask_qty",
    "maker_order_id": "",
    "taker_order_id": "",
    "sequence": "",
    "side": "",
}
_MATCH: Final = "type product_id trade_id price size time"
_TICKER: Final = "trade_id price open_24h high_24h low_24h best_bid best_bid_size best_ask best_ask_size time"

_MESSAGE: Final = {"channel": "kind", "timestamp": "stamp", "sequence_num": "number", "events": "objects"}
_EVENT: Final = {"type": "word", "trades": "objects", "tickers": "objects"}
_ROW: Final = {
    "product_id": "symbol",
    "trade_id": "id",
    "price": "ltp",
    "size": "ltq",
    "time": "time",
    "high_24_h": "high_price",
    "low_24_h": "low_price",
    "best_bid": "bid",
    "best_bid_quantity": "bid_qty",
    "best_ask": "ask",
    "best_ask_quantity": "ask_qty",
    "side": "",
    "type": "",
}
_ADVANCED: Final = "channel timestamp sequence_num events"
_PRICES: Final = "price high_24_h low_24_h best_bid best_bid_quantity best_ask best_ask_quantity"


def exchange() -> Form:
    """Return the form of the Exchange feed's matches and tickers."""
    kinds = {
        "match": Kind(Series.TRADES, (_MATCH,)),
        "ticker": Kind(Series.NONE, ("type product_id",), (_TICKER,)),
    }
    return Form([_EXCHANGE], kinds, rows_in=0, quoted=True)


def advanced() -> Form:
    """Return the form of the Advanced Trade feed's trades and tickers."""
    trade = "product_id trade_id price size time"
    ticker = Kind(Series.NONE, (_ADVANCED, "tickers", "product_id"), ("", "type", _PRICES))
    kinds = {
        "market_trades": Kind(Series.TRADES, (_ADVANCED, "type trades", trade)),
        "ticker": ticker,
        "ticker_batch": ticker,
    }
    words = ("snapshot", "update")
    return Form([_MESSAGE, _EVENT, _ROW], kinds, rows_in=2, words=words, quoted=True)
