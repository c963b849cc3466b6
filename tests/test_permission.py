"""What a user who is not root may not do with a store's folder, and what happens once they may again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest

NOBODY = 65_534

#: Runs in a process of its own, which gives up being root once it has loaded all it needs.
SCRIPT = """
import os, sys
from pathlib import Path
import ltpkit as lk
from ltpkit.errors import StoreError
from ltpkit.simulator import SimulatedExchange

folder, nobody = Path(sys.argv[1]), int(sys.argv[2])
options = {"flush_interval_s": 0.1, "buffer_size": 50}
store = folder / "mine.duckdb"
names = ["NSE:RELIANCE", "NSE:TCS"]
with SimulatedExchange(rate=20_000) as exchange:
    with lk.stream(names, url=exchange.url, store=folder / "first.duckdb", **options) as first:
        assert first.wait(rows=200) and first.flush() and first.status().line()  # everything is loaded now
    os.chown(folder, nobody, nobody)
    os.setgid(nobody)
    os.setuid(nobody)

    live = lk.stream(names, url=exchange.url, store=store, **options)
    until = lambda reached: live._intake.wait_until(reached, 30)
    kinds = lambda: set(live.events()["kind"])
    assert live.wait(rows=200) and live.flush()
    for place in (folder, live._journal.folder):
        place.chmod(0o500)
    live._journal._file_bytes = 1  # as after 256 MB: another file is due, here and there
    try:
        live._store.checkpoint()
    except StoreError as error:  # it cannot take its log away
        assert "ermission" in str(error)
    else:
        raise SystemExit("nothing was forbidden")
    assert until(lambda: {"store_failed", "journal_failed"} <= kinds()), live
    assert live.wait(rows=300), "the feed does not go on"
    status = live.status()
    assert status.state == "live" and "ermission" in status.last_error, status
    assert status.received_seq - status.stored_seq >= 300, status

    for place in (folder, live._journal.folder):
        place.chmod(0o700)
    assert until(lambda: {"store_works", "journal_works"} <= kinds()), live
    assert live.wait(rows=50) and live.flush()
    assert live.status().last_error is None, live
    received = live.ticks()
    live.stop()
    assert live.status().lost_rows == 0
with lk.open(store) as archive:
    stored = archive.ticks()
    assert stored.head(received.height).equals(received)
    assert stored["seq"].to_list() == list(range(1, stored.height + 1))
print("well")
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another")
def test_without_permission_the_feed_goes_on_and_everything_is_stored_once_it_is_back() -> None:
    run_as_nobody(SCRIPT)


def run_as_nobody(script: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lets nobody but root in
        done = subprocess.run(
            [sys.executable, "-c", script, folder, str(NOBODY)],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1] == "well"


#: Opens what a user who is not root may not, in every way there is; says what each was answered with.
REFUSED = """
import os, sys
from pathlib import Path
import ltpkit as lk
from ltpkit.errors import StoreError
from ltpkit.store import Store, migrate

folder, nobody = Path(sys.argv[1]), int(sys.argv[2])
closed, unreadable = folder / "closed" / "deep" / "mine.duckdb", folder / "unreadable.duckdb"
closed.parent.mkdir(parents=True)
for path in (closed, unreadable):
    Store(path).close()
with lk.stream("INFY", store=folder / "first.duckdb") as first:
    assert first.wait() and first.flush() and first.status().line()
lk.open(folder / "first.duckdb").close()  # everything is loaded now
unreadable.chmod(0)
closed.parent.parent.chmod(0o700)
os.chmod(folder, 0o755)
os.setgid(nobody)
os.setuid(nobody)
reader, stream = (lambda path: Store(path, read_only=True)), (lambda path: lk.stream("INFY", store=path))
ways = [Store, reader, lk.open, migrate, stream]
for path, named in ((closed, closed.parent.parent), (unreadable, unreadable)):
    for way in ways:
        try:
            way(path)
        except StoreError as error:
            assert type(error) is StoreError and str(named) in str(error), error
            assert "Have its owner allow it" in str(error), error
        else:
            raise SystemExit(f"{way} opened {path}")
try:
    lk.open(folder / "not there" / "mine.duckdb")
except StoreError as error:
    assert "does not exist" in str(error), error
print("well")
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another")
def test_a_folder_that_may_not_be_entered_and_a_file_that_may_not_be_read_are_said_to_be() -> None:
    run_as_nobody(REFUSED)
