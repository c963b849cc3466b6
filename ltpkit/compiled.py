"""Loops over rows that run as machine code.

A batch of a hundred rows costs numpy dozens of calls, most of them longer than their work; the same rules as
one plain loop, compiled, cost a tenth. Numba compiles them when the module that holds them is first loaded on
a machine, some seconds for all, and keeps the result on disk: beside the module where that may be written,
otherwise in the user's cache or in ``NUMBA_CACHE_DIR``.

Modules of compiled loops are imported when a stream is made, never by ``import ltpkit``, and on the thread
that makes it: the feed thread compiles nothing. Constants and loops that a loop takes from other modules are
compiled into it. Numba notices a change in the loop's own file alone, so they are part of the name that it is
kept under. ``NUMBA_DISABLE_JIT=1`` runs the loops as plain Python, for a debugger; ``python -m
ltpkit.compiled`` compiles all of them, for an image or a machine without time later.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

__all__ = ["OCTETS", "both", "compile_all", "compiled", "reads"]

#: The type of a `bytes` object that a loop reads.
OCTETS: Final = numba.types.Bytes(numba.types.uint8, 1, "C", readonly=True)

_FILES: Final = "*loops.py"  # that hold some

Loop = TypeVar("Loop", bound=Callable[..., Any])


def reads(item: Any, dimensions: int = 1) -> Any:
    """Return the type of arrays of `item` that a loop only reads: of any strides, read-only ones too."""
    return numba.types.Array(item, dimensions, "A", readonly=True)


def both(item: Any) -> Any:
    """Return the type of a pair of these, such as the same of the bids and of the asks."""
    return numba.types.UniTuple(item, 2)  # type: ignore[no-untyped-call]


def compiled(*arguments: Any, inline: bool = False, checked: bool = True) -> Callable[[Loop], Loop]:
    """Return a decorator that compiles a loop for arguments of these types.

    Parameters
    ----------
    *arguments : numba types
        `reads` of arrays that are only read; ``float64[:, :]`` for a two-dimensional array to write to. No
        types at all for a part that only other loops call.
    inline : bool
        Whether to write a part out wherever it is called, before anything is compiled. Small parts that read
        from arrays become several times faster: else each call is asked whether it raised IndexError.
    checked : bool
        Whether each index is compared with its array's size. A loop that is not has to look at the sizes of
        all its arrays before it begins, and at every index that it reads from one.

    Notes
    -----
    An index outside an array raises IndexError, as in Python, except a negative one that counts from the
    end; a division by zero gives what numpy gives. The interpreter is held while a loop runs.
    """
    written_out = "always" if inline else "never"
    compile_ = partial(numba.njit, boundscheck=checked, error_model="numpy", inline=written_out)
    signatures = [arguments] if arguments else None

    def compile_kept(loop: Loop) -> Loop:
        found: Any
        loop.__qualname__ += f"_{_taken_in(loop):08x}"
        try:
            found = compile_(signatures, cache=True)(loop)
        except RuntimeError:  # nowhere to keep it: then every process compiles it
            found = compile_(signatures)(loop)
        return cast(Loop, found)

    return compile_kept


def _taken_in(loop: Callable[..., Any]) -> int:
    """Return a checksum of what is compiled into a loop besides its own module's lines."""
    found: dict[str, object] = {}
    for name, one in loop.__globals__.items():
        if isinstance(one, int | float | tuple):
            found[name] = one
        elif isinstance(one, np.ndarray):
            found[name] = one.tobytes()
        elif isinstance(one, Dispatcher) and one.py_func.__module__ != loop.__module__:
            found[name] = one.py_func.__qualname__, _lines(one.py_func.__code__.co_filename)
    return zlib.crc32(repr(sorted(found.items())).encode())


@cache
def _lines(path: str) -> int:
    """Return a checksum of a module."""
    return zlib.crc32(Path(path).read_bytes())


def compile_all() -> list[str]:
    """Compile the loops of all modules, as far as they are not on disk; return the modules' names."""
    here = Path(__file__).parent
    paths = [path.relative_to(here.parent).with_suffix("") for path in here.rglob(_FILES)]
    names = [".".join(path.parts) for path in sorted(paths)]
    for name in names:
        importlib.import_module(name)
    return names


if __name__ == "__main__":
    compile_all()
