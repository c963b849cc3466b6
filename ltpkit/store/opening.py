"""Opening a DuckDB file: what can go wrong in words a user can act on, and its schema brought up to date.

Migrations are the numbered files of ``ltpkit/migrations``. Each runs in one transaction together with
its line in ``schema_version``, so a file is never half migrated.
"""

from __future__ import annotations

import os
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from ltpkit.errors import NotAStore, StoreError, StoreLocked, StoreTooNew
from ltpkit.store.salvage import cut_log

__all__ = [
    "MEMORY_LIMIT",
    "Migration",
    "connect",
    "explained",
    "first_line",
    "migrate",
    "migrations",
    "require_current",
    "upgrade",
]

_ALLOW: Final = "Have its owner allow it, or choose another path."
#: What DuckDB may use for a file that is open.
MEMORY_LIMIT: Final = "512MB"
_SETTINGS: Final = (
    # Times leave DuckDB as UTC whatever the machine's own zone is.
    "SET GLOBAL TimeZone = 'UTC'",
    # A checkpoint rewrites the file's first block in place, the one moment a power cut can spoil
    # the file; sixteen times rarer than by default, for about a second of replay after a crash.
    "SET GLOBAL checkpoint_threshold = '256MB'",
    # By default four fifths of the machine's memory, in the analyst's own kernel. Held to this, appending is
    # as fast, and a query that wants more goes by way of the disk.
    f"SET GLOBAL memory_limit = '{MEMORY_LIMIT}'",
)


class Migration(NamedTuple):
    """One numbered step of the schema."""

    version: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Return the steps this ltpkit knows, in order."""
    found = []
    for file in files("ltpkit").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            name = file.name.removesuffix(".sql")
            found.append(Migration(int(name.partition("_")[0]), name, file.read_text(encoding="utf-8")))
    return tuple(sorted(found))


def migrate(path: str | Path) -> list[str]:
    """Bring an existing store up to this ltpkit's schema.

    Parameters
    ----------
    path : str or pathlib.Path
        A DuckDB file that ltpkit made.

    Returns
    -------
    list of str
        The names of the steps taken, empty where the file was up to date.

    Raises
    ------
    StoreLocked, NotAStore, StoreTooNew, StoreError
        The file cannot be used, or is not there.
    """
    path = Path(path)
    _check_way_to(path)
    if not path.exists():
        raise StoreError(path, f"There is no file {path} to migrate.")
    con = connect(path)
    try:
        return upgrade(con, path)
    finally:
        con.close()


def connect(
    path: Path, *, read_only: bool = False, kept: list[Path] | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, or raise what is wrong with it.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    read_only : bool
        Change nothing.
    kept : list of pathlib.Path, optional
        Given, a damaged log is cut where the damage begins, and the list gets the name of its copy.

    Notes
    -----
    The settings are made after connecting, not with it: a plain ``duckdb.connect`` of the same file in
    the same process then shares the database instead of being refused for another configuration.
    """
    _check_way_to(path)
    _check_kind(path, read_only=read_only)
    while True:
        try:
            con = _connect(path, read_only=read_only)
            break
        except duckdb.Error as error:
            # Each cut makes the log shorter, so this ends.
            if read_only or kept is None or not cut_log(path, error, kept):
                raise explained(path, error) from error
    for setting in _SETTINGS:
        con.execute(setting)
    return con


def _check_way_to(path: Path) -> None:
    """Raise where a folder on the way may not be entered: whether there is a file cannot be seen then."""
    for folder in reversed(path.absolute().parents):
        if not os.access(folder, os.F_OK):
            return
        if folder.is_dir() and not os.access(folder, os.X_OK):
            raise StoreError(
                path, f"{path} cannot be reached: this user may not enter the folder {folder}. {_ALLOW}"
            )


