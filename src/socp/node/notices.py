"""What became of a message, said to its author or to the server it came from (section 9)."""

from __future__ import annotations

from collections import OrderedDict

from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Links
from socp.wire.payloads import Ack, Error

LATER_MAX = 50_000


class Notices:
    """Told to who is there to hear it; nobody is told of anything twice, or later."""

    def __init__(self, emitter: Emitter, links: Links) -> None:
        self._emit = emitter
        self._links = links
        self._later: OrderedDict[str, tuple[str, str]] = OrderedDict()  # msg_ref -> sender, via

    def later(self, ref: str, sender: str, via: str) -> None:
        """Another server has it: it will say when the reader does. The oldest are forgotten."""
        self._later[ref] = (sender, via)
        self._later.move_to_end(ref)
        if len(self._later) > LATER_MAX:
            self._later.popitem(last=False)

    def heard(self, ack: Ack, now: Now) -> None:
        """Another server says that the reader's client acknowledged it."""
        told = self._later.pop(ack.msg_ref, None)
        if told is not None:
            self.tell(*told, Ack(msg_ref=ack.msg_ref, status=ack.status, of=ack.of), now)

    def refused(self, error: Error, now: Now) -> bool:
        """Another server says that it will not come to that. False: it is not about mail."""
        told = self._later.pop(error.msg_ref, None)
        if told is None:
            return False
        said = Error(code=error.code, detail=error.detail, msg_ref=error.msg_ref)
        self.tell(*told, said, now)
        return True

    def tell(self, sender: str, via: str, said: Ack | Error, now: Now) -> None:
        """`via`: the server it came from, "" where its author is ours."""
        link = self._links.servers.get(via) if via else self._links.users.get(sender)
        if link is not None and (link.acks or not via):
            self._emit.say(link, said, now)
