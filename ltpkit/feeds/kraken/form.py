"""What Kraken's messages with ticks look like in their usual form.

The same fields as in `wire`, which judges what is not of this form.

Source: the WebSocket v2 pages of docs.kraken.com (2026-07).
"""

from __future__ import annotations

from typing import Final

from ltpkit.feeds.common.plain import Form, Kind, Series

__all__ = ["form"]

_MESSAGE: Final = {"channel": "kind", "type": "word", "data": "objects"}
_ROW: Final = {
    "symbol": "symbol",
    "price": "ltp",
    "qty": "ltq",
    "trade_id": "id",
    "timestamp": "time",
    "last": "ltp",
    "high": "high_price",
    "low": "low_price",
    "bid": "bid",
    "bid_qty": "bid_qty",
    "ask": "ask",
    "ask_qty": "ask_qty",
    "side": "",
    "ord_type": "",
}
_TRADE: Final = "symbol price qty trade_id timestamp"
_TICKER: Final = "symbol last high low bid bid_qty ask ask_qty"


def form() -> Form:
    """Return the form of trades and tickers."""
    kinds = {
        "trade": Kind(Series.TRADES, ("channel type data", _TRADE)),
        "ticker": Kind(Series.NONE, ("channel data", _TICKER), ("type", "timestamp")),
    }
    return Form([_MESSAGE, _ROW], kinds, rows_in=1, words=("snapshot", "update"), quoted=False)
