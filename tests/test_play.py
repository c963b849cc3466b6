"""The capture server itself, and the whole pure path fed over its socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ltpkit.batch import Batch
from ltpkit.book import Books
from ltpkit.feeds.binance import Binance
from ltpkit.instrument import Instruments
from tests.paths import SHARED, needs_shared
from tests.play import CaptureServer

SPOT = SHARED / "recordings" / "crypto-ws" / "binance-spot-btcusdt-20240808.txt.gz"


def trade(number: int) -> bytes:
    payload = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": number, "p": "1.5", "q": "2", "T": 1700000000000}
    return json.dumps({"stream": "btcusdt@trade", "data": payload}, separators=(",", ":")).encode()


def change(first: int, last: int, bid: str, qty: str) -> bytes:
    payload = {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": first, "u": last, "b": [[bid, qty]], "a": []}
    return json.dumps({"stream": "btcusdt@depth@100ms", "data": payload}, separators=(",", ":")).encode()


SNAPSHOT = b'{"lastUpdateId":4,"bids":[["10.0","1"]],"asks":[["11.0","1"]]}'


@contextmanager
def subscribed(server: CaptureServer, *streams: str) -> Iterator[ClientConnection]:
    with connect(f"{server.url}/stream", proxy=None, compression=None) as client:
        client.send(json.dumps({"method": "SUBSCRIBE", "params": list(streams), "id": 7}))
        assert json.loads(client.recv(timeout=5)) == {"result": None, "id": 7}
        yield client


def ids(client: ClientConnection, count: int) -> list[int]:
    return [json.loads(client.recv(timeout=5))["data"]["t"] for _ in range(count)]


def test_nothing_is_sent_before_a_client_subscribes_and_then_only_its_streams() -> None:
    other = trade(9).replace(b"btcusdt@", b"ethusdt@")
    with (
        CaptureServer([(1, trade(1)), (2, other), (3, trade(2))]) as server,
        subscribed(server, "btcusdt@trade") as client,
    ):
        assert ids(client, 2) == [1, 2]
        server.wait_until()
        assert server.requests == [{"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 7}]
        assert server.paths == ["/stream"]


def test_playing_holds_at_a_line_until_told_to_go_on() -> None:
    lines = [(n, trade(n)) for n in range(1, 6)]
    with CaptureServer(lines, hold_at=2) as server, subscribed(server, "btcusdt@trade") as client:
        server.wait_until(2)
        assert ids(client, 2) == [1, 2]
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.05)
        assert server.played == 2
        server.play_until(4)
        assert ids(client, 2) == [3, 4]
        server.play_on()
        assert ids(client, 1) == [5]


def test_skipped_lines_never_come_and_corrupt_ones_come_as_given() -> None:
    lines = [(n, trade(n)) for n in range(1, 5)]
    with (
        CaptureServer(lines, skip=[2], corrupt={3: b"{oops"}) as server,
        subscribed(server, "btcusdt@trade") as client,
    ):
        assert ids(client, 1) == [1]
        assert client.recv(timeout=5) == "{oops"
        assert ids(client, 1) == [4]


def test_a_dropped_client_that_comes_back_goes_on_at_the_next_line() -> None:
    lines = [(n, trade(n)) for n in range(1, 5)]
    with CaptureServer(lines, hold_at=2) as server:
        with subscribed(server, "btcusdt@trade") as client:
            assert ids(client, 2) == [1, 2]
            server.drop()
            with pytest.raises(ConnectionClosed):
                client.recv(timeout=5)
        server.play_on()
        with subscribed(server, "btcusdt@trade") as client:
            server.wait_for_client()
            assert ids(client, 2) == [3, 4]


def test_closing_gives_the_code_and_the_reason() -> None:
    with CaptureServer([(1, trade(1))], hold_at=0) as server, subscribed(server, "btcusdt@trade") as client:
        server.close(1008, "too many requests")
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=5)
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "too many requests")


def test_the_recorded_pace_is_kept_at_the_speed_asked_for() -> None:
    lines = [(0, trade(1)), (4_000_000_000, trade(2))]
    with CaptureServer(lines, speed=20.0) as server, subscribed(server, "btcusdt@trade") as client:
        assert ids(client, 1) == [1]
        with pytest.raises(TimeoutError):  # due after 0.2 s
            client.recv(timeout=0.05)
        assert ids(client, 1) == [2]


def test_the_book_is_answered_at_its_own_line_and_later_as_it_stands() -> None:
    lines = [
        (1, change(1, 3, "9.0", "1")),
        (2, change(4, 6, "9.5", "2")),
        (3, SNAPSHOT),
        (4, change(7, 8, "10.0", "0")),
    ]
    with CaptureServer(lines, hold_at=1, skip=[4]) as server, ThreadPoolExecutor(1) as pool:
        address = f"{server.rest_url}/api/v3/depth?symbol=BTCUSDT&limit=1000"
        with subscribed(server, "btcusdt@depth@100ms") as client:
            server.wait_until(1)
            answer = pool.submit(httpx.get, address, trust_env=False, timeout=10)
            client.recv(timeout=5)
            assert not answer.done()
            server.play_on()
            assert answer.result(10).content == SNAPSHOT
            server.wait_until()
            # Line 4 never came to the client, and yet it is in the exchange's own book.
            now = httpx.get(address, trust_env=False, timeout=10).json()
    assert now == {"lastUpdateId": 8, "bids": [["9.5", "2"]], "asks": [["11.0", "1"]]}


def test_playing_waits_at_the_book_until_it_was_asked_for() -> None:
    lines = [(1, SNAPSHOT), (2, trade(1))]
    with (
        CaptureServer(lines) as server,
        subscribed(server, "btcusdt@trade", "btcusdt@depth@100ms") as client,
    ):
        with pytest.raises(TimeoutError):
            client.recv(timeout=0.05)
        httpx.get(f"{server.rest_url}/fapi/v1/depth", trust_env=False, timeout=10)
        assert ids(client, 1) == [1]


@needs_shared
@pytest.mark.parametrize("lost", [False, True])
def test_a_book_kept_over_the_socket_ends_as_the_truth_says_also_after_a_gap(lost: bool) -> None:  # noqa: FBT001
    truth = json.loads((SPOT.parent / "binance-spot-btcusdt-20240808-09.truth.json").read_text())
    point = truth["checkpoints"]["5000"]
    known = Instruments()
    books = Books(instruments=known)
    skip = range(3000, 3100) if lost else ()
    trades, kinds = 0, []
    with CaptureServer(SPOT, hold_at=5000, skip=skip) as server:
        feed = Binance(instruments=known, url=server.url, rest_url=server.rest_url)
        asked = feed.resolve("btcusdt")
        number = known.add(asked)
        address = feed.snapshot_address(asked)
        assert address is not None
        with connect(feed.address(), proxy=None, compression=None, close_timeout=0.5) as client:
            for message in feed.subscribe([asked]):
                client.send(message)
            while books.last_id(number) != point["last_update_id"] or not (
                lost or trades >= point["trades_so_far"]
            ):
                batch: Batch = feed.decode([client.recv(timeout=10, decode=False)], 0)
                assert batch.rejects == []
                if batch.ticks is not None:
                    trades += int((batch.ticks.column("ltp") > 0).sum())
                done = books.apply(batch.book_updates)
                kinds += [event.kind for event in [*batch.events, *done.events]]
                if done.wanted:
                    body = httpx.get(address, trust_env=False, timeout=10).content
                    done = books.apply([feed.decode_snapshot(asked, body, 0)])
                    kinds += [event.kind for event in done.events]
    full = books.full(number)
    assert full is not None
    for side, name in zip(full, ("bids", "asks"), strict=True):
        assert side[:5] == [(float(price), float(qty)) for price, qty in point[name]]
        assert len(side) == point[f"{name[:-1]}_levels"]
    if lost:
        assert sorted(set(kinds)) == ["gap", "resync"]
    else:
        assert kinds == []
        assert trades == point["trades_so_far"]
