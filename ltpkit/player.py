"""What was held, as of a moment that moves: play it, hold it, go to any time in it.

A `Player` takes a stretch of rows from a stream, a replay or a store, and answers the reading methods
as they would have answered then. Views made of it show that moment and follow it when it moves. It has
no thread: the moment is worked out from the clock whenever somebody asks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from ltpkit.errors import SettingError, StoreError, UnknownInstrument
from ltpkit.frames import Frames, Name, Table
from ltpkit.schema import BACKFILL, moment_of, us_of
from ltpkit.store import Store
from ltpkit.store.handover import typed
from ltpkit.store.tables import TABLES, TIME_OF, text

if TYPE_CHECKING:
    from ltpkit.views.player import PlayerView

__all__ = ["Player"]

_OTHERS: Final[tuple[Table, ...]] = ("depth", "events")
#: The ticks that newest values are made of, as in the view `latest_ltp`.
_BELIEVED: Final = (
    "SELECT seq FROM believed_ticks "
    f"WHERE received_at BETWEEN ? AND ? AND source IS DISTINCT FROM {text(BACKFILL)}"
)

#: Without `since`: so much before the newest tick.
_STRETCH: Final = timedelta(days=1)


class _Track:
    """Rows of one table in the order they arrived, and how many there were at a time."""

    def __init__(self, rows: pl.DataFrame, time_column: str) -> None:
        self.rows = rows
        # A clock that was set back must not make rows come before those that arrived earlier.
        self.times = np.maximum.accumulate(rows[time_column].to_physical().to_numpy())
        self._where: dict[Name, npt.NDArray[np.int64]] = {}

    def count(self, at_us: int) -> int:
        return int(np.searchsorted(self.times, at_us, side="right"))

    def of(self, name: Name, count: int) -> pl.DataFrame:
        """Return the rows of a name among the first `count`."""
        if name not in self._where:
            exchange, symbol = name
            wanted = pl.col("symbol") == symbol
            if exchange:
                wanted &= pl.col("exchange") == exchange
            self._where[name] = self.rows.select(pl.arg_where(wanted)).to_series().cast(pl.Int64).to_numpy()
        where = self._where[name]
        return self.rows[where[: np.searchsorted(where, count)]]


class Player(Frames):
    """A stretch of the market, as of a moment. Made by the ``player()`` of a stream, replay or store.

    Its reading methods and views answer as of `position`. In a notebook it shows its controls: play and
    hold, speed, and a slider through time.

    Attributes
    ----------
    start, end : datetime.datetime
        When the first and the last row arrived, UTC.
    """

    def __init__(
        self, source: Frames, *, since: datetime | str | None = None, until: datetime | str | None = None
    ) -> None:
        self._source = source
        first, last = _span(source)
        first = max(first, last - _STRETCH) if since is None else _moment_of("since", since)
        last = last if until is None else _moment_of("until", until)
        if first > last:
            raise SettingError(f"since={first} is after until={last}: give the earlier time first.")
        ticks = source.scan().filter(pl.col("received_at").is_between(first, last)).collect().sort("seq")
        tracks: dict[Table, _Track] = {"ticks": _Track(ticks, TIME_OF["ticks"])}
        for table in _OTHERS:
            column = TIME_OF[table]
            query = f'FROM {TABLES[table]} WHERE "{column}" BETWEEN ? AND ? ORDER BY seq'
            tracks[table] = _Track(typed(source.sql(query, [first, last]), table), column)
        if not ticks.height:
            raise StoreError(str(source), f"Nothing was received between {first} and {last}.")
        self._tracks = tracks
        believed = source.sql(_BELIEVED, [first, last])["seq"]
        self._believed = ticks["seq"].is_in(believed.implode())
        instruments = ticks.select("exchange", "symbol").unique().iter_rows()
        self._names_held = sorted(f"{exchange}:{symbol}" for exchange, symbol in instruments)
        self.start, self.end = first, last
        self._lock = threading.RLock()
        self._at_us, self._since_s = us_of(first), 0.0
        self._speed, self._playing = 1.0, False
        self._rewound = 0
        self._newest: tuple[int, pl.DataFrame] = (0, ticks.head(0))
        self._memory: Store | None = None
        self._view: PlayerView | None = None

    # -- moving ---------------------------------------------------------------------------

    @property
    def position(self) -> datetime:
        """The moment that is shown, UTC."""
        return moment_of(self._moment())

    @property
    def playing(self) -> bool:
        """Whether time goes on; it ends at `end`."""
        return self._playing and self._moment() < us_of(self.end)

    @property
    def speed(self) -> float:
        """How many times as fast as it was; may be set, also while it plays."""
        return self._speed

    @speed.setter
    def speed(self, factor: float) -> None:
        _check_speed(factor)
        with self._lock:
            self._at_us, self._since_s = self._moment(), time.monotonic()
            self._speed = float(factor)

    def play(self, speed: float | None = None) -> None:
        """Let time go on, from the beginning where it had ended.

        Raises
        ------
        SettingError
            `speed` is not above 0.
        """
        factor = self._speed if speed is None else speed
        _check_speed(factor)
        with self._lock:
            if self._moment() >= us_of(self.end):
                self.seek(self.start)
            self._at_us, self._since_s = self._moment(), time.monotonic()
            self._speed, self._playing = float(factor), True

    def pause(self) -> None:
        """Hold time."""
        with self._lock:
            self._at_us, self._playing = self._moment(), False

    def seek(self, when: datetime | str) -> None:
        """Go to a moment; before `start` and after `end` mean these. Playing goes on from there.

        Parameters
        ----------
        when : datetime.datetime or str
            With a time zone; as text in ISO form, such as ``"2026-11-20 09:15+05:30"``.

        Raises
        ------
        SettingError
            `when` is no time, or has no time zone.
        """
        to = us_of(_moment_of("when", when))
        with self._lock:
            before = self._moment()
            self._at_us = min(max(to, us_of(self.start)), us_of(self.end))
            self._since_s = time.monotonic()
            if self._at_us < before:
                self._rewound += 1

    def _moment(self) -> int:
        with self._lock:
            if not self._playing:
                return self._at_us
            passed = (time.monotonic() - self._since_s) * 1e6 * self._speed
            return min(self._at_us + int(passed), us_of(self.end))

    # -- what Frames asks for -------------------------------------------------------------

    def _upto(self, table: Table) -> pl.DataFrame:
        track = self._tracks[table]
        return track.rows.head(track.count(self._moment()))

    def _rows(self, table: Table, names: Sequence[Name] | None, last: int | None) -> pl.DataFrame:
        if names is None or table == "events":
            frame = self._upto(table)
        else:
            track = self._tracks[table]
            count = track.count(self._moment())
            parts = [track.of(name, count) for name in names]
            frame = parts[0] if len(parts) == 1 else pl.concat(parts).unique("seq").sort("seq")
        return frame if last is None else frame.tail(last)

    def _latest(self) -> pl.DataFrame:
        with self._lock:
            rows = self._upto("ticks")
            done, newest = self._newest
            if done > rows.height:  # time went back
                done, newest = 0, rows.head(0)
            if done < rows.height:
                new = rows[done:].filter(self._believed[done : rows.height])
                newest = _newest_values(pl.concat([newest, new]))
                self._newest = (rows.height, newest)
            return newest

    def _newest_book(self, name: Name) -> pl.DataFrame:
        track = self._tracks["depth"]
        return track.of(name, track.count(self._moment())).tail(1)

    def _query(self, query: str, params: Any, frames: Mapping[str, Any]) -> pl.DataFrame:
        with self._lock:
            if self._memory is None:
                self._memory = Store()
        memory: dict[str, pl.DataFrame] = {table: self._upto(table) for table in self._tracks}
        return self._memory.sql(query, params, memory=memory, frames=frames)

    def _scan(self) -> pl.LazyFrame:
        return self._upto("ticks").lazy()

    def known(self) -> list[str]:  # noqa: D102 - as in the base
        return list(self._names_held)

    def unknown(self, symbol: str) -> UnknownInstrument:  # noqa: D102 - as in the base
        return UnknownInstrument(symbol, "this stretch of time", self.known(), told=("is not in", "It has"))

    def _now(self) -> datetime:
        return self.position

    # -- what a view asks for -------------------------------------------------------------

    def version(self) -> Hashable:  # noqa: D102 - as in the base
        at = self._moment()
        return self._rewound, self._tracks["ticks"].count(at), self._tracks["depth"].count(at)

    def rewound(self) -> int:  # noqa: D102 - as in the base
        return self._rewound

    def condition(self) -> tuple[str, str | None]:  # noqa: D102 - as in the base
        if self.playing:
            return "playing", None
        return "finished" if self._moment() >= us_of(self.end) else "held", None

    def tick_size(self, name: str) -> float:  # noqa: D102 - as in the base
        return self._source.tick_size(name)

    def sector(self, name: str) -> str:  # noqa: D102 - as in the base
        return self._source.sector(name)

    @property
    def controls(self) -> PlayerView:
        """The play button, speed and slider as a view: the same one each time."""
        if self._view is None or self._view.closed:
            from ltpkit.views.player import PlayerView

            self._view = PlayerView(self)
        return self._view

    def activity(self, parts: int) -> npt.NDArray[np.int64]:
        """Return how many ticks came in each of `parts` equal pieces of time, shape (parts,)."""
        times = self._tracks["ticks"].times
        return np.histogram(times, bins=parts, range=(us_of(self.start), us_of(self.end) + 1))[0]

    def __panel__(self) -> Any:
        """Return the controls as a Panel component."""
        return self.controls.panel()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.controls._repr_mimebundle_(**kwargs)

    def __repr__(self) -> str:
        state, _ = self.condition()
        held = len(self._names_held)
        return (
            f"<Player {state} at {self.position:%Y-%m-%d %H:%M:%S} UTC, {self._speed:g}× · "
            f"{self._tracks['ticks'].rows.height:,} ticks of {held} symbol{'s' * (held != 1)}, "
            f"{self.start:%Y-%m-%d %H:%M:%S} to {self.end:%Y-%m-%d %H:%M:%S}>"
        )


def _check_speed(factor: object) -> None:
    if not (isinstance(factor, int | float) and 0 < factor < float("inf")):
        raise SettingError(f"speed was {factor!r}: a number above 0.")


def _moment_of(name: str, given: datetime | str) -> datetime:
    """Return the moment that an argument of this name means, or say what to give."""
    when: object = given
    if isinstance(given, str):
        with suppress(ValueError):
            when = datetime.fromisoformat(given)
    if not isinstance(when, datetime) or when.utcoffset() is None:
        raise SettingError(
            f"{name}={given!r}: give a date and time with its zone, as a datetime or as text such as "
            "'2026-11-20 09:15+05:30'."
        )
    return when.astimezone(UTC)


def _span(source: Frames) -> tuple[datetime, datetime]:
    """Return when the first and the last tick of a source arrived."""
    query = "SELECT min(received_at) AS first, max(received_at) AS last FROM ticks"
    first, last = source.sql(query).row(0)
    if first is None:
        raise StoreError(str(source), "Nothing was received yet, so there is nothing to play.")
    return first, last


def _newest_values(rows: pl.DataFrame) -> pl.DataFrame:
    """Return for each instrument the last value of each column that has one."""
    kept = [name for name in rows.columns if name not in ("symbol", "exchange")]
    last = [pl.col(name).drop_nulls().last() for name in kept]
    found = rows.group_by("symbol", "exchange", maintain_order=True).agg(last)
    return found.select(rows.columns).cast(rows.schema)
