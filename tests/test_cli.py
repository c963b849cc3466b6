"""The command `ltpkit`: what it answers, what it says when it cannot, and that it never says a secret.

What runs for seconds in a process of its own is in ``tests/cli/test_running.py``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

import ltpkit as lk
from ltpkit.cli import app, health
from ltpkit.cli.stop import Stop
from ltpkit.simulator import SimulatedExchange
from tests import hostile
from tests.hostile import Hostile

COMMANDS = [
    *("demo", "stream", "record", "replay", "simulate"),
    *("sql", "export", "migrate", "doctor", "feeds", "bench"),
]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from or left in the checkout, and no credentials are the developer's own."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("DHAN_", "KITE_", "UPSTOX_", "ANGELONE_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a few hundred ticks, books and events."""
    path = tmp_path_factory.mktemp("store") / "ticks.duckdb"
    with lk.stream(["RELIANCE", "TCS"], store=path, rate=2000, name="test_cli") as live:
        assert live.wait(rows=300)
    return path


def run(*args: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args], input=stdin)


def refused(result: Result) -> str:
    """Return what was said of an expected error: on standard error, without a traceback."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stderr
    assert "Traceback" not in result.output
    return result.stderr


# -- help and version -------------------------------------------------------------------------


def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert [name for name in COMMANDS if name not in result.stdout] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = run(name, "-h")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom ltpkit.cli import app\n"
        "app(['--help'], standalone_mode=False)\n"
        "heavy = ('polars', 'duckdb', 'pyarrow', 'numpy', 'panel', 'pydantic')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_the_packages() -> None:
    assert run("--version").stdout.strip() == f"ltpkit {lk.__version__}"


# -- errors -----------------------------------------------------------------------------------


def test_an_expected_error_is_one_line() -> None:
    said = refused(run("stream", "RELIANC", "--seconds", "1"))
    assert said == "RELIANC is not known to the simulated feed. Close matches: NSE:RELIANCE.\n"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("stream", "RELIANCE", "--feed", "dahn"), "Did you mean 'dhan'"),
        (("stream", "RELIANCE", "--url", "http://x"), "ws:// or wss://"),
        (("stream", "RELIANCE", "--mode", "all"), "no mode 'all'"),
        (("stream", "NSE_EQ:2885", "--feed", "dhan"), "DHAN_ACCESS_TOKEN"),
        (("stream", " , "), "No symbol"),
        (("record", "RELIANCE", "--out", "frames.txt"), ".parquet"),
        (("record", "RELIANCE", "--out", "nowhere/frames.parquet"), "nowhere"),
        (("replay", "nothing.parquet"), "nothing.parquet"),
        (("replay", "nothing.parquet", "--speed", "fast"), "--speed was 'fast'"),
        (("replay", "nothing.parquet", "--speed", "0"), "--speed was '0'"),
        (("sql", "nothing.duckdb", "FROM ticks"), "nothing.duckdb"),
        (("migrate", "nothing.duckdb"), "nothing.duckdb"),
        (("export", "nothing.duckdb", "out"), "nothing.duckdb"),
        (("demo", "--store", "nowhere/demo.duckdb"), "nowhere"),
    ],
)
def test_what_cannot_be_had_is_named(args: tuple[str, ...], words: str) -> None:
    assert words in refused(run(*args))


def test_a_setting_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUFFER_FLUSH_INTERVAL", "soon")
    assert "BUFFER_FLUSH_INTERVAL in the environment" in refused(run("stream", "TCS", "--seconds", "1"))
    assert "BUFFER_FLUSH_INTERVAL" in refused(run("feeds"))


def test_a_file_that_may_not_be_written_is_named() -> None:
    Path("data").write_text("not a folder")
    assert "data" in refused(run("demo", "--seconds", "1"))


def test_an_address_nobody_answers_is_an_error_at_the_end() -> None:
    result = run("stream", "RELIANCE", "--url", "ws://127.0.0.1:9", "--seconds", "0.5")
    assert "cannot be reached" in refused(result)
    assert "backing off" in result.stdout


def test_a_refused_login_ends_with_the_brokers_words_and_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DHAN_CLIENT_ID", "client-of-mine")
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", "s3cret-token")
    with SimulatedExchange(rate=100, tokens={"client-of-mine": "another"}) as exchange:
        result = run("stream", "NSE_EQ:2885", "--feed", "dhan", "--url", exchange.url, "--seconds", "20")
    assert "refused" in refused(result)
    assert "s3cret" not in result.output


# -- sql --------------------------------------------------------------------------------------


def test_a_table_shows_what_was_asked(store: Path) -> None:
    result = run("sql", store, "SELECT symbol, count(*) AS n FROM ticks GROUP BY ALL ORDER BY ALL")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["symbol", "n"]
    assert [line.split()[0] for line in lines[2:4]] == ["RELIANCE", "TCS"]
    assert lines[4] == "2 rows"


def test_a_table_in_a_pipe_leaves_no_column_out(store: Path) -> None:
    head = run("sql", store, "FROM ticks LIMIT 1").stdout.splitlines()[0]
    with lk.open(store) as held:
        assert head.split() == held.ticks().columns


def test_a_table_says_how_many_rows_it_does_not_show(store: Path) -> None:
    result = run("sql", store, "FROM range(1000)", "--rows", "3")
    assert result.stdout.splitlines()[2:] == ["    0", "    1", "    2", "1,000 rows, 3 shown"]
    assert "1,000 rows\n" in run("sql", store, "FROM range(1000)", "--rows", "0").stdout


def test_csv_and_json_say_the_same_as_the_store(store: Path) -> None:
    query = "SELECT seq, symbol, received_at, ltp, change FROM ticks ORDER BY seq"
    with lk.open(store) as held:
        expected = held.sql(query)
    csv = run("sql", store, query, "--format", "csv")
    read = pl.read_csv(csv.stdout_bytes, try_parse_dates=True)
    assert read.columns == expected.columns
    assert read["seq"].to_list() == expected["seq"].to_list()
    assert read["ltp"].to_list() == expected["ltp"].to_list()
    assert csv.stdout.splitlines()[1].split(",")[2].endswith("Z")
    rows = json.loads(run("sql", store, query, "--format", "json").stdout)
    assert [row["ltp"] for row in rows] == expected["ltp"].to_list()
    assert rows[0]["received_at"].endswith("Z")


def test_books_fit_into_csv_as_json(store: Path) -> None:
    query = "SELECT bid_price, ask_orders FROM realtime_depth LIMIT 1"
    with lk.open(store) as held:
        expected = held.sql(query).row(0)
    read = pl.read_csv(run("sql", store, query, "--format", "csv").stdout_bytes)
    assert tuple(json.loads(text) for text in read.row(0)) == expected


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "txt"])
def test_the_files_ending_says_the_format(store: Path, ending: str) -> None:
    out = Path(f"answer.{ending}")
    result = run("sql", store, "FROM range(3) AS numbers(n)", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    if ending == "csv":
        assert out.read_text() == "n\n0\n1\n2\n"
    elif ending == "json":
        assert json.loads(out.read_text()) == [{"n": 0}, {"n": 1}, {"n": 2}]
    elif ending == "parquet":
        assert pl.read_parquet(out)["n"].to_list() == [0, 1, 2]
    else:
        assert "3 rows" in out.read_text()


def test_an_ending_that_is_no_format_is_refused_before_asking(store: Path) -> None:
    assert ".parquet" in refused(run("sql", store, "nonsense", "--out", "answer.xlsx"))
    assert not Path("answer.xlsx").exists()


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        ("12.5", 12.5),
        ("7", 7),
        ("true", True),
        ("null", None),
        ("TCS", "TCS"),
        ('"7"', "7"),
        ("x' OR 1=1 --", "x' OR 1=1 --"),
        ("a=b", "a=b"),
        ("[1]", "[1]"),
        ("", ""),
    ],
)
def test_parameters_are_bound_as_what_they_are_written_as(store: Path, written: str, bound: object) -> None:
    result = run("sql", store, "SELECT $v AS v", "-p", f"v={written}", "--format", "json")
    assert json.loads(result.stdout) == [{"v": bound}]


def test_a_parameter_without_a_name_is_refused(store: Path) -> None:
    assert "NAME=VALUE" in refused(run("sql", store, "SELECT 1", "-p", "TCS"))


def test_a_query_may_come_from_stdin(store: Path) -> None:
    assert json.loads(run("sql", store, "-", "--format", "json", stdin="SELECT 1 AS n").stdout) == [{"n": 1}]


def test_a_wrong_query_is_told_in_duckdbs_words_and_place(store: Path) -> None:
    said = refused(run("sql", store, "FORM ticks")).splitlines()
    assert said[0].startswith("Parser Error: syntax error")
    assert said[-1].strip() == "^^^^"


def test_sql_cannot_change_a_store(store: Path) -> None:
    assert "read-only" in refused(run("sql", store, "DROP TABLE realtime_ltp"))


def test_a_type_that_polars_lacks_is_told_with_a_way_out(store: Path) -> None:
    assert "VARCHAR" in refused(run("sql", store, "SELECT INTERVAL 3 DAY"))


def test_a_file_that_is_no_store_is_refused() -> None:
    Path("notes.txt").write_text("not a database " * 500)
    assert "notes.txt" in refused(run("sql", "notes.txt", "FROM ticks"))


def test_names_in_an_answer_are_text_and_not_markup(store: Path) -> None:
    result = run("sql", store, "SELECT '[red]x[/]' AS \"[bold]\"")
    assert result.stdout.splitlines()[0].strip() == "[bold]"
    assert result.stdout.splitlines()[2].strip() == "[red]x[/]"


# -- upkeep -----------------------------------------------------------------------------------


def test_export_writes_files_that_hold_every_row(store: Path) -> None:
    result = run("export", store, "out")
    assert result.exit_code == 0
    written = list(Path("out").rglob("*.parquet"))
    assert sum(path.name in result.stdout for path in written) == len(written)
    with lk.open(store) as held:
        assert pl.read_parquet("out/realtime_ltp/**/*.parquet").height == held.ticks().height


def test_a_current_store_needs_no_migration(store: Path) -> None:
    assert "up to date" in run("migrate", store).stdout


def test_feeds_tells_which_credentials_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.setenv("DHAN_CLIENT_ID", "client-of-mine")
    result = run("feeds")
    assert result.exit_code == 0
    for name in ("simulated", "binance", "dhan"):
        assert name in result.stdout
    assert "DHAN_ACCESS_TOKEN" in result.stdout
    assert "DHAN_CLIENT_ID" not in result.stdout
    assert "client-of-mine" not in result.stdout


def test_bench_hands_its_arguments_to_the_benchmarks_of_this_folder() -> None:
    Path("benchmarks").mkdir()
    Path("benchmarks/__init__.py").touch()
    Path("benchmarks/__main__.py").write_text("import sys; sys.exit(40 + len(sys.argv[1:]))")
    assert run("bench", "--quick", "ring").exit_code == 42


def test_bench_without_benchmarks_says_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lk, "__file__", str(Path("site-packages/ltpkit/__init__.py").absolute()))
    assert "make bench" in refused(run("bench"))


# -- doctor -----------------------------------------------------------------------------------


def test_a_sound_installation_passes() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "from a socket through the ring into DuckDB" in " ".join(result.stdout.split())
    assert "✗" not in result.stdout


def test_the_doctor_names_credentials_and_never_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_round_trip", lambda: iter(()))
    monkeypatch.setenv("DHAN_ACCESS_TOKEN", "s3cret-token")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@proxy.example:3128")
    result = run("doctor")
    assert "DHAN_ACCESS_TOKEN" in result.stdout
    assert "proxy.example:3128" in result.stdout
    assert "s3cret" not in result.output


def test_a_problem_comes_with_advice_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(health, "_round_trip", lambda: iter(()))
    monkeypatch.setattr(health, "_CORE", {"a-package-that-is-nowhere": "a_package_that_is_nowhere"})
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 5, 5))
    monkeypatch.setenv("REALTIME_BUFFER_SIZE", "lots")
    result = run("doctor")
    assert result.exit_code == 1
    assert "a-package-that-is-nowhere: not installed" in result.stdout
    assert "5 bytes free" in result.stdout
    assert "REALTIME_BUFFER_SIZE" in result.stdout
    assert "3 problems found." in result.stdout


# -- stopping ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_asks_and_the_second_interrupts(number: signal.Signals) -> None:
    inherited = signal.signal(number, signal.SIG_DFL)  # a program begun in the background may ignore it
    try:
        with Stop() as stop:
            assert not stop.asked
            signal.raise_signal(number)
            assert stop.asked
            assert stop.pause(60)  # at once
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, inherited)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with Stop() as stop:
            signal.raise_signal(signal.SIGTERM)
            assert not stop.asked
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_table_that_is_not_there_is_answered_with_those_that_are(store: Path) -> None:
    said = refused(run("sql", store, "FROM trades"))
    assert "There are ticks, latest_ltp, ltp_changes, bars_1m, realtime_depth, feed_events, flagged, " in said


def test_a_table_shows_times_in_the_zone_that_was_asked_for(store: Path) -> None:
    asked = "SELECT timestamptz '2026-11-20 04:00:00+00' AS at, 0.1 + 0.2 - 0.2 AS change"
    found = run("sql", store, asked)
    assert "2026-11-20 04:00:00" in found.output
    assert "times in UTC" in found.output
    found = run("sql", store, asked, "--zone", "Asia/Kolkata")
    assert "2026-11-20 09:30:00" in found.output
    assert "times in Asia/Kolkata" in found.output
    assert "no time zone 'Kolkata'" in refused(run("sql", store, asked, "--zone", "Kolkata"))


def test_changes_are_shown_as_they_are_meant() -> None:
    from ltpkit.cli.terminal import cell, frame_table

    assert cell(2978.4 - 2978.3) == "0.1"
    assert cell(1.5e-7) == "1.5e-07"
    noisy = pl.DataFrame({"change": [2978.4 - 2978.3, 100_000.05 - 100_000.0, -0.25]})
    assert [str(column._cells[0]) for column in frame_table(noisy, width=40).columns] == ["0.10"]


def test_a_file_that_is_not_there_is_missing_before_its_feed_is() -> None:
    assert refused(run("decode", "nope.bin")).strip() == "There is no file nope.bin."


def test_a_recording_without_a_tick_is_no_success(tmp_path: Path) -> None:
    with Hostile(hostile.is_mute) as server:
        asked = ("BTCUSDT", "--feed", "binance", "--url", server.url, "-o", tmp_path / "x.parquet")
        found = run("record", *asked, "--seconds", "0.2")
    assert "Nothing came from binance" in refused(found)


def test_the_last_line_of_a_stream_counts_what_was_stored_in_the_end(tmp_path: Path) -> None:
    found = run("stream", "RELIANCE", "--store", tmp_path / "x.duckdb", "--seconds", "1")
    assert found.exit_code == 0, found.output
    last = [line for line in found.output.splitlines() if "stored" in line][-1]
    told = re.search(r"([0-9,]+) rows in memory, ([0-9,]+) stored", last)
    assert told is not None
    received, stored = (int(number.replace(",", "")) for number in told.groups())
    assert stored > 0
    assert received - stored < 100
