"""The pages' scripts, bundled once by `make views` from `views/src`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["script"]


@cache
def script(kind: str) -> str:
    """Return a view's script as the text of an ES module."""
    return (Path(__file__).parent / "static" / f"{kind}.js").read_text(encoding="utf-8")
