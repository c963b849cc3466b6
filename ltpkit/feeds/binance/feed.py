"""Binance's public market streams, spot and USD-M futures: JSON text in, batches out.

Trades and best quotes become ticks, changes of the book become `BookUpdate`: keeping the book is
`ltpkit.book`'s work. How the text is read is in `ltpkit.feeds.binance.wire`.

Sources: binance/binance-spot-api-docs (2026-07) and the USD-M pages of developers.binance.com.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from math import isnan
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Batch, BookUpdate, Depth, Event, Goodbye, Received, Side, Ticks
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Limits, Message
from ltpkit.feeds.binance import wire
from ltpkit.feeds.binance.history import TradeHistory
from ltpkit.feeds.binance.wire import FIRST_MICROSECOND, SYMBOL, UNREADABLE, Arrived, Payload
from ltpkit.feeds.common.answers import PublicStream
from ltpkit.instrument import Instrument, Instruments, split_symbol
from ltpkit.schema import FEED_FLOATS

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

# The lines of `Ticks.values` that a quote and a trade fill: bid to ask_qty, ltp and ltq.
_QUOTE: Final = slice(FEED_FLOATS.index("bid"), FEED_FLOATS.index("ask_qty") + 1)
_TRADE: Final = slice(FEED_FLOATS.index("ltp"), FEED_FLOATS.index("ltq") + 1)
_PARTIAL: Final = re.compile(r"@depth\d")  # depth5, depth10, depth20: whole books, not changes

_Rows = npt.NDArray[np.intp] | slice
_Order = npt.NDArray[np.intp] | None


class _Numbers(dict[str, int]):
    """Symbol on the wire to the instrument's number; a new symbol is added on sight."""

    def __init__(self, instruments: Instruments, exchange: str, segment: str) -> None:
        self._instruments, self._exchange, self._segment = instruments, exchange, segment

    def instrument(self, symbol: str) -> Instrument:
        return Instrument(
            exchange=self._exchange, symbol=symbol, segment=self._segment, broker_id=symbol.lower()
        )

    def __missing__(self, symbol: str) -> int:
        if not SYMBOL.fullmatch(symbol):
            raise KeyError(symbol)
        number = self._instruments.meet(self.instrument(symbol))
        if number is None:
            return self._instruments.rest()
        self[symbol] = number
        return number


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
        self._names = instruments
        self._numbers = _Numbers(instruments, _EXCHANGE[kind], kind)
        self._requests = itertools.count(1)
        self._last_id: dict[int, int] = {}
        self._newest: dict[int, int] = {}

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
            number = self._numbers[instrument.symbol]
            for key in (number, ~number):
                self._last_id.pop(key, None)
                self._newest.pop(key, None)
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
        arrived = Arrived(frames, received_at)
        quotes: list[int] = []
        trades: list[int] = []
        others: list[int] = []
        for i, payload in enumerate(arrived.payloads):
            event = payload.e
            if event == "trade" or event == "aggTrade":
                trades.append(i)
            elif event == "bookTicker" or (not event and payload.u >= 0):
                quotes.append(i)
            else:
                others.append(i)
        if quotes or trades:
            self._ticks(arrived, quotes, trades)
        if others:
            self._others(arrived, others)
        return arrived.batch

    def _ticks(self, arrived: Arrived, quote_at: list[int], trade_at: list[int]) -> None:
        """Read the quotes and trades at these places among the payloads."""
        payloads, received_at = arrived.payloads, arrived.received_at
        n = len(quote_at) + len(trade_at)
        quote_rows, trade_rows, order = _rows(quote_at, trade_at, len(arrived.frames))
        ticks = Ticks.blank(n)
        times = np.empty(n, np.int64)
        try:
            if quote_at:
                quotes = [payloads[i] for i in quote_at] if trade_at or n != len(payloads) else payloads
                self._quotes(quotes, quote_rows, ticks, times)
            if trade_at:
                trades = [payloads[i] for i in trade_at] if quote_at or n != len(payloads) else payloads
                ids = self._trades(trades, trade_rows, ticks, times)
        except (KeyError, TypeError, ValueError):  # no symbol; levels where a price should be; nothing there
            self._sieve(arrived, quote_at, trade_at)
            return
        if isinstance(received_at, int) or order is None:
            ticks.received_at[:] = received_at
        else:
            ticks.received_at[:] = received_at[np.asarray(arrived.places)[order]]
        np.multiply(times, 1000, out=times, where=times < FIRST_MICROSECOND)
        ticks.timestamp[:] = np.where(times > 0, times, ticks.received_at)
        if trade_at:
            none, again = self._follow(trades, ids, trade_rows, ticks, arrived.batch)
            if again:
                ticks.duplicate = _marked(n, again)
            if none:
                ticks = ticks.only(~_marked(n, none))
        if len(ticks):
            arrived.batch.ticks = ticks

    def _quotes(self, quotes: list[Payload], rows: _Rows, ticks: Ticks, times: npt.NDArray[np.int64]) -> None:
        sides: list[list[Any]] = [
            [p.b for p in quotes],
            [p.B for p in quotes],
            [p.a for p in quotes],
            [p.A for p in quotes],
        ]
        if isnan(sum(map(sum, sides))):
            raise ValueError("a quote lacks a price or quantity")
        ticks.values[_QUOTE, rows] = sides
        numbers = self._numbers
        ticks.instrument[rows] = [numbers[p.s] for p in quotes]
        times[rows] = [p.T or p.E for p in quotes]

    def _trades(
        self, trades: list[Payload], rows: _Rows, ticks: Ticks, times: npt.NDArray[np.int64]
    ) -> list[int]:
        prices, quantities = [p.p for p in trades], [p.q for p in trades]
        ids = [p.t if p.e == "trade" else wire.aggregate_id(p) for p in trades]
        if isnan(sum(prices) + sum(quantities)) or -1 in ids:
            raise ValueError("a trade lacks its price, quantity or id")
        ticks.values[_TRADE, rows] = [prices, quantities]
        numbers = self._numbers
        ticks.instrument[rows] = [numbers[p.s] for p in trades]
        times[rows] = [p.T or p.E for p in trades]
        return ids

    def _follow(
        self, trades: list[Payload], ids: list[int], rows: _Rows, ticks: Ticks, batch: Batch
    ) -> tuple[list[int], list[int]]:
        """Follow the trade ids of each symbol; return the rows that are no trade, and those sent before."""
        none: list[int] = []
        again: dict[int, list[int]] = {}
        numbers, last_id, newest = self._numbers, self._last_id, self._newest
        for i, trade in enumerate(trades):
            # Aggregates count their own ids: kept apart under a negative key.
            number, trade_id, moment = numbers[trade.s], ids[i], trade.T
            key = number if trade.e == "trade" else ~number
            before = last_id.get(key)
            if before is not None and trade_id != before + 1:
                if trade_id <= before and moment <= newest[key]:
                    again.setdefault(number, []).append(i)
                    if not trade.p or trade.X != "MARKET":
                        none.append(i)
                    continue
                span = wire.micro(newest[key]), wire.micro(moment)
                batch.events.append(
                    Event(
                        at=int(ticks.received_at[_row(rows, i)]),
                        kind="gap",
                        symbol=self._names[number].name,
                        detail=_missed(before, trade_id, *span),
                    )
                )
            last_id[key] = trade_id
            if moment >= newest.get(key, 0):
                newest[key] = moment
            if not trade.p:
                none.append(i)
            elif trade.X != "MARKET":
                none.append(i)
                batch.events.append(
                    Event(
                        at=int(ticks.received_at[_row(rows, i)]),
                        kind="off_market",
                        symbol=self._names[number].name,
                        detail={"id": trade_id, "price": trade.p, "qty": trade.q, "type": trade.X},
                    )
                )
        for number, repeats in again.items():
            seen = [ids[i] for i in repeats]
            batch.events.append(
                Event(
                    at=int(ticks.received_at[_row(rows, repeats[-1])]),
                    kind="duplicate",
                    symbol=self._names[number].name,
                    detail={"count": len(seen), "from_id": min(seen), "to_id": max(seen), "why": "trade ids"},
                )
            )
        repeated = [i for repeats in again.values() for i in repeats]
        return [_row(rows, i) for i in none], [_row(rows, i) for i in repeated]

    def _sieve(self, arrived: Arrived, quote_at: list[int], trade_at: list[int]) -> None:
        """Reject the quotes and trades that lack something, and read the others."""
        payloads = arrived.payloads
        bad: set[int] = set()
        for i in sorted(quote_at + trade_at):
            if what := wire.lacking(payloads[i]):
                arrived.reject(i, f"{payloads[i].e or 'bookTicker'} without a usable {what}")
                bad.add(i)
        quote_at, trade_at = ([i for i in some if i not in bad] for some in (quote_at, trade_at))
        if quote_at or trade_at:
            self._ticks(arrived, quote_at, trade_at)

    def _others(self, arrived: Arrived, others: list[int]) -> None:
        """Read changes of books, whole books, answers and notices, in arrival order."""
        batch = arrived.batch
        whole_books: list[BookUpdate] = []
        for i in others:
            payload, at = arrived.payloads[i], arrived.at(i)
            if payload.e == "depthUpdate":
                stream = arrived.messages[i].stream
                reason = self._depth_update(payload, stream, at, batch.book_updates, whole_books)
            else:
                reason = self._rare(arrived.frame(i), at, batch, whole_books)
            if reason:
                arrived.reject(i, reason)
        if whole_books:
            batch.depth = _pack(whole_books)

    def _depth_update(
        self,
        payload: Payload,
        stream: str,
        at: int,
        updates: list[BookUpdate],
        whole_books: list[BookUpdate],
    ) -> str:
        """Add what a depthUpdate says; return why it cannot be read, or nothing."""
        bids, asks = payload.b, payload.a
        if not isinstance(bids, list) or not isinstance(asks, list):
            return "depthUpdate without levels"
        if payload.u < 0 or payload.U < 0:
            return "depthUpdate without update ids"
        try:
            number = self._numbers[payload.s]
        except KeyError:
            return "depthUpdate without a usable symbol"
        update = BookUpdate(
            instrument=number,
            timestamp=wire.micro(payload.T or payload.E) or at,
            received_at=at,
            bids=bids,
            asks=asks,
            first_id=payload.U,
            last_id=payload.u,
            previous_id=payload.pu if payload.pu >= 0 else None,
        )
        # USD-M marks its partial books as depthUpdate as well; only the stream's name tells.
        (whole_books if _PARTIAL.search(stream) else updates).append(update)
        return ""

    def _rare(self, frame: bytes, at: int, batch: Batch, whole_books: list[BookUpdate]) -> str:
        """Read a whole book, an answer or a notice; return why it cannot be read, or nothing."""
        try:
            message = wire.read_one(frame)
        except UNREADABLE as error:
            return str(error)
        said = message.data or message
        if said.e == "serverShutdown":
            batch.goodbye = Goodbye(code=0, reason="serverShutdown", then="retry")
        elif said.lastUpdateId >= 0:
            symbol = message.stream.partition("@")[0].upper()
            if symbol and not SYMBOL.fullmatch(symbol):
                return f"a book of the stream {message.stream!r}, which names no symbol"
            book = wire.snapshot(said, self._numbers[symbol] if symbol else None, at)
            if book is None:
                return "a book without bids or asks"
            (whole_books if symbol else batch.book_updates).append(book)
        elif message.error is not None or message.code is not None:
            refusal = message.error or wire.Refusal(code=message.code or 0, msg=message.msg)
            detail: dict[str, object] = {"code": refusal.code, "msg": refusal.msg}
            batch.events.append(Event(at=at, kind="feed_error", detail=detail))
        elif message.id is msgspec.UNSET and message.result is msgspec.UNSET:
            return f"event {said.e!r} is not one this feed reads" if said.e else "not a message of Binance's"
        return ""


