"""The Advanced Trade feed: market_trades, ticker, level2 and heartbeats.

`sequence_num` counts the messages of the connection, over all channels and products. After a jump
nobody knows which product's message is missing, so every book waits for a snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from ltpkit.batch import Batch, BookUpdate, Event, Received, Reject
from ltpkit.feeds.coinbase import wire
from ltpkit.feeds.coinbase.exchange import missed
from ltpkit.feeds.coinbase.products import Products
from ltpkit.feeds.common.joined import Joined, lines
from ltpkit.feeds.common.trade_ids import TradeIds
from ltpkit.instrument import Instruments
from ltpkit.schema import us_of

__all__ = ["Advanced"]

_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
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
        form = self._products.form
        joined = Joined(frames, received_at, form, wire.read_many_advanced, wire.read_advanced)
        for place, at, message in joined.in_turn():
            before = self._sequence
            if isinstance(message, int):  # of a message that was read at once
                if before is None or message != before[0] + 1:
                    self._follow(message, at, joined.batch)
                self._sequence = (message, at)
                continue
            if isinstance(message, (Reject, wire.Error)):
                self._refused(message, at, joined.batch)
                continue
            if before is None or message.sequence_num != before[0] + 1:
                self._follow(message.sequence_num, at, joined.batch)
            self._sequence = (message.sequence_num, at)
            try:
                if isinstance(message, wire.L2Data):
                    self._books(message, at, joined.batch)
                elif isinstance(message, wire.MarketTrades):
                    self._trades(message, place, joined)
                elif isinstance(message, wire.Tickers):
                    self._tickers(message, place, joined)
            except ValueError as error:
                joined.reject(place, str(error))
                self._sequence = before  # it counts as missing, as an unreadable one does
        # Within a message they come newest first; an order that fills several gives trades of one time.
        return joined.finished(self._ids)

    def _refused(self, message: Reject | wire.Error, at: int, batch: Batch) -> None:
        """Tell of an error; count a message of a channel that is none of ours."""
        if isinstance(message, wire.Error):
            detail: dict[str, object] = {"msg": message.message, "reason": message.reason}
            batch.events.append(Event(at=at, kind="feed_error", detail=detail))
            return
        number = wire.number_of_unknown(message.frame)
        if number is not None:
            self._follow(number, at, batch)
            self._sequence = (number, at)

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

    def _trades(self, message: wire.MarketTrades, place: int, joined: _Joined) -> None:
        trades = [one for event in message.events for one in event.trades]
        numbers = [self._products[one.product_id] for one in trades]
        for number, one in zip(numbers, trades, strict=True):
            joined.tell_trade(place, number, us_of(one.time), one.trade_id, one.price, one.size)

    def _tickers(self, message: wire.Tickers, place: int, joined: _Joined) -> None:
        time = _microseconds(message.timestamp)
        tickers = [one for event in message.events for one in event.tickers]
        numbers = [self._products[one.product_id] for one in tickers]
        for number, one in zip(numbers, tickers, strict=True):
            values = (
                one.price,
                one.high_24_h,
                one.low_24_h,
                one.best_bid,
                one.best_bid_quantity,
                one.best_ask,
                one.best_ask_quantity,
            )
            joined.tell_ticker(place, number, time, _TICKER, values)

    def _books(self, message: wire.L2Data, at: int, batch: Batch) -> None:
        updates = []
        for event in message.events:
            number = self._products[event.product_id]
            bids: list[tuple[float, float]] = []
            asks: list[tuple[float, float]] = []
            newest = _NO_TIME
            for level in event.updates:
                (bids if level.side == "bid" else asks).append((level.price_level, level.new_quantity))
                if level.event_time > newest:
                    newest = level.event_time
            # The levels of a whole book are stamped 1970.
            time = us_of(newest) if newest > _NO_TIME else _microseconds(message.timestamp)
            updates.append(
                BookUpdate(
                    instrument=number,
                    timestamp=time,
                    received_at=at,
                    bids=bids,
                    asks=asks,
                    snapshot=event.type == "snapshot",
                )
            )
            if event.type == "snapshot":
                self._booked.add(number)
        batch.book_updates += updates


def _microseconds(text: str) -> int:
    """Return a message's time in µs since 1970; what is finer is cut off."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"the time {text[:40]!r} names no offset from UTC")
    return us_of(moment)
