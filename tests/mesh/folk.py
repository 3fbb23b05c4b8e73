"""Three people at three real servers, in this process, and what they do together."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from socp.client.client import Client
from socp.client.unlocking import Plain
from socp.member.effects import FileDone, MessageArrived, Online, PeerMoved
from socp.member.records import LineState
from tests import logbook
from tests.cli.talkers import give_key
from tests.client.people import Person
from tests.mesh.launch import Running

NAMES = ("alice", "bob", "carol")
TRANSFER_S = 60.0


@asynccontextmanager
async def folk(folder: Path, servers: Sequence[Running]) -> AsyncIterator[list[Person]]:
    """Alice, Bob and Carol with stored keys, each attached to a server of their own."""
    async with AsyncExitStack() as stack:
        people = []
        for number, (name, server) in enumerate(zip(NAMES, servers, strict=True)):
            give_key(folder / name, number)
            downloads = folder / f"{name}-downloads"
            opening = Client.open(
                folder / name, server.url, name=name, downloads=downloads, lock=Plain()
            )
            person = Person(await stack.enter_async_context(opening), downloads)
            listening = asyncio.create_task(person.listen())
            stack.callback(listening.cancel)
            people.append(person)
        for person in people:
            await person.hears(Online)
        yield people


def others(person: Person, people: Sequence[Person]) -> list[Person]:
    return [other for other in people if other is not person]


async def see_each_other(people: Sequence[Person]) -> None:
    """What everybody was told last of each other is that they are here."""
    for person in people:
        for other in others(person, people):
            await is_told(person, other, online=True)


async def is_told(person: Person, other: Person, *, online: bool) -> None:
    def fits(moved: PeerMoved) -> bool:
        about = [m for m in person.heard(PeerMoved) if m.user_id == other.me.user_id]
        return about[-1:] == [moved] and moved.online is online

    moved = await person.hears(PeerMoved, fits)
    assert moved.display_name == other.me.name


async def reads(reader: Person, author: Person, text: str, *, public: bool) -> None:
    """It came, once, from who wrote it."""

    def fits(said: MessageArrived) -> bool:
        return said.text == text and said.public is public

    said = await reader.hears(MessageArrived, fits)
    assert said.author == author.me.user_id
    assert len([m for m in reader.heard(MessageArrived) if fits(m)]) == 1


async def talk(people: Sequence[Person]) -> None:
    """Everybody to everybody in private, and to all."""
    for author in people:
        lines = []
        for reader in others(author, people):
            text = f"in private from {author.me.name} to {reader.me.name}"
            logbook.said(text)
            lines.append(await author.me.send(reader.me.user_id, text))
        text = f"in public from {author.me.name}"
        logbook.said(text)
        lines.append(await author.me.send("public", text))
        assert LineState.REFUSED not in {await line.settled() for line in lines}
    for author in people:
        for reader in others(author, people):
            text = f"in private from {author.me.name} to {reader.me.name}"
            await reads(reader, author, text, public=False)
            await reads(reader, author, f"in public from {author.me.name}", public=True)


async def send_files(people: Sequence[Person], one: Path, all_: Path) -> None:
    """The first sends `one` to the second and `all_` to everybody; both arrive as they were."""
    author, second, third = people
    await author.me.send_file(second.me.user_id, one)
    await author.me.send_file("public", all_)
    for path, readers in ((one, [second]), (all_, [second, third])):
        for reader in readers:

            def fits(done: FileDone, name: str = path.name) -> bool:
                return done.name == name and not done.sending

            done = await reader.hears(FileDone, fits, TRANSFER_S)
            assert done.size == path.stat().st_size
            assert sha256(Path(done.path)) == sha256(path)
    assert not [done for done in third.heard(FileDone) if done.name == one.name]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
