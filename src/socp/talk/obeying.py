"""Carries out what is typed, whichever client shows what comes of it."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

from socp.client.client import Client
from socp.client.clock import now_ms
from socp.client.line import Line
from socp.talk import commands, own_key
from socp.talk.amending import Amending
from socp.talk.commands import Command, Unclear
from socp.talk.deciding import Deciding
from socp.talk.entries import Entry
from socp.talk.help import help_entries
from socp.talk.listing import listing
from socp.talk.looking_back import LookingBack
from socp.talk.parsing import parse
from socp.talk.patience import Patience
from socp.talk.phrases import Phrases
from socp.talk.readers import members
from socp.talk.receipts import receipts
from socp.talk.transfers import Transfers
from socp.talk.words import fingerprint_text, time_of
from socp.wire.ids import PUBLIC
from socp.wire.text import encodable

Show = Callable[[Entry], None]


class Left(Exception):
    """The person wants to go."""


class Obeying(ABC):
    """`patience_s`: a name may turn up that late. What is asked for is answered by `show`."""

    def __init__(
        self,
        me: Client,
        show: Show,
        *,
        patience_s: float,
        has_toolbar: bool,
    ) -> None:
        """`has_toolbar`: it is a terminal, where transfers are seen and a QR code can be drawn."""
        self.me = me
        self.turned_to = ""  # user id, "public", or nobody yet
        self.spoke = ""  # the user id of who spoke to us last, in private
        self.phrases = Phrases(me.contacts.label, me.user_id, me.url)
        self.transfers = Transfers(self.phrases, show, has_toolbar=has_toolbar)
        self.looking_back = LookingBack(me, self.phrases)
        self.patience = Patience(me, patience_s)
        self._show = show
        self._amending = Amending(me)
        self._deciding = Deciding(me, self.phrases, show, drawn if has_toolbar else lambda _: [])

    @abstractmethod
    def said(self, line: Line) -> None:
        """The person said this now: what becomes of it is to be shown."""

    async def obey(self, line: str) -> None:
        """Carry out one line. Unclear or ClientError say why not; Left."""
        command = parse(encodable(line))
        if command is not None:
            await self.carry_out(command)

    async def carry_out(self, command: Command) -> None:
        """The same for a command."""
        match command:
            case commands.Tell() | commands.TellAll() | commands.Plain():
                await self._say(await self._addressee(command), command.text)
            case commands.Reply() | commands.Edit() | commands.Delete() | commands.React():
                await self._amend(command)
            case commands.ShowHistory() | commands.Search():
                await self._look_back(command)
            case commands.Verify():
                await self._deciding.verify(await self.patience.find(command.who), command)
            case commands.Trust():
                await self._deciding.trust(await self.patience.find(command.who), command)
            case commands.SendFile():
                await self._send_file(command)
            case commands.Cancel():
                await self.me.cancel_file(self.transfers.named(command.name))
            case commands.RotateKey() | commands.RevokeKey():
                await self.patience.attached(or_replaced=isinstance(command, commands.RevokeKey))
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
                await self._whois(await self.patience.find(command.who))
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
                return await self.patience.find(command.who)
            case commands.TellAll():
                return PUBLIC
        if not self.turned_to:
            raise Unclear(f"to whom? /tell {self._caller()} text or /all text; then just type")
        return self.turned_to

    async def _say(self, to: str, text: str) -> None:
        self.turned_to = to
        if text:
            self.said(await self.me.send(to, text))

    def _caller(self) -> str:
        """Who spoke to us last, as it is typed: most likely they are meant, but who is answered
        unasked is answered by mistake."""
        return self.phrases.typed(self.spoke) if self.spoke else "NAME"

    async def _amend(
        self, command: commands.Reply | commands.Edit | commands.Delete | commands.React
    ) -> None:
        if not self.turned_to:
            raise Unclear(f"in which talk? /tell {self._caller()} or /all turns to it")
        self.said(await self._amending.do(self.turned_to, command))

    async def _look_back(self, command: commands.ShowHistory | commands.Search) -> None:
        if isinstance(command, commands.Search):
            entries = await self.looking_back.search(command.words, now_ms())
        else:
            who = await self.patience.addressee(command.who) if command.who else self.turned_to
            if not who:
                raise Unclear("with whom? /history NAME, or /history all")
            entries = await self.looking_back.history(who, command.count, now_ms())
        for entry in entries:
            self._show(entry)

    async def _send_file(self, command: commands.SendFile) -> None:
        to = await self.patience.addressee(command.who)
        path = typed_path(command.path)
        if _is_there(path):  # one that does not is refused at once
            await self.patience.reached(to)
        self.transfers.offered(await self.me.send_file(to, path), path.name)

    async def _list(self) -> None:
        await self.patience.attached()
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


def drawn(text: str) -> list[str]:
    """The rows of a QR code, in white on black; none where the terminal is too narrow for one."""
    from socp.talk import qr

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
