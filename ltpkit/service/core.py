"""The service itself: subscriptions of other programs over one stream.

The broker sees the union of all subscriptions and of the notebook's own symbols, once. Each call exists
twice: a coroutine under the name that the service is known by, and a plain call ending in ``_sync`` that
works anywhere, inside a notebook's running loop too; neither touches the caller's loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self, TypeVar

from ltpkit.aside import aside
from ltpkit.errors import SettingError, StreamStopped
from ltpkit.live import Stream
from ltpkit.running import stream as start_stream
from ltpkit.service.subscriptions import Subscription, Subscriptions

__all__ = ["RealTimeSyncService"]

_T = TypeVar("_T")


class RealTimeSyncService:
    """One stream, shared by many programs.

    Parameters
    ----------
    stream : Stream, optional
        A stream that already runs; the service then leaves it running. By default `start` makes one.
    **options
        For that one, as of `ltpkit.stream`: ``feed=``, ``store=``, ….

    Attributes
    ----------
    started_at : datetime.datetime or None
        UTC; None while it is not running.
    ended : list of callable
        Called with each subscription that ends, on the thread that ended it.

    Examples
    --------
    >>> service = RealTimeSyncService(store="ticks.duckdb")                     # doctest: +SKIP
    >>> subscription_id = await service.subscribe_symbols(["RELIANCE", "TCS"])  # doctest: +SKIP
    >>> status = await service.get_subscription_status(subscription_id)         # doctest: +SKIP
    >>> await service.stop()                                                    # doctest: +SKIP
    """

    def __init__(self, stream: Stream | None = None, **options: Any) -> None:
        if stream is not None and options:
            raise SettingError(f"The stream is there already: {', '.join(options)} would change nothing.")
        self._stream, self._options, self._ours = stream, options, stream is None
        self._table = Subscriptions()
        self.ended: list[Callable[[Subscription], None]] = []
        self.started_at: datetime | None = None

    # -- plain calls, for any thread ------------------------------------------------------

    def start_sync(self) -> Self:
        """Start the stream where it does not run, and take subscriptions. Again does nothing."""
        if self._stream is None:
            self._stream = start_stream([], **self._options)
        elif self._stream.status().state == "stopped":
            self._stream.start()
        if self.started_at is None:
            self.started_at = datetime.now(UTC)
        return self

    def stop_sync(self) -> None:
        """End all subscriptions, and the stream where `start` made it. Again does nothing."""
        for one in self._table:
            self.unsubscribe_sync(one.id)
        if self._ours and self._stream is not None:
            self._stream.stop()
        self.started_at = None

    def subscribe_symbols_sync(
        self, symbols: str | Iterable[str], update_frequency: float = 1.0, *, depth: bool = False
    ) -> str:
        """Subscribe; what `subscribe_symbols` does, without a loop."""
        names = [symbols] if isinstance(symbols, str) else list(symbols)
        if not names:
            raise SettingError("No symbol was given: a subscription needs one at least.")
        if not (math.isfinite(update_frequency) and update_frequency >= 0):
            raise SettingError(
                f"update_frequency={update_frequency}: give the seconds between updates of a symbol, or 0."
            )
        if self.started_at is None:
            self.start_sync()
        held = self.stream.hold(names)
        made = Subscription(tuple(held), update_frequency=update_frequency, depth=depth)
        try:
            gone = self._table.add(made)
        except BaseException:
            self.stream.release(held)
            raise
        if gone is not None:
            self._end(gone)
        return made.id

    def get_subscription_status_sync(self, subscription_id: str) -> dict[str, Any]:
        """Return how a subscription is doing; what `get_subscription_status` does, without a loop."""
        one = self._table[subscription_id]
        one.touch()
        return {
            "subscription_id": one.id,
            "symbols": list(one.symbols),
            "update_frequency": one.update_frequency,
            "depth": one.depth,
            "created": one.created,
            "clients": one.clients,
            "delivered": one.delivered,
            "conflated": one.conflated,
            "update_rate": one.update_rate,
            "last_update": one.last_update,
            "seq": one.seq,
        }

    def unsubscribe_sync(self, subscription_id: str) -> None:
        """End a subscription; what `unsubscribe` does, without a loop."""
        self._end(self._table.pop(subscription_id))

    def _end(self, one: Subscription) -> None:
        self.stream.release(one.symbols)
        for told in self.ended:
            told(one)

    # -- the same, for coroutines ---------------------------------------------------------

    async def start(self) -> Self:
        """Start the stream where it does not run, and take subscriptions. Again does nothing."""
        return await self._aside(self.start_sync)

    async def stop(self) -> None:
        """End all subscriptions, and the stream where `start` made it. Again does nothing."""
        await self._aside(self.stop_sync)

    async def subscribe_symbols(
        self, symbols: str | Iterable[str], update_frequency: float = 1.0, *, depth: bool = False
    ) -> str:
        """Subscribe and return the subscription's id.

        Parameters
        ----------
        symbols : str or iterable of str
            ``"RELIANCE"`` or ``"NSE:RELIANCE"``. The broker is asked only for those that are new.
        update_frequency : float
            Seconds between updates of a symbol, of which each brings the newest price; 0 for every tick.
        depth : bool
            Send books too.

        Raises
        ------
        UnknownInstrument
            With the near misses; nothing is subscribed.
        TooManySymbols, PlanError
            More than ``MAX_CONCURRENT_SYMBOLS``, or than the broker takes.
        SettingError
            No symbol, or a frequency that is none.
        TooManySubscriptions
            The service is full.
        """
        call = partial(self.subscribe_symbols_sync, symbols, update_frequency, depth=depth)
        return await self._aside(call)

    async def get_subscription_status(self, subscription_id: str) -> dict[str, Any]:
        """Return how a subscription is doing.

        Returns
        -------
        dict
            ``subscription_id``, ``symbols``, ``update_frequency``, ``depth``, ``created``, ``clients``
            (connections), ``delivered`` and ``conflated`` (updates sent, and replaced by newer ones for a
            slow connection), ``update_rate`` (sent per second), ``last_update``, ``seq``.

        Raises
        ------
        UnknownSubscription
            There is none of that id.
        """
        return self.get_subscription_status_sync(subscription_id)

    async def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription; symbols that nobody else wants are given up.

        Raises
        ------
        UnknownSubscription
            There is none of that id.
        """
        await self._aside(partial(self.unsubscribe_sync, subscription_id))

    async def _aside(self, call: Callable[[], _T]) -> _T:
        # These calls wait for the feed thread, and for a broker's list of instruments at the first symbol.
        return await aside(call, name="service")

    # -- what there is --------------------------------------------------------------------

    @property
    def stream(self) -> Stream:
        """The stream behind it.

        Raises
        ------
        StreamStopped
            The service was not started and has none yet.
        """
        if self._stream is None:
            raise StreamStopped("The service is not started. Its start() makes the stream.")
        return self._stream

    def subscription(self, subscription_id: str) -> Subscription:
        """Return a subscription by its id, or raise `UnknownSubscription`."""
        return self._table[subscription_id]

    @property
    def subscriptions(self) -> list[Subscription]:
        """The subscriptions there are, oldest first."""
        return list(self._table)

    @property
    def clients(self) -> int:
        """Connections that receive updates now."""
        return sum(one.clients for one in self._table)

    def __repr__(self) -> str:
        state = "stopped" if self.started_at is None else f"since {self.started_at:%H:%M:%S} UTC"
        return f"<RealTimeSyncService {state}: {len(self._table)} subscriptions, {self.clients} clients>"
