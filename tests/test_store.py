"""The store: rows out are rows in, each once, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit import schema
from ltpkit.bars import bars
from ltpkit.errors import NotAStore, SettingError, StoreError, StoreLocked, StoreTooNew
from ltpkit.store import Store, migrate, opening
from ltpkit.store.handover import after, to_arrow
from ltpkit.store.pushdown import prefilter, without_hints
from tests.paths import ROOT

MIDNIGHT = 1_767_744_000_000_000  # 2026-01-07, UTC
SYMBOLS = (("NSE", "INFY"), ("NSE", "TCS"), ("BSE", "INFY"), ("BINANCE", "BTCUSDT"))
EMPTY = {table: pl.DataFrame(schema=schema.polars_schema(table)) for table in ("ticks", "depth", "events")}


def ticks(count: int, first: int = 1, *, seed: int = 0, step_us: int = 50_000) -> pl.DataFrame:
    """Ticks with everything that occurs: quotes, nulls, late times, a total that begins anew."""
    rng = random.Random(f"{seed} {first} {count}")
    rows: list[dict[str, Any]] = []
    for seq in range(first, first + count):
        exchange, symbol = rng.choice(SYMBOLS)
        received = MIDNIGHT + seq * step_us
        row: dict[str, Any] = dict.fromkeys(schema.TICKS)
        row |= {"seq": seq, "symbol": symbol, "exchange": exchange, "source": "test"}
        row |= {"received_at": received, "timestamp": received - rng.choice((0, 0, 0, 1_000, 90_000_000))}
        if rng.random() < 0.8:
            row |= {"ltp": rng.randrange(1, 4_000) / 8, "ltq": float(rng.randrange(9))}
            row |= {"change": rng.randrange(-9, 9) / 8, "change_percent": rng.random()}
        if exchange != "BINANCE" and rng.random() < 0.9:
            row["volume"] = float(seq % 5_000)
        if rng.random() < 0.5:
            row |= {"bid": 1.5, "ask": 1.75, "close_price": 100.0}
        rows.append(row)
    types = schema.polars_schema("ticks")
    integers = {name: pl.Int64() for name in ("timestamp", "received_at")}
    return pl.DataFrame(rows, schema={**types, **integers}).cast({name: types[name] for name in integers})


def books(count: int, first: int = 1) -> pl.DataFrame:
    at = datetime.fromtimestamp(MIDNIGHT / 1e6, UTC)
    return pl.DataFrame(
        {
            "seq": range(first, first + count),
            "symbol": "INFY",
            "exchange": "NSE",
            "timestamp": at,
            "received_at": at,
            "bid_price": [[9.5, 9.0][: n % 3] for n in range(count)],
            "bid_qty": [[1.0, 2.0][: n % 3] for n in range(count)],
            "bid_orders": [None if n % 2 else [1, 2][: n % 3] for n in range(count)],
            "ask_price": [[10.0]] * count,
            "ask_qty": [[3.0]] * count,
            "ask_orders": [[4]] * count,
        },
        schema=schema.polars_schema("depth"),
    )


def events(count: int, first: int = 1) -> pl.DataFrame:
    at = datetime.fromtimestamp(MIDNIGHT / 1e6, UTC)
    return pl.DataFrame(
        {
            "seq": range(first, first + count),
            "at": at,
            "kind": "gap",
            "symbol": ["NSE:INFY" if n % 2 else None for n in range(count)],
            "detail": '{"why": "it\'s a test"}',
        },
        schema=schema.polars_schema("events"),
    )


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "the ticks.duckdb" if request.param == "file" else None) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ticks.duckdb"


def run(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


# -- rows in, rows out -------------------------------------------------------------------------------


def test_rows_come_out_as_they_went_in(store: Store) -> None:
    given_ticks, given_books, given_events = ticks(2_000), books(7), events(5)
    store.append(ticks=given_ticks, depth=given_books, events=given_events)
    assert store.read("ticks").equals(given_ticks)
    assert store.read("depth").equals(given_books)
    assert store.read("events").equals(given_events)
    assert dict(store.read("ticks").schema) == schema.polars_schema("ticks")
    assert store.positions() == {"ticks": 2_000, "depth": 7, "events": 5}
    assert [store.rows(table) for table in ("ticks", "depth", "events")] == [2_000, 7, 5]


def test_rows_are_the_same_after_a_restart(path: Path) -> None:
    with Store(path) as store:
        store.append(ticks=ticks(500), depth=books(3))
    with Store(path) as store:
        assert store.positions() == {"ticks": 500, "depth": 3, "events": 0}
        assert store.rows("ticks") == 500
        store.append(ticks=ticks(500, 501))
        assert store.read("ticks").equals(pl.concat([ticks(500), ticks(500, 501)]))
    with Store(path, read_only=True) as store:
        assert store.read("depth").equals(books(3))
        assert store.read("ticks").height == 1_000


def test_a_new_store_has_no_rows_and_numbering_starts_at_one(store: Store) -> None:
    assert store.positions() == {"ticks": 0, "depth": 0, "events": 0}
    for table, none in EMPTY.items():
        assert store.read(table).equals(none)
    assert store.latest().equals(EMPTY["ticks"])
    assert store.names() == []


def test_a_file_is_cached_in_half_a_gigabyte_at_most(path: Path) -> None:
    with Store(path) as store:
        assert store.sql("SELECT current_setting('memory_limit')").item() == "488.2 MiB"


def test_a_batch_sent_again_is_stored_once(store: Store) -> None:
    store.append(ticks=ticks(100), events=events(2))
    store.append(ticks=ticks(100), events=events(2))
    both = pl.concat([ticks(100), ticks(50, 101)])
    store.append(ticks=both.slice(80))
    assert store.read("ticks").equals(both)
    assert store.rows("ticks") == 150
    assert store.rows("events") == 2


def test_nothing_to_store_is_no_error(store: Store) -> None:
    store.append()
    store.append(ticks=EMPTY["ticks"], depth=EMPTY["depth"])
    assert store.rows("ticks") == 0


def test_a_frame_of_many_chunks_and_one_of_other_names_are_stored_alike(store: Store) -> None:
    parts = [ticks(10, 1 + 10 * n) for n in range(5)]
    store.append(ticks=pl.concat(parts, rechunk=False))
    assert store.read("ticks").equals(pl.concat(parts))


def test_frames_of_other_types_are_refused(store: Store) -> None:
    wrong = ticks(3).cast({"symbol": pl.String})
    with pytest.raises(ValueError, match="other columns or types"):
        store.append(ticks=wrong)
    with pytest.raises(ValueError, match="other columns or types"):
        store.append(ticks=ticks(3).select(pl.all().exclude("oi"), "oi"))


@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=6),
    back=st.lists(st.integers(0, 40), min_size=6, max_size=6),
)
@settings(max_examples=25, deadline=None)
def test_overlapping_batches_leave_each_row_once(lengths: list[int], back: list[int]) -> None:
    whole = ticks(sum(lengths))
    with Store() as store:
        for end, overlap in zip(itertools.accumulate(lengths), back, strict=False):
            start = max(0, min(end - overlap, store.positions()["ticks"]))
            store.append(ticks=whole.slice(start, end - start))
            assert store.positions()["ticks"] == end
        assert store.read("ticks").equals(whole)


# -- reading ------------------------------------------------------------------------------------------


def test_reading_can_be_narrowed(store: Store) -> None:
    everything = ticks(400)
    store.append(ticks=everything, events=events(4))
    infy = everything.filter(pl.col("symbol") == "INFY")
    assert store.read("ticks", symbols=[("", "INFY")]).equals(infy)
    assert store.read("ticks", symbols=[("NSE", "INFY")]).equals(infy.filter(pl.col("exchange") == "NSE"))
    two = [("BSE", "INFY"), ("NSE", "TCS")]
    expected = everything.filter(
        (pl.col("exchange") == "BSE") | (pl.col("symbol") == "TCS") & (pl.col("exchange") == "NSE")
    )
    assert store.read("ticks", symbols=two).equals(expected)
    assert store.read("ticks", symbols=two, last=5).equals(expected.tail(5))
    assert store.read("ticks", after_seq=390).equals(everything.tail(10))
    assert store.read("ticks", symbols=[]).height == 0
    assert store.read("ticks", symbols=[("NSE", "it's; DROP TABLE realtime_ltp")]).height == 0
    assert store.read("events", symbols=[("NSE", "INFY")]).height == 2
    assert store.read("events", symbols=[("", "INFY")]).height == 2


def test_unknown_rows_are_refused_by_name(store: Store) -> None:
    with pytest.raises(SettingError, match="'tick'; there are ticks, depth, events"):
        store.read("tick")


def test_names_follow_what_is_stored(store: Store) -> None:
    store.append(ticks=ticks(200))
    assert store.names() == ["BINANCE:BTCUSDT", "BSE:INFY", "NSE:INFY", "NSE:TCS"]
    more = ticks(1, 201).with_columns(symbol=pl.lit("NEW").cast(schema.categories("symbol")))
    store.append(ticks=more)
    assert any(name.endswith(":NEW") for name in store.names())


# -- views --------------------------------------------------------------------------------------------


def last_known(frame: pl.DataFrame) -> pl.DataFrame:
    columns = [name for name in frame.columns if name not in ("symbol", "exchange")]
    return (
        frame.group_by("exchange", "symbol")
        .agg(pl.col(name).drop_nulls().last() for name in columns)
        .sort("exchange", "symbol")
        .select(list(schema.TICKS))
    )


def test_latest_holds_the_last_known_value_of_every_column(store: Store) -> None:
    everything = ticks(600)
    store.append(ticks=everything)
    assert store.latest().equals(last_known(everything))
    found = store.sql("FROM latest_ltp ORDER BY exchange, symbol")
    assert found.columns == list(schema.TICKS)
    assert found.cast(schema.polars_schema("ticks")).equals(last_known(everything))


def test_changes_tell_the_change_from_the_tick_and_the_day_before(store: Store) -> None:
    everything = ticks(300)
    store.append(ticks=everything)
    found = store.sql("FROM ltp_changes ORDER BY seq")
    priced = everything.filter(pl.col("ltp").is_not_null())
    assert found["seq"].to_list() == priced["seq"].to_list()
    assert found["change"].to_list() == priced["change"].to_list()
    assert found["change_percent"].to_list() == priced["change_percent"].to_list()
    day = priced["ltp"] - priced["close_price"]
    assert found["day_change"].to_list() == day.to_list()
    percent = (100 * day / priced["close_price"]).to_list()
    assert found["day_change_percent"].to_list() == percent


@pytest.mark.parametrize("seed", range(6))
def test_the_bars_of_sql_are_the_bars_of_polars(seed: int) -> None:
    everything = ticks(1_500, seed=seed, step_us=400_000 + 3_000_000 * seed)
    with Store() as store:
        store.append(ticks=everything.head(700))
        found = store.sql("FROM bars_1m", memory={"ticks": everything.slice(500)})
    expected = bars(everything, "1m")
    assert found.columns == expected.columns
    assert found.cast(dict(expected.schema)).sort("symbol", "exchange", "start").equals(expected)


def test_an_empty_store_has_empty_views(store: Store) -> None:
    for view in ("ticks", "latest_ltp", "ltp_changes", "bars_1m", "realtime_depth", "feed_events"):
        assert store.sql(f"FROM {view}").height == 0


# -- SQL over stored rows and memory --------------------------------------------------------------------


@pytest.mark.parametrize("stored", [0, 1, 250, 399, 400])
@pytest.mark.parametrize("kept", [0, 250, 399])
def test_each_row_is_seen_once_however_much_is_stored(store: Store, stored: int, kept: int) -> None:
    everything, all_books, all_events = ticks(400), books(400), events(400)
    store.append(ticks=everything.head(stored), depth=all_books.head(stored), events=all_events.head(stored))
    from_memory = min(kept, stored)  # memory lets go of stored rows only
    memory = {
        "ticks": everything.slice(from_memory),
        "depth": all_books.slice(from_memory),
        "events": all_events.slice(from_memory),
    }
    for name in ("ticks", "realtime_ltp", "realtime_depth", "feed_events"):
        found = store.sql(f"SELECT count(*), count(DISTINCT seq), max(seq) FROM {name}", memory=memory)
        assert found.row(0) == (400, 400, 400)
    found = store.sql("FROM ticks ORDER BY seq", memory=memory)
    assert found.cast(schema.polars_schema("ticks")).equals(everything)
    latest = store.sql("FROM latest_ltp ORDER BY exchange, symbol", memory=memory)
    assert latest.cast(schema.polars_schema("ticks")).equals(last_known(everything))
    changes = store.sql("SELECT count(*) FROM ltp_changes", memory=memory).item()
    assert changes == everything["ltp"].count()
    depth = store.sql("FROM realtime_depth ORDER BY seq", memory=memory)
    assert depth.cast(schema.polars_schema("depth")).equals(all_books)


def test_rows_are_seen_once_while_a_writer_flushes(store: Store) -> None:
    everything = ticks(30_000)
    arrived, stop, wrong = [0], threading.Event(), []

    def receive_and_flush() -> None:
        while not stop.is_set() and arrived[0] < everything.height:
            arrived[0] += 150
            start = store.positions()["ticks"]
            store.append(ticks=everything.slice(start, max(0, arrived[0] - start - arrived[0] % 4)))

    def read() -> int:
        reads = 0
        while not stop.is_set() and arrived[0] < everything.height:
            here = arrived[0]
            let_go = store.positions()["ticks"]  # what memory may have dropped by then
            memory = {"ticks": everything.slice(min(let_go, here) // 2, here - min(let_go, here) // 2)}
            # The snapshot is taken; the writer goes on storing past it.
            found = store.sql(
                "SELECT count(*), sum(seq)::BIGINT, max(seq), (SELECT count(*) FROM latest_ltp) FROM ticks",
                memory=memory,
            ).row(0)
            count, total, newest, _ = found
            if count and (count != newest or total != newest * (newest + 1) // 2 or newest < here):
                wrong.append(found)
            reads += 1
        return reads

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        writer = pool.submit(receive_and_flush)
        try:
            writer.result(timeout=100)
        finally:
            stop.set()
        reads = sum(reader.result(timeout=30) for reader in readers)
    assert wrong == []
    assert reads > 5


def test_parameters_are_bound(store: Store) -> None:
    store.append(ticks=ticks(50))
    nasty = "x' OR '1'='1"
    assert store.sql("SELECT count(*) FROM ticks WHERE symbol = ?", [nasty]).item() == 0
    assert store.sql("SELECT $name AS name, $n + 1 AS n", {"name": nasty, "n": 1}).row(0) == (nasty, 2)


@pytest.mark.parametrize(
    "params",
    [
        [datetime(2026, 1, 7, 9, 15)],  # noqa: DTZ001
        {"at": datetime(2026, 1, 7, 9, 15)},  # noqa: DTZ001
        [[date(2026, 1, 7), datetime(2026, 1, 7, 9, 15)]],  # noqa: DTZ001
        {"at": (datetime(2026, 1, 7, 9, 15),)},  # noqa: DTZ001
    ],
)
def test_a_time_without_a_zone_is_refused_as_a_parameter(store: Store, params: Any) -> None:
    with pytest.raises(SettingError, match="give a date and time with its zone"):
        store.sql("SELECT $at" if isinstance(params, dict) else "SELECT ?", params)


@pytest.mark.parametrize("at", [datetime(2026, 1, 7, tzinfo=UTC), date(2026, 1, 7), "2026-01-07"])
def test_a_time_with_a_zone_a_date_and_a_text_are_bound(store: Store, at: Any) -> None:
    assert store.sql("SELECT ?::DATE, len(?)", [at, [at]]).row(0) == (date(2026, 1, 7), 1)


@pytest.mark.parametrize("params", ["TCS", b"TCS"])
def test_a_text_alone_is_not_taken_apart_into_parameters(store: Store, params: Any) -> None:
    with pytest.raises(SettingError, match=r"give a list, \[b?'TCS'\]"):
        store.sql("SELECT ?", params)


def test_frames_of_the_user_can_be_joined(store: Store) -> None:
    store.append(ticks=ticks(200))
    mine = pl.DataFrame({"symbol": ["INFY"], "weight": [2.0]})
    found = store.sql(
        "SELECT DISTINCT symbol, weight FROM ticks JOIN mine USING (symbol)", frames={"mine": mine}
    )
    assert found.rows() == [("INFY", 2.0)]
    lazy = store.sql("FROM mine", frames={"mine": mine.lazy()})
    assert lazy.equals(mine)


@pytest.mark.parametrize("mine", [[1, 2], {"a": 1}, 42])
def test_what_is_no_frame_is_told_what_is(store: Store, mine: object) -> None:
    with pytest.raises(SettingError, match=rf"mine is a {type(mine).__name__}: give a polars frame"):
        store.sql("FROM mine", frames={"mine": mine})


@pytest.mark.parametrize("query", ["SELECT at FROM feed_events", "FROM feed_events WHERE at > now()"])
def test_a_column_that_wants_quotes_is_told_so(store: Store, query: str) -> None:
    with pytest.raises(duckdb.ParserException) as caught:
        store.sql(query)
    assert 'the column of that name is "at"' in caught.value.__notes__[0]
    assert store.sql(query.replace("at ", '"at" ')).height == 0
    with pytest.raises(duckdb.ParserException) as other:
        store.sql('SELEC "at" FROM feed_events')
    assert not hasattr(other.value, "__notes__")


def test_a_frame_cannot_hide_a_table(store: Store) -> None:
    with pytest.raises(SettingError, match="'ticks' is a table of the store"):
        store.sql("FROM ticks", frames={"Ticks": pl.DataFrame({"a": [1]})})


def test_a_query_does_not_find_our_own_variables(store: Store) -> None:
    for name in ("memory", "frames", "own", "found", "EMPTY", "ticks_"):
        with pytest.raises(duckdb.CatalogException, match=name):
            store.sql(f"FROM {name}", memory={"ticks": ticks(3)})


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM realtime_ltp",
        "DROP VIEW ticks",
        "CREATE TABLE mine AS SELECT 1",
        "UPDATE stored_position SET last_seq = 0",
        "WITH gone AS (DELETE FROM realtime_ltp RETURNING *) SELECT count(*) FROM gone",
    ],
)
def test_a_query_cannot_write(store: Store, statement: str) -> None:
    store.append(ticks=ticks(10))
    with pytest.raises(duckdb.Error):
        store.sql(statement)
    assert store.sql("SELECT count(*) FROM ticks").item() == 10
    store.append(ticks=ticks(10, 11))
    assert store.rows("ticks") == 20


def test_a_refused_write_says_why(store: Store) -> None:
    with pytest.raises(duckdb.TransactionException) as caught:
        store.sql("DELETE FROM realtime_ltp")
    assert "only reads" in caught.value.__notes__[0]


def test_the_last_of_several_statements_answers(store: Store) -> None:
    assert store.sql("SELECT 1 AS a; SELECT 2 AS b").rows() == [(2,)]
    assert store.sql("").is_empty()


def test_times_are_utc_whatever_the_machine_thinks(path: Path) -> None:
    code = """
