"""The journal: what is written comes back, what is damaged never does."""

from __future__ import annotations

import errno
import os
import random
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.batch import Event
from ltpkit.journal import Journal, JournalWriter, Reading, folder_of, leftovers
from ltpkit.journal import files as files_module
from ltpkit.journal.files import gathered
from ltpkit.ring import DepthRing, EventLog, TickRing
from tests.test_ring import instruments
from tests.test_ring import ticks as batch
from tests.test_store import books, events, ticks

NOTHING = {"ticks": 0, "depth": 0, "events": 0}


def journal(folder: Path, positions: Mapping[str, int] = NOTHING, **options: int) -> Journal:
    return Journal(folder / "journal", store=17, positions=positions, **options)


def append(to: Journal, table: str, rows: pl.DataFrame) -> None:
    to.append(table, rows, after=to.journaled[table])


def read(folder: Path, after: Mapping[str, int] = NOTHING) -> dict[str, pl.DataFrame]:
    chunks = list(gathered((Reading(path) for path in leftovers(folder / "journal")), after))
    return {
        table: pl.concat([chunk[table] for chunk in chunks if table in chunk])
        for table in NOTHING
        if any(table in chunk for chunk in chunks)
    }


def test_rows_of_every_kind_come_back_as_they_went_in(tmp_path: Path) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(40))
    append(to, "depth", books(7))
    append(to, "ticks", ticks(5, 41))
    append(to, "events", events(3))
    assert to.journaled == {"ticks": 45, "depth": 7, "events": 3}
    assert to.synced == NOTHING
    to.sync()
    assert to.synced == to.journaled
    found = read(tmp_path)
    assert found["ticks"].equals(pl.concat([ticks(40), ticks(5, 41)]))
    assert found["depth"].equals(books(7))
    assert found["events"].equals(events(3))
    assert found["ticks"].schema == ticks(1).schema
    only = read(tmp_path, {"ticks": 42, "depth": 7, "events": 0})
    assert only["ticks"]["seq"].to_list() == [43, 44, 45]
    assert "depth" not in only
    to.close()


def test_a_file_says_which_store_it_belongs_to_and_is_for_its_owner_only(tmp_path: Path) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(1))
    (path,) = leftovers(tmp_path / "journal")
    assert Reading(path).store == 17
    assert path.stat().st_mode & 0o077 == 0
    to.close()


def test_no_file_is_made_before_a_row_comes(tmp_path: Path) -> None:
    journal(tmp_path).close()
    assert not (tmp_path / "journal").exists()
    assert folder_of(tmp_path / "x.duckdb") == tmp_path / "x.duckdb.journal"
    assert leftovers(tmp_path / "journal") == []


def test_files_are_turned_at_a_size_and_go_once_the_store_has_their_rows(tmp_path: Path) -> None:
    to = journal(tmp_path, file_bytes=20_000)
    for first in range(1, 1001, 50):
        append(to, "ticks", ticks(50, first))
    files = leftovers(tmp_path / "journal")
    assert len(files) > 4
    assert read(tmp_path)["ticks"]["seq"].to_list() == list(range(1, 1001))
    assert to.let_go({"ticks": 49, "depth": 0, "events": 0}) == 0
    to.stored({"ticks": 500, "depth": 0, "events": 0})
    assert 0 < to.firm_bytes < sum(path.stat().st_size for path in files)
    gone = to.let_go({"ticks": 500, "depth": 0, "events": 0})
    assert leftovers(tmp_path / "journal") == files[gone:]
    assert read(tmp_path)["ticks"]["seq"].to_list()[-500:] == list(range(501, 1001))
    rows = pl.concat([chunk["ticks"] for chunk in to.rows({"ticks": 700, "depth": 0, "events": 0})])
    assert rows["seq"].to_list() == list(range(701, 1001))
    assert to.let_go({"ticks": 1000, "depth": 0, "events": 0}) == len(files) - gone - 1  # not the open one
    to.remove()
    assert not (tmp_path / "journal").exists()


def test_a_closed_journal_goes_on_in_a_new_file(tmp_path: Path) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(10))
    to.close()
    append(to, "ticks", ticks(10, 11))
    to.close()
    to.close()
    assert [path.name for path in leftovers(tmp_path / "journal")] == ["000001.ltpj", "000002.ltpj"]
    assert read(tmp_path)["ticks"]["seq"].to_list() == list(range(1, 21))


# -- damage -------------------------------------------------------------------------------------------

FRAMES = 12
ROWS = 9


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    to = journal(folder)
    for first in range(1, FRAMES * ROWS, ROWS):
        append(to, "ticks", ticks(ROWS, first))
    to.close()
    return leftovers(folder / "journal")[0].read_bytes()


