"""Brokers' lists of instruments: read from what they publish, fetched over HTTP, cached, replaced offline."""

# ruff: noqa: E501 - rows of CSV, one instrument each

from __future__ import annotations

import gzip
import json
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import polars as pl
import pytest

import ltpkit as lk
from ltpkit import nifty
from ltpkit.errors import ConnectionFailed, SettingError, UnknownInstrument
from ltpkit.feeds import make
from ltpkit.instrument import Instrument, Instruments
from ltpkit.masters import (
    COLUMNS,
    Listing,
    OldInstruments,
    as_instruments,
    cache_folder,
    find,
    instruments,
    listing,
    load,
    refresh,
    sample,
)
from ltpkit.masters.brokers import BROKERS
from ltpkit.masters.cache import _failed
from tests.paths import ROOT

#: Written for these tests in the columns that Dhan publishes, with every trap its notes tell of.
DHAN = """\
SEM_EXM_EXCH_ID,SEM_SEGMENT,SEM_SMST_SECURITY_ID,SEM_INSTRUMENT_NAME,SEM_EXPIRY_CODE,SEM_TRADING_SYMBOL,\
SEM_LOT_UNITS,SEM_CUSTOM_SYMBOL,SEM_EXPIRY_DATE,SEM_STRIKE_PRICE,SEM_OPTION_TYPE,SEM_TICK_SIZE,SEM_EXPIRY_FLAG,\
SEM_EXCH_INSTRUMENT_TYPE,SEM_SERIES,SM_SYMBOL_NAME
NSE,E,19585,EQUITY,0,RELIANCE,1.0,Reliance Partly Paid,,,,1.0000,NA,ES,E1,RELIANCE INDUSTRIES LTD
NSE,E,2885,EQUITY,0,RELIANCE,1.0,Reliance Industries,,,,10.0000,NA,ES,EQ,RELIANCE INDUSTRIES LTD
BSE,E,500325,EQUITY,0,RELIANCE,1.0,Reliance Industries,,,,5.0000,NA,ES,A,RELIANCE INDUSTRIES LTD
NSE,E,14,EQUITY,0,011NSETEST,1.0,011NSETEST,,,,5.0000,NA,ES,EQ,011NSETEST
NSE,I,13,INDEX,0,NIFTY,1.0,Nifty 50,0001-01-01,,XX,0.0500,NA,INDEX,X,NIFTY
BSE,I,51,INDEX,0,SENSEX,1.0,Sensex,0001-01-01,,XX,0.0500,NA,INDEX,X,SENSEX
NSE,E,13,EQUITY,0,ABB,1.0,ABB India,,,,50.0000,NA,ES,EQ,ABB INDIA LIMITED
NSE,D,55001,OPTIDX,0,NIFTY-Jul2031-24900-PE,75.0,NIFTY 31 JUL 24900 PUT,2031-07-31 14:30:00,24900.00000,PE,5.0000,M,OP,NA,
NSE,D,55002,FUTSTK,0,RELIANCE-Jul2031-FUT,500.0,RELIANCE JUL FUT,2031-07-31 14:30:00,-0.01000,XX,10.0000,M,FUT,NA,
NSE,C,1401,FUTCUR,0,USDINR-Jul2031-FUT,1000.0,USDINR JUL FUT,2031-07-29 12:30:00,-0.01000,XX,0.2500,M,FUT,NA,
MCX,M,4001,FUTCOM,0,GOLD-Aug2031-FUT,1.0,GOLD AUG FUT,2031-08-05 23:30:00,-0.01000,XX,100.0000,M,FUT,NA,
BSE,D,80001,OPTIDX,0,SENSEX-Jul2031-81500-CE,20.0,SENSEX 29 JUL 81500 CALL,2031-07-29 15:30:00,81500.00000,CE,5.0000,W,OP,NA,
BSE,C,1402,FUTCUR,0,USDINR-Jul2031-FUT,1000.0,USDINR JUL FUT,2031-07-29 12:30:00,-0.01000,XX,0.2500,M,FUT,NA,
NSE,M,9001,FUTCOM,0,SILVER-Aug2031-FUT,1.0,of no segment of the feed,2031-08-05 23:30:00,-0.01000,XX,100.0000,M,FUT,NA,
"""

