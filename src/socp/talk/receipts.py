"""`/receipts`: whether others hear that their messages are here and were read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from socp.client.client import Client
from socp.talk.commands import Receipts
from socp.talk.entries import Entry, Kind

ON: Final = "others hear when you have read what they wrote to you alone; /receipts off ends that"
OFF: Final = "nobody hears from you that their messages are here or were read; /receipts on"


async def receipts(me: Client, command: Receipts, show: Callable[[Entry], None]) -> None:
    """Carry it out, and say how it is now."""
    if command.choice:
        on = command.choice == "on"
        await me.choose_receipts(delivered=on, read=on)
    text = ON if me.tells_read else OFF
    show(Entry((("class:mark", text),), kind=Kind.ASIDE))
