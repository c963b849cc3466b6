"""The journal's files: appended to by one thread, made safe by another, let go of by a third.

A file is turned at a size and deleted once every row in it is in the store *and* a checkpoint has made
that firm: until then a damaged log of DuckDB's can be made good from here.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ltpkit.journal.frames import TABLES, Reading, first_frame, rows_frame

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Journal", "folder_of", "leftovers", "sync_folder"]

FILE_BYTES: Final = 256 << 20
_CHUNK_ROWS: Final = 500_000  # how many rows are read back at a time


def folder_of(store: Path) -> Path:
    """Return the folder that the journal of this store is in."""
    return store.with_name(store.name + ".journal")


def leftovers(folder: Path) -> list[Path]:
    """Return the journal files in a folder, oldest first."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(one for one in folder.iterdir() if re.fullmatch(r"\d{6,}\.ltpj", one.name))
    return []


def sync_folder(folder: Path) -> None:
    """Make sure that names made or taken away in a folder stay so after a power cut."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _File:
    """One file of the journal, open or closed."""

    def __init__(self, path: Path, descriptor: int, end: int) -> None:
        self.path, self.descriptor, self.end = path, descriptor, end
        self.last: dict[str, int] = {}
        self.dirty = False  # written to since the last fsync
        self.full = False  # nothing is added any more

    def write(self, parts: list[bytes | memoryview]) -> None:
        """Add a frame whole, or not at all."""
        found = os.fstat(self.descriptor)
        if found.st_nlink == 0:
            raise FileNotFoundError(f"{self.path} was removed")
        if found.st_size != self.end:  # what an earlier attempt left and could not take back
            os.ftruncate(self.descriptor, self.end)
        wanted = sum(len(part) for part in parts)
        self.dirty = True
        try:
            written = _write_all(self.descriptor, parts, wanted)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self.descriptor, self.end)
            raise
        self.end += written

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _write_all(descriptor: int, parts: list[bytes | memoryview], wanted: int) -> int:
    """Write everything or raise: a short write is how a disk that is nearly full says so."""
    if hasattr(os, "writev"):
        written = os.writev(descriptor, parts)
        if written == wanted:
            return wanted
    else:
        written = 0
    rest = memoryview(b"".join(parts))[written:]
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return wanted


class Journal:
    """What is appended here outlives the process; what is synced as well outlives a power cut.

    Parameters
    ----------
    folder : pathlib.Path
        Made when the first row comes. It belongs to whoever has the store open for writing.
    store : int
        The identity of that store.
    positions : mapping of str to int
        The last stored `seq` of ``"ticks"``, ``"depth"`` and ``"events"``.
    file_bytes : int
        Size at which the next file is begun.

    Attributes
    ----------
    journaled, synced : dict of str to int
        The last `seq` of each table that is written, and that was fsynced.

    Notes
    -----
    One thread appends. `sync`, `let_go`, `rows` may be called by others meanwhile.
    """

    def __init__(
        self, folder: Path, *, store: int, positions: Mapping[str, int], file_bytes: int = FILE_BYTES
    ) -> None:
        self.folder = folder
        self.journaled, self.synced = dict(positions), dict(positions)
        self._stored = dict(positions)
        self._first, self._file_bytes = first_frame(store), file_bytes
        self._files: list[_File] = []
        self._lock = threading.Lock()

    # -- the writer ---------------------------------------------------------------------------

    def append(self, table: str, rows: pl.DataFrame, *, after: int) -> None:
        """Add rows of a table; `after` is what `journaled` said when they were taken.

        Raises
        ------
        OSError
            The disk is full, or worse. Nothing of these rows counts as journaled; come again.
        """
        frame = rows_frame(table, rows)
        with self._lock:
            if self.journaled[table] != after:  # a failed fsync has sent us back meanwhile
                return
            try:
                file = self._open_file()
                file.write(list(frame))
            except FileNotFoundError:
                self._begin_again(self._stored)
                raise
            self.journaled[table] = file.last[table] = rows["seq"][-1]

    def _open_file(self) -> _File:
        newest = self._files[-1] if self._files else None
        if newest is not None and not newest.full:
            if newest.end < self._file_bytes:
                return newest
            newest.full = True
        self.folder.mkdir(parents=True, exist_ok=True)
        taken = [int(one.name[:6]) for one in self.folder.iterdir() if one.name[:6].isdigit()]
        path = self.folder / f"{max(taken, default=0) + 1:06}.ltpj"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
        file = _File(path, os.open(path, flags, 0o600), 0)
        try:
            file.write([self._first])
            os.fsync(file.descriptor)
            sync_folder(self.folder)
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            raise
        self._files.append(file)
        return file

    def _begin_again(self, positions: Mapping[str, int]) -> None:
        """Journal everything beyond `positions` once more, in a new file."""
        for file in self._files:
            file.full = True
            if not file.path.exists():
                file.close()
        self._files = [file for file in self._files if file.path.exists()]
        self.journaled = dict(positions)
        self.synced = {table: min(seq, positions[table]) for table, seq in self.synced.items()}

    # -- the syncer ---------------------------------------------------------------------------

    def sync(self) -> None:
        """Have everything that is written reach the disk itself.

        Raises
        ------
        OSError
            It may not have. What was written since the last time is journaled again, in a new file:
            after a failed fsync a later one may succeed though the data is gone.
        """
        with self._lock:
            mark = dict(self.journaled)
            dirty = [file for file in self._files if file.dirty]
            copies = []
            for file in dirty:
                copies.append(os.dup(file.descriptor))
                file.dirty = False
        try:
            for copy in copies:
                os.fsync(copy)
        except OSError:
            with self._lock:
                self._begin_again(self.synced)
            raise
        finally:
            for copy in copies:
                os.close(copy)
        with self._lock:
            # Not past where `_begin_again` may have gone back to meanwhile.
            self.synced = {table: min(seq, self.journaled[table]) for table, seq in mark.items()}
            for file in self._files:
                if file.full and not file.dirty:
                    file.close()

    # -- the flush worker ---------------------------------------------------------------------

    def stored(self, positions: Mapping[str, int]) -> None:
        """Note what the store has now."""
        with self._lock:
            self._stored = dict(positions)

    def let_go(self, positions: Mapping[str, int]) -> int:
        """Delete the files whose rows the store holds firmly up to `positions`; return how many."""
        with self._lock:
            gone = [
                file
                for file in self._files
                if file.full and all(seq <= positions[table] for table, seq in file.last.items())
            ]
            self._files = [file for file in self._files if file not in gone]
        for file in gone:
            file.close()
            file.path.unlink(missing_ok=True)
        if gone:
            with suppress(FileNotFoundError):
                sync_folder(self.folder)
        return len(gone)

    @property
    def firm_bytes(self) -> int:
        """Bytes in files that nothing is added to and whose rows are all in the store."""
        with self._lock:
            return sum(
                file.end
                for file in self._files
                if file.full and all(seq <= self._stored[table] for table, seq in file.last.items())
            )

    def rows(self, after: Mapping[str, int]) -> Iterator[dict[str, pl.DataFrame]]:
        """Yield the journaled rows beyond `after`, some hundred thousand at a time, each table's in order."""
        with self._lock:
            paths = [
                file.path
                for file in self._files
                if any(seq > after.get(table, 0) for table, seq in file.last.items())
            ]
        yield from gathered((Reading(path) for path in paths if path.exists()), after)

    def close(self) -> None:
        """Sync what can be and let the files go; they stay on disk. It may be appended to again."""
        with suppress(OSError):
            self.sync()
        with self._lock:
            for file in self._files:
                file.full = True
                file.close()

    def remove(self) -> None:
        """Delete everything: the store holds it all, firmly."""
        self.close()
        self.let_go(self.journaled)
        with suppress(OSError):  # what was kept aside stays, and so does the folder then
            self.folder.rmdir()


def gathered(readings: Iterator[Reading], after: Mapping[str, int]) -> Iterator[dict[str, pl.DataFrame]]:
    """Yield the rows beyond `after` of several files, many frames together, no row twice."""
    import polars as pl

    reached = {table: after.get(table, 0) for table in TABLES}
    parts: dict[str, list[pl.DataFrame]] = {}
    held = 0
    for reading in readings:
        for table, rows in reading.frames(reached):
            parts.setdefault(table, []).append(rows)
            reached[table] = rows["seq"][-1]
            held += rows.height
            if held >= _CHUNK_ROWS:
                yield {name: pl.concat(some) for name, some in parts.items()}
                parts, held = {}, 0
    if parts:
        yield {name: pl.concat(some) for name, some in parts.items()}
