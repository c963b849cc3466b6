"""Kite's ticker: recorded and synthetic frames with known answers, and damage of every kind."""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from ltpkit.batch import Batch
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Feed, make
from ltpkit.feeds.kite import Kite, packets
from ltpkit.feeds.kite.wire import FULL, INDEX_FULL, INDEX_QUOTE, LEVEL, LTP, PACKETS, QUOTE, SEGMENTS
from ltpkit.instrument import Instrument, Instruments
from tests.feeds.reading import Stars, one_damaged, rows

NOW = 1_766_302_999_123_456
INFY = 408065

#: The oracle's names for the fields that we call otherwise.
FIELD = {
    "instrument_token": "token",
    "last_price": "ltp",
    "last_traded_quantity": "ltq",
    "average_traded_price": "average_price",
    "volume_traded": "volume",
    "total_buy_quantity": "total_buy_qty",
    "total_sell_quantity": "total_sell_qty",
    "last_trade_time": "ltt",
    "exchange_timestamp": "exchange_time",
}
PRICES = {"ltp", "average_price", "open", "high", "low", "close"}
#: What the oracle adds: kinds, and a change that is not on the wire.
DERIVED = {"tradable", "mode", "change"}


@pytest.fixture
def fixtures(shared: Path) -> Path:
    return shared / "feeds" / "fixtures" / "kite"


