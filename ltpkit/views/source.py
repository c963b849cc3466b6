"""What a view asks of whatever holds the ticks: a stream, a replay or a store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ltpkit.instrument import market_open

if TYPE_CHECKING:
    from datetime import datetime

    from ltpkit.frames import Frames
    from ltpkit.status import Status

__all__ = ["Reporting", "Subscribing", "full_name", "milliseconds", "precision", "stamp", "zone_of"]


@runtime_checkable
class Subscribing(Protocol):
    """A source that can be asked for more, and for less: a live stream."""

    def subscribe(self, symbols: str | Iterable[str]) -> None:
        """Have these symbols too."""

    def unsubscribe(self, symbols: str | Iterable[str]) -> None:
        """Have these symbols no more."""


@runtime_checkable
class Reporting(Protocol):
    """A source that says how it is doing."""

    def status(self) -> Status:
        """Return how it is doing."""


def full_name(source: Frames, symbol: str) -> str:
    """Return ``EXCHANGE:SYMBOL`` of what a user wrote.

    Raises
    ------
    UnknownInstrument
        The symbol was never subscribed and is not held; the close matches are named.
    """
    for name in source.known():
        if symbol.casefold() in (name.casefold(), name.partition(":")[2].casefold()):
            return name
    raise source.unknown(symbol)


def zone_of(name: str) -> str:
    """Return the time zone that the exchange of ``EXCHANGE:SYMBOL`` keeps."""
    return market_open(name.partition(":")[0])[1].key


def stamp(at: datetime | None) -> float | None:
    """Return a time as the page counts it: milliseconds since 1970."""
    return None if at is None else at.timestamp() * 1000


def milliseconds(time_us: float | None) -> float | None:
    """Return a time in microseconds as the page counts it."""
    return None if time_us is None else time_us / 1000


def precision(source: Frames, name: str) -> int:
    """Return how many decimals the instrument's prices are shown with: those of its tick size, else 2."""
    tick = source.tick_size(name)
    if not tick:
        return 2
    text = f"{tick:.10f}".rstrip("0")
    return max(2, len(text.partition(".")[2])) if tick < 1 else 2
