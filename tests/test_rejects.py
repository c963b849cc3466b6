"""What could not be decoded is counted in full, kept within bounds, and told of in few events."""

from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ltpkit.batch import Event, Reject
from ltpkit.ring import RejectLog


def reject(at: int, reason: str = "no JSON", frame: bytes = b"x") -> Reject:
    return Reject(received_at=at, reason=reason, frame=frame)


def told(events: list[Event]) -> list[tuple[int, object, object]]:
    assert {event.kind for event in events} <= {"reject"}
    return [(event.at, event.detail["reason"], event.detail["frames"]) for event in events]


def test_the_first_of_a_reason_is_told_at_once_and_the_rest_of_a_flood_once_a_second() -> None:
    log = RejectLog()
    assert told(log.add([reject(0), reject(0), reject(5, "cut")])) == [(5, "no JSON", 2), (5, "cut", 1)]
    assert [told(log.add([reject(at)])) for at in (10, 20, 999_999)] == [[], [], []]
    assert log.waiting
    assert told(log.add([reject(1_000_005), reject(1_000_005, "cut")])) == [
        (1_000_005, "no JSON", 3),
        (1_000_005, "no JSON", 1),
        (1_000_005, "cut", 1),
    ]
    assert not log.waiting
    assert log.count == 8


def test_what_waits_is_told_when_other_frames_come_or_the_stream_ends() -> None:
    log = RejectLog()
    log.add([reject(0)])
    log.add([reject(1), reject(2, "cut"), reject(3)])
    assert told(log.due(1_000_000)) == [(1_000_000, "no JSON", 2)]
    assert told(log.rest(2_000_000)) == []
    log.add([reject(1_000_002, "cut")])
    log.add([reject(1_000_003, "cut")])
    assert told(log.rest(1_500_000)) == [(1_500_000, "cut", 1)]


def test_a_clock_that_goes_back_holds_nothing_up() -> None:
    log = RejectLog()
    log.add([reject(10_000_000)])
    log.add([reject(10_000_001)])
    assert told(log.add([reject(5)])) == [(5, "no JSON", 1), (5, "no JSON", 1)]


@given(st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=200), max_size=20))
def test_however_many_reasons_there_are_none_is_lost_in_number(batches: list[list[int]]) -> None:
    log, events = RejectLog(), list[Event]()
    for reasons in batches:
        events += log.add([reject(7, f"reason {reason}") for reason in reasons])
    assert len(events) <= 50
    events += log.rest(8)
    assert len(events) <= 101
    assert sum(count for _, _, count in told(events)) == log.count == sum(map(len, batches))  # type: ignore[misc]
    named = Counter({reason: count for _, reason, count in told(events)})
    assert len(named) <= 101


def test_the_newest_are_kept_within_a_thousand_and_so_many_bytes() -> None:
    log = RejectLog()
    for at in range(1500):
        log.add([reject(at, frame=str(at).encode())])
    kept = log.frame()
    assert kept["frame"].to_list() == [str(at).encode() for at in range(500, 1500)]
    assert kept.schema == {"received_at": pl.Datetime("us", "UTC"), "reason": pl.String, "frame": pl.Binary}
    large = bytes(4 << 20)
    for at in range(20):
        log.add([reject(at, frame=large)])
    assert log.frame().height == 8
    assert log.count == 1520


def test_reasons_and_frames_are_kept_without_what_may_not_be_shown() -> None:
    log = RejectLog(
        hide=lambda text: text.replace("secret", "…"),
        mask=lambda frames: [frame.replace(b"secret", b"******") for frame in frames],
    )
    log.add([reject(0, "a secret at byte 3", b"is secret")])
    assert log.frame().select("reason", "frame").row(0) == ("a … at byte 3", b"is ******")
