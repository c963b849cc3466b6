"""What we know we missed: the gap events of a stream as a frame.

Pure. Whoever notices a gap writes an event of kind ``gap`` whose detail says ``why`` and, where
known, ``start`` and ``end`` (µs UTC), ``missing`` (how many) and ``recovered`` (what came back).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltpkit.batch import Event

if TYPE_CHECKING:
    import polars as pl

__all__ = ["OF_A_BOOK", "gap", "gaps"]

#: Causes that make a book wrong until it is sent whole again.
OF_A_BOOK = ("depth sequence", "checksum")


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
    polars.DataFrame, shape (gaps, 9)
        ``seq, at, symbol, why, start, end, missing, recovered, symbols``; times in UTC (µs). Without
        a ``symbol`` the gap is the connection's and ``symbols`` lists what it carried; a null
        ``missing`` means the feed does not count; a null ``end``, that it is still open.

    Notes
    -----
    A gap in a book ends with the ``resync`` event that follows it for the same symbol. What the events
    ``backfilled`` say came back for a gap is added up in ``recovered``.
    """
    import polars as pl

    fields = pl.Struct(
        {
            "why": pl.String,
            "start": pl.Int64,
            "end": pl.Int64,
            "missing": pl.Int64,
            "recovered": pl.String,
            "symbols": pl.List(pl.String),
        }
    )
    time = pl.Datetime("us", "UTC")
    found = events.filter(pl.col("kind") == "gap").with_columns(pl.col("detail").str.json_decode(fields))
    resyncs = events.filter(pl.col("kind") == "resync").select("seq", "symbol", resynced="at")
    filled = _filled(events)
    together = (
        found.unnest("detail")
        .sort("seq")
        .join_asof(resyncs.sort("seq"), on="seq", by="symbol", strategy="forward", check_sortedness=False)
        .join(filled, on="seq", how="left", maintain_order="left")
    )
    of_a_book = pl.col("why").is_in(OF_A_BOOK) & pl.col("end").is_null() & pl.col("resynced").is_not_null()
    return together.select(
        "seq",
        "at",
        "symbol",
        "why",
        pl.col("start").cast(time),
        pl.when(of_a_book).then("resynced").otherwise(pl.col("end").cast(time)).alias("end"),
        "missing",
        pl.when(of_a_book)
        .then(pl.lit("the book, sent whole again"))
        .otherwise(pl.coalesce("recovered", "filled"))
        .alias("recovered"),
        pl.coalesce("symbols", pl.concat_list("symbol").list.drop_nulls()).alias("symbols"),
    )


def _filled(events: pl.DataFrame) -> pl.DataFrame:
    """Return in words what was filled of each gap: ``seq, filled``."""
    import polars as pl

    fields = pl.Struct({"gap": pl.Int64, "rows": pl.Int64, "source": pl.String})
    return (
        events.filter(pl.col("kind") == "backfilled")
        .select(pl.col("detail").str.json_decode(fields))
        .unnest("detail")
        .filter(pl.col("gap").is_not_null())
        .group_by(seq="gap")
        .agg(pl.format("{} {}", pl.col("rows").sum(), pl.col("source").first()).alias("filled"))
    )