DETAILED = """\
EXCH_ID,SEGMENT,SECURITY_ID,ISIN,INSTRUMENT,UNDERLYING_SECURITY_ID,UNDERLYING_SYMBOL,SYMBOL_NAME,DISPLAY_NAME,\
INSTRUMENT_TYPE,SERIES,LOT_SIZE,SM_EXPIRY_DATE,STRIKE_PRICE,OPTION_TYPE,TICK_SIZE,EXPIRY_FLAG,ASM_GSM_FLAG,
NSE,E,2885,INE002A01018,EQUITY,2885,RELIANCE,RELIANCE INDUSTRIES LTD,Reliance Industries,ES,EQ,1.0,,,,10.0000,NA,N,
NSE,D,55001,NA,OPTIDX,13,NIFTY,NIFTY-Jul2031-24900-PE,NIFTY 31 JUL 24900 PUT,OP,NA,75.0,2031-07-31,24900.00000,PE,5.0000,M,N,
"""

KITE = """\
instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange
738561,2885,RELIANCE,RELIANCE INDUSTRIES,0,,0,0.1,1,EQ,NSE,NSE
5013761,19585,RELIANCE-E1,RELIANCE PP,0,,0,0.01,1,EQ,NSE,NSE
256265,1001,NIFTY 50,NIFTY 50,0,,0,0,0,EQ,INDICES,NSE
14080258,55001,NIFTY31JUL24900PE,NIFTY,0,2031-07-31,24900,0.05,75,PE,NFO-OPT,NFO
358915,1402,USDINR31JULFUT,USDINR,0,2031-07-29,0,0.0025,1,FUT,CDS-FUT,CDS
"""

UPSTOX = [
    {
        "segment": "NSE_EQ",
        "name": "RELIANCE INDUSTRIES LTD",
        "exchange": "NSE",
        "instrument_type": "EQ",
        "instrument_key": "NSE_EQ|INE002A01018",
        "lot_size": 1,
        "tick_size": 10.0,
        "trading_symbol": "RELIANCE",
    },
    {
        "segment": "NSE_FO",
        "name": "NIFTY",
        "exchange": "NSE",
        "expiry": 1943288999000,  # 2031-07-31 23:59:59 in India
        "instrument_type": "PE",
        "instrument_key": "NSE_FO|55001",
        "lot_size": 75,
        "tick_size": 5.0,
        "trading_symbol": "NIFTY 24900 PE 31 JUL 31",
        "strike_price": 24900.0,
    },
    {
        "segment": "NSE_INDEX",
        "name": "Nifty 50",
        "exchange": "NSE",
        "instrument_type": "INDEX",
        "instrument_key": "NSE_INDEX|Nifty 50",
        "trading_symbol": "NIFTY",
    },
    {"segment": "NSE_COM", "instrument_key": "NSE_COM|1", "trading_symbol": "OF NO EXCHANGE OF OURS"},
    "not an object",
]

_ANGEL = ("token", "symbol", "name", "expiry", "strike", "lotsize", "instrumenttype", "exch_seg", "tick_size")
ANGEL = [
    dict(zip(_ANGEL, row, strict=True))
    for row in (
        ("2885", "RELIANCE-EQ", "RELIANCE", "", "-1.000000", "1", "", "NSE", "10.000000"),
        ("19585", "RELIANCE-E1", "RELIANCE", "", "-1.000000", "1", "", "NSE", "1.000000"),
        ("99926000", "Nifty 50", "NIFTY", "", "0.000000", "1", "AMXIDX", "NSE", "0.000000"),
        ("500325", "RELIANCE", "RELIANCE", "", "-1.000000", "1", "", "BSE", "5.000000"),
        (
            "55001",
            "NIFTY31JUL3124900PE",
            "NIFTY",
            "31JUL2031",
            "2490000.000000",
            "75",
            "OPTIDX",
            "NFO",
            "5.000000",
        ),
        ("1402", "USDINR31JULFUT", "USDINR", "29JUL2031", "-1.000000", "1", "FUTCUR", "CDS", "0.250000"),
    )
]

