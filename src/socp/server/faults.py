"""People's mistakes, as against bugs."""

from __future__ import annotations


class StartFault(Exception):
    """The server cannot start like this; `str()` is one line that says what to do."""
