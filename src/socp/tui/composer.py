"""Where one types: several lines, what was said before, Tab, emoji, a draft for each talk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar, Final
from urllib.parse import unquote

from textual.binding import BindingType
from textual.events import Key, Paste
from textual.message import Message
from textual.widgets import TextArea

from socp.member.draft import Draft
from socp.talk.obeying import typed_path
from socp.talk.offers import Offer
from socp.tui import emoji, keys
from socp.tui.completing import completions
from socp.tui.drafts import Drafts
from socp.tui.harmless import harmless
from socp.tui.keys import Keymap
from socp.wire.text import printable

TEXT_CHARS_MAX: Final = 500_000
_PASTED_CHARS: Final = 16_384
"""Are taken, and broken into rows, without letting the loop go."""
_PATH_CHARS_MAX: Final = 4_096
_FILE_URL: Final = re.compile(r"file://(?:localhost)?(?P<path>/.*)")


class Composer(TextArea):
    """Says what happened; it decides nothing."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("composer")
    DEFAULT_CSS = """
    Composer {
        height: auto;
        min-height: 3;
        max-height: 10;
        border: round $line;
        background: transparent;
        padding: 0 1;
        &:focus { border: round $primary; background: transparent; }
        &.-stopped { border: round $error; }
        & .text-area--cursor-line { background: transparent; }
    }
    """

    class Said(Message):
        """The person pressed Enter. `talk`: for whom it was typed, whoever is in sight by now."""

        def __init__(self, talk: str, draft: Draft) -> None:
            super().__init__()
            self.talk = talk
            self.draft = draft

    class Wanted(Message):
        """The person wants something outside of it; `what` is the action's name."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    class Dropped(Message):
        """A file was dropped on it."""

        def __init__(self, path: str) -> None:
            super().__init__()
            self.path = path

    class Offered(Message):
        """These can be had with Tab; `at` is the one that stands there now."""

        def __init__(self, found: list[Offer], at: int) -> None:
            super().__init__()
            self.found = found
            self.at = at

    class AboutChanged(Message):
        """It answers, or changes, something else now, or nothing."""

    def __init__(
        self,
        drafts: Drafts,
        names: Callable[[], Iterable[str]],
        mine: Keymap,
        turns: Callable[[Draft], bool],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        """`turns`: does at once what the next key has to know, where a command turns to somebody;
        False if nothing can be done, and it said so."""
        super().__init__(id=id, soft_wrap=True, show_line_numbers=False, tab_behavior="focus")
        self._drafts = drafts
        self._names = names
        self._turns = turns
        self._does = keys.composer_actions(mine)
        self.talk = ""  # a user id, or "public": for whom one types
        self._about = Draft()
        self._back = 0  # how far one went into what was said before
        self._typed = ""  # what stood there when one began to
        self._offers: list[Offer] = []
        self._offer = 0

    # --- what stands in it ----------------------------------------------------------------------

    @property
    def draft(self) -> Draft:
        """As it is now."""
        about = self._about
        return Draft(self.text, about.about, about.edits, about.quote)

    def take(self, draft: Draft) -> None:
        """Go on with this."""
        self._about = draft
        self._back = 0
        self.text = harmless(draft.text)
        self.move_cursor(self.document.end)
        self._forget_offers()
        self.post_message(self.AboutChanged())

    def take_instead(self, draft: Draft) -> None:
        """The same; what stood there can be had again."""
        if self.text.strip():
            self._drafts.said(self.text)
        self.take(draft)

    def turn(self, talk: str) -> None:
        """Type for somebody else from now on."""
        self._drafts.keep(self.talk, self.draft)
        self.talk = talk
        self.take(self._drafts.of(talk))

    def _put(self, text: str) -> None:
        self.text = text
        self.move_cursor(self.document.end)

    @property
    def _before(self) -> str:
        return self.get_text_range((0, 0), self.cursor_location)

    # --- keys -----------------------------------------------------------------------------------

    async def _on_key(self, event: Key) -> None:
        """Every key in the order in which it was pressed, be it a letter or Enter: a binding that
        came first would send what is not typed yet."""
        action = self._does.get(event.key)
        if action is not None:
            event.stop()
            event.prevent_default()
            if action != "complete":
                self._forget_offers()
            await self.run_action(action)
            return
        self._forget_offers()
        await super()._on_key(event)
        if event.character == ":" and (found := emoji.finished(self._before)):
            sign, length = found
            row, column = self.cursor_location
            self.replace(sign, (row, column - length), (row, column))

    async def _on_paste(self, event: Paste) -> None:
        """A file that was dropped here comes as its path."""
        event.prevent_default()
        event.stop()
        if path := dropped(event.text):
            self.post_message(self.Dropped(path))
        elif len(self.text) + len(event.text) > TEXT_CHARS_MAX:
            self.post_message(self.Wanted("too_long"))
        elif text := harmless(event.text):
            self._forget_offers()
            await self._take_pasted(text)

    async def _take_pasted(self, text: str) -> None:
        """A piece at a time. It stays with those for whom it was pasted."""
        talk = self.talk
        for at in range(0, len(text), _PASTED_CHARS):
            if self.talk != talk:
                draft = self._drafts.of(talk)
                self._drafts.keep(talk, replace(draft, text=draft.text + text[at:]))
                return
            await super()._on_paste(Paste(text[at : at + _PASTED_CHARS]))
            await asyncio.sleep(0)

    def action_send(self) -> None:
        """Say it. What cannot be said stays: whatever is typed behind it goes to nobody."""
        if not self.text.strip():
            return
        talk, draft = self.talk, self.draft
        self.take(Draft())
        if self._turns(draft):
            self._drafts.said(draft.text)
            self.post_message(self.Said(talk, draft))
        else:
            self.take(draft)

    def action_new_line(self) -> None:
        """Another line."""
        self.insert("\n")

    def action_up(self) -> None:
        """In an empty one: change what was said last."""
        if self.text or self._about.about:
            self.action_cursor_up()
        else:
            self.post_message(self.Wanted("edit_last"))

    def action_said_before(self) -> None:
        """What was said before."""
        if self._drafts.before(self._back + 1):
            if not self._back:
                self._typed = self.text
            self._back += 1
            self._put(self._drafts.before(self._back))

    def action_said_after(self) -> None:
        """What was said after that, and at last what was being typed."""
        if self._back:
            self._back -= 1
            self._put(self._drafts.before(self._back) if self._back else self._typed)

    def action_page_up(self) -> None:
        """Scroll the conversation."""
        self.post_message(self.Wanted("page_up"))

    def action_page_down(self) -> None:
        """Scroll the conversation."""
        self.post_message(self.Wanted("page_down"))

    def action_leave(self) -> None:
        """Answer nothing, change nothing; else leave it."""
        if self._about.about:
            self.take(Draft("" if self._about.edits else self.text))
        else:
            self.post_message(self.Wanted("leave"))

    def action_complete(self) -> None:
        """The next of what can stand here."""
        if self._offers:
            taken = self._offers[self._offer].text
            self._offer = (self._offer + 1) % len(self._offers)
            self._replace_before(len(taken), self._offers[self._offer].text)
        else:
            found = completions(self._before, self._names)
            self._offers = [offer for offer in found if harmless(offer.text) == offer.text]
            self._offer = 0
            if not self._offers:
                return
            first = self._offers[0]
            self._replace_before(first.replaces, first.text)
        self.post_message(self.Offered(self._offers, self._offer))
        if len(self._offers) == 1:
            self._offers = []

    def _replace_before(self, length: int, text: str) -> None:
        row, column = self.cursor_location
        self.replace(text, (row, column - length), (row, column))

    def _forget_offers(self) -> None:
        self._offers = []
        self.post_message(self.Offered([], 0))


def dropped(text: str) -> str:
    """What to write behind /file for the path that a terminal pastes when a file is dropped on it,
    "" for any other text. Terminals quote it, or put backslashes before spaces, or paste an
    address."""
    said = text.strip()
    if not said or "\n" in said or len(said) > _PATH_CHARS_MAX or printable(said) != said:
        return ""
    address = _FILE_URL.fullmatch(said.strip("'\""))
    if address:
        said = unquote(address["path"])
    if said.lstrip("'\"")[:1] not in ("/", "~"):
        return ""
    try:
        path = typed_path(said)
        is_there = path.is_file()
    except (OSError, ValueError):  # a folder that is closed to us, a NUL in an address
        return ""
    return str(path) if is_there and printable(str(path)) == str(path) else ""
