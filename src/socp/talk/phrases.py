"""Notices in people's words: who, when, how sure, private or public."""

from __future__ import annotations

from typing import Final, assert_never

from socp.client.notices import GivenUp, KeyNotice, LinkNotice, Notice, Offline
from socp.member import effects
from socp.member.contacts import Person
from socp.member.effects import OwnKeyState
from socp.member.records import LineState, TrustState
from socp.talk.amendments import Spoken, amendment_entry
from socp.talk.entries import Entry, Kind
from socp.talk.file_phrases import file_entry
from socp.talk.words import (
    NAMES_SHOWN,
    SHOWN_COLUMNS,
    Label,
    clock,
    fingerprint_text,
    flat,
    marks,
    note,
    own_to,
    quoted,
    shown_name,
    some,
    time_of,
    trust_mark,
    whose,
)
from socp.wire.ids import PUBLIC
from socp.wire.text import printable

_WAYS: Final = {
    LineState.DONE: "sent to",
    LineState.DELIVERED: "delivered to",
    LineState.READ: "read by",
}


class Phrases:
    """`label` says what a user id is called."""

    def __init__(self, label: Label, own_id: str, server: str) -> None:
        """`server`: its address."""
        self._label = label
        self._own_id = own_id
        self._server = server

    def name(self, user_id: str) -> str:
        """Somebody, or everyone."""
        if user_id == PUBLIC:
            return "everyone"
        return "you" if user_id == self._own_id else shown_name(self._label(user_id))

    def typed(self, user_id: str) -> str:
        """The same as one types it behind a command."""
        return self.name(user_id).replace(" ", "_")

    def entry(self, notice: Notice, now: int, about: Spoken | None = None) -> Entry | None:
        """The entry for a notice at `now` (Unix ms); None for what is shown in another way.
        `about`: what it answers or changes, where that is known."""
        if isinstance(notice, KeyNotice):
            return self._key(notice, now)
        match notice:
            case effects.MessageArrived():
                return self._message(notice, about, now)
            case effects.Amended() | effects.GapFound() | effects.GapClosed():
                return amendment_entry(notice, about, self.name, now)
            case effects.MessageRefused():
                text = f"something from {self.name(notice.author)} is not shown: {notice.reason}"
                return note(now, text, "class:warn", ts=notice.ts)
            case effects.Warned():
                return note(now, notice.text, "class:warn")
            case effects.Online() | Offline() | GivenUp():
                return self._link(notice, now)
            case effects.MembersShown():
                return self._readers(notice, now)
            case (
                effects.FileOffered()
                | effects.FileWaits()
                | effects.FileDone()
                | effects.FileFailed()
            ):
                return file_entry(notice, self.name, now)
            case (
                effects.LineMoved()
                | effects.PeerMoved()
                | effects.ListAnswered()
                | effects.WhoisAnswered()
                | effects.FileProgress()
            ):
                return None
            case _:
                assert_never(notice)

    def own(self, moved: effects.LineMoved, now: int) -> Entry:
        """A line of one's own that was handed over; `reason`, if any, says how surely."""
        doubts = [("class:warn", flat(moved.reason))] if moved.reason else []
        head = marks(now, now, moved.to == PUBLIC, *doubts)
        return Entry((*head, own_to(self.name(moved.to), moved.kind)), moved.text)

    def own_waits(self, moved: effects.LineMoved, now: int) -> Entry:
        """A line of one's own that is not on its way yet, or for long."""
        head = marks(now, now, moved.to == PUBLIC, ("class:warn", "waiting"))
        text = f"{moved.text}\n({flat(moved.reason or 'on its way')})"
        return Entry((*head, own_to(self.name(moved.to), moved.kind)), text, Kind.ASIDE)

    def own_still_waits(self, moved: effects.LineMoved, now: int) -> Entry:
        """It was shown before, and waits for something else now."""
        text = printable(" ".join(moved.text.split()), width=SHOWN_COLUMNS)
        head = f"still waiting to go to {self.name(moved.to)}: {text} "
        return Entry((clock(now, now), ("class:mark", head)), f"({flat(moved.reason)})", Kind.ASIDE)

    def own_moved(self, moved: effects.LineMoved, now: int) -> Entry:
        """What became of a line that was shown before."""
        text = printable(" ".join(moved.text.split()), width=SHOWN_COLUMNS)
        name = self.name(moved.to)
        if way := _WAYS.get(moved.state):
            said = f"{text} ({flat(moved.reason)})" if moved.reason else text
            return Entry((clock(now, now), ("class:good", f"{way} {name}: "), ("", said)))
        return note(now, f"not sent to {name}: {flat(moved.reason)} ({text})", "class:warn")

    def comings(self, came: list[str], went: list[str], news: set[str], now: int) -> Entry:
        """Who came and went lately; `news` are those never seen before."""
        parts = [
            f"{some([self._newcomer(who, news) for who in people])} {verb}"
            for people, verb in ((came, "here"), (went, "gone"))
            if people
        ]
        return Entry((clock(now, now), ("class:mark", "; ".join(parts))), kind=Kind.ASIDE)

    def _newcomer(self, user_id: str, news: set[str]) -> str:
        return f"{self.name(user_id)} (first seen)" if user_id in news else self.name(user_id)

    def person(self, person: Person, now: int, attached: bool) -> Entry:
        """One row of /members. Where we are not `attached`, nobody told us who is here."""
        here = "here" if person.online else "away"
        marks = [
            here if attached else "",
            f"first seen {time_of(person.first_seen_ms, now)}" if person.first_seen_ms else "",
            "" if person.fingerprint else "key not known yet",
            "" if person.state is TrustState.UNVERIFIED else str(person.state),
            "" if person.hybrid or not person.fingerprint else "plain v1.3: author not bound",
        ]
        said = ", ".join(mark for mark in marks if mark)
        name = ("class:name", shown_name(person.label))
        return Entry((("", "  "), name, ("", f"  {printable(person.user_id)}  {said}")))

    def _readers(self, shown: effects.MembersShown, now: int) -> Entry:
        if not shown.members:
            text = "nobody else is in the public channel yet"
        elif len(shown.fresh) == len(shown.members):
            text = f"what you say to everyone, these can read: {self._known(shown.members, now)}"
        else:
            text = f"new among those who read this: {self._known(shown.fresh, now)}"
        return Entry((clock(now, now),), text, Kind.ASIDE, "class:mark")

    def _known(self, people: tuple[Person, ...], now: int) -> str:
        names = [
            shown_name(person.label)
            + (
                f" (first seen {time_of(person.first_seen_ms, now)})"
                if person.first_seen_ms
                else ""
            )
            for person in people[:NAMES_SHOWN]
        ]
        more = len(people) - NAMES_SHOWN
        return ", ".join(names) + (f" and {more} more; /members lists all" if more > 0 else "")

    def _key(self, notice: KeyNotice, now: int) -> Entry | None:
        match notice:
            case effects.KeyChanged():
                return self._key_changed(notice, now)
            case effects.KeyReplaced() | effects.KeyRevoked():
                return self._key_moved(notice, now)
            case effects.TrustMoved():
                return self._trust_moved(notice, now)
            case effects.OwnKeyMoved():
                return _own_key(notice, now)
            case _:
                assert_never(notice)

    def _message(self, said: effects.MessageArrived, about: Spoken | None, now: int) -> Entry:
        marked = [trust_mark(said.trust)]
        if said.late:
            marked.append(("class:warn", "came late"))
        answers = f" answering {whose(about.author)} {quoted(about.text)}" if about else ""
        name = ("class:name", f"{self.name(said.author)}{answers}: ")
        return Entry((*marks(said.ts, now, said.public, *marked), name), said.text)

    def _trust_moved(self, moved: effects.TrustMoved, now: int) -> Entry:
        name = self.name(moved.user_id)
        match moved.state:
            case TrustState.VERIFIED:
                return Entry((clock(now, now), ("class:good", f"{name} is verified now")))
            case TrustState.UNVERIFIED:
                text = f"{name} is not verified; /verify {self.typed(moved.user_id)} compares"
                return note(now, text, "class:warn")
            case TrustState.CHANGED:
                how = f"/trust {self.typed(moved.user_id)}"
                text = f"nothing is sent to {name} until you decide: {how}"
                return note(now, text, "class:loud")

    def _key_changed(self, changed: effects.KeyChanged, now: int) -> Entry:
        name = self.name(changed.user_id)
        remedy = (
            "Your server, or somebody on the way to it, may give others a wrong key for you: ask"
            " them by another way than this chat what /whois shows them."
            if changed.user_id == self._own_id
            else f"Ask {name} by another way than this chat which safety number they see (/verify)."
            " Until you keep the known key or take the claimed one nothing is sent to them: trust"
            " nobody who uses the name."
        )
        text = (
            f"somebody claims to be {name} with another key, and it is refused.\n"
            f"known:   {fingerprint_text(changed.pinned)}\n"
            f"claimed: {fingerprint_text(changed.claimed)}\n"
            f"{remedy}"
        )
        return Entry(
            (clock(now, now), ("class:loud", " KEY CHANGED "), ("", " ")), text, Kind.ASIDE
        )

    def _key_moved(self, moved: effects.KeyReplaced | effects.KeyRevoked, now: int) -> Entry:
        name = self.name(moved.user_id)
        if isinstance(moved, effects.KeyRevoked):
            text = (
                f"{name} revoked their id: nothing is sent to it any more, and nothing from it is"
                " shown; ask them by another way for their new one"
            )
            return note(now, text, "class:loud")
        again = " they are no longer verified: compare keys again" if moved.was_verified else ""
        text = (
            f"{name}'s key was replaced, signed by the old one{';' if again else ''}{again}\n"
            f"was: {fingerprint_text(moved.former)}\n"
            f"is:  {fingerprint_text(moved.key)}"
        )
        return Entry((clock(now, now), ("class:warn", "! ")), text, Kind.ASIDE, "class:warn")

    def _link(self, notice: LinkNotice, now: int) -> Entry:
        match notice:
            case effects.Online():
                known = "first seen" if notice.first_seen else "known"
                proof = "proved its key" if notice.proven else "did not prove its key"
                server = printable(notice.server_id, width=36) or "without an id"
                text = f"connected to {self._server}; server {server} {proof}, {known}"
                style = "class:good" if notice.proven else "class:warn"
                return Entry((clock(now, now),), text, Kind.ASIDE, style)
            case Offline():
                text = f"not connected to {self._server}: {notice.reason}"
                return note(now, text, "class:warn")
            case GivenUp():
                return note(now, f"not connected to {self._server}: {notice.reason}", "class:loud")


def _own_key(moved: effects.OwnKeyMoved, now: int) -> Entry | None:
    """REFUSED is for whoever asked for the change to say."""
    match moved.state:
        case OwnKeyState.WAITING:
            text = "the new key is made, and takes its place once nothing else is on its way"
            return Entry((clock(now, now), ("class:mark", text)), kind=Kind.ASIDE)
        case OwnKeyState.REPLACED:
            head = ("class:good", "your key was replaced; it is now  ")
            return Entry((clock(now, now), head), f"key {fingerprint_text(moved.fingerprint)}")
        case OwnKeyState.REVOKED:
            return Entry((clock(now, now), ("class:good", "your id is revoked for ever")))
        case OwnKeyState.REFUSED:
            return None
