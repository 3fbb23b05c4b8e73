"""What one can do with a message: answer, change, take back, react, copy, open what is in it; and
beginning to send a file."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

import click
from textual import on
from textual.events import TextSelected

from socp.client.clock import now_ms
from socp.client.errors import ClientError
from socp.member.draft import Draft
from socp.member.history import FILE
from socp.member.history_line import HistoryLine
from socp.talk.commands import Unclear
from socp.talk.naming import typed_name
from socp.talk.words import note, quoted
from socp.tui.composer import Composer
from socp.tui.emoji_screen import EmojiScreen
from socp.tui.messages import MessagePane, first_link
from socp.tui.session import Session
from socp.tui.sliced import Sliced
from socp.tui.take_back_screen import TakeBackScreen
from socp.tui.typed_ahead import Refused
from socp.tui.window import Window
from socp.wire.ids import PUBLIC
from socp.wire.text import printable

Work = Coroutine[Any, Any, None]

_NAMELESS: Final = "that cannot be answered or changed: it was not sent yet, or taken back"
_FILE: Final = "a file cannot be answered or reacted to; answer a message beside it, or write one"


class Deeds(Sliced[None]):
    """A screen with messages and a composer."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    @property
    def composer(self) -> Composer:
        """Where one types."""
        return self.query_one(Composer)

    def complain(self, text: str) -> None:
        """Say in the conversation what cannot be done."""
        self.session.say(note(now_ms(), text, "class:warn"))

    def refuse(self, text: str) -> None:
        """Say what cannot be done with a message. What was typed ahead was meant for what the key
        would have opened; among the messages each letter of it would be a key of its own."""
        self.complain(text)
        if isinstance(self.focused, MessagePane):
            self.post_message(Refused())

    def attempt(self, work: Work) -> None:
        """Do it beside the rest, and say what was wrong with it."""
        self.run_worker(self._tried(work), group="said")

    async def _tried(self, work: Work) -> None:
        try:
            await work
        except (Unclear, ClientError) as fault:
            self.complain(str(fault))

    @on(MessagePane.Asked)
    def _asked(self, event: MessagePane.Asked) -> None:
        line = event.line
        if line is None:
            self.composer.focus()
            return
        if line.talk != self.session.turned_to:
            return  # one turned to somebody else before it could be done
        match event.what:
            case "copy":
                self.app.copy_to_clipboard(copyable(line.text))
            case "copy_link":
                self._copy_link(line)
            case "open":
                self._open_of(line)
            case "cancel":
                self.attempt(self._cancel(line))
            case "edit":
                self.edit(line)
            case "reply" | "react" | "take_back":
                self._amend(event.what, line)

    @on(TextSelected)
    def _selected(self) -> None:
        """What is typed after it is a message, not keys that do something to one."""
        if self.selections:
            self.query_one(MessagePane).action_write()

    @on(MessagePane.Linked)
    def _linked(self, event: MessagePane.Linked) -> None:
        self.attempt(_launched(event.address))

    def _copy_link(self, line: HistoryLine) -> None:
        if address := first_link(line):
            self.app.copy_to_clipboard(address)
        else:
            self.complain("there is no link in it")

    def _amend(self, what: str, line: HistoryLine) -> None:
        if not line.msg_ref or line.deleted:
            self.refuse(_FILE if line.kind == FILE else _NAMELESS)
        elif what == "reply":
            quote = f"{self.session.called(line.author)} {quoted(line.text)}"
            self.composer.take(Draft(self.composer.text, line.msg_ref, quote=quote))
            self.composer.focus()
        elif what == "react":
            _mounting = self.app.push_screen(EmojiScreen(), lambda emoji: self._react(line, emoji))
        elif line.author != self.session.me.user_id:
            self.refuse("only who said it can take it back")
        else:
            called = self.session.called(line.talk)
            who = called[:1].upper() + called[1:] if line.talk == PUBLIC else called
            asking = TakeBackScreen(quoted(line.text), who)
            _mounting = self.app.push_screen(asking, lambda sure: self._sure(line, sure=sure))

    def _sure(self, line: HistoryLine, *, sure: bool | None) -> None:
        if sure:
            self.attempt(self._take_back(line))

    def edit(self, line: HistoryLine | None) -> None:
        """Change it in the composer."""
        if line is None or line.author != self.session.me.user_id or line.kind != "text":
            self.refuse("there is nothing of yours here to change")
        elif not line.msg_ref or line.deleted:
            self.refuse("that cannot be changed: it was not sent yet, or taken back")
        else:
            draft = Draft(line.text, line.msg_ref, edits=True, quote=quoted(line.text))
            self.composer.take_instead(draft)
            self.composer.focus()

    def edit_last(self) -> None:
        """The last thing that one said, and not the last one in sight."""
        window = self.session.window
        if window.to_end:
            self.edit(window.last(by=self.session.me.user_id))
        else:
            self.attempt(self._edit_last_of(window.talk))

    async def _edit_last_of(self, talk: str) -> None:
        end = Window(self.session.me, talk)
        await end.open_end()
        if talk == self.session.turned_to and not self.composer.text:  # nothing was begun since
            self.edit(end.last(by=self.session.me.user_id))

    def _react(self, line: HistoryLine, emoji: str | None) -> None:
        if emoji is not None:
            self.attempt(self._reacted(line, emoji))

    async def _reacted(self, line: HistoryLine, emoji: str) -> None:
        self.session.said(await self.session.me.react(line.talk, line.msg_ref, emoji))

    async def _take_back(self, line: HistoryLine) -> None:
        self.session.said(await self.session.me.delete(line.talk, line.msg_ref))

    async def _cancel(self, line: HistoryLine) -> None:
        if line.file_id:
            await self.session.me.cancel_file(line.file_id)

    def _open_of(self, line: HistoryLine) -> None:
        """A link, or the folder of received files: only because a key was pressed."""
        target = first_link(line) or (self.session.downloads if line.kind == "file" else "")
        if target:
            self.attempt(_launched(target))
        else:
            self.complain("there is no link in it, and no file")

    # --- clicks on the last row -----------------------------------------------------------------

    async def action_with_message(self, action: str) -> None:
        """What a key does with the marked message, for who clicks on its name. A folder is opened
        by the key alone: a click may come a moment after the row under it moved."""
        messages = self.query_one(MessagePane)
        line = messages.line
        if action == "open" and line is not None and not first_link(line):
            self.complain("press the key to open the folder of a file; a click does not")
        else:
            await messages.run_action(action)

    async def action_with_composer(self, action: str) -> None:
        """The same where one types."""
        await self.composer.run_action(action)

    # --- files ----------------------------------------------------------------------------------

    @on(Composer.Dropped)
    def _dropped(self, event: Composer.Dropped) -> None:
        self._address_file(event.path)

    def action_file(self) -> None:
        """Begin to say which file."""
        self._address_file("")

    def _address_file(self, path: str) -> None:
        name = typed_name(self.session.me, self.session.turned_to)
        self.composer.take_instead(Draft(f"/file {name} {path}"))
        self.composer.focus()


def copyable(text: str) -> str:
    """What was said, as it may go to the clipboard and be pasted into a terminal: nothing acts in
    it (threat I8); its lines and tabs are kept."""
    return "\t".join(printable(part, multiline=True) for part in text.split("\t"))


async def _launched(target: str) -> None:
    """What the system has for it."""
    await asyncio.to_thread(click.launch, target)
