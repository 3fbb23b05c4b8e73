"""Somebody comes, goes, or their key becomes known: who needs to hear of it (sections 5 and 6)."""

from __future__ import annotations

import msgspec

from socp.crypto.keys import Suite
from socp.member.contacts import Contacts
from socp.member.delivery import Destinations
from socp.member.events import Now
from socp.member.inbox import Inbox
from socp.member.lookups import Lookups
from socp.member.public import Room
from socp.member.questions import Questions
from socp.member.session import Session
from socp.member.transfers import Transfers
from socp.member.trust import Trust
from socp.member.watching import Watching
from socp.wire.envelope import Envelope
from socp.wire.payloads import (
    KeyHistory,
    PubkeyResponse,
    PublicChannelAdd,
    UserAdvertise,
    UserRemove,
)


class People:
    """Presence and keys change in `trust`; what follows from it is done here, in one order."""

    def __init__(
        self,
        suite: Suite,
        session: Session,
        contacts: Contacts,
        trust: Trust,
        lookups: Lookups,
        watching: Watching,
        room: Room,
        inbox: Inbox,
        destinations: Destinations,
        questions: Questions,
        transfers: Transfers,
    ) -> None:
        self._suite = suite
        self._session = session
        self._contacts = contacts
        self._trust = trust
        self._lookups = lookups
        self._watching = watching
        self._room = room
        self._inbox = inbox
        self._destinations = destinations
        self._questions = questions
        self._transfers = transfers
        watching.heed(self._lost_sight)

    def advertised(self, envelope: Envelope, advert: UserAdvertise, now: Now) -> None:
        """USER_ADVERTISE; one without a key has us ask for it."""
        user_id = advert.user_id
        before = self._contacts.key(user_id)
        came = self._trust.advertised(envelope, advert, now)
        if self._contacts.get(user_id) is None:
            if self._contacts.is_online(user_id):
                self._lookups.ask(user_id, now)
        elif self._contacts.key(user_id) != before:
            self._lookups.answered(user_id)
            self.key_known(user_id, now)
        if came:
            self._room.came(user_id, now)
            self._destinations.came(user_id)
            self._transfers.came(user_id)
        self._watching.heard(user_id)

    def removed(self, envelope: Envelope, remove: UserRemove, now: Now) -> None:
        """USER_REMOVE."""
        if self._trust.removed(envelope, remove, now):
            self._room.went(remove.user_id)
            self._transfers.went(remove.user_id, now)
        self._watching.heard(remove.user_id)

    def _lost_sight(self, user_id: str, now: Now) -> None:
        """We do not watch them any more: for us they are away."""
        if self._trust.lost_sight(user_id):
            self._room.went(user_id)
            self._transfers.went(user_id, now)

    def added(self, envelope: Envelope, payload: PublicChannelAdd, now: Now) -> None:
        """PUBLIC_CHANNEL_ADD: somebody came, whether we watch them or not. Whose turn it is counts
        only where our own server says it to us: said to all, it would have all answer at once."""
        server = self._session.server
        if server is None or (envelope.from_, envelope.to) != (
            server.server_id,
            self._contacts.own_id,
        ):
            payload = msgspec.structs.replace(payload, turn=None)
        self._watching.heard_of(payload.add, now)
        self._room.added(payload, now)

    def answered(self, envelope: Envelope, response: PubkeyResponse, now: Now) -> None:
        """PUBKEY_RESPONSE counts only where we asked."""
        key = self._suite.parse_public(response.pubkey)
        if self._lookups.answered(response.user_id):
            user_id, chain = response.user_id, response.rotations
            self._trust.claimed(user_id, key, "", now, chain)
            self._trust.stated(response, now)
            if response.revoked is not None:
                self._trust.successors.revoked(user_id, response.revoked, chain, now)
            self.key_known(user_id, now)

    def told_history(self, envelope: Envelope, said: KeyHistory, now: Now) -> None:
        """KEY_HISTORY: what a contact signed about their keys; about others it says nothing."""
        contact = self._contacts.get(said.user_id)
        if contact is None or said.user_id == self._contacts.own_id:
            return
        if said.rotations and self._leads_on(said):
            key = self._suite.parse_public(said.rotations[-1].pubkey)
            if self._trust.successors.follow(contact, key, said.rotations, now):
                self.key_known(said.user_id, now)
        if said.revoked is not None and self._trust.successors.revoked(
            said.user_id, said.revoked, said.rotations, now
        ):
            self.key_known(said.user_id, now)

    def _leads_on(self, said: KeyHistory) -> bool:
        """Whether it ends at a key that is not theirs already, now or once."""
        last = self._suite.parse_public(said.rotations[-1].pubkey)
        former = self._contacts.book.former(said.user_id)
        return last != self._contacts.key(said.user_id) and last.text not in former

    def nobody_knows(self, user_id: str, now: Now) -> None:
        """ERROR USER_NOT_FOUND about a key that we asked for."""
        if self._lookups.failed(user_id, now):
            self._key_unknown(user_id, now)

    def due(self, now: Now) -> None:
        """Keys that were asked for too long ago count as unknown."""
        for user_id in self._lookups.overdue(now):
            self._key_unknown(user_id, now)

    def key_known(self, user_id: str, now: Now) -> None:
        """On with what waited for a key."""
        self._watching.heard_of((user_id,), now)
        self._room.came(user_id, now)
        if self._room.key_known(user_id, now):
            self._inbox.channel_key_learned(now)
        self._inbox.key_known(user_id, now)
        self._questions.key_known(user_id)
        self._transfers.offers.key_settled(user_id, now)

    def _key_unknown(self, user_id: str, now: Now) -> None:
        self._room.key_unknown(user_id)
        self._inbox.key_unknown(user_id, now)
        self._questions.key_unknown(user_id)
        self._transfers.offers.key_settled(user_id, now)
