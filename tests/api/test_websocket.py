"""Prices over WebSockets: every tick, or the newest at a pace; gone and back; too slow; told of ends."""

from __future__ import annotations

import json
import math
import socket as sockets
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import polars as pl
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import ltpkit as lk
from ltpkit import nifty
from ltpkit.api import Server
from ltpkit.api.sockets import _ipc
from ltpkit.live import Stream
from ltpkit.schema import TICKS
from ltpkit.service.updates import TICK, Update
from tests.api.clients import BASE, LIMIT_S, listening, messages, subscribe, take


def seqs_between(live: Stream, symbols: list[str], first: int, last: int) -> list[int]:
    rows = live.ticks(symbols).filter(pl.col("seq").is_between(first, last))
    return rows["seq"].to_list()


def test_a_zero_frequency_sends_every_tick_once_in_order(http: httpx.Client, live: Stream) -> None:
    one = subscribe(http, "TCS", "INFY", update_frequency=0)
    with listening(one["websocket"]) as socket:
        updates = take(socket, "ltp_update", 150)
    seqs = [update["seq"] for update in updates[2:]]  # the first of each symbol is its newest before
    assert {update["symbol"] for update in updates} == {"TCS", "INFY"}
    assert seqs == seqs_between(live, ["TCS", "INFY"], seqs[0], seqs[-1])
    assert set(updates[0]) == {"type", *TICKS}


def test_a_change_is_told_without_what_subtracting_floats_leaves() -> None:
    row = dict.fromkeys(TICKS) | {"seq": 1, "symbol": "TCS", "exchange": "NSE", "ltp": 300.3}
    row |= {"timestamp": datetime(2026, 3, 2, 4, 0, tzinfo=UTC), "source": "test", "change": 300.3 - 300.0}
    update = json.loads(Update(TICK, tuple(row.values())).text)
    assert (update["change"], update["change_percent"]) == (0.3, None)


def test_who_comes_back_gets_what_was_missed_and_nothing_twice(http: httpx.Client, live: Stream) -> None:
    one = subscribe(http, "TCS", "INFY", update_frequency=0)
    with listening(one["websocket"]) as socket:
        seqs = [update["seq"] for update in take(socket, "ltp_update", 50)]
    assert live.wait(rows=100)
    for _ in range(3):
        with listening(f"{one['websocket']}?after_seq={seqs[-1]}") as socket:
            seqs += [update["seq"] for update in take(socket, "ltp_update", 60)]
    rest = seqs[2:]
    assert rest == seqs_between(live, ["TCS", "INFY"], rest[0], rest[-1])


def test_a_frequency_sends_the_newest_price_at_that_pace(http: httpx.Client) -> None:
    one = subscribe(http, "TCS", "INFY", update_frequency=0.2)
    with listening(one["websocket"]) as socket:
        updates = take(socket, "ltp_update", 12)
    for symbol in ("TCS", "INFY"):
        seqs = [update["seq"] for update in updates if update["symbol"] == symbol]
        assert seqs == sorted(set(seqs))
    status = http.get(f"{BASE}/subscriptions/{one['subscription_id']}").json()
    assert status["delivered"] >= 12
    assert status["conflated"] == 0
    assert status["seq"] >= updates[-1]["seq"]


def test_an_update_is_the_newest_row_when_it_is_sent(http: httpx.Client, live: Stream) -> None:
    one = subscribe(http, "TCS", update_frequency=0.3)
    with listening(one["websocket"]) as socket:
        for update in take(socket, "ltp_update", 4):
            row = live.ticks("TCS").filter(pl.col("seq") == update["seq"]).row(0, named=True)
            assert update["ltp"] == row["ltp"]
            assert update["volume"] == row["volume"]


