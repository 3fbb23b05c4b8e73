"""What a store says to people: one line, what is wrong and what to do about it."""

from __future__ import annotations


class StorageError(Exception):
    """The store cannot do what was asked; `str()` is the line for a person, without a traceback."""


class FolderBusy(StorageError):
    """Another process works in this folder."""


class BadRecord(StorageError):
    """The database works, but this one write does not fit it; other writes are not touched."""


class SealedAnew(StorageError):
    """The rows have another key than the one they were to be read with."""


class DatabaseAway(StorageError):
    """The database cannot be reached: nothing can be read now either."""


class DatabaseTaken(DatabaseAway):
    """Another server works with the database."""
