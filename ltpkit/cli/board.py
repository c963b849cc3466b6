"""What a live table shows, read from a stream a few times a second.

`Board` keeps what a single reading cannot tell: recent prices for the curves, and how many ticks of
which instrument came when. It works with anything that has the methods of `Held`, and draws nothing.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from ltpkit.held import Held
    from ltpkit.status import Status

__all__ = ["CURVE", "SAMPLE_S", "Board", "Shown"]

CURVE: Final = 30  # prices kept of each instrument
SAMPLE_S: Final = 0.5  # between two of them
_RATE_S: Final = 5.0  # as in the status
_REVIEW_S: Final = 5.0  # rows that change places more often cannot be read
_FRESH_S: Final = 0.3

#: An exchange and a symbol.
Name = tuple[str, str]


class Shown(NamedTuple):
    """One row of the table.

    Attributes
    ----------
    exchange, symbol : str
    ltp, change, change_percent : float or None
        As in a tick.
    day_percent : float or None
        From the previous close.
    volume : float or None
        The day's; of a feed that sends none, what was traded since the start.
    digits : int
        After the point of a price, as many as any price of this instrument had.
    prices : list of float or None
        One for each `SAMPLE_S`, the newest last.
    rate : float
        Ticks per second over the last five seconds.
    age_s : float
        Since the newest tick.
    fresh : bool
        The price changed a moment ago.
    """

    exchange: str
    symbol: str
    ltp: float | None
    change: float | None
    change_percent: float | None
    day_percent: float | None
    volume: float | None
    digits: int
    prices: list[float | None]
    rate: float
    age_s: float
    fresh: bool


class _Newest(NamedTuple):
    """Columns of `latest`, by their names."""

    ltp: float | None
    change: float | None
    change_percent: float | None
    close_price: float | None
    volume: float | None
    received_at: datetime


class Board:
    """The newest of one stream.

    Parameters
    ----------
    live : Stream or Replay
    replayed : bool
        Ages are counted from the newest tick: a recording's own time has long passed.
    clock : callable
        Seconds that only go forward.

    Attributes
    ----------
    status : Status
        As of the last `refresh`.
    sums_trades : bool
        Whether a volume is what was traded since the start.
    """

    def __init__(
        self, live: Held, *, replayed: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._live, self._clock = live, clock
        self.replayed = replayed
        self.status: Status = live.status()
        self.sums_trades = False
        self._started = self._now = clock()
        self._seen = 0  # seq up to which ticks were counted
        self._newest: dict[Name, _Newest] = {}
        self._changed_at: dict[Name, float] = {}
        self._recent: deque[tuple[float, dict[Name, int]]] = deque()
        self._ticks: Counter[Name] = Counter()
        self._traded: dict[Name, float] = {}
        self._prices: dict[Name, deque[float | None]] = {}
        self._digits: dict[Name, int] = {}
        self._sampled_at = self._chosen_at = float("-inf")
        self._chosen: list[Name] = []

    def __len__(self) -> int:
        return len(self._newest)

    def refresh(self) -> None:
        """Read the stream once."""
        self._now = self._clock()
        self.status = self._live.status()
        self._count()
        latest = self._live.latest()
        names = zip(latest["exchange"].to_list(), latest["symbol"].to_list(), strict=True)
        for name, values in zip(names, latest.select(_Newest._fields).iter_rows(), strict=True):
            row, before = _Newest(*values), self._newest.get(name)
            if row.ltp is not None:
                if before is None or before.ltp != row.ltp:
                    self._changed_at[name] = self._now
                self._digits[name] = max(self._digits.get(name, 2), _digits(row.ltp))
            self._newest[name] = row
        if self._now - self._sampled_at >= SAMPLE_S:
            self._sampled_at = self._now
            for name, row in self._newest.items():
                self._prices.setdefault(name, deque(maxlen=CURVE)).append(row.ltp)

    def _count(self) -> None:
        """Count the ticks that came since the last look, by instrument."""
        import polars as pl

        ticks = self._live.ticks()
        if ticks.height and ticks["seq"][-1] > self._seen:
            newest = ticks["seq"][-1]
            new = ticks.tail(min(newest - self._seen, ticks.height))  # seq has no holes
            self._seen = newest
            counted = new.group_by("exchange", "symbol").agg(pl.len(), pl.col("ltq").sum())
            counts: dict[Name, int] = {}
            for exchange, symbol, count, quantity in counted.iter_rows():
                name = (exchange, symbol)
                counts[name] = count
                self._traded[name] = self._traded.get(name, 0.0) + quantity
            self._ticks.update(counts)
            self._recent.append((self._now, counts))
        while self._recent and self._now - self._recent[0][0] > _RATE_S:
            self._recent.popleft()

    def rows(self, most: int) -> list[Shown]:
        """Return all instruments in the order they came up, or the busiest where there are more."""
        now = datetime.now(UTC)
        if self.replayed and self._newest:
            now = max(row.received_at for row in self._newest.values())
        return [self._shown(name, now) for name in self._choose(most)]

    def _choose(self, most: int) -> list[Name]:
        if len(self._newest) <= most:
            return list(self._newest)
        if len(self._chosen) != most or self._now - self._chosen_at >= _REVIEW_S:
            busiest = sorted(self._newest, key=lambda name: -self._ticks[name])
            self._chosen, self._chosen_at = busiest[:most], self._now
        return self._chosen

    def _shown(self, name: Name, now: datetime) -> Shown:
        row = self._newest[name]
        day = None
        if row.ltp is not None and row.close_price:
            day = (row.ltp / row.close_price - 1) * 100
        volume = row.volume
        if volume is None and self._traded.get(name):
            volume, self.sums_trades = self._traded[name], True
        span = min(_RATE_S, max(self._now - self._started, 0.5))
        return Shown(
            *name,
            ltp=row.ltp,
            change=row.change,
            change_percent=row.change_percent,
            day_percent=day,
            volume=volume,
            digits=self._digits.get(name, 2),
            prices=list(self._prices.get(name, ())),
            rate=sum(counts.get(name, 0) for _, counts in self._recent) / span,
            age_s=max((now - row.received_at).total_seconds(), 0.0),
            fresh=self._now - self._changed_at.get(name, float("-inf")) < _FRESH_S,
        )


def _digits(price: float) -> int:
    """Return the digits after the point that `price` needs, from 2 to 8."""
    return max(2, len(f"{price:.8f}".rstrip("0").partition(".")[2]))
