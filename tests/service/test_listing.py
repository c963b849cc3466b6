"""What can be subscribed to, of a broker with a list and of a feed without one."""

from __future__ import annotations

from pathlib import Path

import pytest

import ltpkit as lk
from ltpkit.masters.cache import _failed
from ltpkit.service.listing import COLUMNS, find_instruments


def test_a_broker_s_list_is_searched_also_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LTPKIT_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("DHAN_INSTRUMENTS_URL", "http://127.0.0.1:1/nobody-listens")
    _failed.clear()
    with lk.stream(
        [], feed="dhan", name="listing", token="t", client_id="c", url="ws://127.0.0.1:1/"
    ) as live:
        found = find_instruments(live, "reliance", limit=5)
    _failed.clear()
    assert found.columns == list(COLUMNS)
    assert found.row(0)[:2] == ("NSE", "RELIANCE")


def test_without_a_list_it_is_what_the_feed_knows() -> None:
    with lk.stream([], name="listing") as live:
        found = find_instruments(live, "hdfc", limit=1)
        assert found["symbol"].to_list() == ["HDFCBANK"]
        assert find_instruments(live, "nothing like it", limit=5).columns == list(COLUMNS)
        assert find_instruments(live, "", limit=100).height == 50
