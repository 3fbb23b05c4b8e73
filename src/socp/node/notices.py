"""What became of a message, said to its author or to the server it came from (section 9)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link, Links
from socp.wire.payloads import Ack, Error


@dataclass(frozen=True, slots=True)
class Told:
    """Who wants to hear of it, and from whom."""

    sender: str
    via: str  # the server it came from, "" where its author is ours
    by: str  # the server that has it


class Notices:
    """Told to who is there to hear it; nobody is told of anything twice, or later."""

    def __init__(self, emitter: Emitter, links: Links, most: int) -> None:
        """At most so many are told later."""
        self._emit = emitter
        self._links = links
        self._most = most
        self._later: OrderedDict[str, Told] = OrderedDict()  # by msg_ref

    def later(self, ref: str, sender: str, via: str, *, by: str) -> None:
        """The server `by` has it: it will say when the reader does. The oldest are forgotten."""
        self._later[ref] = Told(sender, via, by)
        self._later.move_to_end(ref)
        if len(self._later) > self._most:
            self._later.popitem(last=False)

    def heard(self, link: Link, ack: Ack, now: Now) -> None:
        """The server that has it says that the reader's client acknowledged it."""
        told = self._take(link, ack.msg_ref)
        if told is not None:
            said = Ack(msg_ref=ack.msg_ref, status=ack.status, of=ack.of)
            self.tell(told.sender, told.via, said, now)

    def refused(self, link: Link, error: Error, now: Now) -> bool:
        """The server that has it says that it will not come to that. False: it is not about
        mail."""
        told = self._take(link, error.msg_ref)
        if told is None:
            return False
        said = Error(code=error.code, detail=error.detail, msg_ref=error.msg_ref)
        self.tell(told.sender, told.via, said, now)
        return True

    def _take(self, link: Link, ref: str) -> Told | None:
        """What any other server says of it counts for nothing (I11)."""
        told = self._later.get(ref)
        return self._later.pop(ref) if told is not None and told.by == link.peer else None

    def tell(self, sender: str, via: str, said: Ack | Error, now: Now) -> None:
        """`via`: the server it came from, "" where its author is ours."""
        link = self._links.servers.get(via) if via else self._links.users.get(sender)
        if link is not None and (link.acks or not via):
            self._emit.say(link, said, now)