def _check_kind(path: Path, *, read_only: bool) -> None:
    """Raise where no store can be at this place, or something else is there."""
    if path.is_dir():
        raise StoreError(
            path, f"{path} is a folder. Give the name of a file in it, such as {path / 'ticks.duckdb'}."
        )
    if not path.parent.is_dir():
        raise StoreError(
            path, f"The folder {path.parent} does not exist. Make it first, or choose another path."
        )
    if not path.exists():
        if read_only:
            raise StoreError(path, f"There is no store at {path}.")
        return
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except PermissionError:
        raise StoreError(path, f"This user may not read {path}. {_ALLOW}") from None
    if head == b"PAR1":
        played = f"A recording is played by lk.replay({str(path)!r})."
        raise NotAStore(path, f"{path} is a Parquet file, not a store. {played}")


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.ConnectionException as error:
        if "different configuration" not in str(error):
            raise
        if not read_only:
            raise StoreError(
                path, f"{path} is open for reading in this process. Close that first, then stream into it."
            ) from error
        # This process writes the file already: read along with it.
        return duckdb.connect(str(path))


def explained(path: Path, error: duckdb.Error) -> StoreError:
    """Return what is wrong with a file in words that a user can act on."""
    words = str(error)
    if holder := re.search(r"lock is held in (.+?) \(PID (\d+)\)", words):
        return StoreLocked(path, f"process {holder[2]} ({Path(holder[1]).name})")
    if (
        "onflicting lock" in words
        or "Could not set lock" in words
        or "being used by another process" in words
    ):
        return StoreLocked(path)
    if "not a valid DuckDB database file" in words:
        return NotAStore(path, f"{path} is not a DuckDB file. It was left as it is; choose another path.")
    if "we can only read versions" in words or "newer version of DuckDB" in words:
        return StoreError(
            path,
            f"{path} was written by another DuckDB than the {duckdb.__version__} here, which cannot read it. "
            f"DuckDB says: {first_line(error)}",
        )
    if "ermission denied" in words:
        return StoreError(path, f"{path} may not be opened: permission denied.")
    if "WAL" in words:
        return StoreError(
            path,
            f"The log of {path} is damaged at its end. Nothing was changed: streaming into it cuts the log "
            f"there and takes what is missing from the journal, and so does: ltpkit recover {path}\n"
            f"DuckDB says: {first_line(error)}",
        )
    return StoreError(
        path,
        f"{path} cannot be opened. Nothing was changed or deleted; keep it and its .wal file. What can be "
        f"had of it and its journal goes into a new file with: ltpkit recover {path}\n"
        f"DuckDB says: {first_line(error)}",
    )


def first_line(error: Exception) -> str:
    """Return what went wrong, without the advice that DuckDB adds below."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _version(con: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the schema version of an open database, 0 for one that holds nothing."""
    tables = con.execute(
        "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        "WHERE NOT internal AND database_name = current_database() GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    if not tables:
        return 0
    if dict(tables).get("schema_version", [])[:3] != ["version", "name", "applied_at"]:
        names = ", ".join(name for name, _ in tables[:4])
        raise NotAStore(
            path,
            f"{path} is a DuckDB database of something else (it holds {names}). It was left as it is; "
            f"choose another path.",
        )
    found = con.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchall()
    return int(found[0][0])


def upgrade(con: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    """Take the steps that an open database lacks; return their names."""
    known = migrations()
    version = _version(con, path)
    if version > known[-1].version:
        raise StoreTooNew(path, version, known[-1].version)
    taken = []
    for step in known:
        if step.version <= version:
            continue
        con.execute("BEGIN")
        try:
            con.execute(step.sql)
            con.execute("INSERT INTO schema_version (version, name) VALUES (?, ?)", [step.version, step.name])
            con.execute("COMMIT")
        except duckdb.Error as error:
            con.execute("ROLLBACK")
            raise StoreError(path, f"{path}: migration {step.name} failed and was undone. {error}") from error
        taken.append(step.name)
    if taken:
        con.execute("CHECKPOINT")  # replaying schema changes from the log has been DuckDB's weak spot
    return taken


def require_current(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raise unless an open database, which may not be changed, has this ltpkit's schema."""
    newest = migrations()[-1].version
    version = _version(con, path)
    if version > newest:
        raise StoreTooNew(path, version, newest)
    if version == 0:
        raise NotAStore(path, f"{path} is an empty database: nothing was ever streamed into it.")
    if version < newest:
        raise StoreError(
            path,
            f"{path} has schema version {version} and this ltpkit reads {newest}. "
            f"Bring it up to date with: ltpkit migrate {path}",
        )
