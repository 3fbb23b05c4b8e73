"""Who keeps mail for whom, and where it can go now (sections 4 and 11)."""

from __future__ import annotations

from socp.node.directory import Directory
from socp.node.links import Link, Links
from socp.node.presence import Presence
from socp.node.trust import ServerTrust
from socp.wire.features import MAILBOX


class Keepers:
    """A user's home keeps their mail; any other server keeps it only until the home has it."""

    def __init__(
        self,
        own_id: str,
        links: Links,
        directory: Directory,
        presence: Presence,
        trust: ServerTrust,
    ) -> None:
        self._own_id = own_id
        self._links = links
        self._directory = directory
        self._presence = presence
        self._trust = trust
        self._detours: dict[str, str] = {}  # user_id -> where their home says they moved

    def home(self, user_id: str) -> str:
        """The server whose user this is, or "" for nobody we know."""
        histories = self._directory.histories
        if user_id in histories.revoked or user_id in histories.barred:
            return ""  # nobody will ever fetch it
        account = self._directory.accounts.get(user_id)
        registered = account is not None and account.local  # and never attached yet
        return self._directory.home(user_id) or (self._own_id if registered else "")

    def is_ours(self, user_id: str) -> bool:
        return self.home(user_id) == self._own_id

    def keeps(self, server_id: str) -> bool:
        """Whether that server, linked just now or not, takes mail for those who are away."""
        if server_id == self._own_id:
            return True
        link = self._links.servers.get(server_id)
        features = self._trust.features(server_id) if link is None else link.features
        return MAILBOX in features

    def attach_ts(self, user_id: str) -> int:
        """Of the home, by the user's own word; 0 where they never said."""
        return self._directory.attach_ts(user_id)

    def target(self, user_id: str) -> Link | None:
        """Where this user's mail may go now: their own link, or that of their home."""
        home = self.home(user_id)
        if home == self._own_id:
            return self._links.users.get(user_id)
        servers = self._links.servers
        link = servers.get(self._detours.get(user_id, "")) or servers.get(home)
        if link is None:
            return None
        # A server that cannot keep mail gets it while the user is there to read it.
        return link if link.acks or self._presence.location(user_id) == home else None

    def claimant(self, user_id: str) -> Link | None:
        """A server that says the user is there without the user's own word for it: it gets a copy
        of what comes, and their home keeps the mail (threat I11)."""
        location = self._presence.location(user_id)
        if location in ("", self._own_id, self.home(user_id)):
            return None
        return self._links.servers.get(location)

    def detour(self, user_id: str, server_id: str, *, but: str) -> bool:
        """The home `but` says that the user moved to `server_id`, before the user's own word
        came here. False where that helps nobody, and where it was sent on already: two servers of
        two minds would play it to and fro."""
        link = self._links.servers.get(server_id)
        sent_on = self._detours.pop(user_id, "")
        if sent_on or link is None or not link.acks or server_id == but:
            return False
        self._detours[user_id] = server_id
        return True

    def no_detour(self, user_id: str) -> None:
        """News of the user came, or their mail is gone."""
        self._detours.pop(user_id, None)
