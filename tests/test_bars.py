"""Bars: invariants on random ticks, the definition row by row, and real bars rebuilt from finer ones."""

from __future__ import annotations

import io
import json
import math
import random
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ltpkit as lk
from ltpkit import schema
from ltpkit.bars import bars, width_us
from ltpkit.errors import SettingError
from tests.paths import SHARED, needs_shared

MINUTE = 60_000_000
DAY = 86_400_000_000
IST = 19_800_000_000
TYPES = {name: schema.polars_schema("ticks")[name] for name in ("seq", "symbol", "exchange", "timestamp")}
TYPES |= {name: pl.Float64() for name in ("ltp", "ltq", "volume")}


def rows(*ticks: tuple[Any, ...], exchange: str = "NSE", symbol: str = "INFY") -> pl.DataFrame:
    """Ticks from (time in µs, ltp, ltq, volume)."""
    return pl.DataFrame(
        {
            "seq": range(1, len(ticks) + 1),
            "symbol": [symbol] * len(ticks),
            "exchange": [exchange] * len(ticks),
            "timestamp": [t[0] for t in ticks],
            "ltp": [t[1] for t in ticks],
            "ltq": [t[2] for t in ticks],
            "volume": [t[3] for t in ticks],
        },
        schema={**TYPES, "timestamp": pl.Int64},
    ).cast({"timestamp": TYPES["timestamp"]})


def at(text: str) -> int:
    """Microseconds of an India time on 7 January 2026."""
    hours, minutes, *seconds = text.split(":")
    day = datetime(2026, 1, 7, tzinfo=UTC)
    time = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0)
    return (day + time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) - IST


def starts(found: pl.DataFrame) -> list[str]:
    """Starts as India time."""
    return found["start"].dt.convert_time_zone("Asia/Kolkata").dt.strftime("%H:%M").to_list()


# -- where bars begin ----------------------------------------------------------------------------


def test_hours_of_an_indian_exchange_count_from_the_open() -> None:
    ticks = rows(*[(at(t), 1.0, 1.0, None) for t in ("09:15", "10:14:59", "10:15", "15:29")])
    assert starts(bars(ticks, "1h")) == ["09:15", "10:15", "15:15"]


def test_currency_segments_open_at_nine() -> None:
    ticks = rows((at("09:05"), 1.0, 1.0, None), exchange="CDS")
    assert starts(bars(ticks, "1h")) == ["09:00"]


def test_crypto_counts_from_midnight_utc() -> None:
    ticks = rows((at("09:20"), 1.0, 1.0, None), exchange="BINANCE")  # 03:50 UTC
    assert bars(ticks, "1h")["start"].dt.strftime("%H:%M").to_list() == ["03:00"]


def test_a_bar_does_not_reach_back_before_local_midnight() -> None:
    ticks = rows(*[(at(t), 1.0, 1.0, None) for t in ("00:05", "00:20", "09:07", "09:15", "23:59")])
    assert starts(bars(ticks, "1h")) == ["00:00", "00:15", "08:15", "09:15", "23:15"]
    assert starts(bars(ticks, "1d")) == ["00:00", "09:15"]


def test_bars_start_anew_each_day() -> None:
    ticks = rows((at("23:59"), 1.0, 1.0, None), (at("24:01"), 2.0, 1.0, None))
    assert starts(bars(ticks, "7m")) == ["23:57", "00:00"]  # 00:00 cuts the bar that began at 23:57


@pytest.mark.parametrize("every", ["1s", "1m", "5m", "15m"])
def test_lengths_that_divide_a_quarter_of_an_hour_fall_on_the_clock_everywhere(every: str) -> None:
    both = [rows((at("09:20:07"), 1.0, 1.0, None), exchange=name) for name in ("NSE", "BINANCE", "CDS")]
    found = bars(pl.concat(both), every)
    expected = at("09:20:07") // width_us(every) * width_us(every)
    assert found["start"].dt.timestamp("us").unique().to_list() == [expected]


@pytest.mark.parametrize("every", ["100us", "250ms", "1s", "1m30s", "7m", "10m", "1h", "3h20m", "1d"])
@pytest.mark.parametrize("exchange", ["NSE", "MCX", "BINANCE"])
@given(times=st.lists(st.integers(1_700_000_000_000_000, 1_700_600_000_000_000), min_size=1, max_size=40))
@settings(max_examples=15)
def test_each_tick_is_in_the_one_bar_that_holds_its_time(every: str, exchange: str, times: list[int]) -> None:
    ticks = rows(*[(time, 1.0, 1.0, None) for time in times], exchange=exchange)
    found = bars(ticks, every)["start"].dt.timestamp("us").to_list()
    offset, opens = (0, 0) if exchange == "BINANCE" else (IST, (555 if exchange == "NSE" else 540) * MINUTE)
    expected = set()
    for time in times:
        midnight = (time + offset) // DAY * DAY - offset
        number = (time - midnight - opens) // width_us(every)
        expected.add(midnight + max(0, opens + number * width_us(every)))
    assert sorted(expected) == found


