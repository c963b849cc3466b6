"""The Exchange feed: ticker, matches, level2 and level2_batch.

`sequence` counts what happens to a product in all channels, those we did not ask for included, so its
jumps mean nothing here. Trade ids rise by one per product: they tell of lost trades and repeats.
Nothing numbers the changes of a book, so one that could not be read puts the book in doubt at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import nan
from typing import Final

from ltpkit.batch import Batch, BookUpdate, Event, Received, Reject
from ltpkit.feeds.coinbase import wire
from ltpkit.feeds.coinbase.products import Products
from ltpkit.feeds.joined import Joined, Shape, lines, microseconds
from ltpkit.feeds.trade_ids import TradeIds
from ltpkit.instruments import Instruments

__all__ = ["TRADE", "Exchange", "missed"]

TRADE: Final[Shape] = lines("ltp", "ltq")
_TICKER: Final = lines("ltp", "open_price", "high_price", "low_price", "bid", "bid_qty", "ask", "ask_qty")

_Joined = Joined[wire.ExchangeMessage]


class Exchange:
    """The decoder of one stream."""

    def __init__(self, instruments: Instruments, products: Products) -> None:
        self._names, self._products = instruments, products
        self._ids = TradeIds(instruments)
        self._booked: set[int] = set()

    def forget(self, instrument: int) -> None:
        """Begin anew with an instrument that is unsubscribed."""
        self._ids.forget(instrument)
        self._booked.discard(instrument)

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order."""
        joined = Joined(frames, received_at, wire.read_many_exchange, wire.read_exchange)
        for place, at, message in joined.messages:
            try:
                match message:
                    case wire.L2Update():
                        self._changes(message, at, joined.batch)
                    case wire.Match():
                        self._trade(message, at, joined)
                    case wire.Ticker():
                        self._ticker(message, at, joined)
                    case wire.Snapshot():
                        self._whole_book(message, at, joined.batch)
                    case wire.LastMatch():
                        self._last_trade(message, at, joined.batch)
                    case wire.Error():
                        detail: dict[str, object] = {"msg": message.message, "reason": message.reason}
                        joined.batch.events.append(Event(at=at, kind="feed_error", detail=detail))
                    case Reject():
                        self._unreadable(frames[place], at, joined.batch)
            except ValueError as error:
                joined.reject(place, str(error))
                self._unreadable(frames[place], at, joined.batch)
        joined.batch.events += self._ids.events()
        return joined.finished()

    def _trade(self, trade: wire.Match, at: int, joined: _Joined) -> None:
        number, moment = self._products[trade.product_id], microseconds(trade.time)
        if self._ids.is_new(number, trade.trade_id, moment, at):
            joined.rows.add(TRADE, number, moment, at, (trade.price, trade.size))

    def _last_trade(self, trade: wire.LastMatch, at: int, batch: Batch) -> None:
        """Tell of a trade from before the subscription; it is none of the stream's."""
        number, moment = self._products[trade.product_id], microseconds(trade.time)
        self._ids.told_of(number, trade.trade_id, moment, at)
        detail: dict[str, object] = {
            "id": trade.trade_id,
            "price": trade.price,
            "qty": trade.size,
            "time": moment,
        }
        symbol = self._names[number].name
        batch.events.append(Event(at=at, kind="last_match", symbol=symbol, detail=detail))

    def _ticker(self, ticker: wire.Ticker, at: int, joined: _Joined) -> None:
        number = self._products[ticker.product_id]
        moment = microseconds(ticker.time) if ticker.time else at
        bid, ask = ticker.best_bid, ticker.best_ask
        values = (
            ticker.price or nan,
            ticker.open_24h or nan,
            ticker.high_24h or nan,
            ticker.low_24h or nan,
            bid or nan,
            ticker.best_bid_size if bid else nan,
            ask or nan,
            ticker.best_ask_size if ask else nan,
        )
        joined.rows.add(_TICKER, number, moment, at, values)

    def _unreadable(self, frame: bytes, at: int, batch: Batch) -> None:
        product = wire.changed_book(frame)
        if product is not None:
            about = self._products.get(product)
            doubtful = {about} & self._booked if about is not None else self._booked
            batch.book_updates += missed(doubtful, at, "a message that could not be read")

    def _whole_book(self, book: wire.Snapshot, at: int, batch: Batch) -> None:
        number = self._products[book.product_id]
        batch.book_updates.append(
            BookUpdate(
                instrument=number,
                timestamp=microseconds(book.time) if book.time else at,
                received_at=at,
                bids=book.bids,
                asks=book.asks,
                snapshot=True,
            )
        )
        self._booked.add(number)

    def _changes(self, update: wire.L2Update, at: int, batch: Batch) -> None:
        batch.book_updates.append(
            BookUpdate(
                instrument=self._products[update.product_id],
                timestamp=microseconds(update.time) if update.time else at,
                received_at=at,
                bids=[(price, qty) for side, price, qty in update.changes if side == "buy"],
                asks=[(price, qty) for side, price, qty in update.changes if side == "sell"],
            )
        )


def missed(instruments: Iterable[int], at: int, why: str) -> list[BookUpdate]:
    """Return what tells the books of these instruments that they missed something."""
    return [
        BookUpdate(instrument=one, timestamp=at, received_at=at, bids=[], asks=[], missed=why)
        for one in sorted(instruments)
    ]
