"""Coinbase's two public market feeds, as the streamer sees them: addresses, requests, limits.

Sources: the WebSocket pages of docs.cdp.coinbase.com (2026-07).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from ltpkit.batch import Batch, Received
from ltpkit.errors import SettingError
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.coinbase import forms
from ltpkit.feeds.coinbase.advanced import Advanced
from ltpkit.feeds.coinbase.exchange import Exchange
from ltpkit.feeds.coinbase.products import Products
from ltpkit.feeds.common.answers import PublicStream, StreamedBooks
from ltpkit.instrument import Instrument, Instruments

__all__ = ["Coinbase"]

_URL: Final = {
    "exchange": "wss://ws-feed.exchange.coinbase.com",
    "advanced": "wss://advanced-trade-ws.coinbase.com",
}
# No number is published; a hundred products are 1 kB.
_PRODUCTS_PER_MESSAGE: Final = 100
# Subscribe messages a second that Exchange takes; messages a second that Advanced takes without a login, less
# one.
_MESSAGES_PER_SECOND: Final = {"exchange": 10.0, "advanced": 7.0}


class Coinbase(PublicStream, StreamedBooks):
    """Coinbase's public feeds: every trade, tickers, and the book.

    Parameters
    ----------
    instruments : Instruments
        The stream's own table. Products met on the wire are added to it.
    kind : {"exchange", "advanced"}
        The Exchange feed, or the Advanced Trade feed.
    url : str, optional
        Address to use instead of Coinbase's own, as for a proxy or a test server.
    depth : bool
        Also ask for the book. Without it only trades and tickers are subscribed.
    level2 : {"level2_batch", "level2"}
        Which channel of the Exchange feed gives the book: changes of 50 ms together, or each, for which
        Coinbase has at times asked for an account.

    Notes
    -----
    A trade is a tick with `ltp` and `ltq`. A ticker is a tick with `ltp`, the best quote, and open (Exchange
    only), high and low of the last 24 hours. It tells of a trade that comes as one too, so it has no
    `ltq`; its running total falls as hours leave it, so it is not `volume`: that is the sum of `ltq`.

    Trade ids rise by one per product. One already seen is a row that counts nowhere (flag and event
    ``duplicate``), a jump is an event ``gap``. ``last_match``, the latest trade before an Exchange
    subscription, is an event of that name and no row: after a reconnect it tells what was missed, itself
    included where it is new. Advanced begins with several trades from before the subscription: they are
    rows, so a reconnect brings back what they cover.

    Neither feed asks for a login here. Advanced answers the subscription of a ``-USDC`` product under
    the name of its ``-USD`` sibling; the rows bear the name that was subscribed, unless both were.
    """

    name = "coinbase"

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: Literal["exchange", "advanced"] = "exchange",
        url: str | None = None,
        depth: bool = True,
        level2: Literal["level2_batch", "level2"] = "level2_batch",
    ) -> None:
        if kind not in _URL:
            raise SettingError(f"kind={kind!r} is not one of Coinbase's: 'exchange' or 'advanced'.")
        if level2 not in ("level2_batch", "level2"):
            raise SettingError(f"level2={level2!r} is no channel: 'level2_batch' or 'level2'.")
        self.kind: str = kind
        self._url = url or _URL[kind]
        parts = urlsplit(self._url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise SettingError("url must be an address like wss://host:port.")
        self.limits = Limits(
            per_message=_PRODUCTS_PER_MESSAGE,
            connections=1,  # Advanced numbers the messages of a connection
            messages_per_second=_MESSAGES_PER_SECOND[kind],
            # Advanced is asked for a heartbeat a second. On Exchange quiet products may rest for minutes;
            # pings find a dead line sooner.
            silence_s=30.0 if kind == "advanced" else 300.0,
            life="messages" if kind == "advanced" else "rows",
        )
        form = forms.exchange() if kind == "exchange" else forms.advanced()
        self._products = Products(instruments, kind, form)
        self._decoder: Exchange | Advanced
        if kind == "exchange":
            self._channels, self._book_channel = ["ticker", "matches"], str(level2)
            self._decoder = Exchange(instruments, self._products)
        else:
            self._channels, self._book_channel = ["market_trades", "ticker"], "level2"
            self._decoder = Advanced(instruments, self._products)
        if depth:
            self._channels.append(self._book_channel)
        self._subscribed: set[str] = set()

    def __repr__(self) -> str:
        return f"<Coinbase {self.kind}: {len(self._products)} products>"

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means here: ``BTC-USD``, ``btc-usd`` or ``COINBASE:BTC-USD``.

        Raises
        ------
        UnknownInstrument
            It names another exchange, or cannot be a product. Whether Coinbase lists it is only
            known to Coinbase, and shows as an event ``feed_error``.
        """
        return self._products.resolve(symbol)

    def address(self) -> str:
        """Return the feed's address."""
        return self._url

    def login(self) -> Sequence[Message]:
        """Return Advanced's subscription of heartbeats, which keeps quiet channels open; else nothing."""
        if self.kind == "exchange":
            return []
        return [msgspec.json.encode({"type": "subscribe", "channel": "heartbeats"}).decode()]

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that ask for these instruments, within `limits.per_message`."""
        self._subscribed.update(instrument.symbol for instrument in instruments)
        self._name_siblings()
        return self._request("subscribe", self._channels, instruments)

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that end these instruments.

        What trades before they are subscribed again was not asked for, and is no gap.
        """
        for instrument in instruments:
            self._decoder.forget(self._products.number(instrument))
            self._subscribed.discard(instrument.symbol)
        self._name_siblings()
        return self._request("unsubscribe", self._channels, instruments)

    def resubscribe_books(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that bring whole books of these instruments anew."""
        channel = [self._book_channel]
        return [
            *self._request("unsubscribe", channel, instruments),
            *self._request("subscribe", channel, instruments),
        ]

    def _request(
        self, type_: str, channels: Sequence[str], instruments: Sequence[Instrument]
    ) -> list[Message]:
        messages: list[Message] = []
        for start in range(0, len(instruments), _PRODUCTS_PER_MESSAGE):
            products = [one.symbol for one in instruments[start : start + _PRODUCTS_PER_MESSAGE]]
            request: dict[str, object] = {"type": type_, "product_ids": products}
            if self.kind == "exchange":
                requests = [{**request, "channels": channels}]
            else:
                requests = [{**request, "channel": channel} for channel in channels]
            messages += [msgspec.json.encode(one).decode() for one in requests]
        return messages

    def _name_siblings(self) -> None:
        if self.kind != "advanced":
            return
        for product in self._subscribed:
            sibling = product.removesuffix("C")
            if product.endswith("-USDC"):
                own = product if sibling not in self._subscribed else sibling
                self._products[sibling] = self._products.number(self._products.instrument(own))

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order.

        Parameters
        ----------
        frames : sequence of bytes
            Messages of this kind of feed.
        received_at : int or ndarray of int64
            µs UTC, one for all or one per frame.

        Returns
        -------
        Batch
            `ticks`, `book_updates`, `events`, `rejects`. Subscriptions and heartbeats are quiet.
        """
        return self._decoder.decode(frames, received_at)
