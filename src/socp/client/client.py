"""The library's front door: somebody who is attached to a server, and what they can do there.

async with Client.open(Path("alice"), "ws://localhost:8001", name="alice") as alice:
    line = await alice.send(alice.find("bob"), "hello")
    await line.settled()
    async for notice in alice.events():
        ...
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final, Self, TypeVar
from weakref import WeakValueDictionary

from socp.client import server_url, sources
from socp.client.attachment import Attachment
from socp.client.drafting import Drafting
from socp.client.errors import NoAnswer, ProfileUnusable, first_of
from socp.client.file_work import FileWork
from socp.client.finding import find
from socp.client.history import LINES, History
from socp.client.inbox import Inbox
from socp.client.key_change import KeyChange
from socp.client.line import Line
from socp.client.notices import Notice
from socp.client.opening import chosen, opened, who
from socp.client.own_passphrase import OwnPassphrase
from socp.client.profile_folder import USUAL, Chosen, OpenProfile
from socp.client.saying import Saying
from socp.client.sinks import Downloads
from socp.client.trusting import Trusting
from socp.client.unlocking import Lock
from socp.client.unstoppable import finished
from socp.client.walk import Walk
from socp.crypto.keys import RsaSuite, Suite
from socp.member import effects, events
from socp.member.contacts import AddressBook
from socp.member.effects import ListAnswered, WhoisAnswered
from socp.member.history_line import Conversation, HistoryLine
from socp.member.member import Member
from socp.storage.errors import StorageError

ANSWER_S: Final = 10
A = TypeVar("A")


class Client(Saying, Trusting, Drafting):
    """One user. Use `Client.open`; everything here belongs to the event loop it was opened in."""

    def __init__(
        self,
        profile: OpenProfile,
        url: server_url.ServerUrl,
        suite: Suite,
        downloads: Path,
        invitation: str = "",
    ) -> None:
        self.url = url.text
        self.user_id = profile.user_id
        self.name = profile.display_name
        self.new_key = profile.keys.made
        self.downloads = downloads
        self.passphrase = OwnPassphrase(profile.folder)
        self._suite = suite
        self._store = profile.store
        self._settings, self._choosing = profile.settings, asyncio.Lock()
        self._member = Member(
            who(profile, url.text, invitation),
            suite,
            profile.keys.present,
            profile.store.load(),
            pending=profile.keys.new,
            former=profile.keys.former,
        )
        self._history = History(profile.folder, profile.store.vault)
        self._walk = Walk(self._member, profile.store, self._carry_out)
        self._inbox = Inbox()
        told, ahead = self._inbox.put, self._member.ahead
        self._attachment = Attachment(url, self._walk, ahead, told, self._room)
        self._tasks = asyncio.TaskGroup()
        self._running: set[asyncio.Task[None]] = set()
        self._files = FileWork(
            Downloads(downloads), self._start, self._walk.feed, self._attachment.outgoing_room
        )
        self._key_change = KeyChange(
            profile.folder, profile.store.vault, suite, self._walk.feed, self._start
        )
        self._lines: WeakValueDictionary[int, Line] = WeakValueDictionary()
        self._lists: list[asyncio.Future[ListAnswered]] = []
        self._look_ups: dict[str, list[asyncio.Future[WhoisAnswered]]] = {}
        for warning in profile.warnings:
            self._inbox.put(effects.Warned(warning))

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls,
        profile: Path | str,
        server: str = "",
        *,
        name: str = "",
        downloads: Path | str | None = None,
        lock: Lock | None = None,
        invitation: str = "",
        suite: Suite | None = None,
        making_key: Callable[[], None] = lambda: None,
        usual: Chosen = USUAL,
    ) -> AsyncIterator[Self]:
        """Open the profile folder (made where missing, with a new key), stay attached to `server`.

        `name` is the label that others see; received files land in `downloads`. Both are
        remembered, and the server once it took us, so that the folder alone is enough the next
        time; `usual` is what they are where nobody ever said. `lock` says how a new profile is
        sealed, and opens one that has a passphrase. `making_key` is called, in a thread, where a
        new key keeps everybody waiting for some seconds; `invitation` is the code that a server may
        want of somebody new.

        When the block is left it is closed: `events` end, and what is asked of it from then on is
        ClientClosed.

        BadAddress, ProfileBusy, SealUnchosen, VaultLocked, WrongPassphrase (who tries again waits),
        WeakPassphrase for a new profile's passphrase, ProfileUnusable; the last also later, when
        nothing more can be remembered.
        """
        profile, suite = Path(profile), suite or RsaSuite()
        there = server_url.parse(server) if server else None
        said = chosen(name, Path(downloads) if downloads else None)
        kept = await opened(profile, said, suite, lock, making_key, usual)
        try:
            url = there or server_url.parse(kept.settings.server_url)
            files = Path(kept.settings.downloads)
            # In a thread, for where much was said it takes its time.
            making = asyncio.to_thread(cls, kept, url, suite, files, invitation)
            me = await finished(making, lambda _: None)
            await asyncio.to_thread(Downloads(files).sweep)
            try:
                async with me._tasks, me._attached():
                    yield me
            except BaseExceptionGroup as group:
                raise first_of(group) from None
            finally:
                await asyncio.to_thread(me._history.close)
        finally:
            await asyncio.to_thread(kept.store.close)

    # --- who ------------------------------------------------------------------------------------

    @property
    def contacts(self) -> AddressBook:
        """Everybody known."""
        return self._member.contacts

    @property
    def fingerprint(self) -> str:
        """Of the present key."""
        return self._member.fingerprint

    @property
    def attached(self) -> bool:
        """Whether the server took us and the link lives."""
        return self._member.attached

    @property
    def replaced(self) -> bool:
        """Whether the key was replaced on another machine: `revoke_key` is all that is left."""
        return self._member.replaced

    def reaches(self, to: str) -> bool:
        """Whether something to a user id or "public" could go out now."""
        return self._member.reaches(to)

    def find(self, name_or_id: str) -> str:
        """The user id meant by a name, an id or its start; UnknownPerson, AmbiguousPerson."""
        return find(self.contacts, name_or_id)

    # --- what was said --------------------------------------------------------------------------

    async def history(
        self, who: str, *, since_ms: int = 0, before: int = 0, limit: int = LINES
    ) -> list[HistoryLine]:
        """The newest lines with a user id or "public", the oldest of them first, as they stand now.
        `since_ms`: only what came then (Unix ms) or later; `before`: only smaller numbers."""
        return await self._history.lines(who, since_ms=since_ms, before=before, limit=limit)

    async def history_after(
        self, who: str, number: int, *, limit: int = LINES
    ) -> list[HistoryLine]:
        """The lines with a user id or "public" that follow the one of this number, the oldest of
        them first."""
        return await self._history.lines_after(who, number, limit=limit)

    async def search(self, words: str, *, who: str = "", limit: int = LINES) -> list[HistoryLine]:
        """The newest lines that have all these words in them, be they parts of longer ones, the
        newest first; with a user id or "public", or with anybody."""
        return await self._history.search(words, talk=who, limit=limit)

    async def line_of(self, msg_ref: str) -> HistoryLine | None:
        """The line that a reply or a reaction is about; None where it is not known here."""
        return await self._history.line_of(msg_ref)

    async def conversations(self, *, limit: int = LINES) -> list[Conversation]:
        """With whom there was one, the latest first: its last line, and how many are unread."""
        return await self._history.conversations(limit=limit)

    # --- ask ------------------------------------------------------------------------------------

    async def list_users(self) -> tuple[str, ...]:
        """Who the server says is registered or online (user ids, sorted). NoAnswer."""
        answer: asyncio.Future[ListAnswered] = asyncio.get_running_loop().create_future()
        self._lists.append(answer)
        try:
            self._walk.ask(events.RequestList())
            return (await self._answered(answer)).users
        finally:
            self._lists.remove(answer)

    async def look_up(self, user_id: str) -> WhoisAnswered:
        """Somebody's key, from our pins or the directory. NoAnswer."""
        answer: asyncio.Future[WhoisAnswered] = asyncio.get_running_loop().create_future()
        waiting = self._look_ups.setdefault(user_id, [])
        waiting.append(answer)
        try:
            self._walk.ask(events.LookUp(user_id))
            return await self._answered(answer)
        finally:
            waiting.remove(answer)
            if not waiting:
                self._look_ups.pop(user_id, None)

    async def send_file(self, to: str, path: Path | str) -> str:
        """Offer a file to a user id or "public", or to whom a name means as in `send`; its file_id.
        FileUnsendable, UnknownPerson, AmbiguousPerson.

        FileDone or FileFailed in `events` says how it went, FileWaits what it waits for. To a
        person it goes on by itself, in a later run too; leave the file where it is until then.
        """
        self._walk.check_open()
        to = self._addressee(to)
        source = await asyncio.to_thread(sources.measure, Path(path))
        file_id = str(uuid.uuid4())
        self._files.offer(file_id, source)
        offer = events.OfferFile(
            file_id=file_id,
            to=to,
            name=source.name,
            size=source.size,
            sha256=source.sha256,
            chunk_hashes=source.chunk_hashes,
            path=str(source.path),
            modified_ns=source.modified_ns,
        )
        await self._walk.ask(offer).done
        return file_id

    async def cancel_file(self, file_id: str) -> None:
        """Break a transfer off, whichever way it goes."""
        await self._walk.ask(events.CancelFile(file_id)).done

    async def rotate_key(self) -> None:
        """Make a new key, signed by the present one, and go on with it: seconds, or as long as
        something is on its way. KeyUnchanged, NoAnswer."""
        self._walk.check_open()
        await self._key_change.rotate()

    async def revoke_key(self) -> None:
        """Say the last word of this id: nobody takes it from then on. KeyUnchanged, NoAnswer."""
        self._walk.check_open()
        await self._key_change.revoke()

    async def events(self) -> AsyncIterator[Notice]:
        """Everything there is to be told, in order, from the start on, until the client is closed.
        One reader.

        A message counts as seen when the next notice is asked for. One that does not, for whatever
        reason, is told again when this profile is opened again.
        """
        async for notice in self.notices():
            yield notice
            self.shown(notice)

    async def notices(self) -> AsyncIterator[Notice]:
        """As `events`, for those who say themselves when a message was `shown`."""
        while (notice := await self._inbox.get()) is not None:
            if not isinstance(notice, effects.Amended) or await self._history.counts(notice):
                yield notice

    def shown(self, notice: Notice) -> None:
        """The person has seen this: it is not told again."""
        match notice:
            case effects.MessageArrived(number=number) | effects.MessageRefused(number=number):
                if number and not self._walk.closed:
                    self._walk.feed(events.Shown((number,)))

    # --- behind the door ------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _attached(self) -> AsyncIterator[None]:
        walking = self._tasks.create_task(self._walk.run())
        attached = self._tasks.create_task(self._attachment.run())
        ticking = self._tasks.create_task(self._attachment.tick())
        try:
            yield
        finally:
            self._walk.closed = True
            self._inbox.close()
            ticking.cancel()
            if not walking.done():
                self._walk.feed(events.Leave())
                await self._walk.settled()
            attached.cancel()
            await asyncio.wait({attached})
            if not walking.done():
                await self._walk.settled()
                await self._key_change.files_right()
            for task in (walking, *self._running):
                task.cancel()

    def _start(self, work: Coroutine[None, None, None]) -> None:
        """Run beside the rest until done, or until we close."""
        task = self._tasks.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _room(self) -> None:
        await self._walk.waiting.room()
        await self._inbox.waiting.room()
        await self._files.writing.room()

    async def _answered(self, answer: asyncio.Future[A]) -> A:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            why = "it does not answer" if self.attached else "there is no link to it"
            raise NoAnswer(f"nothing from {self.url}: {why}; try again later") from None

    def _carry_out(self, effect: effects.Effect, link: int) -> None:
        match effect:
            case effects.Transmit():
                self._attachment.send(effect.frame, link)
            case effects.Tell():
                self._told(effect.notice)
            case effects.Disconnect():
                self._attachment.hang_up(effect.reason, link, retry=effect.retry)
            case effects.Persist():
                pass  # done, before anything of its batch came here
            case effects.PromoteKey() | effects.DropKey():
                self._key_change.carry_out(effect)
            case effects.GenerateChannelKey():
                self._start(self._generate(effect.version))
            case effects.LoadSent():
                self._start(self._load_sent(effect))
            case _:
                self._files.carry_out(effect)

    async def _generate(self, version: int) -> None:
        key = await asyncio.to_thread(self._suite.generate)
        self._walk.feed(events.ChannelKeyGenerated(version, key))

    async def _load_sent(self, wanted: effects.LoadSent) -> None:
        loading = self._store.sent(wanted.to, wanted.run, wanted.seqs)
        try:
            lines = await asyncio.wrap_future(loading)
        except StorageError as fault:
            raise ProfileUnusable(f"what was sent cannot be read again: {fault}") from None
        self._walk.feed(events.SentLoaded(lines))

    def _told(self, notice: effects.Notice) -> None:
        match notice:
            case effects.Online():
                self._attachment.online()
                if self._settings.server_url != self.url:
                    self._start(self._choose(lambda was: replace(was, server_url=self.url)))
            case effects.LineMoved():
                if line := self._lines.get(notice.line_id):
                    line.moved(notice)
            case effects.OwnKeyMoved():
                waits = self._key_change.moved(notice)
                if not waits and notice.state is effects.OwnKeyState.REFUSED:
                    text = f"the new key of an earlier run is not used: {notice.reason}"
                    self._inbox.put(effects.Warned(text))
            case effects.ListAnswered():
                _resolve(self._lists, notice)
            case effects.WhoisAnswered():
                _resolve(self._look_ups.get(notice.user_id, ()), notice)
            case effects.FileDone() | effects.FileFailed() if notice.sending:
                self._files.sent(notice.file_id)
        self._inbox.put(notice)


def _resolve(waiting: Iterable[asyncio.Future[A]], answer: A) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(answer)
