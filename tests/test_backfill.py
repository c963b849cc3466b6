"""Gaps filled from a broker's history: what comes back, that it comes once, and that bars are right then."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ltpkit as lk
from ltpkit import nifty
from ltpkit.bars import bars
from ltpkit.errors import SettingError, StreamStopped
from ltpkit.feeds.binance.history import TradeHistory
from ltpkit.feeds.common.history import (
    Historical,
    Minutes,
    Span,
    Trades,
    running_totals,
    ticks_of_minutes,
)
from ltpkit.feeds.dhan.history import MinuteHistory as DhanHistory
from ltpkit.feeds.kite.history import MinuteHistory as KiteHistory
from ltpkit.instrument import Instrument
from ltpkit.live import Stream
from ltpkit.schema import polars_schema
from ltpkit.simulator import SimulatedExchange
from ltpkit.store import Store
from tests.feeds.loopback import Loopback
from tests.history import Answer, Asked, HistoryServer

MINUTE = 60_000_000
NAME = "BINANCE:BTCUSDT"
BTC = Instrument(exchange="BINANCE", symbol="BTCUSDT", segment="spot", broker_id="btcusdt")
INFY = Instrument(exchange="NSE", symbol="INFY", segment="NSE_EQ", broker_id="1594")
OHLCV = ("symbol", "start", "open", "high", "low", "close", "volume")


class Trade:
    """One trade of the made-up market."""

    def __init__(self, number: int, at: int, price: float, qty: float) -> None:
        self.id, self.at, self.price, self.qty = number, at, price, qty

    def frame(self) -> bytes:
        said = {"e": "trade", "E": self.at, "s": "BTCUSDT", "t": self.id, "T": self.at, "X": "MARKET"}
        said |= {"p": f"{self.price:.2f}", "q": f"{self.qty:.5f}", "m": False}
        return json.dumps({"stream": "btcusdt@trade", "data": said}).encode()

    def of_history(self) -> dict[str, object]:
        return {"id": self.id, "price": f"{self.price:.2f}", "qty": f"{self.qty:.5f}", "time": self.at}

    def as_aggregate(self) -> dict[str, object]:
        said: dict[str, object] = {"a": self.id // 7 + 5, "p": f"{self.price:.2f}", "q": f"{self.qty:.5f}"}
        return said | {"f": self.id, "l": self.id, "T": self.at, "m": True}


def trades(count: int = 3000, start_ms: int = 1_700_000_000_000) -> list[Trade]:
    chance, price, at, made = random.Random(7), 40_000.0, start_ms, []
    for number in range(1, count + 1):
        price, at = price + chance.choice((-0.5, 0.0, 0.5)), at + chance.randint(1, 400)
        made.append(Trade(number, at, price, chance.randint(1, 900) / 1000))
    return made


def spot(everything: list[Trade], asked: Asked) -> Answer:
    """Answer as Binance's spot market does."""
    if asked.path == "/api/v3/historicalTrades":
        first = int(asked.query["fromId"])
        found = [one.of_history() for one in everything if one.id >= first][: int(asked.query["limit"])]
        return Answer(json.dumps(found).encode())
    assert asked.path == "/api/v3/aggTrades"
    start, end = int(asked.query["startTime"]), int(asked.query["endTime"])
    assert end - start < 3_600_000
    found = [one.as_aggregate() for one in everything if start <= one.at <= end]
    return Answer(json.dumps(found[: int(asked.query["limit"])]).encode())


@contextmanager
def binance(rest: HistoryServer, **options: Any) -> Iterator[tuple[Stream, Loopback]]:
    with (
        Loopback(lambda request: [json.dumps({"result": None, "id": request["id"]}).encode()]) as server,
        lk.stream(
            "BTCUSDT", feed="binance", url=server.url, rest_url=rest.url, depth=False, **options
        ) as live,
    ):
        yield live, server


def send(live: Stream, server: Loopback, some: list[Trade]) -> None:
    goal = live.status().received_seq + len(some)
    server.send(*(one.frame() for one in some))
    assert live._intake.wait_until(lambda: live._ring.last_seq >= goal, 20)


