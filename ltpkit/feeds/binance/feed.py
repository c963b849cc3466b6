"""Binance's public market streams, spot and USD-M futures, as the streamer sees them: addresses, requests.

Sources: binance/binance-spot-api-docs (2026-07) and the USD-M pages of developers.binance.com.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final, Literal
from urllib.parse import quote, urlsplit

import msgspec

from ltpkit.batch import Batch, BookUpdate, Received
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.binance import wire
from ltpkit.feeds.binance.decoder import Decoder, Numbers
from ltpkit.feeds.binance.history import TradeHistory
from ltpkit.feeds.binance.wire import SYMBOL, UNREADABLE
from ltpkit.feeds.common.answers import PublicStream
from ltpkit.instrument import Instrument, Instruments, split_symbol

__all__ = ["Binance"]

_EXCHANGE: Final = {"spot": "BINANCE", "usdm": "BINANCE_USDM"}
# USD-M serves trades, quotes and depth under /public; a socket on the bare host is legacy since 2026-04-23.
_URL: Final = {"spot": "wss://stream.binance.com:9443", "usdm": "wss://fstream.binance.com/public"}
_REST_URL: Final = {"spot": "https://api.binance.com", "usdm": "https://fapi.binance.com"}
_DEPTH_PATH: Final = {"spot": "/api/v3/depth", "usdm": "/fapi/v1/depth"}

# The most that USD-M gives. Spot would give 5000 for five times the request weight.
_SNAPSHOT_LEVELS: Final = 1000
_STREAMS_PER_CONNECTION: Final = 1024
# No number is published; the server refuses long lists, and a hundred names are 2.5 kB.
_STREAMS_PER_MESSAGE: Final = 100


class Binance(PublicStream):
    """Binance's public streams: every trade, every best quote, and the changes of the book.

    Parameters
    ----------
    instruments : Instruments
        The stream's own table. Symbols met on the wire are added to it.
    kind : {"spot", "usdm"}
        The spot market, or USD-M futures.
    url, rest_url : str, optional
        Base addresses to use instead of Binance's own, as for a proxy or a test server:
        ``/stream`` is appended to the one, ``/api/v3/depth`` or ``/fapi/v1/depth`` to the other.
        They are independent: overriding one leaves the other.
    depth : bool
        Also ask for the book. Without it only trades and quotes are subscribed.

    Notes
    -----
    A trade is a tick with `ltp` and `ltq`; a quote is a tick with `bid`, `bid_qty`, `ask` and
    `ask_qty`; neither fills in the other's columns. The day's numbers, `volume` and `oi` are not
    in these streams. Every trade is sent, so volume is the sum of `ltq`.

    Trade ids rise by one per symbol. One already seen is a row that counts nowhere (flag and event
    ``duplicate``), a jump is an event ``gap``. USD-M spends about one id in a hundred on a trade of
    price and quantity zero, which is none and gives no row; a trade outside the order book
    (liquidation by the insurance fund, auto-deleveraging) is an event ``off_market`` and gives no
    row, as its price may be far from the market's.
    """

    name = "binance"

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: Literal["spot", "usdm"] = "spot",
        url: str | None = None,
        rest_url: str | None = None,
        depth: bool = True,
    ) -> None:
        if kind not in _EXCHANGE:
            raise SettingError(f"kind={kind!r} is not one of Binance's: 'spot' or 'usdm'.")
        self.kind: str = kind
        self._depth = depth
        self._url = _base("url", url or _URL[kind], ("ws", "wss"))
        self._rest_url = _base("rest_url", rest_url or _REST_URL[kind], ("http", "https"))
        streams = 3 if depth else 2
        self.limits = Limits(
            per_message=_STREAMS_PER_MESSAGE // streams,
            per_connection=_STREAMS_PER_CONNECTION // streams,
            # Five are published for spot and pongs count too: one is left for them.
            messages_per_second=4.0,
            # Nothing is published. Quiet symbols may rest for a minute; pings find a dead line sooner.
            silence_s=120.0,
        )
        self._numbers = Numbers(instruments, _EXCHANGE[kind], kind)
        self._decoder = Decoder(instruments, self._numbers)
        self._requests = itertools.count(1)

    def __repr__(self) -> str:
        return f"<Binance {self.kind}: {len(self._numbers)} symbols>"

    # What can be asked for -----------------------------------------------------------------------

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means here: ``BTCUSDT``, ``btcusdt`` or ``BINANCE:BTCUSDT``.

        Raises
        ------
        UnknownInstrument
            It names another exchange, or cannot be a symbol of Binance. Whether Binance lists it
            is only known to Binance, and shows as an event ``feed_error`` or as silence.
        """
        mine = _EXCHANGE[self.kind]
        exchange, name = split_symbol(symbol, exchange=mine)
        name = name.upper()
        if exchange == mine and SYMBOL.fullmatch(name):
            return self._numbers.instrument(name)
        plain = re.sub(r"\W", "", name)
        raise UnknownInstrument(
            symbol,
            f"Binance {self.kind}",
            [f"{mine}:{plain}"] if SYMBOL.fullmatch(plain) else [],
            try_=f"Symbols are written without a separator, as {mine}:BTCUSDT.",
        )

    def address(self) -> str:
        """Return the address of the combined stream; symbols are subscribed by messages."""
        return f"{self._url}/stream"

    def login(self) -> Sequence[Message]:
        """Return nothing: market data needs no account."""
        return []

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that ask for these instruments, within `limits.per_message`."""
        return self._request("SUBSCRIBE", instruments)

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that end these instruments.

        What trades before they are subscribed again was not asked for, and is no gap.
        """
        for instrument in instruments:
            self._decoder.forget(instrument.symbol)
        return self._request("UNSUBSCRIBE", instruments)

    def _request(self, method: str, instruments: Sequence[Instrument]) -> list[Message]:
        # Trades one by one and never aggregated as well: both together would count volume twice.
        wanted = ("trade", "bookTicker", "depth@100ms") if self._depth else ("trade", "bookTicker")
        most = self.limits.per_message or 1
        messages: list[Message] = []
        for start in range(0, len(instruments), most):
            some = instruments[start : start + most]
            streams = [f"{instrument.symbol.lower()}@{stream}" for instrument in some for stream in wanted]
            request = {"method": method, "params": streams, "id": next(self._requests)}
            messages.append(msgspec.json.encode(request).decode())
        return messages

    def snapshot_address(self, instrument: Instrument) -> str | None:
        """Return the HTTP address of the best 1000 levels a side, or None without `depth`."""
        if not self._depth:
            return None
        symbol = quote(instrument.symbol)
        return f"{self._rest_url}{_DEPTH_PATH[self.kind]}?symbol={symbol}&limit={_SNAPSHOT_LEVELS}"

    def history(self) -> TradeHistory:
        """Return how to ask for trades that were missed. It needs no account."""
        return TradeHistory(self.kind, self._rest_url)

    # What comes back -----------------------------------------------------------------------------

    def decode_snapshot(self, instrument: Instrument, body: bytes, received_at: int) -> BookUpdate:
        """Return the book in an answer from `snapshot_address`.

        Raises
        ------
        ValueError
            The answer holds no book; the sentence gives Binance's own code and words.
        """
        try:
            answer = wire.read_one(body)
        except UNREADABLE as error:
            raise ValueError(f"Binance's answer for {instrument.name} is not a book: {error}.") from None
        book = wire.snapshot(answer, self._numbers[instrument.symbol], received_at)
        if book is None:
            said = f"{answer.code}: {answer.msg}" if answer.code is not None else "no levels in it"
            raise ValueError(f"Binance's answer for {instrument.name} is not a book ({said}).")
        return book

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order.

        Parameters
        ----------
        frames : sequence of bytes
            Messages of a combined stream, bare payloads, or answers; mixed as they came.
        received_at : int or ndarray of int64
            µs UTC, one for all or one per frame.

        Returns
        -------
        Batch
            `ticks`, `book_updates` (a whole book in the frames has ``instrument=None``: the message
            does not say), `depth` from partial-depth streams, `events`, `rejects`, `goodbye`.
        """
        return self._decoder.decode(frames, received_at)


def _base(setting: str, url: str, schemes: tuple[str, str]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        example = f"{schemes[1]}://host:port"
        raise SettingError(f"{setting} must be a base address like {example}, without a query.")
    return url.rstrip("/")
