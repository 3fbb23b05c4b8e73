"""Users who replace and revoke their keys by hand: the lines of the tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from socp.crypto import rotation
from socp.crypto.keys import PrivateKey
from socp.crypto.rotation import KeyStep
from socp.node.records import Account
from socp.wire import limits
from socp.wire.canonical import to_members
from socp.wire.payloads import Rotation
from tests.node.mesh import Mesh, Peer, Server, an_id


@dataclass
class Owner:
    """Somebody with a line of keys; the clock of their statements is the mesh's."""

    mesh: Mesh
    name: str
    keys: list[PrivateKey] = field(default_factory=list)
    steps: list[KeyStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = self.keys or [self.mesh.suite.generate()]

    @property
    def id(self) -> str:
        return an_id(self.name)

    @property
    def key(self) -> PrivateKey:
        return self.keys[-1]

    @property
    def chain(self) -> tuple[Rotation, ...]:
        return tuple(step.rotation for step in self.steps)[-limits.ROTATIONS_MAX :]

    def step(self, *, ts: int | None = None, new: PrivateKey | None = None) -> KeyStep:
        """The next statement, not said to anybody yet."""
        new = new or self.mesh.suite.generate()
        ts = self.mesh.wall if ts is None else ts
        step = rotation.rotate(self.id, self.key, new, len(self.keys) + 1, ts)
        self.keys.append(new)
        self.steps.append(step)
        return step

    def arrives(self, server: Server, **more: object) -> Peer:
        """At a server, with the newest key and the chain that leads to it."""
        rotations = more.pop("rotations", self.chain)
        key = more.pop("key", self.key)
        return self.mesh.user(server, self.name, key=key, rotations=rotations, **more)  # type: ignore[arg-type]

    def rotates(self, peer: Peer, **changes: object) -> KeyStep:
        """Says KEY_ROTATE on this link."""
        step = self.step()
        said = {**to_members(step.rotation), "user_id": self.id, **changes}
        peer.say("KEY_ROTATE", said)
        return step

    def revokes(self, peer: Peer, key: PrivateKey | None = None, version: int = 0) -> None:
        """Says KEY_REVOKE on this link."""
        word = rotation.revoke(self.id, key or self.key, version or len(self.keys), self.mesh.wall)
        said = {"user_id": self.id, "version": word.version, "ts": word.ts, "sig": word.sig}
        peer.say("KEY_REVOKE", said)


def account(server: Server, user_id: str) -> Account:
    """What the disk of a server says of a user."""
    return [r for r in server.disk if isinstance(r, Account) and r.user_id == user_id][-1]


def steps_on_disk(server: Server, user_id: str) -> list[KeyStep]:
    return [r for r in server.disk if isinstance(r, KeyStep) and r.user_id == user_id]