def same_in_sql(live: Stream) -> None:
    found = live.sql("FROM bars_1m").drop("growing")
    expected = live.bars("1m").drop("growing")
    assert_frame_equal(found.cast(expected.schema), expected)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for history in (TradeHistory, DhanHistory, KiteHistory):
        monkeypatch.setattr(history, "pause_s", 0.0)
        monkeypatch.setattr(history, "settle_s", 0.05)


# -- trades by their ids ------------------------------------------------------------------------------


def test_bars_over_a_filled_gap_are_those_of_the_uncut_stream() -> None:
    everything = trades()
    with HistoryServer(lambda asked: spot(everything, asked)) as rest, binance(rest) as (live, server):
        send(live, server, everything)
        whole = live.bars("1m")
    with HistoryServer(lambda asked: spot(everything, asked)) as rest, binance(rest) as (live, server):
        send(live, server, [*everything[:700], *everything[2300:]])
        assert live.gaps()["missing"].to_list() == [1600]
        newest, changes = live.latest(), live.changes().rows()
        found = live.backfill()
        assert found.select("symbol", "rows", "error").rows() == [(NAME, 1600, None)]
        assert found["gap"].to_list() == live.gaps()["seq"].to_list()
        assert live.bars("1m").equals(whole)
        in_order = live.ticks().sort("timestamp").drop("seq", "source")
        assert live.bars("10s").drop("growing").equals(bars(in_order, "10s").drop("growing"))
        same_in_sql(live)
        assert live.latest().equals(newest)
        assert live.sql("FROM latest_ltp")["ltp"].to_list() == newest["ltp"].to_list()
        assert [row for row in live.changes().rows() if row[5] is not None] == [
            row for row in changes if row[5] is not None
        ]
        filled = live.ticks().filter(pl.col("source").cast(pl.String) == "backfill")
        assert filled["seq"].to_list() == list(range(1401, 3001))
        assert filled["change"].null_count() == 1600
        assert live.gaps()["recovered"].to_list() == ["1600 trades of Binance's history"]
        assert live.backfill().is_empty()  # what was filled once is not filled again
        assert [one.query["fromId"] for one in rest.asked] == ["701", "1701"]
        send(live, server, [Trade(3001, everything[-1].at + 1, 50_000.0, 1.0)])
        assert live.ticks(last=1)["change"].item() == 50_000.0 - everything[-1].price


def test_filled_rows_which_arrive_last_are_the_newest_values_nowhere(tmp_path: Path) -> None:
    everything, store = trades(300), tmp_path / "filled.duckdb"
    columns = ("seq", "timestamp", "received_at", "ltp", "source")

    def newest(frame: pl.DataFrame) -> tuple[Any, ...]:
        assert frame.height == 1
        return frame.select(columns).row(0)

    with (
        HistoryServer(lambda asked: spot(everything, asked)) as rest,
        binance(rest, store=store, name="filled") as (live, server),
    ):
        send(live, server, [*everything[:100], *everything[150:299]])
        wanted = newest(live.latest())
        assert live.backfill()["rows"].to_list() == [50]
        assert newest(live.latest()) == wanted
        assert newest(live.sql("FROM latest_ltp")) == wanted
        assert live.newest_numbers(NAME)["seq"] == wanted[0] == 249
        status = live.status()
        assert status.last_tick_age_s == (status.at - wanted[2]).total_seconds()
        player = live.player()
        player.seek(player.end)
        assert newest(player.latest()) == wanted
        assert live.flush()  # what is stored answers as what is in memory
        assert newest(live.sql("FROM latest_ltp")) == wanted
        with httpx.Client(base_url=live.serve(port=0).url) as client:
            told = client.get("/api/v1/realtime/ltp/BTCUSDT").json()
        assert (told["seq"], told["ltp"], told["source"]) == (wanted[0], wanted[3], "binance")
    with lk.open(store) as archive:
        assert newest(archive.latest()) == wanted
        assert archive.status().received_seq == 299
    with (
        HistoryServer(lambda asked: spot(everything, asked)) as rest,
        binance(rest, store=store) as (live, server),
    ):
        send(live, server, everything[299:])
        assert live.changes()["change"].item() == everything[299].price - wanted[3]


