"""Recordings: what was kept comes back, cut ones to their last whole entry."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import zstandard

from ltpkit.errors import RecordingError
from ltpkit.instrument import Instrument
from ltpkit.recording import Block, Recorder, Recording

TCS = Instrument(exchange="NSE", symbol="TCS", segment="NSE_EQ", broker_id="11536", tick_size=0.05)


def record(path: Path) -> Recorder:
    recorder = Recorder(path, feed="simulated", kind="live")
    recorder.add_instruments([TCS], 5)
    recorder.add([b"{}"], 6, direction="out")
    recorder.add([b"a", b"b"], 7)
    recorder.add([b"c", b"d"], np.array([8, 9]))
    recorder.write()
    recorder.add([b"e"], 10, connection=1)
    return recorder


def entries(recording: Recording) -> list[tuple[str, int, list[bytes], list[int]]]:
    return [
        (block.direction, block.connection, block.frames, block.received_at.tolist())
        for block in recording.blocks()
    ]


WHOLE = [
    ("out", 0, [b"{}"], [6]),
    ("in", 0, [b"a", b"b", b"c", b"d"], [7, 7, 8, 9]),
    ("in", 1, [b"e"], [10]),
]


@pytest.mark.parametrize("name", ["frames.parquet", "frames.arrow"])
def test_a_recording_comes_back_as_it_was_kept(tmp_path: Path, name: str) -> None:
    path = record(tmp_path / name).close()
    assert [file.name for file in tmp_path.iterdir()] == [name]
    recording = Recording(path)
    assert (recording.feed, recording.kind) == ("simulated", "live")
    assert entries(recording)[1:] == WHOLE
    first = next(iter(recording.blocks()))
    assert first.direction == "instrument"
    assert recording.cut is None


def test_a_parquet_recording_is_an_ordinary_file_for_polars(tmp_path: Path) -> None:
    frame = pl.read_parquet(record(tmp_path / "frames.parquet").close())
    assert frame.columns == ["received_at", "connection", "direction", "about", "payload"]
    assert frame.height == 7


@pytest.mark.parametrize("cut", [1, 40])
def test_a_recorder_that_was_killed_leaves_a_part_that_replays(tmp_path: Path, cut: int) -> None:
    recorder = record(tmp_path / "frames.parquet")
    recorder.write()
    assert recorder._file is not None
    recorder._file.close()  # as the operating system does for a killed process
    part = tmp_path / "frames.parquet.part"
    part.write_bytes(part.read_bytes()[:-cut])
    recording = Recording(tmp_path / "frames.parquet")
    assert entries(recording)[1:] == WHOLE[:2]
    assert recording.cut is not None


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = record(tmp_path / "frames.parquet").close()
    with pytest.raises(RecordingError, match="exists and is not overwritten"):
        Recorder(path, feed="simulated", kind="live")


@pytest.mark.parametrize(
    ("name", "words"),
    [("frames.csv", "end it in .parquet or .arrow"), ("nowhere/frames.parquet", "does not exist")],
)
def test_a_place_that_cannot_hold_a_recording_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        Recorder(tmp_path / name, feed="simulated", kind="live")


def pack(path: Path, text: bytes) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text))
    elif path.suffix == ".zst":
        path.write_bytes(zstandard.compress(text))
    else:
        path.write_bytes(text)
    return path


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_text_lines_with_a_receive_time_are_read(tmp_path: Path, ending: str) -> None:
    path = pack(tmp_path / f"capture.txt{ending}", b'1000000 {"a":1}\n2000999 {"b":2}\n')
    assert entries(Recording(path)) == [("in", 0, [b'{"a":1}', b'{"b":2}'], [1000, 2000])]
    assert Recording(path).feed is None


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_the_envelope_is_read(tmp_path: Path, ending: str) -> None:
    lines = [
        {"kind": "header", "feed": "X"},
        {"kind": "http", "t": 1000, "conn": "a", "url": "https://x/book", "data": "{}"},
        {"kind": "connect", "t": 1500, "conn": "a"},
        {"kind": "send", "t": 2000, "conn": "a", "data": "subscribe"},
        {"kind": "recv", "t": 3000, "conn": "a", "data": "tick"},
        {"kind": "recv", "t": 4000, "conn": "b", "b64": base64.b64encode(b"\x00\x01").decode()},
    ]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    recording = Recording(pack(tmp_path / f"capture.jsonl{ending}", text))
    assert entries(recording) == [
        ("http", 0, [b"{}"], [1]),
        ("out", 0, [b"subscribe"], [2]),
        ("in", 0, [b"tick"], [3]),
        ("in", 1, [b"\x00\x01"], [4]),
    ]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_capture_that_ends_early_is_read_to_its_end(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(7)  # incompressible, so that a cut leaves most lines whole
    lines = [b"%d %s\n" % (n * 1000 + 1000, rng.bytes(30).hex().encode()) for n in range(20_000)]
    path = pack(tmp_path / f"capture.txt{ending}", b"".join(lines))
    path.write_bytes(path.read_bytes()[:-1000])
    recording = Recording(path)
    blocks: list[Block] = list(recording.blocks())
    read = sum(len(block.frames) for block in blocks)
    assert 10_000 < read < 20_000
    assert recording.cut is not None


def test_a_file_of_another_kind_is_told_what_can_be_replayed(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n")
    with pytest.raises(RecordingError, match="Known: our own"):
        Recording(path)
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(RecordingError, match="not a recording of ltpkit"):
        Recording(tmp_path / "other.parquet")
    with pytest.raises(RecordingError, match="There is no recording"):
        Recording(tmp_path / "absent.parquet")
