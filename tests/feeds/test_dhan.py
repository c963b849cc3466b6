"""Dhan's live feed: recorded frames with known answers, and damage of every kind."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, example, given

from ltpkit import nifty
from ltpkit.batch import Batch
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Feed, make
from ltpkit.feeds.dhan import Dhan, Simulated, packets
from ltpkit.feeds.dhan.wire import (
    DEPTH5,
    DISCONNECT,
    FULL,
    HEADER,
    LEVEL,
    OI,
    PACKETS,
    PREV_CLOSE,
    QUOTE,
    SEGMENTS,
    STATUS,
    TICKER,
)
from ltpkit.instrument import Instrument, Instruments
from tests.feeds.reading import Stars, one_damaged, pieces, rows

NOW = 1_766_302_999_123_456
RELIANCE = 2885

#: The oracle's names for the fields that we call otherwise.
FIELD = {
    "response_code": "code",
    "message_length": "length",
    "exchange_segment": "segment",
    "ltt_raw": "ltt",
    "atp": "average_price",
    "day_open": "open",
    "day_close": "close",
    "day_high": "high",
    "day_low": "low",
    "reason_code": "reason",
}
DERIVED = {"ltt_epoch_utc", "ltt_ist", "kind"}
ROWS_ARE_MADE_OF = {TICKER, DEPTH5, QUOTE, OI, PREV_CLOSE, FULL}


@pytest.fixture
def fixtures(shared: Path) -> Path:
    return shared / "feeds" / "fixtures" / "dhan_live"


@pytest.fixture
def expected(fixtures: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((fixtures / "expected.json").read_text())
    return found


def feed(*known: Instrument) -> Dhan:
    return Dhan(instruments=Instruments(known))


def share(symbol: str = "RELIANCE", *, tick: float = 0.05, broker_id: int = RELIANCE) -> Instrument:
    return Instrument(
        exchange="NSE", symbol=symbol, segment="NSE_EQ", broker_id=str(broker_id), tick_size=tick
    )


def packed(layout: np.dtype[Any], **fields: Any) -> bytes:
    code = next(code for code, one in PACKETS.items() if one is layout)
    record = np.zeros((), layout)
    record["code"], record["length"] = code, layout.itemsize
    record["segment"], record["security_id"] = 1, RELIANCE
    for name, value in fields.items():
        record[name] = value
    return record.tobytes()


def assert_fields_equal(record: np.void, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        if name in DERIVED:
            continue
        if name == "depth":
            levels = [{key: level[key].item() for key in LEVEL.names or ()} for level in record["depth"]]
            assert levels == value
            continue
        found = record[FIELD.get(name, name)].item()
        assert found == value or (value == "NaN" and math.isnan(found)), name


def bulk(fixtures: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    raw = (fixtures / "bulk.lenprefixed").read_bytes()
    at = 0
    for line in (fixtures / "bulk_expected.jsonl").read_text().splitlines():
        (size,) = struct.unpack_from("<I", raw, at)
        yield raw[at + 4 : at + 4 + size], json.loads(line)
        at += 4 + size
    assert at == len(raw)


# --- layouts against the oracle


def test_layouts_have_the_published_sizes() -> None:
    sizes = {code: layout.itemsize for code, layout in PACKETS.items()}
    assert sizes == {2: 16, 3: 112, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10}
    assert HEADER.itemsize == 8
    assert LEVEL.itemsize == 20


def test_every_fixture_packet_equals_the_oracle_field_by_field(
    fixtures: Path, expected: dict[str, Any]
) -> None:
    compared = 0
    for entry in expected["frames"]:
        if "fields" not in entry or "length_field" in entry["file"]:
            continue
        found, _ = packets((fixtures / entry["file"]).read_bytes())
        for record, fields in zip(
            found, entry.get("split_by_message_length", [entry["fields"]]), strict=True
        ):
            assert_fields_equal(record, fields)
            compared += 1
    assert compared >= 39


def test_every_bulk_packet_equals_the_oracle_field_by_field(fixtures: Path) -> None:
    compared = 0
    for frame, fields in bulk(fixtures):
        [record], rejects = packets(frame)
        assert_fields_equal(record, fields)
        assert not rejects
        compared += 1
    assert compared == 400


def test_the_recorded_bytes_read_as_their_client_saw_them(fixtures: Path) -> None:
    recorded = json.loads((fixtures / "recorded_partial_full_a.json").read_text())
    first = bytes.fromhex(recorded["first_16_bytes_hex"])
    last = bytes.fromhex(recorded["last_8_bytes_hex"])
    [record], _ = packets(first + bytes(162 - 24) + last)
    want = recorded["decoded"]
    assert record["security_id"] == want["security_id"]
    assert float(record["ltp"]) == want["ltp"]
    assert record["ltq"] == want["ltq"]
    assert float(record["depth"][4]["bid_price"]) == want["level5_bid_price"]
    assert float(record["depth"][4]["ask_price"]) == want["level5_ask_price"]


# --- what the rows say


def test_bulk_in_one_batch_gives_the_rows_of_one_at_a_time(fixtures: Path) -> None:
    frames = [frame for frame, _ in bulk(fixtures)]
    together, alone = feed().decode(frames, NOW), feed()
    singles = [alone.decode([frame], NOW) for frame in frames]
    assert rows(together.ticks) == [row for one in singles for row in rows(one.ticks)]
    assert together.events == [event for one in singles for event in one.events]
    assert not together.rejects
    assert together.ticks is not None
    assert together.ticks.timestamp.tolist() == [
        when for one in singles if one.ticks for when in one.ticks.timestamp.tolist()
    ]
    assert together.depth is not None
    for name in ("bid_price", "bid_qty", "bid_orders", "ask_price", "ask_qty", "ask_orders"):
        joined = np.concatenate([getattr(one.depth, name) for one in singles if one.depth is not None])
        assert getattr(together.depth, name).tolist() == joined.tolist()


def test_bulk_rows_hold_the_oracles_numbers(fixtures: Path) -> None:
    """The first half has believable values: prices come back as the decimals they were packed from."""
    checked = 0
    for frame, fields in [*bulk(fixtures)][:200]:
        batch = feed().decode([frame], NOW)
        [row] = rows(batch.ticks) or [None]
        if row is None:
            continue
        for ours, theirs in {
            "ltp": "ltp",
            "open_price": "day_open",
            "high_price": "day_high",
            "low_price": "day_low",
            "close_price": "day_close",
        }.items():
            if fields.get(theirs):
                assert row[ours] == pytest.approx(fields[theirs], rel=1e-7)
                assert np.float32(row[ours]) == np.float32(fields[theirs])
                assert len(repr(row[ours]).partition(".")[2]) <= 4
        if fields.get("ltt_raw"):
            assert batch.ticks is not None
            assert batch.ticks.timestamp[0] == fields["ltt_epoch_utc"] * 1_000_000
        if "volume" in fields and fields["exchange_segment"] != 0:
            assert row["volume"] == fields["volume"]
        checked += 1
    assert checked > 150


def test_full_packet_becomes_a_tick_and_a_book() -> None:
    frame = packed(
        FULL,
        ltp=1411.65,
        ltq=25,
        ltt=1_766_322_315,
        average_price=1410.0,
        volume=8_234_843,
        total_sell_qty=7,
        total_buy_qty=8,
        open=1400.0,
        close=1399.95,
        high=1420.5,
        low=1398.05,
        depth=[(10 + i, 20 + i, 1 + i, 2 + i, 1411.6 - i * 0.05, 1411.65 + i * 0.05) for i in range(5)],
    )
    batch = feed(share()).decode([frame], NOW)
    assert rows(batch.ticks) == [
        {
            "ltp": 1411.65,
            "ltq": 25.0,
            "open_price": 1400.0,
            "high_price": 1420.5,
            "low_price": 1398.05,
            "close_price": 1399.95,
            "volume": 8_234_843.0,
            "bid": 1411.6,
            "bid_qty": 10.0,
            "ask": 1411.65,
            "ask_qty": 20.0,
        }
    ]
    assert batch.ticks is not None
    assert batch.ticks.timestamp.tolist() == [1_766_302_515_000_000]
    assert batch.ticks.received_at.tolist() == [NOW]
    depth = batch.depth
    assert depth is not None
    assert depth.bid_price.tolist() == [1411.6, 1411.55, 1411.5, 1411.45, 1411.4]
    assert depth.ask_price.tolist() == [1411.65, 1411.7, 1411.75, 1411.8, 1411.85]
    assert depth.bid_qty.tolist() == [10, 11, 12, 13, 14]
    assert depth.ask_qty.tolist() == [20, 21, 22, 23, 24]
    assert depth.bid_orders is not None
    assert depth.ask_orders is not None
    assert depth.bid_orders.tolist() == [1, 2, 3, 4, 5]
    assert depth.ask_orders.tolist() == [2, 3, 4, 5, 6]
    assert depth.bid_ends.tolist() == depth.ask_ends.tolist() == [5]


def test_the_price_of_a_tick_size_comes_back_exactly() -> None:
    for tick, decimals in ((0.01, 2), (0.05, 2), (0.1, 1), (0.0025, 4), (0.5, 1), (1.0, 0), (5.0, 0)):
        decode = feed(share(tick=tick))
        most = min(60_000 / tick, 2**23)  # float32 tells no more steps apart
        ticks_up = np.unique(np.geomspace(1, most, 500).round())
        frames = [packed(TICKER, ltp=k * tick) for k in ticks_up]
        batch = decode.decode(frames, NOW)
        assert batch.ticks is not None
        assert batch.ticks.column("ltp").tolist() == [round(k * tick, decimals) for k in ticks_up.tolist()]


def test_a_tick_size_that_does_not_explain_the_price_is_not_believed() -> None:
    batch = feed(share(tick=0.05)).decode([packed(TICKER, ltp=240.01)], NOW)
    assert rows(batch.ticks) == [{"ltp": 240.01}]


@pytest.mark.parametrize("price", [22479.65, 84.8275, 0.0025, 999.9999, 2293.15, 16000.025, 85123.45, -49.85])
def test_an_unknown_tick_size_leaves_the_decimals_that_float32_can_hold(price: float) -> None:
    batch = feed().decode([packed(TICKER, ltp=price)], NOW)
    want = round(price, 4 if abs(price) < 1024 else 3 if abs(price) < 16_384 else 2)
    assert rows(batch.ticks) == [{"ltp": want}]


def as_float32(number: float) -> float:
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def meant(sent: float, tick: Fraction) -> float | None:
    """The price by the rule that the package's page states, calculated without rounding on the way."""
    if not math.isfinite(sent):
        return None
    price = float(round(Fraction(sent) / tick) * tick) if tick else math.nan
    if as_float32(price) != sent:
        places = 4 if abs(sent) < 1024 else 3 if abs(sent) < 16_384 else 2
        price = float(round(Fraction(sent) * 10**places) / Fraction(10**places))
    return price or None


