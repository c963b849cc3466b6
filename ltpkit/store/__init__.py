"""DuckDB: the stored rows, and SQL over them and the rows still in memory as one.

A `Store` promises that a batch is stored whole or not at all and never twice, that any thread may
read while the one writer appends, and that a query sees every row exactly once. When to append, and
what to do until an append has worked, is left to the flush worker.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self
from weakref import WeakValueDictionary

import duckdb
import polars as pl

from ltpkit import schema
from ltpkit.errors import SettingError, StoreError, StoreLocked
from ltpkit.journal.files import folder_of
from ltpkit.store.handover import after, to_arrow, typed
from ltpkit.store.opening import connect, explained, first_line, migrate, require_current, upgrade
from ltpkit.store.pushdown import prefilter, without_hints
from ltpkit.store.recovery import Recovered, left_behind
from ltpkit.store.recovery import replay as replay_journal
from ltpkit.store.salvage import aside, log_of

__all__ = ["Recovered", "Store", "migrate"]

#: Our word for a kind of rows, and its table in DuckDB.
TABLES: Final = {"ticks": "realtime_ltp", "depth": "realtime_depth", "events": "feed_events"}
_VIEWS: Final = ("ticks", "latest_ltp", "ltp_changes", "bars_1m")
_TIME_OF: Final = {"ticks": "received_at", "depth": "received_at", "events": '"at"'}
_IN_MEMORY: Final = "ltpkit"  # the catalog of a store without a file
_CLOSE_WAIT_S: Final = 1.5  # a kernel that restarts gives about two seconds
_SCAN_ROWS: Final = 245_760  # two of DuckDB's row groups

#: Stores that write a file, in this process: numbering rows twice would lose them.
_writers: WeakValueDictionary[str, Store] = WeakValueDictionary()


class Store:
    """Ticks, books and events in a DuckDB file, or in memory.

    Parameters
    ----------
    path : str or pathlib.Path, optional
        The DuckDB file, made if it is not there. Without one the rows live in memory, compressed,
        and end with the process.
    read_only : bool
        Open an existing file to read it. Several processes may, as long as none writes.
    replay : bool
        Take what a crash left in the journal beside the file into it first. A reader sees those rows
        too, and changes nothing.

    Attributes
    ----------
    path : pathlib.Path or None
        The file.
    read_only : bool
        Whether `append` is refused.
    identity : int
        Tells this store from others, whatever its file is called.
    recovered : Recovered or None
        What a crash had left, where there was anything.

    Raises
    ------
    StoreLocked
        Another process, or another store of this one, writes the file.
    NotAStore
        The file is no DuckDB database, or holds something else.
    StoreTooNew
        A newer ltpkit wrote it.
    StoreError
        The folder is missing, the file is damaged, or it is of an older schema and may not be changed;
        or what a crash left in the journal cannot be stored for now: it stays there.

    Notes
    -----
    One thread may write: `append`, `keep_days`. Any thread may read; each call has its own cursor and
    sees one moment of the store. A process made by `fork` is refused: it would share the file's lock.

    Examples
    --------
    >>> with Store() as store:
    ...     store.sql("SELECT count(*) AS rows FROM ticks").item()
    0
    """

    def __init__(
        self, path: str | Path | None = None, *, read_only: bool = False, replay: bool = True
    ) -> None:
        if path is None and read_only:
            raise SettingError("A store without a file starts empty; read_only needs a path.")
        self.path = None if path is None else Path(path)
        self.read_only = read_only
        self._pid = os.getpid()
        self._writing = threading.Lock()
        self._cursors: set[duckdb.DuckDBPyConnection] = set()
        self._cursors_changed = threading.Condition()
        self._names: tuple[object, list[str]] = (None, [])
        self._key = "" if self.path is None else str(self.path.resolve())
        self._con: duckdb.DuckDBPyConnection | None = None
        self._damaged: list[Path] = []  # copies kept of damaged logs
        self._left: dict[str, pl.DataFrame] = {}  # rows that only the journal has, of a store opened to read
        self._positions: dict[str, int] = {}
        self._firm: dict[str, int] = dict.fromkeys(TABLES, 0)
        self._log_bytes = self._written_ns = 0
        self._place: tuple[int, int] | None = None  # which file on which disk was opened
        self._missed = False
        self._dead = False  # an instance of DuckDB's ended and another could not be had yet
        self._rows: dict[str, int] = {}
        self.recovered: Recovered | None = None
        self._claim()
        try:
            self._con = self._open()
            self._catalog = _quoted(_one(self._cursor(), "SELECT current_database()"))
            self.identity = int(_one(self._cursor(), "SELECT epoch_us(min(applied_at)) FROM schema_version"))
            self._recount()
            self._take_up(replay=replay)
        except duckdb.Error as error:  # a damaged block that only reading comes upon
            self._abandon()
            raise explained(self.path or Path(":memory:"), error) from error
        except BaseException:
            self._abandon()
            raise
        if self.path is not None and not read_only:
            _writers[self._key] = self

    # -- opening and closing ------------------------------------------------------------------

    def _claim(self) -> None:
        other = _writers.get(self._key)
        if self.path is None or other is None or other._con is None:
            return
        if other._pid != self._pid:  # DuckDB would hand us the parent's open file, past its own lock
            raise StoreLocked(self.path, f"process {other._pid}, of which this one is a fork")
        if not self.read_only:
            raise StoreLocked(self.path, f"another store of this process ({self._pid})")

    def _take_up(self, *, replay: bool) -> None:
        """Have what a crash left in the journal: in the file, or beside it where that may not change."""
        if self.path is None or (self.read_only and self._key in _writers):
            return  # a journal that is being written is no leftover
        try:
            if self.read_only:
                self._left = left_behind(self.path, self.identity, self._positions)
                if self._left:
                    self._recount()
            elif replay or self._damaged:
                self.recovered = replay_journal(self, damaged=self._damaged)
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(
                self.path,
                f"The journal {folder_of(self.path)} cannot be read: {error}. It was left as it is.",
            ) from error

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self.path is None:
            con = duckdb.connect()
            # Compressed, rows take a tenth of the room; only an attached database can be.
            con.execute(f"ATTACH ':memory:' AS {_IN_MEMORY} (COMPRESS); USE {_IN_MEMORY}")
            con.execute("SET GLOBAL TimeZone = 'UTC'")
            spill = Path(tempfile.gettempdir()) / f"ltpkit-{self._pid}.tmp"  # not in the working folder
            con.execute(f"SET GLOBAL temp_directory = {_text(str(spill))}")
        else:
            con = connect(self.path, read_only=self.read_only, kept=self._damaged)
            self._place = _place(self.path)
        try:
            if self.read_only and self.path is not None:
                require_current(con, self.path)
            else:
                upgrade(con, self.path or Path(":memory:"))
        except BaseException:
            con.close()
            raise
        return con

    def _reopen(self) -> None:
        """Open the file again after DuckDB has declared its instance dead; it stays dead otherwise.

        Cursors that readers still hold belong to the dead one: each call of theirs fails at once.
        """
        if self._con is not None:
            self._end(self._con)
        self._damaged = []
        self._con = self._open()
        self._recount()  # fewer than before where a damaged log had to be cut
        self._dead = False

    def close(self) -> None:
        """Let the file go, ending queries that still run. A second call does nothing."""
        con, self._con = self._con, None
        if con is None or os.getpid() != self._pid:
            return
        with self._writing:
            self._end(con)
        if _writers.get(self._key) is self:
            del _writers[self._key]

    def _abandon(self) -> None:
        """Let go of a file that turned out not to be usable."""
        with suppress(duckdb.Error):  # closing writes, which may fail once more
            self.close()

    def _end(self, con: duckdb.DuckDBPyConnection) -> None:
        """Close a connection, which ends its cursors; one that runs refuses, so stop it first."""
        give_up = time.monotonic() + _CLOSE_WAIT_S
        while True:
            try:
                return con.close()
            except duckdb.ResourceInUseException:
                if time.monotonic() > give_up:
                    raise
            with self._cursors_changed:
                for cursor in self._cursors:
                    cursor.interrupt()
                self._cursors_changed.wait(0.05)  # an interrupt just before a query begins is lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        place = "in memory" if self.path is None else str(self.path)
        if self._con is None:
            return f"<Store {place}, closed>"
        return f"<Store {place}: {self._rows['ticks']:,} ticks, to seq {self._positions['ticks']:,}>"

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        con = self._con
        if os.getpid() != self._pid:
            raise StoreError(
                self.path or ":memory:",
                f"This store was opened by process {self._pid} and this is a fork of it. Open a store here, "
                f"or start processes with the 'spawn' method.",
            )
        if con is None:
            raise StoreError(self.path or ":memory:", f"The store {self.path or 'in memory'} is closed.")
        with self._cursors_changed:  # a connection that is busy with another thread's call refuses
            cursor = con.cursor()
        if self.path is None:
            cursor.execute(f"USE {_IN_MEMORY}")
        return cursor

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of the caller's own that sees one moment of the store."""
        cursor = self._cursor()
        with self._cursors_changed:
            self._cursors.add(cursor)
        try:
            # Otherwise names in a query would find the variables of this module.
            cursor.execute("SET python_enable_replacements = false; BEGIN TRANSACTION READ ONLY")
            if self._left:
                self._lay_over(cursor, self._left, "")
            yield cursor
        finally:
            cursor.close()
            with self._cursors_changed:
                self._cursors.discard(cursor)
                self._cursors_changed.notify_all()

    # -- writing --------------------------------------------------------------------------------

    def append(
        self,
        *,
        ticks: pl.DataFrame | None = None,
        depth: pl.DataFrame | None = None,
        events: pl.DataFrame | None = None,
    ) -> None:
        """Store rows, all of them in one transaction.

        Parameters
        ----------
        ticks, depth, events : polars.DataFrame, optional
            With the types of `schema.polars_schema` and rising `seq`. Rows that are stored already,
            by their `seq`, are left out: a call that failed may be repeated as it was.

        Raises
        ------
        StoreError
            DuckDB could not do it, in its own words: a full disk, say. The rows may or may not be
            stored; call again with the same frames, or more, until it works.
        """
        if self.read_only:
            raise StoreError(self.path or ":memory:", f"{self.path} was opened to read only.")
        frames = {"ticks": ticks, "depth": depth, "events": events}
        given = {table: frame for table, frame in frames.items() if frame is not None and frame.height}
        for table, frame in given.items():
            if list(frame.schema.items()) != list(schema.polars_schema(table).items()):
                raise ValueError(f"The {table} to store have other columns or types than ltpkit.schema says.")
        if not given:
            return
        with self._writing:
            self._look_for_file()
            try:
                if self._dead:
                    self._reopen()
                self._append(given)
            except duckdb.Error as error:
                raise self._failed("Rows could not be stored for now.", error) from error

    def _look_for_file(self) -> None:
        """Raise where the file is not the one that was opened: rows would go to one that nobody sees.

        Of a removed file everything is still there as long as it is open; the second time round, so that
        the first is told, it gets its name back.
        """
        if self.path is None:
            return
        place = _place(self.path)
        if place == self._place:
            return
        if place is not None:
            raise StoreError(
                self.path,
                f"Another file has taken the place of {self.path}. It is left alone and rows are not stored: "
                f"move it away, and the store is put back.",
            )
        if not self._missed:
            self._missed = True
            raise StoreError(self.path, f"{self.path} was removed. It is about to be put back.")
        restored = self.path.with_name(f"{self.path.name}.restored")
        if restored.exists():  # of an attempt that was cut short
            restored.rename(aside(restored))
        self.copy_to(restored)
        con, self._con = self._con, None
        if con is not None:
            self._end(con)
        if log_of(self.path).exists():  # it belongs to the removed file, and would be taken for this one's
            log_of(self.path).rename(aside(log_of(self.path)))
        restored.replace(self.path)
        self._con = self._open()
        self._missed = False

    def _append(self, frames: Mapping[str, pl.DataFrame]) -> None:
        cursor = self._cursor()
        try:
            cursor.execute("BEGIN")
            # Read here and not from memory: after an error only the file knows what was stored.
            positions = _positions(cursor)
            fresh = {table: after(frame, positions[table]) for table, frame in frames.items()}
            fresh = {table: frame for table, frame in fresh.items() if frame.height}
            for table, frame in fresh.items():
                cursor.register("_batch", to_arrow(frame))
                cursor.execute(f"INSERT INTO {TABLES[table]} SELECT * FROM _batch")
                cursor.unregister("_batch")
                positions[table] = frame["seq"][-1]
                cursor.execute(
                    "UPDATE stored_position SET last_seq = ? WHERE table_name = ?", [positions[table], table]
                )
            cursor.execute("COMMIT")
        finally:
            cursor.close()  # rolls back what was not committed
        rows = {table: self._rows[table] + frame.height for table, frame in fresh.items()}
        self._note_log()
        self._rows, self._positions = self._rows | rows, positions

    def _note_log(self) -> None:
        """See whether DuckDB has checkpointed by itself since the last look.

        Its log is shorter then and the file written to; a log that somebody removed is shorter as well.
        """
        if self.path is None:
            return
        try:
            written = self.path.stat().st_mtime_ns
        except FileNotFoundError:  # removed just now, which the next append says
            return
        try:
            size = log_of(self.path).stat().st_size
        except FileNotFoundError:
            size = 0
        if size < self._log_bytes and written != self._written_ns:
            self._firm = self._positions
        self._log_bytes, self._written_ns = size, written

    def positions(self) -> dict[str, int]:
        """Return the last stored `seq` of ``"ticks"``, ``"depth"`` and ``"events"``; 0 where there is none.

        Never ahead of what a query sees. Does not touch DuckDB.
        """
        return dict(self._positions)

    def firm_positions(self) -> dict[str, int]:
        """Return the last `seq` of each table that is in the file itself, not in DuckDB's log alone.

        Never ahead of the truth; behind it until the next checkpoint. Does not touch DuckDB.
        """
        return dict(self._firm)

    def rows(self, table: str) -> int:
        """Return how many ``"ticks"``, ``"depth"`` or ``"events"`` are stored. Does not touch DuckDB."""
        return self._rows[_table(table)]

    def _recount(self) -> None:
        with self._reading() as cursor:
            self._positions = self._reached(cursor)
            self._rows = {
                table: int(_one(cursor, f"SELECT count(*) FROM {name}")) for table, name in TABLES.items()
            }

    def _reached(self, cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """Return the last `seq` that the cursor sees of each table."""
        left = {table: int(rows["seq"][-1]) for table, rows in self._left.items()}
        return _positions(cursor) | left

    def keep_days(self, days: int, now: datetime | int) -> int:
        """Delete stored rows from before the last `days` full days in UTC; return how many.

        Parameters
        ----------
        days : int
            Days to keep besides today's; 0 keeps today's alone. A row's day is that of its
            `received_at`, an event's that of its `at`.
        now : datetime or int
            The time it is; microseconds UTC when an int.
        """
        if self.read_only:
            raise StoreError(self.path or ":memory:", f"{self.path} was opened to read only.")
        if days < 0:
            raise SettingError(f"keep_days={days}: give the number of days to keep, 0 or more.")
        first = _day_of(now) - timedelta(days=days)
        deleted = 0
        with self._writing:
            cursor = self._cursor()
            try:
                cursor.execute("BEGIN")
                for table, name in TABLES.items():
                    gone = cursor.execute(
                        f"DELETE FROM {name} WHERE {_TIME_OF[table]} < ?::DATE::TIMESTAMPTZ", [first]
                    ).fetchall()
                    deleted += gone[0][0]
                cursor.execute("COMMIT")
            except duckdb.Error as error:
                raise StoreError(
                    self.path or ":memory:", f"Old rows could not be deleted: {error}"
                ) from error
            finally:
                cursor.close()
            self._recount()
        return deleted

    def checkpoint(self) -> None:
        """Write everything into the file itself, so that its log is empty."""
        with self._writing:
            cursor = self._cursor()
            try:
                cursor.execute("CHECKPOINT")
                self._firm, self._log_bytes = self._positions, 0
            except duckdb.Error as error:
                raise self._failed("The store could not be checkpointed.", error) from error
            finally:
                cursor.close()

    def room_to_checkpoint(self) -> bool:
        """Return whether the disk has room for a checkpoint; one that fails ends DuckDB's instance."""
        return self.path is None or shutil.disk_usage(self.path.parent).free > 2 * self._log_bytes

    def _failed(self, what: str, error: duckdb.Error) -> StoreError:
        """Return the error to raise, with the store ready for another try."""
        if isinstance(error, duckdb.FatalException) and self.path is not None:
            self._dead = True
            with suppress(duckdb.Error, StoreError):  # the disk is still full: the next call tries again
                self._reopen()
        return StoreError(self.path or ":memory:", f"{what} DuckDB says: {first_line(error)}")

    # -- reading --------------------------------------------------------------------------------

    def sql(
        self,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        *,
        memory: Mapping[str, pl.DataFrame] | None = None,
        frames: Mapping[str, Any] | None = None,
    ) -> pl.DataFrame:
        """Return the answer of a query over stored rows and rows in memory, each row exactly once.

        Parameters
        ----------
        query : str
            SQL that reads. It sees one moment; a write is refused by DuckDB. Of several statements
            the last one answers.
        params : sequence or mapping, optional
            Bound to ``?`` or ``$name``.
        memory : mapping of str to polars.DataFrame, optional
            What was in memory *before* this call, as ``"ticks"``, ``"depth"``, ``"events"``, with rising
            `seq`. Rows that are stored by now are left out.
        frames : mapping of str to anything Arrow, optional
            The caller's own tables, by the names the query uses.

        Returns
        -------
        polars.DataFrame
            Text as String, times in UTC (us), whole sums as Decimal.

        Raises
        ------
        duckdb.Error
            The query is wrong, in DuckDB's own words.
        SettingError
            A frame has the name of one of our tables or views.
        """
        own = dict(frames or {})
        if taken := {name.lower() for name in own} & {*TABLES.values(), *_VIEWS}:
            raise SettingError(f"{sorted(taken)[0]!r} is a table of the store; give your frame another name.")
        with self._reading() as cursor:
            self._lay_over(cursor, memory or {}, query.lower())
            for name, frame in own.items():
                cursor.register(name, frame)
            try:
                relation = cursor.sql(query, params=_params(params))
                found: pl.DataFrame = pl.DataFrame() if relation is None else relation.pl()
                return found
            except duckdb.TransactionException as error:
                if "read-only mode" in str(error):
                    error.add_note("ltpkit's sql() only reads; the stream alone writes the store.")
                raise

    def _lay_over(
        self, cursor: duckdb.DuckDBPyConnection, memory: Mapping[str, pl.DataFrame], query: str
    ) -> None:
        """Lay the rows in memory over the tables, for this cursor alone.

        A temporary view hides the table of its name, from the views upon it too. The position is read
        in the query's own transaction: rows up to it are in the table, later ones are not.
        """
        if not any(frame.height for frame in memory.values()):
            return
        positions = _positions(cursor)
        views = []
        for table, frame in memory.items():
            name = TABLES[_table(table)]
            rest = after(frame, positions[table])
            # Ticks may be asked for through a view of the user's own; a table costs a millisecond or two.
            if rest.height and (table == "ticks" or not query or name in query):
                cursor.register(f"_memory_{table}", to_arrow(rest))
                views.append(
                    f"CREATE TEMP VIEW {name} AS FROM {self._catalog}.main.{name} "
                    f"UNION ALL BY NAME FROM _memory_{table}"
                )
        if views:
            cursor.execute("; ".join(views))

    def read(
        self,
        table: str,
        *,
        symbols: Sequence[tuple[str, str]] | None = None,
        after_seq: int | None = None,
        last: int | None = None,
    ) -> pl.DataFrame:
        """Return stored rows in the order they arrived, with the types of `schema.polars_schema`.

        Parameters
        ----------
        table : {"ticks", "depth", "events"}
            Which rows.
        symbols : sequence of (exchange, symbol), optional
            Only these; an empty exchange stands for any.
        after_seq : int, optional
            Only rows with a higher `seq`.
        last : int, optional
            Only the newest so many of them.
        """
        conditions: list[str] = []
        params: list[Any] = []
        if symbols is not None:
            one = []
            for exchange, symbol in symbols:
                full = f"{exchange}:{symbol}"
                if table == "events":
                    one.append("symbol = ?" if exchange else "split_part(symbol, ':', 2) = ?")
                    params.append(full if exchange else symbol)
                elif exchange:
                    one.append("(symbol = ? AND exchange = ?)")
                    params += [symbol, exchange]
                else:
                    one.append("symbol = ?")
                    params.append(symbol)
            conditions.append(f"({' OR '.join(one)})" if one else "false")
        if after_seq is not None:
            conditions.append("seq > ?")
            params.append(after_seq)
        query = f"FROM {TABLES[_table(table)]}"
        if conditions:
            query += f" WHERE {' AND '.join(conditions)}"
        if last is not None:
            query += " ORDER BY seq DESC LIMIT ?"
            params.append(last)
        with self._reading() as cursor:
            found = cursor.sql(query, params=params or None).pl()
        return typed(found if found["seq"].is_sorted() else found.sort("seq"), table)

    def latest(self) -> pl.DataFrame:
        """Return the stored ``latest_ltp``: a row for each instrument, with the types of ticks."""
        with self._reading() as cursor:
            return typed(cursor.sql("FROM latest_ltp ORDER BY exchange, symbol").pl(), "ticks")

    def names(self) -> list[str]:
        """Return ``EXCHANGE:SYMBOL`` of every instrument with stored ticks or depth, sorted."""
        at = (self._positions["ticks"], self._positions["depth"], self._rows["ticks"], self._rows["depth"])
        known_at, names = self._names
        if known_at != at:
            with self._reading() as cursor:
                found = cursor.execute(
                    "SELECT exchange || ':' || symbol FROM "
                    "(SELECT DISTINCT exchange, symbol FROM realtime_ltp "
                    "UNION SELECT DISTINCT exchange, symbol FROM realtime_depth) ORDER BY ALL"
                ).fetchall()
            names = [name for (name,) in found]
            self._names = (at, names)
        return list(names)

    def scan(self, memory: Callable[[], Mapping[str, pl.DataFrame]] | None = None) -> pl.LazyFrame:
        """Return all ticks as a LazyFrame that reads afresh at each collect, in the order they arrived.

        Only the columns asked for leave DuckDB, and only the rows that a filter may keep.

        Parameters
        ----------
        memory : callable, optional
            Returns what is in memory, as for `sql`; called once for each read.
        """
        from polars.io.plugins import register_io_source

        types = schema.polars_schema("ticks")

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch_rows: int | None
        ) -> Iterator[pl.DataFrame]:
            recent = memory()["ticks"] if memory is not None else pl.DataFrame(schema=types)
            keep = None if predicate is None else without_hints(predicate)
            wanted = list(types) if columns is None else columns
            needed = dict.fromkeys(["seq", *wanted, *([] if keep is None else keep.meta.root_names())])
            left = rows
            for part in self._parts(list(needed), keep, rows, recent, batch_rows or _SCAN_ROWS):
                frame = part if left is None else part.head(left)
                left = None if left is None else left - frame.height
                if keep is not None:
                    frame = frame.filter(keep)
                yield frame.select(wanted)
                if left == 0:
                    return

        return register_io_source(source, schema=types, explain_name="ltpkit ticks")

    def _parts(
        self,
        columns: list[str],
        predicate: pl.Expr | None,
        rows: int | None,
        recent: pl.DataFrame,
        page_rows: int,
    ) -> Iterator[pl.DataFrame]:
        """Yield stored rows that `predicate` may keep, then those in memory alone.

        Page by page, each a query of its own: an open result would keep the file open after `close`,
        and DuckDB then waits for it for ever when the file is opened again.
        """
        conditions = ["seq > ?"]
        # A limit counts rows before the filter: then DuckDB may not leave any out.
        if rows is None and predicate is not None and (known := prefilter(predicate, schema.TICKS)):
            conditions.append(known)
        # Without an ORDER BY: DuckDB keeps the order of insertion, and `seq` rises with it.
        page_rows = page_rows if rows is None else min(page_rows, rows)
        query = (
            f"SELECT {', '.join(map(_quoted, columns))} FROM realtime_ltp "
            f"WHERE {' AND '.join(conditions)} LIMIT {page_rows}"
        )
        with self._reading() as cursor:
            position, seq = self._reached(cursor)["ticks"], 0
            while seq < position:
                found: pl.DataFrame = cursor.sql(query, params=[seq]).pl()
                if not found["seq"].is_sorted():
                    raise StoreError(
                        self.path or ":memory:",
                        "DuckDB's preserve_insertion_order was switched off; a scan needs it.",
                    )
                if found.height:
                    yield typed(found, "ticks")
                if found.height < page_rows:
                    break
                seq = found["seq"][-1]
        yield after(recent, position).select(columns)

    # -- taking rows elsewhere --------------------------------------------------------------------

    def export(
        self,
        directory: str | Path,
        *,
        since: date | None = None,
        until: date | None = None,
        tables: Sequence[str] = ("ticks", "depth", "events"),
    ) -> list[Path]:
        """Write stored rows as Parquet, a file for each table and day; return their paths.

        Parameters
        ----------
        directory : str or pathlib.Path
            Made if it is not there. Files are called ``realtime_ltp/date=2026-01-31/realtime_ltp.parquet``,
            a layout that polars, DuckDB and others read as one table with a column ``date``.
        since, until : datetime.date, optional
            The first day, and the day to stop before, in UTC by `received_at`.
        tables : sequence of str
            Which rows.

        Notes
        -----
        Zstandard, sorted by ``symbol, seq``. A file gets its name once it is complete, and takes the place
        of an earlier one of the same day.
        """
        directory = Path(directory)
        written: list[Path] = []
        with self._reading() as cursor:
            for table in tables:
                name, at = TABLES[_table(table)], _TIME_OF[table]
                days = cursor.execute(
                    f"SELECT DISTINCT {at}::DATE FROM {name} WHERE {at} IS NOT NULL ORDER BY ALL"
                ).fetchall()
                for (day,) in days:
                    if (since is not None and day < since) or (until is not None and day >= until):
                        continue
                    target = directory / name / f"date={day}" / f"{name}.parquet"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    unfinished = target.with_name(f".{name}.{self._pid}.unfinished")
                    query = (
                        f"FROM {name} WHERE {at} >= '{day}'::DATE::TIMESTAMPTZ "
                        f"AND {at} < ('{day}'::DATE + 1)::TIMESTAMPTZ ORDER BY symbol, seq"
                    )
                    try:
                        cursor.execute(
                            f"COPY ({query}) TO {_text(str(unfinished))} (FORMAT parquet, COMPRESSION zstd)"
                        )
                        _settle(unfinished, target)
                    except (duckdb.Error, OSError) as error:
                        raise StoreError(
                            target, f"{target} could not be written: {first_line(error)}"
                        ) from error
                    finally:
                        unfinished.unlink(missing_ok=True)
                    written.append(target)
        return written

    def copy_to(self, path: str | Path) -> Path:
        """Write a copy that another process can open while this one streams on; return its path.

        Raises
        ------
        StoreError
            There is a file of that name already, or it cannot be written.
        """
        target = Path(path)
        if target.exists():
            raise StoreError(target, f"{target} exists already. Remove it, or choose another path.")
        if not target.parent.is_dir():
            raise StoreError(target, f"The folder {target.parent} does not exist.")
        unfinished = target.with_name(f".{target.name}.{self._pid}.unfinished")
        cursor = self._cursor()
        try:
            cursor.execute(f"ATTACH {_text(str(unfinished))} AS _copy")
            try:
                cursor.execute(f"COPY FROM DATABASE {self._catalog} TO _copy; CHECKPOINT _copy")
            finally:
                cursor.execute("DETACH _copy")
            _settle(unfinished, target)
        except (duckdb.Error, OSError) as error:
            raise StoreError(target, f"{target} could not be written: {first_line(error)}") from error
        finally:
            cursor.close()
            unfinished.unlink(missing_ok=True)
            unfinished.with_name(unfinished.name + ".wal").unlink(missing_ok=True)
        return target


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _positions(cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return dict(cursor.execute("SELECT table_name, last_seq FROM stored_position").fetchall())


def _one(cursor: duckdb.DuckDBPyConnection, query: str) -> Any:
    return cursor.execute(query).fetchall()[0][0]


def _params(params: Sequence[Any] | Mapping[str, Any] | None) -> Any:
    if params is None:
        return None
    return dict(params) if isinstance(params, Mapping) else list(params)


def _table(table: str) -> str:
    if table not in TABLES:
        raise SettingError(f"There are no rows called {table!r}; there are {', '.join(TABLES)}.")
    return table


def _day_of(now: datetime | int) -> date:
    if isinstance(now, int):
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)).date()
    if now.tzinfo is None:
        raise SettingError("now has no time zone; give an aware datetime, or microseconds in UTC.")
    return now.astimezone(UTC).date()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _settle(unfinished: Path, target: Path) -> None:
    """Give a finished file its name, safely on disk."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.replace(target)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
