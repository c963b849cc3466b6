"""What Binance's messages with ticks look like in their usual form: those of a combined stream.

The same fields as in `wire`, which judges what is not of this form. ``a`` is the best ask here; as the id of
an aggregated trade it stands in no message of this form.

Sources: binance/binance-spot-api-docs (2026-07) and the USD-M pages of developers.binance.com.
"""

from __future__ import annotations

from typing import Final

from ltpkit.feeds.common.plain import Form, Kind, Series

__all__ = ["form"]

_MESSAGE: Final = {"stream": "text", "data": "object"}
_ROW: Final = {
    "e": "kind",
    "E": "sent",
    "s": "symbol",
    "t": "id",
    "T": "traded",
    "p": "ltp",
    "q": "ltq",
    "b": "bid",
    "B": "bid_qty",
    "a": "ask",
    "A": "ask_qty",
    "X": "word",
    "u": "id",
    "U": "id",
    "pu": "id",
    "m": "",
    "M": "",
}


def form() -> Form:
    """Return the form of trades and best quotes; a quote on spot names no kind."""
    kinds = {
        "trade": Kind(Series.TRADES, ("stream data", "e s t p q T"), ("", "E X")),
        "bookTicker": Kind(Series.NONE, ("stream data", "e s b B a A"), ("", "u E T")),
        "": Kind(Series.NONE, ("stream data", "u s b B a A"), ("", "E T")),
    }
    marks = (b"@trade", b"@bookTicker")
    return Form([_MESSAGE, _ROW], kinds, rows_in=1, words=("MARKET",), quoted=True, marks=marks)
