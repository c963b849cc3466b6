"""From the rings to the connections: one pass over what is new, however many connections there are.

Runs on the loop that serves the connections. The feed thread only says that something is new, at most once
until the pass it asked for has been made. Connections of one `update_frequency` share their timing, so a
pass costs by its updates, and an update is encoded once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

from ltpkit.gaps import gaps
from ltpkit.instrument import split_symbol
from ltpkit.schema import code_of
from ltpkit.service.outlet import TOO_SLOW, Outlet
from ltpkit.service.pace import Pace
from ltpkit.service.subscriptions import Subscription
from ltpkit.service.updates import BOOKS, TICK, Update

if TYPE_CHECKING:
    import polars as pl

    from ltpkit.service.core import RealTimeSyncService

__all__ = ["Delivery"]

#: Between two passes.
_SHORTEST_S: Final = 0.005
_LONGEST_S: Final = 0.05
_BACKLOG_ROWS: Final = 5_000
_LOOK_S: Final = 1.0
_CLOSE_S: Final = 0.5

GONE: Final = "no longer in memory; /api/v1/realtime/ticks/{symbol}?after_seq= reads the store too"


class Delivery:
    """Hands new rows of a service's stream to the outlets of its connections.

    Parameters
    ----------
    service : RealTimeSyncService
    heartbeat_s : float
        Between heartbeats.
    """

    def __init__(self, service: RealTimeSyncService, *, heartbeat_s: float) -> None:
        self._service, self._heartbeat_s = service, heartbeat_s
        stream = service.stream
        self._intake, self._events = stream._intake, stream._events
        self._ticks, self._books = stream._ring, stream._depth_ring
        self._paces: dict[float, Pace] = {}
        self._events_seen = 0
        self._asked = False
        self._timer: asyncio.TimerHandle | None = None
        self._state = ""
        self._nobody = asyncio.Event()  # set when the last connection has left
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching: asyncio.Task[None] | None = None

    # -- the loop's thread ----------------------------------------------------------------

    def start(self) -> None:
        """Follow the stream, from now on."""
        self._loop = asyncio.get_running_loop()
        self._events_seen = self._events.last_seq
        self._state = self._service.stream._state()
        self._intake.listeners = (*self._intake.listeners, self._told)
        self._service.ended.append(self._subscription_ended)
        self._watching = asyncio.ensure_future(self._watch())

    def stop(self) -> None:
        """Follow no more, and tell every connection. Again does nothing."""
        if self._watching is None:
            return
        self._watching.cancel()
        self._watching = None
        self._intake.listeners = tuple(one for one in self._intake.listeners if one != self._told)
        self._service.ended.remove(self._subscription_ended)
        for outlet in self._outlets():
            outlet.note(type="status", state="stopping", subscription_id=outlet.subscription.id)
            outlet.end("the service is stopping")

    async def close(self) -> None:
        """Stop, and give the connections a moment to take what they were told."""
        self.stop()
        if self._outlets():
            with contextlib.suppress(TimeoutError):
                self._nobody.clear()
                async with asyncio.timeout(_CLOSE_S):
                    await self._nobody.wait()

    def _outlets(self) -> list[Outlet]:
        return [outlet for pace in self._paces.values() for outlet in pace.outlets]

    async def join(self, outlet: Outlet, after_seq: int | None) -> AsyncIterator[list[Update]]:
        """Bring a connection up to date, part by part, and then have `outlet` filled.

        Parameters
        ----------
        outlet : Outlet
        after_seq : int or None
            The newest tick it had; None begins with the newest of each symbol. Where rows after it have
            left memory, a ``gap`` message says which.
        """
        self._say_state(outlet)
        if after_seq is not None:
            after_seq = self._check(outlet, after_seq)
        goal = self._ticks.last_seq
        outlet.after[TICK] = after_seq or 0
        pace = self._pace(outlet)  # before what is newest is looked at, so that nothing falls between
        if after_seq is None or not outlet.every_tick:
            self._offer_newest(outlet)
        while outlet.after[TICK] < pace.seen[TICK]:
            if outlet.after[TICK] >= goal and self._ticks.last_seq - outlet.after[TICK] > _BACKLOG_ROWS:
                # Up to date as of when it came, and slower than what came since.
                after = outlet.after[TICK]
                self._offer_newest(outlet)
                outlet.note(type="gap", why=TOO_SLOW, first_seq=after + 1, last_seq=outlet.after[TICK])
                break
            yield self._backlog(outlet)
            pace = self._pace(outlet)
        if outlet.subscription.depth:
            outlet.offer(self._newest_books(outlet.subscription))
            outlet.after[BOOKS] = self._books.last_seq
        pace.outlets.add(outlet)
        outlet.subscription.clients += 1

    def _offer_newest(self, outlet: Outlet) -> None:
        newest = _updates(TICK, self._ticks.latest().sort("seq"))
        outlet.offer(newest)
        outlet.after[TICK] = max(outlet.after[TICK], newest[-1].seq if newest else 0)

    def _pace(self, outlet: Outlet) -> Pace:
        """Return those of its frequency; where there is nobody yet, what is there now counts as seen."""
        every_s = outlet.subscription.update_frequency
        pace = self._paces.get(every_s)
        if pace is None or not pace.outlets:
            pace = Pace(every_s, {TICK: self._ticks.last_seq, BOOKS: self._books.last_seq})
            self._paces[every_s] = pace
        return pace

    def leave(self, outlet: Outlet) -> None:
        """Forget a connection. One that never joined is fine."""
        pace = self._paces.get(outlet.subscription.update_frequency)
        if pace is not None and outlet in pace.outlets:
            pace.outlets.remove(outlet)
            outlet.subscription.clients -= 1
            outlet.subscription.touch()
            if not self._outlets():
                self._nobody.set()

    def _say_state(self, outlet: Outlet) -> None:
        one = outlet.subscription
        outlet.note(
            type="status",
            state=self._service.stream._state(),
            subscription_id=one.id,
            symbols=one.symbols,
            update_frequency=one.update_frequency,
            depth=one.depth,
            seq=self._ticks.last_seq,
        )

    def _check(self, outlet: Outlet, after_seq: int) -> int:
        """Return where to go on, having told of what is not there."""
        last, first = self._ticks.last_seq, self._ticks.first_seq
        if after_seq > last:
            outlet.note(
                type="gap", why=f"seq {after_seq} was never reached here", first_seq=None, last_seq=last
            )
            return last
        return self._tell_gone(outlet, after_seq, first)

    @staticmethod
    def _tell_gone(outlet: Outlet, after_seq: int, first: int) -> int:
        if after_seq + 1 >= first:
            return after_seq
        outlet.note(type="gap", why=GONE, first_seq=after_seq + 1, last_seq=first - 1)
        return first - 1

    def _backlog(self, outlet: Outlet) -> list[Update]:
        after = self._tell_gone(outlet, outlet.after[TICK], self._ticks.first_seq)
        rows = self._ticks.frame(after_seq=after).head(_BACKLOG_ROWS)
        found = [one for one in _updates(TICK, rows) if outlet.wants(one)]
        outlet.after[TICK] = rows["seq"][-1]
        outlet.subscription.sent(len(found), outlet.after[TICK])
        return found

    def _newest_books(self, subscription: Subscription) -> list[Update]:
        found: list[Update] = []
        for name in subscription.symbols:
            exchange, symbol = split_symbol(name)
            row = self._books.newest(code_of("symbol", symbol), code_of("exchange", exchange))
            found += _updates(BOOKS, row)
        return found

    # -- passes ---------------------------------------------------------------------------

    def _told(self) -> None:
        # On the feed thread, or whichever appended an event.
        if not self._asked and self._loop is not None:
            self._asked = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._pass)

    def _pass(self) -> None:
        if self._watching is None or self._loop is None:
            return
        now = self._loop.time()
        try:
            made: dict[tuple[str, int], list[Update]] = {}  # for all that have seen as much
            for pace in self._paces.values():
                if now >= pace.next_at and self._behind(pace):
                    pace.schedule(now)
                    pace.offer(self._new_ticks(pace, made) + self._new_books(pace, made))
            if self._events.last_seq > self._events_seen:
                self._tell_events()
        finally:
            waits = [pace.next_at - now for pace in self._paces.values() if pace.outlets]
            wait_s = min(max(_SHORTEST_S, min(waits, default=_LONGEST_S)), _LONGEST_S)
            if self._timer is not None:
                self._timer.cancel()  # two threads may have asked for a pass at once
            self._timer = self._loop.call_later(wait_s, self._again)

    def _again(self) -> None:
        self._asked = False  # first, so that nothing is missed between the look and the next call
        if self._events.last_seq > self._events_seen or any(map(self._behind, self._paces.values())):
            self._told()

    def _behind(self, pace: Pace) -> bool:
        """Return whether there is something new for anybody there."""
        if self._ticks.last_seq > pace.seen[TICK]:
            return bool(pace.outlets)
        return self._books.last_seq > pace.seen[BOOKS] and pace.with_depth

    def _new_ticks(self, pace: Pace, made: dict[tuple[str, int], list[Update]]) -> list[Update]:
        """Return every new tick, or the newest of each symbol; those that others asked for are shared."""
        seen = pace.seen[TICK]
        if not pace.every_s:
            for outlet in pace.outlets:
                self._tell_gone(outlet, seen, self._ticks.first_seq)
            return _updates(TICK, self._ticks.frame(after_seq=seen).head(_BACKLOG_ROWS))
        if (TICK, seen) not in made:
            # In Python: polars would have other threads do it, and a busy machine keeps those waiting.
            fresh = sorted(row for row in self._ticks.latest().iter_rows() if row[0] > seen)
            made[TICK, seen] = [Update(TICK, row) for row in fresh]
        return made[TICK, seen]

    def _new_books(self, pace: Pace, made: dict[tuple[str, int], list[Update]]) -> list[Update]:
        seen = pace.seen[BOOKS]
        if not pace.with_depth or self._books.last_seq == seen:
            return []
        rows = self._books.frame(after_seq=seen)
        if not pace.every_s:
            return _updates(BOOKS, rows)
        if (BOOKS, seen) not in made:
            newest = rows.unique(["symbol", "exchange"], keep="last", maintain_order=True).sort("seq")
            made[BOOKS, seen] = _updates(BOOKS, newest)
        return made[BOOKS, seen]

    def _tell_events(self) -> None:
        """Tell of gaps, those whom they concern, and everybody of a change of state."""
        rows = self._events.frame(after_seq=self._events_seen)
        if rows.height:
            self._events_seen = rows["seq"][-1]
        outlets = self._outlets()
        for gap in gaps(rows).iter_rows(named=True):
            about = set(gap.pop("symbols") or ())
            gap.pop("seq")  # of the events, where all other messages mean that of ticks
            for outlet in outlets:
                symbols = [name for name in outlet.subscription.symbols if name in about]
                if symbols or not about:
                    outlet.note(type="gap", **gap, symbols=symbols or outlet.subscription.symbols)
        self._look()

    def _look(self) -> None:
        state = self._service.stream._state()
        if state != self._state:
            self._state = state
            for outlet in self._outlets():
                self._say_state(outlet)

    async def _watch(self) -> None:
        """Look after what no row tells: the stream's state, and the heartbeat."""
        loop = asyncio.get_running_loop()
        next_heartbeat = loop.time() + self._heartbeat_s
        while True:
            await asyncio.sleep(min(_LOOK_S, self._heartbeat_s))
            self._look()
            if loop.time() < next_heartbeat:
                continue
            next_heartbeat = loop.time() + self._heartbeat_s
            for outlet in self._outlets():
                one = outlet.subscription
                outlet.note(
                    type="heartbeat",
                    state=self._state,
                    seq=self._ticks.last_seq,
                    delivered=one.delivered,
                    conflated=one.conflated,
                )

    # -- any thread -----------------------------------------------------------------------

    def _subscription_ended(self, subscription: Subscription) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._end, subscription)

    def _end(self, subscription: Subscription) -> None:
        for outlet in self._outlets():
            if outlet.subscription is subscription:
                outlet.note(type="status", state="unsubscribed", subscription_id=subscription.id)
                outlet.end("unsubscribed")


def _updates(kind: str, rows: pl.DataFrame) -> list[Update]:
    return [Update(kind, row) for row in rows.iter_rows()]
