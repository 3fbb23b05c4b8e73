"""What one says or commands is done: as in the line client, but some commands are screens here."""

from __future__ import annotations

from typing import Protocol

from socp.member.draft import Draft
from socp.talk import commands
from socp.talk.amending import Amending
from socp.talk.commands import Command, Unclear
from socp.talk.parsing import parse
from socp.talk.places import means_everyone
from socp.tui.session import Session
from socp.wire.ids import PUBLIC
from socp.wire.text import encodable


class Stage(Protocol):
    """What a command may want to be shown."""

    def show_verify(self, user_id: str) -> None: ...

    def show_search(self, words: str) -> None: ...

    def show_help(self) -> None: ...

    def leave(self) -> None: ...


class Acting:
    """Unclear and ClientError say what cannot be done."""

    def __init__(self, session: Session, stage: Stage) -> None:
        self._session = session
        self._stage = stage
        self._amending = Amending(session.me)

    def turn(self, draft: Draft) -> None:
        """Turn to whom a command names, before the next key is looked at: what is typed after it
        is for them. Unclear and ClientError say why nothing of it can be done."""
        match None if draft.edits else parse(_words(draft)):
            case commands.Tell(who=who):
                self._session.turn_to(self._session.me.find(who))
            case commands.TellAll():
                self._session.turn_to(PUBLIC)
            case commands.ShowHistory(who=who) if who:
                everyone = means_everyone(who)
                self._session.turn_to(PUBLIC if everyone else self._session.me.find(who))

    async def say(self, talk: str, draft: Draft) -> None:
        """Say it to those for whom it was typed, whoever is in sight by now: answer, change, or
        carry out the command that it is, which turned already where it turns."""
        session, text = self._session, _words(draft)
        me = session.me
        if draft.about and draft.edits:
            session.said(await me.edit(talk, draft.about, text))
            return
        command = parse(text)
        if draft.about and isinstance(command, commands.Plain):
            session.said(await me.send(talk, command.text, reply_to=draft.about))
        elif command is not None:
            await self._do(talk, command)

    async def _do(self, talk: str, command: Command) -> None:
        session, find = self._session, self._session.me.find
        match command:
            case commands.Plain():
                await self._tell(talk, command.text)
            case commands.Reply() | commands.Edit() | commands.Delete() | commands.React():
                session.said(await self._amending.do(talk, command))
            case commands.Tell(who=who):
                await self._tell(find(who), command.text)
            case commands.TellAll():
                await self._tell(PUBLIC, command.text)
            case commands.ShowHistory(who=who) if who:
                return
            case commands.Search(words=words):
                self._stage.show_search(words)
            case commands.Verify(who=who, digits="") | commands.Trust(who=who, decision=""):
                self._stage.show_verify(find(who))
            case commands.Help():
                self._stage.show_help()
            case commands.Quit():
                self._stage.leave()
            case commands.Wait():
                raise Unclear("/wait is for scripts; here nothing has to wait")
            case _:
                await session.carry_out(command)

    async def _tell(self, to: str, text: str) -> None:
        if text:
            self._session.said(await self._session.me.send(to, text))


def _words(draft: Draft) -> str:
    """As they can be sent."""
    return encodable(draft.text)
