"""Captured bytes to rows, without a stream: what a broker said in a file.

The same decoders and books as a live stream's, no thread, no store. Every message is accounted for: it
becomes rows, an event, or a reject with its reason; a trade whose id came before is counted in an event
``duplicate``. Times are those of the recording; frames that come bare have none, and then `received_at` is
null, and `timestamp` where the exchange sent none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import numpy as np

from ltpkit import feeds
from ltpkit.batch import BookUpdate, Event, Received, Reject
from ltpkit.book import Books
from ltpkit.errors import RecordingError
from ltpkit.instrument import Instrument, Instruments
from ltpkit.recording import Block, Recording
from ltpkit.ring import DepthRing, EventLog, TickRing

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Decoded", "Decoding", "decode", "feed_of", "read"]

Kind = Literal["tick", "depth", "event", "reject"]

#: Receipt time of frames that came without one, until the row is handed out.
_NO_RECEIPT: Final = 0
#: Frames decoded together; enough that a call costs little each, few enough to stay in the cache.
_TOGETHER: Final = 1024
#: What a gap tells in receipt times.
_RECEIPT_DETAILS: Final = ("start", "end", "out_us")
#: Endings of files that hold bare messages.
_BARE: Final = (".bin", ".json", ".jsonl", ".lenprefixed")


class Decoded(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """What some captured frames say.

    Attributes
    ----------
    feed, kind : str
        Whose frames they were read as.
    ticks, depth, events : polars.DataFrame
        Columns of `schema`, in the order of the frames.
    rejects : polars.DataFrame, shape (rejects, 3)
        ``received_at``, ``reason``, ``frame``: what could not be read, and why.
    """

    feed: str
    kind: str
    ticks: pl.DataFrame
    depth: pl.DataFrame
    events: pl.DataFrame
    rejects: pl.DataFrame

    def __repr__(self) -> str:
        return (
            f"<Decoded {self.feed} {self.kind}: {self.ticks.height:,} ticks, {self.depth.height:,} depth, "
            f"{self.events.height:,} events, {self.rejects.height:,} rejects>"
        )


def decode(
    feed: str | None,
    frames: Iterable[bytes | str] | Path | Iterable[Path],
    kind: str | None = None,
    *,
    received_at: Received | None = None,
    depth_levels: int = 20,
    **settings: Any,
) -> Decoded:
    """Return what captured frames say.

    Parameters
    ----------
    feed : str or None
        Whose frames they are: ``"dhan"``, ``"kite"``, …; None where a recording of ours says so itself.
    frames : iterable of bytes or str, or of pathlib.Path
        Messages, one WebSocket message each; or files, as for ``ltpkit decode``: ``.bin`` and ``.json``
        hold one message, ``.jsonl`` one a line, ``.lenprefixed`` any number behind a little-endian uint32
        length each; and everything `replay` plays.
    kind : str, optional
        Which of the feed's streams: ``"depth20"`` for Dhan, ``"usdm"`` for Binance, ….
    received_at : int or ndarray of int64, optional
        When the messages came, µs since 1970 in UTC, one for all or one for each. Files know theirs.
    depth_levels : int
        Levels a side in a row of depth that is kept from changes.
    **settings
        The feed's own: ``known=masters.as_instruments(…)`` gives Dhan's ids their symbols.

    Returns
    -------
    Decoded
        With the frames ``.ticks``, ``.depth``, ``.events`` and ``.rejects``.

    Raises
    ------
    UnknownFeed, SettingError
        There is no such feed, or it has no such kind or setting.
    RecordingError
        A file is in no format that is known.

    Examples
    --------
    >>> import ltpkit as lk
    >>> tick = bytes.fromhex("02100001450b0000007ab04498c58a68")
    >>> lk.decode("dhan", [tick, tick[:9]])
    <Decoded dhan live: 1 ticks, 0 depth, 0 events, 1 rejects>
    """
    things = [frames] if isinstance(frames, Path) else list(frames)
    paths = [one for one in things if isinstance(one, Path)]
    if paths:
        feed, kind = feed_of(paths, feed, kind)
    elif feed is None:
        raise RecordingError("Bare frames do not say whose they are: name the feed.")
    work = Decoding(feed, kind, depth_levels=depth_levels, **settings)
    for path in paths:
        for block in read(path):
            work.take(block)
    if not paths:
        raw = [one.encode() if isinstance(one, str) else bytes(one) for one in things]
        at = np.broadcast_to(
            np.asarray(_NO_RECEIPT if received_at is None else received_at, np.int64), (len(raw),)
        )
        for start in range(0, len(raw), _TOGETHER):
            some = slice(start, start + _TOGETHER)
            work.take(Block(direction="in", connection=0, frames=raw[some], received_at=at[some]))
    work.finish()
    return Decoded(work.feed.name, work.feed.kind, *(work.frame(kind) for kind in KINDS))


KINDS: Final[tuple[Kind, ...]] = ("tick", "depth", "event", "reject")


class Decoding:
    """A decoder at work: blocks of a capture in, frames of rows out.

    Parameters
    ----------
    feed, kind : str
        Whose frames.
    depth_levels : int
        Levels a side in a row of depth that is kept from changes.
    in_order : bool
        Decode message by message and remember the order of rows of different kinds, for `rows`.
    **settings
        The feed's own.
    """

    def __init__(
        self,
        feed: str,
        kind: str | None = None,
        *,
        depth_levels: int = 20,
        in_order: bool = False,
        **settings: Any,
    ) -> None:
        self._instruments = Instruments()
        if kind is not None:
            settings["kind"] = kind
        self.feed = feeds.make(feed, self._instruments, **settings)
        capacity = _TOGETHER if in_order else None
        self._ticks = TickRing(self._instruments, capacity_rows=capacity)
        self._depth = DepthRing(self._instruments, capacity_rows=capacity)
        self._events = EventLog(capacity_rows=_TOGETHER)
        self._rejects: list[Reject] = []
        self._books = Books(instruments=self._instruments, levels=depth_levels)
        self._aside: list[BookUpdate] = []
        self._in_order = in_order
        self._order: list[Kind] = []

    def take(self, block: Block | Reject) -> None:
        """Decode one block of a capture, or count what the capture itself lacks."""
        if isinstance(block, Reject):
            self._add([], [block])
        elif block.direction == "instrument":
            for raw in block.frames:
                self._instruments.add(msgspec.json.decode(raw, type=Instrument))
        elif block.direction == "http":
            # A fetched book. What a foreign capture fetched besides (lists of products) says no rows.
            number = None if block.about is None else self._instruments.number(block.about)
            if number is not None:
                for raw, at in zip(block.frames, block.received_at.tolist(), strict=True):
                    self._snapshot(self._instruments[number], raw, at)
        elif block.direction == "in":
            step = 1 if self._in_order else len(block.frames)
            for start in range(0, len(block.frames), step):
                some = slice(start, start + step)
                self._decode(block.frames[some], block.received_at[some])

    def finish(self) -> None:
        """Say what is left: books for which no change ever came."""
        aside, self._aside = self._aside, []
        self._apply(aside)

    def _snapshot(self, instrument: Instrument, raw: bytes, at: int) -> None:
        try:
            update = self.feed.decode_snapshot(instrument, raw, at)
        except ValueError as error:
            self._add([], [Reject(received_at=at, reason=f"no book: {error}", frame=raw)])
            return
        self._apply([update])

    def _decode(self, frames: Sequence[bytes], received_at: Any) -> None:
        try:
            batch = self.feed.decode(frames, received_at)
        except Exception as error:  # noqa: BLE001 - a decoder's bug costs its frames, as in a stream
            reason = f"the decoder failed: {type(error).__name__}: {error}"
            times = received_at.tolist()
            self._add(
                [],
                [Reject(received_at=t, reason=reason, frame=f) for t, f in zip(times, frames, strict=True)],
            )
            return
        if batch.ticks is not None:
            ticks = batch.ticks
            if ticks.duplicate is not None:  # without flags nothing would tell them from trades
                ticks = ticks.only(~ticks.duplicate)
            self._ticks.append(ticks, self.feed.name)
            self._note("tick", len(ticks))
        if batch.depth is not None:
            self._depth.append(batch.depth)
            self._note("depth", len(batch.depth))
        if batch.book_updates:
            self._apply(batch.book_updates)
        self._add(batch.events, batch.rejects)

    def _apply(self, updates: Sequence[BookUpdate]) -> None:
        """Bring the books up to date; a whole book without a name waits for the changes that name it."""
        for update in updates:
            if update.snapshot and update.instrument is None and not self._books.waiting():
                self._aside.append(update)
                continue
            self._apply_now([update])
            while self._aside and len(self._books.waiting()) == 1:
                self._apply_now([self._aside.pop(0)])

    def _apply_now(self, updates: Sequence[BookUpdate]) -> None:
        applied = self._books.apply(updates)
        if applied.depth is not None:
            self._depth.append(applied.depth)
            self._note("depth", len(applied.depth))
        self._add(applied.events, [])

    def _add(self, events: Sequence[Event], rejects: Sequence[Reject]) -> None:
        for event in events:
            if event.at == _NO_RECEIPT:
                event.detail = {k: v for k, v in event.detail.items() if k not in _RECEIPT_DETAILS}
        if events:
            self._events.append(events)
            self._note("event", len(events))
        if rejects:
            self._rejects.extend(rejects)
            self._note("reject", len(rejects))

    def _note(self, kind: Kind, count: int) -> None:
        if self._in_order:
            self._order += [kind] * count

    # -- what was found -------------------------------------------------------------------

    def frame(self, kind: Kind, *, after_seq: int = 0) -> pl.DataFrame:
        """Return the rows of one kind; of ticks, depth and events those after `after_seq`."""
        import polars as pl

        if kind == "reject":
            return pl.DataFrame(
                {
                    "received_at": [one.received_at for one in self._rejects],
                    "reason": [one.reason for one in self._rejects],
                    "frame": [one.frame for one in self._rejects],
                },
                schema={"received_at": pl.Datetime("us", "UTC"), "reason": pl.String, "frame": pl.Binary},
            ).with_columns(_null_where_unknown("received_at"))
        if kind == "event":
            return self._events.frame(after_seq=after_seq).with_columns(_null_where_unknown("at"))
        ring = self._ticks if kind == "tick" else self._depth
        return ring.frame(after_seq=after_seq).with_columns(_null_where_unknown("timestamp", "received_at"))

    @property
    def waiting(self) -> int:
        """Rows that `rows` would yield now."""
        return len(self._order)

    def rows(self) -> Iterator[tuple[Kind, dict[str, Any]]]:
        """Yield the rows found since the last time, of all kinds in the order they came.

        Only `in_order`. What was yielded is let go.
        """
        order, self._order = self._order, []
        found = {
            "tick": self.frame("tick", after_seq=self._ticks.stored_seq).iter_rows(named=True),
            "depth": self.frame("depth", after_seq=self._depth.stored_seq).iter_rows(named=True),
            "event": self.frame("event", after_seq=self._events.stored_seq).iter_rows(named=True),
            "reject": self.frame("reject").iter_rows(named=True),
        }
        self._ticks.stored_seq = self._ticks.last_seq
        self._depth.stored_seq = self._depth.last_seq
        self._events.stored_seq = self._events.last_seq
        self._rejects = []
        for kind in order:
            yield kind, next(found[kind])


def _null_where_unknown(*columns: str) -> list[pl.Expr]:
    import polars as pl

    return [
        pl.when(pl.col(name).to_physical() != _NO_RECEIPT).then(pl.col(name)).alias(name) for name in columns
    ]


# --- files --------------------------------------------------------------------------------------


def feed_of(paths: Sequence[Path], feed: str | None, kind: str | None) -> tuple[str, str | None]:
    """Return whose frames these files hold: as the recordings among them say, else as given.

    Raises
    ------
    RecordingError
        None of them says, or one says something else.
    """
    for path in paths:
        if path.suffix not in _BARE:
            feed, kind = Recording(path).whose(feed, kind)
    if feed is None:
        raise RecordingError(
            f"{paths[0].name} does not say whose frames it holds. Name the feed: {', '.join(feeds.names())}."
        )
    return feed, kind


def read(path: Path) -> Iterator[Block | Reject]:
    """Yield what a file holds: blocks of entries, and a reject for what its end cuts off.

    Raises
    ------
    RecordingError
        It is not there, or in no format that is known.
    """
    if not path.is_file() and not path.with_name(f"{path.name}.part").is_file():
        raise RecordingError(f"There is no file {path}.")
    if path.suffix in (".bin", ".json"):
        message = path.read_bytes()
        yield _bare([message.strip() if path.suffix == ".json" else message])
    elif path.suffix == ".lenprefixed":
        yield from _length_prefixed(path)
    elif path.suffix == ".jsonl" and not _is_envelope(path):
        yield from _lines(path)
    else:
        recording = Recording(path)
        yield from recording.blocks()
        if recording.cut is not None:
            yield Reject(received_at=_NO_RECEIPT, reason=f"{path.name}: {recording.cut}", frame=b"")


def _bare(frames: list[bytes]) -> Block:
    times = np.full(len(frames), _NO_RECEIPT, np.int64)
    return Block(direction="in", connection=0, frames=frames, received_at=times)


def _is_envelope(path: Path) -> bool:
    """Tell lines around messages from messages: the first line of an envelope has a `kind` of its own."""
    with path.open("rb") as file:
        first = file.readline()
    try:
        found = msgspec.json.decode(first)
    except msgspec.DecodeError:
        return False
    kinds = ("header", "http", "connect", "send", "recv")
    return isinstance(found, dict) and found.get("kind") in kinds and not {"type", "channel"} & found.keys()


def _lines(path: Path) -> Iterator[Block]:
    with path.open("rb") as file:
        frames: list[bytes] = []
        for line in file:
            if message := line.strip():
                frames.append(message)
            if len(frames) == _TOGETHER:
                yield _bare(frames)
                frames = []
    if frames:
        yield _bare(frames)


def _length_prefixed(path: Path) -> Iterator[Block | Reject]:
    left = path.stat().st_size
    frames: list[bytes] = []
    cut: Reject | None = None
    with path.open("rb") as file:
        while left:
            prefix = file.read(4)
            left -= len(prefix)
            length = int.from_bytes(prefix, "little")
            if len(prefix) < 4 or length > left:
                what = "a length" if len(prefix) < 4 else f"a message of {length:,} bytes"
                reason = f"{path.name} ends within {what}"
                cut = Reject(received_at=_NO_RECEIPT, reason=reason, frame=prefix + file.read())
                break
            frames.append(file.read(length))
            left -= length
            if len(frames) == _TOGETHER:
                yield _bare(frames)
                frames = []
    if frames:
        yield _bare(frames)
    if cut is not None:
        yield cut
