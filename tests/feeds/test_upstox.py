"""Upstox's market data feed: synthetic frames with known answers, and damage of every kind."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from ltpkit.batch import Batch
from ltpkit.errors import SettingError, UnknownInstrument
from ltpkit.feeds import Feed, make
from ltpkit.feeds.upstox import Upstox, packets
from ltpkit.feeds.upstox.wire import SEGMENTS, STATUSES, response_type
from ltpkit.instrument import Instrument, Instruments
from tests.feeds.reading import Stars, one_damaged, rows

json_format = pytest.importorskip("google.protobuf.json_format")

NOW = 1_766_302_999_123_456
RELIANCE = "NSE_EQ|INE002A01018"
SOUND = ("ltpc_two", "full_d5", "full_d30", "index_full", "option_greeks_snapshot", "unknown_field")
TYPES = ("initial_feed", "live_feed", "market_info")
MODES = ("ltpc", "full_d5", "option_greeks", "full_d30")


@pytest.fixture
def fixtures(shared: Path) -> Path:
    return shared / "feeds" / "fixtures" / "upstox"


@pytest.fixture
def expected(fixtures: Path) -> dict[str, Any]:
    frames = json.loads((fixtures / "expected.json").read_text())["frames"]
    return {entry["file"].removesuffix(".bin"): entry["oracle_return"] for entry in frames}


def feed(*known: Instrument) -> Upstox:
    return Upstox(instruments=Instruments(known))


def share(symbol: str = "RELIANCE", key: str = "INE002A01018", segment: str = "NSE_EQ") -> Instrument:
    return Instrument(exchange=SEGMENTS[segment], symbol=symbol, segment=segment, broker_id=key)


def message(**feeds: Any) -> bytes:
    """Return a message with these feeds, written as in JSON; `by_key` holds those with odd keys."""
    entries = [{"key": key, "value": value} for key, value in feeds.get("by_key", {}).items()]
    built = response_type()()
    json_format.ParseDict({"feeds": entries, **{k: v for k, v in feeds.items() if k != "by_key"}}, built)
    sent: bytes = built.SerializeToString()
    return sent


def about(value: dict[str, Any], key: str = RELIANCE) -> bytes:
    return message(by_key={key: value})


def as_the_oracle_has_it(parsed: Any) -> dict[str, Any]:
    """Return our message in the words of the broker's schema: maps and enums instead of lists and numbers."""
    told: dict[str, Any] = json_format.MessageToDict(parsed, preserving_proto_field_name=True)
    if "feeds" in told:
        told["feeds"] = {entry["key"]: entry["value"] for entry in told["feeds"]}
        for one in told["feeds"].values():
            if "requestMode" in one:
                one["requestMode"] = MODES[one["requestMode"]]
    if "type" in told:
        told["type"] = TYPES[told["type"]]
    if "marketInfo" in told:
        status = told["marketInfo"]["segmentStatus"]
        told["marketInfo"]["segmentStatus"] = {e["key"]: STATUSES[e.get("value", 0)] for e in status}
    return told


def row_of(oracle: dict[str, Any], key: str) -> dict[str, float]:
    """Return the row that the oracle's feed should become."""
    full = oracle.get("fullFeed", {})
    full = full.get("marketFF") or full.get("indexFF") or oracle.get("firstLevelWithGreeks") or oracle
    ltpc = full["ltpc"]
    row = {"ltp": ltpc["ltp"], "ltq": float(ltpc["ltq"]), "close_price": ltpc["cp"]}
    for bar in full.get("marketOHLC", {}).get("ohlc", []):
        if bar["interval"] == "1d":
            row |= {f"{name}_price": bar[name] for name in ("open", "high", "low")}
    quotes = full.get("marketLevel", {}).get("bidAskQuote") or [full.get("firstDepth")]
    if quotes[0]:
        row |= {"bid": quotes[0]["bidP"], "bid_qty": float(quotes[0]["bidQ"])}
        row |= {"ask": quotes[0]["askP"], "ask_qty": float(quotes[0]["askQ"])}
    if "vtt" in full:
        row |= {"volume": float(full["vtt"]), "oi": full["oi"]}
    assert key.startswith(("NSE_FO", "NSE_EQ", "NSE_INDEX"))
    return row


# --- against the oracle


