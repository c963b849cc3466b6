"""Messages to the page, and the scripts that read them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import ltpkit.views
from ltpkit.views.script import script
from ltpkit.views.wire import pack, unpack

VIEWS = Path(ltpkit.views.__file__).parent

columns = st.dictionaries(
    st.text(min_size=1, max_size=8),
    hnp.arrays(
        st.sampled_from([np.dtype("<f8"), np.dtype("<f4"), np.dtype("<i4"), np.dtype("u1")]),
        st.integers(0, 9),
    ),
    max_size=4,
)


@given(
    columns,
    st.dictionaries(st.text(max_size=5).filter("columns".__ne__), st.none() | st.integers() | st.text()),
)
def test_what_is_packed_is_unpacked(arrays: dict[str, np.ndarray], header: dict[str, object]) -> None:
    header = {
        name: value for name, value in header.items() if not isinstance(value, int) or abs(value) < 2**53
    }
    found, back = unpack(pack(header, arrays))
    assert found == header
    assert list(back) == list(arrays)
    for name, values in arrays.items():
        assert back[name].dtype == values.dtype
        np.testing.assert_array_equal(back[name], values)


def test_columns_begin_where_the_page_can_read_them_in_place() -> None:
    message = pack(
        {"odd": "x"}, {"a": np.zeros(3, "u1"), "b": np.ones(2), "c": np.zeros(1, "f4"), "d": np.ones(1)}
    )
    length = int.from_bytes(message[:4], "little")
    offsets = [offset for _, _, offset, _ in json.loads(message[4 : 4 + length])["columns"]]
    assert (4 + length) % 8 == 0
    assert all(offset % 8 == 0 for offset in offsets)


def test_whole_numbers_of_64_bits_become_floats_which_the_page_has() -> None:
    _, found = unpack(pack({}, {"n": np.array([1, 2, 3], np.int64)}))
    assert found["n"].dtype == np.dtype("<f8")
    assert found["n"].tolist() == [1.0, 2.0, 3.0]


def test_the_bundles_are_those_of_the_sources() -> None:
    """`make views` writes the checksum of what it bundled."""
    sources = VIEWS / "src"
    digest = hashlib.sha256()
    paths = [p.relative_to(sources) for p in sources.rglob("*") if p.suffix in (".ts", ".css")]
    for path in sorted(p.as_posix() for p in paths if p.parts[0] != "node_modules"):
        digest.update(path.encode() + b"\0" + (sources / path).read_bytes() + b"\0")
    said = (VIEWS / "static" / "sources.sha256").read_text().strip()
    assert said == digest.hexdigest(), "The sources have changed since they were bundled: run `make views`."


def test_every_source_of_a_view_has_its_bundle() -> None:
    kinds = {path.stem for path in (VIEWS / "src").glob("*.ts")}
    assert kinds == {path.stem for path in (VIEWS / "static").glob("*.js")}
    for kind in kinds:
        assert "export" in script(kind)
