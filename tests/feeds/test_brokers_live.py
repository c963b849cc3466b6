"""Kite, Angel One and Upstox through the whole path: handshake, requests, rows in DuckDB, refusals."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

import ltpkit as lk
from ltpkit.errors import LoginRefused
from ltpkit.feeds.angelone import AngelOne
from ltpkit.instrument import Instrument, Instruments
from ltpkit.live import Stream
from tests.feeds import test_angelone as angelone
from tests.feeds import test_kite as kite
from tests.feeds import test_upstox as upstox

Handshake = Callable[[ServerConnection, Request], Response | None]


class Broker:
    """A broker in small; a context manager with its own thread.

    Parameters
    ----------
    answers : iterable of bytes or str
        What is sent, binary or text, once the first request has come.
    handshake : callable, optional
        Returns the HTTP answer to a handshake, None to take it.

    Attributes
    ----------
    requests : list of bytes or str
        Every message received, as it came.
    handshakes : list of websockets.http11.Request
        Every handshake, refused ones included.
    """

    def __init__(self, answers: Iterable[bytes | str] = (), handshake: Handshake | None = None) -> None:
        self._answers, self._handshake = list(answers), handshake
        self.url = ""
        self.requests: list[bytes | str] = []
        self.handshakes: list[Request] = []
        self._heard = threading.Condition()

    def wait_for(self, requests: int) -> None:
        """Wait until so many requests have come."""
        with self._heard:
            assert self._heard.wait_for(lambda: len(self.requests) >= requests, 10)

    def __enter__(self) -> Broker:
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    async def _main(self, started: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        async with serve(
            self._talk, "127.0.0.1", 0, compression=None, close_timeout=1, process_request=self._greet
        ) as server:
            self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            started.set()
            await self._stopping.wait()

    def _greet(self, client: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        return self._handshake(client, request) if self._handshake else None

    async def _talk(self, client: ServerConnection) -> None:
        try:
            async for message in client:
                with self._heard:
                    self.requests.append(message)
                    self._heard.notify_all()
                if len(self.requests) == 1:
                    for answer in self._answers:
                        await client.send(answer)
        except ConnectionClosed:
            pass


def until(live: Stream, reached: Callable[[], bool]) -> None:
    assert live._intake.wait_until(reached, 20)


def stored(live: Stream) -> list[tuple[Any, ...]]:
    assert live.flush()
    return live.sql("SELECT symbol, exchange, ltp, bid, oi, source FROM realtime_ltp ORDER BY seq").rows()


def test_kite_goes_from_the_handshake_to_duckdb(tmp_path: Path) -> None:
    level = [(10, 100_00, 1, 0)] * 5 + [(20, 100_05, 2, 0)] * 5
    answers: list[bytes | str] = [
        b"\0",
        kite.message(
            kite.packed(kite.FULL, ltp=100_05, oi=7, depth=level), kite.packed(kite.LTP, ltp=101_00)
        ),
        json.dumps({"type": "order", "data": {"order_id": "1", "status": "COMPLETE"}}),
        kite.message(kite.packed(kite.LTP, token=(5 << 8) | 1, ltp=5_00)),
    ]
    with (
        Broker(answers) as broker,
        lk.stream(
            "INFY",
            feed="kite",
            url=broker.url,
            api_key="k",
            token="s3cret",
            known=[kite.share()],
            store=tmp_path / "kite.duckdb",
            name="kite",
        ) as live,
    ):
        until(live, lambda: live.ticks().height == 3)
        until(live, lambda: "order" in live.events()["kind"].to_list())
        assert stored(live) == [
            ("INFY", "NSE", 100.05, 100.0, 7.0, "kite"),
            ("INFY", "NSE", 101.0, None, None, "kite"),
            ("1281", "NSE", 5.0, None, None, "kite"),
        ]
        assert live.depth("INFY")["ask_orders"].to_list() == [2] * 5
        assert live.status().rejects == 0
        live.unsubscribe("INFY")
        broker.wait_for(3)
    assert broker.handshakes[0].path == "/?api_key=k&access_token=s3cret"
    assert broker.handshakes[0].headers["X-Kite-Version"] == "3"
    assert [json.loads(one) for one in broker.requests] == [
        {"a": "subscribe", "v": [408_065]},
        {"a": "mode", "v": ["full", [408_065]]},
        {"a": "unsubscribe", "v": [408_065]},
    ]


def test_angel_one_goes_from_the_handshake_to_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert AngelOne(instruments=Instruments()).keep_alive() == ("ping", 30.0)
    monkeypatch.setattr(AngelOne, "keep_alive", lambda self: ("ping", 0.01))
    level = [(1, 10, 100_00, 1)] * 5 + [(0, 20, 100_05, 2)] * 5
    answers: list[bytes | str] = [
        angelone.packed(angelone.SNAP_QUOTE, ltp=100_05, segment=2, token=b"57920", oi=9, depth=level),
        "pong",
        json.dumps({"correlationID": "x", "errorCode": "E1002", "errorMessage": "too many"}),
        angelone.packed(angelone.LTP, ltp=101_00),
    ]
    with (
        Broker(answers) as broker,
        lk.stream(
            ["SBIN-EQ", "nse_fo:57920"],
            feed="angelone",
            url=broker.url,
            client_id="A1",
            token="s3cret",
            api_key="key",
            feed_token="feed",
            known=[angelone.share()],
            store=tmp_path / "angel.duckdb",
            name="angel",
        ) as live,
    ):
        until(live, lambda: live.ticks().height == 2)
        assert stored(live) == [
            ("57920", "NFO", 100.05, 100.0, 9.0, "angelone"),
            ("SBIN-EQ", "NSE", 101.0, None, None, "angelone"),
        ]
        assert "broker_error" in live.events()["kind"].to_list()
        broker.wait_for(3)
        assert live.status().rejects == 0
    sent = broker.handshakes[0].headers
    assert [sent[name] for name in ("Authorization", "x-api-key", "x-client-code", "x-feed-token")] == [
        *("s3cret", "key", "A1", "feed")
    ]
    assert set(broker.requests[1:]) == {"ping"}
    request = json.loads(broker.requests[0])
    assert request["params"]["tokenList"] == [
        {"exchangeType": 1, "tokens": ["3045"]},
        {"exchangeType": 2, "tokens": ["57920"]},
    ]


def test_upstox_goes_by_its_redirect_to_duckdb(tmp_path: Path) -> None:
    quotes = [{"bidP": 100.0, "bidQ": 10, "askP": 100.05, "askQ": 20}]
    full = {"ltpc": {"ltp": 100.05}, "marketLevel": {"bidAskQuote": quotes}}
    market = upstox.message(marketInfo={"segmentStatus": [{"key": "NSE_EQ", "value": 2}]})
    answers = [market, upstox.about({"fullFeed": {"marketFF": full}}), upstox.about({"ltpc": {"ltp": 101.0}})]

    def redirect(client: ServerConnection, request: Request) -> Response | None:
        if "code=" in request.path:
            return None
        answer = client.respond(HTTPStatus.FOUND, "")
        answer.headers["Location"] = "/feed?code=once"
        return answer

    with (
        Broker(answers, redirect) as broker,
        lk.stream(
            "RELIANCE",
            feed="upstox",
            url=f"{broker.url}/v3",
            token="s3cret",
            known=[upstox.share()],
            store=tmp_path / "upstox.duckdb",
            name="upstox",
        ) as live,
    ):
        until(live, lambda: live.ticks().height == 2)
        assert stored(live) == [
            ("RELIANCE", "NSE", 100.05, 100.0, None, "upstox"),
            ("RELIANCE", "NSE", 101.0, None, None, "upstox"),
        ]
        assert live.depth("RELIANCE")["ask_price"].to_list() == [100.05]
        assert "market_status" in live.events()["kind"].to_list()
        assert live.status().rejects == 0
    assert [one.path for one in broker.handshakes] == ["/v3", "/feed?code=once"]
    assert broker.handshakes[0].headers["Authorization"] == "Bearer s3cret"
    [request] = broker.requests
    assert isinstance(request, bytes)
    assert json.loads(request)["data"]["instrumentKeys"] == ["NSE_EQ|INE002A01018"]


@pytest.mark.parametrize(
    ("feed", "status", "words", "logins", "known"),
    [
        ("kite", 403, "Token is invalid or has expired.", {"api_key": "k"}, kite.share()),
        ("angelone", 429, "Connection limit exceeded", {"client_id": "A1"}, angelone.share()),
        ("upstox", 401, "Invalid token used to access API", {}, upstox.share()),
    ],
)
def test_a_refused_login_is_told_in_the_brokers_words_and_not_tried_again(
    feed: str, status: int, words: str, logins: dict[str, str], known: Instrument
) -> None:
    def refuse(client: ServerConnection, request: Request) -> Response:
        return client.respond(HTTPStatus(status), words)

    with Broker(handshake=refuse) as broker:
        with pytest.raises(LoginRefused, match=words) as caught:
            lk.stream(known.symbol, feed=feed, url=broker.url, token="s3cret", known=[known], **logins)
        assert len(broker.handshakes) == 1
    assert caught.value.code == status
    assert "s3cret" not in str(caught.value)


def test_an_ended_kite_token_on_a_live_line_is_final() -> None:
    error = json.dumps({"type": "error", "data": "Token is invalid or has expired."})
    with Broker([error]) as broker:
        with pytest.raises(LoginRefused, match=r"403: Token is invalid or has expired\."):
            lk.stream("INFY", feed="kite", url=broker.url, known=[kite.share()], name="ended")
        assert len(broker.handshakes) == 1
