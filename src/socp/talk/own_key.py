"""`/rotate-key` and `/revoke-key`: what they mean is said first, and done where one is sure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from socp.client.client import Client
from socp.talk.commands import RevokeKey, RotateKey, Unclear
from socp.talk.entries import Entry, Kind

ROTATE_MEANS: Final = (
    "this makes a new key, and the present one signs that it takes its place. Others follow it by"
    " themselves, but whoever compared keys with you must do so again, and plain v1.3 servers and"
    " clients will refuse you. The former key stays on this machine to read old mail; a password"
    " for other machines (socp account set-password) must be set again."
    " To go on: /rotate-key yes"
)
REVOKE_MEANS: Final = (
    "this gives up your id for ever: no server takes it any more, nobody can write to you, and it"
    " cannot be undone. What was received stays here. To go on: /revoke-key yes"
)


async def change(me: Client, command: RotateKey | RevokeKey, show: Callable[[Entry], None]) -> None:
    """Carry it out. Unclear where one is not sure; ClientError."""
    if isinstance(command, RotateKey):
        await _rotate(me, show, sure=command.sure)
    else:
        await _revoke(me, sure=command.sure)


async def _rotate(me: Client, show: Callable[[Entry], None], *, sure: bool) -> None:
    if not sure:
        raise Unclear(ROTATE_MEANS)
    text = "making a new key; this takes some seconds, and you can go on"
    show(Entry((("class:mark", text),), kind=Kind.ASIDE))
    await me.rotate_key()


async def _revoke(me: Client, *, sure: bool) -> None:
    if not sure:
        raise Unclear(REVOKE_MEANS)
    await me.revoke_key()
