"""The ring: what goes in comes out, what was handed out never changes."""

from __future__ import annotations

import gc
import itertools
import threading

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.batch import Depth, Event, Ticks
from ltpkit.instrument import Instrument, Instruments
from ltpkit.ring import DepthRing, EventLog, TickRing, memory, pick_loops
from ltpkit.ring.base import CACHED_SYMBOLS
from ltpkit.schema import FEED_FLOATS, TICKS, code_of, polars_schema

NAMES = ["RELIANCE", "TCS", "INFY", "SBIN", "ITC"]


def instruments(n: int = 5) -> Instruments:
    return Instruments(Instrument(exchange="NSE", symbol=name) for name in NAMES[:n])


def ticks(rows: list[tuple[int, float | None, float | None]], start: int = 0) -> Ticks:
    """Rows of (instrument number, ltp, bid)."""
    made = Ticks.blank(len(rows))
    for i, (who, ltp, bid) in enumerate(rows):
        made.instrument[i] = who
        made.timestamp[i] = 1_700_000_000_000_000 + start + i
        made.received_at[i] = 1_700_000_000_000_500 + start + i
        made.column("ltp")[i] = np.nan if ltp is None else ltp
        made.column("bid")[i] = np.nan if bid is None else bid
    return made


def ring(chunk_rows: int = 8, capacity_rows: int | None = None, first_seq: int = 1) -> TickRing:
    return TickRing(instruments(), capacity_rows=capacity_rows, chunk_rows=chunk_rows, first_seq=first_seq)


price = st.one_of(st.none(), st.floats(0.05, 1e6, allow_nan=False))
row = st.tuples(st.integers(0, 4), price, price)
batches = st.lists(st.lists(row, min_size=1, max_size=20), max_size=12)


@given(batches)
def test_rows_out_are_rows_in_across_every_wrap(
    data: list[list[tuple[int, float | None, float | None]]],
) -> None:
    held = ring()
    for rows in data:
        held.append(ticks(rows), "simulated")
    flat = [one for rows in data for one in rows]
    frame = held.frame()
    assert dict(frame.schema) == polars_schema("ticks")
    assert frame.columns == list(TICKS)
    assert frame["seq"].to_list() == list(range(1, len(flat) + 1))
    assert frame["symbol"].to_list() == [NAMES[who] for who, _, _ in flat]
    assert frame["ltp"].to_list() == [ltp for _, ltp, _ in flat]
    assert frame["bid"].to_list() == [bid for _, _, bid in flat]
    assert frame["ask"].null_count() == len(flat)


@given(batches)
def test_a_frame_that_was_handed_out_never_changes(
    data: list[list[tuple[int, float | None, float | None]]],
) -> None:
    held = ring(capacity_rows=16)
    kept: list[tuple[pl.DataFrame, list[tuple[object, ...]]]] = []
    for rows in data:
        held.append(ticks(rows), "simulated")
        held.stored_seq = held.last_seq
        for frame in (held.frame(), held.pick(0), held.latest()):
            kept.append((frame, frame.rows()))
    for frame, before in kept:
        assert frame.rows() == before


@given(batches)
def test_change_and_latest_equal_a_naive_recomputation(
    data: list[list[tuple[int, float | None, float | None]]],
) -> None:
    held = ring()
    for rows in data:
        held.append(ticks(rows), "simulated")
    before: dict[int, float] = {}
    newest: dict[int, dict[str, object]] = {}
    changes: list[float | None] = []
    percents: list[float | None] = []
    for seq, (who, ltp, bid) in enumerate((one for rows in data for one in rows), start=1):
        change = percent = None
        if ltp is not None:
            if who in before:
                change = ltp - before[who]
                percent = change * 100.0 / before[who]
            before[who] = ltp
        changes.append(change)
        percents.append(percent)
        known = newest.setdefault(who, {})
        known["seq"] = seq
        known |= {
            name: value
            for name, value in {"ltp": ltp, "bid": bid, "change": change, "change_percent": percent}.items()
            if value is not None
        }
    frame = held.frame()
    assert frame["change"].to_list() == changes
    assert frame["change_percent"].to_list() == percents
    latest = held.latest()
    assert latest["symbol"].to_list() == [NAMES[who] for who in sorted(newest)]
    for who, found in zip(sorted(newest), latest.iter_rows(named=True), strict=True):
        for name in ("seq", "ltp", "bid", "change", "change_percent"):
            assert found[name] == newest[who].get(name)


