"""One key share: how it is made, and what must hold before its key is ours (section 7; M10)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

from socp.channel.keyring import HeldKey
from socp.crypto import channel_box, content_sig
from socp.crypto.keys import PrivateKey, PublicKey, Suite, Unreadable
from socp.wire import base64url
from socp.wire.canonical import to_members
from socp.wire.errors import PeerFault
from socp.wire.payloads import PublicChannelKeyShare, Share

BOX_BYTES_MAX: Final = 8192
"""Over three times the private key of RSA-4096: whatever is held is sent on as it came."""
WRAPS_TRIED: Final = 2


class Unfit(Exception):
    """A share that is not used; its text says why, for a warning."""


def make(me: PrivateKey, member: str, member_key: PublicKey, key: HeldKey) -> PublicChannelKeyShare:
    """`key` for `member` in our name: signed, ready to send."""
    wrapped = base64url.encode(member_key.seal(key.group_key))
    share = Share(member=member, wrapped_public_channel_key=wrapped)
    return PublicChannelKeyShare(
        shares=(share,),
        creator_pub=me.public.text,
        content_sig=content_sig.sign_shares(me, [to_members(share)]),
        version=key.version,
        channel_pub=key.public.text,
        channel_priv_box=base64url.encode(key.box),
    )


def vouched(
    suite: Suite, payload: PublicChannelKeyShare, shares: object, creator_key: PublicKey
) -> PublicKey:
    """The channel's public key in a share that the holder of `creator_key` (pinned) really made.

    `shares` is the received list. Raises Unfit. The signature does not cover the public key: that
    it belongs to the wrapped group key only shows when `opened` opens the box.
    """
    if not (payload.channel_pub and payload.channel_priv_box):
        raise Unfit("it is of a kind that carries no key pair for the channel")
    try:
        creator = suite.parse_public(payload.creator_pub)
        channel_pub = suite.parse_public(payload.channel_pub)
    except PeerFault:
        raise Unfit("a key in it is damaged") from None
    if creator != creator_key:
        raise Unfit("it is made with another key than the one pinned for them")
    if not isinstance(shares, list):
        raise Unfit("its shares are no list")
    if not content_sig.verify_shares(creator_key, shares, creator_key.der, payload.content_sig):
        raise Unfit("its signature does not hold")
    return channel_pub


def opened(
    suite: Suite,
    mine: Sequence[PrivateKey],
    wraps: list[str],
    payload: PublicChannelKeyShare,
    channel_pub: PublicKey,
    creator_id: str,
) -> HeldKey:
    """The key that a vouched share brings, `wraps` being those for us, whose keys are `mine`, the
    present one first; or Unfit."""
    for wrapped, me in product(wraps[:WRAPS_TRIED], mine):
        try:
            box = base64url.decode(payload.channel_priv_box)
            if len(box) > BOX_BYTES_MAX:
                break
            group_key = me.open(base64url.decode(wrapped))
            private = channel_box.open_private(suite, group_key, box, payload.version, channel_pub)
        except (PeerFault, Unreadable):
            continue
        return HeldKey(payload.version, private.public, private, group_key, box, creator_id)
    raise Unfit("it does not open; where nothing else was changed, a server changed it")
