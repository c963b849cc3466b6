"""After a crash: every row that was acknowledged is there, none is there twice, and the store opens."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import ltpkit as lk
from ltpkit.errors import StoreError
from ltpkit.flush import FlushWorker
from ltpkit.journal import Journal, JournalWriter, Reading, folder_of, leftovers
from ltpkit.ring import DepthRing, EventLog, TickRing
from ltpkit.store import Store
from ltpkit.store.salvage import log_of
from tests.paths import ROOT
from tests.test_flush import small_disk
from tests.test_ring import instruments
from tests.test_ring import ticks as batch
from tests.test_store import books, events, ticks

__all__ = ["small_disk"]  # a fixture, used below

NAMES = ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "the ticks.duckdb"


def crashed(path: Path, stored: int, journaled: int, *, each: int = 50, **options: int) -> None:
    """Leave a store with some rows and a journal that goes on after them, as a crash does."""
    with Store(path) as store:
        if stored:
            store.append(ticks=ticks(stored), events=events(2))
        positions = store.positions()
        journal = Journal(
            folder_of(path), store=store.identity, positions=dict.fromkeys(positions, 0), **options
        )
    for first in range(1, journaled + 1, each):
        journal.append("ticks", ticks(min(each, journaled + 1 - first), first), after=first - 1)
    journal.append("events", events(2), after=0)
    journal.append("depth", books(4), after=0)
    journal.close()


def count(store: Store) -> tuple[int, int, int, int]:
    """Return count, distinct, first and last of the stored ticks' `seq`."""
    found: tuple[int, int, int, int] = store.sql(
        "SELECT count(*), count(DISTINCT seq), coalesce(min(seq), 1), coalesce(max(seq), 0) FROM ticks"
    ).row(0)
    return found


def told(store: Store, kind: str) -> list[dict[str, Any]]:
    found = store.read("events").filter(pl.col("kind") == kind)["detail"]
    return [json.loads(one) for one in found]


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


# -- the journal, taken in --------------------------------------------------------------------------


def test_opening_a_store_after_a_crash_brings_its_journal_in_once(path: Path) -> None:
    crashed(path, 120, 1000)
    with Store(path) as store:
        assert count(store) == (1000, 1000, 1, 1000)
        assert store.positions() == {"ticks": 1000, "depth": 4, "events": 3}
        assert store.rows("depth") == 4
        assert store.recovered is not None
        assert store.recovered.rows == {"ticks": 880, "depth": 4}
        assert str(store.recovered) == "884 rows recovered from the journal"
        assert told(store, "recovered") == [
            {"rows": {"ticks": 880, "depth": 4}, "torn_bytes": 0, "missing": 0, "kept": []}
        ]
        assert store.read("ticks")["ltp"].equals(
            pl.concat([ticks(120), *(ticks(50, first) for first in range(101, 1000, 50))])
            .unique("seq", keep="first")
            .sort("seq")["ltp"]
        )
        assert store.firm_positions()["ticks"] == 1000
    assert not folder_of(path).exists()
    with Store(path) as store:
        assert store.recovered is None
        assert count(store) == (1000, 1000, 1, 1000)
        assert len(told(store, "recovered")) == 1


def test_a_store_that_has_everything_says_nothing_of_its_journal(path: Path) -> None:
    with Store(path) as store:
        store.append(ticks=ticks(100))
        journal = Journal(
            folder_of(path), store=store.identity, positions=dict.fromkeys(store.positions(), 0)
        )
        journal.append("ticks", ticks(100), after=0)
        journal.close()
    with Store(path) as store:
        assert store.recovered is None
        assert count(store) == (100, 100, 1, 100)
    assert not folder_of(path).exists()


def test_a_torn_tail_is_cut_and_kept_aside(path: Path) -> None:
    crashed(path, 0, 500)
    (file,) = leftovers(folder_of(path))
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])  # the last frame is the depth
    with Store(path) as store:
        assert count(store) == (500, 500, 1, 500)
        assert store.rows("depth") == 0
        assert store.recovered is not None
        assert store.recovered.torn_bytes > 0
        assert "cut off" in str(store.recovered)
        (kept,) = store.recovered.kept
        assert whole[:-10].endswith(kept.read_bytes())
        assert kept.stat().st_size == store.recovered.torn_bytes
        assert told(store, "recovered")[0]["kept"] == [kept.name]
    assert leftovers(folder_of(path)) == []
    with Store(path) as store:
        assert store.recovered is None
    assert kept.exists()


