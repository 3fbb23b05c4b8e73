"""A server double: lets one guest in, answers what a client needs, and keeps what it was told."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from socp.conform import preimages
from socp.conform.canonical import b64, unb64
from socp.conform.cast import Identity
from socp.conform.figures import FIRST_FRAME_S, NONCE_BYTES
from socp.conform.frames import Frame
from socp.conform.keys import NotAKey, read_key
from socp.conform.link import GOODBYE_S, Link
from socp.conform.manners import Manners
from socp.conform.peers import Peer
from socp.conform.probe import say_first
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Breach, Finding

USER_HELLO: Final = "USER_HELLO"
SERVER_HELLOS: Final = (
    "SERVER_HELLO_JOIN",
    "SERVER_HELLO_LINK",
    "PEER_HELLO_LINK",
    "SERVER_ANNOUNCE",
)
FEATURES: Final = ("link-auth/1", "bind/1")
_SAID_MAX: Final = 2_000
_TO_ANSWER_MAX: Final = 200
_JUST_ACCEPTED_S: Final = 0.05  # whoever came at the last moment is known then, and shown out


@dataclass(slots=True)
class House:
    """`who` is the server that is played, `bob` a user of it."""

    who: Identity
    bob: Identity
    manners: Manners
    port: int = 0
    hellos: list[Frame] = field(default_factory=list)
    said: deque[Frame] = field(default_factory=lambda: deque(maxlen=_SAID_MAX))
    """What guests said, the newest last."""
    proof: Frame | None = None
    """AUTH_PROOF of the guest, and the nonce that it is over."""
    nonce: bytes = b""
    guest: Peer | None = None
    visits: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    # --- guests ---------------------------------------------------------------------------------

    async def present(self, transcript: Transcript, within_s: float) -> Peer:
        """The guest, when they are attached. Raises Breach where nobody comes."""
        try:
            async with asyncio.timeout(within_s):
                while self.guest is None or self.guest.link.close_code is not None:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            raise Breach(f"nobody is attached, and nobody came within {within_s:g} s") from None
        self.guest.link.begin(transcript)
        return self.guest

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, to its end."""
        socket = web.WebSocketResponse(
            autoping=False, max_msg_size=0, compress=False, timeout=GOODBYE_S
        )
        await socket.prepare(request)
        waiting: asyncio.Queue[Frame] = asyncio.Queue(_TO_ANSWER_MAX)

        def observe(frame: Frame) -> None:
            self.said.append(frame)
            with contextlib.suppress(asyncio.QueueFull):  # who floods us gets no answers
                waiting.put_nowait(frame)

        link = Link("guest", socket, Transcript(), self.manners, observe)
        try:
            await self._attached(link, waiting)
        except Finding as fault:
            link.transcript.became("guest", f"not let in: {fault}")
        finally:
            await link.close()
        return socket

    async def _attached(self, link: Link, waiting: asyncio.Queue[Frame]) -> None:
        hello = await link.hears(USER_HELLO, *SERVER_HELLOS, within_s=FIRST_FRAME_S)
        self.hellos.append(hello)
        features = await self._challenge(link, hello)
        guest = Peer(self.who, link, hello, features)
        await self._welcome(guest, hello)
        self.guest = guest
        self.visits += 1
        self._came.set()
        answering = asyncio.create_task(self._answer(guest, waiting))
        try:
            while link.close_code is None:
                with contextlib.suppress(Breach):
                    await link.ends(within_s=FIRST_FRAME_S)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)

    async def _challenge(self, link: Link, hello: Frame) -> tuple[str, ...]:
        """What both ends announced; who can prove is asked to."""
        theirs = hello.get("features")
        shared = tuple(each for each in FEATURES if isinstance(theirs, list) and each in theirs)
        if "link-auth/1" not in shared:
            return ()
        self.nonce = secrets.token_bytes(NONCE_BYTES)
        payload = {**self._own(), "nonce": b64(self.nonce)}
        to = str(hello.members.get("from"))
        await say_first(link, self.who, "AUTH_CHALLENGE", payload, to=to, sig="")
        self.proof = await link.hears("AUTH_PROOF", within_s=FIRST_FRAME_S)
        return shared

    def _own(self) -> dict[str, Any]:
        return {
            "server_id": self.who.id,
            "pubkey": self.who.key.public.text,
            "features": list(FEATURES),
        }

    async def _welcome(self, guest: Peer, hello: Frame) -> None:
        """ACK or WELCOME, with our proof where they gave a nonce; then who is here."""
        payload = self._own()
        to = str(hello.members.get("from"))
        if guest.features:
            text = preimages.link_auth(self.who.id, to, _nonce_of(hello))
            payload["proof"] = self.who.key.sign(text)
        if hello.type == "SERVER_HELLO_JOIN":
            place = {"host": "127.0.0.1", "port": self.port}
            lists: dict[str, Any] = {"clients": [], "servers": []}
            payload = {**payload, "assigned_id": to, **place, **lists}
            await guest.say("SERVER_WELCOME", payload, to=to)
        else:
            await guest.say("ACK", {"msg_ref": hello.type, **payload}, to=to)
        await guest.say("USER_ADVERTISE", self.advert())
        if hello.type == USER_HELLO:
            added = {"add": [to, self.bob.id], "if_version": 0}
            await guest.say("PUBLIC_CHANNEL_ADD", added)

    def advert(self) -> dict[str, Any]:
        """USER_ADVERTISE of the one user who is here."""
        text = self.bob.key.public.text
        meta = {"display_name": "bob of socp conform", "pubkey": text}
        return {"user_id": self.bob.id, "server_id": self.who.id, "meta": meta, "pubkey": text}

    # --- what a client needs --------------------------------------------------------------------

    async def _answer(self, guest: Peer, waiting: asyncio.Queue[Frame]) -> None:
        while True:
            frame = await waiting.get()
            to = str(frame.members.get("from", ""))
            if frame.type == "LIST_REQUEST":
                users = sorted((to, self.bob.id))
                online = [
                    {"user_id": u, "server_id": self.who.id, "display_name": ""} for u in users
                ]
                await guest.say("USER_LIST", {"users": users, "online": online}, to=to)
            elif frame.type == "PUBKEY_REQUEST":
                await self._tell_key(guest, frame, to)
            elif frame.type in ("MSG_DIRECT", "MSG_PUBLIC_CHANNEL"):
                await self._tell_taken(guest, frame, to)

    async def _tell_key(self, guest: Peer, frame: Frame, to: str) -> None:
        if frame.get("user_id") != self.bob.id:
            error = {"code": "USER_NOT_FOUND", "detail": "nobody here has that id"}
            await guest.say("ERROR", error, to=to)
            return
        key = self.bob.key.public
        signed = self.who.key.sign(preimages.directory(self.bob.id, key.fingerprint, 1))
        answer = {"user_id": self.bob.id, "pubkey": key.text, "version": 1, "directory_sig": signed}
        await guest.say("PUBKEY_RESPONSE", answer, to=to)

    @staticmethod
    async def _tell_taken(guest: Peer, frame: Frame, to: str) -> None:
        try:
            raw = unb64(str(frame.get("ciphertext")))
        except ValueError:
            return
        reader, ts = str(frame.members.get("to")), frame.ts
        if type(ts) is int:
            ref = preimages.msg_ref(raw, to, reader, ts)
            await guest.say("ACK", {"msg_ref": ref, "status": "delivered"}, to=to)


def _nonce_of(hello: Frame) -> bytes:
    try:
        return unb64(str(hello.get("auth_nonce")))
    except ValueError as fault:
        raise Breach("auth_nonce is no base64url") from fault


def key_of(frame: Frame) -> Any:
    """The key in a hello. Raises Breach."""
    try:
        return read_key(frame.get("pubkey"))
    except NotAKey as fault:
        raise Breach(f"pubkey: {fault}") from fault


@asynccontextmanager
async def open_house(
    who: Identity, bob: Identity, host: str, port: int, manners: Manners
) -> AsyncIterator[House]:
    """It listens until the end of the block. Raises OSError where the port cannot be had."""
    house = House(who, bob, manners)
    app = web.Application()
    app.router.add_get("/{path:.*}", house.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        house.port = int(runner.addresses[0][1])
        yield house
    finally:
        for place in tuple(runner.sites):
            await place.stop()
        if house.guest is not None:
            await house.guest.link.close()
        await asyncio.sleep(_JUST_ACCEPTED_S)
        await runner.cleanup()