def test_every_fixture_equals_the_oracle_field_by_field(fixtures: Path, expected: dict[str, Any]) -> None:
    compared = 0
    for name, oracle in expected.items():
        if oracle is None:
            continue
        [[parsed], rejects] = packets((fixtures / f"{name}.bin").read_bytes())
        assert not rejects
        assert as_the_oracle_has_it(parsed) == oracle, name
        compared += 1
    assert compared == 8


def test_the_schema_is_the_packages(fixtures: Path) -> None:
    told = json.loads((fixtures / "schema.json").read_text())
    newer = {"casMarketStatus", "preOpenSessionStatus"}  # maps of a shape that the schema does not tell
    ours = response_type().DESCRIPTOR.file.message_types_by_name
    kinds = {1: "double", 3: "int64", 5: "int32", 8: "bool", 9: "string"}
    for name, fields in told["messages"].items():
        if name == "StatusInfo":
            continue
        mine = {
            (f.number, f.name, kinds.get(f.type) or f.message_type.name, f.is_repeated)
            for f in ours[name].fields
        }
        theirs = {
            (f["number"], f["name"], "int32" if f["type"] in told["enums"] else f["type"], f["repeated"])
            for f in fields
            if f["name"] not in newer
        }
        assert mine == theirs, name


@pytest.mark.parametrize("name", SOUND)
def test_every_fixture_becomes_the_rows_and_books_the_oracle_saw(
    name: str, fixtures: Path, expected: dict[str, Any]
) -> None:
    table = Instruments()
    batch = Upstox(instruments=table).decode([(fixtures / f"{name}.bin").read_bytes()], NOW)
    oracle = expected[name]["feeds"]
    assert batch.ticks is not None
    keys = [f"{table[i].segment}|{table[i].broker_id}" for i in batch.ticks.instrument]
    assert sorted(keys) == sorted(oracle)
    assert rows(batch.ticks) == [row_of(oracle[key], key) for key in keys]
    assert [table[i].exchange for i in batch.ticks.instrument] == [SEGMENTS[k.split("|")[0]] for k in keys]

    def ltpc(one: Any) -> Any:
        return one["ltpc"] if "ltpc" in one else ltpc(next(v for v in one.values() if isinstance(v, dict)))

    assert batch.ticks.timestamp.tolist() == [int(ltpc(oracle[key])["ltt"]) * 1000 for key in keys]
    books = [one["fullFeed"]["marketFF"] for one in oracle.values() if "marketFF" in one.get("fullFeed", {})]
    if not books:
        assert batch.depth is None
        return
    [levels] = [book["marketLevel"]["bidAskQuote"] for book in books]
    depth = batch.depth
    assert depth is not None
    assert depth.bid_price.tolist() == [level["bidP"] for level in levels]
    assert depth.bid_qty.tolist() == [int(level["bidQ"]) for level in levels]
    assert depth.ask_price.tolist() == [level["askP"] for level in levels]
    assert depth.ask_qty.tolist() == [int(level["askQ"]) for level in levels]
    assert depth.bid_ends.tolist() == depth.ask_ends.tolist() == [len(levels)]
    assert depth.bid_orders is depth.ask_orders is None


def test_the_states_of_the_segments_are_an_event(fixtures: Path) -> None:
    batch = feed().decode([(fixtures / "market_info.bin").read_bytes()], NOW)
    [event] = batch.events
    assert (event.at, event.kind) == (NOW, "market_status")
    assert event.detail == {"segments": {"MCX_FO": "PRE_OPEN_START", "NSE_EQ": "NORMAL_OPEN"}}
    odd = message(marketInfo={"segmentStatus": [{"key": "NSE_EQ", "value": 17}]})
    assert feed().decode([odd], NOW).events[0].detail == {"segments": {"NSE_EQ": "17"}}


def test_fixtures_in_one_batch_give_the_rows_of_one_at_a_time(fixtures: Path) -> None:
    frames = [(fixtures / f"{name}.bin").read_bytes() for name in (*SOUND, "empty", "market_info")] * 2
    received = np.arange(len(frames)) + NOW
    together, alone = feed().decode(frames, received), feed()
    singles = [alone.decode([frame], at) for frame, at in zip(frames, received.tolist(), strict=True)]
    assert rows(together.ticks) == [row for one in singles for row in rows(one.ticks)]
    assert together.events == [event for one in singles for event in one.events]
    for name in ("bid_price", "bid_qty", "ask_price", "ask_qty", "timestamp", "received_at"):
        joined = np.concatenate([getattr(one.depth, name) for one in singles if one.depth is not None])
        assert getattr(together.depth, name).tolist() == joined.tolist()
    assert together.depth is not None
    assert together.depth.bid_ends.tolist() == [5, 35, 40, 70]


