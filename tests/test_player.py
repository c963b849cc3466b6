"""Everything a player answers is what was held at its moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import ltpkit as lk
from ltpkit.errors import SettingError, StoreError, UnknownInstrument
from ltpkit.player import Player


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("player") / "ticks.duckdb"
    with lk.stream(["NSE:RELIANCE", "NSE:TCS"], rate=20_000, store=path, name="player") as live:
        assert live.wait(rows=1500)
    return path


@pytest.fixture(params=["store", "stream"])
def source(request: pytest.FixtureRequest, stored: Path) -> Iterator[Any]:
    if request.param == "store":
        with lk.open(stored) as held:
            yield held
    else:
        with lk.stream(["NSE:RELIANCE", "NSE:TCS"], rate=20_000, name="player of a stream") as live:
            assert live.wait(rows=1000)
        yield live


def middle(player: Player) -> datetime:
    return player.start + (player.end - player.start) / 2


def test_at_a_moment_the_player_answers_what_had_been_received_by_then(source: Any) -> None:
    player = source.player()
    player.seek(middle(player))
    ticks = source.scan().collect().sort("seq").filter(pl.col("received_at") <= player.position)
    assert 0 < ticks.height < source.scan().collect().height
    assert_frame_equal(player.ticks(), ticks)
    assert_frame_equal(player.ticks("TCS"), ticks.filter(pl.col("symbol") == "TCS"))
    assert player.sql("SELECT count(*) FROM ticks").item() == ticks.height
    priced = ticks.filter(pl.col("ltp").is_not_null())
    newest = dict(priced.group_by("symbol").agg(pl.col("ltp").last()).cast({"symbol": pl.String}).iter_rows())
    assert dict(player.latest().select(pl.col("symbol").cast(pl.String), "ltp").iter_rows()) == newest
    books = source.sql("FROM realtime_depth WHERE symbol = 'TCS' ORDER BY seq").filter(
        pl.col("received_at") <= player.position
    )
    assert player.depth("TCS")["bid_price"].to_list() == books["bid_price"][-1].to_list()


def test_at_the_end_the_player_answers_as_its_source(source: Any) -> None:
    player = source.player()
    player.seek(player.end + timedelta(days=1))
    assert player.position == player.end
    assert_frame_equal(
        player.ticks().select("seq", "ltp"), source.scan().collect().sort("seq").select("seq", "ltp")
    )
    order = ["exchange", "symbol"]
    assert_frame_equal(
        player.latest().cast(dict.fromkeys(order, pl.String)).sort(order).drop("change", "change_percent"),
        source.latest().cast(dict.fromkeys(order, pl.String)).sort(order).drop("change", "change_percent"),
    )


def test_going_back_forgets_what_came_later(source: Any) -> None:
    player = source.player()
    player.seek(player.end)
    last, before = player.latest()["seq"].max(), player.rewound()
    player.seek(player.start)
    assert player.rewound() == before + 1
    assert player.latest()["seq"].max() < last
    player.seek(player.end)
    assert player.rewound() == before + 1
    assert player.latest()["seq"].max() == last


def test_playing_goes_on_by_the_clock_and_ends_at_the_end(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("ltpkit.player.time.monotonic", lambda: now[0])
    with lk.open(stored) as held:
        player = held.player()
        player.play(speed=2)
        now[0] += 0.125
        assert player.position - player.start == timedelta(seconds=0.25)
        assert player.condition() == ("playing", None)
        player.pause()
        now[0] += 5
        assert player.position - player.start == timedelta(seconds=0.25)
        assert player.condition() == ("held", None)
        player.play()
        now[0] += 1e6
        assert player.position == player.end
        assert not player.playing
        assert player.condition() == ("finished", None)
        player.play()
        assert player.position == player.start


def test_a_stretch_may_be_named(stored: Path) -> None:
    with lk.open(stored) as held:
        whole = held.player()
        part = held.player(since=middle(whole), until=whole.end)
        assert part.start == middle(whole)
        assert (
            part.activity(10).sum()
            == held.scan().filter(pl.col("received_at") >= part.start).collect().height
        )
        with pytest.raises(SettingError, match="earlier time first"):
            held.player(since=whole.end, until=whole.start)
        with pytest.raises(StoreError, match="Nothing was received"):
            held.player(since=datetime(2001, 1, 1, tzinfo=UTC), until=datetime(2001, 1, 2, tzinfo=UTC))


def test_a_symbol_that_the_stretch_has_not_is_named_with_what_it_has(stored: Path) -> None:
    with lk.open(stored) as store:
        player = store.player()
        with pytest.raises(UnknownInstrument) as unknown:
            player.ticks("NOPE")
        held = ", ".join(player.known())
        assert str(unknown.value) == f"NOPE is not in this stretch of time. It has {held}."


def test_a_speed_that_cannot_be_is_refused(stored: Path) -> None:
    with lk.open(stored) as held:
        player = held.player()
        for speed in (0, -1, float("inf")):
            with pytest.raises(SettingError, match="above 0"):
                player.play(speed)


def test_the_speed_may_be_set_also_while_it_plays(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("ltpkit.player.time.monotonic", lambda: now[0])
    with lk.open(stored) as archive:
        player = archive.player()
        player.play(0.25)
        now[0] += 0.125
        player.speed = 0.5
        now[0] += 0.125
        assert player.position - player.start == timedelta(seconds=0.25 * 0.125 + 0.5 * 0.125)
        for wrong in (0, -1, float("nan"), "fast"):
            with pytest.raises(SettingError, match=f"speed was {wrong!r}: a number above 0"):
                player.speed = wrong  # type: ignore[assignment]
        assert player.speed == 0.5


def test_a_moment_can_be_given_as_text_with_its_zone(stored: Path) -> None:
    with lk.open(stored) as held:
        player = held.player()
        there = middle(player)
        india = timezone(timedelta(hours=5, minutes=30))
        player.seek(there.astimezone(india).isoformat())
        assert player.position == there
        part = held.player(since=there.isoformat(), until=player.end.isoformat())
        assert (part.start, part.end) == (there, player.end)


@pytest.mark.parametrize("when", ["2026-11-20 09:15", "noon", datetime(2026, 11, 20), 5])  # noqa: DTZ001
def test_a_moment_without_a_zone_is_refused_with_what_to_give(stored: Path, when: Any) -> None:
    with lk.open(stored) as held:
        player = held.player()
        with pytest.raises(SettingError, match=r"^when=.*with its zone.*\+05:30"):
            player.seek(when)
        with pytest.raises(SettingError, match=r"^since="):
            held.player(since=when)
        with pytest.raises(SettingError, match=r"^until="):
            held.player(until=when)


def test_one_symbol_is_one_symbol() -> None:
    with lk.stream(["NSE:TCS"], rate=2_000, name="player of one") as live:
        assert live.wait(rows=10)
        assert " ticks of 1 symbol, " in repr(live.player())
