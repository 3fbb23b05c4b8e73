"""A group of people who sail on Saturday, and what they said to each other: what the pictures
show. Written into a profile before it is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import structs

from socp.client.unlocking import unlock
from socp.member.history import FILE, NOTE
from socp.member.history_line import EDIT, REACTION
from socp.member.records import Amendment, Arrived, Record, Said
from socp.storage.profile_store import ProfileStore
from socp.wire.ids import PUBLIC
from tests.client.people import FRIEND_ID

BOB: Final = FRIEND_ID
CAROL: Final = "21111111-1111-4111-8111-111111111111"
DAVE: Final = "31111111-1111-4111-8111-111111111111"
ERIN: Final = "41111111-1111-4111-8111-111111111111"
FREDERIC: Final = "51111111-1111-4111-8111-111111111111"
GRACE: Final = "61111111-1111-4111-8111-111111111111"
MISAKI: Final = "71111111-1111-4111-8111-111111111111"
PEOPLE: Final = {
    CAROL: "Carol",
    DAVE: "Dave Miller",
    ERIN: "Erin",
    FREDERIC: "Frédéric",
    GRACE: "Grace",
    MISAKI: "美咲",
}
ME: Final = "me"
PLAN: Final = "harbour-plan.pdf"
PLAN_ID: Final = "f1111111-1111-4111-8111-111111111111"
FORECAST: Final = "\n".join(
    f"{hour:02}:00  {wind:>2} kn  {way:<3} gusts {wind + 6:>2}  waves {wind / 14:.1f} m"
    for hour, wind, way in zip(
        range(6, 20),
        (8, 9, 11, 12, 12, 14, 15, 15, 16, 14, 13, 11, 9, 8),
        ("W", "W", "WSW", *["SW"] * 8, "SSW", "SSW", "S"),
        strict=True,
    )
)


@dataclass(frozen=True, slots=True)
class Words:
    """Somebody said something. `at`: the day of March 2026 and the time; `ref`: what others name it
    by; `unread`: it came since one left."""

    at: str
    author: str
    text: str
    ref: str = ""
    state: str = "read"
    to: str = ""  # whom it answers
    kind: str = "text"
    edited: str = ""  # when
    liked: tuple[tuple[str, str], ...] = ()
    trust: str = "verified"
    unread: bool = False


WITH_BOB: Final = (
    Words("10 17:55", BOB, "you compared safety numbers with Bob: they are verified", kind=NOTE),
    Words("10 17:58", BOB, "That was quick. Nobody between us, then."),
    Words("10 17:59", ME, "And nobody who can read this but you 🙂"),
    Words("11 18:02", BOB, "Are we still on for Saturday?"),
    Words("11 18:05", ME, "Yes. Carol brings the big sail, and I bring something to eat."),
    Words(
        "11 18:06",
        BOB,
        "Good. I have the berth: https://example.org/harbour/berths/14",
        ref="berth",
    ),
    Words("11 18:09", ME, "Thank you! What do I owe you?", ref="owe", liked=((BOB, "😄"),)),
    Words("11 18:10", BOB, "Nothing, you paid the last one.", to="owe", liked=((ME, "❤️"),)),
    Words("11 18:31", ME, "Does anybody have the forecast for the whole day?"),
    Words("11 18:40", BOB, "This is what the harbour office says:\n" + FORECAST),
    Words("11 18:42", ME, "Not too bad. Reefs in after ten."),
    Words("12 08:47", BOB, "Morning! The wind has turned, four from the south-west.", ref="wind"),
    Words(
        "12 08:52",
        ME,
        "Then we can leave at nine, and be on the island for lunch.",
        ref="nine",
        edited="12 08:54",
    ),
    Words("12 08:55", BOB, "Nine is good. The bridge opens at 09:20 anyway.", to="nine"),
    Words(
        "12 08:58",
        ME,
        "I will be at the pier at half past eight ⛵",
        state="delivered",
        liked=((BOB, "👍"),),
    ),
    Words("12 12:31", BOB, "美咲 asks whether there is room for one more.", unread=True),
    Words("12 12:32", BOB, "And do you still have the plan of the harbour?", unread=True),
)
PLANNED: Final = Words("12 12:40", ME, PLAN, state="sent", kind=FILE, ref=PLAN_ID)
EVERYBODY: Final = (
    Words("11 17:20", CAROL, "Who comes on Saturday? We have eight places."),
    Words("11 17:22", GRACE, "I do, with my brother.", trust="pinned"),
    Words("11 17:31", DAVE, "Count me in.", trust="pinned", liked=((CAROL, "🎉"), (ERIN, "🎉"))),
    Words("11 17:40", ERIN, "Only if somebody brings coffee ☕", trust="pinned", ref="coffee"),
    Words("11 17:41", FREDERIC, "Moi ! Deux thermos.", to="coffee", trust="pinned"),
    Words("12 07:58", ME, "Good morning! The list so far: Carol, Grace and one, Dave, Erin,"
          " Frédéric, Bob and me. That makes eight.", ref="list", state="done"),
    Words("12 08:03", CAROL, "Full house. I put the life jackets in the boat tonight.", to="list",
          liked=((ME, "👏"), (BOB, "👏"), (GRACE, "👏"))),
    Words("12 09:12", MISAKI, "土曜日、まだ空きがありますか？", trust="first seen", ref="free"),
    Words("12 09:15", DAVE, "If one of us stays ashore. I have been told that I snore.", to="free",
          trust="pinned"),
)  # fmt: skip
WITH_ERIN: Final = (
    Words("12 12:02", ERIN, "Is there a kettle on board?", trust="pinned", unread=True),
    Words("12 12:03", ERIN, "Never mind, Frédéric has two thermos flasks", trust="pinned",
          unread=True),
)  # fmt: skip
WITH_DAVE: Final = (Words("11 21:15", DAVE, "Which size of jacket do you take?", trust="pinned"),)
WITH_CAROL: Final = (
    Words("11 20:10", ME, "I have the spare keys of the boat.", state="read"),
    Words("11 20:11", CAROL, "Keep them, I have mine."),
)
WITH_GRACE: Final = (Words("10 19:30", GRACE, "My brother is called Theo, by the way",
                           trust="pinned"),)  # fmt: skip
TALKS: Final = {
    BOB: (*WITH_BOB, PLANNED),
    CAROL: WITH_CAROL,
    DAVE: WITH_DAVE,
    ERIN: WITH_ERIN,
    GRACE: WITH_GRACE,
    PUBLIC: EVERYBODY,
}


def ms(at: str) -> int:
    """Unix ms."""
    return int(datetime.strptime(f"2026-03-{at} +0000", "%Y-%m-%d %H:%M %z").timestamp()) * 1_000


def has_talked(folder: Path) -> None:
    """Write all of it, in the order of time."""
    with ProfileStore.open(folder, lambda: unlock(folder, None)) as store:
        known, settings = store.load(), store.settings()
        assert settings is not None
        book = _Book(settings.user_id, known.last_said)
        store.write(tuple(book.records())).result()
        bob = next(each for each in known.contacts if each.user_id == BOB)
        store.write((structs.replace(bob, verified=True, display_name="Bob"),)).result()


class _Book:
    """Numbers what was said, and what was done to it."""

    def __init__(self, me: str, last: int) -> None:
        self._me = me
        self._number = last

    def records(self) -> Iterator[Record]:
        """Everything."""
        said = [(ms(words.at), talk, words) for talk, all_ in TALKS.items() for words in all_]
        for at, talk, words in sorted(said, key=lambda each: each[0]):
            yield from self._said(at, talk, words)

    def _said(self, at: int, talk: str, words: Words) -> Iterator[Record]:
        author, ref = self._id(words.author), _ref(words.ref or f"{talk}{words.at}{words.author}")
        mine = author == self._me
        self._number += 1
        line = Said(
            number=self._number,
            talk=talk,
            author=author,
            text=words.text,
            ts=at,
            at_ms=at,
            trust="" if mine or words.kind == NOTE else words.trust,
            msg_refs=(ref,),
            kind=words.kind,
            state=words.state if mine else "",
            reply_to=_ref(words.to) if words.to else "",
            file_id=words.ref if words.kind == FILE else "",
        )
        yield line
        if words.edited:
            yield self._amended(line, author, EDIT, words.text, ms(words.edited))
        for later_ms, (who, emoji) in enumerate(words.liked, 1):
            yield self._amended(line, self._id(who), REACTION, emoji, at + later_ms)
        if words.unread:
            yield Arrived(
                line.number, ref, author, line.text, at, line.trust, talk == PUBLIC, False,
                said=line.number,
            )  # fmt: skip

    def _amended(self, line: Said, author: str, kind: str, body: str, ts: int) -> Amendment:
        self._number += 1
        return Amendment(self._number, line.talk, line.msg_refs[0], author, kind, body, ts, "")

    def _id(self, author: str) -> str:
        return self._me if author == ME else author


def _ref(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:43]
