"""The bar that grows, by itself: what ticks add to it without the others being looked at.

The rules are those of `ltpkit.bars`, in numbers instead of frames: nearly every turn of a chart brings a
few ticks of one bar, and a frame costs milliseconds whatever is in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import polars as pl

__all__ = ["OpenBar"]


class OpenBar:
    """The newest bar of an instrument, by its measures. Made by `of`.

    Parameters
    ----------
    row : polars.DataFrame, shape (1, …)
        Of `ltpkit.bars.measured`.
    end : int
        When it ends, in microseconds.
    base : tuple of float, optional
        The running total that its volume is counted from, and what is added; none where there are no totals.
    """

    def __init__(self, row: pl.DataFrame, end: int, base: tuple[float, float] | None) -> None:
        self._schema = row.schema
        self._row: dict[str, Any] = row.row(0, named=True)
        self._end, self._base = end, base

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
        last = found.tail(1)
        tops = found["top"].drop_nulls() if "top" in found.columns else pl.Series(dtype=pl.Float64)
        base: tuple[float, float] | None = None
        if len(tops):
            top = last["top"][0]
            if top is None:
                return None
            if len(tops) > 1:
                base = tops[-2], 0.0
            else:
                first, quantity = last["first_total"][0], last["first_qty"][0]
                base = first, min(first, quantity or 0.0)
            if base[0] > top:
                return None  # a new day, until the total is where it was
        one = cls(last, end, base)
        return one if dict(one.numbers())["volume"] == (math.nan if volume is None else volume) else None

    def take(self, ticks: pl.DataFrame) -> bool:
        """Add ticks; return False, and add none, where one is not this bar's or is of a new sort."""
        times = ticks["timestamp"].to_physical()
        row = self._row
        if times.min() < row["start"] or times.max() >= self._end:  # type: ignore[operator]
            return False
        if ticks["ltp"].null_count():
            ticks = ticks.filter(pl.col("ltp").is_not_null())
        if not ticks.height:
            return True
        unknown = ticks["volume"].null_count()
        if (unknown and "trades" not in row) or (unknown < ticks.height and self._base is None):
            return False
        prices = ticks["ltp"].to_numpy()
        row["high"] = max(row["high"], float(prices.max()))
        row["low"] = min(row["low"], float(prices.min()))
        row["close"] = float(prices[-1])
        row["ticks"] += len(prices)
        if unknown < ticks.height:
            row["top"] = max(row["top"], ticks["volume"].max())
        if "trades" in row:
            row["traded"] = (row["traded"] or 0.0) + float(np.nansum(ticks["ltq"].to_numpy()))
            row["trades"] = (row["trades"] or 0) + ticks["ltq"].count()
        return True

    def numbers(self) -> Iterator[tuple[str, float]]:
        """Yield what the bar is said with."""
        row = self._row
        for name in ("open", "high", "low", "close", "ticks"):
            yield name, float(row[name])
        if self._base is not None:
            yield "volume", max(row["top"] - self._base[0], 0.0) + self._base[1]
        else:
            yield "volume", row["traded"] if row.get("trades") else math.nan

    def measures(self) -> pl.DataFrame:
        """Return the bar as `ltpkit.bars.measured` has it."""
        return pl.DataFrame([self._row], schema=self._schema)
