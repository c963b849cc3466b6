"""The process in which a served query runs: a DuckDB of its own that has nothing but the rows it is sent.

`sandbox` starts this file by its path and talks to it over two pipes. It promises that a query reads the
tables and nothing else: no file, network, setting, variable or second statement; that nothing stays of one
query for the next; and that it cannot take more memory than it was given. It imports nothing of ltpkit, has
no environment to leak and may be killed at any moment. The time limit is kept by who started it; DuckDB's
own, a second longer, is for when that one has gone.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.dataset as ds

__all__ = ["LARGEST_ANSWER_MB", "receive", "send", "stream_of"]

LARGEST_ANSWER_MB: Final = 64

#: In this order: what no query needs is off, and the last line makes all of it final.
_SETTINGS: Final = (
    "TimeZone = 'UTC'",
    "temp_directory = ''",
    "enable_external_access = false",
    "python_enable_replacements = false",  # or a name in a query would find a variable of this module
    "autoload_known_extensions = false",
    "autoinstall_known_extensions = false",
    "allow_community_extensions = false",
    "allow_persistent_secrets = false",
    "max_expression_depth = 250",
    "threads = 1",
    "memory_limit = '{memory_mb}MB'",
    "max_execution_time = {time_ms}",
    "lock_configuration = true",
)
#: Others read files, follow pointers into memory, run text as SQL or change how DuckDB works.
_TABLE_FUNCTIONS: Final = frozenset(
    {"range", "generate_series", "unnest", "json_each", "json_tree", "duckdb_columns", "duckdb_functions"}
)
_REFUSED_FUNCTIONS: Final = frozenset({"current_setting", "getenv", "write_log"})
#: A data-modifying WITH is a SELECT to DuckDB; its tree has another node inside.
_READING_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})

_BATCH_ROWS: Final = 2_048
_BESIDE_MB: Final = 192  # batches on their way in, the answer on its way out, beyond DuckDB's own limit
_AND: Final = " and "
_CONDITION: Final = re.compile(
    r"\((?P<column>\w+) (?P<op>==|<|<=|>|>=) "
    r'(?:"(?P<text>[^"\\]*)"|(?P<number>-?\d+)|(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}Z))\)'
)


def send(pipe: IO[bytes], body: Any) -> None:
    """Write some bytes, their number first."""
    pipe.write(len(body).to_bytes(8, "little"))
    pipe.write(body)
    pipe.flush()


def receive(pipe: IO[bytes], most: int | None = None) -> bytes | None:
    """Read what was sent at once; None where the other side has gone, or says it sends more than `most`."""
    head = pipe.read(8)
    size = int.from_bytes(head, "little")
    if len(head) < 8 or (most is not None and size > most):
        return None
    body = pipe.read(size)
    return body if len(body) == size else None


def stream_of(table: pa.Table) -> memoryview:
    """Return a table as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return memoryview(sink.getvalue())


class _Rows(ds.Dataset):  # type: ignore[misc]  # pyarrow has no types
    """A table whose rows are asked for, page by page, once a query reads it."""

    def __init__(self, name: str, schema: pa.Schema, line: _Line) -> None:
        self._name, self._schema, self._line = name, schema, line

    @property
    def schema(self) -> pa.Schema:
        return self._schema

    def scanner(self, columns: list[str] | None = None, filter: Any = None, **_: Any) -> _Scan:
        """Return what DuckDB reads: only these columns, only the rows that pass the filter."""
        wanted = self._schema.names if columns is None else columns
        return _Scan(self._name, self._schema, wanted, filter, self._line)


