"""What was said before, as lines for people and as objects for programs (threat I8)."""

from __future__ import annotations

from typing import Final

from socp.cli.event_json import Event, Events
from socp.cli.lines.entries import Entry, Fragment
from socp.cli.lines.phrases import Phrases
from socp.cli.lines.words import SHOWN_COLUMNS, TRUST_STYLES, time_of
from socp.member.history import FILE, NOTE, REFUSED
from socp.member.history_line import Conversation, HistoryLine
from socp.member.records import LineState
from socp.wire.ids import PUBLIC
from socp.wire.text import printable

_REACTIONS_SHOWN: Final = 8
_STATE_STYLES: Final = {
    LineState.WAITING: "class:warn",
    LineState.REFUSED: "class:warn",
    LineState.DELIVERED: "class:good",
    LineState.READ: "class:good",
}
_STATE_WORDS: Final = {LineState.SENT: "on its way", LineState.DONE: "sent"}


class Past:
    """Lines of the history in the words of `phrases`."""

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def entry(self, line: HistoryLine, now: int, answered: HistoryLine | None = None) -> Entry:
        """One line, at `now` (Unix ms). `answered`: the line to which it is a reply, if known."""
        if line.kind in (REFUSED, NOTE):
            return self._about(line, now)
        head = (*_marks(line, now), self._who(line))
        if line.deleted:
            return Entry(head, "(taken back)", body_style="class:mark")
        text = f"file {line.text}" if line.kind == FILE else line.text
        if line.edited_ms:
            text += " (edited)"
        if line.reply_to:
            text = f"> {self._quoted(answered)}\n{text}"
        if line.reactions:
            text += f"\n{self._reactions(line)}"
        return Entry(head, text)

    def conversation(self, one: Conversation, now: int) -> Entry:
        """One row of the list of conversations."""
        unread = f"{one.unread} unread" if one.unread else ""
        marks: list[Fragment] = [("class:warn", f" [{unread}]")] if unread else []
        name = ("class:name", self._phrases.name(one.talk))
        when = ("class:time", f"{time_of(one.last.at_ms, now)} ")
        last = self._quoted(one.last)
        said = f"{self._phrases.name(one.last.author)}: {last}" if last else ""
        return Entry((when, name, *marks, ("", "  ")), said)

    def _about(self, line: HistoryLine, now: int) -> Entry:
        text = " ".join(line.text.split())
        if line.kind == REFUSED:
            text = f"something from {self._phrases.name(line.author)} is not shown: {text}"
        head = (("class:time", f"{time_of(line.ts, now)} "), ("class:warn", "! "))
        return Entry(head, text, body_style="class:warn")

    def _who(self, line: HistoryLine) -> Fragment:
        if line.state:
            return ("class:own", f"you to {self._phrases.name(line.talk)}: ")
        return ("class:name", f"{self._phrases.name(line.author)}: ")

    def _quoted(self, line: HistoryLine | None) -> str:
        if line is None:
            return "(something that is not here)"
        text = "(taken back)" if line.deleted else " ".join(line.text.split())
        return printable(text, width=SHOWN_COLUMNS)

    def _reactions(self, line: HistoryLine) -> str:
        shown = line.reactions[:_REACTIONS_SHOWN]
        more = len(line.reactions) - len(shown)
        said = ", ".join(
            f"{printable(emoji, width=8)} {self._phrases.name(author)}" for author, emoji in shown
        )
        return f"[{said} and {more} more]" if more else f"[{said}]"


def _marks(line: HistoryLine, now: int) -> tuple[Fragment, ...]:
    """ "12:03 [private, pinned] " """
    public = line.talk == PUBLIC
    kind = ("class:public", "public") if public else ("class:private", "private")
    return (
        ("class:time", f"{time_of(line.ts, now)} "),
        ("class:mark", "["),
        kind,
        *_sureness(line),
        ("class:mark", "] "),
    )


def _sureness(line: HistoryLine) -> tuple[Fragment, ...]:
    """How sure it is who wrote it, or how far it came."""
    if not line.state:
        return (("class:mark", ", "), (TRUST_STYLES.get(line.trust, "class:mark"), line.trust))
    state = LineState(line.state)
    word = _STATE_WORDS.get(state, str(state))
    why = f": {printable(' '.join(line.reason.split()))}" if line.reason else ""
    return (("class:mark", ", "), (_STATE_STYLES.get(state, "class:mark"), word + why))


def line_event(line: HistoryLine, events: Events) -> Event:
    """One line, whatever it says, as an object."""
    return {
        "event": "said",
        "number": line.number,
        "id": line.msg_ref,
        **events.named("talk", line.talk),
        **events.named("author", line.author),
        "kind": line.kind,
        "text": line.text,
        "ts": line.ts,
        "came": line.at_ms,
        "trust": line.trust,
        "state": line.state,
        "reason": line.reason,
        "reply_to": line.reply_to,
        "file": line.file_id,
        "edited": line.edited_ms,
        "deleted": line.deleted,
        "reactions": [
            {**events.named("author", author), "text": emoji} for author, emoji in line.reactions
        ],
    }


def conversation_event(one: Conversation, events: Events) -> Event:
    """One conversation, with its last line."""
    named = events.named("talk", one.talk)
    return {
        "event": "conversation",
        **named,
        "unread": one.unread,
        "last": line_event(one.last, events),
    }
