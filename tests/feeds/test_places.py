"""Numbers found by their keys are those that a dict would give."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from ltpkit.feeds.common.places import Places

#: Neighbours, and keys that differ in their high bits only.
KEYS = st.integers(0, 40) | st.integers(0, 2**40) | st.integers(0, 40).map(lambda n: n << 33)


@given(st.lists(st.dictionaries(KEYS, st.integers(0, 2**31 - 1)), max_size=6), st.lists(KEYS))
def test_keys_have_the_numbers_they_were_last_given(added: list[dict[int, int]], asked: list[int]) -> None:
    places, known = Places(), dict[int, int]()
    for some in added:
        known |= some
        places.add(np.array([*some], np.int64), np.array([*some.values()], np.int64))
    keys = [*asked, *known]
    numbers, missing = places.find(np.array(keys, np.int64))
    assert numbers.tolist() == [known.get(key, -1) for key in keys]
    assert missing == sum(key not in known for key in keys)
