"""Filling gaps from the broker's history: beside the feed, never on its way.

`Backfiller` looks for gaps that the stream has told of, asks the broker's history (or a function of the
user's) for what was missed, and hands the rows over to be appended. A gap is filled for one instrument as
a whole or not at all, and once: an event ``backfilled`` says how many rows came, ``backfill_failed`` why
none did. Requests keep the broker's pace, and wait as long as it asks for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import httpx
import msgspec
import numpy as np
import polars as pl

from ltpkit.backfill.asking import Asker
from ltpkit.batch import Event, Ticks
from ltpkit.credentials import hidden
from ltpkit.errors import SettingError
from ltpkit.feeds.common.history import (
    History,
    Minutes,
    Span,
    Trades,
    running_totals,
    ticks_of_minutes,
    ticks_of_trades,
)
from ltpkit.instrument import Instrument, Instruments
from ltpkit.schema import BACKFILL, FEED_FLOATS, moment_of, now_us

__all__ = ["Backfiller", "Hook"]

#: A function of the user's: takes what is known of a gap, returns the rows that were missed.
Hook = Callable[[dict[str, Any]], pl.DataFrame | None]

_CHUNK_ROWS: Final = 8192  # a turn of the feed thread each: a long history must not hold it up
_LOOK_EVERY_S: Final = 1.0
_DAY: Final = 86_400_000_000

_FILLED: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "gap": pl.Int64,
    "symbol": pl.String,
    "start": pl.Datetime("us", "UTC"),
    "end": pl.Datetime("us", "UTC"),
    "rows": pl.Int64,
    "error": pl.String,
}


class _Job(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's part of a gap; without a number where it is none of the ledger's."""

    span: Span
    gap: int | None
    why: str
    missing: int | None


