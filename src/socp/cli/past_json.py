"""Rows of the history as objects for programs."""

from __future__ import annotations

from socp.cli.event_json import Event, Events
from socp.member.history_line import Conversation, HistoryLine


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
    return {
        "event": "conversation",
        **events.named("talk", one.talk),
        "unread": one.unread,
        "last": line_event(one.last, events),
    }
