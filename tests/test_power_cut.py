"""A power cut under the journal: of each file what was fsynced is left, and behind it whatever there may be.

Every fsync is recorded as it is made: the length of a file, the names in a folder. An image of the disk is
then built as a cut might leave it, and opened as after any crash.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
from pathlib import Path

import numpy as np
import pytest

import ltpkit as lk
from ltpkit.batch import Event, Ticks
from ltpkit.instrument import Instrument, Instruments
from ltpkit.journal import Journal, JournalWriter, folder_of
from ltpkit.ring import DepthRing, EventLog, TickRing
from ltpkit.store import Store
from ltpkit.store.recovery import left_behind

NAMES = Instruments(Instrument(exchange="NSE", symbol=name) for name in ("INFY", "TCS"))


class Disk:
    """What of a folder would be there after a power cut."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._fsync = folder, os.fsync
        self._firm: dict[int, int] = {}  # of a file's number, how much of it was fsynced
        self._names: dict[str, int] = {}  # as the folder was when it was fsynced
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, descriptor: int) -> None:
        self._fsync(descriptor)
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            self._names = {one.name: one.stat().st_ino for one in self.folder.iterdir()}
        else:
            self._firm[found.st_ino] = found.st_size

    def cut(self, image: Path, rng: random.Random) -> None:
        """Write what a cut now may leave: behind what is firm nothing, some of it, zeros or noise."""
        image.mkdir()
        for name, number in self._names.items():
            written = (self.folder / name).read_bytes()
            firm = self._firm.get(number, 0)
            rest = written[firm:]
            tails = [
                b"",
                rest[: rng.randrange(len(rest) + 1)],
                bytes(len(rest)),
                rng.randbytes(len(rest) + 9),
            ]
            pages = [
                rest[at : at + 512] if rng.random() < 0.5 else bytes(512) for at in range(0, len(rest), 512)
            ]
            (image / name).write_bytes(written[:firm] + rng.choice([*tails, b"".join(pages)]))


def some(rng: random.Random, first: int) -> Ticks:
    ticks = Ticks.blank(rng.randrange(1, 60))
    ticks.instrument[:] = np.arange(len(ticks)) % 2
    ticks.timestamp[:] = ticks.received_at[:] = 1_767_760_200_000_000 + first + np.arange(len(ticks))
    ticks.column("ltp")[:] = [rng.randrange(1, 10_000) / 4 for _ in range(len(ticks))]
    return ticks


@pytest.mark.parametrize("seed", range(6))
def test_every_row_that_was_synced_is_there_after_a_power_cut(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, path = random.Random(seed), tmp_path / "cut.duckdb"
    with Store(path) as store:
        identity, positions = store.identity, store.positions()
    folder = folder_of(path)
    disk = Disk(folder, monkeypatch)
    journal = Journal(folder, store=identity, positions=positions, file_bytes=30_000)
    ticks, events = TickRing(NAMES), EventLog()
    writer = JournalWriter(journal, {"ticks": ticks, "depth": DepthRing(NAMES), "events": events})
    images: list[tuple[Path, dict[str, int]]] = []
    for step in range(80):
        ticks.append(some(rng, ticks.last_seq), "test")
        events.append([Event(at=step, kind="tested")])
        writer.write()
        if rng.random() < 0.3:
            journal.sync()
        if rng.random() < 0.2 and folder.exists():
            image = tmp_path / f"image{step}"
            disk.cut(image, rng)
            images.append((image, dict(journal.synced)))
    journal.close()
    assert len(images) > 5
    assert len(list(folder.glob("*.ltpj"))) > 2

    rows = {"ticks": ticks.frame(), "events": events.frame()}
    for number, (image, synced) in enumerate(images):
        shutil.rmtree(folder)
        shutil.move(image, folder)
        found = left_behind(path, identity, positions)
        for table, whole in rows.items():
            left = found.get(table, whole.head(0))
            assert left.head(synced[table]).equals(whole.head(synced[table]))
            # Of the rest any part may have reached the disk, but no row is another one.
            assert left.equals(whole.filter(whole["seq"].is_in(left["seq"].implode())))
        if number == len(images) - 1:
            with Store(path) as store:  # and the way a user goes
                assert store.positions()["ticks"] >= synced["ticks"]
                assert store.recovered is not None
            with lk.open(path) as archive:
                stored = archive.ticks()
                assert stored.equals(
                    rows["ticks"].filter(rows["ticks"]["seq"].is_in(stored["seq"].implode()))
                )
                assert archive.sql("SELECT count(*) - count(DISTINCT seq) FROM ticks").item() == 0


def test_the_simulated_cut_does_lose_what_was_not_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cut.duckdb"
    with Store(path) as store:
        identity, positions = store.identity, store.positions()
    disk = Disk(folder_of(path), monkeypatch)
    journal = Journal(folder_of(path), store=identity, positions=positions)
    ticks = TickRing(NAMES)
    writer = JournalWriter(journal, {"ticks": ticks})
    for synced in (True, False):
        ticks.append(some(random.Random(1), 0), "test")
        writer.write()
        if synced:
            journal.sync()
    lengths, synced_seq = set(), journal.synced["ticks"]
    for seed in range(20):
        image = tmp_path / f"image{seed}"
        disk.cut(image, random.Random(seed))
        if seed:
            shutil.rmtree(folder_of(path))
        else:
            shutil.move(folder_of(path), tmp_path / "whole")
            disk.folder = tmp_path / "whole"
        shutil.copytree(image, folder_of(path))
        lengths.add(left_behind(path, identity, positions)["ticks"].height)
    assert min(lengths) == synced_seq < ticks.last_seq
    assert lengths <= {synced_seq, ticks.last_seq}
    journal.close()
