"""Dhan's live feed as the streamer sees it: addresses, requests, refusals; and its simulated twin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, get_args

import msgspec

from ltpkit import nifty
from ltpkit.batch import Batch, Received
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.common.address import Secret, missing_login, revealed, websocket_address
from ltpkit.feeds.common.answers import StreamedBooks, check_choice
from ltpkit.feeds.common.lookup import key
from ltpkit.feeds.dhan.decoder import Decoder
from ltpkit.feeds.dhan.depth import DeepDecoder
from ltpkit.feeds.dhan.depth_wire import DEEP, DEEP_SEGMENTS
from ltpkit.feeds.dhan.history import MinuteHistory
from ltpkit.feeds.dhan.numbers import Numbers
from ltpkit.feeds.dhan.wire import REASONS, SEGMENT_CODES, SEGMENTS
from ltpkit.instrument import Instrument, Instruments, split_symbol

__all__ = ["Dhan", "Mode", "Simulated"]

Mode = Literal["ticker", "quote", "full"]

_EXCHANGE_ORDER: Final = tuple(dict.fromkeys(("NSE", "BSE", *(name for _, name in SEGMENTS.values()))))


class Dhan(StreamedBooks):
    """Dhan's live market feed, and its deep depth of 20 and 200 levels.

    Parameters
    ----------
    instruments : Instruments
        The stream's table. Packets of an instrument that nobody listed get a new entry named after
        the broker's id, so that nothing is dropped.
    kind : {"live", "depth20", "depth200"}
        Which of Dhan's feeds. The deep ones give rows of depth only, of NSE shares and NFO contracts;
        they take 50 instruments on a connection, and 1.
    mode : {"full", "quote", "ticker"}
        How much to ask the live feed for: with five levels of depth, without, or price and time only.
    client_id, token : str or a secret, optional
        Dhan's credentials; not needed to decode a capture.
    url : str, optional
        Another address, for tests and proxies. Its own query parameters are kept.
    rest_url : str, optional
        The same for its HTTP address, where minutes that were missed are asked for.
    known : iterable of Instrument
        What `resolve` finds, as in Dhan's list of instruments.
    """

    name = "dhan"
    kinds: tuple[str, ...] = ("live", *DEEP)
    #: As published. Silence is our own choice: thin options are quiet for a minute and more.
    limits = Limits(per_message=100, per_connection=5000, connections=5, silence_s=120.0)
    home: str | None = "wss://api-feed.dhan.co/"

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "live",
        mode: Mode = "full",
        client_id: str | Secret | None = None,
        token: str | Secret | None = None,
        url: str | None = None,
        rest_url: str | None = None,
        known: Iterable[Instrument] = (),
    ) -> None:
        check_choice(self.name, "kind", kind, self.kinds)
        check_choice(self.name, "mode", mode, get_args(Mode))
        self.kind = kind
        self.mode = mode
        self._client_id = client_id
        self._token = token
        self._url, self._rest_url = url, rest_url
        self._table = instruments
        self._numbers = Numbers(instruments, known)
        self._decoder: Decoder | DeepDecoder = Decoder(self._numbers)
        if kind in DEEP:
            self._decoder = DeepDecoder(self._numbers, DEEP[kind])
            self.home, self.limits = DEEP[kind].home, DEEP[kind].limits

    def __repr__(self) -> str:
        what = self.mode if self.kind == "live" else self.kind
        return f"<{type(self).__name__} feed: {what}, {len(self._numbers)} instruments listed>"

    # --- addresses and requests

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means: ``NSE:RELIANCE``, ``RELIANCE``, or segment and id ``NSE_EQ:2885``.

        A name without an exchange is looked for on NSE, then BSE, then the others in Dhan's order.

        Raises
        ------
        UnknownInstrument
            With the near misses; or the deep feeds do not carry its part of the exchange.
        """
        found = self._find(symbol)
        if self.kind in DEEP and found.segment not in DEEP_SEGMENTS:
            where = f"Dhan's {self.kind} feed, which carries NSE shares and NFO contracts only"
            raise UnknownInstrument(symbol, where, ())
        return found

    def _find(self, symbol: str) -> Instrument:
        exchange, name = split_symbol(symbol)
        if exchange in SEGMENT_CODES and name.isdecimal() and int(name) < 2**32:
            return self._numbers.instrument(key(int(name), SEGMENT_CODES[exchange]))
        return self._numbers.resolve(
            symbol,
            feed=self.name,
            exchanges=_EXCHANGE_ORDER,
            hint="Give Dhan's own segment and id, such as NSE_EQ:2885.",
        )

    def address(self) -> str:
        """Return the WebSocket address; it holds the token."""
        url = self._url or self.home
        if url is None:
            raise SettingError(f"The {self.name} feed needs the address of its exchange: url='ws://…'.")
        token = revealed(self._token)
        if self._url is None and not (token and self._client_id):
            raise missing_login("dhan", "Dhan", "client_id= and token=")
        query = {"version": "2"} if self.kind == "live" else {}
        query |= {"token": token, "clientId": revealed(self._client_id), "authType": "2"}
        return websocket_address(url, query)

    def login(self) -> Sequence[Message]:
        """Return nothing: the address holds the token."""
        return ()

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the requests for these instruments, 100 in each. Dhan does not answer them.

        The 20-level feed takes 50 in one, the 200-level feed one.
        """
        if isinstance(self._decoder, DeepDecoder):
            self._decoder.forget(instruments)
            return self._requests(23, instruments)
        return self._requests({"ticker": 15, "quote": 17, "full": 21}[self.mode], instruments)

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the requests that end these instruments, as many in each as `subscribe` has.

        For the deep feeds Dhan's older pages and its package say 24, the newer pages 25. This is 24.
        """
        if isinstance(self._decoder, DeepDecoder):
            self._decoder.forget(instruments)
            return self._requests(24, instruments)
        return self._requests({"ticker": 16, "quote": 18, "full": 22}[self.mode], instruments)

    def _requests(self, code: int, instruments: Sequence[Instrument]) -> list[Message]:
        most = self.limits.per_message or len(instruments)
        messages: list[Message] = []
        for start in range(0, len(instruments), most):
            some = instruments[start : start + most]
            if most == 1:  # the 200-level feed: no list, no count
                (only,) = some
                flat = {"RequestCode": code, "ExchangeSegment": only.segment, "SecurityId": only.broker_id}
                messages.append(msgspec.json.encode(flat).decode())
                continue
            request = {
                "RequestCode": code,
                "InstrumentCount": len(some),
                "InstrumentList": [{"ExchangeSegment": i.segment, "SecurityId": i.broker_id} for i in some],
            }
            messages.append(msgspec.json.encode(request).decode())
        return messages

    def closed(self, code: int, reason: str) -> str:
        """Return ``"retry"``, ``"login"`` or ``"stop"`` for a close code, HTTP status or reason code.

        A refused handshake (401, 403) may be a token that ended overnight; 400 and 404 mean that
        the address is wrong and will stay so.
        """
        if code in REASONS:
            return REASONS[code][1]
        if code in (401, 403):
            return "login"
        return "stop" if code in (400, 404) else "retry"

    def history(self) -> MinuteHistory | None:
        """Return how to ask for minutes that were missed; None for the deep feeds, which have no prices."""
        return MinuteHistory(self._token, self._rest_url) if self.kind == "live" else None

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, rows in arrival order.

        Ticks from ticker, quote, full, open interest, previous close and version 1 depth packets;
        depth from the last and from full packets (an index has no book); an event
        ``market_status`` or ``goodbye`` for the others. From the deep feeds depth, as
        `ltpkit.feeds.dhan.depth` says.
        """
        return self._decoder.decode(frames, received_at)


class Simulated(Dhan):
    """The built-in exchange, `ltpkit.simulator`: Dhan's format, symbols of its own listing.

    Needs `url`, the address of a running one. Credentials are sent when given.
    """

    name = "simulated"
    kinds = ("live",)
    #: It has no quiet hours, and no fixed pace either: silence means nothing here.
    limits = Limits(per_message=100, per_connection=5000, connections=5, hours="always")
    home = None

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "live",
        mode: Mode = "full",
        client_id: str | Secret | None = None,
        token: str | Secret | None = None,
        url: str | None = None,
        known: Iterable[Instrument] | None = None,
    ) -> None:
        listing = list(nifty.instruments() if known is None else known)
        super().__init__(
            instruments=instruments,
            kind=kind,
            mode=mode,
            client_id=client_id,
            token=token,
            url=url,
            known=listing,
        )
        self._offers = [one.name for one in listing]

    def offers(self) -> list[str]:
        """Return every ``EXCHANGE:SYMBOL`` of the listing."""
        return self._offers

    def history(self) -> None:
        """Return None: the exchange is made up as it goes."""