@given(batches)
def test_picking_a_symbol_equals_filtering_the_frame(
    data: list[list[tuple[int, float | None, float | None]]],
) -> None:
    held = ring()
    for rows in data:
        held.append(ticks(rows), "simulated")
        held.pick(int(held._instruments.symbol_codes[1]))  # fills what sealed chunks keep picked out
    for who, name in enumerate(NAMES):
        picked = held.pick(int(held._instruments.symbol_codes[who]))
        assert picked.equals(held.frame().filter(pl.col("symbol") == name))
        newest = held.newest(int(held._instruments.symbol_codes[who]))
        assert newest.equals(picked.tail(1))


def listed_twice() -> Instruments:
    """The same symbols on two exchanges."""
    return Instruments(
        Instrument(exchange=where, symbol=name) for where in ("NSE", "BSE") for name in NAMES[:2]
    )


number = st.sampled_from([None, 0.0, -0.0, 1.5])  # few, so that columns often have one value alone


@given(
    st.lists(
        st.tuples(st.lists(st.tuples(st.integers(0, 3), number, number), max_size=9), st.booleans()),
        max_size=16,
    ),
    st.integers(0, 40),
    st.sampled_from([1, 2**40]),
)
def test_a_symbol_is_picked_bit_for_bit_whatever_changes_or_has_left(
    data: list[tuple[list[tuple[int, float | None, float | None]], bool]], after: int, first_seq: int
) -> None:
    held = TickRing(listed_twice(), chunk_rows=8, capacity_rows=24, first_seq=first_seq)
    codes = {name: code_of("symbol", name) for name in NAMES[:2]}
    places = {None: None} | {name: code_of("exchange", name) for name in ("NSE", "BSE")}
    for rows, late in data:
        held.append(ticks(rows), "backfill" if late else "simulated")
        held.stored_seq = held.last_seq
        for after_seq in (0, first_seq + after):
            whole = held.frame(after_seq=after_seq)
            for (name, symbol), (place, exchange) in itertools.product(codes.items(), places.items()):
                picked = held.pick(symbol, exchange, after_seq=after_seq)
                expected = whole.filter(pl.col("symbol") == name)
                if place is not None:
                    expected = expected.filter(pl.col("exchange") == place)
                assert dict(picked.schema) == polars_schema("ticks")
                assert repr(picked.rows()) == repr(expected.rows())  # which tells 0.0 from -0.0


@pytest.mark.parametrize(
    ("rows", "changing", "lines", "start"),
    [
        ([], 3, 3, 0),
        ([0, 5], 3, 3, 0),
        ([0, 4], 3, 3, 9),
        ([0, 4], 3, 3, -1),
        ([0, 4], 2, 3, 0),
        ([0, 4], 3, 2, 0),
    ],
)
def test_rows_that_are_not_there_are_not_copied(
    rows: list[int], changing: int, lines: int, start: int
) -> None:
    there, to = np.arange(15).reshape(3, 5), np.zeros((lines, 10), np.int64)
    with pytest.raises(IndexError):
        pick_loops.gather(np.array(rows, np.uint32), np.ones(changing, np.bool_), there, to, start)
    assert not to.any()


def test_of_more_symbols_than_are_remembered_each_is_picked() -> None:
    many = Instruments(Instrument(exchange="NSE", symbol=f"S{i}") for i in range(3 * CACHED_SYMBOLS))
    held = TickRing(many, chunk_rows=64)
    for start in range(3):
        made = ticks([(who, float(who), None) for who in range(len(many))], start)
        held.append(made, "simulated")
        for code in many.symbol_codes[: len(many)]:
            picked = held.pick(int(code))
            assert picked.equals(held.frame().filter(pl.col("symbol").to_physical() == int(code)))
    assert len(held._picked) == CACHED_SYMBOLS


def test_what_was_picked_and_is_asked_for_again_is_not_copied_again() -> None:
    held = ring(chunk_rows=4)
    held.append(ticks([(0, 1.0, None), (1, 2.0, None)] * 8), "simulated")
    who = int(held._instruments.symbol_codes[0])
    first = held.pick(who)
    held.append(ticks([(1, 3.0, None), (0, 4.0, None)]), "simulated")
    again = held.pick(who)
    assert again["seq"].to_list() == [*range(1, 17, 2), 18]
    assert np.shares_memory(
        again["ltp"].get_chunks()[0].to_numpy(allow_copy=False), first["ltp"].to_numpy(allow_copy=False)
    )