@pytest.mark.parametrize("every", ["", "1", "m", "0s", "-1m", "1.5s", "2d", "25h", "1w", "1mo", "1m ", "1 m"])
def test_a_length_that_is_none_is_refused(every: str) -> None:
    with pytest.raises(SettingError, match="bar length"):
        bars(rows((0, 1.0, 1.0, None)), every)


# -- prices --------------------------------------------------------------------------------------


def test_rows_without_a_price_make_no_bar_and_no_tick() -> None:
    ticks = rows(
        (at("10:00"), None, None, None), (at("10:01"), 5.0, 1.0, None), (at("10:01"), None, None, None)
    )
    found = bars(ticks)
    assert starts(found) == ["10:01"]
    assert found["ticks"].to_list() == [1]


def test_arrival_order_decides_open_and_close() -> None:
    ticks = rows(
        (at("10:00:30"), 5.0, 1.0, None), (at("10:00:10"), 9.0, 1.0, None), (at("10:00:20"), 7.0, 1.0, None)
    )
    assert bars(ticks).select("open", "high", "low", "close").row(0) == (5.0, 9.0, 5.0, 7.0)
    assert bars(ticks.reverse()).equals(bars(ticks))


def test_one_symbol_on_two_exchanges_has_bars_of_its_own() -> None:
    ticks = pl.concat(
        [rows((at("10:00"), 1.0, 1.0, None), exchange=name) for name in ("NSE", "BSE")]
    ).with_columns(seq=pl.Series([1, 2]))
    assert bars(ticks).select("symbol", "exchange").rows() == [("INFY", "BSE"), ("INFY", "NSE")]


def test_a_million_rows_agree_with_a_plain_count() -> None:
    n = 1_000_000
    seq = pl.int_range(1, n + 1, eager=True, dtype=pl.Int64)
    ticks = pl.DataFrame(
        {
            "seq": seq,
            "symbol": ("S" + (seq * 7919 % 50).cast(pl.String)).cast(schema.categories("symbol")),
            "exchange": pl.Series(["NSE"], dtype=schema.categories("exchange")).new_from_index(0, n),
            "timestamp": (1_700_000_000_000_000 + seq * 100).cast(TYPES["timestamp"]),
            "ltp": (seq * 7919 % 1_009).cast(pl.Float64),
            "ltq": 1.0,
            "volume": seq.cast(pl.Float64),
        }
    )
    found = bars(ticks, "10s")
    # Each symbol alone, in order, without any grouping.
    for name, part in ticks.partition_by("symbol", as_dict=True).items():
        mine = found.filter(pl.col("symbol") == name[0])
        bucket = part["timestamp"].dt.timestamp("us") // 10_000_000
        ends = bucket.rle().struct.field("len").cum_sum()
        firsts = ends.shift(fill_value=0)
        assert mine["open"].to_list() == part["ltp"].gather(firsts).to_list()
        assert mine["close"].to_list() == part["ltp"].gather(ends - 1).to_list()
        assert mine["ticks"].to_list() == (ends - firsts).to_list()
        assert mine["volume"].sum() == part["volume"][-1] - part["volume"][0] + min(part["volume"][0], 1.0)


# -- volume --------------------------------------------------------------------------------------


def test_volume_is_how_far_the_days_total_rose() -> None:
    ticks = rows(
        (at("10:00:01"), 1.0, 5.0, 1000.0),
        (at("10:00:30"), 1.0, 1.0, 1040.0),
        (at("10:01:10"), 1.0, 1.0, 1100.0),
        (at("10:03:00"), 1.0, 1.0, 1101.0),
    )
    assert bars(ticks)["volume"].to_list() == [45.0, 60.0, 1.0]


def test_a_total_that_falls_has_begun_a_new_day() -> None:
    ticks = rows(
        (at("15:29"), 1.0, 1.0, 9000.0), (at("33:15"), 1.0, 30.0, 30.0), (at("33:16"), 1.0, 1.0, 50.0)
    )
    assert bars(ticks)["volume"].to_list() == [1.0, 30.0, 20.0]


