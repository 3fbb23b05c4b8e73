"""COMPAT(section 13): other implementations' spellings of a payload, put into ours.

Nothing here touches `Envelope.payload` and `Envelope.members`, by which signatures are verified.
Each spelling has a vector in vectors/foreign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from socp.wire.part import Payload
from socp.wire.payloads.answers import Ack
from socp.wire.payloads.channel import PublicChannelKeyShare
from socp.wire.payloads.hello import ServerWelcome, UserHello

Members = dict[str, object]


def may_be_foreign(kind: type[Payload]) -> bool:
    """True where `in_our_spelling` knows of another spelling of this kind."""
    return bool(kind.MEMBER_ALIASES) or kind in _REWRITES


def in_our_spelling(kind: type[Payload], type_name: str, members: Members) -> Members:
    """`members` as `kind` names them; the very same object where they already are.

    `type_name` is the frame's type as it was sent: ours or one of `kind.ALIASES`.
    """
    for name, others in kind.MEMBER_ALIASES.items():
        if name not in members:
            other = next((other for other in others if other in members), None)
            if other is not None:
                members = members | {name: members[other]}
    if type_name == "USER_WELCOME":
        members = members | {"msg_ref": UserHello.TYPE}
    rewrite = _REWRITES.get(kind)
    return members if rewrite is None else rewrite(members)


def _ack(members: Members) -> Members:
    """ACK to a USER_HELLO with another msg_ref."""
    if members.get("msg_ref") == "USER_HELLO_OK":
        return members | {"msg_ref": UserHello.TYPE}
    return members


def _welcome(members: Members) -> Members:
    """SERVER_WELCOME with servers listed under `clients`, or users in `snapshot.user_locations`."""
    clients = members.get("clients")
    servers = members.get("servers", [])
    if isinstance(clients, list) and isinstance(servers, list):
        misplaced = [row for row in clients if _is_server_row(row)]
        if misplaced:
            users = [row for row in clients if not _is_server_row(row)]
            members = members | {"clients": users, "servers": servers + misplaced}
    snapshot = members.get("snapshot")
    locations = snapshot.get("user_locations") if isinstance(snapshot, dict) else None
    if isinstance(locations, dict) and "clients" not in members:
        rows = [{"user_id": user, "server_id": server} for user, server in locations.items()]
        members = members | {"clients": rows}
    return members


def _is_server_row(row: object) -> bool:
    return isinstance(row, dict) and "server_id" in row and "user_id" not in row


def _key_share(members: Members) -> Members:
    """PUBLIC_CHANNEL_KEY_SHARE whose shares say `wrapped`."""
    shares = members.get("shares")
    if not isinstance(shares, list) or not any(_is_short_share(share) for share in shares):
        return members
    return members | {"shares": [_long_share(share) for share in shares]}


def _is_short_share(share: object) -> bool:
    return isinstance(share, dict) and "wrapped" in share


def _long_share(share: object) -> object:
    if isinstance(share, dict) and "wrapped" in share:
        return {"wrapped_public_channel_key": share["wrapped"]} | share
    return share


_REWRITES: Final[dict[type[Payload], Callable[[Members], Members]]] = {
    Ack: _ack,
    ServerWelcome: _welcome,
    PublicChannelKeyShare: _key_share,
}
