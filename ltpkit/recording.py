"""Raw frames on disk: write them as they come, read them back, ours and other people's.

Ours is a Parquet (or Arrow stream) file with the columns of `COLUMNS`: what came in and went out,
when, on which connection, and the instruments the frames speak of. While recording it is an Arrow
stream named ``….part``, readable up to its last whole batch after any crash; closing turns it into
the named file. Also read: text lines ``recv_ns payload`` and the JSON-lines envelope (``kind, t,
conn, data | b64``), plain or compressed with gzip or zstd.
"""

from __future__ import annotations

import base64
import gzip
import io
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from ltpkit import feeds
from ltpkit.batch import Received
from ltpkit.errors import RecordingError
from ltpkit.instrument import Instrument

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["COLUMNS", "Block", "Recorder", "Recording"]

Direction = Literal["in", "out", "http", "instrument"]

#: Columns of a recording, with their Arrow types.
COLUMNS: Final = {
    "received_at": "timestamp[us, UTC]",
    "connection": "int16",
    "direction": "string",  # in, out, http (a fetched book), instrument (what later frames speak of)
    "about": "string",  # EXCHANGE:SYMBOL of a fetched book
    "payload": "binary",
}

_FORMAT: Final = b"ltpkit.recording"
_BLOCK: Final = 1024  # frames handed on together when replaying as fast as possible


class Block(msgspec.Struct, kw_only=True):
    """Entries of a recording that follow each other and are of one kind."""

    direction: Direction
    connection: int
    frames: list[bytes]
    received_at: npt.NDArray[np.int64]
    about: str | None = None


def _schema(feed: str, kind: str) -> pa.Schema:
    import pyarrow as pa

    types = {
        "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
        "int16": pa.int16(),
        "string": pa.string(),
        "binary": pa.large_binary(),
    }
    about = msgspec.json.encode({"format": 1, "feed": feed, "kind": kind})
    return pa.schema([(name, types[word]) for name, word in COLUMNS.items()], metadata={_FORMAT: about})