def test_gaps_are_filled_as_they_come_where_that_was_asked_for() -> None:
    everything = trades(300)
    with (
        HistoryServer(lambda asked: spot(everything, asked)) as rest,
        binance(rest, backfill=True) as (live, server),
    ):
        server.send(*(one.frame() for one in [*everything[:100], *everything[150:]]))
        assert live._intake.wait_until(lambda: live._ring.last_seq >= 300, 20)
        assert live.ticks()["ltq"].sum() == pytest.approx(sum(one.qty for one in everything))
        assert live.flush()
        assert live.sql("SELECT count(DISTINCT seq) FROM ticks WHERE source = 'backfill'").item() == 50


def test_what_was_traded_before_the_first_tick_is_found_by_time() -> None:
    everything = trades(1200)
    since = datetime.fromtimestamp(everything[10].at / 1000, UTC)
    with HistoryServer(lambda asked: spot(everything, asked)) as rest, binance(rest) as (live, server):
        send(live, server, everything[1100:])
        assert live.backfill(since, symbols="BTCUSDT")["rows"].to_list() == [1090]
        assert live.bars("1m")["volume"].sum() == pytest.approx(sum(one.qty for one in everything[10:]))
        assert live.bars("1m")["open"][0] == everything[10].price
        same_in_sql(live)
        assert live.backfill(since).is_empty()


def test_usdm_trades_come_as_aggregates_and_none_that_reaches_beyond_the_gap() -> None:
    span = Span(instrument=BTC, start=1_000_000, end=9_000_000, from_id=10, to_id=20)
    history = TradeHistory("usdm", "https://x")
    request = history.first(span)
    assert (request.url, request.query["startTime"], request.query["endTime"]) == (
        "https://x/fapi/v1/aggTrades",
        "1000",
        "9000",
    )
    rows = [(1, 8, 10), (2, 11, 12), (3, 13, 20), (4, 21, 22)]
    said = [
        {"a": a, "p": "2.0", "q": "0.5", "f": f, "l": last, "T": 2000 + a, "m": True} for a, f, last in rows
    ]
    page = history.read(span, request, json.dumps(said).encode())
    assert isinstance(page.found, Trades)
    assert page.found.timestamp.tolist() == [2_002_000, 2_003_000]
    assert page.more is None
    with pytest.raises(ValueError, match="holds no trades"):
        history.read(span, request, b'{"code": -1121, "msg": "Invalid symbol."}')


def test_a_long_usdm_gap_is_asked_for_an_hour_at_a_time_and_a_page_at_a_time() -> None:
    hour = 3_600_000
    span = Span(instrument=BTC, start=0, end=2 * hour * 1000 + 5_000_000, from_id=1, to_id=5000)
    history = TradeHistory("usdm", "https://x")
    request = history.first(span)
    full = [{"a": i, "p": "1", "q": "1", "f": i, "l": i, "T": i, "m": True} for i in range(1, 1001)]
    more = history.read(span, request, json.dumps(full).encode()).more
    assert more is not None
    assert more.query["fromId"] == "1001"
    later = history.read(span, request, b"[]").more
    assert later is not None
    assert int(later.query["startTime"]) == int(request.query["endTime"]) + 1


# -- a broker that refuses ----------------------------------------------------------------------------


def test_a_history_that_is_busy_is_asked_again_after_as_long_as_it_says() -> None:
    everything = trades(300)
    answers = iter([Answer(b"slow down", 429, {"Retry-After": "1"}), Answer(b"oops", 502)])
    with (
        HistoryServer(lambda asked: next(answers, None) or spot(everything, asked)) as rest,
        binance(rest) as (live, server),
    ):
        send(live, server, [*everything[:100], *everything[150:]])
        assert live.backfill()["rows"].to_list() == [50]
        assert len(rest.asked) == 3


