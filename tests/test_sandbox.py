from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import psutil
import pytest

import ltpkit as lk
from ltpkit import schema
from ltpkit.errors import (
    QueryError,
    QueryRefused,
    QueryTooLarge,
    QueryTooLong,
    SettingError,
    StoreError,
    TooManyQueries,
)
from ltpkit.store import Store, sealed
from ltpkit.store.sandbox import Sandbox

STORED, HELD = 130_000, 130_500  # more than two pages; the last rows are in memory alone
SOON = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
MARKER = "not-for-you"


def ticks(first: int, last: int) -> pl.DataFrame:
    """Ticks of two symbols in turn, a second apart."""
    types = schema.polars_schema("ticks")
    seq = pl.DataFrame({"seq": range(first, last + 1)})
    at = pl.from_epoch(pl.col("seq")).dt.replace_time_zone("UTC")
    known = {
        "symbol": pl.when(pl.col("seq") % 2 == 0).then(pl.lit("TCS")).otherwise(pl.lit("INFY")),
        "exchange": pl.lit("NSE"),
        "timestamp": at,
        "received_at": at,
        "ltp": pl.col("seq").cast(pl.Float64),
        "volume": 10.0 * pl.col("seq"),
        "source": pl.lit("test"),
    }
    return seq.with_columns(**known, **{name: None for name in types if name not in {"seq", *known}}).select(
        pl.col(name).cast(dtype) for name, dtype in types.items()
    )


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store() as store:
        store.append(ticks=ticks(1, STORED))
        yield store


@pytest.fixture(scope="module")
def memory() -> dict[str, pl.DataFrame]:
    return {"ticks": ticks(STORED - 99, HELD)}  # the first hundred are stored as well


@pytest.fixture(scope="module")
def sandbox(store: Store, memory: dict[str, pl.DataFrame]) -> Iterator[Sandbox]:
    with Sandbox(lambda: store, lambda: memory, row_limit=1_000, time_limit_s=10) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def brisk(store: Store) -> Iterator[Sandbox]:
    with Sandbox(lambda: store, time_limit_s=0.4) as brisk:
        yield brisk


@pytest.mark.parametrize(
    ("query", "params"),
    [
        ("SELECT count(*) AS n, min(seq) AS first, max(seq) AS last FROM ticks", None),
        ("SELECT symbol, count(*) AS n, sum(ltp) AS total FROM realtime_ltp GROUP BY ALL ORDER BY ALL", None),
        ("FROM ticks WHERE symbol = 'TCS' AND seq > 129990", None),
        ("FROM ticks WHERE seq > ? AND symbol = ?", [STORED - 5, "INFY"]),
        ("FROM ticks WHERE symbol = $s AND timestamp < $t", {"s": "TCS", "t": SOON}),
        ("SELECT seq FROM ticks WHERE symbol IN ('TCS', 'none') OR ltp < 5 ORDER BY seq LIMIT 9", None),
        ("SELECT seq, lag(ltp) OVER (ORDER BY seq) AS before FROM ticks QUALIFY seq BETWEEN 7 AND 9", None),
        ("SELECT count(*) AS n FROM ticks a JOIN ticks b ON a.seq = b.seq + 1", None),
        ("FROM latest_ltp ORDER BY symbol", None),
        ("FROM ltp_changes WHERE seq = 130200", None),
        ("FROM bars_1m WHERE symbol = 'TCS' AND volume > 0 ORDER BY start DESC LIMIT 3", None),
        ("WITH t AS (SELECT max(seq) AS m FROM ticks) SELECT m, symbol FROM ticks, t WHERE seq = m", None),
        ("SELECT ts.range AS n FROM range(3) ts", None),
        ("FROM realtime_depth", None),
        ("FROM feed_events", None),
    ],
)
def test_a_query_answers_as_live_sql_does(
    sandbox: Sandbox, store: Store, memory: dict[str, pl.DataFrame], query: str, params: Any
) -> None:
    found = sandbox.query(query, params)
    expected = store.sql(query, params, memory=memory)
    assert found.equals(expected)
    assert found.schema == expected.schema


