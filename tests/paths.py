"""Where the recordings and fixtures live that are too large to keep beside the code.

They are looked for in a folder named ``shared`` next to the repository, or wherever the environment
variable ``LTPKIT_SHARED`` points. A test that needs them is skipped where they are absent::

    from tests.paths import SHARED, needs_shared

    @needs_shared
    def test_every_recorded_frame_is_decoded() -> None:
        raw = (SHARED / "feeds" / "fixtures" / "x.bin").read_bytes()
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

_wanted = Path(os.environ.get("LTPKIT_SHARED") or ROOT.parent / "shared")
HAS_SHARED = (_wanted / "feeds").is_dir() and (_wanted / "recordings").is_dir()

SHARED: Path = (
    _wanted  # a Path even where absent, so that module-level `SHARED / "feeds"` reads alike everywhere
)
NO_SHARED = "the recordings are not here; set LTPKIT_SHARED to the folder that holds feeds/ and recordings/"
needs_shared = pytest.mark.skipif(not HAS_SHARED, reason=NO_SHARED)
