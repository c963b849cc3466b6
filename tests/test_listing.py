"""A live stream asks the broker's list for the symbols that its feed does not know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ltpkit as lk
from ltpkit import nifty
from ltpkit.errors import UnknownInstrument
from ltpkit.masters import OldInstruments
from ltpkit.masters.cache import _failed
from ltpkit.simulator import SimulatedExchange


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimulatedExchange]:
    """The built-in exchange, which speaks Dhan's protocol with Dhan's ids; and no network but that."""
    monkeypatch.setenv("LTPKIT_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("DHAN_INSTRUMENTS_URL", "http://127.0.0.1:1/nobody-listens")
    _failed.clear()
    with SimulatedExchange(seed=7, rate=2000) as made:
        yield made


def test_a_brokers_symbol_is_streamed_by_the_id_its_list_gives(exchange: SimulatedExchange) -> None:
    with pytest.warns(OldInstruments, match="sample") as told:
        live = lk.stream("RELIANCE", feed="dhan", url=exchange.url, name="listed")
    try:
        assert told[0].filename == __file__
        assert live.symbols == ["NSE:RELIANCE"]
        assert live.wait(rows=5, timeout_s=10)
        live.subscribe("NSE:TCS")
        assert live.symbols == ["NSE:RELIANCE", "NSE:TCS"]
        assert set(live.ticks()["symbol"].cast(str)) <= {"RELIANCE", "TCS"}
    finally:
        live.stop()


def test_a_symbol_that_the_list_lacks_is_named_with_its_near_misses(exchange: SimulatedExchange) -> None:
    with (
        pytest.warns(OldInstruments),
        pytest.raises(UnknownInstrument, match="Close matches: NSE:INFY") as unknown,
    ):
        lk.stream("NSE:INFYY", feed="dhan", url=exchange.url, name="unlisted")
    assert "sample" in str(unknown.value)


def test_the_list_is_not_read_for_what_the_feed_knows_itself(exchange: SimulatedExchange) -> None:
    live = lk.stream(
        ["NSE_EQ:2885"], feed="dhan", url=exchange.url, name="by id"
    )  # a list that stands in would warn, and a warning fails the test
    live.stop()
    live = lk.stream(
        "TCS", feed="dhan", url=exchange.url, known=nifty.instruments(), name="with a list of its own"
    )
    try:
        with pytest.raises(UnknownInstrument, match="the dhan feed"):
            live.subscribe("NSE:NOTHING")
    finally:
        live.stop()
