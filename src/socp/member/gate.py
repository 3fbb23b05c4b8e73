"""What is checked of a frame from our server before anybody looks at what it says (section 11;
threats M1, M14)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from socp.crypto.fast_sig import hop_signed
from socp.member.events import Now
from socp.member.session import Attached
from socp.wire.bind import check_bind
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.features import BIND
from socp.wire.hop import FAST_PREFIX, is_hop
from socp.wire.ids import PUBLIC
from socp.wire.payloads import Payload
from socp.wire.text import printable


class Voice(Enum):
    """Whose word a frame is, and so what has to hold on a link with `bind/1`."""

    SERVER = auto()  # our server's own: its sig and bind
    GOSSIP = auto()  # ours or, passed on unchanged, another server's, which ours has checked
    HOP = auto()  # an author's, carried by our server under its sig
    AUTHOR = auto()  # an author's, who signed the content


@dataclass(frozen=True, slots=True)
class Route:
    """Where a frame type goes, and as whose word."""

    handler: Callable[..., None]
    """handler(envelope, payload, now): each takes its own payload class, paired in the table."""
    voice: Voice


def carried(server: Attached, envelope: Envelope, now: Now) -> bool:
    """Whether an author's frame is what our server handed out. Else somebody on the way may have
    changed it, and an acknowledgement would have the server drop the right one (threat M14)."""
    if BIND not in server.features or server.key is None:
        return True
    return hop_signed(server.key, server.session, envelope, now.wall)


def check(
    server: Attached, envelope: Envelope, payload: Payload, voice: Voice, own_id: str, now: Now
) -> None:
    """Raises PeerFault(INVALID_SIG) for a frame that the server of a bound link did not say so."""
    if envelope.sig.startswith(FAST_PREFIX):
        _check_fast(envelope, own_id)
    if BIND not in server.features or server.key is None:
        return check_bind(envelope, payload, required=False)
    own = envelope.from_ == server.server_id
    if voice is Voice.SERVER and not own:
        raise PeerFault(
            Code.INVALID_SIG, f"{printable(envelope.type)}: from is not the server of this link"
        )
    says_so = own and voice in (Voice.SERVER, Voice.GOSSIP)
    check_bind(envelope, payload, required=says_so)
    if (says_so or voice is Voice.HOP) and not hop_signed(
        server.key, server.session, envelope, now.wall
    ):
        raise PeerFault(
            Code.INVALID_SIG, f"{printable(envelope.type)}: your server did not sign it"
        )


def _check_fast(envelope: Envelope, own_id: str) -> None:
    """A session key signs what goes over one link, and one session key serves all of a server's."""
    kind = printable(envelope.type)
    if not is_hop(envelope.type):
        raise PeerFault(Code.INVALID_SIG, f"{kind} travels on: a session key cannot sign it")
    if envelope.to not in (own_id, PUBLIC):
        raise PeerFault(Code.INVALID_SIG, f"{kind}: to is somebody else: a frame of another link")
