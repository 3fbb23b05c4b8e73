"""What was said in every conversation, for ever: one number after another, across all of them.

Nothing of it is in memory: it is written here, and read from the store by whoever shows it. What
was changed later stands beside what was said, and is laid over it when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from socp.member.emitter import Emitter
from socp.member.events import Change, Now
from socp.member.records import Amendment, LineState, Said, SaidMoved, SaidReached
from socp.wire.content import Place
from socp.wire.ids import PUBLIC

REF_CHARS: Final = 43

TEXT: Final = "text"
FILE: Final = "file"
REFUSED: Final = "refused"
NOTE: Final = "note"


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody else said, as the history wants it. `text`: of a refusal the reason, of a file
    its name; `trust` "" for a refusal."""

    author: str
    text: str
    ts: int  # author's, Unix ms
    trust: str
    public: bool
    msg_ref: str = ""
    kind: str = TEXT
    reply_to: str = ""
    file_id: str = ""
    own_ref: str = ""  # its own msg_ref, where its author calls it by another


class History:
    """Numbers and persists; each method gives back its row, or the number."""

    def __init__(self, emitter: Emitter, last: int) -> None:
        """`last`: the highest number there ever was, 0 for none."""
        self._emit = emitter
        self._last = last

    def heard(self, heard: Heard, now: Now) -> int:
        """Somebody else said this."""
        return self._add(
            Said(
                number=self._next(),
                talk=PUBLIC if heard.public else heard.author,
                author=heard.author,
                text=heard.text,
                ts=heard.ts,
                at_ms=now.wall,
                trust=heard.trust,
                msg_refs=tuple(ref for ref in (heard.own_ref, heard.msg_ref) if ref),
                kind=heard.kind,
                reply_to=heard.reply_to,
                file_id=heard.file_id,
            )
        )

    def said(
        self,
        to: str,
        text: str,
        now: Now,
        *,
        kind: str = TEXT,
        reply_to: str = "",
        file_id: str = "",
    ) -> int:
        """We said this to a user id or "public"; `moved` tells what becomes of it."""
        ours = self._ours(to, text, now, kind)
        said = replace(ours, state=LineState.WAITING, reply_to=reply_to, file_id=file_id)
        return self._add(said)

    def note(self, talk: str, text: str, now: Now) -> int:
        """Something about the conversation itself: "this contact's key changed"."""
        return self._add(self._ours(talk, text, now, NOTE))

    def _ours(self, talk: str, text: str, now: Now, kind: str) -> Said:
        return Said(
            number=self._next(),
            talk=talk,
            author=self._emit.user_id,
            text=text,
            ts=now.wall,
            at_ms=now.wall,
            trust="",
            msg_refs=(),
            kind=kind,
        )

    def moved(
        self,
        number: int,
        state: LineState,
        reason: str = "",
        msg_refs: tuple[str, ...] = (),
        *,
        whole: bool = False,
    ) -> None:
        """What became of a line of ours, and under which msg_refs it went out now, each of them
        `whole` or one of its frames; 0 is none."""
        if number:
            self._emit.persist(SaidMoved(number, state, reason, msg_refs, whole))

    def reached(self, msg_ref: str, state: LineState, by: str = "") -> None:
        """Whoever it is for has, or has read, what went out under this msg_ref, perhaps in an
        earlier run. `by`: who says so, "" for our server. Only the reader's own word counts."""
        if len(msg_ref) == REF_CHARS:
            self._emit.persist(SaidReached(msg_ref, state, by))

    def amended(
        self,
        talk: str,
        of: str,
        author: str,
        kind: Change,
        body: str,
        ts: int,
        msg_ref: str,
        place: Place | None = None,
        trust: str = "",
    ) -> Amendment:
        """Somebody, perhaps we, changed, took back or reacted to what went under the msg_ref `of`.

        Whether it may count is seen when it is read, since it can come before what it is about.
        """
        number = self._next()
        run, seq = ("", 0) if place is None else (place.run, place.seq)
        row = Amendment(number, talk, of, author, kind, body, ts, msg_ref, run, seq, trust)
        self._emit.persist(row)
        return row

    def _add(self, said: Said) -> int:
        self._emit.persist(said)
        return said.number

    def _next(self) -> int:
        self._last += 1
        return self._last
