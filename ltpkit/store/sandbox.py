"""SQL from others: a query that reads the rows held, and can neither reach nor hold up anything else.

A `Sandbox` runs each query in a process of its own (`sealed`) and sends it the columns and rows it reads.
What is wrong with a query stays there: the memory it takes, a crash of DuckDB, the time it needs. Whom to
let ask is left to the service.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

import duckdb
import msgspec
import polars as pl
import pyarrow as pa

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
from ltpkit.store.opening import migrations
from ltpkit.store.tables import TABLES, quoted

__all__ = ["Sandbox"]

_PAGE_ROWS: Final = 122_880  # one of DuckDB's row groups
_PIPE_BYTES: Final = 1 << 20
_MOST_BYTES: Final = 2 * sealed.LARGEST_ANSWER_MB << 20  # of which a part is how it is written
_START_S: Final = 30.0
_LONGEST_QUERY: Final = 100_000
_OPERATORS: Final = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
#: What a process needs to find Python and its packages; everything else stays out of its reach.
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")
_COLUMNS: Final = {
    TABLES["ticks"]: schema.TICKS,
    TABLES["depth"]: schema.DEPTH,
    TABLES["events"]: schema.EVENTS,
}


class Sandbox:
    """Answers queries over rows in memory and stored rows as one, within limits.

    Parameters
    ----------
    store : callable
        Returns the store to ask.
    memory : callable, optional
        Returns what is in memory, as for `Store.sql`; called once for each query.
    row_limit : int
        Rows an answer may have. It may not be larger than 64 MB either.
    memory_limit_mb : int
        Memory that finding the answer may take.
    time_limit_s : float
        How long a query may take, and how long one may wait for its turn.
    at_once : int
        Queries that run at the same time, each on one core at a lower priority than the feed.

    Notes
    -----
    A query sees ``ticks``, ``realtime_ltp``, ``latest_ltp``, ``ltp_changes``, ``bars_1m``,
    ``realtime_depth`` and ``feed_events``; not what users made in the store besides. Processes start when
    first needed. On Linux the system holds them to their memory; elsewhere DuckDB's own limit does alone.

    Examples
    --------
    >>> with Store() as store, Sandbox(lambda: store) as sandbox:
    ...     sandbox.query("SELECT count(*) AS rows FROM ticks").item()
    0
    """

    def __init__(
        self,
        store: Callable[[], Store],
        memory: Callable[[], Mapping[str, pl.DataFrame]] = dict,
        *,
        row_limit: int = 10_000,
        memory_limit_mb: int = 256,
        time_limit_s: float = 5.0,
        at_once: int = 2,
    ) -> None:
        if row_limit < 1 or memory_limit_mb < 32 or time_limit_s <= 0 or at_once < 1:
            raise SettingError(
                "A sandbox needs a row_limit and at_once of 1 or more, a memory_limit_mb of 32 or more "
                "and a time_limit_s above 0."
            )
        self._store, self._memory = store, memory
        self.row_limit, self.memory_limit_mb = row_limit, memory_limit_mb
        self.time_limit_s, self.at_once = time_limit_s, at_once
        self._turns = threading.BoundedSemaphore(at_once)
        self._changing = threading.Lock()
        self._idle: list[_Cell] = []
        self._closed = False

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Return the answer of one SELECT.

        Parameters
        ----------
        sql : str
            One statement that reads.
        params : sequence or mapping, optional
            Bound to ``?`` or ``$name``.

        Raises
        ------
        QueryRefused
            It is no single SELECT, or reaches for a file, a setting or another statement.
        QueryTooLarge, QueryTooLong
            It went beyond a limit, and was stopped.
        TooManyQueries
            Its turn did not come in time.
        QueryError
            It is wrong, in DuckDB's own words.
        StoreError
            The store cannot be read, or the sandbox was closed.
        """
        if len(sql) > _LONGEST_QUERY:
            raise QueryRefused(f"it is longer than {_LONGEST_QUERY:,} characters")
        if not self._turns.acquire(timeout=self.time_limit_s):
            raise TooManyQueries(self.at_once)
        try:
            with self._cell() as cell:
                memory = self._memory()  # before the store is looked at, so that no row falls between
                with self._store().moment(memory) as cursor:
                    return cell.ask(sql, params, cursor, self.time_limit_s)
        finally:
            self._turns.release()

    @contextmanager
    def _cell(self) -> Iterator[_Cell]:
        """Yield a process for one query; one that gave an answer is kept for the next."""
        with self._changing:
            if self._closed:
                raise StoreError(":memory:", "The sandbox was closed.")
            cell = self._idle.pop() if self._idle else None
        if cell is not None and not cell.ready():
            cell.end()
            cell = None
        if cell is None:
            cell = _Cell(self.row_limit, self.memory_limit_mb, self.time_limit_s)
            if not cell.ready():
                cell.end()
                raise StoreError(":memory:", "A process for the query could not be started.")
        try:
            yield cell
        finally:
            with self._changing:
                keep = cell.usable and not self._closed
                if keep:
                    self._idle.append(cell)
            if not keep:
                cell.end()

    def close(self) -> None:
        """End the processes that wait; one that answers ends with its query. A second call does nothing."""
        with self._changing:
            self._closed = True
            cells, self._idle = self._idle, []
        for cell in cells:
            cell.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Sandbox: {self.row_limit:,} rows, {self.memory_limit_mb:,} MB, {self.time_limit_s:g} s, "
            f"{self.at_once} at once>"
        )


