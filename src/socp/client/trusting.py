"""Who somebody's key belongs to: what the person may ask, and what only they decide (threat I9).

number = me.safety_number(bob)     # read it to him, by another way than this chat
await me.verify(bob, what_he_read)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from socp.client.errors import NothingClaimed, NumbersDiffer, OthersKeyMeant, UnknownKey
from socp.crypto import safety_number
from socp.crypto.safety_number import NoSafetyNumber
from socp.member import events

if TYPE_CHECKING:
    from socp.client.walk import Walk
    from socp.member.member import Member
    from socp.member.records import PublicChoice, TrustState


class Trusting:
    """The part of a `Client` that is about keys. Everything here works without a link."""

    _member: Member
    _walk: Walk

    def trust_of(self, user_id: str) -> TrustState:
        """UNVERIFIED, VERIFIED or CHANGED; who is not known is UNVERIFIED."""
        return self._member.contacts.state(user_id)

    def safety_number(self, user_id: str) -> str:
        """The 60 digits that you and somebody both see if nobody stands between. UnknownKey."""
        return self._number(user_id, self._known(user_id))

    def claimed_number(self, user_id: str) -> str:
        """The 60 digits with the key that is claimed for a CHANGED contact. NothingClaimed."""
        return self._number(user_id, self._claimed(user_id))

    async def verify(self, user_id: str, digits: str) -> None:
        """Compare what somebody read out, or what their QR code says, with our own: VERIFIED.

        For a CHANGED contact that refuses the claimed key. UnknownKey, NumbersDiffer;
        OthersKeyMeant where the digits are those of the claimed key, which `accept_key` takes.
        """
        read, known = _parsed(digits), self._known(user_id)
        if read != self._number(user_id, known):
            self._differ(user_id, read)
        await self._walk.ask(events.Verify(user_id, known)).done

    async def unverify(self, user_id: str) -> None:
        """Be unsure of somebody again."""
        await self._walk.ask(events.Unverify(user_id)).done

    async def accept_key(self, user_id: str, digits: str = "") -> None:
        """Take the key that is claimed for a CHANGED contact; what waits goes to it.

        With the digits that they read out it is VERIFIED, else unverified. NothingClaimed,
        NumbersDiffer.
        """
        claimed = self._claimed(user_id)
        if digits and _parsed(digits) != self._number(user_id, claimed):
            raise NumbersDiffer(
                f"these are not the numbers of the key that is claimed for {self._label(user_id)};"
                " the known one stays, and nothing is sent; compare again"
            )
        await self._walk.ask(events.AcceptKey(user_id, claimed, bool(digits))).done

    async def keep_key(self, user_id: str) -> None:
        """Keep the key that is known for a CHANGED contact; what waits goes to it.

        NothingClaimed.
        """
        await self._walk.ask(events.KeepKey(user_id, self._claimed(user_id))).done

    @property
    def public_choice(self) -> PublicChoice:
        """Who may read what is said to everybody."""
        return self._member.public_choice

    async def choose_public(self, choice: PublicChoice) -> None:
        """Say who may read what is said to everybody from now on."""
        await self._walk.ask(events.ChoosePublic(choice)).done

    # --- behind the door ------------------------------------------------------------------------

    def _number(self, user_id: str, fingerprint: str) -> str:
        return self._member.decisions.number(user_id, fingerprint)

    def _known(self, user_id: str) -> str:
        known = self._member.decisions.known(user_id)
        if not known:
            raise UnknownKey(
                f"no key is known for {self._label(user_id)} yet; ask for it (/whois), or wait"
                " until they come online"
            )
        return known

    def _claimed(self, user_id: str) -> str:
        claimed = self._member.decisions.claimed(user_id)
        if not claimed:
            raise NothingClaimed(
                f"no other key is claimed for {self._label(user_id)}: there is nothing to decide"
            )
        return claimed

    def _differ(self, user_id: str, read: str) -> None:
        """Raises what is wrong with digits that are not those of the known key."""
        label = self._label(user_id)
        claimed = self._member.decisions.claimed(user_id)
        if claimed and read == self._number(user_id, claimed):
            raise OthersKeyMeant(
                f"these are the numbers of the key that is claimed for {label}, not of the known"
                " one; if you had them from nobody else, take it (socp verify --accept, or /trust)"
            )
        raise NumbersDiffer(
            f"these are not the numbers of you and {label}: one of you has mistyped, or somebody"
            " stands between you; compare again, and trust nobody who uses the name until then"
        )

    def _label(self, user_id: str) -> str:
        return self._member.contacts.label(user_id)


def _parsed(digits: str) -> str:
    try:
        return safety_number.parse(digits)
    except NoSafetyNumber as fault:
        raise NumbersDiffer(str(fault)) from None
