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


def town(seed: int = 1, *, fast_sig: bool = True) -> Town:
    """A settled mesh; the screens are clear. `fast_sig`: whether its users have session keys."""
    world = World(seed)
    a, b, c = world.three()
    alice, bob, carol = (
        world.add_user(name, server, fast_sig=fast_sig)
        for name, server in (("alice", a), ("bob", b), ("carol", c))
    )
    world.run(15)
    for user in (alice, bob, carol):
        assert user.member.attached
        user.forget_notices()
    return Town(world, a, b, c, alice, bob, carol)
