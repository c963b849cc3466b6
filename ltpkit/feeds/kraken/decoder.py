"""The decoder of Kraken's channels: trade, ticker and book.

Nothing numbers the changes of a book: its checksum after each message is the only sign of a loss.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ltpkit.batch import Batch, BookCheck, BookUpdate, Event, Received
from ltpkit.feeds.common.joined import Joined, lines
from ltpkit.feeds.common.trade_ids import TradeIds
from ltpkit.feeds.kraken import wire
from ltpkit.feeds.kraken.digits import Digits
from ltpkit.feeds.kraken.form import form
from ltpkit.instrument import Instrument, Instruments
from ltpkit.schema import us_of

__all__ = ["DEPTHS", "EXCHANGE", "PAIR", "Decoder"]

EXCHANGE: Final = "KRAKEN"
PAIR: Final = re.compile(r"(?=.{3,40}\Z)[A-Za-z0-9.]+/[A-Za-z0-9.]+")
#: Levels a side that a book can be subscribed with.
DEPTHS: Final = (10, 25, 100, 500, 1000)

_TICKER: Final = lines("ltp", "high_price", "low_price", "bid", "bid_qty", "ask", "ask_qty")

_Joined = Joined[wire.Message]


class Decoder:
    """The decoder of one stream."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._numbers: dict[str, int] = {}
        self._digits: dict[str, Digits] = {}
        self._depths: dict[str, int] = {}
        self._ids = TradeIds(instruments)
        self._form = form()

    def __len__(self) -> int:
        """Return how many pairs were met."""
        return len(self._numbers)

    def instrument(self, symbol: str) -> Instrument:
        """Return a pair as an instrument."""
        return Instrument(exchange=EXCHANGE, symbol=symbol, segment="spot", broker_id=symbol)

    def number(self, symbol: str) -> int:
        """Return a pair's number; a new pair is added on sight."""
        found = self._numbers.get(symbol)
        if found is None:
            if not PAIR.fullmatch(symbol):
                raise ValueError(f"{symbol[:40]!r} cannot be a pair")
            found = self._instruments.meet(self.instrument(symbol))
            if found is None:
                return self._instruments.rest()
            self._numbers[symbol] = found
            self._form.learn(symbol, found)
        return found

    def traded(self, symbol: str) -> bool:
        """Return whether trades of this pair were seen, and not forgotten since."""
        return self._ids.seen(self.number(symbol))

    def expect_depth(self, symbol: str, levels: int) -> None:
        """Take books of this pair to have so many levels a side."""
        self._depths[symbol] = levels

    def forget(self, symbol: str) -> None:
        """Begin anew with a pair that is unsubscribed."""
        self._ids.forget(self.number(symbol))
        self._depths.pop(symbol, None)

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order."""
        joined = Joined(frames, received_at, self._form, wire.read_many, wire.read)
        for place, at, message in joined:
            try:
                if isinstance(message, wire.BookMessage):
                    self._books(message, at, joined.batch)
                elif isinstance(message, wire.TradeMessage):
                    self._trades(message, place, joined)
                elif isinstance(message, wire.TickerMessage):
                    self._tickers(message, place, at, joined)
                elif isinstance(message, wire.StatusMessage):
                    self._status(message, at, joined.batch)
                elif isinstance(message, wire.Answer):
                    self._answer(message, at, joined.batch)
            except ValueError as error:
                joined.reject(place, str(error))
        return joined.finished(self._ids)

    def _trades(self, message: wire.TradeMessage, place: int, joined: _Joined) -> None:
        numbers = [self.number(one.symbol) for one in message.data]
        for number, one in zip(numbers, message.data, strict=True):
            joined.tell_trade(place, number, us_of(one.timestamp), one.trade_id, one.price, one.qty)

    def _tickers(self, message: wire.TickerMessage, place: int, at: int, joined: _Joined) -> None:
        numbers = [self.number(one.symbol) for one in message.data]
        for number, one in zip(numbers, message.data, strict=True):
            time = at if one.timestamp is None else us_of(one.timestamp)
            values = (one.last, one.high, one.low, one.bid, one.bid_qty, one.ask, one.ask_qty)
            joined.tell_ticker(place, number, time, _TICKER, values)

    def _books(self, message: wire.BookMessage, at: int, batch: Batch) -> None:
        whole = message.type == "snapshot"
        batch.book_updates += [self._book(book, at, whole=whole) for book in message.data]

    def _book(self, book: wire.Book, at: int, *, whole: bool) -> BookUpdate:
        symbol, number = book.symbol, self.number(book.symbol)
        digits = self._digits.get(symbol)
        if whole or digits is None:
            digits = self._digits[symbol] = Digits()
        (bids, bid_marks), (asks, ask_marks) = digits.read(book.bids, book.asks)
        levels = self._depths.get(symbol, 0)
        if levels < (longest := max(len(bids), len(asks), 1)) and (whole or not levels):
            # A stream that began before we looked: a whole book is as deep as was asked for, or all there is.
            levels = next((depth for depth in DEPTHS if depth >= longest), longest)
            if whole:
                self._depths[symbol] = levels
        return BookUpdate(
            instrument=number,
            timestamp=at if book.timestamp is None else us_of(book.timestamp),
            received_at=at,
            bids=bids,
            asks=asks,
            snapshot=whole,
            check=BookCheck(
                checksum=book.checksum,
                levels=levels,
                bid_marks=bid_marks,
                ask_marks=ask_marks,
            ),
        )

    def _status(self, message: wire.StatusMessage, at: int, batch: Batch) -> None:
        for one in message.data:
            detail: dict[str, object] = {"system": one.system, "version": one.version}
            batch.events.append(Event(at=at, kind="feed", detail=detail))

    def _answer(self, answer: wire.Answer, at: int, batch: Batch) -> None:
        result = answer.result
        if answer.error is not None:
            symbol = f"{EXCHANGE}:{answer.symbol}" if answer.symbol else None
            detail: dict[str, object] = {"msg": answer.error, "method": answer.method}
            batch.events.append(Event(at=at, kind="feed_error", symbol=symbol, detail=detail))
        elif answer.method == "subscribe" and result is not None and result.depth in DEPTHS:
            self.expect_depth(result.symbol, result.depth)
