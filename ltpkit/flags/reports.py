"""Events that name flagged rows, few however many they are, and frames made of those events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from ltpkit.allowance import Allowance
from ltpkit.batch import Event, Ticks
from ltpkit.flags.suspects import LEFT_OUT, Suspects
from ltpkit.instrument import Instruments

if TYPE_CHECKING:
    import polars as pl

__all__ = ["KIND", "Reports", "flagged", "left_out"]

#: The kind of the events that name flagged rows.
KIND: Final = "flagged"

_REPORTS_A_SECOND: Final = 50
_RUNS: Final = 10_000  # of `seq` in one event


class _Runs:
    """Rising row numbers, as runs."""

    __slots__ = ("rows", "runs")

    def __init__(self) -> None:
        self.rows = 0
        self.runs: list[list[int]] = []

    def add(self, first: int, last: int) -> None:
        self.rows += last - first + 1
        if self.runs and self.runs[-1][1] + 1 == first:
            self.runs[-1][1] = last
        elif len(self.runs) < _RUNS:
            self.runs.append([first, last])


class Reports:
    """The events that say which rows were flagged.

    One for each instrument and reason of a batch, up to fifty a second (of `received_at`). What is beyond
    that is gathered, and becomes one event for each instrument and reason a second, or one for each reason
    where that would be more than fifty. So events grow with time, not with ticks.

    Parameters
    ----------
    instruments : Instruments
        Gives the events their symbols.

    Attributes
    ----------
    waiting : bool
        Whether there is something gathered.

    Notes
    -----
    The detail of an event is ``why``, ``rows`` (how many) and ``seqs``: runs of `seq`, first and last, at
    most 10,000 of them; in a flood that is broken into more, `rows` counts rows that no run names.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._gathered: dict[tuple[str, int], _Runs] = {}
        self._allowance = Allowance(_REPORTS_A_SECOND)

    @property
    def waiting(self) -> bool:  # noqa: D102 - in the class
        return bool(self._gathered)

    def add(self, suspects: Suspects, ticks: Ticks, first_seq: int) -> list[Event]:
        """Return the events to write before these rows are to be seen; the first has `first_seq`."""
        at = int(ticks.received_at[-1])
        events = self.due(at)
        for why, places in suspects.rows.items():
            found: dict[int, _Runs] = {}
            for place, number in zip(places, ticks.instrument[places].tolist(), strict=True):
                gathered = self._gathered.get((why, number)) or found.setdefault(number, _Runs())
                gathered.add(first_seq + place, first_seq + place)
            for number, runs in found.items():
                if self._allowance.take():
                    events.append(self._event(at, why, self._instruments[number].name, runs))
                else:
                    self._gathered[why, number] = runs
        return events

    def due(self, at: int) -> list[Event]:
        """Return what was gathered where a second has passed since."""
        return self.rest(at) if self._allowance.renewed(at) else []

    def rest(self, at: int) -> list[Event]:
        """Return all that was gathered."""
        gathered, self._gathered = self._gathered, {}
        if len(gathered) <= _REPORTS_A_SECOND:
            return [
                self._event(at, why, self._instruments[number].name, runs)
                for (why, number), runs in gathered.items()
            ]
        together: dict[str, list[list[int]]] = {}
        rows: Counter[str] = Counter()
        for (why, _), runs in gathered.items():
            together.setdefault(why, []).extend(runs.runs)
            rows[why] += runs.rows
        events = []
        for why, all_runs in together.items():
            merged = _Runs()
            for first, last in sorted(all_runs):
                merged.add(first, last)
            merged.rows = rows[why]
            events.append(self._event(at, why, None, merged))
        return events

    @staticmethod
    def _event(at: int, why: str, symbol: str | None, runs: _Runs) -> Event:
        detail: dict[str, object] = {"why": why, "rows": runs.rows, "seqs": runs.runs}
        return Event(at=at, kind=KIND, symbol=symbol, detail=detail)


def flagged(events: pl.DataFrame, ticks: pl.DataFrame) -> pl.DataFrame:
    """Return the flagged rows among ticks, in the order they arrived.

    Parameters
    ----------
    events : polars.DataFrame
        Columns of `schema.EVENTS`.
    ticks : polars.DataFrame
        Columns of `schema.TICKS`.

    Returns
    -------
    polars.DataFrame, shape (flagged rows, 7)
        ``seq, symbol, exchange, timestamp, received_at, ltp, why``.
    """
    told = ("seq", "symbol", "exchange", "timestamp", "received_at", "ltp")
    return ticks.select(told).join(_rows(events), on="seq", how="inner", maintain_order="left")


def left_out(events: pl.DataFrame) -> pl.Series:
    """Return the `seq` of the rows that bars, changes and the newest values leave out."""
    import polars as pl

    if not (events["kind"] == KIND).any():
        return pl.Series("seq", dtype=pl.Int64)
    return _rows(events, LEFT_OUT)["seq"].unique()


def _rows(events: pl.DataFrame, reasons: Iterable[str] | None = None) -> pl.DataFrame:
    """Return ``seq`` and ``why`` of each flagged row."""
    import polars as pl

    detail = pl.Struct({"why": pl.String, "seqs": pl.List(pl.List(pl.Int64))})
    found = events.filter(pl.col("kind") == KIND).select(pl.col("detail").str.json_decode(detail))
    found = found.unnest("detail").explode("seqs")
    if reasons is not None:
        found = found.filter(pl.col("why").is_in(list(reasons)))
    first, last = pl.col("seqs").list.first(), pl.col("seqs").list.last()
    return found.select(pl.int_ranges(first, last + 1).alias("seq"), "why").explode("seq")