import sys
from tests.test_store import *
with Store(sys.argv[1]) as store:
    store.append(ticks=ticks(1))
    frame = store.sql("SELECT received_at, received_at::DATE::VARCHAR AS day FROM ticks")
    print(frame.schema["received_at"].time_zone, frame["received_at"].dt.timestamp("us")[0], frame["day"][0])
"""
    with run(code, path, env={**os.environ, "TZ": "America/New_York"}) as process:
        out, problems = process.communicate(timeout=60)
    assert out.split() == ["UTC", str(MIDNIGHT + 50_000), "2026-01-07"], problems


def test_many_threads_read_at_once(store: Store) -> None:
    store.append(ticks=ticks(2_000))
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: store.sql("SELECT ? + count(*) FROM ticks", [n]).item(), range(60))
    assert list(found) == [2_000 + n for n in range(60)]


# -- scan ----------------------------------------------------------------------------------------------

T = datetime.fromtimestamp(MIDNIGHT / 1e6, UTC) + timedelta(seconds=20)
PREDICATES = [
    pl.col("symbol") == "INFY",
    pl.col("symbol") != "INFY",
    pl.col("symbol").is_in(["INFY", "it's", "TCS"]),
    ~pl.col("symbol").is_in(["INFY"]),
    pl.col("symbol") > "INFY",
    pl.col("seq").is_in([1, 399, 400, 401, 600]),
    (pl.col("seq") > 380) & (pl.col("seq") <= 420) & (pl.col("ltp") > 0.1 + 0.2),
    (pl.col("seq") < 10) | (pl.col("exchange") == "BSE") & pl.col("bid").is_not_null(),
    pl.col("ltp").is_null(),
    pl.col("received_at") >= T,
    pl.col("received_at").is_between(T, T + timedelta(seconds=2)),
    pl.col("received_at").is_between(T, T + timedelta(seconds=2), closed="none"),
    pl.col("received_at").dt.second() == 21,
    pl.col("ltp") < pl.col("close_price"),
    pl.col("ltp") == 100.0,
    pl.col("change").is_between(-0.25, 0.25) | pl.col("change").is_null(),
    pl.col("symbol").cast(pl.String).str.starts_with("B"),
    pl.col("ltp") * 2 > pl.col("bid") + 200,
    pl.lit(value=True),
]


@pytest.fixture(scope="module")
def scanned() -> Iterator[tuple[Store, pl.LazyFrame, pl.DataFrame]]:
    everything = ticks(600)
    with Store() as store:
        store.append(ticks=everything.head(400))
        yield store, store.scan(lambda: {"ticks": everything.slice(200)}), everything


@pytest.mark.parametrize("predicate", PREDICATES, ids=str)
def test_a_scan_keeps_what_the_filter_keeps(
    scanned: tuple[Store, pl.LazyFrame, pl.DataFrame], predicate: pl.Expr
) -> None:
    _, lazy, everything = scanned
    assert lazy.filter(predicate).collect().equals(everything.filter(predicate))
    some = lazy.filter(predicate).select("seq", "bid").head(7).collect()
    assert some.equals(everything.filter(predicate).select("seq", "bid").head(7))


@pytest.mark.parametrize(
    "query",
    [
        lambda f: f,
        lambda f: f.select("ltp", "symbol"),
        lambda f: f.select(pl.len()),
        lambda f: f.head(5).filter(pl.col("seq") > 3),
        lambda f: f.slice(395, 10),
        lambda f: f.tail(3),
        lambda f: f.sort("ltp", descending=True, nulls_last=True).head(4).select("ltp"),
        lambda f: f.top_k(3, by="seq"),
        lambda f: f.group_by("symbol").agg(pl.col("ltp").max()).sort("symbol"),
        lambda f: f.filter(pl.col("seq") > 100).sort("ltp", "seq").head(2).select("seq"),
        lambda f: f.join(f.select("seq", again="ltp"), on="seq").sort("seq"),
        lambda f: f.with_columns(pl.col("ltp") + 1).filter(pl.col("symbol") == "TCS").select("ltp"),
    ],
)
def test_a_scan_answers_as_the_frame_itself(
    scanned: tuple[Store, pl.LazyFrame, pl.DataFrame], query: Any
) -> None:
    _, lazy, everything = scanned
    assert query(lazy).collect().equals(query(everything.lazy()).collect())


def test_a_scan_reads_afresh_each_time(store: Store) -> None:
    recent = {"ticks": ticks(10)}
    lazy = store.scan(lambda: recent).select(pl.len())
    assert lazy.collect().item() == 10
    store.append(ticks=ticks(10))
    recent["ticks"] = ticks(5, 11)
    assert lazy.collect().item() == 15
    assert store.scan().select(pl.len()).collect().item() == 10


def test_a_scan_that_is_left_early_lets_go_of_the_store(path: Path) -> None:
    with Store(path) as store:
        store.append(ticks=ticks(2_000))
        batches = store.scan().collect_batches(chunk_size=100)
        assert next(iter(batches)).height > 0
        del batches
        gc.collect()
        store.append(ticks=ticks(10, 2_001))
        store.checkpoint()
    with Store(path) as again:
        assert again.rows("ticks") == 2_010


def test_filters_that_duckdb_knows_are_pushed_down() -> None:
    assert prefilter(pl.col("symbol") == "INFY", schema.TICKS) == "(\"symbol\" = 'INFY')"
    assert prefilter(pl.col("symbol").is_in(["it's"]), schema.TICKS) == "(\"symbol\" IN ('it''s'))"
    mixed = (pl.col("seq") > 5) & (pl.col("ltp") * 2 > 3)
    assert prefilter(mixed, schema.TICKS) == ""  # types are not settled outside a query: left to polars
    assert (
        prefilter((pl.col("seq") > pl.lit(5, pl.Int64)) & (pl.col("ltp") * 2 > 3), schema.TICKS)
        == '("seq" > 5)'
    )
    both = (pl.col("seq") > pl.lit(5, pl.Int64)) | (pl.col("ltp") * 2 > 3)
    assert prefilter(both, schema.TICKS) == ""  # half of an OR would lose rows
    assert prefilter(pl.col("unknown") == "a", schema.TICKS) == ""
    assert prefilter(pl.col("symbol") == "a\0b", schema.TICKS) == ""


def test_hints_of_polars_are_taken_out_of_a_filter() -> None:
    plain = pl.col("seq") > 5
    assert without_hints(plain) is plain


# -- taking rows elsewhere, and letting them go ------------------------------------------------------------


def test_old_days_are_deleted_and_counted(store: Store) -> None:
    everything = ticks(40, step_us=6 * 3_600_000_000)  # four a day, from 06:00
    store.append(ticks=everything, events=events(3))
    now = datetime(2026, 1, 16, 13, tzinfo=UTC)
    deleted = store.keep_days(2, now)
    kept = everything.filter(pl.col("received_at") >= datetime(2026, 1, 14, tzinfo=UTC))
    assert deleted == everything.height - kept.height + 3
    assert store.read("ticks").equals(kept)
    assert store.rows("ticks") == kept.height
    assert store.positions()["ticks"] == 40  # numbering goes on
    assert store.keep_days(2, int(now.timestamp() * 1e6)) == 0
    with pytest.raises(SettingError, match="time zone"):
        store.keep_days(2, datetime(2026, 1, 16))  # noqa: DTZ001
    with pytest.raises(SettingError, match="0 or more"):
        store.keep_days(-1, now)


def test_export_writes_a_file_for_each_day(store: Store, tmp_path: Path) -> None:
    everything = ticks(20, step_us=6 * 3_600_000_000)
    store.append(ticks=everything, depth=books(2))
    out = tmp_path / "it's out"
    written = store.export(out)
    assert all(file.is_file() for file in written)
    days = sorted({value.date() for value in everything["received_at"]})
    assert [file.relative_to(out).as_posix() for file in written] == [
        *(f"realtime_ltp/date={day}/realtime_ltp.parquet" for day in days),
        "realtime_depth/date=2026-01-07/realtime_depth.parquet",
    ]
    found = pl.scan_parquet(out / "realtime_ltp", hive_partitioning=True).collect()
    assert found["date"].unique().sort().to_list() == days
    assert found.drop("date").sort("seq").cast(schema.polars_schema("ticks")).equals(everything)
    one = pl.read_parquet(written[1], hive_partitioning=False)
    assert one.equals(one.sort("symbol", "seq"))
    assert [p.name for p in out.rglob("*") if p.is_file() and p.suffix != ".parquet"] == []


def test_export_can_be_narrowed_and_repeated(store: Store, tmp_path: Path) -> None:
    store.append(ticks=ticks(20, step_us=6 * 3_600_000_000))
    span = {"since": date(2026, 1, 8), "until": date(2026, 1, 10)}
    first = store.export(tmp_path, tables=["ticks"], **span)
    assert [file.parent.name for file in first] == ["date=2026-01-08", "date=2026-01-09"]
    assert store.export(tmp_path, tables=["ticks"], **span) == first


def test_export_into_a_file_says_that_a_folder_is_wanted(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "odd.duckdb"
    file.write_bytes(b"mine")
    with pytest.raises(StoreError, match=r"odd\.duckdb is a file, and Parquet goes to a folder"):
        store.export(file)
    assert file.read_bytes() == b"mine"


def test_a_copy_can_be_read_by_another_process_while_we_write(store: Store, tmp_path: Path) -> None:
    store.append(ticks=ticks(100), depth=books(3))
    copy = store.copy_to(tmp_path / "it's a copy.duckdb")
    store.append(ticks=ticks(100, 101))
    code = """
