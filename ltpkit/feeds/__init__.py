"""Brokers' wire formats, one module each: bytes in, batches out; requests in, messages out.

A feed has no socket, clock, thread or print. It may remember what it needs to read the next
frame. Feeds do not import each other. `names` and `make` find the built-in ones and those that
other packages register under the entry point group ``ltpkit.feeds``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from inspect import signature
from typing import Any, Final, Literal, Protocol, runtime_checkable

import msgspec

from ltpkit.batch import Batch, BookUpdate, Received
from ltpkit.errors import SettingError, UnknownFeed
from ltpkit.instrument import Instrument, Instruments

__all__ = [
    "Beating",
    "BookStreaming",
    "Feed",
    "HeaderLogin",
    "Limits",
    "Message",
    "Offering",
    "make",
    "names",
]

#: One WebSocket message to send: text for a text frame, bytes for a binary one.
Message = str | bytes

ENTRY_POINT_GROUP: Final = "ltpkit.feeds"

_BUILT_IN: Final = {
    "angelone": "ltpkit.feeds.angelone:AngelOne",
    "binance": "ltpkit.feeds.binance:Binance",
    "coinbase": "ltpkit.feeds.coinbase:Coinbase",
    "dhan": "ltpkit.feeds.dhan:Dhan",
    "kite": "ltpkit.feeds.kite:Kite",
    "kraken": "ltpkit.feeds.kraken:Kraken",
    "simulated": "ltpkit.feeds.dhan:Simulated",
    "upstox": "ltpkit.feeds.upstox:Upstox",
}


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a broker allows, as published.

    Attributes
    ----------
    per_message, per_connection, connections : int or None
        Instruments in one request, instruments on one connection, connections at a time.
    messages_per_second : float or None
        Messages the broker takes from us on one connection.
    silence_s : float or None
        Silent for this long while its market is open, the connection is dead.
    life : {"rows", "messages", "pongs"}
        What ends a silence: only rows; any message, for a broker that sends heartbeats; pongs too, for
        instruments that may be quiet for hours.
    hours : {"exchange", "always"}
        When rows are to be expected: in the hours of the instruments' exchanges, or at any time.
    """

    per_message: int | None = None
    per_connection: int | None = None
    connections: int | None = None
    messages_per_second: float | None = None
    silence_s: float | None = None
    life: Literal["rows", "messages", "pongs"] = "rows"
    hours: Literal["exchange", "always"] = "exchange"


@runtime_checkable
class Feed(Protocol):
    """One broker's stream, as the streamer sees it.

    A feed is made with the stream's `Instruments` and its own settings, by keyword.

    Attributes
    ----------
    name : str
        The feed's name, the ticks' `source`.
    kind : str
        Which of the broker's streams: ``"live"``, ``"spot"``, ``"usdm"``, …
    limits : Limits
        What the broker allows.
    """

    name: str
    kind: str
    limits: Limits

    def resolve(self, symbol: str) -> Instrument:
        """Return what `symbol` means here; raise `UnknownInstrument` with the near misses."""
        ...

    def address(self) -> str:
        """Return the WebSocket address to connect to. It may hold a token: never log it."""
        ...

    def login(self) -> Sequence[Message]:
        """Return what to send once connected, before any subscription."""
        ...

    def subscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that ask for these instruments, within `limits.per_message`."""
        ...

    def unsubscribe(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that end these instruments."""
        ...

    def decode(self, frames: Sequence[bytes], received_at: Received) -> Batch:
        """Return what these frames say, in arrival order.

        Text frames come as UTF-8 bytes. `received_at` is one time for all, or an array with one
        per frame. Never raises for what a broker might send: what cannot be read is a `Reject`.
        """
        ...

    def closed(self, code: int, reason: str) -> str:
        """Return ``"retry"``, ``"login"`` or ``"stop"`` for a WebSocket close or HTTP status."""
        ...

    def snapshot_address(self, instrument: Instrument) -> str | None:
        """Return the HTTP address of a whole book, or None where the stream itself sends one."""
        ...

    def decode_snapshot(self, instrument: Instrument, body: bytes, received_at: int) -> BookUpdate:
        """Return the book in an answer from `snapshot_address`; raise `ValueError` if it is none."""
        ...


@runtime_checkable
class BookStreaming(Feed, Protocol):
    """A feed whose stream sends whole books itself, so that there is nothing to fetch."""

    def resubscribe_books(self, instruments: Sequence[Instrument]) -> Sequence[Message]:
        """Return the messages that make the broker send whole books of these instruments anew."""
        ...


@runtime_checkable
class HeaderLogin(Feed, Protocol):
    """A feed whose login goes in the headers of the handshake."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers. They may hold a token: never log them."""
        ...


@runtime_checkable
class Offering(Feed, Protocol):
    """A feed that can tell by itself what may be subscribed."""

    def offers(self) -> Sequence[str]:
        """Return every ``EXCHANGE:SYMBOL``."""
        ...


@runtime_checkable
class Beating(Feed, Protocol):
    """A feed whose broker wants to hear something now and then, in messages of its own."""

    def keep_alive(self) -> tuple[Message, float]:
        """Return what to send while connected, and the seconds between two of them."""
        ...


def names() -> list[str]:
    """Return the names that `make` takes, built in and registered."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=ENTRY_POINT_GROUP))})


def make(name: str, instruments: Instruments, **settings: Any) -> Feed:
    """Return a new feed.

    Raises
    ------
    UnknownFeed
        Nothing of that name is built in or registered.
    SettingError
        The feed takes no setting of such a name.
    """
    factory = _factory(name)
    takes = [name for name in signature(factory).parameters if name != "instruments"]
    if unknown := [setting for setting in settings if setting not in takes]:
        raise SettingError(f"The {name} feed takes no {unknown[0]!r}. It takes {', '.join(takes)}.")
    feed: Feed = factory(instruments=instruments, **settings)
    return feed


def alike(one: str, other: str) -> bool:
    """Return whether two feeds read the same frames: they are one, or one is made of the other.

    Raises
    ------
    UnknownFeed
        Nothing of one of the names is built in or registered.

    Examples
    --------
    >>> alike("simulated", "dhan"), alike("kite", "dhan")
    (True, False)
    """
    first, second = _factory(one), _factory(other)
    if not (isinstance(first, type) and isinstance(second, type)):
        return one == other
    return issubclass(first, second) or issubclass(second, first)


def _factory(name: str) -> Any:
    """Return what makes feeds of this name."""
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    points = [p for p in entry_points(group=ENTRY_POINT_GROUP) if p.name == name]
    if not points:
        raise UnknownFeed(name, names())
    return points[0].load()
