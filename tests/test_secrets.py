"""A marker planted as every credential of every feed, looked for in all that a user or a file may show."""

from __future__ import annotations

import json
import logging
import struct
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pyarrow.parquet as pq
import pytest

import ltpkit as lk
from ltpkit import credentials, feeds, running, settings
from ltpkit.errors import LtpkitError
from ltpkit.instrument import Instrument
from ltpkit.live import Stream
from tests import hostile
from tests.hostile import Hostile, Mode, Peer
from tests.keeper import MemoryKeyring

MARKER = "s3cret+Marker/0123456789=="
FORMS = [MARKER, quote(MARKER, safe=""), MARKER[:10]]

#: What each feed's own logins are called, and a symbol it takes.
LOGINS = {
    "dhan": ["token", "client_id"],
    "kite": ["token", "api_key"],
    "angelone": ["token", "client_id", "api_key", "feed_token"],
    "upstox": ["token"],
    "simulated": ["token", "client_id"],
    "binance": [],
    "coinbase": [],
    "kraken": [],
}
INDIAN = {
    "dhan": Instrument(exchange="NSE", symbol="INFY", segment="NSE_EQ", broker_id="1594"),
    "kite": Instrument(exchange="NSE", symbol="INFY", segment="NSE", broker_id="408065"),
    "angelone": Instrument(exchange="NSE", symbol="INFY", segment="nse_cm", broker_id="1594"),
    "upstox": Instrument(exchange="NSE", symbol="INFY", segment="NSE_EQ", broker_id="INE009A01021"),
}
SYMBOL = {"binance": "BTCUSDT", "coinbase": "BTC-USD", "kraken": "BTC/USD", "simulated": "INFY"}


async def echoes_in_the_close(peer: Peer) -> None:
    """Accept, then close with as much of the request as a close frame takes."""
    await peer.accept()
    path = peer.head.split(b" ")[1]
    secrets = path + b" " + b" ".join(line for line in peer.head.split(b"\r\n") if MARKER.encode() in line)
    await peer.send(struct.pack(">H", 4000) + secrets[-123:], opcode=hostile.CLOSE)
    await peer.listen()


def shown(stream: Stream) -> str:
    """Return everything that a stream shows of itself."""
    status = stream.status()
    parts = [
        *map(repr, (stream, status, stream._feed, stream._streamer, stream._intake, running._streams)),
        *map(repr, (stream._streamer._connections, stream._logins, stream._settings, vars(stream._feed))),
        str(status), status.line(), stream._repr_html_(), status._repr_html_(),
        str(status.to_frame().rows()), str(stream.events().rows()), str(stream.gaps().rows()),
        str(stream.rejects()["reason"].to_list()), str(stream.ticks().rows()),
    ]  # fmt: skip
    return "\n".join(parts)


def open_stream(feed: str, url: str, **more: Any) -> Stream:
    logins: dict[str, Any] = dict.fromkeys(LOGINS[feed], MARKER)
    if feed in INDIAN:
        more["known"] = [INDIAN[feed]]
    return lk.stream(SYMBOL.get(feed, "INFY"), feed=feed, url=url, name="secrets", **logins, **more)


def test_every_feed_is_looked_at_and_has_no_login_that_is_not() -> None:
    from inspect import signature

    assert set(LOGINS) == set(feeds.names())
    for name, logins in LOGINS.items():
        module, _, attribute = feeds._BUILT_IN[name].partition(":")
        takes = signature(getattr(__import__(module, fromlist=["x"]), attribute)).parameters
        known = {"instruments", "kind", "mode", "url", "rest_url", "known", "depth", "levels", "level2"}
        assert set(takes) - known == set(logins), name


