"""What waits for one connection: never more than the newest of each symbol, or a bounded run of ticks.

Lives on the loop that serves the connection. Whoever writes takes what waits as fast as the connection
lets it; what is too much for that is replaced by what is newer, and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from ltpkit.service.subscriptions import Subscription
from ltpkit.service.updates import BOOKS, TICK, Update

__all__ = ["Outlet", "Taken"]

#: Ticks that may wait where every tick is wanted: a fifth of a second at 10,000 ticks/s.
_MOST_WAITING: Final = 2_000
_MOST_NOTES: Final = 100

TOO_SLOW: Final = "this connection is too slow for every tick"


class Taken(NamedTuple):
    """What was taken at once: messages in JSON, then updates in their order."""

    notes: list[bytes]
    updates: list[Update]


class Outlet:
    """One connection's share of a subscription.

    Parameters
    ----------
    subscription : Subscription

    Attributes
    ----------
    after : dict of str to int
        By kind, the `seq` up to which it had everything when it joined: what is not newer is not taken in.
    ending : str
        Why it ends, empty while it does not.
    """

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.after = {TICK: 0, BOOKS: 0}
        self.ending = ""
        self._names = frozenset(subscription.symbols)
        self._kinds = (TICK, BOOKS) if subscription.depth else (TICK,)
        self._waiting: list[Update] = []
        self._newest: dict[tuple[str, str], Update] = {}
        self._notes: deque[bytes] = deque(maxlen=_MOST_NOTES)
        self._skipped: list[Update] = []  # of ticks: the first and the last one that was left out
        self._skips = 0
        self._wake = asyncio.Event()

    @property
    def every_tick(self) -> bool:
        """Whether each tick is wanted, not only the newest now and then."""
        return self.subscription.update_frequency == 0

    def wants(self, update: Update) -> bool:
        """Return whether it is one of its symbols, and new."""
        return (
            update.name in self._names and update.kind in self._kinds and update.seq > self.after[update.kind]
        )

    def offer(self, updates: Iterable[Update]) -> None:
        """Take in what it wants of these."""
        before = len(self._waiting) + len(self._newest)
        if self.every_tick:
            self._waiting += [one for one in updates if self.wants(one)]
            if len(self._waiting) > _MOST_WAITING:
                self._keep_newest()
        else:
            for one in updates:
                if self.wants(one):
                    if self._newest.pop(one.key, None) is not None:
                        self.subscription.conflated += 1
                    self._newest[one.key] = one  # at the end: ticks stay in the order of `seq`
        if len(self._waiting) + len(self._newest) > before:
            self._wake.set()

    def _keep_newest(self) -> None:
        newest = {(one.key, one.priced): one for one in self._waiting}
        kept = set(map(id, newest.values()))
        gone = [one for one in self._waiting if id(one) not in kept]
        self._waiting = [one for one in self._waiting if id(one) in kept]
        self.subscription.conflated += len(gone)
        self._skips += len(gone)
        ticks = [one for one in gone if one.kind == TICK]
        self._skipped = [*self._skipped[:1], *ticks[:1], *ticks[-1:]]

    def note(self, **message: object) -> None:
        """Have this message sent before the updates that wait."""
        self._notes.append(msgspec.json.encode(message))
        self._wake.set()

    def notes(self) -> list[bytes]:
        """Return the messages that wait, and have them no more."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def end(self, why: str) -> None:
        """Have no more taken after what waits."""
        self.ending = self.ending or why
        self._wake.set()

    async def take(self) -> Taken:
        """Return what waits, as soon as something does; nothing at all means the end."""
        while not (self._notes or self._waiting or self._newest or self.ending):
            self._wake.clear()
            await self._wake.wait()
        if self._skips:
            self.note(
                type="gap",
                why=TOO_SLOW,
                missing=self._skips,
                first_seq=self._skipped[0].seq if self._skipped else None,
                last_seq=self._skipped[-1].seq if self._skipped else None,
            )
            self._skips, self._skipped = 0, []
        # In the order of `seq`, so that whoever comes back with the newest one it had has missed none below.
        taken = Taken(self.notes(), [*self._waiting, *self._newest.values()])
        self._waiting, self._newest = [], {}
        if taken.updates:
            seq = max((one.seq for one in taken.updates if one.kind == TICK), default=0)
            self.subscription.sent(len(taken.updates), seq)
        return taken
