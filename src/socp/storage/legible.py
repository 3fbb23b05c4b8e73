"""Rows are ours, or the person hears what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from socp.storage.errors import BadRecord


@contextmanager
def legible(place: str) -> Iterator[None]:
    """BadRecord where what is read meanwhile is nothing that we wrote to the database `place`.

    Not the whole database is said to be bad: those who wait for other rows get theirs.
    """
    try:
        yield
    except (ValueError, TypeError, KeyError, msgspec.MsgspecError) as fault:
        line = f"{place} holds what socp did not write ({fault})"
        raise BadRecord(f"{line}; restore a backup") from fault
