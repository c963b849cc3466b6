"""Prices over REST: each answer is what the stream's own method says."""

from __future__ import annotations

import io
from datetime import datetime
from itertools import pairwise

import httpx
import polars as pl
import pytest

from ltpkit.live import Stream
from ltpkit.schema import TICKS
from tests.api.clients import BASE, subscribe


@pytest.fixture(autouse=True)
def _subscribed(http: httpx.Client, live: Stream) -> None:
    subscribe(http, "RELIANCE", "TCS")
    assert live._intake.wait_until(lambda: live.latest("TCS").height and live.depth("TCS").height, 10)


def test_the_newest_values_of_one_symbol_and_of_all(http: httpx.Client) -> None:
    one = http.get(f"{BASE}/ltp/RELIANCE").json()
    assert list(one) == list(TICKS)
    assert (one["symbol"], one["exchange"], one["source"]) == ("RELIANCE", "NSE", "simulated")
    assert datetime.fromisoformat(one["received_at"]).utcoffset() is not None
    assert one["received_at"].endswith("Z")
    assert {row["symbol"] for row in http.get(f"{BASE}/ltp").json()} >= {"RELIANCE", "TCS", "SBIN"}
    assert http.get(f"{BASE}/ltp/NSE:RELIANCE").json()["symbol"] == "RELIANCE"


def test_what_is_missing_is_null_and_never_nan(http: httpx.Client) -> None:
    first = http.get(f"{BASE}/ticks/TCS", params={"after_seq": 0, "limit": 1})
    assert "NaN" not in first.text
    assert first.json()[0]["change"] is None


def test_ticks_are_paged_by_seq_without_loss_or_repeat(http: httpx.Client, live: Stream) -> None:
    assert live.wait(rows=200)
    goal = live.ticks("TCS")["seq"].to_list()
    found: list[int] = []
    while len(found) < len(goal):
        after = found[-1] if found else 0
        page = http.get(f"{BASE}/ticks/TCS", params={"after_seq": after, "limit": 17}).json()
        found += [row["seq"] for row in page]
    assert found[: len(goal)] == goal
    newest = http.get(f"{BASE}/ticks/TCS", params={"limit": 5}).json()
    assert len(newest) == 5


