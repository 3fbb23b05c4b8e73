"""Somebody at a client of ours, and a friend of theirs whom the test plays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from socp.client.client import Client
from socp.client.notices import Notice
from socp.client.unlocking import Lock, Plain
from socp.crypto import content_sig
from socp.crypto.keys import PrivateKey, Suite
from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import Online
from socp.wire import base64url
from tests.client.v13_server import SERVER_ID, Link, Server, now_ms

PATIENCE_S = 60.0
FRIEND_ID = "11111111-1111-4111-8111-111111111111"

N = TypeVar("N", bound=Notice)


@dataclass
class Person:
    """A client, and everything it was told."""

    me: Client
    downloads: Path
    told: list[Notice] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self) -> None:
        async for notice in self.me.events():
            self.told.append(notice)
            self.news.set()

    async def hears(
        self,
        kind: type[N],
        which: Callable[[N], bool] = lambda _: True,
        seconds: float = PATIENCE_S,
    ) -> N:
        """The first notice of this kind that fits, told already or yet to come."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    for notice in self.told:
                        if isinstance(notice, kind) and which(notice):
                            return notice
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            told = "\n".join(map(repr, self.told))
            raise AssertionError(f"no such {kind.__name__}; told were:\n{told}") from None

    def heard(self, kind: type[N]) -> list[N]:
        return [notice for notice in self.told if isinstance(notice, kind)]


@asynccontextmanager
async def somebody(
    folder: Path,
    url: str,
    suite: SymbolicSuite,
    name: str = "alice",
    *,
    attached: bool = True,
    lock: Lock = Plain(),  # noqa: B008 - it has nothing to change
) -> AsyncIterator[Person]:
    """Their client, attached by the time the test goes on."""
    downloads = folder / "downloads"
    async with Client.open(
        folder / name, url, name=name, downloads=downloads, lock=lock, suite=suite
    ) as client:
        person = Person(client, downloads)
        listening = asyncio.create_task(person.listen())
        try:
            if attached:
                await person.hears(Online)
            yield person
        finally:
            listening.cancel()


@dataclass
class Friend:
    """A plain v1.3 user of the played server."""

    key: PrivateKey
    name: str = "bob"
    id: str = FRIEND_ID

    async def comes(self, link: Link) -> None:
        payload = {
            "user_id": self.id,
            "server_id": SERVER_ID,
            "meta": {"display_name": self.name},
            "pubkey": self.key.public.text,
        }
        await link.say("USER_ADVERTISE", payload, to="*")

    async def sends_file(
        self, link: Link, suite: SymbolicSuite, name: str, content: bytes, sha256: str
    ) -> None:
        """FILE_START, chunks of 400 bytes, FILE_END, as section 8 has them without extensions."""
        file_id = "44444444-4444-4444-8444-444444444444"
        pieces = [content[at : at + 400] for at in range(0, len(content), 400)]
        reader = suite.parse_public(link.heard[0]["payload"]["pubkey"])
        start = {"file_id": file_id, "name": name, "size": len(content), "sha256": sha256}
        await self.frame(link, "FILE_START", {**start, "mode": "dm"})
        for index, piece in enumerate(pieces):
            ciphertext = base64url.encode(reader.seal(piece))
            chunk = {"file_id": file_id, "index": index, "ciphertext": ciphertext}
            await self.frame(link, "FILE_CHUNK", chunk)
        await self.frame(link, "FILE_END", {"file_id": file_id})

    async def frame(self, link: Link, kind: str, payload: dict[str, object]) -> None:
        """From the friend, handed over by the server."""
        frame = {
            "type": kind,
            "from": self.id,
            "to": link.user_id,
            "ts": now_ms(),
            "payload": {**payload, "sender": self.id},
        }
        await link.socket.send_str(json.dumps(frame))

    async def tells(self, link: Link, suite: Suite, text: str) -> None:
        """A direct message, delivered."""
        reader = suite.parse_public(link.heard[0]["payload"]["pubkey"])
        ts = now_ms()
        raw = reader.seal(text.encode())
        payload = {
            "ciphertext": base64url.encode(raw),
            "sender": self.id,
            "sender_pub": self.key.public.text,
            "content_sig": content_sig.sign_direct(self.key, raw, self.id, link.user_id, ts),
        }
        await link.say("USER_DELIVER", payload, ts=ts)


@asynccontextmanager
async def two(
    folder: Path, server: Server, suite: SymbolicSuite
) -> AsyncIterator[tuple[Person, Link, Friend]]:
    """Alice at her client, her link at the server, and Bob, who has come."""
    async with somebody(folder, server.url, suite) as alice:
        link = await server.link()
        bob = Friend(suite.generate())
        await bob.comes(link)
        yield alice, link, bob
