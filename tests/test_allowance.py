"""So many events a second are told at once, by the clock of what arrives."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ltpkit.allowance import Allowance


def test_a_second_has_so_many_events_and_the_next_one_as_many() -> None:
    allowance = Allowance(2)
    assert allowance.renewed(5)
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    assert not allowance.renewed(1_000_004)
    assert not allowance.take()
    assert allowance.renewed(1_000_005)
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_a_clock_that_was_set_back_begins_a_second() -> None:
    allowance = Allowance(1)
    assert allowance.renewed(10_000_000)
    assert allowance.renewed(9_999_999)
    assert allowance.take()


@given(st.lists(st.integers(0, 400_000)), st.integers(0, 5))
def test_events_grow_with_time_and_not_with_what_arrives(waits: list[int], a_second: int) -> None:
    allowance, at, taken = Allowance(a_second), 0, 0
    for wait in waits:
        at += wait
        allowance.renewed(at)
        taken += sum(allowance.take() for _ in range(10))
    assert taken <= a_second * (at // 1_000_000 + 1)
