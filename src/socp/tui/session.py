"""All that the screen shows of one client, as plain data: widgets read it, and are told what part
of it changed. What is true is in the library; here is what was made of it to be looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from socp.client.client import Client
from socp.client.clock import now_ms
from socp.client.errors import ClientClosed
from socp.client.line import Line
from socp.client.notices import GivenUp, Notice, Offline
from socp.member import effects
from socp.member.history_line import HistoryLine
from socp.member.records import TrustState
from socp.talk.entries import Entry
from socp.talk.idle import clock_s
from socp.talk.obeying import Obeying
from socp.talk.parsing import typed
from socp.tui.asides import Asides
from socp.tui.drafts import Drafts
from socp.tui.gaps import Gaps
from socp.tui.link import Link
from socp.tui.parts import Part
from socp.tui.rows import drawn
from socp.tui.talks import TALKS_MAX, Last, Talks
from socp.tui.unseen import Came, Unseen, talk_of
from socp.tui.window import Window
from socp.wire.ids import PUBLIC

FRAME_S: Final = 0.1
"""What comes within it is read together, but for the first that comes after a pause: nobody reads
more often, and each time the lines move up all of them are drawn."""
KEEP_S: Final = 2.0
"""What was typed is in the profile after so long: as much as a crash can cost."""
KEPT_S: Final = 60.0
"""What a server kept comes within it."""
_RECALLED_TALKS: Final = 8
_ASIDE: Final = (effects.Warned, effects.MembersShown, effects.OwnKeyMoved)
_NOTED: Final = (effects.KeyChanged, effects.KeyReplaced, effects.KeyRevoked, effects.TrustMoved)
Told = effects.FileDone | effects.FileFailed | effects.FileWaits
File = effects.FileProgress | effects.FileWaits | effects.FileDone | effects.FileFailed


class Session(Obeying):
    """Belongs to the loop of its client. `run` reads and follows until `leave`."""

    def __init__(
        self,
        me: Client,
        changed: Callable[[Part], None],
        arrived: Callable[[Came], None] = lambda _: None,
    ) -> None:
        """`changed` is told which parts are to be drawn anew; `arrived` of each new message."""
        super().__init__(me, self.say, patience_s=0, has_toolbar=True)
        self.turned_to = PUBLIC
        self.link = Link(since_s=clock_s())
        self.talks = Talks()
        self.unseen = Unseen()
        self.gaps = Gaps()
        self.asides = Asides()
        self.drafts = Drafts()
        self.here: set[str] = set()  # user ids
        self.window = Window(me, PUBLIC)
        self.new_from = 0  # the first line that came since one was here last, 0 for none
        self.found = 0  # the line that was jumped to, 0 for none
        self._told = changed
        self._arrived = arrived
        self._woken = asyncio.Event()
        self._left = asyncio.Event()
        self._began_ms, self._began_s = now_ms(), clock_s()
        self._away = False  # nobody looks at the screen
        self._draft_due = asyncio.Event()  # to be kept now
        self._opening = True  # the window was not read yet
        self._more_before = self._more_after = False
        self._reading = False  # what changed

    # --- its life -------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Take up again what was being typed, with whom one talked last. ProfileUnusable."""
        self.drafts.load(await self.me.drafts())
        self.talks.load(await self.me.conversations(limit=TALKS_MAX))
        self.turned_to = self.talks.order(1)[0]
        self.window = Window(self.me, self.turned_to)

    async def run(self) -> None:
        """Until `leave` is called. ClientError where the profile cannot be used any more."""
        for talk in self.drafts.talks():
            self.talks.begin(talk)
        self._woken.set()
        self._told(Part.ALL)
        tasks = {
            asyncio.create_task(self._follow()),
            asyncio.create_task(self._keep_up()),
            asyncio.create_task(self._keep_drafts()),
            asyncio.create_task(self._left.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for each in ended:
            shut = isinstance(each, ClientClosed) and self._left.is_set()  # while one read on
            if isinstance(each, Exception) and not shut:
                raise each
        await self.me.keep_drafts(self.drafts.unkept())

    def leave(self) -> None:
        """The person goes."""
        self._left.set()

    # --- which conversation ---------------------------------------------------------------------

    def turn_to(self, talk: str, *, at: int = 0) -> None:
        """Look at the conversation with a user id or "public"; at the line of a number."""
        if talk != self.turned_to or at:
            self.asides.clear(self.turned_to)
            self.turned_to, self.found = talk, at
            self.new_from = self.unseen.first(talk)
            self.window = Window(self.me, talk)
            self._opening = True
        self.talks.begin(talk)
        self._told(Part.ALL)
        self._woken.set()

    def more(self, *, before: bool) -> None:
        """Somebody scrolls to where nothing is loaded: load it."""
        if before:
            self._more_before = True
        else:
            self._more_after = True
        self._woken.set()

    def to_end(self) -> None:
        """Look at the newest lines again."""
        self.found = 0
        if not self.window.to_end:
            self.window = Window(self.me, self.turned_to)
            self._opening = True
            self._woken.set()

    def see(self) -> None:
        """The person looks at the end of the open conversation."""
        if self._opening or not self.window.to_end:
            return
        came = self.unseen.take(self.turned_to)
        for notice in came:
            self.me.shown(notice)
        if came:
            self._told(Part.TALKS)

    def go_away(self) -> None:
        """Nobody looks at the screen from now on: what comes is new when somebody does again."""
        self._away = True
        if not self.unseen.count(self.turned_to):
            self.new_from = 0

    def come_back(self) -> None:
        """Somebody does."""
        self._away = False
        self._told(Part.LINES)

    @property
    def up_to_date(self) -> bool:
        """Whether nothing that changed waits to be read."""
        return not self._reading and not self._woken.is_set()

    @property
    def blocked(self) -> bool:
        """Whether a changed key stops the open conversation until the person decides."""
        return self.state_of(self.turned_to) is TrustState.CHANGED

    def state_of(self, talk: str) -> TrustState:
        """What is known of somebody's key; everyone has none."""
        return TrustState.UNVERIFIED if talk == PUBLIC else self.me.trust_of(talk)

    @property
    def downloads(self) -> str:
        """The folder of received files."""
        return str(self.me.downloads)

    def called(self, user_id: str) -> str:
        """What somebody is called; "everyone" of the public channel."""
        return drawn(self.phrases.name(user_id))

    def answered(self, msg_ref: str) -> HistoryLine | None:
        """What a reply in the open conversation is about, where it is known."""
        return self.window.about.get(msg_ref)

    def file(self, file_id: str) -> effects.FileProgress | effects.FileWaits | None:
        """A file that is on its way."""
        return self.transfers.at(file_id)

    # --- what is said ---------------------------------------------------------------------------

    def say(self, entry: Entry, file_id: str = "") -> None:
        """Tell the person something, beside the open conversation; of a file, where it stands."""
        lines = self.window.lines  # none while it is being opened, which is at its end
        last = lines[-1].number if lines else self.talks.highest
        self.asides.say(self.turned_to, last, entry, file_id)
        self._told(Part.LINES)

    def said(self, line: Line) -> None:
        """See Obeying."""
        if line.last.kind == "text":
            self.talks.put(line.to, Last(self.me.user_id, line.text, now_ms()))
        self.new_from = self.found = 0
        self._draft_due.set()  # nobody shall find again what they said
        self._told(Part.TALKS)
        self._wake()

    # --- what happens ---------------------------------------------------------------------------

    async def _follow(self) -> None:
        async for notice in self.me.notices():
            self._heard(notice)
            self.patience.heard(notice)
            if isinstance(notice, GivenUp):  # nothing more is heard, and much is there to be read
                await self._left.wait()

    def _heard(self, notice: Notice) -> None:
        match notice:
            case effects.Online() | Offline() | GivenUp():
                self._link_moved(notice)
            case effects.MessageArrived() | effects.MessageRefused():
                self._came(notice)
            case effects.Amended():
                if notice.talk == self.turned_to:
                    self.window.amended(notice.of)
                    self._wake()
            case effects.LineMoved():
                self._line_moved(notice)
            case effects.GapFound() | effects.GapClosed():
                self.gaps.heard(notice)
                self._told(Part.LINES)
            case effects.PeerMoved():
                (self.here.add if notice.online else self.here.discard)(notice.user_id)
                self._told(Part.PEOPLE | Part.TALKS | Part.TALK)
            case (
                effects.FileOffered()
                | effects.FileProgress()
                | effects.FileWaits()
                | effects.FileDone()
                | effects.FileFailed()
            ):
                self._file_moved(notice)
            case _:
                self._noted(notice)

    def _link_moved(self, notice: effects.Online | Offline | GivenUp) -> None:
        self.link = self.link.moved(notice, clock_s())
        if not self.link.attached:
            self.here.clear()
        self._told(Part.LINK | Part.PEOPLE | Part.TALKS | Part.TALK)

    def _came(self, notice: Came) -> None:
        talk = talk_of(notice)
        self.unseen.came(notice)
        if isinstance(notice, effects.MessageArrived):
            if not self.talks.is_loaded(notice.said):
                self.talks.put(talk, Last(notice.author, notice.text, now_ms()))
            self._arrived(notice)
        self._told(Part.TALKS)
        if talk == self.turned_to:
            if isinstance(notice, effects.MessageArrived) and not self.new_from:
                missed = self._opening or self._away or self._was_kept(notice)
                self.new_from = notice.said if missed else 0
            self._wake()

    def _was_kept(self, notice: effects.MessageArrived) -> bool:
        """Whether it was said before this run, and comes with what a server kept. Later than that
        their clock is behind ours."""
        return clock_s() - self._began_s < KEPT_S and notice.ts < self._began_ms

    def _line_moved(self, moved: effects.LineMoved) -> None:
        if moved.to == self.turned_to:
            if moved.said:
                self.window.moved(moved.said)
            self._wake()

    def _file_moved(self, notice: effects.FileOffered | File) -> None:
        if isinstance(notice, effects.FileOffered):
            self.transfers.received(notice)
            talk = PUBLIC if notice.public else notice.author
            self.talks.put(talk, Last(notice.author, notice.name, now_ms()))
            self._told(Part.TALKS)
        else:
            self.transfers.moved(self.transfers.by_author(notice))
            if isinstance(notice, effects.FileDone | effects.FileFailed | effects.FileWaits):
                self._say_of_file(notice)
            self.window.file_moved(notice.file_id)
        self._wake()

    def _say_of_file(
        self, notice: effects.FileDone | effects.FileFailed | effects.FileWaits
    ) -> None:
        if entry := self.phrases.entry(notice, now_ms()):
            self.say(entry, notice.file_id)

    def _noted(self, notice: Notice) -> None:
        """What is said beside the conversation, and what is a note in one."""
        if isinstance(notice, _NOTED):
            self._told(Part.TRUST | Part.PEOPLE | Part.TALKS | Part.TALK)
            self._wake()
        if isinstance(notice, _ASIDE) and (entry := self.phrases.entry(notice, now_ms())):
            self.say(entry)

    async def _keep_drafts(self) -> None:
        """Now and then, and not at each key."""
        await self._recall()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(KEEP_S):
                    await self._draft_due.wait()
            self._draft_due.clear()
            if unkept := self.drafts.unkept():
                await self.me.keep_drafts(unkept)

    async def _recall(self) -> None:
        """What one said in earlier runs can be had again too."""
        mine: list[HistoryLine] = []
        for talk in self.talks.order(_RECALLED_TALKS):
            lines = await self.me.history(talk)
            mine += [line for line in lines if line.author == self.me.user_id]
        mine.sort(key=lambda line: line.number)
        self.drafts.said_earlier(
            typed(line.text) for line in mine if line.kind == "text" and not line.deleted
        )

    # --- reading --------------------------------------------------------------------------------

    def _wake(self) -> None:
        self._woken.set()

    async def _keep_up(self) -> None:
        """Read what changed; what changes meanwhile is read together, a frame later."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            self._reading = True
            await self._read()
            self._reading = False
            self._told(Part.LINES)
            await asyncio.sleep(FRAME_S)

    async def _read(self) -> None:
        window = self.window
        if self._opening:
            self._more_before = self._more_after = False
            await (window.open_at(self.found) if self.found else window.open_end())
            if window is self.window:
                self._opening = False
            else:
                self._woken.set()
            return
        if self._more_before:
            self._more_before = False
            await window.older()
        if self._more_after:
            self._more_after = False
            await window.newer()
        await window.catch_up()
        if window.lines and window.to_end:
            before = self.talks.last(window.talk)
            self.talks.said(window.lines[-1])
            if self.talks.last(window.talk) != before:  # a file, or what was changed
                self._told(Part.TALKS)
