"""The service under load: 200 WebSocket clients of 50 symbols at 10,000 ticks a second in.

Exchange, service and clients are a process each, on one clock. A client that takes 4 updates a second gets
one of each symbol at a time, a beat, timed from its newest tick's arrival at the service to the client's
read of its last byte. All ticks are timed too, each from its own arrival: they may have waited 250 ms for
the beat, as was asked for, and one that is late tells of a beat that was late. A client that asked for every
tick and never reads comes and goes in turns.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import numpy as np
import psutil

import ltpkit as lk
from benchmarks.listeners import Ages, Heard, Listeners, listening, never_reads
from benchmarks.measure import Result, in_turns, ratios, result
from ltpkit import nifty
from ltpkit.simulator import SimulatedExchange

CASE = "service"

_RATE: Final = 10_000
_FEW: Final = 4
_EVERY_S: Final = 0.25
_GOAL_MS: Final = 100.0
#: Rows in memory, so few that the ring goes round: what grows is then not the ring.
_CAPACITY: Final = 100_000
#: Until the listeners have caught up with what came while they counted, and until the system's buffers for
#: one that does not read are full.
_SETTLE_S: Final = 1.5
_MB: Final = 1e6


def run(*, quick: bool) -> list[Result]:
    """Return latencies, and what the service process takes."""
    seconds, rounds, clients = (1.0, 1, 20) if quick else (5.0, 4, 200)
    with (
        tempfile.TemporaryDirectory() as folder,
        _apart(_exchange) as exchange,
        _apart(_serve, exchange.recv(), str(Path(folder) / "ticks.duckdb")) as pipe,
    ):
        service = _Service(pipe)
        paced = f"{clients} clients"
        with listening(service.subscribed(clients, _EVERY_S)) as all_:
            _listen(service, all_, seconds)  # before anything counts
            found = _beside_one_that_never_reads(service, all_, paced, seconds, rounds)
            for form in ("JSON", "Arrow"):
                addresses = service.subscribed(_FEW, 0)
                with listening(addresses, subprotocol=f"ltpkit.{form.casefold()}") as few:
                    spans = [_listen(service, few, seconds)]
                found += _reported(f"{_FEW} more at every tick, {form}", spans, every_s=0)
        with listening(service.subscribed(clients, _EVERY_S), subprotocol="ltpkit.arrow") as all_:
            found += _reported(f"{paced}, Arrow", [_listen(service, all_, seconds)], every_s=_EVERY_S)
    return found


class _Service:
    """The process that is measured, seen from outside."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.url, pid = pipe.recv()
        self._process = psutil.Process(pid)

    def subscribed(self, count: int, every_s: float) -> list[str]:
        """Return the addresses of so many subscriptions of all symbols."""
        names = [one.symbol for one in nifty.LISTING]
        body = {"symbols": names, "update_frequency": every_s}
        with httpx.Client(base_url=self.url, timeout=30) as http:
            answers = [http.post("/api/v1/realtime/subscribe", json=body) for _ in range(count)]
        return [answer.raise_for_status().json()["websocket"] for answer in answers]

    @property
    def cpu_s(self) -> float:
        """Processor time so far, of user and system."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    @property
    def resident_mb(self) -> float:
        """Resident memory, beside DuckDB's buffers, which fill and empty in turns of minutes."""
        self._pipe.send("buffers")
        return float(self._process.memory_info().rss - self._pipe.recv()) / _MB


class _Span(NamedTuple):
    """What was seen in some seconds."""

    heard: Heard
    seconds: float
    cpu_s: float
    resident_mb: float


def _listen(service: _Service, listeners: Listeners, seconds: float) -> _Span:
    time.sleep(_SETTLE_S)
    cpu, started = service.cpu_s, time.perf_counter()
    listeners.begin()
    time.sleep(seconds)
    cpu, took = service.cpu_s - cpu, time.perf_counter() - started
    heard = listeners.end()
    if heard.closed or not len(heard.updates):
        raise AssertionError(f"{heard.closed} connections ended, {len(heard.updates)} updates came")
    return _Span(heard, took, cpu, service.resident_mb)


def _beside_one_that_never_reads(
    service: _Service, listeners: Listeners, name: str, seconds: float, rounds: int
) -> list[Result]:
    """Return what came without it and with it, in turns, and by how much they differ."""
    alone: list[_Span] = []
    beside: list[_Span] = []

    def listen(spans: list[_Span]) -> float:
        spans.append(_listen(service, listeners, seconds))
        return spans[-1].cpu_s

    def listen_beside_it() -> float:
        with never_reads(*service.subscribed(1, 0)):
            return listen(beside)

    in_turns(rounds, lambda: listen(alone), listen_beside_it)
    found: list[Result] = []
    for kind, spans in (("alone", alone), ("beside one that never reads", beside)):
        found += _reported(f"{name}, {kind}", spans, every_s=_EVERY_S)
        resident = [span.resident_mb for span in spans]
        found.append(_result(f"memory, beside DuckDB's buffers: {name}, {kind}", resident, unit="MB"))
    for rank in (50, 99):
        ages = [[_rank(span.heard.beats, rank) for span in spans] for spans in (beside, alone)]
        found.append(_result(f"p{rank} beside one that never reads ÷ alone", ratios(*ages), goal=1.1))
    return found


def _reported(name: str, spans: list[_Span], *, every_s: float) -> list[Result]:
    found: list[Result] = []
    for rank in (50, 99):
        kinds = [("all ticks", [span.heard.updates for span in spans], _GOAL_MS + 1000 * every_s)]
        if every_s:
            kinds.insert(0, ("newest tick", [span.heard.beats for span in spans], _GOAL_MS))
        for kind, heard, goal in kinds:
            ages = [_rank(one, rank) for one in heard]
            what = f"p{rank} to client, {kind}: {name}"
            found.append(_result(what, ages, unit="ms", goal=goal if rank == 99 else None))
    pace = np.median([len(span.heard.updates) / span.seconds for span in spans])
    octets = np.median([span.heard.octets / span.seconds for span in spans])
    note = f"{_RATE:,} ticks/s in, {pace:,.0f} updates/s and {octets / _MB:.1f} MB/s out"
    cores = [100 * span.cpu_s / span.seconds for span in spans]
    return [*found, _result(f"of a core: {name}", cores, unit="%", note=note)]


def _result(name: str, values: float | list[float], **more: Any) -> Result:
    return result(CASE, name, values, better="lower", **more)


def _rank(ages: Ages, rank: int) -> float:
    return float(np.percentile(ages, rank))


# -- the other processes ------------------------------------------------------------------


@contextmanager
def _apart(main: Callable[..., None], *options: str) -> Iterator[Connection]:
    """Run in a process of its own until the block ends; yield a pipe to it, once it has said something."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(theirs, *options))
    process.start()
    theirs.close()  # so that its end is noticed
    try:
        if not ours.poll(60):
            raise TimeoutError(f"{main.__name__} was not ready within a minute")
        yield ours
    finally:
        with suppress(OSError):  # it has ended by itself
            ours.send("end")
        process.join(10)
        process.kill()


def _exchange(pipe: Connection) -> None:
    with SimulatedExchange(rate=_RATE) as exchange:
        pipe.send(exchange.url)
        pipe.recv()


def _serve(pipe: Connection, exchange: str, store: str) -> None:
    names = [one.symbol for one in nifty.LISTING]
    with lk.stream(names, url=exchange, store=store, capacity_rows=_CAPACITY) as live:
        server = live.serve(port=0)
        pipe.send((server.url, os.getpid()))
        while pipe.recv() == "buffers":
            pipe.send(live.sql("SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory()").item())
