"""Dhan's deep depth: fixtures with known answers, damage of every kind, and a line that carries it."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from websockets.sync.server import ServerConnection, serve

import ltpkit as lk
from ltpkit.batch import Batch, Depth
from ltpkit.errors import PlanError, SettingError, UnknownInstrument
from ltpkit.feeds import make
from ltpkit.feeds.dhan import Dhan
from ltpkit.feeds.dhan.depth_wire import DEEP_HEADER, DEEP_LEVEL
from ltpkit.instrument import Instrument, Instruments
from ltpkit.plan import spread

NOW = 1_766_302_999_123_456
LEVELS = {"depth20": 20, "depth200": 200}
KINDS = list(LEVELS)
RELIANCE = Instrument(exchange="NSE", symbol="RELIANCE", segment="NSE_EQ", broker_id="2885", tick_size=0.1)

Side = list[tuple[float, float, int]]


def feed(kind: str = "depth20", *known: Instrument) -> Dhan:
    return Dhan(instruments=Instruments(known), kind=kind)


def packet(
    code: int,
    levels: Sequence[tuple[float, int, int]],
    *,
    security_id: int = 2885,
    segment: int = 1,
    word: int | None = None,
    pad_to: int = 0,
) -> bytes:
    rows = np.array([*levels, *[(0, 0, 0)] * (pad_to - len(levels))], DEEP_LEVEL)
    length = DEEP_HEADER.itemsize + rows.nbytes
    header = (length, code, segment, security_id, len(levels) if word is None else word)
    return np.array(header, DEEP_HEADER).tobytes() + rows.tobytes()


def sides(depth: Depth | None) -> list[tuple[Side, Side]]:
    """The rows as they were sent: price, quantity, orders of each level."""
    if depth is None:
        return []
    rows: list[tuple[Side, Side]] = []
    for i in range(len(depth)):
        both: list[Side] = []
        for name in ("bid", "ask"):
            ends = getattr(depth, f"{name}_ends")
            span = slice(int(ends[i - 1]) if i else 0, int(ends[i]))
            columns = [getattr(depth, f"{name}_{what}")[span].tolist() for what in ("price", "qty", "orders")]
            both.append(list(zip(*columns, strict=True)))
        rows.append((both[0], both[1]))
    return rows


def expected_frames(kind: str) -> list[tuple[str, dict[str, Any]]]:
    from tests.paths import HAS_SHARED, SHARED

    if not HAS_SHARED:
        return []
    text = (SHARED / "feeds" / "fixtures" / f"dhan_{kind}" / "expected.json").read_text()
    return [(kind, frame) for frame in json.loads(text)["frames"]]


FRAMES = [one for kind in KINDS for one in expected_frames(kind)]


# --- the fixtures -------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "expected"), FRAMES, ids=[f"{k}-{f['file']}" for k, f in FRAMES])
def test_every_side_of_every_fixture_is_read_exactly(
    shared: Path, kind: str, expected: dict[str, Any]
) -> None:
    raw = (shared / "feeds" / "fixtures" / f"dhan_{kind}" / expected["file"]).read_bytes()
    assert len(raw) == expected["bytes"]
    dhan = feed(kind)
    batch = dhan.decode([raw], NOW)

    newest: dict[tuple[int, int], dict[int, Side]] = {}
    rows: list[tuple[Side, Side]] = []
    names: list[str] = []
    for piece in expected["by_length"]:
        if piece["response_code"] not in (41, 51):
            continue
        read: Side = [
            (level["price"], float(level["quantity"]), level["orders"])
            for level in piece["oracle"]["depth"]
            if level["price"]
        ]
        book = newest.setdefault((piece["exchange_segment"], piece["security_id"]), {41: [], 51: []})
        book[piece["response_code"]] = read
        rows.append((book[41], book[51]))
        exchange = {1: "NSE", 2: "NFO"}[piece["exchange_segment"]]
        names.append(f"{exchange}:{piece['security_id']}")
    assert sides(batch.depth) == rows
    table = dhan._table
    assert [table[n].name for n in (batch.depth.instrument.tolist() if batch.depth else [])] == names

    unknown = [piece for piece in expected["by_length"] if piece["response_code"] == 99]
    cut = expected["unconsumed_bytes"] > 0 or not raw
    assert len(batch.rejects) == len(unknown) + cut
    if cut:
        assert len(batch.rejects[-1].frame) == expected["unconsumed_bytes"]
    assert batch.ticks is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("file", "code", "then"),
    [("disconnect_documented_form.bin", 805, "retry"), ("disconnect_sdk_form.bin", 807, "login")],
)
def test_both_forms_of_a_disconnect_are_understood(
    shared: Path, kind: str, file: str, code: int, then: str
) -> None:
    raw = (shared / "feeds" / "fixtures" / f"dhan_{kind}" / file).read_bytes()
    batch = feed(kind).decode([raw], NOW)
    assert batch.goodbye is not None
    assert (batch.goodbye.code, batch.goodbye.then) == (code, then)
    assert [event.kind for event in batch.events] == ["goodbye"]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("truncated_bid_to_11.bin", "cut short: 11 bytes where a header has 12"),
        ("truncated_bid_to_12.bin", "length field says 332, 12 bytes are there"),
        ("truncated_empty.bin", "empty message"),
        ("length_zero.bin", "length field says 0, 332 bytes are there"),
        ("length_negative.bin", "length field says -1, 332 bytes are there"),
        ("length_too_long.bin", "length field says 333, 332 bytes are there"),
        ("unknown_code.bin", "unknown response code 99"),
    ],
)
def test_a_reject_says_what_is_wrong(shared: Path, file: str, reason: str) -> None:
    raw = (shared / "feeds" / "fixtures" / "dhan_depth20" / file).read_bytes()
    (reject,) = feed().decode([raw], NOW).rejects
    assert (reject.reason, reject.frame, reject.received_at) == (reason, raw, NOW)


# --- what a row holds ---------------------------------------------------------------------------


def test_each_packet_gives_a_row_with_the_newest_of_both_sides_across_messages() -> None:
    dhan = feed()
    bid, better, ask = [(99.5, 10, 1), (99.4, 20, 2)], [(99.6, 5, 1)], [(99.9, 7, 3)]
    first = dhan.decode([packet(41, bid)], NOW)
    then = dhan.decode([packet(51, ask), packet(41, better)], np.array([NOW + 1, NOW + 2]))
    assert sides(first.depth) == [(bid, [])]
    assert sides(then.depth) == [(bid, ask), (better, ask)]
    assert then.depth is not None
    assert then.depth.received_at.tolist() == then.depth.timestamp.tolist() == [NOW + 1, NOW + 2]


def test_a_side_is_complete_so_levels_that_are_gone_do_not_stay() -> None:
    dhan = feed()
    dhan.decode([packet(41, [(99.5, 10, 1), (99.4, 20, 2)]), packet(51, [(99.9, 7, 3)])], NOW)
    assert sides(dhan.decode([packet(41, [])], NOW).depth) == [([], [(99.9, 7, 3)])]


def test_the_same_id_in_two_segments_is_two_books() -> None:
    dhan = feed()
    frame = packet(41, [(10.0, 1, 1)], segment=1) + packet(51, [(20.0, 2, 2)], segment=2)
    depth = dhan.decode([frame], NOW).depth
    assert depth is not None
    assert sides(depth) == [([(10.0, 1, 1)], []), ([], [(20.0, 2, 2)])]
    assert [dhan._table[n].name for n in depth.instrument] == ["NSE:2885", "NFO:2885"]


def test_a_known_instrument_has_its_symbol() -> None:
    dhan = Dhan(instruments=(table := Instruments()), kind="depth20", known=[RELIANCE])
    depth = dhan.decode([packet(41, [(10.0, 1, 1)])], NOW).depth
    assert depth is not None
    assert table[int(depth.instrument[0])] == RELIANCE


def test_a_new_subscription_starts_with_no_remembered_side() -> None:
    dhan = feed("depth20", RELIANCE)
    dhan.decode([packet(51, [(99.9, 7, 3)])], NOW)
    dhan.subscribe([RELIANCE])  # as after a reconnect
    assert sides(dhan.decode([packet(41, [(99.5, 1, 1)])], NOW).depth) == [([(99.5, 1, 1)], [])]


def test_a_level_without_a_price_is_none_wherever_it_stands() -> None:
    levels = [(0.0, 5, 1), (99.5, 0, 0), (float("nan"), 1, 1), (float("inf"), 1, 1), (99.4, 1, 1)]
    assert sides(feed().decode([packet(41, levels)], NOW).depth) == [([(99.5, 0, 0), (99.4, 1, 1)], [])]


def test_counts_of_orders_beyond_our_integers_stay_positive() -> None:
    (row,) = sides(feed().decode([packet(41, [(99.5, 2**32 - 1, 2**32 - 1)])], NOW).depth)
    assert row[0] == [(99.5, 2.0**32 - 1, 2**31 - 1)]


def test_rows_behind_the_count_of_the_200_level_header_do_not_count() -> None:
    levels = [(99.5 - i, i + 1, 1) for i in range(5)]
    deep = feed("depth200").decode([packet(41, levels, word=2)], NOW)
    assert sides(deep.depth) == [(levels[:2], [])]
    number = feed("depth20").decode([packet(41, levels, word=2)], NOW)
    assert sides(number.depth) == [(levels, [])]


def test_books_without_end_are_not_remembered_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltpkit.feeds.dhan.depth.MOST_MET", 100)  # one place is for those that are not
    decode = feed()
    for number in range(150):
        bid, ask = (packet(code, [(100.0, number, 1)], security_id=number) for code in (41, 51))
        first, second = sides(decode.decode([bid, ask], NOW).depth)
        kept = number < 99
        assert first == ([(100.0, number, 1)], [])
        assert second == ([(100.0, number, 1)] if kept else [], [(100.0, number, 1)])
    assert sides(decode.decode([packet(51, [], security_id=98)], NOW).depth) == [([(100.0, 98, 1)], [])]


@pytest.mark.parametrize("kind", KINDS)
def test_a_side_longer_than_the_feeds_is_rejected_and_the_next_is_read(kind: str) -> None:
    too_long = packet(41, [(99.5, 1, 1)] * (LEVELS[kind] + 1))
    batch = feed(kind).decode([too_long + packet(51, [(99.9, 1, 1)])], NOW)
    assert sides(batch.depth) == [([], [(99.9, 1, 1)])]
    assert [reject.frame for reject in batch.rejects] == [too_long]


def test_a_segment_that_cannot_be_one_is_rejected_and_an_unassigned_one_kept() -> None:
    dhan = feed()
    batch = dhan.decode([packet(41, [(1.0, 1, 1)], segment=6), packet(41, [(1.0, 1, 1)], segment=99)], NOW)
    assert batch.depth is not None
    assert [dhan._table[n].name for n in batch.depth.instrument] == ["SEGMENT_6:2885"]
    assert [reject.reason for reject in batch.rejects] == ["unknown exchange segment 99"]


def test_packets_decoded_together_and_one_by_one_give_the_same_rows() -> None:
    rng = np.random.default_rng(7)
    frames = []
    for _ in range(200):
        frame = b""
        for _ in range(int(rng.integers(1, 5))):
            levels = [
                (float(rng.integers(0, 50)), int(rng.integers(1, 9)), 1) for _ in range(rng.integers(21))
            ]
            frame += packet(int(rng.choice([41, 51])), levels, security_id=int(rng.integers(1, 6)))
        frames.append(frame)
    together = sides(feed().decode(frames, NOW).depth)
    alone = feed()
    assert together == [row for frame in frames for row in sides(alone.decode([frame], NOW).depth)]


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(packet(41, [], security_id=8), id="a book that is new"),
        pytest.param(packet(41, [(9.5, 1, 1)] * 20, security_id=7), id="a longer side"),
        pytest.param(packet(41, [], security_id=7) * 9, id="more sides than messages"),
        pytest.param(b"", id="damage"),
        pytest.param(packet(50, []), id="a goodbye"),
    ],
)
def test_whatever_comes_last_the_rows_before_it_begin_with_what_was_kept(last: bytes) -> None:
    dhan = feed()
    dhan.decode([packet(41, [(99.5, 1, 1)]), packet(41, [(9.5, 1, 1)], security_id=7)], NOW)
    depth = dhan.decode([packet(51, [(99.9, 7, 3)]), packet(41, [(99.6, 2, 2)]), last], NOW).depth
    first, second = ([(99.5, 1, 1)], [(99.9, 7, 3)]), ([(99.6, 2, 2)], [(99.9, 7, 3)])
    assert sides(depth)[:2] == [first, second]
    assert sides(dhan.decode([packet(51, [])], NOW).depth) == [([(99.6, 2, 2)], [])]


def test_a_message_of_empty_sides_takes_no_room_for_levels() -> None:
    count = 20_000
    dhan, frame = feed("depth200"), packet(41, []) * count
    tracemalloc.start()
    try:
        depth = dhan.decode([frame], NOW).depth
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert depth is not None
    assert len(depth) == count
    assert most < 20 * len(frame)


# --- damage -------------------------------------------------------------------------------------


def accounted(batch: Batch, frames: Sequence[bytes]) -> None:
    """Every row has whole levels with prices; nothing is larger than what was sent."""
    assert sum(len(reject.frame) for reject in batch.rejects) <= sum(map(len, frames))
    if batch.depth is not None:
        for bids, asks in sides(batch.depth):
            for price, qty, orders in (*bids, *asks):
                assert np.isfinite(price)
                assert price != 0
                assert qty >= 0
                assert orders >= 0


@given(kind=st.sampled_from(KINDS), frames=st.lists(st.binary(max_size=400), max_size=5))
def test_any_bytes_become_rows_or_rejects(kind: str, frames: list[bytes]) -> None:
    batch = feed(kind).decode(frames, NOW)
    accounted(batch, frames)
    if any(frames):
        assert batch.rejects or batch.depth is not None or batch.goodbye is not None


@settings(max_examples=200)
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_any_cut_and_any_bit_flip_become_rows_or_rejects(data: st.DataObject, kind: str) -> None:
    whole = packet(41, [(99.5, 1, 1)] * 7) + packet(51, [(99.9, 2, 2)] * 20) + packet(41, [])
    cut = data.draw(st.integers(0, len(whole)))
    batch = feed(kind).decode([whole[:cut]], NOW)
    accounted(batch, [whole])
    ends = [0, 124, 456, 468]
    assert len(sides(batch.depth)) == sum(end <= cut for end in ends[1:])
    assert len(batch.rejects) == (cut not in ends or cut == 0)

    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    accounted(feed(kind).decode([bytes(damaged)], NOW), [whole])


# --- addresses and requests ---------------------------------------------------------------------


def test_the_addresses_hold_the_login_and_no_version() -> None:
    made = {
        kind: Dhan(instruments=Instruments(), kind=kind, client_id="100", token="a&b").address()
        for kind in KINDS
    }
    query = "?token=a%26b&clientId=100&authType=2"
    assert made == {
        "depth20": f"wss://depth-api-feed.dhan.co/twentydepth{query}",
        "depth200": f"wss://full-depth-api.dhan.co/{query}",
    }
    other = Dhan(
        instruments=Instruments(),
        kind="depth200",
        client_id="100",
        token="t",
        url="wss://full-depth-api.dhan.co/twohundreddepth",
    )
    assert other.address().startswith("wss://full-depth-api.dhan.co/twohundreddepth?token=t")


def test_the_20_level_feed_takes_lists_of_50() -> None:
    many = [Instrument(exchange="NSE", symbol=f"S{i}", segment="NSE_EQ", broker_id=str(i)) for i in range(60)]
    first, second = map(json.loads, feed().subscribe(many))
    assert (first["RequestCode"], first["InstrumentCount"], len(first["InstrumentList"])) == (23, 50, 50)
    assert first["InstrumentList"][0] == {"ExchangeSegment": "NSE_EQ", "SecurityId": "0"}
    assert second["InstrumentCount"] == 10
    (end,) = map(json.loads, feed().unsubscribe(many[:2]))
    assert (end["RequestCode"], end["InstrumentCount"]) == (24, 2)


def test_the_200_level_feed_takes_one_in_a_flat_request() -> None:
    dhan = feed("depth200")
    assert list(map(json.loads, dhan.subscribe([RELIANCE]))) == [
        {"RequestCode": 23, "ExchangeSegment": "NSE_EQ", "SecurityId": "2885"}
    ]
    assert list(map(json.loads, dhan.unsubscribe([RELIANCE]))) == [
        {"RequestCode": 24, "ExchangeSegment": "NSE_EQ", "SecurityId": "2885"}
    ]


def test_the_limits_are_the_deep_feeds_own() -> None:
    many = [
        Instrument(exchange="NSE", symbol=f"S{i}", segment="NSE_EQ", broker_id=str(i)) for i in range(251)
    ]
    assert [len(held) for held in spread(many[:60], [], feed("depth20").limits)] == [50, 10]
    assert [len(held) for held in spread(many[:3], [], feed("depth200").limits)] == [1, 1, 1]
    with pytest.raises(PlanError, match="251 instruments were asked for and 250 fit"):
        spread(many, [], feed("depth20").limits)
    with pytest.raises(PlanError, match="6 instruments were asked for and 5 fit"):
        spread(many[:6], [], feed("depth200").limits)
    assert feed("live").limits.per_connection == 5000


@pytest.mark.parametrize("symbol", ["BSE_EQ:500325", "IDX_I:13", "MCX_COMM:4001"])
def test_parts_without_deep_depth_are_refused(symbol: str) -> None:
    with pytest.raises(UnknownInstrument, match="carries NSE shares and NFO contracts only"):
        feed().resolve(symbol)
    assert feed("live").resolve(symbol).broker_id
    assert feed().resolve("NSE_FNO:35001").exchange == "NFO"


def test_an_unknown_kind_names_the_kinds() -> None:
    with pytest.raises(SettingError, match="Kinds: live, depth20, depth200"):
        make("dhan", Instruments(), kind="depth30")
    with pytest.raises(SettingError, match=r"Kinds: live\."):
        make("simulated", Instruments(), kind="depth20")


# --- the whole path -----------------------------------------------------------------------------


class DepthServer:
    """Answers each subscription of an instrument with a bid and an ask, stacked in one message."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self._server = serve(self._serve, "127.0.0.1", 0, compression=None)
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/twentydepth"

    def _serve(self, line: ServerConnection) -> None:
        assert line.request is not None
        self.paths.append(line.request.path)
        for message in line:
            request = json.loads(message)
            self.requests.append(request)
            for one in request["InstrumentList"]:
                number = int(one["SecurityId"])
                bids = [(100.0 - i / 20, 10 + i, 1) for i in range(20)]
                asks = [(100.05 + i / 20, 20 + i, 2) for i in range(20)]
                line.send(packet(41, bids, security_id=number) + packet(51, asks, security_id=number))

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(5)


