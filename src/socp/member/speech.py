"""What somebody's message says, once it is known to be theirs and new (section 11, `content/1`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from socp.member.arrivals import Arrivals
from socp.member.effects import Trust
from socp.member.events import Now
from socp.member.history import Heard
from socp.wire.content import Body, FileState, Place, Text
from socp.wire.ids import PUBLIC

UNKNOWN: Final = "they sent something that this version cannot show; a newer one may"


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose a message is, and where and when it was said."""

    author: str
    public: bool
    ts: int  # author's, Unix ms
    msg_ref: str
    trust: Trust

    @property
    def talk(self) -> str:
        """The conversation it belongs to."""
        return PUBLIC if self.public else self.author


class Speech:
    """Each kind goes to the part that it is for."""

    def __init__(
        self, arrivals: Arrivals, file_state: Callable[[str, FileState, Now], None]
    ) -> None:
        """`file_state(author, said, now)`: how far a file is."""
        self._arrivals = arrivals
        self._file_state = file_state

    def bare(self, origin: Origin, text: str, now: Now) -> None:
        """Bare text, as everybody without `content/1` sends it."""
        self._show(origin, text, now)

    def take(self, origin: Origin, body: Body, place: Place, digest: bytes, now: Now) -> None:
        """A message of `content/1`; `digest` as `content.digest`."""
        match body:
            case Text():
                self._show(origin, body.body, now, reply_to=body.reply_to)
            case FileState():
                if not origin.public:
                    self._file_state(origin.author, body, now)
            case _:
                self._arrivals.refusal(origin.author, UNKNOWN, origin.ts, now, public=origin.public)

    def _show(self, origin: Origin, text: str, now: Now, *, reply_to: str = "") -> None:
        heard = Heard(
            author=origin.author,
            text=text,
            ts=origin.ts,
            trust=origin.trust,
            public=origin.public,
            msg_ref=origin.msg_ref,
            reply_to=reply_to,
        )
        self._arrivals.message(heard, now)
