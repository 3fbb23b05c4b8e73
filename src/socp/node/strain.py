"""What waits for a signature by the server's own key, and whose message is refused because of it.

Such a signature takes 1.3 ms of a core, so 25 users at their full rate take a core whole. Whoever
asks for more than a person writes is told so while the queue is short; the others wait for nobody.
"""

from __future__ import annotations

from socp.node.events import Now, Strain
from socp.node.links import Link, Links
from socp.node.pace import Bucket
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import ServerDeliver

SHARE_BURST, SHARE_PER_S = 20, 4  # messages of one user that go on while others have to wait
SERVER_BURST, SERVER_PER_S = 200, 50  # the same of another server, which is never refused
SLOW_MS = 250  # nothing is read of a transfer, frame by frame: it is never refused

_BUSY = "this server has more to sign than it can just now; send it again in 2 s"


class SigningLoad:
    """The shell says how much waits; here is what that means for one frame."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self.strain = Strain.NONE

    def check(self, link: Link, envelope: Envelope, now: Now) -> None:
        """Before a user's frame is looked at. Raises PeerFault(RATE_LIMITED) where it would make
        signatures for which others would have to wait."""
        if not self._signs(link, envelope):
            return
        if link.share is None:
            link.share = Bucket.full(SHARE_BURST, SHARE_PER_S, now.mono)
        fits = link.share.take(now.mono)
        if self.strain is Strain.FULL or (self.strain is Strain.SOME and not fits):
            raise PeerFault(Code.RATE_LIMITED, _BUSY, constant=True)

    def pause_ms(self, link: Link, envelope: Envelope) -> int:
        """For how long nothing more of a transfer is read."""
        strained = self.strain is not Strain.NONE
        return SLOW_MS if strained and self._signs(link, envelope) else 0

    def server_pause_ms(self, link: Link, envelope: Envelope, now: Now) -> int:
        """For how long nothing more is read from a server whose frames make more signatures than
        its share, while others would have to wait for them."""
        if envelope.type == ServerDeliver.TYPE and link.fast is not None:
            reader = self._links.users.get(str(envelope.members.get("user_id")))
            if reader is None or reader.fast is not None:
                return 0
        if link.share is None:
            link.share = Bucket.full(SERVER_BURST, SERVER_PER_S, now.mono)
        fits = link.share.take(now.mono)
        return 0 if fits or self.strain is Strain.NONE else SLOW_MS

    def _signs(self, link: Link, envelope: Envelope) -> bool:
        """Whether the answer to its author, or what its reader gets, takes our own key."""
        reader = self._links.users.get(envelope.to)
        return link.fast is None or (reader is not None and reader.fast is None)