import sys
from ltpkit.store import Store
with Store(sys.argv[1], read_only=True) as store:
    print(store.positions(), store.sql("SELECT count(*) FROM ltp_changes").item() > 0, store.rows("depth"))
"""
    with run(code, copy) as process:
        out, problems = process.communicate(timeout=60)
    assert out.strip() == "{'ticks': 100, 'depth': 3, 'events': 0} True 3", problems
    with Store(copy) as second:
        second.append(ticks=ticks(10, 101))
    with pytest.raises(StoreError, match="exists already"):
        store.copy_to(copy)
    with pytest.raises(StoreError, match="does not exist"):
        store.copy_to(tmp_path / "nowhere" / "x.duckdb")
    assert sorted(p.name for p in tmp_path.iterdir() if "unfinished" in p.name) == []


# -- opening --------------------------------------------------------------------------------------------


def test_a_store_that_another_process_writes_is_refused_by_name(path: Path) -> None:
    code = """
import sys
from ltpkit.store import Store
store = Store(sys.argv[1])
print("open", flush=True)
input()
"""
    with run(code, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        for read_only in (False, True):
            with pytest.raises(StoreLocked) as caught:
                Store(path, read_only=read_only)
            assert str(process.pid) in caught.value.holder
            assert str(path) in str(caught.value)
        process.communicate("\n", timeout=60)
    with Store(path) as store:
        assert store.rows("ticks") == 0


def test_several_processes_may_read_together(path: Path) -> None:
    with Store(path) as store:
        store.append(ticks=ticks(5))
    with Store(path, read_only=True):
        code = """
