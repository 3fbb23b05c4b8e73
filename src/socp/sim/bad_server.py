"""A server gone bad: an honest brain, so that it takes part in the mesh, under a shell that
remembers what it hears, changes what it says, and says what the brain never said."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import structs

from socp.crypto.keys import PrivateKey, Suite
from socp.node.effects import Outgoing
from socp.node.settings import Settings
from socp.sim.frames import frame
from socp.sim.network import Network, Wire
from socp.sim.server import Server
from socp.wire import base64url, strict
from socp.wire.canonical import canonical
from socp.wire.envelope import Envelope, decode
from socp.wire.errors import PeerFault
from socp.wire.msg_ref import msg_ref

TAPE_FRAMES: Final = 300
DULL: Final = tuple(f'{{"type":"{kind}"'.encode() for kind in ("ACK", "HEARTBEAT", "ERROR"))
WORDS: Final = frozenset({"SERVER_DELIVER", "USER_DELIVER", "MSG_PUBLIC_CHANNEL"})
FILES: Final = frozenset({"FILE_START", "FILE_CHUNK", "FILE_END"})
ALTERABLE: Final = ("ciphertext", "content_sig", "wrapped_key", "chunk_hashes")


class BadServer(Server):
    """`tape`: the latest frames that it heard or said, as bytes. `echoes`: it says all twice, and
    sends back what it hears. `robs`: user ids, and "" for all: what other servers hand it for them
    it acknowledges and throws away."""

    def __init__(
        self, name: str, settings: Settings, suite: Suite, key: PrivateKey, network: Network
    ) -> None:
        super().__init__(name, settings, suite, key, network)
        self.tape: deque[bytes] = deque(maxlen=TAPE_FRAMES)
        self.echoes = False
        self.robs: list[str] = []

    def received(self, wire: Wire, data: bytes) -> None:
        """A frame came."""
        self._remember(data)
        if not (self.robs and self._robbed(wire, data)):
            super().received(wire, data)
        if self.echoes:
            wire.send(self, data)

    def _robbed(self, wire: Wire, data: bytes) -> bool:
        heard = decode(data)
        reader = heard.members.get("user_id")
        receipt = receipt_of(heard) if {"", reader} & set(self.robs) else None
        if receipt is None or not isinstance(reader, str):
            return False
        members = {**receipt, "status": "queued" if heard.ts % 2 else "delivered"}
        ts, to = self.wall, heard.from_
        wire.send(self, frame("ACK", members, from_=self.id, to=to, ts=ts, key=self.key, bind=True))
        return True

    def _send(self, links: tuple[int, ...], data: bytes | None) -> None:
        if data is not None:
            self._remember(data)
        for _ in range(1 + self.echoes):
            super()._send(links, data)

    def _remember(self, data: bytes) -> None:
        if not data.startswith(DULL):
            self.tape.append(data)


def swallowed(said: Outgoing) -> Outgoing | None:
    """Acknowledgements go out, and what they acknowledge does not."""
    return None if said.type in WORDS | FILES else said


def garbled(said: Outgoing) -> Outgoing:
    """One character of what the author sealed or signed is another."""
    if said.type not in WORDS | FILES:
        return said
    members = strict.loads(said.payload)
    assert isinstance(members, dict)
    name = next((each for each in ALTERABLE if members.get(each)), "")
    if not name:
        return said
    text = str(members[name])
    at = said.ts % len(text)
    other = "A" if text[at] != "A" else "B"
    altered = {**members, name: text[:at] + other + text[at + 1 :]}
    return structs.replace(said, payload=canonical(altered))


def receipt_of(heard: Envelope) -> dict[str, object] | None:
    """What an ACK of this would name; None where there is none."""
    members = heard.members
    if heard.type in FILES and "file_id" in members:
        return {"msg_ref": members["file_id"], "of": heard.type}
    raw = sealed_part(heard) if heard.type in WORDS else None
    if raw is None:
        return None
    author = members.get("sender") or heard.from_
    reader = members.get("user_id") or heard.to
    return {"msg_ref": msg_ref(raw, str(author), str(reader), heard.ts)}


def sealed_part(heard: Envelope) -> bytes | None:
    """Its ciphertext; None where there is none, or where somebody altered it."""
    try:
        return base64url.decode(str(heard.members["ciphertext"]))
    except (KeyError, PeerFault):
        return None