def test_coming_back_to_a_pace_sends_only_what_is_newer(http: httpx.Client, live: Stream) -> None:
    one = subscribe(http, "TCS", "INFY", update_frequency=5)
    with listening(one["websocket"]) as socket:
        last = max(update["seq"] for update in take(socket, "ltp_update", 2))
    assert live._intake.wait_until(lambda: min(live.latest(["TCS", "INFY"])["seq"]) > last, 10)
    with listening(f"{one['websocket']}?after_seq={last}") as socket:
        updates = take(socket, "ltp_update", 2)
    assert min(update["seq"] for update in updates) > last


def test_depth_comes_when_it_was_asked_for(http: httpx.Client) -> None:
    one = subscribe(http, "TCS", update_frequency=0.1, depth=True)
    with listening(one["websocket"]) as socket:
        books = take(socket, "depth_update", 3)
    assert books[-1]["symbol"] == "TCS"
    assert books[-1]["bids"][0]["price"] < books[-1]["asks"][0]["price"]
    assert [book["seq"] for book in books] == sorted({book["seq"] for book in books})


def test_arrow_batches_come_by_subprotocol(http: httpx.Client, live: Stream) -> None:
    one = subscribe(http, "TCS", "INFY", update_frequency=0)
    frames: list[pl.DataFrame] = []
    with listening(one["websocket"], subprotocols=["ltpkit.arrow"]) as socket:
        assert socket.subprotocol == "ltpkit.arrow"
        while sum(frame.height for frame in frames) < 100:
            message = socket.recv(LIMIT_S)
            if isinstance(message, bytes):
                frames.append(pl.read_ipc_stream(message))
    together = pl.concat(frames)
    assert together.columns == list(TICKS)
    seqs = together["seq"].to_list()[2:]
    assert seqs == seqs_between(live, ["TCS", "INFY"], seqs[0], seqs[-1])


def test_an_arrow_batch_of_a_beat_is_made_once_for_all(http: httpx.Client) -> None:
    _ipc.cache_clear()
    address = subscribe(http, "TCS", "INFY", update_frequency=0.05)["websocket"]
    arrow = {"subprotocols": ["ltpkit.arrow"]}
    with listening(address, **arrow) as first, listening(address, **arrow) as second:
        batches = []
        for socket in (second, first):  # the first one was there all the while
            came = iter(partial(socket.recv, LIMIT_S), None)
            some = (message for message in came if isinstance(message, bytes))
            batches.append({next(some) for _ in range(10)})
    assert batches[0] & batches[1]
    assert _ipc.cache_info().hits > 0


def test_the_first_message_tells_where_things_stand(http: httpx.Client) -> None:
    one = subscribe(http, "TCS")
    with listening(one["websocket"]) as socket:
        first = next(messages(socket))
    assert (first["type"], first["state"], first["symbols"]) == ("status", "live", ["NSE:TCS"])


def test_unsubscribing_tells_the_connection_and_ends_it(http: httpx.Client) -> None:
    one = subscribe(http, "TCS", update_frequency=60)
    with listening(one["websocket"]) as socket:
        take(socket, "ltp_update", 1)
        http.delete(f"{BASE}/subscribe/{one['subscription_id']}")
        assert take(socket, "status", 1)[0]["state"] == "unsubscribed"
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(LIMIT_S)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "unsubscribed")


def test_an_unknown_subscription_is_refused_with_a_problem(server: Server) -> None:
    address = f"{server.url.replace('http', 'ws')}{BASE}/ws/abc-123"
    with pytest.raises(InvalidStatus) as refused, listening(address):
        pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body)["type"] == "urn:ltpkit:unknown-subscription"


def test_a_broken_line_is_told_as_status_and_gap(http: httpx.Client, live: Stream) -> None:
    one = subscribe(http, "TCS", update_frequency=60)
    with listening(one["websocket"]) as socket:
        take(socket, "ltp_update", 1)
        assert live._exchange is not None
        live._exchange.hang_up()
        gap = take(socket, "gap", 1)[0]
    assert gap["why"] == "connection lost"
    assert gap["symbols"] == ["NSE:TCS"]
    assert gap["start"] <= gap["end"]


