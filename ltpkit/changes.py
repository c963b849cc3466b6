"""LTP changes as a frame: from the tick before, which the ring worked out on arrival, and from the close."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

    Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

__all__ = ["changes", "percent"]


def percent(change: npt.NDArray[np.float64], of: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `change` in percent of the price before; NaN where that was zero or missing."""
    found = np.full_like(change, np.nan)
    np.divide(change * 100.0, of, out=found, where=of != 0)
    return found


def changes(ticks: Frame, *, left_out: pl.Series | None = None) -> Frame:
    """Return each priced tick with its change from the tick before and from the previous close.

    Parameters
    ----------
    ticks : polars.DataFrame or polars.LazyFrame
        Rows with the columns of `schema.TICKS`.
    left_out : polars.Series, optional
        `seq` of rows whose price is not to be believed: those `flags.left_out` names.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame, shape (priced ticks, 9)
        ``seq, symbol, exchange, timestamp, ltp, change, change_percent, day_change,
        day_change_percent``; percent as 1.5 for 1.5 %, prices in the instrument's currency.
        Null where there was no tick, or no previous close, to compare with.
    """
    import polars as pl

    ltp, close = pl.col("ltp"), pl.col("close_price")
    told = ("seq", "symbol", "exchange", "timestamp", "ltp", "change", "change_percent")
    # Chosen before the filter, which copies what it is given: a third of the time with all columns.
    found = ticks.select(*told, "close_price")
    if left_out is not None and len(left_out):
        found = found.filter(~pl.col("seq").is_in(left_out.implode()))
    if _has_unpriced(found):
        found = found.filter(ltp.is_not_null())
    return found.select(
        *told,
        day_change=ltp - close,
        day_change_percent=(ltp - close) * 100.0 / pl.when(close != 0).then(close),
    )


def _has_unpriced(ticks: Frame) -> bool:
    import polars as pl

    return isinstance(ticks, pl.LazyFrame) or ticks["ltp"].null_count() > 0
