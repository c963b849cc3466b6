"""Whatever is asked and whatever breaks, what the server has subscribed becomes what is wanted."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import ltpkit as lk
from ltpkit import live, running
from ltpkit.connection import Policy
from ltpkit.feeds import Limits
from ltpkit.feeds.dhan import Simulated
from ltpkit.simulator import SimulatedExchange

NAMES = ["NSE:RELIANCE", "NSE:TCS", "NSE:INFY", "NSE:SBIN", "NSE:ITC", "NSE:LT"]
DEADLINE_S = 20.0
symbols = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


class Converging(RuleBasedStateMachine):
    """A stream over three connections of two symbols each, and an exchange that breaks them."""

    def __init__(self) -> None:
        super().__init__()
        self.exchange = SimulatedExchange(rate=2000)
        self.exchange.start()
        self.wanted: set[str] = set()
        self.running = True

    @initialize(first=symbols)
    def begin(self, first: list[str]) -> None:
        self.stream = lk.stream(first, url=self.exchange.url, name=f"converging {id(self)}")
        self.wanted = set(first)

    @precondition(lambda self: self.running)
    @rule(some=symbols)
    def subscribe(self, some: list[str]) -> None:
        self.stream.subscribe(some)
        self.wanted |= set(some)

    @precondition(lambda self: self.running)
    @rule(some=symbols)
    def unsubscribe(self, some: list[str]) -> None:
        some = [name for name in some if name in self.stream._instruments.names()]
        self.stream.unsubscribe(some) if some else None
        self.wanted -= set(some)

    @rule()
    def cut(self) -> None:
        self.exchange.hang_up()

    @rule()
    def goodbye(self) -> None:
        self.exchange.disconnect(805)

    @precondition(lambda self: self.running)
    @rule()
    def stop(self) -> None:
        started = time.monotonic()
        self.stream.stop()
        assert time.monotonic() - started < 2
        self.running = False

    @precondition(lambda self: not self.running)
    @rule()
    def start(self) -> None:
        self.stream.start()
        self.running = True

    @rule()
    def settle(self) -> None:
        """Wait until both sides agree, as they must after any of the above."""
        wanted = self.wanted if self.running else set()
        deadline, pause = time.monotonic() + DEADLINE_S, threading.Event()
        while True:
            held = self.exchange.subscriptions
            got = [name for connection in held for name in connection]
            if sorted(got) == sorted(wanted):
                return
            assert time.monotonic() < deadline, f"wanted {sorted(wanted)}, the exchange has {held}"
            pause.wait(0.005)

    @invariant()
    def the_stream_says_what_is_wanted(self) -> None:
        if hasattr(self, "stream"):
            assert set(self.stream.symbols) == self.wanted

    def teardown(self) -> None:
        try:
            if hasattr(self, "stream"):
                self.settle()
                assert self.stream.ticks()["seq"].is_sorted()
        finally:
            if hasattr(self, "stream"):
                self.stream.stop()
            self.exchange.stop()


def test_what_is_subscribed_converges_to_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(per_message=2, per_connection=2, connections=3, hours="always")
    monkeypatch.setattr(Simulated, "limits", limits)
    monkeypatch.setattr(live, "Policy", partial(Policy, first_wait_s=0.01, longest_wait_s=0.05))
    monkeypatch.setattr(running, "_FIRST_TICK_S", 0.05)
    quick = settings(
        max_examples=40,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    Converging.TestCase.settings = quick
    machine = Converging.TestCase()
    machine.runTest()