def test_a_refusal_is_told_in_the_brokers_words_without_the_token_and_can_be_tried_again() -> None:
    token = "s3cret-token-0123456789"
    fine: list[bool] = []
    start = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)

    def answer(asked: Asked) -> Answer:
        assert asked.headers["access-token"] == token
        if not fine:
            return Answer(f'{{"errorMessage": "token {token} is not valid"}}'.encode(), 401)
        when = [start.timestamp() + 60 * minute for minute in range(2)]
        columns = {name: [100.0, 101.0] for name in ("open", "high", "low", "close", "volume")}
        return Answer(json.dumps({**columns, "timestamp": when}).encode())

    with (
        HistoryServer(answer) as rest,
        SimulatedExchange(rate=2000) as exchange,
        lk.stream(
            "NSE:INFY",
            feed="dhan",
            url=exchange.url,
            rest_url=rest.url,
            client_id="1",
            token=token,
            known=nifty.instruments(),
        ) as live,
    ):
        assert live.wait(rows=1)
        refused = live.backfill(start, start + timedelta(minutes=2))
        assert refused["rows"].to_list() == [0]
        assert "HTTP 401" in refused["error"][0]
        assert "is not valid" in refused["error"][0]
        assert token not in str(refused["error"][0])
        told = live.events().filter(pl.col("kind") == "backfill_failed")
        assert told.height == 1
        assert token not in told["detail"][0]
        fine.append(True)
        assert live.backfill(start, start + timedelta(minutes=2))["rows"].to_list() == [8]
        filled = live.bars("1m").filter(pl.col("start") < start + timedelta(minutes=5))
        assert filled.select("open", "high", "low", "close", "volume").rows() == [
            (100.0, 100.0, 100.0, 100.0, 100.0),
            (101.0, 101.0, 101.0, 101.0, 101.0),
        ]
        said = json.loads(rest.asked[0].body)
        assert (said["fromDate"], said["instrument"]) == ("2026-11-20 09:30:00", "EQUITY")


def test_a_feed_without_a_history_says_so_before_anything_is_started() -> None:
    with pytest.raises(SettingError, match="no history to ask"):
        lk.stream("NSE:INFY", backfill=True)
    with lk.stream("NSE:INFY", rate=1000) as live:
        with pytest.raises(SettingError, match="Give stream"):
            live.backfill()
        with pytest.raises(SettingError, match="no time zone"):
            live.backfill(datetime(2026, 11, 20))  # noqa: DTZ001
    with pytest.raises(StreamStopped):
        live.backfill()


def test_a_history_that_does_not_answer_holds_up_no_stop_and_the_next_start_fills() -> None:
    everything, reached, go = trades(300), threading.Event(), threading.Event()

    def answer(asked: Asked) -> Answer:
        if not reached.is_set():
            reached.set()
            go.wait(20)
        return spot(everything, asked)

    with HistoryServer(answer) as rest, binance(rest, backfill=True) as (live, server):
        send(live, server, [*everything[:100], *everything[150:]])
        assert reached.wait(20)
        live.stop()
        assert "ltpkit-backfill" in [one.name for one in threading.enumerate()]  # it was not waited for
        assert live.status().received_seq == 250
        go.set()
        live.start()
        assert live.backfill()["rows"].to_list() == [50]


# -- a function of one's own --------------------------------------------------------------------------


def test_a_function_of_ones_own_gives_the_rows() -> None:
    since = datetime.now(UTC) - timedelta(minutes=30)
    asked: list[dict[str, Any]] = []

    def mine(gap: dict[str, Any]) -> pl.DataFrame | None:
        asked.append(gap)
        if gap["symbol"] != "NSE:INFY":
            raise KeyError("not mine")
        times = [gap["start"] - timedelta(minutes=1), gap["start"], gap["start"] + timedelta(minutes=1)]
        return pl.DataFrame({"timestamp": times, "ltp": [1.0, 10.0, None], "bid": [1.0, 9.0, 11.0]})

    with lk.stream(["NSE:INFY", "NSE:TCS"], rate=2000, backfill=mine) as live:
        assert live.wait(rows=50)
        found = live.backfill(since)
        assert found.sort("symbol")["rows"].to_list() == [2, 0]
        assert (
            found.filter(pl.col("symbol") == "NSE:TCS")["error"]
            .item()
            .startswith("your function raised KeyError")
        )
        mine_now = live.ticks("INFY").filter(pl.col("source").cast(pl.String) == "backfill")
        assert mine_now.select("ltp", "bid").rows() == [(10.0, 9.0), (None, 11.0)]
        assert {gap["symbol"] for gap in asked} == {"NSE:INFY", "NSE:TCS"}
        assert all(gap["start"] == since for gap in asked)