def test_describe_summarize_and_show_answer_too(sandbox: Sandbox) -> None:
    assert sandbox.query("DESCRIBE ticks")["column_name"].to_list() == list(schema.TICKS)
    assert sandbox.query("SUMMARIZE ticks").height == len(schema.TICKS)
    assert "latest_ltp" in sandbox.query("SHOW TABLES")["name"].to_list()


def test_texts_that_look_like_conditions_find_their_rows() -> None:
    odd = ['a") and (seq > 5', "it's", 'say "x"', "back\\slash", "é ü", "", "x and y", "(", "]"]
    rows = ticks(1, len(odd)).with_columns(
        pl.Series("source", odd).cast(schema.polars_schema("ticks")["source"])
    )
    with Store() as store, Sandbox(lambda: store) as sandbox:
        store.append(ticks=rows)
        for seq, text in enumerate(odd, 1):
            found = sandbox.query("SELECT seq FROM ticks WHERE source = ? AND seq > 0", [text])
            assert found["seq"].to_list() == [seq], text


@pytest.mark.parametrize(
    ("filter", "known"),
    [
        ('(symbol == "TCS")', [("symbol", "==", "TCS")]),
        ("((seq > 2) and (seq <= -7))", [("seq", ">", 2), ("seq", "<=", -7)]),
        ("(timestamp >= 1970-01-01 00:00:00.000000Z)", [("timestamp", ">=", "1970-01-01 00:00:00.000000Z")]),
        ('((symbol == "a and (b") and is_valid(ltp))', [("symbol", "==", "a and (b")]),
        ("((seq > 2) or (seq < 1))", []),
        ("invert((seq > 2))", []),
        ("if_else((seq > 1), (seq > 2), (seq > 3))", []),
        ('(symbol == "a\\"b")', []),
        ("", []),
    ],
)
def test_only_conditions_that_surely_hold_leave_rows_out(filter: str, known: list[Any]) -> None:
    assert sealed.conditions(filter) == known


# -- what a query may not reach -------------------------------------------------------------------

READS = [
    "FROM read_text('{file}')",
    "FROM read_blob('{file}')",
    "FROM read_csv('{file}')",
    "FROM read_csv_auto('{file}')",
    "FROM read_json('{file}')",
    "FROM read_ndjson_objects('{file}')",
    "FROM '{file}'",
    'FROM "{file}"',
    "FROM sniff_csv('{file}')",
    "FROM glob('{folder}/*')",
    "SELECT * FROM query('FROM read_text(''{file}'')')",
    "FROM query_table('{file}')",
    "WITH x AS MATERIALIZED (FROM read_text('{file}')) FROM x",
    "SELECT (SELECT content FROM read_text('{file}'))",
    "FROM ticks, LATERAL (FROM read_text('{file}'))",
    "FROM ticks WHERE exists (FROM read_csv('{file}'))",
    "FROM ticks UNION ALL BY NAME FROM read_csv('{file}')",
    "FROM/**/read_text/* -- */('{file}')",
    "FROM system.main.read_text('{file}')",
    "FROM \"read_text\"('{file}')",
    "FROM READ_TEXT('{file}')",
]


@pytest.mark.parametrize("query", READS)
def test_no_query_reads_a_file(sandbox: Sandbox, tmp_path: Path, query: str) -> None:
    file = tmp_path / "secret.csv"
    file.write_text(f'{{"a": "{MARKER}"}}\n')
    query = query.format(file=file, folder=tmp_path)
    with duckdb.connect() as unguarded:  # so that the query would read it, were it not for the sandbox
        unguarded.execute("CREATE TABLE ticks (a INTEGER)")
        unguarded.sql(query).to_arrow_table()
    with pytest.raises(QueryError) as refused:
        sandbox.query(query)
    assert MARKER not in str(refused.value)
    assert type(refused.value) is QueryRefused or "does not exist" in str(refused.value)


