"""Ctrl-C leaves the feed running; SIGTERM ends a script with its rows stored."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ltpkit as lk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of its own kind")

STREAM = (
    "import signal, sys, time, ltpkit as lk\n"
    "live = lk.stream('RELIANCE', store=sys.argv[1], rate=5000, buffer_size=10**9, flush_interval_s=1000)\n"
    "assert live.wait(rows=100)\n"
)


def run(code: str, path: Path, number: signal.Signals) -> tuple[int, str]:
    """Run a script, send it the signal once it says that it is ready; return its status and last words."""
    with subprocess.Popen(
        [sys.executable, "-c", STREAM + code, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
    return process.returncode, said


@pytest.mark.parametrize("cell", ["time.sleep(60)", "live.wait(rows=10**9, timeout_s=60)"])
def test_interrupting_a_cell_leaves_the_feed_running(tmp_path: Path, cell: str) -> None:
    code = (
        "print('ready', flush=True)\n"
        "try:\n"
        f"    {cell}\n"
        "except KeyboardInterrupt:\n"
        "    pass\n"
        "assert live.wait(rows=100), 'no more rows'\n"
        "print(live.status().state, live.status().reconnects)\n"
    )
    assert run(code, tmp_path / "ticks.duckdb", signal.SIGINT) == (0, "live 0\n")


@pytest.mark.parametrize("wait", ["time.sleep(60)", "live.wait(rows=10**9, timeout_s=60)"])
def test_sigterm_ends_a_script_with_everything_stored(tmp_path: Path, wait: str) -> None:
    code = f"print('ready', flush=True)\n{wait}\n"
    before = (
        "import atexit, ltpkit.running\n"
        "atexit.unregister(ltpkit.running._stop_all)\n"
        "def last():\n"
        "    ltpkit.running._stop_all(); print(live.status().received_seq, flush=True)\n"
        "atexit.register(last)\n"
    )
    status, said = run(before + code, tmp_path / "ticks.duckdb", signal.SIGTERM)
    assert status == 128 + signal.SIGTERM
    with lk.open(tmp_path / "ticks.duckdb") as archive:
        assert archive.sql("SELECT count(*), max(seq) FROM ticks").row(0) == (int(said), int(said))
    assert int(said) >= 100


def test_a_handler_that_somebody_set_stays_and_ours_goes_with_the_last_stream() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def theirs(number: int, frame: object) -> None:
        raise AssertionError

    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with lk.stream("RELIANCE", rate=1000):
            assert signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, None)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.signal(signal.SIGTERM, theirs)
        with lk.stream("RELIANCE", rate=1000):
            assert signal.getsignal(signal.SIGTERM) is theirs
        assert signal.getsignal(signal.SIGTERM) is theirs
    finally:
        signal.signal(signal.SIGTERM, before)
