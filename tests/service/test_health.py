"""Health: what is wrong is said in words, and is what decides between 200 and 503."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ltpkit import running
from ltpkit.errors import LtpkitError
from ltpkit.service import RealTimeSyncService, health
from ltpkit.service.health import Check
from tests import hostile
from tests.hostile import Hostile


@pytest.fixture
def service() -> Iterator[RealTimeSyncService]:
    service = RealTimeSyncService(name="health", rate=2000)
    yield service
    service.stop_sync()


def found(service: RealTimeSyncService, name: str) -> Check:
    """One check of all, of which exactly one has its name."""
    (one,) = (one for one in health.check(service).checks if one.name == name)
    return one


def test_a_service_that_was_not_started_or_was_stopped_is_failing_and_says_so(
    service: RealTimeSyncService,
) -> None:
    for _ in range(2):
        found = health.check(service)
        assert found.http_status == 503
        assert {one.reason for one in found.checks} == {"the service is not started"}
        assert health.ready(service).http_status == 503
        assert health.live(service).http_status == 200
        service.start_sync()
        service.stop_sync()


def test_a_service_at_work_is_well_in_all_four(service: RealTimeSyncService) -> None:
    service.subscribe_symbols_sync(["INFY", "TCS"])
    assert service.stream.wait(rows=10)
    whole = health.check(service)
    assert [one.name for one in whole.checks] == ["websocket", "database", "buffer", "subscriptions"]
    assert {one.status for one in whole.checks} == {whole.status} == {"ok"}
    websocket, database, buffer, subscriptions = (one.reason for one in whole.checks)
    assert websocket.startswith("live, last tick ")
    assert database.endswith("in memory, until this process ends")
    assert "to be stored" in buffer
    assert subscriptions == "1 subscription, 2 symbols, 0 connections"
    assert (whole.http_status, health.ready(service).status, health.live(service).status) == (200, "ok", "ok")
    assert msgspec.json.decode(msgspec.json.encode(whole))["status"] == "ok"


def test_without_a_symbol_no_connection_is_missed(service: RealTimeSyncService) -> None:
    service.start_sync()
    assert found(service, "websocket") == Check(
        "websocket", "ok", "no symbol is subscribed, so no connection is needed"
    )


# -- the connection ---------------------------------------------------------------------------------


def test_a_refusal_is_failing_in_the_brokers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_FIRST_TICK_S", 0.3)
    with Hostile(hostile.echoes_the_request) as server:
        service = RealTimeSyncService(name="refused", url=server.url, token="t0ken-of-mine")
        try:
            service.start_sync()
            try:
                service.subscribe_symbols_sync(["INFY"])
            except LtpkitError:
                service.stream.subscribe("INFY")
            assert service.stream._intake.wait_until(lambda: service.stream._state() == "refused", 10)
            one = found(service, "websocket")
            assert one.status == "failing"
            assert one.reason.startswith("refused: ")
            assert "t0ken-of-mine" not in one.reason
            assert health.ready(service).http_status == 503
        finally:
            service.stop_sync()


def test_a_line_that_is_down_is_degraded_at_first_and_failing_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_FIRST_TICK_S", 0.3)
    with Hostile(hostile.slams_the_door) as server:
        service = RealTimeSyncService(name="down", url=server.url)
        try:
            service.subscribe_symbols_sync(["INFY"])
            assert service.stream._intake.wait_until(lambda: service.stream._state() == "backing_off", 10)
            one = found(service, "websocket")
            assert one.status == "degraded"
            assert one.reason.startswith(("backing off, no tick yet", "connecting, no tick yet"))
            assert health.check(service).http_status == 200
            monkeypatch.setattr(health, "_PATIENCE_S", 0.0)
            assert found(service, "websocket").status == "failing"
            assert health.check(service).http_status == 503
        finally:
            service.stop_sync()


def test_a_mute_line_is_degraded(service: RealTimeSyncService, monkeypatch: pytest.MonkeyPatch) -> None:
    service.subscribe_symbols_sync(["INFY"])
    monkeypatch.setattr(service.stream, "_state", lambda: "stale")
    one = found(service, "websocket")
    assert (one.status, one.reason[:20]) == ("degraded", "connected, but mute:")
    assert health.check(service).http_status == 200


def test_a_feed_thread_that_has_ended_is_the_one_thing_that_only_a_new_start_helps(
    service: RealTimeSyncService,
) -> None:
    service.start_sync()
    service.stream._streamer.stop()
    assert health.live(service).http_status == 200  # somebody stopped it
    service.stream._streamer.last_error = RuntimeError("our own bug")
    assert health.live(service).checks[0].reason == "the feed's thread has ended: our own bug"
    assert health.live(service).http_status == 503


# -- the database -----------------------------------------------------------------------------------


def test_a_store_that_cannot_be_written_is_failing(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    service = RealTimeSyncService(name="unwritten", store=path, rate=2000)
    try:
        service.subscribe_symbols_sync(["INFY"])
        assert service.stream.wait(rows=5)
        assert service.stream.flush()
        one = found(service, "database")
        assert (one.status, "ticks stored" in one.reason) == ("ok", True)
        path.rename(tmp_path / "moved")
        shutil.copy(tmp_path / "moved", path)  # another file in its place
        assert service.stream.wait(rows=5)
        assert not service.stream.flush(1.0)
        one = found(service, "database")
        assert one.status == "failing"
        assert "rows cannot be stored: Another file has taken the place" in one.reason
        path.unlink()
        (tmp_path / "moved").rename(path)
        assert service.stream.flush()
        assert found(service, "database").status == "ok"
    finally:
        service.stop_sync()


def test_a_store_that_cannot_be_read_is_failing(service: RealTimeSyncService) -> None:
    service.start_sync()
    assert service.stream._store is not None
    service.stream._store.close()
    one = found(service, "database")
    assert (one.status, one.reason.startswith("it cannot be read: ")) == ("failing", True)


def test_a_full_disk_is_told_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = RealTimeSyncService(name="full", store=tmp_path / "ticks.duckdb")
    try:
        service.start_sync()
        monkeypatch.setattr(health, "_LEAST_FREE", 1 << 62)
        one = found(service, "database")
        assert (one.status, "the disk has only" in one.reason) == ("degraded", True)
        service.stream._journal_error = OSError("no space left on device")
        one = found(service, "database")
        assert one.reason.endswith("the journal cannot be written: no space left on device")
    finally:
        service.stop_sync()


# -- buffer and subscriptions -----------------------------------------------------------------------


def test_rows_that_wait_too_long_or_too_many_of_them_are_told(
    service: RealTimeSyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUFFER_FLUSH_INTERVAL", "1000")
    monkeypatch.setenv("REALTIME_BUFFER_SIZE", "1000000")
    service.subscribe_symbols_sync(["INFY"])
    stream = service.stream
    assert stream.wait(rows=3)
    one = found(service, "buffer")
    assert (one.status, "to be stored, the oldest for " in one.reason) == ("ok", True)
    monkeypatch.setattr(health, "_LATE_FLUSHES", 0)
    monkeypatch.setattr(health, "_LEAST_LATE_S", 0.0)
    assert found(service, "buffer").status == "degraded"
    stream._ring.capacity_rows = 1
    one = found(service, "buffer")
    assert (one.status, one.reason.endswith("more than the 1 that memory is meant for")) == ("failing", True)


def test_a_symbol_that_is_wanted_and_not_subscribed_is_told(service: RealTimeSyncService) -> None:
    service.subscribe_symbols_sync(["INFY", "TCS"])
    stream = service.stream
    stream._streamer.unsubscribe([one for one in stream._streamer.subscribed if one.symbol == "TCS"])
    one = found(service, "subscriptions")
    assert one == Check("subscriptions", "degraded", "wanted, but not subscribed at the feed: NSE:TCS")
