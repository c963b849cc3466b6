"""The feed thread: several connections as one stream, broken lines, books fetched anew."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

import ltpkit as lk
from ltpkit import errors
from ltpkit.feeds import Limits
from ltpkit.feeds.dhan import Simulated
from ltpkit.live import Stream
from ltpkit.simulator import SimulatedExchange
from tests.paths import SHARED, needs_shared
from tests.play import CaptureServer

NAMES = ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY", "NSE:SBIN", "NSE:ITC"]
CAPTURE = SHARED / "recordings" / "crypto-ws" / "binance-spot-btcusdt-20240808.txt.gz"


def until(live: Stream, reached: Callable[[], bool]) -> None:
    assert live._intake.wait_until(reached, 20)


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(rate=20_000) as started:
        yield started


def symbols_of(live: Stream) -> set[str]:
    return set(live.latest()["symbol"])


def test_symbols_beyond_one_connections_limit_are_spread_and_act_as_one_stream(
    exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Simulated, "limits", Limits(per_message=100, per_connection=2, connections=3))
    with lk.stream(NAMES, url=exchange.url, name="spread") as live:
        until(live, lambda: len(symbols_of(live)) == 5)
        assert exchange.clients == 3
        ticks = live.ticks()
        assert ticks["seq"].to_list() == list(range(1, ticks.height + 1))
        with pytest.raises(errors.PlanError, match="7 instruments were asked for and 6 fit"):
            live.subscribe(["LT", "TITAN"])
        assert live.symbols == NAMES
        live.unsubscribe("TCS")
        live.subscribe(["LT", "TITAN"])
        assert exchange.clients == 3
        until(live, lambda: {"LT", "TITAN"} <= symbols_of(live))
    assert live.status().reconnects == 0


def test_a_broken_line_is_opened_again_and_the_gap_is_recorded(exchange: SimulatedExchange) -> None:
    with lk.stream(NAMES[:2], url=exchange.url, name="cut") as live:
        assert live.wait(rows=200)
        exchange.hang_up()
        until(live, lambda: live.status().reconnects == 1 and live.gaps().height == 1)
        assert live.wait(rows=200)
        gap = live.gaps().row(0, named=True)
        assert gap["why"] == "connection lost"
        assert gap["start"] <= gap["end"]
        detail = json.loads(live.events().filter(pl.col("kind") == "gap")["detail"][0])
        assert detail["symbols"] == NAMES[:2]
        assert symbols_of(live) == {"RELIANCE", "TCS"}  # both were subscribed again
        assert live.status().state == "live"
        kinds = live.events()["kind"].to_list()
    assert kinds[:2] == ["connecting", "live"]
    assert kinds.count("disconnected") == 1


def test_what_was_unsubscribed_stays_so_after_a_reconnect(exchange: SimulatedExchange) -> None:
    with lk.stream(NAMES[:3], url=exchange.url, name="less") as live:
        until(live, lambda: len(symbols_of(live)) == 3)
        live.unsubscribe("TCS")
        exchange.hang_up()
        until(live, lambda: live.status().reconnects == 1)
        seq = live.status().received_seq
        assert live.wait(rows=300)
        after = live.ticks().filter(pl.col("seq") > seq)
        assert set(after["symbol"]) == {"RELIANCE", "INFY"}


def test_a_goodbye_that_may_pass_is_followed_by_a_reconnect(exchange: SimulatedExchange) -> None:
    with lk.stream(NAMES[:1], url=exchange.url, name="bye") as live:
        assert live.wait(rows=20)
        exchange.disconnect(805)
        until(live, lambda: live.status().reconnects == 1)
        gone = live.events().filter(pl.col("kind") == "disconnected")
        assert json.loads(gone["detail"][0])["code"] == 805


def test_a_goodbye_for_good_while_streaming_is_shown_and_not_retried(exchange: SimulatedExchange) -> None:
    with lk.stream(NAMES[:1], url=exchange.url, name="final") as live:
        assert live.wait(rows=20)
        exchange.disconnect(806)
        until(live, lambda: live.status().state == "refused")
        assert "806" in (live.status().last_error or "")
        assert live.status().reconnects == 0
        assert live.ticks().height >= 20  # what was received stays


def test_a_frame_that_cannot_be_read_is_kept_and_the_stream_goes_on(
    exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lk.stream(NAMES[:1], url=exchange.url, name="bug") as live:
        assert live.wait(rows=20)
        works = live._feed.decode

        def fails_once(*args: object) -> object:
            monkeypatch.setattr(live._feed, "decode", works)
            raise ZeroDivisionError("a bug of ours")

        monkeypatch.setattr(live._feed, "decode", fails_once)
        until(live, lambda: live.status().rejects > 0)
        assert live.wait(rows=20)
        assert "ZeroDivisionError: a bug of ours" in live.rejects()["reason"][0]
        assert len(live.rejects()["frame"][0]) > 0
        assert "a bug of ours" in (live.status().last_error or "")


@needs_shared
def test_a_missing_change_of_a_book_is_a_gap_and_the_book_is_fetched_anew() -> None:
    diffs = [
        number
        for number, (_, payload) in enumerate(CaptureServer(CAPTURE).lines, 1)
        if b"@depth" in payload[:40]
    ]
    missing = diffs[200]
    with CaptureServer(CAPTURE, skip=[missing]) as server:
        server.play_until(diffs[400])
        live = lk.stream("BTCUSDT", feed="binance", url=server.url, rest_url=server.rest_url, name="gap")
        server.wait_until(diffs[400])
        until(live, lambda: "resync" in live.events()["kind"].to_list())
        server.play_on()
        server.wait_until()
        gaps = live.gaps()
        assert gaps["why"].to_list() == ["depth sequence"]
        assert gaps["symbol"].to_list() == ["BINANCE:BTCUSDT"]
        until(live, lambda: live.ticks().filter(pl.col("ltq").is_not_null()).height == 9757)
        live.stop()


@needs_shared
def test_a_line_cut_in_the_middle_of_a_capture_goes_on_with_a_gap(tmp_path: Path) -> None:
    with CaptureServer(CAPTURE) as server:
        server.play_until(5000)
        live = lk.stream(
            "BTCUSDT",
            feed="binance",
            url=server.url,
            rest_url=server.rest_url,
            store=tmp_path / "cut.duckdb",
        )
        server.wait_until(5000)
        until(live, lambda: live.depth("BTCUSDT").height > 0)
        server.drop()
        server.play_on()
        until(live, lambda: live.status().reconnects == 1)
        server.wait_until()
        until(live, lambda: live.gaps().height > 0)
        assert "connection lost" in live.gaps()["why"].to_list()
        until(live, lambda: "resync" in live.events()["kind"].to_list())
        live.stop()
    with lk.open(tmp_path / "cut.duckdb") as archive:
        assert archive.gaps().equals(live.gaps())
        count = archive.sql("SELECT count(*), max(seq) FROM ticks").row(0)
        assert count == (live.ticks().height, live.ticks().height)


def test_threads_take_shorter_turns_while_any_feed_runs_and_the_usual_ones_after(
    exchange: SimulatedExchange,
) -> None:
    usual = sys.getswitchinterval()
    with lk.stream(NAMES[:1], url=exchange.url, name="first"):
        assert sys.getswitchinterval() == pytest.approx(0.001)
        with lk.stream(NAMES[:1], url=exchange.url, name="second"):
            assert sys.getswitchinterval() == pytest.approx(0.001)
        assert sys.getswitchinterval() == pytest.approx(0.001)
    assert sys.getswitchinterval() == usual


def test_turns_that_somebody_else_chose_meanwhile_are_left_alone(exchange: SimulatedExchange) -> None:
    usual = sys.getswitchinterval()
    try:
        with lk.stream(NAMES[:1], url=exchange.url, name="turns"):
            sys.setswitchinterval(0.002)
        assert sys.getswitchinterval() == pytest.approx(0.002)
    finally:
        sys.setswitchinterval(usual)
