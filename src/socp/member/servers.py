"""The servers this client attached to, and what each of them may not take back (threats I4, M9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from socp.crypto.keys import PublicKey, Suite
from socp.member.emitter import Emitter
from socp.member.records import KnownServer
from socp.wire.addresses import is_loopback
from socp.wire.features import SECURITY, dropped
from socp.wire.text import printable

SERVERS_MAX: Final = 1_000


class ServerRefused(Exception):
    """A server that we do not attach to. The text is what the person reads."""


class Servers:
    """Pins of servers. One that proved its key has features; they are required from then on."""

    def __init__(self, suite: Suite, emitter: Emitter, remembered: Iterable[KnownServer]) -> None:
        self._suite = suite
        self._emit = emitter
        self._known = {server.server_id: server for server in remembered}

    def last_at(self, address: str) -> KnownServer | None:
        """The server that answered at this address the last time."""
        there = (server for server in self._known.values() if server.address == address)
        return max(there, key=lambda server: server.pinned_ms, default=None)

    def check_key(self, server_id: str, key: PublicKey) -> None:
        """Raises ServerRefused where a server that proved another key carries this id."""
        known = self._known.get(server_id)
        if known is None or not known.features or self._same(known, key):
            return
        pinned = self._suite.parse_public(known.pubkey)
        raise ServerRefused(
            f"the server {_shown(server_id)} comes with another key than it proved before "
            f"({key.fingerprint[:16]}, not {pinned.fingerprint[:16]}): somebody may stand between"
            " you and it; ask its operator, and do not go on here"
        )

    def check_features(self, server_id: str, features: Iterable[str]) -> None:
        """Raises ServerRefused where the server lacks what it once proved (no downgrade)."""
        known = self._known.get(server_id)
        lacking = dropped(known.features, features) if known is not None else ()
        if lacking:
            raise ServerRefused(
                f"the server {_shown(server_id)} proved itself with {', '.join(lacking)} before"
                " and does not now: somebody on the way may have taken it out; try another network"
                " or wss://, or ask the server's operator"
            )

    def check_unproven(self, server_id: str, address: str) -> None:
        """Raises ServerRefused where a server that proves nothing answers at the address of one
        that did: whoever sits on the way may give himself any id (threat M9).

        Any process of this machine may be a server at a loopback address, one after another.
        """
        self.check_features(server_id, ())
        last = self.last_at(address)
        if last is None or not last.features or _on_loopback(address):
            return
        raise ServerRefused(
            f"{printable(address)} was the server {_shown(last.server_id)}, which proved its key,"
            f" and now {_shown(server_id)} answers there and proves nothing: somebody on the way"
            " may stand in for it; try another network or wss://, or ask its operator; to talk to"
            " the new one all the same take another profile (--as NAME)"
        )

    def attached(
        self, server_id: str, key: PublicKey | None, features: Iterable[str], address: str, now: int
    ) -> bool:
        """Remember the server (`features`: those it proved, () for none). True on first sight."""
        last = self.last_at(address)
        known = self._known.get(server_id)
        self._warn_of_change(last, known, server_id, key, address)
        fresh = KnownServer(
            server_id=server_id,
            pubkey="" if key is None else key.text,
            address=address,
            features=tuple(sorted(SECURITY & set(features))),
            pinned_ms=now,
        )
        if known is not None:
            proved = fresh.features or known.features
            pubkey = fresh.pubkey if fresh.features or not known.features else known.pubkey
            fresh = replace(fresh, features=proved, pubkey=pubkey)
            if known == last:
                fresh = replace(fresh, pinned_ms=known.pinned_ms)
        if fresh != known and (known is not None or len(self._known) < SERVERS_MAX):
            self._known[server_id] = fresh
            self._emit.persist(fresh)
        return known is None

    def _warn_of_change(
        self,
        last: KnownServer | None,
        known: KnownServer | None,
        server_id: str,
        key: PublicKey | None,
        address: str,
    ) -> None:
        if last is not None and last.server_id != server_id:
            shown = "none" if key is None else key.fingerprint[:16]
            self._emit.warn(
                f"another server answers at {printable(address)} than the last time:"
                f" {_shown(server_id)} (key {shown}), not {_shown(last.server_id)}; if its operator"
                " did not set it up anew, disconnect"
            )
        elif known is not None and key is not None and known.pubkey and not self._same(known, key):
            self._emit.warn(
                f"the server {_shown(server_id)} has another key than the last time"
                f" ({key.fingerprint[:16]}); it never proved the old one; ask its operator"
            )

    def _same(self, known: KnownServer, key: PublicKey) -> bool:
        return self._suite.parse_public(known.pubkey) == key


def _on_loopback(address: str) -> bool:
    """Of a ws:// or wss:// URL."""
    return is_loopback(urlsplit(address).hostname or "")


def _shown(server_id: str) -> str:
    return printable(server_id, width=40)
