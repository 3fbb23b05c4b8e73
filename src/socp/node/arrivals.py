"""Users come in: USER_HELLO, its proof, and the one live link of each user (sections 6 and 11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from socp.crypto import signing
from socp.crypto.keys import PublicKey
from socp.crypto.rotation import KeyStep, Revocation
from socp.node.directory import Directory
from socp.node.effects import Identified, Kind, Probe
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.handshake import Handshake, nonce_of
from socp.node.kept import Kept
from socp.node.links import Link, Links, Stage
from socp.node.newcomers import Newcomers
from socp.node.presence import Presence
from socp.node.public_channel import PublicChannel
from socp.node.records import Account, Record
from socp.node.refusals import Refusals
from socp.node.registration import Registration
from socp.node.rotation import Rotations
from socp.node.settings import Settings
from socp.node.trouble import kind_of
from socp.wire import limits
from socp.wire.envelope import Envelope
from socp.wire.errors import Code, PeerFault
from socp.wire.features import LINK_AUTH, dropped
from socp.wire.ids import is_uuid4
from socp.wire.payloads import AuthProof, Error, UserHello

USERS = "server.users"
REVOKED = "this id was revoked by its owner"


class Arrivals:
    """From the first frame of a user to an attached link, and back."""

    def __init__(
        self,
        settings: Settings,
        handshake: Handshake,
        emitter: Emitter,
        links: Links,
        directory: Directory,
        registration: Registration,
        rotations: Rotations,
        presence: Presence,
        channel: PublicChannel,
        refusals: Refusals,
        kept: Kept,
    ) -> None:
        self._settings = settings
        self._handshake = handshake
        self._emit = emitter
        self._links = links
        self._directory = directory
        self._registration = registration
        self._rotations = rotations
        self._presence = presence
        self._channel = channel
        self._refusals = refusals
        self._kept = kept
        self.newcomers = Newcomers(links)

    def hello(self, link: Link, envelope: Envelope, hello: UserHello, now: Now) -> None:
        """First frame of a user: challenge those who can prove, attach those who never could."""
        user_id = envelope.from_
        if not is_uuid4(user_id):
            raise PeerFault(
                Code.BAD_FRAME, "USER_HELLO: from must be a UUID v4 in lower case", close=1008
            )
        key = self._directory.parse(hello.pubkey)
        proves = LINK_AUTH in hello.features
        self._registration.check(user_id, hello.invitation, now, proves=proves)
        self._check_key(user_id, key, hello, now)
        self._check(user_id, hello)
        link.peer, link.key, link.hello = user_id, key, hello
        if not proves:
            link.features = hello.features
            return self._settle(link, now)
        link.nonce = nonce_of(hello.auth_nonce)
        link.move(Stage.CHALLENGED, now.mono)
        self._handshake.challenge(link, now)

    def _check_key(self, user_id: str, key: PublicKey, hello: UserHello, now: Now) -> None:
        """Raises PeerFault for another's id, or a dead one. A new key with a chain must prove
        itself before the chain is looked at: work before proof is cheap (S3)."""
        self._rotations.check_may_attach(user_id)
        chained = LINK_AUTH in hello.features and hello.rotations
        if chained and self._rotations.plausible(user_id, key, hello.rotations, now):
            return
        if LINK_AUTH not in hello.features or not self._rotations.is_former(user_id, key):
            self._directory.check(user_id, key)

    def _check(self, user_id: str, hello: UserHello) -> None:
        """Raises PeerFault for a downgrade, and for a bare hello of somebody who ever attached
        with a proof, here or elsewhere (I1, I11)."""
        account = self._directory.accounts.get(user_id)
        lacking = dropped(account.features, hello.features) if account and account.proven else ()
        if lacking:
            raise PeerFault(
                Code.NOT_ALLOWED,
                f"{user_id} proved itself here with {', '.join(lacking)} and must do so again",
                close=1008,
            )
        if LINK_AUTH not in hello.features and self._directory.attach_ts(user_id):
            raise PeerFault(
                Code.NOT_ALLOWED, f"{user_id} proved itself before and must do so again", close=1008
            )

    def proved(self, link: Link, envelope: Envelope, proof: AuthProof, now: Now) -> None:
        """AUTH_PROOF of a user. Raises PeerFault(INVALID_SIG) and closes where it does not hold."""
        hello, key = link.hello, link.key
        assert isinstance(hello, UserHello) and key is not None
        self._handshake.check(link, link.peer, proof)
        link.features = hello.features
        self._handshake.sessions.proved(link, envelope, proof, now)
        attach = proof.attach
        if attach is not None and abs(attach.ts - now.wall) <= limits.TS_WINDOW_MS:
            own_id = self._settings.server_id
            if signing.attach_holds(key, link.peer, own_id, attach, hello.features):
                link.attach = (attach.ts, attach.sig)
        if self._rotations.is_former(link.peer, key):
            return self._last_word_only(link, now)
        self._settle(link, now)

    def _last_word_only(self, link: Link, now: Now) -> None:
        """Their key was replaced, maybe by a thief: nothing is handed out, but they may end the id
        (I10)."""
        self._rotations.check_may_attach(link.peer)
        link.move(Stage.FORMER, now.mono)
        detail = f"the key of {link.peer} was replaced; log in with the new one, or say KEY_REVOKE"
        text = f"User {link.peer} came with a former key from {link.opened.address}"
        self._refusals.tell(link, UserHello.TYPE, text, now)
        self._emit.say(link, Error(code=Code.BAD_KEY, detail=detail), now)

    def _settle(self, link: Link, now: Now) -> None:
        """Attach, unless an older link of the same user still lives (section 6, NAME_IN_USE)."""
        self._check_standing(link, now)
        self.end_stale(link.peer, now)
        old = self._links.users.get(link.peer)
        if old is None:
            return self._attach(link, now)
        if not link.proven or self.newcomers.awaited(old):
            raise self._in_use(link)
        self.newcomers.wait(link, old, now.mono)
        self._emit.add(Probe(old.id))

    def _check_standing(self, link: Link, now: Now) -> None:
        """What may have changed since the hello: the pin, what was proved, where the user is."""
        hello, key = link.hello, link.key
        assert isinstance(hello, UserHello) and key is not None
        self._rotations.check_may_attach(link.peer)
        chain = hello.rotations if link.proven else ()
        self._rotations.admit(link.peer, key, chain, link.peer, now)
        self._check(link.peer, hello)
        if self._presence.location(link.peer) in ("", self._settings.server_id):
            return
        attach_ts = 0 if link.attach is None else link.attach[0]
        if attach_ts <= self._directory.attach_ts(link.peer):
            raise PeerFault(
                Code.NAME_IN_USE,
                f"{link.peer} is online at another server; leave there first,"
                " or prove with a newer attach that you are here now",
                close=1008,
            )

    @staticmethod
    def _in_use(link: Link) -> PeerFault:
        return PeerFault(
            Code.NAME_IN_USE,
            f"{link.peer} is attached on another link; close that one first",
            close=1008,
        )

    def old_answered(self, old: Link, now: Now) -> None:
        """The old link lives: who waited for its ping is refused."""
        newcomer = self.newcomers.taken(old)
        if newcomer is not None:
            self._refusals.refuse(newcomer, self._in_use(newcomer), now, what="hello")

    def old_is_dead(self, old: Link, now: Now) -> None:
        """The old link did not answer a ping within 5 s, or is gone:
        the proven newcomer takes over."""
        newcomer = self.newcomers.taken(old)
        if newcomer is None:
            return
        if self._links.users.get(old.peer) is old:
            del self._links.users[old.peer]
            self._end(old, 1008, "replaced by a newer link of the same user", now)
        try:
            self._settle(newcomer, now)
        except PeerFault as fault:
            self._refusals.refuse(newcomer, fault, now, what="hello")
        if old.peer not in self._links.users:
            self._presence.left(old.peer, now)

    def _attach(self, link: Link, now: Now) -> None:
        hello, key = link.hello, link.key
        assert isinstance(hello, UserHello) and key is not None
        name = hello.meta.display_name if hello.meta is not None else ""
        # Again: the code may have let somebody else in since the hello.
        self._registration.check(link.peer, hello.invitation, now, proves=link.proven)
        needs_code = self._registration.needs_code(link.peer)
        self._directory.enrol(
            Account(
                user_id=link.peer,
                pubkey=key.text,
                version=1,
                local=True,
                proven=link.proven,
                features=hello.features if link.proven else (),
                display_name=name,
                pinned_ms=now.wall,
            )
        )
        if needs_code:
            self._registration.spend(hello.invitation, link.peer)
        if link.proven:
            self._rotations.catch_up(link.peer, hello.rotations, link.peer, now)
        link.move(Stage.USER, now.mono)
        self._links.users[link.peer] = link
        self._emit.add(Identified(link.id, Kind.USER, link.peer))
        ack, proofs = (
            self._handshake.ack(link, UserHello.TYPE),
            self._handshake.own_proof(link, link.peer),
        )
        self._emit.say(link, ack, now, proofs=proofs, lasting=True)
        self._handshake.sessions.agree(link)
        how = "proven" if link.proven else "unproven"
        self._emit.info(USERS, f"User {link.peer} said hello from {link.opened.address} ({how})")
        since_ms = self._directory.attach_ts(link.peer)
        self._presence.arrived(link, name, now)
        self._channel.arrived(link.peer, now)
        self._kept.member_came(link, since_ms, now)
        # Its link stays for days: what only a hello needs goes.
        link.hello = None
        link.opened = replace(link.opened, nonce=b"", spare_id="", exporter=b"")

    def lost(self, link: Link, reason: str, now: Now) -> None:
        """The socket of an attached user is gone."""
        del self._links.users[link.peer]
        self._emit.info(USERS, f"User {link.peer} left ({reason})")
        self.old_is_dead(link, now)
        if link.peer not in self._links.users:
            self._presence.left(link.peer, now)

    def moved_away(self, user_id: str, server_id: str, now: Now) -> None:
        """The user's own newer attach says they are at another server: that link ends here."""
        link = self._links.users.pop(user_id, None)
        if link is not None:
            self._emit.info(USERS, f"User {user_id} moved to server {server_id}")
            self._end(link, 1000, "you attached to another server", now)

    def not_stored(self, account: Account, reason: str, now: Now) -> None:
        """The disk did not take a user's account: nobody is attached who could be forgotten."""
        spent = self._directory.unsaved(account)
        if spent is not None:
            self._registration.give_back(spent)
        link = self._links.users.pop(account.user_id, None)
        if link is None:
            return
        self._presence.left(account.user_id, now)
        fault = PeerFault(
            Code.TIMEOUT,
            f"this server cannot store accounts just now ({kind_of(reason)}); try again later",
            close=1013,
        )
        self._refusals.refuse(link, fault, now, what="hello")

    def key_taken(self, link: Link, now: Now) -> None:
        """The last word of a link's key is stored and acknowledged: the link ends with it."""
        link.settling = ""
        self.end_stale(link.peer, now)
        if link.stage is Stage.FORMER:
            link.move(Stage.CLOSING, now.mono)
            self._emit.close(link, 1008, REVOKED)

    def key_not_stored(self, records: Iterable[Record], reason: str, now: Now) -> set[str]:
        """The disk did not take what users said of their keys: they are told, and stay. Their
        ids."""
        lost = {each.user_id for each in records if isinstance(each, KeyStep | Revocation)}
        told = set()
        for link in tuple(self._links.all.values()) if lost else ():
            if link.peer not in lost or not link.settling:
                continue
            what, link.settling = link.settling, ""
            told.add(link.peer)
            if link.stage is not Stage.CLOSING:
                why = kind_of(reason)
                detail = f"this server cannot store it just now ({why}); nothing has changed"
                close = None if link.stage is Stage.USER else 1013
                fault = PeerFault(Code.TIMEOUT, detail, msg_ref=what, close=close)
                self._refusals.refuse(link, fault, now, what=what)
        return told

    def end_stale(self, user_id: str, now: Now) -> None:
        """Our own user's key may have been replaced or revoked by a word from elsewhere."""
        link = self._links.users.get(user_id)
        if link is None:
            return
        if user_id in self._directory.histories.revoked:
            self.put_out(link, 1008, REVOKED, now)
        elif link.key != self._directory.key(user_id):
            self.put_out(link, 1000, "your key was replaced; say hello with the new one", now)

    def put_out(self, link: Link, code: int, reason: str, now: Now) -> None:
        """An attached user's link ends here and now; who waits for their place may have it."""
        del self._links.users[link.peer]
        self._emit.info(USERS, f"User {link.peer} was put out ({reason})")
        self._end(link, code, reason, now)
        self._presence.left(link.peer, now)

    def _end(self, link: Link, code: int, reason: str, now: Now) -> None:
        self._kept.link_lost(link)
        link.move(Stage.CLOSING, now.mono)
        self._emit.close(link, code, reason)
