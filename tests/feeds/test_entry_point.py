"""A feed from outside: another package registers it under the entry point group ``ltpkit.feeds``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from typer.testing import CliRunner
from websockets.sync.server import ServerConnection, serve

import ltpkit as lk
from ltpkit import feeds
from ltpkit.cli import app
from ltpkit.errors import SettingError, UnknownFeed
from ltpkit.instrument import Instruments

#: A whole feed in a page: lines of "SYMBOL price", as a package of its own would have it.
MODULE = '''
"""A feed of text lines: SYMBOL price."""

import numpy as np

from ltpkit.batch import Batch, Reject, Ticks
from ltpkit.feeds import Limits
from ltpkit.instrument import Instrument


class Lines:
    """Lines of text, for the test of entry points."""

    name = "lines"
    limits = Limits(per_connection=10)

    def __init__(self, *, instruments, kind="plain", url=None):
        self.kind, self.url, self._table = kind, url, instruments

    def resolve(self, symbol):
        return Instrument(exchange="TOWN", symbol=symbol.rpartition(":")[2])

    def address(self):
        return self.url

    def login(self):
        return ["hello"]

    def subscribe(self, instruments):
        return [f"+{one.symbol}" for one in instruments]

    def unsubscribe(self, instruments):
        return [f"-{one.symbol}" for one in instruments]

    def decode(self, frames, received_at):
        batch, found = Batch(rejects=[]), []
        for frame, at in zip(frames, np.broadcast_to(received_at, len(frames)).tolist()):
            try:
                symbol, price = frame.decode().split()
                found.append((self._table.add(self.resolve(symbol)), at, float(price)))
            except ValueError:
                batch.rejects.append(Reject(received_at=at, reason="no line of two words", frame=frame))
        if found:
            batch.ticks = Ticks.blank(len(found))
            numbers, times, prices = zip(*found)
            batch.ticks.instrument[:] = numbers
            batch.ticks.timestamp[:] = batch.ticks.received_at[:] = times
            batch.ticks.column("ltp")[:] = prices
        return batch

    def closed(self, code, reason):
        return "retry"

    def snapshot_address(self, instrument):
        return None

    def decode_snapshot(self, instrument, body, received_at):
        raise ValueError("no books")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A distribution as an installer leaves it: a module, and a folder of metadata beside it."""
    site = tmp_path / "site-packages"
    metadata = site / "ltpkit_lines-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "ltpkit_lines.py").write_text(MODULE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ltpkit-lines\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[ltpkit.feeds]\nlines = ltpkit_lines:Lines\n")
    monkeypatch.syspath_prepend(str(site))
    yield site
    sys.modules.pop("ltpkit_lines", None)


@pytest.mark.usefixtures("package")
def test_a_registered_feed_is_listed_and_made_by_its_name() -> None:
    assert "lines" in feeds.names()
    made = feeds.make("lines", Instruments(), kind="fancy")
    assert isinstance(made, feeds.Feed)
    assert (made.name, made.kind) == ("lines", "fancy")
    with pytest.raises(SettingError, match=r"The lines feed takes no 'mode'\. It takes kind, url"):
        feeds.make("lines", Instruments(), mode="full")


def test_without_the_package_there_is_no_such_feed() -> None:
    with pytest.raises(UnknownFeed, match="There is no feed 'lines'"):
        feeds.make("lines", Instruments())


@pytest.mark.usefixtures("package")
def test_a_registered_feed_decodes_in_python_and_in_the_command(tmp_path: Path) -> None:
    found = lk.decode("lines", ["BREAD 2.5", "torn", "BREAD 2.6"])
    assert found.ticks.select("ltp", "change").rows() == [(2.5, None), (2.6, pytest.approx(0.1))]
    assert found.rejects["reason"].to_list() == ["no line of two words"]
    (tmp_path / "x.jsonl").write_text("BREAD 2.5\n")
    result = CliRunner().invoke(app, ["decode", "--feed", "lines", str(tmp_path / "x.jsonl")])
    assert '"symbol":"BREAD","exchange":"TOWN"' in result.stdout
    assert '"source":"lines"' in result.stdout


@pytest.mark.usefixtures("package")
def test_a_registered_feed_streams_into_duckdb(tmp_path: Path) -> None:
    heard: list[str | bytes] = []

    def market(line: ServerConnection) -> None:
        for message in line:
            heard.append(message)
            if message == "+BREAD":
                line.send("BREAD 2.5")
                line.send("BREAD 2.75")

    with serve(market, "127.0.0.1", 0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        live = lk.stream("BREAD", feed="lines", url=url, store=tmp_path / "town.duckdb")
        try:
            assert live._intake.wait_until(lambda: live._ring.rows >= 2, 10)
            assert live.latest()["ltp"].to_list() == [2.75]
        finally:
            live.stop()
            server.shutdown()
            thread.join(5)
    assert heard == ["hello", "+BREAD"]
    with lk.open(tmp_path / "town.duckdb") as held:
        assert held.sql("SELECT symbol, ltp FROM ticks ORDER BY seq").rows() == [
            ("BREAD", 2.5),
            ("BREAD", 2.75),
        ]
