"""A store's folder that may not be written to any more, for a user who is not root, and then may again."""

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
    with tempfile.TemporaryDirectory() as folder:  # pytest's own lets nobody but root in
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, folder, str(NOBODY)],
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1] == "well"
