"""A feed that speaks of ever new instruments: bounded, told, and nothing of it lost."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ltpkit import feeds, settings
from ltpkit.batch import Batch
from ltpkit.connection import Policy
from ltpkit.feeds.common.lookup import IntegerLookup, Lookup
from ltpkit.instrument import MOST_MET, Instrument, Instruments
from ltpkit.live import Stream
from ltpkit.streamer import Streamer

AT = 1_767_760_200_000  # ms


def unlisted(key: int) -> Instrument:
    return Instrument(exchange="NSE", symbol=str(key), broker_id=str(key))


def test_asked_instruments_do_not_count_and_met_ones_keep_their_numbers() -> None:
    table = Instruments([unlisted(1)], most_met=2)
    assert [table.meet(unlisted(key)) for key in (1, 2, 3)] == [0, 1, 2]
    assert not table.full
    assert table.meet(unlisted(4)) is None
    assert table.full
    assert [table.meet(unlisted(key)) for key in (2, 3)] == [1, 2]
    assert table.add(unlisted(5)) == 3  # asked for: there is always room
    assert table[table.rest()].name == ":UNLISTED"
    assert len(table) == 5


def key_of(instrument: Instrument) -> int | None:
    return int(instrument.broker_id) if instrument.broker_id else None


@pytest.mark.parametrize("kind", [Lookup, IntegerLookup])
def test_ids_without_end_take_no_more_room_than_the_limit(kind: type[Lookup[int]]) -> None:
    table = Instruments(most_met=3)
    lookup = kind(table, [], key_of=key_of, unlisted=unlisted)
    numbers = [lookup.number(key) for key in range(1, 1000)]
    assert numbers[:3] == [0, 1, 2]
    assert set(numbers[3:]) == {table.rest()}
    assert len(table) == 4
    assert len(lookup._by_key) <= 5


def test_a_packet_of_known_and_endless_ids_gives_each_its_own_or_the_rest() -> None:
    table = Instruments(most_met=2)
    lookup = IntegerLookup(table, [], key_of=key_of, unlisted=unlisted)
    first = lookup.of(np.array([7, 8, 7]))
    assert first.tolist() == [0, 1, 0]
    for start in range(0, 3000, 100):
        found = lookup.of(np.array([8, *range(10_000 + start, 10_100 + start), 7]))
        assert found.dtype == np.int32
        assert found[[0, -1]].tolist() == [1, 0]
        assert set(found[1:-1].tolist()) == {table.rest()}
    assert len(table) == 3
    assert len(lookup._by_key) <= 4


def binance(number: int, kind: str = "trade") -> bytes:
    symbol = f"X{number}USDT"
    trade = {
        "e": "trade",
        "E": AT,
        "T": AT,
        "s": symbol,
        "t": number,
        "p": "1.5",
        "q": "2",
        "m": False,
        "X": "MARKET",
    }
    change = {
        "e": "depthUpdate",
        "E": AT,
        "T": AT,
        "s": symbol,
        "U": 1,
        "u": 2,
        "pu": 0,
        "b": [["1", "1"]],
        "a": [],
    }
    payload = trade if kind == "trade" else change
    return json.dumps({"stream": f"{symbol.lower()}@{kind}", "data": payload}).encode()


def test_a_stream_of_ever_new_symbols_keeps_its_rows_and_says_what_happens() -> None:
    table = Instruments(most_met=20)
    feed = feeds.make("binance", table, kind="usdm")
    live = Stream(feed, table, store=None, chosen=settings.load(env_file=None))
    live._streamer = Streamer(live._intake, Policy())  # not started: nothing comes but what is given
    for start in range(0, 1000, 50):
        batch = live._intake.take([binance(n) for n in range(start, start + 50)], 10)
        assert isinstance(batch, Batch)
    live._intake.take([binance(n, "depth") for n in range(500, 600)], 10)
    assert live.ticks().height == 1000
    assert live.ticks(":UNLISTED").height == 980
    assert live.latest().height == 21
    assert live._intake.wanted_books == set()
    assert live.books().is_empty()
    assert live.events()["kind"].to_list().count("unlisted") == 1
    assert "20 instruments that nobody asked for" in str(live.status().last_error)


def test_by_default_there_is_room_for_what_brokers_send() -> None:
    assert Instruments().most_met == MOST_MET >= 5 * 5000
