"""What somebody's message says, once it is known to be theirs and new (section 11, `content/1`)."""

from __future__ import annotations

from dataclasses import dataclass

from socp.member.arrivals import Arrivals
from socp.member.effects import Trust
from socp.member.events import Now
from socp.wire.content import Body, Place, Text
from socp.wire.ids import PUBLIC

UNKNOWN = "they sent something that this version cannot show; a newer one may"


@dataclass(frozen=True, slots=True)
class Heard:
    """Whose it is, and where and when it was said."""

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

    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals

    def bare(self, heard: Heard, text: str) -> None:
        """Bare text, as everybody without `content/1` sends it."""
        self._show(heard, text)

    def take(self, heard: Heard, body: Body, place: Place, digest: bytes, now: Now) -> None:
        """A message of `content/1`; `digest` as `content.digest`."""
        match body:
            case Text():
                self._show(heard, body.body)
            case _:
                self._arrivals.refusal(heard.author, UNKNOWN, heard.ts)

    def _show(self, heard: Heard, text: str) -> None:
        self._arrivals.message(
            heard.author,
            text,
            heard.ts,
            heard.trust,
            msg_ref=heard.msg_ref,
            public=heard.public,
        )
