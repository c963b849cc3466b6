"""Stored rows taken elsewhere: Parquet by table and day, and a copy of the whole database.

Beside whoever writes: a cursor sees one moment, and a file has its name only once it is complete.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from ltpkit.errors import StoreError
from ltpkit.store.opening import first_line
from ltpkit.store.tables import TIME_OF, quoted, table_of, text

__all__ = ["copy", "write_days"]


def write_days(
    cursor: duckdb.DuckDBPyConnection,
    directory: Path,
    *,
    since: date | None,
    until: date | None,
    tables: Sequence[str],
) -> list[Path]:
    """Write a Parquet file for each table and day, as `Store.export` says; return their paths."""
    if directory.exists() and not directory.is_dir():
        raise StoreError(directory, f"{directory} is a file, and Parquet goes to a folder. Name another.")
    written: list[Path] = []
    for table in tables:
        name, at = table_of(table), quoted(TIME_OF[table])
        days = cursor.execute(
            f"SELECT DISTINCT {at}::DATE FROM {name} WHERE {at} IS NOT NULL ORDER BY ALL"
        ).fetchall()
        for (day,) in days:
            if (since is not None and day < since) or (until is not None and day >= until):
                continue
            target = directory / name / f"date={day}" / f"{name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            query = (
                f"FROM {name} WHERE {at} >= '{day}'::DATE::TIMESTAMPTZ "
                f"AND {at} < ('{day}'::DATE + 1)::TIMESTAMPTZ ORDER BY symbol, seq"
            )
            with _complete(target) as unfinished:
                cursor.execute(
                    f"COPY ({query}) TO {text(str(unfinished))} (FORMAT parquet, COMPRESSION zstd)"
                )
            written.append(target)
    return written


def copy(cursor: duckdb.DuckDBPyConnection, catalog: str, target: Path) -> None:
    """Write a copy of a database, as `Store.copy_to` says."""
    if target.exists():
        raise StoreError(target, f"{target} exists already. Remove it, or choose another path.")
    if not target.parent.is_dir():
        raise StoreError(target, f"The folder {target.parent} does not exist.")
    with _complete(target) as unfinished:
        cursor.execute(f"ATTACH {text(str(unfinished))} AS _copy")
        try:
            cursor.execute(f"COPY FROM DATABASE {catalog} TO _copy; CHECKPOINT _copy")
        finally:
            cursor.execute("DETACH _copy")


@contextmanager
def _complete(target: Path) -> Iterator[Path]:
    """Yield where to write a file that gets its name, safely on disk, once it is complete."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except (duckdb.Error, OSError) as error:
        raise StoreError(target, f"{target} could not be written: {first_line(error)}") from error
    finally:
        unfinished.unlink(missing_ok=True)
        unfinished.with_name(unfinished.name + ".wal").unlink(missing_ok=True)
