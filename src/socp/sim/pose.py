"""Somebody with a socket who says to be another: a server (I4) or a user (I1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from socp.crypto.keys import PrivateKey
from socp.sim.dice import Dice
from socp.sim.server import Server
from socp.sim.stranger import Stranger
from socp.sim.user import User
from socp.sim.world import World
from socp.wire import base64url

STEP_MS: Final = 400
HELLOS: Final = ("SERVER_HELLO_JOIN", "SERVER_HELLO_LINK", "SERVER_ANNOUNCE")


class Pose:
    """One attempt, in steps: hello, a proof, and what follows anyway. It never hangs up: whoever
    listens must."""

    def __init__(self, world: World, key: PrivateKey, dice: Dice) -> None:
        self._agenda = world.agenda
        self._network = world.network
        self._dice = dice
        self._key = key

    def as_server(self, posed: Server, target: Server, recorded: Sequence[bytes]) -> None:
        """`recorded`: hellos that were truly said, to be said once more."""
        caller = self._caller(f"pose {posed.name}", posed.id, target)
        text = self._dice.one_of((posed.key, self._key)).public.text
        hello: dict[str, object] = {
            "host": posed.address.host,
            "port": posed.address.port,
            "pubkey": text,
        }
        kind = self._dice.one_of(HELLOS)
        if self._dice.below(6):
            hello |= {"features": ["link-auth/1", "bind/1"], "auth_nonce": "A" * 43}
        if recorded and not self._dice.below(4):
            first = self._dice.one_of(recorded)
            self._step(1, caller, lambda: caller.raw(first))
        else:
            self._step(1, caller, lambda: caller.say(kind, hello, to=str(target.address)))
        self._prove(caller, text)
        gone = {"user_id": posed.id, "server_id": posed.id}
        self._step(4, caller, lambda: caller.say("USER_REMOVE", gone))

    def as_user(self, posed: User, target: Server) -> None:
        """With another key, or with theirs and no proof."""
        caller = self._caller(f"pose {posed.name}", posed.id, target)
        text = self._dice.one_of((posed.key, self._key)).public.text
        hello: dict[str, object] = {"client": "pose", "pubkey": text, "enc_pubkey": text}
        if self._dice.below(6):
            features = ["link-auth/1", "bind/1", "mailbox/1", "hybrid/1"]
            hello |= {"features": features, "auth_nonce": base64url.encode(bytes(32))}
        self._step(1, caller, lambda: caller.say("USER_HELLO", hello, signed=False))
        self._prove(caller, text)
        self._step(4, caller, lambda: caller.say("LIST_REQUEST", {}, to=target.id))

    def _caller(self, name: str, claimed: str, target: Server) -> Stranger:
        caller = Stranger(f"{name} {self._agenda.steps}", self._key, self._network)
        caller.id = claimed
        caller.dials(target)
        return caller

    def _prove(self, caller: Stranger, claimed: str) -> None:
        """By its own key, rightly where it claimed that one; else mostly by nothing."""
        if claimed == self._key.public.text or not self._dice.below(3):
            self._step(3, caller, lambda: _prove(caller))
        else:
            self._step(3, caller, lambda: caller.say("AUTH_PROOF", {"proof": "A" * 683}))

    def _step(self, number: int, caller: Stranger, what: Callable[[], object]) -> None:
        def go() -> None:
            if caller.wire is not None:
                what()

        self._agenda.after(number * STEP_MS, go)


def _prove(caller: Stranger) -> None:
    if caller.said("AUTH_CHALLENGE"):
        caller.prove()