class Recorder:
    """Keeps raw frames in a file.

    `add` is cheap and may be called from the feed thread; `write` and `close` do the file work
    and belong to the flush worker.

    Parameters
    ----------
    path : str or pathlib.Path
        Ends in ``.parquet``, or in ``.arrow`` for an Arrow stream. An existing file is not touched.
    feed, kind : str
        Which decoder the frames need.
    mask : callable
        Returns frames without what may be in no file: servers repeat what they were told.

    Raises
    ------
    RecordingError
        The file exists, its folder does not, or its ending names no format.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        feed: str,
        kind: str,
        mask: Callable[[Sequence[bytes]], list[bytes]] = list,
    ) -> None:
        self.path, self._mask = Path(path), mask
        if self.path.suffix not in (".parquet", ".arrow"):
            raise RecordingError(f"{self.path.name} names no format: end it in .parquet or .arrow.")
        if self.path.exists():
            raise RecordingError(f"{self.path} exists and is not overwritten: choose another name.")
        self.part = self.path.with_name(f"{self.path.name}.part")
        self.frames = 0
        self._waiting: list[tuple[int | npt.NDArray[np.int64], int, Direction, str | None, list[bytes]]] = []
        self._lock = threading.Lock()
        self._schema = _schema(feed, kind)
        self._file: IO[bytes] | None = None
        self._writer: Any = None
        self._open()

    def _open(self) -> None:
        import pyarrow as pa

        try:
            self._file = self.part.open("xb")
        except FileNotFoundError:
            raise RecordingError(f"The folder {self.part.parent} does not exist.") from None
        except FileExistsError:
            raise RecordingError(
                f"{self.part} is left from another recording: replay or remove it."
            ) from None
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_stream(self._file, self._schema, options=options)

    def add(
        self,
        frames: Sequence[bytes],
        received_at: Received,
        *,
        connection: int = 0,
        direction: Direction = "in",
        about: str | None = None,
    ) -> None:
        """Keep these frames; they reach the file with the next `write`."""
        with self._lock:
            self._waiting.append((received_at, connection, direction, about, list(frames)))

    def add_instruments(self, instruments: Iterable[Instrument], at: int) -> None:
        """Keep what later frames speak of, so that a replay reads ids as they were."""
        self.add([msgspec.json.encode(one) for one in instruments], at, direction="instrument")

    def write(self) -> None:
        """Write what waits. One thread at a time."""
        import pyarrow as pa

        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting or self._writer is None:
            return
        times, connections, directions, abouts, payloads = [], [], [], [], []
        for received_at, connection, direction, about, frames in waiting:
            count = len(frames)
            times.append(np.broadcast_to(np.asarray(received_at, np.int64), (count,)))
            connections += [connection] * count
            directions += [direction] * count
            abouts += [about] * count
            payloads += frames
        columns = [np.concatenate(times), connections, directions, abouts, self._mask(payloads)]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)]
        self._writer.write_batch(pa.record_batch(arrays, schema=self._schema))
        assert self._file is not None
        self._file.flush()
        self.frames += len(payloads)

    def close(self) -> Path:
        """Write what waits and turn the part file into the named file; return its path."""
        self.write()
        if self._writer is None:
            return self.path
        self._writer.close()
        assert self._file is not None
        self._file.close()
        self._writer = self._file = None
        if self.path.suffix == ".parquet":
            _to_parquet(self.part, self.path)
            self.part.unlink()
        else:
            self.part.rename(self.path)
        return self.path

    def __repr__(self) -> str:
        return f"<Recorder: {self.frames:,} frames in {self.path.name}>"


def _to_parquet(part: Path, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    unfinished = path.with_name(f"{path.name}.writing")
    with (
        part.open("rb") as file,
        pa.ipc.open_stream(file) as reader,
        pq.ParquetWriter(unfinished, reader.schema, compression="zstd") as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)
    unfinished.rename(path)


class Recording:
    """A recording, opened.

    Parameters
    ----------
    path : str or pathlib.Path
        Ours (``.parquet``, ``.arrow``, a ``.part`` left by a crash) or a foreign capture.

    Attributes
    ----------
    feed, kind : str or None
        Which decoder the frames need; None where the capture does not say.
    cut : str or None
        Once read: what is missing at the end, when the file ends in the middle of something.

    Raises
    ------
    RecordingError
        There is no such file, or its format is not known.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.feed: str | None = None
        self.kind: str | None = None
        self.cut: str | None = None
        if not self.path.exists():
            part = self.path.with_name(f"{self.path.name}.part")
            if not part.exists():
                raise RecordingError(f"There is no recording {self.path}.")
            self.path = part
        with self.path.open("rb") as file:
            head = file.read(4)
        if head == b"PAR1":
            self._entries = self._parquet
            import pyarrow.parquet as pq

            self._describe(pq.read_schema(self.path).metadata)
        elif head == b"\xff\xff\xff\xff":
            self._entries = self._arrow
            import pyarrow as pa

            with self.path.open("rb") as file, pa.ipc.open_stream(file) as reader:
                self._describe(reader.schema.metadata)
        else:
            self._entries = self._foreign(head)

    def _describe(self, metadata: dict[bytes, bytes] | None) -> None:
        about = (metadata or {}).get(_FORMAT)
        if about is None:
            raise RecordingError(
                f"{self.path.name} is an Arrow or Parquet file, but not a recording of ltpkit: "
                "a recording keeps raw frames (record=True)."
            )
        known = msgspec.json.decode(about)
        self.feed, self.kind = known["feed"], known["kind"]

    def whose(self, feed: str | None, kind: str | None) -> tuple[str | None, str | None]:
        """Return which decoder the frames need: as the file says, or as is said of it.

        Parameters
        ----------
        feed, kind : str or None
            What is said of it.

        Raises
        ------
        RecordingError
            The file says something else: no frame could be read so.
        """
        known = self.feed in feeds.names() if self.feed is not None else False
        other = known and feed is not None and not feeds.alike(str(self.feed), feed)
        if other or (self.kind is not None and kind not in (None, self.kind)):
            raise RecordingError(
                f"{self.path.name} holds frames of {self.feed} ({self.kind}), not of "
                f"{feed or self.feed} ({kind or self.kind}). It says so itself: leave feed and kind out."
            )
        return feed or self.feed, kind or self.kind

    def blocks(self) -> Iterator[Block]:
        """Yield the entries in order, neighbours of one kind and connection together.

        Notes
        -----
        What the file holds is yielded to the last whole entry; then `cut` says what is missing.
        """
        block: Block | None = None
        frames: list[bytes] = []
        times: list[int] = []
        for direction, connection, at, about, payload in self._entries():
            if block is not None and (
                (direction, connection, about) != (block.direction, block.connection, block.about)
                or len(frames) >= _BLOCK
            ):
                block.received_at = np.array(times, np.int64)
                yield block
                block = None
            if block is None:
                frames, times = [], []
                block = Block(
                    direction=direction,
                    connection=connection,
                    about=about,
                    frames=frames,
                    received_at=np.empty(0, np.int64),
                )
            frames.append(payload)
            times.append(at)
        if block is not None:
            block.received_at = np.array(times, np.int64)
            yield block

    # Each of these yields (direction, connection, received_at µs, about, payload).

    def _parquet(self) -> Iterator[tuple[Direction, int, int, str | None, bytes]]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches():
                yield from _rows(batch)

    def _arrow(self) -> Iterator[tuple[Direction, int, int, str | None, bytes]]:
        import pyarrow as pa

        with self.path.open("rb") as file, pa.ipc.open_stream(file) as reader:
            while True:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    return
                except (pa.ArrowInvalid, OSError):
                    self.cut = "the last batch is torn: the recorder was stopped while it wrote"
                    return
                yield from _rows(batch)

    def _foreign(self, head: bytes) -> Any:
        with self.path.open("rb") as file:
            if file.read(12)[8:] == b"DUCK":
                place = str(self.path)
                raise RecordingError(f"{self.path.name} is a store, not a recording: lk.open({place!r}).")
        line = next(self._lines(), b"")
        self.cut = None
        if line.startswith(b"{") and b'"kind"' in line[:200]:
            return self._envelope
        if line.split(b" ", 1)[0].isdigit():
            return self._text
        raise RecordingError(
            f"{self.path.name} is in no format that can be replayed. Known: our own Parquet and Arrow "
            "recordings, lines of `recv_ns payload`, JSON lines with kind, t and data or b64; "
            "the last two also as .gz or .zst."
        )

    def _lines(self) -> Iterator[bytes]:
        """Yield whole lines of a text file, compressed or not; a torn end sets `cut`."""
        with self.path.open("rb") as raw:
            head = raw.read(4)
            raw.seek(0)
            text: IO[bytes]
            if head[:2] == b"\x1f\x8b":
                text = io.BufferedReader(gzip.GzipFile(fileobj=raw), 1 << 20)
            elif head == b"\x28\xb5\x2f\xfd":
                import zstandard

                reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
                text = io.BufferedReader(reader, 1 << 20)
            else:
                text = raw
            try:
                for line in text:
                    if not line.endswith(b"\n"):
                        self.cut = "the last line has no end"
                    yield line.rstrip(b"\r\n")
            except (EOFError, OSError) as error:
                self.cut = f"the compressed file ends early ({error})"

    def _text(self) -> Iterator[tuple[Direction, int, int, str | None, bytes]]:
        for line in self._lines():
            stamp, _, payload = line.partition(b" ")
            if stamp.isdigit() and payload:
                yield "in", 0, int(stamp) // 1000, None, payload
            elif line:
                self.cut = "a line without a receive time was left out"

    def _envelope(self) -> Iterator[tuple[Direction, int, int, str | None, bytes]]:
        directions: dict[str, Direction] = {"recv": "in", "send": "out", "http": "http"}
        numbers: dict[object, int] = {}
        for line in self._lines():
            try:
                entry = msgspec.json.decode(line)
            except msgspec.DecodeError:
                self.cut = "the last line is cut"
                continue
            direction = directions.get(entry.get("kind"))
            if direction is None or "t" not in entry:
                continue
            payload = (
                base64.b64decode(entry["b64"]) if "b64" in entry else str(entry.get("data", "")).encode()
            )
            number = numbers.setdefault(entry.get("conn"), len(numbers))
            yield direction, number, int(entry["t"]) // 1000, entry.get("url"), payload

    def __repr__(self) -> str:
        return f"<Recording {self.path.name}: {self.feed or 'foreign capture'}>"


def _rows(batch: Any) -> Iterator[tuple[Direction, int, int, str | None, bytes]]:
    import pyarrow as pa

    columns = {name: batch.column(name) for name in COLUMNS}
    times = columns["received_at"].cast(pa.int64()).to_pylist()
    rest = [columns[name].to_pylist() for name in ("direction", "connection", "about", "payload")]
    for at, direction, connection, about, payload in zip(times, *rest, strict=True):
        yield direction, connection, at, about, payload
