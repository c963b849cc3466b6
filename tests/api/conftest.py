"""A service on a real port, with the simulated exchange behind it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

import ltpkit as lk
from ltpkit.api import Server
from ltpkit.live import Stream


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stream]:
    store = tmp_path_factory.mktemp("served") / "ticks.duckdb"
    with lk.stream(["NSE:SBIN"], store=store, rate=5_000, flush_interval_s=0.2, service_sql=True) as started:
        yield started


@pytest.fixture(scope="module")
def server(live: Stream) -> Server:
    return live.serve(port=0)


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client
