"""Dhan's live market feed, version 2: packed little-endian packets in, batches out.

Every message holds one or more packets, each behind an 8-byte header. All packets that arrived
together are read with one numpy view per kind. What cannot be read becomes a `Reject`; nothing a
broker may send raises.

What a packet says about a tick, and what it leaves open:

* Trade times are seconds of *Indian wall clock* counted as if they were UTC; 19800 s come off.
  Time 0 is "no time", and the row then bears its receipt time, as do open interest and previous
  close packets, which carry none.
* Prices are float32 rupees. They are rounded to the instrument's tick size; where that is unknown,
  or does not explain the price, to the fewest decimals that float32 can tell apart, at most 4.
* Price 0 is "absent" and becomes NaN, so does last quantity 0, an index's volume, and open interest
  in the cash segments. An all-zero level is an empty one.
* *Close* is the previous trading day's, as Dhan's support says, not its documentation. The previous
  day's open interest in a previous close packet is not today's: it is not kept. Nor are the average
  price and the total quantities, which have no column; `packets` shows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, Literal, Protocol, get_args
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit import nifty
from ltpkit.batch import Batch, BookUpdate, Depth, Event, Goodbye, Received, Reject, Ticks
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.dhan_wire import PACKETS, ROW_CODES, SEGMENT_CODES, SEGMENTS, Split, packets, split
from ltpkit.instruments import Instrument, Instruments, split_symbol
from ltpkit.schema import FEED_FLOATS, NO_TIME

__all__ = ["IST_OFFSET_S", "REASONS", "Dhan", "Mode", "Simulated", "packets"]

Mode = Literal["ticker", "quote", "full"]

#: Indian wall clock is this far ahead of UTC.
IST_OFFSET_S: Final = 19_800

#: Disconnect codes: Dhan's published words, and whether coming back makes sense. 805 is sent to the
#: oldest of six connections and to a client in a hurry alike; the second passes, so it is retried
#: with the usual growing pause. Dhan asks not to reconnect in a loop on 806 to 810.
REASONS: Final[dict[int, tuple[str, Literal["retry", "login", "stop"]]]] = {
    800: ("internal server error", "retry"),
    804: ("more instruments than allowed", "stop"),
    805: ("too many requests or connections, the oldest connection was dropped", "retry"),
    806: ("Data API not subscribed", "stop"),
    807: ("access token expired", "login"),
    808: ("authentication failed, client id or token invalid", "stop"),
    809: ("access token invalid", "stop"),
    810: ("client id invalid", "stop"),
}

_INDEX: Final = 0
_CASH: Final = (0, 1, 4)
_EXCHANGE_ORDER: Final = tuple(dict.fromkeys(("NSE", "BSE", *(name for _, name in SEGMENTS.values()))))

_Floats = npt.NDArray[np.float64]

# --- prices -------------------------------------------------------------------------------------


def _all(flags: npt.NDArray[np.bool_]) -> bool:
    # Counting is several times faster than `.all()` on the few hundred flags of a usual batch.
    return int(np.count_nonzero(flags)) == flags.size


@cache
def _steps(tick_size: float) -> tuple[float, float, float]:
    """Return the ticks in 1, and whole numbers whose quotient is a tick: 0.05 is (20, 5, 100).

    NaN where the tick size is unknown: then no price is a multiple of it.
    """
    for scale in (1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6):
        step = tick_size * scale
        if tick_size > 0 and round(step) >= 1 and abs(step - round(step)) < 1e-6 * step:
            return scale / round(step), float(round(step)), scale
    return math.nan, math.nan, math.nan


def _as_quoted(sent: npt.NDArray[np.float32], per: _Floats, step: _Floats, scale: _Floats) -> _Floats:
    """Return the prices the exchange meant: shape (n, m), NaN where there is none.

    The multiple of the tick size nearest to what was sent is the price, if float32 would write that
    multiple so. Otherwise the tick size is not believed: exchanges change them and instrument lists
    lag behind.
    """
    prices: _Floats = sent * per
    np.rint(prices, out=prices)
    prices *= step
    prices /= scale  # whole numbers until here, so this is the double nearest to the decimal
    explained = prices.astype(np.float32) == sent
    if not _all(explained) or not math.isfinite(np.add.reduce(prices, axis=None)):
        odd = ~explained | ~np.isfinite(prices)
        raw = sent[odd].astype(np.float64)
        size = np.abs(raw)
        # Steps of float32 reach 0.0001 at 1024 and 0.001 at 16384: further decimals are its own.
        places = np.where(size < 1024, 1e4, np.where(size < 16_384, 1e3, 1e2))
        short = np.rint(raw * places) / places
        short[~np.isfinite(short)] = np.nan
        prices[odd] = short
    if np.count_nonzero(prices) < prices.size:
        prices[prices == 0] = np.nan
    return prices


# --- instruments --------------------------------------------------------------------------------


def _key(segment: int, security_id: int) -> int:
    """As in `Split.keys`."""
    return segment | security_id << 8


class _Numbers:
    """From a packet's segment and id to the instrument's number, many at a time."""

    def __init__(self, table: Instruments, listing: Iterable[Instrument]) -> None:
        self._table = table
        self._listing: dict[int, Instrument] = {}
        for instrument in listing:
            key = self._key_of(instrument)
            if key is not None:
                self._listing.setdefault(key, instrument)
        self._by_key: dict[int, int] = {}
        self._seen = 0
        # A key that no packet has ends the sorted keys, so that a search never runs past them.
        self._keys = np.array([2**64 - 1], np.uint64)
        self._numbers = np.array([-1], np.int32)
        self._steps = np.zeros((3, 0))

    @staticmethod
    def _key_of(instrument: Instrument) -> int | None:
        segment = SEGMENT_CODES.get(instrument.segment)
        if segment is None or not instrument.broker_id.isdecimal():
            return None
        security_id = int(instrument.broker_id)
        return _key(segment, security_id) if security_id < 2**32 else None

    def _refresh(self) -> None:
        """Take in what was added to the table since the last time."""
        fresh = range(self._seen, len(self._table))
        for number in fresh:
            key = self._key_of(self._table[number])
            if key is not None:
                self._by_key.setdefault(key, number)
        self._seen = fresh.stop
        added = [_steps(float(self._table.tick_sizes[number])) for number in fresh]
        self._steps = np.concatenate([self._steps, np.array(added).reshape(-1, 3).T], axis=1)
        keys = np.fromiter(self._by_key, np.uint64, len(self._by_key))
        numbers = np.fromiter(self._by_key.values(), np.int32, len(self._by_key))
        order = keys.argsort()
        self._keys = np.append(keys[order], np.uint64(2**64 - 1))
        self._numbers = np.append(numbers[order], np.int32(-1))

    def of(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        """Return the numbers of these instruments, giving the unknown ones one."""
        if len(self._table) != self._seen:
            self._refresh()
        at = self._keys.searchsorted(keys)
        unknown = self._keys[at] != keys
        if np.count_nonzero(unknown):
            for key in dict.fromkeys(keys[unknown].tolist()):
                self._by_key[key] = self._table.add(self.instrument(key))
            self._refresh()
            at = self._keys.searchsorted(keys)
        return self._numbers[at]

    def instrument(self, key: int) -> Instrument:
        """Return the instrument as the table or the listing has it, else one named after its id."""
        if len(self._table) != self._seen:
            self._refresh()
        if key in self._by_key:
            return self._table[self._by_key[key]]
        if key in self._listing:
            return self._listing[key]
        segment, security_id = key & 0xFF, str(key >> 8)
        name, exchange = SEGMENTS.get(segment, (f"SEGMENT_{segment}",) * 2)
        return Instrument(exchange=exchange, symbol=security_id, segment=name, broker_id=security_id)

    def steps(self, numbers: npt.NDArray[np.int32]) -> _Floats:
        """Return the instruments' tick sizes as `_steps` has them, for rows by prices."""
        found: _Floats = self._steps.take(numbers, axis=1)
        return found[:, :, None]


