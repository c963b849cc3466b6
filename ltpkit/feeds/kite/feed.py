"""Kite as the streamer sees it: addresses, requests, refusals, and batches from frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, get_args

import msgspec

from ltpkit.batch import Batch, Event, Goodbye, Received, Side, Ticks
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.common.address import Secret, missing_login, revealed, websocket_address
from ltpkit.feeds.common.answers import StreamedBooks, check_choice
from ltpkit.feeds.common.gathered import gathered
from ltpkit.feeds.common.lookup import IntegerLookup
from ltpkit.feeds.common.pieces import Odd, receipt, rejects
from ltpkit.feeds.common.room import arrivals, with_books
from ltpkit.feeds.kite import loops
from ltpkit.feeds.kite.history import MinuteHistory
from ltpkit.feeds.kite.split import told_apart
from ltpkit.feeds.kite.wire import SEGMENTS
from ltpkit.instrument import Instrument, Instruments, split_symbol

__all__ = ["Kite", "Mode"]

Mode = Literal["full", "quote", "ltp"]

_URL: Final = "wss://ws.kite.trade/"
_EXCHANGES: Final = tuple(name for name, _ in SEGMENTS.values())

#: Errors that come as text on a live line and that no further try will mend.
_NO_ENTRY: Final = re.compile(r"access.?token|api.?key|token is invalid or has expired", re.IGNORECASE)


def _exchange(token: int) -> str:
    segment = token & 0xFF
    return SEGMENTS[segment][0] if segment in SEGMENTS else f"SEGMENT_{segment}"


def _as_token(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= 10 and int(text) < 2**32 else None


def _token_of(instrument: Instrument) -> int | None:
    token = _as_token(instrument.broker_id)
    return token if token is not None and _exchange(token) == instrument.exchange else None


def _unlisted(token: int) -> Instrument:
    exchange = _exchange(token)
    return Instrument(exchange=exchange, symbol=str(token), segment=exchange, broker_id=str(token))


class Kite(StreamedBooks):
    """Zerodha's Kite ticker.

    Parameters
    ----------
    instruments : Instruments
        The stream's table. Packets of an instrument that nobody listed get a new entry named after
        its token, so that nothing is dropped.
    kind : "live"
        Kite has one stream.
    mode : {"full", "quote", "ltp"}
        How much to ask for: with five levels of depth and times, without, or the price only.
    api_key, token : str or a secret, optional
        The app's key and the day's access token; not needed to decode a capture.
    url : str, optional
        Another address, for tests and proxies. Its own query parameters are kept.
    rest_url : str, optional
        The same for its HTTP address, where minutes that were missed are asked for.
    known : iterable of Instrument
        What `resolve` finds, as in Kite's list of instruments: `broker_id` is the ``instrument_token``,
        `exchange` the exchange, ``INDEX`` for indices.
    """

    name = "kite"
    #: As published. An idle line bears a sign of life every couple of seconds; many in a row must be missing.
    limits = Limits(per_connection=3000, connections=3, silence_s=30.0, life="messages")

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "live",
        mode: Mode = "full",
        api_key: str | Secret | None = None,
        token: str | Secret | None = None,
        url: str | None = None,
        rest_url: str | None = None,
        known: Iterable[Instrument] = (),
    ) -> None:
        check_choice(self.name, "kind", kind, ("live",))
        check_choice(self.name, "mode", mode, get_args(Mode))
        self.kind = kind
        self.mode = mode
        self._api_key, self._token = api_key, token
        self._url, self._rest_url = url, rest_url
        self._lookup = IntegerLookup(instruments, known, key_of=_token_of, unlisted=_unlisted)

    def __repr__(self) -> str:
        return f"<Kite feed: {self.mode}, {len(self._lookup)} instruments listed>"

    # --- addresses and requests

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means: ``NSE:RELIANCE``, ``RELIANCE``, or a token such as ``NSE:738561``.

        A name without an exchange is looked for on NSE, then the others in the order of their segments.

        Raises
        ------
        UnknownInstrument
            With the near misses.
        """
        exchange, name = split_symbol(symbol)
        token = _as_token(name)
        if token is not None and exchange in ("", _exchange(token)):
            return self._lookup.instrument(token)
        return self._lookup.resolve(
            symbol,
            feed=self.name,
            exchanges=_EXCHANGES,
            hint="Give Kite's own instrument token, such as NSE:738561.",
        )

    def address(self) -> str:
        """Return the WebSocket address; it holds the key and the token."""
        api_key, token = revealed(self._api_key), revealed(self._token)
        if self._url is None and not (api_key and token):
            raise missing_login("kite", "Kite", "api_key= and token=")
        return websocket_address(self._url or _URL, {"api_key": api_key, "access_token": token})

    def headers(self) -> dict[str, str]:
        """Return the handshake's headers: the version that Kite's own client asks for."""
        return {"X-Kite-Version": "3"}

    def login(self) -> Sequence[Message]:
        """Return nothing: the address holds the token."""
        return ()

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the requests for these instruments: to have them, and in which mode.

        Kite does not answer them.
        """
        tokens = [int(one.broker_id) for one in instruments]  # as text they would be ignored
        return [_request("subscribe", tokens), _request("mode", [self.mode, tokens])] if tokens else []

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the request that ends these instruments."""
        tokens = [int(one.broker_id) for one in instruments]
        return [_request("unsubscribe", tokens)] if tokens else []

    def closed(self, code: int, reason: str) -> str:
        """Return ``"retry"`` or ``"stop"`` for a close code or HTTP status.

        A handshake refused with 400, 401, 403 or 404 would be refused again: access tokens end each
        morning, and only their owner can get another one. Too many requests (429) pass.
        """
        return "stop" if code in (400, 401, 403, 404) else "retry"

    def history(self) -> MinuteHistory:
        """Return how to ask for minutes that were missed; the app's key has to include Kite's history."""
        return MinuteHistory(self._api_key, self._token, self._rest_url)

    # --- decoding

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, rows in arrival order.

        Ticks from packets of every kind, depth from full packets. Text becomes an event: ``order``,
        ``broker_error``, ``message``, or ``feed`` for the other types.
        """
        if not frames:
            return Batch()
        joined, start = gathered(frames, 0)
        messages, batch = len(frames), Batch()
        tokens, received, timestamp, values, books, odd = loops.read_ticks(
            joined, start, messages, arrivals(received_at)
        )
        if len(tokens):
            numbers = self._lookup.of(tokens)
            batch.ticks = Ticks(instrument=numbers, timestamp=timestamp, received_at=received, values=values)
        if books and batch.ticks is not None:
            rows, bids, asks = loops.read_books(joined, start, messages)
            batch.depth = with_books(batch.ticks, rows, Side(*bids), Side(*asks))
        if odd:
            rejected, texts = told_apart(joined, loops.find_packets(joined, start, messages)[1])
            for number in texts:
                self._text(frames[number], number, receipt(received_at, number), batch, rejected)
            batch.rejects = rejects(rejected, received_at)
        return batch

    def _text(self, text: bytes, number: int, at: int, batch: Batch, odd: list[Odd]) -> None:
        """Add what a text message says to the batch."""
        said: Any
        try:
            said = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            odd.append((number, "neither packets nor JSON", text))
            return
        kind = said.get("type") if isinstance(said, dict) else None
        if not isinstance(kind, str):
            odd.append((number, "JSON without a type", text))
            return
        names = {"order": "order", "error": "broker_error", "message": "message"}
        detail = {str(key): value for key, value in said.items()}
        batch.events = [*batch.events, Event(at=at, kind=names.get(kind, "feed"), detail=detail)]
        words = said.get("data")
        if kind == "error" and isinstance(words, str) and _NO_ENTRY.search(words):
            batch.goodbye = Goodbye(code=403, reason=words, then="stop")


def _request(action: str, value: object) -> Message:
    return msgspec.json.encode({"a": action, "v": value}).decode()
