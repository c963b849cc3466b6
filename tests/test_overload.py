"""Overload: levels from what waits, what is left out at each, and that no trade is and books stay right."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

import ltpkit as lk
from ltpkit import feeds, overload, streamer
from ltpkit.batch import Batch, Depth, Event, Ticks
from ltpkit.book import Books
from ltpkit.feeds.dhan import Simulated
from ltpkit.intake import Intake
from ltpkit.overload import Overload, newest_books, newest_quotes
from ltpkit.schema import FEED_FLOATS
from tests.paths import SHARED, needs_shared
from tests.play import CaptureServer, read_capture

CAPTURE = SHARED / "recordings" / "crypto-ws" / "binance-usdm-btcusdt-20240808.txt.gz"


# -- levels ------------------------------------------------------------------------------------------


@pytest.fixture
def told() -> list[Event]:
    return []


def run(load: Overload, lags: list[float], *, start: float = 0.0) -> list[int]:
    """Beat each tenth of a second; return the level after each."""
    levels = []
    for n, lag in enumerate(lags):
        load.beat(lag, start + n / 10, round((start + n / 10) * 1e6))
        levels.append(load.level)
    return levels


def test_a_level_is_reached_by_being_behind_without_a_break(told: list[Event]) -> None:
    load = Overload(told.append)
    levels = run(load, [0.2] * 205)
    assert [levels.index(level) for level in (1, 2, 3)] == [10, 100, 200]
    assert [event.detail["level"] for event in told] == [1, 2, 3]
    assert told[1].detail["why"] == "0.20 s of traffic waits: books are thinned out"


def test_a_breath_taken_now_and_then_keeps_the_level_at_nothing(told: list[Event]) -> None:
    load = Overload(told.append)
    assert set(run(load, [*[0.2] * 9, 0.01] * 20)) == {0}
    assert told == []


def test_levels_are_left_one_at_a_time_and_not_at_the_first_calm(told: list[Event]) -> None:
    load = Overload(told.append)
    run(load, [0.2] * 202)
    assert set(run(load, [0.0] * 19 + [0.2], start=30)) == {3}
    levels = run(load, [0.0] * 70, start=50)
    assert [levels.index(level) for level in (2, 1, 0)] == [20, 40, 60]


def test_what_was_left_out_is_told_every_five_seconds_and_at_the_end(told: list[Event]) -> None:
    load = Overload(told.append)
    for n in range(300):
        load.beat(0.2 if n < 220 else 0.0, n / 10, n)
        if load.level >= overload.DEPTH:
            load.left_out["depth"] += 3
    gaps = [event for event in told if event.kind == "gap"]
    assert sum(int(str(event.detail["missing"])) for event in gaps) == load.left_out["depth"]
    assert 3 <= len(gaps) <= 5
    first = gaps[0].detail
    assert (first["why"], first["table"]) == ("overload: depth left out", "depth")
    assert all(one.detail["end"] == other.detail["start"] for one, other in pairwise(gaps))


# -- what is left out --------------------------------------------------------------------------------

levels = st.lists(st.floats(1, 100), max_size=4)


def depth_of(rows: list[tuple[int, list[float], list[float]]], *, orders: bool) -> Depth:
    sides: dict[str, Any] = {}
    for side, place in (("bid", 1), ("ask", 2)):
        flat = np.array([price for row in rows for price in row[place]])  # type: ignore[attr-defined]
        sides |= {f"{side}_ends": np.cumsum([len(row[place]) for row in rows]).astype(np.int64)}  # type: ignore[arg-type]
        sides |= {f"{side}_price": flat, f"{side}_qty": flat * 2}
        sides |= {f"{side}_orders": np.arange(len(flat), dtype=np.int32) if orders else None}
    times = np.arange(len(rows))
    who = np.array([row[0] for row in rows], np.int32)
    return Depth(instrument=who, timestamp=times, received_at=times + 1, **sides)


def books_in(depth: Depth) -> list[Any]:
    found, starts = [], {"bid": 0, "ask": 0}
    for row in range(len(depth)):
        book: list[Any] = [int(depth.instrument[row]), int(depth.timestamp[row]), int(depth.received_at[row])]
        for side in ("bid", "ask"):
            some = slice(starts[side], int(getattr(depth, f"{side}_ends")[row]))
            starts[side] = some.stop
            columns = (getattr(depth, f"{side}_{name}") for name in ("price", "qty", "orders"))
            book += [None if column is None else column[some].tolist() for column in columns]
        found.append(book)
    return found


@given(st.lists(st.tuples(st.integers(0, 3), levels, levels), min_size=1, max_size=20), st.booleans())
def test_of_books_the_newest_of_each_instrument_stays_whole(rows: Any, orders: bool) -> None:  # noqa: FBT001
    depth = depth_of(rows, orders=orders)
    newest = {book[0]: book for book in books_in(depth)}
    kept = books_in(newest_books(depth))
    assert sorted(kept) == sorted(newest.values())
    assert [book[1] for book in kept] == sorted(book[1] for book in kept)


values = st.one_of(st.just(float("nan")), st.floats(1, 9))


@given(st.lists(st.tuples(st.integers(0, 3), values, values, values), min_size=1, max_size=25))
def test_quotes_become_one_of_each_instrument_and_trades_stay_as_they_are(rows: Any) -> None:
    ticks = Ticks.blank(len(rows))
    ticks.instrument[:] = [row[0] for row in rows]
    ticks.timestamp[:] = ticks.received_at[:] = np.arange(len(rows))
    for place, name in enumerate(("ltp", "bid", "ask"), start=1):
        ticks.column(name)[:] = [row[place] for row in rows]
    before = ticks.values.copy()
    kept = newest_quotes(ticks)
    priced = ~np.isnan(before[0])
    trades = np.flatnonzero(~np.isnan(kept.values[0]))
    np.testing.assert_array_equal(kept.timestamp[trades], np.flatnonzero(priced))
    np.testing.assert_array_equal(kept.values[:, trades], before[:, priced])
    assert (np.diff(kept.timestamp) > 0).all()
    quotes = np.flatnonzero(np.isnan(kept.values[0]))
    of_each = {who: [p for p, row in enumerate(rows) if row[0] == who and not priced[p]] for who in range(4)}
    assert kept.timestamp[quotes].tolist() == sorted(places[-1] for places in of_each.values() if places)
    for place in quotes.tolist():
        said = before[:, of_each[int(kept.instrument[place])]]
        for line in range(1, len(FEED_FLOATS)):
            spoken = said[line][~np.isnan(said[line])]
            np.testing.assert_equal(kept.values[line, place], spoken[-1] if len(spoken) else np.nan)


# -- a stream ----------------------------------------------------------------------------------------


@pytest.fixture
def lag(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How far behind streams believe they are, to be set; levels change at the next look."""
    believed = [0.0]
    monkeypatch.setattr(streamer.Streamer, "_lag_s", lambda self, rate: believed[0])
    monkeypatch.setattr(streamer, "_LOAD_S", 0.01)
    monkeypatch.setattr(overload, "_UP_AFTER_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(overload, "_DOWN_AFTER_S", 0.0)
    return iter([believed])


@needs_shared
def test_under_the_highest_load_every_trade_is_stored_and_the_rest_adds_up(
    lag: Iterator[list[float]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    believed, made = next(lag), [0]
    apply = Books.apply

    def counting(books: Books, updates: Any) -> Any:
        applied = apply(books, updates)
        made[0] += 0 if applied.depth is None else len(applied.depth)
        return applied

    monkeypatch.setattr(Books, "apply", counting)
    lines = read_capture(CAPTURE)[:8_000]
    with CaptureServer(lines) as server:
        whole = lk.stream("BTCUSDT", feed="binance", kind="usdm", url=server.url, rest_url=server.rest_url)
        sent = sum(b'"stream"' in payload[:12] for _, payload in lines)
        assert whole._intake.wait_until(lambda: whole._intake.frames >= sent + len(server.requests), 60)
        whole.stop()
    believed[0], made[0] = 1.0, 0
    with CaptureServer(lines) as server:
        server.play_until(1)
        live = lk.stream(
            "BTCUSDT",
            feed="binance",
            kind="usdm",
            url=server.url,
            rest_url=server.rest_url,
            store=tmp_path / "load.duckdb",
            gather_s=0.02,
        )
        assert live._intake.wait_until(lambda: live.load == 3, 20)
        server.play_on()
        assert live._intake.wait_until(lambda: live._intake.frames >= sent + len(server.requests), 60)
        status = live.status()
        assert (status.load, status.left_out) == (3, dict(live._intake.overload.left_out))
        assert "OVERLOADED, level 3 of 3" in status.line()
        assert "left out under load" in status._repr_html_()
        believed[0] = 0.0
        assert live._intake.wait_until(lambda: live.load == 0, 20)
        assert live.flush()
        gaps = live.gaps().filter(pl.col("why").str.starts_with("overload"))
        ticks, books = live.ticks(), live.books()
        told = dict(
            gaps.group_by(pl.col("why").str.split(" ").list.get(1)).agg(pl.col("missing").sum()).rows()
        )
        live.stop()
    trades = pl.col("ltp").is_not_null()
    same = [name for name in ticks.columns if name not in ("seq", "received_at")]
    assert ticks.filter(trades).select(same).equals(whole.ticks().filter(trades).select(same))
    left_out = status.left_out
    assert ticks.height + left_out["quotes"] == whole.ticks().height
    assert books.height + left_out["depth"] == made[0] > 10 * books.height
    assert left_out["quotes"] > 1000
    assert told == left_out
    assert live.depth("BTCUSDT").equals(whole.depth("BTCUSDT"))
    assert live.latest().drop("seq", "received_at").equals(whole.latest().drop("seq", "received_at"))
    events = (
        live.events()
        .filter(pl.col("kind") == "overload")["detail"]
        .str.json_decode(pl.Struct({"level": pl.Int64}))
    )
    assert events.struct.field("level").to_list() == [3, 2, 1, 0]
    with lk.open(tmp_path / "load.duckdb") as archive:
        assert archive.ticks().equals(ticks)


class Slow(Simulated):
    """A feed whose decoder takes its time until it is told not to."""

    hurry = threading.Event()

    def decode(self, frames: Any, received_at: Any) -> Batch:
        if not self.hurry.is_set():
            self.hurry.wait(0.005 * len(frames))
        return Batch()


def test_a_server_that_sends_faster_than_we_take_raises_the_level_until_we_keep_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(overload, "_UP_AFTER_S", (0.1, 0.2, 0.3))
    monkeypatch.setattr(overload, "_DOWN_AFTER_S", 0.1)
    monkeypatch.setattr(streamer, "_LOAD_S", 0.02)
    monkeypatch.setattr("ltpkit.running._FIRST_TICK_S", 0.0)
    monkeypatch.setattr("ltpkit.sockets.reading._MAX_GATHERED", 64)
    monkeypatch.setitem(feeds._BUILT_IN, "slow", f"{__name__}:Slow")
    Slow.hurry.clear()
    enough = threading.Event()

    async def flood(line: ServerConnection) -> None:
        while not enough.is_set():
            await line.send(bytes(20_000))
        await line.wait_closed()

    ready, addresses = threading.Event(), []

    async def serving() -> None:
        async with serve(flood, "127.0.0.1", 0, compression=None) as server:
            addresses.append(server.sockets[0].getsockname()[1])
            ready.set()
            await asyncio.to_thread(done.wait)

    done = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serving()))
    thread.start()
    try:
        assert ready.wait(10)
        with lk.stream("NSE:INFY", feed="slow", url=f"ws://127.0.0.1:{addresses[0]}") as live:
            assert live._intake.wait_until(lambda: live.load == 3, 30)
            enough.set()
            Slow.hurry.set()
            assert live._intake.wait_until(lambda: live.load == 0, 30)
            levels = [
                json.loads(detail)["level"]
                for kind, detail in live.events().select("kind", "detail").iter_rows()
                if kind == "overload"
            ]
        assert levels[-1] == 0
        assert max(levels) == 3
    finally:
        enough.set()
        Slow.hurry.set()
        done.set()
        thread.join()


def test_a_stream_that_keeps_up_leaves_nothing_out() -> None:
    with lk.stream("NSE:INFY", rate=2000, name="calm") as live:
        assert live.wait(rows=200)
        assert isinstance(live._intake, Intake)
        assert live.load == 0
        assert live.status().left_out == {}
