"""The simulated market: one seed, one market, and nothing in it that an exchange would not send."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings

from ltpkit import nifty
from ltpkit.errors import UnknownInstrument
from ltpkit.feeds.dhan import Simulated
from ltpkit.feeds.dhan.wire import FULL
from ltpkit.instrument import Instruments
from ltpkit.simulator import Market
from ltpkit.simulator.market import BLOCK

Packets = npt.NDArray[Any]
MANY = 5 * BLOCK


@pytest.fixture(scope="module")
def events() -> tuple[Packets, npt.NDArray[np.int64], Market]:
    market = Market(7)
    packets, shares = market.take(MANY)
    return packets, shares, market


@pytest.fixture(scope="module")
def wild() -> tuple[Packets, npt.NDArray[np.int64], Market]:
    market = Market(3, volatility=60)
    packets, shares = market.take(10 * BLOCK)
    return packets, shares, market


def in_ticks(market: Market, shares: npt.NDArray[np.int64], prices: npt.NDArray[Any]) -> npt.NDArray[Any]:
    tick = np.array([share.tick_size for share in market.listing])[shares]
    return prices.astype(np.float64) / tick.reshape(-1, *[1] * (prices.ndim - 1))


@given(st.lists(st.integers(0, 3000), max_size=12), st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_the_same_seed_gives_the_same_bytes_in_any_portions(portions: list[int], seed: int) -> None:
    whole, _ = Market(seed).take(sum(portions), 5)
    market = Market(seed)
    parts = b"".join(market.take(count, 5)[0].tobytes() for count in portions)
    assert parts == whole.tobytes()
    assert market.taken == sum(portions)


def test_another_seed_gives_another_market() -> None:
    assert Market(1).take(100)[0].tobytes() != Market(2).take(100)[0].tobytes()


def test_packets_are_full_packets_of_the_listing(events: tuple[Packets, Any, Market]) -> None:
    packets, shares, market = events
    assert packets.dtype == FULL
    assert set(packets["code"]) == {8}
    assert set(packets["length"]) == {162}
    assert packets["security_id"].tolist() == [market.listing[i].security_id for i in shares]
    assert set(shares.tolist()) == set(range(50))


def test_trade_time_is_the_takers() -> None:
    packets, _ = Market().take(10, 1_766_322_315)
    assert set(packets["ltt"].tolist()) == {1_766_322_315}


def test_every_price_is_a_multiple_of_the_tick_size(events: tuple[Packets, Any, Market]) -> None:
    packets, shares, market = events
    for prices in (
        *(packets[name] for name in ("ltp", "open", "close", "high", "low")),
        *(packets["depth"][name] for name in ("bid_price", "ask_price")),
    ):
        ticks = in_ticks(market, shares, prices)
        assert np.abs(ticks - ticks.round()).max() < 0.01


def test_trades_happen_at_the_bid_or_the_ask(events: tuple[Packets, Any, Market]) -> None:
    packets, _, _ = events
    bid, ask = packets["depth"]["bid_price"][:, 0], packets["depth"]["ask_price"][:, 0]
    assert (bid < ask).all()
    assert ((packets["ltp"] == bid) | (packets["ltp"] == ask)).all()


def test_levels_run_outwards_with_quantity_and_orders(wild: tuple[Packets, Any, Market]) -> None:
    packets, _, _ = wild
    for side, outwards in (("bid", -1), ("ask", 1)):
        price = packets["depth"][f"{side}_price"].astype(float)
        there = price > 0
        steps = np.diff(price, axis=1) * outwards
        both = there[:, 1:] & there[:, :-1]
        assert (steps[both] > 0).all()
        for name in (f"{side}_qty", f"{side}_orders"):
            assert ((packets["depth"][name] > 0) == there).all()


def test_day_totals_follow_the_trades(events: tuple[Packets, Any, Market]) -> None:
    packets, shares, _ = events
    for share in range(50):
        own = packets[shares == share]
        assert (np.diff(own["volume"].astype(np.int64)) == own["ltq"][1:]).all()
        assert (np.diff(own["high"]) >= 0).all()
        assert (np.diff(own["low"]) <= 0).all()
        assert len(set(own["open"])) == 1
        for name in ("ltp", "open", "average_price"):
            assert (own["low"] <= own[name] * (1 + 1e-6)).all()
            assert (own[name] <= own["high"] * (1 + 1e-6)).all()
        seen = np.append(own["open"][0], own["ltp"])
        assert own["high"][-1] >= seen.max()
        assert (np.maximum.accumulate(own["ltp"]) <= own["high"]).all()


def test_prices_never_leave_the_circuit_limits(wild: tuple[Packets, Any, Market]) -> None:
    packets, shares, market = wild
    lower, upper = market.limits()
    close = packets["close"].astype(float)
    width = np.maximum(upper[shares] / close - 1, 1 - lower[shares] / close)
    assert width.max() <= 0.2 + 1e-6
    price = packets["ltp"].astype(float)
    slack = 1e-6 * price
    assert (price >= lower[shares] - slack).all()
    assert (price <= upper[shares] + slack).all()


def test_at_the_limits_one_side_of_the_book_is_empty(wild: tuple[Packets, Any, Market]) -> None:
    packets, shares, market = wild
    lower, upper = (limit.astype(np.float32)[shares] for limit in market.limits())
    no_ask = packets["depth"]["ask_price"][:, 0] == 0
    no_bid = packets["depth"]["bid_price"][:, 0] == 0
    assert no_ask.any()
    assert no_bid.any()
    assert not (no_ask & no_bid).any()
    assert (packets["ltp"][no_ask] == packets["depth"]["bid_price"][no_ask, 0]).all()
    assert (packets["ltp"][no_bid] == packets["depth"]["ask_price"][no_bid, 0]).all()
    assert (packets["ltp"][no_ask] == upper[no_ask]).any()
    assert (packets["ltp"][no_bid] == lower[no_bid]).any()


def test_trades_come_in_clusters_of_one_share(events: tuple[Packets, Any, Market]) -> None:
    _, shares, market = events
    weight = np.array([share.weight for share in market.listing])
    by_chance = ((weight / weight.sum()) ** 2).sum()
    near = np.mean([(shares[lag:] == shares[:-lag]).mean() for lag in range(1, 10)])
    assert near > 1.5 * by_chance


def test_bursts_and_lulls_keep_the_average_pace() -> None:
    market = Market(7)
    per_hundred = []
    for when in range(100, 2 * BLOCK, 100):
        before = market.taken
        while due := market.due(when):
            market.take(due)
        per_hundred.append(market.taken - before)
    assert 0.95 < np.mean(per_hundred) / 100 < 1.05
    assert np.var(per_hundred) > 1.5 * 100  # of a steady stream it would be 100


def test_the_next_event_is_due_when_it_says() -> None:
    market = Market(7)
    for _ in range(3 * BLOCK):
        when = market.next_time
        assert market.due(when - 1e-9) == 0
        assert market.due(when) >= 1
        market.take(1)


def test_shares_of_a_sector_move_together() -> None:
    market = Market(11)
    closes = []
    for _ in range(200):
        market.take(1000)
        closes.append(market.snapshot(range(50))["ltp"].astype(float))
    moves = np.diff(np.log(closes), axis=0)
    together = np.corrcoef(moves.T)
    sectors = np.array([share.sector for share in market.listing])
    same = (sectors[:, None] == sectors) & ~np.eye(50, dtype=bool)
    assert together[same].mean() > together[sectors[:, None] != sectors].mean() + 0.05
    assert together[sectors[:, None] != sectors].mean() > 0.1


def test_a_level_keeps_its_quantity_while_the_price_moves_over_it(
    events: tuple[Packets, Any, Market],
) -> None:
    packets, shares, _ = events
    own = packets[shares == 36]["depth"]
    kept = moved = 0
    for before, after in pairwise(own):
        if before["bid_price"][0] == after["bid_price"][0]:
            continue
        book = dict(zip(before["bid_price"].tolist(), before["bid_qty"].tolist(), strict=True))
        for price, qty in zip(after["bid_price"].tolist(), after["bid_qty"].tolist(), strict=True):
            if price in book:
                moved += 1
                kept += book[price] == qty
    assert moved > 100
    assert 0.6 < kept / moved < 1


def test_a_snapshot_is_what_traded_last() -> None:
    market = Market(5)
    opening = market.snapshot([3, 4])
    assert opening["volume"].all()
    assert (opening["ltp"] == opening["open"]).all()
    packets, shares = market.take(2000, 99)
    for share in set(shares.tolist()):
        assert market.snapshot([share])[0] == packets[shares == share][-1]


def test_a_new_day_starts_from_the_last_price() -> None:
    market = Market(5)
    market.take(1500)
    before, when = market.snapshot(range(50)), market.next_time
    market.new_day()
    after = market.snapshot(range(50))
    assert after["close"].tolist() == before["ltp"].tolist()
    assert (after["high"] == after["low"]).all()
    assert (after["volume"] < before["volume"]).any()
    lower, upper = market.limits()
    assert (np.abs(upper / before["ltp"] - 1) < 0.21).all()
    assert (np.abs(lower / before["ltp"] - 1) < 0.21).all()
    assert abs(market.next_time - when) < 20  # no silence where events were left out
    packets, shares = market.take(3000)
    assert (packets["close"] == before["ltp"][shares]).all()


def test_previous_closes_are_those_in_the_packets() -> None:
    market = Market(5)
    packets, shares = market.take(50)
    closes = market.previous_closes(shares)
    assert closes["prev_close"].tolist() == packets["close"].tolist()
    assert closes["security_id"].tolist() == packets["security_id"].tolist()


def test_some_symbols_only() -> None:
    market = Market(7, ["NSE:RELIANCE", "TCS"])
    assert [share.symbol for share in market.listing] == ["RELIANCE", "TCS"]
    assert set(market.take(500)[1].tolist()) == {0, 1}
    with pytest.raises(UnknownInstrument, match=r"RELIANC is not known.*RELIANCE"):
        Market(7, ["RELIANC"])


def test_the_decoder_reads_every_packet_back() -> None:
    market = Market(7)
    packets, shares = market.take(3000, 1_766_322_315)
    table = Instruments(nifty.instruments())
    batch = Simulated(instruments=table).decode([packet.tobytes() for packet in packets], 0)
    assert not batch.rejects
    assert batch.ticks is not None
    assert [table[i].symbol for i in batch.ticks.instrument] == [market.listing[i].symbol for i in shares]
    ltp = batch.ticks.column("ltp")
    assert (ltp.astype(np.float32) == packets["ltp"]).all()
    assert all(len(repr(price).partition(".")[2]) <= 2 for price in ltp.tolist())
    assert batch.depth is not None
    assert len(batch.depth.bid_price) == 15_000


def test_news_move_a_price_far_but_never_in_one_step() -> None:
    market = Market(8, ["RELIANCE", "TCS", "INFY"])
    packets, shares = market.take(25 * BLOCK)
    furthest = []
    for share in range(len(market.listing)):
        prices = np.log(packets["ltp"][shares == share].astype(np.float64))
        assert np.abs(np.diff(prices)).max() < 0.0020
        furthest.append(np.abs(prices[100:] - prices[:-100]).max())
    assert max(furthest) > 0.0040
