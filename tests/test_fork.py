"""A stream in a forked child: refused in words, and nothing the child does touches the parent's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltpkit.errors import LtpkitError, WrongProcess

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

#: What runs before and after the fork, in a process of its own.
SCRIPT = """
import os, sys, time, warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)  # that there are threads is the point
from pathlib import Path
import ltpkit as lk
from ltpkit.errors import WrongProcess

path, here = Path(sys.argv[1]), os.getpid()
record = path.parent / "record.parquet"
live = lk.stream(["NSE:RELIANCE", "NSE:TCS"], store=path, rate=5000, flush_interval_s=0.2, record=record)
assert live.wait(rows=50) and live.flush()


def files():
    return {one.name for one in path.parent.rglob("*")}


def refused():
    calls = {
        "ticks": live.ticks, "latest": live.latest, "bars": live.bars, "changes": live.changes,
        "events": live.events, "gaps": live.gaps, "flagged": live.flagged, "status": live.status,
        "books": live.books, "depth": lambda: live.depth("TCS"), "sql": lambda: live.sql("SELECT 1"),
        "scan": live.scan, "flush": live.flush, "wait": live.wait, "start": live.start,
        "rejects": live.rejects, "export": lambda: live.export(path.parent / "out"),
        "subscribe": lambda: live.subscribe("INFY"), "unsubscribe": lambda: live.unsubscribe("TCS"),
    }
    for name, call in calls.items():
        try:
            call()
        except WrongProcess as error:
            assert error.owner == here and str(here) in str(error), name
        else:
            raise SystemExit(f"{name} was not refused")
    assert repr(live) == f"<Stream of process {here}, of which this is a fork>", repr(live)
    live.stop()
    try:
        lk.stream("NSE:TCS", store=path)
    except lk.errors.StoreLocked as error:
        assert "fork" in str(error)
    else:
        raise SystemExit("the parent's store was opened")


CHILD

before = live.status().stored_seq
assert live.wait(rows=50) and live.flush(), "the parent's stream does not go on"
status = live.status()
assert status.state == "live" and status.stored_seq > before and status.last_error is None, status
rows = live.ticks()
live.stop()
with lk.open(path) as archive:
    assert archive.ticks().head(rows.height).equals(rows)
    assert not {"store_failed", "journal_failed"} & set(archive.events()["kind"])
print("well")
"""

BY_HAND = """
pid, there = os.fork(), files()
if pid == 0:
    refused()
    END
give_up = time.monotonic() + 30
while (found := os.waitpid(pid, os.WNOHANG))[0] == 0:
    if time.monotonic() > give_up:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        raise SystemExit("the child hung")
    time.sleep(0.01)
assert found[1] == 0, found
assert there <= files(), "the child took files away"
"""

BY_MULTIPROCESSING = """
import multiprocessing
child = multiprocessing.get_context("fork").Process(target=refused)
child.start()
child.join(30)
assert child.exitcode == 0, child.exitcode
"""

TERMINATED = """
import multiprocessing
child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
child.start()
child.terminate()
child.join(30)
assert child.exitcode == -15, child.exitcode
"""

CHILDREN = {
    "the child ends as a program does": BY_HAND.replace("END", "sys.exit(0)"),
    "the child lets go of the stream": BY_HAND.replace(
        "END", "del live; import gc; gc.collect(); sys.exit(0)"
    ),
    "multiprocessing": BY_MULTIPROCESSING,
    "multiprocessing, terminated": TERMINATED,
}


@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_a_fork_is_refused_and_leaves_the_parents_stream_alone(child: str, tmp_path: Path) -> None:
    script = SCRIPT.replace("CHILD", child)
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "forked.duckdb"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1] == "well"


def test_the_error_says_what_to_do() -> None:
    error = WrongProcess(42)
    assert isinstance(error, LtpkitError)
    assert "process 42" in str(error)
    assert "spawn" in str(error)
