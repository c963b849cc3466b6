"""The decoder of Binance's streams: trades and best quotes become ticks, changes of the book `BookUpdate`.

Keeping the book is `ltpkit.book`'s work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from ltpkit.batch import Batch, BookUpdate, Depth, Event, Goodbye, Received, Reject, Side
from ltpkit.feeds.binance import wire
from ltpkit.feeds.binance.form import form
from ltpkit.feeds.binance.wire import SYMBOL, UNREADABLE, Combined, Message, Payload
from ltpkit.feeds.common.joined import Joined, lines
from ltpkit.feeds.common.plain import Form, Series
from ltpkit.feeds.common.trade_ids import TradeIds
from ltpkit.instrument import Instrument, Instruments

__all__ = ["Decoder", "Numbers"]

_QUOTE: Final = lines("bid", "bid_qty", "ask", "ask_qty")
_PARTIAL: Final = re.compile(r"@depth\d")  # depth5, depth10, depth20: whole books, not changes

_Joined = Joined[Combined | Message]


class Numbers(dict[str, int]):
    """Symbol on the wire to the instrument's number; a new symbol is added on sight."""

    def __init__(self, instruments: Instruments, exchange: str, segment: str) -> None:
        self._instruments, self._exchange, self._segment = instruments, exchange, segment
        #: Of the messages that the symbols stand in.
        self.form: Form = form()

    def __setitem__(self, symbol: str, number: int) -> None:
        super().__setitem__(symbol, number)
        self.form.learn(symbol, number)

    def instrument(self, symbol: str) -> Instrument:
        """Return the symbol as an instrument."""
        return Instrument(
            exchange=self._exchange, symbol=symbol, segment=self._segment, broker_id=symbol.lower()
        )

    def __missing__(self, symbol: str) -> int:
        if not SYMBOL.fullmatch(symbol):
            raise KeyError(symbol)
        number = self._instruments.meet(self.instrument(symbol))
        if number is None:
            return self._instruments.rest()
        self[symbol] = number
        return number


class Decoder:
    """The decoder of one stream."""

    def __init__(self, instruments: Instruments, numbers: Numbers) -> None:
        self._names, self._numbers = instruments, numbers
        self._ids = TradeIds(instruments)

    def forget(self, symbol: str) -> None:
        """Begin anew with a symbol that is unsubscribed."""
        self._ids.forget(self._numbers[symbol])

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order."""
        joined: _Joined = Joined(frames, received_at, self._numbers.form, wire.read_many, wire.read_one)
        batch = joined.batch
        whole_books: list[BookUpdate] = []
        for place, at, message in joined:
            if isinstance(message, Reject):
                continue
            payload: Payload = message.data or message  # type: ignore[assignment]
            event = payload.e
            if event == "depthUpdate":
                reason = self._depth_update(payload, message.stream, at, batch.book_updates, whole_books)
            elif event in ("trade", "aggTrade", "bookTicker") or (not event and payload.u >= 0):
                reason = self._tick(payload, place, at, joined)
            else:
                reason = self._rare(frames[place], at, batch, whole_books)
            if reason:
                joined.reject(place, reason)
        if whole_books:
            batch.depth = _pack(whole_books)
        return joined.finished(self._ids)

    def _tick(self, payload: Payload, place: int, at: int, joined: _Joined) -> str:
        """Tell of a trade or quote; return why it cannot be read, or nothing."""
        if what := wire.lacking(payload):
            return f"{payload.e or 'bookTicker'} without a usable {what}"
        number = self._numbers[payload.s]
        time = wire.micro(payload.T or payload.E) or at
        if payload.e not in ("trade", "aggTrade"):
            sides = (payload.b, payload.B, payload.a, payload.A)
            joined.tell_quote(place, number, time, _QUOTE, sides)  # type: ignore[arg-type]
            return ""
        series = Series.TRADES if payload.e == "trade" else Series.AGGREGATES
        trade_id = payload.t if series == Series.TRADES else wire.aggregate_id(payload)
        if payload.p and payload.X == "MARKET":
            joined.tell_trade(place, number, time, trade_id, payload.p, payload.q, series)
            return ""
        outside = None
        if payload.p:
            detail: dict[str, object] = {
                "id": trade_id,
                "price": payload.p,
                "qty": payload.q,
                "type": payload.X,
            }
            outside = Event(at=at, kind="off_market", symbol=self._names[number].name, detail=detail)
        joined.tell_id(place, number, time, trade_id, series, outside)
        return ""

    def _depth_update(
        self,
        payload: Payload,
        stream: str,
        at: int,
        updates: list[BookUpdate],
        whole_books: list[BookUpdate],
    ) -> str:
        """Add what a depthUpdate says; return why it cannot be read, or nothing."""
        bids, asks = payload.b, payload.a
        if not isinstance(bids, list) or not isinstance(asks, list):
            return "depthUpdate without levels"
        if payload.u < 0 or payload.U < 0:
            return "depthUpdate without update ids"
        try:
            number = self._numbers[payload.s]
        except KeyError:
            return "depthUpdate without a usable symbol"
        update = BookUpdate(
            instrument=number,
            timestamp=wire.micro(payload.T or payload.E) or at,
            received_at=at,
            bids=bids,
            asks=asks,
            first_id=payload.U,
            last_id=payload.u,
            previous_id=payload.pu if payload.pu >= 0 else None,
        )
        # USD-M marks its partial books as depthUpdate as well; only the stream's name tells.
        (whole_books if _PARTIAL.search(stream) else updates).append(update)
        return ""

    def _rare(self, frame: bytes, at: int, batch: Batch, whole_books: list[BookUpdate]) -> str:
        """Read a whole book, an answer or a notice; return why it cannot be read, or nothing."""
        try:
            message = wire.read_one(frame)
        except UNREADABLE as error:
            return str(error)
        said = message.data or message
        if said.e == "serverShutdown":
            batch.goodbye = Goodbye(code=0, reason="serverShutdown", then="retry")
        elif said.lastUpdateId >= 0:
            symbol = message.stream.partition("@")[0].upper()
            if symbol and not SYMBOL.fullmatch(symbol):
                return f"a book of the stream {message.stream!r}, which names no symbol"
            book = wire.snapshot(said, self._numbers[symbol] if symbol else None, at)
            if book is None:
                return "a book without bids or asks"
            (whole_books if symbol else batch.book_updates).append(book)
        elif message.error is not None or message.code is not None:
            refusal = message.error or wire.Refusal(code=message.code or 0, msg=message.msg)
            detail: dict[str, object] = {"code": refusal.code, "msg": refusal.msg}
            batch.events.append(Event(at=at, kind="feed_error", detail=detail))
        elif message.id is msgspec.UNSET and message.result is msgspec.UNSET:
            return f"event {said.e!r} is not one this feed reads" if said.e else "not a message of Binance's"
        return ""


def _pack(books: list[BookUpdate]) -> Depth:
    def side(levels: list[Sequence[tuple[float, float]]]) -> Side:
        ends = np.cumsum([len(some) for some in levels], dtype=np.int64)
        flat = np.array([level for some in levels for level in some], np.float64).reshape(-1, 2)
        return Side(ends, flat[:, 0].copy(), flat[:, 1].copy())

    return Depth.of(
        np.array([book.instrument for book in books], np.int32),
        np.array([book.timestamp for book in books], np.int64),
        np.array([book.received_at for book in books], np.int64),
        side([book.bids for book in books]),
        side([book.asks for book in books]),
    )
