"""Kraken through the whole path: connect, subscribe, rows in DuckDB, a book that fails its checksum."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

import ltpkit as lk
from ltpkit.live import Stream
from tests.feeds.loopback import Loopback
from tests.feeds.test_kraken import book, ticker, trade, trades

FIRST = [("5.0", "1.0")], [("6.0", "2.0")]
SECOND = [("5.5", "1.0")], [("6.5", "2.0")]


def until(live: Stream, reached: Callable[[], bool]) -> None:
    assert live._intake.wait_until(reached, 20)


def kinds(live: Stream) -> list[str]:
    return live.events()["kind"].to_list()


class Kraken:
    """Grants everything; each subscription of the book gets the next whole book."""

    def __init__(self) -> None:
        self.books = [FIRST, SECOND]
        self.missed: list[dict[str, object]] = []

    def __call__(self, request: dict[str, Any]) -> list[bytes]:
        method, params = request["method"], request["params"]
        granted = {"channel": params["channel"], "symbol": params["symbol"][0]}
        if "depth" in params:
            granted["depth"] = params["depth"]
        frames = [json.dumps({"method": method, "result": granted, "success": True}).encode()]
        if method == "subscribe" and params["channel"] == "book":
            frames.append(book(*self.books.pop(0), type_="snapshot"))
        if method == "subscribe" and params.get("snapshot"):
            frames.append(trades(*self.missed, type_="snapshot"))
        return frames


def test_a_book_that_fails_its_checksum_is_subscribed_anew_and_the_ticks_go_on(tmp_path: Path) -> None:
    with (
        Loopback(Kraken()) as server,
        lk.stream(
            "BTC/USD", feed="kraken", url=server.url, store=tmp_path / "k.duckdb", name="checksum"
        ) as live,
    ):
        until(live, lambda: live.books().height == 1)
        server.send(book([("4.0", "1.0")], [], then=([*FIRST[0], ("4.0", "1.0")], FIRST[1])))
        server.send(trades(trade(1)), ticker())
        until(live, lambda: live.books().height == 2 and live.ticks().height == 2)
        assert live.depth("BTC/USD").select("bid_price", "ask_price").rows() == [(5.0, 6.0), (4.0, None)]
        server.send(book([("3.0", "1.0")], [], wrong=1), trades(trade(2)))
        until(live, lambda: "resync" in kinds(live))
        assert live.ticks().height == 3
        asked = [(one["method"], one["params"]["channel"]) for one in server.requests]
        assert asked[-2:] == [("unsubscribe", "book"), ("subscribe", "book")]
        assert live.gaps().select("symbol", "why").rows() == [("KRAKEN:BTC/USD", "checksum")]
        assert live.depth("BTC/USD").select("bid_price", "ask_price").rows() == [(5.5, 6.5)]
        assert live.flush()
        stored = live.sql("SELECT count(*), sum(ltq) FROM realtime_ltp WHERE ltq IS NOT NULL").row(0)
        assert stored == (2, 1.7)
        assert live.sql("SELECT count(*) FROM realtime_depth").item() == 3
        assert server.paths == ["/v2"]


def test_after_a_reconnect_the_missed_trades_come_back_once_and_the_book_with_them() -> None:
    exchange = Kraken()
    with (
        Loopback(exchange) as server,
        lk.stream("BTC/USD", feed="kraken", url=server.url, name="again") as live,
    ):
        server.send(trades(trade(1), trade(2)))
        until(live, lambda: live.ticks().height == 2)
        exchange.missed = [trade(n) for n in (4, 3, 2, 1)]
        server.hang_up()
        until(live, lambda: live.ticks().height == 6 and "resync" in kinds(live))
        repeated = live.flagged()
        assert repeated.select("seq", "why").rows() == [(3, "duplicate"), (4, "duplicate")]
        assert live.latest().select("seq", "ltp").row(0) == (6, 37702.2)
        believed = live.ticks().filter(~pl.col("seq").is_in(repeated["seq"].implode()))
        assert believed["timestamp"].is_sorted()
        assert live.changes().height == live.bars("1m")["ticks"].sum() == 4
        assert live.bars("1m")["volume"].to_list() == [4 * 0.85]
        assert live.gaps()["why"].to_list() == ["connection lost"]
        repeats = live.events().filter(pl.col("kind") == "duplicate")["detail"]
        assert [json.loads(detail)["count"] for detail in repeats] == [2]
        assert live.depth("BTC/USD")["bid_price"].to_list() == [5.5]
