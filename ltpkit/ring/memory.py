"""Memory for chunks, which is used again once nobody looks at it any more.

Memory that a process touches for the first time costs the feed thread more than writing the rows to it: a
third of a millisecond per megabyte, and several where the machine itself is a virtual one. So what a chunk
that left held is not given back to the system, but kept for the next one.
"""

from __future__ import annotations

import weakref
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["arrays"]

#: Kept for later at most, and what is not worth it. Python keeps small pieces itself.
_MOST: Final = 2**25
_LEAST: Final = 2**20
_ALIGNED: Final = 64  # bytes, as Arrow has it

_kept: Final[dict[int, npt.NDArray[np.uint8]]] = {}  # the longest unused first, by id()


def arrays(*wanted: tuple[int | tuple[int, ...], type[np.generic]]) -> list[npt.NDArray[Any]]:
    """Return arrays of these shapes and types in one piece of memory; what is in them is not defined.

    In one piece, as numpy asks for large pages from 4 MB on, which are written to for the first time much
    faster than small ones.
    """
    shapes = [(shape,) if isinstance(shape, int) else shape for shape, _ in wanted]
    sizes = [prod(shape) * np.dtype(kind).itemsize for shape, (_, kind) in zip(shapes, wanted, strict=True)]
    starts = np.cumsum([0, *(-(-size // _ALIGNED) * _ALIGNED for size in sizes)]).tolist()
    piece = _piece(starts[-1])
    return [
        piece[start : start + size].view(kind).reshape(shape)
        for start, size, shape, (_, kind) in zip(starts[:-1], sizes, shapes, wanted, strict=True)
    ]


def _piece(size: int) -> npt.NDArray[np.uint8]:
    if size < _LEAST:
        return np.empty(size, np.uint8)
    # Finalizers run whenever they like: what is looked through is a copy, and what was seen may be gone.
    fitting = [key for key, kept in _kept.copy().items() if len(kept) == size]
    memory = _kept.pop(fitting[-1], None) if fitting else None
    if memory is None:
        memory = np.empty(size, np.uint8)
    # What is made of this array holds it, frames and Arrow's buffers too, as numpy goes from a view back to
    # the first array that stands on something else. When it ends, nobody can see the memory.
    piece = np.frombuffer(memory.data, np.uint8)
    weakref.finalize(piece, _keep, memory).atexit = False
    return piece


def _keep(memory: npt.NDArray[np.uint8]) -> None:
    _kept[id(memory)] = memory
    held = _kept.copy()
    total = sum(len(kept) for kept in held.values())
    for key, kept in held.items():
        if total <= _MOST:
            break
        _kept.pop(key, None)
        total -= len(kept)