def test_a_late_tick_with_an_older_total_is_no_new_day() -> None:
    ticks = rows(
        (at("10:00:01"), 1.0, 0.0, 1000.0),
        (at("10:01:01"), 1.0, 1.0, 1010.0),
        (at("10:00:59"), 1.0, 1.0, 1004.0),
        (at("10:01:02"), 1.0, 1.0, 1009.0),
        (at("10:02:00"), 1.0, 1.0, 1020.0),
    )
    assert bars(ticks)["volume"].to_list() == [4.0, 6.0, 10.0]


def test_trades_are_added_up_where_there_is_no_total() -> None:
    ticks = rows(
        (at("10:00:01"), 1.0, 0.25, None), (at("10:00:02"), 1.0, 0.5, None), (at("10:01"), 1.0, None, None)
    )
    assert bars(ticks)["volume"].to_list() == [0.75, None]


def test_an_index_has_no_volume_rather_than_none_traded() -> None:
    assert bars(rows((at("10:00"), 1.0, None, None)))["volume"].to_list() == [None]


def test_each_instrument_has_its_own_kind_of_volume() -> None:
    totals = rows((at("10:00"), 1.0, 2.0, 7.0), (at("10:01"), 1.0, 1.0, None), (at("10:02"), 1.0, 1.0, 9.0))
    trades = rows((at("10:00"), 1.0, 2.0, None), (at("10:01"), 1.0, 3.0, None), symbol="TCS")
    found = bars(pl.concat([totals, trades.with_columns(pl.col("seq") + 3)]))
    assert found["volume"].to_list() == [2.0, 0.0, 2.0, 2.0, 3.0]


def test_an_instrument_that_appears_late_counts_from_its_own_first_total() -> None:
    n = 10_000  # beyond the rows that are looked at first
    early = rows(*[(at("10:00") + i, 1.0, 1.0, float(i + 1)) for i in range(n)])
    late = rows((at("10:00:30"), 1.0, 3.0, 500.0), (at("10:00:31"), 1.0, 3.0, 510.0), symbol="TCS")
    found = bars(pl.concat([early, late.with_columns(pl.col("seq") + n)]))
    assert found["volume"].to_list() == [float(n), 13.0]


def test_quantities_add_up_to_the_same_however_they_lie_in_memory() -> None:
    rng = random.Random(7)
    made = [
        (at("10:00") + n * 1_000, 1.0, rng.randrange(10**7) / 10 ** rng.randrange(4, 9), None)
        for n in range(60_000)
    ]
    whole = rows(*made)
    cuts = sorted(rng.sample(range(60_000), 9))
    pieces = [whole.slice(start, end - start) for start, end in zip([0, *cuts], [*cuts, 60_000], strict=True)]
    expected = math.fsum(tick[2] for tick in made)
    for ticks in (whole, pl.concat(pieces, rechunk=False), whole.with_columns(pl.col("ltq").reverse())):
        assert bars(ticks, "1m")["volume"].to_list() == [expected]


# -- the growing bar, kinds of frames -----------------------------------------------------------------


def test_a_bar_grows_until_now_has_reached_its_end() -> None:
    ticks = rows((at("10:00:10"), 1.0, 1.0, None), (at("10:01:10"), 1.0, 1.0, None))
    assert bars(ticks)["growing"].to_list() == [False, True]
    assert bars(ticks, now=at("10:02") - 1)["growing"].to_list() == [False, True]
    assert bars(ticks, now=at("10:02"))["growing"].to_list() == [False, False]
    now = datetime(2026, 1, 7, 4, 32, tzinfo=UTC)  # 10:02 in India
    assert bars(ticks, now=now)["growing"].to_list() == [False, False]


def test_the_last_bar_of_the_day_ends_at_midnight() -> None:
    ticks = rows((at("23:50"), 1.0, 1.0, None))
    assert bars(ticks, "1h", now=at("24:00") - 1)["growing"].to_list() == [True]
    assert bars(ticks, "1h", now=at("24:00"))["growing"].to_list() == [False]


def test_a_quote_after_the_end_says_that_a_bar_is_over() -> None:
    ticks = rows((at("10:00:10"), 1.0, 1.0, None), (at("10:01"), None, None, None))
    assert bars(ticks)["growing"].to_list() == [False]


def test_now_without_a_time_zone_is_refused() -> None:
    with pytest.raises(SettingError, match="time zone"):
        bars(rows((0, 1.0, 1.0, None)), now=datetime(2026, 1, 7))  # noqa: DTZ001


