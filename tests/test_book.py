"""Books against plain dicts, and the sequence rule in both its forms."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltpkit.batch import BookCheck, BookUpdate, Depth
from ltpkit.book import Book, Books
from ltpkit.instrument import Instrument, Instruments

Level = tuple[float, float]

# Few prices, so that levels meet; sides apart, so that nothing here depends on books never crossing.
levels = st.lists(
    st.tuples(st.integers(1, 12).map(lambda n: n / 4), st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.5])), max_size=8
)
changes = st.lists(st.tuples(levels, levels), max_size=12)


@pytest.fixture
def known() -> Instruments:
    return Instruments([Instrument(exchange="BINANCE", symbol=name) for name in ("BTCUSDT", "ETHUSDT")])


def update(
    first: int | None,
    last: int | None,
    bids: Sequence[Level] = (),
    asks: Sequence[Level] = (),
    *,
    previous: int | None = None,
    instrument: int | None = 0,
    at: int = 0,
) -> BookUpdate:
    return BookUpdate(
        instrument=instrument,
        timestamp=(last or 0) * 10,
        received_at=at,
        bids=bids,
        asks=asks,
        first_id=first,
        last_id=last,
        previous_id=previous,
    )


def snapshot(
    last: int | None,
    bids: Sequence[Level] = (),
    asks: Sequence[Level] = (),
    *,
    instrument: int | None = 0,
    at: int = 0,
) -> BookUpdate:
    return BookUpdate(
        instrument=instrument,
        timestamp=(last or 0) * 10,
        received_at=at,
        bids=bids,
        asks=asks,
        last_id=last,
        snapshot=True,
    )


def rows(depth: Depth | None) -> list[tuple[list[Level], list[Level]]]:
    if depth is None:
        return []
    found, bid, ask = [], 0, 0
    for bid_end, ask_end in zip(depth.bid_ends.tolist(), depth.ask_ends.tolist(), strict=True):
        found.append(
            (
                list(
                    zip(
                        depth.bid_price[bid:bid_end].tolist(),
                        depth.bid_qty[bid:bid_end].tolist(),
                        strict=True,
                    )
                ),
                list(
                    zip(
                        depth.ask_price[ask:ask_end].tolist(),
                        depth.ask_qty[ask:ask_end].tolist(),
                        strict=True,
                    )
                ),
            )
        )
        bid, ask = bid_end, ask_end
    return found


def naive(before: Sequence[tuple[Sequence[Level], Sequence[Level]]]) -> tuple[list[Level], list[Level]]:
    sides: tuple[dict[float, float], dict[float, float]] = ({}, {})
    for change in before:
        for side, told in zip(sides, change, strict=True):
            for price, qty in told:
                side[price] = qty
    bids, asks = ([(p, q) for p, q in sorted(side.items()) if q] for side in sides)
    return bids[::-1], asks


# The book itself ------------------------------------------------------------------------------


@given(changes)
def test_a_book_holds_what_plain_dicts_would_hold_best_level_first(
    told: list[tuple[list[Level], list[Level]]],
) -> None:
    book = Book()
    for count, (bids, asks) in enumerate(told, 1):
        book.apply(bids, asks)
        expected = naive(told[:count])
        assert book.top() == expected
        assert book.top(3) == (expected[0][:3], expected[1][:3])
        assert book.levels == (len(expected[0]), len(expected[1]))
        assert book.crossed == bool(expected[0] and expected[1] and expected[0][0][0] >= expected[1][0][0])


@settings(deadline=None)  # the first instrument of all imports polars
@given(changes, st.integers(0, 12))
def test_replay_in_two_halves_is_replay_in_one(told: list[tuple[list[Level], list[Level]]], cut: int) -> None:
    updates = [snapshot(0), *(update(n, n, *change) for n, change in enumerate(told, 1))]
    known = Instruments([Instrument(exchange="BINANCE", symbol="BTCUSDT")])
    whole, halves = Books(instruments=known, levels=4), Books(instruments=known, levels=4)
    at_once = whole.apply(updates)
    first, second = halves.apply(updates[:cut]), halves.apply(updates[cut:])
    assert rows(at_once.depth) == rows(first.depth) + rows(second.depth)
    assert whole.full(0) == halves.full(0) == naive(told)
    assert at_once.events == first.events == second.events == []
    for bids, asks in rows(at_once.depth):
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert all(qty for _, qty in bids + asks)


@settings(deadline=None)  # as above
@given(changes, st.data())
def test_wherever_the_snapshot_falls_the_book_ends_the_same(
    told: list[tuple[list[Level], list[Level]]], data: st.DataObject
) -> None:
    updates = [update(n, n, *change) for n, change in enumerate(told, 1)]
    of = data.draw(st.integers(0, len(told)), label="last change in the snapshot")
    place = data.draw(st.integers(of, len(told)), label="changes before it arrives")
    updates.insert(place, snapshot(of, *naive(told[:of])))
    books = Books(instruments=Instruments([Instrument(exchange="BINANCE", symbol="BTCUSDT")]))
    applied = books.apply(updates)
    assert books.full(0) == naive(told)
    assert applied.events == []
    assert applied.wanted == set()
    assert len(rows(applied.depth)) == 1 + len(told) - place


def test_replacing_a_book_forgets_the_old_levels_and_takes_no_empty_ones() -> None:
    book = Book()
    book.apply([(1.0, 1.0)], [(2.0, 1.0)])
    book.replace([(0.5, 2.0), (0.25, 0.0)], [])
    assert book.top() == ([(0.5, 2.0)], [])
    assert not book.crossed
    assert repr(book) == "<Book: 1 bids, 0 asks>"


# The sequence rule ----------------------------------------------------------------------------


def test_changes_wait_for_their_snapshot_and_the_wait_is_told_at_every_call(known: Instruments) -> None:
    books = Books(instruments=known)
    for last in (5, 6):
        applied = books.apply([update(last, last, [(1.0, 1.0)])])
        assert (applied.depth, applied.wanted, applied.events) == (None, {0}, [])
    assert books.full(0) is None
    assert books.last_id(0) is None
    assert books.waiting() == {0}


def test_changes_the_snapshot_already_holds_are_dropped_and_one_row_shows_the_state(
    known: Instruments,
) -> None:
    books = Books(instruments=known, levels=1)
    books.apply([update(1, 4, [(9.0, 9.0)]), update(5, 8, [(2.0, 3.0)]), update(9, 9, [(3.0, 1.0)])])
    applied = books.apply([snapshot(6, [(1.0, 1.0)], [(4.0, 1.0)], at=77)])
    assert rows(applied.depth) == [([(3.0, 1.0)], [(4.0, 1.0)])]
    assert applied.depth is not None
    assert (applied.depth.timestamp[0], applied.depth.received_at[0]) == (90, 77)
    assert books.full(0) == ([(3.0, 1.0), (2.0, 3.0), (1.0, 1.0)], [(4.0, 1.0)])
    assert books.last_id(0) == 9
    assert applied.wanted == set()


def test_a_snapshot_older_than_the_first_change_is_asked_for_again(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([update(10, 12, [(1.0, 1.0)])])
    assert books.apply([snapshot(8)]).wanted == {0}
    assert books.full(0) is None
    assert books.apply([snapshot(9)]).wanted == set()
    assert books.full(0) == ([(1.0, 1.0)], [])


def test_a_break_takes_the_book_out_of_sync_until_a_snapshot_spans_it(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([snapshot(5, [(1.0, 1.0)], at=100), update(6, 6, [(2.0, 1.0)], at=110)])
    broken = books.apply([update(9, 9, [(3.0, 1.0)], at=120), update(10, 10, at=130)])
    (gap,) = broken.events
    assert (gap.kind, gap.at, gap.symbol) == ("gap", 120, "BINANCE:BTCUSDT")
    assert gap.detail == {"why": "depth sequence", "start": 110, "end": 120, "from_id": 7, "to_id": 8}
    assert (broken.depth, broken.wanted) == (None, {0})
    assert books.full(0) is None
    mended = books.apply([snapshot(8, [(1.5, 1.0)], at=150)])
    (resync,) = mended.events
    assert (resync.kind, resync.at, resync.symbol) == ("resync", 150, "BINANCE:BTCUSDT")
    assert resync.detail == {"out_us": 40}
    assert rows(mended.depth) == [([(3.0, 1.0), (1.5, 1.0)], [])]


def test_one_missing_number_is_a_break(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([snapshot(5), update(6, 6)])
    (gap,) = books.apply([update(8, 9)]).events
    assert gap.detail == {"why": "depth sequence", "start": 0, "end": 0, "from_id": 7, "to_id": 7}


def test_where_the_feed_names_the_change_before_that_decides(known: Instruments) -> None:
    books = Books(instruments=known)
    # USD-M: ids are the whole exchange's, so `first_id` jumps from change to change.
    books.apply([update(103, 110, [(1.0, 1.0)], previous=99), update(140, 150, [(2.0, 1.0)], previous=110)])
    assert books.apply([snapshot(101)]).events == []
    assert books.last_id(0) == 150
    assert books.apply([update(170, 180, previous=150)]).events == []
    (gap,) = books.apply([update(200, 210, previous=190)]).events
    assert gap.detail == {"why": "depth sequence", "start": 0, "end": 0, "from_id": 181, "to_id": 190}


def test_a_change_reaching_back_further_than_needed_is_applied_and_an_older_one_left_out(
    known: Instruments,
) -> None:
    books = Books(instruments=known)
    books.apply([snapshot(10, [(1.0, 1.0)])])
    applied = books.apply(
        [update(4, 9, [(1.0, 9.0)]), update(8, 12, [(2.0, 2.0)]), update(11, 12, [(5.0, 5.0)])]
    )
    assert books.full(0) == ([(2.0, 2.0), (1.0, 1.0)], [])
    assert len(rows(applied.depth)) == 1
    assert applied.events == []


def test_numbers_that_begin_anew_do_not_freeze_the_book(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([snapshot(1_000), update(1_001, 1_001, [(1.0, 1.0)])])
    applied = books.apply([update(n, n, [(2.0, 1.0)]) for n in range(1, 150)])
    (gap,) = applied.events
    assert gap.detail == {"why": "depth ids began anew", "start": 0, "end": 0, "from_id": 1_002}
    assert applied.wanted == {0}
    assert books.apply([snapshot(120, [(3.0, 1.0)])]).events[0].kind == "resync"
    assert books.full(0) == ([(3.0, 1.0), (2.0, 1.0)], [])


def test_a_reader_far_behind_its_snapshot_sees_no_break(known: Instruments) -> None:
    books = Books(instruments=known)
    applied = books.apply(
        [snapshot(1_000, [(1.0, 1.0)]), *(update(n, n, [(2.0, 1.0)]) for n in range(1, 1_001))]
    )
    assert applied.events == []
    assert books.apply([update(1_001, 1_001, [(3.0, 1.0)])]).events == []
    assert books.full(0) == ([(3.0, 1.0), (1.0, 1.0)], [])


def test_a_lost_connection_takes_only_its_own_books_out_of_sync(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([snapshot(5, at=10), snapshot(5, instrument=1, at=10)])
    books.disconnected([1, 99])
    assert books.waiting() == {1}
    assert books.apply([]).wanted == set(), "nothing is fetched before the feed speaks again"
    books.disconnected()
    assert books.waiting() == {0, 1}
    applied = books.apply([update(7, 7, [(2.0, 1.0)], at=20), snapshot(6, [(1.0, 1.0)], at=30)])
    assert [event.kind for event in applied.events] == ["resync"]
    assert applied.events[0].detail == {"out_us": 20}
    assert books.full(0) == ([(2.0, 1.0), (1.0, 1.0)], [])
    assert repr(books) == "<Books: 2, 1 waiting for a snapshot>"


def test_a_snapshot_without_a_name_goes_to_the_one_book_that_waits(known: Instruments) -> None:
    books = Books(instruments=known)
    orphan = books.apply([snapshot(5, instrument=None, at=3)])
    assert [(event.kind, event.at, event.symbol) for event in orphan.events] == [("reject", 3, None)]
    books.apply([update(6, 6), snapshot(5, instrument=None)])
    assert books.last_id(0) == 6
    books.apply([update(6, 6, instrument=1)])
    books.disconnected([0])
    two = books.apply([update(7, 7), snapshot(6, instrument=None)])
    assert [event.kind for event in two.events] == ["reject"]
    assert two.wanted == {0, 1}


def test_an_unasked_snapshot_replaces_a_book_in_sync_unless_it_is_older(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([snapshot(5, [(1.0, 1.0)])])
    assert books.apply([snapshot(4, [(9.0, 1.0)])]).depth is None
    assert books.full(0) == ([(1.0, 1.0)], [])
    assert rows(books.apply([snapshot(8, [(2.0, 1.0)])]).depth) == [([(2.0, 1.0)], [])]
    assert books.last_id(0) == 8


def test_a_feed_without_numbers_is_taken_at_its_word(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([update(None, None, [(9.0, 1.0)])])
    assert rows(books.apply([snapshot(None, [(1.0, 1.0)])]).depth) == [([(1.0, 1.0)], [])]
    assert rows(books.apply([update(None, None, [(2.0, 1.0)])]).depth) == [([(2.0, 1.0), (1.0, 1.0)], [])]


def test_a_forgotten_book_starts_over_and_is_no_longer_wanted(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([update(1, 1), snapshot(5, instrument=1)])
    books.forget(0)
    books.forget(1)
    assert books.apply([]).wanted == set()
    assert books.full(1) is None
    assert books.waiting() == set()


def test_what_waits_is_bounded_and_the_newest_is_kept(
    known: Instruments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltpkit.book._KEPT", 10)
    books = Books(instruments=known)
    books.apply([update(n, n, [(float(n), 1.0)]) for n in range(1, 101)])
    assert books.apply([snapshot(50)]).wanted == {0}, "what would follow it was let go"
    applied = books.apply([snapshot(95)])
    assert applied.wanted == set()
    assert books.full(0) == ([(float(n), 1.0) for n in range(100, 95, -1)], [])


def test_rows_hold_no_more_levels_than_asked_for(known: Instruments) -> None:
    books = Books(instruments=known, levels=2)
    applied = books.apply(
        [snapshot(1, [(1.0, 1.0), (3.0, 1.0), (2.0, 1.0)], [(4.0, 1.0)]), update(2, 2, [], [(5.0, 2.0)])]
    )
    assert rows(applied.depth) == [
        ([(3.0, 1.0), (2.0, 1.0)], [(4.0, 1.0)]),
        ([(3.0, 1.0), (2.0, 1.0)], [(4.0, 1.0), (5.0, 2.0)]),
    ]


# Checksums and other signs of loss ------------------------------------------------------------


def checked(
    one: BookUpdate, of: tuple[Sequence[Level], Sequence[Level]], *, levels: int = 10, wrong: int = 0
) -> BookUpdate:
    """Return an update with the checksum of the book that should stand after it."""
    bids, asks = of
    text = "".join(f"{price}|{qty};" for price, qty in [*asks[:10], *bids[:10]])
    marks = [[f"{price}|{qty};".encode() for price, qty in side] for side in (one.bids, one.asks)]
    one.check = BookCheck(
        checksum=crc32(text.encode()) ^ wrong, levels=levels, bid_marks=marks[0], ask_marks=marks[1]
    )
    return one


@settings(deadline=None)  # as above
@given(changes)
def test_a_checksum_over_what_plain_dicts_would_hold_fits_after_every_update(
    told: list[tuple[list[Level], list[Level]]],
) -> None:
    books = Books(instruments=Instruments([Instrument(exchange="KRAKEN", symbol="BTC/USD")]))
    updates = [checked(snapshot(None), ([], []), levels=99)]
    for count, (bids, asks) in enumerate(told, 1):
        updates.append(checked(update(None, None, bids, asks), naive(told[:count]), levels=99))
    applied = books.apply(updates)
    assert (applied.events, applied.wanted) == ([], set())
    assert len(rows(applied.depth)) == 1 + len(told)


def test_levels_beyond_the_feeds_depth_go_after_the_whole_update_not_within_it(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([checked(snapshot(None, [(3.0, 1.0), (2.0, 1.0)]), ([(3.0, 1.0), (2.0, 1.0)], []), levels=2)])
    # Cut after its first level, the update would lose 2.0 and then come one short.
    one = update(None, None, [(4.0, 1.0), (1.0, 1.0), (3.0, 0.0)], [(5.0, 1.0), (7.0, 1.0), (6.0, 1.0)])
    left = [(4.0, 1.0), (2.0, 1.0)], [(5.0, 1.0), (6.0, 1.0)]
    assert books.apply([checked(one, left, levels=2)]).events == []
    assert books.full(0) == left


def test_a_checksum_that_differs_shows_no_row_and_asks_for_a_snapshot(known: Instruments) -> None:
    books = Books(instruments=known)
    good = [(1.0, 1.0)], [(2.0, 1.0)]
    books.apply([checked(snapshot(None, *good, at=10), good)])
    bad = checked(update(None, None, [(1.5, 1.0)], at=20), good)
    applied = books.apply([bad, update(None, None, [(1.25, 1.0)], at=30)])
    (gap,) = applied.events
    assert bad.check is not None
    both = {
        "checksum": bad.check.checksum,
        "computed": crc32(b"2.0|1.0;1.5|1.0;1.0|1.0;"),
    }
    assert (gap.kind, gap.at, gap.symbol) == ("gap", 20, "BINANCE:BTCUSDT")
    assert gap.detail == {"why": "checksum", "start": 10, "end": 20, **both}
    assert (applied.depth, applied.wanted) == (None, {0})
    assert books.full(0) is None
    mended = books.apply([checked(snapshot(None, *good, at=50), good)])
    assert [(event.kind, event.detail) for event in mended.events] == [("resync", {"out_us": 40})]
    assert books.full(0) == good


def test_a_snapshot_whose_checksum_differs_is_no_book(known: Instruments) -> None:
    books = Books(instruments=known)
    good = [(1.0, 1.0)], [(2.0, 1.0)]
    applied = books.apply([checked(snapshot(None, *good, at=10), good, wrong=1)])
    (gap,) = applied.events
    assert (gap.kind, gap.detail["why"], "start" in gap.detail) == ("gap", "checksum", False)
    assert (applied.depth, applied.wanted, books.full(0)) == (None, {0}, None)
    mended = books.apply([checked(snapshot(None, *good, at=30), good)])
    assert [event.kind for event in mended.events] == ["resync"]


def test_a_book_that_moves_for_long_keeps_no_marks_of_levels_that_are_gone(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([checked(snapshot(None), ([], []))])
    for n in range(1, 500):
        moved = [(float(n), 1.0), (float(n - 1), 0.0)]
        both = [(float(n), 1.0)], [(float(n), 1.0)]  # crossed, which a book does not mind
        assert books.apply([checked(update(None, None, moved, moved), both)]).events == []
    kept = books._books[0]
    assert all(marks is not None and len(marks._marks) < 20 for marks in (kept.bid_marks, kept.ask_marks))


def test_a_loss_the_feed_itself_tells_of_takes_the_book_out_of_sync_at_once(known: Instruments) -> None:
    books = Books(instruments=known)
    books.apply([snapshot(None, [(1.0, 1.0)], at=10)])
    said = update(None, None, at=20)
    said.missed = "sequence numbers"
    applied = books.apply([said])
    (gap,) = applied.events
    assert (gap.kind, gap.detail) == ("gap", {"why": "sequence numbers", "start": 10, "end": 20})
    assert (applied.wanted, books.full(0)) == ({0}, None)
    assert books.apply([snapshot(None, [(2.0, 1.0)], at=40)]).events[0].kind == "resync"
    assert books.full(0) == ([(2.0, 1.0)], [])
