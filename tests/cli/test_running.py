"""The commands that run for a while, each in a process of its own, as a shell starts them."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import ltpkit as lk

COMMAND = [sys.executable, "-W", "error", "-m", "ltpkit.cli"]
ESCAPE = "\x1b"
LIMIT_S = 60


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "PYTHONIOENCODING"):
        monkeypatch.delenv(name, raising=False)


def run(*args: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT_S,
        check=check,
        env={**os.environ, **more},
    )


@contextmanager
def started(*args: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*COMMAND, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Return the line that holds `words`."""
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}")


def ticks_in(path: Path | str) -> int:
    with lk.open(path) as held:
        count = held.sql("SELECT count(*) FROM ticks").item()
        assert isinstance(count, int)
        return count


# -- demo -------------------------------------------------------------------------------------


def test_a_demo_without_a_terminal_writes_plain_text_and_what_duckdb_holds() -> None:
    done = run("demo", "--seconds", "1", "--symbols", "RELIANCE,TCS", "--symbols", "INFY")
    assert done.stderr == ""
    assert ESCAPE not in done.stdout
    (path,) = Path("data").glob("demo-*.duckdb")
    held = ticks_in(path)
    assert held > 20
    assert f"holds {held:,} ticks" in done.stdout
    for words in ("FROM latest_ltp", "FROM ltp_changes", "FROM bars_1m", "▁", f'lk.open("{path}")'):
        assert words in done.stdout
    head = next(line for line in done.stdout.splitlines() if line.startswith("symbol"))
    assert head.split()[:4] == ["symbol", "LTP", "change", "change"]
    ask = next(line for line in done.stdout.splitlines() if " sql " in line)
    assert ask.endswith(f'sql {path} "FROM latest_ltp"')


def test_a_second_demo_has_a_file_of_its_own() -> None:
    for _ in range(2):
        run("demo", "--seconds", "0.5", "--symbols", "RELIANCE")
    assert len(list(Path("data").glob("demo-*.duckdb"))) == 2


def test_a_demo_with_a_store_adds_to_it() -> None:
    held = []
    for _ in range(2):
        run("demo", "--seconds", "0.5", "--store", "mine.duckdb")
        held.append(ticks_in("mine.duckdb"))
    assert held[1] > held[0] > 0
    assert not Path("data").exists()


def test_a_log_gets_no_cursor_movements_even_where_colour_is_forced() -> None:
    done = run("demo", "--seconds", "0.5", FORCE_COLOR="1")
    assert re.search(r"\x1b\[\d*[ABCDEFGHJK]|\x1b\[\?25", done.stdout) is None


def test_an_encoding_without_our_signs_gets_others() -> None:
    done = run("demo", "--seconds", "0.5", PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert "* demo live - 50 symbols" in done.stdout
    assert "?" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_ended_early_stores_its_rows_and_still_sums_up(number: signal.Signals) -> None:
    with started("demo", "--seconds", "60", "--store", "ticks.duckdb") as process:
        read_until(process, "● demo live")
        process.send_signal(number)
        out, error = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, error) == (0, "")
    held = ticks_in("ticks.duckdb")
    assert held > 0
    assert f"holds {held:,} ticks" in out


def test_a_closed_pipe_ends_a_demo_quietly_and_leaves_a_readable_store() -> None:
    with started("demo", "--seconds", "60", "--store", "ticks.duckdb") as process:
        read_until(process, "● demo live")
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
        code = process.wait(LIMIT_S)
    assert (code, error) == (1, "")
    assert ticks_in("ticks.duckdb") > 0


