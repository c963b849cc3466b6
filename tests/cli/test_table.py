"""The live table as drawn: it fits, it says the same without colour, and in ASCII where it must."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ltpkit.cli.board import Board
from ltpkit.cli.table import draw, line, short, sparkline
from tests.cli.test_board import Clock, Held, board_of


def drawn(board: Board, width: int, *, rows: int = 12) -> list[str]:
    to = Console(file=io.StringIO(), width=width, color_system=None)
    to.print(draw(board, width=width, rows=rows))
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue().splitlines()


@pytest.fixture
def board() -> Board:
    held = Held()
    made = board_of(held, Clock())
    now = datetime.now(UTC)
    for symbol, values in {
        "RELIANCE": {
            "ltp": 1_549.6,
            "change": 0.3,
            "change_percent": 0.0194,
            "close_price": 1500.0,
            "volume": 1_234_567.0,
        },
        "MARUTI": {
            "ltp": 15_985.0,
            "change": -12.0,
            "change_percent": -0.075,
            "close_price": 16_000.0,
            "volume": 900.0,
        },
        "M&M": {"ltp": 3_746.0, "change": 0.0, "change_percent": 0.0},
        "NEW": {},
    }.items():
        held.add(symbol, received_at=now, **values)
    made.refresh()
    return made


@pytest.mark.parametrize("width", range(30, 150, 5))
def test_no_line_is_longer_than_the_terminal_is_wide(board: Board, width: int) -> None:
    lines = drawn(board, width)
    assert max(map(len, lines)) <= width
    row = next(line for line in lines if line.startswith("RELIANCE"))
    assert "…" not in row


def test_eighty_characters_hold_every_column(board: Board) -> None:
    head = next(line for line in drawn(board, 80) if line.startswith("symbol"))
    assert head.split() == ["symbol", "LTP", "change", "change", "%", "day", "%", "volume", "ticks/s", "age"]


def test_a_narrow_terminal_keeps_price_change_and_age(board: Board) -> None:
    head = next(line for line in drawn(board, 45) if line.startswith("symbol"))
    assert head.split() == ["symbol", "LTP", "change", "change", "%", "age"]


def test_up_and_down_are_told_without_colour(board: Board) -> None:
    text = "\n".join(drawn(board, 100))
    assert "▲+0.30" in text
    assert "▼-12.00" in text
    assert "▲+3.31" in text  # the day's
    assert "1.23 M" in text


def test_two_exchanges_are_told_apart() -> None:
    held = Held()
    board = board_of(held, Clock())
    held.add("TCS", 1.0)
    held.add("TCS", 2.0, exchange="BSE")
    board.refresh()
    text = "\n".join(drawn(board, 80))
    assert "NSE:TCS" in text
    assert "BSE:TCS" in text


def test_what_is_left_out_is_said(board: Board) -> None:
    text = "\n".join(drawn(board, 120, rows=2))
    assert "the 2 busiest of 4" in text
    assert "busiest" not in "\n".join(drawn(board, 120, rows=4))


def test_a_log_line_is_one_line(board: Board) -> None:
    assert "\n" not in line(board)
    assert line(board, title="demo").startswith("● demo live · 0 symbols")


@given(st.lists(st.none() | st.floats(-1e12, 1e12), max_size=40), st.integers(1, 40))
def test_a_sparkline_is_as_wide_as_asked_and_has_its_highest_block(
    prices: list[float | None], width: int
) -> None:
    curve = sparkline(prices, width)
    assert len(curve) == width
    known = [price for price in prices[-width:] if price is not None]
    assert (curve.strip() == "") == (not known)
    if known and max(known) > min(known):
        assert "█" in curve
        assert "▁" in curve


@given(st.floats(0, 1e14))
def test_a_quantity_is_at_most_seven_characters(number: float) -> None:
    assert len(short(number)) <= 7 or number < 1e-3
