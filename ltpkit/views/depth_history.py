"""The depth history: the book over time as a heat map, with the trades on it.

Time goes in buckets. Each has a column with the last book in it, kept by the view as numpy arrays of a fixed
size: new rows are added once, the base sends the window, and frames the columns since.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

import polars as pl

from ltpkit.errors import SettingError
from ltpkit.schema import moment_of, us_of
from ltpkit.views.depth_columns import READ, Books, Trades
from ltpkit.views.missed import Gaps, Row
from ltpkit.views.source import full_name, milliseconds, precision, stamp, zone_of
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
_MOST_GAPS: Final = 100
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
        self._book_at = 0  # when the newest book was received
        self._gaps = Gaps(source, self._again)
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
        since = None
        if anew:
            bucket_us = max(round(seconds * 1e6 / _COLUMNS), _SHORTEST_BUCKET_US)
            self._books = Books(_COLUMNS + 1, levels, bucket_us)
            self._trades = Trades(_TRADES, bucket_us)
            self._seqs = {"depth": 0, "ticks": 0}
            self._read_for = wanted
            book = (
                None if self._goes_on else self.source.books(name, last=1)["received_at"].to_physical().max()
            )
            self._book_at = book if isinstance(book, int) else 0
            since = self._end(name) - timedelta(seconds=seconds)
        books = self.source.newer_books(name, self._seqs["depth"], levels=levels, since=since)
        ticks = self.source.newer_numbers(READ, self._seqs["ticks"], name, since=since)
        self._books.add(books)
        self._trades.add(ticks, self._books)
        for table, rows in (("depth", books), ("ticks", ticks)):
            if len(rows["seq"]):
                self._seqs[table] = int(rows["seq"][-1])
        if len(books["seq"]):
            self._book_at = int(books["received_at"][-1])
        return anew

    @property
    def _goes_on(self) -> bool:
        return self.source.condition()[0] in _GOES_ON

    def _end(self, name: str) -> datetime:
        """Return the time at the right edge."""
        newest = max(int(self.source.newest_numbers(name).get("received_at", 0)), self._book_at)
        return datetime.now(UTC) if self._goes_on or not newest else moment_of(newest)

    def _outgrown(self) -> bool:
        if self._read():
            return True
        last = self._books.last_bucket
        return last is not None and last - self._base_bucket > _SINCE_BASE

    # -- what is sent ---------------------------------------------------------------------

    def _base(self) -> Message:
        self._read()
        name, bucket_us = self._options["symbol"], self._books.bucket_us
        end = us_of(self._end(name)) // bucket_us
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
        newest = self.source.newest_numbers(name)
        header = {
            "seq": newest.get("seq"),
            "stamp": milliseconds(newest.get("received_at")),
            "ltp": newest.get("ltp"),
            "end": stamp(self._end(name)),
            "gaps": self._gaps_shown(name),
        }
        return header, self._columns(self._base_bucket, math.inf)

    def _columns(self, start: int, stop: float) -> dict[str, Any]:
        books = self._books.columns(start, self._origin)
        return books | self._trades.columns(start, stop, self._origin, _MOST_DOTS)

    def _gaps_shown(self, name: str) -> list[list[float | None]]:
        """Return when nothing came, from and to: a gap that is still open has no end."""
        since = datetime.now(UTC) - timedelta(seconds=_LONGEST_S)
        spans = self._gaps.shown(name, _spans)
        return [[stamp(start), stamp(end)] for start, end in spans if start >= since]

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


def _spans(gaps: list[Row], name: str) -> list[tuple[datetime, datetime | None]]:
    """Return from when to when something of an instrument was missed."""
    found = [gap for gap in gaps if name in gap["symbols"]]
    return [(gap["start"] or gap["at"], gap["end"]) for gap in found[-_MOST_GAPS:]]