@given(
    st.lists(
        st.floats(width=32)
        | st.integers(1, 10**8).map(lambda ticks: as_float32(ticks * 0.0025))
        | st.integers(1, 10**7).map(lambda ticks: as_float32(ticks * 0.05)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["0", "0.0025", "0.01", "0.05", "0.1", "0.15", "1", "3"]),
)
def test_any_price_is_the_multiple_of_the_tick_size_or_the_shortest(sent: list[float], tick: str) -> None:
    assume(all(abs(price) < 2**30 or not math.isfinite(price) for price in sent))
    batch = feed(share(tick=float(tick))).decode([packed(TICKER, ltp=price) for price in sent], NOW)
    assert [row.get("ltp") for row in rows(batch.ticks)] == [meant(price, Fraction(tick)) for price in sent]


def test_zero_and_nonsense_are_missing_rather_than_numbers() -> None:
    frames = [packed(TICKER, ltp=price) for price in (0.0, math.nan, math.inf, -math.inf, 1e-30)]
    batch = feed(share()).decode(frames, NOW)
    assert rows(batch.ticks) == [{}] * 5
    assert batch.ticks is not None
    assert batch.ticks.timestamp.tolist() == [NOW] * 5  # time 0 is no time, not 1969


def test_zero_counts_mean_nothing_only_where_there_can_be_none() -> None:
    quotes = [packed(QUOTE, ltp=10.0, segment=segment) for segment in (0, 1, 2)]
    fulls = [packed(FULL, ltp=10.0, segment=segment) for segment in (0, 1, 2)]
    found = rows(feed().decode([*quotes, *fulls, packed(OI, oi=0)], NOW).ticks)
    assert [sorted(row) for row in found] == [
        ["ltp"],
        ["ltp", "volume"],
        ["ltp", "volume"],
        ["ltp"],
        ["ltp", "volume"],
        ["ltp", "oi", "volume"],
        ["oi"],
    ]


def test_unsigned_fields_do_not_turn_negative() -> None:
    big = 2**32 - 1
    batch = feed().decode([packed(FULL, ltp=1.0, ltq=65_535, volume=big, oi=big, segment=2)], NOW)
    [row] = rows(batch.ticks)
    assert (row["ltq"], row["volume"], row["oi"]) == (65_535, big, big)


def test_thin_and_one_sided_books_keep_only_their_levels() -> None:
    level = (5, 6, 1, 2, 99.95, 100.0)
    bid_only = (5, 0, 1, 0, 99.9, 0.0)
    frames = [
        packed(FULL, ltp=100.0, depth=[level, bid_only] + [(0,) * 6] * 3),
        packed(FULL, ltp=100.0, depth=[level] * 5),
        packed(FULL, ltp=100.0),
    ]
    batch = feed(share()).decode(frames, NOW)
    depth = batch.depth
    assert depth is not None
    assert depth.bid_ends.tolist() == [2, 7, 7]
    assert depth.ask_ends.tolist() == [1, 6, 6]
    assert depth.bid_price.tolist()[:2] == [99.95, 99.9]
    assert depth.ask_price.tolist()[:1] == [100.0]
    assert "bid" not in rows(batch.ticks)[2]
    assert "bid_qty" not in rows(batch.ticks)[2]


def test_a_level_without_a_price_has_no_quantity_either() -> None:
    frame = packed(FULL, ltp=100.0, depth=[(7, 6, 1, 2, 0.0, 100.0)] + [(0,) * 6] * 4)
    [row] = rows(feed(share()).decode([frame], NOW).ticks)
    assert {"bid", "bid_qty"}.isdisjoint(row)
    assert (row["ask"], row["ask_qty"]) == (100.0, 6.0)


def test_an_index_has_no_book() -> None:
    index = packed(FULL, ltp=24_850.05, segment=0, security_id=13)
    batch = feed(share()).decode([index, packed(FULL, ltp=1.0)], NOW)
    assert batch.depth is not None
    assert len(batch.depth) == 1
    assert feed().decode([index], NOW).depth is None


def test_partial_packets_say_only_their_own_columns() -> None:
    frames = [packed(PREV_CLOSE, prev_close=1399.95, prev_oi=77), packed(OI, oi=123)]
    batch = feed(share()).decode(frames, NOW)
    assert rows(batch.ticks) == [{"close_price": 1399.95}, {"oi": 123.0}]
    assert batch.ticks is not None
    assert batch.ticks.timestamp.tolist() == [NOW, NOW]


def test_version_1_depth_has_price_and_book() -> None:
    frame = packed(DEPTH5, ltp=282.1, depth=[(1, 2, 3, 4, 282.05, 282.15)] * 5)
    batch = feed(share()).decode([frame, packed(FULL, ltp=1.0), frame], NOW)
    assert rows(batch.ticks)[0] == {"ltp": 282.1, "bid": 282.05, "bid_qty": 1, "ask": 282.15, "ask_qty": 2}
    assert batch.depth is not None
    assert batch.depth.bid_ends.tolist() == [5, 5, 10]


def test_rows_are_in_arrival_order_when_kinds_are_mixed() -> None:
    frames = [
        packed(TICKER, ltp=1.0),
        packed(QUOTE, ltp=2.0),
        packed(STATUS),
        packed(FULL, ltp=3.0) + packed(TICKER, ltp=4.0),
        packed(OI, oi=5),
        packed(QUOTE, ltp=6.0),
    ]
    received = np.arange(6) + NOW
    batch = feed().decode(frames, received)
    assert [row.get("ltp", row.get("oi")) for row in rows(batch.ticks)] == [1, 2, 3, 4, 5, 6]
    assert batch.ticks is not None
    assert batch.ticks.received_at.tolist() == [NOW, NOW + 1, NOW + 3, NOW + 3, NOW + 4, NOW + 5]
    assert batch.events[0].at == NOW + 2


def test_each_message_keeps_its_own_receive_time_when_all_are_alike() -> None:
    received = np.array([NOW, NOW + 7])
    batch = feed().decode([packed(TICKER, ltp=1.0), packed(TICKER, ltp=2.0)], received)
    assert batch.ticks is not None
    assert batch.ticks.received_at.tolist() == received.tolist()


def test_no_frames_are_an_empty_batch() -> None:
    assert feed().decode([], NOW) == Batch()


# --- instruments


def test_packets_find_their_instrument_by_segment_and_id() -> None:
    table = Instruments([share("A", broker_id=1), share("B", broker_id=2)])
    other = Instrument(exchange="BSE", symbol="A", segment="BSE_EQ", broker_id="1")
    listed = share("C", broker_id=3)
    decode = Dhan(instruments=table, known=[other, listed])
    frames = [
        packed(TICKER, ltp=1.0, segment=segment, security_id=number)
        for segment, number in [(1, 2), (4, 1), (1, 1), (1, 3)]
    ]
    batch = decode.decode(frames, NOW)
    assert batch.ticks is not None
    assert [table[i].name for i in batch.ticks.instrument] == ["NSE:B", "BSE:A", "NSE:A", "NSE:C"]
    table.add(share("D", broker_id=4))
    batch = decode.decode([packed(TICKER, ltp=1.0, security_id=4)], NOW)
    assert batch.ticks is not None
    assert table[int(batch.ticks.instrument[0])].name == "NSE:D"


def test_unknown_instruments_keep_their_id_as_symbol() -> None:
    table = Instruments()
    frames = [packed(TICKER, ltp=1.0, segment=s, security_id=2**32 - 1) for s in (*SEGMENTS, 6, 15)]
    batch = Dhan(instruments=table).decode(frames * 2, NOW)
    assert batch.ticks is not None
    names = [table[i].name for i in batch.ticks.instrument]
    assert names[:10] == names[10:]
    assert names[:10] == [
        f"{exchange}:4294967295"
        for exchange in (
            *("INDEX", "NSE", "NFO", "CDS", "BSE", "MCX", "BCD", "BFO"),
            *("SEGMENT_6", "SEGMENT_15"),
        )
    ]
    assert len(table) == 10


def test_instruments_of_other_feeds_in_the_table_are_left_alone() -> None:
    table = Instruments([Instrument(exchange="BINANCE", symbol="BTCUSDT", broker_id="2885"), share()])
    batch = Dhan(instruments=table).decode([packed(TICKER, ltp=1.0)], NOW)
    assert batch.ticks is not None
    assert batch.ticks.instrument.tolist() == [1]


def test_symbols_resolve_with_and_without_exchange() -> None:
    on_bse = Instrument(exchange="BSE", symbol="RELIANCE", segment="BSE_EQ", broker_id="500325")
    only_bse = Instrument(exchange="BSE", symbol="Mixed", segment="BSE_EQ", broker_id="1")
    decode = Dhan(instruments=Instruments(), known=[on_bse, only_bse, share()])
    assert decode.resolve("RELIANCE") == decode.resolve("nse:reliance") == share()
    assert decode.resolve("BSE:RELIANCE") == on_bse
    assert decode.resolve("Mixed") == only_bse
    assert decode.resolve("NSE_EQ:2885") == share()
    unlisted = decode.resolve("NSE_FNO:55796")
    assert (unlisted.name, unlisted.segment, unlisted.broker_id) == ("NFO:55796", "NSE_FNO", "55796")


def test_an_instrument_already_in_the_table_resolves() -> None:
    assert feed(share()).resolve("RELIANCE") == share()


def test_unknown_symbol_names_the_near_misses() -> None:
    with pytest.raises(UnknownInstrument, match=r"RELIANC is not known to the simulated feed.*NSE:RELIANCE"):
        Simulated(instruments=Instruments()).resolve("RELIANC")
    with pytest.raises(UnknownInstrument, match="NSE_EQ:2885"):
        feed().resolve("RELIANCE")


# --- connection events


def test_disconnects_say_goodbye_with_the_published_words(fixtures: Path) -> None:
    then = {}
    for path in sorted(fixtures.glob("disconnect_*.bin")):
        batch = feed().decode([path.read_bytes()], NOW)
        assert batch.goodbye is not None
        assert batch.events[0].kind == "goodbye"
        assert batch.events[0].detail["code"] == batch.goodbye.code
        assert feed().closed(batch.goodbye.code, "") == batch.goodbye.then
        then[batch.goodbye.code] = batch.goodbye.then
    assert then == {
        800: "retry",
        804: "stop",
        805: "retry",
        806: "stop",
        807: "login",
        808: "stop",
        809: "stop",
        810: "stop",
    }


def test_an_unpublished_reason_is_retried() -> None:
    goodbye = feed().decode([packed(DISCONNECT, reason=59_890)], NOW).goodbye
    assert goodbye is not None
    assert (goodbye.code, goodbye.then) == (59_890, "retry")


def test_ticks_beside_a_goodbye_are_kept() -> None:
    batch = feed().decode([packed(TICKER, ltp=1.0) + packed(DISCONNECT, reason=805)], NOW)
    assert len(rows(batch.ticks)) == 1
    assert batch.goodbye is not None


@pytest.mark.parametrize(
    ("code", "then"),
    [
        *((401, "login"), (403, "login"), (400, "stop"), (404, "stop"), (429, "retry"), (503, "retry")),
        *((1000, "retry"), (1006, "retry"), (1011, "retry"), (807, "login"), (808, "stop")),
    ],
)
def test_closes_are_told_apart(code: int, then: str) -> None:
    assert feed().closed(code, "") == then


def test_market_status_is_an_event() -> None:
    [event] = feed().decode([packed(STATUS, segment=2, security_id=0)], NOW).events
    assert (event.kind, event.at) == ("market_status", NOW)
    assert event.detail == {"segment": "NSE_FNO", "security_id": 0}


# --- requests and addresses


def test_requests_equal_those_of_the_official_package(fixtures: Path) -> None:
    cases = json.loads((fixtures / "subscribe_expected.json").read_text())["cases"]
    modes = {15: "ticker", 17: "quote", 21: "full"}
    for case in cases:
        by_mode: dict[int, list[Instrument]] = {}
        asked = case["instruments"]
        if isinstance(asked, str):  # the long case is told, not listed
            assert asked == "40000..40249 NSE_FNO code 21"
            asked = [(2, str(number), 21) for number in range(40_000, 40_250)]
        for segment, number, *mode in asked:
            one = Instrument(exchange="X", symbol=number, segment=SEGMENTS[segment][0], broker_id=str(number))
            by_mode.setdefault(mode[0] if mode else 15, []).append(one)
        ours = []
        for code, instruments in sorted(by_mode.items()):
            decode = Dhan(instruments=Instruments(), mode=modes[code])  # type: ignore[arg-type]
            ours += [json.loads(message) for message in decode.subscribe(instruments)]
        assert sorted(len(m["InstrumentList"]) for m in ours) == sorted(case["message_sizes"])

        def contents(messages: list[dict[str, Any]]) -> list[tuple[int, str, str]]:
            return sorted(
                (m["RequestCode"], one["ExchangeSegment"], one["SecurityId"])
                for m in messages
                for one in m["InstrumentList"]
            )

        if case["messages"] is not None:
            assert contents(ours) == contents(case["messages"])
        assert all(m["InstrumentCount"] == len(m["InstrumentList"]) for m in ours)


@pytest.mark.parametrize(("mode", "codes"), [("ticker", (15, 16)), ("quote", (17, 18)), ("full", (21, 22))])
def test_each_mode_has_its_request_codes(mode: Any, codes: tuple[int, int]) -> None:
    decode = Dhan(instruments=Instruments(), mode=mode)
    [on], [off] = decode.subscribe([share()]), decode.unsubscribe([share()])
    assert (json.loads(on)["RequestCode"], json.loads(off)["RequestCode"]) == codes
    assert json.loads(on)["InstrumentList"] == [{"ExchangeSegment": "NSE_EQ", "SecurityId": "2885"}]


def test_the_address_has_a_path_and_all_four_parameters() -> None:
    decode = Dhan(instruments=Instruments(), client_id="1100", token=Stars())
    assert decode.address() == (
        "wss://api-feed.dhan.co/?version=2&token=s3cret%26%3F&clientId=1100&authType=2"
    )


def test_another_address_keeps_its_own_path_and_parameters() -> None:
    decode = Dhan(instruments=Instruments(), url="ws://127.0.0.1:9?room=5", token="t")
    assert decode.address() == "ws://127.0.0.1:9/?room=5&version=2&token=t&authType=2"


def test_the_token_is_in_no_repr_and_no_error() -> None:
    decode = Dhan(instruments=Instruments(), client_id="1", token="s3cret")
    assert "s3cret" not in repr(decode)
    with pytest.raises(SettingError) as caught:
        Dhan(instruments=Instruments(), url="http://host/?token=s3cret").address()
    assert "s3cret" not in str(caught.value)


def test_missing_credentials_say_which() -> None:
    with pytest.raises(SettingError, match="client_id= and token="):
        feed().address()
    with pytest.raises(SettingError, match="needs the address"):
        Simulated(instruments=Instruments()).address()


def test_unknown_mode_and_kind_are_refused() -> None:
    with pytest.raises(SettingError, match="no mode 'depth'"):
        Dhan(instruments=Instruments(), mode="depth")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="no kind 'depth30'"):
        Dhan(instruments=Instruments(), kind="depth30")