LISTS = {
    "dhan": DHAN.encode(),
    "kite": KITE.encode(),
    "upstox": json.dumps(UPSTOX).encode(),
    "angelone": json.dumps(ANGEL).encode(),
}

MORNING = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # 09:30 in India


class Server:
    """Answers every GET with `body`, and counts them."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = DHAN.encode(), 200, 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                self.send_response(server.status)
                self.send_header("Content-Length", str(len(server.body)))
                self.end_headers()
                self.wfile.write(server.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/list.csv"

    def stop(self) -> None:
        self._http.shutdown()
        self._thread.join(5)
        self._http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    made = Server()
    monkeypatch.setenv("DHAN_INSTRUMENTS_URL", made.url)
    monkeypatch.setenv("LTPKIT_CACHE_DIR", str(tmp_path / "cache"))
    _failed.clear()
    yield made
    made.stop()
    _failed.clear()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LTPKIT_CACHE_DIR", str(tmp_path / "cache"))
    for feed in BROKERS:
        monkeypatch.setenv(f"{feed.upper()}_INSTRUMENTS_URL", "http://127.0.0.1:1/nobody-listens")
    _failed.clear()


def row(frame: pl.DataFrame, name: str) -> dict[str, Any]:
    exchange, _, symbol = name.partition(":")
    return frame.row(by_predicate=(pl.col("exchange") == exchange) & (pl.col("symbol") == symbol), named=True)


# --- what brokers publish -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def dhan() -> pl.DataFrame:
    return BROKERS["dhan"].read(DHAN.encode())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NSE:RELIANCE", ("equity", None, None, None, 1.0, 0.10, "NSE_EQ", "2885")),
        ("BSE:RELIANCE", ("equity", None, None, None, 1.0, 0.05, "BSE_EQ", "500325")),
        ("NSE:ABB", ("equity", None, None, None, 1.0, 0.50, "NSE_EQ", "13")),
        ("INDEX:NIFTY", ("index", None, None, None, 1.0, 0.05, "IDX_I", "13")),
        ("INDEX:SENSEX", ("index", None, None, None, 1.0, 0.05, "IDX_I", "51")),
        (
            "NFO:NIFTY-Jul2031-24900-PE",
            ("option", date(2031, 7, 31), 24900.0, "PE", 75.0, 0.05, "NSE_FNO", "55001"),
        ),
        (
            "NFO:RELIANCE-Jul2031-FUT",
            ("future", date(2031, 7, 31), None, None, 500.0, 0.10, "NSE_FNO", "55002"),
        ),
        (
            "CDS:USDINR-Jul2031-FUT",
            ("future", date(2031, 7, 29), None, None, 1000.0, 0.0025, "NSE_CURRENCY", "1401"),
        ),
        (
            "BCD:USDINR-Jul2031-FUT",
            ("future", date(2031, 7, 29), None, None, 1000.0, 0.0025, "BSE_CURRENCY", "1402"),
        ),
        ("MCX:GOLD-Aug2031-FUT", ("future", date(2031, 8, 5), None, None, 1.0, 1.0, "MCX_COMM", "4001")),
        (
            "BFO:SENSEX-Jul2031-81500-CE",
            ("option", date(2031, 7, 29), 81500.0, "CE", 20.0, 0.05, "BSE_FNO", "80001"),
        ),
    ],
)
def test_dhans_list_is_read_in_rupees_dates_and_our_exchange_codes(
    dhan: pl.DataFrame, name: str, expected: tuple[Any, ...]
) -> None:
    columns = ("type", "expiry", "strike", "option_type", "lot", "tick_size", "segment", "broker_id")
    found = row(dhan, name)
    assert tuple(found[column] for column in columns) == expected


def test_the_regular_series_has_the_bare_name_and_another_its_own(dhan: pl.DataFrame) -> None:
    assert row(dhan, "NSE:RELIANCE")["series"] == "EQ"
    assert row(dhan, "NSE:RELIANCE-E1")["broker_id"] == "19585"


def test_test_symbols_and_parts_without_a_segment_are_left_out(dhan: pl.DataFrame) -> None:
    assert not dhan["symbol"].str.contains("TEST").any()
    assert "9001" not in dhan["broker_id"].to_list()
    assert dhan.height == 12


@pytest.mark.parametrize("feed", sorted(BROKERS))
def test_every_list_has_the_same_columns_and_names_each_instrument_once(feed: str) -> None:
    frame = BROKERS[feed].read(LISTS[feed])
    assert dict(frame.schema) == COLUMNS
    assert frame.select("exchange", "symbol").is_unique().all()
    assert frame.select("segment", "broker_id").is_unique().all()
    assert row(frame, "NSE:RELIANCE")["tick_size"] == 0.1


def test_ids_are_unique_only_within_a_segment(dhan: pl.DataFrame) -> None:
    assert dhan.filter(broker_id="13").select("exchange", "symbol").rows() == [
        ("INDEX", "NIFTY"),
        ("NSE", "ABB"),
    ]


def test_the_detailed_list_gives_the_same_shares_and_contracts() -> None:
    frame = BROKERS["dhan"].read(DETAILED.encode())
    share, option = row(frame, "NSE:RELIANCE"), row(frame, "NFO:NIFTY 31 JUL 24900 PUT")
    assert (share["broker_id"], share["tick_size"], share["lot"]) == ("2885", 0.1, 1.0)
    assert (option["broker_id"], option["strike"], option["expiry"]) == ("55001", 24900.0, date(2031, 7, 31))


def test_kites_list_is_read() -> None:
    frame = BROKERS["kite"].read(KITE.encode())
    assert row(frame, "INDEX:NIFTY 50")["broker_id"] == "256265"
    assert row(frame, "CDS:USDINR31JULFUT")["tick_size"] == 0.0025
    option = row(frame, "NFO:NIFTY31JUL24900PE")
    assert (option["type"], option["strike"], option["option_type"]) == ("option", 24900.0, "PE")
    assert option["expiry"] == date(2031, 7, 31)
    assert row(frame, "NSE:RELIANCE-E1")["broker_id"] == "5013761"


def test_upstoxs_packed_list_is_read() -> None:
    frame = BROKERS["upstox"].read(gzip.compress(json.dumps(UPSTOX).encode()))
    assert row(frame, "NSE:RELIANCE")["broker_id"] == "NSE_EQ|INE002A01018"
    assert row(frame, "INDEX:NIFTY")["broker_id"] == "NSE_INDEX|Nifty 50"
    option = row(frame, "NFO:NIFTY 24900 PE 31 JUL 31")
    assert (option["expiry"], option["tick_size"], option["lot"]) == (date(2031, 7, 31), 0.05, 75.0)
    assert frame.height == 3


def test_angel_ones_list_is_read() -> None:
    frame = BROKERS["angelone"].read(json.dumps(ANGEL).encode())
    share, index = row(frame, "NSE:RELIANCE"), row(frame, "INDEX:NIFTY 50")
    assert (share["broker_id"], share["segment"], share["series"]) == ("2885", "nse_cm", "EQ")
    assert (index["broker_id"], index["tick_size"]) == ("99926000", None)
    option = row(frame, "NFO:NIFTY31JUL3124900PE")
    assert (option["strike"], option["option_type"], option["expiry"]) == (24900.0, "PE", date(2031, 7, 31))
    assert row(frame, "CDS:USDINR31JULFUT")["tick_size"] == 0.0025
    assert row(frame, "CDS:USDINR31JULFUT")["strike"] is None
    assert row(frame, "NSE:RELIANCE-E1")["broker_id"] == "19585"


@pytest.mark.parametrize("feed", sorted(BROKERS))
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>sign in to the hotel's network</html>",
        b"a,b\n1,2\n",
        b"[]",
        b"{}",
        b"\x1f\x8bdamaged",
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_list_is_refused(feed: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"^its? "):
        BROKERS[feed].read(body)


# --- fetched, cached, offline -------------------------------------------------------------------


def test_a_list_is_fetched_once_a_day(server: Server) -> None:
    first = load("dhan", now=MORNING)
    again = load("dhan", now=MORNING + timedelta(hours=20))
    assert (first.origin, again.origin, server.asked) == ("fetched", "cached", 1)
    assert first.day == again.day == date(2026, 11, 23)
    assert first.problem == again.problem == ""
    assert again.frame.equals(first.frame)

    assert load("dhan", now=MORNING + timedelta(days=1)).origin == "fetched"
    assert server.asked == 2


def test_before_the_brokers_write_their_lists_it_is_still_the_day_before(server: Server) -> None:
    assert load("dhan", now=MORNING - timedelta(hours=2)).day == date(2026, 11, 22)


def test_a_fetch_asked_for_happens_though_the_list_is_there(server: Server) -> None:
    load("dhan")
    server.body = DHAN.encode() + b"NSE,E,1594,EQUITY,0,INFY,1.0,Infosys,,,,10.0000,NA,ES,EQ,INFOSYS\n"
    assert instruments("dhan", fresh=True).filter(symbol="INFY").height == 1
    assert instruments("dhan").filter(symbol="INFY").height == 1
    assert server.asked == 2


def test_only_the_newest_lists_are_kept(server: Server) -> None:
    for day in range(8):
        refresh("dhan", now=MORNING + timedelta(days=day))
    kept = sorted(path.name for path in (cache_folder() / "instruments").iterdir())
    assert kept == [f"dhan-2026-11-{day}.parquet" for day in range(26, 31)]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (503, b"later", "HTTP 503 Service Unavailable"),
        (200, b"<html></html>", "no column"),
        (200, b"", "CSV"),
    ],
)
def test_the_newest_cached_list_stands_in_and_says_so(
    server: Server, status: int, body: bytes, why: str
) -> None:
    load("dhan", now=MORNING)
    server.status, server.body = status, body
    found = load("dhan", now=MORNING + timedelta(days=3))
    assert (found.origin, found.day) == ("cached", date(2026, 11, 23))
    assert why in found.problem
    assert found.problem.startswith("Dhan's list of instruments could not be fetched from 127.0.0.1 (")
    assert found.problem.endswith("This is the list of 2026-11-23.")


def test_a_damaged_file_in_the_cache_is_fetched_anew(server: Server) -> None:
    load("dhan")
    (path,) = (cache_folder() / "instruments").glob("dhan-*.parquet")
    path.write_bytes(b"PAR1 and then nothing")
    assert load("dhan").origin == "fetched"


def test_a_cache_that_cannot_be_written_costs_a_fetch_and_no_more(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a-file").write_text("no folder")
    monkeypatch.setenv("LTPKIT_CACHE_DIR", str(tmp_path / "a-file"))
    assert load("dhan").origin == "fetched"
    assert load("dhan").origin == "fetched"


def test_a_fetch_that_failed_is_not_tried_at_every_call(server: Server) -> None:
    server.status = 500
    assert load("dhan").origin == load("dhan").origin == "sample"
    assert server.asked == 1
    with pytest.raises(ConnectionFailed, match="HTTP 500"):
        refresh("dhan")
    assert server.asked == 2


@pytest.mark.usefixtures("offline")
def test_offline_the_sample_stands_in_with_a_warning_at_the_callers_line() -> None:
    with pytest.warns(OldInstruments, match="sample that ships with ltpkit: 50 shares and 4 indices") as told:
        frame = lk.instruments("dhan")
    assert told[0].filename == __file__
    assert dict(frame.schema) == COLUMNS
    assert row(frame, "NSE:RELIANCE")["broker_id"] == "2885"
    assert lk.find("reliance")["symbol"].to_list() == ["RELIANCE"]  # and says it no second time


@pytest.mark.usefixtures("offline")
def test_without_cache_and_sample_the_error_names_host_and_reason() -> None:
    with pytest.raises(ConnectionFailed, match=r"Upstox's list .* from 127\.0\.0\.1 \(.*refused"):
        load("upstox")


@pytest.mark.usefixtures("offline")
def test_an_address_with_a_password_in_it_is_not_shown() -> None:
    with pytest.raises(ConnectionFailed) as refused:
        refresh("dhan", url="http://me:s3cret@127.0.0.1:1/list?key=s3cret")
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("url", ["ftp://x/y", "list.csv", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="must start with http"):
        refresh("dhan", url=url)


def test_a_feed_without_a_list_is_named_with_its_near_misses() -> None:
    with pytest.raises(SettingError, match=r"'dahn'. Did you mean 'dhan'\?"):
        load("dahn")
    with pytest.raises(SettingError, match="angelone, dhan, kite, upstox"):
        lk.instruments("binance")
    assert listing("binance") is None


# --- the sample ---------------------------------------------------------------------------------


def test_the_sample_in_data_is_the_one_in_the_package() -> None:
    name = "instruments-sample.csv"
    assert (ROOT / "data" / name).read_bytes() == (ROOT / "ltpkit" / "data" / name).read_bytes()


def test_the_sample_agrees_with_the_simulated_exchanges_listing() -> None:
    frame = sample("dhan")
    assert frame is not None
    shares = {one.name: one for one in as_instruments(frame.filter(type="equity"))}
    # No broker's list says the sector.
    listed = {one.name: msgspec.structs.replace(one, sector="") for one in nifty.instruments()}
    assert shares == listed


def test_other_brokers_ids_of_the_sample_are_worked_out_where_they_can_be() -> None:
    kite, angel = sample("kite"), sample("angelone")
    assert kite is not None
    assert angel is not None
    assert row(kite, "NSE:INFY")["broker_id"] == "408065"  # as Kite's documentation has it
    assert row(angel, "NSE:RELIANCE")["broker_id"] == "2885"
    assert sample("upstox") is None


# --- finding ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("reliance", "NSE:RELIANCE"),
        ("RELIANCE jul fut", "NFO:RELIANCE-Jul2031-FUT"),
        ("bse:reliance", "BSE:RELIANCE"),
        ("nifty", "INDEX:NIFTY"),
        ("nifty 50", "INDEX:NIFTY"),
        ("nifty 24900 pe", "NFO:NIFTY-Jul2031-24900-PE"),
        ("2031-07-31 pe", "NFO:NIFTY-Jul2031-24900-PE"),
        ("gold", "MCX:GOLD-Aug2031-FUT"),
        ("usdinr", "CDS:USDINR-Jul2031-FUT"),
        ("abb india", "NSE:ABB"),
    ],
)
def test_find_puts_what_is_meant_first(server: Server, text: str, first: str) -> None:
    found = find(text)
    assert f"{found['exchange'][0]}:{found['symbol'][0]}" == first


def test_find_narrows_to_an_exchange_and_a_number_of_rows(server: Server) -> None:
    assert find("reliance", exchange="bse")["broker_id"].to_list() == ["500325"]
    assert find("reliance", limit=2).height == 2
    assert find("reliance", limit=None).height == 4
    assert find("nothing like it").is_empty()
    assert dict(find("nothing like it").schema) == COLUMNS


def test_find_takes_any_text_as_words_and_never_as_a_pattern(server: Server) -> None:
    for text in ("", " ", "(", "*", "NSE:", "a|b"):
        assert dict(find(text).schema) == COLUMNS


# --- symbols for a stream -----------------------------------------------------------------------


@pytest.fixture
def known(server: Server) -> Listing:
    made = listing("dhan")
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NSE:RELIANCE", "NSE:RELIANCE"),
        ("RELIANCE", "NSE:RELIANCE"),
        ("NSE:RELIANCE-EQ", "NSE:RELIANCE"),
        ("NSE:RELIANCE-E1", "NSE:RELIANCE-E1"),
        ("reliance", "NSE:RELIANCE"),
        ("bse:RELIANCE", "BSE:RELIANCE"),
        ("NIFTY", "INDEX:NIFTY"),
        ("Nifty 50", "INDEX:NIFTY"),
        ("NFO:NIFTY 31 JUL 24900 PUT", "NFO:NIFTY-Jul2031-24900-PE"),
        ("nfo:nifty-jul2031-24900-pe", "NFO:NIFTY-Jul2031-24900-PE"),
    ],
)
def test_a_written_symbol_is_resolved(known: Listing, written: str, meant: str) -> None:
    assert known.resolve(written).name == meant


def test_a_resolved_instrument_has_what_the_feed_needs(known: Listing) -> None:
    assert known.resolve("NSE:RELIANCE") == Instrument(
        exchange="NSE", symbol="RELIANCE", segment="NSE_EQ", broker_id="2885", tick_size=0.1, lot=1.0
    )


def test_the_list_is_read_when_the_first_symbol_is_looked_up_and_once(server: Server) -> None:
    made = listing("dhan")
    assert made is not None
    assert server.asked == 0
    made.resolve("NSE:RELIANCE")
    made.resolve("NSE:ABB")
    assert server.asked == 1


def test_an_unknown_symbol_is_named_with_its_near_misses(known: Listing) -> None:
    with pytest.raises(UnknownInstrument, match="Close matches: NSE:RELIANCE") as unknown:
        known.resolve("NSE:RELIENCE")
    assert unknown.value.near[0] == "NSE:RELIANCE"
    assert "lk.find('RELIENCE', 'dhan')" in str(unknown.value)
    with pytest.raises(UnknownInstrument, match="list of instruments of 20"):
        known.resolve("NOTHING LIKE IT")


def test_rows_become_a_feeds_known_instruments(dhan: pl.DataFrame) -> None:
    from ltpkit.feeds.dhan import Dhan

    feed = Dhan(instruments=Instruments(), known=as_instruments(dhan))
    assert feed.resolve("NFO:NIFTY-Jul2031-24900-PE").broker_id == "55001"


@pytest.mark.parametrize(
    ("feed", "asked"),
    [
        ("dhan", {"NSE:RELIANCE": "2885", "INDEX:NIFTY": "13", "CDS:USDINR-Jul2031-FUT": "1401"}),
        ("kite", {"NSE:RELIANCE": "738561", "INDEX:NIFTY 50": "256265", "CDS:USDINR31JULFUT": "358915"}),
        (
            "upstox",
            {
                "NSE:RELIANCE": "NSE_EQ|INE002A01018",
                "INDEX:NIFTY": "NSE_INDEX|Nifty 50",
                "NFO:NIFTY 24900 PE 31 JUL 31": "NSE_FO|55001",
            },
        ),
        ("angelone", {"NSE:RELIANCE": "2885", "INDEX:NIFTY 50": "99926000", "CDS:USDINR31JULFUT": "1402"}),
    ],
)
def test_what_a_list_gives_its_own_feed_asks_the_broker_for(feed: str, asked: dict[str, str]) -> None:
    listed = {one.name: one for one in as_instruments(BROKERS[feed].read(LISTS[feed]))}
    table = Instruments()
    made = make(feed, table)
    for name, broker_id in asked.items():
        table.add(listed[name])  # as a stream does
        assert made.resolve(name) == listed[name]
        messages = made.subscribe([listed[name]])
        text = b"".join(one.encode() if isinstance(one, str) else one for one in messages).decode()
        assert broker_id in text


def test_nothing_is_said_of_a_list_that_is_todays(known: Listing) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known.resolve("RELIANCE")


def test_find_names_what_comes_nearest_where_nothing_holds_the_words(server: Server) -> None:
    assert find("relaince")["symbol"][0] == "RELIANCE"
    assert "RELIANCE" in find("RELIENCE", exchange="nse")["symbol"].to_list()


@pytest.mark.parametrize("limit", [0, -1])
def test_a_number_of_rows_below_one_is_refused(limit: int) -> None:
    with pytest.raises(SettingError, match=f"limit={limit}"):
        find("reliance", limit=limit)
