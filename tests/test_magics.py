"""The magics in a real IPython shell."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import ltpkit as lk
from ltpkit.magics import bound


@pytest.fixture(scope="module")
def live() -> Iterator[lk.Stream]:
    with lk.stream(["NSE:RELIANCE", "NSE:TCS"], rate=20_000, name="magics") as stream:
        assert stream.wait(rows=500)
        yield stream


@pytest.fixture(scope="module")
def ipython() -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    one = InteractiveShell.instance(config=config)
    one.run_line_magic("load_ext", "ltpkit")
    yield one
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(ipython: InteractiveShell, live: lk.Stream) -> InteractiveShell:
    ipython.user_ns["live"] = live
    return ipython


def run(shell: InteractiveShell, cell: str) -> Any:
    result = shell.run_cell(cell)
    result.raise_error()
    return result.result


def test_a_query_answers_over_the_stream_and_binds_the_notebooks_variables(
    shell: InteractiveShell, live: lk.Stream
) -> None:
    shell.user_ns.update(wanted="TCS", most=5)
    found = run(
        shell, "%%ltp\nSELECT symbol, ltp FROM ticks WHERE symbol = {{wanted}} ORDER BY seq LIMIT $most"
    )
    assert isinstance(found, pl.DataFrame)
    assert found["symbol"].unique().to_list() == ["TCS"]
    assert found.height == 5


def test_a_variable_is_a_value_and_never_a_part_of_the_query(shell: InteractiveShell) -> None:
    shell.user_ns["name"] = "TCS' OR 'x' = 'x"
    assert run(shell, "%%ltp\nFROM ticks WHERE symbol = {{name}}").height == 0


def test_an_answer_may_go_to_a_variable(shell: InteractiveShell) -> None:
    assert run(shell, "%%ltp -o counts\nSELECT count(*) AS n FROM ticks") is None
    assert shell.user_ns["counts"]["n"].item() > 500


def test_a_query_may_name_frames_of_the_notebook(shell: InteractiveShell) -> None:
    shell.user_ns["weights"] = pl.DataFrame({"symbol": ["TCS"], "weight": [0.25]})
    found = run(shell, "%%ltp\nSELECT DISTINCT t.symbol, weight FROM ticks t JOIN weights w USING (symbol)")
    assert found.rows() == [("TCS", 0.25)]


def test_a_watchlist_subscribes_what_it_names(shell: InteractiveShell, live: lk.Stream) -> None:
    board = run(shell, "%ltp TCS, INFY")
    assert "NSE:INFY" in live.symbols
    assert "INFY" in repr(board)
    assert "RELIANCE" not in repr(board)
    board.close()


def test_without_a_stream_a_watchlist_starts_one(shell: InteractiveShell) -> None:
    del shell.user_ns["live"]
    board = run(shell, "%ltp SBIN")
    started = shell.user_ns["live"]
    try:
        assert started.symbols == ["NSE:SBIN"]
    finally:
        board.close()
        started.stop()


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%ltp NOSUCHNAME", "NOSUCHNAME"),
        ("%ltp --form live", "usage: %ltp"),
        ("%%ltp --from other\nSELECT 1", "other holds nothing"),
        ("%%ltp -o 1x\nSELECT 1", "no name of one"),
        ("%%ltp\nSELECT $nothing", "no variable of that name"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str], cell: str, said: str
) -> None:
    assert not shell.run_cell(cell).success
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert "Traceback" not in told.out + told.err


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("%ltp REL", "RELIANCE"),
        ("%ltp NSE:T", "NSE:TCS"),
        ("%%ltp\nSELECT day.high_p", None),
        ("%%ltp\nSELECT high_p", "high_price"),
        ("%%ltp\nFROM latest_", "latest_ltp"),
    ],
)
def test_symbols_columns_and_tables_are_completed(
    shell: InteractiveShell, text: str, wanted: str | None
) -> None:
    with provisionalcompleter():
        found = [one.text for one in shell.Completer.completions(text, len(text))]
    assert (wanted in found) if wanted else not found


def test_loading_the_extension_twice_completes_once(shell: InteractiveShell) -> None:
    shell.run_line_magic("reload_ext", "ltpkit")
    ours = [
        one for one in shell.Completer.custom_matchers if getattr(one, "matcher_identifier", "") == "ltpkit"
    ]
    assert len(ours) == 1


@pytest.mark.parametrize("text", ["SELECT '$x'", 'SELECT "$x"', "SELECT 1 -- $x", "SELECT $$x$$"])
def test_what_only_looks_like_a_variable_is_left_alone(text: str) -> None:
    assert bound(text, {}) == (text, {})


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT nothing FROM ticks", '"nothing" not found'),
        ("SELEC 1", "syntax error"),
        ("FROM trades", "There are ticks, latest_ltp, "),
    ],
)
def test_a_wrong_query_is_answered_in_duckdbs_words_alone(
    shell: InteractiveShell, query: str, words: str
) -> None:
    with pytest.raises(UsageError) as refused:
        run(shell, f"%%ltp\n{query}")
    assert words in str(refused.value)


def test_a_variable_that_is_a_time_without_a_zone_is_refused(shell: InteractiveShell) -> None:
    shell.user_ns["since"] = datetime(2026, 11, 20, 9, 15)  # noqa: DTZ001
    with pytest.raises(UsageError, match=r"\$since=.*: give a date and time with its zone"):
        run(shell, "%%ltp\nFROM ticks WHERE timestamp > $since")
