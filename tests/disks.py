"""File systems that can really be full. Only root can mount them, and only on Linux."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Disk", "mounted"]


class Disk:
    """A mounted file system in memory.

    Attributes
    ----------
    place : pathlib.Path
        Its folder.
    """

    def __init__(self, place: Path, size_kb: int) -> None:
        self.place, self._size_kb = place, size_kb

    def fill(self) -> None:
        """Leave it no room: it becomes as small as what is on it."""
        while True:  # who writes on meanwhile makes a size too small
            room = os.statvfs(self.place)
            used = (room.f_blocks - room.f_bfree) * room.f_frsize
            if self._remount(used // 1024 + 64).returncode == 0:
                return

    def free(self) -> None:
        """Give it its room again."""
        self._remount(self._size_kb).check_returncode()

    def _remount(self, size_kb: int) -> subprocess.CompletedProcess[bytes]:
        command = ["mount", "-o", f"remount,size={size_kb}k", str(self.place)]
        return subprocess.run(command, capture_output=True, check=False)


@contextmanager
def mounted(place: Path, size_kb: int) -> Iterator[Disk | None]:
    """Yield a file system mounted at a new folder, None where none can be."""
    place.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        yield None
        return
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "ltpkit", str(place)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        yield None
        return
    try:
        yield Disk(place, size_kb)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
