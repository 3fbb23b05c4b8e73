"""What was changed, taken back, reacted to or missing, in people's words (section 11)."""

from __future__ import annotations

from dataclasses import dataclass

from socp.member.effects import Amended, GapClosed, GapFound
from socp.talk.entries import Entry, Kind
from socp.talk.words import Label, clock, marks, note, quoted, time_of, trust_mark, whose
from socp.wire.ids import PUBLIC


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an answer or a change is about, as far as it is known here."""

    author: str  # what they are called
    text: str
    ts: int  # Unix ms
    number: int  # in the history


def amendment_entry(
    notice: Amended | GapFound | GapClosed, about: Spoken | None, name_of: Label, now: int
) -> Entry:
    """The entry for one of them. `now`: Unix ms."""
    match notice:
        case Amended():
            return _amended(notice, about, name_of, now)
        case GapFound():
            return _gap_found(notice, name_of, now)
        case GapClosed():
            text = f"what was missing of {name_of(notice.author)} is here now"
            return Entry((clock(now, now), ("class:good", text)), kind=Kind.ASIDE)


def _amended(notice: Amended, about: Spoken | None, name_of: Label, now: int) -> Entry:
    who = name_of(notice.author)
    trust = [trust_mark(notice.trust)] if notice.trust else []
    head = marks(notice.ts, now, notice.talk == PUBLIC, *trust)
    said = f"#{about.number}, said at {time_of(about.ts, now)}" if about else "an earlier message"
    match notice.kind:
        case "edit":
            return Entry((*head, ("class:name", f"{who} changed {said}: ")), notice.body)
        case "delete":
            return Entry((*head, ("class:name", f"{who} took back {said}")))
    what = f"{whose(about.author)} {quoted(about.text)}" if about else "an earlier message"
    theirs = "your" if who == "you" else "their"
    if not notice.body:
        return Entry((*head, ("class:name", f"{who} took {theirs} reaction back from {what}")))
    return Entry((*head, ("class:name", f"{who} reacted to {what}: ")), notice.body)


def _gap_found(gap: GapFound, name_of: Label, now: int) -> Entry:
    """How many did not come, when they were said, and what is done about it."""
    what = "a message" if gap.count == 1 else f"{gap.count} messages"
    where = " to everyone" if gap.talk == PUBLIC else ""
    after, before = (time_of(ts, now) for ts in (gap.after_ts, gap.before_ts))
    when = f"between {after} and {before}" if gap.after_ts else f"before {before}"
    then = (
        "their client is asked for it once more"
        if gap.asked
        else "ask them what it was, by another way if you can"
    )
    text = f"{what} of {name_of(gap.author)}{where}, said {when}, did not come; {then}"
    return note(now, text, "class:warn")
