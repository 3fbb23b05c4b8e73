"""What `socp admin` asks of a running server:
admit, ban, forget, list servers (section 5, admission)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import assert_never

from socp.node.dialling import Dialling
from socp.node.directory import Directory
from socp.node.effects import Answer
from socp.node.emitter import Emitter
from socp.node.events import Admit, Ban, Forget, Invite, ListServers, ListUsers, Now
from socp.node.links import Links, Stage
from socp.node.presence import Presence
from socp.node.records import Account, Record, Verdict
from socp.node.registration import Registration
from socp.node.trust import ServerTrust
from socp.wire import base64url, invitation
from socp.wire.addresses import HostPort

ADMIN = "server.admin"
FINGERPRINT_CHARS = 64
PREFIX_MIN = 8
USERS_SHOWN = 1_000
HEX = frozenset("0123456789abcdef")


class Operator:
    """The operator's word stands above everything a peer says."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        trust: ServerTrust,
        dialling: Dialling,
        presence: Presence,
        directory: Directory,
        registration: Registration,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._trust = trust
        self._dialling = dialling
        self._presence = presence
        self._directory = directory
        self._registration = registration

    def asked(
        self, event: Admit | Ban | Forget | ListServers | ListUsers | Invite, now: Now
    ) -> None:
        """One command; its Answer follows, at once or after a commit."""
        match event:
            case Admit():
                self.admit(event, now)
            case Ban():
                self.ban(event, now)
            case Forget():
                self.forget(event)
            case ListServers():
                self.list_servers(event)
            case ListUsers():
                self.list_users(event)
            case Invite():
                self.invite(event, now)
            case _:
                assert_never(event)

    def admit(self, event: Admit, now: Now) -> None:
        found = self._fingerprints(event.fingerprint)
        if len(found) != 1:
            return self._not_one(event.request, event.fingerprint, found)
        fingerprint = found[0]
        self._trust.rule(fingerprint, Verdict.ADMITTED, now)
        refused = self._trust.refused.pop(fingerprint, None)
        lines = [f"admitted {fingerprint}"]
        if refused is not None and refused.address is not None:
            self._dialling.learn(refused.address, "")
            self._dialling.now(refused.address, now)
            lines.append(f"dialling ws://{refused.address} now; that server must admit us as well")
        self._emit.info(ADMIN, f"Operator admitted key {fingerprint}")
        self._answer(event.request, *lines)

    def ban(self, event: Ban, now: Now) -> None:
        found = self._fingerprints(event.who)
        if len(found) != 1:
            return self._not_one(event.request, event.who, found)
        self._trust.rule(found[0], Verdict.BANNED, now)
        self._emit.info(ADMIN, f"Operator banned key {found[0]}")
        self._cut(found[0], "banned by the operator")
        self._answer(event.request, f"banned {found[0]}")

    def forget(self, event: Forget) -> None:
        found = self._fingerprints(event.who)
        if len(found) != 1:
            return self._not_one(event.request, event.who, found)
        fingerprint = found[0]
        self._cut(fingerprint, "forgotten by the operator")
        for server_id in tuple(self._trust.pins):
            key = self._trust.key(server_id)
            if key is not None and key.fingerprint == fingerprint:
                self._trust.forget(server_id)
                self._dialling.forget(server_id)
        if fingerprint in self._trust.rulings:
            self._trust.lift(fingerprint)
        self._trust.refused.pop(fingerprint, None)
        self._emit.info(ADMIN, f"Operator forgot key {fingerprint}")
        self._answer(event.request, f"forgot {fingerprint}")

    def list_servers(self, event: ListServers) -> None:
        lines = []
        for server_id, pin in sorted(self._trust.pins.items()):
            key = self._trust.key(server_id)
            fingerprint = key.fingerprint if key is not None else ""
            state = "linked" if server_id in self._links.servers else "not linked"
            ruling = self._trust.rulings.get(fingerprint)
            trusted = ruling.verdict.value if ruling is not None else f"pinned ({pin.origin.value})"
            lines.append(
                f"{server_id}  ws://{pin.host}:{pin.port}  {state}  {trusted}"
                f"  {self._presence.count(server_id)} users  {fingerprint}"
            )
        pinned = {k.fingerprint for s in self._trust.pins if (k := self._trust.key(s)) is not None}
        for fingerprint, ruling in sorted(self._trust.rulings.items()):
            if fingerprint not in pinned:
                lines.append(f"{ruling.verdict.value}, not seen yet  {fingerprint}")
        for refused in self._trust.refused.values():
            place = "" if refused.address is None else f"  ws://{refused.address}"
            lines.append(f"{refused.server_id}{place}  refused  {refused.fingerprint}")
        self._answer(event.request, *(lines or ["no other servers are known"]))

    def list_users(self, event: ListUsers) -> None:
        prefix = event.prefix.strip().lower()
        found = sorted(
            user_id
            for user_id, account in self._directory.accounts.items()
            if user_id.startswith(prefix) or account.display_name.lower().startswith(prefix)
        )
        lines = [self._user_line(self._directory.accounts[each]) for each in found[:USERS_SHOWN]]
        if len(found) > USERS_SHOWN:
            lines.append(f"and {len(found) - USERS_SHOWN} more; ask for fewer with --prefix")
        none = "no users are known" + (f" by {event.prefix!r}" if prefix else " yet")
        self._answer(event.request, *(lines or [none]))

    def _user_line(self, account: Account) -> str:
        fingerprint = hashlib.sha256(base64url.decode(account.pubkey)).hexdigest()
        home = self._directory.home(account.user_id)
        where = "here" if home in ("", self._emit.server_id) and account.local else home or "?"
        return (
            f"{account.user_id}  {fingerprint[:16]}  version {account.version}"
            f"  {'proven' if account.proven else 'unproven'}  home {where}"
            f"  {account.display_name}"
        )

    def invite(self, event: Invite, now: Now) -> None:
        full = self._registration.invite(event.codes, event.days, now)
        if full is not None:
            line = f"only {full.left} more invitations fit; wait until some are used or expire"
            return self._emit.add(Answer(event.request, ok=False, lines=(line,)))
        self._emit.info(ADMIN, f"Operator made {len(event.codes)} invitations")
        self._answer(event.request, *map(invitation.written, event.codes))

    def not_stored(self, records: Iterable[Record]) -> None:
        """The operator was told "not done", so it is not done."""
        for pin in self._trust.not_stored(records):
            self._dialling.learn(HostPort(pin.host, pin.port), pin.server_id)

    # --- helpers of the above -------------------------------------------------------------------

    def _fingerprints(self, who: str) -> list[str]:
        """The keys that a server id, a fingerprint or a prefix of one (8 characters or more)
        means."""
        who = who.strip().lower()
        pinned = self._trust.key(who)
        if pinned is not None:
            return [pinned.fingerprint]
        if len(who) == FINGERPRINT_CHARS and not set(who) - HEX:
            return [who]
        if len(who) < PREFIX_MIN:
            return []
        known = {*self._trust.refused, *self._trust.rulings}
        known |= {k.fingerprint for s in self._trust.pins if (k := self._trust.key(s)) is not None}
        return sorted(f for f in known if f.startswith(who))

    def _cut(self, fingerprint: str, reason: str) -> None:
        for link in tuple(self._links.all.values()):
            if link.key is None or link.key.fingerprint != fingerprint:
                continue
            if link.stage in (Stage.SERVER, Stage.WAITING, Stage.PROVING, Stage.CHALLENGED):
                self._emit.close(link, 1008, reason)

    def _not_one(self, request: int, who: str, found: list[str]) -> None:
        if found:
            lines = (f"{who} could be any of these, say more of it:", *found)
        elif _too_short(who):
            lines = (
                f"{who} is too short; give {PREFIX_MIN} characters or more from the start of a"
                " fingerprint that `socp admin servers` shows",
            )
        else:
            lines = (
                f"no server known by {who!r}: give a whole fingerprint (64 hex characters),"
                " or the start of one that `socp admin servers` shows",
            )
        self._emit.add(Answer(request, ok=False, lines=lines))

    def _answer(self, request: int, *lines: str) -> None:
        self._emit.add(Answer(request, ok=True, lines=lines))


def _too_short(who: str) -> bool:
    """True for what could be the start of a fingerprint, were there more of it."""
    start = who.strip().lower()
    return 0 < len(start) < PREFIX_MIN and not set(start) - HEX
