"""The screen one lives in: conversations, messages, people, and where one types."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from socp.client.errors import ClientError
from socp.member.draft import Draft
from socp.talk.commands import Unclear
from socp.talk.obeying import Left
from socp.tui import changed_key, keys, themes
from socp.tui.about_line import AboutLine
from socp.tui.acting import Acting
from socp.tui.changed_key import ChangedKey
from socp.tui.composer import Composer
from socp.tui.conversations import ConversationList
from socp.tui.deeds import Deeds
from socp.tui.help_screen import HelpScreen
from socp.tui.jump_screen import JumpScreen
from socp.tui.keys import Keymap
from socp.tui.keys_line import KeysLine
from socp.tui.link_line import LinkLine
from socp.tui.messages import MessagePane
from socp.tui.offers_line import OffersLine
from socp.tui.parts import Part
from socp.tui.people import PeopleList
from socp.tui.row_view import RowView
from socp.tui.search_screen import Hit, SearchScreen
from socp.tui.session import FRAME_S, Session
from socp.tui.talk_head import TalkHead
from socp.tui.verify_screen import VerifyScreen
from socp.wire.ids import PUBLIC

Work = Coroutine[Any, Any, None]
WIDE_COLUMNS: Final = 110
LISTS_S: Final = 0.15
_AT_ONCE: Final = Part.LINES | Part.TALK | Part.LINK | Part.TRUST
NAMES_MAX: Final = 2_000


class TalkScreen(Deeds):
    """Tells its parts to look again; asks the session for what the person wants."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("everywhere")
    DEFAULT_CSS = """
    TalkScreen {
        & > Horizontal { height: 1fr; }
        & #talks { width: 26; border-right: solid $line; }
        & #people { width: 26; border-left: solid $line; padding: 0 0 0 1; }
        & #middle { width: 1fr; }
        & #messages { height: 1fr; }
        &.-wide #talks { width: 32; }
    }
    """

    def __init__(self, session: Session, mine: Keymap) -> None:
        super().__init__(session)
        self._mine = mine
        self._acting = Acting(session, self)
        self._stale = Part.ALL
        self._drawing = False  # a frame is due
        self._drawing_lists = False  # it is, and may wait a little
        self._people: bool | None = None  # None: shown where there is room
        self._open = session.turned_to
        self._asked_to_leave = False

    def compose(self) -> ComposeResult:
        """Left, middle, right, and a row of keys."""
        session = self.session
        self.set_class(self.app.size.width >= WIDE_COLUMNS, "-wide")  # or all is styled twice
        with Horizontal():
            yield ConversationList(session, id="talks")
            with Vertical(id="middle"):
                yield TalkHead()
                yield MessagePane(session, id="messages")
                yield LinkLine()
                yield ChangedKey()
                yield AboutLine()
                yield OffersLine()
                yield Composer(session.drafts, self._names, self._mine, id="composer")
            yield PeopleList(session, id="people")
        yield KeysLine(self._mine)

    def on_mount(self) -> None:
        """One can type at once, and goes on where one was."""
        self.composer.take(self.session.drafts.of(self._open))
        self.composer.focus()
        self.draw()

    @property
    def messages(self) -> MessagePane:
        """The open conversation."""
        return self.query_one(MessagePane)

    # --- drawing --------------------------------------------------------------------------------

    def changed(self, parts: Part) -> None:
        """These are to be drawn anew, together with what else changes within a frame; the lists at
        the sides, where much may happen that nobody looks at, less often."""
        self._stale |= parts
        if not self.is_mounted or self._drawing:
            return
        if parts & _AT_ONCE:
            self._drawing = True
            self.set_timer(FRAME_S / 2, self.draw)
        elif not self._drawing_lists:
            self._drawing_lists = True
            self.set_timer(LISTS_S, self.draw)

    def draw(self) -> None:
        """Draw what is not up to date."""
        self._drawing = self._drawing_lists = False
        stale, self._stale = self._stale, Part(0)
        session = self.session
        if Part.TALK in stale and self._open != session.turned_to:
            self.keep_draft()
            self._open = session.turned_to
            self.composer.take(session.drafts.of(self._open))
        if stale & (Part.TALKS | Part.TALK | Part.TRUST):
            self.query_one(ConversationList).remade()
        if stale & (Part.TALK | Part.TRUST | Part.PEOPLE):
            self.query_one(TalkHead).tell(session)
            self._tell_of_key()
        if stale & (Part.PEOPLE | Part.TRUST) and self.query_one(PeopleList).display:
            self.query_one(PeopleList).remade()
        if Part.LINK in stale:
            self.query_one(LinkLine).tell(session.link)
        if stale & (Part.LINES | Part.TALK):
            self.messages.remade()

    def _tell_of_key(self) -> None:
        session = self.session
        banner, blocked = self.query_one(ChangedKey), session.blocked
        if banner.display != blocked:
            banner.tell(session.called(session.turned_to), blocked=blocked)
            self.composer.display = not blocked
            if blocked:
                banner.query_one(f"#{changed_key.COMPARE}").focus()
            else:
                self.composer.focus()

    def on_resize(self, event: Resize) -> None:
        """The people fold away where there is no room."""
        wide = event.size.width >= WIDE_COLUMNS
        self.set_class(wide, "-wide")
        people = self.query_one(PeopleList)
        people.display = wide if self._people is None else self._people
        self.changed(Part.ALL)

    def _names(self) -> list[str]:
        """What can be typed for those who are here, and with whom one talks."""
        session = self.session
        known = dict.fromkeys([*session.talks.order(NAMES_MAX), *sorted(session.here)])
        label = session.me.contacts.label
        return [label(who).replace(" ", "_") for who in known if who != PUBLIC][:NAMES_MAX]

    # --- which conversation ---------------------------------------------------------------------

    @on(RowView.Chosen, "#talks, #people")
    def _picked(self, event: RowView.Chosen) -> None:
        event.stop()
        self.session.turn_to(event.key)
        self.composer.focus()

    def action_next_talk(self) -> None:
        """The next in the list."""
        self._step(1)

    def action_previous_talk(self) -> None:
        """The one above."""
        self._step(-1)

    def _step(self, by: int) -> None:
        order = self.query_one(ConversationList).keys()
        here = order.index(self.session.turned_to) if self.session.turned_to in order else 0
        if order:
            self.session.turn_to(order[(here + by) % len(order)])

    def action_next_unread(self) -> None:
        """The one that waits longest."""
        waiting = [talk for talk in self.session.unseen.talks() if talk != self.session.turned_to]
        if waiting:
            self.session.turn_to(waiting[0])

    def action_jump(self) -> None:
        """By part of a name."""
        _mounting = self.app.push_screen(JumpScreen(self.session), self._jumped)

    def _jumped(self, talk: str | None) -> None:
        if talk:
            self.session.turn_to(talk)

    def action_command_palette(self) -> None:
        """Any command by a part of its name."""
        self.app.action_command_palette()

    def action_next_theme(self) -> None:
        """Dark, light, high contrast, and round again."""
        names = [theme.name for theme in themes.OURS]
        here = names.index(self.app.theme) if self.app.theme in names else -1
        self.app.theme = names[(here + 1) % len(names)]

    def action_people(self) -> None:
        """Show them, or fold them away."""
        people = self.query_one(PeopleList)
        self._people = people.display = not people.display
        self.changed(Part.ALL)

    def on_descendant_focus(self) -> None:
        """The last row says what can be pressed now."""
        where = "messages" if self.messages.has_focus else "everywhere"
        self.query_one(KeysLine).tell(where)

    async def action_with_message(self, action: str) -> None:
        """What a key does with the marked message, for who clicks on its name."""
        await self.messages.run_action(action)

    # --- screens over it ------------------------------------------------------------------------

    def action_help(self) -> None:
        """All keys and commands."""
        _mounting = self.app.push_screen(HelpScreen(self._mine))

    def action_search(self) -> None:
        """In all that was said."""
        self.show_search("")

    def action_verify(self) -> None:
        """The one whom one talks with."""
        if self.session.turned_to == PUBLIC:
            self.complain("whom? turn to somebody first, or write /verify NAME")
        else:
            self.show_verify(self.session.turned_to)

    def show_verify(self, user_id: str) -> None:
        """See Stage."""
        _mounting = self.app.push_screen(VerifyScreen(self.session, user_id))

    def show_search(self, words: str) -> None:
        """See Stage."""
        _mounting = self.app.push_screen(SearchScreen(self.session, words), self._found)

    def show_help(self) -> None:
        """See Stage."""
        self.action_help()

    def _found(self, hit: Hit | None) -> None:
        if hit is not None:
            self.session.turn_to(hit.talk, at=hit.number)
            self.messages.focus()

    # --- what is typed --------------------------------------------------------------------------

    @on(Composer.Said)
    def _say(self, event: Composer.Said) -> None:
        self.run_worker(self._said(event.draft), group="said")

    async def _said(self, draft: Draft) -> None:
        try:
            await self._acting.say(draft)
        except Left:
            self.leave()
        except (Unclear, ClientError) as fault:
            self.complain(str(fault))
            if not self.composer.text:
                self.composer.take(draft)  # nobody has to type it again

    @on(Composer.Changed, "#composer")
    def keep_draft(self) -> None:
        """What stands there is not lost, whatever happens."""
        self.session.drafts.keep(self._open, self.composer.draft)

    @on(Composer.Offered)
    def _offer(self, event: Composer.Offered) -> None:
        self.query_one(OffersLine).offer(event.found, event.at)

    @on(Composer.AboutChanged)
    def _about(self) -> None:
        self.query_one(AboutLine).tell(self.composer.draft)
        self.keep_draft()

    @on(Composer.Wanted)
    def _wanted(self, event: Composer.Wanted) -> None:
        match event.what:
            case "edit_last":
                self.edit(self.session.window.last(by=self.session.me.user_id))
            case "page_up":
                self.messages.scroll_page_up(animate=False)
            case "page_down":
                self.messages.scroll_page_down(animate=False)
            case "leave":
                self.messages.focus()
            case "dropped":
                self._address_file(self.composer.text.removeprefix("/file "))
            case "too_long":
                self.complain("that is too long for a message; send it as a file: F4")

    def action_file(self) -> None:
        """Begin to say which file."""
        self._address_file("")

    def _address_file(self, path: str) -> None:
        to = self.session.turned_to
        name = "all" if to == PUBLIC else self.session.me.contacts.label(to).replace(" ", "_")
        self.composer.take(Draft(f"/file {name} {path}"))
        self.composer.focus()

    @on(MessagePane.EndSeen)
    def _end_seen(self) -> None:
        if self.app.app_focus and self.app.screen is self:
            self.session.see()

    @on(ChangedKey.Decided)
    def _decided(self, event: ChangedKey.Decided) -> None:
        me, who = self.session.me, self.session.turned_to
        match event.what:
            case changed_key.COMPARE:
                self.show_verify(who)
            case changed_key.KEEP:
                self.attempt(me.keep_key(who))
            case changed_key.TAKE:
                self.attempt(me.accept_key(who))

    # --- the end --------------------------------------------------------------------------------

    def action_quit(self) -> None:
        """Leave; in the middle of a transfer only when asked twice."""
        self.leave()

    def leave(self) -> None:
        """See Stage."""
        running = self.session.transfers.outstanding()
        if running and not self._asked_to_leave:
            self._asked_to_leave = True
            self.complain(
                f"{', '.join(running)} is on its way, and goes on when you are back if their client"
                " can; quit again to leave"
            )
            return
        self.keep_draft()
        self.session.leave()
