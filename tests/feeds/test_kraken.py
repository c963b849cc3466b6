"""Kraken's feed against fixtures with checksums, damaged frames, and a real capture of the older version."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from functools import cache
from typing import Any
from zlib import crc32

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.batch import Batch
from ltpkit.book import Books
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Feed, make
from ltpkit.feeds.kraken import Kraken
from ltpkit.instrument import Instruments
from tests.feeds.reading import assert_rows_or_rejects, duplicates, facts, mangled, row, ticks
from tests.paths import SHARED, needs_shared

FIXTURES = SHARED / "feeds" / "fixtures" / "kraken"
CAPTURES = SHARED / "recordings" / "crypto-ws"
NOW = 1_800_000_000_000_000
T = 1_735_689_600_000_000  # 2025-01-01 in UTC


def feed(**settings: Any) -> Kraken:
    return Kraken(instruments=Instruments(), **settings)


def at(second: int) -> str:
    return f"2025-01-01T00:00:{second:02}.000001Z"


def frame(**said: object) -> bytes:
    return json.dumps(said).encode()


def trade(number: int, **changed: object) -> dict[str, object]:
    said = {"symbol": "BTC/USD", "side": "buy", "price": 37702.2, "qty": 0.85, "ord_type": "limit"}
    return {**said, "trade_id": number, "timestamp": at(number), **changed}


def trades(*told: dict[str, object], type_: str = "update") -> bytes:
    return frame(channel="trade", type=type_, data=told)


def ticker(**changed: object) -> bytes:
    best = {"bid": 37702.2, "bid_qty": 0.16, "ask": 37702.3, "ask_qty": 0.30}
    day = {"last": 37702.25, "volume": 3355.0, "vwap": 37702.2, "low": 36802.2, "high": 38602.2}
    said = {"symbol": "BTC/USD", **best, **day, "change": -803.8, "change_pct": 0.15, **changed}
    return frame(channel="ticker", type="update", data=[said])


Side = list[tuple[str, str]]


def digits(side: Side) -> str:
    """The rule as published: without the point and leading zeros."""
    return "".join(number.replace(".", "").lstrip("0") for level in side for number in level)


def book(
    bids: Side,
    asks: Side,
    *,
    then: tuple[Side, Side] | None = None,
    type_: str = "update",
    symbol: str = "BTC/USD",
    wrong: int = 0,
) -> bytes:
    """A message of the book with its numbers as given, and the checksum of the book `then`."""
    after = then if then is not None else (bids, asks)
    checksum = crc32((digits(after[1][:10]) + digits(after[0][:10])).encode()) ^ wrong

    def text(side: Side) -> str:
        return ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in side)

    return (
        f'{{"channel":"book","type":"{type_}","data":[{{"symbol":"{symbol}","bids":[{text(bids)}],'
        f'"asks":[{text(asks)}],"checksum":{checksum},"timestamp":"{at(9)}"}}]}}'
    ).encode()


def whys(batch: Batch, known: Instruments) -> list[object]:
    """Why the books of a batch are not to be trusted."""
    return [event.detail["why"] for event in Books(instruments=known).apply(batch.book_updates).events]


# What can be asked for ------------------------------------------------------------------------


def test_the_registry_makes_one_and_it_is_a_feed() -> None:
    made = make("kraken", Instruments())
    assert isinstance(made, Feed)
    assert (made.name, made.kind) == ("kraken", "spot")
    assert repr(made) == "<Kraken spot: 0 pairs>"


@pytest.mark.parametrize("text", ["BTC/USD", "btc/usd", "KRAKEN:BTC/USD", "XBT/USD", "kraken:xbt/usd"])
def test_a_pair_may_be_written_in_any_case_and_with_krakens_older_names(text: str) -> None:
    found = feed().resolve(text)
    assert (found.name, found.segment, found.broker_id) == ("KRAKEN:BTC/USD", "spot", "BTC/USD")


def test_mixed_letters_are_kept_and_the_old_name_of_dogecoin_is_known() -> None:
    assert feed().resolve("AAPLx/USD").symbol == "AAPLx/USD"
    assert feed().resolve("XDG/XBT").symbol == "DOGE/BTC"


@pytest.mark.parametrize("text", ["BTC-USD", "btc usd", "BINANCE:BTC/USD", "BTC_USD"])
def test_another_spelling_is_refused_and_the_likely_pair_named(text: str) -> None:
    with pytest.raises(UnknownInstrument, match="KRAKEN:BTC/USD"):
        feed().resolve(text)


@pytest.mark.parametrize("text", ["", "BTC", "/", "BTC/", "X" * 20 + "/" + "Y" * 20])
def test_what_cannot_be_a_pair_is_refused(text: str) -> None:
    with pytest.raises(UnknownInstrument, match="with a slash"):
        feed().resolve(text)


def test_unknown_kinds_depths_and_addresses_are_refused() -> None:
    with pytest.raises(SettingError, match="'futures'"):
        feed(kind="futures")
    with pytest.raises(SettingError, match="10, 25, 100, 500, 1000"):
        feed(levels=20)
    with pytest.raises(SettingError, match="wss://host"):
        feed(url="https://host")


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9", "ws://127.0.0.1:9/", "ws://127.0.0.1:9/v2"])
def test_the_path_is_appended_to_the_base_address_once(url: str) -> None:
    assert feed(url=url).address() == "ws://127.0.0.1:9/v2"
    assert feed().address() == "wss://ws.kraken.com/v2"


def test_trades_ticker_and_book_are_asked_for_and_ended() -> None:
    one = feed(levels=100)
    assert one.login() == []
    pair = [one.resolve("BTC/USD")]
    asked = [json.loads(message) for message in one.subscribe(pair)]
    assert asked == [
        {
            "method": "subscribe",
            "params": {"channel": "trade", "snapshot": False, "symbol": ["BTC/USD"]},
            "req_id": 1,
        },
        {
            "method": "subscribe",
            "params": {"channel": "ticker", "event_trigger": "trades", "symbol": ["BTC/USD"]},
            "req_id": 2,
        },
        {
            "method": "subscribe",
            "params": {"channel": "book", "depth": 100, "symbol": ["BTC/USD"]},
            "req_id": 3,
        },
    ]
    again = [json.loads(message) for message in one.resubscribe_books(pair)]
    assert [(one["method"], one["params"]) for one in again] == [
        ("unsubscribe", asked[2]["params"]),
        ("subscribe", asked[2]["params"]),
    ]
    ended = [json.loads(message) for message in one.unsubscribe(pair)]
    assert [(one["method"], one["params"]["channel"]) for one in ended] == [
        ("unsubscribe", "trade"),
        ("unsubscribe", "ticker"),
        ("unsubscribe", "book"),
    ]
    plain = [json.loads(message)["params"]["channel"] for message in feed(depth=False).subscribe(pair)]
    assert plain == ["trade", "ticker"]


def test_long_requests_are_split() -> None:
    one = feed(depth=False)
    messages = [json.loads(text) for text in one.subscribe([one.resolve(f"C{n}/USD") for n in range(130)])]
    assert [len(message["params"]["symbol"]) for message in messages] == [100, 30, 100, 30]


@pytest.mark.parametrize(
    ("code", "then"), [*((n, "retry") for n in (1000, 1006, 1011, 429, 503)), (400, "stop"), (403, "stop")]
)
def test_refusals_that_will_be_repeated_are_final_and_others_are_not(code: int, then: str) -> None:
    assert feed().closed(code, "") == then


def test_books_come_with_the_stream_and_not_over_http() -> None:
    one = feed()
    assert one.snapshot_address(one.resolve("BTC/USD")) is None
    with pytest.raises(ValueError, match="KRAKEN:BTC/USD comes with the stream"):
        one.decode_snapshot(one.resolve("BTC/USD"), b"{}", NOW)


# Trades and tickers ---------------------------------------------------------------------------


def test_each_trade_of_a_message_is_a_tick() -> None:
    found = ticks(feed().decode([trades(trade(1), trade(2, price=37703, qty=1e-08))], NOW))
    assert [row(found, i) for i in range(2)] == [{"ltp": 37702.2, "ltq": 0.85}, {"ltp": 37703.0, "ltq": 1e-8}]
    assert found.timestamp.tolist() == [T + 1_000_001, T + 2_000_001]


def test_a_ticker_is_a_tick_without_quantity_or_running_total() -> None:
    found = ticks(feed().decode([ticker(), ticker(timestamp=at(3), bid=0, bid_qty=0)], NOW))
    best = {"bid": 37702.2, "bid_qty": 0.16, "ask": 37702.3, "ask_qty": 0.30}
    day = {"ltp": 37702.25, "high_price": 38602.2, "low_price": 36802.2}
    assert row(found) == {**day, **best}
    assert set(row(found, 1)) == {*day, "ask", "ask_qty"}, "a price of 0 is none"
    assert found.timestamp.tolist() == [NOW, T + 3_000_001]


def test_trades_that_a_reconnect_brings_again_are_marked_and_those_missed_are_not() -> None:
    one = feed()
    pairs = [one.resolve("BTC/USD"), one.resolve("ETH/USD")]
    one.decode([trades(trade(1), trade(2))], NOW)
    asked = [json.loads(message)["params"] for message in one.subscribe(pairs)]
    assert [(said["symbol"], said["snapshot"]) for said in asked[:2]] == [
        (["ETH/USD"], False),
        (["BTC/USD"], True),
    ]
    newest_first = [trade(n) for n in (4, 3, 2, 1)]
    batch = one.decode([trades(*newest_first, type_="snapshot")], NOW)
    assert ticks(batch).timestamp.tolist() == [T + n * 1_000_000 + 1 for n in (1, 2, 3, 4)]
    assert duplicates(batch) == [True, True, False, False]
    assert facts(batch.events) == [
        ("duplicate", "KRAKEN:BTC/USD", {"count": 2, "from_id": 1, "to_id": 2, "why": "trade ids"})
    ]
    gap = one.decode([trades(trade(8))], NOW).events
    missing = {"start": T + 4_000_001, "end": T + 8_000_001, "from_id": 5, "to_id": 7, "missing": 3}
    assert facts(gap) == [("gap", "KRAKEN:BTC/USD", {"why": "trade ids", **missing})]


def test_trades_while_unsubscribed_are_no_gap() -> None:
    one = feed()
    one.decode([trades(trade(1))], NOW)
    one.unsubscribe([one.resolve("BTC/USD")])
    assert one.decode([trades(trade(9))], NOW).events == []


# Books ----------------------------------------------------------------------------------------


def test_the_checksum_is_of_the_digits_as_sent() -> None:
    known = Instruments()
    one = Kraken(instruments=known, levels=10)
    first = [("0.500", "0.10000000"), ("0.499", "1.00000000")], [("0.501", "0.00000010")]
    after = [first[0][0]], [("0.501", "0.00000010"), ("0.600", "20.00000000")]
    frames = [
        book(*first, type_="snapshot"),
        book([("0.499", "0.00000000")], [("0.600", "20.00000000")], then=after),
    ]
    batch = one.decode(frames, NOW)
    whole, change = batch.book_updates
    assert (whole.snapshot, whole.bids, whole.asks) == (True, [(0.5, 0.1), (0.499, 1.0)], [(0.501, 1e-7)])
    assert (change.snapshot, change.bids, change.asks) == (False, [(0.499, 0.0)], [(0.6, 20.0)])
    assert whole.check is not None
    assert (whole.check.bid_marks, whole.check.levels) == ([b"50010000000", b"499100000000"], 10)
    assert (change.timestamp, change.received_at) == (T + 9_000_001, NOW)
    assert whys(batch, known) == []


def test_a_recorder_that_wrote_the_numbers_anew_does_not_break_the_checksum() -> None:
    known = Instruments()
    one = Kraken(instruments=known)
    sent = [("0.50", "0.00000100"), ("0.49", "20.00000000")], [("1.00", "0.12345678")]
    again = json.dumps(json.loads(book(*sent, type_="snapshot"))).encode()
    assert b"1e-06" in again
    assert b"20.0}" in again
    batch = one.decode([again], NOW)
    assert batch.rejects == []
    assert batch.book_updates[0].bids == [(0.5, 1e-6), (0.49, 20.0)]
    assert whys(batch, known) == []


def test_one_side_without_zeros_is_filled_up_by_the_decimals_of_the_other() -> None:
    known = Instruments()
    sent = [("5.00", "1.00000000")], [("6.01", "0.12345678")]
    again = book(*sent, type_="snapshot").replace(b"5.00", b"5.0").replace(b"1.00000000", b"1.0")
    assert whys(Kraken(instruments=known).decode([again], NOW), known) == []


def test_decimals_are_learnt_anew_with_each_whole_book() -> None:
    known = Instruments()
    one, books = Kraken(instruments=known), Books(instruments=known)
    good = [("5.0", "1.0")], [("6.0", "2.0")]
    odd = book([("4.001", "1.0")], [], then=([*good[0], ("4.001", "1.0")], good[1]))
    frames = [book(*good, type_="snapshot"), odd, book([], [("6.0", "3.0")])]
    applied = books.apply(one.decode(frames, NOW).book_updates)
    assert [event.kind for event in applied.events] == ["gap"]
    frames = [
        book(*good, type_="snapshot"),
        book([("4.0", "1.0")], [], then=([*good[0], ("4.0", "1.0")], good[1])),
    ]
    applied = books.apply(one.decode(frames, NOW).book_updates)
    assert [event.kind for event in applied.events] == ["resync"]


def test_prices_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltpkit.feeds.kraken.digits._KEPT", 10)
    known = Instruments()
    one = Kraken(instruments=known)
    side = [(f"{n}.0", "1.0") for n in range(25, 0, -1)]
    assert whys(one.decode([book(side, [], type_="snapshot")], NOW), known) == []
    assert len(one._decoder._digits["BTC/USD"]._prices) <= 10


def test_numbers_without_a_point_are_read() -> None:
    known = Instruments()
    batch = Kraken(instruments=known).decode([book([("5", "1")], [("6", "2")], type_="snapshot")], NOW)
    assert batch.book_updates[0].bids == [(5.0, 1.0)]
    assert whys(batch, known) == []


def test_a_wrong_checksum_is_a_gap_and_the_next_whole_book_mends_it() -> None:
    known = Instruments()
    one, books = Kraken(instruments=known), Books(instruments=known)
    good = [("5.0", "1.0")], [("6.0", "2.0")]
    frames = [book(*good, type_="snapshot"), book([], [("6.0", "3.0")], wrong=1), book([("4.0", "1.0")], [])]
    applied = books.apply(one.decode(frames, NOW).book_updates)
    assert [(event.kind, event.detail["why"]) for event in applied.events] == [("gap", "checksum")]
    assert (applied.wanted, books.full(0)) == ({0}, None)
    mended = books.apply(one.decode([book(*good, type_="snapshot")], NOW).book_updates)
    assert [event.kind for event in mended.events] == ["resync"]


@pytest.mark.parametrize(("held", "cut_to"), [(3, 10), (10, 10), (11, 25), (1000, 1000), (1001, 1001)])
def test_a_stream_that_began_before_we_looked_tells_its_depth_by_its_whole_book(
    held: int, cut_to: int
) -> None:
    side = [(f"{n}.0", "1.0") for n in range(1, held + 1)]
    one = feed()
    (before,) = one.decode([book(side[:1], [])], NOW).book_updates
    whole, change = one.decode([book([], side, type_="snapshot"), book([], side[:1])], NOW).book_updates
    checks = [update.check for update in (before, whole, change)]
    assert [check.levels for check in checks if check is not None] == [10, cut_to, cut_to]


def test_the_depth_that_was_asked_for_or_granted_counts_where_it_is_known() -> None:
    asked, granted = feed(levels=500), feed()
    asked.subscribe([asked.resolve("BTC/USD")])
    result = {"channel": "book", "depth": 100, "snapshot": True, "symbol": "BTC/USD"}
    batch = granted.decode([frame(method="subscribe", result=result, success=True)], NOW)
    assert batch == Batch()
    for one, levels in ((asked, 500), (granted, 100)):
        (update,) = one.decode([book([("1.0", "1.0")], [], type_="snapshot")], NOW).book_updates
        assert update.check is not None
        assert update.check.levels == levels


# Everything else ------------------------------------------------------------------------------


def test_the_exchanges_state_and_refusals_are_told_and_the_rest_is_quiet() -> None:
    frames = [
        frame(channel="status", type="update", data=[{"system": "online", "version": "2.0.10"}]),
        frame(channel="status", data=[{"system": "maintenance", "connection_id": 2**64 + 1}]),
        frame(channel="heartbeat"),
        frame(method="pong", req_id=1),
        frame(method="subscribe", success=True, result={"channel": "trade", "symbol": "BTC/USD"}),
        frame(method="subscribe", success=False, error="Currency pair not supported X/Y", symbol="X/Y"),
        frame(error="Exceeded msg rate"),
    ]
    batch = feed().decode(frames, NOW)
    assert (batch.ticks, batch.book_updates, batch.rejects) == (None, [], [])
    assert facts(batch.events) == [
        ("feed", None, {"system": "online", "version": "2.0.10"}),
        ("feed", None, {"system": "maintenance", "version": ""}),
        ("feed_error", "KRAKEN:X/Y", {"msg": "Currency pair not supported X/Y", "method": "subscribe"}),
        ("feed_error", None, {"msg": "Exceeded msg rate", "method": ""}),
    ]


def level(price: str, qty: str) -> bytes:
    return book([(price, qty)], [])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "truncated"),
        (b"[]", "object"),
        (b"{}", "channel"),
        (b'{"req_id":1}', "channel"),
        (b'{"method":7}', "channel"),
        (frame(channel="brand_new", type="update", data=[]), "brand_new"),
        (trades(trade(1))[:-9], "truncated"),
        (trades(trade(1), trade(2, symbol="?")), "cannot be a pair"),
        (trades(trade(1, price=0)), "float"),
        (trades(trade(1, price="1")), "float"),
        (trades(trade(1, qty=-1)), "float"),
        (trades(trade(1, trade_id=1.5)), "int"),
        (trades(trade(1, timestamp="noon")), "RFC3339"),
        (trades({"symbol": "BTC/USD"}), "missing required field"),
        (ticker(last=None), "float"),
        (ticker(symbol="?"), "cannot be a pair"),
        (ticker(timestamp="2025-01-01"), "RFC3339"),
        (book([], [], symbol="BTC USD"), "cannot be a pair"),
        (book([], []).replace(b'"checksum":0', b'"checksum":-1'), "int"),
        (book([], []).replace(b'"checksum":0,', b""), "checksum"),
        (book([], []).replace(at(9).encode(), b"noon"), "RFC3339"),
        (level("-1.0", "1.0"), "no price or quantity"),
        (level("1.0", '"1.0"'), "no price or quantity"),
        (level("true", "1.0"), "no price or quantity"),
        (level("null", "[]"), "no price or quantity"),
        (level('"nan"', "1.0"), "no price or quantity"),
        (level('"\u0661"', "1.0"), "no price or quantity"),
        (level("1e999999", "1.0"), "no price or quantity"),
        (level("0e-999999", "1.0"), "no price or quantity"),
        (level("1." + "0" * 21, "1.0"), "more than 20 decimals"),
        (level("1" * 400, "1.0"), "beyond any number"),
        (b"[" * 100_000, "array"),
        (b'{"channel":"heartbeat","x":' + b"[" * 100_000, "recursion"),
    ],
)
def test_a_frame_that_cannot_be_read_costs_only_itself(bad: bytes, reason: str) -> None:
    one = feed()
    good = book([("1.0", "1.0")], [])
    batch = one.decode([trades(trade(10)), bad, ticker(), good], NOW + np.arange(4))
    (reject,) = batch.rejects
    assert (reject.frame, reject.received_at) == (bad, NOW + 1)
    assert reason in reject.reason
    assert ticks(batch).received_at.tolist() == [NOW, NOW + 2]
    assert len(batch.book_updates) == 1


def test_no_frames_are_an_empty_batch() -> None:
    assert feed().decode([], NOW) == Batch()


# Any bytes ------------------------------------------------------------------------------------

GOOD = [
    trades(trade(1), trade(2)),
    ticker(),
    book([("5.0", "1.0")], [("6.0", "2.0")], type_="snapshot"),
    book([("5.0", "0.0")], [("6.5", "2.0")]),
    frame(channel="status", data=[{"system": "online"}]),
    frame(channel="heartbeat"),
    frame(method="subscribe", success=True, result={"channel": "book", "depth": 10, "symbol": "BTC/USD"}),
]


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_damaged_frames_give_whole_rows_or_rejects_and_nothing_else(data: st.DataObject) -> None:
    frames = list(mangled(data, GOOD))
    known = Instruments()
    batch = Kraken(instruments=known).decode(frames, NOW + np.arange(len(frames)))
    assert_rows_or_rejects(batch, frames, NOW)
    for update in batch.book_updates:
        assert update.check is not None
        marks = [*update.check.bid_marks, *update.check.ask_marks]
        assert all(mark.isdigit() or not mark for mark in marks)
    Books(instruments=known).apply(batch.book_updates)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_bytes_are_rejects(frames: list[bytes]) -> None:
    assert [reject.frame for reject in feed().decode(frames, NOW).rejects] == frames


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**9).map(lambda n: f"{Decimal(n).scaleb(-4):f}"),
            st.integers(0, 10**12).map(lambda n: f"{Decimal(n).scaleb(-8):f}"),
        ),
        min_size=1,
        max_size=10,
        unique_by=lambda level: level[0],
    )
)
def test_every_level_is_the_float_nearest_to_its_text_and_marked_with_its_digits(side: Side) -> None:
    (update,) = feed().decode([book(side, [])], NOW).book_updates
    assert update.bids == [(float(price), float(qty)) for price, qty in side]
    assert update.check is not None
    assert b"".join(update.check.bid_marks).decode() == digits(side)


# Fixtures -------------------------------------------------------------------------------------


def lines(name: str) -> list[bytes]:
    return (FIXTURES / name).read_bytes().splitlines()


@cache
def expected() -> dict[str, dict[str, Any]]:
    return {one["file"]: one for one in json.loads((FIXTURES / "expected.json").read_text())["frames"]}


def floats(told: list[list[Any]]) -> list[tuple[float, float]]:
    return [(float(str(price)), float(str(qty))) for price, qty in told]


@needs_shared
@pytest.mark.parametrize(
    "name",
    [
        "book_run_btcusd_10.jsonl",
        "book_run_small_price_25.jsonl",
        "book_run_thin_10.jsonl",
        "book_run_insert_and_delete_in_one_message.jsonl",
        "recorded_btcusd_book.jsonl",
    ],
)
@pytest.mark.parametrize("asked", [True, False], ids=["depth known", "depth told by the whole book"])
def test_every_checksum_of_the_fixture_books_fits_and_they_end_as_known(name: str, *, asked: bool) -> None:
    wanted = expected()[name]
    known = Instruments()
    one, books = Kraken(instruments=known, levels=wanted["depth"]), Books(instruments=known)
    if asked:
        one.subscribe([one.resolve(wanted["symbol"])])
    shown = 0
    for line in lines(name):
        batch = one.decode([line], NOW)
        assert (batch.rejects, batch.events) == ([], [])
        applied = books.apply(batch.book_updates)
        assert applied.events == []
        shown += 0 if applied.depth is None else len(applied.depth)
    assert shown == wanted["messages"]
    full = books.full(0)
    assert full == (floats(wanted["final_book"]["bids"]), floats(wanted["final_book"]["asks"]))


@needs_shared
def test_the_published_example_has_the_published_checksum() -> None:
    name = "book_published_checksum_example.json"
    known = Instruments()
    batch = Kraken(instruments=known).decode(lines(name), NOW)
    (update,) = batch.book_updates
    assert update.check is not None
    assert update.check.checksum == expected()[name]["checksum"] == 3310070434
    text = b"".join([*update.check.ask_marks, *update.check.bid_marks])
    assert crc32(text) == 3310070434
    assert update.timestamp == NOW, "it has none of its own"
    assert whys(batch, known) == []


@needs_shared
def test_the_fixture_with_a_wrong_checksum_throws_the_book_away() -> None:
    name = "book_run_bad_checksum.jsonl"
    known = Instruments()
    books = Books(instruments=known)
    applied = books.apply(Kraken(instruments=known).decode(lines(name), NOW).book_updates)
    assert [(event.kind, event.detail["why"]) for event in applied.events] == [("gap", "checksum")]
    assert applied.depth is not None
    assert len(applied.depth) == expected()[name]["first_bad_index"]
    assert (applied.wanted, books.full(0)) == ({0}, None)


@needs_shared
def test_the_fixture_ticker_and_trades_equal_their_text_and_what_another_library_reads() -> None:
    (sent,) = lines("ticker_update.json")
    said = json.loads(sent, parse_float=Decimal)["data"][0]
    found = row(ticks(feed().decode([sent], NOW)))
    names = {"ltp": "last", "high_price": "high", "low_price": "low"}
    keys = {**names, **{name: name for name in ("bid", "bid_qty", "ask", "ask_qty")}}
    assert {name: Decimal(str(number)) for name, number in found.items()} == {
        name: said[key] for name, key in keys.items()
    }
    other = expected()["ticker_update.json"]["ccxt"]
    assert [
        found[name] for name in ("ltp", "high_price", "low_price", "bid", "bid_qty", "ask", "ask_qty")
    ] == [other[name] for name in ("last", "high", "low", "bid", "bidVolume", "ask", "askVolume")]
    traded = ticks(feed().decode(lines("trade_update.json"), NOW))
    others = expected()["trade_update.json"]["ccxt_trades"]
    assert [row(traded, i) for i in range(len(traded))] == [
        {"ltp": one["price"], "ltq": one["amount"]} for one in others
    ]
    assert [time // 1000 for time in traded.timestamp.tolist()] == [one["timestamp"] for one in others]


@needs_shared
def test_the_control_fixtures_are_no_market_data() -> None:
    found = {path.stem: feed().decode([path.read_bytes()], NOW) for path in FIXTURES.glob("control_*.json")}
    assert len(found) == 6
    assert all(batch.ticks is None and not batch.book_updates for batch in found.values())
    assert [name for name, batch in found.items() if batch.rejects] == ["control_unknown_channel"]
    kinds = {name: [event.kind for event in batch.events] for name, batch in found.items() if batch.events}
    assert kinds == {"control_status": ["feed"], "control_subscribe_error": ["feed_error"]}


# The capture ----------------------------------------------------------------------------------


def as_version_2(payload: str) -> bytes | None:
    """Return a message of version 1 in the words of version 2, its numbers as they were sent."""
    said = json.loads(payload)
    if not isinstance(said, list):
        return None  # an event: heartbeat, status, the answer to a subscription
    *parts, channel, pair = said[1:]
    if channel == "ticker":
        (one,) = parts
        text = (
            f'"bid":{one["b"][0]},"bid_qty":{one["b"][2]},"ask":{one["a"][0]},"ask_qty":{one["a"][2]},'
            f'"last":{one["c"][0]},"high":{one["h"][1]},"low":{one["l"][1]}'
        )
        return f'{{"channel":"ticker","type":"update","data":[{{"symbol":"{pair}",{text}}}]}}'.encode()
    if not channel.startswith("book"):
        return None  # trades had no ids
    told: dict[str, Any] = {}
    for part in parts:
        told.update(part)
    whole = "as" in told

    def text_of(side: list[list[str]]) -> str:
        return ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty, *_ in side)

    bids, asks = (text_of(told.get(f"{side}s", told.get(side, []))) for side in "ba")
    checksum = int(told["c"]) if "c" in told else first_checksum(told)
    return (
        f'{{"channel":"book","type":"{"snapshot" if whole else "update"}","data":[{{"symbol":"{pair}",'
        f'"bids":[{bids}],"asks":[{asks}],"checksum":{checksum}}}]}}'
    ).encode()


def first_checksum(told: dict[str, list[list[str]]]) -> int:
    """Whole books of version 1 came without."""
    sides = [[(price, qty) for price, qty, *_ in told[name][:10]] for name in ("as", "bs")]
    return crc32((digits(sides[0]) + digits(sides[1])).encode())


@needs_shared
@pytest.mark.parametrize("size", [1, 500])
def test_every_checksum_of_the_capture_fits_and_every_book_ends_as_known(size: int) -> None:
    answers: dict[str, Any] = json.loads((CAPTURES / "kraken-20210417.truth.json").read_text())
    stops = {int(line): wanted for line, wanted in answers["books_at_line"].items()}
    known = Instruments()
    one, books = Kraken(instruments=known, levels=1000), Books(instruments=known, levels=10)
    checked, looked_at = 0, 0
    gathered: list[bytes] = []
    tickers: dict[str, dict[str, float]] = {}
    with (CAPTURES / answers["file"]).open("rb") as raw:
        text = io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(raw))
        for number, line in enumerate([*text, ""], 1):
            envelope = json.loads(line) if line else {"kind": "end"}
            if envelope["kind"] == "recv":
                said = as_version_2(envelope["data"])
                if said is not None:
                    gathered.append(said)
                    checked += b'"type":"update"' in said and b'"book"' in said
            if len(gathered) >= size or number in stops or not line:
                batch = one.decode(gathered, NOW)
                gathered.clear()
                assert batch.rejects == []
                assert books.apply(batch.book_updates).events == []
                for i in range(0 if batch.ticks is None else len(batch.ticks)):
                    symbol = known[int(ticks(batch).instrument[i])].symbol
                    tickers[symbol] = row(ticks(batch), i)
            if number in stops:
                check_books(books, known, stops[number])
                looked_at += 1
    assert looked_at == len(stops)
    assert checked == answers["book_checksums_equal"]
    check_books(books, known, answers["books_final"])
    assert {
        symbol: {"bid": said["bid"], "ask": said["ask"], "last": said["ltp"]}
        for symbol, said in tickers.items()
    } == {
        symbol: {name: float(text) for name, text in said.items()}
        for symbol, said in answers["last_ticker"].items()
    }


def check_books(books: Books, known: Instruments, wanted: dict[str, Any]) -> None:
    for pair, told in wanted.items():
        number = known.number(f"KRAKEN:{pair}")
        assert number is not None
        full = books.full(number)
        assert full is not None
        for side, name in zip(full, ("bids", "asks"), strict=True):
            assert side[:5] == floats(told[name])
            assert len(side) == told[f"{name[:-1]}_levels"]
