"""Logs: a line says when, by whom and for which request, and never a secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr

from ltpkit import logs
from ltpkit.credentials import hidden
from ltpkit.errors import SettingError

pytest.importorskip("structlog", reason="part of the server extra")

MARKER = "s3cret+Marker/0123456789=="


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in logs._LOGGERS]
    before = [(one.handlers, one.propagate, one.level) for one in loggers]
    yield
    for one, (handlers, propagate, level) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


class Log:
    """What was logged."""

    def __init__(self, format: Any = "json", level: str = "INFO") -> None:
        self.stream = io.StringIO()
        logs.configure(level, format, stream=self.stream, hide=partial(hidden, values=[MARKER]))

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def test_a_line_is_a_json_object_with_what_happened_when_and_by_whom() -> None:
    log = Log()
    before = datetime.now(UTC)
    logs.get_logger("ltpkit.service").info("subscribed", symbols=["NSE:INFY"], rate=1.5, client=None)
    (line,) = log.lines
    assert before <= datetime.fromisoformat(line.pop("timestamp")) <= datetime.now(UTC)
    assert line == {
        "event": "subscribed",
        "symbols": ["NSE:INFY"],
        "rate": 1.5,
        "client": None,
        "level": "info",
        "logger": "ltpkit.service",
    }


def test_a_console_line_is_read_without_colours_where_there_is_no_terminal() -> None:
    log = Log("console")
    logs.get_logger().warning("slow client", waiting=12)
    assert "slow client" in log.text
    assert "waiting=12" in log.text
    assert "\x1b" not in log.text


def test_lines_below_the_level_are_left_out() -> None:
    log = Log(level="WARNING")
    logs.get_logger().info("no")
    logging.getLogger("uvicorn.error").info("no")
    logs.get_logger().error("yes")
    logging.getLogger("uvicorn.error").error("yes %d", 2)
    assert [line["event"] for line in log.lines] == ["yes", "yes 2"]


def test_the_newer_of_two_settings_holds_and_lines_come_once() -> None:
    first, second = Log(), Log()
    logging.getLogger("uvicorn.access").info("hello")
    assert first.text == ""
    assert len(second.lines) == 1


def test_every_line_of_a_request_has_its_id_also_those_of_other_libraries() -> None:
    log = Log()
    logs.get_logger().info("before")
    with logs.correlated("abc-1") as id:
        assert id == logs.correlation_id() == "abc-1"
        logs.get_logger().info("in it")
        logging.getLogger("uvicorn.error").warning("in it too")
        with logs.correlated():
            logs.get_logger().info("a connection in it")
    logs.get_logger().info("after")
    ids = [line.get("correlation_id") for line in log.lines]
    assert ids[:3] == [None, "abc-1", "abc-1"]
    assert ids[3] not in (None, "abc-1")
    assert ids[4] is logs.correlation_id() is None


def test_requests_at_the_same_time_keep_their_own_ids() -> None:
    log = Log()

    async def request(name: str) -> None:
        with logs.correlated(name):
            for _ in range(3):
                await asyncio.sleep(0)
                logs.get_logger().info(name)
            await asyncio.to_thread(logs.get_logger().info, name)

    async def both() -> None:
        await asyncio.gather(request("one"), request("two"))

    asyncio.run(both())
    assert [line["correlation_id"] for line in log.lines] == [line["event"] for line in log.lines]
    assert len(log.lines) == 8


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\nb", "é", '"}{'])
def test_an_id_that_could_forge_a_line_is_replaced(given: str) -> None:
    with logs.correlated(given) as id:
        assert id != given
        assert id.isalnum()


# -- secrets ----------------------------------------------------------------------------------------

OTHER = "another-Secret-nobody-knows"


def _raised() -> None:
    token = OTHER  # noqa: F841 - a traceback with local variables would show it
    try:
        raise ConnectionError(f"wss://host/?token={OTHER} refused {MARKER}")
    except ConnectionError as error:
        raise ValueError("Authorization: Bearer " + OTHER) from error


def log_everything(log: Any) -> None:
    log.info(" ".join(["plain", MARKER]))
    log.info("as %s", f"Bearer {OTHER}")
    log.info("fields", token=OTHER, headers={"Authorization": OTHER, "X-Api-Key": OTHER, "accept": "*/*"})
    log.info("deep", request={"body": [{"api_key": OTHER, "apiSecret": OTHER, "clientId": OTHER}, MARKER]})
    log.info(
        "object", given=SecretStr(OTHER), error=ValueError(f"token={OTHER}"), bytes=f"token={OTHER}".encode()
    )
    log.info("address", url=f"wss://api-feed.dhan.co/?version=2&token={OTHER}&clientId={OTHER}&authType=2")
    log.info(json.dumps({"access_token": OTHER, "secret_key": OTHER}), **{MARKER: 1})
    log.info("cookie", line=f"set-cookie: session={OTHER}; Path=/")
    try:
        _raised()
    except ValueError:
        log.exception("failed")


@pytest.mark.parametrize("format", ["json", "console"])
def test_no_secret_is_logged_wherever_it_stands(format: str) -> None:
    log = Log(format, "DEBUG")
    log_everything(logs.get_logger())
    for secret in (MARKER, OTHER):
        assert secret not in log.text
    assert "authType=2" in log.text
    assert "*/*" in log.text
    assert "ConnectionError" in log.text
    assert "in _raised" in log.text


@pytest.mark.parametrize(
    "logger", ["uvicorn.access", "uvicorn.error", "httpx", "asyncio", "ltpkit.websockets"]
)
def test_no_secret_of_other_libraries_lines_is_logged(logger: str) -> None:
    log = Log("json", "INFO")
    plain = logging.getLogger(logger)
    plain.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:1", "GET", f"/ws/7?token={OTHER}&x=1", "1.1", 200)
    plain.warning("header %s", f"authorization: {MARKER}")
    try:
        _raised()
    except ValueError:
        plain.exception("failed")
    for secret in (MARKER, OTHER):
        assert secret not in log.text
    assert log.lines[0]["event"] == '127.0.0.1:1 - "GET /ws/7?token=…&x=1 HTTP/1.1" 200'
    assert "in _raised" in log.lines[-1]["exception"]


def test_a_line_that_cannot_be_formatted_does_not_show_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = Log()
    logging.getLogger("uvicorn.error").error("%d", MARKER)
    assert "could not be logged" in log.text
    assert MARKER not in log.text + capsys.readouterr().err


def test_words_about_secrets_are_still_read() -> None:
    log = Log()
    said = "The token was refused; give another token, or ask for one: see the docs."
    logs.get_logger().info(said, tokens_per_second=5, reason="no token")
    (line,) = log.lines
    assert line["event"] == said
    assert line["tokens_per_second"] == 5
    assert line["reason"] == "no token"


def test_a_long_hostile_address_is_looked_through_once() -> None:
    for text in (
        "a-" * 100_000,
        "token" * 50_000,
        "token:" + " " * 100_000,
        '"' * 100_000,
        "bearer " * 20_000,
    ):
        assert logs.without_secrets(text + "&token=x").endswith("token=…")


def test_uvicorn_serves_with_its_lines_in_ours_and_no_token_in_them() -> None:
    uvicorn = pytest.importorskip("uvicorn")
    log = Log()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def ask() -> bytes:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            listening.listen()
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(f"GET /?token={OTHER} HTTP/1.0\r\nAuthorization: Bearer {MARKER}\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
            server.should_exit = True
            await serving
            return answer

    assert asyncio.run(ask()).endswith(b"ok")
    assert any("GET /?token=… HTTP/1.0" in line["event"] for line in log.lines)
    assert OTHER not in log.text
    assert MARKER not in log.text


# -- setting up -------------------------------------------------------------------------------------


def test_structlogs_own_settings_and_the_root_logger_are_left_alone() -> None:
    import structlog

    before = structlog.get_config()
    handlers = list(logging.getLogger().handlers)
    Log()
    logs.get_logger().info("x")
    assert structlog.get_config() == before
    assert not structlog.is_configured()
    assert logging.getLogger().handlers == handlers


def test_settings_that_are_none_are_refused() -> None:
    with pytest.raises(SettingError, match="LOUD"):
        logs.configure("LOUD")
    with pytest.raises(SettingError, match="xml"):
        logs.configure(format="xml")  # type: ignore[arg-type]


def test_without_structlog_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "structlog.dev", None)
    with pytest.raises(SettingError, match=r"ltpkit\[server\]"):
        logs.configure()
