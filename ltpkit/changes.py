"""LTP changes: from the tick before of the same instrument, on arrival and as a frame.

Pure. `before` is what the ring calls for each batch; `changes` picks the columns readers ask for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

    Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

__all__ = ["before", "changes", "percent"]


def before(
    last: npt.NDArray[np.float64],
    instrument: npt.NDArray[np.int32],
    ltp: npt.NDArray[np.float64],
    order: npt.NDArray[np.intp] | None = None,
) -> npt.NDArray[np.float64]:
    """Return the price of the tick before for each row, and bring `last` up to date in place.

    Parameters
    ----------
    last : ndarray of float64, shape (instruments,)
        Last known price of each instrument, NaN where there was none. Changed in place.
    instrument : ndarray of int32, shape (n,)
    ltp : ndarray of float64, shape (n,)
        NaN where the row carries no price (a quote): such a row has no price before it and
        leaves `last` as it was.
    order : ndarray of intp, shape (n,), optional
        What sorts `instrument` and keeps the order of equal ones, where the caller has it already.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN for an instrument's first price and for rows without one.
    """
    if len(ltp) == 1:  # a tick that came alone
        alone = last[instrument]
        if ltp[0] == ltp[0]:
            last[instrument] = ltp
        else:
            alone[0] = np.nan
        return alone
    found = np.full(len(ltp), np.nan)
    priced = ltp == ltp  # False for NaN, and cheaper than isnan
    rows: npt.NDArray[np.intp] | None = None
    if not priced.all():
        rows, order = np.flatnonzero(priced), None
        instrument, ltp = instrument[rows], ltp[rows]
    if len(ltp) <= 1:
        found[priced] = last[instrument]
        last[instrument] = ltp
        return found
    if order is None:
        order = np.argsort(instrument, kind="stable")
    who, price = instrument[order], ltp[order]
    new = np.empty(len(who), np.bool_)  # the instrument's first row in this batch
    new[0] = True
    np.not_equal(who[1:], who[:-1], out=new[1:])
    earlier = np.empty_like(price)
    earlier[1:] = price[:-1]
    earlier[new] = last[who[new]]
    last[who] = price  # of repeated instruments the last one stays
    found[order if rows is None else rows[order]] = earlier
    return found


def percent(change: npt.NDArray[np.float64], of: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `change` in percent of the price before; NaN where that was zero or missing."""
    if of.all():  # NaN counts as true: then nothing is divided by zero
        return change * 100.0 / of
    result = np.full(len(change), np.nan)
    np.divide(change * 100.0, of, out=result, where=of != 0)
    return result


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
