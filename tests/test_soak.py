"""A long stream under faults that come as they like: nothing received is lost, nothing hangs, memory is flat.

``LTPKIT_SOAK_S`` says how long, in seconds: 15 by default, ten minutes in ``make soak``. From five minutes on
memory is judged too. Where a file system can be mounted, for the store alone, it is full now and then.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import psutil
import pytest

import ltpkit as lk
from ltpkit.journal import folder_of
from ltpkit.live import Stream
from ltpkit.nifty import instruments
from tests.disks import Disk, mounted

LENGTH_S = float(os.environ.get("LTPKIT_SOAK_S") or 15)
JUDGED_S = 300.0
RATE = 20_000
_DISK_KB = 4 << 20  # a store of ten minutes, its log and journal, and once more when it is put back
#: Lines cut again and again are opened after up to a minute; a store is copied as a whole to be put back.
_RETURN_S = 180.0

#: The exchange, in a process of its own so that what holds us up does not hold it up.
EXCHANGE = f"""
import sys
from ltpkit.simulator import SimulatedExchange
with SimulatedExchange(rate={RATE}) as exchange:
    print(exchange.url, flush=True)
    for command in sys.stdin:
        exchange.hang_up()
"""


class Exchange:
    """The simulated exchange, to be cut off and stopped."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", EXCHANGE]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def cut(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("cut\n")
        self.process.stdin.flush()

    def stall(self) -> None:
        self.process.send_signal(signal.SIGSTOP)
        timer = threading.Timer(1.0, self.process.send_signal, [signal.SIGCONT])
        timer.start()
        timer.join()

    def close(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    started = Exchange()
    yield started
    started.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk | None]:
    with mounted(tmp_path / "disk", _DISK_KB) as made:
        yield made


def hold_the_interpreter() -> float:
    """Run one call that keeps all other threads waiting; return for how long."""
    before = time.perf_counter()
    assert re.match(r"(a+)+$", "a" * 24 + "b") is None
    return time.perf_counter() - before


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="a process cannot be stopped here")
@pytest.mark.timeout(LENGTH_S * 2 + 400)
def test_under_random_faults_everything_received_is_stored(
    exchange: Exchange, disk: Disk | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, path = random.Random(7), tmp_path / "disk" / "soak.duckdb"
    clock, offset_ns = time.time_ns, [0]
    monkeypatch.setattr(time, "time_ns", lambda: clock() + offset_ns[0])
    live = lk.stream([one.name for one in instruments()], url=exchange.url, store=path, capacity_rows=200_000)
    held: list[float] = []
    faults: dict[str, Callable[[], object]] = {
        "cut": exchange.cut,
        "stall": exchange.stall,
        "held": lambda: held.append(hold_the_interpreter()),
        "clock": lambda: offset_ns.__setitem__(0, rng.choice([-3600, 0, 3600]) * 10**9),
        # Either may be gone still, from the time before.
        "journal": lambda: shutil.rmtree(folder_of(path), ignore_errors=True),
        "store": lambda: path.unlink(missing_ok=True),
    }
    if disk is not None:
        faults["full"] = lambda: fill(disk, live)
    assert live.wait(rows=RATE, timeout_s=60)
    threads, resident, done = threading.active_count(), [], list(faults)
    end = time.monotonic() + LENGTH_S
    while done or time.monotonic() < end:
        name = done.pop() if done else rng.choice(list(faults))
        if name in ("journal", "store"):
            assert live.flush(_RETURN_S), live  # what is only there would be lost with it, as it should
        faults[name]()
        assert live.wait(rows=rng.randrange(RATE // 2, 2 * RATE), timeout_s=_RETURN_S), (name, live)
        resident.append(psutil.Process().memory_info().rss)
    check(live, path, held, threads)
    if disk is not None:
        full = live.events().filter(pl.col("detail").str.contains("No space left"))["kind"]
        assert {"store_failed", "journal_failed"} & set(full)
    if LENGTH_S >= JUDGED_S:
        third = len(resident) // 3
        megabytes = [round(one / 1e6) for one in resident]
        # The least of each third: putting a store back takes up to what DuckDB may have, and more for a
        # larger store, and gives it back. What leaks is never given back.
        assert min(resident[-third:]) < min(resident[third:-third]) + 64e6, megabytes


def fill(disk: Disk, live: Stream) -> None:
    """Have the disk full until the stream says so and has received more."""
    disk.fill()
    try:
        assert live._intake.wait_until(lambda: live.status().last_error is not None, 60), live
        assert live.wait(rows=RATE // 2, timeout_s=_RETURN_S), live
    finally:
        disk.free()


def check(live: Stream, path: Path, held: list[float], threads: int) -> None:
    assert live.flush(_RETURN_S), live
    assert live._intake.wait_until(lambda: live.status().last_error is None, _RETURN_S), live
    status = live.status()
    assert status.state == "live"
    troubles = pl.col("kind").str.contains("^(store|journal)_") | pl.col("detail").str.contains("memory full")
    assert status.lost_rows == 0, live.events().filter(troubles).rows()
    assert threading.active_count() <= threads
    events = live.events()
    live.stop()
    kinds = set(events["kind"])
    assert {"disconnected", "gap", "journal_failed", "journal_works", "store_failed", "store_works"} <= kinds
    if max(held) > 1:
        assert "paused" in kinds
    cuts = events.filter(pl.col("kind") == "disconnected").height
    assert live.gaps().filter(pl.col("why") == "connection lost").height >= cuts - 1
    with lk.open(path) as archive:
        count = archive.sql("SELECT count(*), count(DISTINCT seq), max(seq) FROM ticks").row(0)
    assert set(count) == {live.status().received_seq}
