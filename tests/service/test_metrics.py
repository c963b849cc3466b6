"""Metrics: the names that dashboards lean on, and numbers that are what the stream counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import numpy as np
import polars as pl
import pytest

pytest.importorskip("prometheus_client", reason="part of the server extra")

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from ltpkit.errors import StreamStopped
from ltpkit.schema import BACKFILL
from ltpkit.service import RealTimeSyncService
from ltpkit.service.metrics import Metrics
from tests.test_ring import ticks

NAMES = {
    "websocket_connection_status": "gauge",
    "websocket_reconnection_attempts": "gauge",
    "websocket_message_rate": "gauge",
    "active_subscriptions_total": "gauge",
    "symbols_per_subscription": "gauge",
    "subscription_update_rate": "gauge",
    "ltp_updates_processed_total": "counter",
    "buffer_size_current": "gauge",
    "buffer_flush_duration_seconds": "histogram",
    "realtime_inserts_total": "counter",
    "realtime_query_duration_seconds": "histogram",
}
OURS = {"feed_latency_seconds": "histogram", "api_request_duration_seconds": "histogram"}


@pytest.fixture
def service() -> Iterator[RealTimeSyncService]:
    service = RealTimeSyncService(name="metrics", rate=2000)
    yield service
    service.stop_sync()


def told(metrics: Metrics) -> dict[str, float]:
    """The samples by name, those with labels as ``name{value}``."""
    text, kind = metrics.exposition()
    assert kind.startswith("text/plain")
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(sample.labels.values())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_the_names_and_types_are_those_that_dashboards_know(service: RealTimeSyncService) -> None:
    service.start_sync()
    text, _ = Metrics(service).exposition()
    types = [line.split()[2:] for line in text.decode().splitlines() if line.startswith("# TYPE")]
    assert dict(types) == NAMES | OURS
    assert len(types) == len(NAMES | OURS)


def test_before_the_service_starts_everything_is_nothing(service: RealTimeSyncService) -> None:
    metrics = Metrics(service)
    assert set(told(metrics).values()) == {0.0}
    stats = metrics.realtime_stats()
    assert stats["state"] == "stopped"
    assert stats["uptime_s"] is None
    with pytest.raises(StreamStopped):
        _ = service.stream


def test_the_numbers_are_what_the_stream_counted(service: RealTimeSyncService) -> None:
    metrics = Metrics(service)
    service.subscribe_symbols_sync(["INFY", "TCS"])
    service.subscribe_symbols_sync(["INFY"])
    metrics.exposition()  # from here on it listens
    stream = service.stream
    assert stream.wait(rows=50)
    assert told(metrics)["websocket_connection_status"] == 1
    service.stream.unsubscribe(service.stream.symbols)
    stream._streamer.stop()
    assert stream.flush()
    found, received = told(metrics), stream._ring.last_seq
    assert received >= 50
    assert found["ltp_updates_processed_total"] == found["realtime_inserts_total"] == received
    assert found["buffer_size_current"] == found["websocket_connection_status"] == 0
    assert found["websocket_message_rate"] > 0
    assert found["websocket_reconnection_attempts"] == 0
    assert found["active_subscriptions_total"] == 2
    assert found["symbols_per_subscription"] == 1.5
    assert found["buffer_flush_duration_seconds_count"] >= 1
    assert found["buffer_flush_duration_seconds_sum"] > 0
    before = found["realtime_query_duration_seconds_count"]
    stream.sql("FROM ticks LIMIT 1")
    with stream.sandbox() as sandbox:
        sandbox.query("SELECT 1")
    assert told(metrics)["realtime_query_duration_seconds_count"] == before + 2


def test_feed_latency_counts_every_row_once(service: RealTimeSyncService) -> None:
    metrics = Metrics(service.start_sync())
    service.subscribe_symbols_sync(["INFY", "TCS"])
    stream = service.stream
    for rows in (20, 30):
        assert stream.wait(rows=rows)
        metrics.exposition()
    stream._streamer.stop()
    found = told(metrics)
    rows = stream._ring.frame().filter(pl.col("timestamp") != pl.col("received_at"))
    took = (rows["received_at"] - rows["timestamp"]).dt.total_microseconds().to_numpy() / 1e6
    assert found["feed_latency_seconds_count"] == rows.height
    assert found["feed_latency_seconds_sum"] == pytest.approx(took.sum())
    for bound in ("0.05", "0.5", "1.0", "60.0"):
        assert found[f"feed_latency_seconds_bucket{{{bound}}}"] == (took <= float(bound)).sum()
    latency = metrics.realtime_stats()["feed_latency"]
    assert latency["max_ms"] == pytest.approx(1000 * took.max(), abs=0.001)
    assert latency["p50_ms"] == pytest.approx(1000 * np.median(took), abs=0.001)


def test_rows_without_an_exchange_time_and_filled_in_ones_have_no_latency(
    service: RealTimeSyncService,
) -> None:
    metrics = Metrics(service.start_sync())
    stream = service.stream
    stream._streamer.stop()  # from here on this test is the one that writes
    untimed, early, past = (ticks([(0, 1.0, None), (1, 2.0, None)]) for _ in range(3))
    untimed.timestamp[:] = untimed.received_at
    early.timestamp[0] = early.received_at[0] + 10_000_000  # a clock that is behind the exchange's
    stream._ring.append(untimed, "simulated")
    stream._ring.append(early, "simulated")
    stream._ring.append(past, BACKFILL)
    found = told(metrics)
    assert found["feed_latency_seconds_count"] == 2
    assert found["feed_latency_seconds_sum"] == pytest.approx(0.0005)


def test_requests_are_counted_by_method_route_and_status(service: RealTimeSyncService) -> None:
    metrics = Metrics(service)
    metrics.observe_request("GET", "/ltp/{symbol}", 200, 0.002)
    metrics.observe_request("GET", "/ltp/{symbol}", 200, 0.2)
    metrics.observe_request("GET", "/ltp/{symbol}", 404, 0.001)
    metrics.observe_request("BREW\n", "/x", 405, 0.001)
    found = told(metrics)
    counts = {
        name: value for name, value in found.items() if name.startswith("api_request_duration_seconds_count")
    }
    assert counts == {
        "api_request_duration_seconds_count{GET,/ltp/{symbol},200}": 2,
        "api_request_duration_seconds_count{GET,/ltp/{symbol},404}": 1,
        "api_request_duration_seconds_count{other,/x,405}": 1,
    }
    assert metrics.realtime_stats()["requests"] == {
        "count": 4,
        "p50_ms": 1.5,
        "p99_ms": 194.06,
        "max_ms": 200.0,
    }


def test_made_up_routes_do_not_grow_the_metrics_without_end(service: RealTimeSyncService) -> None:
    metrics = Metrics(service)
    for n in range(2000):
        metrics.observe_request("GET", f"/{n}", 404, 0.001)
    counts = [name for name in told(metrics) if name.startswith("api_request_duration_seconds_count")]
    assert len(counts) <= 501
    assert metrics.realtime_stats()["requests"]["count"] == 2000


def test_durations_from_many_threads_are_all_counted(service: RealTimeSyncService) -> None:
    metrics = Metrics(service)

    def many() -> None:
        for _ in range(500):
            metrics.observe_request("GET", "/x", 200, 0.001)

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told(metrics)["api_request_duration_seconds_count{GET,/x,200}"] == 4000


def test_the_stats_are_json_with_a_stream_and_without(service: RealTimeSyncService) -> None:
    metrics = Metrics(service)
    few = msgspec.json.decode(msgspec.json.encode(metrics.realtime_stats()))
    service.subscribe_symbols_sync(["INFY"])
    assert service.stream.wait(rows=5)
    stats = msgspec.json.decode(msgspec.json.encode(metrics.realtime_stats()))
    assert set(few) < set(stats)
    assert stats["state"] == "live"
    assert stats["symbols"] == stats["subscriptions"] == 1
    assert stats["ticks_received"] >= 5
    assert stats["ticks_waiting"] == stats["ticks_received"] - stats["ticks_stored"]
    assert stats["feed_latency"]["p99_ms"] >= stats["feed_latency"]["p50_ms"] >= 0


def test_services_do_not_share_metrics_nor_touch_the_processes_own(service: RealTimeSyncService) -> None:
    before = list(REGISTRY.collect())
    first, second = Metrics(service), Metrics(service)
    first.observe_request("GET", "/x", 200, 0.001)
    assert "/x" not in second.exposition()[0].decode()
    assert len(list(REGISTRY.collect())) == len(before)


def test_closed_metrics_listen_no_more(service: RealTimeSyncService) -> None:
    metrics, other = Metrics(service.start_sync()), Metrics(service)
    assert len(service.stream.timers) == 2
    metrics.close()
    metrics.close()
    assert len(service.stream.timers) == 1
    other.close()
    assert service.stream.timers == ()
