"""Kraken's spot feed, as the streamer sees it: address, requests, limits.

Source: the WebSocket v2 pages of docs.kraken.com (2026-07).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from ltpkit.batch import Batch, Received
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.common.answers import PublicStream, StreamedBooks
from ltpkit.feeds.kraken.decoder import DEPTHS, EXCHANGE, PAIR, Decoder
from ltpkit.instrument import Instrument, Instruments, split_symbol

__all__ = ["Kraken"]

_URL: Final = "wss://ws.kraken.com"
_PATH: Final = "/v2"
# What older interfaces of Kraken call these; version 2 has the common names.
_COMMON: Final = {"XBT": "BTC", "XDG": "DOGE"}
# No number is published; a hundred pairs are 1 kB.
_PAIRS_PER_MESSAGE: Final = 100


class Kraken(PublicStream, StreamedBooks):
    """Kraken's spot feed: every trade, tickers, and the book, checked after each change.

    Parameters
    ----------
    instruments : Instruments
        The stream's own table. Pairs met on the wire are added to it.
    kind : {"spot"}
        There is one.
    url : str, optional
        Base address to use instead of Kraken's own, as for a proxy or a test server; ``/v2`` is appended
        unless it ends so.
    depth : bool
        Also ask for the book. Without it only trades and tickers are subscribed.
    levels : {10, 25, 100, 500, 1000}
        How deep the book is on each side.

    Notes
    -----
    A trade is a tick with `ltp` and `ltq`. A ticker, sent after trades, is a tick with `ltp`, the best
    quote, and high and low of the last 24 hours. It tells of a trade that comes as one too, so it has no
    `ltq`; its running total falls as hours leave it, so it is not `volume`: that is the sum of `ltq`.

    Trade ids rise by one per pair. One already seen is a row that counts nowhere (flag and event
    ``duplicate``), a jump is an event ``gap``. After a reconnect the newest fifty trades are asked for as
    well, those that were missed among them.

    Every message of the book carries a checksum of its ten best levels, a whole book's too. Where it
    differs, the book is subscribed anew.
    """

    name = "kraken"

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "spot",
        url: str | None = None,
        depth: bool = True,
        levels: int = 25,
    ) -> None:
        if kind != "spot":
            raise SettingError(f"kind={kind!r} is not one of Kraken's: 'spot'.")
        if levels not in DEPTHS:
            raise SettingError(f"levels={levels!r} is not one of Kraken's: {', '.join(map(str, DEPTHS))}.")
        self.kind: str = kind
        base = (url or _URL).rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise SettingError("url must be a base address like wss://host:port.")
        self._url = base if base.endswith(_PATH) else base + _PATH
        self._depth, self._levels = depth, levels
        self.limits = Limits(
            per_message=_PAIRS_PER_MESSAGE,
            connections=1,
            # The limit moves with the load and is not published.
            messages_per_second=5.0,
            # Quiet pairs may rest for minutes, but Kraken sends a heartbeat in each quiet second.
            silence_s=30.0,
            life="messages",
        )
        self._decoder = Decoder(instruments)
        self._requests = itertools.count(1)

    def __repr__(self) -> str:
        return f"<Kraken spot: {len(self._decoder)} pairs>"

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means here: ``BTC/USD``, ``btc/usd``, ``XBT/USD`` or ``KRAKEN:BTC/USD``.

        Small letters count where they are mixed with capitals, as in ``AAPLx/USD``.

        Raises
        ------
        UnknownInstrument
            It names another exchange, or cannot be a pair. Whether Kraken lists it is only known to
            Kraken, and shows as an event ``feed_error``.
        """
        exchange, name = split_symbol(symbol, exchange=EXCHANGE)
        if name.islower():
            name = name.upper()
        if exchange == EXCHANGE and PAIR.fullmatch(name):
            return self._decoder.instrument("/".join(_COMMON.get(one, one) for one in name.split("/")))
        likely = re.sub(r"[\s_-]+", "/", name.upper())
        raise UnknownInstrument(
            symbol,
            "Kraken",
            [f"{EXCHANGE}:{likely}"] if PAIR.fullmatch(likely) else [],
            try_=f"Pairs are written with a slash, as {EXCHANGE}:BTC/USD.",
        )

    def address(self) -> str:
        """Return the feed's address."""
        return self._url

    def login(self) -> Sequence[Message]:
        """Return nothing: market data needs no account."""
        return []

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that ask for these instruments, within `limits.per_message`."""
        messages: list[Message] = []
        for known in (False, True):
            some = [one for one in instruments if self._decoder.traded(one.symbol) == known]
            messages += self._request("subscribe", some, channel="trade", snapshot=known)
        messages += self._request("subscribe", instruments, channel="ticker", event_trigger="trades")
        return messages + self._books("subscribe", instruments)

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that end these instruments.

        What trades before they are subscribed again was not asked for, and is no gap.
        """
        messages = self._request("unsubscribe", instruments, channel="trade")
        messages += self._request("unsubscribe", instruments, channel="ticker", event_trigger="trades")
        messages += self._books("unsubscribe", instruments)
        for instrument in instruments:
            self._decoder.forget(instrument.symbol)
        return messages

    def resubscribe_books(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that bring whole books of these instruments anew."""
        return [*self._books("unsubscribe", instruments), *self._books("subscribe", instruments)]

    def _books(self, method: str, instruments: Sequence[Instrument]) -> list[Message]:
        if not self._depth:
            return []
        for instrument in instruments:
            self._decoder.expect_depth(instrument.symbol, self._levels)
        return self._request(method, instruments, channel="book", depth=self._levels)

    def _request(self, method: str, instruments: Sequence[Instrument], **asked: object) -> list[Message]:
        messages: list[Message] = []
        for start in range(0, len(instruments), _PAIRS_PER_MESSAGE):
            pairs = [one.symbol for one in instruments[start : start + _PAIRS_PER_MESSAGE]]
            request = {
                "method": method,
                "params": {**asked, "symbol": pairs},
                "req_id": next(self._requests),
            }
            messages.append(msgspec.json.encode(request).decode())
        return messages

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order.

        Parameters
        ----------
        frames : sequence of bytes
            Messages of channels, or answers; mixed as they came.
        received_at : int or ndarray of int64
            µs UTC, one for all or one per frame.

        Returns
        -------
        Batch
            `ticks`, `book_updates` with their checksums, `events`, `rejects`. Heartbeats, pongs and
            answers that grant something are quiet; the exchange's state is an event ``feed``.
        """
        return self._decoder.decode(frames, received_at)
