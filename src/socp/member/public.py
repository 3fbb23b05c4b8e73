"""The public channel for this member: its keys, who reads it, what is said before a post (section
7)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from socp.channel.keyring import KEYS_KEPT, HeldKey, rank
from socp.channel.machine import ChannelKeys
from socp.channel.outcomes import (
    CreatorUnknown,
    GenerateKey,
    KeyLearned,
    Outcome,
    ShareRefused,
    ShareToSend,
)
from socp.crypto import hybrid
from socp.crypto.keys import KeyRefused, PrivateKey, Suite, Unreadable
from socp.member.contacts import Contacts
from socp.member.courier import Courier
from socp.member.effects import GenerateChannelKey, MembersShown
from socp.member.emitter import Emitter
from socp.member.events import ChoosePublic, Now
from socp.member.lookups import Lookups
from socp.member.records import ChannelKey, Remembered
from socp.member.resting import NEVER_MS, SOON_MS
from socp.wire import base64url
from socp.wire.envelope import Envelope
from socp.wire.errors import PeerFault
from socp.wire.features import CONTENT, HYBRID
from socp.wire.ids import EVERYONE, PUBLIC
from socp.wire.payloads import PublicChannelAdd, PublicChannelKeyShare, PublicChannelUpdated

KEYS_TRIED: Final = 8
"""A post is tried with so many keys: each try costs an RSA decryption."""
SHARES_HELD: Final = 32
NAMES_SHOWN: Final = 5
MAIL_KEPT_MS: Final = 31 * 24 * 3_600_000
"""Who was here so lately may still be given what is posted now."""
AWAY_MAX: Final = 200
"""So many members who are away are given a key: each share costs two signatures."""
_UNWATCHED: Final = frozenset({""})  # who is online beside all whom we watch


class Room:
    """Drives ChannelKeys. Methods that return bool say whether a key was learned."""

    def __init__(
        self,
        suite: Suite,
        emitter: Emitter,
        courier: Courier,
        contacts: Contacts,
        lookups: Lookups,
        remembered: Remembered,
    ) -> None:
        self._suite = suite
        self._emit = emitter
        self._courier = courier
        self._contacts = contacts
        self._lookups = lookups
        self._stored: dict[str, int] = {}  # fingerprint -> version
        held = self._kept(remembered.channel_keys)
        self._keys = ChannelKeys(suite, emitter.key, emitter.user_id, held)
        self._unvouched: list[tuple[Envelope, PublicChannelKeyShare]] = []
        self._shown: frozenset[str] | None = None  # None: nobody was shown in this run
        self._lacking: frozenset[str] = frozenset()
        self.choice = remembered.public_choice

    def use(self, key: PrivateKey, former: tuple[PrivateKey, ...]) -> None:
        """Our own key was replaced; shares for a former one may still come."""
        self._keys.use(key, former)

    # --- presence -------------------------------------------------------------------------------

    def attached(self, now: Now) -> None:
        """The server took our hello."""
        self._keys.attached(now.mono)

    def lost(self) -> None:
        """The link is gone."""
        self._keys.detached()
        self._unvouched.clear()

    def came(self, user_id: str, now: Now) -> None:
        """Somebody is online, or their key came to be known while they are."""
        key = self._contacts.key(user_id)
        if key is not None and self._contacts.is_online(user_id):
            self._keys.member_online(user_id, key, now.mono)

    def went(self, user_id: str) -> None:
        """Somebody left."""
        self._keys.member_gone(user_id)

    # --- keys -----------------------------------------------------------------------------------

    def added(self, payload: PublicChannelAdd, now: Now) -> None:
        """PUBLIC_CHANNEL_ADD."""
        self._keys.added(payload, now.mono)

    def updated(self, payload: PublicChannelUpdated, now: Now) -> None:
        """PUBLIC_CHANNEL_UPDATED."""
        self._keys.updated(payload, now.mono)

    def shared(self, envelope: Envelope, payload: PublicChannelKeyShare, now: Now) -> bool:
        """PUBLIC_CHANNEL_KEY_SHARE; the envelope's `from` is who made it, and signed it."""
        author = envelope.from_
        key = self._contacts.key(author)
        shares = envelope.members["shares"]
        outcome = self._keys.shared(author, payload, shares, key, now.mono)
        return self._concluded(outcome, envelope, payload, now)

    def _concluded(
        self, outcome: Outcome, envelope: Envelope, payload: PublicChannelKeyShare, now: Now
    ) -> bool:
        match outcome:
            case KeyLearned():
                self._remember(outcome.key)
                return True
            case CreatorUnknown():
                if len(self._unvouched) < SHARES_HELD and self._lookups.ask(envelope.from_, now):
                    self._unvouched.append((envelope, payload))
            case ShareRefused():
                label = self._contacts.label(envelope.from_)
                self._emit.warn_once(
                    f"share {envelope.from_}",
                    f"a key for the public channel from {label} is not used: {outcome.reason}",
                )
        return False

    def key_known(self, user_id: str, now: Now) -> bool:
        """Their key is pinned: look again at the shares they made."""
        theirs = [one for one in self._unvouched if one[0].from_ == user_id]
        self._unvouched = [one for one in self._unvouched if one[0].from_ != user_id]
        learned = [self.shared(envelope, payload, now) for envelope, payload in theirs]
        return any(learned)

    def key_unknown(self, user_id: str) -> None:
        """Nobody knows them: their shares are not used."""
        self._unvouched = [one for one in self._unvouched if one[0].from_ != user_id]

    def generated(self, version: int, key: PrivateKey) -> None:
        """The pair we asked for."""
        self._keys.generated(version, key)

    @property
    def due_ms(self) -> int:
        """When to look at it next."""
        return NEVER_MS if self._keys.rests else SOON_MS

    def due(self, now: Now) -> bool:
        """Ask for a key pair, give keys to who lacks them."""
        learned = False
        for action in self._keys.due(now.mono):
            match action:
                case GenerateKey():
                    self._emit.add(GenerateChannelKey(action.version))
                case KeyLearned():
                    self._remember(action.key)
                    self._give_to_those_away()
                    learned = True
                case ShareToSend():
                    self._courier.post(action.payload, now, to=EVERYONE)
        return learned

    def _give_to_those_away(self) -> None:
        """Where posts are kept for who is away, the key is too."""
        if self._emit.terms.mailbox:
            away = self._contacts.away(AWAY_MAX)
            keys = ((user_id, self._contacts.key(user_id)) for user_id in away)
            self._keys.away((user_id, key) for user_id, key in keys if key is not None)

    @property
    def idle(self) -> bool:
        """Nobody is still to be given a key that we made."""
        return self._keys.idle

    def _kept(self, records: Sequence[ChannelKey]) -> list[HeldKey]:
        """What a start finds; what is more than one holds is not even looked at: it takes long."""
        ordered = sorted(records, key=lambda one: rank(one.version, one.fingerprint))
        self._stored = {one.fingerprint: one.version for one in ordered}
        found = (_held(self._suite, one) for one in ordered[:KEYS_KEPT])
        held = [key for key in found if key is not None]
        self._let_go({one.fingerprint for one in ordered[:KEYS_KEPT]})
        return held

    def _let_go(self, holds: Collection[str]) -> None:
        """The others are of no use any more, and anybody may bring many."""
        for fingerprint, version in tuple(self._stored.items()):
            if fingerprint not in holds:
                del self._stored[fingerprint]
                self._emit.persist(ChannelKey(version, fingerprint, "", b"", b"", "", ""))

    def _remember(self, key: HeldKey) -> None:
        self._stored[key.fingerprint] = key.version
        self._let_go({one.fingerprint for one in self._keys.reading_keys()})
        self._emit.persist(
            ChannelKey(
                version=key.version,
                fingerprint=key.fingerprint,
                channel_pub=key.public.text,
                private=key.private.to_bytes(),
                group_key=key.group_key,
                box=base64url.encode(key.box),
                creator_id=key.creator_id,
            )
        )

    # --- reading and writing --------------------------------------------------------------------

    def sending_key(self) -> HeldKey | None:
        """The key that our posts are sealed to, or None."""
        return self._keys.sending_key()

    def openers(self, author: str) -> tuple[PrivateKey, ...]:
        """The keys to try on what this author sent."""
        return tuple(key.private for key in self._keys.reading_keys(author)[:KEYS_TRIED])

    def opened(self, author: str, raw: bytes, ts: int, now: Now) -> bytes:
        """What a post says whose content_sig holds. Raises Unreadable."""
        for key in self._keys.reading_keys(author)[:KEYS_TRIED]:
            try:
                if hybrid.is_hybrid(raw):
                    data = hybrid.open_(key.private, raw, from_=author, to=PUBLIC, ts=ts)
                else:
                    data = key.private.open(raw)
            except Unreadable:
                continue
            self._keys.held_by(author, key.fingerprint, now.mono)
            return data
        self._keys.unreadable_by(author, now.mono)
        raise Unreadable

    def lacking_hybrid(self) -> frozenset[str]:
        """Members online whose clients have not signed that they have `hybrid/1`."""
        return frozenset(u for u in self._contacts.online() if not self._contacts.has_hybrid(u))

    def all_bound(self) -> bool:
        """Whether what goes to everybody is bound to us: all can read that, or the person chose to
        leave out who cannot."""
        everybody = not self.lacking_hybrid() and not self._contacts.rest_may_lack(HYBRID)
        return self.choice.leave_out or everybody

    def choose(self, event: ChoosePublic, now: Now) -> None:
        """The person says who may read what they say to everybody."""
        self.choice = event.choice
        self._lacking = frozenset()  # to be said anew before the next post
        self._emit.persist(event.choice)

    def unverified(self) -> str:
        """What a post waits for where the person writes to verified members alone, else ""."""
        if not self.choice.verified_only:
            return ""
        unsure = self._contacts.unverified(NAMES_SHOWN + 1)
        if not unsure and not self._contacts.more_online:
            return ""
        whoever = self._some(unsure) if unsure else "more are here than you can hear of, who are"
        return (
            f"{whoever} not verified, and you chose to write to verified members alone;"
            " compare safety numbers with them (socp verify), or choose again (/members)"
        )

    def _some(self, user_ids: Sequence[str]) -> str:
        names = [self._contacts.label(user_id) for user_id in user_ids[:NAMES_SHOWN]]
        more = " and others" if len(user_ids) > NAMES_SHOWN else ""
        verb = "is" if len(user_ids) == 1 else "are"
        return f"{', '.join(names)}{more} {verb}"

    def all_content(self, now_ms: int) -> bool:
        """Whether everybody who may read what is said now (Unix ms) has `content/1`; who is left
        out need not."""
        bare = self._contacts.reading_bare(now_ms - MAIL_KEPT_MS)
        if self.choice.leave_out:
            return not any(self._contacts.has_hybrid(user_id) for user_id in bare)
        return not bare and not self._contacts.rest_may_lack(CONTENT)

    def before_post(self) -> None:
        """What the person should see before something of theirs goes to everybody; who is away
        needs its key."""
        self._give_to_those_away()
        people = self._contacts.members()
        ids = frozenset(person.user_id for person in people)
        known = self._shown or frozenset()
        if self._shown is None or ids - known:
            fresh = tuple(person for person in people if person.user_id not in known)
            self._emit.tell(MembersShown(members=tuple(people), fresh=fresh))
            self._shown = ids
        self._warn_of_lacking()

    def _warn_of_lacking(self) -> None:
        lacking = self.lacking_hybrid()
        if not lacking and self._contacts.rest_may_lack(HYBRID):
            lacking = _UNWATCHED
        if lacking and lacking != self._lacking:
            self._emit.warn(f"{self._who_lacks(lacking)}, so {self._outcome()}")
        self._lacking = lacking

    def _who_lacks(self, lacking: frozenset[str]) -> str:
        if lacking == _UNWATCHED:
            return f"more are here than you can hear of, and some may have no {HYBRID}"
        names = [self._contacts.label(user_id) for user_id in sorted(lacking)[:NAMES_SHOWN]]
        more = f" and {len(lacking) - NAMES_SHOWN} more" if len(lacking) > NAMES_SHOWN else ""
        return f"{', '.join(names)}{more}: no {HYBRID} there"

    def _outcome(self) -> str:
        if self.choice.leave_out:
            return (
                "they cannot read what you send to everybody: you chose to leave them out; to have"
                " all read it as plain v1.3 messages, choose again (/members)"
            )
        return (
            "what you send to everybody goes as plain v1.3 messages, in which you are not bound as"
            " the author; write to others directly where that matters, or leave them out"
            " (/members)"
        )


def _held(suite: Suite, record: ChannelKey) -> HeldKey | None:
    """A key from the store; None where it is damaged, since others can give it to us again."""
    try:
        return HeldKey(
            version=record.version,
            public=suite.parse_public(record.channel_pub),
            private=suite.load_private(record.private),
            group_key=record.group_key,
            box=base64url.decode(record.box),
            creator_id=record.creator_id,
        )
    except (KeyRefused, PeerFault):
        return None