# --- what the rows say


def full(**more: Any) -> dict[str, Any]:
    return {"fullFeed": {"marketFF": more}}


def test_a_number_that_is_not_sent_is_zero_and_means_none_only_for_some() -> None:
    keys = (RELIANCE, "NSE_FO|45450")
    frames = [about(full(ltpc={"ltp": 5.0}), key) for key in keys]
    frames += [about({"firstLevelWithGreeks": {"vtt": 3}}, key) for key in keys]
    assert rows(feed().decode(frames, NOW).ticks) == [
        {"ltp": 5.0, "volume": 0.0},
        {"ltp": 5.0, "volume": 0.0, "oi": 0.0},
        {"volume": 3.0},
        {"volume": 3.0, "oi": 0.0},
    ]


def test_a_row_without_a_time_bears_its_receipt() -> None:
    times = [0, -1, 2**63 - 1, 7_258_118_400_001, 1]
    frames = [about({"ltpc": {"ltp": 1.0, "ltt": time}}) for time in times]
    ticks = feed().decode(frames, NOW).ticks
    assert ticks is not None
    assert ticks.timestamp.tolist() == [NOW] * 4 + [1000]


def test_numbers_that_are_none_become_missing() -> None:
    quotes = [{"bidP": "NaN", "bidQ": 1, "askP": "Infinity", "askQ": 1}, {"bidP": 9.0, "bidQ": 7}]
    frame = about(full(ltpc={"ltp": "-Infinity", "cp": "NaN"}, marketLevel={"bidAskQuote": quotes}))
    batch = feed().decode([frame], NOW)
    assert rows(batch.ticks) == [{"volume": 0.0}]
    assert batch.depth is not None
    assert (batch.depth.bid_price.tolist(), batch.depth.bid_qty.tolist()) == ([9.0], [7.0])
    assert batch.depth.bid_ends.tolist() == [1]
    assert batch.depth.ask_ends.tolist() == [0]


def test_only_the_days_bar_counts() -> None:
    bars = [{"interval": "I1", "open": 1.0}, {"interval": "1d", "open": 2.0, "high": 3.0, "low": 1.5}]
    [row] = rows(feed().decode([about(full(marketOHLC={"ohlc": bars}))], NOW).ticks)
    assert (row["open_price"], row["high_price"], row["low_price"]) == (2.0, 3.0, 1.5)


def test_an_empty_book_is_a_book_and_none_is_none() -> None:
    frames = [about(full(marketLevel={})), about(full()), about({"ltpc": {}})]
    depth = feed().decode(frames, NOW).depth
    assert depth is not None
    assert depth.bid_ends.tolist() == depth.ask_ends.tolist() == [0]


def test_many_instruments_keep_the_order_they_were_sent_in() -> None:
    keys = [f"NSE_FO|{number}" for number in (5, 3, 9, 1, 3)]
    frame = b"".join(about({"ltpc": {"ltp": float(i + 1)}}, key) for i, key in enumerate(keys))
    table = Instruments()
    batch = Upstox(instruments=table).decode([frame], NOW)
    assert batch.ticks is not None
    assert [table[i].symbol for i in batch.ticks.instrument] == ["5", "3", "9", "1", "3"]
    assert batch.ticks.column("ltp").tolist() == [1, 2, 3, 4, 5]


def test_nothing_said_is_an_empty_batch() -> None:
    assert feed().decode([], NOW) == Batch()
    assert feed().decode([b""], NOW) == Batch()


# --- instruments


def test_messages_find_their_instrument_by_key() -> None:
    whole = Instrument(exchange="NSE", symbol="TCS", segment="NSE_EQ", broker_id="NSE_EQ|INE467B01029")
    table = Instruments([share()])
    decode = Upstox(instruments=table, known=[whole])
    keys = (RELIANCE, whole.broker_id, "NSE_INDEX|Nifty 50", "XYZ_EQ|7", RELIANCE)
    ticks = decode.decode([about({"ltpc": {"ltp": 1.0}}, key) for key in keys], NOW).ticks
    assert ticks is not None
    names = [table[i].name for i in ticks.instrument]
    assert names == ["NSE:RELIANCE", "NSE:TCS", "INDEX:Nifty 50", "OTHER:XYZ_EQ|7", "NSE:RELIANCE"]


