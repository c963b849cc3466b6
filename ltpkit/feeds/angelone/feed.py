"""SmartStream as the streamer sees it: addresses, headers, requests, refusals, and batches from frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final, Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Event, Received, Side, Ticks
from ltpkit.errors import SettingError
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.angelone import loops
from ltpkit.feeds.angelone.numbers import Numbers, key_of
from ltpkit.feeds.angelone.split import refusal, said_by, together
from ltpkit.feeds.angelone.wire import PACKET, SEGMENT_CODES, SEGMENTS, TOKEN
from ltpkit.feeds.common.address import Secret, missing_login, revealed, websocket_address
from ltpkit.feeds.common.answers import StreamedBooks, check_choice
from ltpkit.feeds.common.columns import LINE
from ltpkit.feeds.common.gathered import at_any_byte
from ltpkit.feeds.common.pieces import Odd, receipt, rejects
from ltpkit.feeds.common.room import arrivals, with_books
from ltpkit.instrument import Instrument, Instruments, split_symbol
from ltpkit.schema import code_of

__all__ = ["AngelOne", "Mode"]

Mode = Literal["snapquote", "quote", "ltp", "depth20"]

_URL: Final = "wss://smartapisocket.angelone.in/smart-stream"
_MODES: Final = {"ltp": 1, "quote": 2, "snapquote": 3, "depth20": 4}
_EXCHANGES: Final = (*(exchange for _, exchange, _ in SEGMENTS.values()), "INDEX")
_NSE_CASH: Final = 1
#: Any text will do; errors of requests bring it back.
_CORRELATION: Final = "ltpkit0001"
_VOLUME: Final = LINE["volume"]


class AngelOne(StreamedBooks):
    """Angel One's SmartStream, WebSocket 2.0.

    Parameters
    ----------
    instruments : Instruments
        The stream's table. Packets of an instrument that nobody listed get a new entry named after
        its token, so that nothing is dropped.
    kind : "live"
        SmartStream is one stream.
    mode : {"snapquote", "quote", "ltp", "depth20"}
        How much to ask for: the day with five levels of depth and open interest, the day, the price
        only, or twenty levels without a price (NSE cash only, 50 instruments).
    client_id, token, api_key, feed_token : str or a secret, optional
        Client code, the ``jwtToken`` and the ``feedToken`` of the day's login, and the app's key; not
        needed to decode a capture.
    url : str, optional
        Another address, for tests and proxies.
    known : iterable of Instrument
        What `resolve` finds, as in Angel One's list of instruments: `broker_id` is the ``token``, `segment`
        the ``exch_seg`` (``NSE``, ``NFO``, …) or the stream's own name (``nse_cm``, ``nse_fo``, …).
    """

    name = "angelone"

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "live",
        mode: Mode = "snapquote",
        client_id: str | Secret | None = None,
        token: str | Secret | None = None,
        api_key: str | Secret | None = None,
        feed_token: str | Secret | None = None,
        url: str | None = None,
        known: Iterable[Instrument] = (),
    ) -> None:
        check_choice(self.name, "kind", kind, ("live",))
        check_choice(self.name, "mode", mode, get_args(Mode))
        self.kind = kind
        self.mode = mode
        most = 50 if mode == "depth20" else 1000
        #: As published. Our ``ping`` is answered every 30 s; three answers in a row must be missing.
        self.limits = Limits(per_connection=most, connections=3, silence_s=100.0, life="messages")
        self._secrets = {
            "Authorization": token,
            "x-api-key": api_key,
            "x-client-code": client_id,
            "x-feed-token": feed_token,
        }
        self._url = url
        self._table = instruments
        self._numbers = Numbers(instruments, known)

    def __repr__(self) -> str:
        return f"<AngelOne feed: {self.mode}, {len(self._numbers)} instruments listed>"

    # --- addresses and requests

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means: ``NSE:SBIN-EQ``, ``SBIN-EQ``, or segment and token ``nse_cm:3045``.

        A name without an exchange is looked for on NSE, then the others in the order of their segments.

        Raises
        ------
        UnknownInstrument
            With the near misses.
        SettingError
            Twenty levels are asked for outside of NSE's cash segment.
        """
        exchange, name = split_symbol(symbol)
        if exchange.lower() in SEGMENT_CODES and TOKEN.fullmatch(name):
            found = self._numbers.instrument((SEGMENT_CODES[exchange.lower()], name))
        else:
            found = self._numbers.resolve(
                symbol,
                feed=self.name,
                exchanges=_EXCHANGES,
                hint="Give Angel One's own segment and token, such as nse_cm:3045.",
            )
        key = key_of(found)
        if self.mode == "depth20" and key is not None and key[0] != _NSE_CASH:
            raise SettingError(f"Twenty levels are sent for NSE's cash segment only, not for {found.name}.")
        return found

    def address(self) -> str:
        """Return the WebSocket address; the credentials are in the headers."""
        if self._url is None and not all(map(revealed, self._secrets.values())):
            raise missing_login(
                "angelone",
                "Angel One",
                "client_id=, token=, api_key= and feed_token= (the client code, the jwtToken of the day's "
                "login, the app's key and the feedToken)",
            )
        return websocket_address(self._url or _URL, {})

    def headers(self) -> dict[str, str]:
        """Return the handshake's headers; they hold the credentials."""
        return {name: revealed(secret) for name, secret in self._secrets.items() if revealed(secret)}

    def keep_alive(self) -> tuple[Message, float]:
        """Return what to send while connected, and how often: ``ping`` every 30 s."""
        return "ping", 30.0

    def login(self) -> Sequence[Message]:
        """Return nothing: the headers hold the credentials."""
        return ()

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the request for these instruments. Angel One answers only what it does not like."""
        return self._request(1, instruments)

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the request that ends these instruments."""
        return self._request(0, instruments)

    def _request(self, action: int, instruments: Sequence[Instrument]) -> list[Message]:
        tokens: dict[int, list[str]] = {}
        for key in map(key_of, instruments):
            if key is not None:
                tokens.setdefault(key[0], []).append(key[1])
        if not tokens:
            return []
        wanted = [{"exchangeType": code, "tokens": some} for code, some in tokens.items()]
        request = {
            "correlationID": _CORRELATION,
            "action": action,
            "params": {"mode": _MODES[self.mode], "tokenList": wanted},
        }
        return [msgspec.json.encode(request).decode()]

    def closed(self, code: int, reason: str) -> str:
        """Return ``"retry"`` or ``"stop"`` for a close code or HTTP status.

        401 is a refused login and 429 one connection more than the three of a client: another try would
        fare no better, and tokens end each day.
        """
        return "stop" if code in (400, 401, 403, 404, 429) else "retry"

    # --- decoding

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, rows in arrival order.

        Ticks from packets of every mode, depth from snap quotes and twenty-level packets. Text becomes an
        event: ``broker_error`` for the answer to a request, ``feed`` for anything else but ``pong``.
        """
        if not frames:
            return Batch()
        batch, messages = Batch(), together(frames)
        packets = at_any_byte(messages[0], PACKET)
        keys, received, timestamp, values, books, idle, odd = loops.read_ticks(
            *messages, packets, arrivals(received_at)
        )
        if len(keys):
            numbers = self._numbers.of(keys, partial(said_by, frames))
            if idle:
                is_index = self._table.exchange_codes[numbers] == code_of("exchange", "INDEX")
                values[_VOLUME, is_index & (values[_VOLUME] == 0)] = np.nan
            batch.ticks = Ticks(instrument=numbers, timestamp=timestamp, received_at=received, values=values)
        if books and batch.ticks is not None:
            rows, bids, asks = loops.read_books(*messages, packets)
            batch.depth = with_books(batch.ticks, rows, Side(*bids), Side(*asks))
        if odd:
            self._odd(frames, loops.find_packets(*messages)[1], received_at, batch)
        return batch

    def _odd(
        self, frames: Sequence[bytes], odd: npt.NDArray[np.int64], received_at: Received, batch: Batch
    ) -> None:
        """Add what the messages that hold no packet say to the batch, or why they cannot be read."""
        rejected: list[Odd] = []
        for number, kind in odd.T.tolist():
            frame, why = frames[number], None
            if kind == loops.TEXT:
                why = self._text(frame, receipt(received_at, number), batch)
            else:
                why = refusal(kind, frame)
            if why is not None:
                rejected.append((number, why, frame))
        batch.rejects = rejects(rejected, received_at)

    @staticmethod
    def _text(text: bytes, at: int, batch: Batch) -> str | None:
        """Add what a text message says to the batch; return why it cannot be read, if so."""
        if text == b"pong":
            return None
        said: Any
        try:
            said = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return "neither a packet nor JSON"
        if not isinstance(said, dict):
            return "JSON without names"
        kind = "broker_error" if "errorCode" in said else "feed"
        batch.events = [*batch.events, Event(at=at, kind=kind, detail={str(k): v for k, v in said.items()})]
        return None
