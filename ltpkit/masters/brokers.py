"""Brokers' public lists of instruments, each read into the same columns.

Bytes in, a frame out: no network and no file here. Columns are picked by name; brokers add, move and
drop others. What is said about one instrument in different units and codes is brought to ours:
exchange codes as analysts write them, rupees, dates, null where something does not apply.

Where the facts come from: Dhan's *Instrument list* and *Annexure* pages, Kite Connect's *Market quotes
and instruments*, Upstox' *Instruments*, Angel One's SmartAPI *Instruments*.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import polars as pl

__all__ = ["BROKERS", "COLUMNS", "Broker"]

#: Columns of every list, in order.
COLUMNS: Final[dict[str, pl.DataType]] = {
    "exchange": pl.String(),  # NSE, BSE, NFO, BFO, CDS, BCD, MCX, INDEX
    "symbol": pl.String(),  # one of its exchange: EXCHANGE:SYMBOL names one row
    "name": pl.String(),  # the company's, or the contract's in words
    "type": pl.String(),  # equity, index, future, option
    "series": pl.String(),  # EQ, BE, … of a share
    "expiry": pl.Date(),
    "strike": pl.Float64(),
    "option_type": pl.String(),  # CE, PE
    "lot": pl.Float64(),
    "tick_size": pl.Float64(),  # rupees; null where unknown
    "segment": pl.String(),  # the broker's own name for the exchange's part
    "broker_id": pl.String(),  # unique within its segment
}

#: Exchanges try their systems with made-up shares such as 011NSETEST.
_TEST: Final = r"(?i)(NSE|BSE|MCX)TEST"

#: Which series has the bare name where a share has several: the regular market before the rest.
_SERIES: Final = ("EQ", "A", "B", "BE", "BZ", "T", "X", "XT", "SM", "ST", "")


class Broker(msgspec.Struct, frozen=True):
    """One broker's list.

    Attributes
    ----------
    feed : str
        The feed that takes its ids.
    title : str
        The broker's name, for sentences.
    url : str
        Where the list is; no login needed.
    read : callable
        Takes the list's bytes, returns a frame of `COLUMNS`. Raises `ValueError` where it is no list.
    sample : callable or None
        Makes this broker's sample of the one that ships (Dhan's ids), where that can be done without
        asking the broker.
    """

    feed: str
    title: str
    url: str
    read: Callable[[bytes], pl.DataFrame]
    sample: Callable[[pl.DataFrame], pl.DataFrame] | None


def _finished(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `COLUMNS`, test symbols left out, each EXCHANGE:SYMBOL on one row only.

    A share that trades in several series keeps its bare name in the first of `_SERIES`; in the others
    it is SYMBOL-SERIES, as the exchange itself writes it. Nothing is dropped for its name.
    """
    order = (
        pl.col("series")
        .fill_null("")
        .replace_strict(
            {series: place for place, series in enumerate(_SERIES)},
            default=len(_SERIES),
            return_dtype=pl.Int32,
        )
    )
    ids = pl.struct("segment", "broker_id")
    rows = (
        rows.lazy()
        .with_columns(
            pl.lit(None, dtype).alias(name)
            for name, dtype in COLUMNS.items()
            if name not in rows.collect_schema()
        )
        .select(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items())
        .with_columns(pl.col(pl.String).str.strip_chars())
        .filter(
            pl.col("symbol").str.len_bytes() > 0,
            pl.col("broker_id").str.len_bytes() > 0,
            ~pl.col("symbol").str.contains(_TEST),
            pl.col("exchange").is_not_null(),
        )
        .filter(ids.is_first_distinct())
        .sort("exchange", "symbol", order, maintain_order=True)
        .collect()
    )
    for suffix in (pl.col("series"), pl.col("broker_id")):
        again = ~pl.struct("exchange", "symbol").is_first_distinct()
        longer = pl.concat_str("symbol", suffix, separator="-")
        rows = rows.with_columns(
            pl.when(again).then(longer.fill_null(pl.col("symbol"))).otherwise("symbol").alias("symbol")
        )
    return rows.sort("exchange", "symbol")


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64, strict=False)


def _positive(value: pl.Expr) -> pl.Expr:
    return pl.when(value > 0).then(value)


def _side(column: str) -> pl.Expr:
    """Return CE or PE, null for the likes of XX."""
    side = pl.col(column).str.to_uppercase().str.strip_chars()
    return pl.when(side.is_in(["CE", "PE"])).then(side)


