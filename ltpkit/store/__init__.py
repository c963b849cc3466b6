"""DuckDB: the stored rows, and SQL over them and the rows still in memory as one.

A `Store` promises that a batch is stored whole or not at all and never twice, that any thread may
read while the one writer appends, and that a query sees every row exactly once. When to append, and
what to do until an append has worked, is left to the flush worker.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from ltpkit import schema
from ltpkit.errors import SettingError, StoreError
from ltpkit.journal.files import folder_of
from ltpkit.store.compaction import Compacted, catch_up, new_file, size_of, taken_over
from ltpkit.store.database import writers
from ltpkit.store.export import copy, write_days
from ltpkit.store.handover import after, to_arrow
from ltpkit.store.opening import migrate
from ltpkit.store.reading import ReadableStore
from ltpkit.store.recovery import Recovered, left_behind
from ltpkit.store.recovery import replay as replay_journal
from ltpkit.store.salvage import log_of
from ltpkit.store.tables import TABLES, TIME_OF, day_of, one, positions_in, quoted

__all__ = ["Compacted", "Recovered", "Store", "migrate"]


class Store(ReadableStore):
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
        self._firm: dict[str, int] = dict.fromkeys(TABLES, 0)
        self._log_bytes = self._written_ns = 0
        self._untrimmed = False  # whether what a checkpoint wrote is still in memory
        self.recovered: Recovered | None = None
        super().__init__(None if path is None else Path(path), read_only=read_only)
        with self._abandoned_if_unusable():
            self.identity = int(one(self._cursor(), "SELECT epoch_us(min(applied_at)) FROM schema_version"))
            self._recount()
            self._take_up(replay=replay)

    def _take_up(self, *, replay: bool) -> None:
        """Have what a crash left in the journal: in the file, or beside it where that may not change."""
        if self.path is None or (self.read_only and self._key in writers):
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

    def __repr__(self) -> str:
        place = "in memory" if self.path is None else str(self.path)
        if self._con is None:
            return f"<Store {place}, closed>"
        return f"<Store {place}: {self._rows['ticks']:,} ticks, to seq {self._positions['ticks']:,}>"

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

    def _append(self, frames: Mapping[str, pl.DataFrame]) -> None:
        cursor = self._cursor()
        try:
            cursor.execute("BEGIN")
            # Read here and not from memory: after an error only the file knows what was stored.
            positions = positions_in(cursor)
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
        if self._untrimmed:
            self._untrimmed = not self._trim()

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
            self._untrimmed = True
        self._log_bytes, self._written_ns = size, written

    def firm_positions(self) -> dict[str, int]:
        """Return the last `seq` of each table that is in the file itself, not in DuckDB's log alone.

        Never ahead of the truth; behind it until the next checkpoint. Does not touch DuckDB.
        """
        return dict(self._firm)

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
        first = day_of(now) - timedelta(days=days)
        deleted = 0
        with self._writing:
            cursor = self._cursor()
            try:
                cursor.execute("BEGIN")
                for table, name in TABLES.items():
                    gone = cursor.execute(
                        f"DELETE FROM {name} WHERE {quoted(TIME_OF[table])} < ?::DATE::TIMESTAMPTZ", [first]
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
                self._untrimmed = self.path is not None
            except duckdb.Error as error:
                raise self._failed("The store could not be checkpointed.", error) from error
            finally:
                cursor.close()

    def compact(self) -> Compacted:
        """Write the file anew, without the room that deleted rows have left; return its sizes.

        Appending goes on while the rows are copied, and waits for the moment in which the files change
        places; so do queries. It takes as much room on the disk again as the rows need.

        Raises
        ------
        StoreError
            There is no room; or a query runs on and on; or the file is open elsewhere in this process.
            Nothing was changed.
        SettingError
            The store has no file.
        """
        if self.path is None:
            raise SettingError("A store in memory has no file to compact.")
        if self.read_only:
            raise StoreError(self.path, f"{self.path} was opened to read only.")
        before, new = size_of(self.path), new_file(self.path)
        try:
            self.copy_to(new)
            with self._writing:
                self._look_for_file()
                cursor = self._cursor()
                try:
                    catch_up(cursor, self._catalog, new)
                    cursor.execute("CHECKPOINT")  # so that closing leaves no log behind
                except duckdb.Error as error:
                    raise self._failed("The store could not be compacted.", error) from error
                finally:
                    cursor.close()
                with self._no_readers():
                    taken_over(self, new)
                self._firm, self._log_bytes = self._positions, 0
        finally:
            for one in (new, log_of(new)):
                one.unlink(missing_ok=True)
        return Compacted(before=before, after=size_of(self.path))

    def change_file(self, change: Callable[[], object]) -> None:
        """Close the file, change it, and open what is there then. For `compact`, which keeps others off."""
        con = self._con
        if con is not None:
            self._end(con)
        self._con = None
        try:
            change()
        finally:
            self._con = self._open()

    def is_compacted(self) -> bool:
        """Return whether the file that is open is one that `compact` wrote just now; asked once."""
        cursor = self._cursor()
        try:
            tables = cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()
            cursor.execute("DROP TABLE IF EXISTS compacted; CHECKPOINT")
        finally:
            cursor.close()
        return ("compacted",) in tables

    def room_to_checkpoint(self) -> bool:
        """Return whether the disk has room for a checkpoint; one that fails ends DuckDB's instance."""
        return self.path is None or shutil.disk_usage(self.path.parent).free > 2 * self._log_bytes

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
        with self._reading() as cursor:
            return write_days(cursor, Path(directory), since=since, until=until, tables=tables)

    def copy_to(self, path: str | Path) -> Path:
        """Write a copy that another process can open while this one streams on; return its path.

        Raises
        ------
        StoreError
            There is a file of that name already, or it cannot be written.
        """
        target = Path(path)
        with self._cursor_at_work() as cursor:
            copy(cursor, self._catalog, target)
        return target
