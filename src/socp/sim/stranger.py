"""Somebody who plays by hand: a foreign client or server, or an attacker with a socket."""

from __future__ import annotations

from collections.abc import Mapping

from socp.crypto import signing
from socp.crypto.keys import PrivateKey
from socp.sim.frames import frame
from socp.sim.ids import an_id
from socp.sim.network import Network, Wire
from socp.sim.server import Server
from socp.wire import base64url
from socp.wire.addresses import HostPort
from socp.wire.envelope import Envelope, decode
from socp.wire.ids import EVERYONE


class Stranger:
    """One socket at a time, dialled (`dials`) or accepted (`listens`). `heard` is all that came."""

    def __init__(self, name: str, key: PrivateKey, network: Network) -> None:
        self.name = name
        self.id = an_id(name)
        self.key = key
        self.wire: Wire | None = None
        self.heard: list[Envelope] = []
        self.close_code: int | None = None
        self.failure = ""  # why the last dial failed
        self._network = network

    # --- sockets --------------------------------------------------------------------------------

    def dials(self, server: Server) -> None:
        """Open a socket to a server; it is there a moment later."""
        self._network.dial(self, server.address, self._opened, self._failed)

    def listens(self, port: int) -> HostPort:
        """Wait for others to dial us there; users and servers alike."""
        address = HostPort("localhost", port)
        self._network.listen(address, self)
        return address

    def accepted(self, wire: Wire) -> None:
        """Somebody dialled us."""
        self._opened(wire)

    def _failed(self, reason: str) -> None:
        self.failure = reason

    def _opened(self, wire: Wire) -> None:
        self.wire, self.close_code = wire, None

    def received(self, wire: Wire, data: bytes) -> None:
        """A frame came."""
        if wire is self.wire:
            self.heard.append(decode(data))

    def closed(self, wire: Wire) -> None:
        """The socket is gone."""
        if wire is self.wire:
            self.wire, self.close_code = None, wire.close_code

    # --- frames ---------------------------------------------------------------------------------

    def said(self, kind: str) -> list[Envelope]:
        """What was heard of one type."""
        return [envelope for envelope in self.heard if envelope.type == kind]

    def say(
        self,
        kind: str,
        members: Mapping[str, object],
        *,
        to: str = EVERYONE,
        from_: str = "",
        ts: int = 0,
        signed: bool = True,
        bind: bool = False,
    ) -> Envelope:
        """Put a frame on the socket."""
        data = frame(
            kind,
            members,
            from_=from_ or self.id,
            to=to,
            ts=ts or self._network.agenda.wall,
            key=self.key if signed else None,
            bind=bind,
        )
        self.raw(data)
        return decode(data)

    def raw(self, data: bytes) -> None:
        """Put any bytes on the socket."""
        assert self.wire is not None, f"{self.name} has no socket; was time given to open it?"
        self.wire.send(self, data)

    # --- parts ----------------------------------------------------------------------------------

    def hello(self, *features: str) -> None:
        """USER_HELLO: of a plain v1.3 client, or with features."""
        members: dict[str, object] = {
            "client": "stranger",
            "pubkey": self.key.public.text,
            "enc_pubkey": self.key.public.text,
        }
        if features:
            members["features"] = list(features)
            members["auth_nonce"] = base64url.encode(bytes(32))
        self.say("USER_HELLO", members)

    def prove(self) -> None:
        """AUTH_PROOF to the challenge that came last."""
        challenge = self.said("AUTH_CHALLENGE")[-1].members
        nonce = base64url.decode(str(challenge["nonce"]))
        preimage = signing.link_auth(self.id, str(challenge["server_id"]), nonce)
        self.say("AUTH_PROOF", {"proof": signing.sign(self.key, preimage)})
