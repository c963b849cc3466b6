"""`ltpkit serve` in a process of its own: it says where, ends when told, and leaves a readable store."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

import ltpkit as lk
from tests.api.clients import listening, subscribe, take

COMMAND = [sys.executable, "-W", "error", "-m", "ltpkit.cli", "serve"]
LIMIT_S = 60


@contextmanager
def serving(folder: Path, *args: str, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield the process and its address, once it serves."""
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *args],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1", **more},
    ) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if found := re.match(r"(http://\S+)/docs", line):
                    yield process, found[1]
                    break
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_first_signal_tells_the_clients_stores_everything_and_ends_with_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    with serving(tmp_path, "RELIANCE,TCS", "--store", "ticks.duckdb", "--rate", "5000") as (process, url):
        with httpx.Client(base_url=url) as http:
            one = subscribe(http, "INFY", update_frequency=0)
            with listening(one["websocket"]) as listener:
                seen = take(listener, "ltp_update", 50)
                process.send_signal(number)
                assert take(listener, "status", 1)[0]["state"] == "stopping"
                with pytest.raises(ConnectionClosed):
                    take(listener, "never", 1)
        assert process.wait(LIMIT_S) == 0, process.stderr.read()
    with lk.open(tmp_path / "ticks.duckdb") as archive:
        stored = set(archive.ticks("INFY")["seq"])
        assert {update["seq"] for update in seen} <= stored
        rows = archive.sql("SELECT count(*), max(seq) FROM ticks").row(0)
        assert rows[0] == rows[1]


def test_a_second_signal_ends_at_once_and_nothing_that_was_sent_is_lost(tmp_path: Path) -> None:
    with serving(tmp_path, "TCS", "--store", "ticks.duckdb", "--rate", "5000") as (process, url):
        with httpx.Client(base_url=url) as http:
            one = subscribe(http, "TCS", update_frequency=0)
        with listening(one["websocket"]) as listener:
            seen = take(listener, "ltp_update", 50)
            process.send_signal(signal.SIGTERM)
            take(listener, "status", 1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(LIMIT_S) in (0, 130)  # 0 where it had ended by then
    with lk.open(tmp_path / "ticks.duckdb") as archive:
        assert {update["seq"] for update in seen} <= set(archive.ticks("TCS")["seq"])


def test_logs_are_json_with_a_correlation_id_where_asked_for(tmp_path: Path) -> None:
    told = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG", "LTPKIT_API_TOKEN": "s3cret-planted"}
    with serving(tmp_path, "TCS", **told) as (process, url):
        answer = httpx.get(f"{url}/metrics/", params={"token": "s3cret-planted"})
        assert answer.status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        rest = process.stderr.read()
        assert process.wait(LIMIT_S) == 0
    lines = [json.loads(line) for line in rest.splitlines()]
    served = next(line for line in lines if line["event"] == "served")
    assert served["correlation_id"] == answer.headers["x-correlation-id"]
    assert served["path"] == "/metrics/"
    assert "s3cret-planted" not in rest


def test_what_cannot_be_served_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    def refused(*args: str, **more: str) -> str:
        done = subprocess.run(
            [*COMMAND, *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
            env={**os.environ, **more},
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "LTPKIT_API_TOKEN" in refused("TCS", "--host", "0.0.0.0", "--port", "0")
    assert "Close matches: NSE:RELIANCE" in refused("RELIANC", "--port", "0")
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert "SERVICE_PORT" in refused("TCS", SERVICE_PORT=str(other.getsockname()[1]))
