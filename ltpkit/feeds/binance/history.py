"""Binance's history of trades: what to ask for the ones that were missed, and what the answer says.

Spot gives every trade by its id (``historicalTrades``, which needs no key since it lost its label
MARKET_DATA). USD-M asks a key for that, so its trades come as aggregates (``aggTrades``): trades of one
taker at one price within 100 ms are one row with their quantity added up, which is the same in a bar. An
aggregate that reaches beyond the gap holds trades that the stream has, and is left out.

Sources: binance/binance-spot-api-docs rest-api.md; developers.binance.com, USD-M, Compressed/Aggregate
Trades List (1000 rows, an hour at most where both ends are given, weight 20 of 2400 a minute).
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from ltpkit.feeds.binance.wire import micro
from ltpkit.feeds.common.history import Page, Request, Span, Trades

__all__ = ["TradeHistory"]

_TRADES: Final = "/api/v3/historicalTrades"
_AGGREGATES: Final = {"spot": "/api/v3/aggTrades", "usdm": "/fapi/v1/aggTrades"}
_PAGE: Final = 1000
_HOUR: Final = 3_600_000_000


class _Trade(msgspec.Struct):
    id: int
    price: float
    qty: float
    time: int


class _Aggregate(msgspec.Struct):
    a: int
    p: float
    q: float
    f: int
    l: int  # noqa: E741 - Binance's own name
    T: int


_read_trades: Final = msgspec.json.Decoder(list[_Trade], strict=False)
_read_aggregates: Final = msgspec.json.Decoder(list[_Aggregate], strict=False)


class TradeHistory:
    """Trades of one of Binance's markets.

    Parameters
    ----------
    kind : {"spot", "usdm"}
        Which.
    rest_url : str
        Its base address.
    """

    source = "trades of Binance's history"
    # A choice: some hundred requests a minute, well inside the weights that are published, as books are
    # fetched from the same allowance.
    pause_s = 0.6
    settle_s = 1.0
    numbered = True

    def __init__(self, kind: str, rest_url: str) -> None:
        self._kind, self._rest_url = kind, rest_url

    def first(self, span: Span) -> Request:
        """Return the request to begin with: by id where the first missing one is known, else by time."""
        if self._kind == "spot" and span.from_id is not None:
            return self._trades(span, span.from_id)
        return self._aggregates(span, span.start)

    def read(self, span: Span, request: Request, body: bytes) -> Page:
        """Return the trades of an answer that lie in the span, and the request for more."""
        if request.url.endswith(_TRADES):
            return self._read_trades(span, body)
        try:
            found = _read_aggregates.decode(body)
        except msgspec.MsgspecError as error:
            raise ValueError(f"Binance's answer holds no trades: {error}") from None
        if self._kind == "spot":  # asked by time, to learn the id to go on with
            if found:
                return Page(found=None, more=self._trades(span, found[0].f))
            return Page(found=None, more=self._next_hour(span, request))
        kept = [one for one in found if _inside(span, one.f, one.l, one.T)]
        more = None
        if found and not _past(span, found[-1].l, found[-1].T):
            if len(found) >= _PAGE:
                more = self._request(span, _AGGREGATES[self._kind], fromId=found[-1].a + 1)
            else:
                more = self._next_hour(span, request)
        elif not found:
            more = self._next_hour(span, request)
        return Page(found=_packed([(micro(one.T), one.p, one.q) for one in kept]), more=more)

    def _read_trades(self, span: Span, body: bytes) -> Page:
        try:
            found = _read_trades.decode(body)
        except msgspec.MsgspecError as error:
            raise ValueError(f"Binance's answer holds no trades: {error}") from None
        kept = [one for one in found if _inside(span, one.id, one.id, one.time)]
        on = len(found) >= _PAGE and not _past(span, found[-1].id, found[-1].time)
        return Page(
            found=_packed([(micro(one.time), one.price, one.qty) for one in kept]),
            more=self._trades(span, found[-1].id + 1) if on else None,
        )

    def _next_hour(self, span: Span, request: Request) -> Request | None:
        """Return the request for the hour after one that was asked by time, while there is one."""
        asked = request.query.get("endTime")
        reached = None if asked is None else (int(asked) + 1) * 1000
        return None if reached is None or reached > span.end else self._aggregates(span, reached)

    def _trades(self, span: Span, from_id: int) -> Request:
        return self._request(span, _TRADES, fromId=from_id)

    def _aggregates(self, span: Span, start: int) -> Request:
        until = min(start + _HOUR - 1000, span.end)
        return self._request(
            span, _AGGREGATES[self._kind], startTime=start // 1000, endTime=max(until, start) // 1000
        )

    def _request(self, span: Span, path: str, **asked: int) -> Request:
        query = {"symbol": span.instrument.symbol, "limit": str(_PAGE)}
        query |= {name: str(value) for name, value in asked.items()}
        return Request(url=f"{self._rest_url}{path}", query=query)


def _inside(span: Span, first: int, last: int, time: int) -> bool:
    """Return whether trades with these ids, at this time, are of the span and of nothing else."""
    if span.from_id is not None and span.to_id is not None:
        return first >= span.from_id and last <= span.to_id
    return span.start <= micro(time) < span.end


def _past(span: Span, last: int, time: int) -> bool:
    """Return whether nothing of the span can come after this trade."""
    if span.to_id is not None:
        return last >= span.to_id
    return micro(time) >= span.end


def _packed(rows: list[tuple[int, float, float]]) -> Trades | None:
    real = [row for row in rows if row[1]]  # USD-M spends ids on trades of price and quantity zero
    if not real:
        return None
    times, prices, quantities = zip(*real, strict=True)
    return Trades(
        timestamp=np.array(times, np.int64), price=np.array(prices, float), qty=np.array(quantities, float)
    )
