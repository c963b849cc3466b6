"""A live stream over the built-in exchange, as an analyst uses it; and what bad input gets."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import polars as pl
import pytest

import ltpkit as lk
from ltpkit import errors
from ltpkit.live import Stream
from ltpkit.schema import QUERY_TABLES, TICKS, polars_schema
from ltpkit.simulator import SimulatedExchange
from ltpkit.store import Store

NAMES = ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY"]


@pytest.fixture
def live(tmp_path: Path) -> Stream:
    with lk.stream(NAMES, store=tmp_path / "ticks.duckdb", rate=20_000, flush_interval_s=0.1) as started:
        assert started.wait(rows=500)
        yield started


def test_one_line_gives_live_frames(live: Stream) -> None:
    ticks = live.ticks("RELIANCE")
    assert ticks.columns == list(TICKS)
    assert dict(ticks.schema) == polars_schema("ticks")
    assert set(ticks["symbol"]) == {"RELIANCE"}
    assert set(ticks["source"]) == {"simulated"}
    latest = live.latest()
    assert latest["symbol"].to_list() == ["RELIANCE", "TCS", "INFY"]
    assert latest["ltp"].null_count() == 0
    assert (latest["high_price"] >= latest["low_price"]).all()
    assert (latest["ask"] > latest["bid"]).all()
    before = live.ticks()
    kept = before.rows()
    assert live.wait(rows=500)
    assert before.rows() == kept
    assert live.ticks().height > before.height


def test_changes_bars_and_depth_agree_with_the_ticks(live: Stream) -> None:
    live.unsubscribe(NAMES)
    ticks = live.ticks("TCS").filter(pl.col("ltp").is_not_null())
    changes = live.changes("TCS")
    assert changes["change"].to_list() == ticks["ltp"].diff().to_list()
    bars = live.bars("1s", symbol="TCS")
    assert bars["ticks"].sum() == ticks.height
    assert bars["close"][-1] == ticks["ltp"][-1]
    assert not bars["growing"][:-1].any()
    book = live.depth("TCS", levels=3)
    assert book.columns[:3] == ["level", "bid_orders", "bid_qty"]
    assert book.height == 3
    assert book["bid_price"].is_sorted(descending=True)
    assert book["ask_price"].is_sorted()
    newest = live.books("TCS", last=1)
    assert newest["bid_price"][0][0] == book["bid_price"][0]


def test_sql_sees_memory_and_store_as_one_each_row_once(live: Stream) -> None:
    for _ in range(20):
        row = live.sql("SELECT count(*), count(DISTINCT seq), max(seq), min(seq) FROM ticks").row(0)
        assert row == (row[2], row[2], row[2], 1)
    assert live.flush()
    assert live.status().stored_seq > 0
    found = live.sql("SELECT DISTINCT symbol FROM ticks WHERE symbol = $s", {"s": "TCS"})
    assert found["symbol"].to_list() == ["TCS"]
    found = live.sql(
        "SELECT t.symbol, w.weight FROM latest_ltp t JOIN weights w USING (symbol)",
        weights=pl.DataFrame({"symbol": ["TCS"], "weight": [0.5]}),
    )
    assert found.rows() == [("TCS", 0.5)]


def test_a_lazy_frame_reads_afresh_at_each_collect(live: Stream) -> None:
    lazy = live.scan().filter(pl.col("symbol") == "TCS").select(pl.len())
    first = lazy.collect().item()
    assert live.wait(rows=2000)
    assert lazy.collect().item() > first


def test_subscriptions_change_while_live_and_only_the_difference_is_sent(live: Stream) -> None:
    live.subscribe(["SBIN", "NSE:TCS"])
    assert live.symbols == [*NAMES, "NSE:SBIN"]
    assert live._intake.wait_until(lambda: "SBIN" in live.latest()["symbol"], 10)
    live.unsubscribe("TCS")
    assert live.symbols == ["NSE:RELIANCE", "NSE:INFY", "NSE:SBIN"]
    assert live.ticks("TCS").height > 0


def test_stopping_stores_everything_and_a_second_stop_does_nothing(live: Stream, tmp_path: Path) -> None:
    live.stop()
    live.stop()
    ticks, books, events = live.ticks(), live.books(), live.events()
    assert live.status().state == "stopped"
    assert live.status().stored_seq == live.status().received_seq == ticks.height
    with lk.open(tmp_path / "ticks.duckdb") as archive:
        assert archive.ticks().equals(ticks)
        assert archive.books().equals(books)
        assert archive.events().equals(events)
        assert archive.ticks(["RELIANCE", "NSE:TCS"], last=7).equals(
            live.ticks(["RELIANCE", "NSE:TCS"], last=7)
        )
        assert archive.changes("INFY").equals(live.changes("INFY"))
        assert archive.sql("SELECT count(*) FROM ticks").item() == ticks.height
    with pytest.raises(errors.StreamStopped, match=r"lk\.open"):
        live.sql("SELECT 1")
    with pytest.raises(errors.StreamStopped):
        live.subscribe("SBIN")


def test_what_a_store_has_not_is_said_with_what_does_instead(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    Store(path).close()
    with lk.open(path) as archive:
        with pytest.raises(AttributeError, match=r"opened to read\. close\(\) lets the file go\.$"):
            archive.stop()  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match="ltpkit compact FILE"):
            archive.compact()  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match=r"^subscribe is a stream's, .* opened to read\.$"):
            archive.subscribe("INFY")  # type: ignore[attr-defined]
        with pytest.raises(AttributeError, match=r"^'Archive' object has no attribute 'tick'"):
            archive.tick()  # type: ignore[attr-defined]
        assert not hasattr(archive, "_repr_png_")
        with pytest.raises(duckdb.CatalogException) as wrong:
            archive.sql("FROM trades")
        assert wrong.value.__notes__ == [f"There are {', '.join(QUERY_TABLES)}."]


def test_what_was_unsubscribed_keeps_its_last_values(live: Stream) -> None:
    assert live.wait(rows=200)
    live.unsubscribe("TCS")
    assert "NSE:TCS" in live.known()
    assert "NSE:TCS" not in live.symbols
    assert live.latest("TCS")["seq"].to_list() == live.ticks("TCS", last=1)["seq"].to_list()
    assert live.sql("SELECT ltp FROM latest_ltp WHERE symbol = 'TCS'").item() == live.latest("TCS")["ltp"][0]


def test_start_stop_start_goes_on_with_the_numbers_and_prices(live: Stream, tmp_path: Path) -> None:
    live.stop()
    last = live.ticks()
    live.start()
    assert live.symbols == NAMES
    assert live.wait(rows=100)
    ticks = live.ticks()
    assert ticks["seq"].to_list() == list(range(1, ticks.height + 1))
    assert ticks.head(last.height).equals(last)
    live.stop()
    with lk.stream(NAMES, store=tmp_path / "ticks.duckdb", rate=2000) as again:  # as after a kernel's restart
        assert again.wait(rows=100)
        first = again.ticks("TCS").filter(pl.col("ltp").is_not_null()).head(1)
        assert first["seq"][0] > ticks["seq"][-1]
        before = live.ticks("TCS").filter(pl.col("ltp").is_not_null())["ltp"][-1]
        assert first["change"][0] == first["ltp"][0] - before
        count = again.sql("SELECT count(*), max(seq) FROM ticks").row(0)
        assert count[0] == count[1]


def test_what_was_unsubscribed_does_not_come_back_with_a_new_start(live: Stream) -> None:
    live.unsubscribe(NAMES)
    live.stop()
    live.stop()
    live.start()
    assert live.symbols == []
    live.start(["NSE:TCS"])
    assert live.symbols == ["NSE:TCS"]


def test_the_same_cell_run_twice_leaves_one_connection(live: Stream, tmp_path: Path) -> None:
    threads = {thread.name for thread in threading.enumerate()}
    again = lk.stream([*NAMES, "NSE:ITC"], store=tmp_path / "ticks.duckdb", rate=20_000, flush_interval_s=0.1)
    assert again is live
    assert again.symbols == [*NAMES, "NSE:ITC"]
    assert {thread.name for thread in threading.enumerate()} == threads
    assert live._exchange is not None
    assert live.status().reconnects == 0


def test_a_cell_run_again_with_other_arguments_restarts_the_stream_and_says_so(
    live: Stream, tmp_path: Path
) -> None:
    with pytest.warns(UserWarning, match=r"stopped and a new one started"):
        again = lk.stream("NSE:ITC", store=tmp_path / "ticks.duckdb", rate=30_000, flush_interval_s=0.1)
    assert live.status().state == "stopped"
    assert again.symbols == [*NAMES, "NSE:ITC"]
    assert again.wait(rows=100)
    assert again.ticks()["seq"][0] == live.ticks()["seq"][-1] + 1
    again.stop()


def test_arguments_that_cannot_be_had_leave_the_running_stream_alone(live: Stream, tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    for wrong in ({"buffer_size": -1}, {"stor": "x.duckdb"}, {"rate": -5}, {"keep_days": -1}):
        with pytest.raises(errors.SettingError):
            lk.stream(NAMES, store=path, **wrong)
    with pytest.raises(errors.UnknownInstrument):
        lk.stream([*NAMES, "NSE:RELIANC"], store=path, rate=1000)
    assert live.status().state == "live"
    with pytest.warns(UserWarning, match=r"\(rate, flush_interval_s, buffer_size\)"):
        lk.stream(NAMES, store=path, rate=1000, buffer_size=500).stop()


def test_a_stop_in_between_is_a_gap_and_the_simulated_market_goes_on(live: Stream) -> None:
    live.stop()
    before = live.latest("TCS")["volume"][0]
    live.start()
    assert live.wait(rows=200)
    assert live.latest("TCS")["volume"][0] >= before
    gap = live.gaps().row(0, named=True)
    assert (gap["why"], gap["symbols"]) == ("stopped", NAMES)
    assert gap["start"] <= gap["end"]


def test_a_file_of_the_other_kind_is_told_what_opens_it(live: Stream, tmp_path: Path) -> None:
    live.stop()
    with pytest.raises(errors.RecordingError, match=r"is a store, not a recording: lk\.open"):
        lk.replay(tmp_path / "ticks.duckdb")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "frames.parquet")
    for use in (lk.open, lambda path: lk.stream("TCS", store=path)):
        with pytest.raises(errors.NotAStore, match=r"A recording is played by lk\.replay"):
            use(tmp_path / "frames.parquet")


def test_old_days_leave_the_store_and_what_is_left_can_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    with lk.stream("TCS", store=path, rate=20_000) as live:
        assert live.wait(rows=100)
    with duckdb.connect(str(path)) as connection:  # as if it had been received last week
        connection.execute("UPDATE realtime_ltp SET received_at = received_at - INTERVAL 7 DAY")
    with lk.stream("TCS", store=path, rate=20_000, keep_days=3, flush_interval_s=0.05) as live:
        assert live.wait(rows=100)
        assert live.flush()
        first = live.sql("SELECT min(seq) FROM ticks").item()
        assert first == live.ticks()["seq"][0]
        files = live.export(tmp_path / "parquet")
    ticks = pl.read_parquet(tmp_path / "parquet" / "realtime_ltp")
    assert ticks["seq"].min() == first
    assert ticks["seq"].max() >= first + 99
    assert all(file.is_file() for file in files)
    with pytest.raises(errors.SettingError, match="keep_days=-1"):
        lk.stream("TCS", keep_days=-1)


def test_status_is_told_in_a_line_and_a_card(live: Stream) -> None:
    status = live.status()
    assert (status.state, status.feed, status.symbols) == ("live", "simulated", NAMES)
    assert status.rate > 0
    assert status.last_tick_age_s is not None
    assert repr(live).startswith("<Stream simulated live · 3 symbols · ")
    card = live._repr_html_()
    assert "NSE:RELIANCE" in card
    assert str(live._store_path) in card


def test_a_recording_replays_to_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "frames.parquet"
    with lk.stream(NAMES, rate=20_000, record=path) as live:
        assert live.wait(rows=2000)
        live.subscribe("SBIN")
        assert live.wait(rows=2000)
    played = lk.replay(path, speed="max")
    assert played.status().state == "finished"
    assert played.status().last_tick_age_s is None
    assert "no tick yet" not in repr(played)
    assert played.ticks().equals(live.ticks())
    assert played.books().equals(live.books())
    assert played.latest().equals(live.latest())
    assert played.sql("SELECT count(*) FROM ticks").item() == live.ticks().height
    assert played.drain(0)
    played.stop()
    slow = lk.replay(path, speed=50)
    assert slow.drain(30)
    assert slow.ticks().drop("received_at").equals(live.ticks().drop("received_at"))
    slow.stop()


def test_the_same_seed_gives_the_same_market() -> None:
    def prices() -> list[float]:
        with lk.stream("RELIANCE", rate=1000, seed=3) as live:
            assert live.wait(rows=50)
        return live.ticks("RELIANCE")["ltp"].drop_nulls().head(20).to_list()

    assert prices() == prices()


# -- bad input --------------------------------------------------------------------------------


def test_an_unknown_feed_is_told_the_near_ones() -> None:
    with pytest.raises(errors.UnknownFeed, match="Did you mean 'binance'"):
        lk.stream("BTCUSDT", feed="binanse")


def test_an_unknown_symbol_is_told_the_near_ones_and_nothing_is_started() -> None:
    threads = threading.active_count()
    with pytest.raises(errors.UnknownInstrument, match="Close matches: NSE:RELIANCE"):
        lk.stream("NSE:RELIANCEE", rate=50)
    assert threading.active_count() == threads


def test_reading_a_symbol_that_is_not_held_names_the_near_ones(live: Stream) -> None:
    with pytest.raises(
        errors.UnknownInstrument, match=r"NSE:INFYY is not known to this stream\. Close matches: NSE:INFY"
    ):
        live.ticks("NSE:INFYY")
    with pytest.raises(LookupError):
        live.depth("NIFTY")
    with pytest.raises(errors.SettingError, match="levels=0"):
        live.depth("TCS", levels=0)


@pytest.mark.parametrize("given", [[], 42, ["TCS", 7]])
@pytest.mark.parametrize("method", ["ticks", "latest", "books", "changes", "flagged", "chart"])
def test_what_is_no_symbol_is_told_what_is_wanted(live: Stream, method: str, given: object) -> None:
    with pytest.raises(errors.SettingError) as refused:
        getattr(live, method)(given)
    assert str(refused.value) == f'{given!r}: give a symbol, "RELIANCE", or a list of one or more.'


def test_a_store_says_in_its_own_words_that_it_has_no_such_symbol(live: Stream, tmp_path: Path) -> None:
    live.stop()
    with lk.open(tmp_path / "ticks.duckdb") as store:
        with pytest.raises(errors.UnknownInstrument) as unknown:
            store.ticks("NOPE")
        assert str(unknown.value) == "NOPE is not in this store. It has NSE:INFY, NSE:RELIANCE, NSE:TCS."
        with pytest.raises(errors.UnknownInstrument) as unknown:
            store.chart("INFYY")
        assert str(unknown.value) == "INFYY is not in this store. Close matches: NSE:INFY."


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense"])
def test_an_address_that_is_no_websocket_is_refused(url: str) -> None:
    with pytest.raises(errors.SettingError):
        lk.stream("BTCUSDT", feed="binance", url=url)


def test_an_address_nobody_listens_at_is_shown_and_tried_again() -> None:
    with SimulatedExchange(rate=10) as exchange:
        url = exchange.url
    live = lk.stream("BTCUSDT", feed="binance", url=url)
    assert live.status().state in ("backing_off", "connecting")
    assert "cannot be reached" in (live.status().last_error or "")
    live.stop()


def test_a_refused_login_says_the_brokers_words_and_shows_no_secret() -> None:
    with (
        SimulatedExchange(rate=10, tokens={"77": "right"}) as exchange,
        pytest.raises(errors.LoginRefused) as refused,
    ):
        lk.stream("NSE:RELIANCE", feed="simulated", url=exchange.url, token="s3cret-wrong", client_id="77")
    assert refused.value.code in (808, 809)
    assert "s3cret" not in f"{refused.value!r} {refused.value}"


def test_a_setting_that_cannot_be_used_is_named() -> None:
    with pytest.raises(errors.SettingError, match=r"buffer_size|REALTIME_BUFFER_SIZE"):
        lk.stream("RELIANCE", buffer_size=0)
    with pytest.raises(errors.SettingError, match="nonesuch"):
        lk.stream("RELIANCE", nonesuch=1)


def test_a_store_that_another_process_holds_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "held.duckdb"
    code = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        holder.stdout.readline()
        with pytest.raises(errors.StoreLocked, match=r"held\.duckdb is in use by .*Stop that process"):
            lk.stream("RELIANCE", store=path)
        holder.stdin.close()


def test_a_file_that_is_not_duckdb_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_text("dear diary, " * 1000)
    with pytest.raises(errors.NotAStore):
        lk.stream("RELIANCE", store=path)
    assert path.read_text().startswith("dear diary")


def test_a_store_of_a_running_stream_is_shared_to_read_and_refused_to_write(
    live: Stream, tmp_path: Path
) -> None:
    path = tmp_path / "ticks.duckdb"
    with lk.open(path) as archive:
        assert live.flush()
        assert archive.sql("SELECT count(*) FROM ticks").item() > 0
    assert live.sql("SELECT count(*) FROM ticks").item() > 0  # closing the archive left the stream its store
    with pytest.raises(errors.StoreError, match="is being written by the simulated stream"):
        lk.stream("RELIANCE", store=path, name="other")


def test_a_capture_whose_feed_is_not_said_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "capture.txt"
    path.write_bytes(b'1000 {"a":1}\n')
    with pytest.raises(errors.RecordingError, match="Name the feed"):
        lk.replay(path)
    with pytest.raises(errors.RecordingError, match="There is no recording"):
        lk.replay(tmp_path / "absent.parquet")
    with pytest.raises(errors.SettingError, match="speed"):
        lk.replay(path, feed="binance", speed=0)
    with pytest.raises(errors.SettingError, match="speed was 'fast'"):
        lk.replay(path, feed="binance", speed="fast")  # type: ignore[arg-type]


def test_a_capture_that_ends_mid_frame_gives_its_whole_rows_and_one_reject(tmp_path: Path) -> None:
    line = (
        b'%d {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT",'
        b'"t":%d,"p":"1.5","q":"2","T":1,"m":true}}\n'
    )
    whole = b"".join(line % (1000 * n, n) for n in range(1, 6))
    path = tmp_path / "capture.txt"
    path.write_bytes(whole[:-30])
    played = lk.replay(path, speed="max", feed="binance")
    assert played.ticks()["ltp"].to_list() == [1.5] * 4
    assert played.rejects().height == 1
    assert played.status().rejects == 1
    cut = played.events().filter(pl.col("kind") == "recording_cut")
    assert json.loads(cut["detail"][0])["why"] == "the last line has no end"
    played.stop()


def test_the_interpreters_end_stores_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "ticks.duckdb"
    code = (
        "import sys, ltpkit as lk; live = lk.stream('RELIANCE', store=sys.argv[1], rate=5000,"
        " buffer_size=10**9, flush_interval_s=1000); live.wait(rows=50); print(live.status().received_seq)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    with lk.open(path) as archive:
        assert archive.sql("SELECT count(*) FROM ticks").item() >= int(done.stdout)


def test_a_replay_nobody_stopped_ends_quietly_with_the_interpreter(tmp_path: Path) -> None:
    path = tmp_path / "frames.parquet"
    with lk.stream("RELIANCE", rate=20_000, record=path) as live:
        assert live.wait(rows=20)
    code = "import sys, ltpkit as lk; print(lk.replay(sys.argv[1], speed='max').ticks().height)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) == live.ticks().height
    assert done.stderr == ""


def test_nested_loops_are_allowed_on_request_only() -> None:
    code = (
        "import asyncio, ltpkit as lk\n"
        "async def inner(): return 42\n"
        "async def outer(): return asyncio.run(inner())\n"
        "lk.allow_nested()\n"
        "print(asyncio.run(outer()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "42\n"


def test_every_public_name_is_there_and_documented() -> None:
    for name in lk.__all__:
        assert getattr(lk, name).__doc__, name
    with pytest.raises(AttributeError):
        _ = lk.nonesuch
    assert set(lk.__all__) <= set(dir(lk))


def test_unsubscribing_what_is_not_subscribed_says_what_is(live: Stream) -> None:
    with pytest.raises(errors.UnknownInstrument) as unknown:
        live.unsubscribe("NSE:INFYY")
    assert str(unknown.value) == "NSE:INFYY is not known to this stream. Close matches: NSE:INFY."
