"""The controls of a player, and the views that follow it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

import ltpkit as lk
from ltpkit.errors import SettingError
from ltpkit.player import Player
from ltpkit.views.wire import unpack
from tests.views.lab import Lab


@pytest.fixture
def player() -> Iterator[Player]:
    with lk.stream(["NSE:RELIANCE", "NSE:TCS"], rate=20_000, name="player view") as live:
        assert live.wait(rows=1000)
    made = live.player()
    yield made
    made.controls.close()


def test_the_controls_move_the_player(player: Player) -> None:
    goal = player.start + (player.end - player.start) / 2
    player.controls.choose(position=goal.timestamp() * 1000)
    assert abs(player.position - goal) < timedelta(milliseconds=1)
    player.controls.choose(playing=True, speed=0.5)
    assert player.playing
    assert player.speed == 0.5
    player.controls.choose(playing=False)
    assert not player.playing
    with pytest.raises(SettingError, match="above 0"):
        player.controls.choose(speed=-1)


def test_the_same_place_may_be_gone_to_twice(player: Player) -> None:
    place = player.start.timestamp() * 1000
    player.controls.choose(position=place)
    player.seek(player.end)
    player.controls.choose(position=place)
    assert abs(player.position - player.start) < timedelta(milliseconds=1)


def test_the_page_is_told_where_the_player_is_and_how_busy_it_was(player: Player) -> None:
    player.seek(player.end)
    base, frame = player.controls._messages(whole=True)
    assert base is not None
    about, columns = unpack(base)
    assert columns["activity"].sum() == player.ticks().height
    assert (about["start"], about["end"]) == pytest.approx(
        (player.start.timestamp() * 1000, player.end.timestamp() * 1000)
    )
    header, _ = unpack(frame)
    assert header["state"] == "finished"
    assert header["position"] == about["end"]
    assert header["seq"] == player.ticks(last=1)["seq"].item()


def test_a_view_of_a_player_begins_anew_when_time_goes_back(player: Player) -> None:
    ladder = player.ladder("RELIANCE")
    player.seek(player.end)
    ladder._messages(whole=True)
    base, _ = ladder._messages(whole=False)
    assert base is None
    player.seek(player.start)
    base, frame = ladder._messages(whole=False)
    assert base is not None
    np.testing.assert_equal(unpack(frame)[0].get("seq"), player.latest("RELIANCE")["seq"].max())


def test_the_slider_redraws_linked_views_in_a_notebook(lab: Lab) -> None:
    cells = [
        "import ltpkit as lk\n"
        "with lk.stream(['RELIANCE', 'TCS'], rate=20_000) as live: live.wait(rows=2000, timeout_s=30)\n"
        "player = live.player(); player.seek(player.end); player.ladder('RELIANCE')",
        "player",
        "player.latest('RELIANCE')['seq'].max()",
    ]
    with lab.notebook(cells) as notebook:
        notebook.run(0)
        notebook.run(1)
        page = notebook.page
        slider = page.locator(".ltp-player input")
        page.wait_for_selector(".ltp-player[data-ltp-stamp]")
        page.wait_for_selector(".ltp-ladder[data-ltp-seq]")
        late = int(page.locator(".ltp-ladder").get_attribute("data-ltp-seq") or 0)
        slider.evaluate(
            "one => { one.value = (+one.min + +one.max) / 2; one.dispatchEvent(new Event('change')) }"
        )
        page.wait_for_function(f"+document.querySelector('.ltp-ladder').dataset.ltpSeq < {late}")
        notebook.run(2)
        assert int(notebook.text(2).split()[-1]) == int(
            page.locator(".ltp-ladder").get_attribute("data-ltp-seq") or 0
        )
        page.click(".ltp-player .play")
        page.wait_for_function(f"+document.querySelector('.ltp-ladder').dataset.ltpSeq >= {late}")
        assert notebook.strayed == []
        assert notebook.complaints == []