def test_symbols_and_keys_resolve() -> None:
    decode = Upstox(instruments=Instruments(), known=[share()])
    assert decode.resolve("RELIANCE") == decode.resolve("nse:reliance") == decode.resolve(RELIANCE) == share()
    index = decode.resolve("NSE_INDEX|Nifty 50")
    assert (index.name, index.segment) == ("INDEX:Nifty 50", "NSE_INDEX")
    with pytest.raises(UnknownInstrument, match="NSE:RELIANCE"):
        decode.resolve("RELIANC")
    with pytest.raises(UnknownInstrument, match=r"such as NSE_EQ\|INE002A01018"):
        feed().resolve("RELIANCE")


# --- requests, addresses, closes


@pytest.mark.parametrize(
    ("mode", "most"), [("ltpc", 5000), ("full", 2000), ("option_greeks", 3000), ("full_d30", None)]
)
def test_requests_are_json_in_binary_frames(mode: Any, most: int | None) -> None:
    decode = Upstox(instruments=Instruments(), mode=mode)
    whole = Instrument(exchange="NSE", symbol="TCS", segment="NSE_EQ", broker_id="NSE_EQ|INE467B01029")
    [on], [off] = decode.subscribe([share(), whole]), decode.unsubscribe([share()])
    assert isinstance(on, bytes)
    assert isinstance(off, bytes)
    request = json.loads(on)
    assert (request["method"], bool(request["guid"])) == ("sub", True)
    assert request["data"] == {"mode": mode, "instrumentKeys": [RELIANCE, "NSE_EQ|INE467B01029"]}
    assert (json.loads(off)["method"], json.loads(off)["data"]) == ("unsub", {"instrumentKeys": [RELIANCE]})
    assert list(decode.subscribe([])) == []
    assert decode.limits.per_connection == most
    assert decode.limits.connections == 1


def test_the_header_holds_the_token_and_nothing_else_does() -> None:
    decode = Upstox(instruments=Instruments(), token=Stars())
    assert decode.address() == "wss://api.upstox.com/v3/feed/market-data-feed"
    assert decode.headers() == {"Authorization": "Bearer s3cret&?"}
    assert "s3cret" not in repr(decode)
    authorised = Upstox(instruments=Instruments(), url="wss://feeder/x?code=1&requestId=2")
    assert authorised.address() == "wss://feeder/x?code=1&requestId=2"
    assert authorised.headers() == {}


def test_missing_credentials_modes_and_kinds_are_refused() -> None:
    with pytest.raises(SettingError, match="needs token="):
        feed().address()
    with pytest.raises(SettingError, match="no mode 'quote'"):
        Upstox(instruments=Instruments(), mode="quote")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="no kind 'v2'"):
        Upstox(instruments=Instruments(), kind="v2")


@pytest.mark.parametrize(
    ("code", "then"), [(401, "stop"), (403, "stop"), (429, "retry"), (500, "retry"), (1006, "retry")]
)
def test_closes_are_told_apart(code: int, then: str) -> None:
    assert feed().closed(code, "") == then


def test_the_name_makes_a_feed() -> None:
    made = make("upstox", Instruments())
    assert isinstance(made, Feed)
    assert made.name == "upstox"
    assert list(made.login()) == []
    assert made.snapshot_address(share()) is None
    with pytest.raises(ValueError, match="snapshot"):
        made.decode_snapshot(share(), b"", NOW)


# --- damage


def test_a_message_cut_short_is_rejected_whole(fixtures: Path) -> None:
    frame = (fixtures / "truncated.bin").read_bytes()
    good = about({"ltpc": {"ltp": 1.0}})
    batch = feed().decode([good, frame, good], np.arange(3))
    assert [(one.frame, one.received_at) for one in batch.rejects] == [(frame, 1)]
    assert batch.ticks is not None
    assert batch.ticks.received_at.tolist() == [0, 2]


