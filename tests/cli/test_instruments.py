"""The commands about brokers' lists: refresh and find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ltpkit.cli import app
from ltpkit.masters import cache_folder
from ltpkit.masters.cache import _failed
from tests.test_masters import Server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    made = Server()
    monkeypatch.setenv("DHAN_INSTRUMENTS_URL", made.url)
    monkeypatch.setenv("LTPKIT_CACHE_DIR", str(tmp_path / "cache"))
    _failed.clear()
    yield made
    made.stop()
    _failed.clear()


def test_refresh_fetches_keeps_and_says_what(server: Server) -> None:
    result = CliRunner().invoke(app, ["instruments", "refresh"])
    assert result.exit_code == 0, result.stderr
    assert "12 instruments of dhan for 20" in result.stdout
    assert "NSE 3, " in result.stdout
    assert [path.suffix for path in (cache_folder() / "instruments").iterdir()] == [".parquet"]
    CliRunner().invoke(app, ["instruments", "refresh", "--feed", "dhan"])
    assert server.asked == 2


def test_a_refresh_that_fails_is_one_line_and_exit_code_1(server: Server) -> None:
    server.status = 503
    result = CliRunner().invoke(app, ["instruments", "refresh"])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Dhan's list of instruments could not be fetched from 127.0.0.1 (HTTP 503 Service Unavailable)."
    ]


def test_an_unknown_feed_is_named(server: Server) -> None:
    result = CliRunner().invoke(app, ["instruments", "refresh", "--feed", "dahn"])
    assert result.exit_code == 1
    assert "Did you mean 'dhan'?" in result.stderr


def test_find_shows_the_best_match_first(server: Server) -> None:
    result = CliRunner().invoke(app, ["instruments", "find", "nifty", "24900", "pe"])
    assert result.exit_code == 0
    (row,) = [line for line in result.stdout.splitlines() if "55001" in line]
    assert row.split()[:2] == ["NFO", "NIFTY-Jul2031-24900-PE"]
    assert result.stderr == ""


def test_find_says_where_nothing_is_found(server: Server) -> None:
    result = CliRunner().invoke(app, ["instruments", "find", "no such thing"])
    assert result.exit_code == 1
    assert "Nothing in dhan's list is like 'no such thing'." in result.stdout


def test_find_says_on_standard_error_that_a_list_stands_in(server: Server) -> None:
    server.status = 500
    result = CliRunner().invoke(app, ["instruments", "find", "reliance", "--exchange", "nse"])
    assert result.exit_code == 0
    assert "2885" in result.stdout
    assert "This is the sample that ships with ltpkit" in result.stderr
