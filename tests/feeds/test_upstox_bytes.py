"""Upstox's messages, byte by byte: whatever they are, they mean what protobuf's own parser says they do."""

from __future__ import annotations

import math
import re
import struct
import tracemalloc
from collections.abc import Iterable, Sequence
from typing import Any

import hypothesis.strategies as st
import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given

from ltpkit.batch import Batch
from ltpkit.feeds.upstox import Upstox, packets
from ltpkit.feeds.upstox.wire import CASH, response_type
from ltpkit.instrument import Instrument, Instruments
from tests.feeds.reading import mangled, rows

NOW = 1_766_302_999_123_456
SCHEMA = response_type().DESCRIPTOR
KEYS = ("NSE_EQ|INE002A01018", "NSE_FO|1", "NSE_FO|12345678", "NSE_INDEX|Nifty 50", "A" * 16 + "|" + "z" * 48)
NO_KEYS = ("", "no bar", "NSE_EQ|", "NSE_EQ|é", "A" * 16 + "|" + "z" * 49, "NSE_FO|" + "9" * 80)

#: Rows by key, numbers and time; books by key, time, bids and asks.
Said = tuple[list[Any], list[Any]]


# --- what protobuf says, and what we say


def told(frames: Iterable[bytes]) -> Said:
    """Return what messages come to by protobuf's parser, and by the rules that `upstox` states."""
    ticks: list[Any] = []
    books: list[Any] = []
    for frame in frames:
        for entry in (entry for message in packets(frame)[0] for entry in message.feeds):
            key, feed = entry.key, entry.value
            kind = feed.WhichOneof("union")
            if kind == "fullFeed":
                feed = feed.fullFeed
                kind = feed.WhichOneof("union")
            if kind is None or not re.fullmatch(r"[A-Z0-9_]{2,16}\|[ -~]{1,48}", key):
                continue
            feed = getattr(feed, kind)
            last = feed if kind == "ltpc" else feed.ltpc
            time = last.ltt * 1000 if 0 < last.ltt <= 7_258_118_400_000 else NOW
            ticks.append((key, row_of(key, kind, feed, last), time))
            if kind == "marketFF" and feed.HasField("marketLevel"):
                quotes = feed.marketLevel.bidAskQuote
                books.append((key, time, levels(quotes, "bid"), levels(quotes, "ask")))
    return ticks, books


def row_of(key: str, kind: str, feed: Any, last: Any) -> dict[str, float]:
    said = {"ltp": last.ltp or None, "ltq": last.ltq or None, "close_price": last.cp or None}
    quotes: Sequence[Any] = ()
    if kind in ("marketFF", "firstLevelWithGreeks"):
        quotes = feed.marketLevel.bidAskQuote if kind == "marketFF" else [feed.firstDepth]
        said |= {"volume": feed.vtt, "oi": feed.oi if feed.oi or not key.startswith(CASH) else None}
    if kind in ("marketFF", "indexFF"):
        for bar in [bar for bar in feed.marketOHLC.ohlc if bar.interval == "1d"][:1]:
            said |= {f"{name}_price": getattr(bar, name) or None for name in ("open", "high", "low")}
    for side in ("bid", "ask"):
        for price, qty in levels(quotes[:1], side):
            said |= {side: price, f"{side}_qty": qty or None}
    return {name: float(it) for name, it in said.items() if it is not None and math.isfinite(it)}


def levels(quotes: Iterable[Any], side: str) -> list[tuple[float, float]]:
    found = [(getattr(one, f"{side}P"), float(getattr(one, f"{side}Q"))) for one in quotes]
    return [(price, qty) for price, qty in found if price and math.isfinite(price)]


