"""The heatmap: sectors, sizes and changes against what is held, and what is painted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ltpkit as lk
from ltpkit.errors import SettingError
from ltpkit.nifty import LISTING
from ltpkit.views.heatmap import Heatmap
from tests.views.lab import Lab
from tests.views.sources import shown, streamed

SYMBOLS = [share.symbol for share in LISTING]


live = streamed(SYMBOLS, rate=20_000, rows=2_000)


@pytest.mark.parametrize("basis", ["close", "tick", "open"])
def test_changes_are_counted_from_what_was_chosen(live: lk.Stream, basis: str) -> None:
    live.stop()
    base, header, columns = shown(Heatmap(live, basis=basis))
    latest = {f"{row['exchange']}:{row['symbol']}": row for row in live.latest().iter_rows(named=True)}
    assert header["seq"] == max(row["seq"] for row in latest.values())
    for i, name in enumerate(base["names"]):
        row = latest[name]
        start = {
            "close": row["close_price"],
            "tick": row["ltp"] - (row["change"] or 0),
            "open": row["open_price"],
        }
        if row["change"] is None and basis == "tick":
            assert np.isnan(columns["percent"][i])
        else:
            assert columns["percent"][i] == pytest.approx(100 * (row["ltp"] / start[basis] - 1))
        assert columns["turnover"][i] == row["ltp"] * row["volume"]


def test_the_simulated_exchange_knows_sectors_and_own_ones_come_first(live: lk.Stream) -> None:
    base, _, _ = shown(Heatmap(live))
    known = {f"NSE:{share.symbol}": share.sector for share in LISTING}
    assert dict(zip(base["names"], base["sectors"], strict=True)) == known
    base, _, _ = shown(Heatmap(live, ["TCS", "INFY", "ITC"], sectors={"tcs": "Mine", "NSE:INFY": "Yours"}))
    assert base["sectors"] == ["Mine", "Yours", "consumer"]


def test_without_sectors_symbols_are_grouped_by_exchange(tmp_path: Path) -> None:
    with lk.stream(["TCS", "ITC"], rate=5_000, store=tmp_path / "t.duckdb", name="heat store") as live:
        assert live.wait(rows=50)
    with lk.open(tmp_path / "t.duckdb") as archive:
        base, header, columns = shown(Heatmap(archive))
        assert base["sectors"] == ["NSE", "NSE"]
        assert header["state"] == "stored"
        assert not np.isnan(columns["percent"]).any()


@pytest.mark.parametrize("choices", [{"basis": "yesterday"}, {"size": "weight"}, {"palette": "pink"}])
def test_a_choice_that_cannot_be_is_refused(live: lk.Stream, choices: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="one of"):
        Heatmap(live, **choices)


def test_a_terminal_shows_sectors_and_changes(live: lk.Stream) -> None:
    live.stop()
    text = repr(Heatmap(live, basis="open"))
    assert "50 symbols; change: since the opening" in text
    for share in LISTING:
        assert f"NSE:{share.symbol}" in text


TIP = """() => { const tip = document.querySelector('.ltp-heatmap .tip'); return tip.hidden ? null : {
    name: tip.querySelector('b').textContent, sector: tip.querySelector('.sector').textContent,
    said: Object.fromEntries([...tip.querySelectorAll('dt')].map(dt =>
        [dt.textContent, dt.nextSibling.textContent]))} }"""

#: The colour of the canvas at a point.
PIXEL = """([x, y]) => {
    const canvas = document.querySelector('.ltp-heatmap canvas'), scale = canvas.width / canvas.clientWidth;
    return [...canvas.getContext('2d').getImageData(x * scale, y * scale, 1, 1).data].slice(0, 3) }"""


def test_tiles_show_tell_and_select(lab: Lab) -> None:
    cells = [
        "import json\nimport ltpkit as lk\nfrom ltpkit.nifty import LISTING\n"
        "live = lk.stream([share.symbol for share in LISTING], rate=5000, name='tiles')\n"
        "live.wait(rows=2000)\nheat = live.heatmap(); heat",
        "live.stop()",
        "print(json.dumps(live.changes().group_by('symbol').last().to_dicts(), default=str))",
        "print(json.dumps(heat.options))",
    ]
    with lab.notebook(cells) as notebook:
        page = notebook.page
        notebook.run(0)
        page.wait_for_selector(".ltp-heatmap[data-ltp-stamp]")
        notebook.run(1)
        notebook.run(2)
        told = {row["symbol"]: row for row in json.loads(notebook.text(2))}
        page.wait_for_selector(".ltp-heatmap[data-ltp-state=stopped]")
        canvas = page.locator(".ltp-heatmap canvas")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        seen: dict[str, tuple[Any, list[int]]] = {}
        for column in range(16):
            for line in range(9):
                x, y = (column + 0.5) * box["width"] / 16, (line + 0.5) * box["height"] / 9
                page.mouse.move(box["x"] + x, box["y"] + y)
                tip = page.evaluate(TIP)
                if tip is not None and tip["name"] not in seen:
                    seen[tip["name"]] = tip, page.evaluate(PIXEL, [x, y])
        assert len(seen) > 30  # the smallest tiles lie between the points
        for name, (tip, (red, green, _)) in seen.items():
            row = told[name.partition(":")[2]]
            moved = row["day_change_percent"]
            sign = "+" if moved > 0 else "−" if moved < 0 else ""
            assert tip["said"]["since previous close"] == f"{sign}{abs(moved):.2f}%"
            assert tip["said"]["last price"] == f"{row['ltp']:,.2f}"
            if abs(moved) > 0.4 and abs(red - green) > 12:  # else the point lies on a letter
                assert (green > red) == (moved > 0), name
        # The keyboard: along the tiles, Enter selects.
        page.mouse.move(5, 5)
        canvas.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        tip = page.evaluate(TIP)
        assert tip is not None
        page.keyboard.press("Enter")
        page.wait_for_selector(f".ltp-heatmap[data-ltp-symbol='{tip['name']}']")
        # What changes are counted from, chosen on the page.
        page.select_option(".ltp-heatmap .basis", "open")
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        options = notebook.told(3, lambda options: options["basis"] == "open")
        assert (options["symbol"], options["basis"]) == (tip["name"], "open")
        assert (notebook.strayed, notebook.complaints) == ([], [])
