"""The whole path against the bare loop: one-tick JSON messages from a socket to DuckDB.

The bare loop receives with `websockets`, decodes each message with a typed msgspec decoder and forgets it.
The whole path does that and appends to the ring, works out changes, keeps the newest values and flushes
to a DuckDB file meanwhile.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import msgspec
from websockets.asyncio.client import connect

import ltpkit as lk
from benchmarks.measure import Result, in_turns, ratios, result
from benchmarks.server import symbols, trades

CASE = "path"


class _Trade(msgspec.Struct):
    e: str
    E: int
    s: str
    t: int
    p: str
    q: str
    T: int
    m: bool


class _Message(msgspec.Struct):
    stream: str
    data: _Trade


def run(*, quick: bool) -> list[Result]:
    """Return messages per second of both, and their ratio."""
    count, rounds = (20_000, 1) if quick else (600_000, 4)
    behind: list[float] = []
    with trades(count) as url, tempfile.TemporaryDirectory() as folder:
        places = (Path(folder) / f"{number}.duckdb" for number in range(rounds + 1))

        def whole() -> float:
            rate, waiting = _whole(url, count, next(places))
            behind.append(waiting / rate)
            return rate

        _whole(url, count, next(places))  # imports and first compilations are not the path
        whole_rates, bare_rates = in_turns(rounds, whole, lambda: asyncio.run(_bare(url, count)))
    return [
        result(
            CASE,
            "whole path ÷ bare loop",
            ratios(whole_rates, bare_rates),
            goal=0.8,
            note="one-tick JSON trades, store file with flush on; each round both",
        ),
        result(CASE, "whole path", whole_rates, unit="msg/s"),
        result(CASE, "bare loop", bare_rates, unit="msg/s"),
        result(
            CASE,
            "rows not yet stored at the end",
            behind,
            unit="s",
            better="lower",
            note="how far the store is behind the ring, in seconds of the stream",
        ),
    ]


async def _bare(url: str, count: int) -> float:
    decode = msgspec.json.Decoder(_Message).decode
    async with connect(f"{url}/stream", compression=None, proxy=None) as socket:
        await socket.send("go")
        decode(await socket.recv(decode=False))
        started = time.perf_counter()
        for _ in range(count - 1):
            decode(await socket.recv(decode=False))
        return (count - 1) / (time.perf_counter() - started)


def _whole(url: str, count: int, place: Path) -> tuple[float, int]:
    """Return messages per second, and the rows that waited for the store when the last one came."""
    live = lk.stream(symbols(1), feed="binance", url=url, depth=False, store=place)
    try:
        ring = live._ring  # asking it costs nothing, where status() would cost the path some of its time
        started, before = time.perf_counter(), ring.last_seq
        while ring.last_seq < count:
            time.sleep(0.002)
            if time.perf_counter() > started + 120:
                raise TimeoutError(f"{ring.last_seq:,} of {count:,} messages came: {live}")
        rate = (count - before) / (time.perf_counter() - started)
        waiting = count - live.status().stored_seq
        if not live.drain() or live.status().stored_seq != count or live.gaps().height:
            raise AssertionError(f"rows are missing: {live}")
        return rate, waiting
    finally:
        live.stop()
