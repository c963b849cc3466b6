"""Binance's decoder against fixtures, damaged frames, and two real captures with known answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.batch import Event, Ticks
from ltpkit.book import Books
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Feed, make
from ltpkit.feeds.binance import Binance
from ltpkit.instrument import Instruments
from ltpkit.schema import FEED_FLOATS
from tests.feeds.reading import duplicates, facts, mangled, row, ticks
from tests.paths import SHARED, needs_shared
from tests.play import read_capture

FIXTURES = SHARED / "feeds" / "fixtures" / "binance"
CAPTURES = SHARED / "recordings" / "crypto-ws"
NOW = 1_800_000_000_000_000


def feed(kind: str = "spot", **settings: Any) -> Binance:
    return Binance(instruments=Instruments(), kind=kind, **settings)


def frame(stream: str = "", **payload: object) -> bytes:
    return json.dumps({"stream": stream, "data": payload} if stream else payload).encode()


def trade(number: int, **changed: object) -> bytes:
    said = {"e": "trade", "E": 1_700_000_000_001, "s": "BTCUSDT", "t": number, "p": "43000.10", "q": "0.002"}
    return frame(
        "btcusdt@trade", **{**said, "T": 1_700_000_000_000 + number, "m": True, "M": True, **changed}
    )


def quote(**changed: object) -> bytes:
    said = {"u": 99, "s": "BTCUSDT", "b": "43000.00", "B": "1.5", "a": "43000.10", "A": "0.7"}
    return frame("btcusdt@bookTicker", **{**said, **changed})


def depth(**changed: object) -> bytes:
    said = {"e": "depthUpdate", "E": 1_700_000_000_200, "s": "BTCUSDT", "U": 100, "u": 103}
    levels = {"b": [["42999.90", "0"]], "a": []}
    return frame("btcusdt@depth@100ms", **{**said, **levels, **changed})


# What can be asked for ------------------------------------------------------------------------


def test_the_registry_makes_one_and_it_is_a_feed() -> None:
    made = make("binance", Instruments(), kind="usdm")
    assert isinstance(made, Feed)
    assert (made.name, made.kind) == ("binance", "usdm")
    assert repr(made) == "<Binance usdm: 0 symbols>"


@pytest.mark.parametrize("text", ["BTCUSDT", "btcusdt", "BINANCE:BTCUSDT", "binance:btcusdt", " BTCUSDT "])
def test_a_symbol_may_be_written_in_any_case_with_or_without_the_exchange(text: str) -> None:
    found = feed().resolve(text)
    assert (found.name, found.segment, found.broker_id) == ("BINANCE:BTCUSDT", "spot", "btcusdt")


def test_futures_are_an_exchange_of_their_own() -> None:
    assert feed("usdm").resolve("BTCUSDT_261225").name == "BINANCE_USDM:BTCUSDT_261225"
    with pytest.raises(UnknownInstrument, match="BINANCE_USDM:BTCUSDT"):
        feed("usdm").resolve("BINANCE:BTCUSDT")


@pytest.mark.parametrize("text", ["BTC/USDT", "BTC-USDT", "NSE:BTCUSDT", "btc usdt"])
def test_a_malformed_symbol_is_refused_and_the_likely_one_named(text: str) -> None:
    with pytest.raises(UnknownInstrument, match="BINANCE:BTCUSDT"):
        feed().resolve(text)


@pytest.mark.parametrize("text", ["", "BINANCE:", "!", "B", "X" * 41])
def test_what_cannot_be_a_symbol_is_refused(text: str) -> None:
    with pytest.raises(UnknownInstrument, match="without a separator"):
        feed().resolve(text)


def test_an_unknown_kind_and_a_broken_address_are_refused() -> None:
    with pytest.raises(SettingError, match="'coinm'"):
        feed("coinm")
    for url in ("http://127.0.0.1", "ws://", "127.0.0.1:9000", "ws://host/stream?streams=x"):
        with pytest.raises(SettingError, match=r"^url must be a base address"):
            feed(url=url)
    with pytest.raises(SettingError, match=r"^rest_url must be a base address"):
        feed(rest_url="wss://host")


def test_paths_are_appended_to_the_base_addresses() -> None:
    mine = {"url": "ws://127.0.0.1:9/base/", "rest_url": "http://127.0.0.1:9/base/"}
    spot, usdm = feed(**mine), feed("usdm", **mine)
    assert spot.address() == usdm.address() == "ws://127.0.0.1:9/base/stream"
    query = "symbol=BTCUSDT&limit=1000"
    assert spot.snapshot_address(spot.resolve("BTCUSDT")) == f"http://127.0.0.1:9/base/api/v3/depth?{query}"
    assert usdm.snapshot_address(usdm.resolve("BTCUSDT")) == f"http://127.0.0.1:9/base/fapi/v1/depth?{query}"
    assert feed().address() == "wss://stream.binance.com:9443/stream"
    assert feed("usdm").address() == "wss://fstream.binance.com/public/stream"


def test_without_depth_no_book_is_asked_for() -> None:
    plain = feed(depth=False)
    bitcoin = plain.resolve("BTCUSDT")
    assert plain.snapshot_address(bitcoin) is None
    (message,) = plain.subscribe([bitcoin])
    assert json.loads(message)["params"] == ["btcusdt@trade", "btcusdt@bookTicker"]
    assert plain.limits.per_connection == 512


def test_subscriptions_are_batched_within_the_limits_and_numbered() -> None:
    spot = feed()
    wanted = [spot.resolve(f"COIN{n}USDT") for n in range(70)]
    messages = [json.loads(message) for message in spot.subscribe(wanted)]
    assert [len(message["params"]) for message in messages] == [99, 99, 12]
    assert [message["id"] for message in messages] == [1, 2, 3]
    assert {message["method"] for message in messages} == {"SUBSCRIBE"}
    params = [stream for message in messages for stream in message["params"]]
    assert params[:3] == ["coin0usdt@trade", "coin0usdt@bookTicker", "coin0usdt@depth@100ms"]
    assert len(set(params)) == 210
    assert spot.limits.per_connection is not None
    assert 3 * spot.limits.per_connection <= 1024
    assert spot.limits.messages_per_second is not None
    assert spot.limits.messages_per_second < 5
    (ending,) = spot.unsubscribe(wanted[:1])
    assert json.loads(ending) == {"method": "UNSUBSCRIBE", "params": params[:3], "id": 4}
    assert spot.login() == []


@pytest.mark.parametrize(
    ("code", "then"),
    [
        *((code, "retry") for code in (1000, 1001, 1006, 1008, 1011, 1012, 429, 500, 503)),
        *((code, "stop") for code in (400, 403, 404, 418, 451)),
    ],
)
def test_refusals_that_will_be_repeated_are_final_and_others_are_not(code: int, then: str) -> None:
    assert feed().closed(code, "") == then


# Payloads -------------------------------------------------------------------------------------


def test_a_trade_is_a_tick_with_price_and_quantity_at_the_trade_time() -> None:
    found = ticks(feed().decode([trade(42)], NOW))
    assert row(found) == {"ltp": 43000.10, "ltq": 0.002}
    assert found.timestamp.tolist() == [1_700_000_000_042_000]
    assert found.received_at.tolist() == [NOW]


def test_a_quote_is_a_tick_with_both_sides_and_takes_the_receipt_time_where_none_is_sent() -> None:
    timed = quote(e="bookTicker", T=1_700_000_000_005, E=1_700_000_000_009)
    found = ticks(feed().decode([quote(), timed], np.array([NOW, NOW + 7])))
    assert row(found, 0) == row(found, 1) == {"bid": 43000.0, "bid_qty": 1.5, "ask": 43000.10, "ask_qty": 0.7}
    assert found.timestamp.tolist() == [NOW, 1_700_000_000_005_000]
    assert found.received_at.tolist() == [NOW, NOW + 7]


def test_times_are_read_in_milliseconds_and_in_microseconds() -> None:
    found = ticks(feed().decode([trade(1, T=1_712_922_208_348_123), trade(2, T=1_712_922_208_348)], NOW))
    assert found.timestamp.tolist() == [1_712_922_208_348_123, 1_712_922_208_348_000]


def test_a_change_of_the_book_keeps_its_numbers_and_levels() -> None:
    spot, usdm = feed().decode([depth(), depth(pu=99, T=1_700_000_000_150)], NOW).book_updates
    assert (spot.first_id, spot.last_id, spot.previous_id, spot.timestamp) == (
        100,
        103,
        None,
        1_700_000_000_200_000,
    )
    assert (usdm.previous_id, usdm.timestamp, usdm.received_at) == (99, 1_700_000_000_150_000, NOW)
    assert (spot.bids, spot.asks, spot.snapshot, spot.instrument) == ([(42999.90, 0.0)], [], False, 0)


def test_frames_of_all_kinds_keep_their_order_and_their_receipt_times() -> None:
    frames = [
        depth(),
        trade(1),
        b'{"result":null,"id":1}',
        quote(),
        b"nonsense",
        trade(2, s="ETHUSDT"),
        depth(U=104, u=105),
    ]
    batch = feed().decode(frames, NOW + np.arange(7))
    found = ticks(batch)
    assert found.received_at.tolist() == [NOW + 1, NOW + 3, NOW + 5]
    assert [list(row(found, i)) for i in range(3)] == [
        ["ltp", "ltq"],
        ["bid", "bid_qty", "ask", "ask_qty"],
        ["ltp", "ltq"],
    ]
    assert found.instrument.tolist() == [0, 0, 1]
    assert [(update.received_at, update.first_id) for update in batch.book_updates] == [
        (NOW, 100),
        (NOW + 6, 104),
    ]
    assert [(reject.received_at, reject.frame) for reject in batch.rejects] == [(NOW + 4, b"nonsense")]
    assert batch.events == []


def test_bare_payloads_read_as_combined_ones_do() -> None:
    combined = [trade(1), quote(), depth()]
    bare = [json.dumps(json.loads(one)["data"]).encode() for one in combined]
    one, other = feed().decode(combined, NOW), feed().decode(bare, NOW)
    np.testing.assert_array_equal(ticks(one).values, ticks(other).values)
    assert one.book_updates == other.book_updates
    assert other.rejects == []


def test_an_aggregated_trade_is_a_tick_and_its_id_is_no_ask() -> None:
    said = frame(
        "btcusdt@aggTrade",
        e="aggTrade",
        E=1,
        s="BTCUSDT",
        a=7,
        p="43000.10",
        q="0.010",
        f=40,
        l=42,
        T=1_700_000_000_120,
    )
    batch = feed().decode([trade(1_000), said, said], NOW)
    assert row(ticks(batch), 1) == {"ltp": 43000.10, "ltq": 0.010}
    assert duplicates(batch) == [False, False, True]
    assert facts(batch.events) == [
        ("duplicate", "BINANCE:BTCUSDT", {"count": 1, "from_id": 7, "to_id": 7, "why": "trade ids"})
    ]


def test_a_partial_depth_message_is_a_row_of_depth_and_no_change() -> None:
    spot = frame(
        "btcusdt@depth5@100ms", lastUpdateId=9, bids=[["2.0", "1"], ["1.0", "3"]], asks=[["3.0", "4"]]
    )
    usdm = depth(b=[["7.0", "1"]], a=[["8.0", "2"]], T=1_700_000_000_150)
    usdm = usdm.replace(b"@depth@100ms", b"@depth20@100ms")
    batch = feed().decode([spot, usdm], NOW)
    found = batch.depth
    assert found is not None
    assert batch.book_updates == []
    assert found.bid_ends.tolist() == [2, 3]
    assert found.ask_ends.tolist() == [1, 2]
    assert (found.bid_price.tolist(), found.bid_qty.tolist()) == ([2.0, 1.0, 7.0], [1.0, 3.0, 1.0])
    assert (found.ask_price.tolist(), found.ask_qty.tolist()) == ([3.0, 8.0], [4.0, 2.0])
    assert found.timestamp.tolist() == [NOW, 1_700_000_000_150_000]
    assert found.bid_orders is None


def test_a_whole_book_in_a_capture_names_no_instrument() -> None:
    book = b'{"lastUpdateId":8,"E":1700000000001,"T":1700000000000,"bids":[["1.5","2"]],"asks":[]}'
    (found,) = feed().decode([book], NOW).book_updates
    assert (found.snapshot, found.instrument, found.last_id) == (True, None, 8)
    assert (found.timestamp, found.bids, found.asks) == (1_700_000_000_000_000, [(1.5, 2.0)], [])


def test_an_answer_over_http_is_the_book_of_the_instrument_it_was_asked_for() -> None:
    spot = feed()
    asked = spot.resolve("ETHUSDT")
    found = spot.decode_snapshot(asked, b'{"lastUpdateId":8,"bids":[],"asks":[["1.5","2"]]}', NOW)
    assert (found.snapshot, found.instrument, found.last_id, found.timestamp) == (True, 0, 8, NOW)
    with pytest.raises(ValueError, match="-1121: Invalid symbol"):
        spot.decode_snapshot(asked, b'{"code":-1121,"msg":"Invalid symbol."}', NOW)
    for body in (b"<html>", b"{}", b'{"lastUpdateId":8,"bids":[["x","y"]],"asks":[]}', b""):
        with pytest.raises(ValueError, match="BINANCE:ETHUSDT is not a book"):
            spot.decode_snapshot(asked, body, NOW)


def test_answers_are_quiet_refusals_are_events_and_a_notice_is_a_goodbye() -> None:
    frames = [
        b'{"result":null,"id":1}',
        b'{"result":["btcusdt@trade"],"id":3}',
        b'{"code":2,"msg":"Invalid request"}',
        b'{"error":{"code":3,"msg":"Invalid JSON"},"id":null}',
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1742159968406}}',
    ]
    batch = feed().decode(frames, NOW)
    assert facts(batch.events) == [
        ("feed_error", None, {"code": 2, "msg": "Invalid request"}),
        ("feed_error", None, {"code": 3, "msg": "Invalid JSON"}),
    ]
    assert batch.rejects == []
    assert batch.ticks is None
    assert batch.goodbye is not None
    assert batch.goodbye.then == "retry"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b"17", "object"),
        (b"{}", "not a message"),
        (b'{"e":"somethingNew","E":1733240545026,"s":"BTCUSDT"}', "somethingNew"),
        (frame("btcusdt@kline_1m", e="kline", s="BTCUSDT", k={}), "kline"),
        (trade(1, p="nan"), "float"),
        (trade(1, p="-1"), "float"),
        (trade(1, p="12.3.4"), "float"),
        (trade(1, q="inf"), "float"),
        (trade(1, t=-4), "int"),
        (trade(1, T=10**30), "int"),
        (trade(1, s=""), "usable symbol"),
        (trade(1, s="BTC USDT"), "usable symbol"),
        (frame("btcusdt@trade", e="trade", s="BTCUSDT", t=1, q="1", T=1), "usable price"),
        (frame("btcusdt@trade", e="trade", s="BTCUSDT", t=1, p="1", T=1), "usable quantity"),
        (frame("btcusdt@trade", e="trade", s="BTCUSDT", p="1", q="1", T=1), "usable id"),
        (frame("btcusdt@aggTrade", e="aggTrade", s="BTCUSDT", p="1", q="1", T=1), "usable id"),
        (frame("btcusdt@aggTrade", e="aggTrade", s="BTCUSDT", p="1", q="1", a=[], T=1), "usable id"),
        (frame("btcusdt@bookTicker", u=1, s="BTCUSDT", b="1", B="1", A="1"), "usable ask"),
        (quote(b=[["1", "2"]]), "usable bid"),
        (frame("btcusdt@bookTicker", e="bookTicker", s="BTCUSDT"), "usable bid"),
        (depth(b="1"), "levels"),
        (frame("btcusdt@depth", e="depthUpdate", s="BTCUSDT", U=1, u=2, b=[]), "levels"),
        (frame("btcusdt@depth", e="depthUpdate", s="BTCUSDT", b=[], a=[]), "update ids"),
        (depth(s="?"), "usable symbol"),
        (depth(b=[["1"]]), "length"),
        (depth(b=[["1", "nan"]]), "float"),
        (b'{"lastUpdateId":5,"bids":[]}', "without bids or asks"),
        (frame("?@depth5", lastUpdateId=5, bids=[], asks=[]), "names no symbol"),
        (frame("btcusdt@depth5", lastUpdateId=5, bids=[["x", "1"]], asks=[]), "float"),
        (trade(1)[:-9], "truncated"),
        (trade(1) + b"," + trade(2), "malformed"),
        (b"[" * 100_000, "array"),
        (b'{"x":' + b"[" * 100_000, "recursion"),
        (b'{"stream":"\xff\xfe","data":{}}', "utf-8"),
    ],
)
def test_a_frame_that_cannot_be_read_costs_only_itself(bad: bytes, reason: str) -> None:
    spot = feed()
    batch = spot.decode([trade(10), bad, quote(), depth()], NOW + np.arange(4))
    (reject,) = batch.rejects
    assert reject.frame == bad
    assert reject.received_at == NOW + 1
    assert reason in reject.reason
    assert ticks(batch).received_at.tolist() == [NOW, NOW + 2]
    assert len(batch.book_updates) == 1
    alone = spot.decode([bad], NOW)
    assert (alone.ticks, alone.book_updates, len(alone.rejects)) == (None, [], 1)


def test_two_halves_of_a_message_are_two_rejects_and_never_one_message() -> None:
    batch = feed().decode(
        [b'{"stream":"btcusdt@trade","data":{"e":"trade"', b'"s":"BTCUSDT"}}', trade(3)], NOW
    )
    assert len(batch.rejects) == 2
    assert len(ticks(batch)) == 1


def test_no_frames_are_an_empty_batch() -> None:
    batch = feed().decode([], NOW)
    assert (batch.ticks, batch.depth, batch.book_updates, batch.events, batch.rejects) == (
        None,
        None,
        [],
        [],
        [],
    )


@given(
    st.decimals(min_value=0, max_value=10**12, allow_nan=False, places=8),
    st.decimals(min_value=0, max_value=10**9, allow_nan=False, places=18),
)
@settings(deadline=None)
def test_every_number_is_the_float_nearest_to_its_text(price: Decimal, qty: Decimal) -> None:
    text, other = f"{price + 1:f}", f"{qty:f}"
    batch = feed().decode([trade(1, p=text, q=other), depth(b=[[text, other]])], NOW)
    assert row(ticks(batch)) == {"ltp": float(text), "ltq": float(other)}
    assert batch.book_updates[0].bids == [(float(text), float(other))]


GOOD = [
    trade(1),
    quote(),
    depth(),
    trade(2),
    b'{"result":null,"id":1}',
    b'{"lastUpdateId":8,"bids":[],"asks":[]}',
]


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_frames_give_whole_rows_or_rejects_and_nothing_else(data: st.DataObject) -> None:
    frames = list(mangled(data, GOOD))
    batch = feed().decode(frames, NOW + np.arange(len(frames)))
    if batch.ticks is not None:
        for i in range(len(batch.ticks)):
            assert set(row(batch.ticks, i)) in ({"ltp", "ltq"}, {"bid", "bid_qty", "ask", "ask_qty"})
        assert np.isfinite(batch.ticks.timestamp).all()
    for update in batch.book_updates:
        assert all(qty >= 0 and price >= 0 for price, qty in [*update.bids, *update.asks])
    for reject in batch.rejects:
        assert frames[reject.received_at - NOW] == reject.frame
        assert reject.reason
    found = (0 if batch.ticks is None else len(batch.ticks)) + len(batch.book_updates) + len(batch.rejects)
    assert found <= len(frames)


# Trade ids ------------------------------------------------------------------------------------


def test_the_first_trade_id_seen_is_no_gap_and_a_jump_is_one() -> None:
    spot = feed()
    first = spot.decode([trade(500), trade(501)], NOW)
    assert first.events == []
    later = spot.decode([trade(505)], NOW + 9)
    span = {"start": 1_700_000_000_501_000, "end": 1_700_000_000_505_000}
    detail = {"why": "trade ids", **span, "from_id": 502, "to_id": 504, "missing": 3}
    assert facts(later.events) == [("gap", "BINANCE:BTCUSDT", detail)]
    assert later.events[0].at == NOW + 9
    assert len(ticks(later)) == 1


def test_trades_already_seen_are_marked_and_counted_once_per_batch_and_symbol() -> None:
    spot = feed()
    spot.decode([trade(1), trade(2), trade(3), trade(1, s="ETHUSDT")], NOW)
    batch = spot.decode(
        [trade(2), quote(), trade(3), trade(4), trade(1, s="ETHUSDT"), trade(2, s="ETHUSDT")],
        NOW + np.arange(6),
    )
    assert ticks(batch).received_at.tolist() == [NOW + n for n in range(6)]
    assert duplicates(batch) == [True, False, True, False, True, False]
    assert facts(batch.events) == [
        ("duplicate", "BINANCE:BTCUSDT", {"count": 2, "from_id": 2, "to_id": 3, "why": "trade ids"}),
        ("duplicate", "BINANCE:ETHUSDT", {"count": 1, "from_id": 1, "to_id": 1, "why": "trade ids"}),
    ]
    assert duplicates(spot.decode([trade(4)], NOW)) == [True]


def test_what_is_no_trade_is_no_row_the_second_time_either() -> None:
    usdm = feed("usdm")
    frames = [trade(5, p="0", q="0", X="NA"), trade(6, X="INSURANCE_FUND"), trade(7)]
    assert len(ticks(usdm.decode(frames, NOW))) == 1
    again = usdm.decode(frames, NOW)
    assert row(ticks(again)) == {"ltp": 43000.10, "ltq": 0.002}
    assert duplicates(again) == [True]
    assert [(event.kind, event.detail["count"]) for event in again.events] == [("duplicate", 3)]


def test_ids_that_fall_with_later_trades_are_a_new_count_and_no_repeats() -> None:
    spot = feed()
    spot.decode([trade(900)], NOW)
    batch = spot.decode([trade(1, T=1_700_000_900_000), trade(2, T=1_700_000_900_001)], NOW)
    assert len(ticks(batch)) == 2
    span = {"start": 1_700_000_000_900_000, "end": 1_700_000_900_000_000}
    detail = {"why": "trade ids began anew", **span, "from_id": 901}
    assert facts(batch.events) == [("gap", "BINANCE:BTCUSDT", detail)]


def test_trades_while_unsubscribed_are_no_gap() -> None:
    spot = feed()
    spot.decode([trade(1)], NOW)
    spot.unsubscribe([spot.resolve("BTCUSDT")])
    assert spot.decode([trade(100)], NOW).events == []


def test_an_id_spent_on_nothing_is_no_row_and_no_gap() -> None:
    usdm = feed("usdm")
    batch = usdm.decode([trade(1), trade(2, p="0", q="0", X="NA"), trade(3)], NOW + np.arange(3))
    assert ticks(batch).received_at.tolist() == [NOW, NOW + 2]
    assert batch.events == []


def test_a_trade_outside_the_order_book_is_told_and_is_no_row() -> None:
    batch = feed("usdm").decode([trade(1, X="INSURANCE_FUND", p="39000.0", q="2"), trade(2)], NOW)
    assert len(ticks(batch)) == 1
    detail = {"id": 1, "price": 39000.0, "qty": 2.0, "type": "INSURANCE_FUND"}
    assert facts(batch.events) == [("off_market", "BINANCE_USDM:BTCUSDT", detail)]


# Fixtures -------------------------------------------------------------------------------------


def lines(name: str) -> list[bytes]:
    return (FIXTURES / name).read_bytes().splitlines()


def expected() -> dict[str, dict[str, Any]]:
    return {one["file"]: one for one in json.loads((FIXTURES / "expected.json").read_text())["frames"]}


@needs_shared
@pytest.mark.parametrize(
    "name", ["trade_buyer_maker", "trade_seller_maker", "aggtrade_buyer_maker", "aggtrade_seller_maker"]
)
def test_the_fixture_trades_equal_what_another_library_reads(name: str) -> None:
    other = expected()[f"{name}.json"]["ccxt"]
    found = ticks(feed().decode(lines(f"{name}.json"), NOW))
    assert row(found) == {"ltp": other["price"], "ltq": other["amount"]}
    assert found.timestamp.tolist() == [other["timestamp"] * 1000]


@needs_shared
def test_the_fixture_with_microseconds_has_the_time_it_names() -> None:
    found = ticks(feed().decode(lines("trade_microsecond_timeunit.json"), NOW))
    assert found.timestamp.tolist() == [expected()["trade_microsecond_timeunit.json"]["expected_time_us"]]


@needs_shared
def test_the_fixture_quotes_equal_what_another_library_reads() -> None:
    other = expected()["bookticker_raw.json"]["ccxt"]
    for name in ("bookticker_raw.json", "bookticker_combined.json"):
        found = ticks(feed().decode(lines(name), NOW))
        wanted = {
            "bid": other["bid"],
            "bid_qty": other["bidVolume"],
            "ask": other["ask"],
            "ask_qty": other["askVolume"],
        }
        assert row(found) == wanted


@needs_shared
def test_the_fixture_of_partial_depth_is_a_row_with_a_name_and_a_whole_book_without() -> None:
    known = expected()["depth20_combined.json"]["unicorn_fy"]
    batch = feed().decode(lines("depth20_combined.json"), NOW)
    assert batch.depth is not None
    assert list(zip(batch.depth.bid_price, batch.depth.bid_qty, strict=True)) == floats(known["bids"])
    assert list(zip(batch.depth.ask_price, batch.depth.ask_qty, strict=True)) == floats(known["asks"])
    (bare,) = feed().decode(lines("depth20_raw.json"), NOW).book_updates
    assert (bare.snapshot, bare.instrument, bare.bids) == (True, None, floats(known["bids"]))


def floats(levels: Sequence[Sequence[object]]) -> list[tuple[float, float]]:
    return [(float(str(price)), float(str(qty))) for price, qty in levels]


@needs_shared
def test_the_control_fixtures_are_no_market_data() -> None:
    found = {path.stem: feed().decode([path.read_bytes()], NOW) for path in FIXTURES.glob("control_*.json")}
    assert len(found) == 6
    assert all(batch.ticks is None and not batch.book_updates for batch in found.values())
    assert [name for name, batch in found.items() if batch.rejects] == ["control_unknown_event"]
    assert {name for name, batch in found.items() if batch.goodbye} == {
        "control_server_shutdown_raw",
        "control_server_shutdown_combined",
    }
    detail = {"code": 2, "msg": "Invalid request: too many parameters"}
    assert facts(found["control_error"].events) == [("feed_error", None, detail)]


@needs_shared
@pytest.mark.parametrize(
    ("events", "book"),
    [
        ("diffdepth_events.jsonl", "diffdepth_snapshot.json"),
        ("recorded_nknusdt_stream.jsonl", "recorded_nknusdt_snapshot.json"),
        ("recorded_lrcbtc_stream.jsonl", "recorded_lrcbtc_snapshot.json"),
    ],
)
def test_the_fixture_books_equal_what_another_library_keeps(events: str, book: str) -> None:
    other = expected()[events]["ccxt_replay"]
    known = Instruments()
    spot = Binance(instruments=known)
    batch = spot.decode(lines(events), NOW)
    assert {reject.reason for reject in batch.rejects} <= {"event 'kline' is not one this feed reads"}
    assert batch.events == []
    books = Books(instruments=known, levels=10)
    first = spot.decode_snapshot(known[0], (FIXTURES / book).read_bytes(), NOW)
    applied = books.apply([*batch.book_updates, first])
    assert applied.events == []
    assert books.last_id(0) == other["final_update_id"]
    full = books.full(0)
    assert full is not None
    for side, name in zip(full, ("bids", "asks"), strict=True):
        assert side[:10] == floats(other["final_top10"][name])
        assert len(side) == other["final_top10"][f"{name[:-1]}_levels"]


@needs_shared
def test_the_fixture_with_a_missing_change_throws_the_book_away() -> None:
    known = Instruments()
    spot = Binance(instruments=known)
    changes = spot.decode(lines("diffdepth_events_gap.jsonl"), NOW).book_updates
    books = Books(instruments=known)
    first = spot.decode_snapshot(known[0], (FIXTURES / "diffdepth_snapshot.json").read_bytes(), NOW)
    applied = books.apply([first, *changes])
    assert [(event.kind, event.detail["why"]) for event in applied.events] == [("gap", "depth sequence")]
    assert applied.depth is not None
    # The library compared with applied five and had dropped one; the snapshot is a row of its own.
    assert len(applied.depth) == 1 + expected()["diffdepth_events_gap.jsonl"]["ccxt_replay"]["applied_count"]
    assert applied.wanted == {0}
    assert books.full(0) is None


# Captures with known answers ------------------------------------------------------------------

SPOT = ("spot", "binance-spot-btcusdt-20240808-09.truth.json")
USDM = ("usdm", "binance-usdm-btcusdt-20240808.truth.json")


@cache
def capture(truth: str) -> tuple[dict[str, Any], list[tuple[int, bytes]]]:
    answers: dict[str, Any] = json.loads((CAPTURES / truth).read_text())
    return answers, read_capture(*(Path(CAPTURES / name) for name in answers["files"]))


class Reading:
    """A capture read in batches: all ticks in order, and the book as it stood after any line."""

    def __init__(self, kind: str, truth: str, size: int, stops: Sequence[int] = ()) -> None:
        self.answers, captured = capture(truth)
        known = Instruments()
        decoder, books = Binance(instruments=known, kind=kind), Books(instruments=known, levels=5)
        self.events: list[Event] = []
        self.stops: dict[int, Any] = {}
        self.best: list[tuple[int, float, float, float, float]] = []
        parts: list[Ticks] = []
        # Batches end at the lines that are looked at, as what arrives together would not.
        ends = sorted({*range(size, len(captured), size), len(captured), *stops})
        start = 0
        self.rejects = 0
        for end in ends:
            some = captured[start:end]
            start = end
            received_at = np.array([ns // 1000 for ns, _ in some], np.int64)
            batch = decoder.decode([payload for _, payload in some], received_at)
            if batch.ticks is not None:
                parts.append(batch.ticks)
            self.rejects += len(batch.rejects)
            applied = books.apply(batch.book_updates)
            self.events += [*batch.events, *applied.events]
            if end in stops:
                self.stops[end] = (sum(map(len, parts)), books.last_id(0), books.full(0))
        self.symbols = known.names()
        self.final = books.full(0)
        self.column = {name: np.concatenate([part.column(name) for part in parts]) for name in FEED_FLOATS}
        self.timestamp = np.concatenate([part.timestamp for part in parts])
        self.received_at = np.concatenate([part.received_at for part in parts])
        self.traded = ~np.isnan(self.column["ltp"])

    def trades(self) -> list[tuple[Decimal, Decimal]]:
        pairs = zip(
            self.column["ltp"][self.traded].tolist(), self.column["ltq"][self.traded].tolist(), strict=True
        )
        return [(Decimal(str(price)), Decimal(str(qty))) for price, qty in pairs]


@cache
def reading(kind: str, truth: str, size: int) -> Reading:
    answers, _ = capture(truth)
    return Reading(kind, truth, size, tuple(int(line) for line in answers["checkpoints"]))


both = pytest.mark.parametrize(("kind", "truth"), [SPOT, USDM], ids=["spot", "usdm"])
sizes = pytest.mark.parametrize("size", [1, 7, 1000])


def same(text: str, number: Decimal) -> bool:
    return Decimal(text) == number


@needs_shared
@both
@sizes
def test_a_capture_gives_every_trade_and_quote_exactly(kind: str, truth: str, size: int) -> None:
    read = reading(kind, truth, size)
    wanted = read.answers["trade"]
    trades = read.trades()
    assert len(trades) == wanted["count"]
    assert same(wanted["last_price"], trades[-1][0])
    assert same(wanted["high"], max(price for price, _ in trades))
    assert same(wanted["low"], min(price for price, _ in trades))
    assert same(wanted["sum_qty"], sum((qty for _, qty in trades), Decimal(0)))
    assert same(wanted["sum_price_x_qty"], sum((price * qty for price, qty in trades), Decimal(0)))
    quotes = {name: read.column[name][~read.traded] for name in ("bid", "bid_qty", "ask", "ask_qty")}
    assert len(quotes["bid"]) == read.answers["quote"]["count"]
    last = [float(read.answers["quote"]["last"][key]) for key in ("b", "B", "a", "A")]
    assert [float(side[-1]) for side in quotes.values()] == last
    assert all(not np.isnan(side).any() for side in quotes.values())
    assert (read.rejects, read.events) == (0, [])
    assert read.symbols == ["BINANCE:BTCUSDT" if kind == "spot" else "BINANCE_USDM:BTCUSDT"]


@needs_shared
@both
@sizes
def test_a_capture_gives_the_book_of_every_checkpoint_exactly(kind: str, truth: str, size: int) -> None:
    read = reading(kind, truth, size)
    assert len(read.stops) == len(read.answers["checkpoints"])
    for line, point in read.answers["checkpoints"].items():
        rows, last_id, full = read.stops[int(line)]
        traded = read.traded[:rows]
        assert int(traded.sum()) == point["trades_so_far"], line
        if point["last_trade_price"] is not None:
            assert float(read.column["ltp"][:rows][traded][-1]) == float(point["last_trade_price"])
        if point["last_quote"] is not None:
            quote_now = [
                float(read.column[name][:rows][~traded][-1]) for name in ("bid", "bid_qty", "ask", "ask_qty")
            ]
            assert quote_now == [float(text) for text in point["last_quote"]]
        assert last_id == point["last_update_id"], line
        if "bids" not in point:
            assert full is None
            continue
        for side, name in zip(full, ("bids", "asks"), strict=True):
            assert side[:5] == floats(point[name]), line
            assert len(side) == point[f"{name[:-1]}_levels"], line
    assert read.final is not None
    assert [side[:5] for side in read.final] == [
        floats(read.answers["book"]["final"][side]) for side in ("bids", "asks")
    ]


@needs_shared
@both
def test_minute_bars_of_a_capture_equal_the_truth_by_either_clock(kind: str, truth: str) -> None:
    read = reading(kind, truth, 1000)
    trades = read.trades()
    for clock, times in (("exchange", read.timestamp), ("receive", read.received_at)):
        wanted = read.answers[f"bars_1m_by_{clock}_time"]
        minutes: dict[int, list[tuple[Decimal, Decimal]]] = {}
        for time, one in zip(times[read.traded].tolist(), trades, strict=True):
            minutes.setdefault(time // 60_000_000, []).append(one)
        found = [
            (
                minute * 60_000_000,
                some[0][0],
                max(price for price, _ in some),
                min(price for price, _ in some),
                some[-1][0],
                sum((qty for _, qty in some), Decimal(0)),
                len(some),
                sum((price * qty for price, qty in some), Decimal(0)),
            )
            for minute, some in sorted(minutes.items())
        ]
        start = wanted["columns"][0]
        micro = {"start_ms": lambda t: t * 1000, "start_ns": lambda t: t // 1000}[start]
        assert found == [
            (micro(first), *map(Decimal, prices), count, Decimal(traded))
            for first, *prices, count, traded in wanted["rows"]
        ], clock


@needs_shared
@both
def test_the_best_level_of_the_book_agrees_with_the_quote_stream_where_it_should(
    kind: str, truth: str
) -> None:
    answers, captured = capture(truth)
    known = Instruments()
    decoder, books = Binance(instruments=known, kind=kind), Books(instruments=known, levels=1)
    quotes: list[tuple[int, tuple[float, ...]]] = []
    tops: list[tuple[int, tuple[float, ...]]] = []
    for start in range(0, len(captured), 1000):
        some = captured[start : start + 1000]
        quotes += [
            (said["u"], tuple(float(said[key]) for key in ("b", "B", "a", "A")))
            for said in (
                json.loads(payload).get("data", {}) for _, payload in some if b"@bookTicker" in payload
            )
        ]
        updates = decoder.decode([payload for _, payload in some], NOW).book_updates
        for update in updates:  # one by one, to know the id of each row
            depth_now = books.apply([update]).depth
            if depth_now is not None and not update.snapshot:
                columns = (depth_now.bid_price, depth_now.bid_qty, depth_now.ask_price, depth_now.ask_qty)
                tops.append((update.last_id or 0, tuple(float(column[0]) for column in columns)))
    assert quotes == sorted(quotes)
    ids = np.array([u for u, _ in quotes])
    places = np.searchsorted(ids, [u for u, _ in tops], side="right") - 1
    compared = [(quotes[place][1], top) for place, (_, top) in zip(places, tops, strict=True) if place >= 0]
    check = answers["book"]["self_check_vs_quote_stream"]
    assert len(compared) == check["compared"]
    assert sum(said == top for said, top in compared) == check["price_and_qty_equal"]
    assert sum(said[::2] == top[::2] for said, top in compared) == check["price_equal"]
