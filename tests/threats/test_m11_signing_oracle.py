"""M11: a server picks a login nonce that is a pre-image of something else, to have it signed."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from socp.client import server_url
from socp.client.errors import ClientError, NoAnswer, TurnedAway
from socp.client.http_api import PROOF_HEADER, Answer, HttpApi
from socp.crypto import signing
from socp.crypto.keys import RsaSuite
from socp.member.events import LookUp, RevokeKey, RotateKey, Say
from socp.node import calls
from socp.wire import base64url, limits
from tests.keys import SpiedKey, test_key
from tests.member.desk import Desk, an_id
from tests.member.test_public import with_key
from tests.mesh.launch import PROJECT
from tests.node.callers import Caller
from tests.node.mesh import Mesh

ALICE = "11111111-1111-4111-8111-111111111111"
SERVER = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OTHER = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
KEY = test_key(0)
PATH = f"/api/v1/users/{ALICE}/login"
NONCE = base64url.encode(b"\x07" * 32)


@pytest.fixture
def mesh() -> Mesh:
    return Mesh()


@dataclass
class Mallory:
    """A server that asks what it likes, and keeps what it was given."""

    challenge: dict[str, Any]
    proofs: list[tuple[str, str, bytes, str]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        body = await request.read()
        if request.path.endswith("/challenge"):
            return web.Response(text=json.dumps(self.challenge))
        proof = request.headers.get(PROOF_HEADER, "")
        self.proofs.append((request.method, request.path, body, proof))
        return web.Response(text="{}")


@asynccontextmanager
async def asked(challenge: dict[str, Any]) -> AsyncIterator[tuple[Mallory, Callable[..., Any]]]:
    """Mallory, and a way to have a client of ours send it a proven request."""
    mallory = Mallory(challenge)
    runner = web.ServerRunner(web.Server(mallory.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    suite = RsaSuite()
    async with HttpApi(server_url.parse(f"ws://{host}:{port}"), suite) as api:

        async def prove(method: str = "PUT", body: object | None = None) -> None:
            who = {"user_id": ALICE, "server_id": SERVER, "key": KEY}
            await api.prove(method, PATH, Answer, body, **who)  # type: ignore[arg-type]

        yield mallory, prove
    await runner.cleanup()


@pytest.mark.threat("M11")
async def test_what_is_signed_begins_with_its_label_and_holds_a_nonce_of_our_own() -> None:
    async with asked({"server_id": SERVER, "server_nonce": NONCE}) as (mallory, prove):
        for _ in range(2):
            await prove(body={"record": "x"})
    signed = set()
    for method, path, body, proof in mallory.proofs:
        server_nonce, salt, sig = proof.split(".")
        own = signing.request_nonce(method, path, base64url.decode(salt), body)
        said = signing.login(ALICE, SERVER, own, base64url.decode(server_nonce))
        assert said.startswith(b"socp-login/1" + ALICE.encode())
        assert signing.verify(KEY.public, sig, said)
        signed.add(said)
    assert len(signed) == 2, "the same request twice is not the same text"


@pytest.mark.threat("M11")
@pytest.mark.parametrize(
    "nonce",
    [
        base64url.encode(b"ciphertext" * 50),
        base64url.encode(b"\x07" * 31),
        "",
        "socp-attach/1",
    ],
)
async def test_a_nonce_of_another_length_is_not_signed(nonce: str) -> None:
    async with asked({"server_id": SERVER, "server_nonce": nonce}) as (mallory, prove):
        with pytest.raises(ClientError):
            await prove()
        assert mallory.proofs == []


@pytest.mark.threat("M11")
async def test_nothing_is_signed_for_a_server_that_passes_on_anothers_nonce() -> None:
    async with asked({"server_id": OTHER, "server_nonce": NONCE}) as (mallory, prove):
        with pytest.raises(TurnedAway, match="calls itself"):
            await prove()
        assert mallory.proofs == []


@pytest.mark.threat("M11")
async def test_a_challenge_that_is_none_is_no_answer() -> None:
    async with asked({"nonce": NONCE}) as (mallory, prove):
        with pytest.raises(NoAnswer, match="makes no sense"):
            await prove()
        assert mallory.proofs == []


@pytest.mark.threat("M11")
def test_a_signature_for_one_purpose_serves_no_other(mesh: Mesh) -> None:
    a = mesh.server("a")
    alice = Caller(mesh, a, "alice", mesh.suite.generate())
    alice.got(alice.register(), calls.Registered)
    nonce = alice.got(calls.BeginProof(alice.user_id), calls.Challenged).server_nonce
    for said in (
        signing.link_auth(alice.user_id, a.id, nonce),
        signing.directory(alice.user_id, alice.key.public.fingerprint, 1),
        b"\x00" * 32 + nonce,
        nonce,
    ):
        proof = calls.Proof(nonce, bytes(32), signing.sign(alice.key, said))
        assert alice.refused(calls.RemovePassword(alice.user_id, proof)) is calls.Why.NOT_PROVEN
        nonce = alice.got(calls.BeginProof(alice.user_id), calls.Challenged).server_nonce


# --- everything that a user's key ever signs -----------------------------------------------------

LABELS = json.loads((PROJECT / "vectors/crypto/labelled.json").read_text())["cases"]
TRANSPORT = re.compile(rb"\{.*\}", re.DOTALL)
TS = rb"[0-9]{13}"
NONCES = {
    "random": b"\x07" * 32,
    "a label": b"socp-login/1".ljust(32, b"x"),
    "a frame": b'{"bind":{"type":"MSG_DIRECT"'.ljust(32),
    "zeros": bytes(32),
}


def kinds_of(data: bytes, ciphertexts: Iterable[bytes], own_id: str) -> set[str]:
    """Which of the texts that have a meaning this one could be: it must be exactly one."""
    found = {case["label"] for case in LABELS if data.startswith(case["label"].encode())}
    if TRANSPORT.fullmatch(data):
        found.add("transport")
    tail = own_id.encode() + rb"(?:[0-9a-f-]{36})?" + TS
    for raw in ciphertexts:
        if re.fullmatch(re.escape(raw) + tail, data):
            found.add("content")
    if data.startswith(b"{") and re.search(rb"\}" + tail + rb"$", data):
        found.add("manifest")
    if data.startswith(b"[") and not TRANSPORT.fullmatch(data):
        found.add("shares")
    return found


@pytest.mark.threat("M11")
@pytest.mark.parametrize("nonce", NONCES.values(), ids=NONCES)
def test_each_text_that_a_client_signs_has_one_meaning_whatever_the_server_picks(
    nonce: bytes,
) -> None:
    desk = Desk()
    spy = SpiedKey(desk.key)
    desk.key = spy
    desk.again(desk.remembered)
    desk.connects()
    challenge = {
        "nonce": base64url.encode(nonce),
        "server_id": desk.server_id,
        "pubkey": desk.server_key.public.text,
        "features": list(desk.server_features),
    }
    desk.hears_again(desk.frame("AUTH_CHALLENGE", challenge, signed=False, bind=False))
    desk.is_welcomed()
    alice = desk.friend("alice")
    with_key(desk)
    desk.says(alice, "hello")
    desk.event(Say("public", "hello all"))
    desk.event(LookUp(an_id("nobody")))
    desk.event(RotateKey(desk.suite.generate()))
    desk.passes(30)
    desk.event(RevokeKey())
    raws = [
        base64url.decode(str(frame.members["ciphertext"]))
        for frame in desk.transmitted
        if "ciphertext" in frame.members
    ]
    meanings = [kinds_of(data, raws, desk.id) for data in spy.signed]
    assert all(len(found) == 1 for found in meanings), meanings
    seen = {kind for found in meanings for kind in found}
    assert {"socp-link-auth/1", "socp-attach/1", "transport", "content"} <= seen


@pytest.mark.threat("M11")
def test_no_label_begins_another_and_none_can_be_a_message() -> None:
    labels = {case["label"] for case in LABELS}
    assert len(labels) > 6
    for one in labels:
        assert not [other for other in labels - {one} if other.startswith(one)]
    chosen = ("socp-link-auth/1", "socp-attach/1", "socp-login/1")  # a server has a hand in these
    for case in LABELS:
        if case["label"] in chosen:
            assert len(base64url.decode(case["preimage"])) < limits.RSA_BYTES
