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
    priced = ltp == ltp  # False for NaN, and cheaper than isnan
    if np.count_nonzero(priced) == len(ltp):
        return _all_before(last, instrument, ltp, order)
    found = np.full(len(ltp), np.nan)
    if np.count_nonzero(priced):
        found[priced] = _all_before(last, instrument[priced], ltp[priced], None)
    return found


def _all_before(
    last: npt.NDArray[np.float64],
    instrument: npt.NDArray[np.int32],
    ltp: npt.NDArray[np.float64],
    order: npt.NDArray[np.intp] | None,
) -> npt.NDArray[np.float64]:
    """Do as `before` does, for rows that all have a price."""
    if order is None:
        order = instrument.argsort(kind="stable")
    who, price = instrument[order], ltp[order]
    earlier = last.take(who)
    np.copyto(earlier[1:], price[:-1], where=who[1:] == who[:-1])
    last[who] = price  # of repeated instruments the last one stays
    found = np.empty_like(earlier)
    found[order] = earlier
    return found


def percent(
    change: npt.NDArray[np.float64],
    of: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.float64]:
    """Return `change` in percent of the price before; NaN where that was zero or missing."""
    result = np.multiply(change, 100.0, out=out)
    if np.count_nonzero(of) == len(of):  # NaN counts as well: then nothing is divided by zero
        result /= of
        return result
    np.divide(result, of, out=result, where=of != 0)
    result[of == 0] = np.nan
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