def test_a_line_that_was_cut_is_filled_for_each_of_its_symbols() -> None:
    asked: list[str] = []

    def mine(gap: dict[str, Any]) -> pl.DataFrame:
        assert gap["why"] == "connection lost"
        asked.append(gap["symbol"])
        middle = gap["start"] + (gap["end"] - gap["start"]) / 2
        return pl.DataFrame({"timestamp": [gap["start"], middle], "ltp": [100.0, 101.0]})

    names = ["NSE:INFY", "NSE:TCS"]
    with (
        SimulatedExchange(rate=5000) as exchange,
        lk.stream(names, url=exchange.url, backfill=mine) as live,
    ):
        assert live.wait(rows=50)
        exchange.hang_up()
        filled = pl.col("source").cast(pl.String) == "backfill"
        assert live._intake.wait_until(lambda: live.ticks().filter(filled).height == 4, 30)
        assert live._intake.wait_until(
            lambda: live.gaps()["recovered"].to_list() == ["4 rows of your own"], 10
        )
        assert sorted(asked) == names
        assert live.latest()["ltp"].max() != 101.0
        assert set(live.latest()["source"].cast(pl.String)) == {"simulated"}


# -- minutes ------------------------------------------------------------------------------------------


def day_of_ticks(seed: int, *, totals: bool) -> pl.DataFrame:
    """Twelve minutes of a share: every trade with the day's running total, or with its quantity alone."""
    chance, price, total = random.Random(seed), 100.0, 5000.0
    at = 1_763_613_900_000_000 + 20_000_000  # 2025-11-20 04:45:20 UTC
    rows = []
    for _ in range(2400):
        at += chance.randint(1_000, 600_000)
        price = round(price + chance.choice((-0.05, 0.0, 0.05)), 2)
        qty = float(chance.randint(1, 50))
        total += qty
        rows.append((at, price, qty, total if totals else None))
    return pl.DataFrame(
        rows,
        schema={"timestamp": pl.Int64, "ltp": pl.Float64, "ltq": pl.Float64, "volume": pl.Float64},
        orient="row",
    ).with_columns(
        pl.col("timestamp").cast(pl.Datetime("us", "UTC")),
        pl.lit("INFY").alias("symbol"),
        pl.lit("NSE").alias("exchange"),
        pl.lit("dhan").alias("source"),
    )


def minutes_of(ticks: pl.DataFrame) -> Minutes:
    """What the broker's history says of these trades."""
    start = pl.col("timestamp").dt.truncate("1m").dt.timestamp("us").alias("start")
    ltp = pl.col("ltp")
    found = ticks.group_by(start, maintain_order=True).agg(
        ltp.first().alias("open"), ltp.max().alias("high"), ltp.min().alias("low"), ltp.last().alias("close"),
        pl.col("ltq").sum().alias("volume"),
    )  # fmt: skip
    return Minutes(**{name: found[name].to_numpy() for name in Minutes.__struct_fields__})


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("totals", [True, False])
def test_minutes_make_the_bars_of_the_uncut_stream(seed: int, totals: bool) -> None:  # noqa: FBT001
    ticks = day_of_ticks(seed, totals=totals)
    chance = random.Random(100 + seed)
    first, last = sorted(chance.sample(range(300, 2200), 2))
    times = ticks["timestamp"].dt.timestamp("us")
    span = Span(instrument=INFY, start=times[first - 1], end=times[last])
    cut = pl.concat([ticks[:first], ticks[last:]])
    minutes = minutes_of(ticks)
    touched = (minutes.start + MINUTE > span.start) & (minutes.start < span.end)
    minutes = Minutes(**{name: getattr(minutes, name)[touched] for name in Minutes.__struct_fields__})
    known = None
    if totals:
        kept = cut["timestamp"].dt.timestamp("us").to_numpy()
        known = running_totals(minutes, span, kept, cut["volume"].to_numpy())
    filled = ticks_of_minutes(minutes, span, known, 0, 0)
    more = pl.DataFrame({name: filled.column(name) for name in ("ltp", "ltq", "volume")}).with_columns(
        pl.all().fill_nan(None),
        pl.Series("timestamp", filled.timestamp).cast(pl.Datetime("us", "UTC")),
        pl.lit("INFY").alias("symbol"), pl.lit("NSE").alias("exchange"), pl.lit("backfill").alias("source"),
    )  # fmt: skip
    assert more["timestamp"].is_sorted()
    together = pl.concat([cut, more.select(cut.columns)]).with_row_index("seq", offset=1)
    expected, found = bars(ticks, "1m").select(OHLCV), bars(together, "1m").select(OHLCV)
    with Store() as store:
        types = pl.Schema(polars_schema("ticks"))
        store.append(
            ticks=pl.concat([pl.DataFrame(schema=types), together.cast({"seq": pl.Int64}).cast(
                {name: types[name] for name in together.columns}
            )], how="diagonal")
        )  # fmt: skip
        in_sql = store.sql("FROM bars_1m").select(OHLCV)
    assert_frame_equal(in_sql.cast(found.schema), found.cast({"symbol": pl.String}))
    prices = ["symbol", "start", "open", "high", "low", "close"]
    assert found.select(prices).equals(expected.select(prices))
    if totals:
        np.testing.assert_allclose(found["volume"], expected["volume"])
    else:  # the minutes that were missed in part are the broker's as a whole
        inside = [pl.col("start").dt.timestamp("us").is_between(span.start, span.end - MINUTE)]
        np.testing.assert_allclose(found.filter(inside)["volume"], expected.filter(inside)["volume"])


