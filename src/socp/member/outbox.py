"""What the person said, until it is handed over: it waits, goes out in order, is tried again
(sections 9 and 11).

A server with `mailbox/1` knows the same bytes again for 30 days: there a line is composed once, and
sent until it is answered, the next to the same reader only then, so that no failure changes their
order. A server without takes them for five minutes, and then a line is composed anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from socp.member.attempts import PAUSES, SLOWER, Try, answered, grown
from socp.member.compose import Piece
from socp.member.courier import Courier
from socp.member.delivery import Destinations, NotYet
from socp.member.emitter import Emitter
from socp.member.events import Now, Say
from socp.member.handed import QUEUED_STATUS, REFUSED_STATUS, Handed, refusal_text
from socp.member.history import History
from socp.member.lines import Lines
from socp.member.numbering import Numbering
from socp.member.records import LineState, OutboxLine
from socp.member.resting import NEVER_MS, SOON_MS
from socp.wire import content
from socp.wire.content import Body, Text
from socp.wire.errors import Code
from socp.wire.text import encodable

SAME_BYTES_MS: Final = 4 * 60_000
"""A frame is sent again byte for byte while its ts is inside the servers' window of five
minutes."""
LATE_MS: Final = 29 * 24 * 3_600_000
"""One that says `late` is for 30 days."""
UNANSWERED_MS: Final = 15_000
TRIES_MAX: Final = 3
SLOW_MS: Final = 1_000
"""Lines behind one that was not answered for so long are told to wait for that."""
NO_ANSWER_MS: Final = 5_000
"""COMPAT(section 9): servers of plain v1.3 answer nothing; after so long a line counts as handed
over."""
BEHIND: Final = "your server has not answered the one before it yet; it goes then"
NO_ANSWER: Final = "your server does not say what becomes of messages"

_AGAIN: Final = frozenset({Code.RATE_LIMITED, Code.TIMEOUT})
"""Those of other servers after which a line is composed anew; all others end it."""


class Outbox:
    """Lines in the order in which they were said; one that waits holds up later ones to the same
    reader."""

    def __init__(
        self,
        emitter: Emitter,
        courier: Courier,
        destinations: Destinations,
        numbering: Numbering,
        history: History,
        remembered: Iterable[OutboxLine],
    ) -> None:
        self._emit = emitter
        self._history = history
        self._courier = courier
        self._destinations = destinations
        self._numbering = numbering
        self._lines = Lines(emitter, history, remembered)
        self._tries: dict[int, Try] = {}
        self._again: list[int] = []  # lines on their way whose frames are to be sent once more
        self._answers = True  # whether this server answers messages at all
        self._handed = Handed(emitter, history)

    @property
    def idle(self) -> bool:
        """No line is on its way: those that wait wait for somebody else."""
        return not any(line.state is LineState.SENT for line in self._lines)

    def __contains__(self, msg_ref: str) -> bool:
        return msg_ref in self._lines or msg_ref in self._handed

    def is_open(self, msg_ref: str) -> bool:
        """Whether an answer to it is waited for."""
        return msg_ref in self._lines

    # --- the person -----------------------------------------------------------------------------

    def say(self, event: Say, now: Now) -> None:
        """Take a line; send it at once where that is possible, else say what it waits for."""
        text = encodable(event.text)
        body = Text(body=text, reply_to=event.reply_to)
        self.post(event.to, body, now, text=text)

    def post(
        self,
        to: str,
        body: Body,
        now: Now,
        *,
        text: str = "",
        quiet: bool = False,
        key: str = "",
    ) -> bool:
        """Take something of `content/1` to be said: False where it is not kept.

        `text` is what the person reads of it in LineMoved; of what is `quiet` they are told
        nothing, and to a reader without `content/1` it is not said at all. While one with the same
        `key` waits for that reader, this takes its place.
        """
        line = self._lines.made(to, body, text=text, quiet=quiet, key=key)
        older = self._lines.waiting(to, key)
        if older is not None:
            self._lines.keep(replace(older, body=line.body))
            return True
        # A deletion has no words, and a reaction may be taken back by none.
        words = text if isinstance(body, Text) else text or body.KIND
        refusal = (
            content.flaw(body)
            or self._lines.full(line)
            or self._destinations.refusal(to, words, body.KIND, now)
        )
        if refusal is not None:
            self._lines.tell(replace(line, state=LineState.REFUSED, reason=refusal))
            return False
        if isinstance(body, Text):
            said = self._history.said(to, text, now, reply_to=body.reply_to)
            line = replace(line, said=said)
        self._lines.add(line)
        self.flush(now)
        kept = self._lines.get(line.line_id)
        if kept is not None and kept.state is LineState.WAITING and not kept.reason:
            self._lines.tell(kept)  # it goes after the one before it
        return True

    def again(self, line: OutboxLine, now: Now) -> None:
        """One that went out is to go out once more, in its old place."""
        if self._lines.add_again(line):
            self.flush(now)

    def waiting(self, to: str, key: str) -> Body | None:
        """What the line of this key says that was not composed yet."""
        line = self._lines.waiting(to, key)
        return None if line is None else content.unpack(line.body)

    def reached(self, reader: str, msg_ref: str, state: LineState) -> None:
        """A reader's client says that it has this, or that it was read."""
        self._handed.receipt(reader, msg_ref, state)

    # --- the link -------------------------------------------------------------------------------

    def attached(self, now: Now, *, answers: bool) -> None:
        """A new link: what was on its way goes again, the same bytes while they are fresh."""
        self._answers = answers
        self._again.clear()
        for tried in self._tries.values():
            tried.not_before_ms = 0
        for line in self._lines:
            if line.state is LineState.SENT:
                self._send_again(line, now)
        # The others go at the next `due`: who is online is being told just now.

    def _send_again(self, line: OutboxLine, now: Now) -> None:
        if not line.doubt:
            line = replace(line, doubt=True)
            self._lines.keep(line)
        if self._fresh(line, now):
            self._again.append(line.line_id)
        else:
            self._lines.wait(self._lines.opened(line), "it is sent again")

    def _fresh(self, line: OutboxLine, now: Now) -> bool:
        """Whether this server takes the frames as they are."""
        if not line.frames or not self._destinations.still_reads(line.to, line.sealed_to):
            return False
        age_ms = now.wall - line.composed_ms
        if self._destinations.mailbox and line.late:
            return age_ms < LATE_MS
        return 0 <= age_ms < SAME_BYTES_MS

    @property
    def due_ms(self) -> int:
        """When to look at it next: at once where something waits, else when one on its way is
        answered too late."""
        if self._again or any(line.state is LineState.WAITING for line in self._lines):
            return SOON_MS
        late = (tried.sent_ms + self._patience_ms(tried) for tried in self._tries.values())
        return min(late, default=NEVER_MS)

    def due(self, now: Now) -> None:
        """Look after lines that nobody answered, and send what there is room for."""
        for line_id, tried in tuple(self._tries.items()):
            waited = now.mono - tried.sent_ms
            if waited >= self._patience_ms(tried):
                self._unanswered(self._lines.get(line_id), tried, now)
        self.flush(now)

    def _patience_ms(self, tried: Try) -> int:
        if not self._answers:
            return NO_ANSWER_MS
        mailbox = self._destinations.mailbox
        return grown(UNANSWERED_MS, max(tried.count - 1, 0)) if mailbox else UNANSWERED_MS

    def _unanswered(self, line: OutboxLine | None, tried: Try, now: Now) -> None:
        if line is None or line.state is not LineState.SENT or line.line_id in self._again:
            return None
        if not self._answers:
            return self._end(line, LineState.DONE, NO_ANSWER)
        tried.sent_ms = now.mono
        tried.count += 1
        if self._destinations.mailbox:
            self._send_again(line, now)
        elif tried.count > TRIES_MAX:
            self._end(
                replace(line, doubt=True),
                LineState.REFUSED,
                "your server did not say whether it took this; ask whether it arrived before you"
                " say it again",
            )
        elif self._fresh(line, now):
            self._again.append(line.line_id)

    # --- sending --------------------------------------------------------------------------------

    def flush(self, now: Now) -> None:
        """Send what can go, in order, as far as there is room."""
        self._flush_again(now)
        one_by_one = self._destinations.mailbox
        held_up: dict[str, str] = {}  # reader -> what the first line to them waits for
        for line in self._lines:
            why: str | None = None
            if line.state is LineState.WAITING:
                why = held_up[line.to] if line.to in held_up else self._go(line, now)
            if why is not None:
                held_up[line.to] = why
                if why != line.reason:
                    self._lines.wait(line, why)
            elif one_by_one and self._lines.is_sent(line.line_id):
                held_up[line.to] = self._behind(line, now)

    def _behind(self, line: OutboxLine, now: Now) -> str:
        """What those after this one wait for; "" while its answer may be here at any moment."""
        tried = self._tries.get(line.line_id)
        slow = tried is not None and (tried.count > 1 or now.mono - tried.sent_ms >= SLOW_MS)
        return self._destinations.undecided(line.to) or (BEHIND if slow else "")

    def _flush_again(self, now: Now) -> None:
        while self._again:
            line = self._lines.get(self._again[0])
            frames = () if line is None else line.frames
            if self._courier.room(now.mono) < len(frames) or not self._destinations.attached:
                return
            self._again.pop(0)
            if line is None or line.state is not LineState.SENT:
                continue
            undecided = self._destinations.undecided(line.to)
            if undecided:
                self._lines.wait(replace(line, state=LineState.WAITING), undecided)
            else:
                self._transmit(line, now)

    def _transmit(self, line: OutboxLine, now: Now) -> None:
        """Its frames once more, as they are."""
        self._courier.spend(len(line.frames))
        tried = self._tries.setdefault(line.line_id, Try((), now.mono, 0))
        tried.sent_ms = now.mono
        for frame in line.frames:
            self._emit.transmit_again(frame)

    def _go(self, line: OutboxLine, now: Now) -> str | None:
        """Send one line, or say what it waits for."""
        why = self._destinations.not_yet(line.to, now)
        if why is not None:
            return why
        left = self._tries.get(line.line_id)
        if left is not None and now.mono < left.not_before_ms:
            return line.reason
        room = self._courier.room(now.mono)
        if self._fresh(line, now):
            return self._repeat(line, now, room)
        parts = left.parts if left is not None and left.parts else None
        composed = self._destinations.compose(line, parts, now.wall, room)
        if composed in (NotYet.TOO_LONG, NotYet.REVOKED, NotYet.NO_CONTENT):
            self._end(line, LineState.REFUSED, str(composed))
        elif isinstance(composed, NotYet):
            return str(composed)
        else:
            self._courier.spend(len(composed))
            self._sent(self._lines.opened(line), composed, now)
        return None

    def _repeat(self, line: OutboxLine, now: Now, room: int) -> str | None:
        """One that came back goes again as it is, or waits for room."""
        if room < len(line.frames):
            return str(NotYet.NO_ROOM)
        line = replace(line, state=LineState.SENT, reason="")
        self._lines.keep(line)
        self._lines.tell(line)
        self._transmit(line, now)
        return None

    def _sent(self, line: OutboxLine, pieces: list[Piece], now: Now) -> None:
        frames = tuple(self._emit.frame(piece.payload, to=line.to, ts=now.wall) for piece in pieces)
        place = pieces[0].place
        if place is not None:
            self._numbering.took(line.to, place, pieces[0].msg_ref)
            place = replace(place, first=place.first or pieces[0].msg_ref)
        else:
            self._numbering.over(line, refused=True)
        line = replace(
            line,
            place=place,
            state=LineState.SENT,
            frames=frames,
            msg_refs=tuple(piece.msg_ref for piece in pieces),
            composed_ms=now.wall,
            reason="",
            late=self._destinations.mailbox,
            sealed_to=self._destinations.sealed_to(line.to, content=place is not None),
        )
        self._tries[line.line_id] = Try(tuple(piece.text for piece in pieces), now.mono)
        self._lines.keep(line)
        self._lines.tell(line)
        for frame in frames:
            self._emit.transmit(frame)

    # --- answers --------------------------------------------------------------------------------

    def acked(self, msg_ref: str, status: str, now: Now) -> None:
        """The server took one frame of a line; the last of them ends it (`status` as section 9)."""
        line = self._lines.answered(msg_ref)
        if line is None:
            return self._handed.acked(msg_ref, status)
        if status == REFUSED_STATUS:
            return self._end(line, LineState.REFUSED, "the server did not take it")
        if line.place is None:
            line = answered(line, self._tries.get(line.line_id), msg_ref)
        tried = self._tries.setdefault(line.line_id, Try((), now.mono))
        if status == QUEUED_STATUS:
            tried.queued.append(msg_ref)
        if line.msg_refs and line.place is None:
            return self._lines.keep(line)
        if line.place is not None or tried.queued:
            self._handed.kept(line, tried.queued or (msg_ref,))
        self._end(line, LineState.DONE, self._destinations.kept(line.to) if tried.queued else "")
        if self._destinations.mailbox:
            self.flush(now)

    def failed(self, msg_ref: str, code: str, detail: str, now: Now) -> None:
        """An ERROR about one frame of a line: it waits and goes again, or it is over."""
        line = self._lines.of(msg_ref)
        if line is None:
            return self._handed.failed(msg_ref, code, detail)
        if line.state is not LineState.SENT:
            return None
        if code == Code.USER_NOT_FOUND:
            self._destinations.not_found(line.to, now)
            self._come_back(line, self._destinations.away(line.to), now)
        elif self._destinations.mailbox and code in PAUSES:
            first_ms, reason = PAUSES[code]
            self._come_back(line, reason, now, first_ms)
        elif code in _AGAIN:
            self._come_back(line, SLOWER, now)
        else:
            self._end(line, LineState.REFUSED, refusal_text(code, detail))

    def _come_back(self, line: OutboxLine, reason: str, now: Now, pause_ms: int = 0) -> None:
        """It waits: with its frames where they may go again as they are, else to be composed."""
        if not (line.late and self._destinations.mailbox):
            return self._lines.wait(self._lines.opened(line), reason)
        self._tries.setdefault(line.line_id, Try((), now.mono)).pause(pause_ms, now.mono)
        self._lines.wait(replace(line, state=LineState.WAITING), reason)

    def retimed(self, msg_ref: str) -> None:
        """The server did not like our clock, which follows its own now: compose anew."""
        line = self._lines.of(msg_ref)
        if line is not None and line.state is LineState.SENT:
            self._lines.wait(self._lines.opened(line), "it is sent again with the server's time")

    # --- state ----------------------------------------------------------------------------------

    def _end(self, line: OutboxLine, state: LineState, reason: str) -> None:
        filler = self._numbering.over(line, refused=state is LineState.REFUSED)
        self._tries.pop(line.line_id, None)
        self._lines.end(line, state, reason)
        if filler is not None:
            self._lines.add_again(filler)  # it goes at the next `due`, before its readers miss it
