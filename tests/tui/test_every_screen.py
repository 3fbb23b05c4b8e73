"""Every screen there is: it opens, does its work, closes; and with hostile words in all that others
write nothing of them acts on any of them. Whoever adds a screen drives it here, or is told by name
that nobody does."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Final

import pytest
from rich.segment import Segment
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

import socp.tui
from socp.client.errors import WrongPassphrase
from socp.client.unlocking import unlock
from socp.crypto.symbolic import SymbolicSuite
from socp.member.effects import MessageArrived, Trust
from socp.member.records import Said, TrustState
from socp.storage.profile_store import ProfileStore
from socp.tui import keys
from socp.tui.app import SocpApp
from socp.tui.choices_file import NOTIFY, Choices
from socp.tui.emoji_screen import EmojiScreen
from socp.tui.first_start import FirstStart
from socp.tui.help_screen import HelpScreen, HelpView
from socp.tui.jump_screen import JumpScreen
from socp.tui.opening import Opening
from socp.tui.row_view import RowView
from socp.tui.search_screen import SearchScreen
from socp.tui.take_back_screen import TakeBackScreen
from socp.tui.talk_screen import TalkScreen
from socp.tui.unlock_screen import UnlockScreen
from socp.tui.verify_screen import VerifyScreen
from socp.wire.content import Reaction, Text
from tests.client.people import FRIEND_ID
from tests.threats.hostile import ACTING, EVERYTHING, assert_harmless
from tests.tui.hands import hands_on
from tests.tui.stage import Pilots, Stage, driven, leave, stage
from tests.tui.test_window import NOW, filled


def is_ours(kind: type) -> bool:
    return kind.__module__.startswith("socp.tui")


def screens() -> set[type]:
    """All of socp.tui but those that others are made of."""
    for module in pkgutil.iter_modules(socp.tui.__path__):
        importlib.import_module(f"socp.tui.{module.name}")
    found: set[type] = set()
    todo: list[type] = [Screen]
    while todo:
        kind = todo.pop()
        kinds: list[type] = kind.__subclasses__()
        todo += kinds
        if is_ours(kind) and not any(map(is_ours, kinds)):
            found.add(kind)
    return found


async def is_open(it: Stage, kind: type) -> None:
    await it.until(lambda: isinstance(it.app.screen, kind), kind.__name__)
    await it.pilot.settled()


async def talk(it: Stage) -> None:
    await it.enters("hello")
    await it.bob_reads(Text(body="hello"))


async def help_(it: Stage) -> None:
    await it.pilot.press("f1")
    await is_open(it, HelpScreen)
    page = it.app.screen.query_one(HelpView)
    for each in (key for where in keys.TABLE.values() for key in where):
        assert each.purpose.split()[0] in page.text()
    await it.pilot.press("pagedown")
    await it.until(lambda: page.scroll_offset.y > 0)
    await it.pilot.press("escape")
    await is_open(it, TalkScreen)


async def jump(it: Stage) -> None:
    it.session.turn_to("public")
    await it.pilot.press("ctrl+k")
    await is_open(it, JumpScreen)
    await it.types("bo")
    await it.pilot.press("down", "up", "enter")
    await it.until(lambda: it.session.turned_to == it.bob.id)


async def search(it: Stage) -> None:
    await it.pilot.press("ctrl+f")
    await is_open(it, SearchScreen)
    await it.types("line 17")
    await it.until(lambda: "1 found" in it.read("#count"))
    await it.pilot.press("enter")
    await it.until(lambda: it.messages.line and it.messages.line.text == "line 17")


async def emoji(it: Stage) -> None:
    ref = await it.said_by_bob("nice?")
    await it.pilot.press("escape", "end", "plus")
    await is_open(it, EmojiScreen)
    await it.pilot.press("down")
    second = it.app.screen.query_one(RowView).at
    await it.pilot.press("enter")
    await it.bob_reads(Reaction(of=ref, emoji=second))
    await it.pilot.press("plus")
    await is_open(it, EmojiScreen)
    await it.pilot.press("up", *["down"] * 20, "enter")  # the last one takes it away
    await it.bob_reads(Reaction(of=ref, emoji=""))


async def take_back(it: Stage) -> None:
    await it.said_by_me("once")
    for pressed in (("enter",), ("escape",), ("tab", "enter")):
        assert not it.last.deleted
        await it.pilot.press("escape", "end", "d")
        await is_open(it, TakeBackScreen)
        await it.pilot.press(*pressed)
        await it.until(lambda: it.app.screen is it.talk)
        await it.pilot.press("i")
    await it.until(lambda: it.last.deleted)


async def verify(it: Stage) -> None:
    await it.pilot.press("f3")
    await is_open(it, VerifyScreen)
    await it.until(lambda: it.read("#number"))
    await it.types("123")
    await it.pilot.press("enter")
    await it.until(lambda: it.read("#fault"))
    it.app.screen.query_one(Input).value = it.session.me.safety_number(it.bob.id)
    await it.pilot.click("#compare")
    await it.until(lambda: it.session.state_of(it.bob.id) is TrustState.VERIFIED)
    await it.pilot.click("#unsure")
    await it.until(lambda: it.session.state_of(it.bob.id) is TrustState.UNVERIFIED)
    await it.pilot.click("#close")
    await is_open(it, TalkScreen)


async def unlock_(it: Stage) -> None:
    async def check(text: str) -> bool:
        if text == "x":
            raise WrongPassphrase("wait a little")
        return text == "right"

    given: list[str | None] = []
    _mounting = it.app.push_screen(UnlockScreen("socp", "why", check), given.append)
    await is_open(it, UnlockScreen)
    for typed, said in (("x", "wait a little"), ("y", "that is not it")):
        it.app.screen.query_one(Input).value = typed
        await it.pilot.press("enter")
        await it.until(lambda said=said: said in it.read("#fault"))  # type: ignore[misc]
    await it.pilot.press("escape", "ctrl+k", "ctrl+f")  # nothing goes past it
    assert isinstance(it.app.screen, UnlockScreen)
    it.app.screen.query_one(Input).value = "right"
    await it.pilot.press("enter")
    await it.until(lambda: given == ["right"])


PILOTS: Final[Pilots] = {
    "TalkScreen": talk,
    "HelpScreen": help_,
    "JumpScreen": jump,
    "SearchScreen": search,
    "EmojiScreen": emoji,
    "TakeBackScreen": take_back,
    "VerifyScreen": verify,
    "UnlockScreen": unlock_,
}
# Before there is a talk: driven by test_start.py.
BEFORE: Final = frozenset({"FirstStart", "ProfilesScreen"})


def test_every_screen_is_driven() -> None:
    assert {each.__name__ for each in screens()} == PILOTS.keys() | BEFORE


async def test_every_screen_does_its_work(tmp_path: Path) -> None:
    async with stage(tmp_path, before=filled(40)) as it:
        await driven(it, PILOTS, PILOTS)


# --- with hostile words --------------------------------------------------------------------------

MARKUP: Final = "[@click=app.quit]x[/][bold red]y[/] [link=file:///etc]z[/link] ]8;;a\x1b\\"
WORD: Final = "w" * 10_000
TEXTS: Final = (MARKUP, EVERYTHING, WORD, "e" + "\u0301" * 3_000, *ACTING.values())
KINDS: Final = ("file", "refused", "note", "text")
NAME: Final = "[@click=app.quit]b[/]\x1b]0;t\x07\u202e\u200b"


def hostile(folder: Path) -> None:
    """A history in which all who speak say all of it."""
    with ProfileStore.open(folder, lambda: unlock(folder, None)) as store:
        last = store.load().last_said
        rows = [
            Said(last + at, FRIEND_ID, FRIEND_ID, f"z {text}", NOW, NOW, "pinned", (), kind)
            for at, (kind, text) in enumerate(((kind, text) for kind in KINDS for text in TEXTS), 1)
        ]
        store.write(tuple(rows)).result()


def strips(app: SocpApp) -> list[Strip]:
    """The uppermost screen, row by row, as the terminal is given it."""
    return app.screen._compositor.render_strips()


def assert_calm(app: SocpApp) -> None:
    """Nothing acts, all is in its place, and only what is ours can be clicked or leads anywhere."""
    for strip in strips(app):
        assert_harmless(strip.text)
        assert strip.cell_length == app.size.width
        for segment in strip:
            assert_ours(segment)


def assert_ours(segment: Segment) -> None:
    style = segment.style
    assert not segment.control
    if style is None:
        return
    action = str(style.meta.get("@click", "screen."))
    assert action.startswith("screen."), f"{segment.text} does {action}"
    assert re.match("https?://|$", style.link or "")


@pytest.mark.threat("I8")
@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_no_screen_with_hostile_words_in_it_does_what_they_say(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with stage(tmp_path, size=size, before=hostile, name=NAME) as it:
        written: list[str] = []
        it.app._said_to_terminal = written.append  # type: ignore[method-assign, assignment]
        await it.opens(FRIEND_ID)
        for where in ("", "f2"):
            await it.pilot.press(*([where] if where else []))
            await it.pilot.settled()
            assert_calm(it.app)
        for key in ("f1", "ctrl+k", "ctrl+f", "f3", "ctrl+p"):
            await it.pilot.press(key)
            await it.until(lambda: it.app.screen is not it.talk)
            if key == "ctrl+f":
                await it.types("z")
                await it.until(lambda: "found" in it.read("#count"))
            await it.pilot.settled()
            assert_calm(it.app)
            await it.pilot.press("escape")
            await it.until(lambda: it.app.screen is it.talk)
        await it.pilot.press("escape", "end", "enter", "r")
        await it.pilot.settled()
        assert_calm(it.app)
        await it.pilot.press("escape", "slash", *"tell", "space", "tab", "tab")
        await it.pilot.settled()
        assert_calm(it.app)


@pytest.mark.threat("I8")
async def test_every_word_of_another_can_be_scrolled_through(tmp_path: Path) -> None:
    async with stage(tmp_path, size=(80, 24), before=hostile, name=NAME) as it:
        await it.opens(FRIEND_ID)
        it.messages.focus()
        for at, _ in enumerate(TEXTS * len(KINDS)):
            it.messages.action_up()
            if at < len(TEXTS):
                it.messages.action_choose()  # unfold it
            await it.pilot.settled()
            assert_calm(it.app)
            if at < len(TEXTS):
                it.messages.action_choose()


@pytest.mark.threat("I8")
@pytest.mark.parametrize("way", NOTIFY)
async def test_a_notification_ends_where_it_ends(tmp_path: Path, way: str) -> None:
    async with stage(tmp_path, choices=Choices(notify=way), name=f"4;1{NAME}") as it:
        written: list[str] = []
        assert it.app._driver is not None
        it.app._driver.write = written.append  # type: ignore[method-assign, assignment]
        came = MessageArrived(FRIEND_ID, EVERYTHING, 1, Trust.PINNED, public=False, msg_ref="r")
        it.session._heard(came)
        told = [each for each in written if each.startswith(("\a", "\x1b]9;", "\x1b]777;"))]
        assert len(told) == (way != "off")
        for each in told:
            if way == "bell":
                assert each == "\a"
            else:
                body = each.removeprefix("\x1b]").removesuffix("\x1b\\")
                assert_harmless(body)
                assert body.count(";") == {"osc9": 1, "osc777": 3}[way]
        assert not [each for each in written if re.match("\x1b\\][0-2];", each)], "a title is set"


async def test_the_first_start_says_what_is_wrong_and_shows_it_as_it_is(tmp_path: Path) -> None:
    app = SocpApp(
        Opening(tmp_path / "ann"), Choices(notify="off"), login=NAME[:20], suite=SymbolicSuite(1)
    )
    async with hands_on(app, (120, 50)) as pilot:
        await pilot.until(lambda: isinstance(app.screen, FirstStart))
        app.screen.query_one("#server", Input).value = MARKUP.replace("\x1b", "")
        await pilot.settled()
        await pilot.click("#begin")
        assert str(app.screen.query_one("#fault").render())
        for strip in strips(app):
            for segment in strip:
                assert_ours(segment)
        await leave(app)
        await pilot.press("ctrl+q")
        await pilot.until(lambda: app.return_value == 0)
