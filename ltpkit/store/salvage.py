"""A write-ahead log of DuckDB's that was damaged by a power cut, made to open again.

DuckDB refuses a file whose log fails a checksum, though everything before that place is whole. The log is
copied aside, cut there, and what it held after that comes back from the journal. Nothing is deleted.
"""

from __future__ import annotations

import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb

from ltpkit.journal.files import sync_folder

__all__ = ["aside", "cut_log", "log_of"]

_ENTRY_HEAD: Final = 16  # bytes of length and checksum before the place that DuckDB names


def log_of(path: Path) -> Path:
    """Return the write-ahead log of a DuckDB file."""
    return path.with_name(path.name + ".wal")


def aside(path: Path) -> Path:
    """Return a free name beside `path` that says it is damaged, and since when."""
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    found, number = path.with_name(f"{path.name}.damaged-{stamp}"), 1
    while found.exists():
        number += 1
        found = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    return found


def cut_log(path: Path, error: duckdb.Error, kept: list[Path]) -> bool:
    """Cut the log of `path` where `error` says it is damaged; return whether to try again.

    Parameters
    ----------
    path : pathlib.Path
        The DuckDB file that could not be opened.
    error : duckdb.Error
        What DuckDB said.
    kept : list of pathlib.Path
        Gets the name of the copy of the damaged log, the first time.
    """
    log = log_of(path)
    if "replaying WAL" not in str(error) and "Corrupt WAL" not in str(error):
        return False
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return False
    if not kept:
        copy = aside(log)
        shutil.copy2(log, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        sync_folder(path.parent)
        kept.append(copy)
    place = re.search(r"entry at byte position (\d+)", str(error))
    end = int(place[1]) - _ENTRY_HEAD if place else 0
    if 0 < end < size:
        with log.open("r+b") as file:
            file.truncate(end)
            os.fsync(file.fileno())
    else:  # not even its beginning can be read; the copy has it
        log.unlink()
        sync_folder(path.parent)
    return True