def test_both_names_make_a_feed() -> None:
    for name in ("dhan", "simulated"):
        made = make(name, Instruments())
        assert isinstance(made, Feed)
        assert made.name == name
        assert list(made.login()) == []
        assert made.snapshot_address(share()) is None
        with pytest.raises(ValueError, match="snapshot"):
            made.decode_snapshot(share(), b"", NOW)


def test_the_simulated_feed_knows_its_whole_listing() -> None:
    decode = Simulated(instruments=Instruments())
    assert len(nifty.LISTING) == 50
    for listed in nifty.LISTING:
        found = decode.resolve(listed.symbol)
        assert (found.broker_id, found.tick_size) == (str(listed.security_id), listed.tick_size)
        assert listed.price / listed.tick_size == pytest.approx(round(listed.price / listed.tick_size))


# --- damage


def reasons(frame: bytes) -> list[str]:
    return [reject.reason for reject in feed().decode([frame], NOW).rejects]


def test_truncated_and_unknown_fixtures_are_rejected_whole(fixtures: Path, expected: dict[str, Any]) -> None:
    damaged = sorted(fixtures.glob("truncated_*")) + sorted(fixtures.glob("unknown_code_*"))
    damaged += sorted(fixtures.glob("ticker_length_field_*"))
    damaged.append(fixtures / "index_code1_layout_unpublished.bin")
    assert len(damaged) > 25
    for path in damaged:
        frame = path.read_bytes()
        batch = feed().decode([frame], NOW)
        assert batch.ticks is None, path.name
        [reject] = batch.rejects
        assert (reject.frame, reject.received_at) == (frame, NOW)