class _Cell:
    """One process, and what is said to it."""

    def __init__(self, row_limit: int, memory_limit_mb: int, time_limit_s: float) -> None:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-P", sealed.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | {"ARROW_DEFAULT_MEMORY_POOL": "system"},
            start_new_session=True,  # Ctrl-C is for us
            pipesize=_PIPE_BYTES,
        )
        steps = [step.sql for step in migrations()]
        self.usable = True
        self._say(steps, list(_COLUMNS), row_limit, memory_limit_mb, time_limit_s)

    def ready(self) -> bool:
        """Return once it waits for a query, False where it has ended."""
        watch = threading.Timer(_START_S, self._process.kill)
        watch.start()
        try:
            return self._hear() == ["ready"]
        finally:
            watch.cancel()

    def ask(
        self,
        sql: str,
        params: Sequence[Any] | Mapping[str, Any] | None,
        cursor: duckdb.DuckDBPyConnection,
        time_limit_s: float,
    ) -> pl.DataFrame:
        """Return the answer to a query, sending the rows it reads meanwhile."""
        self.usable = False  # until it has answered
        over = threading.Event()

        def stop() -> None:
            over.set()
            self._process.kill()
            with suppress(duckdb.Error):  # closed just now
                cursor.interrupt()

        watch = threading.Timer(time_limit_s, stop)
        watch.start()
        try:
            ended, *rest = self._serve(sql, params, cursor)
        except duckdb.Error as error:
            if over.is_set():
                raise QueryTooLong(time_limit_s) from None
            raise StoreError(":memory:", f"The rows for the query could not be read: {error}") from error
        finally:
            watch.cancel()
        match ended:
            case "answer":
                self.usable = True
                return _frame(rest[0])
            case "died" if not over.is_set():
                raise QueryTooLarge("it took more memory than there is for it, or broke DuckDB")
            case "died" | "too long":
                raise QueryTooLong(time_limit_s)
        self.usable = True
        kinds = {"refused": QueryRefused, "too large": QueryTooLarge, "failed": QueryError}
        raise kinds[ended](rest[0])

    def _serve(self, sql: str, params: Any, cursor: duckdb.DuckDBPyConnection) -> list[Any]:
        """Send the pages that are asked for; return how it ended."""
        scans: dict[int, Iterator[memoryview]] = {}
        self._say(sql, dict(params) if isinstance(params, Mapping) else params and list(params))
        while True:
            match self._hear():
                case ["more", int(scan), str(table), list(columns), list(conditions)]:
                    if scan not in scans:
                        scans[scan] = _pages(cursor, table, columns, conditions)
                    self._send(next(scans[scan], b""))
                case ["answer"]:
                    found = self._receive()
                    return ["died"] if found is None else ["answer", found]
                case None:
                    return ["died"]
                case ended:
                    return ended

    def _say(self, *message: Any) -> None:
        self._send(msgspec.msgpack.encode(message))

    def _send(self, body: bytes | memoryview) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, which the next `_receive` tells
            sealed.send(self._process.stdin, body)

    def _hear(self) -> list[Any] | None:
        body = self._receive()
        return None if body is None else msgspec.msgpack.decode(body, type=list[Any])

    def _receive(self) -> bytes | None:
        assert self._process.stdout is not None
        return sealed.receive(self._process.stdout, most=_MOST_BYTES)

    def end(self) -> None:
        """End the process, at once."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):  # what was still to be sent
                pipe.close()
        self._process.wait()


def _pages(
    cursor: duckdb.DuckDBPyConnection, table: str, columns: list[str], conditions: list[Any]
) -> Iterator[memoryview]:
    """Yield the rows of a table that may be needed, in their order, as Arrow streams."""
    types = _COLUMNS[table]
    where, params = ["seq > ?"], []
    for column, operator, value in conditions:
        cast = "::TIMESTAMPTZ" if types[column].startswith("time") else ""
        where.append(f"{quoted(column)} {_OPERATORS[operator]} ?{cast}")
        params.append(value)
    wanted = ", ".join(quoted(one) for one in types if one in columns)
    query = f"SELECT {wanted}, seq AS _seq FROM {table} WHERE {' AND '.join(where)} LIMIT {_PAGE_ROWS}"
    seq = 0
    while True:
        page = cursor.sql(query, params=[seq, *params]).to_arrow_table()
        if page.num_rows:
            arrived = pl.Series(page.column("_seq"))
            if not arrived.is_sorted():
                raise StoreError(
                    ":memory:", "DuckDB's preserve_insertion_order was switched off; pages need it."
                )
            seq = arrived[-1]
            yield sealed.stream_of(page.drop_columns("_seq"))
        if page.num_rows < _PAGE_ROWS:
            return


def _frame(answer: bytes) -> pl.DataFrame:
    table = pa.ipc.open_stream(answer).read_all()
    try:
        found = pl.from_arrow(table)
    except (pl.exceptions.PolarsError, ValueError, TypeError) as error:
        raise QueryError(
            f"A column of the answer has a type that cannot be sent; cast it to text. {error}"
        ) from error
    assert isinstance(found, pl.DataFrame)
    return found
