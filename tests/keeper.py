"""Keyrings for tests, so that none is the developer's own: one in memory, and one that always fails."""

from __future__ import annotations

import keyring.backend
import keyring.errors

__all__ = ["BrokenKeyring", "MemoryKeyring"]


class MemoryKeyring(keyring.backend.KeyringBackend):
    """Keeps what it is given until the test is over.

    Attributes
    ----------
    held : dict of (service, name) to str
    asked : list of str
        Names that were looked for.
    """

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append(username)
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.held.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError(f"no {username}")


class BrokenKeyring(MemoryKeyring):
    """Is locked."""

    def get_password(self, service: str, username: str) -> str | None:
        raise keyring.errors.KeyringLocked("the collection is locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise keyring.errors.PasswordSetError(f"locked, {password} was not taken")
