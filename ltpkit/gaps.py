"""What we know we missed: the gap events of a stream as a frame.

Pure. Whoever notices a gap writes an event of kind ``gap`` whose detail says ``why`` and, where
known, ``start`` and ``end`` (µs UTC), ``missing`` (how many) and ``recovered`` (what came back).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltpkit.batch import Event

if TYPE_CHECKING:
    import polars as pl

__all__ = ["gap", "gaps"]


def gap(
    at: int,
    why: str,
    *,
    symbol: str | None = None,
    start: int | None = None,
    end: int | None = None,
    missing: int | None = None,
    recovered: str | None = None,
    **more: object,
) -> Event:
    """Return the event that records a gap.

    Parameters
    ----------
    at : int
        When it was noticed, µs UTC.
    why : str
        The cause in a few words: ``"connection lost"``, ``"trade ids"``, ``"memory full"``.
    symbol : str, optional
        ``EXCHANGE:SYMBOL``; without one it concerns every instrument of the connection.
    start, end : int, optional
        Between which times rows may be missing, µs UTC.
    missing : int, optional
        How many are missing, where the feed numbers them.
    recovered : str, optional
        What came back later, and how.
    """
    known = {"start": start, "end": end, "missing": missing, "recovered": recovered, **more}
    detail = {"why": why, **{key: value for key, value in known.items() if value is not None}}
    return Event(at=at, kind="gap", symbol=symbol, detail=detail)


def gaps(events: pl.DataFrame) -> pl.DataFrame:
    """Return the known gaps, oldest first.

    Parameters
    ----------
    events : polars.DataFrame
        Columns of `schema.EVENTS`.

    Returns
    -------
    polars.DataFrame, shape (gaps, 8)
        ``seq, at, symbol, why, start, end, missing, recovered``; times in UTC (µs). A null symbol
        means every instrument of the connection; a null ``missing`` means the feed does not count.
    """
    import polars as pl

    fields = pl.Struct(
        {"why": pl.String, "start": pl.Int64, "end": pl.Int64, "missing": pl.Int64, "recovered": pl.String}
    )
    time = pl.Datetime("us", "UTC")
    found = events.filter(pl.col("kind") == "gap").with_columns(pl.col("detail").str.json_decode(fields))
    return found.unnest("detail").select(
        "seq",
        "at",
        "symbol",
        "why",
        pl.col("start").cast(time),
        pl.col("end").cast(time),
        "missing",
        "recovered",
    )
