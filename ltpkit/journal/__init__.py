"""The journal: rows not yet in DuckDB, safe on disk within a twentieth of a second of their arrival.

A folder of append-only files beside the store. `frames` is their format, `files` appends to them, turns
to a new one at a size and lets go of those the store has, `writer` takes rows from memory to them.
"""

from ltpkit.journal.files import Journal, folder_of, leftovers
from ltpkit.journal.frames import Damage, Reading
from ltpkit.journal.writer import JournalWriter

__all__ = ["Damage", "Journal", "JournalWriter", "Reading", "folder_of", "leftovers"]
