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
from socp.conform.figures import FIRST_FRAME_S, MESSAGE_BYTES, NONCE_BYTES, WATCHED
from socp.conform.frames import Frame, now_ms
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
FEATURES: Final = ("link-auth/1", "bind/1", "gossip/1", "presence/1")
HAL_CAN: Final = ("link-auth/1", "bind/1", "hybrid/1", "content/1")
_SAID_MAX: Final = 2_000
_TO_ANSWER_MAX: Final = 200
_JUST_ACCEPTED_S: Final = 0.05  # whoever came at the last moment is known then, and shown out


@dataclass(slots=True)
class Speech:
    """Where hal stands in what he says to the guest: `run` and `seq` of `content/1`."""

    run: str = field(default_factory=lambda: secrets.token_hex(8))
    seq: int = 0
    prev: str = ""


@dataclass(slots=True)
class House:
    """`who` is the server that is played, `bob` a plain user of it, `hal` one whose client has
    `hybrid/1` and `content/1`."""

    who: Identity
    bob: Identity
    hal: Identity
    manners: Manners
    port: int = 0
    hellos: list[Frame] = field(default_factory=list)
    said: deque[Frame] = field(default_factory=lambda: deque(maxlen=_SAID_MAX))
    """What guests said, the newest last."""
    lately: list[Frame] = field(default_factory=list)
    """What the guest said since its newest hello."""
    given_up: set[str] = field(default_factory=set)
    """What a person was asked to have the guest do, and did not."""
    hal_speaks: Speech = field(default_factory=Speech)
    proof: Frame | None = None
    """AUTH_PROOF of the guest, and the nonce that it is over."""
    nonce: bytes = b""
    guest: Peer | None = None
    visits: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _stated: dict[str, Any] = field(default_factory=dict)

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
            autoping=False,
            max_msg_size=MESSAGE_BYTES,
            compress=False,
            timeout=GOODBYE_S,
        )
        await socket.prepare(request)
        waiting: asyncio.Queue[Frame] = asyncio.Queue(_TO_ANSWER_MAX)

        lately: list[Frame] = []

        def observe(frame: Frame) -> None:
            self.said.append(frame)
            if len(lately) < _SAID_MAX:
                lately.append(frame)
            with contextlib.suppress(asyncio.QueueFull):  # who floods us gets no answers
                waiting.put_nowait(frame)

        link = Link("guest", socket, Transcript(), self.manners, observe)
        try:
            await self._attached(link, waiting, lately)
        except Finding as fault:
            link.transcript.became("guest", f"not let in: {fault}")
        finally:
            await link.close()
        return socket

    async def _attached(
        self, link: Link, waiting: asyncio.Queue[Frame], lately: list[Frame]
    ) -> None:
        hello = await link.hears(USER_HELLO, *SERVER_HELLOS, within_s=FIRST_FRAME_S)
        self.hellos.append(hello)
        features = await self._challenge(link, hello)
        guest = Peer(self.who, link, hello, features)
        await self._welcome(guest, hello)
        self.guest, self.lately = guest, lately
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
        if "presence/1" not in guest.features or hello.type != USER_HELLO:
            for user in self.users:
                await guest.say("USER_ADVERTISE", self.advert(user))
        if hello.type == USER_HELLO:
            added = {"add": [to, *(user.id for user in self.users)], "if_version": 0}
            await guest.say("PUBLIC_CHANNEL_ADD", added)

    @property
    def users(self) -> tuple[Identity, Identity]:
        """Who is online here, beside the guest."""
        return self.bob, self.hal

    def advert(self, user: Identity | None = None) -> dict[str, Any]:
        """USER_ADVERTISE of somebody who is here, bob where nobody is named."""
        who = user or self.bob
        text = who.key.public.text
        meta = {"display_name": f"{who.name} of socp conform", "pubkey": text}
        said = {"user_id": who.id, "server_id": self.who.id, "meta": meta, "pubkey": text}
        return {**said, **self._statement(who)}

    def _statement(self, who: Identity) -> dict[str, Any]:
        """What hal signed of his client: made once, for it is his newest."""
        if who is not self.hal:
            return {}
        if not self._stated:
            ts = now_ms()
            text = preimages.attach(who.id, self.who.id, ts, HAL_CAN)
            attach = {"ts": ts, "sig": who.key.sign(text)}
            self._stated = {"features": list(HAL_CAN), "attach": attach}
        return self._stated

    # --- what a client needs --------------------------------------------------------------------

    async def _answer(self, guest: Peer, waiting: asyncio.Queue[Frame]) -> None:
        while True:
            frame = await waiting.get()
            to = str(frame.members.get("from", ""))
            if frame.type == "LIST_REQUEST":
                await self._tell_list(guest, frame, to)
            elif frame.type == "PUBKEY_REQUEST":
                await self._tell_key(guest, frame, to)
            elif frame.type == "PRESENCE_WATCH":
                await self._tell_watched(guest, frame)
            elif frame.type in ("MSG_DIRECT", "MSG_PUBLIC_CHANNEL"):
                await self._tell_taken(guest, frame, to)
            elif frame.type in ("FILE_START", "FILE_END"):
                taken = {"msg_ref": frame.get("file_id"), "of": frame.type, "status": "delivered"}
                await guest.say("ACK", taken, to=to)

    async def _tell_list(self, guest: Peer, frame: Frame, to: str) -> None:
        after, limit = frame.get("after"), frame.get("limit")
        users = sorted((to, *(user.id for user in self.users)))
        paged = type(limit) is int and "presence/1" in guest.features
        later = [user for user in users if user > str(after or "")] if paged else users
        page = later[:limit] if paged else users
        online = [{"user_id": u, "server_id": self.who.id, "display_name": ""} for u in page]
        listed: dict[str, Any] = {"users": page, "online": online}
        if len(page) < len(later):
            listed["more"] = True
        await guest.say("USER_LIST", listed, to=to)

    async def _tell_watched(self, guest: Peer, frame: Frame) -> None:
        asked = frame.get("users")
        here = {user.id: user for user in self.users}
        for user_id in asked[:WATCHED] if isinstance(asked, list) else ():
            if user_id in here:
                await guest.say("USER_ADVERTISE", self.advert(here[user_id]))
            else:
                gone = {"user_id": user_id, "server_id": self.who.id}
                await guest.say("USER_REMOVE", gone)

    async def _tell_key(self, guest: Peer, frame: Frame, to: str) -> None:
        found = [user for user in self.users if user.id == frame.get("user_id")]
        if not found:
            error = {"code": "USER_NOT_FOUND", "detail": "nobody here has that id"}
            await guest.say("ERROR", error, to=to)
            return
        [user] = found
        key = user.key.public
        signed = self.who.key.sign(preimages.directory(user.id, key.fingerprint, 1))
        answer = {"user_id": user.id, "pubkey": key.text, "version": 1, "directory_sig": signed}
        stated = self._statement(user)
        place = {"server_id": self.who.id} if stated else {}
        await guest.say("PUBKEY_RESPONSE", {**answer, **place, **stated}, to=to)

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
    who: Identity, users: tuple[Identity, Identity], host: str, port: int, manners: Manners
) -> AsyncIterator[House]:
    """It listens until the end of the block. Raises OSError where the port cannot be had."""
    house = House(who, *users, manners)
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
