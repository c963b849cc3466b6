"""The benchmarks run. Their numbers are not looked at: a test that watches a clock fails on busy machines."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

_ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.skipif(not (_ROOT / "benchmarks").is_dir(), reason="the benchmarks are not in this copy")
def test_a_quick_run_of_one_case_writes_its_numbers(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    subprocess.run(
        [sys.executable, "-m", "benchmarks", "startup", "--quick", "--out", str(out)],
        cwd=_ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    report = msgspec.json.decode(out.read_bytes(), type=importlib.import_module("benchmarks.measure").Report)
    assert {one.case for one in report.results} == {"startup"}
    assert all(one.value > 0 for one in report.results)
    assert str(_ROOT) not in out.read_text()
