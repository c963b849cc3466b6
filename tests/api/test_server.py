"""A server beside the notebook: the same one again, clear refusals, and an end that is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

import ltpkit as lk
from ltpkit.errors import AddressTaken
from ltpkit.live import Stream
from tests.api.clients import BASE, LIMIT_S, listening, subscribe, take


@pytest.fixture
def stream() -> Iterator[Stream]:
    with lk.stream(["TCS"], name="server", rate=2_000) as live:
        yield live


def test_the_same_cell_again_gives_the_same_server(stream: Stream) -> None:
    first = stream.serve(port=0)
    threads = {thread.name for thread in threading.enumerate()}
    assert stream.serve(port=0) is first
    assert {thread.name for thread in threading.enumerate()} == threads
    assert httpx.get(f"{first.url}/health/live").status_code == 200
    assert repr(first).startswith(f"<Server {first.url} · <RealTimeSyncService since")
    other = stream.serve(host="localhost", port=0)
    assert other is not first
    assert (first.running, other.running) == (False, True)


def test_a_taken_port_is_told_and_the_stream_goes_on(stream: Stream) -> None:
    first = stream.serve(port=0)
    with lk.stream(["TCS"], name="another", rate=2_000) as other:
        with pytest.raises(AddressTaken, match=rf"127\.0\.0\.1:{first.port} .*SERVICE_PORT") as taken:
            other.serve(port=first.port)
        assert (taken.value.host, taken.value.port) == ("127.0.0.1", first.port)
        assert other.status().state == "live"
    nowhere = lk.stream([], name="nowhere", api_token="only a test")
    with nowhere, pytest.raises(AddressTaken, match=r"192\.0\.2\.1"):
        nowhere.serve(host="192.0.2.1", port=0)


@pytest.mark.anyio
async def test_it_serves_inside_a_running_loop_and_leaves_that_alone(stream: Stream) -> None:
    loop = asyncio.get_running_loop()
    server = stream.serve(port=0)
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.get(f"{BASE}/ltp/TCS")).status_code == 200
    assert asyncio.get_running_loop() is loop
    server.stop()


def test_stopping_tells_the_clients_and_gives_their_symbols_up(stream: Stream) -> None:
    server = stream.serve(port=0)
    with httpx.Client(base_url=server.url) as http:
        one = subscribe(http, "INFY", update_frequency=0.1)
        with listening(one["websocket"]) as socket:
            take(socket, "ltp_update", 1)
            server.stop()
            assert take(socket, "status", 1)[0]["state"] == "stopping"
            with pytest.raises(ConnectionClosed) as closed:
                take(socket, "never", 1)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        with pytest.raises(httpx.ConnectError):
            http.get("/health/live")
    assert stream.symbols == ["NSE:TCS"]
    assert stream.status().state == "live"
    server.stop()
    assert "stopped" in repr(server)


def test_stopping_the_stream_stops_its_server(stream: Stream) -> None:
    server = stream.serve(port=0)
    stream.stop()
    assert not server.running
    assert not [thread for thread in threading.enumerate() if thread.name == "ltpkit-api"]


def test_a_heartbeat_comes_when_there_is_nothing_else() -> None:
    with lk.stream([], name="quiet", heartbeat_interval_s=0.1) as live:
        server = live.serve(port=0)
        with httpx.Client(base_url=server.url) as http:
            one = subscribe(http, "TCS", update_frequency=3600)
        with listening(one["websocket"]) as socket:
            beat = take(socket, "heartbeat", 2)[-1]
    assert (beat["state"], beat["conflated"]) == ("live", 0)


def test_a_stream_that_is_stopped_under_the_service_is_told_as_such(stream: Stream) -> None:
    server = stream.serve(port=0)
    with httpx.Client(base_url=server.url, timeout=LIMIT_S) as http:
        stream._streamer.stop()
        answer = http.post(f"{BASE}/subscribe", json={"symbols": ["WIPRO"]})
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:ltpkit:stream-stopped")
        assert http.get("/health/ready").status_code == 503
