"""Who may ask: names and pages, the token in its four places, and the limits."""

from __future__ import annotations

import io
import json
import logging
import socket as sockets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

import ltpkit as lk
from ltpkit import logs
from ltpkit.api import Limits, Server
from ltpkit.errors import SettingError
from ltpkit.live import Stream
from ltpkit.service import RealTimeSyncService
from tests.api.clients import BASE, LIMIT_S, subscribe, take

TOKEN = "s3cret-planted-token"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    with lk.stream(["TCS"], name="guarded", api_token=TOKEN, rate=2_000) as live:
        yield live.serve(port=0)


@pytest.fixture
def stranger(guarded: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url) as client:
        yield client


@pytest.fixture
def friend(guarded: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=guarded.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


# -- names and pages --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health/", f"{BASE}/ltp", "/docs", "/openapi.json"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Origin": "://"},
        {"Host": "evil.example"},
    ],
)
def test_a_page_of_another_site_may_read_nothing(
    http: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    answer = http.get(path, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] in ("urn:ltpkit:wrong-origin", "urn:ltpkit:wrong-host")


def test_a_page_of_another_site_may_not_subscribe(http: httpx.Client, live: Stream) -> None:
    before = live.symbols
    body = {"symbols": ["WIPRO"]}
    answer = http.post(f"{BASE}/subscribe", json=body, headers={"Origin": "http://localhost:8888"})
    assert answer.status_code == 403
    assert live.symbols == before


@pytest.mark.parametrize(
    "more", [{"origin": "https://evil.example"}, {"additional_headers": {"Host": "evil.example"}}]
)
def test_a_page_of_another_site_gets_no_socket(http: httpx.Client, more: dict[str, object]) -> None:
    one = subscribe(http, "TCS")
    with pytest.raises(InvalidStatus) as refused, connect(one["websocket"], **more):  # type: ignore[arg-type]
        pass
    assert refused.value.response.status_code in (400, 403)


def test_our_own_page_may_by_either_name_of_this_machine(http: httpx.Client, server: Server) -> None:
    one = subscribe(http, "TCS")
    for origin in (server.url, f"http://localhost:{server.port}"):
        assert http.get(f"{BASE}/ltp", headers={"Origin": origin}).status_code == 200
        with connect(one["websocket"], origin=origin) as socket:
            take(socket, "ltp_update", 1)
    assert http.get("/health/live", headers={"Host": f"localhost:{server.port}"}).status_code == 200


def test_pages_that_the_settings_name_may_ask_across_sites(live: Stream) -> None:
    origin = "https://ticks.example"
    with (
        lk.stream([], name="origins", service_origins=origin) as other,
        httpx.Client(base_url=other.serve(port=0).url, headers={"Origin": origin}) as http,
    ):
        answer = http.get(f"{BASE}/symbols/active")
        assert answer.headers["access-control-allow-origin"] == origin
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        assert http.options(f"{BASE}/subscribe", headers=asked).status_code == 200
        assert http.get(f"{BASE}/ltp", headers={"Origin": "https://evil.example"}).status_code == 403


# -- the token --------------------------------------------------------------------------------------


def test_without_the_token_there_is_nothing_but_the_probes(stranger: httpx.Client) -> None:
    for path in ("/health/", "/metrics/", f"{BASE}/ltp", "/docs", "/openapi.json", "/static-offline-docs/x"):
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
    for wrong in ("Bearer nope", "Basic czNjcmV0", "Bearer", f"Bearer {TOKEN}x", b"Bearer \xfc\xff"):
        assert stranger.get(f"{BASE}/ltp", headers={"Authorization": wrong}).status_code == 401
    assert stranger.get(f"{BASE}/ltp", params={"token": "nope"}).status_code == 401
    for cookie in (f"ltpkit={TOKEN}", b"ltpkit=\xfc\xff", "ltpkit", "=;;="):
        assert stranger.get(f"{BASE}/ltp", headers={"Cookie": cookie}).status_code == 401
    for query in ({}, {"token": "nope"}, {"token": ""}):
        probe = stranger.get("/health/live", params=query)
        assert probe.status_code == 200
        assert "set-cookie" not in probe.headers
    assert stranger.get("/health/ready").status_code == 200


@pytest.mark.parametrize(
    "shown",
    [
        {"headers": {"Authorization": "Bearer nope"}},
        {"headers": {"Cookie": "ltpkit=nope"}},
        {"params": {"token": "nope"}},
    ],
)
def test_a_wrong_token_is_told_apart_from_none(stranger: httpx.Client, shown: dict[str, Any]) -> None:
    none, wrong = stranger.get(f"{BASE}/ltp"), stranger.get(f"{BASE}/ltp", **shown)
    assert (none.status_code, none.json()["title"]) == (401, "Token needed")
    assert (wrong.status_code, wrong.json()["title"]) == (401, "Wrong token")
    assert "is not the token of this service" in wrong.json()["detail"]
    assert "nope" not in wrong.text


def test_a_browser_is_told_to_put_the_token_in_the_address(stranger: httpx.Client) -> None:
    for path in ("/docs", "/dashboard"):
        page = stranger.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert page.status_code == 401
        assert "add ?token=… to the address once" in page.json()["detail"]
        assert "Authorization: Bearer" in stranger.get(path).json()["detail"]


def test_the_token_is_taken_from_the_header_or_the_address(
    stranger: httpx.Client, friend: httpx.Client
) -> None:
    assert friend.get(f"{BASE}/ltp").status_code == 200
    assert "set-cookie" not in friend.get(f"{BASE}/ltp").headers
    assert stranger.get(f"{BASE}/gaps", params={"token": TOKEN, "limit": "1"}).status_code == 200
    cookie = stranger.cookies["ltpkit"]
    assert TOKEN not in cookie
    assert stranger.get("/docs").status_code == 200  # the browser has the cookie now


def test_a_socket_takes_the_token_in_four_ways(guarded: Server, friend: httpx.Client) -> None:
    address = subscribe(friend, "TCS")["websocket"]
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    with connect(address, additional_headers=bearer) as socket:
        take(socket, "ltp_update", 1)
    with connect(f"{address}?token={TOKEN}") as socket:
        take(socket, "ltp_update", 1)
    with connect(address) as socket:
        socket.send(json.dumps({"token": TOKEN}))
        take(socket, "ltp_update", 1)
    cookie = friend.get("/health/live", params={"token": TOKEN}).cookies["ltpkit"]
    with connect(address, additional_headers={"Cookie": f"ltpkit={cookie}"}) as socket:
        take(socket, "ltp_update", 1)


@pytest.mark.parametrize(
    "first", ['{"token": "\\ud800"}', '{"token": "nope"}', '{"token": 7}', "[]", "hello", b"\x00"]
)
def test_a_socket_says_nothing_before_the_token(friend: httpx.Client, first: str | bytes) -> None:
    address = subscribe(friend, "TCS")["websocket"]
    with connect(address) as socket:
        with pytest.raises(TimeoutError):
            socket.recv(0.3)
        socket.send(first)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(LIMIT_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_a_wrong_token_in_a_socket_s_address_is_refused(friend: httpx.Client) -> None:
    address = subscribe(friend, "TCS")["websocket"]
    with pytest.raises(InvalidStatus) as refused, connect(f"{address}?token=nope"):
        pass
    assert refused.value.response.status_code == 401


def test_other_machines_are_let_in_only_with_a_token() -> None:
    with lk.stream([], name="open") as live, pytest.raises(SettingError, match="LTPKIT_API_TOKEN"):
        live.serve(host="0.0.0.0", port=0)
    with lk.stream([], name="open", api_token=TOKEN) as live:
        server = live.serve(host="0.0.0.0", port=0)
        address = f"http://127.0.0.1:{server.port}{BASE}/symbols/active"
        assert httpx.get(address).status_code == 401
        assert httpx.get(address, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as `ltpkit serve` logs it at its most talkative."""
    loggers = [logging.getLogger(name) for name in logs._LOGGERS]
    before = [(one.handlers, one.propagate, one.level) for one in loggers]
    written = io.StringIO()
    logs.configure("DEBUG", "json", stream=written)
    yield written
    for one, (handlers, propagate, level) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def test_a_planted_token_shows_nowhere(
    friend: httpx.Client, stranger: httpx.Client, guarded: Server, log: io.StringIO
) -> None:
    address = subscribe(friend, "TCS")["websocket"]
    with connect(f"{address}?token={TOKEN}") as socket:
        take(socket, "ltp_update", 1)
    with connect(address) as socket:
        socket.send(json.dumps({"token": TOKEN}))
        take(socket, "ltp_update", 1)
    answers = [
        client.get(path, params=params)
        for client in (friend, stranger)
        for path in ("/openapi.json", "/docs", "/metrics/", "/metrics/realtime-stats", "/health/", "/nope")
        for params in ({}, {"token": TOKEN}, {"token": f"{TOKEN}x"})
    ]
    shown = [f"{answer.headers} {answer.text}" for answer in answers]
    live = guarded.service.stream
    shown += [repr(guarded), repr(guarded.service), repr(live), live._repr_html_(), repr(live._settings)]
    assert not [text for text in shown if TOKEN in text]
    assert TOKEN not in log.getvalue()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    served = [line for line in lines if line["event"] == "served"]
    assert {line["path"] for line in served} >= {"/docs", "/nope"}
    told = {answer.headers["x-correlation-id"] for answer in answers}
    assert told <= {line["correlation_id"] for line in served}


def test_a_caller_s_own_correlation_id_is_kept_where_it_is_plain(http: httpx.Client) -> None:
    for given, kept in (("order-7", True), ("x" * 65, False), ('a" b', False)):
        answer = http.get("/nope", headers={"X-Correlation-ID": given})
        assert (answer.headers["x-correlation-id"] == given) is kept
        assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]


def test_a_refused_page_is_logged_with_the_setting_that_lets_it_in(log: io.StringIO) -> None:
    origin = "https://notebook.example"
    with (
        lk.stream(["TCS"], name="refused") as live,
        httpx.Client(base_url=live.serve(port=0).url) as http,
    ):
        address = subscribe(http, "TCS")["websocket"]
        for _ in range(2):
            with pytest.raises(InvalidStatus) as refused, connect(address, origin=origin):
                pass
        assert refused.value.response.status_code == 403
        answer = http.get(f"{BASE}/ltp", headers={"Origin": origin})
    assert "LTPKIT_SERVICE_ORIGINS" in answer.json()["detail"]
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    told = [line["event"] for line in lines if line["level"] in ("warning", "error")]
    assert told == [f"origin {origin} refused; set LTPKIT_SERVICE_ORIGINS={origin} to let it in"]


# -- limits -----------------------------------------------------------------------------------------


@pytest.fixture
def small(live: Stream) -> Iterator[Server]:
    limits = Limits(body_bytes=500, sockets=2, requests_per_second=1, burst=8)
    with Server(RealTimeSyncService(live), host="127.0.0.1", port=0, limits=limits) as server:
        yield server


def test_a_body_that_is_too_large_is_refused_however_it_is_sent(small: Server) -> None:
    large = json.dumps({"symbols": ["TCS"] * 200}).encode()
    with httpx.Client(base_url=small.url) as http:
        for body in (large, iter([large[:300], large[300:]])):
            answer = http.post(
                f"{BASE}/subscribe", content=body, headers={"Content-Type": "application/json"}
            )
            assert (answer.status_code, answer.json()["status"]) == (413, 413)


def test_more_sockets_than_allowed_are_refused(small: Server) -> None:
    with httpx.Client(base_url=small.url) as http:
        address = subscribe(http, "TCS")["websocket"]
        with connect(address), connect(address):
            with pytest.raises(InvalidStatus) as refused, connect(address):
                pass
            assert refused.value.response.status_code == 503


def test_too_many_requests_are_told_to_wait(small: Server) -> None:
    with httpx.Client(base_url=small.url) as http:
        answers = [http.get("/health/live") for _ in range(12)]
    assert [answer.status_code for answer in answers][:8] == [200] * 8
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"] == "1"


def test_a_request_that_is_no_http_ends_that_connection_only(server: Server, http: httpx.Client) -> None:
    with sockets.create_connection((server.host, server.port)) as raw:
        raw.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in raw.recv(200)
    assert http.get("/health/live").status_code == 200


# Panel 1.9 makes Tornado's request in a way that Tornado will drop.
@pytest.mark.filterwarnings("ignore:.*HTTPServerRequest:DeprecationWarning")
def test_the_dashboard_stands_behind_the_guard_its_socket_too(
    http: httpx.Client, stranger: httpx.Client, guarded: Server
) -> None:
    page = http.get("/dashboard")
    assert page.status_code == 200
    assert "ltpkit" in page.text
    assert http.get("/dashboard", headers={"Origin": "https://evil.example"}).status_code == 403
    assert stranger.get("/dashboard").status_code == 401
    for origin, status in (("https://evil.example", 403), (guarded.url, 401)):
        address = f"{guarded.url.replace('http', 'ws', 1)}/dashboard/ws"
        with pytest.raises(InvalidStatus) as refused, connect(address, origin=origin):
            pass
        assert refused.value.response.status_code == status