TRUTH = pl.concat([ticks(ROWS, first) for first in range(1, FRAMES * ROWS, ROWS)])

damage = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 1), st.integers()),
    st.tuples(st.just("flip"), st.floats(0, 1), st.integers(0, 7)),
    st.tuples(st.just("zero"), st.floats(0, 1), st.integers(1, 9_000)),
    st.tuples(st.just("noise"), st.floats(0, 1), st.integers(1, 9_000)),
    st.tuples(st.just("more"), st.floats(0, 1), st.integers(0, 9_000)),
)


def damaged(whole: bytes, kind: str, place: float, much: int) -> bytes:
    found = bytearray(whole)
    at = min(int(place * len(found)), len(found) - 1)
    if kind == "cut":
        del found[at:]
    elif kind == "flip":
        found[at] ^= 1 << much
    elif kind == "zero":
        at -= at % 512
        found[at : at + much] = bytes(len(found[at : at + much]))
    elif kind == "noise":
        found[at : at + much] = random.Random(much).randbytes(len(found[at : at + much]))
    else:
        found += random.Random(much).randbytes(much)
    return bytes(found)


@settings(max_examples=300, deadline=None)
@given(st.lists(damage, min_size=1, max_size=3))
def test_damage_anywhere_never_raises_and_never_gives_a_wrong_row(
    whole: bytes, done: list[tuple[str, float, int]]
) -> None:
    content = whole
    for one in done:
        content = damaged(content or b"\0", *one)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "000001.ltpj"
        path.write_bytes(content)
        reading = Reading(path)
        frames = [rows for _, rows in reading.frames(NOTHING)]
    found = pl.concat(frames) if frames else TRUTH.clear()
    assert found.height % ROWS == 0
    assert found.equals(TRUTH.head(found.height))
    if found.height < TRUTH.height and content != whole[: len(content)]:  # a cut between frames shows nothing
        assert reading.damage is not None
        assert reading.damage.at + reading.damage.left == len(content)


def test_every_place_to_cut_leaves_the_frames_before_it(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "000001.ltpj"
    path.write_bytes(whole)
    starts = []
    reading = Reading(path)
    with path.open("rb") as file:
        while reading._frame(file) is not None:
            starts.append(file.tell())
    for end in range(starts[0], len(whole), 97):
        path.write_bytes(whole[:end])
        reading = Reading(path)
        rows = sum(rows.height for _, rows in reading.frames(NOTHING))
        complete = sum(start <= end for start in starts) - 1
        assert rows == complete * ROWS
        left = end - starts[complete]
        assert reading.damage == ((starts[complete], left) if left else None)


# -- a disk that fails --------------------------------------------------------------------------------


def test_a_short_write_is_taken_back_and_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(10))
    (path,) = leftovers(tmp_path / "journal")
    size = path.stat().st_size

    def short(descriptor: int, parts: list[bytes]) -> int:
        return os.write(descriptor, b"".join(parts)[:100])

    def full(descriptor: int, part: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files_module.os, "writev", short)
        write = os.write
        calls = []

        def once(descriptor: int, part: bytes) -> int:
            calls.append(len(part))
            return write(descriptor, part) if len(calls) == 1 else full(descriptor, part)

        patched.setattr(files_module.os, "write", once)
        with pytest.raises(OSError, match="No space"):
            append(to, "ticks", ticks(10, 11))
    assert len(calls) == 2
    assert path.stat().st_size == size
    assert to.journaled["ticks"] == 10
    append(to, "ticks", ticks(10, 11))
    to.close()
    assert read(tmp_path)["ticks"]["seq"].to_list() == list(range(1, 21))


def test_a_torn_frame_that_could_not_be_taken_back_is_cut_before_the_next(tmp_path: Path) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(10))
    (path,) = leftovers(tmp_path / "journal")
    with path.open("ab") as file:
        file.write(b"half a frame")
    append(to, "ticks", ticks(10, 11))
    to.close()
    assert read(tmp_path)["ticks"]["seq"].to_list() == list(range(1, 21))


def test_after_a_failed_fsync_rows_are_journaled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(10))
    to.sync()
    append(to, "ticks", ticks(10, 11))

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(files_module.os, "fsync", broken)
        with pytest.raises(OSError, match="Input/output"):
            to.sync()
    assert to.journaled["ticks"] == to.synced["ticks"] == 10
    append(to, "ticks", ticks(10, 11))
    append(to, "ticks", ticks(5, 21))
    to.sync()
    assert to.synced["ticks"] == 25
    assert len(leftovers(tmp_path / "journal")) == 2
    assert read(tmp_path)["ticks"]["seq"].to_list() == list(range(1, 26))
    to.close()


