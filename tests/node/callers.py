"""Somebody who calls the brain over HTTP, and proves it is them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from socp.crypto import opaque, signing
from socp.crypto.keys import PrivateKey
from socp.node import calls
from socp.node.effects import Told
from socp.node.events import Called
from tests.node.mesh import Mesh, Server, an_id

O = TypeVar("O")  # noqa: E741


@dataclass
class Caller:
    """One person at one server; `stretched` stands for their password."""

    mesh: Mesh
    server: Server
    name: str
    key: PrivateKey
    address: str = "203.0.113.7"
    loopback: bool = False
    user_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.user_id = an_id(self.name)

    def call(self, call: calls.Call) -> calls.Outcome:
        return self.told(call).outcome

    def told(self, call: calls.Call) -> Told:
        number = len(self.server.told) + 1
        event = Called(number, call, self.address, self.loopback, self.mesh.suite.random(32))
        self.mesh.event(self.server, event)
        assert self.server.told[-1].request == number
        return self.server.told[-1]

    def got(self, call: calls.Call, kind: type[O]) -> O:
        outcome = self.call(call)
        assert isinstance(outcome, kind), outcome
        return outcome

    def refused(self, call: calls.Call) -> calls.Why:
        return self.got(call, calls.Refused).why

    def proof(self, *, key: PrivateKey | None = None, user_id: str = "") -> calls.Proof:
        """A good one, for one call."""
        asked = calls.BeginProof(user_id or self.user_id)
        nonce = self.got(asked, calls.Challenged).server_nonce
        own = self.mesh.suite.random(32)
        said = signing.login(user_id or self.user_id, self.server.id, own, nonce)
        return calls.Proof(nonce, own, signing.sign(key or self.key, said))

    def register(self, invitation: str = "") -> calls.Register:
        return calls.Register(
            self.user_id, self.key.public.text, self.name, invitation, self.proof()
        )

    def sets_password(self, password: str) -> bytes:
        """The export key."""
        asked = opaque.Registration(password)
        begin = calls.BeginPassword(self.user_id, asked.request, self.proof())
        upload, export_key = asked.finish(self.got(begin, calls.PasswordBegun).response)
        box = b"sealed " + self.name.encode()
        keep = calls.KeepPassword(self.user_id, upload, box, self.proof())
        self.got(keep, calls.Done)
        return export_key

    def begins(self, password: str) -> tuple[opaque.Login, calls.LoginBegun]:
        login = opaque.Login(password)
        begun = self.got(calls.BeginLogin(self.user_id, login.request), calls.LoginBegun)
        return login, begun

    def logs_in(self, password: str) -> calls.Outcome:
        login, begun = self.begins(password)
        try:
            proof, _ = login.finish(begun.response)
        except opaque.LoginRefused:
            proof = bytes(opaque.LOGIN_PROOF_BYTES)
        return self.call(calls.EndLogin(begun.login, proof))
