"""Coinbase's two feeds against fixtures, damaged frames, and a real capture with known answers."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.batch import Batch, Event, Ticks
from ltpkit.book import Books
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Feed, make
from ltpkit.feeds.coinbase import Coinbase
from ltpkit.instrument import Instruments
from tests.feeds.reading import assert_rows_or_rejects, duplicates, facts, mangled, row, ticks
from tests.paths import SHARED, needs_shared

FIXTURES = SHARED / "feeds" / "fixtures" / "coinbase"
CAPTURES = SHARED / "recordings" / "crypto-ws"
NOW = 1_800_000_000_000_000
T = 1_735_689_600_000_000  # 2025-01-01 in UTC


def feed(kind: str = "exchange", **settings: Any) -> Coinbase:
    return Coinbase(instruments=Instruments(), kind=kind, **settings)


def at(second: float) -> str:
    return f"2025-01-01T00:00:{second:09.6f}Z"


def frame(**said: object) -> bytes:
    return json.dumps(said).encode()


def match(number: int, **changed: object) -> bytes:
    said = {"type": "match", "trade_id": number, "side": "sell", "size": "0.5", "price": "43000.10"}
    return frame(**{**said, "product_id": "BTC-USD", "sequence": 10, "time": at(number), **changed})


def ticker(**changed: object) -> bytes:
    said = {"type": "ticker", "product_id": "BTC-USD", "price": "68900.50", "open_24h": "68000.00"}
    day = {"low_24h": "67000.00", "high_24h": "69500.00", "volume_24h": "10.1", "trade_id": 12}
    best = {"best_bid": "68900.49", "best_bid_size": "0.1", "best_ask": "68900.50", "best_ask_size": "0.2"}
    return frame(**{**said, **day, **best, "last_size": "0.01", "time": at(7), **changed})


def whole(**changed: object) -> bytes:
    said = {"type": "snapshot", "product_id": "BTC-USD", "bids": [["99", "1"]], "asks": [["101", "2"]]}
    return frame(**{**said, **changed})


def changes(*told: tuple[str, str, str], **changed: object) -> bytes:
    return frame(**{"type": "l2update", "product_id": "BTC-USD", "changes": told, "time": at(9), **changed})


def advanced(channel: str, number: int, *events: object) -> bytes:
    stamp = "2025-01-01T00:00:30.000001999Z"
    return frame(channel=channel, client_id="", timestamp=stamp, sequence_num=number, events=events)


def traded(number: int, **changed: object) -> dict[str, object]:
    said = {"trade_id": str(number), "product_id": "BTC-USD", "price": "43000.10", "size": "0.5"}
    return {**said, "side": "BUY", "time": at(number), **changed}


def levels(type_: str, *told: tuple[str, str, str], product: str = "BTC-USD") -> dict[str, object]:
    stamp = "1970-01-01T00:00:00Z" if type_ == "snapshot" else at(9)
    updates = [{"side": s, "event_time": stamp, "price_level": p, "new_quantity": q} for s, p, q in told]
    return {"type": type_, "product_id": product, "updates": updates}


# What can be asked for ------------------------------------------------------------------------


def test_the_registry_makes_one_and_it_is_a_feed() -> None:
    made = make("coinbase", Instruments(), kind="advanced")
    assert isinstance(made, Feed)
    assert (made.name, made.kind) == ("coinbase", "advanced")
    assert repr(made) == "<Coinbase advanced: 0 products>"


@pytest.mark.parametrize("text", ["BTC-USD", "btc-usd", "COINBASE:BTC-USD", "coinbase:btc-usd"])
def test_a_product_may_be_written_in_any_case_with_or_without_the_exchange(text: str) -> None:
    found = feed().resolve(text)
    assert (found.name, found.segment, found.broker_id) == ("COINBASE:BTC-USD", "exchange", "BTC-USD")


def test_a_future_has_more_than_one_hyphen() -> None:
    assert feed("advanced").resolve("BIT-28MAR25-CDE").symbol == "BIT-28MAR25-CDE"


@pytest.mark.parametrize("text", ["BTC/USD", "btc usd", "BINANCE:BTC-USD", "BTC_USD"])
def test_another_spelling_is_refused_and_the_likely_product_named(text: str) -> None:
    with pytest.raises(UnknownInstrument, match="COINBASE:BTC-USD"):
        feed().resolve(text)


@pytest.mark.parametrize("text", ["", "BTC", "-", "BTC-", "X" * 20 + "-" + "Y" * 20])
def test_what_cannot_be_a_product_is_refused(text: str) -> None:
    with pytest.raises(UnknownInstrument, match="with a hyphen"):
        feed().resolve(text)


def test_unknown_kinds_channels_and_addresses_are_refused() -> None:
    with pytest.raises(SettingError, match="'spot'"):
        feed("spot")
    with pytest.raises(SettingError, match="'level3'"):
        feed(level2="level3")
    with pytest.raises(SettingError, match="wss://host"):
        feed(url="https://host")


def test_the_exchange_feed_is_asked_for_all_channels_in_one_message() -> None:
    one = feed()
    assert one.address() == "wss://ws-feed.exchange.coinbase.com"
    assert one.login() == []
    wanted = [one.resolve(name) for name in ("BTC-USD", "ETH-USD")]
    products = ["BTC-USD", "ETH-USD"]
    channels = ["ticker", "matches", "level2_batch"]
    assert [json.loads(message) for message in one.subscribe(wanted)] == [
        {"type": "subscribe", "product_ids": products, "channels": channels}
    ]
    assert [json.loads(message) for message in one.unsubscribe(wanted)] == [
        {"type": "unsubscribe", "product_ids": products, "channels": channels}
    ]
    assert [json.loads(message) for message in one.resubscribe_books(wanted)] == [
        {"type": type_, "product_ids": products, "channels": ["level2_batch"]}
        for type_ in ("unsubscribe", "subscribe")
    ]
    (plain,) = feed(depth=False).subscribe(wanted)
    assert json.loads(plain)["channels"] == ["ticker", "matches"]
    (each,) = feed(level2="level2").subscribe(wanted)
    assert json.loads(each)["channels"][-1] == "level2"


def test_the_advanced_feed_is_asked_channel_by_channel_and_for_heartbeats() -> None:
    one = feed("advanced", url="ws://127.0.0.1:9/x")
    assert one.address() == "ws://127.0.0.1:9/x"
    assert [json.loads(message) for message in one.login()] == [
        {"type": "subscribe", "channel": "heartbeats"}
    ]
    wanted = [one.resolve("BTC-USD")]
    assert [json.loads(message) for message in one.subscribe(wanted)] == [
        {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": channel}
        for channel in ("market_trades", "ticker", "level2")
    ]
    assert [json.loads(message)["channel"] for message in one.resubscribe_books(wanted)] == ["level2"] * 2


def test_long_requests_are_split() -> None:
    one = feed()
    wanted = [one.resolve(f"C{n}-USD") for n in range(230)]
    sizes = [len(json.loads(message)["product_ids"]) for message in one.subscribe(wanted)]
    assert sizes == [100, 100, 30]
    assert one.limits.per_message == 100
    assert one.limits.connections == 1


@pytest.mark.parametrize(
    ("code", "then"), [*((n, "retry") for n in (1000, 1006, 1011, 429, 503)), (400, "stop"), (403, "stop")]
)
def test_refusals_that_will_be_repeated_are_final_and_others_are_not(code: int, then: str) -> None:
    assert feed().closed(code, "") == then


def test_books_come_with_the_stream_and_not_over_http() -> None:
    one = feed()
    assert one.snapshot_address(one.resolve("BTC-USD")) is None
    with pytest.raises(ValueError, match="COINBASE:BTC-USD comes with the stream"):
        one.decode_snapshot(one.resolve("BTC-USD"), b"{}", NOW)


# The Exchange feed ----------------------------------------------------------------------------


def test_a_match_is_a_tick_with_price_and_quantity() -> None:
    found = ticks(feed().decode([match(5)], NOW))
    assert row(found) == {"ltp": 43000.10, "ltq": 0.5}
    assert (found.timestamp.tolist(), found.received_at.tolist()) == ([T + 5_000_000], [NOW])


def test_a_ticker_is_a_tick_without_quantity_or_running_total() -> None:
    found = ticks(feed().decode([ticker()], NOW))
    assert row(found) == {
        "ltp": 68900.5,
        "open_price": 68000.0,
        "high_price": 69500.0,
        "low_price": 67000.0,
        "bid": 68900.49,
        "bid_qty": 0.1,
        "ask": 68900.50,
        "ask_qty": 0.2,
    }
    assert found.timestamp.tolist() == [T + 7_000_000]


def test_what_a_ticker_has_not_is_missing_and_so_is_a_price_of_zero() -> None:
    bare = frame(type="ticker", product_id="BTC-USD", best_bid="0", best_bid_size="0", best_ask="2")
    found = ticks(feed().decode([bare], NOW))
    assert row(found) == {"ask": 2.0}
    assert found.timestamp.tolist() == [NOW]


def test_the_last_match_before_a_subscription_is_told_and_is_no_row() -> None:
    one = feed()
    batch = one.decode([match(7, type="last_match"), match(8)], NOW)
    assert ticks(batch).timestamp.tolist() == [T + 8_000_000]
    told = {"id": 7, "price": 43000.10, "qty": 0.5, "time": T + 7_000_000}
    assert facts(batch.events) == [("last_match", "COINBASE:BTC-USD", told)]
    # After a reconnect it tells what was missed: nothing the first time, 9 to 11 the second.
    assert [kind for kind, *_ in facts(one.decode([match(8, type="last_match")], NOW).events)] == [
        "last_match"
    ]
    later = one.decode([match(11, type="last_match"), match(12)], NOW)
    missed = {"start": T + 8_000_000, "end": T + 11_000_000, "from_id": 9, "to_id": 11, "missing": 3}
    assert facts(later.events)[1:] == [("gap", "COINBASE:BTC-USD", {"why": "trade ids", **missed})]
    assert len(ticks(later)) == 1


def test_trades_sent_again_are_marked_and_counted_and_a_jump_is_a_gap() -> None:
    one = feed()
    one.decode([match(1), match(2)], NOW)
    batch = one.decode([match(1), match(2), match(3), match(6)], NOW)
    assert ticks(batch).timestamp.tolist() == [T + n * 1_000_000 for n in (1, 2, 3, 6)]
    assert duplicates(batch) == [True, True, False, False]
    missing = {"start": T + 3_000_000, "end": T + 6_000_000, "from_id": 4, "to_id": 5, "missing": 2}
    assert facts(batch.events) == [
        ("gap", "COINBASE:BTC-USD", {"why": "trade ids", **missing}),
        ("duplicate", "COINBASE:BTC-USD", {"count": 2, "from_id": 1, "to_id": 2, "why": "trade ids"}),
    ]


@pytest.mark.parametrize("kind", ["exchange", "advanced"])
def test_trades_while_unsubscribed_are_no_gap(kind: str) -> None:
    one = feed(kind)
    one.decode([match(1)], NOW)
    one.decode([advanced("market_trades", 0, {"type": "update", "trades": [traded(1)]})], NOW)
    one.unsubscribe([one.resolve("BTC-USD")])
    late = [match(9), advanced("market_trades", 1, {"type": "update", "trades": [traded(9)]})]
    assert one.decode(late, NOW).events == []


def test_a_whole_book_and_its_changes_keep_their_sides_and_times() -> None:
    book, change = (
        feed().decode([whole(), changes(("buy", "98", "3"), ("sell", "101", "0"))], NOW).book_updates
    )
    assert (book.snapshot, book.timestamp, book.bids, book.asks) == (True, NOW, [(99.0, 1.0)], [(101.0, 2.0)])
    assert (change.snapshot, change.timestamp) == (False, T + 9_000_000)
    assert (change.bids, change.asks) == ([(98.0, 3.0)], [(101.0, 0.0)])


def test_a_change_that_cannot_be_read_puts_its_book_in_doubt_at_its_place() -> None:
    known = Instruments()
    one, books = Coinbase(instruments=known), Books(instruments=known)
    first = one.decode([whole(), whole(product_id="ETH-USD"), changes(("buy", "98", "3"))], NOW)
    applied = books.apply(first.book_updates)
    assert applied.depth is not None
    assert len(applied.depth) == 3
    bad = changes(("buy", "97", "nan"))
    batch = one.decode([changes(("buy", "96", "1")), bad, changes(("buy", "95", "1"))], NOW)
    applied = books.apply(batch.book_updates)
    assert [event.detail["why"] for event in applied.events] == ["a message that could not be read"]
    assert applied.depth is not None
    assert len(applied.depth) == 1
    assert (applied.wanted, books.waiting()) == ({0}, {0})
    # Nobody can say what this was.
    books.apply(one.decode([b"{"], NOW).book_updates)
    assert books.waiting() == {0, 1}
    mended = books.apply(one.decode([whole(), whole(product_id="ETH-USD")], NOW).book_updates)
    assert [event.kind for event in mended.events] == ["resync", "resync"]
    # What is of a type nobody knows has changed no book.
    new = one.decode([frame(type="brand_new", product_id="BTC-USD"), match(1, price="x")], NOW)
    assert (new.book_updates, len(new.rejects)) == ([], 2)


def test_subscriptions_and_heartbeats_are_quiet_and_a_refusal_is_told() -> None:
    frames = [
        frame(type="subscriptions", channels=[]),
        frame(type="heartbeat", sequence=90, last_trade_id=20, product_id="BTC-USD", time=at(1)),
        frame(type="error", message="Failed to subscribe", reason="XX-YY is not a valid product"),
    ]
    batch = feed().decode(frames, NOW)
    assert (batch.ticks, batch.book_updates, batch.rejects) == (None, [], [])
    said = {"msg": "Failed to subscribe", "reason": "XX-YY is not a valid product"}
    assert facts(batch.events) == [("feed_error", None, said)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b"{}", "type"),
        (frame(type="brand_new"), "brand_new"),
        (match(1)[:-9], "truncated"),
        (match(1, price="0"), "float"),
        (match(1, price="nan"), "float"),
        (match(1, price=None), "float"),
        (match(1, size="-1"), "float"),
        (match(1, trade_id=-1), "int"),
        (match(1, product_id="BTC USD"), "cannot be a product"),
        (match(1, time="noon"), "RFC3339"),
        (match(1, time="2025-01-01T00:00:00"), "timezone"),
        (b'{"type":"match","trade_id":1}', "missing required field"),
        (match(1, type="last_match", product_id=""), "cannot be a product"),
        (ticker(best_bid="inf"), "float"),
        (ticker(product_id="?"), "cannot be a product"),
        (whole(bids=[["1"]]), "length"),
        (whole(asks=None), "array"),
        (changes(("hold", "1", "2")), "hold"),
        (changes(("buy", "1e999", "2")), "range"),
        (b"[" * 100_000, "array"),
        (b'{"type":"heartbeat","x":' + b"[" * 100_000, "recursion"),
    ],
)
def test_a_frame_that_cannot_be_read_costs_only_itself(bad: bytes, reason: str) -> None:
    one = feed()
    batch = one.decode([match(10), bad, ticker(), changes()], NOW + np.arange(4))
    (reject,) = batch.rejects
    assert (reject.frame, reject.received_at) == (bad, NOW + 1)
    assert reason in reject.reason
    assert ticks(batch).received_at.tolist() == [NOW, NOW + 2]
    assert len(batch.book_updates) == 1


def test_no_frames_are_an_empty_batch() -> None:
    for kind in ("exchange", "advanced"):
        assert feed(kind).decode([], NOW) == Batch()


# The Advanced feed ----------------------------------------------------------------------------


def test_trades_come_in_the_order_of_their_times_and_those_of_one_time_by_id() -> None:
    same = [traded(n, time=at(5)) for n in (13, 12, 11)]
    event = {"type": "update", "trades": [*same, traded(10, time=at(4))]}
    batch = feed("advanced").decode([advanced("market_trades", 0, event)], NOW)
    assert ticks(batch).timestamp.tolist() == [T + 4_000_000, *[T + 5_000_000] * 3]
    assert row(ticks(batch)) == {"ltp": 43000.10, "ltq": 0.5}
    assert batch.events == []


def test_trades_from_before_a_new_subscription_are_rows_and_marked_where_they_came_before() -> None:
    one = feed("advanced")
    one.decode(
        [advanced("market_trades", 7, {"type": "update", "trades": [traded(n) for n in (1, 2, 3)]})], NOW
    )
    again = {"type": "snapshot", "trades": [traded(n) for n in (5, 4, 3, 2)]}
    batch = one.decode([advanced("market_trades", 0, again)], NOW)
    assert ticks(batch).timestamp.tolist() == [T + n * 1_000_000 for n in (2, 3, 4, 5)]
    assert duplicates(batch) == [True, True, False, False]
    assert [(event.kind, event.detail["count"]) for event in batch.events] == [("duplicate", 2)]


def test_a_ticker_bears_the_messages_time_with_what_is_finer_cut_off() -> None:
    said = {"type": "ticker", "product_id": "BTC-USD", "price": "68900.50", "high_24_h": "69200"}
    best = {"best_bid": "1", "best_bid_quantity": "2", "best_ask": "3", "best_ask_quantity": "4"}
    for channel in ("ticker", "ticker_batch"):
        event = {"type": "update", "tickers": [{**said, **best}]}
        found = ticks(feed("advanced").decode([advanced(channel, 0, event)], NOW))
        day = {"ltp": 68900.5, "high_price": 69200.0}
        assert row(found) == {**day, "bid": 1.0, "bid_qty": 2.0, "ask": 3.0, "ask_qty": 4.0}
        assert found.timestamp.tolist() == [T + 30_000_001]


@pytest.mark.parametrize("stamp", ["noon", "2025-01-01T00:00:30"])
def test_a_message_without_a_usable_time_is_a_reject_where_the_time_is_needed(stamp: str) -> None:
    one = feed("advanced")
    tickers = advanced("ticker", 0, {"tickers": [{"product_id": "BTC-USD", "price": "1"}]})
    book = advanced("l2_data", 1, levels("snapshot", ("bid", "99", "1")))
    frames = [sent.replace(b"2025-01-01T00:00:30.000001999Z", stamp.encode()) for sent in (tickers, book)]
    batch = one.decode(frames, NOW)
    assert (batch.ticks, batch.book_updates, len(batch.rejects)) == (None, [], 2)


def test_a_book_comes_as_l2_data_with_bids_and_offers() -> None:
    frames = [
        advanced("l2_data", 0, levels("snapshot", ("bid", "99", "1"), ("offer", "101", "2"))),
        advanced("l2_data", 1, levels("update", ("offer", "101", "0"), ("bid", "98", "3"))),
    ]
    book, change = feed("advanced").decode(frames, NOW).book_updates
    assert (book.snapshot, book.bids, book.asks) == (True, [(99.0, 1.0)], [(101.0, 2.0)])
    assert book.timestamp == T + 30_000_001, "its levels say 1970"
    assert (change.snapshot, change.bids, change.asks) == (False, [(98.0, 3.0)], [(101.0, 0.0)])
    assert change.timestamp == T + 9_000_000


def test_a_jump_of_the_sequence_takes_every_book_out_of_sync() -> None:
    known = Instruments()
    one, books = Coinbase(instruments=known, kind="advanced"), Books(instruments=known)
    frames = [
        advanced("l2_data", 3, levels("snapshot", ("bid", "99", "1"))),
        advanced("l2_data", 4, levels("snapshot", ("bid", "9", "1"), product="ETH-USD")),
    ]
    assert books.apply(one.decode(frames, NOW).book_updates).events == []
    batch = one.decode([advanced("heartbeats", 6)], NOW + 5)
    lost = {"why": "sequence numbers", "start": NOW, "end": NOW + 5, "from_id": 5, "to_id": 5, "missing": 1}
    assert facts(batch.events) == [("gap", None, lost)]
    applied = books.apply(batch.book_updates)
    assert [(event.kind, event.symbol) for event in applied.events] == [
        ("gap", "COINBASE:BTC-USD"),
        ("gap", "COINBASE:ETH-USD"),
    ]
    assert (books.full(0), books.full(1)) == (None, None)
    again = advanced("l2_data", 7, levels("snapshot", ("bid", "98", "1")))
    assert [event.kind for event in books.apply(one.decode([again], NOW).book_updates).events] == ["resync"]


def test_a_new_connection_counts_from_nothing_and_is_no_gap() -> None:
    one = feed("advanced")
    assert one.decode([advanced("heartbeats", 41), advanced("heartbeats", 42)], NOW).events == []
    assert one.decode([advanced("subscriptions", 0), advanced("heartbeats", 1)], NOW).events == []


def test_a_message_that_cannot_be_read_is_a_gap_unless_its_channel_is_none_of_ours() -> None:
    one = feed("advanced")
    one.decode([advanced("heartbeats", 1)], NOW)
    assert one.decode([advanced("candles", 2, {}), advanced("heartbeats", 3)], NOW).events == []
    for bad in (
        advanced("l2_data", 4, levels("update", ("hold", "1", "2"))),
        advanced("l2_data", 4, levels("update", ("bid", "1", "2"), product="?")),
    ):
        batch = one.decode([advanced("heartbeats", 3), bad, advanced("heartbeats", 5)], NOW)
        assert len(batch.rejects) == 1
        assert [event.detail["missing"] for event in batch.events] == [1]


def test_a_message_is_read_whole_or_not_at_all() -> None:
    one = feed("advanced")
    half = {"type": "update", "trades": [traded(1), traded(2, product_id="?")]}
    tickers = {"tickers": [{"product_id": "BTC-USD", "price": "1"}, {"product_id": "?", "price": "1"}]}
    books = [levels("update", ("bid", "1", "2")), levels("update", ("bid", "1", "2"), product="?")]
    frames = [
        advanced("market_trades", 0, half),
        advanced("ticker", 0, tickers),
        advanced("l2_data", 0, *books),
    ]
    batch = one.decode(frames, NOW)
    assert (batch.ticks, batch.book_updates, len(batch.rejects)) == (None, [], 3)
    assert batch.events == []


def test_a_refusal_names_no_channel() -> None:
    batch = feed("advanced").decode([frame(type="error", message="authentication failure")], NOW)
    assert facts(batch.events) == [("feed_error", None, {"msg": "authentication failure", "reason": ""})]


def test_a_usdc_product_answers_under_its_own_name_unless_both_are_subscribed() -> None:
    known = Instruments()
    one = Coinbase(instruments=known, kind="advanced")
    one.subscribe([one.resolve("BTC-USDC")])

    def name(number: int) -> str:
        event = {"type": "update", "trades": [traded(number)]}
        return known[
            int(ticks(one.decode([advanced("market_trades", number, event)], NOW)).instrument[0])
        ].name

    assert name(1) == "COINBASE:BTC-USDC"
    one.subscribe([one.resolve("BTC-USD")])
    assert name(2) == "COINBASE:BTC-USD"
    exchange = Coinbase(instruments=known)
    exchange.subscribe([exchange.resolve("ETH-USDC")])
    found = ticks(exchange.decode([match(1, product_id="ETH-USD")], NOW))
    assert known[int(found.instrument[0])].name == "COINBASE:ETH-USD"


# Any bytes ------------------------------------------------------------------------------------

GOOD = {
    "exchange": [
        match(1),
        match(2, type="last_match"),
        ticker(),
        whole(),
        changes(("buy", "1", "2")),
        frame(type="subscriptions"),
    ],
    "advanced": [
        advanced("market_trades", 1, {"type": "update", "trades": [traded(1)]}),
        advanced("ticker", 2, {"tickers": [{"product_id": "BTC-USD", "price": "1"}]}),
        advanced("l2_data", 3, levels("snapshot", ("bid", "99", "1"))),
        advanced("l2_data", 4, levels("update", ("offer", "99", "1"))),
        advanced("heartbeats", 5),
    ],
}


@pytest.mark.parametrize("kind", ["exchange", "advanced"])
@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_frames_give_whole_rows_or_rejects_and_nothing_else(kind: str, data: st.DataObject) -> None:
    frames = list(mangled(data, GOOD[kind]))
    known = Instruments()
    batch = Coinbase(instruments=known, kind=kind).decode(frames, NOW + np.arange(len(frames)))
    assert_rows_or_rejects(batch, frames, NOW)
    Books(instruments=known).apply(batch.book_updates)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from(["exchange", "advanced"]))
def test_any_bytes_are_rejects(frames: list[bytes], kind: str) -> None:
    assert [reject.frame for reject in feed(kind).decode(frames, NOW).rejects] == frames


@settings(deadline=None)
@given(
    st.decimals(min_value=0, max_value=10**12, allow_nan=False, places=8),
    st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=18),
)
def test_every_number_is_the_float_nearest_to_its_text(price: Decimal, qty: Decimal) -> None:
    text, other = f"{price + 1:f}", f"{qty:f}"
    batch = feed().decode([match(1, price=text, size=other), whole(bids=[[text, other]])], NOW)
    assert row(ticks(batch)) == {"ltp": float(text), "ltq": float(other)}
    assert batch.book_updates[0].bids == [(float(text), float(other))]


# Fixtures -------------------------------------------------------------------------------------


def lines(name: str) -> list[bytes]:
    return (FIXTURES / name).read_bytes().splitlines()


@cache
def expected() -> dict[str, dict[str, Any]]:
    return {one["file"]: one for one in json.loads((FIXTURES / "expected.json").read_text())["frames"]}


def floats(told: list[list[Any]]) -> list[tuple[float, float]]:
    return [(float(str(price)), float(str(qty))) for price, qty in told]


@needs_shared
@pytest.mark.parametrize("name", ["exchange_match_maker_buy.json", "exchange_match_maker_sell.json"])
def test_the_fixture_matches_equal_their_text_and_what_another_library_reads(name: str) -> None:
    other, (sent,) = expected()[name]["ccxt"], lines(name)
    found = ticks(feed().decode([sent], NOW))
    assert row(found) == {"ltp": other["price"], "ltq": other["amount"]}
    assert found.timestamp[0] // 1000 == other["timestamp"]
    said = json.loads(sent)
    assert Decimal(str(found.column("ltp")[0])) == Decimal(said["price"])
    assert Decimal(str(found.column("ltq")[0])) == Decimal(said["size"])


@needs_shared
def test_the_fixture_tickers_equal_their_text_and_what_another_library_reads() -> None:
    names = {
        "ltp": ("price", "price"),
        "open_price": ("open_24h", ""),
        "high_price": ("high_24h", "high_24_h"),
        "low_price": ("low_24h", "low_24_h"),
        "bid": ("best_bid", "best_bid"),
        "bid_qty": ("best_bid_size", "best_bid_quantity"),
        "ask": ("best_ask", "best_ask"),
        "ask_qty": ("best_ask_size", "best_ask_quantity"),
    }
    (exchange,) = lines("exchange_ticker.json")
    found = row(ticks(feed().decode([exchange], NOW)))
    said = json.loads(exchange)
    assert {name: Decimal(str(number)) for name, number in found.items()} == {
        name: Decimal(said[key]) for name, (key, _) in names.items()
    }
    other = expected()["exchange_ticker.json"]["ccxt"]
    keys = ("last", "open", "high", "low", "bid", "bidVolume", "ask", "askVolume")
    assert list(found.values()) == [other[key] for key in keys]
    (message,) = lines("advanced_ticker.json")
    found = row(ticks(feed("advanced").decode([message], NOW)))
    (said,) = json.loads(message)["events"][0]["tickers"]
    assert {name: Decimal(str(number)) for name, number in found.items()} == {
        name: Decimal(said[key]) for name, (_, key) in names.items() if key
    }


@needs_shared
def test_the_fixture_trades_of_the_advanced_feed_equal_what_another_library_reads() -> None:
    name = "advanced_market_trades_snapshot.json"
    found = ticks(feed("advanced").decode(lines(name), NOW))
    others = sorted(expected()[name]["ccxt_trades"], key=lambda one: one["timestamp"])
    assert [row(found, i) for i in range(3)] == [
        {"ltp": other["price"], "ltq": other["amount"]} for other in others
    ]
    assert [time // 1000 for time in found.timestamp.tolist()] == [other["timestamp"] for other in others]


@needs_shared
@pytest.mark.parametrize(
    ("name", "kind"), [("exchange_level2_run.jsonl", "exchange"), ("advanced_l2_run.jsonl", "advanced")]
)
def test_the_fixture_books_equal_what_another_library_keeps(name: str, kind: str) -> None:
    other = expected()[name]["ccxt_replay"]
    known = Instruments()
    one, books = Coinbase(instruments=known, kind=kind), Books(instruments=known)
    counts = []
    for line in lines(name):
        batch = one.decode([line], NOW)
        assert (batch.rejects, batch.events) == ([], [])
        assert books.apply(batch.book_updates).events == []
        full = books.full(0)
        assert full is not None
        counts.append(len(full[0]) + len(full[1]))
    assert counts == other["level_count_after_each"]
    for side, name_ in zip(full, ("bids", "asks"), strict=True):
        assert side[:10] == floats(other["final_top10"][name_])
        assert len(side) == other["final_top10"][f"{name_[:-1]}_levels"]


@needs_shared
def test_the_fixture_with_a_missing_message_throws_the_book_away() -> None:
    name = "advanced_l2_run_gap.jsonl"
    known = Instruments()
    batch = Coinbase(instruments=known, kind="advanced").decode(lines(name), NOW)
    applied = Books(instruments=known).apply(batch.book_updates)
    numbers, index = expected()[name]["sequence_numbers"], expected()[name]["gap_after_index"]
    (gap,) = batch.events
    assert (gap.detail["from_id"], gap.detail["missing"]) == (numbers[index] + 1, 1)
    assert applied.depth is not None
    assert len(applied.depth) == index + 1
    assert applied.wanted == {0}


@needs_shared
def test_the_control_fixtures_are_no_market_data() -> None:
    for name in expected():
        if "note" in expected()[name] and expected()[name]["note"] == "no market data":
            batch = feed().decode(lines(name), NOW)
            assert (batch.ticks, batch.book_updates) == (None, [])
            assert len(batch.rejects) == (name == "exchange_unknown_type.json")
            assert len(batch.events) == (name == "exchange_error.json")
    for name in ("advanced_subscriptions.json", "advanced_heartbeat.json"):
        assert feed("advanced").decode(lines(name), NOW) == Batch()


@needs_shared
def test_the_recorded_product_gives_one_trade_one_last_match_and_the_final_book() -> None:
    name = "recorded_exchange_skl_gbp.jsonl"
    known = Instruments()
    batch = Coinbase(instruments=known).decode(lines(name), NOW)
    assert batch.rejects == []
    last, traded_ = expected()[name]["ccxt_trades"]
    assert [(event.kind, event.detail["id"], event.detail["price"]) for event in batch.events] == [
        ("last_match", int(last["id"]), last["price"])
    ]
    trades = [row(ticks(batch), i) for i in range(len(ticks(batch))) if "ltq" in row(ticks(batch), i)]
    assert trades == [{"ltp": traded_["price"], "ltq": traded_["amount"]}]
    books = Books(instruments=known)
    assert books.apply(batch.book_updates).events == []
    full, wanted = books.full(0), expected()[name]["ccxt_replay"]["final_top10"]
    assert full is not None
    for side, key in zip(full, ("bids", "asks"), strict=True):
        assert side[:10] == floats(wanted[key])
        assert len(side) == wanted[f"{key[:-1]}_levels"]


# The capture ----------------------------------------------------------------------------------


@cache
def capture() -> tuple[dict[str, Any], list[tuple[int, int, bytes]]]:
    """Return the answers, and (line of the file, receive time in µs, payload) of each message."""
    answers: dict[str, Any] = json.loads((CAPTURES / "coinbase-pro-20210417.truth.json").read_text())
    found = []
    with (CAPTURES / answers["file"]).open("rb") as raw:
        text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw))
        for number, line in enumerate(text, 1):
            envelope = json.loads(line)
            if envelope["kind"] == "recv":
                found.append((number, envelope["t"] // 1000, envelope["data"].encode()))
    return answers, found


@needs_shared
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_capture_gives_every_trade_ticker_and_book_exactly(size: int) -> None:
    answers, messages = capture()
    known = Instruments()
    one, books = Coinbase(instruments=known), Books(instruments=known)
    stops = {int(line): wanted for line, wanted in answers["books_at_line"].items()}
    places = [sum(line <= stop for line, *_ in messages) for stop in stops]
    ends = sorted({*range(size, len(messages), size), *places, len(messages)})
    parts: list[Ticks] = []
    events: list[Event] = []
    looked_at = 0
    start = 0
    for end in ends:
        some = messages[start:end]
        start = end
        received_at = np.array([time for _, time, _ in some], np.int64)
        batch = one.decode([payload for *_, payload in some], received_at)
        assert batch.rejects == []
        if batch.ticks is not None:
            parts.append(batch.ticks)
        applied = books.apply(batch.book_updates)
        events += [*batch.events, *applied.events]
        for stop, place in zip(stops, places, strict=True):
            if place == end:
                check_books(books, known, stops[stop])
                looked_at += 1
    assert looked_at == len(stops)
    check_books(books, known, answers["books_final"])
    assert [event.kind for event in events] == ["last_match"] * answers["messages_per_type"]["last_match"]
    trades: dict[str, list[tuple[Decimal, Decimal]]] = {}
    tickers: dict[str, dict[str, float]] = {}
    for part in parts:
        for i, number in enumerate(part.instrument.tolist()):
            said, symbol = row(part, i), known[number].symbol
            if "ltq" in said:
                pair = Decimal(str(said["ltp"])), Decimal(str(said["ltq"]))
                trades.setdefault(symbol, []).append(pair)
            else:
                tickers[symbol] = said
    assert set(trades) == set(answers["trades_from_match"])
    for symbol, wanted in answers["trades_from_match"].items():
        found = trades[symbol]
        assert len(found) == wanted["count"]
        assert found[0][0] == Decimal(wanted["first_price"])
        assert found[-1][0] == Decimal(wanted["last_price"])
        assert max(price for price, _ in found) == Decimal(wanted["high"])
        assert min(price for price, _ in found) == Decimal(wanted["low"])
        assert sum(qty for _, qty in found) == Decimal(wanted["sum_qty"])
        vwap = sum(price * qty for price, qty in found) / sum(qty for _, qty in found)
        assert round(vwap, 10) == Decimal(wanted["vwap_10dp"])
    for symbol, wanted in answers["last_ticker"].items():
        told = {"ltp": "price", "bid": "best_bid", "ask": "best_ask"}
        assert {name: tickers[symbol][name] for name in told} == {
            name: float(wanted[key]) for name, key in told.items()
        }
    assert sum(map(len, parts)) == sum(answers["messages_per_type"][kind] for kind in ("match", "ticker"))


def check_books(books: Books, known: Instruments, wanted: dict[str, Any]) -> None:
    for product, book in wanted.items():
        number = known.number(f"COINBASE:{product}")
        assert number is not None
        full = books.full(number)
        assert full is not None
        for side, name in zip(full, ("bids", "asks"), strict=True):
            assert side[:5] == floats(book[name])
            assert len(side) == book[f"{name[:-1]}_levels"]
