"""The screen one lives in: conversations, messages, people, and where one types."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize

from socp.client.errors import ClientError
from socp.member.draft import Draft, is_empty
from socp.talk.commands import Unclear
from socp.talk.obeying import Left
from socp.tui import changed_key, keys, themes
from socp.tui.about_line import AboutLine
from socp.tui.acting import Acting
from socp.tui.changed_key import ChangedKey
from socp.tui.composer import TEXT_CHARS_MAX, Composer
from socp.tui.conversations import ConversationList
from socp.tui.deeds import Deeds
from socp.tui.folding import WIDE_COLUMNS, fold
from socp.tui.help_screen import HelpScreen
from socp.tui.jump_screen import JumpScreen
from socp.tui.keys import Keymap
from socp.tui.keys_line import KeysLine
from socp.tui.link_line import LinkLine
from socp.tui.messages import MessagePane
from socp.tui.offers_line import OffersLine
from socp.tui.own_head import OwnHead
from socp.tui.parts import Part
from socp.tui.people import PeopleList
from socp.tui.row_view import RowView
from socp.tui.search_screen import Hit, SearchScreen
from socp.tui.session import Session
from socp.tui.talk_head import TalkHead
from socp.tui.too_small import TooSmall
from socp.tui.verify_screen import VerifyScreen
from socp.wire.ids import PUBLIC

Work = Coroutine[Any, Any, None]
SOON_S: Final = 0.025
LISTS_S: Final = 0.3
_AT_ONCE: Final = Part.LINES | Part.TALK | Part.LINK | Part.TRUST
_LISTS: Final = Part.TALKS | Part.PEOPLE
NAMES_MAX: Final = 2_000


class TalkScreen(Deeds):
    """Tells its parts to look again; asks the session for what the person wants."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("everywhere")
    DEFAULT_CSS = """
    TalkScreen {
        & > Horizontal { height: 1fr; }
        & #side { width: 26; border-right: solid $line; }
        & #talks { height: 1fr; }
        & #people { width: 26; border-left: solid $line; }
        & #middle { width: 1fr; }
        & #messages { height: 1fr; }
        & #side.-wide { width: 32; }
        & #side.-vast { width: 42; }
        & #people.-vast { width: 34; }
        & #side.-narrow { display: none; }
        layers: below above;
        & TooSmall { layer: above; display: none; }
        & TooSmall.-tiny { display: block; }
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
        self._asked_to_leave = False

    def compose(self) -> ComposeResult:
        """Left, middle, right, and a row of keys."""
        session = self.session
        side, people, small = Vertical(id="side"), PeopleList(session, id="people"), TooSmall()
        for each in (side, people, small):
            fold(each, self.app.size, there=False)
        with Horizontal():
            with side:
                yield OwnHead()
                yield ConversationList(session, id="talks")
            with Vertical(id="middle"):
                yield TalkHead()
                yield MessagePane(session, id="messages")
                yield LinkLine()
                yield ChangedKey()
                yield AboutLine()
                yield OffersLine()
                yield Composer(session.drafts, self._names, self._mine, self._turns, id="composer")
            yield people
        yield KeysLine(self._mine)
        yield small

    def on_mount(self) -> None:
        """One can type at once, and goes on where one was."""
        self.composer.turn(self.session.turned_to)
        self.composer.focus()
        self.draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that is pressed before the parts are there is for nobody."""
        there = bool(self.query(ConversationList)) and bool(self.query(Composer))
        return there and super().check_action(action, parameters)

    @property
    def messages(self) -> MessagePane:
        """The open conversation."""
        return self.query_one(MessagePane)

    # --- drawing --------------------------------------------------------------------------------

    def changed(self, parts: Part) -> None:
        """These are to be drawn anew, together with what else changes meanwhile; the lists at
        the sides, where much may happen that nobody looks at, less often."""
        self._stale |= parts
        if not self.is_mounted:
            return
        if Part.TALK in parts and self.composer.talk != self.session.turned_to:
            self.composer.turn(self.session.turned_to)  # at once: what is typed now is for them
        if parts & _AT_ONCE and not self._drawing:
            self._drawing = True
            self.set_timer(SOON_S, self._draw_at_once)
        if parts & _LISTS and not self._drawing_lists:
            self._drawing_lists = True
            self.set_timer(LISTS_S, self._draw_lists)

    @property
    def up_to_date(self) -> bool:
        """Whether nothing waits to be drawn."""
        return not self._stale

    def _draw_at_once(self) -> None:
        self._drawing = False
        self.draw(_AT_ONCE)

    def _draw_lists(self) -> None:
        self._drawing_lists = False
        self.draw(_LISTS)

    def draw(self, parts: Part = Part.ALL) -> None:
        """Draw what of these is not up to date."""
        stale, self._stale = self._stale & parts, self._stale & ~parts
        session = self.session
        if stale & (Part.TALKS | Part.TALK | Part.TRUST):
            self.query_one(ConversationList).remade()
            elsewhere = any(talk != session.turned_to for talk in session.unseen.talks())
            self.query_one(KeysLine).tell_unread(elsewhere)
        if stale & (Part.TALK | Part.TRUST | Part.PEOPLE):
            self.query_one(TalkHead).tell(session, folded=not self.query_one(PeopleList).display)
            self.composer.border_title = Text(f"to {session.called(session.turned_to)}")
            self._tell_of_key()
        if stale & (Part.PEOPLE | Part.TRUST) and self.query_one(PeopleList).display:
            self.query_one(PeopleList).remade()
        if Part.LINK in stale:
            self.query_one(LinkLine).tell(session.link, session.me.url)
            self.query_one(OwnHead).tell(session)
        if stale & (Part.LINES | Part.TALK):
            self.messages.remade()

    def _tell_of_key(self) -> None:
        session, banner = self.session, self.query_one(ChangedKey)
        who = session.turned_to if session.blocked else ""
        if banner.who != who:
            banner.tell(who, session.called(session.turned_to))
            self.composer.display = not who
            if who:
                banner.query_one(f"#{changed_key.COMPARE}").focus()
            else:
                self.composer.focus()

    def on_resize(self, event: Resize) -> None:
        """The people fold away where there is no room, and where there is less, the talks."""
        for each in self.query("#side, #people, TooSmall"):
            fold(each, event.size)
        people, wide = self.query_one(PeopleList), event.size.width >= WIDE_COLUMNS
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
        if self.composer.has_focus and not self.composer.draft.about:
            where = "composer"  # else Esc does what is said beside what one answers
        self.query_one(KeysLine).tell(where)

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
            self.complain("whom? Ctrl-K turns to somebody; or write /verify NAME")
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

    def _turns(self, draft: Draft) -> bool:
        """See Composer."""
        try:
            self._acting.turn(draft)
        except (Unclear, ClientError) as fault:
            self.complain(str(fault))
            return False
        return True

    @on(Composer.Said)
    def _say(self, event: Composer.Said) -> None:
        self.messages.mark("")  # what one answered is answered
        self.run_worker(self._said(event.talk, event.draft), group="said")

    async def _said(self, talk: str, draft: Draft) -> None:
        try:
            await self._acting.say(talk, draft)
        except Left:
            self.leave()
        except (Unclear, ClientError) as fault:
            self.complain(str(fault))
            self._give_back(talk, draft)

    def _give_back(self, talk: str, draft: Draft) -> None:
        """Nobody has to type it again; and nobody else shall read it by mistake."""
        composer, drafts = self.composer, self.session.drafts
        if composer.talk != talk and is_empty(drafts.of(talk)):
            drafts.keep(talk, draft)
        elif composer.talk == talk and not composer.text:
            composer.take(draft)

    @on(Composer.Changed, "#composer")
    def keep_draft(self) -> None:
        """What stands there is not lost, whatever happens."""
        if self.composer.talk:
            self.session.drafts.keep(self.composer.talk, self.composer.draft)

    @on(Composer.Offered)
    def _offer(self, event: Composer.Offered) -> None:
        self.query_one(OffersLine).offer(event.found, event.at)

    @on(Composer.AboutChanged)
    def _about(self) -> None:
        self.query_one(AboutLine).tell(self.composer.draft)
        self.on_descendant_focus()
        self.keep_draft()

    @on(Composer.Wanted)
    def _wanted(self, event: Composer.Wanted) -> None:
        match event.what:
            case "edit_last":
                self.edit_last()
            case "page_up":
                self.messages.scroll_page_up(animate=False)
            case "page_down":
                self.messages.scroll_page_down(animate=False)
            case "leave":
                self.messages.focus()
            case "too_long":
                most = f"{TEXT_CHARS_MAX:,} characters"
                self.complain(
                    f"what you paste is not taken: a message has at most {most}; save it"
                    " as a file and send that with F4; what you typed is still there"
                )

    @on(MessagePane.EndSeen)
    def _end_seen(self) -> None:
        if self.app.app_focus and self.app.screen is self:
            self.session.see()

    @on(ChangedKey.Decided)
    def _decided(self, event: ChangedKey.Decided) -> None:
        me, who = self.session.me, event.who
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
        self.call_later(self.session.leave)  # what was said just now is said first