@pytest.fixture
def server() -> Iterator[DepthServer]:
    made = DepthServer()
    yield made
    made.stop()


def test_deep_depth_goes_from_the_socket_to_duckdb(server: DepthServer, tmp_path: Path) -> None:
    live = lk.stream(
        "RELIANCE",
        feed="dhan",
        kind="depth20",
        url=server.url,
        client_id="100",
        token="s3cret",
        known=[RELIANCE],
        store=tmp_path / "deep.duckdb",
    )
    try:
        live._intake.wait_until(lambda: live._depth_ring.last_seq >= 2, 10)
        depth = live.depth("RELIANCE")
        assert depth.height == 20
        assert live.drain()
    finally:
        live.stop()
    assert server.paths[0] == "/twentydepth?token=s3cret&clientId=100&authType=2"
    assert server.requests[0]["RequestCode"] == 23
    with lk.open(tmp_path / "deep.duckdb") as held:
        rows = held.sql(
            "SELECT symbol, len(bid_price), len(ask_price), bid_price[1] AS bid, ask_price[1] AS ask, "
            "ask_orders[1] FROM realtime_depth ORDER BY seq"
        )
    assert rows.rows() == [("RELIANCE", 20, 0, 100.0, None, None), ("RELIANCE", 20, 20, 100.0, 100.05, 2)]
