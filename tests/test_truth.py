"""The whole path on real input: captures played over a socket, and replayed, against worked-out truths."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import ltpkit as lk
from ltpkit.held import Held
from tests.paths import SHARED, needs_shared
from tests.play import CaptureServer, read_capture

pytestmark = needs_shared

FOLDER = SHARED / "recordings" / "crypto-ws"
CAPTURES = {
    "usdm": ("binance-usdm-btcusdt-20240808.truth.json", "BINANCE_USDM:BTCUSDT"),
    "spot": ("binance-spot-btcusdt-20240808-09.truth.json", "BINANCE:BTCUSDT"),
}


def truth_of(kind: str) -> tuple[dict[str, Any], list[Path]]:
    truth: dict[str, Any] = json.loads((FOLDER / CAPTURES[kind][0]).read_text())
    return truth, [FOLDER / name for name in truth["files"]]


def exact(values: pl.Series) -> Decimal:
    """The sum of the numbers as they were written on the wire."""
    return sum((Decimal(repr(value)) for value in values), Decimal(0))


def same(text: str | None, value: float | None) -> bool:
    return (text is None and value is None) or (text is not None and float(text) == value)


def check_checkpoint(held: Held, wanted: dict[str, Any], line: object) -> None:
    ticks, latest = held.ticks(), held.latest()
    trades = ticks.filter(pl.col("ltq").is_not_null())
    assert trades.height == wanted["trades_so_far"], line
    if wanted["last_trade_price"] is not None:
        assert same(wanted["last_trade_price"], latest["ltp"][0]), line
    if wanted["last_quote"] is not None:
        assert [float(text) for text in wanted["last_quote"]] == [
            latest[name][0] for name in ("bid", "bid_qty", "ask", "ask_qty")
        ], line
    if "bids" in wanted:
        book = held.depth(held.symbols[0], levels=5)
        for side in ("bid", "ask"):
            top = [[float(price), float(qty)] for price, qty in wanted[f"{side}s"]]
            assert book.select(f"{side}_price", f"{side}_qty").rows() == [tuple(level) for level in top], line


def check_whole(held: Held, truth: dict[str, Any]) -> None:
    """Everything the truth file says of the capture as a whole, from frames and from SQL."""
    ticks = held.ticks()
    trades = ticks.filter(pl.col("ltq").is_not_null())
    facts = truth["trade"]
    assert trades.height == facts["count"]
    assert trades["ltp"][-1] == float(facts["last_price"])
    assert (trades["ltp"].max(), trades["ltp"].min()) == (float(facts["high"]), float(facts["low"]))
    assert exact(trades["ltq"]) == Decimal(facts["sum_qty"])
    turnover = sum(
        (Decimal(repr(p)) * Decimal(repr(q)) for p, q in trades.select("ltp", "ltq").iter_rows()), Decimal(0)
    )
    assert turnover == Decimal(facts["sum_price_x_qty"])
    quotes = ticks.filter(pl.col("bid").is_not_null())
    assert quotes.height == truth["quote"]["count"]
    last = truth["quote"]["last"]
    assert quotes.select("bid", "bid_qty", "ask", "ask_qty").row(-1) == tuple(float(last[k]) for k in "bBaA")

    bars = held.bars("1m")
    sql = held.sql("SELECT * FROM bars_1m ORDER BY start")
    rows = truth["bars_1m_by_exchange_time"]["rows"]
    for found in (bars, sql):
        assert found.height == len(rows)
        for bar, row in zip(found.iter_rows(named=True), rows, strict=True):
            start_ms, open_, high, low, close, qty, count, _ = row
            assert bar["start"] == datetime.fromtimestamp(start_ms / 1000, UTC)
            assert [bar[k] for k in ("open", "high", "low", "close")] == [
                float(x) for x in (open_, high, low, close)
            ]
            assert bar["ticks"] == count
            assert bar["volume"] == pytest.approx(float(qty), rel=1e-12)

    counted = held.sql("SELECT count(*) AS n, max(seq) AS last, count(ltq) AS trades FROM ticks").row(0)
    assert counted == (ticks.height, ticks["seq"][-1], facts["count"])
    assert held.gaps().is_empty()
    assert held.rejects().is_empty()


@pytest.mark.parametrize("kind", ["usdm", "spot"])
def test_a_capture_played_at_full_speed_ends_as_the_truth_says_at_every_checkpoint(
    kind: str, tmp_path: Path
) -> None:
    truth, files = truth_of(kind)
    store = tmp_path / "truth.duckdb"
    with CaptureServer(*files) as server:
        server.play_until(1)
        live = lk.stream(
            "BTCUSDT", feed="binance", kind=kind, url=server.url, rest_url=server.rest_url, store=store
        )
        trades = 0
        for line, wanted in truth["checkpoints"].items():
            server.play_until(int(line))
            server.wait_until(int(line))
            # Every message is a row of ticks or a change of the book: wait for the last one of them.
            messages = truth_messages(files, int(line)) + len(server.requests)  # each was answered
            assert live._intake.wait_until(lambda n=messages: live._intake.frames >= n, 30)
            if "bids" in wanted:
                assert live._intake.wait_until(lambda: not live._intake.wanted_books, 30)
            check_checkpoint(live, wanted, line)
            trades = wanted["trades_so_far"]
        assert trades == truth["trade"]["count"]
        check_whole(live, truth)
        live.stop()
    with lk.open(store) as archive:
        found = archive.sql(
            "SELECT count(*) AS n, count(DISTINCT seq) AS d, count(ltq) AS t FROM realtime_ltp"
        )
        assert found.row(0) == (live.ticks().height, live.ticks().height, truth["trade"]["count"])
        assert archive.ticks().equals(live.ticks())
        assert archive.latest().equals(live.latest())
        assert archive.depth("BTCUSDT").equals(live.depth("BTCUSDT"))
        assert archive.bars("1m").drop("growing").equals(live.bars("1m").drop("growing"))


def truth_messages(files: list[Path], line: int) -> int:
    """How many WebSocket messages a client has got after so many lines: the snapshot came over HTTP."""
    lines = read_capture(*files)[:line]
    return sum(b'"stream"' in payload[:12] for _, payload in lines)


def test_a_capture_played_at_its_recorded_pace_is_received_tick_by_tick() -> None:
    truth, files = truth_of("usdm")
    with CaptureServer(*files, speed=1.0) as server:
        server.play_until(1000)  # the first 4.9 seconds
        live = lk.stream("BTCUSDT", feed="binance", kind="usdm", url=server.url, rest_url=server.rest_url)
        server.wait_until(1000)
        messages = truth_messages(files, 1000) + len(server.requests)
        assert live._intake.wait_until(lambda: live._intake.frames >= messages, 30)
        check_checkpoint(live, truth["checkpoints"]["1000"], 1000)
        ticks = live.ticks()
        live.stop()
    span = (ticks["received_at"][-1] - ticks["received_at"][0]).total_seconds()
    recorded = (truth["checkpoints"]["1000"]["recv_ns"] - truth["recv_ns_first"]) / 1e9
    assert span > 0.9 * recorded


@pytest.mark.parametrize("kind", ["usdm", "spot"])
def test_a_capture_replayed_as_fast_as_possible_ends_as_the_truth_says(kind: str, tmp_path: Path) -> None:
    truth, files = truth_of(kind)
    path = files[0]
    if len(files) > 1:  # the spot capture is a pair, one after the other
        import gzip

        path = tmp_path / "both.txt"
        path.write_bytes(b"".join(gzip.decompress(file.read_bytes()) for file in files))
    played = lk.replay(path, speed="max", feed="binance", kind=kind)
    check_whole(played, truth)
    again = lk.replay(path, speed="max", feed="binance", kind=kind)
    assert again.ticks().equals(played.ticks())
    assert again.books().equals(played.books())
    received = played.ticks()["received_at"].dt.epoch("us")
    lines = [int(line) for line in (truth["recv_ns_first"], truth["recv_ns_last"])]
    assert received[0] >= lines[0] // 1000
    assert received[-1] <= lines[1] // 1000
    # The book after any line, by its receive time.
    for line, wanted in truth["checkpoints"].items():
        if "bids" not in wanted:
            continue
        at = datetime.fromtimestamp(wanted["recv_ns"] // 10**9, UTC).replace(
            microsecond=wanted["recv_ns"] // 1000 % 10**6
        )
        book = played.books().filter(pl.col("received_at") <= at).tail(1)
        for side in ("bid", "ask"):
            top = [(float(price), float(qty)) for price, qty in wanted[f"{side}s"]]
            found = list(zip(book[f"{side}_price"][0][:5], book[f"{side}_qty"][0][:5], strict=True))
            assert found == top, line
    played.stop()
    again.stop()
