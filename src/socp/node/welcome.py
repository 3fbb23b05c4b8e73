"""SERVER_WELCOME: what an introducer tells a newcomer (section 5)."""

from __future__ import annotations

from itertools import islice

from socp.node.links import Link, Links
from socp.node.presence import Presence
from socp.node.sessions import Sessions
from socp.node.settings import Settings
from socp.node.trust import ServerTrust
from socp.wire import limits
from socp.wire.addresses import HostPort
from socp.wire.payloads import ClientRow, FastWelcome, ServerRow


class Welcome:
    """Who is here and which servers are linked, read from the tables at the moment of asking."""

    def __init__(
        self,
        settings: Settings,
        own_key_text: str,
        links: Links,
        trust: ServerTrust,
        presence: Presence,
        sessions: Sessions,
    ) -> None:
        self._settings = settings
        self._own_key_text = own_key_text
        self._links = links
        self._trust = trust
        self._presence = presence
        self._sessions = sessions

    def payload(self, newcomer: Link) -> FastWelcome:
        place = self._settings.address
        return FastWelcome(
            assigned_id=newcomer.peer,
            clients=self._clients(),
            servers=self._servers(newcomer.peer),
            server_id=self._settings.server_id,
            host=place.host,
            port=place.port,
            pubkey=self._own_key_text,
            features=self._sessions.features,
            session=self._sessions.offer(newcomer),
        )

    def _clients(self) -> tuple[ClientRow, ...]:
        """At most 500 rows; the snapshot brings the rest."""
        return tuple(
            ClientRow(
                user_id=present.user_id,
                host=(place := self._place(present.server_id)).host,
                port=place.port,
                pubkey=self._presence.key_text(present.user_id),
                server_id=present.server_id,
            )
            for present in islice(self._presence.everyone(), limits.WELCOME_CLIENTS)
        )

    def _place(self, server_id: str) -> HostPort:
        pin = self._trust.pins.get(server_id)
        return self._settings.address if pin is None else HostPort(pin.host, pin.port)

    def _servers(self, newcomer: str) -> tuple[ServerRow, ...]:
        return tuple(
            ServerRow(server_id=pin.server_id, host=pin.host, port=pin.port, pubkey=pin.pubkey)
            for server_id in self._links.servers
            if server_id != newcomer and (pin := self._trust.pins.get(server_id)) is not None
        )
