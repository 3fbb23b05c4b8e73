"""`/verify` and `/trust`: who somebody's key belongs to, which only the person decides (I9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from socp.client.client import Client
from socp.client.errors import NothingClaimed
from socp.crypto import safety_number
from socp.member.records import TrustState
from socp.talk.commands import Trust, Unclear, Verify
from socp.talk.entries import Entry
from socp.talk.phrases import Phrases
from socp.talk.words import fingerprint_text

Show = Callable[[Entry], None]


class Deciding:
    """`drawn` gives the rows of a QR code of a text, none where the output cannot show one."""

    def __init__(
        self, me: Client, phrases: Phrases, show: Show, drawn: Callable[[str], list[str]]
    ) -> None:
        self._me = me
        self._phrases = phrases
        self._show = show
        self._drawn = drawn

    async def verify(self, user_id: str, command: Verify) -> None:
        """Show the numbers, or compare those that were typed. ClientError, Unclear."""
        if user_id == self._me.user_id:
            raise Unclear("whom? /verify NAME compares the numbers of somebody else and you")
        if command.digits:
            await self._me.verify(user_id, command.digits)
            return
        for entry in self._numbers(user_id):
            self._show(entry)

    async def trust(self, user_id: str, command: Trust) -> None:
        """Say what is known of somebody's key, or take a decision. ClientError."""
        match command.decision:
            case "accept":
                await self._me.accept_key(user_id)
            case "keep":
                await self._me.keep_key(user_id)
            case "unsure":
                await self._me.unverify(user_id)
            case _:
                self._show(self._state(user_id))

    def _numbers(self, user_id: str) -> Iterator[Entry]:
        name = self._phrases.name(user_id)
        digits = self._me.safety_number(user_id)
        text = (
            f"{name} sees the same, or somebody stands between you. Compare by another way than"
            f" this chat; if it is, type what they read: /verify {self._phrases.typed(user_id)}"
            " DIGITS"
        )
        yield Entry((("class:mark", ""),), text)
        # What is compared comes last, and all of it is to be seen in 24 rows.
        for row in self._drawn(safety_number.qr_text(digits)):
            yield Entry((("class:code", row),))
        head = f"safety number of you and {name}"
        yield Entry((("class:name", head),), "\n" + in_rows(digits))

    def _state(self, user_id: str) -> Entry:
        name = self._phrases.name(user_id)
        state = self._me.trust_of(user_id)
        person = next((p for p in self._me.contacts.members() if p.user_id == user_id), None)
        rows = [f"key {fingerprint_text(person.fingerprint if person else '')}"]
        if state is TrustState.CHANGED:
            rows += self._claim(user_id)
        elif state is TrustState.UNVERIFIED:
            rows.append("nobody compared safety numbers: /verify does")
        style = "class:loud" if state is TrustState.CHANGED else "class:name"
        return Entry(((style, f"{name} is {state}"),), "\n".join(["", *rows]))

    def _claim(self, user_id: str) -> list[str]:
        try:
            claimed = in_rows(self._me.claimed_number(user_id))
            known = in_rows(self._me.safety_number(user_id))
        except NothingClaimed:  # decided in this very moment
            return []
        return [
            "another key is claimed for them, and nothing is sent until you decide.",
            "Ask them by another way than this chat which number they see at /verify:",
            f"with the key you know\n{known}",
            f"with the one that is claimed\n{claimed}",
            "the first: /trust NAME keep; the second: /trust NAME accept; neither: do not decide",
        ]


def in_rows(digits: str) -> str:
    """A safety number as people compare it."""
    return "\n".join(safety_number.rows(digits))
