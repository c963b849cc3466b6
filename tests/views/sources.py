"""Streams for views, and what a page would have of a view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import ltpkit as lk
from ltpkit.views.view import View
from ltpkit.views.wire import unpack


def streamed(symbols: Sequence[str], *, rate: float, rows: int) -> Any:
    """A fixture ``live``: a simulated stream that has received some rows."""

    @pytest.fixture(name="live")
    def fixture() -> Iterator[lk.Stream]:
        with lk.stream(symbols, rate=rate, name="views") as stream:
            assert stream.wait(rows=rows)
            yield stream

    return fixture


def shown(view: View) -> tuple[dict[str, Any], dict[str, Any], dict[str, np.ndarray]]:
    """Header of the base; header and columns of the frame."""
    base, frame = view._messages(whole=True)
    assert base is not None
    return unpack(base)[0], *unpack(frame)
