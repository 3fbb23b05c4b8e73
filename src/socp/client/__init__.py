"""The asyncio shell around `member`, and the public library.

A program takes everything from here: `from socp.client import Client, MessageArrived`. The names
are those of `socp.client.library`, which is loaded when the first of them is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from socp.client.library import *  # noqa: F403 - a list of names in one place is enough


def __getattr__(name: str) -> Any:
    if name[:1].isupper():  # modules are not: they are found without us
        from socp.client import library

        if name in library.__all__:
            return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
