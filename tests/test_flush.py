"""The flush worker: everything gets stored, once, and a store that fails loses nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ltpkit.batch import Event
from ltpkit.errors import StoreError
from ltpkit.flush import FlushWorker
from ltpkit.instrument import Instrument, Instruments
from ltpkit.ring import DepthRing, EventLog, TickRing
from ltpkit.store import Store
from tests.disks import mounted
from tests.test_ring import ticks


class Rows:
    """Rings, a store and a worker over them, with an event for each word of failure or recovery."""

    def __init__(self, store: Store, **options: object) -> None:
        instruments = Instruments([Instrument(exchange="NSE", symbol="TCS")])
        self.store = store
        self.ticks, self.events = TickRing(instruments), EventLog()
        self.failures: list[Exception | None] = []
        self.told = threading.Condition()
        self.worker = FlushWorker(
            store,
            self.ticks,
            DepthRing(instruments),
            self.events,
            failed=self._tell,
            **options,  # type: ignore[arg-type]
        )

    def _tell(self, error: Exception | None) -> None:
        with self.told:
            self.failures.append(error)
            self.told.notify_all()

    def add(self, n: int) -> None:
        self.ticks.append(ticks([(0, 1.0, None)] * n), "simulated")
        self.worker.nudge()

    def stored(self) -> tuple[int, int, int]:
        found: tuple[int, int, int] = self.store.sql(
            "SELECT count(*), count(DISTINCT seq), coalesce(max(seq), 0) FROM realtime_ltp"
        ).row(0)
        return found


@pytest.fixture
def rows() -> Iterator[Rows]:
    made = Rows(Store(), flush_interval_s=1000, buffer_size=10)
    made.worker.start()
    yield made
    made.worker.stop()
    made.store.close()


def test_enough_rows_are_stored_without_waiting_for_the_interval(rows: Rows) -> None:
    rows.add(9)
    assert rows.ticks.stored_seq == 0
    rows.add(5)
    assert rows.worker.flush()  # only waits: the worker was woken by the tenth row
    assert rows.stored() == (14, 14, 14)
    assert rows.ticks.stored_seq == 14


def test_a_flush_stores_what_is_there_of_every_kind(rows: Rows) -> None:
    rows.add(3)
    rows.events.append([Event(at=1, kind="connected")])
    assert rows.worker.waiting_rows == 4
    assert rows.worker.flush()
    assert rows.worker.waiting_rows == 0
    assert rows.store.rows("events") == 1


def test_stopping_stores_what_waits() -> None:
    made = Rows(Store(), flush_interval_s=1000, buffer_size=1000)
    made.worker.start()
    made.add(7)
    assert made.worker.stop()
    assert made.stored() == (7, 7, 7)
    assert made.worker.stop()


def test_a_store_that_fails_keeps_the_rows_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    works = store.append
    broken, words = threading.Event(), ["No space left on device"]
    broken.set()

    def append(**frames: object) -> None:
        if broken.is_set():
            raise StoreError("ticks.duckdb", words[0])
        works(**frames)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "append", append)
    made = Rows(store, flush_interval_s=0.01, buffer_size=1)
    made.worker.start()
    made.add(5)
    with made.told:
        assert made.told.wait_for(lambda: len(made.failures) == 1, 5)
    assert "No space left" in str(made.worker.last_error)
    assert not made.worker.flush(0.05)
    words[0] = "ticks.duckdb was removed"
    with made.told:
        assert made.told.wait_for(lambda: len(made.failures) == 2, 10)
    assert str(made.failures[1]) == "ticks.duckdb was removed"
    broken.clear()
    made.add(5)
    with made.told:
        assert made.told.wait_for(lambda: len(made.failures) == 3, 10)
    assert made.failures[2] is None
    assert made.worker.flush()
    assert made.stored() == (10, 10, 10)
    assert made.worker.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB that can really be full."""
    with mounted(tmp_path / "disk", 24 << 10) as disk:
        if disk is None:
            pytest.skip("a small file system is mounted by root only")
        yield disk.place


def test_a_full_disk_loses_no_row_that_was_received(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (20 << 20))
    made = Rows(Store(small_disk / "ticks.duckdb"), flush_interval_s=0.01, buffer_size=1)
    made.worker.start()
    added = 0
    while not made.failures and added < 1_000_000:
        made.add(5000)
        added += 5000
        made.worker.flush(1)  # batch by batch, each into DuckDB's log, until there is no room
    assert made.failures
    assert made.failures[0] is not None
    made.add(1)
    ballast.unlink()
    with made.told:
        assert made.told.wait_for(lambda: made.failures[-1] is None, 60)
    assert made.worker.flush(30)
    assert made.stored() == (added + 1, added + 1, added + 1)
    assert made.worker.stop()
    made.store.close()
    with Store(small_disk / "ticks.duckdb", read_only=True) as again:
        assert again.rows("ticks") == added + 1


def test_whoever_asks_is_told_how_long_each_flush_took() -> None:
    took: list[float] = []
    rows = Rows(Store(), timed=took.append)
    rows.worker.start()
    rows.add(3)
    assert rows.worker.flush()
    assert rows.worker.flush()  # nothing waits any more, so there is nothing to time
    assert rows.worker.stop()
    assert len(took) == rows.worker.flushes == 1
    assert took[0] > 0
