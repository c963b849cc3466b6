"""What a hostile server, network or certificate can do to a connection, each over a real socket."""

from __future__ import annotations

import asyncio
import datetime
import itertools
import random
import ssl
import threading
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import msgspec
import polars as pl
import pytest

import ltpkit as lk
from ltpkit import connection, schema, sockets
from ltpkit.connection import Policy
from ltpkit.feeds import Limits
from ltpkit.feeds.dhan import Simulated
from tests import hostile
from tests.hostile import Hostile, Mode, Peer
from tests.test_connection import Watched, running
from tests.test_streamer import until

pytestmark = pytest.mark.anyio

#: Long waits after the first failure, so that a test looks at one line only.
ONCE = Policy(first_wait_s=600, longest_wait_s=600, close_s=0.2)
IMPATIENT = {"never_answers": {"open_s": 0.3}, "answers_slowly": {"open_s": 0.3}}
IMPATIENT |= {"is_deaf": {"heartbeat_s": 0.1}, "drips": {"heartbeat_s": 0.1}}
MEMORY = 24 << 20  # of three messages of the largest size taken, on their way through three buffers

TOO_LARGE = "was left: 1009"
NO_PONG = "was left: 1011 keepalive ping timeout"
BROKEN = "closed the line: 1006"


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (hostile.no_http, "cannot be reached: it does not speak WebSocket"),
        (hostile.never_answers, "cannot be reached: no answer in time"),
        (hostile.answers_slowly, "cannot be reached: no answer in time"),
        (hostile.slams_the_door, "cannot be reached: it does not speak WebSocket"),
        (hostile.garbage, "was left: 1002"),
        (hostile.reserved_bits, "was left: 1002"),
        (hostile.bad_opcode, "was left: 1002"),
        (hostile.cut_in_a_frame, BROKEN),
        (hostile.claims_a_terabyte, TOO_LARGE),
        (hostile.floods_one_message, TOO_LARGE),
        (hostile.crumbles_one_message, TOO_LARGE),
        (hostile.sends_a_bomb, "was left: 1002"),
        (hostile.closes_at_once, "closed the line: 1000"),
        (hostile.ends_at_once, BROKEN),
        (hostile.resets, BROKEN),
        (hostile.is_deaf, NO_PONG),
        (hostile.drips, NO_PONG),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_a_server_that_misbehaves_is_left_soon_in_plain_words_and_little_memory(
    mode: Mode, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_dice", SimpleNamespace(random=lambda: 1.0))
    with Hostile(mode) as server:
        policy = msgspec.structs.replace(ONCE, **IMPATIENT.get(mode.__name__, {}))
        watched = Watched(server.url, policy)
        tracemalloc.start()
        try:
            started = time.monotonic()
            async with running(watched):
                await watched.until(lambda: "backing_off" in watched.kinds())
                took = time.monotonic() - started
                _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert said in str(watched.connection.last_error)
    assert watched.frames == []
    assert took < 5
    assert peak < MEMORY
    assert server.connections == 1


async def test_a_message_that_comes_in_pieces_within_the_limits_is_put_together() -> None:
    async def pieces(peer: Peer) -> None:
        await peer.accept()
        for n in range(100):
            await peer.write(hostile.frame(hostile.BINARY if n == 0 else 0, b"%02d" % n, fin=n == 99))
        await peer.listen()

    with Hostile(pieces) as server:
        watched = Watched(server.url)
        async with running(watched):
            await watched.until(lambda: bool(watched.frames))
    assert watched.frames == [b"".join(b"%02d" % n for n in range(100))]


@pytest.mark.parametrize("mode", [hostile.closes_at_once, hostile.ends_at_once, hostile.one_tick])
async def test_a_server_that_accepts_and_leaves_is_not_called_thousands_of_times(mode: Mode) -> None:
    with Hostile(mode) as server:
        watched = Watched(server.url, Policy())
        async with running(watched) as task:
            await asyncio.wait([task], timeout=3)
        assert 1 <= server.connections <= 20
    assert watched.kinds().count("disconnected") >= server.connections - 1


async def test_the_wait_doubles_to_its_longest_and_is_a_random_part_of_that(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "_dice", SimpleNamespace(random=lambda: 0.5))
    policy = Policy(first_wait_s=0.002, longest_wait_s=0.05, attempts=7)
    with Hostile(hostile.ends_at_once) as server:
        watched = Watched(server.url, policy)
        async with running(watched) as task:
            await asyncio.wait_for(task, 10)
    waits = [event.detail["wait_s"] for event in watched.events if event.kind == "backing_off"]
    assert waits == [0.002, 0.004, 0.008, 0.016, 0.025, 0.025, 0.025]


async def test_our_waits_leave_the_random_numbers_of_a_notebook_alone() -> None:
    random.seed(7)
    state = random.getstate()
    with Hostile(hostile.ends_at_once) as server:
        watched = Watched(server.url)
        async with running(watched):
            await watched.until(lambda: watched.connection.opened >= 3)
    assert random.getstate() == state


async def test_a_healthy_line_begins_the_waits_afresh() -> None:
    policy = Policy(first_wait_s=0.001, longest_wait_s=0.001, healthy_s=0.05, attempts=1)

    async def for_a_while(peer: Peer) -> None:
        await peer.accept()
        for _ in range(40):
            await peer.send(hostile.tick())
            await asyncio.sleep(0.005)

    with Hostile(for_a_while) as server:
        watched = Watched(server.url, policy)
        async with running(watched):
            await watched.until(lambda: watched.connection.opened >= 4)  # with one attempt allowed
    attempts = [event.detail["attempt"] for event in watched.events if event.kind == "backing_off"]
    assert set(attempts) == {0}


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 4999])
async def test_the_brokers_close_code_and_words_are_told_and_judged(code: int) -> None:
    with Hostile(hostile.closes_with(code, "because")) as server:
        watched = Watched(server.url, ONCE, final=(4999,))
        async with running(watched):
            await watched.until(lambda: bool({"backing_off", "refused"} & set(watched.kinds())))
            state = watched.connection.state
    gone = next(event for event in watched.events if event.kind == "disconnected")
    assert gone.detail == {"code": code, "reason": "because"}
    assert state == ("refused" if code == 4999 else "backing_off")