LOGGING = (
    "FROM enable_logging(storage='file', storage_config={{'path': '{file}.log'}})"  # ends a plain DuckDB
)
REFUSED = [
    # files, network, other databases
    "FROM read_parquet('http://127.0.0.1:9/x.parquet')",
    "FROM parquet_metadata('x.parquet')",
    "FROM read_duckdb('x')",
    "ATTACH '{file}' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH memory",
    "USE memory",
    "COPY ticks TO '{file}'",
    "COPY (SELECT 1) TO '{file}' (FORMAT parquet)",
    "COPY ticks FROM '{file}'",
    "EXPORT DATABASE '{file}'",
    "IMPORT DATABASE '{file}'",
    "INSTALL httpfs",
    "LOAD '{file}'",
    "FORCE INSTALL httpfs",
    "WITH x AS (COPY ticks TO '{file}') FROM x",
    # settings, and what may not be known of them
    "SET memory_limit = '8GB'",
    "SET GLOBAL enable_external_access = true",
    "RESET lock_configuration",
    "SET VARIABLE x = 1",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "FROM duckdb_settings()",
    "FROM duckdb_secrets()",
    "FROM duckdb_logs()",
    "FROM which_secret('s3://x', 's3')",
    "SELECT current_setting('secret_directory')",
    "SELECT getenv('HOME')",
    "SELECT write_log('x')",
    "FROM pragma_database_size()",
    "FROM pragma_user_agent()",
    LOGGING,
    "FROM enable_profiling()",
    "FROM enable_logging()",
    "FROM disable_logging()",
    "FROM checkpoint()",
    "FROM force_checkpoint()",
    "CREATE SECRET x (TYPE s3)",
    # writes
    "CREATE TABLE x (a INTEGER)",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE VIEW x AS SELECT 1",
    "DROP VIEW ticks",
    "CREATE MACRO ticks() AS TABLE SELECT 1",
    "CREATE FUNCTION f(a) AS a",
    "CREATE TYPE t AS INTEGER",
    "CREATE SEQUENCE s",
    "INSERT INTO realtime_ltp (seq) VALUES (1)",
    "DELETE FROM realtime_ltp",
    "UPDATE realtime_ltp SET ltp = 0",
    "TRUNCATE realtime_ltp",
    "ALTER TABLE realtime_ltp ADD COLUMN x INTEGER",
    "VACUUM",
    "CHECKPOINT",
    "ANALYZE",
    "WITH x AS (INSERT INTO realtime_ltp (seq) VALUES (1) RETURNING *) FROM x",
    "WITH x AS (DELETE FROM realtime_ltp RETURNING *) FROM x",
    "MERGE INTO realtime_ltp USING ticks USING (seq) WHEN MATCHED THEN DELETE",
    # more than one statement, or one that hides another
    "SELECT 1; SELECT 2",
    "COMMIT; DROP VIEW ticks",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "",
    ";",
    "-- nothing",
    "SELECT 1; COPY ticks TO '{file}'",
    "SELECT 1 /* ; */ ; -- \nSET threads = 8",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "FROM query('SELECT 1')",
    "FROM query_table('ticks')",
    "FROM json_execute_serialized_sql('{{}}')",
    # pointers into memory, and Python
    "FROM arrow_scan(1::POINTER, 2::POINTER, 3::POINTER)",
    "FROM pandas_scan(1::POINTER)",
    "FROM python_map_function(1, 2)",
    "FROM arrow_scan(94000000000000, 9, 9)",
    "FROM python_arrow_scan(1)",
    "FROM arrow_scan_dumb(1, 2, 3)",
    "FROM seq_scan('ticks')",
    "FROM test_all_types()",
    "FROM repeat_row(1, num_rows=10)",
]