def test_a_symbol_that_is_alone_is_picked_without_a_copy() -> None:
    held = ring(chunk_rows=4)
    held.append(ticks([(0, 1.0, None)] * 6), "simulated")
    picked = held.pick(int(held._instruments.symbol_codes[0]))
    chunks = [held._published.sealed[0].chunk, held._published.open]
    for column, chunk in zip(picked["ltp"].get_chunks(), chunks, strict=True):
        assert np.shares_memory(column.to_numpy(allow_copy=False), chunk.floats)


def test_a_sealed_chunk_is_handed_out_without_a_copy() -> None:
    held = ring(chunk_rows=4)
    held.append(ticks([(0, 1.0, 2.0)] * 4), "simulated")
    chunk = held._published.sealed[0].chunk
    column = held.frame()["ltp"].to_numpy(allow_copy=False)
    assert np.shares_memory(column, chunk.floats)
    codes = held.frame()["symbol"].to_physical().to_numpy(allow_copy=False)
    assert np.shares_memory(codes, chunk.symbol)


def test_the_oldest_chunk_leaves_only_once_it_is_stored() -> None:
    held = ring(chunk_rows=4, capacity_rows=8)
    for _ in range(3):
        held.append(ticks([(0, 1.0, None)] * 4), "simulated")
    assert held.rows == 12  # nothing is stored
    held.stored_seq = 8
    held.append(ticks([(0, 1.0, None)] * 4), "simulated")
    assert held.first_seq == 9
    assert held.rows == 8
    assert held.lost_rows == 0


def test_rows_that_leave_unstored_are_counted_and_told() -> None:
    told: list[tuple[int, int]] = []
    held = TickRing(
        instruments(), capacity_rows=8, chunk_rows=4, on_loss=lambda first, last: told.append((first, last))
    )
    held.stored_seq = 2
    for _ in range(6):
        held.append(ticks([(0, 1.0, None)] * 4), "simulated")
    assert held.rows <= 2 * 8
    assert told == [(3, 4), (5, 8)]
    assert held.lost_rows == 6


def test_memory_is_used_again_once_no_frame_is_left_of_it() -> None:
    table = instruments()

    def held(price: float) -> tuple[TickRing, int]:
        ring = TickRing(table, chunk_rows=2**17)  # large enough to be kept
        ring.append(ticks([(0, price, None)] * 10), "dhan")
        return ring, ring._published.open.floats.ctypes.data

    ring, first = held(1.0)
    frame = ring.frame()
    del ring
    gc.collect()
    ring, second = held(2.0)
    assert second != first  # the frame is still there
    assert frame["ltp"].to_list() == [1.0] * 10
    del frame, ring
    gc.collect()
    assert {held(3.0)[1], held(4.0)[1]} <= {first, second}