def _type(column: str) -> pl.Expr:
    """Return our word for the likes of FUTIDX, OPTSTK, CE, INDEX."""
    word = pl.col(column).fill_null("").str.to_uppercase()
    return (
        pl.when(word.str.contains("^FUT"))
        .then(pl.lit("future"))
        .when(word.str.contains("^OPT") | word.is_in(["CE", "PE"]))
        .then(pl.lit("option"))
        .when(word.is_in(["INDEX", "AMXIDX"]))
        .then(pl.lit("index"))
        .otherwise(pl.lit("equity"))
    )


def _csv(data: bytes, *needed: str) -> pl.DataFrame:
    """Return a table of texts, with at least the columns `needed`."""
    try:
        table = pl.read_csv(
            io.BytesIO(data), infer_schema=False, truncate_ragged_lines=True, encoding="utf8-lossy"
        )
    except (pl.exceptions.PolarsError, ValueError) as error:
        raise ValueError(f"it cannot be read as CSV ({type(error).__name__})") from None
    table = table.rename({name: name.strip().strip("\ufeff") for name in table.columns})
    return _with_columns(table, needed)


def _json(data: bytes, fields: Mapping[str, type[pl.DataType]], *needed: str) -> pl.DataFrame:
    """Return a table of the objects' `fields`; what one lacks, or has of another type, is null."""
    try:
        found = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(f"it cannot be read as JSON ({error})") from None
    if not isinstance(found, list):
        raise ValueError("it is not a JSON array")
    rows = [one for one in found if isinstance(one, dict)]
    table = pl.DataFrame(
        {
            name: pl.Series([one.get(name) for one in rows], dtype=dtype, strict=False)
            for name, dtype in fields.items()
        }
    )
    for name in needed:
        if not rows or table[name].is_null().all():
            raise ValueError(f"it has no {name}")
    return table


def _with_columns(table: pl.DataFrame, needed: tuple[str, ...]) -> pl.DataFrame:
    lacking = [name for name in needed if name not in table.columns]
    if lacking:
        raise ValueError(f"it has no column {lacking[0]}")
    return table


def _unzipped(data: bytes) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise ValueError(f"its compression is damaged ({error})") from None


# --- Dhan ---------------------------------------------------------------------------------------

#: Exchange and letter in the list → the feed's segment, the exchange as analysts write it.
_DHAN_PARTS: Final = {
    "NSE E": ("NSE_EQ", "NSE"),
    "NSE D": ("NSE_FNO", "NFO"),
    "NSE C": ("NSE_CURRENCY", "CDS"),
    "BSE E": ("BSE_EQ", "BSE"),
    "BSE D": ("BSE_FNO", "BFO"),
    "BSE C": ("BSE_CURRENCY", "BCD"),
    "MCX M": ("MCX_COMM", "MCX"),
    "NSE I": ("IDX_I", "INDEX"),
    "BSE I": ("IDX_I", "INDEX"),
    "MCX I": ("IDX_I", "INDEX"),
}

#: Names of a column in the compact list, in the detailed one.
_DHAN_COLUMNS: Final = {
    "exchange": ("SEM_EXM_EXCH_ID", "EXCH_ID"),
    "letter": ("SEM_SEGMENT", "SEGMENT"),
    "id": ("SEM_SMST_SECURITY_ID", "SECURITY_ID"),
    "symbol": ("SEM_TRADING_SYMBOL", "DISPLAY_NAME"),
    "short": ("SM_SYMBOL_NAME", "UNDERLYING_SYMBOL"),
    "name": ("SEM_CUSTOM_SYMBOL", "DISPLAY_NAME"),
    "instrument": ("SEM_INSTRUMENT_NAME", "INSTRUMENT"),
    "series": ("SEM_SERIES", "SERIES"),
    "expiry": ("SEM_EXPIRY_DATE", "SM_EXPIRY_DATE"),
    "strike": ("SEM_STRIKE_PRICE", "STRIKE_PRICE"),
    "side": ("SEM_OPTION_TYPE", "OPTION_TYPE"),
    "lot": ("SEM_LOT_UNITS", "LOT_SIZE"),
    "tick": ("SEM_TICK_SIZE", "TICK_SIZE"),
}