def on_a_terminal(*args: str, columns: int, lines: int) -> tuple[str, int]:
    """Return what a command writes to a terminal of this size, and its exit code."""
    process_id, terminal = pty.fork()
    if process_id == 0:
        os.environ |= {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(lines)}
        os.execv(sys.executable, [*COMMAND, *args])
    written = b""
    deadline = time.monotonic() + LIMIT_S
    try:
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                written += os.read(terminal, 65536)
            except OSError:  # how Linux says that the other side was closed
                break
        else:
            os.kill(process_id, signal.SIGKILL)
    finally:
        os.close(terminal)
    return written.decode(), os.waitstatus_to_exitcode(os.waitpid(process_id, 0)[1])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_terminal_is_redrawn_and_given_back() -> None:
    written, code = on_a_terminal("demo", "--seconds", "1", columns=80, lines=24)
    assert code == 0
    assert written.count("● ") > 1 or written.count("●") > 4  # several frames
    assert f"{ESCAPE}[?25l" in written  # the cursor was hidden
    assert written.rindex(f"{ESCAPE}[?25h") > written.rindex(f"{ESCAPE}[?25l")  # and is back
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    assert max(map(len, re.split(r"[\r\n]+", plain.partition("duckdb\r\n")[2].partition("holds")[0]))) <= 80
    assert "Ctrl-C ends" in plain
    assert re.search(r"holds [\d,]+ ticks", plain)


# -- record and replay ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recording") / "frames.parquet"
    done = run("record", "RELIANCE", "TCS", "--out", str(path), "--seconds", "1")
    assert "Raw frames: " in done.stdout
    return path


def test_what_was_recorded_is_replayed_row_for_row(recording: Path) -> None:
    done = run("replay", str(recording), "--speed", "max", "--store", "ticks.duckdb")
    assert re.search(r"\d one-minute bars, 0 gaps, 0 rejects\.", done.stdout)
    query = "SELECT * EXCLUDE source FROM ticks ORDER BY seq"
    with lk.open("ticks.duckdb") as stored, lk.replay(recording, speed="max") as played:
        rows = stored.sql(query)
        assert rows.height > 20
        assert rows.equals(played.sql(query))
    assert f"holds {rows.height:,} ticks" in done.stdout


def test_a_replay_at_its_own_pace_shows_the_table_until_its_end(recording: Path) -> None:
    done = run("replay", str(recording), "--speed", "8")
    assert "replay of frames.parquet finished" in done.stdout
    assert any(line.startswith("RELIANCE ") for line in done.stdout.splitlines())
    assert "replayed into memory" in done.stdout


def test_an_ended_recording_can_be_replayed() -> None:
    with started("record", "RELIANCE", "--out", "frames.arrow") as process:
        read_until(process, "live · 1 symbol")
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, error) == (0, "")
    assert "replay frames.arrow" in out
    with lk.replay("frames.arrow", speed="max") as played:
        assert played.ticks("RELIANCE").height > 0


# -- stream and simulate ----------------------------------------------------------------------


def test_the_line_that_simulate_prints_connects_to_it() -> None:
    with started("simulate", "--port", "0", "--rate", "500") as exchange:
        line = read_until(exchange, " stream ")
        args = line.split(" stream ")[1].split()
        done = run("stream", *args, "--seconds", "1", "--store", "ticks.duckdb", "--record-to", "raw.parquet")
        exchange.send_signal(signal.SIGINT)
        out, error = exchange.communicate(timeout=LIMIT_S)
    assert (exchange.returncode, error) == (0, "")
    assert re.search(r"[1-9][\d,]* packets were sent", out)
    held = ticks_in("ticks.duckdb")
    assert held > 0
    assert "NSE:" not in done.stdout  # one exchange needs no naming
    with lk.replay("raw.parquet", speed="max") as played:
        assert played.ticks().height == held


def test_a_stream_without_a_store_says_that_its_ticks_are_gone() -> None:
    done = run("stream", "RELIANCE,TCS", "--seconds", "0.5")
    assert "--store FILE keeps them" in done.stdout


def test_a_store_that_another_process_writes_is_named() -> None:
    with started("stream", "RELIANCE", "--store", "ticks.duckdb") as process:
        read_until(process, "● simulated live")
        done = run("sql", "ticks.duckdb", "FROM ticks", check=False)
        assert done.returncode == 1
        assert "ticks.duckdb is in use by" in done.stderr
        assert str(process.pid) in done.stderr
        assert len(done.stderr.splitlines()) == 1
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0


def test_a_reader_that_has_seen_enough_ends_a_query_quietly() -> None:
    lk.stream("RELIANCE", store="ticks.duckdb").stop()
    with started("sql", "ticks.duckdb", "FROM range(5_000_000)", "--format", "csv") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "range\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        process.wait(LIMIT_S)
