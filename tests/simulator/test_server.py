"""The simulated exchange over real sockets: Dhan's manners, pace, and clients of every kind."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from ltpkit import nifty
from ltpkit.errors import SettingError
from ltpkit.feeds.dhan import Mode, Simulated
from ltpkit.feeds.dhan.wire import FULL, PREV_CLOSE, QUOTE, TICKER
from ltpkit.instrument import Instrument, Instruments
from ltpkit.simulator import Market, SimulatedExchange, run, server
from ltpkit.simulator.client import framed

NOON = 1_766_302_515.0  # 2025-12-21 13:05:15 IST
NOON_IST = int(NOON) + 19_800
DEADLINE_S = 20.0


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(7, rate=None, clock=lambda: NOON) as running:
        yield running


def client(url: str) -> ClientConnection:
    return connect(url, proxy=None, compression=None, max_size=2**20, close_timeout=0.2)


def feed(mode: Mode = "full", **settings: Any) -> Simulated:
    return Simulated(instruments=Instruments(), mode=mode, **settings)


def named(*symbols: str) -> list[Instrument]:
    everything = nifty.instruments()
    return [one for one in everything if one.symbol in symbols] if symbols else list(everything)


def subscribe(connection: ClientConnection, *symbols: str, mode: Mode = "full") -> None:
    for message in feed(mode).subscribe(named(*symbols)):
        connection.send(message)


def unsubscribe(connection: ClientConnection, *symbols: str, mode: Mode = "full") -> None:
    for message in feed(mode).unsubscribe(named(*symbols)):
        connection.send(message)


def receive(connection: ClientConnection, count: int) -> list[bytes]:
    found = [connection.recv(timeout=DEADLINE_S, decode=False) for _ in range(count)]
    assert all(isinstance(one, bytes) for one in found)
    return found


def until(true: Callable[[], object], what: str) -> None:
    """Wait for something that sends no event: another thread's counter, a full socket buffer."""
    deadline, pause = time.monotonic() + DEADLINE_S, threading.Event()
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        pause.wait(0.005)


def goodbye_code(connection: ClientConnection) -> int | None:
    """Read until a disconnect packet; what follows it must be the close."""
    while True:
        goodbye = feed().decode(receive(connection, 1), 0).goodbye
        if goodbye is not None:
            with pytest.raises(ConnectionClosedOK):
                connection.recv(timeout=DEADLINE_S)
            return goodbye.code