@pytest.mark.parametrize(
    ("status", "header", "least_s"),
    [
        ("429 Too Many Requests", "Retry-After: 7", 7),
        ("503 Service Unavailable", "Retry-After: 900000", 3600),
        ("500 Internal Server Error", "Retry-After: nan", 0),
        ("502 Bad Gateway", "Retry-After: soon", 0),
        ("504 Gateway Timeout", "X-Nothing: 1", 0),
    ],
)
async def test_trouble_at_the_handshake_is_waited_out_as_long_as_asked(
    status: str, header: str, least_s: float
) -> None:
    with Hostile(hostile.http(status, header, body=b"try later")) as server:
        watched = Watched(server.url, Policy(first_wait_s=0.01, longest_wait_s=0.01))
        async with running(watched):
            await watched.until(lambda: "backing_off" in watched.kinds())
    told = next(event for event in watched.events if event.kind == "backing_off")
    assert least_s <= told.detail["wait_s"] <= max(least_s, 0.01)  # type: ignore[operator]
    assert f"answered HTTP {status[:3]}: {status[4:]} try later" in str(watched.connection.last_error)


# -- redirects and certificates -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "there", "same"),
    [
        ("wss://api.upstox.com/v3", "wss://wsfeeder-api.upstox.com/?code=1", True),
        ("wss://upstox.com/", "wss://ws.upstox.com/", False),  # com is nobody's
        ("wss://api.broker.co.in/", "wss://ws.broker.co.in/", True),
        ("wss://broker.co.in/", "wss://evil.co.in/", False),
        ("wss://api.broker.com/", "wss://api.broker.com.evil.net/", False),
        ("wss://api.broker.com/", "wss://evilbroker.com/", False),
        ("ws://127.0.0.1:1/", "ws://127.0.0.1:2/", True),
        ("ws://10.0.0.1/", "ws://11.0.0.1/", False),
        ("ws://localhost/", "ws://127.0.0.1/", False),
    ],
)
def test_only_names_of_one_domain_are_one_site(here: str, there: str, *, same: bool) -> None:
    assert sockets.opening._same_site(here, there) is same


