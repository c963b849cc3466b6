"""OHLC bars of ticks, by exchange time. Pure: frames in, frames out.

Bars count from the market open of each exchange and start anew each local day, so an hourly bar of
NSE starts at 09:15, and a five-minute bar of a crypto exchange on the clock. The view ``bars_1m``
of the store says the same in SQL; a test holds the two together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Final, overload

import polars as pl

from ltpkit.errors import SettingError
from ltpkit.instrument import INDIAN_EXCHANGES, market_open
from ltpkit.schema import BACKFILL, us_of

__all__ = ["NEEDED", "UNITS", "bars", "opening", "parts_of", "width_us"]

_DAY: Final = 86_400_000_000
#: Of durations as text, in microseconds.
UNITS: Final = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": _DAY}
_TIME: Final = pl.Datetime("us", "UTC")
_INSTRUMENT: Final = ("symbol", "exchange")
NEEDED: Final = ("seq", *_INSTRUMENT, "timestamp", "ltp", "ltq", "volume")
_HELPFUL: Final = ("seq", "source")
_ORDER: Final = (
    "symbol",
    "start",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "ticks",
    "exchange",
    "growing",
)


@overload
def bars(
    ticks: pl.DataFrame,
    every: str = "1m",
    *,
    now: datetime | int | None = None,
    left_out: pl.Series | None = None,
) -> pl.DataFrame: ...
@overload
def bars(
    ticks: pl.LazyFrame,
    every: str = "1m",
    *,
    now: datetime | int | None = None,
    left_out: pl.Series | None = None,
) -> pl.LazyFrame: ...
def bars(
    ticks: pl.DataFrame | pl.LazyFrame,
    every: str = "1m",
    *,
    now: datetime | int | None = None,
    left_out: pl.Series | None = None,
) -> pl.DataFrame | pl.LazyFrame:
    """Return OHLC bars of ticks.

    Parameters
    ----------
    ticks : polars.DataFrame or polars.LazyFrame
        Columns of `schema.TICKS`, at least ``symbol, exchange, timestamp, ltp, ltq, volume``. In
        arrival order; where a ``seq`` is there, it decides.
    every : str
        Bar length, from microseconds to a day: ``"100ms"``, ``"1s"``, ``"5m"``, ``"1h30m"``, ``"1d"``.
    now : datetime or int, optional
        Which bars may still grow: those that end after it. Microseconds UTC when an int. By default
        the newest `timestamp` of the ticks, whatever the exchange.
    left_out : polars.Series, optional
        `seq` of rows that are no part of any bar: those `flags.left_out` names.

    Returns
    -------
    polars.DataFrame or polars.LazyFrame, shape (bars, 10)
        Of the kind that came in, sorted by ``symbol``, ``exchange``, ``start``. Prices in the
        instrument's currency and ``volume`` in units traded (float64), ``start`` in UTC (us),
        inclusive, the end is not; ``ticks`` counts rows with a price (int64); ``growing`` is true for
        a bar that may still change. An interval without a price has no bar.

    Raises
    ------
    SettingError
        `every` is no duration up to a day, or `now` has no time zone.

    Notes
    -----
    Open and close are the first and last *arrived*. A tick that comes late, with the time of a bar
    that is over, still belongs to that bar: its high and low are right, and its close is the late
    tick's price. A bar with rows that a history gave afterwards (`source` ``"backfill"``) opens and closes
    with the first and last *traded*.

    Volume is how far the day's running total rose: the highest total of the bar, less that of the
    bar before. A total that falls has begun a new day and counts from nothing. The first bar of
    an instrument counts from its first known total, less the quantity of that first trade. Where an
    instrument has no running total the feed sends every trade and ``ltq`` is added up; where it has
    neither, volume is null. Adding up ``ltq`` beside a total would miss the trades between two ticks.

    A bar is cut at local midnight, so ticks before the open stay in their own day.

    Examples
    --------
    >>> ticks = pl.DataFrame({
    ...     "symbol": "INFY", "exchange": "NSE",
    ...     "timestamp": pl.Series([225, 226, 285], dtype=pl.Int64) * 60_000_000,
    ...     "ltp": [10.0, 12.0, 11.0], "ltq": 5.0, "volume": [5.0, 30.0, 42.0],
    ... }).with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC")))
    >>> bars(ticks, "1h").select("start", "open", "high", "close", "volume", "growing").rows()[0][1:]
    (10.0, 12.0, 12.0, 30.0, False)
    """
    width = width_us(every)
    at = _now_us(now)
    if left_out is not None and len(left_out):
        ticks = ticks.filter(~pl.col("seq").is_in(left_out.implode()))
    if isinstance(ticks, pl.DataFrame):
        return _bars(ticks.select(_wanted(ticks.columns)), width, at)
    schema = ticks.collect_schema()
    return ticks.select(_wanted(schema.names())).map_batches(
        partial(_bars, width=width, now=at),
        schema={name: schema[name] if name in _INSTRUMENT else _TYPES[name] for name in _ORDER},
        predicate_pushdown=False,  # a filter on bars is no filter on ticks
        projection_pushdown=False,
        slice_pushdown=False,
    )


_TYPES: Final[dict[str, pl.DataType]] = {
    "start": _TIME,
    **{name: pl.Float64() for name in ("open", "high", "low", "close", "volume")},
    "ticks": pl.Int64(),
    "growing": pl.Boolean(),
}


def parts_of(duration: str, units: Iterable[str]) -> list[tuple[int, str]]:
    """Return the numbers and units of a duration, none where it is no duration in these units.

    Examples
    --------
    >>> parts_of("1h30m", UNITS), parts_of("1 h", UNITS)
    ([(1, 'h'), (30, 'm')], [])
    """
    # The longer ones first: else "m" would be found in "ms".
    unit = "|".join(sorted(units, key=len, reverse=True))
    found = re.findall(rf"(\d+)({unit})", duration) if isinstance(duration, str) else []
    whole = "".join(count + unit for count, unit in found) == duration
    return [(int(count), unit) for count, unit in found] if whole else []


def width_us(every: str) -> int:
    """Return a bar length in microseconds.

    Raises
    ------
    SettingError
        It is no duration, or longer than a day.
    """
    width = sum(count * UNITS[unit] for count, unit in parts_of(every, UNITS))
    if not 0 < width <= _DAY:
        raise SettingError(
            f"{every!r} is no bar length. Give a duration of at most a day, such as '1s', '5m', '1h' or '1d'."
        )
    return width


def _now_us(now: datetime | int | None) -> int | None:
    if not isinstance(now, datetime):
        return now
    if now.tzinfo is None:
        raise SettingError("now has no time zone; give an aware datetime, or microseconds in UTC.")
    return us_of(now)


def _wanted(columns: list[str]) -> list[str]:
    return [name for name in (*NEEDED, "source") if name not in _HELPFUL or name in columns]


def _bars(ticks: pl.DataFrame, width: int, now: int | None) -> pl.DataFrame:
    newest = ticks["timestamp"].dt.timestamp("us").max() if now is None else now
    return _finished(_measured(ticks, width), width, newest if isinstance(newest, int) else None)


def _measured(ticks: pl.DataFrame, width: int) -> pl.DataFrame:
    """Return for each bar of ticks what its numbers are made of.

    Parameters
    ----------
    ticks : polars.DataFrame
        As for `bars`.
    width : int
        Bar length in microseconds.

    Returns
    -------
    polars.DataFrame, shape (bars, 8 to 13)
        Sorted by instrument and ``start``, which is in microseconds. ``top`` is the highest running
        total; ``first_total`` and ``first_qty`` are the instrument's first total and the quantity of that
        trade; ``traded`` is the sum of the quantities of ``trades`` rows. Those of the five that can
        be no more than null are not there.
    """
    if "seq" in ticks.columns and not ticks["seq"].is_sorted():
        ticks = ticks.sort("seq")
    if ticks["ltp"].null_count():
        ticks = ticks.filter(pl.col("ltp").is_not_null())

    ltp, ltq = pl.col("ltp"), pl.col("ltq")
    totals = ticks["volume"].null_count() < ticks.height
    trades = ticks["volume"].null_count() > 0 or not totals
    # Only counts, sums and extremes: what polars adds up while it streams, and as few as will do. A
    # difference from row to row of each instrument costs more than everything else here together.
    measures = [
        ltp.first().alias("open"),
        ltp.max().alias("high"),
        ltp.min().alias("low"),
        ltp.last().alias("close"),
        pl.len().cast(pl.Int64).alias("ticks"),
    ]
    if totals:
        measures.append(pl.col("volume").max().alias("top"))
    if trades:
        measures += [_exact_sum(ticks["ltq"]).alias("traded"), ltq.count().alias("trades")]
    keys = _INSTRUMENT if ticks["exchange"].n_unique() > 1 else ("symbol",)
    found = (
        ticks.lazy()
        .group_by(*keys, _start(width).alias("start"))
        .agg(measures)
        .sort(*keys, "start")
        .collect()
    )
    # From here on there is a row for each bar.
    if len(keys) == 1:
        found = found.with_columns(pl.lit(ticks["exchange"].head(1)).first().alias("exchange"))
    if totals:
        found = _with_first_totals(found, ticks)
    return _by_time(found, ticks, width) if _has_filled(ticks) else found


def _has_filled(ticks: pl.DataFrame) -> bool:
    """Return whether rows of a history are among the ticks: their bars have to be measured as a whole."""
    return "source" in ticks.columns and bool(ticks.select((pl.col("source") == BACKFILL).any()).item())


def _by_time(found: pl.DataFrame, ticks: pl.DataFrame, width: int) -> pl.DataFrame:
    """Have bars with filled rows open and close by exchange time, and count from their own first total."""
    bar = (*_INSTRUMENT, "start")
    rows = ticks.with_columns(_start(width).alias("start"))
    some = rows.filter(pl.col("source") == BACKFILL).select(bar).unique()
    with_total = pl.col("volume").is_not_null()
    said = (
        rows.join(some, on=bar, how="semi")
        .sort("timestamp", *(["seq"] if "seq" in ticks.columns else []), maintain_order=True)
        .group_by(bar)
        .agg(
            pl.col("ltp").first().alias("filled_open"),
            pl.col("ltp").last().alias("filled_close"),
            pl.col("volume").filter(with_total).first().alias("filled_total"),
            pl.col("ltq").filter(with_total).first().alias("filled_qty"),
        )
    )
    found = found.join(said, on=bar, how="left", maintain_order="left").with_columns(
        pl.coalesce("filled_open", "open").alias("open"), pl.coalesce("filled_close", "close").alias("close")
    )
    if "top" in found.columns:
        own = pl.col("filled_total").is_not_null()
        found = found.with_columns(
            pl.when(own).then("filled_total").otherwise("first_total").alias("first_total"),
            pl.when(own).then("filled_qty").otherwise("first_qty").alias("first_qty"),
        )
    return found.drop("filled_open", "filled_close", "filled_total", "filled_qty")


def _finished(found: pl.DataFrame, width: int, until: int | None) -> pl.DataFrame:
    """Return the bars of what was measured; those that end after `until` grow."""
    growing = _end(width) > pl.lit(until, pl.Int64) if until is not None else pl.lit(value=False)
    totals, trades = "top" in found.columns, "trades" in found.columns
    return found.with_columns(
        _volume(found, totals=totals, trades=trades).cast(pl.Float64).alias("volume"),
        growing.alias("growing"),
        pl.col("start").cast(_TIME),
    ).select(_ORDER)


def _exact_sum(column: pl.Series) -> pl.Expr:
    """Return the sum of a column of quantities, the same whatever order polars adds them in.

    Floats add up differently in another order, and with threads and chunks the order is anyone's. So
    each is cut into a multiple of one power of two, coarse enough for all partial sums to be exact, and a
    rest that is too small for its rounding to show. (Demmel and Nguyen, "Fast reproducible floating-point
    summation", 2013.)
    """
    quantity = pl.col(column.name)
    total = column.sum()
    if not total or not math.isfinite(total):
        return quantity.sum()
    step = 2.0 ** (math.frexp(total)[1] - 50)
    shift = 1.5 * 2.0**52 * step  # beside it, a float has room for multiples of `step` only
    coarse = (quantity + shift) - shift
    return coarse.sum() + (quantity - coarse).sum()


def _with_first_totals(found: pl.DataFrame, ticks: pl.DataFrame) -> pl.DataFrame:
    """Add each instrument's first known running total, and the quantity of that first trade."""
    if ticks["volume"].null_count():
        ticks = ticks.filter(pl.col("volume").is_not_null())
    # Instruments nearly always show themselves early, and reading all of it costs as much as the bars.
    rows = max(4_096, 32 * found["symbol"].n_unique())
    while True:
        firsts = (
            ticks.head(rows)
            .lazy()
            .group_by(_INSTRUMENT)
            .agg(pl.col("volume").first().alias("first_total"), pl.col("ltq").first().alias("first_qty"))
        )
        joined = found.lazy().join(firsts, on=_INSTRUMENT, how="left", maintain_order="left").collect()
        if rows >= ticks.height or not (joined["top"].is_not_null() & joined["first_total"].is_null()).any():
            return joined
        rows *= 16


def _volume(found: pl.DataFrame, *, totals: bool, trades: bool) -> pl.Expr:
    traded = pl.when(pl.col("trades") > 0).then(pl.col("traded")) if trades else pl.lit(None, pl.Float64)
    if not totals:
        return traded
    top, first, first_qty = pl.col("top"), pl.col("first_total"), pl.col("first_qty").fill_null(0.0)
    if found["top"].null_count():
        before = top.forward_fill().shift().over(_INSTRUMENT)
    else:
        same = pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in _INSTRUMENT)
        before = pl.when(same).then(top.shift())
    rise = (
        pl.when(top.is_null())
        .then(0.0)
        .when(before.is_null())
        .then((top - first).clip(lower_bound=0.0) + pl.min_horizontal(first, first_qty))
        .when(top < before)
        .then(top)
        .otherwise(top - before)
    )
    if not trades:
        return rise
    return pl.when(top.is_not_null().any().over(_INSTRUMENT)).then(rise).otherwise(traded)


