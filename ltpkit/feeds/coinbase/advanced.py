"""The Advanced Trade feed: market_trades, ticker, level2 and heartbeats.

`sequence_num` counts the messages of the connection, over all channels and products. After a jump
nobody knows which product's message is missing, so every book waits for a snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Final

from ltpkit.batch import Batch, BookUpdate, Event, Received, Reject
from ltpkit.feeds.coinbase import wire
from ltpkit.feeds.coinbase.exchange import TRADE, missed
from ltpkit.feeds.coinbase.products import Products
from ltpkit.feeds.joined import Joined, lines, microseconds
from ltpkit.feeds.trade_ids import TradeIds
from ltpkit.instruments import Instruments

__all__ = ["Advanced"]

_TICKER: Final = lines("ltp", "high_price", "low_price", "bid", "bid_qty", "ask", "ask_qty")

_Joined = Joined[wire.AdvancedMessage]


class Advanced:
    """The decoder of one stream over one connection."""

    def __init__(self, instruments: Instruments, products: Products) -> None:
        self._names, self._products = instruments, products
        self._ids = TradeIds(instruments)
        self._booked: set[int] = set()
        self._sequence: tuple[int, int] | None = None  # of the newest message, and when it was received

    def forget(self, instrument: int) -> None:
        """Begin anew with an instrument that is unsubscribed."""
        self._ids.forget(instrument)
        self._booked.discard(instrument)

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order."""
        joined = Joined(frames, received_at, wire.read_many_advanced, wire.read_advanced)
        for place, at, message in joined.messages:
            if isinstance(message, Reject):
                number = wire.number_of_unknown(message.frame)
                if number is not None:
                    self._follow(number, at, joined.batch)
                continue
            if isinstance(message, wire.Error):
                detail: dict[str, object] = {"msg": message.message, "reason": message.reason}
                joined.batch.events.append(Event(at=at, kind="feed_error", detail=detail))
                continue
            before = self._sequence
            self._follow(message.sequence_num, at, joined.batch)
            try:
                match message:
                    case wire.L2Data():
                        self._books(message, at, joined.batch)
                    case wire.MarketTrades():
                        self._trades(message, at, joined)
                    case wire.Tickers():
                        self._tickers(message, at, joined)
            except ValueError as error:
                joined.reject(place, str(error))
                self._sequence = before  # it counts as missing, as an unreadable one does
        joined.batch.events += self._ids.events()
        return joined.finished()

    def _follow(self, number: int, at: int, batch: Batch) -> None:
        """Compare a message's number with the one before; a lower one is a new connection's."""
        if self._sequence is not None and number > self._sequence[0] + 1:
            before, since = self._sequence
            detail: dict[str, object] = {
                "why": "sequence numbers",
                "start": since,
                "end": at,
                "from_id": before + 1,
                "to_id": number - 1,
                "missing": number - before - 1,
            }
            batch.events.append(Event(at=at, kind="gap", detail=detail))
            batch.book_updates += missed(self._booked, at, "sequence numbers")
        self._sequence = (number, at)

    def _trades(self, message: wire.MarketTrades, at: int, joined: _Joined) -> None:
        found = [
            (microseconds(trade.time), trade.trade_id, self._products[trade.product_id], trade)
            for event in message.events
            for trade in event.trades
        ]
        # They come newest first; one order that fills several others gives trades of one time.
        found.sort(key=lambda one: one[:2])
        for moment, trade_id, number, trade in found:
            if self._ids.is_new(number, trade_id, moment, at):
                joined.rows.add(TRADE, number, moment, at, (trade.price, trade.size))

    def _tickers(self, message: wire.Tickers, at: int, joined: _Joined) -> None:
        moment = microseconds(message.timestamp)
        tickers = [ticker for event in message.events for ticker in event.tickers]
        numbers = [self._products[ticker.product_id] for ticker in tickers]
        for number, ticker in zip(numbers, tickers, strict=True):
            bid, ask = ticker.best_bid, ticker.best_ask
            values = (
                ticker.price or nan,
                ticker.high_24_h or nan,
                ticker.low_24_h or nan,
                bid or nan,
                ticker.best_bid_quantity if bid else nan,
                ask or nan,
                ticker.best_ask_quantity if ask else nan,
            )
            joined.rows.add(_TICKER, number, moment, at, values)

    def _books(self, message: wire.L2Data, at: int, batch: Batch) -> None:
        sent = microseconds(message.timestamp)
        updates = []
        for event in message.events:
            whole = event.type == "snapshot"
            updates.append(
                BookUpdate(
                    instrument=self._products[event.product_id],
                    # The levels of a snapshot are stamped 1970.
                    timestamp=sent if whole else self._newest(event, sent),
                    received_at=at,
                    bids=[(one.price_level, one.new_quantity) for one in event.updates if one.side == "bid"],
                    asks=[(one.price_level, one.new_quantity) for one in event.updates if one.side != "bid"],
                    snapshot=whole,
                )
            )
        batch.book_updates += updates
        self._booked.update(update.instrument for update in updates if update.instrument is not None)

    def _newest(self, event: wire.BookEvent, sent: int) -> int:
        newest = max((level.event_time for level in event.updates), default="")
        moment = microseconds(newest) if newest else 0
        return moment if moment > 0 else sent
