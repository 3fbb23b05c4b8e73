"""Notices in people's words: who, when, how sure, private or public."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, assert_never

from socp.cli.lines.entries import Entry, Fragment, Kind
from socp.client.notices import GivenUp, Notice, Offline
from socp.member import effects
from socp.member.contacts import Person
from socp.member.effects import OwnKeyState, Trust
from socp.member.records import LineState, TrustState
from socp.wire import limits
from socp.wire.ids import PUBLIC
from socp.wire.text import printable

SHOWN_COLUMNS: Final = 60
_NAMES_SHOWN: Final = 8
_NAME_CHARS: Final = frozenset(" _-.'#+@")
_TRUST_STYLES: Final = {
    Trust.CHANGED: "class:loud",
    Trust.VERIFIED: "class:good",
    Trust.PINNED: "class:mark",
    Trust.FORMER_KEY: "class:warn",
    Trust.FIRST_SEEN: "class:warn",
    Trust.NOT_BOUND: "class:warn",
    Trust.NOT_ENCRYPTED: "class:warn",
}

Label = Callable[[str], str]


def time_of(ts: int, now: int) -> str:
    """Local time; with the day where it is not today's. Both Unix ms."""
    try:
        then = datetime.fromtimestamp(ts / 1000)  # noqa: DTZ006 - people read their own clock
    except (OverflowError, OSError, ValueError):
        return "no time"
    today = datetime.fromtimestamp(now / 1000).date()  # noqa: DTZ006
    return then.strftime("%H:%M" if then.date() == today else "%Y-%m-%d %H:%M")


def shown_name(label: str) -> str:
    """In quotes where the name could be taken for more than a name."""
    if all(char.isalnum() or char in _NAME_CHARS for char in label):
        return label
    return '"' + label.replace('"', "'") + '"'


def size_text(size: int) -> str:
    """Bytes as people read them."""
    for unit, bytes_ in (("GiB", 1024 * limits.MIB), ("MiB", limits.MIB), ("KiB", limits.KIB)):
        if size >= bytes_:
            return f"{size / bytes_:.1f} {unit}"
    return "1 byte" if size == 1 else f"{size} bytes"