def test_rejects_say_why() -> None:
    ticker = packed(TICKER, ltp=1.0)
    assert reasons(b"") == ["empty message"]
    assert reasons(ticker[:5]) == ["cut short: 5 bytes where a header has 8"]
    assert reasons(ticker[:15]) == ["cut short: 15 of the 16 bytes of code 2"]
    assert reasons(b"\x63" + ticker[1:]) == ["unknown response code 99"]
    assert reasons(packed(TICKER, length=8)) == ["length field says 8, a packet of code 2 has 16"]
    assert reasons(packed(TICKER, segment=16)) == ["unknown exchange segment 16"]


def test_what_follows_a_bad_packet_is_read_where_its_end_is_known() -> None:
    good = packed(TICKER, ltp=1.0)
    batch = feed().decode([good + b"\x63" + good[1:] + packed(TICKER, segment=99) + good + b"xyz"], NOW)
    assert len(rows(batch.ticks)) == 2
    assert [reject.reason for reject in batch.rejects] == [
        "unknown response code 99",
        "unknown exchange segment 99",
        "cut short: 3 bytes where a header has 8",
    ]
    batch = feed().decode([good + packed(TICKER, length=0) + good], NOW)
    assert len(rows(batch.ticks)) == 1
    assert [reject.frame for reject in batch.rejects] == [packed(TICKER, length=0) + good]