@cache
def _opens() -> list[tuple[int, int, list[str]]]:
    """Return when markets open after local midnight, their offset from UTC, and their exchanges.

    In microseconds. The last one names no exchange: it is for all others.
    """
    found: dict[tuple[int, int], list[str]] = {}
    for exchange in INDIAN_EXCHANGES:
        found.setdefault(opening(exchange), []).append(exchange)
    return [(*when, names) for when, names in found.items()] + [(*opening(""), [])]


@cache
def opening(exchange: str) -> tuple[int, int]:
    """Return how long after local midnight a market opens, and its offset from UTC; in microseconds."""
    opens, zone = market_open(exchange)
    # Fixed offsets keep this integer arithmetic; a zone that changes its clocks would need a calendar.
    winter, summer = (zone.utcoffset(datetime(2024, month, 1)) or timedelta() for month in (1, 7))  # noqa: DTZ001
    if winter != summer:
        raise NotImplementedError(f"{exchange} opens by {zone}, which changes its clocks.")
    microsecond = timedelta(microseconds=1)
    return timedelta(hours=opens.hour, minutes=opens.minute) // microsecond, winter // microsecond


def _start(width: int) -> pl.Expr:
    time = pl.col("timestamp").dt.timestamp("us")
    return _by_exchange(
        width,
        lambda: time // width * width,
        lambda midnight, opens, number: midnight + (opens + number * width).clip(lower_bound=0),
        time,
    )


def _end(width: int) -> pl.Expr:
    start = pl.col("start")
    return _by_exchange(
        width,
        lambda: start + width,
        lambda midnight, opens, number: midnight + (opens + (number + 1) * width).clip(upper_bound=_DAY),
        start,
    )


def _by_exchange(
    width: int,
    on_the_clock: Callable[[], pl.Expr],
    from_open: Callable[[pl.Expr, int, pl.Expr], pl.Expr],
    time: pl.Expr,
) -> pl.Expr:
    """Return an edge of the bars that hold `time`, told by midnight, the open and the bar's number from it.

    Where bars fall on multiples of `width` since 1970 that is one division, and for lengths such as
    a second or a minute it is so for every exchange.
    """
    result = plain = on_the_clock()
    for opens, offset, names in reversed(_opens()):
        if _DAY % width or opens % width or offset % width:
            midnight = (time + offset) // _DAY * _DAY - offset
            edge = from_open(midnight, opens, (time - midnight - opens) // width)
        else:
            edge = plain
        if not names:
            result = edge
        elif edge is not result:
            result = pl.when(pl.col("exchange").is_in(names)).then(edge).otherwise(result)
    return result