class Backfiller:
    """What fills gaps.

    Parameters
    ----------
    history : History or None
        The broker's.
    hook : callable, optional
        Asked in its place: takes a dict with ``symbol``, ``start`` and ``end`` (aware datetimes), ``why``
        and ``missing``, and returns a frame with at least ``timestamp`` and ``ltp``, or None.
    instruments : Instruments
        The stream's.
    sql : callable
        Takes a query and its parameters and answers over memory and store.
    append : callable
        Takes ticks and appends them on the feed thread.
    note : callable
        Takes an event for the ledger.
    secrets : callable
        Returns the texts to hide in what a server says.
    """

    def __init__(
        self,
        history: History | None,
        hook: Hook | None,
        *,
        instruments: Instruments,
        sql: Callable[[str, list[Any]], pl.DataFrame],
        append: Callable[[Ticks], None],
        note: Callable[[Event], None],
        secrets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._history, self._hook = history, hook
        self._instruments, self._sql = instruments, sql
        self._append, self._note, self._secrets = append, note, secrets
        self._working = threading.Lock()
        self._thread: threading.Thread | None = None
        self._begin()

    def _begin(self) -> None:
        # Anew each time: a request of before that is still out must not come to life again.
        self._stopping = threading.Event()
        self._asker = Asker(self._stopping)

    # -- of itself ------------------------------------------------------------------------

    def start(self, seen: Callable[[], int], since: int) -> None:
        """Fill gaps as they come, in a thread of its own.

        Parameters
        ----------
        seen : callable
            Returns a number that rises with each event of the ledger.
        since : int
            Gaps that were noticed earlier are left alone, µs UTC.
        """
        self._begin()
        args = (seen, since, self._stopping)
        self._thread = threading.Thread(target=self._run, args=args, name="ltpkit-backfill", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 0.2) -> None:
        """End the thread; what it was asking for is left unfilled. A second call does nothing.

        A request that is out is not waited for.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._thread = None

    def _run(self, seen: Callable[[], int], since: int, stopping: threading.Event) -> None:
        settle_s = 0.0 if self._history is None or self._hook is not None else self._history.settle_s
        looked, tried = -1, set[tuple[int | None, str]]()
        waiting: list[_Job] = []
        while not stopping.wait(min(_LOOK_EVERY_S, settle_s or _LOOK_EVERY_S)):
            try:
                if seen() != looked:
                    looked = seen()
                    waiting = [
                        job
                        for job in self._gaps(noticed_since=since)
                        if (job.gap, job.span.instrument.name) not in tried
                    ]
                ready = [one for one in waiting if now_us() - one.span.end > settle_s * 1e6]
                waiting = [one for one in waiting if one not in ready]
                for job in ready:
                    if stopping.is_set():
                        return
                    tried.add((job.gap, job.span.instrument.name))
                    with self._working:
                        self._fill(job)
            except Exception as error:  # noqa: BLE001 - told in the ledger; the next gap is another matter
                if stopping.is_set():
                    return
                self._note(_failed(None, f"{type(error).__name__}: {self._safe(str(error))}"))

    # -- when asked -----------------------------------------------------------------------

    def fill(self, since: int | None, until: int | None, wanted: list[Instrument]) -> pl.DataFrame:
        """Fill what is missing of these instruments, and wait for it.

        Parameters
        ----------
        since, until : int, optional
            Gaps between these times, µs UTC, and what was traded from `since` to an instrument's first
            tick after it. By default the gaps noticed in the last 24 hours.
        wanted : list of Instrument
            Which.

        Returns
        -------
        polars.DataFrame, shape (gaps × instruments, 6)
            ``gap, symbol, start, end, rows, error``.

        Raises
        ------
        SettingError
            There is neither a history to ask nor a function.
        """
        if self._history is None and self._hook is None:
            raise SettingError(
                "This feed has no history to fill gaps from. Give stream() a function: "
                "backfill=lambda gap: frame_with_timestamp_and_ltp."
            )
        if self._stopping.is_set():
            self._begin()
        names = {one.name for one in wanted}
        done: list[tuple[object, ...]] = []
        with self._working:
            noticed_since = now_us() - _DAY if since is None else 0
            jobs = self._gaps(noticed_since=noticed_since, since=since, until=until, names=names)
            if since is not None:
                jobs += self._beginnings(since, now_us() if until is None else until, wanted)
            for job in jobs:
                rows, error = self._fill(job)
                span = job.span
                times = moment_of(span.start), moment_of(span.end)
                done.append((job.gap, span.instrument.name, *times, rows, error))
        return pl.DataFrame(done, schema=_FILLED, orient="row")

    def _gaps(
        self,
        *,
        noticed_since: int,
        since: int | None = None,
        until: int | None = None,
        names: set[str] | None = None,
    ) -> list[_Job]:
        """Return what the ledger tells of and is not filled yet."""
        ledger = self._sql(
            "SELECT seq, kind, symbol, detail FROM feed_events "
            "WHERE kind = 'backfilled' OR (kind = 'gap' AND \"at\" >= make_timestamptz(?)) ORDER BY seq",
            [noticed_since],
        )
        filled: set[tuple[int, str]] = set()
        told: list[tuple[int, str, dict[str, Any]]] = []
        for seq, kind, symbol, text in ledger.iter_rows():
            detail = json.loads(text)
            if kind == "backfilled":
                if detail.get("gap") is not None:
                    filled.add((detail["gap"], symbol))
                continue
            start, end = detail.get("start"), detail.get("end")
            if start is None or end is None:  # not over yet, or of rows that had been received
                continue
            if (since is not None and end < since) or (until is not None and start > until):
                continue
            numbered = self._hook is None and self._history is not None and self._history.numbered
            if "from_id" not in detail and numbered:
                continue  # each instrument's own gap tells it better
            told += [(seq, name, detail) for name in ([symbol] if symbol else detail.get("symbols", []))]
        jobs = []
        for seq, name, detail in told:
            number = self._instruments.number(name)
            if number is None or (seq, name) in filled or (names is not None and name not in names):
                continue
            span = Span(
                instrument=self._instruments[number],
                start=detail["start"],
                end=detail["end"],
                from_id=detail.get("from_id"),
                to_id=detail.get("to_id"),
            )
            jobs.append(_Job(span=span, gap=seq, why=detail["why"], missing=detail.get("missing")))
        return jobs

    def _beginnings(self, since: int, until: int, wanted: list[Instrument]) -> Iterator[_Job]:
        for one in wanted:
            first = self._sql(
                "SELECT epoch_us(min(timestamp)) FROM ticks WHERE symbol = ? AND exchange = ? "
                "AND ltp IS NOT NULL AND timestamp >= make_timestamptz(?)",
                [one.symbol, one.exchange, since],
            ).item()
            end = until if first is None else min(first, until)
            if end > since:
                span = Span(instrument=one, start=since, end=end)
                yield _Job(span=span, gap=None, why="before the first tick", missing=None)

    # -- one instrument's part --------------------------------------------------------------

    def _fill(self, job: _Job) -> tuple[int, str | None]:
        """Fill one job and tell the ledger; return how many rows came, and what went wrong."""
        stopping = self._stopping
        try:
            ticks, source = self._fetched(job)
        except (ValueError, httpx.HTTPError) as error:
            why = self._safe(str(error) or type(error).__name__)
            self._note(_failed(job, why))
            return 0, why
        except Exception as error:  # the user's function may raise anything
            if self._hook is None:
                raise
            why = f"your function raised {type(error).__name__}: {self._safe(str(error))}"
            self._note(_failed(job, why))
            return 0, why
        if stopping.is_set():
            return 0, "the stream was stopped"
        rows = 0 if ticks is None else len(ticks)
        for start in range(0, rows, _CHUNK_ROWS):
            assert ticks is not None
            self._append(ticks.only(slice(start, start + _CHUNK_ROWS)))
        detail: dict[str, object] = {"gap": job.gap, "rows": rows, "source": source}
        detail |= {"start": job.span.start, "end": job.span.end}
        self._note(Event(at=now_us(), kind="backfilled", symbol=job.span.instrument.name, detail=detail))
        return rows, None

    def _fetched(self, job: _Job) -> tuple[Ticks | None, str]:
        if self._hook is not None:
            return self._from_hook(self._hook, job), "rows of your own"
        assert self._history is not None
        pages = [page.found for page in self._asker.pages(self._history, job.span) if page.found is not None]
        trades = [page for page in pages if isinstance(page, Trades)]
        minutes = [page for page in pages if isinstance(page, Minutes)]
        number = self._instruments.number(job.span.instrument.name)
        assert number is not None
        if trades:
            return ticks_of_trades(_joined(trades), number, now_us()), self._history.source
        if not minutes:
            return None, self._history.source
        together = _once(_joined(minutes), job.span)
        return (
            ticks_of_minutes(together, job.span, self._totals(together, job.span), number, now_us()),
            self._history.source,
        )

    def _totals(self, minutes: Minutes, span: Span) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """Return the running totals for these minutes, None for an instrument whose rows carry none."""
        which = "FROM ticks WHERE symbol = ? AND exchange = ? AND volume IS NOT NULL AND source <> ?"
        params = [span.instrument.symbol, span.instrument.exchange, BACKFILL]
        if not self._sql(f"SELECT 1 {which} LIMIT 1", params).height:
            return None
        day = timedelta(days=1)
        known = self._sql(
            f"SELECT epoch_us(timestamp), volume {which} AND timestamp BETWEEN ? AND ? ORDER BY timestamp",
            [*params, moment_of(span.start) - day, moment_of(span.end) + day],
        )
        times, totals = (column.to_numpy() for column in known.get_columns())
        return running_totals(minutes, span, times, totals)

    def _from_hook(self, hook: Hook, job: _Job) -> Ticks | None:
        span = job.span
        given = hook(
            {
                "symbol": span.instrument.name,
                "start": moment_of(span.start),
                "end": moment_of(span.end),
                "why": job.why,
                "missing": job.missing,
            }
        )
        if given is None or not given.height:
            return None
        if lacking := [name for name in ("timestamp", "ltp") if name not in given.columns]:
            raise ValueError(f"the frame has no column {lacking[0]!r}")
        times = given["timestamp"].cast(pl.Datetime("us", "UTC")).dt.timestamp("us")
        rows = given.with_columns(times.alias("timestamp")).filter(
            (pl.col("timestamp") >= span.start) & (pl.col("timestamp") <= span.end)
        )
        rows = rows.sort("timestamp", maintain_order=True)
        number = self._instruments.number(span.instrument.name)
        assert number is not None
        ticks = Ticks.blank(rows.height)
        ticks.instrument[:] = number
        ticks.received_at[:] = now_us()
        ticks.timestamp[:] = rows["timestamp"].to_numpy()
        for name in FEED_FLOATS:
            if name in rows.columns:
                ticks.column(name)[:] = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return ticks

    def _safe(self, text: str) -> str:
        return hidden(text, self._secrets())


def _joined(pages: list[Any]) -> Any:
    kind = type(pages[0])
    return kind(
        **{name: np.concatenate([getattr(one, name) for one in pages]) for name in kind.__struct_fields__}
    )


def _once(minutes: Minutes, span: Span) -> Minutes:
    """Return the minutes that the span touches, each once and by time."""
    starts, places = np.unique(minutes.start, return_index=True)
    places = places[(starts + 60_000_000 > span.start) & (starts < span.end)]
    return Minutes(**{name: getattr(minutes, name)[places] for name in Minutes.__struct_fields__})


def _failed(job: _Job | None, why: str) -> Event:
    detail: dict[str, object] = {"why": why} if job is None else {"gap": job.gap, "why": why}
    symbol = None if job is None else job.span.instrument.name
    return Event(at=now_us(), kind="backfill_failed", symbol=symbol, detail=detail)