def test_a_bad_message_does_not_touch_its_neighbours() -> None:
    good = packed(FULL, ltp=1.0)
    batch = feed().decode([good, good[:100], b"", good, b"\xff" * 20, good], np.arange(6))
    assert batch.ticks is not None
    assert batch.ticks.received_at.tolist() == [0, 3, 5]
    assert [reject.received_at for reject in batch.rejects] == [1, 2, 4]
    assert batch.depth is not None
    assert batch.depth.received_at.tolist() == [0, 3, 5]


def some_packet() -> st.SearchStrategy[bytes]:
    def of(layout: np.dtype[Any]) -> st.SearchStrategy[bytes]:
        size = layout.itemsize - HEADER.itemsize
        return st.builds(
            lambda segment, number, body: (
                packed(layout, segment=segment, security_id=number)[: HEADER.itemsize] + body
            ),
            st.sampled_from([*SEGMENTS, 6]),
            st.integers(0, 40),
            st.binary(min_size=size, max_size=size),
        )

    return st.sampled_from(sorted(PACKETS)).flatmap(lambda code: of(PACKETS[code]))


@given(st.lists(st.lists(some_packet(), min_size=1, max_size=4), max_size=12))
def test_every_sound_packet_becomes_one_row_or_event(messages: list[list[bytes]]) -> None:
    batch = feed(share(broker_id=7)).decode([b"".join(message) for message in messages], NOW)
    assert not batch.rejects
    assert pieces(batch) == sum(map(len, messages))
    in_order = [
        record
        for message in messages
        for record in packets(b"".join(message))[0]
        if record.dtype in ROWS_ARE_MADE_OF
    ]
    if batch.ticks is not None:
        ids = [record["security_id"] for record in in_order]
        assert len(ids) == len(batch.ticks)
        assert np.isfinite(batch.ticks.values[~np.isnan(batch.ticks.values)]).all()


