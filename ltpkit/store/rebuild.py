"""A store made anew from whatever of it can still be read: the damaged file, its journal, Parquet exports.

The new file is made beside the old one and takes its name when it is complete; everything it was made
from is kept. What no source has is counted and becomes gap rows. Never a row twice, never a row that
fails its checksum.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from ltpkit.batch import Event
from ltpkit.errors import StoreError, StoreLocked
from ltpkit.gaps import gap
from ltpkit.journal.files import folder_of, gathered, leftovers, sync_folder
from ltpkit.journal.frames import Reading
from ltpkit.schema import DEPTH, EVENTS, TICKS, now_us
from ltpkit.store import Store
from ltpkit.store.database import writers
from ltpkit.store.handover import to_arrow
from ltpkit.store.opening import connect
from ltpkit.store.salvage import aside, cut_log, log_of
from ltpkit.store.tables import TABLES

__all__ = ["Rebuilt", "rebuild"]

_COLUMNS: Final = {"ticks": tuple(TICKS), "depth": tuple(DEPTH), "events": tuple(EVENTS)}
_GROUP_ROWS: Final = 122_880  # DuckDB's row group: what is read at a time
_LEAST_ROWS: Final = 2048  # and its vector: less is not tried one by one
_MOST_GAPS: Final = 1000  # gap rows that are written; what is missing is counted in any case


class Rebuilt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes
    ----------
    path : pathlib.Path
        The store, whole.
    sound : bool
        The file was whole already, and was not made anew.
    rows : dict of str to dict of str to int
        From which source (``"file"``, ``"exports"``, ``"journal"``) how many rows of which table.
    missing : int
        Ticks, books and events between others that no source has.
    kept : list of pathlib.Path
        What it was made from.
    """

    path: Path
    sound: bool
    rows: dict[str, dict[str, int]]
    missing: int
    kept: list[Path]


