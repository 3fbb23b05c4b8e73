"""The full screen with a played server: a person at the keys, and a friend whom the test plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from textual.widgets import Static

from socp.client.unlocking import Plain
from socp.crypto.symbolic import SymbolicSuite
from socp.member.draft import Draft
from socp.member.effects import PeerMoved
from socp.member.history_line import HistoryLine
from socp.tui.app import SocpApp
from socp.tui.choices_file import Choices
from socp.tui.composer import Composer
from socp.tui.conversations import ConversationList
from socp.tui.messages import MessagePane
from socp.tui.opening import Opening
from socp.tui.session import Session
from socp.tui.talk_screen import TalkScreen
from socp.wire import content
from socp.wire.content import Body, Place
from tests.client.mailbox_server import Absent, MailServer, keeping
from tests.client.people import somebody
from tests.client.v13_server import Link, now_ms
from tests.tui.hands import PATIENCE_S, SIZE, Hands, hands_on

THEIR_RUN = "b" * 16


@dataclass
class Stage:
    """Alice at the screen; Bob wherever the test wants him."""

    app: SocpApp
    pilot: Hands
    server: MailServer
    link: Link
    bob: Absent
    suite: SymbolicSuite
    seq: int = field(default=0)

    @property
    def session(self) -> Session:
        assert self.app.session is not None
        return self.app.session

    @property
    def talk(self) -> TalkScreen:
        assert self.app.talk is not None
        return self.app.talk

    @property
    def composer(self) -> Composer:
        return self.talk.composer

    @property
    def messages(self) -> MessagePane:
        return self.talk.messages

    def read(self, selector: str) -> str:
        """What stands in a line of text."""
        return str(self.app.screen.query_one(selector, Static).render())

    async def types(self, text: str) -> None:
        """Key by key."""
        names = {" ": "space", "/": "slash", ":": "colon", "+": "plus", "-": "minus"}
        await self.pilot.press(*(names.get(char, char) for char in text))

    async def says(self, text: str) -> None:
        await self.types(text)
        await self.pilot.press("enter")

    async def enters(self, text: str) -> None:
        """As if it was pasted, then Enter."""
        await self.pilot.settled()
        self.composer.take(Draft(text))
        await self.pilot.press("enter")

    async def file_waits(self) -> None:
        """A file to bob, of which the server takes nothing yet."""
        self.server.takes_files = False
        path = self.session.me.downloads / "long.bin"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(3_000_000))
        await self.enters(f"/file bob {path}")
        await self.sees("▤ long.bin")

    async def begins_again(self) -> None:
        """Nothing lies over the talk with bob, and nothing is typed."""
        self.server.takes_files = True
        while len(self.app.screen_stack) > 2:
            await self.app.pop_screen()
        self.session.see()
        if self.session.turned_to != self.bob.id:
            await self.opens()
        self.session.asides.clear(self.bob.id)
        self.messages.action_newest()
        self.composer.take(Draft())
        self.composer.focus()
        await self.pilot.settled()

    async def said_by_bob(self, text: str) -> str:
        """He says it, and it is in sight; the msg_ref."""
        ref = await self.bob_says(text)
        await self.until(lambda: self.ends_with(text), text)
        return ref

    async def said_by_me(self, text: str) -> str:
        """It is in sight and has its name; the msg_ref."""
        await self.enters(text)
        await self.until(lambda: self.ends_with(text) and self.last.msg_ref, text)
        return self.last.msg_ref

    @property
    def last(self) -> HistoryLine:
        """The last line of the open conversation."""
        return self.session.window.lines[-1]

    def ends_with(self, text: str) -> bool:
        """Whether that is the last line."""
        return bool(self.session.window.lines) and self.last.text == text

    async def until(self, there: Callable[[], object], what: str = "") -> None:
        """Return when it is so; the screen is told in the failure."""
        try:
            await self.pilot.until(there)
        except TimeoutError:
            raise AssertionError(f"never: {what or there}\n{self.shown()}") from None

    def shown(self) -> str:
        """The conversation as it is on the screen."""
        return self.messages.text()

    async def sees(self, text: str) -> None:
        """In the open conversation, there or yet to come."""
        await self.until(lambda: text in self.shown(), f"{text!r} is shown")

    async def opens(self, who: str = "bob") -> None:
        """Turn to somebody, and wait until what was said is there."""
        self.session.turn_to(self.session.me.find(who))
        await self.until(lambda: self.session.window.to_end)

    def talks(self) -> str:
        """The list of conversations as it is on the screen."""
        return self.talk.query_one(ConversationList).text() + "\n"

    async def bob_reads(self, body: Body) -> None:
        """What he is sent, at some time."""
        await self.until(lambda: body in self._sent(), f"{body} is sent")

    def _sent(self) -> list[Body]:
        frames = (frame for frame in self.link.heard if frame["type"] == "MSG_DIRECT")
        return [self.bob.reads(frame)[0] for frame in frames]

    async def bob_says(self, body: Body | str) -> str:
        """Through `content/1`; the msg_ref."""
        self.seq += 1
        said = content.Text(body=body) if isinstance(body, str) else body
        place = Place(THEIR_RUN, self.seq, "")
        ref = self.bob.wrote(self.link, content.encode(said, place), now_ms())
        payload, ts = self.server.mail[ref]
        await self.link.say("USER_DELIVER", payload, ts=ts)
        return ref


async def made_known(
    folder: Path, server: MailServer, suite: SymbolicSuite, *, name: str = "bob"
) -> Absent:
    """Alice's profile, in which bob's key is pinned."""
    bob = Absent(server, suite.generate(), name)
    async with somebody(folder, server.url, suite) as alice:
        link = await server.link()
        await bob.is_known(link)
        await alice.hears(PeerMoved, lambda moved: not moved.online)
    return bob


@asynccontextmanager
async def stage(
    folder: Path,
    *,
    size: tuple[int, int] = SIZE,
    choices: Choices = Choices(notify="off"),  # noqa: B008 - it is frozen
    before: Callable[[Path], None] = lambda _: None,
    name: str = "bob",
    lock_after_s: float = 0,
) -> AsyncIterator[Stage]:
    """`before` may change the profile's folder."""
    suite = SymbolicSuite(7)
    async with keeping(suite) as server:
        bob = await made_known(folder, server, suite, name=name)
        before(folder / "alice")
        opening = Opening(
            folder / "alice",
            "",
            server.url,
            Plain(),
            folder / "downloads",
            lock_after_s=lock_after_s,
        )
        app = SocpApp(opening, choices, login="alice", suite=suite)
        async with hands_on(app, size) as pilot:
            link = await server.link(1)
            it = Stage(app, pilot, server, link, bob, suite)
            try:
                await it.until(lambda: app.session is not None and app.session.link.attached)
                await it.until(lambda: it.session.window.to_end)
                yield it
            finally:
                await leave(app)


