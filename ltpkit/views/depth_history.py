"""The depth history: the book over time as a heat map, with the trades on it.

Time goes in buckets. Each has a column with the last book in it, kept by the view as numpy arrays of a fixed
size: new rows are added once, the base sends the window, and frames the columns since.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from ltpkit.errors import SettingError
from ltpkit.views.depth_columns import Books, Trades
from ltpkit.views.source import full_name, precision, stamp, zone_of
from ltpkit.views.view import Message, View

if TYPE_CHECKING:
    from ltpkit.frames import Frames

__all__ = ["DepthHistory"]

_COLUMNS: Final = 600  # buckets in the window
_SHORTEST_BUCKET_US: Final = 10_000
_TRADES: Final = 20_000  # kept
_MOST_DOTS: Final = 4_000  # drawn
_SINCE_BASE: Final = 80  # buckets, after which they belong in the base
_MOST_LEVELS: Final = 200
_LONGEST_S: Final = 86_400.0
_SCALES: Final = ("log", "sqrt")
_GAPS_EVERY_S: Final = 1.0
#: States in which time goes on though nothing may come.
_GOES_ON: Final = ("live", "stale", "connecting", "backing_off")


class DepthHistory(View):
    """The book of one instrument over time, live.

    Parameters
    ----------
    source : Frames
    symbol : str
    seconds : float
        Length of the window.
    levels : int
        On each side, at most.
    scale : str
        ``"log"`` or ``"sqrt"``: how quantities become colours.
    palette : str
        Of lines and trades: ``"classic"`` for green and red, ``"safe"`` for blue and orange.
    """

    kind: ClassVar[str] = "depth_history"
    fps: float = 10.0

    def __init__(
        self,
        source: Frames,
        symbol: str,
        *,
        seconds: float = 60.0,
        levels: int = 20,
        scale: str = "log",
        palette: str = "classic",
    ) -> None:
        self._read_for: object = None  # what the arrays were made for
        self._seqs = {"depth": 0, "ticks": 0}
        self._gaps: list[list[float | None]] = []
        self._gaps_at = -math.inf
        super().__init__(source, symbol=symbol, seconds=seconds, levels=levels, scale=scale, palette=palette)

    def _check(self, name: str, value: Any) -> Any:
        if name == "symbol":
            return full_name(self.source, value)
        if name == "levels":
            if not isinstance(value, int) or not 1 <= value <= _MOST_LEVELS:
                raise SettingError(f"levels={value!r}: a whole number from 1 to {_MOST_LEVELS}.")
            return value
        if name == "seconds":
            if not isinstance(value, int | float) or not 1 <= value <= _LONGEST_S:
                raise SettingError(f"seconds={value!r}: a number from 1 to {_LONGEST_S:,.0f}, a day.")
            return float(value)
        if name == "scale":
            if value not in _SCALES:
                raise SettingError(f"scale={value!r}: one of {', '.join(_SCALES)}.")
            return value
        return super()._check(name, value)

    def _rebase(self, names: set[str]) -> bool:
        return bool(names & {"symbol", "seconds", "levels"})

    # -- what is remembered ---------------------------------------------------------------

    def _read(self) -> bool:
        """Take what came since the last call; return whether everything was read anew instead.

        That is where something else is shown, or the source went back in time.
        """
        name, seconds, levels = (self._options[one] for one in ("symbol", "seconds", "levels"))
        wanted = name, seconds, levels, self.source.rewound()
        anew = wanted != self._read_for
        if not anew:
            books = self.source.newer("depth", self._seqs["depth"], name)
            ticks = self.source.newer("ticks", self._seqs["ticks"], name)
        else:
            bucket_us = max(round(seconds * 1e6 / _COLUMNS), _SHORTEST_BUCKET_US)
            self._books = Books(_COLUMNS + 1, levels, bucket_us)
            self._trades = Trades(_TRADES, bucket_us)
            self._seqs = {"depth": 0, "ticks": 0}
            self._gaps_at = -math.inf
            self._read_for = wanted
            start = self._end(name) - timedelta(seconds=seconds)
            books = self.source.received("depth", name, start)
            ticks = self.source.received("ticks", name, start)
        self._books.add(books)
        self._trades.add(ticks, self._books)
        for table, rows in (("depth", books), ("ticks", ticks)):
            if rows.height:
                self._seqs[table] = rows["seq"][-1]
        return anew

    def _end(self, name: str) -> datetime:
        """Return the time at the right edge."""
        if self.source.condition()[0] in _GOES_ON:
            return datetime.now(UTC)
        newest = self.source.latest(name).select("received_at")
        book = self.source.books(name, last=1).select("received_at")
        end = pl.concat([newest, book])["received_at"].max()
        return end if isinstance(end, datetime) else datetime.now(UTC)

    def _outgrown(self) -> bool:
        if self._read():
            return True
        last = self._books.last_bucket
        return last is not None and last - self._base_bucket > _SINCE_BASE

    # -- what is sent ---------------------------------------------------------------------

    def _base(self) -> Message:
        self._read()
        name, bucket_us = self._options["symbol"], self._books.bucket_us
        end = int(self._end(name).timestamp() * 1e6) // bucket_us
        self._origin = end - _COLUMNS
        last = self._books.last_bucket
        # What is in this bucket may still change: it is for the frames.
        self._base_bucket = self._origin if last is None else max(last, self._origin)
        header = {
            "symbols": self.source.known(),
            "decimals": precision(self.source, name),
            "step": self.source.tick_size(name),
            "zone": zone_of(name),
            "levels": self._books.levels,
            "origin": self._origin * bucket_us / 1000,
            "bucket": bucket_us / 1000,
            "buckets": _COLUMNS,
        }
        return header, self._columns(self._origin, self._base_bucket)

    def _frame(self) -> Message:
        name = self._options["symbol"]
        newest = self.source.latest(name)
        row = newest.row(0, named=True) if newest.height else {}
        header = {
            "seq": row.get("seq"),
            "stamp": stamp(row.get("received_at")),
            "ltp": row.get("ltp"),
            "end": stamp(self._end(name)),
            "gaps": self._gaps_shown(name),
        }
        return header, self._columns(self._base_bucket, math.inf)

    def _columns(self, start: int, stop: float) -> dict[str, Any]:
        books = self._books.columns(start, self._origin)
        return books | self._trades.columns(start, stop, self._origin, _MOST_DOTS)

    def _gaps_shown(self, name: str) -> list[list[float | None]]:
        """Return when nothing came, from and to: a gap that is still open has no end."""
        now = time.monotonic()
        if now - self._gaps_at > _GAPS_EVERY_S:
            self._gaps_at = now
            found = self.source.gaps().filter(pl.col("symbols").list.contains(name))
            since = datetime.now(UTC) - timedelta(seconds=_LONGEST_S)
            start = pl.coalesce("start", "at")
            rows = found.filter(start >= since).select(start, "end").tail(100)
            self._gaps = [[stamp(start), stamp(end)] for start, end in rows.iter_rows()]
        return self._gaps

    def _text(self) -> str:
        name, seconds = self._options["symbol"], self._options["seconds"]
        with self._lock:
            self._read()
            at, bid, ask = self._books.best
            shown = pl.DataFrame({"received_at": at, "bid": bid, "ask": ask}).tail(8)
            total = len(self._books)
        times = (
            pl.from_epoch("received_at", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(zone_of(name))
        )
        return f"{name}, {total} books of the last {seconds:g} s, the newest:\n{shown.with_columns(times)}"
