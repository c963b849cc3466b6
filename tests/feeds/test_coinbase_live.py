"""Coinbase's feeds through the whole path: connect, subscribe, rows in DuckDB, and what a lost line costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ltpkit as lk
from ltpkit.live import Stream
from tests.feeds.loopback import Loopback
from tests.feeds.test_coinbase import advanced, changes, frame, levels, match, ticker, traded, whole


def until(live: Stream, reached: Callable[[], bool]) -> None:
    assert live._intake.wait_until(reached, 20)


def kinds(live: Stream) -> list[str]:
    return live.events()["kind"].to_list()


def test_a_last_match_after_a_reconnect_is_no_trade_and_the_book_comes_anew(tmp_path: Path) -> None:
    last = [1, 3]  # by connection

    def answer(request: dict[str, Any]) -> list[bytes]:
        return [
            frame(type="subscriptions", channels=request["channels"]),
            ticker(),
            match(last.pop(0), type="last_match"),
            whole(),
        ]

    with (
        Loopback(answer) as server,
        lk.stream(
            "BTC-USD", feed="coinbase", url=server.url, store=tmp_path / "c.duckdb", name="match"
        ) as live,
    ):
        server.send(match(2), match(3), changes(("buy", "99.5", "3")))
        until(live, lambda: live.books().height == 2)
        assert live.depth("BTC-USD")["bid_price"].to_list() == [99.5, 99.0]
        server.hang_up()
        until(live, lambda: "resync" in kinds(live))
        server.send(match(3), match(4))
        until(live, lambda: "duplicate" in kinds(live))
        assert live.depth("BTC-USD")["bid_price"].to_list() == [99.0]
        assert live.gaps()["why"].to_list() == ["connection lost"]
        assert kinds(live).count("last_match") == 2
        assert live.flush()
        trades = "SELECT count(*), sum(ltq) FROM {} WHERE ltq IS NOT NULL"
        assert live.sql(trades.format("believed_ticks")).row(0) == (3, 1.5)
        assert live.sql(trades.format("ticks")).row(0) == (4, 2.0)
        again = "SELECT ticks.seq, change FROM flagged JOIN ticks USING (seq) WHERE why = 'duplicate'"
        assert live.sql(again).rows() == [(5, None)]
        assert live.status().flagged["duplicate"] == 1
        assert live.bars("1m")["volume"].to_list() == [1.5]
        assert [request["channels"] for request in server.requests] == [
            ["ticker", "matches", "level2_batch"]
        ] * 2


def test_a_jump_of_the_sequence_has_the_books_sent_anew() -> None:
    numbers = iter(range(100))
    prices = iter(("99", "98"))

    def answer(request: dict[str, Any]) -> list[bytes]:
        frames = [advanced("subscriptions", next(numbers), {"subscriptions": {}})]
        if request["type"] == "subscribe" and request["channel"] == "level2":
            frames.append(advanced("l2_data", next(numbers), levels("snapshot", ("bid", next(prices), "1"))))
        return frames

    with (
        Loopback(answer) as server,
        lk.stream("BTC-USD", feed="coinbase", kind="advanced", url=server.url, name="jump") as live,
    ):
        until(live, lambda: live.books().height == 1)
        until(live, lambda: len(server.requests) == 4)
        next(numbers)  # one message is lost
        server.send(advanced("market_trades", next(numbers), {"type": "update", "trades": [traded(1)]}))
        until(live, lambda: "resync" in kinds(live))
        assert live.ticks().height == 1
        assert live.depth("BTC-USD")["bid_price"].to_list() == [98.0]
        gaps = live.gaps().select("symbol", "why", "missing").rows()
        assert sorted(gaps, key=str) == [
            ("COINBASE:BTC-USD", "sequence numbers", None),
            (None, "sequence numbers", 1),
        ]
        asked = [(one["type"], one["channel"]) for one in server.requests]
        assert asked[0] == ("subscribe", "heartbeats")
        assert asked[-2:] == [("unsubscribe", "level2"), ("subscribe", "level2")]