@pytest.mark.parametrize("query", REFUSED)
def test_a_query_that_does_more_than_read_is_refused(sandbox: Sandbox, tmp_path: Path, query: str) -> None:
    file = tmp_path / "written"
    with pytest.raises(QueryError) as refused:
        sandbox.query(query.format(file=file))
    assert list(tmp_path.iterdir()) == []
    said = str(refused.value)
    assert type(refused.value) is QueryRefused or "Parser Error" in said or "does not exist" in said


@pytest.mark.parametrize(
    "name", ["line", "con", "schema", "limits", "_SETTINGS", "incoming", "duckdb", "os", "memory.line"]
)
def test_a_name_in_a_query_finds_no_python_variable(sandbox: Sandbox, name: str) -> None:
    with pytest.raises(QueryError, match="does not exist"):
        sandbox.query(f"FROM {name}")


class _NoLine:
    def pages(self, *asked: object) -> Iterator[bytes]:
        yield from ()


@pytest.mark.parametrize(
    "query",
    [
        *READS[:9],
        "COPY (SELECT 1) TO '{file}.out'",
        "ATTACH '{file}.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 4",
        "RESET memory_limit",
        "SET GLOBAL enable_external_access = true",
        "CREATE TABLE main.x (a INTEGER)",
        LOGGING,
        "EXPORT DATABASE '{folder}/x'",
        "CREATE PERSISTENT SECRET x (TYPE http, BEARER_TOKEN 'x')",
    ],
)
def test_duckdbs_own_settings_hold_where_a_query_gets_past_the_first_look(tmp_path: Path, query: str) -> None:
    file = tmp_path / "secret.csv"
    file.write_text(f'{{"a": "{MARKER}"}}\n')
    limits = sealed._Limits(rows=10, memory_mb=64, time_s=5)
    con = sealed._sealed(sealed._Schema(["CREATE TABLE t (a INTEGER)"], ["t"]), _NoLine(), limits)  # type: ignore[arg-type]
    try:
        with pytest.raises(duckdb.Error) as stopped:
            con.execute(query.format(file=file, folder=tmp_path)).fetchall()
        assert MARKER not in str(stopped.value)
        assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    finally:
        con.close()


def test_the_process_has_no_environment_and_no_file_of_ours(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    monkeypatch.setenv("BROKER_TOKEN", MARKER)
    with Sandbox(lambda: store) as other:
        other.query("SELECT 1")
        pid = other._idle[0]._process.pid
        proc = Path(f"/proc/{pid}")
        if not proc.exists():
            pytest.skip("no /proc here")
        assert MARKER.encode() not in (proc / "environ").read_bytes()
        opened = {str(one.readlink()) for one in (proc / "fd").iterdir()}
        assert all(one.startswith(("pipe:", "/dev/null")) for one in opened), opened
        limits = (proc / "limits").read_text()
        assert "Max file size             0 " in limits


# -- what a query may not take ----------------------------------------------------------------------

BOMBS = [
    "SELECT repeat('x', 2000000000) AS x",
    "SELECT repeat('x', 4000000000) AS x",
    "SELECT list_resize([1], 2000000000) AS x",
    "SELECT range(1000000000) AS x",
    "SELECT array_agg(range) AS x FROM range(1000000000)",
    "SELECT string_agg(repeat('x', 1000000), '') AS x FROM range(100000)",
    "SELECT format('{:2000000000}', 1) AS x",
    "WITH RECURSIVE t AS (SELECT 'x' AS x UNION ALL SELECT x || x FROM t) SELECT max(length(x)) FROM t",
    "SELECT length(replace(repeat('x', 20000), 'x', repeat('y', 100000))) AS x",
    "SELECT bar(1, 0, 1, 2000000000) AS x",
    "FROM ticks CROSS JOIN range(1000)",
    "FROM range(1000000000000)",
    "FROM range(1001)",
]


@pytest.mark.parametrize("query", BOMBS)
def test_a_query_that_grows_beyond_its_limits_is_stopped(sandbox: Sandbox, query: str) -> None:
    with pytest.raises(QueryError) as stopped:
        sandbox.query(query)
    assert not isinstance(stopped.value, QueryRefused)
    cells = sandbox._idle
    if type(stopped.value) is QueryError:  # beyond what DuckDB allows by itself
        assert "Out of Range" in str(stopped.value) or "Invalid Input" in str(stopped.value)
    assert len(cells) <= 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT sleep_ms(60000)",
        "SELECT length(lpad('x', 2000000000, 'y'))",  # which DuckDB does not stop by itself
        "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b",
        "SELECT count(*) FROM ticks a, ticks b, ticks c WHERE a.ltp + b.ltp > c.ltp",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
        "SELECT count(*) FROM range(100000) WHERE regexp_matches(repeat('a', 30000), '(a|aa)+$' || range)",
    ],
)
def test_a_query_that_takes_too_long_is_stopped_in_time(brisk: Sandbox, query: str) -> None:
    with pytest.raises(QueryTooLong, match=r"after 0\.4 s"):
        brisk.query(query)
    assert brisk._idle == []  # its process is gone


