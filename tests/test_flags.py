"""Flags: which ticks are told apart, that good ones never are, and what bars and changes make of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ltpkit as lk
from ltpkit import flags, settings
from ltpkit.batch import Batch, Received, Ticks
from ltpkit.connection import Policy
from ltpkit.feeds.dhan import Simulated
from ltpkit.flags import LEFT_OUT, Flags, Reports, Suspects
from ltpkit.flags import reports as reports_module
from ltpkit.instrument import Instrument, Instruments
from ltpkit.live import Stream
from ltpkit.ring import TickRing
from ltpkit.schema import polars_schema
from ltpkit.streamer import Streamer
from tests.paths import SHARED, needs_shared

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
TEN = 1_767_760_200_000_000  # 7 January 2026, 10:00 in India

#: A tick: instrument, seconds after ten, price, and what else the feed said.
Row = tuple[int, float, float | None, dict[str, float]]


def tick(at: float, ltp: float | None, instrument: int = 0, **more: float) -> Row:
    return instrument, at, ltp, more


def batch(rows: Iterable[Row], *, received_after_s: float = 0.2) -> Ticks:
    found = list(rows)
    ticks = Ticks.blank(len(found))
    for place, (instrument, at, ltp, more) in enumerate(found):
        ticks.instrument[place] = instrument
        ticks.timestamp[place] = TEN + round(at * SECOND)
        late = more.pop("received_at", at + received_after_s)
        ticks.received_at[place] = TEN + round(late * SECOND)
        for name, value in {"ltp": ltp, **more}.items():
            if value is not None:
                ticks.column(name)[place] = value
    return ticks


class Judged:
    """Flags with the ring whose prices they go by, fed in batches of any size."""

    def __init__(self, *names: str) -> None:
        exchange_of = (name.partition(":") for name in names or ("NSE:INFY",))
        known = [Instrument(exchange=exchange, symbol=symbol) for exchange, _, symbol in exchange_of]
        self.instruments = Instruments(known)
        self.ring, self.flags = TickRing(self.instruments), Flags(self.instruments)
        self.found: list[tuple[int, str]] = []

    def take(self, *rows: Row, at_once: bool = False) -> list[str]:
        """Take rows one by one, or as one batch; return why each was flagged, empty where not."""
        groups = [rows] if at_once else [(row,) for row in rows]
        first = self.ring.last_seq + 1
        for group in groups:
            ticks = batch((i, at, ltp, dict(more)) for i, at, ltp, more in group)
            odd = self.flags.judge(ticks, self.ring.prices, self.ring.known)
            seq = self.ring.last_seq + 1
            self.ring.append(ticks, "test", left_out=None if odd is None else odd.left_out)
            for why, places in ({} if odd is None else odd.rows).items():
                self.found += [(seq + place, why) for place in places]
        why = dict(self.found)
        return [why.get(seq, "") for seq in range(first, self.ring.last_seq + 1)]


# -- what is told apart ----------------------------------------------------------------------------


@pytest.mark.parametrize("at_once", [False, True])
def test_a_price_of_zero_or_below_is_flagged_and_no_base_of_the_next_change(*, at_once: bool) -> None:
    judged = Judged()
    rows = [tick(0, 100.0), tick(1, 0.0), tick(2, -5.0), tick(3, 101.0)]
    assert judged.take(*rows, at_once=at_once) == ["", "price", "price", ""]
    assert judged.ring.frame()["change"].to_list() == [None, None, None, 1.0]
    assert judged.ring.latest()["ltp"].to_list() == [101.0]


def test_a_flagged_row_leaves_the_newest_values_alone() -> None:
    judged = Judged()
    judged.take(tick(0, 100.0, bid=99.0), tick(1, 0.0, bid=1.0, volume=5.0))
    latest = judged.ring.latest()
    assert latest.select("seq", "ltp", "bid", "volume").row(0) == (1, 100.0, 99.0, None)


def test_crude_oil_may_cost_less_than_nothing_but_not_nothing() -> None:
    judged = Judged("MCX:CRUDEOIL20APRFUT")
    assert judged.take(tick(0, 90.0), tick(1, -2884.0), tick(2, 0.0), tick(3, -2900.0)) == [
        "",
        "",
        "price",
        "",
    ]


@pytest.mark.parametrize("at_once", [False, True])
def test_a_tenfold_jump_and_its_way_back_cost_one_row(*, at_once: bool) -> None:
    judged = Judged()
    rows = [tick(0, 100.0), tick(1, 1000.0), tick(2, 101.0), tick(3, 10.0), tick(4, 102.0)]
    assert judged.take(*rows, at_once=at_once) == ["", "jump", "", "jump", ""]
    assert judged.ring.frame()["change"].to_list() == [None, None, 1.0, None, 1.0]


@pytest.mark.parametrize("at_once", [False, True])
def test_the_third_row_at_a_new_level_is_believed(*, at_once: bool) -> None:
    judged = Judged()
    rows = [tick(0, 100.0), *(tick(n, 1000.0 + n) for n in range(1, 6))]
    assert judged.take(*rows, at_once=at_once) == ["", "jump", "jump", "", "", ""]


def test_one_wrong_trade_told_again_and_again_is_not_believed() -> None:
    judged = Judged()
    wrong = [tick(1, 1000.0, bid=float(n)) for n in range(5)]
    assert judged.take(tick(0, 100.0), *wrong, tick(2, 100.0)) == ["", *["jump"] * 5, ""]


def test_jumps_to_ever_other_prices_are_never_believed() -> None:
    judged = Judged()
    wild = [tick(n, 1000.0 * 3**n) for n in range(1, 9)]
    assert judged.take(tick(0, 100.0), *wild) == ["", *["jump"] * 8]


@pytest.mark.parametrize(
    "said", [{"low_price": 90.0, "high_price": 1100.0}, {"bid": 995.0, "ask": 1005.0}], ids=["day", "quote"]
)
def test_a_jump_that_the_rows_own_day_or_quote_holds_is_believed(said: dict[str, float]) -> None:
    judged = Judged()
    assert judged.take(tick(0, 100.0), tick(1, 1000.0, **said)) == ["", ""]


@pytest.mark.parametrize(
    "name", ["NFO:NIFTY26JAN24000CE", "NFO:NIFTY-Jan2026-24000-PE", "X:BTC-240809-60000-C"]
)
def test_options_may_jump(name: str) -> None:
    assert Judged(name).take(tick(0, 0.05), tick(1, 5.0), tick(2, 0.05)) == ["", "", ""]


def test_a_share_whose_name_ends_like_an_options_is_none() -> None:
    assert Judged("NSE:RELIANCE").take(tick(0, 100.0), tick(1, 1000.0)) == ["", "jump"]


def test_the_first_tick_of_a_day_is_measured_by_the_previous_close_as_the_broker_adjusts_it() -> None:
    judged = Judged()
    judged.ring.seed("NSE:INFY", 1000.0)  # from before this start; split ten for one since
    assert judged.take(tick(0, 98.0, close_price=100.0)) == [""]
    night = 20 * 3600.0
    assert judged.take(tick(night, 9.7, close_price=9.8)) == [""]
    assert judged.take(tick(2 * night, 0.9, close_price=9.7)) == ["jump"]


@pytest.mark.parametrize("at_once", [False, True])
def test_the_first_tick_ever_is_measured_by_the_previous_close_too(*, at_once: bool) -> None:
    judged = Judged()
    rows = [tick(0, 1000.0, close_price=100.0), tick(1, 101.0, close_price=100.0), tick(2, 102.0)]
    assert judged.take(*rows, at_once=at_once) == ["jump", "", ""]


def test_without_a_previous_close_the_first_tick_is_believed() -> None:
    judged = Judged()
    judged.ring.seed("NSE:INFY", 1000.0)
    assert judged.take(tick(0, 98.0), tick(1, 99.0)) == ["", ""]


def test_a_circuit_is_no_jump() -> None:
    judged = Judged()
    steps = [100.0, 120.0, 80.0, 96.0, 60.0, 11.0]
    assert judged.take(*(tick(n, price) for n, price in enumerate(steps))) == [""] * 6


@pytest.mark.parametrize("at_once", [False, True])
def test_a_time_ahead_of_its_receipt_is_flagged(*, at_once: bool) -> None:
    judged = Judged()
    rows = [tick(0, 100.0), tick(61, 101.0, received_at=0.5), tick(1, 102.0), tick(59, 103.0, received_at=1)]
    assert judged.take(*rows, at_once=at_once) == ["", "future", "", ""]
    assert judged.ring.frame()["change"].to_list() == [None, None, 2.0, 1.0]


def test_a_quote_of_the_future_is_flagged_too() -> None:
    assert Judged().take(tick(0, 100.0), tick(9e6, None, bid=1.0, received_at=1)) == ["", "future"]


@pytest.mark.parametrize("size", [1, 7, 500])
def test_a_clock_here_that_is_an_hour_slow_costs_twenty_rows_at_most(size: int) -> None:
    judged = Judged("NSE:A", "NSE:B")
    rows = [tick(n, 100.0, n % 2, received_at=n - 3600) for n in range(100)]
    for start in range(0, 100, size):
        judged.take(*rows[start : start + size], at_once=size > 1)
    assert judged.flags.counts["future"] < 20
    assert judged.take(tick(200, 100.0, received_at=200 - 3600)) == [""]
    assert judged.take(tick(7200, 100.0, received_at=201 - 3600)) == ["future"]


def test_one_instruments_wrong_times_do_not_pass_for_a_slow_clock() -> None:
    judged = Judged("NSE:A", "NSE:B")
    rows = [tick(n + (3600 if n % 2 else 0), 100.0, n % 2, received_at=n) for n in range(200)]
    assert set(judged.take(*rows)[1::2]) == {"future"}


@pytest.mark.parametrize("at_once", [False, True])
def test_another_day_is_flagged_once_the_instrument_has_traded_today(*, at_once: bool) -> None:
    judged = Judged("NSE:A", "NSE:B")
    yesterday = -20 * 3600.0
    rows = [tick(yesterday, 100.0, 1, received_at=0), tick(0, 100.0), tick(yesterday, 99.0, received_at=1)]
    assert judged.take(*rows, at_once=at_once) == ["", "", "another day"]


def test_the_last_trade_of_another_day_before_the_open_is_as_it_should_be() -> None:
    judged = Judged()
    weeks = -21 * 86400.0
    assert judged.take(
        tick(weeks, 100.0, received_at=0), tick(weeks, 100.0, received_at=9), tick(10, 101.0)
    ) == [
        "",
        "",
        "",
    ]


def test_a_time_before_there_were_feeds_is_flagged_also_at_first() -> None:
    assert Judged().take(tick(-TEN / SECOND, 100.0, received_at=0)) == ["another day"]


@pytest.mark.parametrize("at_once", [False, True])
def test_late_rows_are_flagged_and_count(*, at_once: bool) -> None:
    judged = Judged("NSE:A", "NSE:B")
    rows = [tick(5, 10.0), tick(3, 11.0), tick(4, 12.0), tick(2, 7.0, 1), tick(5, 13.0)]
    assert judged.take(*rows, at_once=at_once) == ["", "late", "late", "", ""]
    assert judged.ring.frame()["change"].to_list() == [None, 1.0, 1.0, None, 1.0]


@pytest.mark.parametrize("at_once", [False, True])
def test_the_same_row_again_is_flagged_where_the_days_volume_shows_that_it_is(*, at_once: bool) -> None:
    judged = Judged()
    one = tick(0, 100.0, volume=5.0, bid=99.0, ask=101.0)
    moved = tick(0, 100.0, volume=5.0, bid=98.0, ask=101.0)
    assert judged.take(one, one, moved, moved, one, at_once=at_once) == ["", "repeated", "", "repeated", ""]


@pytest.mark.parametrize("at_once", [False, True])
def test_what_a_subscription_is_answered_with_may_be_known_and_only_that(*, at_once: bool) -> None:
    judged = Judged("NSE:A", "NSE:B")
    one, other = tick(0, 100.0, volume=5.0), tick(0, 50.0, 1, volume=7.0)
    judged.take(one, other)
    judged.flags.subscribed([0])
    why = judged.take(other, one, one, other, at_once=at_once)
    assert why == ["repeated", "", "repeated", "repeated"]


def test_a_stream_that_starts_again_takes_the_last_tick_again_without_a_word() -> None:
    with lk.stream(["NSE:TCS"], rate=500, name="flags of a start") as live:
        assert live.wait(rows=5)
        live.stop()
        held = live.ticks().height
        live.start()
        assert live.wait(rows=held + 5)
        live.stop()
        assert live.flagged().rows() == []


@pytest.mark.parametrize("at_once", [False, True])
def test_two_trades_alike_are_two_trades(*, at_once: bool) -> None:
    judged = Judged("BINANCE:BTCUSDT")
    assert judged.take(*[tick(0, 60_000.0, ltq=0.001)] * 4, at_once=at_once) == [""] * 4


def test_quotes_between_prices_make_nothing_late() -> None:
    judged = Judged()
    assert judged.take(tick(0, 100.0), tick(5, None, bid=99.0), tick(1, 100.5), at_once=True) == ["", "", ""]


# -- for any ticks ---------------------------------------------------------------------------------

anything = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([0.0, 1.0, 2.0, 3.0, 30.0, -90_000.0, 90_000.0]),
        st.sampled_from([None, 100.0, 101.0, 0.0, -1.0, 1000.0, 9000.0, 9.0]),
    ),
    max_size=60,
)


@given(anything, st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_how_rows_are_gathered_changes_no_flag(
    drawn: list[tuple[int, float, float | None]], sizes: list[int]
) -> None:
    closes = 100.0, 9.0, 0.0
    rows = [tick(at, ltp, who, volume=5.0, close_price=closes[who], received_at=40) for who, at, ltp in drawn]
    # A clock that is behind is noticed by the batch, so let one row in each show that it is not.
    one_by_one, gathered = Judged("NSE:A", "NSE:B", "NSE:C"), Judged("NSE:A", "NSE:B", "NSE:C")
    for row in rows:
        one_by_one.take(row, tick(0, None, received_at=40), at_once=True)
    places = iter(rows)
    for size in [*sizes, *[20] * 60]:
        some = list(islice(places, size))
        if some:
            gathered.take(
                *(one for row in some for one in (row, tick(0, None, received_at=40))), at_once=True
            )
    assert sorted(gathered.found) == sorted(one_by_one.found)
    assert gathered.ring.frame().equals(one_by_one.ring.frame())
    assert gathered.ring.latest().equals(one_by_one.ring.latest())


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5), st.integers(60, 140)), max_size=80))
def test_an_ordinary_market_has_no_flags(steps: list[tuple[int, int, int]]) -> None:
    judged, at, volume = Judged("NSE:A", "NSE:B", "NSE:C"), 0.0, 0.0
    rows = []
    for who, seconds, price in steps:
        at, volume = at + seconds, volume + 1
        rows.append(tick(at, float(price), who, volume=volume))
    assert judged.take(*rows, at_once=bool(rows)) == [""] * len(rows)


# -- events ------------------------------------------------------------------------------------------


def reported(groups: Iterable[tuple[float, list[Row], dict[str, list[int]]]], names: int) -> list[Any]:
    told = Reports(Instruments(Instrument(exchange="X", symbol=f"S{n}") for n in range(names)))
    events, seq = [], 1
    for at, rows, found in groups:
        ticks = batch(rows)
        ticks.received_at[:] = TEN + round(at * SECOND)
        events += told.add(Suspects(found, None), ticks, seq)
        seq += len(ticks)
    return [*events, *told.rest(TEN)]


def test_an_event_names_the_rows_of_one_instrument_and_reason_of_a_batch() -> None:
    rows = [tick(0, 1.0, n % 2) for n in range(6)]
    first, second = reported([(0, rows, {"price": [0, 1, 2]})], 2)
    assert (first.kind, first.symbol) == ("flagged", "X:S0")
    assert first.detail == {"why": "price", "rows": 2, "seqs": [[1, 1], [3, 3]]}
    assert second.detail == {"why": "price", "rows": 1, "seqs": [[2, 2]]}


@pytest.mark.parametrize("names", [1, 80])
def test_a_flood_makes_few_events_that_name_every_row(names: int) -> None:
    rows = [tick(0, 1.0, n) for n in range(names)]
    everything = list(range(names))
    floods = [(n / 1000, rows, {"price": everything, "late": everything}) for n in range(3000)]
    events = reported(floods, names)
    assert len(events) <= 4 * 100
    for why in ("price", "late"):
        of_it = [event.detail for event in events if event.detail["why"] == why]
        assert sum(int(str(one["rows"])) for one in of_it) == 3000 * names
        seqs = [seq for one in of_it for first, last in one["seqs"] for seq in range(first, last + 1)]
        assert sorted(seqs) == list(range(1, 3000 * names + 1))


def test_what_an_event_cannot_name_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports_module, "_RUNS", 3)
    rows = [tick(0, 1.0) for _ in range(20)]
    (event,) = reported([(0, rows, {"jump": list(range(0, 20, 2))})], 1)
    assert event.detail == {"why": "jump", "rows": 10, "seqs": [[1, 1], [3, 3], [5, 5]]}


# -- a stream ----------------------------------------------------------------------------------------


class Written(Simulated):
    """A feed whose frames are lists of ticks in JSON."""

    def decode(self, frames: Any, received_at: Received) -> Batch:
        rows = [(int(i), at, ltp, more) for frame in frames for i, at, ltp, more in json.loads(frame)]
        return Batch(ticks=batch(rows))


def holding(*names: str, store: Path | None = None) -> Stream:
    known = Instruments(Instrument(exchange="NSE", symbol=name) for name in names)
    feed = Written(instruments=known, url="ws://127.0.0.1:9")
    live = Stream(feed, known, store=store, chosen=settings.load(env_file=None, journal=False))
    live._streamer = Streamer(live._intake, Policy())  # which is not started: nothing comes but what is given
    return live


ODD: list[Row] = [
    tick(1, 100.0, ltq=5.0, volume=5.0),
    tick(2, 1000.0, volume=6.0),
    tick(70, 101.0, volume=9.0),
    tick(71, 0.0, volume=9.0),
    tick(72, 104.0, volume=10.0),
    tick(55, 99.0, volume=7.0),
    tick(-90_000, 103.0, volume=8.0),
    tick(90_000, 103.0, received_at=73.0, volume=11.0),
    tick(72, 104.0, volume=10.0),
    tick(130, 105.0, volume=12.0),
]
WHY = [(2, "jump"), (4, "price"), (6, "late"), (7, "another day"), (8, "future")]


def check(held: Any) -> None:
    found = held.flagged()
    assert found.select("seq", "why").rows() == WHY
    assert found.schema.names() == ["seq", "symbol", "exchange", "timestamp", "received_at", "ltp", "why"]
    assert held.sql("SELECT seq, why FROM flagged").rows() == WHY
    bars = held.bars("1m").select("open", "high", "low", "close", "volume", "ticks").rows()
    assert bars == [
        (100.0, 100.0, 99.0, 99.0, 7.0, 2),
        (101.0, 104.0, 101.0, 104.0, 3.0, 3),
        (105.0, 105.0, 105.0, 105.0, 2.0, 1),
    ]
    columns = "open, high, low, close, volume, ticks"
    assert held.sql(f"SELECT {columns} FROM bars_1m ORDER BY start").rows() == bars
    changes = held.changes().select("seq", "change").rows()
    assert changes == [(1, None), (3, 1.0), (5, 3.0), (6, -5.0), (9, 5.0), (10, 1.0)]
    assert held.sql("SELECT seq, change FROM ltp_changes ORDER BY seq").rows() == changes
    latest = held.latest().select("seq", "ltp", "timestamp")
    assert held.sql("SELECT seq, ltp, timestamp FROM latest_ltp").rows() == latest.rows()
    assert latest["ltp"].to_list() == [105.0]
    assert held.ticks().height == len(ODD)  # all of them are kept


@pytest.mark.parametrize("size", [1, 4, 10])
@pytest.mark.parametrize("stored", [0, 4, 10])
def test_bars_changes_and_newest_values_leave_out_what_cannot_be_right(
    size: int, stored: int, tmp_path: Path
) -> None:
    live = holding("INFY", store=tmp_path / "odd.duckdb")
    for start in range(0, 10, size):
        live._intake.take([json.dumps(ODD[start : start + size]).encode()], TEN)
    memory = live._memory()
    store = live._open_store()
    store.append(ticks=memory["ticks"].head(stored), events=memory["events"].head(stored // 2))
    check(live)
    status = live.status()
    assert status.flagged == {"jump": 1, "price": 1, "late": 1, "another day": 1, "future": 1}
    assert "flagged 1 another day, 1 future, 1 jump" in status.line()
    assert "ticks flagged" in status._repr_html_()
    store.append(**memory)
    assert live._last_prices() == {"NSE:INFY": 105.0}
    store.close()
    with lk.open(tmp_path / "odd.duckdb") as archive:
        check(archive)


def test_nobody_sees_a_flagged_row_before_its_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    live = holding("INFY")
    seen = []
    append = TickRing.append

    def looked_at(ring: TickRing, *args: Any, **more: Any) -> None:
        seen.append(live.events()["kind"].to_list())
        append(ring, *args, **more)

    monkeypatch.setattr(TickRing, "append", looked_at)
    live._intake.take([json.dumps([tick(0, 0.0)]).encode()], TEN)
    assert seen == [["flagged"]]


def test_a_flood_of_nonsense_makes_no_flood_of_events() -> None:
    live = holding("INFY", "TCS")
    for n in range(2000):
        live._intake.take([json.dumps([tick(n / 100, 0.0), tick(n / 100, 100.0, 1)]).encode()], TEN)
    live._intake.settle()
    assert live.status().flagged == {"price": 2000}
    assert live.events().height <= 20 * 51
    assert live.flagged().height == 2000
    assert live.bars("1m")["symbol"].unique().to_list() == ["TCS"]


def test_trades_that_came_before_are_left_out_and_judge_no_other_row() -> None:
    judged = Judged()
    ticks = batch(
        (i, at, ltp, dict(more))
        for i, at, ltp, more in [
            tick(9, 100.0),
            tick(1, 20.0),
            tick(10, 101.0),
            tick(2, 21.0),
            tick(8, 5000.0),
        ]
    )
    ticks.duplicate = np.array([False, True, False, True, False])
    odd = judged.flags.judge(ticks, judged.ring.prices, judged.ring.known)
    assert odd is not None
    assert odd.rows == {"duplicate": [1, 3], "jump": [4]}
    assert odd.left_out is not None
    judged.ring.append(ticks, "test", left_out=odd.left_out)
    assert judged.ring.frame()["change"].to_list() == [None, None, 1.0, None, None]
    assert judged.ring.latest().select("seq", "ltp").row(0) == (3, 101.0)
    assert judged.flags.counts == {"duplicate": 2, "jump": 1}
    alone = ticks.only(ticks.duplicate)
    again = judged.flags.judge(alone, judged.ring.prices, judged.ring.known)
    assert again is not None
    assert again.rows == {"duplicate": [0, 1]}


def test_left_out_names_the_rows_of_flagged_events_only() -> None:
    detail = json.dumps({"why": "jump", "rows": 3, "seqs": [[2, 3], [7, 7]]})
    late = json.dumps({"why": "late", "rows": 1, "seqs": [[5, 5]]})
    rows = [
        (1, None, "flagged", None, detail),
        (2, None, "gap", None, "{}"),
        (3, None, "flagged", None, late),
    ]
    events = pl.DataFrame(rows, schema=polars_schema("events"), orient="row")
    assert sorted(flags.left_out(events)) == [2, 3, 7]
    assert flags.left_out(events.filter(pl.col("kind") == "gap")).is_empty()
    assert set(LEFT_OUT) == {"price", "future", "another day", "jump", "duplicate"}


CAPTURES = [
    ("binance-usdm-btcusdt-20240808.txt.gz", "binance", "usdm"),
    ("binance-spot-btcusdt-20240808.txt.gz", "binance", "spot"),
    ("coinbase-pro-20210417.jsonl.zst", "coinbase", None),
]


@needs_shared
@pytest.mark.parametrize(("name", "feed", "kind"), CAPTURES, ids=["usdm", "spot", "coinbase"])
def test_real_markets_have_no_flags(name: str, feed: str, kind: str | None) -> None:
    with lk.replay(SHARED / "recordings" / "crypto-ws" / name, speed="max", feed=feed, kind=kind) as played:
        assert played.ticks().height > 100
        assert played.status().flagged == {}


@needs_shared
def test_a_million_real_trades_in_exchange_order_have_no_flags_but_late_ones() -> None:
    trades = pl.read_parquet(SHARED / "recordings" / "us-equities" / "spy-trades-20131007-09.parquet")
    times = trades["ts"].to_physical().to_numpy()
    judged = Judged("NYSE:SPY")
    prices = trades["price"].to_numpy()
    for start in range(0, len(times), 5000):
        some = slice(start, start + 5000)
        ticks = Ticks.blank(len(times[some]))
        ticks.timestamp[:] = ticks.received_at[:] = times[some]
        ticks.column("ltp")[:] = prices[some]
        judged.flags.judge(ticks, judged.ring.prices, judged.ring.known)
        judged.ring.append(ticks, "test")
    assert np.all(np.diff(times) >= 0)
    assert judged.flags.counts == {}