def test_rows_taken_before_the_journal_went_back_are_not_added(tmp_path: Path) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(10))
    to.append("ticks", ticks(5, 16), after=15)
    assert to.journaled["ticks"] == 10
    to.close()


def test_a_journal_that_was_removed_is_begun_again_from_what_is_not_stored(tmp_path: Path) -> None:
    to = journal(tmp_path)
    append(to, "ticks", ticks(30))
    to.stored({"ticks": 20, "depth": 0, "events": 0})
    for path in leftovers(tmp_path / "journal"):
        path.unlink()
    (tmp_path / "journal").rmdir()
    with pytest.raises(FileNotFoundError, match="removed"):
        append(to, "ticks", ticks(1, 31))
    assert to.journaled["ticks"] == 20
    append(to, "ticks", ticks(11, 21))
    to.close()
    assert read(tmp_path)["ticks"]["seq"].to_list() == list(range(21, 32))


# -- the threads ------------------------------------------------------------------------------------------


def rings() -> dict[str, TickRing | DepthRing | EventLog]:
    return {"ticks": TickRing(instruments()), "depth": DepthRing(instruments()), "events": EventLog()}


def test_rows_in_memory_reach_the_journal_and_the_disk_by_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, to, synced = rings(), journal(tmp_path), threading.Event()
    works = to.sync

    def sync() -> None:
        works()
        if to.synced == {"ticks": 2, "depth": 0, "events": 1}:
            synced.set()

    monkeypatch.setattr(to, "sync", sync)
    writer = JournalWriter(to, held, interval_s=0.01, fsync_interval_s=0.01)
    writer.start()
    held["ticks"].append(batch([(0, 1.5, None), (1, None, 2.5)]), "test")  # type: ignore[union-attr,call-arg,arg-type]
    held["events"].append([Event(at=1, kind="connected")])  # type: ignore[union-attr,call-arg,list-item]
    assert synced.wait(10)
    assert held["ticks"].journaled_seq == 2
    assert writer.last_error is None
    held["ticks"].append(batch([(2, 3.5, None)]), "test")  # type: ignore[union-attr,call-arg,arg-type]
    assert writer.stop()
    assert writer.stop()
    assert to.synced["ticks"] == 3
    to.close()
    assert read(tmp_path)["ticks"].equals(held["ticks"].frame())
    assert read(tmp_path)["events"].equals(held["events"].frame())


def test_a_journal_that_cannot_be_written_is_told_once_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltpkit.journal.writer._RETRY_S", 0.01)
    (tmp_path / "journal").write_text("a file where the folder should be")
    held, to = rings(), journal(tmp_path)
    told: list[Exception | None] = []
    changed = threading.Condition()

    def tell(error: Exception | None) -> None:
        with changed:
            told.append(error)
            changed.notify_all()

    writer = JournalWriter(to, held, interval_s=0.01, fsync_interval_s=0.01, failed=tell)
    writer.start()
    held["ticks"].append(batch([(0, 1.5, None)]), "test")  # type: ignore[union-attr,call-arg,arg-type]
    with changed:
        assert changed.wait_for(lambda: len(told) == 1, 10)
    assert isinstance(writer.last_error, OSError)
    assert held["ticks"].journaled_seq == 0
    (tmp_path / "journal").unlink()
    with changed:
        assert changed.wait_for(lambda: len(told) == 2, 10)
    assert told[1] is None
    assert writer.stop()
    to.close()
    assert read(tmp_path)["ticks"].height == 1


def test_rows_that_are_journaled_may_leave_memory_unstored_and_are_not_lost(tmp_path: Path) -> None:
    lost: list[tuple[int, int]] = []
    ring = TickRing(
        instruments(), capacity_rows=16, chunk_rows=8, on_loss=lambda first, last: lost.append((first, last))
    )
    to = journal(tmp_path)
    writer = JournalWriter(to, {"ticks": ring})
    for _ in range(10):
        ring.append(batch([(0, 1.0, None)] * 8), "test")
        writer.write()
    assert ring.first_seq > 1
    assert lost == []
    assert ring.lost_rows == 0
    for _ in range(5):  # not journaled, so these are
        ring.append(batch([(0, 1.0, None)] * 8), "test")
    assert lost == [(81, 88)]
    to.close()
    assert read(tmp_path)["ticks"]["seq"].to_list() == list(range(1, 81))
