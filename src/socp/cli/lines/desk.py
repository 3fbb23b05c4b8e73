"""Carries out what is typed and says what comes: the same for a terminal and for a script."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import assert_never

from socp.cli.lines import commands, own_key
from socp.cli.lines.amending import Amending
from socp.cli.lines.comings import Comings
from socp.cli.lines.commands import Command, Unclear
from socp.cli.lines.deciding import Deciding
from socp.cli.lines.entries import Entry
from socp.cli.lines.help import help_entries
from socp.cli.lines.listing import listing
from socp.cli.lines.looking_back import LookingBack
from socp.cli.lines.own_lines import OwnLines
from socp.cli.lines.parsing import parse
from socp.cli.lines.phrases import Phrases
from socp.cli.lines.readers import members
from socp.cli.lines.receipts import receipts
from socp.cli.lines.transfers import Transfers
from socp.cli.lines.words import fingerprint_text, time_of
from socp.cli.patience import Patience
from socp.client.client import Client
from socp.client.notices import GivenUp, Notice, Offline
from socp.member import effects
from socp.wire.ids import PUBLIC

Show = Callable[[Entry], None]


def now_ms() -> int:
    """Unix ms."""
    return time.time_ns() // 1_000_000


async def _at_once() -> None:
    """Somebody always may."""


class Left(Exception):
    """The person wants to go."""


class Desk:
    """`obey` what is typed, `follow` what happens. `patience_s`: a name may turn up that late."""

    def __init__(
        self,
        me: Client,
        show: Show,
        once_shown: Callable[[Callable[[], None]], None],
        *,
        hold_s: float,
        patience_s: float,
        has_toolbar: bool,
        ready: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        """`once_shown` calls what it is given when all that was shown before can be seen; `hold_s`:
        how long one's own line may be on its way before it is shown as waiting; `ready` returns
        when somebody may read what happens."""
        self.me = me
        self.turned_to = ""  # user id, "public", or nobody yet
        self._spoke = ""  # the user id of who spoke to us last, in private
        self.given_up = False
        self.id_revoked = False  # as was asked for
        self.here: set[str] = set()  # user ids; the toolbar asks at every key
        self.phrases = Phrases(me.contacts.label, me.user_id, me.url)
        self._show = show
        self._once_shown = once_shown
        self._ready = ready
        self._patience = Patience(me, patience_s)
        self.lines = OwnLines(self.phrases, show, hold_s)
        self.transfers = Transfers(self.phrases, show, has_toolbar=has_toolbar)
        self._comings = Comings(self.phrases, show)
        self.looking_back = LookingBack(me, self.phrases)
        self._amending = Amending(me)
        self._deciding = Deciding(me, self.phrases, show, drawn if has_toolbar else lambda _: [])

    # --- what is typed --------------------------------------------------------------------------

    async def obey(self, line: str) -> None:
        """Carry out one line. Unclear or ClientError say why not; Left."""
        # A terminal hands over bytes that are no UTF-8 as lone surrogates, which nobody could send.
        command = parse(line.encode(errors="replace").decode())
        if command is not None:
            await self._do(command)

    async def _do(self, command: Command) -> None:
        match command:
            case commands.Tell() | commands.TellAll() | commands.Plain():
                await self._say(await self._addressee(command), command.text)
            case commands.Reply() | commands.Edit() | commands.Delete() | commands.React():
                await self._amend(command)
            case commands.ShowHistory() | commands.Search():
                await self._look_back(command)
            case commands.Verify():
                await self._deciding.verify(await self._patience.find(command.who), command)
            case commands.Trust():
                await self._deciding.trust(await self._patience.find(command.who), command)
            case commands.SendFile():
                await self._send_file(command)
            case commands.Cancel():
                await self.me.cancel_file(self.transfers.named(command.name))
            case commands.RotateKey() | commands.RevokeKey():
                await self._patience.attached(or_replaced=isinstance(command, commands.RevokeKey))
                await own_key.change(self.me, command, self._show)
            case commands.Wait():
                await asyncio.sleep(command.seconds)
            case commands.Quit():
                raise Left
            case (
                commands.Whois()
                | commands.ListUsers()
                | commands.Members()
                | commands.Receipts()
                | commands.Help()
            ):
                await self._answer(command)
            case _:
                assert_never(command)

    async def _answer(
        self,
        command: commands.Whois
        | commands.ListUsers
        | commands.Members
        | commands.Receipts
        | commands.Help,
    ) -> None:
        match command:
            case commands.Whois():
                await self._whois(await self._patience.find(command.who))
            case commands.ListUsers():
                await self._list()
            case commands.Members():
                await members(self.me, self.phrases, command, self._show)
            case commands.Receipts():
                await receipts(self.me, command, self._show)
            case commands.Help():
                for entry in help_entries():
                    self._show(entry)

    async def _addressee(self, command: commands.Tell | commands.TellAll | commands.Plain) -> str:
        match command:
            case commands.Tell():
                return await self._patience.find(command.who)
            case commands.TellAll():
                return PUBLIC
        if not self.turned_to:
            raise Unclear(f"to whom? /tell {self._caller()} text or /all text; then just type")
        return self.turned_to

    async def _say(self, to: str, text: str) -> None:
        self.turned_to = to
        if text:
            self.lines.said(await self.me.send(to, text))

    def _caller(self) -> str:
        """Who spoke to us last, as it is typed: most likely they are meant, but who is answered
        unasked is answered by mistake."""
        return self.phrases.name(self._spoke).replace(" ", "_") if self._spoke else "NAME"

    async def _amend(
        self, command: commands.Reply | commands.Edit | commands.Delete | commands.React
    ) -> None:
        if not self.turned_to:
            raise Unclear(f"in which talk? /tell {self._caller()} or /all turns to it")
        self.lines.said(await self._amending.do(self.turned_to, command))

    async def _look_back(self, command: commands.ShowHistory | commands.Search) -> None:
        if isinstance(command, commands.Search):
            entries = await self.looking_back.search(command.words, now_ms())
        else:
            who = await self._patience.addressee(command.who) if command.who else self.turned_to
            if not who:
                raise Unclear("with whom? /history NAME, or /history all")
            entries = await self.looking_back.history(who, command.count, now_ms())
        for entry in entries:
            self._show(entry)

    async def _send_file(self, command: commands.SendFile) -> None:
        to = await self._patience.addressee(command.who)
        path = typed_path(command.path)
        if _is_there(path):  # one that does not is refused at once
            await self._patience.reached(to)
        self.transfers.offered(await self.me.send_file(to, path), path.name)

    async def _list(self) -> None:
        await self._patience.attached()
        users = await self.me.list_users()
        for entry in listing(self.me, self.phrases, users, now_ms()):
            self._show(entry)

    async def _whois(self, user_id: str) -> None:
        if user_id == self.me.user_id:
            self._facts("you", user_id, self.me.fingerprint, "")
            return
        answer = await self.me.look_up(user_id)
        person = next((p for p in self.me.contacts.members() if p.user_id == user_id), None)
        facts = [answer.note] if answer.note else []
        if person and person.first_seen_ms:
            facts.append(f"first seen {time_of(person.first_seen_ms, now_ms())}")
        note = "; ".join(facts)
        self._facts(self.phrases.name(user_id), user_id, answer.pubkey_fingerprint, note)

    def _facts(self, name: str, user_id: str, fingerprint: str, note: str) -> None:
        rows = [f"id  {user_id}", f"key {fingerprint_text(fingerprint)}", *([note] if note else [])]
        self._show(Entry((("class:name", f"{name}  "),), "\n".join(rows)))

    # --- what happens ---------------------------------------------------------------------------

    async def follow(self) -> None:
        """Say what happens until it is over for good (`given_up`)."""
        async for notice in self.me.notices():
            await self._ready()
            await self._heard(notice)
            self._patience.heard(notice)
            if isinstance(notice, GivenUp):
                self.given_up = True
                return

    async def _heard(self, notice: Notice) -> None:
        match notice:
            case effects.LineMoved():
                self._comings.tell_of(notice.to)
                self.lines.moved(notice)
            case effects.OwnKeyMoved():
                self.id_revoked |= notice.state is effects.OwnKeyState.REVOKED
            case Offline():
                self.here.clear()
            case effects.PeerMoved():
                (self.here.add if notice.online else self.here.discard)(notice.user_id)
                self._comings.moved(notice)
            case effects.MessageArrived():
                self._comings.tell_of(notice.author)
                self._spoke = self._spoke if notice.public else notice.author
            case effects.FileOffered():
                self._comings.tell_of(notice.author)
                self.transfers.received(notice)
            case (
                effects.FileProgress()
                | effects.FileWaits()
                | effects.FileDone()
                | effects.FileFailed()
            ):
                notice = self.transfers.by_author(notice)
                self.transfers.moved(notice)
        about = await self.looking_back.about(_about(notice))
        entry = self.phrases.entry(notice, now_ms(), about)
        if entry is not None:
            self._show(entry)
        if isinstance(notice, effects.MessageArrived | effects.MessageRefused):
            self._once_shown(lambda: self.me.shown(notice))

    # --- the end --------------------------------------------------------------------------------

    def outstanding(self) -> list[str]:
        """What was asked for and is not done yet, one phrase each."""
        return [*self.lines.outstanding(), *self.transfers.outstanding()]

    async def finished(self, seconds: float) -> None:
        """Return when nothing is outstanding, or after so long."""
        await self._patience.until(lambda: self.given_up or not self.outstanding(), seconds)

    @property
    def failed(self) -> bool:
        """Something that was said or sent was refused."""
        return self.lines.refused or self.transfers.failed


def _about(notice: Notice) -> str:
    """The msg_ref of what a notice is about, "" for nothing."""
    match notice:
        case effects.MessageArrived():
            return notice.reply_to
        case effects.Amended():
            return notice.of
        case _:
            return ""


def drawn(text: str) -> list[str]:
    """The rows of a QR code, in white on black; none where the terminal is too narrow for one."""
    from socp.cli import qr

    rows = qr.drawn(text, qr.Ink.BLOCKS)
    return rows if len(rows[0]) < shutil.get_terminal_size().columns else []


def typed_path(text: str) -> Path:
    """A path as people and file managers write it: ~, quotes, backslashes before spaces.

    Whatever is typed gives a path: what is wrong with it is said by who opens it.
    """
    path = _at_home(text)
    if _is_there(path):
        return path
    try:
        words = shlex.split(text)
    except ValueError:
        return path
    return _at_home(words[0]) if len(words) == 1 else path


def _at_home(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~somebody, and nobody is called that: a file may be
        return Path(text)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long a name, a folder closed to us
        return False
