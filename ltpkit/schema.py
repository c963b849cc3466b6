"""Column names, types and units, once, for memory, polars, DuckDB and JSON.

A tick is a row of `TICKS`, a book after an update is a row of `DEPTH`, a connection event or a gap
is a row of `EVENTS`. Everything that holds rows takes its columns and their order from here.
Missing is null; inside the ring's own float memory it is NaN until a frame is handed out.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "BACKFILL",
    "DEPTH",
    "EVENTS",
    "FEED_FLOATS",
    "NO_TIME",
    "QUERY_TABLES",
    "TICKS",
    "TICK_FLOATS",
    "categories",
    "code_of",
    "moment_of",
    "now_us",
    "polars_schema",
    "us_of",
]

#: What a query may name.
QUERY_TABLES: Final = (
    "ticks",
    "latest_ltp",
    "ltp_changes",
    "bars_1m",
    "realtime_depth",
    "feed_events",
    "flagged",
    "believed_ticks",
)

#: What a feed may say about an instrument, in the order of `batch.Ticks.values`.
#: Prices in the instrument's currency, quantities in units traded, `volume` the day's running total.
FEED_FLOATS: Final = (
    "ltp",
    "ltq",
    "open_price",
    "high_price",
    "low_price",
    "close_price",
    "volume",
    "bid",
    "bid_qty",
    "ask",
    "ask_qty",
    "oi",
)

#: The float columns of a stored tick: what the feed said, and what we worked out on arrival.
TICK_FLOATS: Final = (*FEED_FLOATS, "change", "change_percent")

#: Columns of a tick and their type words, see `polars_schema`.
TICKS: Final[dict[str, str]] = {
    "seq": "int64",
    "symbol": "symbol",
    "exchange": "exchange",
    "timestamp": "time",
    "received_at": "time",
    **dict.fromkeys(TICK_FLOATS, "float64"),
    "source": "source",
}

#: Columns of a book after an update. Lists run from the best level, index 0, outwards.
DEPTH: Final[dict[str, str]] = {
    "seq": "int64",
    "symbol": "symbol",
    "exchange": "exchange",
    "timestamp": "time",
    "received_at": "time",
    "bid_price": "floats",
    "bid_qty": "floats",
    "bid_orders": "ints",
    "ask_price": "floats",
    "ask_qty": "floats",
    "ask_orders": "ints",
}

#: Columns of a connection event or gap. `detail` is a JSON object.
EVENTS: Final[dict[str, str]] = {
    "seq": "int64",
    "at": "time",
    "kind": "text",
    "symbol": "text",
    "detail": "text",
}

#: `source` of rows that a history gave later: what was missed when it happened.
BACKFILL: Final = "backfill"

#: "The feed sent no time", in int64 microseconds (numpy's own NaT).
NO_TIME: Final = -(2**63)


def now_us() -> int:
    """Return the time as every column of times has it: µs since 1970 in UTC."""
    return time.time_ns() // 1000


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(us: int) -> datetime:
    """Return the time that is so many µs after 1970 began, in UTC.

    Examples
    --------
    >>> moment_of(1_500_000).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    return _EPOCH + timedelta(microseconds=us)


def us_of(moment: datetime) -> int:
    """Return an aware time as µs since 1970.

    Examples
    --------
    >>> us_of(datetime.fromisoformat("2025-01-01T05:30:00.000001+05:30"))
    1735689600000001
    """
    return (moment - _EPOCH) // timedelta(microseconds=1)


_kept_alive: list[pl.Series] = []


@cache
def categories(kind: str) -> pl.Categorical:
    """Return the polars type of a dictionary column: ``symbol``, ``exchange`` or ``source``.

    The categories are named, so they are one set in the process: frames of two streams join and
    concatenate, and the ring's integer codes are polars' own, handed over without a copy.
    """
    import polars as pl

    physical = pl.UInt32 if kind == "symbol" else pl.UInt8
    return pl.Categorical(pl.Categories(f"ltpkit.{kind}", physical=physical))


@cache
def code_of(kind: str, name: str) -> int:
    """Return the integer that stands for `name` in a dictionary column, making one if new."""
    import polars as pl

    series = pl.Series([name], dtype=categories(kind))
    _kept_alive.append(series)  # polars forgets named categories when no series uses them
    return int(series.to_physical()[0])


@cache
def polars_schema(table: str) -> dict[str, pl.DataType]:
    """Return the polars columns and types of ``"ticks"``, ``"depth"`` or ``"events"``.

    Returns
    -------
    dict of str to polars.DataType
        In column order. Times are UTC in microseconds.
    """
    import polars as pl

    types: dict[str, pl.DataType] = {
        "int64": pl.Int64(),
        "float64": pl.Float64(),
        "time": pl.Datetime("us", "UTC"),
        "floats": pl.List(pl.Float64()),
        "ints": pl.List(pl.Int32()),
        "text": pl.String(),
        **{kind: categories(kind) for kind in ("symbol", "exchange", "source")},
    }
    columns = {"ticks": TICKS, "depth": DEPTH, "events": EVENTS}[table]
    return {name: types[word] for name, word in columns.items()}