@given(st.lists(st.binary(max_size=200), max_size=8))
@example([b"", b"\x02"])
@example([b"\x32" + bytes(9)])
def test_any_bytes_become_rows_or_counted_rejects(frames: list[bytes]) -> None:
    batch = feed().decode(frames, NOW)
    assert pieces(batch) >= len(frames)


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


def test_messages_of_any_length_and_number_are_read() -> None:
    ticker, status = packed(TICKER, ltp=1.0), packed(STATUS)
    counts = [0, 1, 15, 16, 17, 4095, 4096, 4097]
    messages = [ticker * count or status for count in counts]
    batch = feed().decode(messages, np.arange(len(messages)))
    assert batch.ticks is not None
    assert np.bincount(batch.ticks.received_at).tolist() == counts
    for count in (1, 15, 16, 2**16 - 1, 2**16):
        batch = feed().decode([ticker] * (count - 1) + [status], np.arange(count))
        assert [event.at for event in batch.events] == [count - 1]
        assert (batch.ticks.received_at.tolist() if batch.ticks else []) == list(range(count - 1))


def test_decoding_many_kinds_leaves_the_given_times_alone() -> None:
    received = np.array([NOW, NOW + 1])
    decode = feed()
    decode.decode([packed(TICKER, ltp=1.0, ltt=5_000_000), packed(QUOTE, ltp=1.0, ltt=5_000_000)], received)
    decode.decode([packed(TICKER, ltp=1.0, ltt=5_000_000)] * 2, received)
    assert received.tolist() == [NOW, NOW + 1]