@pytest.fixture
def expected(fixtures: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((fixtures / "expected.json").read_text())["frames"]
    return found


@pytest.fixture
def texts(fixtures: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((fixtures / "text_expected.json").read_text())
    return found


def feed(*known: Instrument) -> Kite:
    return Kite(instruments=Instruments(known))


def share(symbol: str = "INFY", token: int = INFY, exchange: str = "NSE") -> Instrument:
    return Instrument(exchange=exchange, symbol=symbol, segment=exchange, broker_id=str(token))


def packed(layout: np.dtype[Any], **fields: Any) -> bytes:
    record = np.zeros((), layout)
    record["token"] = INFY
    for name, value in fields.items():
        record[name] = value
    return record.tobytes()


def message(*some: bytes) -> bytes:
    return struct.pack(">H", len(some)) + b"".join(struct.pack(">H", len(one)) + one for one in some)


def bulk(fixtures: Path) -> Iterator[tuple[bytes, list[dict[str, Any]]]]:
    raw = (fixtures / "bulk.lenprefixed").read_bytes()
    at = 0
    for line in (fixtures / "bulk_expected.jsonl").read_text().splitlines():
        (size,) = struct.unpack_from("<I", raw, at)
        yield raw[at + 4 : at + 4 + size], json.loads(line)
        at += 4 + size
    assert at == len(raw)


def divisor(token: int) -> int:
    return SEGMENTS[token & 0xFF][1]


def assert_packet_equals(record: np.void, oracle: dict[str, Any]) -> None:
    by = divisor(oracle["instrument_token"])
    wire = {name: value for name, value in oracle.items() if name not in (*DERIVED, "ohlc", "depth")}
    wire |= oracle.get("ohlc", {})
    told = {FIELD.get(name, name): value for name, value in wire.items()}
    for name, value in told.items():
        found = int(record[name])
        assert (found / by if name in PRICES else found) == value, name
    assert {*told} | {"depth", "change"} >= {*(record.dtype.names or ())}
    sides = oracle.get("depth")
    if sides:
        for level, want in zip(record["depth"], [*sides["buy"], *sides["sell"]], strict=True):
            assert (level["qty"], level["orders"]) == (want["quantity"], want["orders"])
            assert int(level["price"]) / by == want["price"]


def row_of(oracle: dict[str, Any]) -> dict[str, float]:
    """Return the row that the oracle's tick should become."""
    ohlc = oracle.get("ohlc", {})
    row = {"ltp": oracle["last_price"], **{f"{name}_price": ohlc[name] for name in ohlc}}
    row = {name: value for name, value in row.items() if value}
    if "volume_traded" in oracle:
        row["volume"] = oracle["volume_traded"]
    if oracle.get("last_traded_quantity"):
        row["ltq"] = oracle["last_traded_quantity"]
    if "oi" in oracle and (oracle["oi"] or oracle["instrument_token"] & 0xFF not in (1, 4)):
        row["oi"] = oracle["oi"]
    for side, name in (("buy", "bid"), ("sell", "ask")):
        level = oracle.get("depth", {side: [None]})[side][0]
        if level and level["price"]:
            row[name], row[f"{name}_qty"] = level["price"], level["quantity"]
    return row


def time_of(oracle: dict[str, Any]) -> int:
    return int(oracle.get("exchange_timestamp") or oracle.get("last_trade_time") or 0) * 1_000_000 or NOW


def assert_rows_equal(batch: Batch, oracle: Sequence[dict[str, Any]]) -> None:
    assert rows(batch.ticks) == [row_of(one) for one in oracle]
    if batch.ticks is not None:
        assert batch.ticks.timestamp.tolist() == [time_of(one) for one in oracle]
    books = [one["depth"] for one in oracle if "depth" in one]
    if not books:
        assert batch.depth is None
        return
    depth = batch.depth
    assert depth is not None
    assert depth.bid_orders is not None
    assert depth.ask_orders is not None
    bids = [level for book in books for level in book["buy"] if level["price"]]
    asks = [level for book in books for level in book["sell"] if level["price"]]
    assert depth.bid_price.tolist() == [level["price"] for level in bids]
    assert depth.bid_qty.tolist() == [level["quantity"] for level in bids]
    assert depth.bid_orders.tolist() == [level["orders"] for level in bids]
    assert depth.ask_price.tolist() == [level["price"] for level in asks]
    assert depth.ask_qty.tolist() == [level["quantity"] for level in asks]
    assert depth.ask_orders.tolist() == [level["orders"] for level in asks]
    assert len(depth) == len(books)
    assert depth.bid_ends.tolist()[-1] == len(bids)
    assert depth.ask_ends.tolist()[-1] == len(asks)


# --- layouts and rows against the oracle


def test_layouts_have_the_published_sizes() -> None:
    assert sorted(PACKETS) == [8, 28, 32, 44, 184]
    assert LEVEL.itemsize == 12


def test_every_fixture_packet_equals_the_oracle_field_by_field(
    fixtures: Path, expected: list[dict[str, Any]]
) -> None:
    compared = 0
    for entry in expected:
        if entry["oracle_return"] and entry["file"] != "unknown_segment_index_sized.bin":
            found, _ = packets((fixtures / entry["file"]).read_bytes())
            for record, oracle in zip(found, entry["oracle_return"], strict=True):
                assert_packet_equals(record, oracle)
                compared += 1
    assert compared >= 75


def test_every_fixture_becomes_the_rows_the_oracle_saw(
    fixtures: Path, expected: list[dict[str, Any]]
) -> None:
    for entry in expected:
        if entry["oracle_return"] and entry["file"] != "unknown_segment_index_sized.bin":
            batch = feed().decode([(fixtures / entry["file"]).read_bytes()], NOW)
            assert_rows_equal(batch, entry["oracle_return"])


def test_every_bulk_message_equals_the_oracle_field_by_field(fixtures: Path) -> None:
    compared = 0
    for frame, oracle in bulk(fixtures):
        found, rejects = packets(frame)
        assert not rejects
        for record, one in zip(found, oracle, strict=True):
            assert_packet_equals(record, one)
        assert_rows_equal(feed().decode([frame], NOW), oracle)
        compared += len(found)
    assert compared > 250


def test_bulk_in_one_batch_gives_the_rows_of_one_at_a_time(fixtures: Path) -> None:
    frames = [frame for frame, _ in bulk(fixtures)]
    batch = feed().decode(frames, NOW)
    assert not batch.rejects
    assert_rows_equal(batch, [one for _, oracle in bulk(fixtures) for one in oracle])


def test_recorded_packets_read_as_their_publisher_says(shared: Path) -> None:
    folder = shared / "recordings" / "nse"
    truth = json.loads((folder / "kite-ticker.truth.json").read_text())
    decode = feed(share())
    for name in ("quote", "full"):
        raw = base64.b64decode((folder / f"kite-ticker-{name}.packet").read_text())
        want = truth[name]
        assert len(raw) == want["bytes"]
        batch = decode.decode([message(raw)], NOW)
        [row] = rows(batch.ticks)
        assert row["ltp"] == float(want["last_price"])
        assert row["ltq"] == want["last_quantity"]
        assert row["volume"] == want["volume"]
        for column in ("open", "high", "low", "close"):
            assert row[f"{column}_price"] == float(want[column])
        [[record], _] = packets(message(raw))
        assert int(record["average_price"]) / 100 == float(want["average_price"])
        assert int(record["total_buy_qty"]) == want["total_buy_quantity"]
        assert int(record["total_sell_qty"]) == want["total_sell_quantity"]
    assert batch.ticks is not None
    assert batch.ticks.timestamp.tolist() == [want["exchange_time_unix"] * 1_000_000]
    assert batch.ticks.instrument.tolist() == [0]
    depth = batch.depth
    assert depth is not None
    assert depth.bid_orders is not None
    assert depth.ask_orders is not None
    for side, price, qty, orders in (
        ("buy", depth.bid_price, depth.bid_qty, depth.bid_orders),
        ("sell", depth.ask_price, depth.ask_qty, depth.ask_orders),
    ):
        levels = want[f"depth_{side}_price_qty_orders"]
        assert [[float(p), q, o] for p, q, o in levels] == [
            list(level) for level in zip(price.tolist(), qty.tolist(), orders.tolist(), strict=True)
        ]


# --- what the rows say


@pytest.mark.parametrize("segment", SEGMENTS)
def test_prices_are_divided_by_what_the_segment_multiplies_with(segment: int) -> None:
    exchange, by = SEGMENTS[segment]
    table = Instruments()
    token = 77 << 8 | segment
    batch = Kite(instruments=table).decode([message(packed(LTP, token=token, ltp=12_345_679))], NOW)
    assert rows(batch.ticks) == [{"ltp": 12_345_679 / by}]
    assert table[0].name == f"{exchange}:{token}"


def test_prices_may_be_negative_and_quantities_are_unsigned() -> None:
    big = 2**32 - 1
    level = (big, -3763, 65_535, 7)
    token = 77 << 8 | 7
    frame = message(packed(FULL, token=token, ltp=-3763, ltq=big, volume=big, oi=big, depth=[level] * 10))
    batch = feed().decode([frame], NOW)
    assert rows(batch.ticks) == [
        {
            "ltp": -37.63,
            "ltq": big,
            "volume": big,
            "oi": big,
            "bid": -37.63,
            "bid_qty": big,
            "ask": -37.63,
            "ask_qty": big,
        }
    ]
    assert batch.depth is not None
    assert batch.depth.bid_orders is not None
    assert batch.depth.bid_orders.tolist() == [65_535] * 5


def test_an_index_has_its_own_order_of_the_day() -> None:
    token = 256_265
    fields = {"token": token, "ltp": 1, "high": 2, "low": 3, "open": 4, "close": 5, "change": -36}
    want = {"ltp": 0.01, "high_price": 0.02, "low_price": 0.03, "open_price": 0.04, "close_price": 0.05}
    frames = [
        message(packed(INDEX_QUOTE, **fields)),
        message(packed(INDEX_FULL, **fields, exchange_time=1_625_461_887)),
    ]
    batch = feed().decode(frames, NOW)
    assert rows(batch.ticks) == [want, want]
    assert batch.ticks is not None
    assert batch.ticks.timestamp.tolist() == [NOW, 1_625_461_887_000_000]


def test_the_exchanges_time_comes_before_the_last_trades() -> None:
    times = [(5, 7), (5, 0), (0, 7), (0, 0)]
    frames = [message(packed(FULL, ltt=ltt, exchange_time=exchange)) for ltt, exchange in times]
    ticks = feed().decode(frames, NOW).ticks
    assert ticks is not None
    assert ticks.timestamp.tolist() == [7_000_000, 5_000_000, 7_000_000, NOW]


def test_zeros_are_missing_where_they_mean_none() -> None:
    tokens = [1 << 8 | segment for segment in (1, 2, 4)]
    found = rows(feed().decode([message(*(packed(FULL, token=t) for t in tokens))], NOW).ticks)
    assert found == [{"volume": 0.0}, {"volume": 0.0, "oi": 0.0}, {"volume": 0.0}]


def test_thin_and_one_sided_books_keep_only_their_levels() -> None:
    bid, ask, none = (5, 100_00, 1, 0), (6, 101_00, 2, 0), (9, 0, 9, 9)
    frames = [
        message(packed(FULL, depth=[bid, bid, none, none, none, ask, none, none, none, none])),
        message(packed(FULL, depth=[none] * 10)),
        message(packed(FULL, depth=[none] * 5 + [ask] * 5)),
    ]
    batch = feed().decode(frames, NOW)
    depth = batch.depth
    assert depth is not None
    assert depth.bid_ends.tolist() == [2, 2, 2]
    assert depth.ask_ends.tolist() == [1, 1, 6]
    assert depth.bid_price.tolist() == [100.0] * 2
    assert [("bid" in row, "bid_qty" in row, "ask" in row) for row in rows(batch.ticks)] == [
        (True, True, True),
        (False, False, False),
        (False, False, True),
    ]


def test_rows_are_in_arrival_order_when_kinds_are_mixed() -> None:
    def one(layout: np.dtype[Any], price: int, **fields: Any) -> bytes:
        return packed(layout, ltp=price, **fields)

    frames = [
        message(one(LTP, 100), one(FULL, 200), one(LTP, 300)),
        b"\0",
        message(one(QUOTE, 400)),
        message(one(LTP, 500), one(INDEX_FULL, 600, token=9)),
        message(one(LTP, 700), one(LTP, 800)),
    ]
    batch = feed().decode(frames, np.arange(5) + NOW)
    assert [row["ltp"] for row in rows(batch.ticks)] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert batch.ticks is not None
    assert (batch.ticks.received_at - NOW).tolist() == [0, 0, 0, 2, 3, 3, 4, 4]
    assert batch.depth is not None
    assert batch.depth.received_at.tolist() == [NOW]


def test_no_frames_and_signs_of_life_are_an_empty_batch() -> None:
    assert feed().decode([], NOW) == Batch()
    assert feed().decode([b"\0", b"\x7b", b"\0\0"], NOW) == Batch()


@pytest.mark.parametrize("count", [1, 20, 400])  # lengths of one, two and four bytes
def test_a_message_may_hold_any_number_of_packets(count: int) -> None:
    frames = [message(*(packed(FULL, ltp=1 + i) for i in range(count)))] * 3
    ticks = feed().decode(frames, np.arange(3) + NOW).ticks
    assert ticks is not None
    assert ticks.column("ltp").tolist() == [(1 + i) / 100 for i in range(count)] * 3
    assert ticks.received_at.tolist() == [NOW + number for number in range(3) for _ in range(count)]


# --- instruments


def test_packets_find_their_instrument_by_token() -> None:
    table = Instruments([share("A", 257), share("B", 513)])
    listed = share("C", 769)
    decode = Kite(instruments=table, known=[listed])
    frame = message(*(packed(LTP, token=token, ltp=1) for token in (513, 257, 769, 1025, 513)))
    ticks = decode.decode([frame], NOW).ticks
    assert ticks is not None
    assert [table[i].name for i in ticks.instrument] == ["NSE:B", "NSE:A", "NSE:C", "NSE:1025", "NSE:B"]
    table.add(share("D", 1281))
    ticks = decode.decode([message(packed(LTP, token=1281, ltp=1))], NOW).ticks
    assert ticks is not None
    assert table[int(ticks.instrument[0])].name == "NSE:D"


def test_instruments_of_other_feeds_in_the_table_are_left_alone() -> None:
    table = Instruments(
        [Instrument(exchange="NSE", symbol="RELIANCE", segment="NSE_EQ", broker_id="2885"), share()]
    )
    ticks = Kite(instruments=table).decode([message(packed(LTP, ltp=1))], NOW).ticks
    assert ticks is not None
    assert ticks.instrument.tolist() == [1]


def test_symbols_and_tokens_resolve() -> None:
    on_bse = share("INFY", 128_053_508, "BSE")
    decode = Kite(instruments=Instruments(), known=[on_bse, share()])
    assert decode.resolve("INFY") == decode.resolve("nse:infy") == share()
    assert decode.resolve("BSE:INFY") == on_bse
    assert decode.resolve("408065") == decode.resolve("NSE:408065") == share()
    unlisted = decode.resolve("NSE:738561")
    assert (unlisted.name, unlisted.broker_id) == ("NSE:738561", "738561")
    for wrong in ("BSE:738561", "NSE:" + "9" * 5000, "NSE:INFYY"):
        with pytest.raises(UnknownInstrument):
            decode.resolve(wrong)
    with pytest.raises(UnknownInstrument, match="instrument token, such as NSE:738561"):
        feed().resolve("INFY")


# --- text


def test_text_messages_become_events(texts: dict[str, Any]) -> None:
    said = {one["name"]: one["text"].encode() for one in texts["text_messages"]}
    batch = feed().decode([*said.values(), message(packed(LTP, ltp=1))], np.arange(len(said) + 1))
    assert [(event.at, event.kind) for event in batch.events] == [
        (0, "order"),
        (1, "broker_error"),
        (2, "message"),
        (3, "feed"),
        (4, "feed"),
    ]
    order = batch.events[0].detail["data"]
    assert order == {"order_id": "271320031681895", "status": "COMPLETE"}
    assert batch.events[1].detail["data"] == "Token is invalid or has expired."
    assert batch.events[4].detail["timestamp"] == "2025-08-04T13:50:28+05:30"
    [reject] = batch.rejects
    assert (reject.received_at, reject.reason) == (5, "neither packets nor JSON")
    assert reject.frame == b"not json"
    assert len(rows(batch.ticks)) == 1


def test_an_ended_token_is_a_goodbye_in_kites_words_and_other_errors_are_not() -> None:
    def goodbye(words: str) -> Any:
        return feed().decode([json.dumps({"type": "error", "data": words}).encode()], NOW).goodbye

    ended = goodbye("Token is invalid or has expired.")
    assert (ended.code, ended.reason, ended.then) == (403, "Token is invalid or has expired.", "stop")
    assert goodbye("Invalid instrument token") is None
    assert goodbye("Too many requests") is None


@pytest.mark.parametrize(
    "text", [b"{}", b"[1]", b'{"type":1}', b'"type"', b"{" * 5000, b"\xff\xfe{", b"[" * 9]
)
def test_text_without_a_type_is_rejected(text: bytes) -> None:
    batch = feed().decode([text], NOW)
    assert [reject.frame for reject in batch.rejects] == [text]
    assert not batch.events


def test_text_and_signs_of_life_hold_no_packets() -> None:
    found, [reject] = packets(b'{"type":"order"}')
    assert (found, reject.reason, reject.frame) == ([], "text", b'{"type":"order"}')
    assert packets(b"\0") == ([], [])


# --- requests, addresses, closes


def test_requests_equal_those_of_the_official_client(texts: dict[str, Any]) -> None:
    def sent(mode: Any, *tokens: int) -> list[Any]:
        decode = Kite(instruments=Instruments(), mode=mode)
        return [json.loads(one) for one in decode.subscribe([share(str(t), t) for t in tokens])]

    subscribe, full, ltp, unsubscribe = texts["requests"]
    assert sent("full", 408_065, 884_737)[0] == subscribe
    assert sent("full", 408_065)[1] == full
    assert sent("ltp", 884_737)[1] == ltp
    assert [json.loads(one) for one in feed().unsubscribe([share("X", 884_737)])] == [unsubscribe]
    assert list(feed().subscribe([])) == list(feed().unsubscribe([])) == []


def test_the_address_holds_key_and_token_and_nothing_else_does() -> None:
    decode = Kite(instruments=Instruments(), api_key="k", token=Stars())
    assert decode.address() == "wss://ws.kite.trade/?api_key=k&access_token=s3cret%26%3F"
    assert decode.headers() == {"X-Kite-Version": "3"}
    assert "s3cret" not in repr(decode)
    other = Kite(instruments=Instruments(), url="ws://127.0.0.1:9?room=5", token="t")
    assert other.address() == "ws://127.0.0.1:9/?room=5&access_token=t"
    with pytest.raises(SettingError) as caught:
        Kite(instruments=Instruments(), url="http://host/?token=s3cret").address()
    assert "s3cret" not in str(caught.value)


def test_missing_credentials_modes_and_kinds_are_refused() -> None:
    with pytest.raises(SettingError, match="api_key= and token="):
        feed().address()
    with pytest.raises(SettingError, match="no mode 'depth'"):
        Kite(instruments=Instruments(), mode="depth")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="no kind 'depth20'"):
        Kite(instruments=Instruments(), kind="depth20")


@pytest.mark.parametrize(
    ("code", "then"),
    [
        (400, "stop"),
        (401, "stop"),
        (403, "stop"),
        (404, "stop"),
        (429, "retry"),
        (503, "retry"),
        (1006, "retry"),
    ],
)
def test_closes_are_told_apart(code: int, then: str) -> None:
    assert feed().closed(code, "") == then


def test_the_name_makes_a_feed() -> None:
    made = make("kite", Instruments())
    assert isinstance(made, Feed)
    assert made.name == "kite"
    assert list(made.login()) == []
    assert made.snapshot_address(share()) is None
    with pytest.raises(ValueError, match="snapshot"):
        made.decode_snapshot(share(), b"", NOW)


# --- damage


def test_damaged_fixtures_keep_what_is_whole_and_reject_the_rest(fixtures: Path) -> None:
    def told(name: str) -> tuple[int, list[str]]:
        batch = feed().decode([(fixtures / f"{name}.bin").read_bytes()], NOW)
        return len(rows(batch.ticks)), [reject.reason for reject in batch.rejects]

    assert told("truncated_first_packet") == (0, ["cut short: 16 of the 44 bytes of a packet"])
    assert told("truncated_second_packet") == (1, ["cut short: 37 of the 44 bytes of a packet"])
    assert told("truncated_length_word") == (0, ["cut short: 0 of 2 packets and 1 more byte"])
    assert told("count_larger_than_packets") == (1, ["cut short: 1 of 3 packets"])
    assert told("count_smaller_than_packets") == (1, ["46 bytes behind the last of 1 packets"])
    assert told("zero_length_packet") == (0, ["unknown packet length 0"])
    assert told("unknown_length_packet") == (2, ["unknown packet length 164"])
    assert told("recorded_legacy_full_164") == (0, ["unknown packet length 164"])
    assert told("unknown_segment_index_sized") == (0, ["unknown segment 200"])
    assert told("zero_packets") == told("heartbeat_1_byte") == (0, [])


def test_an_index_packet_of_another_segment_is_rejected() -> None:
    batch = feed().decode([message(packed(LTP, ltp=1), packed(INDEX_QUOTE, ltp=1))], NOW)
    assert len(rows(batch.ticks)) == 1
    assert [reject.reason for reject in batch.rejects] == ["an index packet for segment 1"]


def test_a_bad_message_does_not_touch_its_neighbours() -> None:
    good = message(packed(FULL, ltp=1), packed(FULL, ltp=2))
    lying = bytearray(good)
    lying[2 + 186 : 2 + 188] = b"\0\x2c"  # the second packet now says 44
    batch = feed().decode([good, good[:100], b"", good, bytes(lying), good], np.arange(6))
    assert batch.ticks is not None
    assert batch.ticks.received_at.tolist() == [0, 0, 3, 3, 4, 4, 5, 5]
    assert [reject.received_at for reject in batch.rejects] == [1, 2, 4]
    assert batch.depth is not None
    assert batch.depth.received_at.tolist() == [0, 0, 3, 3, 4, 5, 5]


def some_packet() -> st.SearchStrategy[bytes]:
    def of(size: int) -> st.SearchStrategy[bytes]:
        segments = [9] if size in (28, 32) else [*SEGMENTS, 0, 15]
        return st.builds(
            lambda number, segment, body: bytes([0, 0, number, segment]) + body,
            st.integers(0, 20),
            st.sampled_from(segments),
            st.binary(min_size=size - 4, max_size=size - 4),
        )

    return st.sampled_from(sorted(PACKETS)).flatmap(of)


@given(st.lists(st.lists(some_packet(), max_size=4), max_size=12))
def test_every_sound_packet_becomes_one_row(messages: list[list[bytes]]) -> None:
    batch = feed(share(token=0x701)).decode([message(*some) for some in messages], NOW)
    assert not batch.rejects
    tokens = [int.from_bytes(one[:4], "big") for some in messages for one in some]
    assert len(rows(batch.ticks)) == len(tokens)
    if batch.ticks is not None:
        prices = [int.from_bytes(one[4:8], "big", signed=True) for some in messages for one in some]
        by = [SEGMENTS.get(token & 0xFF, ("", 100))[1] for token in tokens]
        want = [price / divisor if price else None for price, divisor in zip(prices, by, strict=True)]
        assert [None if math.isnan(p) else p for p in batch.ticks.column("ltp").tolist()] == want
        assert np.isfinite(batch.ticks.values[~np.isnan(batch.ticks.values)]).all()
    if batch.depth is not None:
        assert batch.depth.bid_ends[-1] == len(batch.depth.bid_price)


@given(st.lists(st.binary(max_size=200), max_size=8))
@example([b"", b"\0\1\0\x08"])
@example([b"\0\0", b"\0\x08" + bytes(8)])
@example([b"\x1f\xff" + bytes(6)])
def test_any_bytes_become_rows_or_counted_rejects(frames: list[bytes]) -> None:
    batch = feed().decode(frames, NOW)
    silent = sum(len(frame) == 1 or frame == b"\0\0" for frame in frames)
    assert len(rows(batch.ticks)) + len(batch.events) + len(batch.rejects) >= len(frames) - silent
    assert sum(len(reject.frame) for reject in batch.rejects) <= sum(map(len, frames))


@given(st.lists(some_packet(), min_size=1, max_size=4), st.lists(some_packet(), max_size=4), st.data())
def test_a_cut_or_flipped_message_harms_no_other(
    victim: list[bytes], others: list[bytes], data: st.DataObject
) -> None:
    whole = message(*victim)
    damaged = one_damaged(data, whole, shortest=2)
    at = data.draw(st.integers(0, len(others)))
    frames = [message(one) for one in others]
    batch = feed().decode([*frames[:at], damaged, *frames[at:]], np.arange(len(frames) + 1))
    alone = feed().decode([damaged], at)
    assert len(rows(batch.ticks)) == len(others) + len(rows(alone.ticks))
    assert len(batch.rejects) == len(alone.rejects)
    if len(damaged) < len(whole):
        assert batch.rejects
    if batch.ticks is not None:
        assert (np.diff(batch.ticks.received_at) >= 0).all()


def test_decoding_leaves_the_given_times_alone() -> None:
    received = np.array([NOW, NOW + 1])
    feed().decode([message(packed(FULL, exchange_time=5))] * 2, received)
    feed().decode([message(packed(FULL, exchange_time=5)), message(packed(LTP))], received)
    assert received.tolist() == [NOW, NOW + 1]