def stalled(url: str, *symbols: str) -> socket.socket:
    """Return a socket that subscribed and reads nothing; small buffers make it stall soon."""
    where = urlsplit(url)
    assert where.hostname
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect((where.hostname, where.port))
    raw.settimeout(DEADLINE_S)
    raw.sendall(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += raw.recv(1)
    assert b" 101 " in answer
    [message] = feed().subscribe(named(*symbols))
    body = message.encode() if isinstance(message, str) else message
    raw.sendall(b"\x81" + bytes([0x80 | 126]) + len(body).to_bytes(2, "big") + bytes(4) + body)
    return raw


# --- subscribing


def test_a_subscription_starts_with_previous_closes_and_newest_values(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        subscribe(connection)
        frames = receive(connection, 100)
    market = Market(7)
    assert b"".join(frames[:50]) == market.previous_closes(range(50)).tobytes()
    newest = market.snapshot(range(50))
    newest["ltt"] = NOON_IST
    assert b"".join(frames[50:]) == newest.tobytes()


def test_the_seed_alone_decides_what_is_sent(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        subscribe(connection)
        frames = receive(connection, 5100)[100:]
    packets, _ = Market(7).take(5000, NOON_IST)
    assert b"".join(frames) == packets.tobytes()


def test_the_same_market_comes_at_any_pace() -> None:
    seen = []
    for rate in (4000, None):
        with (
            SimulatedExchange(3, rate=rate, clock=lambda: NOON) as exchange,
            client(exchange.url) as connection,
        ):
            subscribe(connection)
            seen.append(receive(connection, 600))
    assert seen[0] == seen[1]


def test_the_feed_reads_everything_that_is_sent(exchange: SimulatedExchange) -> None:
    table = Instruments()
    decode = Simulated(instruments=table, url=exchange.url)
    with client(decode.address()) as connection:
        subscribe(connection)
        batch = decode.decode(receive(connection, 2000), 0)
    assert not batch.rejects
    assert batch.ticks is not None
    assert len(batch.ticks) == 2000
    assert set(table.names()) == {one.name for one in nifty.instruments()}
    assert set(batch.ticks.timestamp[50:].tolist()) == {int(NOON) * 1_000_000}


@pytest.mark.parametrize(("mode", "layout"), [("ticker", TICKER), ("quote", QUOTE), ("full", FULL)])
def test_each_mode_gets_its_own_packets(exchange: SimulatedExchange, mode: Mode, layout: Any) -> None:
    with client(exchange.url) as connection:
        subscribe(connection, "TCS", mode=mode)
        first, *rest = receive(connection, 102)
    assert len(first) == PREV_CLOSE.itemsize
    narrow = np.frombuffer(b"".join(rest[1:]), layout)
    assert set(narrow["length"].tolist()) == {layout.itemsize}
    market = Market(7)
    packets, shares = market.take(40_000, NOON_IST)
    own = packets[shares == [share.symbol for share in market.listing].index("TCS")][: len(narrow)]
    for name in layout.names:
        if name not in ("code", "length"):
            assert narrow[name].tolist() == own[name].tolist()


def test_one_share_may_be_had_in_two_modes(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        subscribe(connection, "TCS", mode="ticker")
        subscribe(connection, "TCS", mode="full")
        until(lambda: {2, 8} <= {frame[0] for frame in receive(connection, 50)}, "both kinds of packets")


def test_an_unsubscribed_share_falls_silent(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        subscribe(connection, "TCS", "INFY")
        unsubscribe(connection, "TCS")
        subscribe(connection, "WIPRO")  # requests are not answered; this one shows the one before was read
        ids = {share.symbol: share.security_id.to_bytes(4, "little") for share in nifty.LISTING}
        while receive(connection, 1)[0][4:8] != ids["WIPRO"]:
            pass
        after = {frame[4:8] for frame in receive(connection, 500)}
    assert after == {ids["INFY"], ids["WIPRO"]}


def test_nobody_subscribed_means_nothing_happens(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        subscribe(connection, "TCS")
        receive(connection, 10)
        unsubscribe(connection, "TCS")
        with contextlib.suppress(TimeoutError):
            while True:  # the packets that were on their way
                connection.recv(timeout=0.3)
        sent = exchange.sent
        with pytest.raises(TimeoutError):
            connection.recv(timeout=0.1)
        assert exchange.sent == sent


# --- pace


def test_the_pace_is_the_rate_on_average() -> None:
    with SimulatedExchange(rate=2000) as exchange, client(exchange.url) as connection:
        subscribe(connection)
        receive(connection, 100)
        began = time.monotonic()
        receive(connection, 2000)
        assert 0.6 < time.monotonic() - began < 3


def test_the_rate_may_change_while_it_runs() -> None:
    with SimulatedExchange(rate=1e-6) as exchange, client(exchange.url) as connection:
        subscribe(connection)
        receive(connection, 100)
        with pytest.raises(TimeoutError):
            connection.recv(timeout=0.1)
        exchange.rate = float("inf")
        assert exchange.rate is None
        receive(connection, 3000)


@pytest.mark.parametrize("rate", [0, -5, float("nan")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(SettingError, match="rate= must be above 0"):
        SimulatedExchange(rate=rate)


def test_a_new_day_begins_at_midnight_in_india() -> None:
    midnight = 1_766_255_400.0  # 2025-12-21 00:00 IST
    times = {"now": midnight - 1}
    with (
        SimulatedExchange(rate=None, clock=lambda: times["now"]) as exchange,
        client(exchange.url) as connection,
    ):
        subscribe(connection, "RELIANCE")
        before = np.frombuffer(receive(connection, 3000)[-1], FULL)[0]
        times["now"] = midnight
        packet = before
        while packet["ltt"] == before["ltt"]:
            before, packet = packet, np.frombuffer(receive(connection, 1)[0], FULL)[0]
    assert packet["volume"] < before["volume"]
    assert packet["close"] == before["ltp"]
    assert packet["ltt"] == int(midnight) + 19_800


# --- requests that are none


def test_bad_requests_are_ignored_and_the_line_stays(exchange: SimulatedExchange) -> None:
    asked = {"ExchangeSegment": "NSE_EQ", "SecurityId": "2885"}
    bad = [
        "{",
        "[]",
        '{"RequestCode": "21"}',
        json.dumps({"RequestCode": 99, "InstrumentCount": 1, "InstrumentList": [asked]}),
        json.dumps({"RequestCode": 21, "InstrumentCount": 2, "InstrumentList": [asked]}),
        json.dumps({"RequestCode": 21, "InstrumentList": [asked]}),
        json.dumps({"RequestCode": 21, "InstrumentCount": 1, "InstrumentList": [{**asked, "SecurityId": 1}]}),
        b"\xff\x00",
    ]
    with client(exchange.url) as connection:
        for message in bad:
            connection.send(message)
        subscribe(connection, "TCS")
        assert len(receive(connection, 1)[0]) == PREV_CLOSE.itemsize
    assert exchange.bad_requests == len(bad)


def test_unknown_instruments_are_silent(exchange: SimulatedExchange) -> None:
    unknown = [
        Instrument(exchange="NSE", symbol="X", segment=segment, broker_id=number)
        for segment, number in (("NSE_EQ", "999999"), ("BSE_EQ", "2885"), ("MOON", "2885"))
    ]
    with client(exchange.url) as connection:
        for message in feed().subscribe(unknown):
            connection.send(message)
        subscribe(connection, "TCS")
        frames = receive(connection, 50)
    assert {frame[4:8] for frame in frames} == {(11536).to_bytes(4, "little")}
    assert exchange.bad_requests == 0


def test_a_request_to_disconnect_is_obeyed(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        connection.send('{"RequestCode":12}')
        with pytest.raises(ConnectionClosedOK):
            connection.recv(timeout=DEADLINE_S)
    until(lambda: exchange.clients == 0, "the client to be forgotten")


# --- limits and logins


def made_up(count: int, start: int = 0) -> list[Instrument]:
    return [
        Instrument(exchange="NSE", symbol="X", segment="NSE_FNO", broker_id=str(start + number))
        for number in range(count)
    ]


def test_more_than_100_in_a_message_end_the_connection(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        asked = [{"ExchangeSegment": "NSE_EQ", "SecurityId": str(number)} for number in range(101)]
        connection.send(json.dumps({"RequestCode": 21, "InstrumentCount": 101, "InstrumentList": asked}))
        assert goodbye_code(connection) == 804


def test_more_than_5000_on_a_connection_end_it(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        for message in feed().subscribe(made_up(5000)):
            connection.send(message)
        for message in feed().unsubscribe(made_up(1)):
            connection.send(message)
        subscribe(connection, "TCS")
        receive(connection, 10)  # 5000 are allowed
        subscribe(connection, "INFY")
        assert goodbye_code(connection) == 804


def test_the_sixth_connection_of_a_client_costs_the_oldest_its_own(exchange: SimulatedExchange) -> None:
    address = feed(url=exchange.url, client_id="1100", token="t").address()
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(client(address)) for _ in range(5)]
        other = stack.enter_context(client(feed(url=exchange.url, client_id="2200").address()))
        until(lambda: exchange.clients == 6, "six clients")
        connections.append(stack.enter_context(client(address)))
        assert goodbye_code(connections[0]) == 805
        for connection in (*connections[1:], other):
            subscribe(connection, "TCS")
            receive(connection, 5)


def test_logins_are_checked_when_tokens_are_given() -> None:
    with SimulatedExchange(
        tokens={"1100": "right", "2200": "old"}, expired_tokens=["old"], rate=None
    ) as exchange:
        for client_id, token, code in (
            ("1100", "wrong", 808),
            ("9999", "right", 808),
            (None, None, 808),
            ("2200", "old", 807),
        ):
            decode = feed(url=exchange.url, client_id=client_id, token=token)
            with client(decode.address()) as connection:
                assert goodbye_code(connection) == code
        with client(feed(url=exchange.url, client_id="1100", token="right").address()) as connection:
            subscribe(connection, "TCS")
            receive(connection, 5)
        assert "right" not in repr(exchange)


def test_web_pages_may_not_listen_in(exchange: SimulatedExchange) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(exchange.url, proxy=None, additional_headers={"Origin": "https://example.org"})


# --- broken lines and slow clients


def test_a_hang_up_comes_without_a_word(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        subscribe(connection, "TCS")
        receive(connection, 5)
        exchange.hang_up()
        with pytest.raises(ConnectionClosedError, match="no close frame"):
            receive(connection, 10**9)


def test_a_disconnect_says_why(exchange: SimulatedExchange) -> None:
    with client(exchange.url) as connection:
        until(lambda: exchange.clients == 1, "the client")
        exchange.disconnect(806)
        assert goodbye_code(connection) == 806


def test_pings_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PING_EVERY_S", 0.01)
    with SimulatedExchange(rate=1) as exchange, client(exchange.url):
        until(lambda: any(one.connection.latency > 0 for one in exchange._clients), "a pong")


def test_the_market_waits_for_a_lone_slow_client_and_loses_nothing(exchange: SimulatedExchange) -> None:
    with stalled(exchange.url) as raw:
        until(lambda: exchange._clients and exchange._clients[0].connection.paused, "a full buffer")
        held = exchange.sent
        assert exchange._clients[0].connection.transport.get_write_buffer_size() < 2**20
        wanted = (held + 20_000) * 166
        received = bytearray()
        while len(received) < wanted:
            received += raw.recv(2**20)
        assert exchange.sent > held
    start = 50 * (2 + PREV_CLOSE.itemsize) + 50 * 166
    packets, _ = Market(7).take(15_000, NOON_IST)
    assert received[start : start + 15_000 * 166] == framed(packets)


def test_a_slow_client_neither_slows_the_others_nor_fills_the_memory(exchange: SimulatedExchange) -> None:
    with stalled(exchange.url) as _, client(exchange.url) as quick:
        until(lambda: exchange._clients and exchange._clients[0].connection.paused, "a full buffer")
        subscribe(quick)  # also wakes a market that waits for the other
        receive(quick, 30_000)
        assert exchange.skipped > 0
        assert exchange._clients[0].connection.transport.get_write_buffer_size() < 2**20


def test_a_slow_client_that_leaves_does_not_hold_the_market(exchange: SimulatedExchange) -> None:
    with stalled(exchange.url):
        until(lambda: exchange._clients and exchange._clients[0].connection.paused, "a full buffer")
    with client(exchange.url) as connection:
        subscribe(connection)
        receive(connection, 1000)


# --- start and stop


def test_stopping_is_quick_also_with_a_client_that_does_not_read(caplog: pytest.LogCaptureFixture) -> None:
    exchange = SimulatedExchange(rate=None).start()
    assert exchange.start() is exchange
    with stalled(exchange.url), client(exchange.url) as connection:
        subscribe(connection, "TCS")
        receive(connection, 5)
        until(lambda: exchange._clients and exchange._clients[0].connection.paused, "a full buffer")
        thread = exchange._thread
        assert thread is not None
        began = time.monotonic()
        exchange.stop()
        exchange.stop()
        assert time.monotonic() - began < 2
        assert not thread.is_alive()
    assert not exchange.url
    assert not [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]


def test_clients_are_told_that_the_exchange_stops() -> None:
    with SimulatedExchange(rate=1) as exchange, client(exchange.url) as connection:
        exchange.stop()
        with pytest.raises(ConnectionClosedOK) as caught:
            connection.recv(timeout=DEADLINE_S)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001


def test_started_again_the_market_goes_on_where_it_stood() -> None:
    exchange = SimulatedExchange(5, rate=None, clock=lambda: NOON)
    volumes: list[dict[int, list[int]]] = []
    for _ in range(2):
        seen: dict[int, list[int]] = {}
        with exchange, client(exchange.url) as connection:
            subscribe(connection)
            for frame in receive(connection, 500):
                if frame[0] == 8:  # a full packet: the id at 4, the day's volume at 22
                    (share,) = struct.unpack_from("<I", frame, 4)
                    seen.setdefault(share, []).extend(struct.unpack_from("<I", frame, 22))
        volumes.append(seen)
    first, then = volumes
    both = first.keys() & then.keys()
    assert both
    assert all(then[share][0] >= first[share][-1] for share in both)


def test_a_taken_port_is_named() -> None:
    with SimulatedExchange() as exchange:
        port = urlsplit(exchange.url).port
        assert port
        other = SimulatedExchange(port=port)
        with pytest.raises(SettingError, match=f"127.0.0.1:{port} cannot be listened on"):
            other.start()
        other.stop()


def test_a_fault_in_the_market_ends_the_exchange_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    exchange = SimulatedExchange(rate=None).start()
    thread = exchange._thread
    assert thread is not None
    monkeypatch.setattr(exchange._market, "take", lambda *_: 1 / 0)
    with client(exchange.url) as connection:
        subscribe(connection)
        thread.join(DEADLINE_S)
    assert [one.exc_type for one in seen] == [ZeroDivisionError]
    exchange.stop()


def test_it_runs_until_told_otherwise() -> None:
    ended, urls = threading.Event(), []

    def look(exchange: SimulatedExchange) -> None:
        with client(exchange.url) as connection:
            subscribe(connection, "TCS")
            receive(connection, 2)
        urls.append(repr(exchange))
        ended.set()

    run(port=0, rate=None, seed=1, on_ready=look, until=ended)
    assert len(urls) == 1
    assert "50 shares, as fast as the socket takes them" in urls[0]


def test_stopped_it_says_so() -> None:
    assert repr(SimulatedExchange(rate=10)) == "<SimulatedExchange: stopped, 50 shares, 10 ticks/s>"


def test_what_each_connection_gets_is_told_by_name() -> None:
    with SimulatedExchange(rate=10) as running, client(running.url) as one, client(running.url) as other:
        subscribe(one, "RELIANCE", "TCS")
        subscribe(other, "ITC", mode="quote")
        unsubscribe(one, "TCS")
        wanted = [frozenset({"NSE:RELIANCE"}), frozenset({"NSE:ITC"})]
        until(lambda: running.subscriptions == wanted, "the subscriptions")
        assert running.clients == 2