def decoded(batch: Batch, table: Instruments) -> Said:
    def keys(numbers: Iterable[int]) -> list[str]:
        return [f"{table[number].segment}|{table[number].broker_id}" for number in numbers]

    def side(ends: Any, price: Any, qty: Any) -> list[list[tuple[float, float]]]:
        every = list(zip(price.tolist(), qty.tolist(), strict=True))
        return [every[start:end] for start, end in zip([0, *ends.tolist()[:-1]], ends.tolist(), strict=True)]

    ticks, depth = batch.ticks, batch.depth
    if ticks is None:
        assert depth is None
        return [], []
    found = list(zip(keys(ticks.instrument), rows(ticks), ticks.timestamp.tolist(), strict=True))
    if depth is None:
        return found, []
    bids = side(depth.bid_ends, depth.bid_price, depth.bid_qty)
    asks = side(depth.ask_ends, depth.ask_price, depth.ask_qty)
    return found, list(zip(keys(depth.instrument), depth.timestamp.tolist(), bids, asks, strict=True))


def assert_read_as_protobuf_reads(frames: Sequence[bytes]) -> Batch:
    table = Instruments()
    decode = Upstox(instruments=table).decode
    decode([b"", *frames[:1]], NOW)  # the second time, some keys are known
    batch = decode(frames, NOW)
    assert decoded(batch, table) == told(frames)
    texts = sum(event.kind == "feed" for event in batch.events)
    unread = sum("parsed" in reject.reason for reject in batch.rejects)
    assert texts + unread == sum(bool(packets(frame)[1]) for frame in frames)
    return batch


# --- messages as protobuf writes them


def values(field: Any) -> st.SearchStrategy[Any]:
    """Return what a field may hold, as JSON writes it."""
    named = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
    if field.type == field.TYPE_MESSAGE:
        return filled(field.message_type)
    if field.name == "key":
        return st.sampled_from(KEYS) | st.sampled_from(NO_KEYS)
    return {
        field.TYPE_DOUBLE: st.sampled_from([0.0, 100.25])
        | st.floats().map(lambda number: named.get(str(number), number)),
        field.TYPE_INT64: st.sampled_from([0, 1_767_584_700_000]) | st.integers(-(2**63), 2**63 - 1),
        field.TYPE_INT32: st.integers(-3, 9),
        field.TYPE_BOOL: st.booleans(),
        field.TYPE_STRING: st.sampled_from(["1d", "I1", "1m", "1d ", "é", ""]),
    }[field.type]