def test_ticks_come_as_arrow_and_csv_too(http: httpx.Client) -> None:
    address, page = f"{BASE}/ticks/TCS", {"after_seq": 0, "limit": 50}
    as_json = http.get(address, params=page).json()
    arrow = http.get(address, params=page, headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert arrow.headers["content-type"] == "application/vnd.apache.arrow.stream"
    frame = pl.read_ipc_stream(arrow.content)
    assert frame.columns == list(TICKS)
    assert frame["seq"].to_list() == [row["seq"] for row in as_json]
    assert frame["ltp"].to_list() == [row["ltp"] for row in as_json]
    csv = http.get(address, params=page, headers={"Accept": "text/csv, application/json;q=0.5"})
    assert csv.headers["content-type"].startswith("text/csv")
    table = pl.read_csv(io.BytesIO(csv.content))
    assert table["received_at"].to_list() == [row["received_at"] for row in as_json]


def test_a_form_that_there_is_not_is_refused(http: httpx.Client) -> None:
    answer = http.get(f"{BASE}/gaps", headers={"Accept": "image/png, text/html"})
    assert answer.status_code == 406
    assert "text/csv" in answer.json()["detail"]


def test_bars_are_those_of_the_stream(http: httpx.Client, live: Stream) -> None:
    assert live.wait(rows=100)
    ours = live.bars("1s", symbol="TCS").head(1).row(0, named=True)
    theirs = http.get(f"{BASE}/bars/TCS", params={"every": "1s"}).json()
    start = datetime.fromisoformat(theirs[0]["start"])
    assert start == ours["start"]
    assert theirs[0]["open"] == ours["open"]
    since = http.get(f"{BASE}/bars/TCS", params={"every": "1s", "start": theirs[0]["start"]}).json()
    assert since[0]["open"] == ours["open"]
    until = http.get(f"{BASE}/bars/TCS", params={"every": "1s", "end": theirs[0]["start"]}).json()
    assert until == []


def test_changes_are_from_the_tick_before(http: httpx.Client) -> None:
    rows = http.get(f"{BASE}/changes", params={"symbol": "TCS", "limit": 20}).json()
    for before, after in pairwise(rows):
        assert after["change"] == round(after["ltp"] - before["ltp"], 8)


@pytest.mark.parametrize("path", ["ltp", "ltp/TCS", "ticks/TCS", "ticks/TCS?after_seq=0", "changes"])
def test_no_change_is_told_with_what_subtracting_floats_leaves(
    http: httpx.Client, live: Stream, path: str
) -> None:
    assert live.wait(rows=200)
    told = http.get(f"{BASE}/{path}").json()
    rows = told if isinstance(told, list) else [told]
    changes = [row[name] for row in rows for name in row if "change" in name and name != "exchange"]
    assert [one for one in changes if one is not None and one != round(one, 8)] == []
    assert changes


def test_depth_is_the_newest_book_best_first(http: httpx.Client) -> None:
    book = http.get(f"{BASE}/depth/TCS", params={"levels": 3}).json()
    assert len(book["bids"]) == len(book["asks"]) == 3
    prices = [level["price"] for level in book["bids"]]
    assert prices == sorted(prices, reverse=True)
    assert book["bids"][0]["price"] < book["asks"][0]["price"]
    assert (book["symbol"], book["exchange"]) == ("TCS", "NSE")


def test_depth_comes_as_a_ladder_in_arrow_and_csv(http: httpx.Client, live: Stream) -> None:
    address, page = f"{BASE}/depth/TCS", {"levels": 3}
    arrow = http.get(address, params=page, headers={"Accept": "application/vnd.apache.arrow.stream"})
    assert arrow.headers["content-type"] == "application/vnd.apache.arrow.stream"
    assert pl.read_ipc_stream(arrow.content).schema == live.depth("TCS", levels=3).schema
    csv = http.get(address, params=page, headers={"Accept": "text/csv"})
    assert csv.headers["content-type"].startswith("text/csv")
    table = pl.read_csv(io.BytesIO(csv.content))
    assert table.columns == live.depth("TCS").columns
    assert table["level"].to_list() == [0, 1, 2]
    assert table["bid_price"].is_sorted(descending=True)
    assert http.get(address, headers={"Accept": "image/png"}).status_code == 406


def test_active_symbols_and_what_can_be_had(http: httpx.Client, live: Stream) -> None:
    assert http.get(f"{BASE}/symbols/active").json() == {
        "symbols": live.symbols,
        "count": len(live.symbols),
    }
    found = http.get(f"{BASE}/instruments", params={"q": "hdfc"}).json()
    assert {"HDFCBANK", "HDFCLIFE"} <= {row["symbol"] for row in found}


def test_a_symbol_nobody_subscribed_to_is_404_with_near_misses(http: httpx.Client) -> None:
    for path in ("ltp", "ticks", "bars", "depth"):
        answer = http.get(f"{BASE}/{path}/RELIANC")
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["type"] == "urn:ltpkit:unknown-symbol"
        assert problem["near"] == ["NSE:RELIANCE"]
        assert problem["correlation_id"] == answer.headers["x-correlation-id"]


def test_sql_answers_within_the_sandbox_where_it_is_on(http: httpx.Client) -> None:
    query = {
        "query": "SELECT symbol, count(*) AS n FROM ticks WHERE symbol = $s GROUP BY ALL",
        "params": {"s": "TCS"},
    }
    rows = http.post(f"{BASE}/sql", json=query).json()
    assert rows[0]["symbol"] == "TCS"
    assert rows[0]["n"] > 0
    for attack in ("SELECT * FROM read_csv('/etc/passwd')", "DROP TABLE realtime_ltp", "SELECT 1; SELECT 2"):
        refused = http.post(f"{BASE}/sql", json={"query": attack})
        assert refused.status_code == 403, attack
        assert refused.json()["type"] == "urn:ltpkit:query-refused"
    assert http.post(f"{BASE}/sql", json={"query": "SELECT nope"}).status_code == 422


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("bars/TCS?interval=5m", "query.interval: there is no such parameter; did you mean 'every'?"),
        ("bars/TCS?evry=5m", "query.evry: there is no such parameter; did you mean 'every'?"),
        ("depth/TCS?zzz=1", "query.zzz: there is no such parameter; there are levels"),
        ("ltp?limit=1", "query.limit: there is no such parameter; there are none here"),
    ],
)
def test_a_parameter_that_there_is_not_is_refused(http: httpx.Client, asked: str, named: str) -> None:
    answer = http.get(f"{BASE}/{asked}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["detail"] == named
    assert answer.json()["errors"][0]["where"] == named.partition(":")[0]


def test_the_bare_address_leads_to_the_dashboard(http: httpx.Client) -> None:
    answer = http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/dashboard")


def test_an_empty_symbol_is_none(http: httpx.Client) -> None:
    whole = http.get(f"{BASE}/ltp/", follow_redirects=True)
    assert (whole.status_code, whole.url.path) == (200, f"{BASE}/ltp")
    for path in ("ticks", "bars", "depth"):
        answer = http.get(f"{BASE}/{path}/")
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"There is nothing at {BASE}/{path}/."


@pytest.mark.parametrize(
    ("headers", "instead"),
    [({}, "there is none"), ({"Content-Type": "text/plain"}, "it says 'text/plain'")],
)
def test_a_body_without_its_header_is_told_which(
    http: httpx.Client, headers: dict[str, str], instead: str
) -> None:
    answer = http.post(f"{BASE}/subscribe", content=b'{"symbols": ["TCS"]}', headers=headers)
    assert answer.status_code == 422
    said = f"body: send the header 'Content-Type: application/json' with it; {instead}"
    assert answer.json()["detail"] == said
    no_object = http.post(f"{BASE}/subscribe", json=["TCS"])
    assert "Content-Type" not in no_object.json()["detail"]


def test_every_error_is_a_problem(http: httpx.Client) -> None:
    for method, path, status in (
        ("GET", "/nothing/here", 404),
        ("PUT", f"{BASE}/subscribe", 405),
        ("GET", f"{BASE}/ticks/TCS?limit=0", 422),
        ("GET", f"{BASE}/bars/TCS?every=fortnight", 422),
        ("GET", f"{BASE}/subscriptions/abc-123", 404),
        ("DELETE", f"{BASE}/subscribe/abc-123", 404),
    ):
        answer = http.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["status"] == status
    assert "GET" in http.request("PUT", f"{BASE}/ltp").headers["allow"]