import sys
from ltpkit.store import Store
print(Store(sys.argv[1], read_only=True).rows("ticks"))
"""
        with run(code, path) as process:
            assert process.communicate(timeout=60)[0] == "5\n"


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"symbol,ltp\n" * 2_000)
    with pytest.raises(NotAStore, match="not a DuckDB file"):
        Store(path)
    assert path.read_bytes() == b"symbol,ltp\n" * 2_000


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE recipes (name VARCHAR); CREATE TABLE schema_version (v INTEGER)")
    for read_only in (False, True):
        with pytest.raises(NotAStore, match="recipes"):
            Store(path, read_only=read_only)
    with duckdb.connect(str(path)) as con:
        assert len(con.execute("SHOW TABLES").fetchall()) == 2


def test_a_damaged_file_is_kept_and_named(path: Path) -> None:
    with Store(path) as store:
        store.append(ticks=ticks(5_000))
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + bytes(4096) + whole[8192:])
    with pytest.raises(StoreError, match=r"Nothing was changed or deleted") as caught:
        Store(path)
    assert not isinstance(caught.value, NotAStore | StoreLocked)
    assert path.stat().st_size == len(whole)


def test_a_newer_store_is_refused(path: Path) -> None:
    Store(path).close()
    with duckdb.connect(str(path)) as con:
        con.execute("INSERT INTO schema_version (version, name) VALUES (99, '0099_later')")
    for read_only in (False, True):
        with pytest.raises(StoreTooNew) as caught:
            Store(path, read_only=read_only)
        assert caught.value.found == 99
        assert caught.value.known == opening.migrations()[-1].version
    with pytest.raises(StoreTooNew):
        migrate(path)


def older(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a store of the first schema version."""
    first = opening.migrations()[:1]
    with monkeypatch.context() as patch:
        patch.setattr(opening, "migrations", lambda: first)
        with Store(path) as store:
            store.append(ticks=ticks(20))


