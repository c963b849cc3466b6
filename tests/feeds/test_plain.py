"""Messages read by compiled loops say what they say when they are read one by one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from ltpkit.batch import Batch
from ltpkit.feeds import make
from ltpkit.feeds.common.plain import Form, Kind, Plain, Series
from ltpkit.instrument import Instruments
from ltpkit.schema import FEED_FLOATS, NO_TIME
from tests.feeds.reading import mangled

NOW = 1_800_000_000_000_000


def form() -> Form:
    """One flat kind of message."""
    made = Form(
        [{"type": "kind", "s": "symbol", "p": "ltp", "q": "ltq", "i": "id", "t": "time", "x": ""}],
        {"trade": Kind(Series.TRADES, ("type s p",), ("q i t",))},
        rows_in=0,
        quoted=True,
    )
    made.learn("A-B", 7)
    return made


def said(**changed: object) -> bytes:
    return json.dumps({"type": "trade", "s": "A-B", "p": "1.5", **changed}).encode()


def column(found: Plain, name: str) -> list[float]:
    return found.values[:, FEED_FLOATS.index(name)].tolist()


# --- what is read, and what is left


def test_messages_of_the_form_are_rows_with_any_spaces_and_in_any_order() -> None:
    frames = [
        said(q=0.25, i=5, t="2025-01-01T00:00:00.5Z", more="x", x=-1.5, y=None, z=True),
        b'{"p":1.5,"s":"A-B","type":"trade"}',
        b' { "type" : "trade" , "s" : "A-B" , "p" : "1.5" } ',
    ]
    found = form().read(frames)
    assert not found.left
    assert found.rows.tolist() == [
        [0, 7, 1_735_689_600_500_000, 5, Series.TRADES, 1],
        [1, 7, NO_TIME, found.rows[1, 3], Series.TRADES, 1],
        [2, 7, NO_TIME, found.rows[2, 3], Series.TRADES, 1],
    ]
    assert column(found, "ltp") == [1.5, 1.5, 1.5]
    np.testing.assert_array_equal(column(found, "ltq"), [0.25, np.nan, np.nan])


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        said()[:-1],
        said() + b"}",
        said() + b"\0",
        b"\0" + said(),
        said().replace(b"A-B", b"A-C"),
        said().replace(b"A-B", b"A\\u002dB"),
        said().replace(b"A-B", "Ä-B".encode()),
        said().replace(b"trade", b"match"),
        said().replace(b'"p"', b'"P"'),
        said().replace(b'"p"', b'"s"'),
        said().replace(b":", b";", 1),
        said().replace(b",", b",,", 1),
        said().replace(b"}", b",}"),
        said().replace(b"1.5", b"1.5 "),
        said(p=0),
        said(p=-1.5),
        said(p="1e5"),
        said(p="01.5"),
        said(p="1."),
        said(p=".5"),
        said(p="nan"),
        said(p="1.5.5"),
        said(p="123456789012345678"),
        said(p=None),
        said(p=[1.5]),
        said(s=5),
        said(i=-1),
        said(i=1.0),
        said(x=[1]),
        said(x={"a": 1}),
        said(more={"p": 1}),
        said(more="tab\t"),
        said(more="naïve"),
        said().replace(b'"1.5"', b"nul"),
        said(t=""),
        said(t="2025-01-01"),
    ],
)
def test_what_is_not_surely_of_the_form_is_left(frame: bytes) -> None:
    found = form().read([frame, said(i=1), frame])
    assert (list(found.left), found.rows[:, 0].tolist()) == ([0, 2], [1])


def test_messages_without_a_mark_are_left_and_more_rows_than_there_is_room_for() -> None:
    assert list(form().read([b"{}"] * 3).left) == [0, 1, 2]
    nested = Form(
        [{"type": "kind", "d": "objects"}, {"a": "ltp"}],
        {"t": Kind(Series.NONE, ("type d", "a"))},
        rows_in=1,
        quoted=True,
    )
    crowd = b'{"type":"t","d":[' + b",".join([b'{"a":1}'] * 1000) + b"]}"
    assert list(nested.read([crowd]).left) == [0]
    few = b'{"type":"t","d":[{"a":1},{"a":2}]}' + b" " * 100
    assert column(nested.read([few, few]), "ltp") == [1.0, 2.0, 1.0, 2.0]
    assert not nested.read([b'{"type":"t","d":[]}']).left


def test_symbols_are_found_among_many_and_may_change_their_number() -> None:
    one = form()
    names = [f"S{n}-{n * 7919 % 1000}" for n in range(5000)] + ["X" * 22, "X" * 23]
    for number, name in enumerate(names):
        one.learn(name, number)
    assert one.read([said(s=name) for name in names]).rows[:, 1].tolist() == list(range(5002))
    one.learn("S3-757", 9)
    assert one.read([said(s="S3-757")]).rows[0, 1] == 9
    one.learn("X" * 24, 1)
    one.learn("Ä-B", 1)
    assert len(one.read([said(s="X" * 24), said(s="Ä-B")]).left) == 2


@given(st.from_regex(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,8})?", fullmatch=True), st.booleans())
@settings(deadline=None, max_examples=300)
def test_a_number_is_the_nearest_float(text: str, quoted: bool) -> None:  # noqa: FBT001
    found = form().read([said(q="?").replace(b'"?"', f'"{text}"'.encode() if quoted else text.encode())])
    assert found.left or column(found, "ltq") == [float(text)]
    assert not found.left or len(text) > 15


@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31)), st.integers(0, 6))  # noqa: DTZ001
@settings(deadline=None, max_examples=300)
def test_a_time_is_the_calendars(moment: datetime, digits: int) -> None:
    text = f"{moment:%Y-%m-%dT%H:%M:%S.%f}"[: 19 + digits + (digits > 0)] + "Z"
    [time] = form().read([said(t=text)]).rows[:, 2].tolist()
    assert time == (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-29T00:00:00Z",
        "2025-04-31T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-00-01T00:00:00Z",
        "2025-01-00T00:00:00Z",
        "2025-01-01T24:00:00Z",
        "2025-01-01T00:60:00Z",
        "2025-01-01T00:00:60Z",
        "2025-01-01T00:00:00",
        "2025-01-01T00:00:00.Z",
        "2025-01-01T00:00:00.0000001Z",
        "2025-01-01T00:00:00+00:00",
        "2025-01-01 00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2025-01-0xT00:00:00Z",
    ],
)
def test_what_is_no_time_of_the_usual_form_is_left(text: str) -> None:
    assert len(form().read([said(t=text)]).left) == 1


# --- the same by the feeds' typed structures


def _feeds() -> Iterator[tuple[str, str, list[bytes]]]:
    when = "2025-01-01T00:00:0{}.000001Z"
    exchange: list[dict[str, Any]] = []
    for n in (1, 2):
        told = {"product_id": "BTC-USD", "trade_id": n, "price": "43000.10", "sequence": n}
        exchange.append({"type": "match", **told, "size": "0.5", "side": "sell", "time": when.format(n)})
        exchange.append({"type": "ticker", **told, "best_bid": "1.5", "best_bid_size": "0", "open_24h": "7"})
    exchange.append({"type": "last_match", **exchange[0]} | {"type": "last_match"})
    yield "coinbase", "exchange", _sent(exchange)
    advanced: list[dict[str, Any]] = []
    for n in (0, 1):
        message = {"client_id": "", "timestamp": "2025-01-01T00:00:30.000001999Z", "sequence_num": 2 * n}
        trades = [
            {"product_id": "BTC-USD", "trade_id": f"{id_}", "price": "4.5", "size": "0.5"}
            | {"side": "BUY", "time": when.format(id_)}
            for id_ in (3 * n + 3, 3 * n + 2, 3 * n + 1)
        ]
        events: list[dict[str, Any]] = [{"type": "update", "trades": trades}]
        advanced.append({"channel": "market_trades", **message, "events": events})
        ticker = {
            "type": "ticker",
            "product_id": "BTC-USD",
            "price": "4.5",
            "best_ask": "5",
            "volume_24_h": "1",
        }
        events = [{"type": "update", "tickers": [ticker, {**ticker, "high_24_h": "9.25"}]}]
        advanced.append(
            {"channel": "ticker", **message, "sequence_num": 2 * n + 1, "events": events},
        )
    yield "coinbase", "advanced", _sent(advanced)
    kraken: list[dict[str, Any]] = []
    for n in (1, 3):
        rows = [
            {"symbol": "BTC/USD", "side": "buy", "price": 37702.2, "qty": 0.5, "ord_type": "limit"}
            | {"trade_id": id_, "timestamp": when.format(id_)}
            for id_ in (n + 1, n)
        ]
        kraken.append({"channel": "trade", "type": "update", "data": rows})
        best = {"bid": 1.5, "bid_qty": 2.0, "ask": 1.75, "ask_qty": 0, "change": -1.25}
        ticker = {"symbol": "BTC/USD", **best, "last": 1.5, "high": 2, "low": 1, "timestamp": when.format(n)}
        kraken.append({"channel": "ticker", "type": "update", "data": [ticker]})
    yield "kraken", "spot", _sent(kraken)
    binance: list[dict[str, Any]] = []
    for n in (1, 2):
        traded = {
            "e": "trade",
            "E": 5,
            "s": "BTCUSDT",
            "t": n,
            "p": "1.50",
            "q": "2.0",
            "T": 1_767_584_700_000 + n,
        }
        binance.append({"stream": "btcusdt@trade", "data": {**traded, "m": True, "M": True, "X": "MARKET"}})
        quoted = {"u": n, "s": "BTCUSDT", "b": "1.5", "B": "0", "a": "1.75", "A": "3"}
        binance.append({"stream": "btcusdt@bookTicker", "data": quoted})
        quoted |= {"e": "bookTicker", "E": 1_767_584_700_000_001, "T": 1_767_584_700_000_000}
        binance.append({"stream": "btcusdt@bookTicker", "data": quoted})
    yield "binance", "spot", _sent(binance)
    yield "binance", "usdm", _sent(binance)


def _sent(messages: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(message, separators=(",", ":")).encode() for message in messages]


FEEDS = list(_feeds())
# What may stand in the place of something: other numbers, texts, times, and what is not JSON.
_OTHER = (
    *(b"0", b"-1", b"1e3", b"1E-7", b"007", b"7.", b"12345678901234567890", b"0.1234567890123456789", b"NaN"),
    *(
        b'"0"',
        b'"1e3"',
        b'"-1"',
        b'"0.1"',
        b'"inf"',
        b'""',
        b'"\\u0041"',
        b'"BTC-USD"',
        b'"XRP/USD"',
        b'"x y"',
    ),
    *(b'"2025-01-01T00:00:01+05:30"', b'"2025-01-01T00:00:01.1234567Z"', b'"1970-01-01T00:00:00Z"'),
    *(b"null", b"true", b"[]", b"{}", b"[1]", b'{"a":1}', b"\0", b"\n", b" ", b'"update"', b'"ticker"'),
    *(b'"price":', b'"type":', b'"channel":', b'"size":', b'"time":', b'"data":', b'"symbol":', b","),
    *(b'"p":', b'"T":', b'"E":', b'"s":', b'"X":', b'"pu":', b'"a":', b'"aggTrade"', b'"NA"', b'"trade"'),
)


def _says(batch: Batch) -> Any:
    ticks = batch.ticks
    rows = None
    if ticks is not None:
        columns = (ticks.instrument, ticks.timestamp, ticks.received_at, ticks.duplicate)
        rows = [None if one is None else one.tolist() for one in columns], str(ticks.values.tolist())
    return rows, batch.events, batch.rejects, batch.book_updates, batch.goodbye


@pytest.mark.parametrize(("feed", "kind", "good"), FEEDS, ids=lambda value: str(value)[:12])
def test_the_usual_messages_of_a_feed_are_of_its_form(feed: str, kind: str, good: list[bytes]) -> None:
    one = make(feed, Instruments(), kind=kind)
    one.decode(good, NOW)
    read = []
    whole = Form.read

    def watched(self: Form, frames: list[bytes]) -> Plain:
        found = whole(self, frames)
        read.append(list(found.left))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Form, "read", watched)
        one.decode([*good, b"{}"], NOW)
    ours = [place for place, frame in enumerate(good) if b"last_match" in frame]
    assert read == [[*ours, len(good)]]


@pytest.mark.parametrize(("feed", "kind", "good"), FEEDS, ids=lambda value: str(value)[:12])
@given(data=st.data())
@settings(deadline=None, max_examples=80)
def test_read_at_once_or_one_by_one_messages_say_the_same(
    feed: str, kind: str, good: list[bytes], data: st.DataObject
) -> None:
    quick, slow = make(feed, Instruments(), kind=kind), make(feed, Instruments(), kind=kind)
    for one in (quick, slow):
        one.decode(good, NOW)
    frames = list(mangled(data, good))
    for frame in data.draw(st.lists(st.sampled_from(good), max_size=4)):
        parts = _parts(frame)
        for _ in range(data.draw(st.integers(0, 2))):
            parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(st.sampled_from(_OTHER))
        frames.append(b"".join(parts))
    frames = data.draw(st.permutations(frames))
    times = NOW + np.arange(len(frames))
    found = quick.decode(frames, times)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Form, "read", lambda self, some: _nothing(some))
        assert _says(found) == _says(slow.decode(frames, times))


def _parts(frame: bytes) -> list[bytes]:
    """The frame in pieces: keys, values, and what stands between."""
    return re.findall(rb'"[^"]*":|"[^"]*"|[-+.\w]+|.', frame)


def _nothing(frames: list[bytes]) -> Plain:
    return Plain(
        range(len(frames)), np.empty(0, np.int64), np.empty((0, 6), np.int64), np.empty((0, len(FEED_FLOATS)))
    )
