"""What a broker's history is asked for and what it answers, in words that all feeds share.

Pure: a `Span` becomes a `Request`, the answer's bytes a `Page`, and what is on it ticks. Who sends the
requests, and how often, is `ltpkit.backfill`'s business.

A minute bar becomes up to four ticks, so that bars made of them are the broker's own: its open, high, low
and close in this order, spread over that part of the minute that was missed, the close at its last
microsecond. The open is left out where the minute began before the span, the close where it ended after
it: the stream has its own. High and low are those of the whole minute.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Protocol, runtime_checkable

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit.batch import Ticks
from ltpkit.instrument import Instrument, market_open

__all__ = [
    "Historical",
    "History",
    "Minutes",
    "Page",
    "Request",
    "Span",
    "Trades",
    "running_totals",
    "ticks_of_minutes",
    "ticks_of_trades",
]

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

_MINUTE: Final = 60_000_000
_DAY: Final = 86_400_000_000


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one instrument that was missed.

    Attributes
    ----------
    instrument : Instrument
        Which.
    start, end : int
        The times of what is known before and after it, µs UTC.
    from_id, to_id : int or None
        The first and last trade that is missing, where the feed numbers them.
    """

    instrument: Instrument
    start: int
    end: int
    from_id: int | None = None
    to_id: int | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request: a POST where there is a `body`, else a GET. Headers may hold a token."""

    url: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"<Request {self.url}>"


class Trades(msgspec.Struct, frozen=True, kw_only=True):
    """Executions in the order they happened; times in µs UTC."""

    timestamp: _Ints
    price: _Floats
    qty: _Floats


class Minutes(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of a minute, oldest first; `start` in µs UTC, `volume` what was traded in each."""

    start: _Ints
    open: _Floats
    high: _Floats
    low: _Floats
    close: _Floats
    volume: _Floats


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What one answer holds of the span, and the request for more."""

    found: Trades | Minutes | None
    more: Request | None = None


class History(Protocol):
    """A broker's history of trades or of minutes.

    Attributes
    ----------
    source : str
        What it is, to be read after a number: ``"trades of Binance's history"``.
    pause_s : float
        Between two requests, to stay well within the broker's limit.
    settle_s : float
        How long after a gap the broker has it, at the least.
    numbered : bool
        Whether the feed numbers its trades: then each gap is told by their ids, and one of a connection
        as a whole needs no filling.
    """

    source: str
    pause_s: float
    settle_s: float
    numbered: bool

    def first(self, span: Span) -> Request:
        """Return the request to begin with; raise `ValueError` where the broker has no such history."""
        ...

    def read(self, span: Span, request: Request, body: bytes) -> Page:
        """Return what an answer says; raise `ValueError` where it is none."""
        ...


@runtime_checkable
class Historical(Protocol):
    """A feed whose broker can be asked for what was missed."""

    def history(self) -> History | None:
        """Return how to ask, or None where this kind of the feed has no history."""
        ...


def ticks_of_trades(trades: Trades, number: int, received_at: int) -> Ticks:
    """Return a tick for each trade."""
    ticks = _blank(len(trades.timestamp), number, received_at)
    ticks.timestamp[:] = trades.timestamp
    ticks.column("ltp")[:] = trades.price
    ticks.column("ltq")[:] = trades.qty
    return ticks


def ticks_of_minutes(
    minutes: Minutes, span: Span, totals: _Floats | None, number: int, received_at: int
) -> Ticks:
    """Return up to four ticks for each minute that the span touches, as this module says.

    Parameters
    ----------
    minutes : Minutes
        The broker's.
    span : Span
        What was missed.
    totals : ndarray of float64, shape (minutes,), optional
        The day's running total at the end of each minute: the `volume` of its last row, and less what was
        traded in it that of its open. Without, the minute's volume is the `ltq` of its last row.
    number : int
        The instrument's.
    received_at : int
        When the answer came, µs UTC.
    """
    start, end = np.maximum(minutes.start, span.start), np.minimum(minutes.start + _MINUTE, span.end)
    third = (end - start) // 3
    times = np.stack([start, start + third, start + 2 * third, end - 1])
    prices = np.stack([minutes.open, minutes.high, minutes.low, minutes.close])
    kept = np.ones(times.shape, np.bool_)
    kept[0] = minutes.start >= span.start
    kept[3] = minutes.start + _MINUTE <= span.end
    kept &= end > start
    last, columns = np.where(kept[3], 3, 2), np.arange(times.shape[1])
    said = np.full(times.shape, np.nan)
    if totals is None:
        said[last, columns] = minutes.volume
    else:
        said[0] = np.maximum(totals - np.nan_to_num(minutes.volume), 0.0)
        said[last, columns] = totals
    by_row = kept.T  # minute by minute
    ticks = _blank(int(kept.sum()), number, received_at)
    ticks.timestamp[:] = times.T[by_row]
    ticks.column("ltp")[:] = prices.T[by_row]
    ticks.column("ltq" if totals is None else "volume")[:] = said.T[by_row]
    return ticks


def running_totals(minutes: Minutes, span: Span, times: _Ints, totals: _Floats) -> _Floats:
    """Return the day's running total at the end of each minute.

    Parameters
    ----------
    minutes : Minutes
        Those the broker has of the span.
    span : Span
        What was missed.
    times, totals : ndarray, shape (n,)
        What the stream knows around it: exchange times in µs UTC and the running totals then, by time.

    Returns
    -------
    ndarray of float64, shape (minutes,)
        Counted on from the last total known before the day's first minute here; else back from the
        first one known after the span; else from nothing. Never below what was known before the span
        nor above what was known after it, so that what was traded in it is what the stream says.
    """
    found = np.full(len(minutes.start), np.nan)
    days = _day(minutes.start, span.instrument.exchange)
    known_days = _day(times, span.instrument.exchange)
    for day in np.unique(days):
        some = days == day
        today = known_days == day
        at, said = times[today], totals[today]
        traded = np.cumsum(np.nan_to_num(minutes.volume[some]))
        earlier = said[at < minutes.start[some][0]]
        before, after = said[at <= span.start], said[at >= span.end]
        if len(earlier):
            base = earlier.max()
        elif len(after):
            whole = minutes.start[some] + _MINUTE <= span.end
            base = after.min() - (traded[whole][-1] if whole.any() else 0.0)
        else:
            base = 0.0
        lowest = before.max() if len(before) else 0.0
        highest = after.min() if len(after) else np.inf
        found[some] = np.clip(base + traded, lowest, highest)
    return found


def _day(times: _Ints, exchange: str) -> _Ints:
    if not len(times):
        return times
    zone = market_open(exchange)[1]
    offset = zone.utcoffset(datetime.fromtimestamp(float(times[0]) / 1e6, UTC).replace(tzinfo=None))
    shift = 0 if offset is None else round(offset.total_seconds() * 1e6)
    days: _Ints = (times + shift) // _DAY
    return days


def _blank(rows: int, number: int, received_at: int) -> Ticks:
    ticks = Ticks.blank(rows)
    ticks.instrument[:] = number
    ticks.received_at[:] = received_at
    return ticks
