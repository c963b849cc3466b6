"""Subscriptions of other programs over one stream: counted once at the broker, told apart here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator

import pytest

import ltpkit as lk
from ltpkit.errors import (
    SettingError,
    StreamStopped,
    TooManySubscriptions,
    TooManySymbols,
    UnknownInstrument,
    UnknownSubscription,
)
from ltpkit.live import Stream
from ltpkit.service import RealTimeSyncService, Subscription
from ltpkit.service.subscriptions import Subscriptions


@pytest.fixture
def live() -> Iterator[Stream]:
    with lk.stream(["SBIN"], name="core", rate=2_000, max_symbols=5) as started:
        yield started


@pytest.fixture
def service(live: Stream) -> RealTimeSyncService:
    return RealTimeSyncService(live).start_sync()


def at_the_broker(live: Stream, *symbols: str) -> bool:
    """Return whether the exchange comes to send exactly these."""
    assert live._exchange is not None
    wanted = [frozenset(f"NSE:{symbol}" for symbol in symbols)]
    return live._intake.wait_until(lambda: live._exchange.subscriptions == wanted, 10)


def test_the_broker_sees_the_union_once_and_a_symbol_leaves_with_its_last_subscription(
    live: Stream, service: RealTimeSyncService
) -> None:
    first = service.subscribe_symbols_sync(["TCS", "INFY"])
    second = service.subscribe_symbols_sync(["NSE:INFY", "ITC"])
    assert live.symbols == ["NSE:SBIN", "NSE:TCS", "NSE:INFY", "NSE:ITC"]
    assert at_the_broker(live, "SBIN", "TCS", "INFY", "ITC")
    service.unsubscribe_sync(first)
    assert live.symbols == ["NSE:SBIN", "NSE:INFY", "NSE:ITC"]
    service.unsubscribe_sync(second)
    assert live.symbols == ["NSE:SBIN"]
    assert at_the_broker(live, "SBIN")


def test_what_the_notebook_subscribed_stays_whoever_came_first(
    live: Stream, service: RealTimeSyncService
) -> None:
    one = service.subscribe_symbols_sync(["SBIN", "TCS"])
    live.subscribe("TCS")
    service.unsubscribe_sync(one)
    assert live.symbols == ["NSE:SBIN", "NSE:TCS"]


def test_what_a_client_holds_stays_when_the_notebook_lets_go(
    live: Stream, service: RealTimeSyncService
) -> None:
    one = service.subscribe_symbols_sync("SBIN")
    live.unsubscribe("SBIN")
    assert live.symbols == ["NSE:SBIN"]
    service.unsubscribe_sync(one)
    assert live.symbols == []


def test_a_refused_subscription_changes_nothing(live: Stream, service: RealTimeSyncService) -> None:
    with pytest.raises(UnknownInstrument, match=r"RELIANC.*Close matches: NSE:RELIANCE"):
        service.subscribe_symbols_sync(["TCS", "RELIANC"])
    with pytest.raises(TooManySymbols, match="MAX_CONCURRENT_SYMBOLS is 5") as refused:
        service.subscribe_symbols_sync(["TCS", "INFY", "ITC", "WIPRO", "LT"])
    assert (refused.value.asked, refused.value.held, refused.value.most) == (5, 1, 5)
    for wrong in (-1, math.nan, math.inf):
        with pytest.raises(SettingError, match="update_frequency"):
            service.subscribe_symbols_sync("TCS", wrong)
    with pytest.raises(SettingError, match="No symbol"):
        service.subscribe_symbols_sync([])
    assert (live.symbols, service.subscriptions) == (["NSE:SBIN"], [])


def test_the_limit_counts_what_is_subscribed_now(live: Stream, service: RealTimeSyncService) -> None:
    live.subscribe(["TCS", "INFY"])
    one = service.subscribe_symbols_sync(["ITC", "LT"])
    with pytest.raises(TooManySymbols):
        live.subscribe("WIPRO")
    service.unsubscribe_sync(one)
    live.subscribe("WIPRO")


def test_an_id_that_there_is_not_is_told(service: RealTimeSyncService) -> None:
    for call in (service.get_subscription_status_sync, service.unsubscribe_sync, service.subscription):
        with pytest.raises(UnknownSubscription, match="abc-123"):
            call("abc-123")


@pytest.mark.anyio
async def test_coroutines_and_plain_calls_do_the_same_inside_a_running_loop(
    service: RealTimeSyncService,
) -> None:
    loop = asyncio.get_running_loop()
    awaited = await service.subscribe_symbols(["TCS"], update_frequency=2, depth=True)
    plain = service.subscribe_symbols_sync(["TCS"], 2, depth=True)
    assert asyncio.get_running_loop() is loop
    ours = await service.get_subscription_status(awaited)
    theirs = service.get_subscription_status_sync(plain)
    different = {"subscription_id", "created"}
    assert {key: value for key, value in ours.items() if key not in different} == {
        key: value for key, value in theirs.items() if key not in different
    }
    assert (ours["update_frequency"], ours["depth"], ours["delivered"]) == (2, True, 0)
    await service.unsubscribe(awaited)
    await service.stop()
    assert service.subscriptions == []


@pytest.mark.anyio
async def test_a_service_that_made_its_stream_stops_it_and_starts_it_again() -> None:
    service = RealTimeSyncService(name="own", rate=2_000)
    with pytest.raises(StreamStopped, match="start"):
        _ = service.stream
    await service.start()
    await service.subscribe_symbols("TCS")
    assert service.stream.status().state in ("live", "connecting")
    await service.stop()
    await service.stop()
    assert (service.stream.status().state, service.started_at) == ("stopped", None)
    await service.subscribe_symbols("INFY")
    assert service.stream.symbols == ["NSE:INFY"]
    await service.stop()


def test_a_given_stream_goes_on_when_the_service_stops(live: Stream, service: RealTimeSyncService) -> None:
    service.subscribe_symbols_sync("TCS")
    service.stop_sync()
    assert live.status().state == "live"
    assert live.symbols == ["NSE:SBIN"]
    with pytest.raises(SettingError, match="feed"):
        RealTimeSyncService(live, feed="dhan")


def test_a_full_table_lets_an_idle_one_go_and_refuses_where_all_are_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = Subscriptions(most=2)
    made = [Subscription(("NSE:TCS",), update_frequency=1, depth=False) for _ in range(3)]
    assert [table.add(one) for one in made[:2]] == [None, None]
    with pytest.raises(TooManySubscriptions, match="2 subscriptions"):
        table.add(made[2])
    made[0].clients = 1
    monkeypatch.setattr("ltpkit.service.subscriptions._IDLE", made[0].idle)  # nobody is idle for less
    assert table.add(made[2]) is made[1]
    assert list(table) == [made[0], made[2]]