def test_no_ticks_make_no_bars_of_the_same_types() -> None:
    none = bars(rows())
    assert none.schema == bars(rows((0, 1.0, 1.0, 1.0))).schema
    assert none.height == 0
    assert bars(rows((0, None, None, None))).schema == none.schema


def test_a_lazy_frame_stays_lazy_and_says_the_same() -> None:
    ticks = rows(*[(at("10:00") + i * 7_000_000, float(i % 5), 1.0, float(i)) for i in range(100)])
    lazy = bars(ticks.lazy(), "5m")
    assert isinstance(lazy, pl.LazyFrame)
    assert lazy.collect_schema() == bars(ticks, "5m").schema
    assert lazy.collect().equals(bars(ticks, "5m"))
    assert lazy.filter(pl.col("close") > 2).select("close").collect().height == (
        bars(ticks, "5m").filter(pl.col("close") > 2).height
    )


def test_symbols_may_be_plain_text_as_sql_gives_them() -> None:
    ticks = rows((at("10:00"), 1.0, 1.0, None)).cast({"symbol": pl.String, "exchange": pl.String})
    assert bars(ticks, "1h")["symbol"].to_list() == ["INFY"]
    assert starts(bars(ticks, "1h")) == ["09:15"]


# -- invariants ------------------------------------------------------------------------------------

prices = st.one_of(st.none(), st.integers(1, 10_000).map(lambda p: p / 4))
arrivals = st.lists(
    st.tuples(st.integers(0, 3_000_000), prices, st.one_of(st.none(), st.integers(0, 50).map(float))),
    max_size=120,
)


def drawn(ticks: list[tuple[int, float | None, float | None]], *, totals: bool) -> pl.DataFrame:
    time, total, made = at("09:10"), 100.0, []
    for step, ltp, ltq in ticks:
        time += step
        total += ltq or 0.0
        made.append((time, ltp, ltq, total if totals else None))
    return rows(*made)


@given(ticks=arrivals, totals=st.booleans())
def test_low_and_high_hold_open_and_close_and_volume_adds_up(
    *, ticks: list[tuple[int, float | None, float | None]], totals: bool
) -> None:
    frame = drawn(ticks, totals=totals)
    found = bars(frame, "10s")
    assert found.filter(
        (pl.col("low") > pl.min_horizontal("open", "close"))
        | (pl.col("high") < pl.max_horizontal("open", "close"))
        | (pl.col("volume") < 0)
    ).is_empty()
    priced = frame.filter(pl.col("ltp").is_not_null())
    assert found["ticks"].sum() == priced.height
    assert found["start"].is_sorted()
    if totals and priced.height:
        first = priced.row(0, named=True)
        rise = priced["volume"][-1] - first["volume"] + min(first["volume"], first["ltq"] or 0.0)
        assert found["volume"].sum() == rise
    elif not totals:
        assert found["volume"].sum() == priced["ltq"].sum()


@given(ticks=arrivals, cut=st.integers(0, 120))
def test_bars_of_two_halves_merge_into_bars_of_the_whole(
    ticks: list[tuple[int, float | None, float | None]], cut: int
) -> None:
    frame = drawn(ticks, totals=False)
    halves = pl.concat([bars(frame.head(cut), "10s"), bars(frame.slice(cut), "10s")])
    merged = halves.group_by("symbol", "exchange", "start", maintain_order=True).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.when(pl.col("volume").count() > 0).then(pl.col("volume").sum()).alias("volume"),
        pl.col("ticks").sum(),
    )
    columns = ["symbol", "start", "open", "high", "low", "close", "volume", "ticks", "exchange"]
    assert merged.select(columns).equals(bars(frame, "10s").select(columns))


# -- real bars ---------------------------------------------------------------------------------------


def lean(path: str, member: str | None = None) -> pl.DataFrame:
    """The rows of one of the zipped bar files."""
    with zipfile.ZipFile(SHARED / "recordings" / path) as archive:
        text = archive.read(member or archive.namelist()[0])
    names = ["ms", "open", "high", "low", "close", "qty"]
    return pl.read_csv(
        io.BytesIO(text), has_header=False, new_columns=names, schema_overrides=[pl.Float64] * 6
    )


