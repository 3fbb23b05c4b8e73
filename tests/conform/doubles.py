"""Guests with extensions, made of the referee's own parts, that do one thing wrong each."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from socp.conform import preimages, sealing
from socp.conform.canonical import b64, unb64
from socp.conform.cast import Identity, new_id
from socp.conform.contents import Content, NotContent, read_content, write_content
from socp.conform.figures import KIB, RSA_BYTES
from socp.conform.frames import Frame, now_ms
from socp.conform.listen.house import House
from socp.conform.peers import Peer
from socp.conform.probe import Probe, World
from socp.conform.rolls import Roll
from socp.conform.transcript import Transcript
from socp.conform.verdicts import Finding
from tests.conform.stage import QUICK, private_key, stored_keys

PIECE: Final = 256 * KIB
PIECES: Final = 20  # 5 MiB: more than the window
AT_ONCE: Final = 4
KINDS: Final = ("text", "resend", "file_state")
FOR_EVER_S: Final = 600


@asynccontextmanager
async def visiting(house: House) -> AsyncIterator[Probe]:
    async with aiohttp.ClientSession(trust_env=False) as session:
        world = World(f"ws://127.0.0.1:{house.port}", session, stored_keys(), QUICK)
        probe = Probe(world, Transcript())
        try:
            yield probe
        finally:
            await probe.close()


class Speaker:
    """A client with `hybrid/1`, `content/1` and `presence/1`; `fault` is what it does wrong."""

    CAN: Final = ("link-auth/1", "bind/1", "hybrid/1", "content/1", "presence/1")

    def __init__(self, fault: str, number: int) -> None:
        self._fault = fault
        self._who = Identity("speaker", new_id(), private_key(number))
        self._run, self._seq, self._prev = f"{number:016x}", 0, ""
        self._sent: dict[int, tuple[dict[str, Any], int]] = {}  # by seq: payload and ts
        self._heard = 0
        self._came = self._dead = self._refused = False
        self._file: dict[str, Any] = {}
        self._file_key = bytes(32)

    async def __call__(self, house: House) -> None:
        async with visiting(house) as probe:
            while not self._dead:
                link = await probe.connect("speaker")
                me = await probe.attached(link, self._who, features=self.CAN)
                try:
                    await self._talk(me, house)
                except Finding:
                    continue  # the house ended the link

    async def _talk(self, me: Peer, house: House) -> None:
        await self._watch(me, house)
        if not self._came:
            self._came = True
            limit = 5_000 if self._fault == "huge page" else 100
            await me.say("LIST_REQUEST", {"after": "", "limit": limit}, to=house.who.id)
            for body in ("hello", "and again"):
                await self._say(me, house, "text", body=body)
            await self._start(me, house)
        while not self._dead:
            frame = await me.link.hears("USER_DELIVER", within_s=FOR_EVER_S)
            await self._hear(me, house, frame)
        await me.link.close()

    async def _watch(self, me: Peer, house: House) -> None:
        users = [house.hal.id, "nobody"] if self._fault == "watches nobody" else [house.hal.id]
        left_out = self._fault == "no watch" or (self._came and self._fault == "watches once")
        if not left_out:
            await me.say("PRESENCE_WATCH", {"users": users}, to=house.who.id)

    # --- messages -------------------------------------------------------------------------------

    async def _say(self, me: Peer, house: House, kind: str, **members: Any) -> None:
        self._seq += 2 if self._fault == "from two" and not self._seq else 1
        prev = "" if self._fault == "no prev" else self._prev
        text = write_content(kind, self._run, self._seq, prev, **members)
        text = b"hello" if self._fault == "bare words" else text
        ts = now_ms()
        payload = self._sealed(text, house.hal, ts)
        self._sent[self._seq] = payload, ts
        self._prev = preimages.msg_ref(unb64(payload["ciphertext"]), me.id, house.hal.id, ts)
        await me.say("MSG_DIRECT", payload, to=house.hal.id, ts=ts)

    def _sealed(self, text: bytes, hal: Identity, ts: int) -> dict[str, Any]:
        author, key = self._who, hal.key.public
        said_ts = ts - 1 if self._fault == "another ts" else ts
        raw = sealing.sealed(text, author.id, hal.id, key, said_ts)
        raw = key.sealed(b"hello") if self._fault == "one block" else raw
        signed = raw[:RSA_BYTES] if self._fault == "signs a block" else raw
        content_sig = author.key.sign(preimages.direct(signed, author.id, hal.id, ts))
        sender_pub = author.key.public.text
        return {"ciphertext": b64(raw), "sender_pub": sender_pub, "content_sig": content_sig}

    async def _hear(self, me: Peer, house: House, frame: Frame) -> None:
        raw, ts = unb64(frame.get("ciphertext")), frame.ts
        assert isinstance(ts, int)
        text = sealing.opened(raw, house.hal.id, me.id, self._who.key, ts)
        try:
            content = None if text is None else read_content(text)
        except NotContent:
            content = None
        if content is not None:
            return await self._take(me, house, content)
        if self._fault == ("tells of the altered" if text is None else "tells of the odd"):
            await me.say("ERROR", {"code": "BAD_FRAME", "detail": "?"}, to=house.who.id)

    async def _take(self, me: Peer, house: House, content: Content) -> None:
        said = content.members
        self._dead = content.kind not in KINDS and self._fault == "dies of kinds"
        missing, self._heard = self._heard + 1 < content.seq, max(content.seq, self._heard)
        if missing and self._fault != "asks not":
            asked = {"from_seq": content.seq - 1, "to_seq": content.seq - 1}
            await self._say(me, house, "resend", of_run=content.run, **asked)
        if content.kind == "resend" and said["from_seq"] in self._sent:
            payload, ts = self._sent[said["from_seq"]]
            if self._fault == "says it anew":
                payload = self._sealed(b"hello", house.hal, ts)
            await me.say("MSG_DIRECT", payload, to=house.hal.id, ts=ts)
        elif content.kind == "file_state" and said.get("file_id") == self._file["file_id"]:
            await self._go_on(me, house, said["state"], said.get("have", 0))

    # --- a file ---------------------------------------------------------------------------------

    async def _start(self, me: Peer, house: House) -> None:
        ts, piece = now_ms(), hashlib.sha256(bytes(PIECE)).digest()
        key = house.hal.key.public
        self._file = {
            "file_id": new_id(),
            "name": "large.bin",
            "size": PIECE * PIECES,
            "sha256": hashlib.sha256(bytes(PIECE * PIECES)).hexdigest(),
            "mode": "dm",
            "total": PIECES + (self._fault == "another total"),
            "chunk_bytes": PIECE,
            "chunk_hashes": b64(piece * PIECES),
            "wrapped_key": b64(sealing.sealed(self._file_key, me.id, house.hal.id, key, ts)),
            "sender_pub": self._who.key.public.text,
        }
        said, *_ = preimages.manifests(self._file, me.id, house.hal.id, ts)
        manifest = {**self._file, "content_sig": self._who.key.sign(said)}
        await me.say("FILE_START", manifest, to=house.hal.id, ts=ts)
        if self._fault == "does not wait":
            await self._chunks(me, house, range(1))

    async def _go_on(self, me: Peer, house: House, state: str, have: int) -> None:
        self._refused = self._refused or (state == "refused" and self._fault != "goes on")
        if state == "wanted" and not self._refused:
            first = 0 if self._fault == "begins again" else have
            last = PIECES if self._fault == "no window" else min(first + AT_ONCE, PIECES)
            await self._chunks(me, house, range(first, last))

    async def _chunks(self, me: Peer, house: House, places: range) -> None:
        file_id, total = self._file["file_id"], self._file["total"]
        piece = bytes([self._fault == "another chunk"]) + bytes(PIECE - 1)
        for index in places:
            sealed = sealing.sealed_chunk(self._file_key, piece, file_id, index, total)
            chunk = {"file_id": file_id, "index": index, "ciphertext": b64(sealed)}
            await me.say("FILE_CHUNK", chunk, to=house.hal.id, sig="")


class Gossiper:
    """A server with `gossip/1` that dials, with two users; `fault` is what it does wrong."""

    CAN: Final = ("bind/1", "gossip/1")
    HEARS: Final = ("PRESENCE_SYNC", "HEARTBEAT", "PUBKEY_REQUEST")

    def __init__(self, fault: str, number: int) -> None:
        self._fault = fault
        self._who = Identity("gossiper", new_id(), private_key(number))
        self._users = [new_id(), new_id()]

    async def __call__(self, house: House) -> None:
        async with visiting(house) as probe:
            link = await probe.connect("gossiper")
            me = await probe.linked(link, self._who, features=self.CAN)
            theirs, own = Roll(house.who.id), Roll(me.id)
            await self._tell_all(me, own, house)
            while True:
                heard, before = await link.reaches(*self.HEARS, within_s=FOR_EVER_S)
                theirs.hear(before)
                if heard.type == "PUBKEY_REQUEST":
                    error = {"code": "USER_NOT_FOUND", "detail": "ask elsewhere"}
                    await me.say("ERROR", error, to=house.who.id)
                elif heard.type == "PRESENCE_SYNC" and self._fault != "answers not":
                    await self._tell_all(me, own, house)
                elif heard.type == "HEARTBEAT" and self._asks(theirs.told(), heard.get("users")):
                    await me.say("PRESENCE_SYNC", {}, to=house.who.id)

    def _asks(self, known: object, told: object) -> bool:
        if self._fault in ("asks always", "asks not"):
            return self._fault == "asks always"
        return known != told

    async def _tell_all(self, me: Peer, own: Roll, house: House) -> None:
        text = self._who.key.public.text
        for user_id in self._users:
            advert = {"user_id": user_id, "server_id": me.id, "meta": {"pubkey": text}}
            own.hear([Frame("", await me.say("USER_ADVERTISE", advert))])
        users = own.told()
        if self._fault == "another digest":
            users["digest"] = Roll("").told()["digest"]
        said: dict[str, Any] = {"links": [house.who.id], "users": users}
        if self._fault == "no users":
            del said["users"]
        if self._fault == "no bind":
            said["bind"] = None
        await me.say("HEARTBEAT", said, to=house.who.id)