def test_reading_the_store_ends_with_the_time_too(memory: dict[str, pl.DataFrame]) -> None:
    class Slow(Store):
        """A store whose pages take for ever."""

        def _lay_over(self, cursor: Any, memory: Any, query: str) -> None:
            slow = "SELECT range AS seq, sleep_ms(60000)::DOUBLE AS ltp FROM range(9)"
            cursor.execute(f"CREATE TEMP VIEW realtime_ltp AS {slow}")

    with Slow() as store, Sandbox(lambda: store, time_limit_s=0.4) as sandbox, pytest.raises(QueryTooLong):
        sandbox.query("SELECT sum(ltp) FROM ticks")


def test_an_answer_with_too_many_rows_is_refused_and_not_cut_in_silence(sandbox: Sandbox) -> None:
    assert sandbox.query("FROM ticks LIMIT 1000").height == 1_000
    with pytest.raises(QueryTooLarge, match="more than 1,000 rows"):
        sandbox.query("FROM ticks LIMIT 1001")


def test_an_answer_of_few_rows_that_are_large_is_refused(store: Store) -> None:
    with Sandbox(lambda: store) as sandbox:
        assert sandbox.query("SELECT repeat('x', 10000) AS x FROM range(900)").height == 900
        with pytest.raises(QueryTooLarge, match="larger than 64 MB"):
            sandbox.query("SELECT repeat('x', 10000) AS x FROM range(9000)")


def test_deep_nesting_and_long_texts_are_refused(sandbox: Sandbox) -> None:
    for query in (
        f"SELECT {'(' * 5000}1{')' * 5000}",
        f"SELECT {'-' * 20000}1",
        f"SELECT 1{' + 1' * 20000}",
        f"SELECT {'[' * 3000}1{']' * 3000}",
    ):
        with pytest.raises(QueryError):
            sandbox.query(query)
    with pytest.raises(QueryRefused, match="longer than"):
        sandbox.query("SELECT " + "1" * 100_000)
    assert sandbox.query("SELECT 1 AS one").item() == 1


def test_a_wrong_query_is_explained_in_duckdbs_words(sandbox: Sandbox) -> None:
    with pytest.raises(QueryError, match=r'"lpt" not found(.|\n)*"ltp"'):
        sandbox.query("SELECT lpt FROM ticks")
    with pytest.raises(QueryError, match="syntax error"):
        sandbox.query("SELEC 1")
    with pytest.raises(QueryError, match="cast it to text"):
        sandbox.query("SELECT INTERVAL 1 DAY AS day")


