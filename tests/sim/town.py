"""Three linked servers with a user each, everybody attached and holding the channel's key."""

from __future__ import annotations

from dataclasses import dataclass

from socp.sim.server import Server
from socp.sim.user import User
from socp.sim.world import World


@dataclass
class Town:
    world: World
    a: Server
    b: Server
    c: Server
    alice: User  # at a
    bob: User  # at b
    carol: User  # at c

    def run(self, seconds: float) -> None:
        self.world.run(seconds)

    @property
    def users(self) -> tuple[User, User, User]:
        return self.alice, self.bob, self.carol


def town(seed: int = 1) -> Town:
    """A settled mesh; the screens are clear."""
    world = World(seed)
    a, b, c = world.three()
    alice, bob, carol = (
        world.add_user(name, server) for name, server in (("alice", a), ("bob", b), ("carol", c))
    )
    world.run(15)
    for user in (alice, bob, carol):
        assert user.member.attached
        user.forget_notices()
    return Town(world, a, b, c, alice, bob, carol)
