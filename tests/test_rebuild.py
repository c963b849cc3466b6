"""A damaged store made anew: whatever some source has is there, once, and the rest is told."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

import ltpkit as lk
from ltpkit.errors import StoreError, StoreLocked
from ltpkit.journal import Journal, folder_of
from ltpkit.store import Store
from ltpkit.store.rebuild import rebuild
from ltpkit.store.salvage import log_of
from tests.paths import ROOT
from tests.test_recovery import contents, count, crashed, killed, told
from tests.test_store import books, events, ticks

__all__ = ["killed"]  # a fixture, used below

ROWS = 300_000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a day exported, and a journal of what came after."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "ticks.duckdb"
    row = ticks(1)
    many = pl.concat([row.drop("seq")] * 1000)
    many = pl.concat([many] * (ROWS // 1000)).with_columns(pl.int_range(1, ROWS + 1).alias("seq"))
    many = many.with_columns((pl.col("seq") % 977 / 8).alias("ltp"), (pl.col("seq") * 1.5).alias("ltq"))
    many = many.select(row.columns)
    with Store(path) as store:
        store.append(ticks=many, depth=books(5), events=events(4))
        store.checkpoint()
        store.export(folder / "days")
        journal = Journal(
            folder_of(path), store=store.identity, positions=dict.fromkeys(store.positions(), 0)
        )
        journal.append("ticks", ticks(500, ROWS - 99), after=0)
        journal.close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def damage_header(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100] ^= 4
    path.write_bytes(content)


def test_a_sound_store_is_left_as_it_is_with_its_journal_taken_in(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    crashed(path, 120, 1000)
    done = rebuild(path)
    assert done.sound
    assert done.rows == {"journal": {"ticks": 880, "depth": 4}}
    assert done.kept == []
    with Store(path) as store:
        assert count(store) == (1000, 1000, 1, 1000)
    assert rebuild(path).rows == {}


def test_an_unreadable_file_is_made_anew_from_exports_and_journal(folder: Path) -> None:
    path = folder / "ticks.duckdb"
    damage_header(path)
    damaged = path.read_bytes()
    with pytest.raises(StoreError, match="ltpkit recover"):
        lk.open(path)
    with pytest.raises(StoreError, match="ltpkit recover"):
        Store(path)
    done = rebuild(path, exports=[folder / "days"])
    assert not done.sound
    assert done.missing == 0
    assert done.rows["exports"] == {"ticks": ROWS, "depth": 5, "events": 4}
    assert done.rows["journal"]["ticks"] == 400
    with Store(path) as store:
        assert count(store) == (ROWS + 400, ROWS + 400, 1, ROWS + 400)
        assert store.read("depth").equals(books(5))
        assert store.read("events").head(4).equals(events(4))
        assert told(store, "rebuilt")[0]["missing"] == 0
        assert store.positions() == {"ticks": ROWS + 400, "depth": 5, "events": 5}
        assert store.recovered is None
    (copy,) = (one for one in done.kept if one.name.startswith("ticks.duckdb.damaged"))
    assert copy.read_bytes() == damaged
    assert any(one.is_dir() and list(one.glob("*.ltpj")) for one in done.kept)


def test_rows_of_a_damaged_block_come_from_elsewhere_or_are_told(folder: Path) -> None:
    path = folder / "ticks.duckdb"
    con = duckdb.connect(path)
    blocks = con.execute(
        "SELECT DISTINCT block_id FROM pragma_storage_info('realtime_ltp') "
        "WHERE column_name = 'ltq' AND segment_type != 'VALIDITY' AND block_id >= 0 AND row_group_id = 1"
    ).fetchall()
    con.close()
    content = bytearray(path.read_bytes())
    for (block,) in blocks:
        content[3 * 4096 + block * 262_144 + 20_000] ^= 1
    path.write_bytes(content)
    shutil.copytree(folder, folder.with_name("second"))
    alone = folder.with_name("second") / "ticks.duckdb"

    done = rebuild(path, exports=[folder / "days"])
    assert done.rows["file"]["ticks"] > 100_000
    assert done.rows["exports"]["ticks"] > 1000
    assert done.missing == 0
    with Store(path) as store:
        assert count(store) == (ROWS + 400, ROWS + 400, 1, ROWS + 400)
        assert store.sql("SELECT count(*) FROM ticks WHERE seq <= 299900 AND ltq != seq * 1.5").item() == 0

    done = rebuild(alone)
    assert not done.sound
    assert done.missing > 1000
    with Store(alone) as store:
        rows, distinct, first, last = count(store)
        assert rows == distinct == ROWS + 400 - done.missing
        assert (first, last) == (1, ROWS + 400)
        gaps = told(store, "gap")[2:]  # after two of the test's own, and before `rebuilt`
        assert sum(one["missing"] for one in gaps if "damaged" in one["why"]) == done.missing
        assert store.sql("SELECT count(*) FROM ticks WHERE seq <= 299900 AND ltq != seq * 1.5").item() == 0
        assert store.read("ticks")["seq"].is_sorted()


@pytest.mark.parametrize("seed", range(12))
def test_damage_at_any_place_of_the_file_never_gives_a_wrong_row(folder: Path, seed: int) -> None:
    path = folder / "ticks.duckdb"
    rng = random.Random(seed)
    content = bytearray(path.read_bytes())
    at = rng.randrange(len(content))
    content[at : at + 512] = rng.randbytes(len(content[at : at + 512]))
    path.write_bytes(content)
    done = rebuild(path)
    with Store(path) as store:
        rows, distinct, _, last = count(store)
        assert rows == distinct
        assert last == ROWS + 400
        assert (
            store.sql("SELECT count(*) FROM ticks WHERE seq <= 299900 AND ltp != seq % 977 / 8").item() == 0
        )
        if done.sound:
            assert rows == ROWS + 400


def test_a_damaged_log_loses_nothing_that_the_journal_has(killed: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(killed, tmp_path / "copy"))
    path = place / "ticks.duckdb"
    content = bytearray(log_of(path).read_bytes())
    content[len(content) // 3] ^= 1
    log_of(path).write_bytes(content)
    done = rebuild(path)
    assert done.missing == 0
    assert any(one.read_bytes() == content for one in done.kept if one.is_file())
    with Store(path) as store:
        assert count(store) == (3500, 3500, 1, 3500)


def test_there_must_be_something_to_make_it_from(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no journal"):
        rebuild(tmp_path / "ticks.duckdb")
    with pytest.raises(StoreError, match="no folder"):
        rebuild(tmp_path / "ticks.duckdb", exports=[tmp_path / "days"])
    assert contents(tmp_path) == {}


def test_a_store_that_is_in_use_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    with Store(path) as store:
        store.append(ticks=ticks(10))
        with pytest.raises(StoreLocked):
            rebuild(path)
        done = subprocess.run(
            [sys.executable, "-m", "ltpkit.cli", "recover", str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "in use" in done.stderr
        assert count(store)[0] == 10


def test_the_command_says_what_it_found_and_kept(folder: Path) -> None:
    path = folder / "ticks.duckdb"
    damage_header(path)
    done = subprocess.run(
        [sys.executable, "-m", "ltpkit.cli", "recover", str(path), "--from", str(folder / "days")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"From the exports: {ROWS:,} ticks, 5 depth, 4 events" in done.stdout
    assert "From the journal: 400 ticks" in done.stdout
    assert "Kept:" in done.stdout
    assert "was made anew." in done.stdout
    with lk.open(path) as archive:
        kind, detail = archive.sql("SELECT kind, detail FROM feed_events ORDER BY seq").row(-1)
    assert kind == "rebuilt"
    assert json.loads(detail)["rows"]["exports"]["ticks"] == ROWS