def test_no_more_queries_run_at_once_than_allowed(store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def blocked() -> Store:
        begun.set()
        go_on.wait()
        return store

    with Sandbox(blocked, time_limit_s=0.2, at_once=1) as sandbox, ThreadPoolExecutor() as pool:
        first = pool.submit(sandbox.query, "SELECT 1 AS one")
        begun.wait()
        try:
            with pytest.raises(TooManyQueries, match="limit of 1 queries"):
                sandbox.query("SELECT 2 AS two")
        finally:
            go_on.set()
        assert first.result().item() == 1


def test_many_threads_get_their_own_answers(sandbox: Sandbox) -> None:
    def ask(n: int) -> Any:
        return sandbox.query("SELECT ? AS n, count(*) AS rows FROM ticks WHERE seq > ?", [n, HELD - n]).row(0)

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(ask, range(12))) == [(n, n) for n in range(12)]
    assert len(sandbox._idle) <= sandbox.at_once


def test_a_closed_sandbox_says_so_and_its_processes_have_ended(store: Store) -> None:
    sandbox = Sandbox(lambda: store)
    sandbox.query("SELECT 1")
    process = sandbox._idle[0]._process
    sandbox.close()
    sandbox.close()
    assert process.returncode is not None
    with pytest.raises(StoreError, match="closed"):
        sandbox.query("SELECT 1")


def test_a_process_that_was_ended_is_replaced(store: Store) -> None:
    with Sandbox(lambda: store) as sandbox:
        sandbox.query("SELECT 1")
        sandbox._idle[0]._process.kill()
        assert sandbox.query("SELECT 2 AS two").item() == 2


def test_limits_that_make_no_sense_are_refused(store: Store) -> None:
    for limits in ({"row_limit": 0}, {"memory_limit_mb": 1}, {"time_limit_s": 0}, {"at_once": 0}):
        with pytest.raises(SettingError):
            Sandbox(lambda: store, **limits)  # type: ignore[arg-type]
    assert repr(Sandbox(lambda: store)) == "<Sandbox: 10,000 rows, 256 MB, 5 s, 2 at once>"


def test_a_stream_gives_a_sandbox_over_its_own_rows() -> None:
    with lk.stream(["INFY"], name="sandboxed", seed=1) as live, live.sandbox(row_limit=5) as sandbox:
        assert live.wait(rows=1)
        assert sandbox.query("SELECT DISTINCT symbol FROM ticks")["symbol"].to_list() == ["INFY"]
        assert sandbox.row_limit == 5


@pytest.mark.parametrize(
    ("error", "ended"), [(MemoryError(), "too large"), (RuntimeError("the line broke"), "failed")]
)
def test_what_fails_while_rows_come_in_is_told_without_our_own_traces(error: Exception, ended: str) -> None:
    class Broken:
        def pages(self, *asked: object) -> Iterator[bytes]:
            raise error
            yield b""

    limits = sealed._Limits(rows=10, memory_mb=64, time_s=5)
    con = sealed._sealed(sealed._Schema(["CREATE TABLE t (a INTEGER)"], ["t"]), Broken(), limits)  # type: ignore[arg-type]
    try:
        found = sealed._answer(con, "FROM t", None, limits)
    finally:
        con.close()
    assert found[0] == ended
    assert "Traceback" not in found[1]
    assert "sealed.py" not in found[1]


def test_the_process_ends_when_ours_does() -> None:
    program = """
import sys, time
from ltpkit.store import Store
from ltpkit.store.sandbox import Sandbox
sandbox = Sandbox(lambda: store)
with Store() as store:
    sandbox.query("SELECT 1")
    print(sandbox._idle[0]._process.pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as ours:
        assert ours.stdout is not None
        cell = psutil.Process(int(ours.stdout.readline()))
        ours.kill()
    _, alive = psutil.wait_procs([cell], timeout=10)
    assert not alive


def test_a_process_that_claims_to_send_more_than_it_may_is_not_believed() -> None:
    pipe = io.BytesIO((1 << 50).to_bytes(8, "little") + b"x")
    assert sealed.receive(pipe, most=100) is None
    assert sealed.receive(io.BytesIO((3).to_bytes(8, "little") + b"ab")) is None
    sealed.send(pipe := io.BytesIO(), b"abc")
    assert sealed.receive(io.BytesIO(pipe.getvalue()), most=3) == b"abc"
