"""Who asked for which symbols, and what they were sent: records of subscriptions, in one table.

The table counts nothing over symbols: the stream does, see `Stream.hold`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from ltpkit.errors import TooManySubscriptions, UnknownSubscription

__all__ = ["Subscription", "Subscriptions"]

_MOST: Final = 2_000
_IDLE: Final = timedelta(hours=1)  # without a client; only when the table is full
_RATE_WINDOW_S: Final = 5.0


class Subscription:
    """Symbols that one program wants, and what it was sent.

    Attributes
    ----------
    id : str
        Not to be guessed.
    symbols : tuple of str
        ``EXCHANGE:SYMBOL``.
    update_frequency : float
        Seconds between updates of a symbol; 0 sends every tick.
    depth : bool
        Whether books are sent too.
    created : datetime.datetime
        UTC.
    clients : int
        Connections that receive it now.
    delivered : int
        Updates sent over all its connections.
    conflated : int
        Updates that newer ones replaced because a connection was too slow for them.
    last_update : datetime.datetime or None
        When an update was last sent, UTC.
    seq : int
        `seq` of the newest tick sent; 0 before the first.
    """

    def __init__(self, symbols: tuple[str, ...], *, update_frequency: float, depth: bool) -> None:
        self.id = str(uuid.uuid4())
        self.symbols, self.update_frequency, self.depth = symbols, update_frequency, depth
        self.created = self._seen = datetime.now(UTC)
        self.clients = self.delivered = self.conflated = self.seq = 0
        self.last_update: datetime | None = None
        self._pace: deque[tuple[float, int]] = deque()

    def sent(self, updates: int, seq: int) -> None:
        """Count updates that went out, up to this `seq`."""
        self.delivered += updates
        self.seq = max(self.seq, seq)
        self.last_update = datetime.now(UTC)
        now, pace = time.monotonic(), self._pace
        if not pace or now - pace[-1][0] >= 0.1:
            pace.append((now, self.delivered))
            while now - pace[0][0] > _RATE_WINDOW_S:
                pace.popleft()

    @property
    def update_rate(self) -> float:
        """Updates sent per second over the last five seconds."""
        now = time.monotonic()
        inside = [(at, count) for at, count in tuple(self._pace) if now - at <= _RATE_WINDOW_S]
        if not inside:
            return 0.0
        at, count = inside[0]
        return (self.delivered - count) / max(now - at, 0.1)

    def touch(self) -> None:
        """Note that somebody still cares about it."""
        self._seen = datetime.now(UTC)

    @property
    def idle(self) -> timedelta:
        """How long nobody was connected to it or asked about it."""
        return timedelta(0) if self.clients else datetime.now(UTC) - self._seen

    def __repr__(self) -> str:
        pace = f"every {self.update_frequency:g} s" if self.update_frequency else "every tick"
        return f"<Subscription {self.id}: {len(self.symbols)} symbols, {pace}, {self.delivered:,} sent>"


class Subscriptions:
    """Subscriptions by id. Any thread may ask and change.

    Parameters
    ----------
    most : int
        How many there may be. When there are so many, one that was idle for an hour gives way.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._by_id: dict[str, Subscription] = {}
        self._lock = threading.Lock()

    def add(self, subscription: Subscription) -> Subscription | None:
        """Take one in; return the one that gave way for it, if that was needed.

        Raises
        ------
        TooManySubscriptions
            The table is full and none is idle.
        """
        with self._lock:
            gone = None
            if len(self._by_id) >= self._most:
                idlest = max(self._by_id.values(), key=lambda one: one.idle)
                if idlest.idle < _IDLE:
                    raise TooManySubscriptions(self._most)
                gone = self._by_id.pop(idlest.id)
            self._by_id[subscription.id] = subscription
            return gone

    def __getitem__(self, subscription_id: str) -> Subscription:
        found = self._by_id.get(subscription_id)
        if found is None:
            raise UnknownSubscription(subscription_id)
        return found

    def pop(self, subscription_id: str) -> Subscription:
        """Take one out; raise `UnknownSubscription` where there is none."""
        with self._lock:
            found = self._by_id.pop(subscription_id, None)
        if found is None:
            raise UnknownSubscription(subscription_id)
        return found

    def __iter__(self) -> Iterator[Subscription]:
        with self._lock:
            return iter(tuple(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)
