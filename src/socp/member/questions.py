"""What the person asks: who is there, who is this (`/list`, `/whois`; section 6)."""

from __future__ import annotations

from typing import Final

from socp.member.contacts import Contacts
from socp.member.days import day
from socp.member.effects import ListAnswered, WhoisAnswered
from socp.member.emitter import Emitter
from socp.member.events import LookUp, Now, RequestList
from socp.member.lists import Lists
from socp.member.lookups import Lookups
from socp.member.records import TrustState
from socp.member.resting import NEVER_MS
from socp.member.session import Session
from socp.member.watching import Watching
from socp.wire import limits
from socp.wire.ids import is_uuid4
from socp.wire.payloads import ListRequest, UserList

PATIENCE_MS: Final = 5_000
WHOIS_MAX: Final = 100


class Questions:
    """A list comes in parts; a key may have to be asked for."""

    def __init__(
        self,
        emitter: Emitter,
        lists: Lists,
        contacts: Contacts,
        lookups: Lookups,
        watching: Watching,
        session: Session,
    ) -> None:
        self._emit = emitter
        self._lists = lists
        self._contacts = contacts
        self._lookups = lookups
        self._watching = watching
        self._session = session
        self._listing: set[str] | None = None
        self._asked_ms = 0
        self._whois: set[str] = set()

    def restarted(self) -> None:
        """The link is gone: answer from what is known."""
        self._give_up_list()
        for user_id in tuple(self._whois):
            self.key_unknown(user_id)

    # --- /list ----------------------------------------------------------------------------------

    def request_list(self, event: RequestList, now: Now) -> None:
        """Ask our server; ListAnswered follows, at the latest in PATIENCE_MS."""
        if self._listing is not None:
            return
        self._listing, self._asked_ms = set(), now.mono
        if self._session.server is None or not self._lists.ask(ListRequest(), self._listed, now):
            self._give_up_list()

    def _listed(self, payload: UserList, now: Now) -> None:
        """One part of the answer."""
        if self._listing is None:
            return
        room = limits.LIST_ROWS - len(self._listing)
        named = (*payload.users, *(row.user_id for row in payload.online))
        self._listing.update([user_id for user_id in named if is_uuid4(user_id)][:room])
        if not payload.more or not named:
            self._watching.seek(self._listing, self._list_known, now)

    def _list_known(self) -> None:
        if self._listing is not None:
            self._answer_list(self._listing)

    def list_refused(self) -> bool:
        """The server knows no such question. True where one was open."""
        open_question = self._listing is not None
        self._give_up_list()
        return open_question

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return NEVER_MS if self._listing is None else self._asked_ms + PATIENCE_MS

    def due(self, now: Now) -> None:
        """Nobody answers: tell what we know ourselves."""
        if self._listing is not None and now.mono - self._asked_ms >= PATIENCE_MS:
            self._give_up_list()

    def _give_up_list(self) -> None:
        if self._listing is not None:
            self._answer_list(self._listing | set(self._contacts.online()))

    def _answer_list(self, users: set[str]) -> None:
        self._listing = None
        self._emit.tell(ListAnswered(tuple(sorted(users))))

    # --- /whois ---------------------------------------------------------------------------------

    def look_up(self, event: LookUp, now: Now) -> None:
        """WhoisAnswered follows: at once where the key is pinned."""
        user_id = event.user_id
        if self._contacts.get(user_id) is not None or user_id == self._emit.user_id:
            return self._answer(user_id)
        attached = self._session.server is not None
        asks = attached and is_uuid4(user_id) and len(self._whois) < WHOIS_MAX
        if asks and self._lookups.ask(user_id, now, insist=True):
            self._whois.add(user_id)
        else:
            self._answer(user_id)

    def key_known(self, user_id: str) -> None:
        """Their key came."""
        if user_id in self._whois:
            self._answer(user_id)

    def key_unknown(self, user_id: str) -> None:
        """Nobody knows it."""
        self.key_known(user_id)

    def _answer(self, user_id: str) -> None:
        self._whois.discard(user_id)
        key = self._contacts.key(user_id)
        if user_id == self._emit.user_id:
            key = self._emit.key.public
        fingerprint = "" if key is None else key.fingerprint
        self._emit.tell(WhoisAnswered(user_id, fingerprint, self._note(user_id)))

    def _note(self, user_id: str) -> str:
        if user_id == self._emit.user_id:
            return "that is you"
        contact = self._contacts.get(user_id)
        if contact is None:
            return "nobody knows a key for them; check the id"
        person = self._contacts.person(user_id)
        said = [
            "online" if person.online else "away",
            "verified" if person.verified else "pinned on first sight, not verified",
        ]
        if contact.state is TrustState.CHANGED:
            said[1] = f"KEY CHANGED: another is claimed since {day(contact.changed_ms)}"
        if self._contacts.book.chain(user_id):
            said.append("their key was replaced, signed by the one before it")
        if self._contacts.is_revoked(user_id):
            said.append("they revoked this id: ask them for their new one")
        if not contact.from_directory:
            said.append("the key came with a message alone")
        if not person.hybrid:
            said.append("plain v1.3: not bound as the author of what they send")
        if contact.refused_key:
            claimed = contact.refused_key[:16]
            said.append(f"another key was claimed for them and refused ({claimed})")
        return "; ".join(said)
