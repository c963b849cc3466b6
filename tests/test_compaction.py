"""A store written anew, exported and cleaned while a stream stores on: nothing is lost, nothing twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

import ltpkit as lk
from ltpkit.cli import app
from ltpkit.errors import SettingError, StoreError, StreamStopped
from ltpkit.store import Store
from ltpkit.store.salvage import log_of
from tests.test_store import books, events, ticks

DAY = timedelta(days=1)


def filled(path: Path, rows: int = 400_000) -> Store:
    """Return a store whose first nine tenths were deleted, which leaves its file as large as it was."""
    store = Store(path)
    everything = ticks(4_000)
    many = pl.concat([everything] * (rows // 4_000)).with_columns(
        pl.int_range(1, rows + 1, dtype=pl.Int64).alias("seq")
    )
    now = datetime.now(UTC)
    old = pl.lit(now - 5 * DAY).dt.cast_time_unit("us")
    place = pl.when(pl.col("seq") <= rows * 9 // 10).then(old).otherwise(pl.lit(now).dt.cast_time_unit("us"))
    store.append(ticks=many.with_columns(place.alias("received_at")), depth=books(100), events=events(100))
    store.checkpoint()
    assert store.keep_days(1, now) >= rows * 9 // 10
    store.checkpoint()
    return store


def test_what_was_still_in_the_log_counts_as_before(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    with Store(path) as store:
        store.append(ticks=ticks(4_000))
        in_log = log_of(path).stat().st_size
        assert in_log
        before = path.stat().st_size + in_log
        assert store.compact().before == before


def assert_whole(held: Any, first: int) -> int:
    """Each row since `first` is there once; return the last."""
    asked = "SELECT count(*), count(DISTINCT seq), max(seq) FROM ticks WHERE seq >= ?"
    rows, different, last = held.sql(asked, [first]).row(0)
    assert rows == different == last - first + 1
    return int(last)


def test_the_file_gives_back_what_deleted_rows_took(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    with filled(path) as store:
        before, positions, identity = path.stat().st_size, store.positions(), store.identity
        content = store.read("ticks")
        found = store.compact()
        assert (found.before, found.after) == (before, path.stat().st_size)
        assert found.after < before / 3
        assert store.read("ticks").equals(content)
        assert store.positions() == positions == store.firm_positions()
        store.append(ticks=ticks(4_000).with_columns(pl.col("seq") + positions["ticks"]))
        assert store.rows("ticks") == content.height + 4_000
    assert [one.name for one in tmp_path.iterdir()] == ["ticks.duckdb"]
    with Store(path) as store:
        assert store.identity == identity
        assert store.sql("SHOW TABLES")["name"].to_list().count("compacted") == 0
        assert store.sql("SELECT count(*), max(seq) FROM ticks").row(0) == (44_000, 404_000)


def test_a_stream_goes_on_storing_while_its_file_is_exported_cleaned_and_compacted(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    filled(path).close()
    with lk.stream(
        ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY"], store=path, rate=50_000, flush_interval_s=0.05, keep_days=1
    ) as live:
        first = live._first_seq
        assert live.wait(rows=200)
        stored, sizes = live.status().stored_seq, []
        for number in range(3):
            sizes.append(live.compact())
            assert live.wait(rows=200)
            assert live.flush()
            written = live.export(tmp_path / f"export-{number}", since=datetime.now(UTC).date())
            assert written
            assert live.status().stored_seq > stored
            stored = live.status().stored_seq
            assert_whole(live, first)
        assert sizes[0].after < sizes[0].before / 3
        assert live.events().filter(pl.col("kind") == "compacted").height == 3
        assert live.status().last_error is None
        received = live.status().received_seq
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["ticks.duckdb"]
    with lk.open(path) as held:
        assert assert_whole(held, first) >= received


def test_queries_are_not_broken_off_they_go_before_or_after(tmp_path: Path) -> None:
    with filled(tmp_path / "ticks.duckdb", rows=200_000) as store:
        failed: list[Exception] = []
        enough = threading.Event()

        def ask() -> None:
            while not enough.is_set():
                try:
                    assert store.sql("SELECT count(*) FROM ticks").item() == 20_000
                    assert store.scan().select(pl.len()).collect().item() == 20_000
                except Exception as error:  # noqa: BLE001 - shown below
                    failed.append(error)

        askers = [threading.Thread(target=ask) for _ in range(3)]
        for one in askers:
            one.start()
        for _ in range(3):
            store.compact()
        enough.set()
        for one in askers:
            one.join()
        assert failed == []


def test_a_query_that_runs_on_keeps_the_file_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltpkit.store.database._READERS_WAIT_S", 0.2)
    with filled(tmp_path / "ticks.duckdb", rows=40_000) as store:
        with store.moment() as cursor:
            with pytest.raises(StoreError, match="try again"):
                store.compact()
            assert cursor.execute("SELECT count(*) FROM ticks").fetchall() == [(4_000,)]
        assert store.rows("ticks") == 4_000
        store.compact()
    assert [one.name for one in tmp_path.iterdir()] == ["ticks.duckdb"]


def test_a_file_that_is_open_elsewhere_in_this_process_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    with filled(path, rows=40_000) as store:
        other = duckdb.connect(str(path))
        before = path.stat().st_ino
        with pytest.raises(StoreError, match="a second time in this process"):
            store.compact()
        assert path.stat().st_ino == before
        store.append(ticks=ticks(4_000).with_columns(pl.col("seq") + 40_000))
        assert other.execute("SELECT count(*) FROM ticks").fetchall() == [(8_000,)]
        other.close()
        store.compact()
        assert path.stat().st_ino != before
        assert store.rows("ticks") == 8_000
    assert not log_of(path).exists()


def test_the_command_deletes_and_compacts(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    filled(path, rows=40_000).close()
    found = CliRunner().invoke(app, ["compact", str(path), "--keep-days", "30"])
    assert found.exit_code == 0, found.output
    assert "0 old rows deleted." in found.output
    assert "→" in found.output
    found = CliRunner().invoke(app, ["compact", str(tmp_path / "nope.duckdb")])
    assert found.exit_code == 1
    assert "There is no store" in found.stderr


def test_what_cannot_be_compacted_says_so(tmp_path: Path) -> None:
    with Store() as store, pytest.raises(SettingError, match="no file"):
        store.compact()
    path = tmp_path / "ticks.duckdb"
    filled(path, rows=4_000).close()
    with Store(path, read_only=True) as store, pytest.raises(StoreError, match="to read only"):
        store.compact()
    with lk.stream("NSE:INFY", store=path, rate=1000) as live:
        pass
    with pytest.raises(StreamStopped):
        live.compact()
