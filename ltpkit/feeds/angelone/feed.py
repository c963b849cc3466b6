"""SmartStream as the streamer sees it: addresses, headers, requests, refusals, and batches from frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, Event, Received
from ltpkit.errors import SettingError
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.angelone.rows import READINGS
from ltpkit.feeds.angelone.wire import (
    PACKETS,
    SEGMENT_CODES,
    SEGMENTS,
    TOKEN_AT,
    all_alike,
    refusal,
)
from ltpkit.feeds.common.address import Secret, missing_login, revealed, websocket_address
from ltpkit.feeds.common.answers import StreamedBooks, check_choice
from ltpkit.feeds.common.columns import Records
from ltpkit.feeds.common.kinds import Part, receipts, together
from ltpkit.feeds.common.lookup import Lookup, one_or_all
from ltpkit.feeds.common.pieces import Odd, receipt, rejects
from ltpkit.instrument import Instrument, Instruments, split_symbol
from ltpkit.schema import code_of

__all__ = ["AngelOne", "Mode"]

Mode = Literal["snapquote", "quote", "ltp", "depth20"]

_URL: Final = "wss://smartapisocket.angelone.in/smart-stream"
_MODES: Final = {"ltp": 1, "quote": 2, "snapquote": 3, "depth20": 4}
_EXCHANGES: Final = (*(exchange for _, exchange, _ in SEGMENTS.values()), "INDEX")
_NSE_CASH: Final = 1
_TOKEN: Final = re.compile(r"[0-9A-Za-z&_.-]{1,25}")
#: Modes are small numbers, so a message that starts with a letter or a brace is text.
_TEXT_FROM: Final = 0x20
#: Any text will do; errors of requests bring it back.
_CORRELATION: Final = "ltpkit0001"

#: No token and exchange type make this number; it ends the sorted ones, so that a search stays within.
_NO_TOKEN: Final = 2**64 - 1

#: Exchange type and token.
_Key = tuple[int, str]


def _key_of(instrument: Instrument) -> _Key | None:
    code = SEGMENT_CODES.get(instrument.segment or instrument.exchange)
    if code is None or not _TOKEN.fullmatch(instrument.broker_id):
        return None
    return code, instrument.broker_id


def _unlisted(key: _Key) -> Instrument:
    name, exchange, _ = SEGMENTS.get(key[0], (f"segment_{key[0]}", f"SEGMENT_{key[0]}", 0))
    return Instrument(exchange=exchange, symbol=key[1], segment=name, broker_id=key[1])


class _Numbers(dict[bytes, int]):
    """From the bytes that tell an instrument to its number; -1 where they hold no token."""

    def __init__(self, lookup: Lookup[_Key]) -> None:
        self._lookup = lookup
        self._short = np.array([_NO_TOKEN], np.uint64)  # sorted
        self._short_numbers = np.array([-1], np.int32)
        self._seen = 0

    def of(self, records: Records) -> npt.NDArray[np.int32] | None:
        """Return the numbers of these packets' instruments; None if one is new, or its token a long one.

        Exchange type and a token of up to seven letters, as nearly all are, make one number of 64 bits.
        """
        size = (records.itemsize,)
        rest: npt.NDArray[np.uint64] = np.ndarray((len(records), 2), "<u8", records, 9, (*size, 8))
        last: npt.NDArray[np.uint16] = np.ndarray((len(records),), "<u2", records, 25, size)
        if np.count_nonzero(rest) or np.count_nonzero(last):
            return None
        if len(self) != self._seen:
            self._sort()
        tokens: npt.NDArray[np.uint64] = np.ndarray((len(records),), "<u8", records, 1, size)
        at = self._short.searchsorted(tokens)
        return None if np.count_nonzero(self._short[at] != tokens) else self._short_numbers[at]

    def _sort(self) -> None:
        short = {
            int.from_bytes(raw[:8], "little"): number for raw, number in self.items() if not any(raw[8:])
        }
        short[_NO_TOKEN] = -1
        self._short = np.array(sorted(short), np.uint64)
        self._short_numbers = np.array([short[token] for token in sorted(short)], np.int32)
        self._seen = len(self)

    def __missing__(self, raw: bytes) -> int:
        text, _, rest = raw[1:].partition(b"\0")
        token = text.decode("latin-1")
        if not _TOKEN.fullmatch(token):
            return -1
        number = self._lookup.number((raw[0], token))
        if not rest.strip(b"\0"):  # what stands behind the end could be anything: not worth a place here
            self[raw] = number
        return number


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
        self._lookup = Lookup(instruments, known, key_of=_key_of, unlisted=_unlisted)
        self._numbers = _Numbers(self._lookup)

    def __repr__(self) -> str:
        return f"<AngelOne feed: {self.mode}, {len(self._lookup)} instruments listed>"

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
        if exchange.lower() in SEGMENT_CODES and _TOKEN.fullmatch(name):
            found = self._lookup.instrument((SEGMENT_CODES[exchange.lower()], name))
        else:
            found = self._lookup.resolve(
                symbol,
                feed=self.name,
                exchanges=_EXCHANGES,
                hint="Give Angel One's own segment and token, such as nse_cm:3045.",
            )
        key = _key_of(found)
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
        for key in map(_key_of, instruments):
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
        known = self._numbers
        records = all_alike(frames)
        if records is not None:
            numbers = known.of(records)
            if numbers is None:
                numbers = np.array([known[frame[TOKEN_AT]] for frame in frames], np.int32)
            if np.minimum.reduce(numbers) >= 0:
                return self._rows(numbers, received_at, None, {frames[0][0]: (None, records)})
        return self._one_by_one(frames, received_at)

    def _one_by_one(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, each of them looked at alone."""
        texts = Batch()
        odd: list[Odd] = []
        taken: list[int] = []  # messages that hold a packet, by their place in `frames`
        numbers: list[int] = []
        rows: dict[int, list[int]] = {}
        for at, frame in enumerate(frames):
            reason = refusal(frame)
            if reason is None:
                number = self._numbers[frame[TOKEN_AT]]
                if number >= 0:
                    rows.setdefault(frame[0], []).append(len(taken))
                    taken.append(at)
                    numbers.append(number)
                    continue
                reason = "a token that is no text"
            elif frame and frame[0] >= _TEXT_FROM:
                reason = self._text(frame, receipt(received_at, at), texts)
            if reason is not None:
                odd.append((at, reason, frame))
        batch = texts
        if taken:
            some: dict[int, tuple[npt.NDArray[np.intp] | None, Records]] = {}
            for mode, lines in rows.items():
                size = PACKETS[mode].itemsize
                whole = b"".join([frames[taken[line]][:size] for line in lines])
                some[mode] = np.array(lines), np.frombuffer(whole, f"V{size}")
            batch = self._rows(np.array(numbers, np.int32), received_at, np.array(taken), some)
            batch.events = texts.events
        batch.rejects = rejects(odd, received_at)
        return batch

    def _rows(
        self,
        instrument: npt.NDArray[np.int32],
        received_at: Received,
        frame_of: npt.NDArray[np.int64] | None,
        packets: Mapping[int, tuple[npt.NDArray[np.intp] | None, Records]],
    ) -> Batch:
        """Return ticks and books of these instruments: by mode whose rows they are, and the packets."""
        is_index = self._table.exchange_codes[instrument] == code_of("exchange", "INDEX")
        parts: list[tuple[npt.NDArray[np.intp] | None, Part]] = []
        for mode, (rows, records) in packets.items():
            segments = one_or_all(records.view(np.uint8).reshape(len(records), -1)[:, 1].astype(np.int64))
            own = is_index if rows is None else is_index[rows]
            parts.append((rows, READINGS[mode].read(records, segments, own)))
        ticks, depth = together(instrument, receipts(received_at, len(instrument), frame_of), parts)
        return Batch(ticks=ticks, depth=depth)

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