def rebuild(path: str | Path, *, exports: Iterable[str | Path] = ()) -> Rebuilt:
    """Make a store whole again.

    Parameters
    ----------
    path : str or pathlib.Path
        The store, or where it was.
    exports : iterable of paths, optional
        Folders that `export` wrote from this store: their rows fill what the file lacks.

    Returns
    -------
    Rebuilt
        A file that is sound is left as it is, with its journal taken in; unless there are exports to
        take rows from.

    Raises
    ------
    StoreLocked
        Another process uses it.
    StoreError
        There is nothing to make it from, or no room to.
    """
    path = Path(path)
    if str(path.resolve()) in writers:
        raise StoreLocked(path, f"a stream of this process ({os.getpid()})")
    folders = [Path(one) for one in exports]
    for folder in folders:
        if not folder.is_dir():
            raise StoreError(folder, f"There is no folder {folder} with exported rows.")
    if not (path.exists() or leftovers(folder_of(path)) or folders):
        raise StoreError(path, f"There is no store at {path}, no journal beside it, and no export was named.")
    kept: list[Path] = []
    source = _source(path, kept)
    try:
        if source is not None and not folders and _sound(source):
            source.close()
            whole = _opened(path, kept)
            if whole is not None:
                return whole
            source = _source(path, kept)  # what only writing comes upon is damaged
        return _made(path, source, folders, kept)
    except (duckdb.Error, OSError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(path, f"{path} could not be made anew; it was left as it is. {error}") from error
    finally:
        if source is not None:
            source.close()


class _Source:
    """The damaged file, opened to read; again after an error has ended DuckDB's instance."""

    def __init__(self, path: Path, con: duckdb.DuckDBPyConnection) -> None:
        self._path, self._con = path, con

    def ask(self, query: str) -> list[Any]:
        with self._alive() as con:
            return con.execute(query).fetchall()

    def rows(self, name: str, start: int, stop: int) -> Any:
        with self._alive() as con:
            query = f"FROM {name} WHERE rowid >= ? AND rowid < ?"
            return con.sql(query, params=[start, stop]).to_arrow_table()

    @contextmanager
    def _alive(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            yield self._con
        except duckdb.FatalException:
            self._con.close()
            self._con = duckdb.connect(str(self._path), read_only=True)
            raise

    def close(self) -> None:
        self._con.close()


def _source(path: Path, kept: list[Path]) -> _Source | None:
    """Open what there is to read it, with a damaged log cut; None where nothing of it can be read."""
    if not path.exists():
        return None
    while True:
        try:
            return _Source(path, connect(path, read_only=True))
        except StoreLocked:
            raise
        except StoreError as error:
            cause = error.__cause__
            if not (isinstance(cause, duckdb.Error) and cut_log(path, cause, kept)):
                return None


def _sound(source: _Source) -> bool:
    try:
        for name in TABLES.values():  # every column of every row is read, and its block's checksum compared
            source.ask(f"SELECT count(*), bit_xor(hash(one)) FROM {name} AS one")
        source.ask("SELECT count(*) FROM stored_position, schema_version")
    except duckdb.Error:
        return False
    return True


def _opened(path: Path, kept: list[Path]) -> Rebuilt | None:
    """Open a file that reads well, which takes its journal in; return None where it cannot be written."""
    try:
        with Store(path) as store:
            found = store.recovered
            store.checkpoint()
    except StoreLocked:
        raise
    except StoreError:
        return None
    if found is None:
        return Rebuilt(path=path, sound=True, rows={}, missing=0, kept=kept)
    rows = {"journal": found.rows} if found.rows else {}
    return Rebuilt(path=path, sound=True, rows=rows, missing=found.missing, kept=[*kept, *found.kept])


def _made(path: Path, source: _Source | None, folders: list[Path], kept: list[Path]) -> Rebuilt:
    new = path.with_name(f"{path.name}.rebuilt")
    for one in (new, log_of(new)):  # of an attempt that was cut short
        one.unlink(missing_ok=True)
    readings = [Reading(one) for one in leftovers(folder_of(path))]
    Store(new, replay=False).close()
    con = connect(new)
    try:
        for table, name in TABLES.items():
            con.execute(f"CREATE TEMP TABLE found_{table} AS FROM {name} LIMIT 0")
        rows: dict[str, dict[str, int]] = {}
        if source is not None:
            rows["file"] = _from_file(con, source)
        if folders:
            rows["exports"] = _from_exports(con, folders)
        if readings:
            rows["journal"] = _from_journal(con, readings)
        missing = _fill(con, rows, source)
        identity = _identity(source, readings)
        if identity is not None:
            con.execute(
                "UPDATE schema_version SET applied_at = make_timestamptz(?) WHERE version = 1", [identity]
            )
        con.execute("CHECKPOINT")
    finally:
        con.close()
    if source is not None:
        source.close()
    kept += _swap(path, new)
    return Rebuilt(path=path, sound=False, rows=rows, missing=missing, kept=kept)


def _take(con: duckdb.DuckDBPyConnection, table: str, rows: str) -> int:
    """Take over the rows of a relation whose `seq` is not there yet; return how many."""
    columns = ", ".join(f'"{name}"' for name in _COLUMNS[table])
    taken = con.execute(
        f"INSERT INTO found_{table} SELECT {columns} FROM (SELECT DISTINCT ON (seq) * FROM {rows}) AS more "
        f"ANTI JOIN found_{table} AS have USING (seq)"
    ).fetchall()
    return int(taken[0][0])


def _from_file(con: duckdb.DuckDBPyConnection, source: _Source) -> dict[str, int]:
    taken = {}
    for table, name in TABLES.items():
        taken[table] = 0
        try:
            end = source.ask(f"SELECT coalesce(max(rowid), -1) + 1 FROM {name}")[0][0]
        except duckdb.Error:
            continue
        for start in range(0, end, _GROUP_ROWS):
            for part in _whole(source, name, start, min(start + _GROUP_ROWS, end)):
                con.register("_part", part)
                taken[table] += _take(con, table, "_part")
                con.unregister("_part")
    return taken


def _whole(source: _Source, name: str, start: int, stop: int) -> Iterator[Any]:
    """Yield what can be read of some rows: all at once, or in halves down to a vector."""
    try:
        yield source.rows(name, start, stop)
        return
    except duckdb.Error:
        if stop - start <= _LEAST_ROWS:
            return
    middle = start + max(_LEAST_ROWS, (stop - start) // 2 // _LEAST_ROWS * _LEAST_ROWS)
    yield from _whole(source, name, start, middle)
    yield from _whole(source, name, middle, stop)


def _from_exports(con: duckdb.DuckDBPyConnection, folders: list[Path]) -> dict[str, int]:
    taken = dict.fromkeys(TABLES, 0)
    for table, name in TABLES.items():
        for folder in folders:
            for file in sorted(folder.rglob(f"{name}.parquet")):
                con.execute(
                    "CREATE OR REPLACE TEMP TABLE _part AS FROM read_parquet(?, hive_partitioning = false)",
                    [str(file)],
                )
                taken[table] += _take(con, table, "_part")
                con.execute("DROP TABLE _part")
    return taken


def _from_journal(con: duckdb.DuckDBPyConnection, readings: list[Reading]) -> dict[str, int]:
    taken = dict.fromkeys(TABLES, 0)
    for chunk in gathered(iter(readings), {}):
        for table, frame in chunk.items():
            con.register("_part", to_arrow(frame))
            taken[table] += _take(con, table, "_part")
            con.unregister("_part")
    return taken


def _fill(
    con: duckdb.DuckDBPyConnection, rows: Mapping[str, Mapping[str, int]], source: _Source | None
) -> int:
    """Put what was found in its order, note what is missing, set the positions; return how many."""
    now = now_us()
    reached = dict.fromkeys(TABLES, 0)
    if source is not None:
        with suppress(duckdb.Error):  # rows that were too old to be kept still count
            reached |= dict(source.ask("SELECT table_name, last_seq FROM stored_position"))
    missing, notes = 0, []
    for table in TABLES:
        last, count = con.execute(
            f"SELECT coalesce(max(seq), 0), coalesce(max(seq) - min(seq) + 1 - count(*), 0) "
            f"FROM found_{table}"
        ).fetchall()[0]
        missing += count + max(0, reached[table] - last)
        if last < reached[table]:
            notes.append(_gap(now, table, last + 1, reached[table]))
        reached[table] = max(reached[table], last)
        stretches = con.execute(
            f"SELECT seq + 1, next - 1 FROM (SELECT seq, lead(seq) OVER (ORDER BY seq) AS next "
            f"FROM found_{table}) WHERE next > seq + 1 ORDER BY seq LIMIT {_MOST_GAPS}"
        ).fetchall()
        notes += [_gap(now, table, first, end) for first, end in stretches]
    detail: dict[str, object] = {"rows": rows, "missing": missing}
    notes.append(Event(at=now, kind="rebuilt", detail=detail))
    con.executemany(
        "INSERT INTO found_events VALUES (?, make_timestamptz(?), ?, NULL, ?)",
        [
            (reached["events"] + number, note.at, note.kind, json.dumps(note.detail))
            for number, note in enumerate(notes, 1)
        ],
    )
    reached["events"] += len(notes)
    for table, name in TABLES.items():
        con.execute(f"INSERT INTO {name} FROM found_{table} ORDER BY seq")
        con.execute("UPDATE stored_position SET last_seq = ? WHERE table_name = ?", [reached[table], table])
    return missing


def _gap(now: int, table: str, first: int, last: int) -> Event:
    why = "the store was damaged"
    return gap(now, why, missing=last - first + 1, table=table, first_seq=first, last_seq=last)


def _identity(source: _Source | None, readings: Sequence[Reading]) -> int | None:
    """Return which store it was, so that its journals still belong to it."""
    if source is not None:
        with suppress(duckdb.Error):
            found = source.ask("SELECT epoch_us(min(applied_at)) FROM schema_version")
            return int(found[0][0])
    return next((one.store for one in reversed(readings) if one.store is not None), None)


def _swap(path: Path, new: Path) -> list[Path]:
    """Give the new file its name and the old ones others; return those."""
    kept = []
    if log_of(path).exists():  # first: it would be taken for the new file's
        kept.append(log_of(path).rename(aside(log_of(path))))
    if path.exists():
        old = aside(path)
        try:
            os.link(path, old)  # so that there is a file of this name at every moment
        except OSError:
            path.rename(old)
        kept.append(old)
    new.replace(path)
    if folder_of(path).exists():
        kept.append(folder_of(path).rename(aside(folder_of(path))))
    sync_folder(path.parent)
    return kept
