"""Upstox as the streamer sees it: addresses, headers, requests, refusals, and batches from frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, get_args

import msgspec

from ltpkit.batch import Batch, Event, Received
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.common.address import Secret, missing_login, revealed, websocket_address
from ltpkit.feeds.common.answers import StreamedBooks, check_choice
from ltpkit.feeds.common.lookup import Lookup
from ltpkit.feeds.common.pieces import Odd, receipt, rejects
from ltpkit.feeds.upstox.rows import Gathered, Joined
from ltpkit.feeds.upstox.wire import CASH, SEGMENTS, STATUSES, response_type, unreadable
from ltpkit.instrument import Instrument, Instruments

__all__ = ["Mode", "Upstox"]

Mode = Literal["full", "ltpc", "option_greeks", "full_d30"]

_URL: Final = "wss://api.upstox.com/v3/feed/market-data-feed"
_EXCHANGES: Final = tuple(dict.fromkeys(("NSE", "BSE", *SEGMENTS.values())))
_KEY: Final = re.compile(r"[A-Z0-9_]{2,16}\|[ -~]{1,48}")
#: Instruments on a connection, by mode, where that is the only one. That of 30 levels is not published.
_MOST: Final = {"ltpc": 5000, "option_greeks": 3000, "full": 2000, "full_d30": None}
#: Any text will do; it comes back in no answer.
_GUID: Final = "ltpkit"


def _key_of(instrument: Instrument) -> str | None:
    key = instrument.broker_id
    if "|" not in key and instrument.segment in SEGMENTS:
        key = f"{instrument.segment}|{key}"
    return key if _KEY.fullmatch(key) else None


def _unlisted(key: str) -> Instrument:
    segment, _, own = key.partition("|")
    if segment not in SEGMENTS:
        # One exchange for all: each becomes a category of its column for as long as the process lives.
        return Instrument(exchange="OTHER", symbol=key, segment=segment, broker_id=own)
    return Instrument(exchange=SEGMENTS[segment], symbol=own, segment=segment, broker_id=own)


class Upstox(StreamedBooks):
    """Upstox's market data feed.

    Parameters
    ----------
    instruments : Instruments
        The stream's table. Messages about an instrument that nobody listed give it a new entry named
        after its key, so that nothing is dropped.
    kind : "live"
        Upstox has one stream of market data.
    mode : {"full", "ltpc", "option_greeks", "full_d30"}
        How much to ask for: the day with five levels of depth, last price and previous close, the best
        quote with the greeks, or thirty levels (a paid plan).
    token : str or a secret, optional
        The day's access token; not needed to decode a capture.
    url : str, optional
        Another address, for tests and proxies, or one that Upstox has authorised for one connection.
    known : iterable of Instrument
        What `resolve` finds, as in Upstox's list of instruments: `segment` as in the list, `broker_id` the
        ``instrument_key`` or the part of it behind the bar.
    """

    name = "upstox"

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "live",
        mode: Mode = "full",
        token: str | Secret | None = None,
        url: str | None = None,
        known: Iterable[Instrument] = (),
    ) -> None:
        check_choice(self.name, "kind", kind, ("live",))
        check_choice(self.name, "mode", mode, get_args(Mode))
        self.kind = kind
        self.mode = mode
        #: As published. Silence is our own choice: thin options are quiet for a minute and more.
        self.limits = Limits(per_connection=_MOST[mode], connections=1, silence_s=120.0)
        self._token, self._url, self._instruments = token, url, instruments
        self._lookup = Lookup(instruments, known, key_of=_key_of, unlisted=_unlisted)
        self._parse = response_type().FromString
        self._unreadable = unreadable()
        self._gathered = Gathered(response_type(), self._find)

    def __repr__(self) -> str:
        return f"<Upstox feed: {self.mode}, {len(self._lookup)} instruments listed>"

    # --- addresses and requests

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means: ``NSE:RELIANCE``, ``RELIANCE``, or a key: ``NSE_EQ|INE002A01018``.

        A name without an exchange is looked for on NSE, then BSE, then the others.

        Raises
        ------
        UnknownInstrument
            With the near misses.
        """
        if _KEY.fullmatch(symbol.strip()):
            return self._lookup.instrument(symbol.strip())
        return self._lookup.resolve(
            symbol,
            feed=self.name,
            exchanges=_EXCHANGES,
            hint="Give Upstox's own instrument key, such as NSE_EQ|INE002A01018.",
        )

    def address(self) -> str:
        """Return the WebSocket address. It redirects to one that is good for one connection."""
        if self._url is None and not revealed(self._token):
            raise missing_login("upstox", "Upstox", "token=")
        return websocket_address(self._url or _URL, {})

    def headers(self) -> dict[str, str]:
        """Return the handshake's headers; they hold the token. They are not sent to where it redirects."""
        token = revealed(self._token)
        return {"Authorization": f"Bearer {token}"} if token else {}

    def login(self) -> Sequence[Message]:
        """Return nothing: the headers hold the token."""
        return ()

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the request for these instruments. Upstox does not answer it."""
        return _request("sub", instruments, {"mode": self.mode})

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the request that ends these instruments."""
        return _request("unsub", instruments, {})

    def closed(self, code: int, reason: str) -> str:
        """Return ``"retry"`` or ``"stop"`` for a close code or HTTP status.

        A handshake refused with 400, 401, 403 or 404 would be refused again: tokens end each day, and an
        authorised address is good for one connection. Too many requests (429) pass.
        """
        return "stop" if code in (400, 401, 403, 404) else "retry"

    # --- decoding

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, rows in the order they were sent.

        Ticks from feeds of every mode, depth from full ones, an event ``market_status`` for the state of
        the segments. Text becomes an event ``feed``. A message about nothing is sound, and gives nothing.
        """
        batch = Batch()
        odd: list[Odd] = []
        gathered, messages, at = self._gathered, Joined(frames), 0
        gathered.clear(len(frames))
        while (at := gathered.read(messages, at)) < len(frames):
            response = self._parsed(frames[at])
            if response is None:
                said = _text(frames[at])
                if said is None:
                    odd.append((at, "no FeedResponse: its bytes cannot be parsed", frames[at]))
                else:
                    batch.events.append(Event(at=receipt(received_at, at), kind="feed", detail=said))
            else:
                if response.HasField("marketInfo"):
                    said = {"segments": _statuses(response.marketInfo)}
                    batch.events.append(Event(at=receipt(received_at, at), kind="market_status", detail=said))
                gathered.read(_plain(response), frame=at, is_checked=True)
            at += 1
        for at, nameless, count in gathered.drop_nameless():
            odd.append((at, f"{nameless} of {count} feeds without a key or a known kind", frames[at]))
        if gathered.rows:
            batch.ticks, batch.depth = gathered.ticks(received_at)
        batch.rejects = rejects(sorted(odd), received_at)
        return batch

    def _parsed(self, frame: bytes) -> Any | None:
        """Return the message, None for bytes that are none."""
        try:
            return self._parse(frame)
        except self._unreadable:
            return None

    def _find(self, key: str) -> tuple[int, bool, bool]:
        if not _KEY.fullmatch(key):
            return -1, False, False
        number = self._lookup.number(key)
        is_kept = not (self._instruments.full and number == self._instruments.rest())
        return number, key.startswith(CASH), is_kept


def _plain(response: Any) -> Joined:
    """Return a message's feeds as they are usually sent."""
    response.ClearField("marketInfo")
    response.DiscardUnknownFields()
    return Joined([response.SerializeToString()])


def _statuses(market: Any) -> dict[str, str]:
    """Return the state of each segment."""
    return {
        one.key: STATUSES[one.value] if 0 <= one.value < len(STATUSES) else str(one.value)
        for one in market.segmentStatus
    }


def _request(method: str, instruments: Sequence[Instrument], more: dict[str, str]) -> list[Message]:
    keys = [key for key in map(_key_of, instruments) if key is not None]
    if not keys:
        return []
    request = {"guid": _GUID, "method": method, "data": {**more, "instrumentKeys": keys}}
    return [msgspec.json.encode(request)]  # bytes: the broker's package sends them as a binary frame


def _text(frame: bytes) -> dict[str, object] | None:
    """Return what a JSON object says, None for anything else."""
    if not frame.startswith(b"{"):
        return None
    try:
        said: Any = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return {str(key): value for key, value in said.items()} if isinstance(said, dict) else None
