"""What happens to a peer's fault: one ERROR frame, one log line,
and the end of the link if need be."""

from __future__ import annotations

from socp.node.dialling import LINKS
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Link, Links, Stage
from socp.node.quarantine import Quarantine
from socp.node.repeats import Repeats
from socp.wire import limits
from socp.wire.errors import Code, PeerFault
from socp.wire.payloads import Error

ERRORS_BURST, ERRORS_PER_S = 20, 5  # answers to faults, a link
IDENTIFIED = (Stage.USER, Stage.SERVER)
UNANSWERED = ("ACK", "ERROR")  # never answered with an ERROR, whatever is wrong (section 2)


class Refusals:
    """Answers are limited, so that a flood of faults costs the flooder and nobody else (S3)."""

    def __init__(self, emitter: Emitter, links: Links, quarantine: Quarantine) -> None:
        self._emit = emitter
        self._links = links
        self._quarantine = quarantine
        self._repeats = Repeats()

    def refuse(
        self,
        link: Link,
        fault: PeerFault,
        now: Now,
        *,
        what: str,
        of: str = "",
        weight: float = 1.0,
    ) -> None:
        """`what`: the frame type refused, `of`: its name in a reference (files); `weight`: how
        much it tells against a server, 0 where it may be nobody's fault."""
        answers = fault.answerable and what not in UNANSWERED
        told = answers and self._answers(link, fault, now)
        answered = told or (answers and fault.constant and not link.bound)
        close = fault.close
        if close is None and link.stage not in IDENTIFIED:
            close = 1008
        if told or close is not None:
            text = f"Refused {what} of {link.name()}: {fault.code}: {fault.detail}"
            self.tell(link, what, text, now)
        else:
            self._emit.debug(LINKS, f"Refused {what} of {link.name()}: {fault.code}")
        if answered:
            self._answer(link, fault, of, now)
        if link.stage is Stage.SERVER and self._quarantine.strike(link, weight, now):
            self._emit.warn(
                LINKS, f"Server {link.peer} sent too much that we refuse; cut for a minute"
            )
            close = 1008
        if close is not None:
            if not self._links.holds(link):
                link.move(Stage.CLOSING, now.mono)
            self._emit.close(link, close, f"{fault.code}")

    def tell(self, link: Link, kind: str, text: str, now: Now) -> None:
        """Log a refusal, ours or theirs. Who dials us, or is dialled, tries again for ever: what is
        the same each time is told once, then ever more seldom."""
        if link.stage in IDENTIFIED or self._repeats.is_news(link, kind, text, now):
            self._emit.warn(LINKS, text)
        else:
            self._emit.debug(LINKS, f"Again: {text}")

    def settled(self, link: Link) -> None:
        """A server is linked: its next refusal is news."""
        self._repeats.settled(link)

    @staticmethod
    def _answers(link: Link, fault: PeerFault, now: Now) -> bool:
        """A message within its user's rate is answered always (section 9), faults by their own."""
        if link.stage is Stage.USER and fault.msg_ref and fault.code is not Code.RATE_LIMITED:
            return True
        return link.errors.take(now.mono)

    def _answer(self, link: Link, fault: PeerFault, of: str, now: Now) -> None:
        lasting = fault.constant and not link.bound
        error = Error(
            code=fault.code,
            detail=fault.detail[: limits.ERROR_DETAIL_CHARS],
            msg_ref="" if lasting else fault.msg_ref or "",
            of=of,
            moved_to=fault.moved_to,
        )
        # A stranger's garbage is not worth an RSA signature (S3).
        signed = link.stage is not Stage.FRESH or bool(link.peer)
        self._emit.say(link, error, now, signed=signed, lasting=lasting)
