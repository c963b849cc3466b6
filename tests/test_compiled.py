"""Compiled loops: an index outside an array is an error, and there need be no place to keep them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import float64, int64

import ltpkit
from ltpkit.compiled import compiled, reads


@compiled(reads(float64), int64)
def _at(numbers: np.ndarray, place: int) -> float:
    return float(numbers[place])


def test_an_index_outside_an_array_is_an_error() -> None:
    assert _at(np.arange(3.0), 2) == 2.0
    with pytest.raises(IndexError):
        _at(np.arange(3.0), 3)


def test_what_is_only_read_may_be_read_only_and_have_gaps() -> None:
    assert _at(np.frombuffer(np.arange(6.0).tobytes()).reshape(3, 2)[:, 1], 2) == 5.0


USING = """
from other import {taken}
from numba import int64
from ltpkit.compiled import compiled

@compiled(int64)
def times(n):
    return {call}

print(times(21))
"""
CONSTANT = "FACTOR = {factor}"
PART = """
from ltpkit.compiled import compiled

@compiled()
def times_so_much(n):
    return {factor} * n
"""


def _run(script: Path, **environment: str) -> str:
    run = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize(
    ("other", "taken", "call"),
    [(CONSTANT, "FACTOR", "FACTOR * n"), (PART, "times_so_much", "times_so_much(n)")],
    ids=["a constant", "a loop"],
)
def test_what_changes_in_another_module_is_not_the_old_one(
    tmp_path: Path, other: str, taken: str, call: str
) -> None:
    (tmp_path / "loop.py").write_text(USING.format(taken=taken, call=call))
    for factor in (2, 3, 2):
        (tmp_path / "other.py").write_text(other.format(factor=factor))
        assert _run(tmp_path / "loop.py", PYTHONDONTWRITEBYTECODE="1") == f"{factor * 21}\n"
    assert list((tmp_path / "__pycache__").glob("loop.times*.nbi")), "nothing was kept"


LOOP = """
from numba import int64
from ltpkit.compiled import compiled

@compiled(int64)
def twice(n):
    return 2 * n

print(twice(21))
"""


def test_there_need_be_no_place_to_keep_them(tmp_path: Path) -> None:
    nowhere = tmp_path / "__pycache__"
    nowhere.touch()  # a file, so no folder can be made: root is held up as well
    (tmp_path / "loop.py").write_text(LOOP)
    assert _run(tmp_path / "loop.py", HOME=str(nowhere), XDG_CACHE_HOME=str(nowhere / "cache")) == "42\n"


def test_what_holds_loops_is_named_so() -> None:
    """So that all of them can be compiled at once."""
    root = Path(ltpkit.__file__).parent
    using = {path for path in root.rglob("*.py") if "\n@compiled(" in path.read_text(encoding="utf-8")}
    assert root / "ring" / "loops.py" in using
    assert all(path.name.endswith("loops.py") for path in using)