# --- rows ---------------------------------------------------------------------------------------

_LINE: Final = {name: line for line, name in enumerate(FEED_FLOATS)}
_LTQ, _VOLUME, _OI = _LINE["ltq"], _LINE["volume"], _LINE["oi"]
_BID, _BID_QTY, _ASK, _ASK_QTY = (_LINE[name] for name in ("bid", "bid_qty", "ask", "ask_qty"))
_LEVELS: Final = 5


class _Books(msgspec.Struct):
    """The levels of some rows: 5 of the bid, then 5 of the ask; NaN prices where one is empty."""

    rows: npt.NDArray[np.intp]
    price: _Floats
    qty: _Floats
    orders: npt.NDArray[np.int32]

    def only(self, keep: npt.NDArray[np.intp]) -> _Books:
        return _Books(self.rows[keep], self.price[keep], self.qty[keep], self.orders[keep])


class _Reading:
    """How packets of one code are read: where their fields are among 4-byte words.

    numpy reads aligned words several times faster than the fields of a packed record, and the
    2-byte last quantity unaligns all that follows it. So packets are copied to words without it.
    """

    _prices: Final = {
        "ltp": "ltp",
        "open": "open_price",
        "high": "high_price",
        "low": "low_price",
        "close": "close_price",
        "prev_close": "close_price",
    }

    def __init__(self, code: int) -> None:
        fields = dict(PACKETS[code].fields or {})
        self.words = (PACKETS[code].itemsize - 8) // 4
        self.has_ltq = "ltq" in fields
        self.has_depth = "depth" in fields

        def word(name: str) -> int:
            offset = int(fields[name][1])
            return (offset - (10 if self.has_ltq and offset > 12 else 8)) // 4

        prices = [name for name in self._prices if name in fields]
        #: Lines of `Ticks.values`, and which of the prices go there: runs of them, so plain slices.
        self.price_lines: list[tuple[slice, slice]] = []
        for column, name in enumerate(prices):
            line = _LINE[self._prices[name]]
            if self.price_lines and self.price_lines[-1][0].stop == line:
                lines, columns = self.price_lines.pop()
                self.price_lines.append((slice(lines.start, line + 1), slice(columns.start, column + 1)))
            else:
                self.price_lines.append((slice(line, line + 1), slice(column, column + 1)))
        self.first_level = len(prices)
        self.count_words = {_LINE[name]: word(name) for name in ("volume", "oi") if name in fields}
        self.time_word = word("ltt") if "ltt" in fields else None
        levels = range(word("depth"), word("depth") + 5 * _LEVELS, 5) if self.has_depth else ()
        self.price_words = np.array(
            [*map(word, prices), *(first + 3 for first in levels), *(first + 4 for first in levels)]
        )
        self.qty_words = np.array([*levels, *(first + 1 for first in levels)], np.intp)
        self.order_halves = np.array([2 * first + side for side in (4, 5) for first in levels], np.intp)

    def of(self, packed: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
        """Return the packets' words behind the header, without the last quantity."""
        words = np.empty((len(packed), self.words), np.uint32)
        octets = words.view(np.uint8)
        if self.has_ltq:
            octets[:, :4] = packed[:, 8:12]
            octets[:, 4:] = packed[:, 14:]
        else:
            octets[:] = packed[:, 8:]
        return words

    def fill(
        self,
        packed: npt.NDArray[np.uint8],
        words: npt.NDArray[np.uint32],
        steps: _Floats,
        out: _Floats,
    ) -> tuple[_Floats, _Floats, npt.NDArray[np.int32]] | None:
        """Write what the packets say to the lines of `out`; return the levels where they have any."""
        if len(self.price_words):
            prices = _as_quoted(words.view(np.float32).take(self.price_words, axis=1), *steps)
            for lines, columns in self.price_lines:
                out[lines] = prices[:, columns].T
        for line, word in self.count_words.items():
            out[line] = words[:, word]
        if self.has_ltq:
            out[_LTQ] = np.ascontiguousarray(packed[:, 12:14]).view(np.uint16)[:, 0]
        if not self.has_depth:
            return None
        levels = prices[:, self.first_level :]
        qty = words.take(self.qty_words, axis=1).astype(np.float64)
        out[_BID], out[_ASK] = levels[:, 0], levels[:, _LEVELS]
        out[_BID_QTY], out[_ASK_QTY] = qty[:, 0], qty[:, _LEVELS]
        return levels, qty, words.view(np.uint16).take(self.order_halves, axis=1).astype(np.int32)


_READINGS: Final = {code: _Reading(code) for code in ROW_CODES}
_IS_ROW: Final = np.isin(np.arange(256), list(ROW_CODES))
_IS_INDEX: Final = np.arange(256) == _INDEX
_IS_CASH: Final = np.isin(np.arange(256), _CASH)
_SEGMENT_MASK: Final = np.uint64(0xFF)


def _zero_is_missing(values: _Floats, segments: npt.NDArray[np.intp]) -> None:
    """Make NaN of the zeros that mean "none" in packets with quantities.

    An open interest packet is sent on purpose: its zero counts, and it does not come here.
    """
    zero = values == 0
    zero[_VOLUME] &= _IS_INDEX[segments]
    zero[_OI] &= _IS_CASH[segments]
    if np.count_nonzero(zero):
        values[zero] = np.nan
    for price, qty in ((_BID, _BID_QTY), (_ASK, _ASK_QTY)):
        priced = values[price] == values[price]
        if not _all(priced):
            values[qty, ~priced] = np.nan  # a level without a price is no level


def _depth(ticks: Ticks, found: list[_Books]) -> Depth | None:
    if not found:
        return None
    books = found[0]
    if len(found) > 1:
        rows = np.concatenate([b.rows for b in found])
        books = _Books(
            rows,
            np.concatenate([b.price for b in found]),
            np.concatenate([b.qty for b in found]),
            np.concatenate([b.orders for b in found]),
        ).only(rows.argsort())
    there = books.price == books.price  # not NaN
    if _all(there):
        bid_ends = ask_ends = np.arange(_LEVELS, _LEVELS * len(there) + _LEVELS, _LEVELS)
        bids, asks = np.s_[:, :_LEVELS], np.s_[:, _LEVELS:]
        bid_price, bid_qty, bid_orders = books.price[bids], books.qty[bids], books.orders[bids]
        ask_price, ask_qty, ask_orders = books.price[asks], books.qty[asks], books.orders[asks]
    else:
        on_bid, on_ask = there.copy(), there.copy()
        on_bid[:, _LEVELS:] = on_ask[:, :_LEVELS] = False
        bid_ends, ask_ends = on_bid.sum(axis=1).cumsum(), on_ask.sum(axis=1).cumsum()
        bid_price, bid_qty, bid_orders = books.price[on_bid], books.qty[on_bid], books.orders[on_bid]
        ask_price, ask_qty, ask_orders = books.price[on_ask], books.qty[on_ask], books.orders[on_ask]
    every = len(books.rows) == len(ticks)
    return Depth(
        instrument=ticks.instrument if every else ticks.instrument[books.rows],
        timestamp=ticks.timestamp if every else ticks.timestamp[books.rows],
        received_at=ticks.received_at if every else ticks.received_at[books.rows],
        bid_ends=bid_ends,
        bid_price=bid_price.ravel(),
        bid_qty=bid_qty.ravel(),
        bid_orders=bid_orders.ravel(),
        ask_ends=ask_ends,
        ask_price=ask_price.ravel(),
        ask_qty=ask_qty.ravel(),
        ask_orders=ask_orders.ravel(),
    )


class _Secret(Protocol):
    """A token in a wrapper that prints as stars, such as pydantic's ``SecretStr``."""

    def get_secret_value(self) -> str: ...


class Dhan:
    """Dhan's live market feed.

    Parameters
    ----------
    instruments : Instruments
        The stream's table. Packets of an instrument that nobody listed get a new entry named after
        the broker's id, so that nothing is dropped.
    kind : "live"
        Which of Dhan's feeds; the deep depth feeds speak another format.
    mode : {"full", "quote", "ticker"}
        How much to ask for: with five levels of depth, without, or price and time only.
    client_id, token : str or a secret, optional
        Dhan's credentials; not needed to decode a capture.
    url : str, optional
        Another address, for tests and proxies. Its own query parameters are kept.
    known : iterable of Instrument
        What `resolve` finds, as in Dhan's list of instruments.
    """

    name = "dhan"
    #: As published. Silence is our own choice: thin options are quiet for a minute and more.
    limits = Limits(per_message=100, per_connection=5000, connections=5, silence_s=120.0)
    home: str | None = "wss://api-feed.dhan.co/"

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "live",
        mode: Mode = "full",
        client_id: str | None = None,
        token: str | _Secret | None = None,
        url: str | None = None,
        known: Iterable[Instrument] = (),
    ) -> None:
        if kind != "live":
            raise SettingError(f"The {self.name} feed has no kind {kind!r}. Kinds: live.")
        if mode not in get_args(Mode):
            raise SettingError(
                f"The {self.name} feed has no mode {mode!r}. Modes: {', '.join(get_args(Mode))}."
            )
        self.kind = kind
        self.mode = mode
        self._client_id = client_id
        self._token = token
        self._url = url
        self._table = instruments
        listing = tuple(known)
        self._known: dict[str, Instrument] = {i.name: i for i in reversed(listing)}
        self._numbers = _Numbers(instruments, listing)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} feed: {self.mode}, {len(self._known)} instruments listed>"

    # --- addresses and requests

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means: ``NSE:RELIANCE``, ``RELIANCE``, or segment and id ``NSE_EQ:2885``.

        A name without an exchange is looked for on NSE, then BSE, then the others in Dhan's order.

        Raises
        ------
        UnknownInstrument
            With the near misses.
        """
        exchange, name = split_symbol(symbol)
        if exchange in SEGMENT_CODES and name.isdecimal() and int(name) < 2**32:
            return self._numbers.instrument(_key(SEGMENT_CODES[exchange], int(name)))
        for spelling in (name, name.upper()):
            for where in [exchange] if exchange else _EXCHANGE_ORDER:
                full_name = f"{where}:{spelling}"
                number = self._table.number(full_name)
                if full_name in self._known:
                    return self._known[full_name]
                if number is not None and self._table[number].segment in SEGMENT_CODES:
                    return self._table[number]
        known = dict.fromkeys([*self._known, *(i.name for i in self._table if i.segment in SEGMENT_CODES)])
        try_ = "" if known else "Give Dhan's own segment and id, such as NSE_EQ:2885."
        raise UnknownInstrument(symbol, f"the {self.name} feed", known, try_=try_)

    def address(self) -> str:
        """Return the WebSocket address; it holds the token."""
        url = self._url or self.home
        if url is None:
            raise SettingError(f"The {self.name} feed needs the address of its exchange: url='ws://…'.")
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            said = f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else "no scheme"
            raise SettingError(f"url= must start with ws:// or wss:// and name a host; this has {said}.")
        token = self._token
        if token is not None and not isinstance(token, str):
            token = token.get_secret_value()
        if self._url is None and not (token and self._client_id):
            raise SettingError(
                "Dhan needs client_id= and token=, or the environment's DHAN_CLIENT_ID and DHAN_ACCESS_TOKEN."
            )
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        query["version"] = "2"
        if token:
            query["token"] = token
        if self._client_id:
            query["clientId"] = self._client_id
        query["authType"] = "2"
        # Dhan answers 400 when the path before the query is empty.
        return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(query), ""))

    def login(self) -> Sequence[Message]:
        """Return nothing: the address holds the token."""
        return ()

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the requests for these instruments, 100 in each. Dhan does not answer them."""
        return self._requests({"ticker": 15, "quote": 17, "full": 21}[self.mode], instruments)

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the requests that end these instruments, 100 in each."""
        return self._requests({"ticker": 16, "quote": 18, "full": 22}[self.mode], instruments)

    def _requests(self, code: int, instruments: Sequence[Instrument]) -> list[Message]:
        most = self.limits.per_message or len(instruments)
        messages: list[Message] = []
        for start in range(0, len(instruments), most):
            some = instruments[start : start + most]
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

    def snapshot_address(self, instrument: Instrument) -> str | None:
        """Return None: full packets carry the whole book."""
        return None

    def decode_snapshot(self, instrument: Instrument, body: bytes, received_at: int) -> BookUpdate:
        """Raise `ValueError`: there are no snapshots to decode."""
        raise ValueError("Dhan sends whole books in the stream; it has no snapshot answers.")

    # --- decoding

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these messages say, rows in arrival order.

        Ticks from ticker, quote, full, open interest, previous close and version 1 depth packets;
        depth from the last and from full packets (an index has no book); an event
        ``market_status`` or ``goodbye`` for the others.
        """
        if not frames:
            return Batch()
        batch = Batch()
        # Random bits make floats that numpy would warn about; they end as NaN.
        with np.errstate(all="ignore"):
            found = split(frames)
            if found.code is not None and found.code in ROW_CODES:
                self._one_kind(found, found.code, received_at, batch)
            else:
                self._many_kinds(found, received_at, batch)
        if found.rejects:
            batch.rejects = [
                Reject(received_at=_one(received_at, frame), reason=reason, frame=piece)
                for frame, reason, piece in found.rejects
            ]
        return batch

    def _ticks(self, keys: npt.NDArray[np.uint64], received: Received) -> Ticks:
        n = len(keys)
        received = np.full(n, received, np.int64) if isinstance(received, int) else received
        return Ticks(
            instrument=self._numbers.of(keys),
            timestamp=received,
            received_at=received,
            values=np.full((len(FEED_FLOATS), n), np.nan),
        )

    def _one_kind(self, found: Split, code: int, received_at: Received, batch: Batch) -> None:
        ticks = self._ticks(found.keys, received_at)
        times, sides = self._fill(code, found.packed(code), found.keys, ticks.instrument, ticks.values)
        if times is not None:
            none = times == NO_TIME
            ticks.timestamp = np.where(none, ticks.received_at, times) if np.count_nonzero(none) else times
        batch.ticks = ticks
        batch.depth = _depth(ticks, self._books(sides, np.arange(found.count), found.keys))

    def _many_kinds(self, found: Split, received_at: Received, batch: Batch) -> None:
        codes = np.full(found.count, found.code) if found.codes is None else found.codes
        is_row = _IS_ROW[codes]
        if not is_row.all():
            self._events(found, codes, np.flatnonzero(~is_row).tolist(), received_at, batch)
        packets = np.flatnonzero(is_row)
        if not len(packets):
            return
        if not isinstance(received_at, int):
            received_at = (received_at if found.frame_of is None else received_at[found.frame_of])[packets]
        keys, codes = found.keys[packets], codes[packets]
        ticks = self._ticks(keys, received_at)
        ticks.timestamp = ticks.received_at.copy()
        books: list[_Books] = []
        for code in np.flatnonzero(np.bincount(codes)).tolist():
            rows = np.flatnonzero(codes == code)
            out = np.full((len(FEED_FLOATS), len(rows)), np.nan)
            packed = found.packed(code, packets[rows])
            times, sides = self._fill(code, packed, keys[rows], ticks.instrument[rows], out)
            ticks.values[:, rows] = out
            if times is not None:
                known = np.flatnonzero(times != NO_TIME)
                ticks.timestamp[rows[known]] = times[known]
            books += self._books(sides, rows, keys[rows])
        batch.ticks = ticks
        batch.depth = _depth(ticks, books)

    def _fill(
        self,
        code: int,
        packed: npt.NDArray[np.uint8],
        keys: npt.NDArray[np.uint64],
        numbers: npt.NDArray[np.int32],
        out: _Floats,
    ) -> tuple[npt.NDArray[np.int64] | None, tuple[_Floats, _Floats, npt.NDArray[np.int32]] | None]:
        """Fill `out` from packets of one code; return the times and the levels."""
        reading = _READINGS[code]
        words = reading.of(packed)
        sides = reading.fill(packed, words, self._numbers.steps(numbers), out)
        if reading.has_ltq or reading.has_depth:
            _zero_is_missing(out, (keys & _SEGMENT_MASK).astype(np.intp))
        if reading.time_word is None:
            return None, sides
        sent = words[:, reading.time_word]
        times = sent.astype(np.int64)
        times -= IST_OFFSET_S
        times *= 1_000_000
        if np.count_nonzero(sent) < len(sent):
            times[sent == 0] = NO_TIME
        return times, sides

    @staticmethod
    def _books(
        sides: tuple[_Floats, _Floats, npt.NDArray[np.int32]] | None,
        rows: npt.NDArray[np.intp],
        keys: npt.NDArray[np.uint64],
    ) -> list[_Books]:
        if sides is None:
            return []
        books = _Books(rows, *sides)
        has_book = keys & _SEGMENT_MASK != _INDEX
        if _all(has_book):
            return [books]
        return [books.only(np.flatnonzero(has_book))] if has_book.any() else []

    def _events(
        self,
        found: Split,
        codes: npt.NDArray[np.intp],
        numbers: list[int],
        received_at: Received,
        batch: Batch,
    ) -> None:
        events: list[Event] = []
        for number in numbers:
            code = int(codes[number])
            packet = found.record(code, number)
            at = _one(received_at, number if found.frame_of is None else int(found.frame_of[number]))
            if code == 7:
                segment = int(packet["segment"])
                name = SEGMENTS.get(segment, (f"SEGMENT_{segment}", ""))[0]
                detail: dict[str, object] = {"segment": name, "security_id": int(packet["security_id"])}
                events.append(Event(at=at, kind="market_status", detail=detail))
                continue
            reason = int(packet["reason"])
            words, then = REASONS.get(reason, ("no published meaning", "retry"))
            batch.goodbye = Goodbye(code=reason, reason=words, then=then)
            detail = {"code": reason, "reason": words, "then": then}
            events.append(Event(at=at, kind="goodbye", detail=detail))
        batch.events = events


class Simulated(Dhan):
    """The built-in exchange, `ltpkit.simulator`: Dhan's format, symbols of its own listing.

    Needs `url`, the address of a running one. Credentials are sent when given.
    """

    name = "simulated"
    #: It has no quiet hours, and no fixed pace either: silence means nothing here.
    limits = Limits(per_message=100, per_connection=5000, connections=5)
    home = None

    def __init__(
        self,
        *,
        instruments: Instruments,
        kind: str = "live",
        mode: Mode = "full",
        client_id: str | None = None,
        token: str | _Secret | None = None,
        url: str | None = None,
        known: Iterable[Instrument] | None = None,
    ) -> None:
        super().__init__(
            instruments=instruments,
            kind=kind,
            mode=mode,
            client_id=client_id,
            token=token,
            url=url,
            known=nifty.instruments() if known is None else known,
        )


def _one(received_at: Received, frame: int) -> int:
    return received_at if isinstance(received_at, int) else int(received_at[frame])