def test_no_more_is_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_kept", {})
    pieces = [memory.arrays((memory._MOST // 4, np.uint8)) for _ in range(6)]
    pieces.append(memory.arrays((memory._MOST * 2, np.uint8)))
    pieces.append(memory.arrays((memory._LEAST // 2, np.uint8)))
    del pieces
    gc.collect()
    assert 0 < sum(len(kept) for kept in memory._kept.values()) <= memory._MOST


def test_numbering_goes_on_from_the_store() -> None:
    held = ring(first_seq=101)
    assert held.last_seq == 100
    held.append(ticks([(0, 1.0, None)] * 3), "simulated")
    assert held.frame()["seq"].to_list() == [101, 102, 103]
    assert held.frame(after_seq=102)["seq"].to_list() == [103]
    assert held.frame(after_seq=103).is_empty()


def test_the_first_tick_after_a_restart_changes_from_the_last_stored_price() -> None:
    held = ring()
    held.seed("NSE:TCS", 100.0)
    held.append(ticks([(1, 103.0, None), (0, 5.0, None)]), "simulated")
    assert held.frame()["change"].to_list() == [3.0, None]


def test_more_instruments_than_planned_find_room() -> None:
    many = Instruments(Instrument(exchange="NSE", symbol=f"S{i}") for i in range(200))
    held = TickRing(many)
    made = ticks([(0, 1.0, None)] * 200)
    made.instrument[:] = np.arange(200)
    held.append(made, "simulated")
    assert held.latest().height == 200


@pytest.mark.parametrize(
    ("column", "given"),
    [
        ("instrument", np.array([0, 64], np.int32)),  # there is room for 64
        ("instrument", np.array([0, -1], np.int32)),
        ("timestamp", np.zeros(1, np.int64)),
        ("received_at", np.zeros(1, np.int64)),
        ("values", np.zeros((len(FEED_FLOATS), 1))),
        ("values", np.zeros((len(FEED_FLOATS) - 1, 2))),
    ],
)
def test_a_batch_that_does_not_fit_together_is_refused_and_changes_nothing(
    column: str, given: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
) -> None:
    held, batch = ring(), ticks([(0, 100.0, None), (1, 200.0, None)])
    setattr(batch, column, given)
    with pytest.raises(IndexError):
        held.append(batch, "test")
    assert held.rows == held.frame().height == held.latest().height == 0
    with pytest.raises(IndexError):
        held.append(ticks([(0, 100.0, None)] * 2), "test", left_out=np.ones(1, np.bool_))
    held.append(ticks([(0, 100.0, None)]), "test")
    assert held.latest()["ltp"].to_list() == [100.0]
    assert held.latest()["change"].to_list() == [None]


def test_readers_in_other_threads_see_whole_rows_only() -> None:
    held = ring(chunk_rows=64, capacity_rows=512)
    done = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        while not done.is_set():
            frame = held.frame()
            if frame["seq"].to_list() != list(range(frame["seq"][0], frame["seq"][-1] + 1)):
                wrong.append("seq")
            if (frame["ltp"] != frame["bid"]).any():
                wrong.append("a row half written")
            picked = held.pick(code_of("symbol", NAMES[3]))
            if not picked["seq"].is_sorted() or picked["symbol"].n_unique() != 1:
                wrong.append("rows picked")
            if (picked["ltp"] != picked["bid"]).any():
                wrong.append("a row picked that is half written")
            latest = held.latest()
            if (latest["ltp"] != latest["bid"]).any():
                wrong.append("newest values of two rows")

    held.append(ticks([(who, 1.0, 1.0) for who in range(5)]), "simulated")
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for n in range(2000):
        held.append(ticks([(i % 5, float(n), float(n)) for i in range(7)]), "simulated")
        held.stored_seq = held.last_seq
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []


def test_duckdb_queries_a_ring_by_name() -> None:
    import duckdb

    held = ring()
    held.append(ticks([(0, 10.0, None), (1, 20.0, None)]), "simulated")
    with duckdb.connect() as connection:
        connection.register("held", held)
        answer = connection.sql("SELECT symbol, ltp FROM held ORDER BY ltp").fetchall()
    assert answer == [("RELIANCE", 10.0), ("TCS", 20.0)]


def test_memory_is_near_the_bytes_of_the_columns() -> None:
    held = TickRing(instruments())
    for _ in range(200):
        held.append(ticks([(0, 1.0, None)] * 1000), "simulated")
    columns = 3 * 8 + (len(FEED_FLOATS) + 2) * 8 + 4 + 1 + 1
    assert held.nbytes() <= 1.2 * columns * 262_144  # four chunks are open or sealed for 200,000 rows


level = st.tuples(st.floats(0.05, 1e5), st.floats(1, 1e6))
book = st.tuples(st.integers(0, 4), st.lists(level, max_size=7), st.lists(level, max_size=7))


def depth(
    rows: list[tuple[int, list[tuple[float, float]], list[tuple[float, float]]]], *, counted: bool
) -> Depth:
    def flat(side: int, part: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([one[part] for made in rows for one in made[side]], np.float64)

    def ends(side: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.cumsum([len(made[side]) for made in rows], dtype=np.int64)

    return Depth(
        instrument=np.array([made[0] for made in rows], np.int32),
        timestamp=np.arange(len(rows), dtype=np.int64),
        received_at=np.arange(len(rows), dtype=np.int64),
        bid_ends=ends(1),
        bid_price=flat(1, 0),
        bid_qty=flat(1, 1),
        bid_orders=np.arange(len(flat(1, 0)), dtype=np.int32) if counted else None,
        ask_ends=ends(2),
        ask_price=flat(2, 0),
        ask_qty=flat(2, 1),
        ask_orders=None,
    )


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(book, min_size=1, max_size=9), st.booleans()), max_size=6))
def test_books_of_any_length_come_out_as_they_went_in(
    data: list[tuple[list[tuple[int, list[tuple[float, float]], list[tuple[float, float]]]], bool]],
) -> None:
    held = DepthRing(instruments(), chunk_rows=4)
    kept: list[tuple[pl.DataFrame, list[tuple[object, ...]]]] = []
    for rows, counted in data:
        held.append(depth(rows, counted=counted))
        kept.append((held.frame(), held.frame().rows()))
    flat = [one for rows, _ in data for one in rows]
    frame = held.frame()
    assert dict(frame.schema) == polars_schema("depth")
    assert frame["seq"].to_list() == list(range(1, len(flat) + 1))
    assert frame["symbol"].to_list() == [NAMES[who] for who, _, _ in flat]
    assert frame["bid_price"].to_list() == [[p for p, _ in bids] for _, bids, _ in flat]
    assert frame["ask_qty"].to_list() == [[q for _, q in asks] for _, _, asks in flat]
    orders = frame["bid_orders"].to_list()
    expected_counted = [counted for rows, counted in data for _ in rows]
    assert [values is not None for values in orders] == expected_counted
    assert frame["ask_orders"].null_count() == len(flat)
    for earlier, before in kept:
        assert earlier.rows() == before


@settings(max_examples=60)
@given(st.lists(st.lists(book, max_size=9), max_size=8), st.integers(0, 30))
def test_picking_the_books_of_a_symbol_equals_filtering_all(
    data: list[list[tuple[int, list[tuple[float, float]], list[tuple[float, float]]]]], after: int
) -> None:
    held = DepthRing(instruments(), chunk_rows=4, capacity_rows=12)
    for rows in data:
        held.append(depth(rows, counted=True))
        held.stored_seq = held.last_seq
        for after_seq in (0, after):
            for name in NAMES[:2]:
                picked = held.pick(code_of("symbol", name), after_seq=after_seq)
                assert picked.equals(held.frame(after_seq=after_seq).filter(pl.col("symbol") == name))


@pytest.mark.parametrize("levels", [[1] * 40, [30] * 9, [1] * 9 + [300, 1, 300] + [0] * 9, [300, 1]])
def test_the_room_for_levels_follows_the_books(levels: list[int]) -> None:
    held = DepthRing(instruments(), chunk_rows=4)
    for count in levels:
        side = [(100.0 + level, 1.0) for level in range(count)]
        held.append(depth([(0, side, side[: count // 2])], counted=True))
    frame = held.frame()
    assert frame["bid_price"].list.len().to_list() == levels
    assert frame["ask_price"].list.len().to_list() == [count // 2 for count in levels]
    assert frame["seq"].to_list() == [*range(1, len(levels) + 1)]


def test_events_are_numbered_and_leave_only_once_stored() -> None:
    log = EventLog(capacity_rows=10, first_seq=5)
    log.append([Event(at=i, kind="connected", detail={"n": i}) for i in range(30)])
    assert log.rows == 30
    log.stored_seq = 30
    log.append([Event(at=99, kind="gap", symbol="NSE:TCS", detail={"why": "test"})])
    frame = log.frame()
    assert dict(frame.schema) == polars_schema("events")
    assert frame["seq"].to_list() == list(range(frame["seq"][0], 36))
    assert log.rows == 10
    assert log.frame(after_seq=34).row(0) == (35, frame["at"][-1], "gap", "NSE:TCS", '{"why": "test"}')


@pytest.mark.parametrize("after", [0, 3, 4, 7, 8, 11, 12])
def test_the_rows_after_a_seq_are_the_rest(after: int) -> None:
    held = ring(chunk_rows=4)
    held.append(ticks([(0, 1.0, None)] * 11), "simulated")
    assert held.frame(after_seq=after)["seq"].to_list() == list(range(after + 1, 12))


def test_events_that_are_not_stored_leave_beyond_four_times_the_capacity_and_are_counted() -> None:
    log = EventLog(capacity_rows=10)
    log.journaled_seq = 4
    log.append([Event(at=n, kind="tested") for n in range(39)])
    assert (log.rows, log.lost_rows) == (39, 0)
    log.append([Event(at=39, kind="tested")])
    assert (log.first_seq, log.last_seq, log.rows) == (31, 40, 10)
    assert log.lost_rows == 26  # 5 to 30; those before are in the journal
    assert log.frame()["seq"].to_list() == list(range(31, 41))
