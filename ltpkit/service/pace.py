"""The timetable of connections that want news as often as each other."""

from __future__ import annotations

from ltpkit.service.outlet import Outlet
from ltpkit.service.updates import Update

__all__ = ["Pace"]


class Pace:
    """Connections of one frequency, what they had last, and when they are due again.

    Parameters
    ----------
    every_s : float
        Between two offers; 0 offers every row.
    seen : dict of str to int
        By kind, the `seq` of the newest row that they need not be offered.
    """

    def __init__(self, every_s: float, seen: dict[str, int]) -> None:
        self.every_s, self.seen = every_s, dict(seen)
        self.outlets: set[Outlet] = set()
        self.next_at = 0.0

    @property
    def with_depth(self) -> bool:
        """Whether anybody here wants books."""
        return any(outlet.subscription.depth for outlet in self.outlets)

    def schedule(self, now: float) -> None:
        """Set the next time: on the beat, or so long from now where it was missed."""
        on_time = now - self.next_at < self.every_s / 2
        self.next_at = (self.next_at if on_time else now) + self.every_s

    def offer(self, updates: list[Update]) -> None:
        """Offer rows to all; they count as seen."""
        for one in updates:
            self.seen[one.kind] = max(self.seen[one.kind], one.seq)
        for outlet in self.outlets:
            outlet.offer(updates)
