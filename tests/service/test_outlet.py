"""What waits for one connection: in order, bounded, and counted where something had to give way."""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime

import pytest

from ltpkit.schema import DEPTH, TICKS
from ltpkit.service import Outlet, Subscription
from ltpkit.service.updates import BOOKS, TICK, Update, framed

WHEN = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def tick(seq: int, symbol: str, ltp: float | None = 100.0) -> Update:
    known = {"seq": seq, "symbol": symbol, "exchange": "NSE", "timestamp": WHEN, "received_at": WHEN}
    return Update(TICK, tuple({**known, "ltp": ltp, "source": "test"}.get(name) for name in TICKS))


def book(seq: int, symbol: str) -> Update:
    known = {"seq": seq, "symbol": symbol, "exchange": "NSE", "timestamp": WHEN, "received_at": WHEN}
    sides = {"bid_price": [99.0], "bid_qty": [5.0], "ask_price": [101.0, 102.0], "ask_qty": [1.0, 2.0]}
    return Update(BOOKS, tuple({**known, **sides, "ask_orders": [3, 4]}.get(name) for name in DEPTH))


def outlet(*, every_s: float, depth: bool = False) -> Outlet:
    return Outlet(Subscription(("NSE:TCS", "NSE:INFY"), update_frequency=every_s, depth=depth))


def seqs(updates: list[Update]) -> list[int]:
    return [one.seq for one in updates]


@pytest.mark.anyio
async def test_it_takes_its_own_symbols_and_kinds_only() -> None:
    one = outlet(every_s=0)
    one.offer([tick(1, "TCS"), tick(2, "WIPRO"), book(1, "TCS"), tick(3, "INFY")])
    assert seqs((await one.take()).updates) == [1, 3]
    with_depth = outlet(every_s=1, depth=True)
    with_depth.offer([tick(5, "TCS"), book(1, "TCS")])
    assert [update.kind for update in (await with_depth.take()).updates] == [TICK, BOOKS]


@pytest.mark.anyio
async def test_what_it_had_when_it_joined_does_not_come_again() -> None:
    one = outlet(every_s=0)
    one.after[TICK] = 5
    one.offer([tick(4, "TCS"), tick(5, "INFY"), tick(6, "TCS")])
    assert seqs((await one.take()).updates) == [6]


@pytest.mark.anyio
async def test_at_a_pace_what_waits_is_replaced_by_the_newest_and_counted() -> None:
    one = outlet(every_s=1)
    for seq in range(1, 8):
        one.offer([tick(seq, "TCS" if seq % 2 else "INFY")])
    taken = await one.take()
    assert seqs(taken.updates) == [6, 7]  # by seq, so that who comes back after one of them misses none
    assert one.subscription.conflated == 5
    assert one.subscription.delivered == 2
    assert one.subscription.seq == 7


@pytest.mark.anyio
async def test_too_many_ticks_become_the_newest_of_each_symbol_and_a_gap() -> None:
    one = outlet(every_s=0)
    for seq in range(1, 10_001):
        one.offer([tick(seq, "TCS" if seq % 3 else "INFY", 100.0 if seq % 5 else None)])
        assert len(one._waiting) <= 2_000
    notes, updates = await one.take()
    gap = json.loads(notes[0])
    assert (gap["type"], gap["missing"]) == ("gap", 10_000 - len(updates))
    assert gap["missing"] == one.subscription.conflated
    assert seqs(updates) == sorted(seqs(updates))
    assert updates[-1].seq == 10_000
    assert gap["first_seq"] == 1


@pytest.mark.anyio
async def test_messages_come_before_updates_and_old_ones_give_way() -> None:
    one = outlet(every_s=0)
    one.offer([tick(1, "TCS")])
    for number in range(150):
        one.note(type="status", number=number)
    notes, updates = await one.take()
    assert [json.loads(note)["number"] for note in notes] == list(range(50, 150))
    assert seqs(updates) == [1]


@pytest.mark.anyio
async def test_after_the_end_there_is_nothing() -> None:
    one = outlet(every_s=0)
    one.note(type="status")
    one.end("over")
    one.end("another reason")
    assert len((await one.take()).notes) == 1
    assert await one.take() == ([], [])
    assert one.ending == "over"


def test_a_tick_without_a_price_is_a_quote() -> None:
    assert json.loads(tick(1, "TCS").text)["type"] == "ltp_update"
    assert json.loads(tick(1, "TCS", None).text)["type"] == "quote_update"
    depth = json.loads(book(1, "TCS").text)
    assert depth["type"] == "depth_update"
    assert depth["bids"] == [{"price": 99.0, "qty": 5.0, "orders": None}]
    assert depth["asks"][1] == {"price": 102.0, "qty": 2.0, "orders": 4}
    assert depth["timestamp"] == "2026-03-02T04:00:00Z"


def test_an_update_is_encoded_once_for_all() -> None:
    one = tick(1, "TCS")
    assert one.frame is one.frame
    assert one.text is one.text


def test_updates_that_wait_give_the_garbage_collector_nothing_to_visit() -> None:
    outlets = [outlet(every_s=1) for _ in range(100)]
    updates = [tick(1, "TCS"), tick(2, "INFY")]
    for one in outlets:
        one.offer(updates)  # what each keeps its updates in is there from now on
    later = [tick(3, "TCS"), tick(4, "INFY")]
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for one in outlets:
            one.offer(later)
        assert len(gc.get_objects()) - before < 10
    finally:
        gc.enable()
    assert not any(map(gc.is_tracked, later))


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, 100_000])
def test_our_frames_are_those_of_the_protocol(size: int) -> None:
    from websockets.frames import Frame, Opcode

    text = b"x" * size
    assert framed(text) == Frame(Opcode.TEXT, text).serialize(mask=False)
