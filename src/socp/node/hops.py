"""One piece of mail as the frame of its next hop: to its reader, or to another server (sections
5, 8 and 11)."""

from __future__ import annotations

import msgspec

from socp.node.effects import Outgoing
from socp.node.emitter import Emitter
from socp.node.links import Link
from socp.node.records import Mail
from socp.wire.canonical import canonical
from socp.wire.payloads import MsgDirect, MsgPublicChannel, ServerDeliver, UserDeliver

HOP_MEMBERS = ("sender", "user_id", "bind", "queued")
"""Servers add these between them; the author's members stay unchanged."""


def author_members(members: dict[str, object]) -> dict[str, object]:
    """What the author of a frame said in it."""
    return {name: value for name, value in members.items() if name not in HOP_MEMBERS}


def to_user(emitter: Emitter, link: Link, mail: Mail) -> Outgoing:
    """USER_DELIVER, or the file frame with its `sender`: by us, at the author's ts."""
    members = _members(mail)
    members["sender"] = mail.sender
    if mail.kind == MsgDirect.TYPE:
        members["orig_ts"] = mail.ts
        return _ours(emitter, link, UserDeliver.TYPE, mail.ts, members)
    said = (mail.kind, mail.sender, mail.user_id, mail.ts)
    return Outgoing(*said, canonical(members), fast=link.fast)


def to_server(emitter: Emitter, link: Link, mail: Mail, *, queued: bool) -> Outgoing:
    """SERVER_DELIVER or the file frame, for `user_id`; `queued`: a release, whatever its ts."""
    members = _members(mail)
    members |= {"user_id": mail.user_id, "sender": mail.sender}
    if queued:
        members["queued"] = True
    if mail.kind == MsgDirect.TYPE:
        members["orig_ts"] = mail.ts
        return _ours(emitter, link, ServerDeliver.TYPE, mail.ts, members)
    return _ours(emitter, link, mail.kind, mail.ts, members)


def released_post(link: Link, post_payload: bytes, author: str, ts: int, public: str) -> Outgoing:
    """A post for a server that was away: its author's members, marked as `queued`."""
    members = {**_object(post_payload), "queued": True}
    return Outgoing(
        type=MsgPublicChannel.TYPE,
        from_=author,
        to=public,
        ts=ts,
        payload=canonical(members),
        fast=link.fast,
    )


def _ours(emitter: Emitter, link: Link, kind: str, ts: int, members: dict[str, object]) -> Outgoing:
    own_id = emitter.server_id
    if link.bound:
        members["bind"] = {"type": kind, "from": own_id, "to": link.peer, "ts": ts}
    return Outgoing(kind, own_id, link.peer, ts, canonical(members), fast=link.fast)


def _members(mail: Mail) -> dict[str, object]:
    return _object(mail.payload)


def _object(payload: bytes) -> dict[str, object]:
    members = msgspec.json.decode(payload)
    assert isinstance(members, dict)  # we stored it: it was looked at when it came
    return members