def as_ticks(found: pl.DataFrame, midnight: int, *, exchange: str, totals: bool) -> pl.DataFrame:
    """Four ticks that make each bar: open, high, low, close, the first with all of the quantity."""
    parts = [
        found.select(
            (midnight + pl.col("ms") * 1000 + number).cast(pl.Int64).alias("timestamp"),
            pl.col(price).alias("ltp"),
            (pl.col("qty") if number == 0 else pl.lit(0.0)).alias("ltq"),
        )
        for number, price in enumerate(("open", "high", "low", "close"))
    ]
    ticks = pl.concat(parts).sort("timestamp").with_row_index("seq", offset=1)
    volume = pl.col("ltq").cum_sum() if totals else pl.lit(None, pl.Float64)
    return (
        ticks.with_columns(symbol=pl.lit("X"), exchange=pl.lit(exchange), volume=volume)
        .select(list(TYPES))
        .cast(TYPES)
    )


@needs_shared
def test_a_days_seconds_make_the_exchanges_own_minutes() -> None:
    midnight = int(datetime(2016, 10, 7, tzinfo=UTC).timestamp()) * 1_000_000
    seconds = lean("ohlcv/btcusd-coinbase-second-20161007.zip")
    minutes = lean("ohlcv/btcusd-coinbase-minute-20161007.zip")
    found = bars(as_ticks(seconds, midnight, exchange="COINBASE", totals=False), "1m")
    assert found.height == minutes.height == 1419
    assert found["start"].dt.timestamp("us").to_list() == (midnight + minutes["ms"] * 1000).to_list()
    for ours, theirs in (("open", "open"), ("high", "high"), ("low", "low"), ("close", "close")):
        assert found[ours].to_list() == minutes[theirs].to_list()
    assert (found["volume"] - minutes["qty"]).abs().max() < 1e-9


@needs_shared
@pytest.mark.parametrize("name", ["nifty50", "juniorbees"])
@pytest.mark.parametrize("day", ["20190101", "20190102", "20190103", "20190104"])
def test_indian_minutes_make_the_known_five_minute_bars(name: str, day: str) -> None:
    truth = json.loads((SHARED / "recordings/nse/nse-minute.truth.json").read_text())
    expected = truth[f"{name}-minute-{day}.zip"]
    member = expected.get("member_used") or expected["members"][0]
    midnight = int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * 1_000_000 - IST
    ticks = as_ticks(
        lean(f"nse/{name}-minute-{day}.zip", member), midnight, exchange="NSE", totals=name != "nifty50"
    )
    found = bars(ticks, "5m")
    known = expected["bars_5m_from_minutes"]["rows"]
    assert (found["start"].dt.timestamp("us") - midnight).to_list() == [row[0] * 1000 for row in known]
    for place, column in enumerate(("open", "high", "low", "close"), start=1):
        assert found[column].to_list() == [float(row[place]) for row in known]
    assert found["volume"].to_list() == [float(row[5]) for row in known]


@needs_shared
def test_three_days_of_prints_make_the_known_minutes() -> None:
    truth = json.loads((SHARED / "recordings/us-equities/spy-trades-20131007-09.truth.json").read_text())
    prints = pl.read_parquet(SHARED / "recordings/us-equities/spy-trades-20131007-09.parquet")
    ticks = prints.select(
        seq=pl.col("row").cast(pl.Int64) + 1,
        symbol=pl.lit("SPY"),
        exchange=pl.lit("ARCA"),
        timestamp=pl.col("ts"),
        ltp=pl.col("price_e4").cast(pl.Float64),
        ltq=pl.col("size").cast(pl.Float64),
        volume=pl.lit(None, pl.Float64),
    ).cast(TYPES)
    found = bars(ticks, "1m").select(
        pl.col("start").dt.timestamp("us"), "open", "high", "low", "close", "volume", "ticks"
    )
    expected = []
    for day, known in truth["days"].items():
        midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=timezone(timedelta(hours=-4)))
        for minute, *numbers in known["bars_1m"]["rows"]:
            start = int((midnight + timedelta(minutes=minute)).timestamp()) * 1_000_000
            expected.append((start, *map(float, numbers[:5]), numbers[5]))
    assert found.rows() == expected


def test_a_symbol_in_place_of_the_bar_length_is_answered_with_what_to_write() -> None:
    with lk.stream(["NSE:RELIANCE"], rate=2_000, name="bars of a symbol") as live:
        for name in ("RELIANCE", "NSE:RELIANCE"):
            with pytest.raises(SettingError, match=rf'no bar length.*bars\("1m", symbol="{name}"\)'):
                live.bars(name, "1m")
        for neither in ("INFY", "", 5):
            with pytest.raises(SettingError, match=r"no bar length.*'1d'\.$"):
                live.bars(neither)  # type: ignore[arg-type]