@pytest.mark.parametrize(("status", "state"), [("301 Moved", "refused"), ("302 Found", "backing_off")])
async def test_a_redirect_to_another_site_is_not_followed_and_no_login_goes_there(
    status: str, state: str
) -> None:
    with Hostile(hostile.ticks, host="localhost") as thief:
        with Hostile(hostile.http(status, f"Location: {thief.url}")) as server:
            watched = Watched(f"{server.url}?token=s3cret-token", ONCE)
            async with running(watched):
                await watched.until(lambda: bool({"backing_off", "refused"} & set(watched.kinds())))
                assert watched.connection.state == state
        assert thief.connections == 0
    said = str(watched.connection.last_error)
    assert "redirects to localhost, which was not followed" in said
    assert "s3cret" not in said


async def test_a_redirect_within_the_site_is_followed_without_the_header_login() -> None:
    with Hostile(hostile.ticks) as feeder:
        with Hostile(hostile.http("302 Found", f"Location: {feeder.url}?code=once")) as server:
            watched = Watched(server.url, headers={"Authorization": "Bearer s3cret"})
            async with running(watched):
                await watched.until(lambda: bool(watched.frames))
        assert b"Authorization: Bearer s3cret" in server.heads[0]
        assert b"s3cret" not in feeder.heads[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody has signed but its owner, with its key."""
    x509 = pytest.importorskip("cryptography.x509", reason="makes the certificate")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


async def test_a_certificate_nobody_vouches_for_is_refused_in_plain_words(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with Hostile(hostile.ticks, tls=context, host="localhost") as server:
        watched = Watched(f"{server.url}?token=s3cret-token", ONCE)
        async with running(watched):
            await watched.until(lambda: "backing_off" in watched.kinds())
        said = str(watched.connection.last_error)
        assert "its certificate was not accepted (self-signed certificate)" in said
        assert "SSL_CERT_FILE" in said
        assert "s3cret" not in said
        assert server.heads == []  # nothing was said to it, the token least of all
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        trusting = Watched(server.url)
        async with running(trusting):
            await trusting.until(lambda: bool(trusting.frames))


async def test_a_server_that_does_not_speak_tls_is_told_so() -> None:
    with Hostile(hostile.no_http) as server:
        watched = Watched(server.url.replace("ws:", "wss:"), msgspec.structs.replace(ONCE, open_s=1.0))
        async with running(watched):
            await watched.until(lambda: "backing_off" in watched.kinds())
    assert any(words in str(watched.connection.last_error) for words in ("TLS failed", "no answer in time"))


# -- alive or mute ----------------------------------------------------------------------------

MUTE = Policy(silence_s=0.1, first_wait_s=0.001, longest_wait_s=0.001, heartbeat_s=0.05)


@pytest.mark.parametrize("mode", [hostile.is_mute, hostile.only_heartbeats, hostile.floods_with_pings])
async def test_a_line_without_rows_is_shown_as_stale_then_left_whatever_else_it_sends(mode: Mode) -> None:
    with Hostile(mode) as server:
        watched = Watched(server.url, MUTE, rows=False)
        async with running(watched):
            await watched.until(lambda: watched.connection.opened >= 2)
    kinds = watched.kinds()
    assert kinds[:4] == ["connecting", "live", "stale", "disconnected"]
    first = next(event for event in watched.events if event.kind == "disconnected")
    assert "sent no rows for 0.1" in str(first.detail["reason"])


async def test_a_brokers_heartbeats_keep_a_quiet_line_four_times_as_long_where_they_count() -> None:
    with Hostile(hostile.only_heartbeats) as server:
        watched = Watched(server.url, msgspec.structs.replace(MUTE, life="messages"), rows=False)
        async with running(watched):
            await watched.until(lambda: watched.connection.opened >= 2)
    gone = next(event for event in watched.events if event.kind == "disconnected")
    assert (gone.at - watched.events[1].at) / 1e6 >= 0.4
    assert "stale" in watched.kinds()


async def test_a_quiet_market_is_no_dead_line_and_a_mute_line_in_market_hours_is() -> None:
    asked = itertools.count()
    is_open = threading.Event()
    asked_thrice = asyncio.Event()
    loop = asyncio.get_running_loop()

    def trading() -> bool:
        if next(asked) == 3:
            loop.call_soon_threadsafe(asked_thrice.set)
        return is_open.is_set()

    with Hostile(hostile.is_mute) as server:
        watched = Watched(server.url, MUTE, trading=trading)
        async with running(watched):
            await asyncio.wait_for(asked_thrice.wait(), 10)
            assert watched.kinds() == ["connecting", "live"]
            is_open.set()
            await watched.until(lambda: "disconnected" in watched.kinds())
        assert "stale" in watched.kinds()


async def test_a_line_that_helps_no_more_than_the_one_before_is_given_twice_the_time() -> None:
    with Hostile(hostile.is_mute) as server:
        watched = Watched(server.url, msgspec.structs.replace(MUTE, silence_s=0.04))
        async with running(watched):
            await watched.until(lambda: watched.kinds().count("disconnected") >= 4)
    opened = [event.at for event in watched.events if event.kind == "live"]
    ended = [event.at for event in watched.events if event.kind == "disconnected"]
    lasted = [(end - start) / 1e6 for start, end in zip(opened, ended, strict=False)]
    for times, seconds in zip((1, 2, 4, 8), lasted, strict=False):
        assert seconds >= 0.04 * times


async def test_a_stale_line_is_live_again_with_its_next_row() -> None:
    async def slow(peer: Peer) -> None:
        await peer.accept()
        await peer.send(hostile.tick())
        await peer.server.go.wait()
        await peer.send(hostile.tick())
        await peer.listen()

    with Hostile(slow) as server:
        watched = Watched(server.url, Policy(silence_s=2.0))
        async with running(watched):
            await watched.until(lambda: "stale" in watched.kinds())
            assert "sends no rows, though the line answers" in str(watched.connection.last_error)
            server.release()
            await watched.until(lambda: len(watched.frames) == 2)
            assert watched.connection.state == "live"
    assert watched.connection.opened == 1


async def test_what_a_broker_wants_to_hear_is_sent_as_often_as_it_wants() -> None:
    with Hostile(hostile.is_mute) as server:
        watched = Watched(server.url, keep_alive=("ping", 0.02))
        async with running(watched):
            await watched.until(lambda: watched.connection.open)
            await asyncio.to_thread(server.wait_for, lambda: server.messages.count(b"ping") >= 3)
    assert server.messages[0] == b"hello"


# -- the whole stream ---------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait little for the first tick, and between tries."""

    def policy(**chosen: object) -> Policy:
        return Policy(**{"first_wait_s": 0.01, "longest_wait_s": 0.02, **chosen})  # type: ignore[arg-type]

    monkeypatch.setattr("ltpkit.running._FIRST_TICK_S", 0.2)
    monkeypatch.setattr("ltpkit.live.Policy", policy)


@pytest.mark.parametrize("mode", [*hostile.BEFORE, *hostile.AFTER], ids=lambda mode: mode.__name__)
@pytest.mark.usefixtures("quick")
def test_stopping_takes_less_than_two_seconds_whatever_the_peer_does(mode: Mode) -> None:
    with Hostile(mode) as server:
        stream = lk.stream("RELIANCE", url=server.url, name=mode.__name__)
        server.wait_for(1)
        threads = threading.active_count()
        started = time.monotonic()
        stream.stop()
        assert time.monotonic() - started < 2
        assert threading.active_count() < threads
        stream.start()  # and again in the same kernel
        server.wait_for(2)
        stream.stop()
        assert stream.status().state == "stopped"


@pytest.mark.usefixtures("quick")
def test_one_bad_line_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(per_message=100, per_connection=1, connections=2, hours="always")
    monkeypatch.setattr(Simulated, "limits", limits)

    async def one_good_one_bad(peer: Peer) -> None:
        await (hostile.ticks if peer.number == 0 else hostile.garbage)(peer)

    with (
        Hostile(one_good_one_bad) as server,
        lk.stream(["RELIANCE", "TCS"], url=server.url, name="half") as stream,
    ):
        server.wait_for(4)
        assert stream.wait(rows=100)
        assert stream.status().reconnects >= 1
        gone = stream.events().filter(pl.col("kind") == "disconnected")["detail"]
        assert gone.str.contains('"connection": 1').all()


@pytest.mark.usefixtures("quick")
def test_symbols_never_asked_for_become_rows_under_the_brokers_ids() -> None:
    async def strangers(peer: Peer) -> None:
        await peer.accept()
        for number in range(900_000, 900_500):
            await peer.send(hostile.tick(security_id=number))
        await peer.listen()

    with Hostile(strangers) as server, lk.stream("RELIANCE", url=server.url, name="strangers") as stream:
        until(stream, lambda: stream._ring.rows == 500)
        assert set(stream.ticks()["symbol"]) == {str(number) for number in range(900_000, 900_500)}
        assert stream.status().rejects == 0


@pytest.mark.usefixtures("quick")
def test_a_clock_set_back_leaves_the_order_and_is_no_gap_that_ends_before_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behind_us = 0

    def now_us() -> int:
        return schema.now_us() - behind_us

    monkeypatch.setattr("ltpkit.sockets.reading.now_us", now_us)
    monkeypatch.setattr("ltpkit.streamer.now_us", now_us)

    async def two_lives(peer: Peer) -> None:
        await peer.accept()
        for _ in range(10):
            await peer.send(hostile.tick())
        if peer.number == 0:
            await peer.server.go.wait()
        else:
            await peer.listen()

    with Hostile(two_lives) as server, lk.stream("RELIANCE", url=server.url, name="clock") as stream:
        until(stream, lambda: stream._ring.rows == 10)
        behind_us = 3600 * 10**6
        server.release()
        until(stream, lambda: stream._ring.rows == 20 and stream.gaps().height == 1)
        ticks, gap = stream.ticks(), stream.gaps().row(0, named=True)
    assert ticks["seq"].to_list() == list(range(1, 21))
    assert ticks["received_at"][19] < ticks["received_at"][0]
    assert gap["start"] <= gap["end"]


@pytest.mark.usefixtures("quick")
def test_what_was_down_when_the_stream_stopped_is_a_gap() -> None:
    async def once(peer: Peer) -> None:
        if peer.number == 0:
            await hostile.one_tick(peer)

    with Hostile(once) as server:
        stream = lk.stream("RELIANCE", url=server.url, name="down")
        until(stream, lambda: stream.status().state == "backing_off")
        stream.stop()
    gap = stream.gaps().row(0, named=True)
    assert (stream.gaps().height, gap["why"]) == (1, "connection lost")
    assert gap["start"] <= gap["end"]


@pytest.mark.usefixtures("quick")
def test_a_storm_of_a_hundred_reconnects_is_recorded_and_leaves_nothing_behind() -> None:
    with Hostile(hostile.one_tick) as server:
        with lk.stream("RELIANCE", url=server.url, name="storm") as stream:
            until(stream, lambda: stream.status().reconnects >= 5)
            threads = threading.active_count()
            tracemalloc.start()
            until(stream, lambda: stream.status().reconnects >= 20)
            early = tracemalloc.get_traced_memory()[0]
            until(stream, lambda: stream.status().reconnects >= 120)
            grown = tracemalloc.get_traced_memory()[0] - early
            tracemalloc.stop()
            assert threading.active_count() <= threads + 1
            assert len(stream._streamer._tasks) < 5
        assert grown < 2 << 20
        kinds = stream.events()["kind"].to_list()
        assert kinds.count("disconnected") >= 120
        assert kinds.count("live") >= 120
        assert stream.gaps().height >= 100


async def test_a_request_to_a_peer_that_does_not_read_holds_nobody_up() -> None:
    with Hostile(hostile.is_deaf) as server:
        watched = Watched(server.url, Policy(close_s=0.2))
        async with running(watched):
            await watched.until(lambda: watched.connection.open)
            flood = asyncio.ensure_future(watched.connection.send(["x" * (1 << 20)] * 64))
            done, _ = await asyncio.wait([flood], timeout=0.5)
            assert not done  # it waits for the peer, and `running` ends within its limit all the same
        flood.cancel()
