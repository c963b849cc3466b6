"""The feed thread's pulse: how long it was held up, by whom, and what that costs: nothing received."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time

import polars as pl
import pytest

import ltpkit as lk
from ltpkit.batch import Event
from ltpkit.pulse import Pulse
from tests.paths import ROOT
from tests.test_streamer import until


def felt(
    passed_s: float, *, wall_s: float | None = None, ours_s: float = 0, process_s: float = 0
) -> list[Event]:
    events: list[Event] = []
    wall_s = passed_s if wall_s is None else wall_s
    Pulse(events.append).beat(passed_s, wall_s=wall_s, ours_s=ours_s, process_s=process_s)
    return events


def test_an_everyday_delay_is_no_pause() -> None:
    assert felt(0.1) == felt(0.59) == []


@pytest.mark.parametrize(
    ("ours_s", "process_s", "by"),
    [
        (0.0, 3.7, "the kernel"),
        (3.7, 3.7, "its own work"),
        (0.0, 0.1, "the machine"),
    ],
)
def test_a_pause_says_how_long_and_by_whom(ours_s: float, process_s: float, by: str) -> None:
    (event,) = felt(3.8, ours_s=ours_s, process_s=process_s)
    assert (event.kind, event.detail["seconds"]) == ("paused", 3.7)
    assert str(event.detail["why"]).startswith(f"feed paused 3.7 s by {by}")


@pytest.mark.parametrize("by_s", [-3600.0, 3600.0, 1.5])
def test_a_clock_that_is_set_is_noted(by_s: float) -> None:
    (event,) = felt(0.1, wall_s=0.1 + by_s)
    assert (event.kind, event.detail["by_s"]) == ("clock", by_s)


def test_the_longest_pause_is_kept() -> None:
    pulse = Pulse(lambda event: None)
    for passed in (0.1, 2.1, 5.1, 1.1):
        pulse.beat(passed, wall_s=passed, ours_s=0, process_s=0)
    assert pulse.longest_pause_s == pytest.approx(5.0)


def test_it_feels_a_loop_that_is_held_up() -> None:
    async def main() -> Event:
        noted: asyncio.Queue[Event] = asyncio.Queue()
        beating = asyncio.ensure_future(Pulse(noted.put_nowait).run())
        await asyncio.sleep(0)
        time.sleep(0.8)  # noqa: ASYNC251 - the fault that is tested
        first = await noted.get()
        beating.cancel()
        return first

    assert asyncio.run(asyncio.wait_for(main(), 10)).kind == "paused"


# Sends numbered ticks at a steady pace, from a process of its own: one that this one cannot pause.
SERVER = """
import asyncio, sys
from tests import hostile

async def numbered(peer):
    await peer.accept()
    for number in range(1, 3001):
        await peer.send(hostile.tick(float(number)))
        await asyncio.sleep(0.001)
    await peer.listen()

with hostile.Hostile(numbered) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


def test_a_cell_that_holds_the_interpreter_pauses_the_feed_and_loses_nothing() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with lk.stream("RELIANCE", url=url, name="held up") as live:
            assert live.wait(rows=50)
            number, held_s = 20_000_000, 0.0
            while held_s < 1.0:  # one call into C that does not let go, as long as it takes here
                number *= 2
                started = time.monotonic()
                sum(range(number))
                held_s = time.monotonic() - started
            until(live, lambda: live._ring.rows >= 3000)
            status, events = live.status(), live.events()
            prices = live.ticks()["ltp"].to_list()
        process.stdin.close()
    assert prices == [float(number) for number in range(1, 3001)]
    assert (status.state, status.reconnects, status.gaps) == ("live", 0, 0)
    assert status.longest_pause_s > 0.5
    assert "longest pause" in status.line()
    paused = events.filter(pl.col("kind") == "paused")
    assert any("by the kernel" in json.loads(detail)["why"] for detail in paused["detail"])