def _dhan(data: bytes) -> pl.DataFrame:
    """Read Dhan's compact list, or the detailed one, whose shares go by their underlying's symbol.

    Parts of an exchange that Dhan's feed has no segment for are left out: no id there could be asked for.
    """
    table = _csv(_unzipped(data))
    detailed = "SEM_SMST_SECURITY_ID" not in table.columns
    chosen = {ours: theirs[detailed] for ours, theirs in _DHAN_COLUMNS.items()}
    _with_columns(table, tuple(chosen[ours] for ours in ("exchange", "letter", "id", "symbol")))
    table = table.select(
        (pl.col(theirs) if theirs in table.columns else pl.lit(None, pl.String)).alias(ours)
        for ours, theirs in chosen.items()
    )
    part = pl.concat_str("exchange", "letter", separator=" ")
    index = pl.col("letter") == "I"
    cash = (pl.col("letter") == "E") & pl.col("short").is_not_null()
    day = pl.col("expiry").str.head(10).str.to_date("%Y-%m-%d", strict=False)
    tick = _number("tick")
    # Paise for all but the indices, says the file. The smallest step of anything but a currency is one
    # paisa, so less than 1 is rupees already, should the file be mended one day.
    rupees = index | ((tick < 1) & (pl.col("letter") != "C"))
    return _finished(
        table.select(
            part.replace_strict({k: v[1] for k, v in _DHAN_PARTS.items()}, default=None).alias("exchange"),
            (pl.when(cash).then("short").otherwise("symbol") if detailed else pl.col("symbol")).alias(
                "symbol"
            ),
            "name",
            pl.when(index).then(pl.lit("index")).otherwise(_type("instrument")).alias("type"),
            pl.when(pl.col("letter") == "E").then("series").alias("series"),
            pl.when(~index & (day.dt.year() > 1990)).then(day).alias("expiry"),
            _positive(_number("strike")).alias("strike"),
            _side("side").alias("option_type"),
            _positive(_number("lot")).alias("lot"),
            _positive(pl.when(rupees).then(tick).otherwise(tick / 100)).alias("tick_size"),
            part.replace_strict({k: v[0] for k, v in _DHAN_PARTS.items()}, default=None).alias("segment"),
            pl.col("id").alias("broker_id"),
        )
    )


# --- Kite ---------------------------------------------------------------------------------------


def _kite(data: bytes) -> pl.DataFrame:
    """Read Kite's list. Series other than EQ are part of the trading symbol there."""
    table = _csv(_unzipped(data), "instrument_token", "tradingsymbol", "exchange", "segment")
    index = pl.col("segment") == "INDICES"
    return _finished(
        table.select(
            pl.when(index).then(pl.lit("INDEX")).otherwise("exchange").alias("exchange"),
            pl.col("tradingsymbol").alias("symbol"),
            "name",
            pl.when(index).then(pl.lit("index")).otherwise(_type("instrument_type")).alias("type"),
            pl.col("expiry").str.to_date("%Y-%m-%d", strict=False),
            _positive(_number("strike")).alias("strike"),
            _side("instrument_type").alias("option_type"),
            _positive(_number("lot_size")).alias("lot"),
            _positive(_number("tick_size")).alias("tick_size"),
            "segment",
            pl.col("instrument_token").alias("broker_id"),
        )
    )


def _kite_sample(rows: pl.DataFrame) -> pl.DataFrame:
    """Return Kite's tokens: the exchange's, with the segment in the low byte, 1 for NSE shares."""
    token = pl.col("broker_id").cast(pl.Int64) * 256 + 1
    return rows.filter(exchange="NSE").with_columns(
        token.cast(pl.String).alias("broker_id"), pl.lit("NSE").alias("segment")
    )


# --- Upstox -------------------------------------------------------------------------------------

_UPSTOX_PARTS: Final = {
    "NSE_EQ": "NSE",
    "BSE_EQ": "BSE",
    "NSE_FO": "NFO",
    "BSE_FO": "BFO",
    "NCD_FO": "CDS",
    "BCD_FO": "BCD",
    "MCX_FO": "MCX",
    "NSE_INDEX": "INDEX",
    "BSE_INDEX": "INDEX",
}


