"""What could not be decoded, in memory: counted in full, the newest kept, told of in few events."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from ltpkit.allowance import Allowance
from ltpkit.batch import Event, Reject

if TYPE_CHECKING:
    import polars as pl

__all__ = ["RejectLog"]

_KEPT: Final = 1000
_KEPT_BYTES: Final = 32 << 20
_REASONS: Final = 50  # told of in a second, and gathered
_OTHERS: Final = "others, of more reasons than are told apart"


class RejectLog:
    """Frames, or pieces of them, that could not be decoded.

    Parameters
    ----------
    hide : callable
        Returns a text without what may not be shown: servers repeat what they were told.
    mask : callable
        Does the same for frames, whose lengths stay.

    Attributes
    ----------
    count : int
        How many there were.
    waiting : bool
        Whether some of them no event tells of yet.

    Notes
    -----
    The newest 1000 are kept, as long as they take no more than 32 MB. The first of a reason has an event at
    once; further ones within a second (of their `received_at`) are gathered, and told a second later with
    their number. Beyond fifty reasons in a second they are told as one. So events grow with time, not with
    what a server sends.
    """

    def __init__(
        self, *, hide: Callable[[str], str] = str, mask: Callable[[Sequence[bytes]], list[bytes]] = list
    ) -> None:
        self.count = 0
        self._hide, self._mask = hide, mask
        self._newest: deque[Reject] = deque()
        self._bytes = 0
        self._told: set[str] = set()  # reasons that had an event in this second
        self._gathered: Counter[str] = Counter()
        self._allowance = Allowance(_REASONS)

    @property
    def waiting(self) -> bool:  # noqa: D102 - in the class
        return bool(self._gathered)

    def add(self, rejects: Sequence[Reject]) -> list[Event]:
        """Keep these, one or more in order of arrival, and return the events to write now."""
        at = rejects[-1].received_at
        events = self.due(at)
        self.count += len(rejects)
        frames = self._mask([one.frame for one in rejects])
        for one, frame in zip(rejects, frames, strict=True):
            kept = Reject(received_at=one.received_at, reason=self._hide(one.reason), frame=frame)
            self._newest.append(kept)
            self._bytes += len(frame)
        while len(self._newest) > _KEPT or self._bytes > _KEPT_BYTES:
            self._bytes -= len(self._newest.popleft().frame)
        for reason, count in Counter(one.reason for one in rejects).items():
            if reason not in self._told and self._allowance.take():
                self._told.add(reason)
                events.append(_event(at, reason, count))
            elif reason in self._gathered or len(self._gathered) < _REASONS:
                self._gathered[reason] += count
            else:
                self._gathered[_OTHERS] += count
        return events

    def due(self, at: int) -> list[Event]:
        """Return what was gathered where a second has passed since."""
        if not self._allowance.renewed(at):
            return []
        self._told.clear()
        return self.rest(at)

    def rest(self, at: int) -> list[Event]:
        """Return all that was gathered."""
        gathered, self._gathered = self._gathered, Counter()
        return [_event(at, reason, count) for reason, count in gathered.items()]

    def frame(self) -> pl.DataFrame:
        """Return those that are kept, shape (up to 1000, 3): ``received_at, reason, frame``."""
        import polars as pl

        kept = list(self._newest)
        return pl.DataFrame(
            {
                "received_at": [one.received_at for one in kept],
                "reason": [one.reason for one in kept],
                "frame": [one.frame for one in kept],
            },
            schema={"received_at": pl.Datetime("us", "UTC"), "reason": pl.String, "frame": pl.Binary},
        )

    def __repr__(self) -> str:
        return f"<RejectLog: {self.count:,} rejects>"


def _event(at: int, reason: str, count: int) -> Event:
    return Event(at=at, kind="reject", detail={"reason": reason, "frames": count})