Pilots = Mapping[str, Callable[[Stage], Awaitable[None]]]


async def driven(it: Stage, pilots: Pilots, names: Iterable[str]) -> None:
    """Each of them on one stage, from a fresh beginning; all that went wrong is told together."""
    faults = {}
    for name in names:
        await it.begins_again()
        try:
            await pilots[name](it)
        except AssertionError as fault:
            faults[name] = str(fault)
    assert not faults, "\n\n".join(f"--- {name}: {fault}" for name, fault in faults.items())


@asynccontextmanager
async def again(
    it: Stage,
    folder: Path,
    *,
    profile: str = "alice",
    choices: Choices = Choices(notify="off"),  # noqa: B008
) -> AsyncIterator[Stage]:
    """Alice quits, and starts again; her friend and their server stay. `profile` may be a copy of
    hers."""
    await leave(it.app)
    opening = Opening(folder / profile, "", it.server.url, Plain(), folder / "downloads")
    app = SocpApp(opening, choices, login="alice", suite=it.suite)
    number = len(it.server.links)
    async with hands_on(app) as pilot:
        link = await it.server.link(number)
        that = Stage(app, pilot, it.server, link, it.bob, it.suite, it.seq)
        try:
            await that.until(lambda: app.session is not None and app.session.link.attached)
            await that.until(lambda: that.session.window.to_end)
            yield that
        finally:
            await leave(app)


async def leave(app: SocpApp) -> None:
    """As the person does; the profile is closed when this returns."""
    if app.session is not None:
        app.session.leave()
    async with asyncio.timeout(PATIENCE_S):
        await app.workers.wait_for_complete()
