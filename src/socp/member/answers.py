"""What our server says became of something of ours: ACK and ERROR (section 9)."""

from __future__ import annotations

from typing import Final

from socp.member.courier import Courier
from socp.member.emitter import Emitter
from socp.member.events import Now
from socp.member.handed import refusal_text
from socp.member.outbox import Outbox
from socp.member.own_key import OwnKey
from socp.member.people import People
from socp.member.questions import Questions
from socp.member.sending import Sending
from socp.member.session import Session
from socp.member.watching import Watching
from socp.wire.envelope import Envelope
from socp.wire.errors import Code
from socp.wire.payloads import (
    Ack,
    Error,
    KeyRevoke,
    KeyRotate,
    PresenceWatch,
    SessionKey,
    UserHello,
)
from socp.wire.text import printable

DETAIL_COLUMNS: Final = 200


class Answers:
    """Each answer goes to the part that waits for it; an ERROR that none waits for is told."""

    def __init__(
        self,
        emitter: Emitter,
        courier: Courier,
        session: Session,
        own: OwnKey,
        outbox: Outbox,
        sending: Sending,
        people: People,
        questions: Questions,
        watching: Watching,
    ) -> None:
        self._emit = emitter
        self._courier = courier
        self._session = session
        self._own = own
        self._outbox = outbox
        self._sending = sending
        self._people = people
        self._questions = questions
        self._watching = watching

    def ack(self, envelope: Envelope, ack: Ack, now: Now) -> None:
        """ACK."""
        if ack.msg_ref in self._sending:
            self._sending.acked(ack.msg_ref, ack.of, ack.status, now)
        elif ack.msg_ref in (KeyRotate.TYPE, KeyRevoke.TYPE):
            self._own.acked(ack.msg_ref)
        elif ack.msg_ref == SessionKey.TYPE:
            self._session.acked()
        elif ack.msg_ref != UserHello.TYPE:
            self._outbox.acked(ack.msg_ref, ack.status, now)

    def error(self, envelope: Envelope, error: Error, now: Now) -> None:
        """ERROR."""
        offset = self._session.clock.off_by(error, now)
        if error.code == Code.RATE_LIMITED:
            self._courier.pause(now.mono)
        if error.msg_ref in self._sending:
            self._sending.failed(error.msg_ref, error.code, error.detail, now)
        elif error.msg_ref in self._outbox:
            if offset is None or not self._outbox.is_open(error.msg_ref):
                return self._outbox.failed(error.msg_ref, error.code, error.detail, now)
            # Only an answer to a line that is open: an old one, replayed, moves nobody's clock.
            self._session.clock_refused(offset)
            self._outbox.retimed(error.msg_ref)
        elif error.msg_ref in (KeyRotate.TYPE, KeyRevoke.TYPE):
            self._own.failed(error.msg_ref, refusal_text(error.code, error.detail))
        elif error.msg_ref == PresenceWatch.TYPE and error.code == Code.RATE_LIMITED:
            self._watching.refused(now)
        elif error.msg_ref == SessionKey.TYPE:
            return None  # the one before serves on, then our own key; another is told in a minute
        elif error.user_id and error.code == Code.USER_NOT_FOUND:
            self._people.nobody_knows(error.user_id, now)
        elif error.code != Code.RATE_LIMITED:
            self._other_error(error)

    def _other_error(self, error: Error) -> None:
        if error.code == Code.UNKNOWN_TYPE and self._questions.list_refused():
            return
        said = printable(error.detail, width=DETAIL_COLUMNS)
        code = printable(error.code, width=40)
        known = code if code in set(Code) else "of its own"  # or one server could say it for ever
        self._emit.warn_once(f"error {known}", f"the server refused something: {code}: {said}")
