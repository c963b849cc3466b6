"""A store written anew, without the room that deleted rows have left in its file.

DuckDB fills such room with new rows, and gives back only what lies at the file's end. So the rows are
copied into a new file beside the old one while appending goes on; what came meanwhile is added; and the
new file takes the old one's name, in one step, so that a crash leaves one of them and never neither.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import msgspec

from ltpkit.errors import StoreError
from ltpkit.journal.files import sync_folder
from ltpkit.store.opening import first_line
from ltpkit.store.salvage import log_of
from ltpkit.store.tables import TABLES, text

if TYPE_CHECKING:
    from ltpkit.store import Store

__all__ = ["Compacted", "catch_up", "new_file", "size_of", "taken_over"]


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the size of the file with its log before and after, in bytes."""

    before: int
    after: int

    def __str__(self) -> str:
        return f"{self.before / 1e6:,.1f} MB before, {self.after / 1e6:,.1f} MB now"


def new_file(path: Path) -> Path:
    """Return where the new file is written; what an attempt that was cut short left there is gone."""
    new = path.with_name(f".{path.name}.compacted")
    for one in (new, log_of(new)):
        one.unlink(missing_ok=True)
    return new


def catch_up(cursor: duckdb.DuckDBPyConnection, catalog: str, new: Path) -> None:
    """Add to the new file what was appended since it was copied, while nobody appends."""
    cursor.execute(f"ATTACH {text(str(new))} AS _new")
    try:
        for table, name in TABLES.items():
            position = f"(SELECT last_seq FROM _new.main.stored_position WHERE table_name = '{table}')"
            cursor.execute(
                f"INSERT INTO _new.main.{name} FROM {catalog}.main.{name} WHERE seq > {position} ORDER BY seq"
            )
        cursor.execute(
            f"UPDATE _new.main.stored_position AS new SET last_seq = old.last_seq "
            f"FROM {catalog}.main.stored_position AS old WHERE old.table_name = new.table_name"
        )
        # Tells the new file from the old one, which another opener of this process might still hold.
        cursor.execute("CREATE TABLE _new.main.compacted (yes BOOLEAN); CHECKPOINT _new")
    finally:
        cursor.execute("DETACH _new")


def size_of(path: Path) -> int:
    """Return the bytes of a store's file and of the log beside it, which may hold most of what is new."""
    return sum(one.stat().st_size for one in (path, log_of(path)) if one.exists())


def taken_over(store: Store, new: Path) -> None:
    """Have the new file in the place of the old one, which nobody reads or writes now.

    Raises
    ------
    StoreError
        Something else in this process holds the old file open; that is back in its place then.
    """
    assert store.path is not None
    path, old = store.path, store.path.with_name(f".{store.path.name}.before")
    old.unlink(missing_ok=True)
    os.link(path, old)
    try:
        store.change_file(lambda: new.replace(path))
        if not store.is_compacted():
            store.change_file(lambda: old.replace(path))
            raise StoreError(
                path,
                f"{path} is open a second time in this process, which would go on with the old file. "
                "Close that first; nothing was changed.",
            )
    except (duckdb.Error, OSError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(path, f"{path} could not be compacted: {first_line(error)}") from error
    finally:
        old.unlink(missing_ok=True)
        sync_folder(path.parent)
