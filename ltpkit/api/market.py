"""What the market did: prices, ticks, changes, bars, books, gaps and instruments, as REST.

Each is a call of the stream's own reading method, run beside the loop.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import polars as pl
from fastapi import APIRouter, Path, Query, Request
from pydantic import BeforeValidator
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import Response

from ltpkit import changes as lt
from ltpkit.api import models
from ltpkit.api.answers import JSON, answer, as_json, forms
from ltpkit.api.problems import problem
from ltpkit.bars import bars as bars_of
from ltpkit.frames import ladder
from ltpkit.instrument import split_symbol
from ltpkit.live import Stream
from ltpkit.service.listing import find_instruments
from ltpkit.service.updates import CHANGE_DECIMALS, Book, book

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/realtime", tags=["market"])


class _Named(PathConvertor):
    """A name that may hold slashes and is not empty: nothing after the slash is no symbol."""

    regex = ".+"


register_url_convertor("named", _Named())

_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _written_out(text: object) -> object:
    """Refuse a number, which would be taken for seconds, and a time that does not say where."""
    if isinstance(text, str) and not _RFC3339.fullmatch(text):
        raise ValueError("give a time as 2026-03-02T04:00:00Z")
    return text


SymbolPath = Annotated[
    str,
    Path(
        description="`RELIANCE`, or `NSE:RELIANCE` where several exchanges have it.",
        max_length=100,
        examples=["RELIANCE"],
    ),
]
Limit = Annotated[int, Query(ge=1, le=50_000, description="At most so many rows.")]
Time = Annotated[
    datetime | None,
    BeforeValidator(_written_out),
    Query(description="RFC 3339, with the offset from UTC.", examples=["2026-03-02T04:00:00Z"]),
]
Every = Annotated[
    str,
    Query(
        pattern=r"^([1-9][0-9]{0,3}(ms|s)|[1-9][0-9]{0,2}m|([1-9]|1[0-9]|2[0-4])h|1d)$",
        description="How long a bar is: milliseconds to a day, as `1s`, `5m`, `1h`.",
        examples=["1m"],
    ),
]

_UNKNOWN: Final[dict[int | str, dict[str, Any]]] = {404: {"description": "Nobody subscribed to that symbol."}}


def _stream(request: Request) -> Stream:
    stream: Stream = request.app.state.service.stream
    return stream


@router.get("/ltp", responses=forms(models.Tick))
def latest_of_all(request: Request) -> Response:
    """Return the newest values of every symbol."""
    return answer(request, _rounded(_stream(request).latest()))


@router.get("/ltp/{symbol:named}", responses={**_UNKNOWN, 200: {"model": models.Tick}})
def latest(request: Request, symbol: SymbolPath) -> Response:
    """Return the newest values of one symbol."""
    rows = _rounded(_stream(request).latest(symbol))
    if rows.is_empty():
        return problem(404, f"{symbol} is subscribed and has had no tick yet.", kind="no-tick-yet")
    return Response(as_json(rows.row(0, named=True)), media_type=JSON)


@router.get("/ticks/{symbol:named}", responses={**_UNKNOWN, **forms(models.Tick)})
def ticks(
    request: Request,
    symbol: SymbolPath,
    after_seq: Annotated[
        int | None,
        Query(
            ge=0,
            le=2**63 - 1,
            description="The first ones after this `seq`, read from the store where they have left memory. "
            "Without it, the newest ones in memory.",
        ),
    ] = None,
    limit: Limit = 1_000,
) -> Response:
    """Return ticks of one symbol in the order they arrived."""
    stream = _stream(request)
    rows = stream.ticks(symbol)
    if after_seq is None:
        return answer(request, _rounded(rows.tail(limit)))
    if after_seq + 1 < stream._ring.first_seq:
        stored = _of(stream, symbol).filter(pl.col("seq") > after_seq)
        return answer(request, _rounded(stored.sort("seq").head(limit).collect()))
    return answer(request, _rounded(rows.filter(pl.col("seq") > after_seq).head(limit)))


@router.get("/changes", responses={**_UNKNOWN, **forms(models.Change)})
def changes(
    request: Request,
    symbol: Annotated[str | None, Query(max_length=100, examples=["RELIANCE"])] = None,
    limit: Limit = 1_000,
) -> Response:
    """Return the newest priced ticks in memory, each with its change from the tick before."""
    rows = _stream(request).ticks(symbol)
    return answer(request, _rounded(lt.changes(rows.filter(pl.col("ltp").is_not_null()).tail(limit))))


@router.get("/bars/{symbol:named}", responses={**_UNKNOWN, **forms(models.Bar)})
def bars(
    request: Request,
    symbol: SymbolPath,
    every: Every = "1m",
    start: Time = None,
    end: Time = None,
    limit: Limit = 1_000,
) -> Response:
    """Return the newest OHLC bars of one symbol: of memory, or from `start` on of the store too."""
    stream = _stream(request)
    if start is None:
        rows = stream.bars(every, symbol=symbol)
    else:
        since = _of(stream, symbol).filter(pl.col("timestamp") >= start)
        rows = bars_of(since.sort("seq").collect(), every, now=datetime.now(UTC))
        rows = rows.filter(pl.col("start") >= start)
    if end is not None:
        rows = rows.filter(pl.col("start") < end)
    return answer(request, rows.tail(limit))


@router.get("/depth/{symbol:named}", responses={**_UNKNOWN, **forms(models.DepthAnswer, listed=False)})
def depth(
    request: Request,
    symbol: SymbolPath,
    levels: Annotated[int | None, Query(ge=1, le=200, description="At most so many a side.")] = None,
) -> Response:
    """Return the newest book of one symbol; Arrow and CSV have one row for each level."""
    stream = _stream(request)
    exchange, name = _full_name(stream, symbol)
    rows = stream._newest_book((exchange, name))
    if rows.is_empty():
        newest = Book(
            symbol=name, exchange=exchange, timestamp=None, received_at=None, seq=None, bids=[], asks=[]
        )
    else:
        newest = book(rows.row(0), levels=levels)
    return answer(request, ladder(rows, levels), in_json=newest)


@router.get("/gaps", responses=forms(models.Gap))
def gaps(request: Request, limit: Limit = 1_000) -> Response:
    """Return the newest stretches that are known to be missing."""
    return answer(request, _stream(request).gaps().tail(limit))


@router.get("/symbols/active", response_model=models.ActiveSymbols)
def active(request: Request) -> Response:
    """Return what is subscribed now, over all programs."""
    symbols = _stream(request).symbols
    return Response(as_json({"symbols": symbols, "count": len(symbols)}), media_type=JSON)


@router.get("/instruments", responses=forms(models.InstrumentRow))
def instruments(
    request: Request,
    q: Annotated[
        str,
        Query(
            max_length=100, description="Words of the symbol or name; none for all.", examples=["reliance"]
        ),
    ] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 50,
) -> Response:
    """Return what can be subscribed to, the best match first."""
    return answer(request, find_instruments(_stream(request), q, limit=limit))


def _rounded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return ticks with changes as people read them: 0.3, and not 0.2999999999999545."""
    return frame.with_columns(pl.col(r"^(day_)?change(_percent)?$").round(CHANGE_DECIMALS))


def _full_name(stream: Stream, symbol: str) -> tuple[str, str]:
    """Return exchange and symbol of what was subscribed; raise `UnknownInstrument` for anything else."""
    names = stream._names(symbol)
    assert names is not None
    exchange, name = names[0]
    if exchange:
        return exchange, name
    return next(split_symbol(one) for one in stream.known() if one.partition(":")[2] == name)


def _of(stream: Stream, symbol: str) -> pl.LazyFrame:
    """Return all ticks of a symbol, stored and in memory."""
    exchange, name = _full_name(stream, symbol)
    return stream.scan().filter((pl.col("symbol") == name) & (pl.col("exchange") == exchange))
