"""Whom we dial and when: the bootstrap list, servers we heard of, jittered back-off (section 5)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from socp.node.effects import Dial
from socp.node.emitter import Emitter
from socp.node.events import Now
from socp.node.links import Links
from socp.node.quarantine import Quarantine
from socp.node.settings import Settings
from socp.node.trust import same_place
from socp.wire import limits
from socp.wire.addresses import HostPort, is_loopback

LINKS = "server.links"
TARGETS_MAX = 512
DIAL_MS = 20_000  # the shell answers within 10 s; this is for a dial that got lost


@dataclass(slots=True)
class Target:
    """One address to keep a link with."""

    address: HostPort
    tls: bool
    configured: bool  # stands in the bootstrap list: never dropped
    fingerprint: str | None = None  # of the key that the configuration expects there
    server_id: str = ""  # who was found there
    attempt: int = 0
    due_ms: int = 0  # monotonic
    dialling_until_ms: int = 0
    told: str = ""  # the failure the log named last


class Dialling:
    """Keeps trying, alone if need be: an unreachable peer is one warning line, never a crash."""

    def __init__(
        self, settings: Settings, emitter: Emitter, links: Links, quarantine: Quarantine
    ) -> None:
        self._settings = settings
        self._emit = emitter
        self._links = links
        self._quarantine = quarantine
        self._targets: list[Target] = [
            Target(e.address, e.tls, configured=True, fingerprint=e.fingerprint)
            for e in settings.bootstrap
            if not same_place(e.address, settings.address)
        ]

    def due(self, now: Now) -> None:
        for target in self._targets:
            if target.server_id in self._links.servers:
                continue  # nearly all of them
            if target.due_ms <= now.mono and target.dialling_until_ms <= now.mono:
                self._dial(target, now)

    def at_once(self, address: HostPort, now: Now) -> bool:
        """Dial now, whatever the back-off says: a claim to be there waits for it.

        False where another server answers at that address already, so the claim is wrong.
        """
        target = self._target(address)
        if target is None or target.server_id in self._links.servers:
            return False
        if target.dialling_until_ms <= now.mono:
            self._dial(target, now)
        return True

    def now(self, address: HostPort, now: Now) -> None:
        """The operator admitted who is there: try again at once."""
        target = self._target(address)
        if target is not None:
            target.attempt, target.due_ms = 0, now.mono

    def knows(self, server_id: str) -> bool:
        """True where this server is dialled whenever it is not linked."""
        return any(target.server_id == server_id for target in self._targets)

    def learn(self, address: HostPort, server_id: str, fingerprint: str = "") -> None:
        """Somebody says that a server that may be linked listens there: keep a link with it.

        A word alone never says who answers at a place of the bootstrap list, else a server could
        keep us from dialling another; the key that the list expects there does.
        """
        if same_place(address, self._settings.address) or server_id == self._settings.server_id:
            return None
        target = self._target(address)
        if target is None:
            target = Target(address, tls=False, configured=False, server_id=server_id)
            return self._add(target)
        if not target.server_id and (not target.configured or target.fingerprint == fingerprint):
            target.server_id = server_id
        if target.server_id == server_id:
            target.attempt, target.told = 0, ""

    def _add(self, target: Target) -> None:
        """One learned place a server; in a full table, in place of the one that failed most."""
        if target.server_id:
            self.forget(target.server_id)
        if len(self._targets) >= TARGETS_MAX:
            learned = [t for t in self._targets if not t.configured and t.attempt]
            if not learned:
                return
            self._targets.remove(max(learned, key=lambda t: t.attempt))
        self._targets.append(target)

    def found(self, address: HostPort, server_id: str) -> None:
        """Our own dial to `address` found `server_id` there."""
        target = self._target(address)
        if target is not None:
            target.server_id, target.attempt, target.dialling_until_ms = server_id, 0, 0
            target.told = ""

    def failed(self, address: HostPort, reason: str, now: Now) -> None:
        """A dial to `address` failed, or the link it made ended before it held."""
        target = self._target(address)
        if target is None:
            return
        if target.told != reason:
            target.told = reason
            self._emit.warn(
                LINKS, f"Peer ws://{address} is unreachable ({reason}); retrying in the background"
            )
        else:
            self._emit.debug(LINKS, f"Peer ws://{address} is still unreachable ({reason})")
        self._later(target, now)

    def ended(self, address: HostPort, now: Now) -> None:
        """Our dial to `address`, or its link, is over, for a reason the log has already."""
        target = self._target(address)
        if target is not None:
            target.told = ""
            self._later(target, now)

    def left(self, address: HostPort, server_id: str, now: Now) -> None:
        """A link that `server_id` dialled is over; it said that it listens at `address`."""
        target = self._target(address)
        if target is not None and target.server_id == server_id:
            self._later(target, now)

    def forget(self, server_id: str) -> None:
        self._targets = [t for t in self._targets if t.configured or t.server_id != server_id]

    def _dial(self, target: Target, now: Now) -> None:
        if target.server_id and (
            target.server_id in self._links.servers or self._quarantine.holds(now, target.server_id)
        ):
            return
        target.dialling_until_ms = now.mono + DIAL_MS
        self._emit.add(Dial(target.address, target.tls))

    def _later(self, target: Target, now: Now) -> None:
        target.dialling_until_ms = 0
        target.due_ms = now.mono + self.pause_ms(target.address, target.attempt)
        target.attempt += 1

    def pause_ms(self, address: HostPort, attempt: int) -> int:
        """1 s doubling to 60 s (2 s on loopback), the upper half of it jittered.

        The jitter is a hash of who dials whom and how often, so that two servers do not dial in
        step and a run of the brain repeats.
        """
        most = limits.RECONNECT_MAX_S
        if is_loopback(address.host):
            most = limits.RECONNECT_MAX_LOOPBACK_S
        whole = min(limits.RECONNECT_FIRST_S * 2 ** min(attempt, 10), most) * 1000
        seed = f"{self._settings.server_id}|{address}|{attempt}".encode()
        share = hashlib.sha256(seed).digest()[0] / 255
        return int(whole * (0.5 + share / 2))

    def _target(self, address: HostPort) -> Target | None:
        return next((t for t in self._targets if same_place(t.address, address)), None)
