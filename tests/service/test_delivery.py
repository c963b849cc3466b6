"""One pass over what is new, for all connections: shared, in order, whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import polars as pl
import pytest

import ltpkit as lk
from ltpkit.live import Stream
from ltpkit.service import Delivery, Outlet, RealTimeSyncService
from ltpkit.service.pace import Pace
from ltpkit.service.updates import BOOKS, TICK, Update

LIMIT_S = 20


@pytest.fixture
def live() -> Iterator[Stream]:
    with lk.stream(["TCS", "INFY"], name="delivery", rate=10_000) as started:
        yield started


@pytest.fixture
async def delivery(live: Stream) -> AsyncIterator[Delivery]:
    made = Delivery(RealTimeSyncService(live).start_sync(), heartbeat_s=60)
    made.start()
    yield made
    await made.close()


async def joined(
    delivery: Delivery, *, every_s: float, after_seq: int | None = None
) -> tuple[Outlet, list[Update]]:
    """Return an outlet that is filled, and what it was given on the way."""
    service = delivery._service
    made = await service.subscribe_symbols(["TCS", "INFY"], every_s)
    outlet = Outlet(service.subscription(made))
    given = [one async for part in delivery.join(outlet, after_seq) for one in part]
    return outlet, given


async def taken(outlet: Outlet, count: int) -> list[Update]:
    """Return the next updates, so many or some more."""
    found: list[Update] = []
    async with asyncio.timeout(LIMIT_S):
        while len(found) < count:
            found += (await outlet.take()).updates
    return found


@pytest.mark.anyio
@pytest.mark.parametrize("every_s", [0, 0.05])
async def test_connections_of_one_pace_share_their_updates(delivery: Delivery, every_s: float) -> None:
    one, _ = await joined(delivery, every_s=every_s)
    two, _ = await joined(delivery, every_s=every_s)
    ours, theirs = await asyncio.gather(taken(one, 30), taken(two, 30))
    seen = {update.seq: update for update in ours}
    both = [update for update in theirs if update.seq in seen]
    assert both
    joining = {update.seq for update in (ours[0], ours[1], theirs[0], theirs[1])}
    assert all(update is seen[update.seq] for update in both if update.seq not in joining)
    delivery.leave(one)
    delivery.leave(two)


@pytest.mark.anyio
async def test_a_backlog_and_what_follows_are_every_row_once(live: Stream, delivery: Delivery) -> None:
    assert await asyncio.to_thread(live.wait, rows=500)
    outlet, backlog = await joined(delivery, every_s=0, after_seq=10)
    seqs = [one.seq for one in backlog + await taken(outlet, 300)]
    rows = live.ticks().filter(pl.col("seq").is_between(11, seqs[-1]))
    assert seqs == rows["seq"].to_list()
    delivery.leave(outlet)


def test_a_pace_keeps_its_beat_and_begins_a_new_one_after_a_silence() -> None:
    pace = Pace(0.5, {TICK: 0, BOOKS: 0})
    times = []
    for now in (10.0, 10.52, 11.01, 14.0, 14.5):
        pace.schedule(now)
        times.append(pace.next_at)
    assert times == [10.5, 11.0, 11.5, 14.5, 15.0]


@pytest.mark.anyio
async def test_the_feed_asks_for_one_pass_at_a_time(
    delivery: Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlet, _ = await joined(delivery, every_s=0.1)
    loop = asyncio.get_running_loop()
    asked: list[object] = []
    real = loop.call_soon_threadsafe
    monkeypatch.setattr(
        loop,
        "call_soon_threadsafe",
        lambda call, *args, **more: (asked.append(call), real(call, *args, **more))[1],
    )
    started = loop.time()
    await taken(outlet, 20)
    passes = asked.count(delivery._pass)
    assert 0 < passes <= (loop.time() - started) / 0.004 + 1
    delivery.leave(outlet)


@pytest.mark.anyio
async def test_who_leaves_is_forgotten(live: Stream, delivery: Delivery) -> None:
    outlet, _ = await joined(delivery, every_s=0)
    assert (delivery._service.clients, outlet.subscription.clients) == (1, 1)
    delivery.leave(outlet)
    delivery.leave(outlet)
    assert delivery._service.clients == 0
    assert outlet.after[TICK] > 0
    await delivery.close()
    assert live._intake.listeners == ()