def _upstox(data: bytes) -> pl.DataFrame:
    """Read Upstox' list: expiry in ms at the end of the Indian day, tick size in paise."""
    table = _json(
        _unzipped(data),
        {
            "segment": pl.String,
            "trading_symbol": pl.String,
            "name": pl.String,
            "instrument_type": pl.String,
            "expiry": pl.Int64,
            "strike_price": pl.Float64,
            "lot_size": pl.Float64,
            "tick_size": pl.Float64,
            "instrument_key": pl.String,
        },
        "instrument_key",
        "trading_symbol",
    )
    cash = pl.col("segment").str.ends_with("_EQ")
    moment = pl.from_epoch("expiry", time_unit="ms").dt.replace_time_zone("UTC")
    return _finished(
        table.select(
            pl.col("segment").replace_strict(_UPSTOX_PARTS, default=None).alias("exchange"),
            pl.col("trading_symbol").alias("symbol"),
            "name",
            pl.when(~cash).then(_type("instrument_type")).otherwise(pl.lit("equity")).alias("type"),
            pl.when(cash).then("instrument_type").alias("series"),
            moment.dt.convert_time_zone("Asia/Kolkata").dt.date().alias("expiry"),
            _positive(pl.col("strike_price")).alias("strike"),
            _side("instrument_type").alias("option_type"),
            _positive(pl.col("lot_size")).alias("lot"),
            _positive(pl.col("tick_size") / 100).alias("tick_size"),
            "segment",
            pl.col("instrument_key").alias("broker_id"),
        )
    )


# --- Angel One ----------------------------------------------------------------------------------

#: `exch_seg` of the list → the feed's exchange type, the exchange as analysts write it.
_ANGEL_PARTS: Final = {
    "NSE": ("nse_cm", "NSE"),
    "NFO": ("nse_fo", "NFO"),
    "BSE": ("bse_cm", "BSE"),
    "BFO": ("bse_fo", "BFO"),
    "MCX": ("mcx_fo", "MCX"),
    "NCDEX": ("ncx_fo", "NCDEX"),
    "CDS": ("cde_fo", "CDS"),
}


def _angel(data: bytes) -> pl.DataFrame:
    """Read Angel One's list: everything is text, strike and tick size in paise."""
    wanted = (
        "token",
        "symbol",
        "name",
        "expiry",
        "strike",
        "lotsize",
        "instrumenttype",
        "exch_seg",
        "tick_size",
    )
    table = _json(_unzipped(data), dict.fromkeys(wanted, pl.String), "token", "symbol", "exch_seg")
    index = pl.col("instrumenttype") == "AMXIDX"
    # Only NSE's cash market has the series behind the symbol: RELIANCE-EQ. The others keep theirs.
    share = (pl.col("exch_seg") == "NSE") & ~index
    symbol = pl.when(share).then(pl.col("symbol").str.strip_suffix("-EQ")).otherwise("symbol")
    side = pl.col("symbol").str.extract(r"(CE|PE)$")
    option = _type("instrumenttype") == "option"
    return _finished(
        table.select(
            pl.when(index)
            .then(pl.lit("INDEX"))
            .otherwise(
                pl.col("exch_seg").replace_strict({k: v[1] for k, v in _ANGEL_PARTS.items()}, default=None)
            )
            .alias("exchange"),
            pl.when(index).then(pl.col("symbol").str.to_uppercase()).otherwise(symbol).alias("symbol"),
            "name",
            _type("instrumenttype").alias("type"),
            pl.when(share).then(pl.col("symbol").str.extract(r"-([A-Z0-9]{2})$")).alias("series"),
            pl.col("expiry").str.to_titlecase().str.to_date("%d%b%Y", strict=False),
            pl.when(option).then(_positive(_number("strike") / 100)).alias("strike"),
            pl.when(option).then(side).alias("option_type"),
            _positive(_number("lotsize")).alias("lot"),
            _positive(_number("tick_size") / 100).alias("tick_size"),
            pl.col("exch_seg")
            .replace_strict({k: v[0] for k, v in _ANGEL_PARTS.items()}, default=None)
            .alias("segment"),
            pl.col("token").alias("broker_id"),
        )
    )


def _angel_sample(rows: pl.DataFrame) -> pl.DataFrame:
    """Return Angel One's tokens: of NSE shares they are the exchange's, as Dhan's are."""
    return rows.filter(exchange="NSE").with_columns(pl.lit("nse_cm").alias("segment"))


BROKERS: Final = {
    broker.feed: broker
    for broker in (
        Broker(
            "dhan",
            "Dhan",
            "https://images.dhan.co/api-data/api-scrip-master.csv",
            _dhan,
            lambda rows: rows,
        ),
        Broker("kite", "Kite", "https://api.kite.trade/instruments", _kite, _kite_sample),
        Broker(
            "upstox",
            "Upstox",
            "https://assets.upstox.com/market-quote/instruments/exchange/complete.json.gz",
            _upstox,
            None,
        ),
        Broker(
            "angelone",
            "Angel One",
            "https://margincalculator.angelbroking.com/OpenAPI_File/files/OpenAPIScripMaster.json",
            _angel,
            _angel_sample,
        ),
    )
}
