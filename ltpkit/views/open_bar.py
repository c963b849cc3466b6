"""The bars that grow, in plain numbers: what ticks add to them without the others being looked at.

The rules are those of `ltpkit.bars`. Nearly every turn of a chart brings a few ticks of one bar, or the
first of the next. A frame of them costs milliseconds whatever is in it, and beside a loop in Python, which
lets others have the interpreter for moments, ten times as many.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl

__all__ = ["COLUMNS", "Numbers", "OpenBar"]

#: Columns of ticks as arrays, times in microseconds, NaN for what is not known.
Numbers = Mapping[str, npt.NDArray[Any]]

#: What is read of ticks.
COLUMNS = ("seq", "timestamp", "received_at", "ltp", "ltq", "volume", "source")


class OpenBar:
    """The newest bar of an instrument. Made by `of`, and by `next` of the one before.

    Parameters
    ----------
    row : dict
        Of `ltpkit.bars.measured`.
    schema : polars.Schema
        The types of the row.
    end : int
        When it ends, in microseconds.
    base : tuple of float, optional
        The running total that its volume is counted from, and what is added; none where there are no totals.
    """

    def __init__(
        self, row: dict[str, Any], schema: pl.Schema, end: int, base: tuple[float, float] | None
    ) -> None:
        self._row, self._schema, self._base = row, schema, base
        self.start, self.end = int(row["start"]), end

    @classmethod
    def of(cls, found: pl.DataFrame, end: int, volume: float | None) -> Self | None:
        """Return the last bar of measures, or none where the ones before it would have to be asked.

        Parameters
        ----------
        found : polars.DataFrame
            Of `ltpkit.bars.measured`, with the bar before.
        end : int
            When the last one ends, in microseconds.
        volume : float or None
            What `ltpkit.bars.finished` says of it.
        """
        last = found.row(-1, named=True)
        tops = found["top"].drop_nulls() if "top" in found.columns else pl.Series(dtype=pl.Float64)
        base: tuple[float, float] | None = None
        if len(tops):
            if last["top"] is None:
                return None
            first, quantity = last["first_total"], last["first_qty"]
            base = (tops[-2], 0.0) if len(tops) > 1 else (first, min(first, quantity or 0.0))
            if base[0] > last["top"]:
                return None  # a new day, until the total is where it was
        one = cls(last, found.schema, end, base)
        said = math.nan if volume is None else volume
        return one if one.volume == said or (math.isnan(said) and math.isnan(one.volume)) else None

    def fits(self, ticks: Numbers) -> bool:
        """Return whether ticks, none of them older than this bar, tell of the same as those before did."""
        known = np.count_nonzero(~np.isnan(ticks["volume"]))
        return (not known or self._base is not None) and (known == len(ticks["seq"]) or "trades" in self._row)

    def added(self, ticks: Numbers) -> OpenBar:
        """Return the bar with more of its ticks, which fit, in the order they arrived; each has a price."""
        row, prices = dict(self._row), ticks["ltp"]
        row["high"] = max(row["high"], float(prices.max()))
        row["low"] = min(row["low"], float(prices.min()))
        row["close"] = float(prices[-1])
        row["ticks"] += len(prices)
        if self._base is not None:
            row["top"] = max(row["top"], float(np.fmax.reduce(ticks["volume"])))
        if "trades" in row:
            row["traded"] = (row["traded"] or 0.0) + float(np.nansum(ticks["ltq"]))
            row["trades"] = (row["trades"] or 0) + int(np.count_nonzero(~np.isnan(ticks["ltq"])))
        return OpenBar(row, self._schema, self.end, self._base)

    def next(self, start: int, end: int, ticks: Numbers) -> OpenBar | None:
        """Return the bar that ticks begin after this one; none where their totals have fallen."""
        price = float(ticks["ltp"][0])
        row = {**self._row, "start": start, "open": price, "high": price, "low": price, "ticks": 0}
        base = None
        if self._base is not None:
            base = float(row["top"]), 0.0
            if not np.fmax.reduce(ticks["volume"]) >= base[0]:
                return None
        if "trades" in row:
            row |= {"traded": None, "trades": None}
        return OpenBar(row, self._schema, end, base).added(ticks)

    @property
    def volume(self) -> float:
        """Units traded so far; NaN where that is not known."""
        if self._base is not None:
            return max(float(self._row["top"]) - self._base[0], 0.0) + self._base[1]
        return float(self._row["traded"]) if self._row.get("trades") else math.nan

    def numbers(self) -> Iterator[tuple[str, float]]:
        """Yield what the bar is said with."""
        yield "start", self.start / 1000
        for name in ("open", "high", "low", "close", "ticks"):
            yield name, float(self._row[name])
        yield "volume", self.volume

    def measures(self) -> pl.DataFrame:
        """Return the bar as `ltpkit.bars.measured` has it."""
        return pl.DataFrame([self._row], schema=self._schema)