def progress_text(at: effects.FileProgress, peer: str) -> str:
    """How far a file is, how fast, and how long it takes yet. `peer`: what they are called."""
    name = shown_name(printable(at.name, width=SHOWN_COLUMNS // 2))
    way = "to" if at.sending else "from"
    head = f"{name} {way} {peer}: {100 * at.done // max(at.size, 1)}% of {size_text(at.size)}"
    rate = f", {size_text(at.bytes_per_s)}/s" if at.bytes_per_s else ""
    return head + rate + ("" if at.remaining_s is None else f", {_duration(at.remaining_s)} left")


def _duration(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def fingerprint_text(fingerprint: str) -> str:
    """64 hex digits in groups, as people compare them."""
    return " ".join(fingerprint[at : at + 8] for at in range(0, len(fingerprint), 8)) or "unknown"


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

    def entry(self, notice: Notice, now: int) -> Entry | None:
        """The entry for a notice at `now` (Unix ms); None for what is shown in another way."""
        match notice:
            case effects.MessageArrived():
                return self._message(notice, now)
            case effects.MessageRefused():
                text = f"something from {self.name(notice.author)} is not shown: {notice.reason}"
                return _note(now, text, "class:warn", ts=notice.ts)
            case effects.KeyChanged():
                return self._key_changed(notice, now)
            case effects.KeyReplaced() | effects.KeyRevoked():
                return self._key_moved(notice, now)
            case effects.OwnKeyMoved():
                return _own_key(notice, now)
            case effects.Warned():
                return _note(now, notice.text, "class:warn")
            case effects.Online() | Offline() | GivenUp():
                return self._link(notice, now)
            case effects.MembersShown():
                return self._readers(notice, now)
            case effects.FileOffered() | effects.FileDone() | effects.FileFailed():
                return self._file(notice, now)
            case (
                effects.LineMoved()
                | effects.PeerMoved()
                | effects.ListAnswered()
                | effects.WhoisAnswered()
                | effects.FileProgress()
                | effects.FileWaits()
                | effects.Amended()
                | effects.GapFound()
                | effects.GapClosed()
                | effects.TrustMoved()
            ):
                return None
            case _:
                assert_never(notice)

    def own(self, moved: effects.LineMoved, now: int) -> Entry:
        """A line of one's own that was handed over; `reason`, if any, says how surely."""
        doubts = [("class:warn", _flat(moved.reason))] if moved.reason else []
        marks = _marks(now, now, moved.to == PUBLIC, *doubts)
        return Entry((*marks, _to(self.name(moved.to))), moved.text)

    def own_waits(self, moved: effects.LineMoved, now: int) -> Entry:
        """A line of one's own that is not on its way yet, or for long."""
        marks = _marks(now, now, moved.to == PUBLIC, ("class:warn", "waiting"))
        text = f"{moved.text}\n({_flat(moved.reason or 'on its way')})"
        return Entry((*marks, _to(self.name(moved.to))), text, Kind.ASIDE)

    def own_still_waits(self, moved: effects.LineMoved, now: int) -> Entry:
        """It was shown before, and waits for something else now."""
        text = printable(" ".join(moved.text.split()), width=SHOWN_COLUMNS)
        head = f"still waiting to go to {self.name(moved.to)}: {text} "
        return Entry(
            (_time(now, now), ("class:mark", head)), f"({_flat(moved.reason)})", Kind.ASIDE
        )

    def own_moved(self, moved: effects.LineMoved, now: int) -> Entry:
        """What became of a line that was shown before."""
        text = printable(" ".join(moved.text.split()), width=SHOWN_COLUMNS)
        name = self.name(moved.to)
        if moved.state in (LineState.DONE, LineState.DELIVERED):
            way = "sent" if moved.state is LineState.DONE else "delivered"
            said = f"{text} ({_flat(moved.reason)})" if moved.reason else text
            return Entry((_time(now, now), ("class:good", f"{way} to {name}: "), ("", said)))
        return _note(now, f"not sent to {name}: {_flat(moved.reason)} ({text})", "class:warn")

    def comings(self, came: list[str], went: list[str], news: set[str], now: int) -> Entry:
        """Who came and went lately; `news` are those never seen before."""
        parts = [
            f"{_some([self._newcomer(who, news) for who in people])} {verb}"
            for people, verb in ((came, "here"), (went, "gone"))
            if people
        ]
        return Entry((_time(now, now), ("class:mark", "; ".join(parts))), kind=Kind.ASIDE)

    def _newcomer(self, user_id: str, news: set[str]) -> str:
        return f"{self.name(user_id)} (first seen)" if user_id in news else self.name(user_id)

    def person(self, person: Person, now: int) -> Entry:
        """One row of /members."""
        marks = [
            "here" if person.online else "away",
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
        return Entry((_time(now, now),), text, Kind.ASIDE, "class:mark")

    def _known(self, people: tuple[Person, ...], now: int) -> str:
        names = [
            shown_name(person.label)
            + (
                f" (first seen {time_of(person.first_seen_ms, now)})"
                if person.first_seen_ms
                else ""
            )
            for person in people[:_NAMES_SHOWN]
        ]
        more = len(people) - _NAMES_SHOWN
        return ", ".join(names) + (f" and {more} more; /members lists all" if more > 0 else "")

    def _message(self, said: effects.MessageArrived, now: int) -> Entry:
        trust = (_TRUST_STYLES[said.trust], str(said.trust))
        name = ("class:name", f"{self.name(said.author)}: ")
        return Entry((*_marks(said.ts, now, said.public, trust), name), said.text)

    def _key_changed(self, changed: effects.KeyChanged, now: int) -> Entry:
        name = self.name(changed.user_id)
        remedy = (
            "Your server, or somebody on the way to it, may give others a wrong key for you: ask"
            " them by another way than this chat what /whois shows them."
            if changed.user_id == self._own_id
            else f"Ask {name} by another way than this chat; until then trust nobody who uses the"
            " name."
        )
        text = (
            f"somebody claims to be {name} with another key, and it is refused.\n"
            f"known:   {fingerprint_text(changed.pinned)}\n"
            f"claimed: {fingerprint_text(changed.claimed)}\n"
            f"{remedy}"
        )
        return Entry(
            (_time(now, now), ("class:loud", " KEY CHANGED "), ("", " ")), text, Kind.ASIDE
        )

    def _key_moved(self, moved: effects.KeyReplaced | effects.KeyRevoked, now: int) -> Entry:
        name = self.name(moved.user_id)
        if isinstance(moved, effects.KeyRevoked):
            text = (
                f"{name} revoked their id: nothing is sent to it any more, and nothing from it is"
                " shown; ask them by another way for their new one"
            )
            return _note(now, text, "class:loud")
        again = " they are no longer verified: compare keys again" if moved.was_verified else ""
        text = (
            f"{name}'s key was replaced, signed by the old one{';' if again else ''}{again}\n"
            f"was: {fingerprint_text(moved.former)}\n"
            f"is:  {fingerprint_text(moved.key)}"
        )
        return Entry((_time(now, now), ("class:warn", "! ")), text, Kind.ASIDE, "class:warn")

    def _link(self, notice: effects.Online | Offline | GivenUp, now: int) -> Entry:
        match notice:
            case effects.Online():
                known = "first seen" if notice.first_seen else "known"
                proof = "proved its key" if notice.proven else "did not prove its key"
                server = printable(notice.server_id, width=36) or "without an id"
                text = f"connected to {self._server}; server {server} {proof}, {known}"
                style = "class:good" if notice.proven else "class:warn"
                return Entry((_time(now, now),), text, Kind.ASIDE, style)
            case Offline():
                text = f"not connected to {self._server}: {notice.reason}"
                return _note(now, text, "class:warn")
            case GivenUp():
                return _note(now, f"not connected to {self._server}: {notice.reason}", "class:loud")

    def _file(
        self, notice: effects.FileOffered | effects.FileDone | effects.FileFailed, now: int
    ) -> Entry:
        name = shown_name(printable(notice.name, width=SHOWN_COLUMNS))
        match notice:
            case effects.FileOffered():
                trust = (_TRUST_STYLES[notice.trust], str(notice.trust))
                text = f"{self.name(notice.author)} sends {name} ({size_text(notice.size)})"
                return Entry((*_marks(now, now, notice.public, trust), ("class:name", text)))
            case effects.FileDone(kept=True):
                text = (
                    f"{name} ({size_text(notice.size)}) for {self.name(notice.peer)}:"
                    " their server keeps it until they are back"
                )
            case effects.FileDone(sending=True):
                text = f"{name} ({size_text(notice.size)}) sent to {self.name(notice.peer)}"
            case effects.FileDone():
                text = (
                    f"{name} ({size_text(notice.size)}) received from {self.name(notice.peer)}, "
                    f"SHA-256 right, saved as {_path(notice.path)}"
                )
            case effects.FileFailed():
                way = "not sent to" if notice.sending else "not received from"
                text = f"{name} {way} {self.name(notice.peer)}: {notice.reason}"
                return _note(now, text, "class:warn")
        return Entry((_time(now, now), ("class:good", text)))


def _own_key(moved: effects.OwnKeyMoved, now: int) -> Entry | None:
    """REFUSED is for whoever asked for the change to say."""
    match moved.state:
        case OwnKeyState.WAITING:
            text = "the new key is made, and takes its place once nothing else is on its way"
            return Entry((_time(now, now), ("class:mark", text)), kind=Kind.ASIDE)
        case OwnKeyState.REPLACED:
            head = ("class:good", "your key was replaced; it is now  ")
            return Entry((_time(now, now), head), f"key {fingerprint_text(moved.fingerprint)}")
        case OwnKeyState.REVOKED:
            return Entry((_time(now, now), ("class:good", "your id is revoked for ever")))
        case OwnKeyState.REFUSED:
            return None


def _note(now: int, text: str, style: str, *, ts: int | None = None) -> Entry:
    return Entry((_time(ts or now, now), (style, "! ")), _flat(text), Kind.ASIDE, style)


def _time(ts: int, now: int) -> Fragment:
    return ("class:time", f"{time_of(ts, now)} ")


def _to(name: str) -> Fragment:
    return ("class:own", f"you to {name}: ")


def _marks(ts: int, now: int, public: bool, *marks: Fragment) -> tuple[Fragment, ...]:
    """ "12:03 [private, pinned] " """
    kind = ("class:public", "public") if public else ("class:private", "private")
    between: list[Fragment] = [_time(ts, now), ("class:mark", "["), kind]
    for mark in marks:
        between += [("class:mark", ", "), mark]
    return (*between, ("class:mark", "] "))


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    verb = "is" if len(names) == 1 else "are"
    return f"{shown} and {more} more {verb}" if more > 0 else f"{shown} {verb}"


def _flat(text: str) -> str:
    return printable(" ".join(text.split()))


def _path(text: str) -> str:
    path = Path(text)
    here = Path.cwd()
    return printable(str(path.relative_to(here) if path.is_relative_to(here) else path))
