"""`socp admin revoke`: a user whom the operator takes no more (section 10).

An operator cannot sign for a user, so others only hear that the user is not here any more.
"""

from __future__ import annotations

from socp.node.arrivals import Arrivals
from socp.node.directory import Directory
from socp.node.effects import Answer
from socp.node.emitter import Emitter
from socp.node.events import Now, RevokeUser
from socp.node.links import Links
from socp.node.logins import Logins
from socp.node.records import Barred

ADMIN = "server.admin"
PREFIX_MIN = 8
BARRED_MAX = 100_000  # each of them one of our accounts, and in their share of memory


class Barring:
    """The operator's word about users of this server."""

    def __init__(
        self,
        emitter: Emitter,
        links: Links,
        directory: Directory,
        arrivals: Arrivals,
        logins: Logins,
    ) -> None:
        self._emit = emitter
        self._links = links
        self._directory = directory
        self._arrivals = arrivals
        self._logins = logins

    def revoke(self, event: RevokeUser, now: Now) -> None:
        """Never let this user attach here again; cut their link."""
        found = self._found(event.who)
        if len(found) != 1:
            return self._not_one(event, found)
        user_id, barred = found[0], self._directory.histories.barred
        if user_id in barred:
            return self._answer(event, f"{user_id} is revoked here already")
        if len(barred) >= BARRED_MAX:
            return self._answer(event, f"{BARRED_MAX} users are revoked here, and no more can be")
        barred[user_id] = record = Barred(user_id, now.wall)
        self._emit.persist(record)
        self._logins.forget(user_id)
        self._emit.info(ADMIN, f"Operator revoked user {user_id}")
        lines = [f"revoked {user_id}: this server takes them no more"]
        link = self._links.users.get(user_id)
        if link is not None:
            self._arrivals.put_out(link, 1008, "not hosted here any more; ask the operator", now)
            lines.append("their link is cut")
        lines.append("they may go to another server: only they themselves can revoke their key")
        self._answer(event, *lines)

    def _found(self, who: str) -> list[str]:
        """The users of this server that an id, or the start of one (8 characters), means."""
        who = who.strip().lower()
        if len(who) < PREFIX_MIN:
            return []
        accounts = self._directory.accounts.values()
        return sorted(a.user_id for a in accounts if a.local and a.user_id.startswith(who))

    def _not_one(self, event: RevokeUser, found: list[str]) -> None:
        if found:
            lines = (f"{event.who} could be any of these, say more of it:", *found[:100])
        else:
            lines = (
                f"no user of this server has the id {event.who!r}: give it whole, or its first"
                f" {PREFIX_MIN} characters or more",
            )
        self._emit.add(Answer(event.request, ok=False, lines=lines))

    def _answer(self, event: RevokeUser, *lines: str) -> None:
        self._emit.add(Answer(event.request, ok=True, lines=lines))
