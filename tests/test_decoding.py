"""Captured bytes become rows, events and rejects: in Python, and through the command."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import ltpkit as lk
from ltpkit.cli import app
from ltpkit.decoding import Decoded
from ltpkit.errors import RecordingError, SettingError, UnknownFeed
from ltpkit.feeds.dhan.wire import FULL, TICKER
from ltpkit.instrument import Instrument
from ltpkit.recording import Recorder
from ltpkit.schema import DEPTH, EVENTS, TICKS, polars_schema
from tests.paths import HAS_SHARED, SHARED, needs_shared

RELIANCE = Instrument(exchange="NSE", symbol="RELIANCE", segment="NSE_EQ", broker_id="2885", tick_size=0.05)
AT = 1_766_302_999_123_456
FIXTURES = SHARED / "feeds" / "fixtures"


def ticker(price: float = 1411.5, *, time: int = 1_753_455_192, security_id: int = 2885) -> bytes:
    return np.array((2, 16, 1, security_id, price, time), TICKER).tobytes()


def full(price: float = 1411.5) -> bytes:
    packet = np.zeros((), FULL)
    packet["code"], packet["length"], packet["segment"], packet["security_id"] = 8, 162, 1, 2885
    packet["ltp"], packet["ltt"] = price, 1_753_455_192
    packet["depth"]["bid_price"], packet["depth"]["bid_qty"] = price, 10
    return packet.tobytes()


def run(*arguments: str | Path) -> list[dict[str, Any]]:
    """The rows that the command prints."""
    result = CliRunner().invoke(app, ["decode", *map(str, arguments)])
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def of(rows: Sequence[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["kind"] == kind]


# --- in Python ----------------------------------------------------------------------------------


def test_frames_become_frames() -> None:
    found = lk.decode("dhan", [full(), b"\x02", ticker()], kind="live", known=[RELIANCE], received_at=AT)
    assert isinstance(found, Decoded)
    assert repr(found) == "<Decoded dhan live: 2 ticks, 1 depth, 0 events, 1 rejects>"
    assert dict(found.ticks.schema) == polars_schema("ticks")
    assert dict(found.depth.schema) == polars_schema("depth")
    assert dict(found.events.schema) == polars_schema("events")
    assert found.ticks.select(pl.col("symbol").cast(str), "ltp").rows() == [("RELIANCE", 1411.5)] * 2
    assert found.depth["bid_price"].to_list() == [[1411.5] * 5]
    received = datetime.fromtimestamp(AT / 1e6, UTC)
    assert found.rejects.rows() == [(received, "cut short: 1 bytes where a header has 8", b"\x02")]


def test_frames_without_a_time_have_none_and_never_1970() -> None:
    found = lk.decode("dhan", [ticker(), ticker(time=0), b""])
    assert found.ticks["received_at"].null_count() == 2
    assert found.ticks["timestamp"].to_list() == [datetime(2025, 7, 25, 9, 23, 12, tzinfo=UTC), None]
    assert found.rejects["received_at"].null_count() == 1


def test_each_frame_may_have_its_own_time() -> None:
    found = lk.decode("dhan", [ticker(), ticker()], received_at=np.array([AT, AT + 5]))
    assert found.ticks["received_at"].to_physical().to_list() == [AT, AT + 5]


def test_text_frames_are_taken_as_text() -> None:
    found = lk.decode(
        "binance", ['{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1.5","q":"2","T":1628000000000}']
    )
    assert found.ticks["ltp"].to_list() == [1.5]


def test_more_frames_than_are_decoded_together_keep_their_order() -> None:
    prices = [1000 + i / 20 for i in range(3000)]
    found = lk.decode("dhan", [ticker(price) for price in prices], known=[RELIANCE])
    assert found.ticks["ltp"].to_list() == prices
    assert found.ticks["seq"].to_list() == list(range(1, 3001))


def test_nothing_is_nothing() -> None:
    found = lk.decode("dhan", [])
    assert (found.ticks.height, found.depth.height, found.events.height, found.rejects.height) == (0, 0, 0, 0)


def test_what_cannot_be_decoded_is_said() -> None:
    with pytest.raises(UnknownFeed, match="Did you mean 'dhan'"):
        lk.decode("dahn", [])
    with pytest.raises(SettingError, match="no kind 'depth30'"):
        lk.decode("dhan", [], kind="depth30")
    with pytest.raises(SettingError, match="takes no 'colour'"):
        lk.decode("dhan", [], colour="red")
    with pytest.raises(RecordingError, match="name the feed"):
        lk.decode(None, [b""])
    with pytest.raises(RecordingError, match=r"There is no file .*gone\.bin"):
        lk.decode("dhan", Path("gone.bin"))


def test_a_decoder_that_fails_costs_its_frames_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    from ltpkit.feeds.dhan import Dhan

    def broken(self: Dhan, frames: Sequence[bytes], received_at: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(Dhan, "decode", broken)
    found = lk.decode("dhan", [ticker(), ticker()])
    assert found.rejects["reason"].to_list() == ["the decoder failed: KeyError: 'ours'"] * 2
    assert found.rejects["frame"].to_list() == [ticker()] * 2


# --- files --------------------------------------------------------------------------------------


def test_bin_files_hold_a_message_each_and_are_one_stream(tmp_path: Path) -> None:
    for name, frame in (("a.bin", ticker(1411.5)), ("b.bin", ticker(1412.0)), ("empty.bin", b"")):
        (tmp_path / name).write_bytes(frame)
    rows = run("--feed", "dhan", *(tmp_path / name for name in ("a.bin", "b.bin", "empty.bin")))
    assert [row["kind"] for row in rows] == ["tick", "tick", "reject"]
    assert [row["change"] for row in of(rows, "tick")] == [None, 0.5]
    assert rows[2] == {"kind": "reject", "received_at": None, "reason": "empty message", "data": ""}


def test_length_prefixed_messages_are_read_to_the_last_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "x.lenprefixed"
    whole = b"".join(struct.pack("<I", 16) + ticker(1000 + i) for i in range(2500))
    path.write_bytes(whole + struct.pack("<I", 16) + ticker()[:9])
    rows = run("--feed", "dhan", path)
    assert len(of(rows, "tick")) == 2500
    (cut,) = of(rows, "reject")
    assert cut["reason"] == "x.lenprefixed ends within a message of 16 bytes"
    assert base64.b64decode(cut["b64"]) == struct.pack("<I", 16) + ticker()[:9]

    path.write_bytes(b"\xff\xff\xff\xff" + ticker())
    assert run("--feed", "dhan", path)[0]["reason"].startswith("x.lenprefixed ends within a message of 4,294")
    path.write_bytes(whole + b"\x10\x00")
    assert run("--feed", "dhan", path)[-1]["reason"] == "x.lenprefixed ends within a length"


def test_our_own_recordings_say_whose_they_are_and_name_the_ids(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "x.parquet", feed="dhan", kind="live")
    recorder.add_instruments([RELIANCE], AT)
    recorder.add([b'{"RequestCode":21}'], AT, direction="out")
    recorder.add([ticker(), b"?"], np.array([AT, AT + 1]))
    path = recorder.close()
    tick, reject = run(path)
    assert (tick["symbol"], tick["received_at"]) == ("RELIANCE", "2025-12-21T07:43:19.123456Z")
    assert reject["data"] == "?"
    assert lk.decode(None, path).ticks["symbol"].cast(str).to_list() == ["RELIANCE"]


def test_a_recording_that_says_whose_it_is_is_read_as_no_others(tmp_path: Path) -> None:
    paths = []
    for feed, kind in (("simulated", "live"), ("kite", "live"), ("elsewhere", "live")):
        recorder = Recorder(tmp_path / f"{feed}.parquet", feed=feed, kind=kind)
        recorder.add([ticker()], AT)
        paths.append(recorder.close())
    simulated, kite, elsewhere = paths
    other = CliRunner().invoke(app, ["decode", "--feed", "binance", str(simulated)])
    assert (other.exit_code, other.stdout) == (1, "")
    assert "holds frames of simulated (live), not of binance (live)" in other.stderr
    for wrong in ({"feed": "dhan", "kind": "depth20"}, {"feed": "kite"}):
        with pytest.raises(RecordingError, match=r"simulated\.parquet holds frames of simulated"):
            lk.replay(simulated, speed="max", **wrong)  # type: ignore[arg-type]
    with pytest.raises(RecordingError, match=r"kite\.parquet holds frames of kite"):
        lk.decode(None, [simulated, kite])
    assert len(of(run("--feed", "dhan", simulated), "tick")) == 1  # whose protocol it is
    assert len(of(run("--feed", "dhan", elsewhere), "tick")) == 1  # a feed that is not installed here


def test_a_recording_left_by_a_crash_is_read_too(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "x.parquet", feed="dhan", kind="live")
    recorder.add([ticker()], AT)
    recorder.write()
    try:
        assert len(of(run(tmp_path / "x.parquet"), "tick")) == 1
    finally:
        recorder.close()


def test_the_envelope_and_lines_of_messages_are_told_apart(tmp_path: Path) -> None:
    envelope, plain = tmp_path / "envelope.jsonl", tmp_path / "plain.jsonl"
    message = '{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1.5","q":"2","T":1628000000000}'
    envelope.write_text(
        "\n".join(
            [
                json.dumps({"kind": "header", "feed": "x"}),
                json.dumps({"kind": "send", "t": AT * 1000, "conn": 0, "data": "{}"}),
                json.dumps({"kind": "recv", "t": AT * 1000, "conn": 0, "data": message}),
                json.dumps(
                    {"kind": "recv", "t": AT * 1000, "conn": 0, "b64": base64.b64encode(b"\xff").decode()}
                ),
            ]
        )
        + "\n"
    )
    another = message.replace('"1.5"', '"1.6"').replace('"t":1,', '"t":2,')
    plain.write_text(f"{message}\n\n{another}")
    tick, reject = run("--feed", "binance", envelope)
    assert (tick["ltp"], tick["received_at"]) == (1.5, "2025-12-21T07:43:19.123456Z")
    assert reject["b64"] == "/w=="
    assert [row["ltp"] for row in run("--feed", "binance", plain)] == [1.5, 1.6]


def test_text_captures_are_read_and_their_torn_end_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    message = '{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1.5","q":"2","T":1628000000000}'
    path.write_text(f"{AT * 1000} {message}\n{AT * 1000} {message[:40]}")
    rows = run("--feed", "binance", path)
    assert [row["kind"] for row in rows] == ["tick", "reject", "reject"]
    assert rows[-1]["reason"] == "x.txt: the last line has no end"


def test_rows_of_all_kinds_come_in_the_order_of_the_messages(tmp_path: Path) -> None:
    path = tmp_path / "x.lenprefixed"
    goodbye = struct.pack("<BHBIH", 50, 10, 0, 0, 805)
    frames = [full(), b"\x09" * 8, goodbye, ticker()] * 600
    path.write_bytes(b"".join(struct.pack("<I", len(frame)) + frame for frame in frames))
    rows = run("--feed", "dhan", path)
    assert [row["kind"] for row in rows] == ["tick", "depth", "reject", "event", "tick"] * 600
    for kind, expected in (("tick", 1200), ("depth", 600), ("event", 600)):
        assert [row["seq"] for row in of(rows, kind)] == list(range(1, expected + 1))


def test_a_line_has_the_columns_of_its_kind(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(full() + struct.pack("<BHBIH", 50, 10, 0, 0, 805))
    tick, depth, event = run("--feed", "dhan", tmp_path / "x.bin")
    assert list(tick) == ["kind", *TICKS]
    assert list(depth) == ["kind", *DEPTH]
    assert set(event) == {"kind", "event", *EVENTS}  # `kind` is the row's; the event's own is `event`
    assert (event["event"], event["detail"]["code"]) == ("goodbye", 805)
    assert depth["bid_price"] == [1411.5] * 5


def test_parquet_holds_the_ticks_and_the_rest_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(full() + b"\x02")
    out = tmp_path / "out.parquet"
    result = CliRunner().invoke(app, ["decode", "--feed", "dhan", str(tmp_path / "x.bin"), "--out", str(out)])
    assert result.exit_code == 0
    assert "1 ticks" in result.stdout
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == [
        "out.depth.parquet",
        "out.parquet",
        "out.rejects.parquet",
    ]
    assert pl.read_parquet(out).columns == list(TICKS)
    assert pl.read_parquet(out)["symbol"].to_list() == ["2885"]
    assert pl.read_parquet(tmp_path / "out.depth.parquet")["bid_price"].to_list() == [[1411.5] * 5]


@needs_shared
def test_parquet_of_a_capture_without_ticks_holds_the_depth(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    arguments = ["--feed", "dhan", "--kind", "depth20", FIXTURES / "dhan_depth20" / "bid_ask_stacked.bin"]
    assert CliRunner().invoke(app, ["decode", *map(str, arguments), "-o", str(out)]).exit_code == 0
    assert pl.read_parquet(out)["bid_price"].list.len().to_list() == [20, 20]
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.bin", "--feed", "dhan"], "There is no file gone.bin."),
        (["x.bin"], "x.bin does not say whose frames it holds. Name the feed:"),
        (["x.bin", "--feed", "dahn"], "Did you mean 'dhan'?"),
        (["x.bin", "--feed", "dhan", "--kind", "depth30"], "has no kind 'depth30'"),
        (["x.bin", "--feed", "dhan", "--out", "x.csv"], "x.csv is to be Parquet"),
        (["x.odd", "--feed", "dhan"], "x.odd is in no format that can be replayed"),
    ],
)
def test_what_the_command_cannot_do_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.bin").write_bytes(ticker())
    (tmp_path / "x.odd").write_bytes(b"\x00\x01\x02")
    result = CliRunner().invoke(app, ["decode", *arguments])
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is told otherwise there")
def test_a_reader_that_has_enough_ends_the_command(tmp_path: Path) -> None:
    path = tmp_path / "x.lenprefixed"
    path.write_bytes((struct.pack("<I", 16) + ticker()) * 20_000)
    command = [sys.executable, "-m", "ltpkit.cli", "decode", "--feed", "dhan", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["seq"] == 1
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        process.wait(30)


# --- books --------------------------------------------------------------------------------------


@needs_shared
def test_a_whole_book_may_come_before_the_changes_that_name_it() -> None:
    folder = FIXTURES / "binance"
    first = run(
        "--feed",
        "binance",
        folder / "recorded_nknusdt_snapshot.json",
        folder / "recorded_nknusdt_stream.jsonl",
    )
    last = run(
        "--feed",
        "binance",
        folder / "recorded_nknusdt_stream.jsonl",
        folder / "recorded_nknusdt_snapshot.json",
    )
    assert of(first, "depth")
    assert not [event for event in of(first, "event") if event["event"] in ("gap", "reject")]
    newest = of(first, "depth")[-1]
    assert newest["symbol"] == "NKNUSDT"
    assert of(last, "depth")[-1]["bid_price"] == newest["bid_price"]


@needs_shared
def test_a_gap_in_bare_frames_is_told_without_times_that_are_not_known() -> None:
    folder = FIXTURES / "binance"
    found = lk.decode("binance", [folder / "diffdepth_snapshot.json", folder / "diffdepth_events_gap.jsonl"])
    (gap,) = found.events.filter(kind="gap").iter_rows(named=True)
    assert gap["at"] is None
    assert set(json.loads(gap["detail"])) == {"why", "from_id", "to_id"}


# --- every fixture, through the command ---------------------------------------------------------

_FOLDERS = {
    "dhan_live": ("dhan", "live"),
    "dhan_depth20": ("dhan", "depth20"),
    "dhan_depth200": ("dhan", "depth200"),
    "binance": ("binance", "spot"),
    "coinbase": ("coinbase", None),
    "kraken": ("kraken", None),
    "kite": ("kite", None),
    "angelone": ("angelone", None),
    "upstox": ("upstox", None),
}


def _fixture_files() -> list[tuple[str, str, str | None]]:
    from ltpkit.feeds import names

    if not HAS_SHARED:
        return []
    found = []
    for folder, (feed, kind) in _FOLDERS.items():
        if feed not in names():
            continue
        expected = json.loads((FIXTURES / folder / "expected.json").read_text())
        for frame in expected["frames"]:
            file = frame["file"]
            advanced = folder == "coinbase" and file.startswith("advanced")
            found.append((f"{folder}/{file}", feed, "advanced" if advanced else kind))
        if (FIXTURES / folder / "bulk.lenprefixed").is_file():
            found.append((f"{folder}/bulk.lenprefixed", feed, kind))
    return found


@pytest.mark.parametrize(("file", "feed", "kind"), _fixture_files())
def test_every_fixture_prints_the_rows_that_python_gets(file: str, feed: str, kind: str | None) -> None:
    path = FIXTURES / file
    arguments = ["--feed", feed, *(["--kind", kind] if kind else []), str(path)]
    rows = run(*arguments)
    found = lk.decode(feed, path, kind=kind)
    counts = {"tick": found.ticks, "depth": found.depth, "event": found.events, "reject": found.rejects}
    assert Counter(row["kind"] for row in rows) == {k: v.height for k, v in counts.items() if v.height}
    assert [row["ltp"] for row in of(rows, "tick")] == found.ticks["ltp"].to_list()
    assert [row["bid_price"] for row in of(rows, "depth")] == found.depth["bid_price"].to_list()
    assert [row["reason"] for row in of(rows, "reject")] == found.rejects["reason"].to_list()