def test_an_older_store_is_brought_up_to_date_on_opening(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older(path, monkeypatch)
    with Store(path) as store:
        assert store.sql("SELECT version FROM schema_version ORDER BY 1")["version"].to_list() == [
            step.version for step in opening.migrations()
        ]
        assert store.sql("SELECT count(*) FROM ticks").item() == 20


def test_an_older_store_opened_to_read_says_how_to_migrate(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older(path, monkeypatch)
    with pytest.raises(StoreError, match=f"ltpkit migrate {path}"):
        Store(path, read_only=True)
    assert migrate(path) == [step.name for step in opening.migrations()[1:]]
    assert migrate(path) == []
    with Store(path, read_only=True) as store:
        assert store.read("ticks").equals(ticks(20))


def test_a_migration_that_fails_leaves_the_store_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(path).close()
    known = opening.migrations()
    bad = opening.Migration(known[-1].version + 1, "bad", "CREATE TABLE half (a INTEGER); SELECT nonsense")
    with monkeypatch.context() as patch:
        patch.setattr(opening, "migrations", lambda: (*known, bad))
        with pytest.raises(StoreError, match="bad failed and was undone"):
            Store(path)
    with Store(path) as store:
        assert "half" not in store.sql("SHOW TABLES")["name"].to_list()


def test_migrations_are_numbered_without_a_hole() -> None:
    steps = opening.migrations()
    assert [step.version for step in steps] == list(range(1, len(steps) + 1))
    assert all(step.name.startswith(f"{step.version:04d}_") for step in steps)


def test_the_tables_have_the_columns_of_the_schema(store: Store) -> None:
    words = {"int64": "BIGINT", "float64": "DOUBLE", "time": "TIMESTAMP WITH TIME ZONE"}
    words |= {"floats": "DOUBLE[]", "ints": "INTEGER[]"}
    for table, columns in (
        ("realtime_ltp", schema.TICKS),
        ("realtime_depth", schema.DEPTH),
        ("feed_events", schema.EVENTS),
    ):
        found = store.sql(f"DESCRIBE {table}").select("column_name", "column_type").rows()
        assert found == [(name, words.get(word, "VARCHAR")) for name, word in columns.items()]


def test_what_cannot_be_opened_says_why(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        Store(tmp_path / "nowhere" / "ticks.duckdb")
    with pytest.raises(StoreError, match="is a folder"):
        Store(tmp_path)
    with pytest.raises(StoreError, match="no store at"):
        Store(path, read_only=True)
    with pytest.raises(StoreError, match="no file"):
        migrate(path)
    with pytest.raises(SettingError, match="needs a path"):
        Store(read_only=True)
    assert not path.exists()
    duckdb.connect(str(path)).close()
    with pytest.raises(NotAStore, match="nothing was ever streamed"):
        Store(path, read_only=True)


def test_two_writers_of_one_process_are_refused_but_a_reader_reads_along(path: Path) -> None:
    with Store(path) as writer:
        with pytest.raises(StoreLocked, match=str(os.getpid())):
            Store(path.parent / "." / path.name)
        with Store(path, read_only=True) as reader:
            writer.append(ticks=ticks(10))
            assert reader.sql("SELECT count(*) FROM ticks").item() == 10
            with pytest.raises(StoreError, match="read only"):
                reader.append(ticks=ticks(10, 11))
            with pytest.raises(StoreError, match="read only"):
                reader.keep_days(1, MIDNIGHT)
        with duckdb.connect(str(path)) as plain:
            assert plain.execute("SELECT count(*) FROM ticks").fetchall() == [(10,)]
    with Store(path) as writer:
        assert writer.rows("ticks") == 10


def test_a_store_that_was_let_go_can_be_opened_again(path: Path) -> None:
    store = Store(path)
    store.append(ticks=ticks(3))
    del store
    gc.collect()
    with Store(path) as again:
        assert again.rows("ticks") == 3


def test_a_file_open_for_reading_cannot_be_streamed_into(path: Path) -> None:
    Store(path).close()
    with Store(path, read_only=True), pytest.raises(StoreError, match="open for reading in this process"):
        Store(path)


# -- closing ---------------------------------------------------------------------------------------------


def test_closing_twice_is_fine_and_a_closed_store_says_so(path: Path) -> None:
    store = Store(path)
    assert repr(store) == f"<Store {path}: 0 ticks, to seq 0>"
    store.close()
    store.close()
    assert repr(store) == f"<Store {path}, closed>"
    for call in (
        lambda: store.sql("SELECT 1"),
        lambda: store.append(ticks=ticks(1)),
        lambda: store.scan().collect(),
        lambda: store.checkpoint(),
    ):
        with pytest.raises((StoreError, pl.exceptions.ComputeError), match="closed"):
            call()


def test_closing_ends_a_query_that_still_runs(path: Path) -> None:
    store = Store(path)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(store.sql, "SELECT sum(sqrt(range)) FROM range(1_000_000_000_000)")
        while not store._cursors:
            assert not running.done()
        store.close()
        with pytest.raises(duckdb.Error):
            running.result(timeout=10)
    with Store(path) as again:
        assert again.rows("ticks") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself Ctrl-C there")
def test_interrupting_a_query_is_the_interrupt_it_is_elsewhere() -> None:
    code = """
import os, signal, threading
from ltpkit.store import Store
store = Store()
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    # One task, which any of DuckDB's threads may take.
    store.sql("SELECT sum(sqrt(range)) FROM range(1_000_000_000_000)")
except KeyboardInterrupt:
    print("interrupted", store.sql("SELECT 1").item())
"""
    with run(code) as process:
        try:
            assert process.communicate(timeout=60)[0] == "interrupted 1\n"
        finally:
            process.kill()


def cached(store: Store) -> int:
    """Return the bytes of the file that DuckDB keeps in memory."""
    query = "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'BASE_TABLE'"
    return int(store.sql(query).item())


def test_what_a_checkpoint_wrote_does_not_stay_in_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltpkit.store.database._CACHED", "1MB")
    first, second, third = ticks(200_000), ticks(10, 200_001), ticks(10, 200_011)
    with Store(path) as store:
        store.append(ticks=first)
        store.checkpoint()
        written = cached(store)
        assert written > 4_000_000
        with store.moment():  # a query that would fail at a lower limit
            store.append(ticks=second)
            assert cached(store) >= written
        store.append(ticks=third)
        assert cached(store) < 2_000_000
        assert store.sql("SELECT current_setting('memory_limit')").item() == "488.2 MiB"
        assert store.read("ticks").equals(pl.concat([first, second, third]))


def test_a_limit_of_memory_that_somebody_chose_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltpkit.store.database._CACHED", "1MB")
    with Store(path) as store:
        store.append(ticks=ticks(200_000))
        store.checkpoint()
        store.sql("SET GLOBAL memory_limit = '2GiB'")
        written = cached(store)
        store.append(ticks=ticks(10, 200_001))
        assert store.sql("SELECT current_setting('memory_limit')").item() == "2.0 GiB"
        assert cached(store) >= written


def test_a_store_answers_while_the_interpreter_ends() -> None:
    code = """
import atexit
from ltpkit.store import Store
store = Store()
atexit.register(lambda: print(store.sql("SELECT 1")))
"""
    said, _ = run(code).communicate(timeout=60)
    assert "shape: (1, 1)" in said


def test_a_scan_that_is_half_read_does_not_hold_the_file(path: Path) -> None:
    store = Store(path)
    store.append(ticks=ticks(3_000))
    parts = store._parts(["seq"], None, None, EMPTY["ticks"], 2_048)
    assert next(parts).height == 2_048
    store.close()
    with Store(path) as again:
        assert again.rows("ticks") == 3_000
    with pytest.raises(duckdb.Error):
        list(parts)


# -- crashes ----------------------------------------------------------------------------------------------


def test_acknowledged_rows_survive_a_kill_and_none_is_stored_twice(path: Path) -> None:
    code = """
import sys
from tests.test_store import *
store = Store(sys.argv[1])
whole = ticks(4_000)
at = store.positions()["ticks"]
if at:  # as after a crash: what was on its way is sent again
    store.append(ticks=whole.slice(max(0, at - 70), 140))
while True:
    at = store.positions()["ticks"]
    store.append(ticks=whole.slice(at, 40), events=events(1, store.positions()["events"] + 1))
    print(store.positions()["ticks"], flush=True)
    if at == whole.height:
        break
"""
    acknowledged = 0
    for lines in (1, 7, 15):
        with run(code, path) as process:
            assert process.stdout is not None
            for _ in range(lines):
                line = process.stdout.readline()
                assert line, process.stderr and process.stderr.read()
                acknowledged = int(line)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        with Store(path) as store:
            found = store.read("ticks")
            assert found.height >= acknowledged
            assert found.equals(ticks(4_000).head(found.height))
            assert store.positions()["ticks"] == found.height


@pytest.mark.skipif(sys.platform == "win32", reason="the file size limit is a POSIX one")
@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_full_disk_loses_and_doubles_nothing(path: Path, *, checkpoint: bool) -> None:
    # A limit on the size of files stands in for the full disk: writes fail in the same places.
    code = """
import resource, signal, sys
from tests.test_store import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store, whole, failed = Store(sys.argv[1]), ticks(3_000), 0
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000 if sys.argv[2] == "True" else 200_000, hard))
at = store.positions()["ticks"]
while at < whole.height:
    try:
        store.append(ticks=whole.slice(at, 250))
        at += 250
        if sys.argv[2] == "True":
            store.checkpoint()
    except StoreError as error:
        failed += 1
        assert "DuckDB says" in str(error), error
        if failed == 3:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert failed >= 3, failed
assert store.read("ticks").equals(whole)
store.close()
print("all there")
"""
    with run(code, path, checkpoint) as process:
        out, problems = process.communicate(timeout=100)
    assert out == "all there\n", problems
    with Store(path, read_only=True) as store:
        assert store.read("ticks").equals(ticks(3_000))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_is_refused(path: Path) -> None:
    code = """
import os, sys
from tests.test_store import *
store, one = Store(sys.argv[1]), ticks(1)
child = os.fork()
if child == 0:
    refused = []
    for call in (store.sql, lambda query: store.append(ticks=one), lambda query: Store(sys.argv[1])):
        try:
            call("SELECT 1")
        except StoreError as error:
            refused.append("fork" in str(error))
    os._exit(0 if refused == [True, True, True] else 1)
_, status = os.waitpid(child, 0)
store.append(ticks=one)
print(os.waitstatus_to_exitcode(status), store.rows("ticks"))
"""
    with run(code, path) as process:
        out, problems = process.communicate(timeout=60)
    assert out == "0 1\n", problems


def test_a_spawned_process_is_no_fork() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_rows_of_a_new_store) == 3


def _rows_of_a_new_store() -> int:
    with Store() as store:
        store.append(ticks=ticks(3))
        return store.rows("ticks")


# -- handing over -------------------------------------------------------------------------------------------


@given(first=st.integers(1, 50), count=st.integers(0, 40), seq=st.integers(0, 100))
def test_rows_after_a_number_are_a_slice(first: int, count: int, seq: int) -> None:
    frame = pl.DataFrame({"seq": pl.Series(range(first, first + count), dtype=pl.Int64)})
    assert after(frame, seq)["seq"].to_list() == [n for n in range(first, first + count) if n > seq]


def test_names_go_over_with_their_codes() -> None:
    frame = pl.concat(
        [ticks(20), ticks(20, 21).with_columns(source=pl.lit(None, schema.categories("source")))]
    )
    table = to_arrow(frame)
    for name in ("symbol", "exchange", "source"):
        assert table.column(name).to_pylist() == frame[name].cast(pl.String).to_list()
    assert to_arrow(frame.head(0)).num_rows == 0
    nothing = frame.with_columns(source=pl.lit(None, schema.categories("source")))
    assert to_arrow(nothing).column("source").null_count == 40
