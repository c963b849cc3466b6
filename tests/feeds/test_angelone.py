"""SmartStream: synthetic frames with known answers, and damage of every kind."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from ltpkit.batch import Batch
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Feed, make
from ltpkit.feeds.angelone import AngelOne, packets
from ltpkit.feeds.angelone.wire import DEPTH20, LTP, PACKETS, QUOTE, SEGMENTS, SNAP_QUOTE
from ltpkit.instrument import Instrument, Instruments
from tests.feeds.reading import Stars, one_damaged, pieces, rows, ticks

NOW = 1_766_302_999_123_456

#: The oracle's names for the fields that we call otherwise.
FIELD = {
    "subscription_mode": "mode",
    "exchange_type": "segment",
    "sequence_number": "sequence",
    "exchange_timestamp": "exchange_time",
    "packet_received_time": "received_time",
    "last_traded_price": "ltp",
    "last_traded_quantity": "ltq",
    "average_traded_price": "average_price",
    "volume_trade_for_the_day": "volume",
    "total_buy_quantity": "total_buy_qty",
    "total_sell_quantity": "total_sell_qty",
    "open_price_of_the_day": "open",
    "high_price_of_the_day": "high",
    "low_price_of_the_day": "low",
    "closed_price": "close",
    "last_traded_timestamp": "ltt",
    "open_interest": "oi",
    "upper_circuit_limit": "upper_circuit",
    "lower_circuit_limit": "lower_circuit",
    "52_week_high_price": "year_high",
    "52_week_low_price": "year_low",
}
LISTS = ("best_5_buy_data", "best_5_sell_data", "depth_20_buy_data", "depth_20_sell_data")
SOUND = (
    *("ltp_51", "ltp_51_index_no_sequence", "ltp_51_currency", "quote_123", "snapquote_379"),
    *("snapquote_379_sells_first", "depth20_443", "trailing_byte"),
)


@pytest.fixture
def fixtures(shared: Path) -> Path:
    return shared / "feeds" / "fixtures" / "angelone"


@pytest.fixture
def expected(fixtures: Path) -> dict[str, dict[str, Any]]:
    frames = json.loads((fixtures / "expected.json").read_text())["frames"]
    return {entry["file"].removesuffix(".bin"): entry["oracle_return"] for entry in frames}


def feed(*known: Instrument) -> AngelOne:
    return AngelOne(instruments=Instruments(known))


def share(symbol: str = "SBIN-EQ", token: str = "3045", segment: str = "nse_cm") -> Instrument:
    exchange = {"nse_cm": "NSE", "bse_cm": "BSE", "nse_fo": "NFO"}.get(segment, segment)
    return Instrument(exchange=exchange, symbol=symbol, segment=segment, broker_id=token)


def packed(layout: np.dtype[Any], **fields: Any) -> bytes:
    record = np.zeros((), layout)
    record["mode"] = next(mode for mode, one in PACKETS.items() if one is layout)
    record["segment"], record["token"] = 1, b"3045"
    if layout is SNAP_QUOTE:
        record["depth"]["buy"][:5] = 1
    for name, value in fields.items():
        record[name] = value
    return record.tobytes()


# --- layouts and rows against the oracle


def test_layouts_have_the_published_sizes() -> None:
    assert {mode: layout.itemsize for mode, layout in PACKETS.items()} == {1: 51, 2: 123, 3: 379, 4: 443}


@pytest.mark.parametrize("name", SOUND)
def test_every_fixture_equals_the_oracle_field_by_field(
    name: str, fixtures: Path, expected: dict[str, dict[str, Any]]
) -> None:
    frame, oracle = (fixtures / f"{name}.bin").read_bytes(), expected[name]
    [[record], rejects] = packets(frame)
    assert not rejects
    for key, value in oracle.items():
        if key in (*LISTS, "subscription_mode_val"):
            continue
        if key == "open_interest_change_percentage":  # a float64 that the oracle reads as int64
            assert record["oi_change_percent"].tobytes() == value.to_bytes(8, "little", signed=True)
        elif key == "token":
            assert record["token"].decode() == value
        elif name == "depth20_443" and key == "exchange_timestamp":
            assert int(record["received_time"]) == value  # the oracle's known slip
            assert int(record["exchange_time"]) == int.from_bytes(frame[27:35], "little")
        else:
            assert record[FIELD[key]].item() == value, key
    if "depth" in (record.dtype.names or ()):
        levels = record["depth"]
        if "buy" in (levels.dtype.names or ()):
            got = [levels[levels["buy"] == 1], levels[levels["buy"] == 0]]
            want = [oracle["best_5_buy_data"], oracle["best_5_sell_data"]]
        else:
            got = [levels[:20], levels[20:]]
            want = [oracle["depth_20_buy_data"], oracle["depth_20_sell_data"]]
        for found, told in zip(got, want, strict=True):
            keys = ("quantity", "price", "no of orders" if "no of orders" in told[0] else "num_of_orders")
            assert [(int(level["qty"]), int(level["price"]), int(level["orders"])) for level in found] == [
                tuple(level[key] for key in keys) for level in told
            ]


@pytest.mark.parametrize("name", SOUND)
def test_every_fixture_becomes_the_row_and_book_the_oracle_saw(
    name: str, fixtures: Path, expected: dict[str, dict[str, Any]]
) -> None:
    oracle, table = expected[name], Instruments()
    batch = AngelOne(instruments=table).decode([(fixtures / f"{name}.bin").read_bytes()], NOW)
    by = SEGMENTS[oracle["exchange_type"]][2]
    want = {
        column: oracle[key] / by
        for column, key in {
            "ltp": "last_traded_price",
            "open_price": "open_price_of_the_day",
            "high_price": "high_price_of_the_day",
            "low_price": "low_price_of_the_day",
            "close_price": "closed_price",
        }.items()
        if key in oracle
    }
    counts = {"ltq": "last_traded_quantity", "volume": "volume_trade_for_the_day", "oi": "open_interest"}
    want |= {column: oracle[key] for column, key in counts.items() if key in oracle}
    buys = oracle.get("best_5_buy_data") or oracle.get("depth_20_buy_data")
    sells = oracle.get("best_5_sell_data") or oracle.get("depth_20_sell_data")
    if buys and sells:
        want |= {"bid": buys[0]["price"] / by, "bid_qty": buys[0]["quantity"]}
        want |= {"ask": sells[0]["price"] / by, "ask_qty": sells[0]["quantity"]}
        depth = batch.depth
        assert depth is not None
        assert depth.bid_orders is not None
        assert depth.ask_orders is not None
        for levels, price, qty, orders, ends in (
            (buys, depth.bid_price, depth.bid_qty, depth.bid_orders, depth.bid_ends),
            (sells, depth.ask_price, depth.ask_qty, depth.ask_orders, depth.ask_ends),
        ):
            count = "no of orders" if "no of orders" in levels[0] else "num_of_orders"
            assert price.tolist() == [level["price"] / by for level in levels]
            assert qty.tolist() == [level["quantity"] for level in levels]
            assert orders.tolist() == [level[count] for level in levels]
            assert ends.tolist() == [len(levels)]
    else:
        assert batch.depth is None
    assert rows(batch.ticks) == [want]
    assert batch.ticks is not None
    assert table[0].name == f"{SEGMENTS[oracle['exchange_type']][1]}:{oracle['token']}"
    if name != "depth20_443":
        assert batch.ticks.timestamp.tolist() == [oracle["exchange_timestamp"] * 1000]


def test_the_time_of_twenty_levels_is_the_exchanges() -> None:
    frame = packed(DEPTH20, exchange_time=1_718_512_023_000, received_time=5)
    ticks = feed().decode([frame], NOW).ticks
    assert ticks is not None
    assert ticks.timestamp.tolist() == [1_718_512_023_000_000]


def test_fixtures_in_one_batch_give_the_rows_of_one_at_a_time(fixtures: Path) -> None:
    frames = [(fixtures / f"{name}.bin").read_bytes() for name in SOUND] * 2
    together, alone = feed().decode(frames, NOW), feed()
    singles = [alone.decode([frame], NOW) for frame in frames]
    assert rows(together.ticks) == [row for one in singles for row in rows(one.ticks)]
    for name in ("bid_price", "bid_qty", "bid_orders", "ask_price", "ask_qty", "ask_orders", "timestamp"):
        joined = np.concatenate([getattr(one.depth, name) for one in singles if one.depth is not None])
        assert getattr(together.depth, name).tolist() == joined.tolist()
    assert together.depth is not None
    assert together.depth.bid_ends.tolist() == [5, 10, 30, 35, 40, 60]


# --- what the rows say


@pytest.mark.parametrize("segment", SEGMENTS)
def test_prices_are_divided_by_what_the_segment_multiplies_with(segment: int) -> None:
    _, exchange, by = SEGMENTS[segment]
    table = Instruments()
    frame = packed(LTP, segment=segment, ltp=817_200_793)
    batch = AngelOne(instruments=table).decode([frame], NOW)
    assert rows(batch.ticks) == [{"ltp": 817_200_793 / by}]
    assert table[0].name == f"{exchange}:3045"


def test_times_that_are_none_give_way_to_the_receipt() -> None:
    times = [0, -1, 2**63 - 1, -(2**63), 7_258_118_400_001, 1]
    ticks = feed().decode([packed(LTP, exchange_time=time) for time in times], NOW).ticks
    assert ticks is not None
    assert ticks.timestamp.tolist() == [NOW] * 5 + [1000]


def test_zeros_are_missing_where_they_mean_none() -> None:
    index = Instrument(exchange="INDEX", symbol="NIFTY", segment="nse_cm", broker_id="99926000")
    frames = [
        packed(SNAP_QUOTE),
        packed(SNAP_QUOTE, segment=2),
        packed(SNAP_QUOTE, token=b"99926000"),
        packed(SNAP_QUOTE, segment=2, ltq=-1, volume=-1, oi=-1),
    ]
    found = rows(feed(index).decode(frames, NOW).ticks)
    assert found == [{"volume": 0.0}, {"volume": 0.0, "oi": 0.0}, {}, {}]


def test_levels_go_to_the_side_of_their_flag_wherever_they_stand() -> None:
    flags = [0, 1, 1, 0, 1, 1, 1, 1, 1, 0]
    levels = [(flag, 10 + i, 100 * (i + 1), 40_000 - 65_536 if i == 0 else i) for i, flag in enumerate(flags)]
    levels[1] = (1, 99, 0, 9)  # no price: no level
    frames = [packed(SNAP_QUOTE, depth=levels), packed(SNAP_QUOTE)]
    batch = feed().decode(frames, NOW)
    depth = batch.depth
    assert depth is not None
    assert depth.bid_price.tolist() == [3, 5, 6, 7, 8, 9]
    assert depth.bid_qty.tolist() == [12, 14, 15, 16, 17, 18]
    assert depth.ask_price.tolist() == [1, 4, 10]
    assert depth.ask_orders is not None
    assert depth.ask_orders.tolist() == [40_000, 3, 9]
    assert depth.bid_ends.tolist() == [6, 6]
    assert depth.ask_ends.tolist() == [3, 3]
    first, second = rows(batch.ticks)
    assert (first["bid"], first["bid_qty"], first["ask"], first["ask_qty"]) == (3, 12, 1, 10)
    assert {"bid", "bid_qty", "ask", "ask_qty"}.isdisjoint(second)


def test_rows_are_in_arrival_order_when_kinds_are_mixed() -> None:
    frames = [
        packed(LTP, ltp=100),
        b"pong",
        packed(SNAP_QUOTE, ltp=200),
        b"\x09",
        packed(QUOTE, ltp=300),
        packed(LTP, ltp=400) + b"more",
        packed(SNAP_QUOTE, ltp=500),
    ]
    batch = feed().decode(frames, np.arange(7) + NOW)
    assert [row["ltp"] for row in rows(batch.ticks)] == [1, 2, 3, 4, 5]
    assert batch.ticks is not None
    assert (batch.ticks.received_at - NOW).tolist() == [0, 2, 4, 5, 6]
    assert batch.depth is not None
    assert (batch.depth.received_at - NOW).tolist() == [2, 6]
    assert [reject.received_at - NOW for reject in batch.rejects] == [3]


def test_no_frames_and_pongs_are_an_empty_batch() -> None:
    assert feed().decode([], NOW) == Batch()
    assert feed().decode([b"pong"], NOW) == Batch()


# --- instruments


def test_packets_find_their_instrument_by_segment_and_token() -> None:
    table = Instruments([share("A", "1"), share("B", "2")])
    listed = [share("A", "1", "bse_cm"), Instrument(exchange="NSE", symbol="C", segment="NSE", broker_id="3")]
    decode = AngelOne(instruments=table, known=listed)
    frames = [
        packed(LTP, segment=segment, token=token)
        for segment, token in ((1, b"2"), (3, b"1"), (1, b"1"), (1, b"3"), (15, b"9"), (1, b"2"))
    ]
    ticks = decode.decode(frames, NOW).ticks
    assert ticks is not None
    names = [table[i].name for i in ticks.instrument]
    assert names == ["NSE:B", "BSE:A", "NSE:A", "NSE:C", "SEGMENT_15:9", "NSE:B"]


def test_instruments_met_before_are_found_again_by_short_and_long_tokens() -> None:
    decode = feed(share())
    tokens = [b"3045", b"1234567", b"12345678", b"3045\0x", b"1234567", b"3045"]
    tokens += [b"03045", b"0", b"A-B", b"123456789012345", b"1234567890123456", b"9" * 25]
    frames = [packed(LTP, ltp=1, token=token) for token in tokens]
    first = ticks(decode.decode(frames, NOW)).instrument.tolist()
    assert first[0] == first[3] == first[5]
    assert len({*first}) == 9
    for some in (range(12), (0, 1, 4, 5), (1, 2), (5, 3), (0,), (11, 6, 11), (9, 10)):
        again = ticks(decode.decode([frames[i] for i in some], NOW)).instrument.tolist()
        assert again == [first[i] for i in some]
    new = ticks(decode.decode([frames[0], packed(LTP, token=b"7")], NOW)).instrument.tolist()
    assert new == [first[0], 9]


def test_the_token_ends_at_its_first_nul() -> None:
    frame = bytearray(packed(LTP, token=b"3045"))
    frame[10:20] = b"left over!"
    table = Instruments([share()])
    decode = AngelOne(instruments=table)
    for _ in range(2):
        ticks = decode.decode([bytes(frame), packed(LTP)], NOW).ticks
        assert ticks is not None
        assert ticks.instrument.tolist() == [0, 0]
    assert len(table) == 1


def test_symbols_and_tokens_resolve() -> None:
    on_bse = share("SBIN-EQ", "500112", "bse_cm")
    decode = AngelOne(instruments=Instruments(), known=[on_bse, share()])
    assert decode.resolve("SBIN-EQ") == decode.resolve("nse:sbin-eq") == share()
    assert decode.resolve("BSE:SBIN-EQ") == on_bse
    assert decode.resolve("nse_cm:3045") == share()
    unlisted = decode.resolve("nse_fo:57920")
    assert (unlisted.name, unlisted.segment, unlisted.broker_id) == ("NFO:57920", "nse_fo", "57920")
    with pytest.raises(UnknownInstrument, match="NSE:SBIN-EQ"):
        decode.resolve("NSE:SBIN-EK")
    with pytest.raises(UnknownInstrument, match="such as nse_cm:3045"):
        feed().resolve("SBIN-EQ")


def test_twenty_levels_are_for_nse_cash_only() -> None:
    decode = AngelOne(instruments=Instruments(), mode="depth20")
    assert decode.limits.per_connection == 50
    assert decode.resolve("nse_cm:3045").broker_id == "3045"
    with pytest.raises(SettingError, match="NSE's cash segment only, not for NFO:57920"):
        decode.resolve("nse_fo:57920")


# --- text


def test_answers_to_requests_become_events(fixtures: Path) -> None:
    told = json.loads((fixtures / "text_expected.json").read_text())
    beat, error = told["heartbeat"], told["error"]
    frames = [beat["receive"].encode(), json.dumps(error).encode(), b'{"hello":1}', packed(LTP, ltp=100)]
    batch = feed().decode(frames, np.arange(4) + NOW)
    assert [(event.at - NOW, event.kind) for event in batch.events] == [(1, "broker_error"), (2, "feed")]
    assert batch.events[0].detail == error
    assert len(rows(batch.ticks)) == 1
    assert feed().keep_alive()[0] == beat["send"]


@pytest.mark.parametrize("text", [b"{", b"[1]", b"pongo", b"\xff\xfe", b"[" * 9000, b'"x"'])
def test_other_text_is_rejected(text: bytes) -> None:
    batch = feed().decode([text], NOW)
    assert [reject.frame for reject in batch.rejects] == [text]
    assert not batch.events


# --- requests, addresses, closes


@pytest.mark.parametrize(("mode", "number"), [("ltp", 1), ("quote", 2), ("snapquote", 3), ("depth20", 4)])
def test_requests_group_tokens_by_exchange(mode: Any, number: int) -> None:
    decode = AngelOne(instruments=Instruments(), mode=mode)
    listed = Instrument(exchange="BSE", symbol="X", segment="BSE", broker_id="500112")
    some = [share(), share("Y", "57920", "nse_fo"), share("Z", "10626"), listed]
    [on], [off] = decode.subscribe(some), decode.unsubscribe([share()])
    request = json.loads(on)
    assert request["action"] == 1
    assert request["params"] == {
        "mode": number,
        "tokenList": [
            {"exchangeType": 1, "tokens": ["3045", "10626"]},
            {"exchangeType": 2, "tokens": ["57920"]},
            {"exchangeType": 3, "tokens": ["500112"]},
        ],
    }
    assert len(request["correlationID"]) == 10
    assert json.loads(off)["action"] == 0
    assert list(decode.subscribe([])) == []


def test_the_headers_hold_the_credentials_and_nothing_else_does() -> None:
    decode = AngelOne(
        instruments=Instruments(), client_id="A1", token=Stars(), api_key="key", feed_token="feed"
    )
    assert decode.address() == "wss://smartapisocket.angelone.in/smart-stream"
    assert decode.headers() == {
        "Authorization": "s3cret&?",
        "x-api-key": "key",
        "x-client-code": "A1",
        "x-feed-token": "feed",
    }
    assert "s3cret" not in repr(decode)


def test_missing_credentials_modes_and_kinds_are_refused() -> None:
    with pytest.raises(SettingError, match="client_id=, token=, api_key= and feed_token="):
        AngelOne(instruments=Instruments(), client_id="A1", token="t").address()
    with pytest.raises(SettingError, match="no mode 'full'"):
        AngelOne(instruments=Instruments(), mode="full")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="no kind 'depth20'"):
        AngelOne(instruments=Instruments(), kind="depth20")
    local = AngelOne(instruments=Instruments(), url="ws://127.0.0.1:9/x")
    assert local.address() == "ws://127.0.0.1:9/x"
    assert local.headers() == {}


@pytest.mark.parametrize(
    ("code", "then"), [(401, "stop"), (403, "stop"), (429, "stop"), (500, "retry"), (1006, "retry")]
)
def test_closes_are_told_apart(code: int, then: str) -> None:
    assert feed().closed(code, "") == then


def test_the_name_makes_a_feed() -> None:
    made = make("angelone", Instruments())
    assert isinstance(made, Feed)
    assert made.name == "angelone"
    assert list(made.login()) == []
    assert made.snapshot_address(share()) is None
    with pytest.raises(ValueError, match="snapshot"):
        made.decode_snapshot(share(), b"", NOW)


# --- damage


def test_damaged_fixtures_are_rejected_whole(fixtures: Path) -> None:
    damaged = {path: path.read_bytes() for path in sorted(fixtures.glob("truncated_*.bin"))}
    assert len(damaged) == 5
    damaged[fixtures / "unknown_mode_9.bin"] = (fixtures / "unknown_mode_9.bin").read_bytes()
    for path, frame in damaged.items():
        batch = feed().decode([frame], NOW)
        assert batch.ticks is None, path.name
        assert [(reject.frame, reject.received_at) for reject in batch.rejects] == [(frame, NOW)]


def test_rejects_say_why() -> None:
    def reason(frame: bytes) -> str:
        [reject] = feed().decode([frame], NOW).rejects
        return reject.reason

    ladder = [(2 if i == 7 else 0, 0, 0, 0) for i in range(10)]
    assert reason(b"") == "empty message"
    assert reason(packed(LTP)[:-1]) == "cut short: 50 of the 51 bytes of mode 1"
    assert reason(packed(LTP, mode=9)) == "unknown mode 9"
    assert reason(packed(LTP, segment=16)) == "unknown exchange type 16"
    assert reason(packed(LTP, token=b"")) == reason(packed(LTP, token=b"a b")) == "a token that is no text"
    assert reason(packed(SNAP_QUOTE, depth=ladder)) == "a level that is neither buy nor sell"
    assert reason(packed(SNAP_QUOTE, depth=[(256, 0, 0, 0)] * 10)) == "a level that is neither buy nor sell"


def test_a_bad_message_does_not_touch_its_neighbours() -> None:
    good = packed(SNAP_QUOTE, ltp=1)
    frames = [good, good[:100], b"", good, packed(SNAP_QUOTE, token=b"\xff"), good]
    batch = feed().decode(frames, np.arange(6))
    assert batch.ticks is not None
    assert batch.ticks.received_at.tolist() == [0, 3, 5]
    assert [reject.received_at for reject in batch.rejects] == [1, 2, 4]


def some_packet() -> st.SearchStrategy[bytes]:
    def of(mode: int) -> st.SearchStrategy[bytes]:
        def built(segment: int, token: int, body: bytes) -> bytes:
            frame = bytearray(bytes([mode, segment]) + str(token).encode().ljust(25, b"\0") + body)
            if mode == 3:
                for at in range(147, 347, 20):
                    frame[at : at + 2] = bytes([frame[at] & 1, 0])
            return bytes(frame)

        size = PACKETS[mode].itemsize - 27
        segments, tokens = st.sampled_from([*SEGMENTS, 0, 15]), st.integers(0, 20)
        return st.builds(built, segments, tokens, st.binary(min_size=size, max_size=size))

    return st.sampled_from(sorted(PACKETS)).flatmap(of)


@given(st.lists(some_packet(), max_size=12))
def test_every_sound_packet_becomes_one_row(frames: list[bytes]) -> None:
    batch = feed(share(token="7")).decode(frames, NOW)
    assert not batch.rejects
    assert len(rows(batch.ticks)) == len(frames)
    books = [frame for frame in frames if frame[0] >= 3]
    assert (len(batch.depth) if batch.depth else 0) == len(books)
    if batch.ticks is not None:
        assert np.isfinite(batch.ticks.values[~np.isnan(batch.ticks.values)]).all()
        prices = [int.from_bytes(f[43:51], "little", signed=True) for f in frames]
        by = [SEGMENTS.get(f[1], ("", "", 100))[2] for f in frames]
        want = [
            None if f[0] == 4 or not price else float(price) / divisor
            for f, price, divisor in zip(frames, prices, by, strict=True)
        ]
        found = [None if math.isnan(price) else price for price in batch.ticks.column("ltp").tolist()]
        assert found == want
    if batch.depth is not None:
        assert batch.depth.bid_ends[-1] == len(batch.depth.bid_price)
        assert batch.depth.ask_ends[-1] == len(batch.depth.ask_price)


@given(st.lists(st.binary(max_size=450), max_size=8))
@example([b"", b"\x01"])
@example([b"\x04" + bytes(442)])
def test_any_bytes_become_rows_or_counted_rejects(frames: list[bytes]) -> None:
    batch = feed().decode(frames, NOW)
    assert pieces(batch) == len(frames) - frames.count(b"pong")


@given(some_packet(), st.lists(some_packet(), max_size=5), st.data())
def test_a_cut_or_flipped_packet_harms_no_other_message(
    victim: bytes, others: list[bytes], data: st.DataObject
) -> None:
    damaged = one_damaged(data, victim)
    at = data.draw(st.integers(0, len(others)))
    batch = feed().decode([*others[:at], damaged, *others[at:]], NOW)
    assert pieces(batch) == len(others) + 1
    if len(damaged) < len(victim):
        assert [reject.frame for reject in batch.rejects] == [damaged]


def test_decoding_leaves_the_given_times_alone() -> None:
    received = np.array([NOW, NOW + 1])
    feed().decode([packed(LTP, exchange_time=5)] * 2, received)
    feed().decode([packed(LTP, exchange_time=5), packed(QUOTE, exchange_time=5)], received)
    assert received.tolist() == [NOW, NOW + 1]