def test_who_talks_too_much_is_sent_away(http: httpx.Client) -> None:
    one = subscribe(http, "TCS")
    with listening(one["websocket"]) as socket:
        for _ in range(101):
            socket.send("and another thing")
        with pytest.raises(ConnectionClosed) as closed:
            take(socket, "never", 1)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


# -- too fast for some ------------------------------------------------------------------------------


@pytest.fixture
def flood(tmp_path: Path) -> Iterator[Stream]:
    with lk.stream(
        ["RELIANCE", "TCS"],
        store=tmp_path / "flood.duckdb",
        name="flood",
        rate=math.inf,
        capacity_rows=1,
        flush_interval_s=0.1,
    ) as live:
        yield live


def never_reads(address: str) -> sockets.socket:
    """Return a client that has shaken hands and reads nothing."""
    host, port, path = httpx.URL(address).host, httpx.URL(address).port, httpx.URL(address).raw_path.decode()
    raw = sockets.socket()
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.connect((host, port))
    raw.sendall(
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    return raw


def test_a_client_that_never_reads_costs_nobody_anything(flood: Stream) -> None:
    server = flood.serve(port=0)
    with httpx.Client(base_url=server.url) as http:
        names = [one.symbol for one in nifty.instruments()]
        every = subscribe(http, *names, update_frequency=0)
        paced = subscribe(http, *names, update_frequency=0.01, depth=True)
        with never_reads(every["websocket"]), never_reads(paced["websocket"]):
            records = [server.service.subscription(one["subscription_id"]) for one in (every, paced)]
            assert flood._intake.wait_until(lambda: all(one.conflated > 10 for one in records), 60)
            outlets = server._uvicorn._app.delivery._outlets()
            assert len(outlets) == 2
            assert all(len(one._waiting) + len(one._newest) <= 2_000 for one in outlets)
            other = subscribe(http, "TCS", update_frequency=0.05)
            with listening(other["websocket"]) as socket:
                updates = take(socket, "ltp_update", 10)
            assert server.service.subscription(other["subscription_id"]).conflated == 0
            newest = flood.latest("TCS")["seq"][0]
            assert updates[-1]["seq"] <= newest
        assert flood._intake.wait_until(lambda: server.service.clients == 0, 20)


def test_a_slow_client_is_told_what_it_did_not_get(flood: Stream) -> None:
    server = flood.serve(port=0)
    with httpx.Client(base_url=server.url) as http:
        one = subscribe(http, "RELIANCE", "TCS", update_frequency=0)
        record = server.service.subscription(one["subscription_id"])
        with listening(one["websocket"], max_queue=1) as socket:
            assert flood._intake.wait_until(lambda: record.conflated > 0, 60)
            seen, gap = 0, None
            for message in messages(socket):
                if message["type"] == "gap" and message["why"].startswith("this connection is too slow"):
                    gap = message
                elif message["type"] == "ltp_update":
                    assert message["seq"] > seen
                    seen = message["seq"]
                    if gap is not None and seen > gap["last_seq"]:
                        break
    assert gap["missing"] > 0
    assert gap["first_seq"] <= gap["last_seq"]


def test_rows_that_left_memory_are_named_when_somebody_comes_back(flood: Stream) -> None:
    server = flood.serve(port=0)
    assert flood._intake.wait_until(lambda: flood._ring.first_seq > 1, 60)
    with httpx.Client(base_url=server.url) as http:
        one = subscribe(http, "RELIANCE", update_frequency=5)
        with listening(f"{one['websocket']}?after_seq=0") as socket:
            gap = take(socket, "gap", 1)[0]
        assert gap["first_seq"] == 1
        page = http.get(f"{BASE}/ticks/RELIANCE", params={"after_seq": 0, "limit": 10}).json()
        assert len(page) == 10  # the store has them
        assert page[0]["seq"] <= gap["last_seq"]
        with listening(f"{one['websocket']}?after_seq=999999999999") as socket:
            assert "never reached" in take(socket, "gap", 1)[0]["why"]