def filled(message: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return any message of a type; only one of those of which only one is sent."""
    choices = list(message.oneofs[0].fields) if message.oneofs else [None]
    rest = [field for field in message.fields if field not in choices]
    return st.one_of(
        st.fixed_dictionaries(
            {choice.name: values(choice)} if choice else {},
            optional={
                field.name: st.lists(values(field), max_size=3) if field.is_repeated else values(field)
                for field in rest
            },
        )
        for choice in choices
    )


usual = filled(SCHEMA).map(lambda said: ParseDict(said, response_type()()).SerializeToString())


@given(st.lists(usual, max_size=3))
def test_a_message_says_what_protobuf_says(frames: list[bytes]) -> None:
    assert_read_as_protobuf_reads(frames)


@given(st.data())
def test_a_damaged_message_says_what_protobuf_says(data: st.DataObject) -> None:
    good = data.draw(st.lists(usual.filter(lambda frame: len(frame) > 9), min_size=1, max_size=3))
    assert_read_as_protobuf_reads(list(mangled(data, good)))


# --- messages as nobody writes them


def number(value: int, padding: int = 0) -> bytes:
    """Return a number as protobuf sends it, with so many needless bytes."""
    sevens = [value >> shift & 0x7F for shift in range(0, max(value.bit_length(), 1), 7)] + [0] * padding
    return bytes([seven | 0x80 for seven in sevens[:-1]] + sevens[-1:])


def field(at: int, value: bytes | int | float, padding: int = 0) -> bytes:
    """Return a field as it is sent: sized, a whole number, or eight bytes."""
    if isinstance(value, bytes):
        return number(at << 3 | 2, padding) + number(len(value), padding) + value
    if isinstance(value, int):
        return number(at << 3, padding) + number(value, padding)
    return number(at << 3 | 1, padding) + struct.pack("<d", value)


def group(at: int, inside: bytes) -> bytes:
    return number(at << 3 | 3) + inside + number(at << 3 | 4)


KEY = field(1, b"NSE_FO|1")


@st.composite
def unusual(draw: st.DrawFn, message: Any = SCHEMA, deep: int = 0) -> bytes:
    """Draw fields in any order, any number of times, some of them of other types or of no known number."""
    parts = [draw(st.sampled_from([KEY, KEY, b""]))] if message.name == "FeedsEntry" else []
    fields = [one for one in message.fields for _ in range(5 if one.type == one.TYPE_MESSAGE else 1)]
    for _ in range(draw(st.integers(0 if deep > 3 else 1, 3))):
        known = draw(st.sampled_from(fields))
        at = draw(st.sampled_from([known.number] * 9 + [17, 31, 32, 40_000]))
        padding = draw(st.sampled_from([0] * 19 + [1]))
        kind = known.type if draw(st.integers(0, 9)) else draw(st.integers(0, 20))
        if kind == known.TYPE_MESSAGE and known.message_type and deep < 7:
            parts.append(field(at, draw(unusual(known.message_type, deep + 1)), padding))
        elif kind == known.TYPE_STRING:
            text = st.sampled_from([key.encode() for key in (*KEYS, *NO_KEYS)] + [b"1d", b"I1", b"\xff"])
            parts.append(field(at, draw(text), padding))
        elif kind == known.TYPE_DOUBLE:
            parts.append(field(at, draw(st.sampled_from([0.0, 1.5, math.inf, math.nan])), padding))
        elif kind == known.TYPE_GROUP:
            parts.append(group(at, draw(unusual(message, deep + 1)) if deep < 7 else b""))
        elif kind == known.TYPE_FIXED32:
            parts.append(number(at << 3 | 5) + bytes(4))
        else:
            parts.append(field(at, draw(st.sampled_from([0, 1, 300, 2**63, 2**64 - 1, 2**64])), padding))
    return b"".join(parts)


@given(st.lists(unusual(), max_size=2))
def test_an_unusual_message_says_what_protobuf_says(frames: list[bytes]) -> None:
    assert_read_as_protobuf_reads(frames)


LTPC = field(1, 100.5) + field(2, 1_767_584_700_000) + field(3, 5)
DAY = field(1, b"1d")
LEVEL = field(1, 7) + field(2, 99.5) + field(3, 8) + field(4, 101.5)


def entry(value: bytes) -> bytes:
    return field(2, KEY + field(2, value))


def market(inside: bytes) -> bytes:
    return entry(field(2, field(1, inside)))


def bars(*each: bytes) -> bytes:
    return market(field(4, b"".join(field(1, bar) for bar in each)))


@pytest.mark.parametrize(
    ("frame", "row"),
    [
        pytest.param(field(2, field(2, field(1, LTPC)) + KEY), {"ltp": 100.5, "ltq": 5.0}, id="key last"),
        pytest.param(entry(field(1, LTPC + field(1, 7.0))), {"ltp": 7.0, "ltq": 5.0}, id="a price twice"),
        pytest.param(
            entry(field(1, LTPC) + field(1, field(1, 7.0))), {"ltp": 7.0, "ltq": 5.0}, id="a message in two"
        ),
        pytest.param(
            entry(field(1, LTPC) + field(3, field(4, 9))),
            {"volume": 9.0, "oi": 0.0},
            id="two kinds",
        ),
        pytest.param(
            market(field(2, field(1, LEVEL)) + field(2, field(1, field(2, 98.0)))),
            {"bid": 99.5, "bid_qty": 7.0, "ask": 101.5, "ask_qty": 8.0, "volume": 0.0, "oi": 0.0},
            id="levels in two",
        ),
        pytest.param(
            entry(field(1, field(1, 7.0, padding=3) + field(3, 5, padding=4), padding=2)),
            {"ltp": 7.0, "ltq": 5.0},
            id="padded",
        ),
        pytest.param(
            entry(field(1, group(9, LTPC) + field(99, b"new") + field(1, 7.0))),
            {"ltp": 7.0},
            id="new fields",
        ),
        pytest.param(
            entry(field(1, field(1, 7) + field(3, 5.0) + field(4, 8.5))), {"close_price": 8.5}, id="types"
        ),
        pytest.param(
            bars(field(1, "é".encode()) + field(2, 1.0), field(2, 2.0) + DAY, DAY + field(2, 3.0)),
            {"open_price": 2.0, "volume": 0.0, "oi": 0.0},
            id="the first of two days",
        ),
    ],
)
def test_what_is_unusual_counts_as_protobuf_counts_it(frame: bytes, row: dict[str, float]) -> None:
    batch = assert_read_as_protobuf_reads([frame])
    assert rows(batch.ticks) == [row]


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(field(2, field(1, b"NSE_FO|\xff") + field(2, field(1, LTPC))), id="key"),
        pytest.param(bars(field(1, b"\xff")), id="interval"),
        pytest.param(entry(field(1, LTPC)) + field(0, 1), id="field 0"),
        pytest.param(entry(field(1, number(9 << 3 | 5) + bytes(3))), id="four bytes cut"),
        pytest.param(entry(field(1, field(1, 1.0)[:-1])), id="eight bytes cut"),
        pytest.param(entry(field(1, b"\x10" + b"\x80" * 10 + b"\x01")), id="a number of 11 bytes"),
        pytest.param(entry(field(1, number(3 << 3, padding=5) + b"\x01")), id="a tag of 6 bytes"),
        pytest.param(entry(field(1, number(9 << 3 | 4))), id="the end of no group"),
        pytest.param(entry(field(1, number(9 << 3 | 6))), id="sent in no known way"),
    ],
)
def test_what_protobuf_cannot_read_is_a_reject(damaged: bytes) -> None:
    good = entry(field(1, LTPC))
    batch = assert_read_as_protobuf_reads([good, damaged, good])
    assert [reject.frame for reject in batch.rejects] == [damaged]
    assert len(batch.ticks or ()) == 2


# --- many at once


def test_a_message_may_hold_any_number_of_feeds_and_levels() -> None:
    book = market(field(2, field(1, LEVEL) * 40))
    for frame in (book * 5, entry(field(1, LTPC)) * 3000, book * 300):
        batch = assert_read_as_protobuf_reads([frame, book])
        assert len(batch.ticks or ()) == frame.count(KEY) + 1


def test_each_of_many_keys_has_its_own_instrument() -> None:
    keys = [f"NSE_FO|{'x' * size}{size}" for size in range(1, 40)] + [f"NSE_EQ|{n}" for n in range(3000)]
    frames = [field(2, field(1, key.encode()) + field(2, field(1, LTPC))) for key in keys]
    table = Instruments()
    decode = Upstox(instruments=table).decode
    for _ in range(2):
        said, _ = decoded(decode([*frames, *reversed(frames)], NOW), table)
        assert [key for key, _, _ in said] == [*keys, *reversed(keys)]
    assert len(table) == len(keys)


def test_an_instrument_asked_for_late_has_its_own_rows_from_then_on() -> None:
    table = Instruments(most_met=1)
    decode = Upstox(instruments=table).decode
    frames = [field(2, field(1, f"NSE_FO|{n}".encode()) + field(2, field(1, LTPC))) for n in (1, 2, 3)]
    for _ in range(2):
        ticks = decode(frames, NOW).ticks
        assert ticks is not None
        assert [table[i].name for i in ticks.instrument] == ["NFO:1", ":UNLISTED", ":UNLISTED"]
    table.add(Instrument(exchange="NFO", symbol="NIFTY", segment="NSE_FO", broker_id="3"))
    ticks = decode(frames, NOW).ticks
    assert ticks is not None
    assert [table[i].name for i in ticks.instrument] == ["NFO:1", ":UNLISTED", "NFO:NIFTY"]


def test_feeds_about_nothing_take_little_memory_and_none_for_good() -> None:
    nothing = field(2, b"")
    decode = Upstox(instruments=Instruments()).decode
    decode([entry(field(1, LTPC))], NOW)
    tracemalloc.start()
    try:
        frame = nothing * 1_000_000
        batch = decode([frame], NOW)
        _, peak = tracemalloc.get_traced_memory()
        decode([entry(field(1, LTPC)) * 50_000], NOW)
        decode([], NOW)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [one.reason for one in batch.rejects] == ["1000000 of 1000000 feeds without a key or a known kind"]
    assert peak < 4 * len(frame)
    assert kept < 2 * len(frame)
