"""The format of a journal file: checksummed frames, each of some rows of one table.

::

    magic 4 | payload length u32 | last seq u64 | crc32 u32 | payload

all little-endian, the checksum over the header without itself and the payload. The first frame (``LTJ1``)
names the store and holds each table's Arrow schema; every other one is an Arrow record batch of ticks
(``LTJt``), depth (``LTJd``) or events (``LTJe``), its text written out, so that a frame needs nothing but
the first. Arrow's own format has no checksum: a flipped bit would become a wrong price.
"""

from __future__ import annotations

import base64
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple

from ltpkit.schema import polars_schema

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

__all__ = ["TABLES", "Damage", "Reading", "first_frame", "rows_frame"]

TABLES: Final = ("ticks", "depth", "events")

_HEAD: Final = struct.Struct("<4sIQI")
_SUMMED: Final = _HEAD.size - 4  # the part of the header that the checksum covers
_FIRST: Final = b"LTJ1"
_ROWS: Final = {b"LTJt": "ticks", b"LTJd": "depth", b"LTJe": "events"}
_MAGIC: Final = {table: magic for magic, table in _ROWS.items()}


class Damage(NamedTuple):
    """Where a file stops making sense.

    Attributes
    ----------
    at : int
        The first byte that belongs to no whole frame.
    left : int
        Bytes from there to the end of the file.
    """

    at: int
    left: int


def first_frame(store: int) -> bytes:
    """Return the frame that a file of the store with this identity starts with."""
    import polars as pl

    schemas = {
        table: base64.b64encode(_batch(pl.DataFrame(schema=polars_schema(table))).schema.serialize()).decode()
        for table in TABLES
    }
    head, payload = _framed(_FIRST, 0, json.dumps({"store": store, "schemas": schemas}).encode())
    return head + bytes(payload)


def rows_frame(table: str, rows: pl.DataFrame) -> tuple[bytes, memoryview]:
    """Return header and payload of a frame of rows, which must be some."""
    return _framed(_MAGIC[table], rows["seq"][-1], memoryview(_batch(rows).serialize()))


def _framed(magic: bytes, seq: int, payload: bytes | memoryview) -> tuple[bytes, memoryview]:
    head = _HEAD.pack(magic, len(payload), seq, 0)[:_SUMMED]
    crc = zlib.crc32(payload, zlib.crc32(head))
    return head + crc.to_bytes(4, "little"), memoryview(payload)


def _batch(rows: pl.DataFrame) -> pa.RecordBatch:
    """Return rows as one record batch that needs no dictionary."""
    import polars as pl
    import pyarrow as pa

    coded = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Categorical)]
    table = rows.with_columns(pl.col(coded).cast(pl.String)).to_arrow(compat_level=pl.CompatLevel.oldest())
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


class Reading:
    """The rows of one journal file, as far as it is whole.

    Parameters
    ----------
    path : pathlib.Path
        The file. It is read, never changed.

    Attributes
    ----------
    store : int or None
        The identity of the store the file belongs to; None where not even the first frame is whole.
    last : dict of str to int
        The last `seq` of each table met so far.
    damage : Damage or None
        Known once all frames were read. Of a file that is being written it may be a frame on its way.

    Raises
    ------
    OSError
        The file cannot be read at all.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store: int | None = None
        self.last: dict[str, int] = {}
        self.damage: Damage | None = None
        self._schemas: dict[str, pa.Schema] = {}
        with path.open("rb") as file:
            self._first(file)

    def _first(self, file: IO[bytes]) -> None:
        import pyarrow as pa

        found = self._frame(file)
        if found is None or found[0] != _FIRST:
            self.damage = Damage(0, self._size(file))
            return
        known: dict[str, Any] = json.loads(bytes(found[2]))
        self.store = int(known["store"])
        for table, schema in known["schemas"].items():
            self._schemas[table] = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(schema)))

    def frames(self, after: Mapping[str, int]) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield table and rows of each frame with rows beyond `after`, in the order they were written."""
        if self.store is None:
            return
        with self.path.open("rb") as file:
            self._frame(file)
            while True:
                start = file.tell()
                found = self._frame(file)
                table = None if found is None else _ROWS.get(found[0])
                if found is None or table is None:
                    left = self._size(file) - start
                    self.damage = Damage(start, left) if left > 0 else None
                    return
                self.last[table] = max(found[1], self.last.get(table, 0))
                if found[1] > after.get(table, 0):
                    yield table, self._rows(table, found[2], after.get(table, 0))

    def _rows(self, table: str, payload: bytes, after: int) -> pl.DataFrame:
        import polars as pl
        import pyarrow as pa

        batch = pa.ipc.read_record_batch(pa.py_buffer(payload), self._schemas[table])
        made = pl.DataFrame(batch)
        # A column that a later ltpkit added is null in an earlier one's journal.
        types = polars_schema(table)
        made = made.select(
            (pl.col(name) if name in made.columns else pl.lit(None, dtype=dtype).alias(name)).cast(dtype)
            for name, dtype in types.items()
        )
        return made if made["seq"][0] > after else made.filter(pl.col("seq") > after)

    def _frame(self, file: IO[bytes]) -> tuple[bytes, int, bytes] | None:
        """Return the next frame's magic, last `seq` and payload; None where there is no whole one."""
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        magic, length, seq, crc = _HEAD.unpack(head)
        if magic != _FIRST and magic not in _ROWS:
            return None
        if length > self._size(file) - file.tell():  # before reading: a damaged length may say 4 GB
            return None
        payload = file.read(length)
        if len(payload) < length or zlib.crc32(payload, zlib.crc32(head[:_SUMMED])) != crc:
            return None
        return magic, seq, payload

    @staticmethod
    def _size(file: IO[bytes]) -> int:
        return os.fstat(file.fileno()).st_size