def _base(setting: str, url: str, schemes: tuple[str, str]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname or parts.query or parts.fragment:
        example = f"{schemes[1]}://host:port"
        raise SettingError(f"{setting} must be a base address like {example}, without a query.")
    return url.rstrip("/")


def _rows(quote_at: list[int], trade_at: list[int], frames: int) -> tuple[_Rows, _Rows, _Order]:
    """Return the ticks' rows that quotes and trades take, and the places they come from.

    The places are None when every frame is a tick: then they are the rows.
    """
    everything = slice(None)
    if len(quote_at) + len(trade_at) == frames:
        return (
            np.array(quote_at, np.intp) if trade_at else everything,
            np.array(trade_at, np.intp) if quote_at else everything,
            None,
        )
    order = np.array(sorted(quote_at + trade_at), np.intp)
    return np.searchsorted(order, quote_at), np.searchsorted(order, trade_at), order


def _row(rows: _Rows, i: int) -> int:
    return i if isinstance(rows, slice) else int(rows[i])


def _missed(before: int, after: int, start: int, end: int) -> dict[str, object]:
    """Return the detail of a gap between two trades: their ids, and their times in µs."""
    between: dict[str, object] = {"start": start, "end": end, "from_id": before + 1}
    if after > before:
        return {"why": "trade ids", **between, "to_id": after - 1, "missing": after - before - 1}
    # Lower, and a later trade: the exchange counts anew, as its test network does from time to time.
    return {"why": "trade ids began anew", **between}


def _marked(n: int, rows: list[int]) -> npt.NDArray[np.bool_]:
    """Return an array that is true at these of `n` rows."""
    marked = np.zeros(n, np.bool_)
    marked[rows] = True
    return marked


def _pack(books: list[BookUpdate]) -> Depth:
    def side(levels: list[Sequence[tuple[float, float]]]) -> Side:
        ends = np.cumsum([len(some) for some in levels], dtype=np.int64)
        flat = np.array([level for some in levels for level in some], np.float64).reshape(-1, 2)
        return Side(ends, flat[:, 0].copy(), flat[:, 1].copy())

    return Depth.of(
        np.array([book.instrument for book in books], np.int32),
        np.array([book.timestamp for book in books], np.int64),
        np.array([book.received_at for book in books], np.int64),
        side([book.bids for book in books]),
        side([book.asks for book in books]),
    )
