"""A server with `mailbox/1` on a real socket, played by the test: it hands out what it keeps at
each hello, and drops it when the client acknowledges (section 11)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from socp.crypto import content_sig, hybrid, signing
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.signing import sign_transport
from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import PeerMoved
from socp.wire import base64url, content
from socp.wire.canonical import canonical
from socp.wire.content import Body, Place
from socp.wire.envelope import encode
from socp.wire.features import BIND, LINK_AUTH, MAILBOX, USER_FEATURES
from socp.wire.msg_ref import msg_ref
from tests.client.people import somebody
from tests.client.v13_server import SERVER_ID, Frame, Link, Server, now_ms

FEATURES = (LINK_AUTH, BIND, MAILBOX)


@dataclass(eq=False)
class MailLink(Link):
    """Signs and binds what it says."""

    key: PrivateKey | None = None

    async def say(self, kind: str, payload: object, *, to: str = "", ts: int | None = None) -> None:
        assert self.key is not None
        assert isinstance(payload, dict)
        to, ts = to or self.user_id, now_ms() if ts is None else ts
        members = {**payload, "bind": {"type": kind, "from": SERVER_ID, "to": to, "ts": ts}}
        if kind == "AUTH_CHALLENGE":
            members.pop("bind")
        sig = sign_transport(self.key, members)
        frame = encode(kind, SERVER_ID, to, ts, canonical(members), sig)
        with contextlib.suppress(ConnectionError):  # killed meanwhile
            await self.socket.send_str(frame.decode())


@dataclass
class MailServer(Server):
    """`mail` is by msg_ref, in order: the payload and ts of a USER_DELIVER. `answers` is the status
    of the ACK to a message, or nothing is said."""

    suite: Suite = field(default_factory=lambda: SymbolicSuite(3))
    key: PrivateKey | None = None
    mail: dict[str, tuple[Frame, int]] = field(default_factory=dict)
    acked: list[str] = field(default_factory=list)
    answers: str = "queued"
    takes_files: bool = True
    forgets: bool = True  # False: as if killed before it had the ACK on its disk
    features: tuple[str, ...] = FEATURES

    def __post_init__(self) -> None:
        self.key = self.key or self.suite.generate()

    @property
    def public_text(self) -> str:
        assert self.key is not None
        return self.key.public.text

    def made(self, socket: web.WebSocketResponse, transport: asyncio.WriteTransport) -> Link:
        return MailLink(socket, transport, key=self.key)

    async def _heard(self, link: Link, frame: Frame) -> None:
        link.heard.append(frame)
        members = frame.get("payload", {})  # CTRL_CLOSE has none
        match frame["type"]:
            case "USER_HELLO":
                said = {"nonce": base64url.encode(bytes(32)), "server_id": SERVER_ID}
                said["pubkey"] = self.public_text
                await link.say("AUTH_CHALLENGE", {**said, "features": list(self.features)})
            case "AUTH_PROOF":
                await self._welcome(link)
            case "ACK":
                self.acked.append(members["msg_ref"])
                if self.forgets:
                    self.mail.pop(members["msg_ref"], None)
            case "MSG_DIRECT" if self.answers:
                await self.answer(link, frame)
            case "FILE_CHUNK" | "FILE_END" if not self.takes_files:
                pass
            case "FILE_START" | "FILE_CHUNK" | "FILE_END":
                said = {"msg_ref": members["file_id"], "of": frame["type"], "status": "queued"}
                await link.say("ACK", said)
        link.news.set()
        self.news.set()

    async def answer(self, link: Link, frame: Frame) -> None:
        """The ACK to a message, as `answers` is now."""
        raw = base64url.decode(frame["payload"]["ciphertext"])
        ref = msg_ref(raw, frame["from"], frame["to"], frame["ts"])
        await link.say("ACK", {"msg_ref": ref, "status": self.answers})

    async def _welcome(self, link: Link) -> None:
        assert self.key is not None
        nonce = base64url.decode(link.heard[0]["payload"]["auth_nonce"])
        proof = signing.sign(self.key, signing.link_auth(SERVER_ID, link.user_id, nonce))
        said = {"msg_ref": "USER_HELLO", "server_id": SERVER_ID, "proof": proof}
        said["pubkey"] = self.public_text
        await link.say("ACK", {**said, "features": list(self.features)})
        for payload, ts in tuple(self.mail.values()):
            await link.say("USER_DELIVER", payload, ts=ts)

    async def all_acked(self, link: Link, *refs: str) -> None:
        """Return when these were acknowledged."""
        async with asyncio.timeout(60):
            while not set(refs) <= set(self.acked):
                link.news.clear()
                await link.news.wait()


@dataclass
class Absent:
    """A user of this server who is away, and wrote before they went."""

    server: MailServer
    key: PrivateKey
    name: str = "bob"
    id: str = "11111111-1111-4111-8111-111111111111"

    async def is_known(self, link: Link) -> None:
        """They come, so that their key is pinned, and go."""
        now = await self.comes(link)
        gone = {"user_id": self.id, "server_id": SERVER_ID}
        await link.say("USER_REMOVE", gone, to="*", ts=now + 1)

    async def comes(self, link: Link) -> int:
        """They are here from now on, Unix ms."""
        now = now_ms()
        sig = signing.sign(self.key, signing.attach(self.id, SERVER_ID, now, USER_FEATURES))
        advert = {
            "user_id": self.id,
            "server_id": SERVER_ID,
            "meta": {"display_name": self.name},
            "pubkey": self.key.public.text,
            "features": list(USER_FEATURES),
            "attach": {"ts": now, "sig": sig},
        }
        await link.say("USER_ADVERTISE", advert, to="*", ts=now)
        return now

    def reads(self, frame: Frame) -> tuple[Body, Place]:
        """A MSG_DIRECT to them, as their client with `content/1` has it."""
        raw = base64url.decode(frame["payload"]["ciphertext"])
        seal = {"from_": frame["from"], "to": frame["to"], "ts": frame["ts"]}
        return content.decode(hybrid.open_(self.key, raw, **seal))

    def wrote(self, link: Link, text: str | bytes, ts: int) -> str:
        """The server keeps this for whoever is on the link; its msg_ref."""
        sealed = text.encode() if isinstance(text, str) else text
        suite, to = self.server.suite, link.user_id
        reader = suite.parse_public(link.heard[0]["payload"]["pubkey"])
        raw = hybrid.seal(suite, reader, sealed, from_=self.id, to=to, ts=ts)
        ref = msg_ref(raw, self.id, to, ts)
        payload = {
            "ciphertext": base64url.encode(raw),
            "sender": self.id,
            "sender_pub": self.key.public.text,
            "content_sig": content_sig.sign_direct(self.key, raw, self.id, to, ts),
            "orig_ts": ts,
        }
        self.server.mail[ref] = (payload, ts)
        return ref


@asynccontextmanager
async def keeping(suite: Suite, key: PrivateKey | None = None) -> AsyncIterator[MailServer]:
    server = MailServer(suite=suite, key=key)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def made_known(folder: Path, server: MailServer, suite: SymbolicSuite) -> tuple[Link, Absent]:
    """Alice's profile, in which bob's key is pinned; her first link, which is over."""
    bob = Absent(server, suite.generate())
    async with somebody(folder, server.url, suite) as alice:
        link = await server.link()
        await bob.is_known(link)
        await alice.hears(PeerMoved, lambda moved: not moved.online)
    return link, bob