def test_totals_are_counted_back_where_nothing_is_known_before() -> None:
    start = np.array([0, MINUTE, 2 * MINUTE])
    blank = np.ones(3)
    minutes = Minutes(
        start=start, open=blank, high=blank, low=blank, close=blank, volume=np.array([5.0, 7.0, 9.0])
    )
    span = Span(instrument=BTC, start=0, end=3 * MINUTE)
    after = (np.array([3 * MINUTE]), np.array([100.0]))
    assert running_totals(minutes, span, *after).tolist() == [84.0, 91.0, 100.0]
    nothing = (np.array([], np.int64), np.array([]))
    assert running_totals(minutes, span, *nothing).tolist() == [5.0, 12.0, 21.0]


def test_kites_minutes_are_asked_for_in_its_own_time_and_read() -> None:
    kite = Instrument(exchange="NSE", symbol="INFY", segment="NSE", broker_id="408065")
    start = round(datetime(2026, 11, 20, 4, 0, 30, tzinfo=UTC).timestamp() * 1e6)
    span = Span(instrument=kite, start=start, end=start + 5 * MINUTE)
    history = KiteHistory("key", "tok")
    request = history.first(span)
    assert request.url == "https://api.kite.trade/instruments/historical/408065/minute"
    assert request.query == {"from": "2026-11-20 09:30:00", "to": "2026-11-20 09:35:00"}
    assert request.headers["Authorization"] == "token key:tok"
    assert "tok" not in repr(request)
    rows = [
        ["2026-11-20T09:30:00+0530", 1.0, 4, 0.5, 2, 300],
        ["2026-11-20T09:31:00+0530", 2, 3, 1, 2.5, 100],
    ]
    page = history.read(span, request, json.dumps({"status": "success", "data": {"candles": rows}}).encode())
    assert page.more is None
    assert isinstance(page.found, Minutes)
    assert page.found.start.tolist() == [start - 30_000_000, start + 30_000_000]
    assert page.found.volume.tolist() == [300.0, 100.0]
    with pytest.raises(ValueError, match="no minutes"):
        history.read(span, request, b'{"status": "error", "message": "Invalid token"}')


@pytest.mark.parametrize(("history", "days"), [(DhanHistory("t"), 90), (KiteHistory("k", "t"), 60)])
def test_more_days_than_one_request_gives_are_asked_for_in_several(history: Any, days: int) -> None:
    span = Span(instrument=INFY, start=0, end=200 * 86_400_000_000)
    request, asked = history.first(span), 0
    empty: Any = {"data": {"candles": []}}
    if isinstance(history, DhanHistory):
        empty = {name: [] for name in ("open", "high", "low", "close", "volume", "timestamp")}
    while request is not None:
        asked += 1
        request = history.read(span, request, json.dumps(empty).encode()).more
    assert asked == -(-200 // days)


def test_feeds_say_whether_they_have_a_history() -> None:
    from ltpkit import feeds
    from ltpkit.instrument import Instruments

    def has(name: str, **options: Any) -> bool:
        made = feeds.make(name, Instruments(), **options)
        return isinstance(made, Historical) and made.history() is not None

    found = {name: has(name) for name in ("binance", "dhan", "kite", "upstox", "kraken", "simulated")}
    assert found == {
        "binance": True, "dhan": True, "kite": True, "upstox": False, "kraken": False, "simulated": False
    }  # fmt: skip
    assert not has("dhan", kind="depth20")
