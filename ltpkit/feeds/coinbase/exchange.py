"""The Exchange feed: ticker, matches, level2 and level2_batch.

`sequence` counts what happens to a product in all channels, those we did not ask for included, so its
jumps mean nothing here. Trade ids rise by one per product: they tell of lost trades and repeats.
Nothing numbers the changes of a book, so one that could not be read puts the book in doubt at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ltpkit.batch import Batch, BookUpdate, Event, Received, Reject
from ltpkit.feeds.coinbase import wire
from ltpkit.feeds.coinbase.products import Products
from ltpkit.feeds.common.joined import Joined, lines
from ltpkit.feeds.common.plain import Series
from ltpkit.feeds.common.trade_ids import TradeIds
from ltpkit.instrument import Instruments
from ltpkit.schema import us_of

__all__ = ["Exchange", "missed"]

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
        form = self._products.form
        joined = Joined(frames, received_at, form, wire.read_many_exchange, wire.read_exchange)
        for place, at, message in joined:
            try:
                if isinstance(message, wire.L2Update):
                    self._changes(message, at, joined.batch)
                elif isinstance(message, wire.Match):
                    number, time = self._products[message.product_id], us_of(message.time)
                    joined.tell_trade(place, number, time, message.trade_id, message.price, message.size)
                elif isinstance(message, wire.Ticker):
                    self._ticker(message, place, at, joined)
                else:
                    self._rare(message, place, at, joined)
            except ValueError as error:
                joined.reject(place, str(error))
                self._unreadable(frames[place], at, joined.batch)
        return joined.finished(self._ids)

    def _rare(self, message: wire.ExchangeMessage | Reject, place: int, at: int, joined: _Joined) -> None:
        match message:
            case wire.Snapshot():
                self._whole_book(message, at, joined.batch)
            case wire.LastMatch():
                self._last_trade(message, place, at, joined)
            case wire.Error():
                detail: dict[str, object] = {"msg": message.message, "reason": message.reason}
                joined.batch.events.append(Event(at=at, kind="feed_error", detail=detail))
            case Reject():
                self._unreadable(message.frame, at, joined.batch)

    def _last_trade(self, trade: wire.LastMatch, place: int, at: int, joined: _Joined) -> None:
        """Tell of a trade from before the subscription; it is none of the stream's."""
        number = self._products[trade.product_id]
        joined.tell_id(place, number, us_of(trade.time), trade.trade_id, Series.BEFORE)
        detail: dict[str, object] = {
            "id": trade.trade_id,
            "price": trade.price,
            "qty": trade.size,
            "time": us_of(trade.time),
        }
        symbol = self._names[number].name
        joined.batch.events.append(Event(at=at, kind="last_match", symbol=symbol, detail=detail))

    def _ticker(self, ticker: wire.Ticker, place: int, at: int, joined: _Joined) -> None:
        values = (
            ticker.price,
            ticker.open_24h,
            ticker.high_24h,
            ticker.low_24h,
            ticker.best_bid,
            ticker.best_bid_size,
            ticker.best_ask,
            ticker.best_ask_size,
        )
        time = us_of(ticker.time) if ticker.time is not None else at
        joined.tell_ticker(place, self._products[ticker.product_id], time, _TICKER, values)

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
                timestamp=us_of(book.time) if book.time is not None else at,
                received_at=at,
                bids=book.bids,
                asks=book.asks,
                snapshot=True,
            )
        )
        self._booked.add(number)

    def _changes(self, update: wire.L2Update, at: int, batch: Batch) -> None:
        bids: list[tuple[float, float]] = []
        asks: list[tuple[float, float]] = []
        for side, price, qty in update.changes:
            (bids if side == "buy" else asks).append((price, qty))
        batch.book_updates.append(
            BookUpdate(
                instrument=self._products[update.product_id],
                timestamp=us_of(update.time) if update.time is not None else at,
                received_at=at,
                bids=bids,
                asks=asks,
            )
        )


def missed(instruments: Iterable[int], at: int, why: str) -> list[BookUpdate]:
    """Return what tells the books of these instruments that they missed something."""
    return [
        BookUpdate(instrument=one, timestamp=at, received_at=at, bids=[], asks=[], missed=why)
        for one in sorted(instruments)
    ]
