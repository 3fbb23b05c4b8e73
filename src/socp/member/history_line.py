"""One line of a conversation as it stands now: what was said, with what was changed laid over it
(section 11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from socp.member.records import Amendment, Said
from socp.member.sureness import less_sure

EDIT: Final = "edit"
DELETE: Final = "delete"
REACTION: Final = "reaction"


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of a conversation as it stands now, with what was changed since it was said."""

    number: int
    talk: str  # the other's user id, or "public"
    author: str  # user id, our own too
    text: str  # as it is now; "" where it was taken back
    ts: int  # author's, Unix ms
    at_ms: int  # when it came here or was said here, Unix ms
    # How sure it was who wrote it, and of the words as they are now; a `Trust`, "" for our own,
    # refusals and notes.
    trust: str
    msg_ref: str  # what to name in a reply, an edit or a reaction; "" while there is none
    kind: str  # text | file (its name) | refused (why it is not shown) | note
    state: str  # a `LineState` of our own lines, "" of others'
    reason: str  # why it waits or was refused
    reply_to: str  # msg_ref
    file_id: str
    edited_ms: int = 0  # author's, 0 where it was not
    deleted: bool = False
    reactions: tuple[tuple[str, str], ...] = ()  # (user id, emoji), the earliest first


@dataclass(frozen=True, slots=True)
class Conversation:
    """Somebody, or everyone, with whom something was said."""

    talk: str  # user id, or "public"
    last: HistoryLine
    unread: int  # messages that were not shown yet


def counts(amendment: Amendment, said: Said) -> bool:
    """Whether it may change that line: only their author edits and deletes words."""
    if amendment.talk != said.talk or amendment.of not in said.msg_refs:
        return False
    return amendment.kind == REACTION or amendment.author == said.author


def newer(amendment: Amendment, known: Amendment) -> bool:
    """Whether of two changes of one kind, by one author to one line, this is the one that counts:
    the same at every reader, in whichever order they came. The ts is that of its sealing, and one
    that was sealed anew says nothing new."""
    if not (amendment.msg_ref or known.msg_ref):
        return amendment.number > known.number
    if amendment.run and amendment.run == known.run:
        return amendment.seq > known.seq
    return (amendment.ts, amendment.msg_ref) > (known.ts, known.msg_ref)


def laid_over(said: Said, amendments: Iterable[Amendment]) -> HistoryLine:
    """The line as it stands: of several changes of one kind by one author, under several msg_refs
    of the line, the newest counts."""
    newest: dict[tuple[str, str], Amendment] = {}
    for amendment in amendments:
        known = newest.get((amendment.author, amendment.kind))
        if counts(amendment, said) and (known is None or newer(amendment, known)):
            newest[amendment.author, amendment.kind] = amendment
    found = sorted(newest.values(), key=lambda a: (a.ts, a.msg_ref))
    edit = next((a for a in found if a.kind == EDIT), None)
    deleted = any(a.kind == DELETE for a in found)
    reactions = tuple((a.author, a.body) for a in found if a.kind == REACTION and a.body)
    return HistoryLine(
        number=said.number,
        talk=said.talk,
        author=said.author,
        text="" if deleted else said.text if edit is None else edit.body,
        ts=said.ts,
        at_ms=said.at_ms,
        trust=said.trust if edit is None else less_sure(said.trust, edit.trust),
        msg_ref=said.msg_refs[-1] if said.msg_refs else "",
        kind=said.kind,
        state=said.state,
        reason=said.reason,
        reply_to=said.reply_to,
        file_id=said.file_id,
        edited_ms=0 if deleted or edit is None else edit.ts,
        deleted=deleted,
        reactions=() if deleted else reactions,
    )
