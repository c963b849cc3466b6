"""A DuckDB file held open: claimed, opened again after a failure, let go; cursors for any thread.

A `Database` promises that a file has one writer, that closing ends what still runs, and that a file which
was removed or replaced is noticed before rows go to one that nobody sees. What is in it is left to others.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, Self
from weakref import WeakSet, WeakValueDictionary

import duckdb

from ltpkit.errors import SettingError, StoreError, StoreLocked
from ltpkit.store.export import copy
from ltpkit.store.opening import MEMORY_LIMIT, connect, explained, first_line, require_current, upgrade
from ltpkit.store.salvage import aside, log_of
from ltpkit.store.tables import one, quoted, text

__all__ = ["Database", "writers"]

_IN_MEMORY: Final = "ltpkit"  # the catalog of a store without a file
_READERS_WAIT_S: Final = 10.0
_CACHED: Final = "16MB"
_LIMIT_NOW: Final = "SELECT current_setting('memory_limit')"
_CLOSE_WAIT_S: Final = 1.5  # a kernel that restarts gives about two seconds

#: Stores that write a file, in this process: numbering rows twice would lose them.
writers: WeakValueDictionary[str, Database] = WeakValueDictionary()
_databases: WeakSet[Database] = WeakSet()


class Database:
    """A DuckDB file, or a database in memory, with the schema of this ltpkit.

    Parameters
    ----------
    path : pathlib.Path or None
        The file, made if it is not there; None for one in memory, compressed.
    read_only : bool
        Open an existing file to read it.
    """

    def __init__(self, path: Path | None, *, read_only: bool) -> None:
        if path is None and read_only:
            raise SettingError("A store without a file starts empty; read_only needs a path.")
        self.path = path
        self.read_only = read_only
        self._pid = os.getpid()
        self._cursors: set[duckdb.DuckDBPyConnection] = set()
        self._cursors_changed = threading.Condition()
        self._writing = threading.Lock()
        self._key = "" if path is None else str(path.resolve())
        self._con: duckdb.DuckDBPyConnection | None = None
        self._damaged: list[Path] = []  # copies kept of damaged logs
        self._place: tuple[int, int] | None = None  # which file on which disk was opened
        self._missed = False
        self._dead = False  # an instance of DuckDB's ended and another could not be had yet
        self._held_back = False  # readers wait while the file is changed for another
        self.timed: Callable[[float], None] = lambda seconds: None  # told how long each reading took
        self._claim()
        _databases.add(self)
        with self._abandoned_if_unusable():
            self._con = self._open()
            self._catalog = quoted(one(self._cursor(), "SELECT current_database()"))
            self._memory_limit = one(self._cursor(), _LIMIT_NOW)
        if path is not None and not read_only:
            writers[self._key] = self

    # -- opening and closing ------------------------------------------------------------------

    def _claim(self) -> None:
        other = writers.get(self._key)
        if self.path is None or other is None or other._con is None:
            return
        if other._pid != self._pid:  # DuckDB would hand us the parent's open file, past its own lock
            raise StoreLocked(self.path, f"process {other._pid}, of which this one is a fork")
        if not self.read_only:
            raise StoreLocked(self.path, f"another store of this process ({self._pid})")

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self.path is None:
            con = duckdb.connect()
            # Compressed, rows take a tenth of the room; only an attached database can be.
            con.execute(f"ATTACH ':memory:' AS {_IN_MEMORY} (COMPRESS); USE {_IN_MEMORY}")
            con.execute("SET GLOBAL TimeZone = 'UTC'")
            spill = Path(tempfile.gettempdir()) / f"ltpkit-{self._pid}.tmp"  # not in the working folder
            con.execute(f"SET GLOBAL temp_directory = {text(str(spill))}")
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
        self._opened_again()
        self._dead = False

    def _opened_again(self) -> None:
        """Look anew at what is in the file: fewer rows than before where a damaged log had to be cut."""

    def close(self) -> None:
        """Let the file go, ending queries that still run. A second call does nothing."""
        con, self._con = self._con, None
        if con is None or os.getpid() != self._pid:
            return
        with self._writing:
            self._end(con)
        if writers.get(self._key) is self:
            del writers[self._key]

    @contextmanager
    def _abandoned_if_unusable(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:  # a damaged block that only reading comes upon
            self._abandon()
            raise explained(self.path or Path(":memory:"), error) from error
        except BaseException:
            self._abandon()
            raise

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

    # -- using it -------------------------------------------------------------------------------

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
    def _cursor_at_work(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of the caller's own, which `close` interrupts and a change of the file waits for."""
        with self._cursors_changed:
            self._cursors_changed.wait_for(lambda: not self._held_back, _READERS_WAIT_S)
            cursor = self._cursor()
            self._cursors.add(cursor)
        try:
            yield cursor
        finally:
            cursor.close()
            with self._cursors_changed:
                self._cursors.discard(cursor)
                self._cursors_changed.notify_all()

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of the caller's own that sees one moment of the store."""
        started = time.perf_counter()
        try:
            with self._cursor_at_work() as cursor:
                # Otherwise names in a query would find the variables of this module.
                cursor.execute("SET python_enable_replacements = false; BEGIN TRANSACTION READ ONLY")
                yield cursor
        finally:
            self.timed(time.perf_counter() - started)

    def _trim(self) -> bool:
        """Have DuckDB keep no more than `_CACHED` of the file in memory; False while somebody reads.

        What was written stays in memory until its limit, 10 MB more a minute at 20,000 ticks a second. It is
        let go of by way of a lower limit, which a query that runs meanwhile would fail at: 10 ms, in which
        readers wait. The first query after it takes 15 ms more over eight million rows.
        """
        with self._cursors_changed:
            if self._cursors:
                return False
            # Whatever goes wrong with the file, or that it is closed, is for those to tell who need it.
            with suppress(duckdb.Error, StoreError), closing(self._cursor()) as cursor:
                if one(cursor, _LIMIT_NOW) == self._memory_limit:  # else somebody has chosen another
                    with suppress(duckdb.OutOfMemoryException):  # more is in use; the rest was let go of
                        cursor.execute(f"SET GLOBAL memory_limit = '{_CACHED}'")
                    cursor.execute(f"SET GLOBAL memory_limit = '{MEMORY_LIMIT}'")
        return True

    @contextmanager
    def _no_readers(self) -> Iterator[None]:
        """Hold readers back once those that read now are done; raise where one takes too long."""
        with self._cursors_changed:
            self._held_back = True
            try:
                if not self._cursors_changed.wait_for(lambda: not self._cursors, _READERS_WAIT_S):
                    raise StoreError(
                        self.path or ":memory:",
                        f"A query has been running for {_READERS_WAIT_S:g} s. Nothing was changed; try again "
                        "when it is done.",
                    )
                yield
            finally:
                self._held_back = False
                self._cursors_changed.notify_all()

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
        cursor = self._cursor()
        try:
            copy(cursor, self._catalog, restored)
        finally:
            cursor.close()
        con, self._con = self._con, None
        if con is not None:
            self._end(con)
        if log_of(self.path).exists():  # it belongs to the removed file, and would be taken for this one's
            log_of(self.path).rename(aside(log_of(self.path)))
        restored.replace(self.path)
        self._con = self._open()
        self._missed = False

    def _failed(self, what: str, error: duckdb.Error) -> StoreError:
        """Return the error to raise, with the store ready for another try."""
        if isinstance(error, duckdb.FatalException) and self.path is not None:
            self._dead = True
            with suppress(duckdb.Error, StoreError):  # the disk is still full: the next call tries again
                self._reopen()
        return StoreError(self.path or ":memory:", f"{what} DuckDB says: {first_line(error)}")


def _place(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _leave_to_the_parent() -> None:
    """Keep a fork from closing what it shares: DuckDB would checkpoint the parent's file, and then crash."""
    for database in _databases:
        if database._con is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(database._con))  # never freed, not at exit either


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_the_parent)