@pytest.mark.parametrize(
    "mode",
    [hostile.echoes_the_request, echoes_in_the_close, hostile.is_mute, hostile.garbage],
    ids=lambda mode: mode.__name__,
)
@pytest.mark.parametrize("feed", sorted(LOGINS))
def test_no_credential_is_shown_logged_raised_or_kept(
    feed: str, mode: Mode, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_FIRST_TICK_S", 0.3)
    caplog.set_level(logging.DEBUG)
    for name in ("ltpkit", "ltpkit.websockets", "websockets", "websockets.client", "asyncio", "httpx"):
        caplog.set_level(logging.DEBUG, logger=name)
    recording, store = tmp_path / "raw.parquet", tmp_path / "ticks.duckdb"
    said = ""
    with Hostile(mode) as server:
        try:
            stream = open_stream(feed, server.url, store=store, record=recording)
        except LtpkitError as error:
            said += "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        else:
            server.wait_for(1)
            said += shown(stream)
            stream.stop()
            said += shown(stream)
        assert (
            MARKER in b"".join(server.heads).decode() or quote(MARKER, safe="") in str(server.heads)
        ) is bool(LOGINS[feed])
    said += caplog.text
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    if recording.exists():
        kept += str(pq.read_table(recording).to_pylist()).encode()  # what compression hides
    for form in FORMS:
        assert form not in said
        assert form.encode() not in kept


#: What a careless server may say in a message of its own, by feed that keeps such messages as events.
SAYS = {
    "kite": {"type": "error", "data": f"Could not use {MARKER} for this call"},
    "angelone": {"errorCode": "E1002", "errorMessage": f"bad {MARKER}", "seen": {"headers": [MARKER]}},
    "upstox": {"status": "failed", "errors": [{"message": f"no such token: {MARKER}", MARKER: 1}]},
}


@pytest.mark.parametrize("feed", sorted(SAYS))
def test_a_server_that_repeats_a_credential_in_its_messages_does_not_get_it_shown_or_stored(
    feed: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_FIRST_TICK_S", 0.3)
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "ticks.duckdb"

    async def repeats(peer: Peer) -> None:
        await peer.accept()
        await peer.send(json.dumps(SAYS[feed]))
        await peer.listen()

    def details(events: pl.DataFrame) -> str:
        return str([json.loads(detail) for detail in events["detail"]])

    with Hostile(repeats) as server:
        stream = open_stream(feed, server.url, store=path)
        assert stream._intake.wait_until(lambda: "…" in details(stream.events()), 10), stream.events()
        stream._intake.last_error = ValueError(f"the decoder met {MARKER}")
        said = shown(stream)
        stream.stop()
    assert "the decoder met …" in said
    with lk.open(path) as archive:
        stored = details(archive.events())
    assert any(word in stored for word in ("Could not use …", "bad …", "no such token: …"))
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for form in FORMS:
        assert form not in said + stored + caplog.text
        assert form.encode() not in kept


@pytest.mark.parametrize("feed", sorted(name for name, logins in LOGINS.items() if logins))
def test_frames_that_repeat_a_credential_are_kept_and_recorded_with_stars_in_its_place(
    feed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_FIRST_TICK_S", 0.3)
    recording = tmp_path / "raw.parquet"
    sent = [
        b"who is " + MARKER.encode() + b"?",
        b"\xff\x00" + quote(MARKER, safe="").encode() + b"\x01\x02\x03",
        json.dumps({"not": "known", MARKER: [MARKER]}).replace("/", "\\/").encode(),
        b"\xff\x00\x00 nothing of it",
    ]

    async def repeats(peer: Peer) -> None:
        await peer.accept()
        for frame in sent:
            await peer.send(frame, opcode=hostile.BINARY)
        await peer.listen()

    with Hostile(repeats) as server:
        stream = open_stream(feed, server.url, store=tmp_path / "ticks.duckdb", record=recording)
        assert stream._intake.wait_until(lambda: stream._intake.frames >= len(sent), 10)
        rejects, said = stream.rejects()["frame"].to_list(), shown(stream)
        stream.stop()
    assert len(rejects) == stream.status().rejects > 1
    came = [row["payload"] for row in pq.read_table(recording).to_pylist() if row["direction"] == "in"]
    assert set(rejects) <= set(came)
    assert [len(frame) for frame in came] == [len(frame) for frame in sent]
    assert came[0] == b"who is " + b"*" * len(MARKER) + b"?"
    assert came[3] == sent[3]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) + repr(came).encode()
    for form in FORMS:
        assert form not in said
        assert form.encode() not in kept


def test_a_token_that_was_refused_stays_hidden_once_there_is_another() -> None:
    tokens = iter(["the-first-token", "the-second-token"])
    asked = credentials.AskedToken(lambda: next(tokens))
    asked.get_secret_value()
    asked.renew(refused=True)
    frames = credentials.masked(
        [b"no the-first-token", b"the-second-token"], credentials.secret_values([asked])
    )
    assert frames == [b"no " + b"*" * 15, b"*" * 16]


def test_one_secret_within_another_leaves_no_piece_of_the_longer() -> None:
    values = ["abcd1234", "abcd1234efgh5678"]
    assert credentials.hidden("is abcd1234efgh5678 ok", values) == "is … ok"
    assert credentials.masked([b"abcd1234efgh5678."], values) == [b"*" * 16 + b"."]
    assert credentials.masked([b"1234.50"], ["1234"]) == [b"1234.50"]


def test_the_librarys_debug_log_which_holds_all_headers_stays_shut(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("ltpkit.websockets")
    caplog.set_level(logging.DEBUG, logger="ltpkit.websockets")
    logger.debug("> Authorization: Bearer %s", MARKER)
    logger.warning("something else")
    assert MARKER not in caplog.text
    assert "something else" in caplog.text


@pytest.mark.parametrize("feed", sorted(INDIAN))
def test_a_credential_of_the_keyring_reaches_the_broker_and_nothing_else(
    feed: str,
    kept: MemoryKeyring,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "_FIRST_TICK_S", 0.3)
    caplog.set_level(logging.DEBUG)
    for variable in settings.variables(feed).values():
        monkeypatch.delenv(variable, raising=False)
        kept.held["ltpkit", variable] = MARKER
    with Hostile(hostile.is_mute) as server:
        known = [INDIAN[feed]]
        with lk.stream(
            "INFY", feed=feed, url=server.url, known=known, name="kept", store=tmp_path / "x.duckdb"
        ) as stream:
            server.wait_for(1)
            said = shown(stream)
        heads = b"".join(server.heads).decode()
    assert MARKER in heads or quote(MARKER, safe="") in heads
    chosen = settings.load(env_file=None)
    said += caplog.text + repr(chosen) + repr(chosen.credentials(feed, elsewhere=credentials.kept))
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for form in FORMS:
        assert form not in said
        assert form.encode() not in stored