def test_feeds_that_cannot_be_placed_are_counted_and_their_neighbours_kept() -> None:
    feeds = {
        RELIANCE: {"ltpc": {"ltp": 1.0}},
        "no bar": {"ltpc": {"ltp": 2.0}},
        "NSE_EQ|": {"ltpc": {"ltp": 3.0}},
        "NSE_EQ|X": {},
        "NSE_EQ|Y": {"fullFeed": {}},
    }
    frame = message(by_key=feeds)
    batch = feed().decode([frame], NOW)
    assert rows(batch.ticks) == [{"ltp": 1.0}]
    assert [(one.reason, one.frame) for one in batch.rejects] == [
        ("4 of 5 feeds without a key or a known kind", frame)
    ]


def test_text_becomes_an_event_or_a_reject() -> None:
    batch = feed().decode([b'{"error":"no plan"}', b"{not json", b"[1]", b"{" * 9000], NOW)
    assert [(event.kind, event.detail) for event in batch.events] == [("feed", {"error": "no plan"})]
    assert len(batch.rejects) == 3


def some_messages() -> st.SearchStrategy[bytes]:
    named = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}  # as JSON writes them
    number = st.floats().map(lambda value: named.get(str(value), value))
    count = st.integers(-(2**63), 2**63 - 1)
    ltpc = st.fixed_dictionaries({"ltp": number, "ltt": count, "ltq": count, "cp": number})
    quote = st.fixed_dictionaries({"bidQ": count, "bidP": number, "askQ": count, "askP": number})
    market = st.fixed_dictionaries(
        {"ltpc": ltpc, "marketLevel": st.fixed_dictionaries({"bidAskQuote": st.lists(quote, max_size=6)})}
    )
    kinds = st.one_of(
        st.fixed_dictionaries({"ltpc": ltpc}),
        st.fixed_dictionaries({"fullFeed": st.fixed_dictionaries({"marketFF": market})}),
    )
    keys = st.sampled_from([RELIANCE, "NSE_FO|1", "MCX_FO|2"])
    return st.dictionaries(keys, kinds, min_size=1).map(lambda feeds: message(by_key=feeds))


def feeds_in(frames: list[bytes]) -> Iterator[Any]:
    for frame in frames:
        yield from packets(frame)[0][0].feeds


@given(st.lists(some_messages(), max_size=5))
def test_every_feed_becomes_one_row(frames: list[bytes]) -> None:
    batch = feed(share()).decode(frames, NOW)
    assert not batch.rejects
    sent = list(feeds_in(frames))
    assert len(rows(batch.ticks)) == len(sent)
    if batch.ticks is not None:
        assert np.isfinite(batch.ticks.values[~np.isnan(batch.ticks.values)]).all()
    books = [one.value.fullFeed.marketFF for one in sent if one.value.HasField("fullFeed")]
    assert (len(batch.depth) if batch.depth else 0) == len(books)
    if batch.depth is not None:
        bids = [q.bidP for book in books for q in book.marketLevel.bidAskQuote]
        assert batch.depth.bid_price.tolist() == [price for price in bids if price and math.isfinite(price)]
        assert batch.depth.bid_ends[-1] == len(batch.depth.bid_price)


@given(st.lists(st.binary(max_size=200), max_size=8))
@example([b"", b"\x0a"])
@example([b"{}", b"\x12\x00"])
def test_any_bytes_become_rows_or_counted_rejects(frames: list[bytes]) -> None:
    batch = feed().decode(frames, NOW)
    unparsed = [frame for frame in frames if packets(frame)[1]]
    assert len(batch.events) + len(batch.rejects) >= len(unparsed)
    assert {reject.frame for reject in batch.rejects} <= set(frames)


@given(some_messages(), st.lists(some_messages(), max_size=3), st.data())
def test_a_cut_or_flipped_message_harms_no_other(
    victim: bytes, others: list[bytes], data: st.DataObject
) -> None:
    damaged = one_damaged(data, victim)
    at = data.draw(st.integers(0, len(others)))
    batch = feed().decode([*others[:at], damaged, *others[at:]], NOW)
    alone = feed().decode([damaged], NOW)
    assert len(rows(batch.ticks)) == len(list(feeds_in(others))) + len(rows(alone.ticks))
    assert [reject.frame for reject in batch.rejects] == [reject.frame for reject in alone.rejects]


def test_decoding_leaves_the_given_times_alone() -> None:
    received = np.array([NOW, NOW + 1])
    ticks = feed().decode([about({"ltpc": {"ltp": 1.0, "ltt": 5}})] * 2, received).ticks
    assert ticks is not None
    ticks.timestamp[:] = ticks.received_at[:] = 0
    assert received.tolist() == [NOW, NOW + 1]