def test_a_hole_in_the_journal_is_a_gap_row_with_its_numbers(path: Path) -> None:
    crashed(path, 0, 1000, file_bytes=30_000)
    files = leftovers(folder_of(path))
    assert len(files) > 3
    damaged = bytearray(files[1].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    files[1].write_bytes(damaged)
    with Store(path) as store:
        seqs = store.read("ticks")["seq"].to_list()
        assert len(seqs) == len(set(seqs)) < 1000
        assert seqs == sorted(seqs)
        assert seqs[-1] == 1000
        (gap,) = [one for one in told(store, "gap") if "journal" in one["why"]]
        assert set(range(1, 1001)) - set(seqs) == set(range(gap["first_seq"], gap["last_seq"] + 1))
        assert gap["missing"] == 1000 - len(seqs)
        assert store.recovered is not None
        assert store.recovered.missing == gap["missing"]


def test_the_journal_of_another_store_is_set_aside(path: Path, tmp_path: Path) -> None:
    crashed(path, 10, 300)
    with Store(tmp_path / "other.duckdb") as other:
        other.append(ticks=ticks(20))
    shutil.move(folder_of(path), folder_of(tmp_path / "other.duckdb"))
    with Store(tmp_path / "other.duckdb") as other:
        assert count(other) == (20, 20, 1, 20)
        assert other.recovered is not None
        (kept,) = other.recovered.kept
        assert kept.name == "000001.ltpj.other-store"
        assert kept.exists()


def test_a_new_store_takes_the_journal_of_the_one_that_was_lost(path: Path) -> None:
    crashed(path, 120, 1000)
    path.unlink()
    with Store(path) as store:
        assert count(store) == (1000, 1000, 1, 1000)


def test_a_reader_sees_what_the_crash_left_and_changes_nothing(path: Path, tmp_path: Path) -> None:
    crashed(path, 120, 1000)
    before = contents(tmp_path)
    with lk.open(path) as archive, lk.open(path) as second:
        assert archive.ticks()["seq"].to_list() == list(range(1, 1001))
        assert archive.sql("SELECT count(*), count(DISTINCT seq) FROM ticks").row(0) == (1000, 1000)
        assert archive.sql("SELECT max(seq) FROM latest_ltp").item() == 1000
        assert archive.sql("SELECT count(*) FROM realtime_depth").item() == 4
        assert archive.scan().select(pl.len()).collect().item() == 1000
        assert archive.scan().filter(pl.col("seq") > 990).collect()["seq"].to_list() == list(range(991, 1001))
        assert archive.ticks(last=3)["seq"].to_list() == [998, 999, 1000]
        assert archive.latest()["seq"].max() == 1000
        assert second.books().height == 4
        assert "1,000 ticks" in repr(archive)
        days = archive.export(tmp_path / "days")
    assert sum(pl.read_parquet(one).height for one in days if "ltp" in one.name) == 1000
    shutil.rmtree(tmp_path / "days")
    assert contents(tmp_path) == before


def test_a_reader_beside_the_writer_leaves_its_journal_alone(path: Path) -> None:
    with Store(path) as writer:
        writer.append(ticks=ticks(10))
        journal = Journal(folder_of(path), store=writer.identity, positions=writer.positions())
        journal.append("ticks", ticks(5, 11), after=10)
        with Store(path, read_only=True) as reader:
            assert count(reader) == (10, 10, 1, 10)
        journal.close()


def test_what_cannot_be_taken_in_for_now_stays_in_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed(path, 120, 1000)

    def full(*_: object, **__: object) -> None:
        raise StoreError(path, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Store, "append", full)
        with pytest.raises(StoreError, match="No space"):
            Store(path)
    assert leftovers(folder_of(path))
    with Store(path) as store:
        assert count(store) == (1000, 1000, 1, 1000)


OPEN = """
import os, signal, sys
from pathlib import Path
import ltpkit.journal.files as files
from ltpkit.store import Store
files._CHUNK_ROWS = 1000  # thirty transactions
path, call, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
owner = {"append": Store, "checkpoint": Store, "unlink": Path}[call.split("-")[0]]
name, _, when = call.partition("-")
works = getattr(owner, name)
def counted(*args, **options):
    global left
    left -= 1
    if left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    works(*args, **options)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, counted)
Store(path)
"""


def open_and_die(path: Path, call: str, times: int) -> None:
    """Open the store in another process that kills itself before or after a certain call."""
    done = subprocess.run([sys.executable, "-c", OPEN, str(path), call, str(times)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL


def test_a_recovery_that_is_killed_goes_on_where_it_ended(path: Path) -> None:
    crashed(path, 1000, 30_000, each=1000, file_bytes=1 << 20)
    stored = []
    for call, times in (("append-before", 3), ("append-after", 1), ("append-before", 9), ("append-after", 9)):
        open_and_die(path, call, times)
        with duckdb.connect(path, read_only=True) as con:
            rows = con.sql("SELECT count(*), count(DISTINCT seq), max(seq) FROM ticks").fetchall()[0]
        assert rows == (rows[2],) * 3
        stored.append(rows[2])
    assert stored == [3000, 4000, 12_000, 21_000]
    with Store(path) as store:
        assert count(store) == (30_000, 30_000, 1, 30_000)
        assert store.rows("depth") == 4
        assert len(told(store, "recovered")) == 1


def test_clearing_up_after_a_recovery_may_be_killed_too(path: Path) -> None:
    crashed(path, 100, 3000, each=100, file_bytes=60_000)
    (torn,) = leftovers(folder_of(path))[-1:]
    torn.write_bytes(torn.read_bytes()[:-1])
    for call, times in (("checkpoint-before", 1), ("checkpoint-after", 1), ("unlink-after", 2)):
        open_and_die(path, call, times)
    assert leftovers(folder_of(path))
    with Store(path) as store:
        assert store.recovered is None
        assert count(store) == (3000, 3000, 1, 3000)
        assert len(told(store, "recovered")) == 1
    assert [one.name for one in folder_of(path).iterdir()] == [torn.name + ".torn"]


# -- DuckDB's own log ------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from ltpkit.journal import Journal, folder_of
from ltpkit.store import Store
from tests.test_store import ticks
from pathlib import Path
path = Path(sys.argv[1])
store = Store(path)
store.append(ticks=ticks(500))
store.checkpoint()
journal = Journal(folder_of(path), store=store.identity, positions=store.positions())
for first in range(501, 3501, 500):
    journal.append("ticks", ticks(500, first), after=first - 1)
    if first < 3001:
        store.append(ticks=ticks(500, first))
journal.sync()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder / "ticks.duckdb")], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert log_of(folder / "ticks.duckdb").stat().st_size > 100_000
    return folder


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_log_is_cut_and_made_good_from_the_journal(killed: Path, tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(killed, folder)
    path = folder / "ticks.duckdb"
    log = log_of(path)
    rng = random.Random(seed)
    content = bytearray(log.read_bytes())
    at = rng.randrange(len(content))
    if seed % 2:
        content[at] ^= 1 << rng.randrange(8)
    else:
        content[at : at + 4096] = bytes(len(content[at : at + 4096]))
    log.write_bytes(content)
    refused = False
    try:
        duckdb.connect(path, read_only=True).close()
    except duckdb.Error:
        refused = True
        with pytest.raises(StoreError, match="ltpkit recover"):
            Store(path, read_only=True)
        assert log.read_bytes() == content
    with Store(path) as store:
        assert count(store) == (3500, 3500, 1, 3500)
        assert store.recovered is not None
        copies = list(folder.glob("ticks.duckdb.wal.damaged-*"))
        assert len(copies) == refused
        if refused:
            assert copies[0].read_bytes() == content
            assert told(store, "recovered")[0]["kept"] == [copies[0].name]
    with Store(path) as store:
        assert store.recovered is None
        assert count(store) == (3500, 3500, 1, 3500)


# -- while streaming -------------------------------------------------------------------------------------


class Held:
    """Rings, journal, store and the workers over them."""

    def __init__(self, path: Path, *, capacity_rows: int | None = None) -> None:
        self.store = Store(path)
        self.ticks = TickRing(instruments(), capacity_rows=capacity_rows, chunk_rows=64)
        self.depth, self.events = DepthRing(instruments()), EventLog()
        self.journal = Journal(folder_of(path), store=self.store.identity, positions=self.store.positions())
        rings = {"ticks": self.ticks, "depth": self.depth, "events": self.events}
        self.writer = JournalWriter(self.journal, rings)
        self.told: list[Exception | None] = []
        self.changed = threading.Condition()
        self.worker = FlushWorker(
            self.store,
            self.ticks,
            self.depth,
            self.events,
            journal=self.journal,
            flush_interval_s=0.01,
            buffer_size=1,
            failed=self._tell,
        )

    def _tell(self, error: Exception | None) -> None:
        with self.changed:
            self.told.append(error)
            self.changed.notify_all()

    def wait(self, told: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.told) >= told, 20)

    def add(self, rows: int) -> None:
        self.ticks.append(batch([(n % 5, float(n), None) for n in range(rows)]), "test")
        self.writer.write()
        self.worker.nudge()

    def close(self) -> None:
        self.worker.stop()
        self.journal.close()
        self.store.close()


def test_rows_that_left_memory_while_the_store_failed_are_stored_from_the_journal_in_order(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(path, capacity_rows=256)
    works, broken = held.store.append, threading.Event()
    broken.set()

    def append(**frames: pl.DataFrame) -> None:
        if broken.is_set():
            raise StoreError(path, "No space left on device")
        works(**frames)

    monkeypatch.setattr(held.store, "append", append)
    held.worker.start()
    for _ in range(60):
        held.add(50)
    held.wait(1)
    assert held.ticks.first_seq > 2000
    assert held.ticks.lost_rows == 0
    broken.clear()
    held.wait(2)
    held.add(7)
    assert held.worker.flush()
    assert count(held.store) == (3007, 3007, 1, 3007)
    assert held.store.read("ticks")["ltp"].to_list() == [float(n) for n in [*range(50)] * 60 + [*range(7)]]
    held.close()


def test_the_journal_lets_go_of_what_a_checkpoint_has_made_firm(path: Path) -> None:
    held = Held(path)
    held.journal._file_bytes = 20_000
    held.worker.start()
    for _ in range(40):
        held.add(50)
    assert held.worker.flush()
    files = len(leftovers(folder_of(path)))
    assert files > 5
    assert held.journal.firm_bytes > 0
    held.store.checkpoint()
    held.add(1)
    assert held.worker.flush()
    held.worker.stop()
    assert len(leftovers(folder_of(path))) == 1
    held.close()


def test_a_checkpoint_of_duckdbs_own_lets_the_journal_go(path: Path) -> None:
    held = Held(path)
    held.journal._file_bytes = 50_000
    held.store._cursor().execute("SET GLOBAL checkpoint_threshold = '300KB'")
    for _ in range(60):
        held.add(100)
        held.worker._write()
    firm = held.store.firm_positions()["ticks"]
    assert 0 < firm < 6000
    assert held.ticks.stored_seq == 6000
    kept = [Reading(one) for one in leftovers(folder_of(path))]
    seqs = [rows["seq"].to_list() for one in kept for _, rows in one.frames({})]
    assert [seq for part in seqs for seq in part][-1] == 6000
    assert 1 < seqs[0][0] <= firm + 1
    held.close()


def test_a_log_that_somebody_removes_is_not_taken_for_a_checkpoint(path: Path) -> None:
    held = Held(path)
    held.add(100)
    held.worker._write()
    log_of(path).unlink()
    held.add(100)
    held.worker._write()
    assert held.store.firm_positions()["ticks"] == 0
    held.close()


def test_a_store_whose_instance_ended_is_opened_again_when_it_can_be(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(path)
    held.add(100)
    held.worker._write()

    def end(*_: object) -> None:
        raise duckdb.FatalException("FATAL Error: database has been invalidated")

    def refuse(*_: object) -> None:
        raise StoreError(path, "may not be opened: permission denied")

    held.add(50)
    with monkeypatch.context() as patched:
        patched.setattr(held.store, "_append", end)
        patched.setattr(held.store, "_open", refuse)
        with pytest.raises(StoreError, match="invalidated"):
            held.worker._write()
    with monkeypatch.context() as patched:
        patched.setattr(held.store, "_open", refuse)
        with pytest.raises(StoreError, match="permission"):
            held.worker._write()
    held.worker._write()
    assert count(held.store) == (150, 150, 1, 150)
    held.close()


def test_a_store_that_is_removed_while_streaming_is_put_back_with_everything(path: Path) -> None:
    held = Held(path)
    held.worker.start()
    held.add(100)
    assert held.worker.flush()
    path.unlink()
    held.add(100)
    held.wait(2)
    assert "removed" in str(held.told[0])
    assert held.told[1] is None
    held.add(50)
    assert held.worker.flush()
    held.close()
    with Store(path) as store:
        assert count(store) == (250, 250, 1, 250)
    assert not list(path.parent.glob("*.restored"))


def test_a_file_that_takes_the_place_of_the_store_is_left_alone_and_said(path: Path) -> None:
    held = Held(path)
    held.worker.start()
    held.add(100)
    assert held.worker.flush()
    path.rename(path.with_name("moved.duckdb"))
    path.write_bytes(b"something else")
    held.add(100)
    held.wait(1)
    assert "Another file" in str(held.told[0])
    assert path.read_bytes() == b"something else"
    path.unlink()
    with held.changed:  # it may be told first that the store is put back
        assert held.changed.wait_for(lambda: held.told[-1] is None, 20), held.told
    assert held.worker.flush()
    assert count(held.store) == (200, 200, 1, 200)
    held.close()


def test_a_stream_tells_how_safe_its_rows_are_and_leaves_no_journal_behind(path: Path) -> None:
    with lk.stream(NAMES, store=path, rate=5000, flush_interval_s=0.1) as live:
        assert live.wait(rows=1000)
        for _ in range(50):
            now = live.status()
            assert now.received_seq >= now.journaled_seq >= now.synced_seq >= now.stored_seq
        assert live.flush()
        assert live.status().journaled_seq > 0
        assert folder_of(path).exists()
    now = live.status()
    assert now.received_seq == now.journaled_seq == now.synced_seq == now.stored_seq
    assert now.recovered is None
    assert now.last_error is None
    assert not folder_of(path).exists()


def test_a_stream_without_a_file_or_that_wants_none_has_no_journal(path: Path) -> None:
    names = {"ltpkit-journal", "ltpkit-fsync"}
    with lk.stream(NAMES, store=path, rate=5000, journal=False) as live:
        assert live.wait(rows=10)
        assert not names & {thread.name for thread in threading.enumerate()}
        now = live.status()
        assert now.journaled_seq == now.synced_seq <= now.received_seq
    assert not folder_of(path).exists()
    with lk.stream(NAMES, rate=5000) as live:
        assert live.wait(rows=10)
        assert not names & {thread.name for thread in threading.enumerate()}


def test_rows_the_store_could_not_take_before_the_stop_are_there_at_the_next_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError(path, "No space left on device")

    with monkeypatch.context() as patched:
        live = lk.stream(NAMES, store=path, rate=5000)
        patched.setattr(Store, "append", full)
        assert live.wait(rows=500)
        live.stop()
    kept = live.ticks()
    status = live.status()
    assert "No space" in str(status.last_error)
    assert status.stored_seq < status.journaled_seq == status.received_seq == kept.height
    live.start()  # the same object again
    assert live.flush()
    assert live.sql("SELECT count(*), count(DISTINCT seq), min(seq) FROM ticks").row(0)[2] == 1
    live.stop()
    total = live.ticks().height
    with lk.open(path) as archive:
        assert archive.ticks().head(kept.height).equals(kept)
        assert archive.sql("SELECT count(*), count(DISTINCT seq), max(seq) FROM ticks").row(0) == (total,) * 3


def test_a_full_disk_stops_neither_the_feed_nor_memory_and_is_told(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (20 << 20))
    path = small_disk / "ticks.duckdb"
    with lk.stream(NAMES, store=path, rate=20_000, flush_interval_s=0.1) as live:
        assert live._intake.wait_until(
            lambda: live._journal_error is not None and live._store_error is not None, 30
        )
        before = live.status()
        assert "No space" in str(before.last_error)
        assert "error" in before.line()
        assert before.state == "live"
        assert live.wait(rows=5000)
        now = live.status()
        assert now.received_seq >= before.received_seq + 5000
        assert now.stored_seq < now.received_seq
        assert live.sql("SELECT count(*), count(DISTINCT seq) FROM ticks").row(0)[0] >= now.received_seq
        live.unsubscribe(NAMES)
        ballast.unlink()
        give_up = time.monotonic() + 60
        while not live.flush(5) and time.monotonic() < give_up:
            pass  # both try again after a while
        kinds = set(live.events()["kind"])
        assert {"store_failed", "journal_failed"} <= kinds
    total = live.ticks().height
    assert live.status().lost_rows == 0
    with Store(path) as store:
        assert count(store) == (total, total, 1, total)


def test_a_stream_says_what_it_recovered(path: Path) -> None:
    crashed(path, 120, 1000)
    with lk.stream(NAMES, store=path, rate=5000) as live:
        assert live.wait(rows=100)
        status = live.status()
        assert status.recovered == "884 rows recovered from the journal"
        assert "after a crash 884 rows recovered" in status.line()
        assert "884 rows recovered" in status._repr_html_()
        assert live.sql("SELECT min(seq), count(*) - max(seq) FROM ticks").row(0) == (1, 0)
        assert live.ticks()["seq"][0] == 1001
    assert live.status().last_error is None


# -- kill -9 ------------------------------------------------------------------------------------------------

STREAM = """
import sys, time
import ltpkit as lk
import ltpkit.ring.loops, ltpkit.running, ltpkit.simulator  # what takes a second to load
sys.stdin.readline() or sys.exit()
names = [f"NSE:{one}" for one in ("RELIANCE", "TCS", "INFY", "SBIN", "ITC")]
live = lk.stream(names, store=sys.argv[1], rate=20_000, flush_interval_s=0.2)
while True:
    now = live.status()
    print(time.monotonic(), now.received_seq, now.journaled_seq, now.synced_seq, now.stored_seq, flush=True)
    live.wait(rows=50)
"""


def loaded_ahead(command: list[str], count: int) -> Iterator[subprocess.Popen[str]]:
    """Yield processes, each of which was started with the one before it; in the end all are waited for."""
    with ExitStack() as started:

        def start() -> subprocess.Popen[str]:
            return started.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )

        following = start()
        for _ in range(count - 1):
            one, following = following, start()
            yield one
        yield following


CRASHES = int(os.environ.get("LTPKIT_CRASHES", "6"))
#: Rows of this age must be in the journal. Its interval is 0.05 s; a machine under test may be busy.
AGE_S = 0.5


@pytest.mark.slow
@pytest.mark.timeout(60 + 15 * CRASHES)
def test_a_stream_killed_at_any_moment_keeps_every_row_it_acknowledged(path: Path) -> None:
    rng = random.Random(time.time_ns())
    recovered = 0
    for child in loaded_ahead([sys.executable, "-c", STREAM, str(path)], CRASHES):
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("begin\n")
        child.stdin.flush()
        lines = [child.stdout.readline()]
        timer = threading.Timer(rng.uniform(0.05, 1.5), child.kill)
        timer.start()
        lines += child.stdout.readlines()
        child.wait()
        at_end = time.monotonic()
        said = [line.split() for line in lines if line.endswith("\n")]
        seen = [(float(at), *map(int, seqs)) for at, *seqs in said]
        _, _, journaled, _, stored = seen[-1]
        with Store(path) as store:
            rows, distinct, first, last = count(store)
            assert rows == distinct == last - first + 1
            assert first == 1
            assert last >= max(stored, journaled)
            older = [received for at, received, *_ in seen if at < at_end - AGE_S]
            assert last >= max(older, default=0)
            ticks_ = store.read("ticks")
            assert ticks_["seq"].is_sorted()
            for table in ("realtime_depth", "feed_events"):
                found = store.sql(f"SELECT count(*), coalesce(max(seq), 0) FROM {table}").row(0)
                assert found[0] == found[1]
            recovered += store.recovered is not None
    assert recovered  # otherwise the kills came at no bad moment, and nothing was tested