class _Scan:
    def __init__(self, name: str, schema: pa.Schema, columns: list[str], keep: Any, line: _Line) -> None:
        self._name, self._columns, self._keep, self._line = name, columns, keep, line
        text = "" if keep is None else str(keep)
        self._conditions = conditions(text)
        self._asked = [one for one in schema.names if one in columns or re.search(rf"\b{one}\b", text)]
        self.projected_schema = pa.schema([schema.field(one) for one in columns])
        self._schema = pa.schema([schema.field(one) for one in self._asked])

    def to_reader(self) -> pa.RecordBatchReader:
        return pa.RecordBatchReader.from_batches(self.projected_schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for page in self._line.pages(self._name, self._asked, self._conditions):
            table = pa.ipc.open_stream(page).read_all().cast(self._schema)
            if self._keep is not None:
                table = table.filter(self._keep)
            yield from table.select(self._columns).to_batches()


def conditions(filter: str) -> list[tuple[str, str, str | int]]:
    """Return the plain comparisons that hold for every row an Arrow filter keeps, read off its text.

    Who sends the rows then leaves out those that fail; what is not understood here costs time, not rows.

    Examples
    --------
    >>> conditions('(((symbol == "TCS") and (seq > 2)) and is_valid(ltp))')
    [('symbol', '==', 'TCS'), ('seq', '>', 2)]
    >>> conditions('((symbol == "TCS") or (seq > 2))')
    []
    """
    match = _CONDITION.fullmatch(filter)
    if match is not None:
        number, text, time = match["number"], match["text"], match["time"]
        return [(match["column"], match["op"], int(number) if number else time if text is None else text)]
    inner = filter[1:-1]
    joint = _joint(inner) if filter.startswith("(") else None
    return [] if joint is None else conditions(inner[:joint]) + conditions(inner[joint + len(_AND) :])


def _joint(text: str) -> int | None:
    """Return where an "and" joins two conditions, outside of all brackets and quotes."""
    depth, quoted, position = 0, False, 0
    while position < len(text):
        sign = text[position]
        if quoted:
            position += sign == "\\"  # what it escapes
            quoted = sign != '"'
        elif sign == '"':
            quoted = True
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith(_AND, position):
            return position
        position += 1
    return None


class _Line:
    """The two pipes to who started this process."""

    def __init__(self, incoming: IO[bytes], outgoing: IO[bytes]) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._scans = 0

    def say(self, *message: Any) -> None:
        """Send a message; an answer's rows come after it by themselves."""
        send(self._outgoing, msgspec.msgpack.encode(message))

    def give(self, rows: memoryview) -> None:
        """Send the rows of an answer."""
        send(self._outgoing, rows)

    def hear(self) -> list[Any]:
        """Return the next message."""
        message: list[Any] = msgspec.msgpack.decode(self._next())
        return message

    def _next(self) -> bytes:
        body = receive(self._incoming)
        if body is None:  # whoever asked has gone
            os._exit(0)
        return body

    def pages(self, table: str, columns: list[str], conditions: list[Any]) -> Iterator[bytes]:
        """Yield pages of a table's rows; several tables may be read in turn."""
        self._scans += 1
        scan = self._scans
        while True:
            self.say("more", scan, table, columns, conditions)
            page = self._next()
            if not page:
                return
            yield page


class _Limits(msgspec.Struct):
    rows: int
    memory_mb: int
    time_s: float


class _Schema:
    """The tables and views of a store, without rows."""

    def __init__(self, steps: list[str], tables: list[str]) -> None:
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            for step in steps:
                con.execute(step)
            self.tables = {name: con.sql(f"FROM {name}").to_arrow_table().schema for name in tables}
            found = dict(
                con.execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall()
            )
            con.execute("; ".join(f"DROP VIEW {name}" for name in found))
            views = [sql.replace("CREATE VIEW", "CREATE TEMP VIEW", 1) for sql in found.values()]
            self.views = _each_after_what_it_names(views, con)


def _each_after_what_it_names(views: list[str], con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the statements in an order in which they can be run, having run them.

    DuckDB lists a view that was replaced after those upon it.
    """
    done: list[str] = []
    while len(done) < len(views):
        before = len(done)
        for view in views:
            if view not in done:
                with suppress(duckdb.CatalogException):
                    con.execute(view)
                    done.append(view)
        if len(done) == before:
            raise RuntimeError("a view of the store names what is not there")
    return done


def _sealed(schema: _Schema, line: _Line, limits: _Limits) -> duckdb.DuckDBPyConnection:
    """Return a new database that has the tables, and can be given or changed nothing more."""
    con = duckdb.connect()
    for name, columns in schema.tables.items():
        con.register(name, _Rows(name, columns, line))
    for view in schema.views:
        con.execute(view)
    for setting in _SETTINGS:
        values = {"memory_mb": limits.memory_mb, "time_ms": int(limits.time_s * 1000) + 1000}
        con.execute(f"SET GLOBAL {setting.format(**values)}")
    con.execute("BEGIN TRANSACTION READ ONLY")
    return con


def _refusal(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return why a query is not run; empty where it may be. DuckDB's parser errors are raised."""
    statements = con.extract_statements(query)
    if len(statements) != 1:
        return f"{len(statements)} statements were given; one is run"
    if statements[0].type != duckdb.StatementType.SELECT:
        return f"it is a statement of type {statements[0].type.name}; only SELECT is run"
    found = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree = msgspec.json.decode(found[0][0])
    if tree.get("error"):
        return "a statement of this kind cannot be looked into; write it as a plain SELECT"
    open_nodes = [tree]
    while open_nodes:
        node = open_nodes.pop()
        if isinstance(node, list):
            open_nodes += node
        elif isinstance(node, Mapping):
            if refused := _refused_node(node):
                return refused
            open_nodes += node.values()
    return ""


def _refused_node(node: Mapping[str, Any]) -> str:
    kind, name = str(node.get("type", "")), str(node.get("function_name", "")).lower()
    if (
        kind == "TABLE_FUNCTION"
        and (called := node["function"]["function_name"].lower()) not in _TABLE_FUNCTIONS
    ):
        return f"{called}() may not be read from"
    if name in _REFUSED_FUNCTIONS:
        return f"{name}() may not be called"
    if kind.endswith("_NODE") and kind not in _READING_NODES:
        return "it would write"
    return ""


def _answer(con: duckdb.DuckDBPyConnection, query: str, params: Any, limits: _Limits) -> tuple[str, Any]:
    """Return how it ended, and the answer as an Arrow stream or what was wrong."""
    try:
        if refused := _refusal(con, query):
            return "refused", refused
        rows, size, batches = 0, 0, list[pa.RecordBatch]()
        reader = con.sql(query, params=params or None).to_arrow_reader(_BATCH_ROWS)
        for batch in reader:
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if rows > limits.rows:
                return "too large", f"the answer has more than {limits.rows:,} rows"
            if size > LARGEST_ANSWER_MB << 20:
                return "too large", f"the answer is larger than {LARGEST_ANSWER_MB} MB"
            batches.append(batch)
        return "answer", stream_of(pa.Table.from_batches(batches, reader.schema))
    except duckdb.InterruptException:
        return "too long", ""
    except (duckdb.OutOfMemoryException, MemoryError, pa.ArrowMemoryError):
        return "too large", f"it needs more than {limits.memory_mb:,} MB of memory"
    except duckdb.PermissionException as error:
        return "refused", _said(error)
    except RecursionError:
        return "refused", "it is nested too deeply"
    except (duckdb.Error, pa.ArrowException, TypeError, ValueError, RuntimeError) as error:
        if "MemoryError" in str(error):  # while a page was taken in, which DuckDB tells in its own way
            return "too large", f"it needs more than {limits.memory_mb:,} MB of memory"
        return "failed", _said(error)


def _said(error: Exception) -> str:
    """Return the words of DuckDB, without a trace of this program's own files."""
    return str(error).partition("Traceback (most recent call last)")[0].strip()


def _confine(memory_mb: int) -> None:
    """Have the system hold this process to its memory and keep it from writing any file."""
    if hasattr(os, "nice"):
        os.nice(5)  # the feed goes first
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(FileNotFoundError):  # on Linux alone
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        most = used + ((memory_mb + _BESIDE_MB) << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Answer one query after the other until the other side goes."""
    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    line = _Line(incoming, outgoing)
    steps, tables, *numbers = line.hear()
    limits = _Limits(*numbers)
    pa.set_cpu_count(1)
    schema = _Schema(steps, tables)
    con = _sealed(schema, line, limits)
    _confine(limits.memory_mb)
    while True:
        line.say("ready")
        query, params = line.hear()
        ended, found = _answer(con, query, params, limits)
        if ended == "answer":
            line.say(ended)
            line.give(found)
        else:
            line.say(ended, found)
        con.close()
        con = _sealed(schema, line, limits)


if __name__ == "__main__":
    main()
